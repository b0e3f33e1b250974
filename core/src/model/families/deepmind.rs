//! DeepMind's residual networks (Gowal et al. 2020, 2021), in use at Rebuffi, Rade, Wang, Cui, Xu, Bartoldson.
//!
//! Convolutions with a stride are padded on one side alone, as TensorFlow's `SAME`; images are standardized inside of
//! the original, by numbers that are not in its files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::input::InputNormalization;
use super::super::topology::{Activation, Layer};
use super::keys::{Keys, most_common};
use super::paper::depth;
use super::resnet::width_words;
use super::stack::{Build, Found, Shared, Stack};
use super::wide_resnet::blocks_per_stage;
use crate::error::Result;

/// Wide residual network of DeepMind; the activated input feeds the shortcuts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DeepMindWideResNet {
    /// Number of layers: `6 n + 4` with `n` blocks in each of the three stages.
    pub depth: i64,
    /// Factor of the widths 16, 32, 64 of the stages.
    pub widen: i64,
}

/// Pre-activation residual network of DeepMind; 3x3 convolutions in the shortcuts see the plain input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DeepMindPreActResNet {
    /// Blocks per stage.
    pub blocks: Vec<usize>,
    /// Width of the first stage.
    pub channels: i64,
}

impl Default for DeepMindWideResNet {
    /// WRN-28-10.
    fn default() -> Self {
        Self { depth: 28, widen: 10 }
    }
}

impl Default for DeepMindPreActResNet {
    /// PreActResNet-18.
    fn default() -> Self {
        Self { blocks: vec![2, 2, 2, 2], channels: 64 }
    }
}

/// A 3x3 convolution with TensorFlow's `SAME` padding.
fn conv_same(stack: &mut Stack, name: String, input: i64, output: i64, stride: i64) {
    if stride > 1 {
        stack.push(Layer::Pad { before: 0, after: 1 });
    }
    stack.conv(name, input, output, 3, stride);
    if let Some(Layer::Conv { padding, .. }) = stack.layers.last_mut()
        && stride > 1
    {
        *padding = 0;
    }
}

impl Build for DeepMindWideResNet {
    fn name(&self) -> &'static str {
        "DeepMindWideResNet"
    }

    fn title(&self) -> String {
        format!("WideResNet-{}-{} (DeepMind)", self.depth, self.widen)
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        let blocks = blocks_per_stage(self.depth)?;
        stack.conv("init_conv", stack.shared.resolution[0], 16, 3, 1);
        let mut input = 16;
        for stage in 0..3 {
            let output = (16 << stage) * self.widen;
            for index in 0..blocks {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let name = format!("layer.{stage}.block.{index}");
                let (mut body, mut shortcut) = (stack.branch(), stack.branch());
                let before = if input == output { &mut body } else { &mut *stack };
                before.norm(format!("{name}.batchnorm_0"), input)?;
                before.activate();
                conv_same(&mut body, format!("{name}.conv_0"), input, output, stride);
                body.norm(format!("{name}.batchnorm_1"), output)?;
                body.activate();
                body.conv(format!("{name}.conv_1"), output, output, 3, 1);
                if input != output {
                    shortcut.conv(format!("{name}.shortcut"), input, output, 1, stride);
                }
                stack.residual(name, body, shortcut);
                input = output;
            }
        }
        stack.norm("batchnorm", input)?;
        stack.activate();
        stack.classify_windows("logits", input, 4, 8);
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        None
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        (vec![usize::try_from(self.depth / 6).unwrap_or(0)], vec![self.widen])
    }
}

impl Build for DeepMindPreActResNet {
    fn name(&self) -> &'static str {
        "DeepMindPreActResNet"
    }

    fn title(&self) -> String {
        let width = width_words(self.channels, 64);
        format!("PreActResNet-{} (DeepMind){width}", depth(&self.blocks, false))
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        stack.conv("conv_2d", stack.shared.resolution[0], self.channels, 3, 1);
        let mut input = self.channels;
        for (stage, count) in self.blocks.iter().enumerate() {
            let output = self.channels << stage;
            for index in 0..*count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let name = format!("layer_{stage}.{index}");
                let (mut body, mut shortcut) = (stack.branch(), stack.branch());
                body.norm(format!("{name}.batchnorm_0"), input)?;
                body.activate();
                conv_same(&mut body, format!("{name}.conv_2d_1"), input, output, stride);
                body.norm(format!("{name}.batchnorm_1"), output)?;
                body.activate();
                body.conv(format!("{name}.conv_2d_2"), output, output, 3, 1);
                if stride != 1 || input != output {
                    conv_same(&mut shortcut, format!("{name}.shortcut"), input, output, stride);
                }
                stack.residual(name, body, shortcut);
                input = output;
            }
        }
        stack.norm("batchnorm", input)?;
        stack.activate();
        let stages = self.blocks.len().clamp(1, 16) as u32 - 1;
        stack.classify_windows("logits", input, 1 << stages, 4);
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        Some(&mut self.channels)
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        (self.blocks.clone(), vec![self.channels])
    }
}

/// Tensors of every wide network.
pub(super) const WIDE_ANCHORS: &[&str] =
    &["layer.0.block.0.conv_0.weight", "layer.0.block.0.batchnorm_0.weight"];
/// Tensors of every pre-activation network.
pub(super) const PREACT_ANCHORS: &[&str] = &["layer_0.0.conv_2d_1.weight", "layer_0.0.batchnorm_0.weight"];

/// SiLU comes first: it is what the published networks have.
fn recognized<Family: Clone>(keys: &Keys, family: &Family, images: i64, width: i64) -> Found<Family> {
    let shared = Shared::of(keys, "logits", images, width);
    let data = if shared.classes == 100 { "cifar100" } else { "cifar10" };
    let with = |activation| Shared {
        input: InputNormalization::named(data, images).unwrap_or_default().in_single(),
        activation,
        ..shared.clone()
    };
    Some([Activation::Silu, Activation::Relu].map(|activation| (family.clone(), with(activation))).into())
}

pub(super) fn recognize_wide(keys: &Keys) -> Found<DeepMindWideResNet> {
    if !keys.has_prefix("layer.0.block.0.") {
        return None;
    }
    let images = keys.image_channels("init_conv.weight");
    let width = keys.agreed(&[
        ("layer.0.block.0.conv_0.weight", 0, 1),
        ("layer.0.block.0.conv_1.weight", 0, 1),
        ("layer.1.block.0.conv_1.weight", 0, 2),
        ("layer.2.block.0.conv_1.weight", 0, 4),
    ])?;
    let blocks = most_common((0..3).map(|stage| keys.count(&format!("layer.{stage}.block."), 0)))?;
    let family = DeepMindWideResNet { depth: blocks as i64 * 6 + 4, widen: width / 16 };
    recognized(keys, &family, images, width * 4)
}

pub(super) fn recognize_preact(keys: &Keys) -> Found<DeepMindPreActResNet> {
    if !keys.has_prefix("layer_0.0.") {
        return None;
    }
    let images = keys.image_channels("conv_2d.weight");
    let channels = keys.agreed(&[
        ("conv_2d.weight", 0, 1),
        ("layer_0.0.conv_2d_1.weight", 1, 1),
        ("layer_0.0.conv_2d_2.weight", 0, 1),
    ])?;
    let blocks: Vec<usize> = keys.stages("layer_", 0);
    let width = channels << (blocks.len().clamp(1, 16) - 1);
    recognized(keys, &DeepMindPreActResNet { blocks, channels }, images, width)
}
