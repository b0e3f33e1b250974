//! Any network of a family that Basin builds, and the list of families.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::input::InputNormalization;
use super::super::topology::{Activation, Layer, Norm, Topology};
use super::choices::Choices;
use super::deepmind::{self, DeepMindPreActResNet, DeepMindWideResNet};
use super::densenet::{self, DenseNet};
use super::keys::Keys;
use super::paper::{self, LeNet, Mlp, ResNet};
use super::preact_resnet::{self, PreActResNet};
use super::resnet::{self, PostActResNet};
use super::resnext::{self, ResNeXt};
use super::small_cnn::{self, SmallCnn};
use super::stack::{Build as _, Shared, Stack};
use super::vgg::{self, Vgg};
use super::wide_resnet::{self, WideResNet};
use crate::error::{Error, Result};

/// Everything that distinguishes networks of the families that Basin builds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Architecture {
    /// Which family, with its own settings.
    pub family: Family,
    /// Number of classes.
    pub classes: i64,
    /// Channels, height, width.
    pub resolution: [i64; 3],
    /// Normalization; none for identity.
    pub normalization: Option<Norm>,
    /// Activation.
    pub activation: Activation,
    /// Whether the layers that can have a bias do.
    pub bias: bool,
    /// Clamp inputs to `[0, 1]` first.
    pub clamp: bool,
    /// Fixed per-channel standardization.
    pub whiten: bool,
    /// Map inputs from `[0, 1]` to `[-1, 1]`.
    pub rescale: bool,
    /// How images are normalized by numbers that are no tensors of the network.
    #[serde(skip_serializing_if = "InputNormalization::is_none")]
    pub input: InputNormalization,
    /// Dropout layers.
    pub dropout: bool,
    /// Factor of the logits.
    pub scale: f64,
    /// The mean before the last layer is one over all pixels, whatever the size of the images.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub global_mean: bool,
}

/// A family with its own settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Family {
    /// Residual network of the paper: 3x3 stem; width doubles from stage to stage.
    ResNet(ResNet),
    /// 5x5 convolutions with pooling.
    LeNet(LeNet),
    /// Fully connected; normalization comes after the activation.
    Mlp(Mlp),
    /// Post-activation ResNet of kuangliu, TRADES, MART, Madry, loss-landscape and torchvision.
    PostActResNet(PostActResNet),
    /// Pre-activation ResNet of AWP, robust_overfitting and RobustBench.
    PreActResNet(PreActResNet),
    /// Wide ResNet of TRADES, AWP, MART and RobustBench.
    WideResNet(WideResNet),
    /// Wide ResNet of DeepMind (Gowal et al. 2020), also of Rebuffi, Wang and Bartoldson.
    DeepMindWideResNet(DeepMindWideResNet),
    /// Pre-activation ResNet of DeepMind (Gowal et al. 2020), also of Rade and Rebuffi.
    DeepMindPreActResNet(DeepMindPreActResNet),
    /// VGG of kuangliu and loss-landscape.
    Vgg(Vgg),
    /// DenseNet of kuangliu and loss-landscape.
    DenseNet(DenseNet),
    /// The small network of TRADES for MNIST.
    SmallCnn(SmallCnn),
    /// ResNeXt of AugMix and RobustBench.
    ResNeXt(ResNeXt),
}

/// Does the same with the settings of any family.
macro_rules! each {
    ($family:expr, $inner:ident => $does:expr) => {
        match $family {
            Family::ResNet($inner) => $does,
            Family::LeNet($inner) => $does,
            Family::Mlp($inner) => $does,
            Family::PostActResNet($inner) => $does,
            Family::PreActResNet($inner) => $does,
            Family::WideResNet($inner) => $does,
            Family::DeepMindWideResNet($inner) => $does,
            Family::DeepMindPreActResNet($inner) => $does,
            Family::Vgg($inner) => $does,
            Family::DenseNet($inner) => $does,
            Family::SmallCnn($inner) => $does,
            Family::ResNeXt($inner) => $does,
        }
    };
}

/// A network recognized by the names and shapes of its tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognized {
    /// The network that is meant where nothing else is known, then those with the same tensors.
    pub alternatives: Vec<Architecture>,
}

impl Recognized {
    /// The network that is meant where nothing else is known.
    pub fn usual(&self) -> &Architecture {
        &self.alternatives[0]
    }
}

/// Recognizes a state dictionary of a family by its keys.
type Recognize = fn(&Keys) -> Option<Vec<Architecture>>;

/// A recognizer of a family, as one of any family.
macro_rules! recognizer {
    ($variant:ident, $recognize:path) => {
        |keys| {
            let found = $recognize(keys)?.into_iter();
            Some(found.map(|(family, shared)| Architecture::new(Family::$variant(family), shared)).collect())
        }
    };
}

/// Names of tensors that each network of a family has, and how it is recognized. A network is looked for where one of
/// the names ends the name of a tensor.
const FAMILIES: [(&[&str], Recognize); 12] = [
    (deepmind::WIDE_ANCHORS, recognizer!(DeepMindWideResNet, deepmind::recognize_wide)),
    (deepmind::PREACT_ANCHORS, recognizer!(DeepMindPreActResNet, deepmind::recognize_preact)),
    (wide_resnet::ANCHORS, recognizer!(WideResNet, wide_resnet::recognize)),
    (resnext::ANCHORS, recognizer!(ResNeXt, resnext::recognize)),
    (densenet::ANCHORS, recognizer!(DenseNet, densenet::recognize)),
    (preact_resnet::ANCHORS, recognizer!(PreActResNet, preact_resnet::recognize)),
    (resnet::ANCHORS, recognizer!(PostActResNet, resnet::recognize)),
    (vgg::ANCHORS, recognizer!(Vgg, vgg::recognize)),
    (small_cnn::ANCHORS, recognizer!(SmallCnn, small_cnn::recognize)),
    (paper::RESNET_ANCHORS, recognizer!(ResNet, paper::recognize_resnet)),
    (paper::LENET_ANCHORS, recognizer!(LeNet, paper::recognize_lenet)),
    (paper::MLP_ANCHORS, recognizer!(Mlp, paper::recognize_mlp)),
];

/// Names of tensors by which networks are found in a file.
pub fn anchors() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|(anchors, _)| anchors.iter().copied())
}

/// The networks that keys and shapes can be of, the one that fits best first; empty: none that Basin knows.
pub fn recognize(keys: &Keys) -> Vec<Recognized> {
    let mut found: Vec<(usize, Recognized)> = FAMILIES
        .iter()
        .filter_map(|(_, recognize)| recognize(keys).map(|alternatives| Recognized { alternatives }))
        .map(|recognized| (misfits(recognized.usual(), keys), recognized))
        .collect();
    found.sort_by_key(|(misfits, _)| *misfits);
    found.into_iter().map(|(_, recognized)| recognized).collect()
}

/// Number of tensors that a network lacks, or that have another shape.
fn misfits(architecture: &Architecture, keys: &Keys) -> usize {
    let Ok(topology) = architecture.topology() else { return usize::MAX };
    let specs = topology.tensors();
    specs.iter().filter(|spec| !spec.is_count && keys.shape(&spec.name) != Some(&spec.shape)).count()
}

impl Family {
    /// Its name, e.g. `WideResNet`.
    pub fn name(&self) -> &'static str {
        each!(self, family => family.name())
    }

    /// Changes the width of the first stage.
    ///
    /// # Errors
    /// The width is not positive, or the family has no stages.
    pub fn set_channels(&mut self, width: i64) -> Result<()> {
        if width < 1 {
            return Err(Error::invalid(format!("{width} channels are not possible; use 1 or more")));
        }
        let name = self.name();
        match each!(self, family => family.channels()) {
            Some(channels) => {
                *channels = width;
                Ok(())
            }
            None => Err(Error::invalid(format!("{name} has no channels; set its own sizes instead"))),
        }
    }
}

/// Largest number of channels, features, pixels per side or classes that is believed.
const LARGEST: i64 = 1 << 20;
/// Most layers of a kind in a row that are believed.
const MOST: usize = 1000;
/// Most stages that are believed: each has twice the width of the one before.
const MOST_STAGES: usize = 16;

impl Default for Architecture {
    /// The paper's ResNet-18 for CIFAR-10.
    fn default() -> Self {
        Self {
            family: Family::ResNet(ResNet::default()),
            classes: 10,
            resolution: [3, 32, 32],
            normalization: Some(Norm::Reparameterized),
            activation: Activation::Relu,
            bias: true,
            clamp: true,
            whiten: true,
            rescale: false,
            input: InputNormalization::None,
            dropout: false,
            scale: 1.0,
            global_mean: false,
        }
    }
}

impl Architecture {
    /// A network of a family as its files have it, for images as they are; the paper's clamp theirs first.
    fn new(family: Family, shared: Shared) -> Self {
        let is_papers = matches!(family, Family::ResNet(_) | Family::LeNet(_) | Family::Mlp(_));
        let Shared {
            classes,
            resolution,
            normalization,
            activation,
            bias,
            dropout,
            input,
            whiten,
            rescale,
            global_mean,
        } = shared;
        Self {
            family,
            classes,
            resolution,
            normalization,
            activation,
            bias,
            clamp: is_papers,
            whiten,
            rescale,
            input,
            dropout,
            scale: 1.0,
            global_mean,
        }
    }

    /// What all families have in common.
    fn shared(&self) -> Shared {
        Shared {
            classes: self.classes,
            resolution: self.resolution,
            normalization: self.normalization,
            activation: self.activation,
            bias: self.bias,
            dropout: self.dropout,
            input: self.input.clone(),
            whiten: self.whiten,
            rescale: self.rescale,
            global_mean: self.global_mean,
        }
    }

    /// Refuses numbers that only a damaged file has, before anything is built from them.
    ///
    /// # Errors
    /// The end of a sentence about a file.
    pub fn believable(&self) -> Result<(), String> {
        let (counts, widths) = each!(&self.family, family => family.sizes());
        if counts.len() > MOST_STAGES {
            return Err(format!(
                "describes a {} of {} stages; it is damaged",
                self.family.name(),
                counts.len()
            ));
        }
        if let Some(count) = counts.iter().find(|count| **count > MOST) {
            return Err(format!("describes a network with {count} layers in a row; it is damaged"));
        }
        let sizes = widths.iter().chain(&self.resolution).chain([&self.classes]);
        match sizes.into_iter().find(|size| !(1..=LARGEST).contains(*size)) {
            Some(size) => Err(format!("describes a network with a size of {size}; it is damaged")),
            None => Ok(()),
        }
    }

    /// Layers of a kind in each stage.
    pub(super) fn stages(&self) -> Vec<usize> {
        each!(&self.family, family => family.sizes()).0
    }

    /// Builds the topology.
    ///
    /// # Errors
    /// Settings that no network of the family can have.
    pub fn topology(&self) -> Result<Topology> {
        if self.classes < 2 {
            return Err(Error::invalid(format!("{} classes are not possible; use 2 or more", self.classes)));
        }
        if self.resolution.iter().any(|n| *n < 1) {
            return Err(Error::invalid(format!("the resolution {:?} is not possible", self.resolution)));
        }
        self.believable().map_err(|reason| Error::invalid(format!("the architecture {reason}")))?;
        let shared = self.shared();
        let mut stack = Stack::new(&shared);
        if self.clamp {
            stack.push(Layer::Clamp);
        }
        let input = self.input.for_channels(self.resolution[0]);
        let input = input.map_err(|reason| Error::invalid(format!("the network {reason}")))?;
        stack.layers.extend(input.layer());
        if self.whiten {
            stack.push(Layer::Standardize { name: "whiten".into(), channels: self.resolution[0] });
        } else if self.rescale {
            stack.push(Layer::Rescale { name: "rescale".into() });
        }
        each!(&self.family, family => family.layers(&mut stack))?;
        #[expect(clippy::float_cmp, reason = "exactly 1 means no layer")]
        if self.scale != 1.0 {
            stack.push(Layer::Scale { factor: self.scale });
        }
        let size = each!(&self.family, family => family.title());
        let norm = self.normalization.map_or("no normalization", Norm::name);
        let activation = match self.activation {
            Activation::Relu => String::new(),
            other => format!(", {}", other.name()),
        };
        Ok(Topology {
            family: self.family.name().into(),
            title: format!("{size}, {norm}{activation}"),
            classes: self.classes,
            resolution: self.resolution,
            layers: stack.layers,
        })
    }

    /// What its settings say of what keys and shapes leave open.
    pub fn choices(&self) -> Choices {
        let choices = each!(&self.family, family => family.choices());
        Choices { activation: Some(self.activation), ..choices }
    }

    /// The same tensors with another choice of what keys and shapes leave open.
    ///
    /// # Errors
    /// The family does not have that choice; the end of a sentence.
    pub fn choose(&mut self, choices: &Choices) -> Result<(), String> {
        each!(&mut self.family, family => family.choose(choices))?;
        self.activation = choices.activation.unwrap_or(self.activation);
        Ok(())
    }

    /// The settings that give this topology; none: it is no network of a family that Basin builds.
    pub fn of(topology: &Topology) -> Option<Self> {
        let mut layers = Vec::new();
        topology.visit(&mut |layer| layers.push(layer.clone()));
        let has = |wanted: fn(&Layer) -> bool| layers.iter().any(wanted);
        let whiten = has(|layer| matches!(layer, Layer::Standardize { .. }));
        let activation = layers.iter().find_map(|layer| match layer {
            Layer::Activate { activation } => Some(*activation),
            _ => None,
        });
        let norm = layers.iter().find_map(|layer| match layer {
            Layer::Normalize { norm, .. } => Some(*norm),
            _ => None,
        });
        let scale = layers.iter().find_map(|layer| match layer {
            Layer::Scale { factor } => Some(*factor),
            _ => None,
        });
        let specs = topology.tensors().into_iter();
        let keys = Keys::new(specs.map(|spec| (spec.name, spec.shape)).collect());
        let found = recognize(&keys).into_iter().flat_map(|found| found.alternatives);
        let candidates = found.map(|found| Self {
            classes: topology.classes,
            resolution: topology.resolution,
            normalization: norm,
            activation: activation.unwrap_or(found.activation),
            clamp: has(|layer| matches!(layer, Layer::Clamp)),
            whiten,
            rescale: !whiten && has(|layer| matches!(layer, Layer::Rescale { .. })),
            input: layers.iter().find_map(InputNormalization::of).unwrap_or_default(),
            dropout: has(|layer| matches!(layer, Layer::Dropout { .. })),
            scale: scale.unwrap_or(1.0),
            ..found
        });
        candidates.into_iter().find(|it| it.topology().is_ok_and(|built| built.layers == topology.layers))
    }
}
