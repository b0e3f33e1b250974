//! Fresh networks: Kaiming-normal weights, zero biases, neutral normalization, as the paper's program
//! initializes them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::topology::{Layer, Norm, Role, Topology};
use super::weights::{Layout, Weights};
use super::{Activation, Network};
use crate::error::{Error, Result};
use crate::seed::{generator, normal};

/// How the weights of a fresh network are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Initialization {
    /// Factor of the standard deviation of all weights: it is `scale gain / sqrt(fan)` (the paper's `--init_scale`).
    pub scale: f64,
    /// Every residual block starts as its shortcut alone: the scale of its last batch or group normalization is 0. With
    /// re-parameterized normalization this changes nothing, as in the paper's program: its blocks start at scale 1.
    pub zero_residuals: bool,
}

impl Default for Initialization {
    fn default() -> Self {
        Self { scale: 1.0, zero_residuals: true }
    }
}

impl Initialization {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the scale, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        if self.scale > 0.0 && self.scale.is_finite() {
            return Ok(());
        }
        let scale = self.scale;
        Err(Error::invalid(format!(
            "initialization.scale {scale} is not possible; use a positive number, such as 1"
        )))
    }
}

impl Network {
    /// A network with fresh weights, drawn as usual: see [`Network::initialized`].
    pub fn fresh(topology: Topology, seed: u64) -> Self {
        Self::initialized(topology, &Initialization::default(), seed)
    }

    /// A network with fresh weights. Convolutions of a residual network scale by their outputs (fan-out), everything
    /// else by its inputs (fan-in).
    pub fn initialized(topology: Topology, initialization: &Initialization, seed: u64) -> Self {
        let layout = Arc::new(Layout::of(&topology));
        let weights = Weights::zeros(layout.clone());
        let mut activation = Activation::Relu;
        topology.visit(&mut |layer| {
            if let Layer::Activate { activation: used } = layer {
                activation = *used;
            }
        });
        let mut fan_out = false;
        topology.visit(&mut |layer| fan_out |= matches!(layer, Layer::Residual { .. }));
        let mut ones: Vec<String> = Vec::new();
        let mut zeros: Vec<String> = Vec::new();
        topology.visit(&mut |layer| match layer {
            Layer::Normalize { name, norm: Norm::Batch | Norm::Group, .. } => {
                ones.push(format!("{name}.weight"))
            }
            Layer::Standardize { name, .. } => ones.push(format!("{name}.weight")),
            Layer::Residual { body, .. } if initialization.zero_residuals => {
                if let Some(Layer::Normalize { name, norm: Norm::Batch | Norm::Group, .. }) = body.last() {
                    zeros.push(format!("{name}.weight"));
                }
            }
            _ => {}
        });
        for (index, entry) in layout.entries.iter().enumerate() {
            let mut view = weights.view(index);
            if entry.role == Role::Weight && entry.shape.len() > 1 {
                let kernel: i64 = entry.shape[2..].iter().product();
                let fan =
                    if fan_out && entry.shape.len() == 4 { entry.shape[0] } else { entry.shape[1] } * kernel;
                let deviation = initialization.scale * activation.gain() / (fan as f64).sqrt();
                let values =
                    normal(&mut generator(seed, "fresh-weights", &[index as u64]), entry.len as usize);
                view.copy_(&(Tensor::from_slice(&values).view_as(&view) * deviation));
            } else if ones.contains(&entry.name) && !zeros.contains(&entry.name) {
                let _ = view.fill_(1.0);
            }
        }
        let buffers = topology
            .tensors()
            .into_iter()
            .filter(|spec| spec.role == Role::Buffer)
            .map(|spec| {
                let kind = if spec.is_count { Kind::Int64 } else { Kind::Float };
                let value = match spec.name.rsplit('.').next() {
                    Some("running_var" | "scale_max") => 1.0,
                    Some("scale_min") => -1.0,
                    _ => 0.0,
                };
                (spec.name, Tensor::full(spec.shape.as_slice(), value, (kind, Device::Cpu)))
            })
            .collect();
        Self { topology, weights, buffers }
    }
}
