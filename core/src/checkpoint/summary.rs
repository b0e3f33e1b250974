//! What a checkpoint is, in words and numbers.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::build::Built;
use super::recognize::Recognized;
use crate::model::{Activation, Layer, Role};

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
pub fn summarize(file: File, built: &Built, found: Recognized) -> Summary {
    let network = &built.network;
    let topology = &network.topology;
    let (mut norm, mut activation, mut preparation) = (None, None, Vec::new());
    topology.visit(&mut |layer| match layer {
        Layer::Normalize { norm: which, .. } => norm = norm.or(Some(which.name())),
        Layer::Activate { activation: which } => activation = activation.or(Some(which.name())),
        Layer::Clamp => preparation.push("clamp to [0, 1]"),
        Layer::Standardize { .. } => preparation.push("subtract mean, divide by deviation (whiten)"),
        Layer::Rescale { .. } => preparation.push("rescale to [-1, 1]"),
        _ => {}
    });
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
        normalization: norm.unwrap_or("none").to_owned(),
        activation: activation.unwrap_or(Activation::Relu.name()).to_owned(),
        classes: topology.classes as usize,
        resolution: topology.resolution.map(|n| n as usize),
        epoch: found.epoch,
        parameters: network.parameters() as usize,
        preprocessing: if preparation.is_empty() { "none".into() } else { preparation.join(", ") },
        topology: topology.describe(),
        tensors,
        notices: found.notices,
        networks: found.networks,
        set_aside: found.set_aside,
    }
}
