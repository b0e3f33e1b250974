//! ResNeXt of AugMix (Hendrycks et al. 2020), as RobustBench has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::Keys;
use super::stack::{Build, Found, Shared, Stack};
use crate::error::{Error, Result};

/// Bottleneck blocks whose 3x3 convolutions are grouped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ResNeXt {
    /// Blocks per stage.
    pub blocks: Vec<usize>,
    /// Width of the stem; stages have 4, 8 and 16 times as many channels.
    pub channels: i64,
    /// Groups of the 3x3 convolutions.
    pub cardinality: i64,
    /// Width of the 3x3 convolutions of the first stage.
    pub width: i64,
}

impl Default for ResNeXt {
    /// ResNeXt-29, 4x32d.
    fn default() -> Self {
        Self { blocks: vec![3, 3, 3], channels: 64, cardinality: 4, width: 128 }
    }
}

impl Build for ResNeXt {
    fn name(&self) -> &'static str {
        "ResNeXt"
    }

    fn title(&self) -> String {
        let depth = self.blocks.iter().sum::<usize>() * 3 + 2;
        format!("ResNeXt-{depth}, {}x{}d", self.cardinality, self.width / self.cardinality.max(1))
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        if self.cardinality < 1 || self.width % self.cardinality != 0 {
            return Err(Error::invalid(format!(
                "a ResNeXt cannot divide {} channels into {} groups",
                self.width, self.cardinality
            )));
        }
        stack.conv("conv_1_3x3", stack.shared.resolution[0], self.channels, 3, 1);
        stack.norm("bn_1", self.channels)?;
        stack.activate();
        let mut input = self.channels;
        for (stage, count) in self.blocks.iter().enumerate() {
            let (inner, output) = (self.width << stage, (self.channels << stage) * 4);
            for index in 0..*count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let name = format!("stage_{}.{index}", stage + 1);
                let (mut body, mut shortcut) = (stack.branch(), stack.branch());
                body.conv(format!("{name}.conv_reduce"), input, inner, 1, 1);
                body.norm(format!("{name}.bn_reduce"), inner)?;
                body.activate();
                body.conv_in_groups(format!("{name}.conv_conv"), [inner, inner], 3, stride, self.cardinality);
                body.norm(format!("{name}.bn"), inner)?;
                body.activate();
                body.conv(format!("{name}.conv_expand"), inner, output, 1, 1);
                body.norm(format!("{name}.bn_expand"), output)?;
                if stride != 1 || input != output {
                    shortcut.conv(format!("{name}.downsample.0"), input, output, 1, stride);
                    shortcut.norm(format!("{name}.downsample.1"), output)?;
                }
                stack.residual(name, body, shortcut);
                stack.activate();
                input = output;
            }
        }
        stack.classify("classifier", input);
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        Some(&mut self.channels)
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        (self.blocks.clone(), vec![self.channels, self.width, self.cardinality])
    }
}

/// Tensors of every such network.
pub(super) const ANCHORS: &[&str] = &["stage_1.0.conv_reduce.weight", "stage_1.0.bn_reduce.weight"];

pub(super) fn recognize(keys: &Keys) -> Found<ResNeXt> {
    if !keys.has_prefix("stage_1.0.") {
        return None;
    }
    let images = keys.image_channels("conv_1_3x3.weight");
    let channels = keys.agreed(&[
        ("conv_1_3x3.weight", 0, 1),
        ("stage_1.0.conv_reduce.weight", 1, 1),
        ("stage_1.0.conv_expand.weight", 0, 4),
    ])?;
    let width = keys.agreed(&[
        ("stage_1.0.conv_conv.weight", 0, 1),
        ("stage_1.0.conv_reduce.weight", 0, 1),
        ("stage_1.0.conv_expand.weight", 1, 1),
    ])?;
    let grouped = keys.agreed(&[
        ("stage_1.0.conv_conv.weight", 1, 1),
        ("stage_1.1.conv_conv.weight", 1, 1),
        ("stage_2.0.conv_conv.weight", 1, 2),
    ])?;
    let blocks: Vec<usize> = keys.stages("stage_", 1);
    let family = ResNeXt { blocks, channels, cardinality: width / grouped.max(1), width };
    Some(vec![(family, Shared::of(keys, "classifier", images, i64::MAX))])
}
