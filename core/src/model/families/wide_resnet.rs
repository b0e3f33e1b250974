//! Wide residual networks as TRADES has them: AWP, MART, RST, RobustBench.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::{Keys, most_common};
use super::stack::{Build, Found, Shared, Stack};
use crate::error::{Error, Result};

/// Wide residual network; the activated input feeds the shortcuts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WideResNet {
    /// Number of layers: `6 n + 4` with `n` blocks in each of the three stages.
    pub depth: i64,
    /// Factor of the widths 16, 32, 64 of the stages.
    pub widen: i64,
}

impl Default for WideResNet {
    /// WRN-28-10.
    fn default() -> Self {
        Self { depth: 28, widen: 10 }
    }
}

/// Blocks per stage of a wide residual network.
///
/// # Errors
/// The depth is not `6 n + 4`.
pub(super) fn blocks_per_stage(depth: i64) -> Result<i64> {
    if depth >= 10 && depth % 6 == 4 {
        return Ok((depth - 4) / 6);
    }
    Err(Error::invalid(format!(
        "a WideResNet of depth {depth} is not possible; use 6 n + 4, such as 28 or 34"
    )))
}

impl Build for WideResNet {
    fn name(&self) -> &'static str {
        "WideResNet"
    }

    fn title(&self) -> String {
        format!("WideResNet-{}-{}", self.depth, self.widen)
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        let blocks = blocks_per_stage(self.depth)?;
        stack.conv("conv1", stack.shared.resolution[0], 16, 3, 1);
        let mut input = 16;
        for stage in 0..3 {
            let output = (16 << stage) * self.widen;
            for index in 0..blocks {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let name = format!("block{}.layer.{index}", stage + 1);
                let (mut body, mut shortcut) = (stack.branch(), stack.branch());
                let before = if input == output { &mut body } else { &mut *stack };
                before.norm(format!("{name}.bn1"), input)?;
                before.activate();
                body.conv(format!("{name}.conv1"), input, output, 3, stride);
                body.norm(format!("{name}.bn2"), output)?;
                body.activate();
                body.conv(format!("{name}.conv2"), output, output, 3, 1);
                if input != output {
                    shortcut.conv(format!("{name}.convShortcut"), input, output, 1, stride);
                }
                stack.residual(name, body, shortcut);
                input = output;
            }
        }
        stack.norm("bn1", input)?;
        stack.activate();
        stack.classify_windows("fc", input, 4, 8);
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        None
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        (vec![usize::try_from(self.depth / 6).unwrap_or(0)], vec![self.widen])
    }
}

/// Tensors of every such network.
pub(super) const ANCHORS: &[&str] = &["block1.layer.0.conv1.weight", "block1.layer.0.bn1.weight"];

pub(super) fn recognize(keys: &Keys) -> Found<WideResNet> {
    if !keys.has_prefix("block1.layer.0.") {
        return None;
    }
    let images = keys.image_channels("conv1.weight");
    let width = keys.agreed(&[
        ("block1.layer.0.conv1.weight", 0, 1),
        ("block1.layer.0.conv2.weight", 0, 1),
        ("block2.layer.0.conv2.weight", 0, 2),
        ("block3.layer.0.conv2.weight", 0, 4),
    ])?;
    let blocks = most_common((1..=3).map(|stage| keys.count(&format!("block{stage}.layer."), 0)))?;
    let family = WideResNet { depth: blocks as i64 * 6 + 4, widen: width / 16 };
    Some(vec![(family, Shared::of(keys, "fc", images, width * 4))])
}
