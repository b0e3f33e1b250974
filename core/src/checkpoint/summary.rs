//! What a checkpoint is, in words and numbers.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::alternatives::Alternative;
use super::build::Built;
use super::open_choices::OpenChoices;
use super::recognize::Recognized;
use crate::model::{Activation, Block, Layer, Network, Role, Topology};

/// What a checkpoint is, in words and numbers: what `basin inspect` prints and the window shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The file, with what is assumed of it.
    #[serde(with = "crate::files::as_text")]
    pub path: PathBuf,
    /// SHA-256 of the file, hex, with what is assumed of it.
    pub hash: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// `PyTorch zip`, `PyTorch legacy`, `safetensors`, …
    pub container: String,
    /// `ResNet`, `LeNet`, `MLP`.
    pub family: String,
    /// Short name, e.g. `ResNet-18, 8 channels, rebn`.
    pub model: String,
    /// `bn`, `rebn`, `fixedbn`, `gn`, `fixedgn` or `none`.
    pub normalization: String,
    /// `relu`, `silu`, …
    pub activation: String,
    /// Number of classes.
    pub classes: usize,
    /// Channels, height, width of an input image.
    pub resolution: [usize; 3],
    /// Epoch the checkpoint says it is from.
    pub epoch: Option<i64>,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// How inputs are prepared, e.g. `clamp to [0, 1], whiten`.
    pub preprocessing: String,
    /// One line per layer of the topology, indented, for reading.
    pub topology: Vec<String>,
    /// The blocks of the network, for drawing.
    #[serde(default)]
    pub outline: Vec<Block>,
    /// Every tensor of the network, in order.
    pub tensors: Vec<TensorSummary>,
    /// What the user should know: what was ignored, guessed or repaired.
    pub notices: Vec<String>,
    /// Names of the networks in the file, the one that is used first; none where it has one alone.
    #[serde(default)]
    pub networks: Vec<String>,
    /// What the file holds beside the network: name, and number of tensors or class.
    #[serde(default)]
    pub set_aside: Vec<String>,
    /// What is assumed where the file does not say, as `--assume` takes it; empty where it says everything.
    #[serde(default)]
    pub assumed: String,
    /// Whether other readings of the file are possible, so that trying them can tell more.
    #[serde(default)]
    pub ambiguous: bool,
    /// What trying the possible readings has told.
    #[serde(default)]
    pub probe: Option<Probe>,
    /// Numbers that the file has about its network, by name: as stored, not measured.
    #[serde(default)]
    pub stored: Vec<(String, String)>,
    /// What can be assumed where the file leaves something open.
    #[serde(default, skip_serializing_if = "OpenChoices::is_empty")]
    pub open: OpenChoices,
}

/// One tensor of a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TensorSummary {
    /// Name in the state dictionary.
    pub name: String,
    /// Shape.
    pub shape: Vec<i64>,
    /// Role.
    pub role: Role,
    /// L2 norm.
    pub l2_norm: f64,
}

/// What is known of a file before its network.
pub struct File<'a> {
    pub path: &'a Path,
    pub hash: String,
    pub bytes: u64,
    pub container: &'a str,
}

/// Describes a network.
pub fn summarize(file: File, built: &Built, found: Recognized, alternatives: &[Alternative]) -> Summary {
    let network = &built.network;
    let topology = &network.topology;
    let Words { normalization, activation, preprocessing } = words(topology);
    let tensors = topology
        .tensors()
        .into_iter()
        .zip(&built.norms)
        .map(|(spec, norm)| TensorSummary {
            name: spec.name,
            shape: spec.shape,
            role: spec.role,
            l2_norm: *norm,
        })
        .collect();
    Summary {
        path: file.path.to_owned(),
        hash: file.hash,
        bytes: file.bytes,
        container: file.container.to_owned(),
        family: topology.family.clone(),
        model: topology.title.clone(),
        normalization,
        activation,
        classes: topology.classes as usize,
        resolution: topology.resolution.map(|n| n as usize),
        epoch: found.epoch,
        parameters: network.parameters() as usize,
        preprocessing,
        topology: topology.describe(),
        outline: topology.outline(),
        tensors,
        notices: found.notices,
        networks: found.networks,
        set_aside: found.set_aside,
        assumed: alternatives[0].assumed.text(),
        ambiguous: alternatives.len() > 1,
        probe: None,
        stored: found.stored,
        open: found.open,
    }
}

/// What a topology says of itself in a few words.
struct Words {
    normalization: String,
    activation: String,
    preprocessing: String,
}

fn words(topology: &Topology) -> Words {
    let (mut norm, mut activation, mut preparation) = (None, None, Vec::new());
    topology.visit(&mut |layer| match layer {
        Layer::Normalize { norm: which, .. } => norm = norm.or(Some(which.name())),
        Layer::Activate { activation: which } => activation = activation.or(Some(which.name())),
        Layer::Clamp => preparation.push("clamp to [0, 1]"),
        Layer::Standardize { .. } => preparation.push("subtract mean, divide by standard deviation (whiten)"),
        Layer::StandardizeEach => preparation.push("standardize each image"),
        Layer::StandardizeBy { .. } => preparation.push("standardize channels"),
        Layer::Rescale { .. } => preparation.push("rescale to [-1, 1]"),
        _ => {}
    });
    Words {
        normalization: norm.unwrap_or("none").to_owned(),
        activation: activation.unwrap_or(Activation::Relu.name()).to_owned(),
        preprocessing: if preparation.is_empty() { "none".into() } else { preparation.join(", ") },
    }
}

impl Summary {
    /// Describes another reading of the same file.
    pub(super) fn read_as(&mut self, network: &Network, alternative: &Alternative) {
        let topology = &network.topology;
        let Words { normalization, activation, preprocessing } = words(topology);
        (self.normalization, self.activation, self.preprocessing) =
            (normalization, activation, preprocessing);
        self.model.clone_from(&topology.title);
        self.topology = topology.describe();
        self.outline = topology.outline();
        let file = self.hash.split("::").next().unwrap_or_default().to_owned();
        self.hash = file + &alternative.assumed.suffix();
        self.assumed = alternative.assumed.text();
    }
}

/// What trying the possible readings of a file has told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// The images, in words; empty: there are none that fit.
    pub data: String,
    /// Every reading, the best first.
    pub tried: Vec<Tried>,
    /// Whether the best is better than chance, and than all others by accuracy or batch statistics.
    pub told: bool,
    /// Whether nothing was told but that the usual reading is wrong: the first of those that cannot be told apart is
    /// assumed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub likely: bool,
    /// Whether the accuracies alone could not tell it.
    #[serde(default)]
    pub by_statistics: bool,
    /// By how much the accuracy of the best is above that of the next, on the same images.
    pub margin: f64,
    /// Standard error of the margin.
    pub standard_error: f64,
}

/// A reading with what it classifies correctly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tried {
    /// What is assumed, as `--assume` takes it.
    pub assumed: String,
    /// Share of images that are classified correctly.
    pub accuracy: f64,
    /// Number of images it was tried on: fewer where it dropped out.
    pub images: usize,
    /// How far the inputs of batch normalizations are from the stored statistics, as a mean over layers
    /// ([`crate::model::BatchStatistics::divergences`]): on images as they are or cropped, where that fits better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mismatch: Option<f64>,
}

impl Probe {
    /// There are no labelled images for the network.
    pub(super) fn without_images() -> Self {
        Self {
            data: String::new(),
            tried: Vec::new(),
            told: false,
            likely: false,
            by_statistics: false,
            margin: 0.0,
            standard_error: 0.0,
        }
    }

    /// What the user should know, in one sentence.
    pub fn notice(&self, assumed: &str) -> String {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        if self.data.is_empty() {
            return format!(
                "warning: the file leaves open how it is to be read, and there are no labelled images to try it on: {assumed} is assumed; --assume decides otherwise"
            );
        }
        let best = &self.tried[0];
        if self.told {
            let next = self.tried.get(1).map_or_else(String::new, |next| {
                let why = match (best.mismatch, next.mismatch) {
                    (Some(best), Some(next)) if self.by_statistics => {
                        format!(", whose batch statistics fit {:.0} times worse", next / best)
                    }
                    _ => String::new(),
                };
                format!(", against {} with {}{why}", percent(next.accuracy), next.assumed)
            });
            return format!(
                "found by trying {} readings on {} {}: {} ({} correct{next})",
                self.tried.len(),
                best.images,
                self.data,
                best.assumed,
                percent(best.accuracy)
            );
        }
        if self.likely {
            return format!(
                "warning: trying {} readings on {} {} told several from wrong ones but not from each other: {assumed} is assumed ({} correct), whose batch statistics fit best; --assume decides otherwise",
                self.tried.len(),
                best.images,
                self.data,
                percent(best.accuracy),
            );
        }
        format!(
            "warning: the file leaves open how it is to be read, and trying {} readings on {} {} could not tell (at most {} correct, {} ± {} ahead of the next): {assumed} is assumed; --assume decides otherwise",
            self.tried.len(),
            best.images,
            self.data,
            percent(self.tried.iter().map(|tried| tried.accuracy).fold(0.0, f64::max)),
            percent(self.margin),
            percent(self.standard_error)
        )
    }
}
