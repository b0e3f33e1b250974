//! DenseNet of kuangliu and of loss-landscape.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::topology::Layer;
use super::keys::Keys;
use super::stack::{Build, Found, Shared, Stack};
use crate::error::Result;

/// Densely connected network with bottlenecks; transitions halve width and resolution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DenseNet {
    /// Layers per dense block.
    pub blocks: Vec<usize>,
    /// Channels that each layer adds; the stem has twice as many.
    pub growth: i64,
}

impl Default for DenseNet {
    /// DenseNet-121.
    fn default() -> Self {
        Self { blocks: vec![6, 12, 24, 16], growth: 32 }
    }
}

impl DenseNet {
    /// Channels that the last layer sees.
    fn features(&self) -> i64 {
        let last = self.blocks.len().saturating_sub(1);
        self.blocks.iter().enumerate().fold(2 * self.growth, |width, (stage, count)| {
            let width = width.saturating_add(self.growth.saturating_mul(*count as i64));
            if stage < last { width / 2 } else { width }
        })
    }
}

impl Build for DenseNet {
    fn name(&self) -> &'static str {
        "DenseNet"
    }

    fn title(&self) -> String {
        let depth = self.blocks.iter().sum::<usize>() * 2 + self.blocks.len() + 1;
        let growth = if self.growth == 32 { String::new() } else { format!(", growth {}", self.growth) };
        format!("DenseNet-{depth}{growth}")
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        let mut width = 2 * self.growth;
        stack.conv("conv1", stack.shared.resolution[0], width, 3, 1);
        for (stage, count) in self.blocks.iter().enumerate() {
            for index in 0..*count {
                let name = format!("dense{}.{index}", stage + 1);
                let mut body = stack.branch();
                body.norm(format!("{name}.bn1"), width)?;
                body.activate();
                body.conv(format!("{name}.conv1"), width, 4 * self.growth, 1, 1);
                body.norm(format!("{name}.bn2"), 4 * self.growth)?;
                body.activate();
                body.conv(format!("{name}.conv2"), 4 * self.growth, self.growth, 3, 1);
                stack.push(Layer::Concatenate { name, body: body.layers });
                width += self.growth;
            }
            if stage + 1 < self.blocks.len() {
                let name = format!("trans{}", stage + 1);
                stack.norm(format!("{name}.bn"), width)?;
                stack.activate();
                stack.conv(format!("{name}.conv"), width, width / 2, 1, 1);
                stack.push(Layer::AveragePool { kernel: 2 });
                width /= 2;
            }
        }
        stack.norm("bn", width)?;
        stack.activate();
        let stages = self.blocks.len().clamp(1, 16) as u32 - 1;
        stack.classify_windows("linear", width, 1 << stages, 4);
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        None
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        (self.blocks.clone(), vec![self.growth])
    }
}

/// Tensors of every such network.
pub(super) const ANCHORS: &[&str] = &["dense1.0.conv1.weight", "dense1.0.bn1.weight"];

pub(super) fn recognize(keys: &Keys) -> Found<DenseNet> {
    if !keys.has_prefix("dense1.0.") {
        return None;
    }
    let images = keys.image_channels("conv1.weight");
    let growth = keys.agreed(&[
        ("dense1.0.conv2.weight", 0, 1),
        ("conv1.weight", 0, 2),
        ("dense1.0.conv1.weight", 0, 4),
    ])?;
    let blocks: Vec<usize> = keys.stages("dense", 1);
    let family = DenseNet { blocks, growth };
    let shared = Shared::of(keys, "linear", images, family.features());
    Some(vec![(family, shared)])
}
