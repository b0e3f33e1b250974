//! Writing a network as the program that its family comes from has it: its own names, its own order.
//!
//! A state dictionary holds tensors alone. How images are normalized, and which of several readings of the tensors is
//! meant, is told beside it ([`Converted::notes`]); Basin's safetensors have it in their metadata, too.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::opened::Checkpoint;
use super::reference::Assumptions;
use super::{native, pytorch};
use crate::error::{Error, Result};
use crate::model::{
    Activation, Architecture, InputNormalization, Keys, Layer, Layout, Network, Norm, Params, Topology,
    Weights, recognize,
};

/// Type of the elements of written tensors; counts stay int64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ElementType {
    /// As Basin computes: nothing is rounded.
    #[default]
    Float32,
    /// IEEE half precision.
    Float16,
    /// The upper half of float32.
    Bfloat16,
}

/// Format of a written checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Basin's safetensors, with the topology as metadata.
    Safetensors,
    /// A state dictionary as `torch.save` writes it.
    Pytorch,
}

/// A written checkpoint.
#[derive(Debug)]
pub struct Converted {
    /// Number of tensors.
    pub tensors: usize,
    /// What the tensors cannot say: normalization of images, choices of the reading.
    pub notes: Vec<String>,
}

impl ElementType {
    /// Its name in PyTorch.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::Bfloat16 => "bfloat16",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Float32 => Kind::Float,
            Self::Float16 => Kind::Half,
            Self::Bfloat16 => Kind::BFloat16,
        }
    }
}

impl Format {
    /// The format that the name of a file asks for; none: it ends otherwise.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_lowercase().as_str() {
            "safetensors" => Some(Self::Safetensors),
            "pt" | "pth" => Some(Self::Pytorch),
            _ => None,
        }
    }
}

/// Writes the network of a checkpoint as a state dictionary of its family.
///
/// # Errors
/// The family's own class cannot hold the network, a value is too large for the element type, or the file cannot be
/// written; nothing is then left behind.
pub fn convert(
    checkpoint: &Checkpoint,
    out: &Path,
    format: Format,
    element: ElementType,
) -> Result<Converted> {
    let _guard = tch::no_grad_guard();
    let refused = |reason| Error::file(&checkpoint.summary.path, reason);
    let network = without_own_preparation(&checkpoint.network);
    let topology = &network.topology;
    if format == Format::Pytorch {
        check_original(topology).map_err(refused)?;
    }
    let rounded = |(name, tensor): (String, Tensor)| {
        if !tensor.is_floating_point() {
            return Ok((name, tensor));
        }
        let tensor = tensor.to_kind(element.kind());
        if bool::try_from(tensor.isfinite().all()).unwrap_or(false) {
            return Ok((name, tensor));
        }
        let reason = format!(
            "{name} holds values that are too large for {}; use --dtype bfloat16 or float32",
            element.name()
        );
        Err(refused(reason))
    };
    let state_dict = network.state_dict().into_iter().map(rounded).collect::<Result<Vec<_>>>()?;
    let tensors = state_dict.len();
    match format {
        Format::Safetensors => native::write_as(out, topology, state_dict, checkpoint.summary.epoch)?,
        Format::Pytorch => pytorch::write(out, &state_dict)?,
    }
    Ok(Converted { tensors, notes: notes(topology, format) })
}

/// Whether a network is of the paper's program, whose classes prepare images by tensors of their own.
fn is_papers(topology: &Topology) -> bool {
    ["ResNet", "LeNet", "MLP"].contains(&topology.family.as_str())
}

/// The network with numbers in place of the tensors by which Basin's own trainings normalize images: the original
/// classes of other programs have none.
fn without_own_preparation(network: &Network) -> Network {
    if is_papers(&network.topology) {
        return network.copy();
    }
    let params = network.params(&network.weights);
    let mut topology = network.topology.clone();
    topology.layers = topology.layers.into_iter().map(|layer| by_numbers(layer, &params)).collect();
    let layout = Arc::new(Layout::of(&topology));
    let flat: Vec<Tensor> =
        layout.entries.iter().map(|entry| params.get(&entry.name).reshape([-1])).collect();
    let weights = Weights::from_flat(layout, Tensor::cat(&flat, 0));
    let names: Vec<String> = topology.tensors().into_iter().map(|spec| spec.name).collect();
    let buffers = network.buffers.iter().filter(|(name, _)| names.contains(name));
    let buffers = buffers.map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
    Network { topology, weights, buffers }
}

/// A layer that prepares images by tensors, by numbers instead.
fn by_numbers(layer: Layer, params: &Params) -> Layer {
    let values = |name: &str, suffix: &str| -> Vec<f64> {
        let tensor = params.of(name, suffix).to_kind(Kind::Double);
        Vec::try_from(tensor.reshape([-1])).unwrap_or_default()
    };
    match &layer {
        Layer::Standardize { name, .. } => {
            Layer::StandardizeBy { mean: values(name, "bias"), std: values(name, "weight") }
        }
        _ => layer,
    }
}

/// Refuses networks that the family's own class cannot hold.
fn check_original(topology: &Topology) -> Result<(), String> {
    if is_papers(topology) {
        return Ok(());
    }
    let mut other = None;
    topology.visit(&mut |layer| match layer {
        Layer::Normalize { norm, .. } if *norm != Norm::Batch => other = Some(norm.name()),
        Layer::Rescale { .. } => other = Some("rescale"),
        _ => {}
    });
    match other {
        None => Ok(()),
        Some(what) => Err(format!(
            "is a {} with {what}, which the original class does not have; use --out with a name that ends in .safetensors",
            topology.family
        )),
    }
}

/// What a file cannot say of its network by tensors.
fn notes(topology: &Topology, format: Format) -> Vec<String> {
    let mut notes = Vec::new();
    for layer in &topology.layers {
        match layer {
            Layer::StandardizeBy { mean, std } => {
                let list = |values: &[f64]| {
                    let single = values.iter().map(|value| (*value as f32).to_string());
                    single.collect::<Vec<_>>().join(", ")
                };
                notes.push(format!(
                    "images in [0, 1] are normalized by mean {} and standard deviation {} before the network, which no tensor of the file says",
                    list(mean),
                    list(std)
                ));
            }
            Layer::StandardizeEach => notes.push(
                "each image is normalized by its own mean and standard deviation before the network, which no tensor \
                 of the file says"
                    .into(),
            ),
            Layer::Scale { factor } => {
                notes.push(format!("logits are multiplied by {factor}, which no tensor of the file says"));
            }
            _ => {}
        }
    }
    let assumed = assumptions(topology).text();
    if format == Format::Pytorch && !assumed.is_empty() {
        notes.push(format!("to read the file in Basin as this network, use --assume {assumed}"));
    }
    notes
}

/// What has to be assumed of a bare state dictionary to be read as this network.
fn assumptions(topology: &Topology) -> Assumptions {
    let mut assumed = Assumptions::default();
    let shapes = topology.tensors().into_iter().map(|spec| (spec.name, spec.shape)).collect();
    let keys = Keys::new(shapes);
    if let Some(own) = Architecture::of(topology) {
        let choices = own.choices();
        let usual = own.activation == Activation::Relu && !topology.family.starts_with("DeepMind");
        assumed.choices = choices;
        assumed.choices.activation = choices.activation.filter(|_| !usual);
    }
    let found = recognize(&keys);
    let [channels, height, width] = topology.resolution;
    let same = found.first().is_some_and(|found| found.usual().resolution == [channels, height, width]);
    assumed.resolution = Some(height).filter(|_| !same && height == width);
    if !is_papers(topology) {
        assumed.normalization =
            Some(topology.layers.iter().find_map(InputNormalization::of).unwrap_or_default());
    }
    assumed
}
