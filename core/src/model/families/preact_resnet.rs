//! Pre-activation residual networks of kuangliu: AWP, robust_overfitting, Wong, RobustBench.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::choices::{Choices, Shortcut};
use super::keys::Keys;
use super::paper::depth;
use super::resnet::width_words;
use super::stack::{Build, Found, Shared, Stack, block_convolutions};
use crate::error::Result;

/// Pre-activation residual network; width doubles from stage to stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PreActResNet {
    /// Blocks per stage.
    pub blocks: Vec<usize>,
    /// Bottleneck blocks (expansion 4) instead of basic ones.
    pub bottleneck: bool,
    /// Width of the first stage.
    pub channels: i64,
    /// What the convolutions in shortcuts see.
    pub shortcut: Shortcut,
    /// Whether a normalization and an activation follow the last block (absent in Wong et al. 2020).
    pub last_norm: bool,
}

impl Default for PreActResNet {
    /// PreActResNet-18 of AWP.
    fn default() -> Self {
        Self {
            blocks: vec![2, 2, 2, 2],
            bottleneck: false,
            channels: 64,
            shortcut: Shortcut::Activated,
            last_norm: true,
        }
    }
}

impl Build for PreActResNet {
    fn name(&self) -> &'static str {
        "PreActResNet"
    }

    fn title(&self) -> String {
        let depth = depth(&self.blocks, self.bottleneck);
        format!("PreActResNet-{depth}{}", width_words(self.channels, 64))
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        stack.conv("conv1", stack.shared.resolution[0], self.channels, 3, 1);
        let mut input = self.channels;
        for (stage, count) in self.blocks.iter().enumerate() {
            for index in 0..*count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let name = format!("layer{}.{index}", stage + 1);
                input = self.block(stack, &name, input, self.channels << stage, stride)?;
            }
        }
        if self.last_norm {
            stack.norm("bn", input)?;
            stack.activate();
        }
        let stages = self.blocks.len().clamp(1, 16) as u32 - 1;
        stack.classify_windows("linear", input, 1 << stages, 4);
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        Some(&mut self.channels)
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        (self.blocks.clone(), vec![self.channels])
    }

    fn choices(&self) -> Choices {
        Choices { shortcut: Some(self.shortcut), ..Choices::default() }
    }

    fn choose(&mut self, choices: &Choices) -> Result<(), String> {
        Choices { shortcut: None, ..*choices }.refuse_structure("PreActResNet")?;
        if matches!(choices.shortcut, Some(Shortcut::None | Shortcut::Padded)) {
            return Err(
                "a PreActResNet has convolutions in its shortcuts; use shortcut=plain or activated".into()
            );
        }
        self.shortcut = choices.shortcut.unwrap_or(self.shortcut);
        Ok(())
    }
}

impl PreActResNet {
    /// A block; gives its width.
    fn block(&self, stack: &mut Stack, name: &str, input: i64, planes: i64, stride: i64) -> Result<i64> {
        let output = if self.bottleneck { planes * 4 } else { planes };
        let convolutions = block_convolutions(self.bottleneck, planes, stride);
        let convolved = stride != 1 || input != output;
        let (mut body, mut shortcut) = (stack.branch(), stack.branch());
        // Where the shortcut sees the activated input, normalization and activation come before both branches.
        let shared = convolved && self.shortcut == Shortcut::Activated;
        let mut width = input;
        for (index, (kernel, stride, out)) in convolutions.iter().enumerate() {
            let number = index + 1;
            let before = if index == 0 && shared { &mut *stack } else { &mut body };
            before.norm(format!("{name}.bn{number}"), width)?;
            before.activate();
            body.conv(format!("{name}.conv{number}"), width, *out, *kernel, *stride);
            width = *out;
        }
        if convolved {
            shortcut.conv(format!("{name}.shortcut.0"), input, output, 1, stride);
        }
        stack.residual(name, body, shortcut);
        Ok(output)
    }
}

/// Tensors of every such network.
pub(super) const ANCHORS: &[&str] = &["layer1.0.bn1.weight", "layer1.0.conv1.weight"];

pub(super) fn recognize(keys: &Keys) -> Found<PreActResNet> {
    // The normalization of a post-activation network follows the stem.
    if !keys.has_prefix("layer1.0.") || keys.has_prefix("bn1.") || keys.has_prefix("layer2.0.shortcut.1.") {
        return None;
    }
    let images = keys.image_channels("conv1.weight");
    let channels = keys.agreed(&[
        ("conv1.weight", 0, 1),
        ("layer1.0.conv1.weight", 1, 1),
        ("layer1.0.conv2.weight", 0, 1),
    ])?;
    let blocks: Vec<usize> = keys.stages("layer", 1);
    let bottleneck = keys.has("layer1.0.conv3.weight");
    let width = (channels << (blocks.len().clamp(1, 16) - 1)) * if bottleneck { 4 } else { 1 };
    let last_norm = keys.has_prefix("bn.");
    // Networks without a last normalization are those of Wong and Andriushchenko: the shortcut sees the plain input.
    let usual = if last_norm { Shortcut::Activated } else { Shortcut::Plain };
    let other = if last_norm { Shortcut::Plain } else { Shortcut::Activated };
    let shared = Shared::of(keys, "linear", images, width);
    let with = |shortcut| PreActResNet { blocks: blocks.clone(), bottleneck, channels, shortcut, last_norm };
    Some([usual, other].map(|shortcut| (with(shortcut), shared.clone())).into())
}
