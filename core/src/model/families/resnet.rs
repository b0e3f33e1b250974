//! Post-activation residual networks: kuangliu's (also of TRADES, MART, AWP, Madry, RobustBench), those of loss-landscape
//! with and without shortcuts, and torchvision's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::topology::Layer;
use super::choices::{Choices, Pooling};
use super::keys::Keys;
use super::paper::depth;
use super::stack::{Build, Found, Shared, Stack, block_convolutions};
use crate::error::Result;

/// Post-activation residual network; width doubles from stage to stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PostActResNet {
    /// Blocks per stage: four stages as in ImageNet networks, three as in the original CIFAR ones.
    pub blocks: Vec<usize>,
    /// Bottleneck blocks (expansion 4) instead of basic ones.
    pub bottleneck: bool,
    /// Width of the first stage.
    pub channels: i64,
    /// What images pass first.
    pub stem: Stem,
    /// Whether blocks have shortcuts (without: `_noshort` of loss-landscape).
    pub shortcuts: bool,
    /// Names of torchvision (`downsample`, `fc`) instead of kuangliu's (`shortcut`, `linear`).
    pub torchvision: bool,
}

/// What images pass first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stem {
    /// A 3x3 convolution.
    Cifar,
    /// A 3x3 convolution, then max pooling.
    CifarMaxPool,
    /// A 7x7 convolution with stride 2, then max pooling.
    Imagenet,
}

impl Default for PostActResNet {
    /// ResNet-18 of kuangliu.
    fn default() -> Self {
        Self {
            blocks: vec![2, 2, 2, 2],
            bottleneck: false,
            channels: 64,
            stem: Stem::Cifar,
            shortcuts: true,
            torchvision: false,
        }
    }
}

/// The channels of a network's title, where they are not the usual ones.
pub(super) fn width_words(channels: i64, usual: i64) -> String {
    if channels == usual { String::new() } else { format!(", {channels} channels") }
}

impl Build for PostActResNet {
    fn name(&self) -> &'static str {
        "PostActResNet"
    }

    fn title(&self) -> String {
        let usual = if self.blocks.len() == 3 { 16 } else { 64 };
        let depth = depth(&self.blocks, self.bottleneck);
        let width = width_words(self.channels, usual);
        let shortcuts = if self.shortcuts { "" } else { " without shortcuts" };
        format!("ResNet-{depth}{shortcuts}{width}")
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        let images = stack.shared.resolution[0];
        let (kernel, stride) = if self.stem == Stem::Imagenet { (7, 2) } else { (3, 1) };
        stack.conv("conv1", images, self.channels, kernel, stride);
        stack.norm("bn1", self.channels)?;
        stack.activate();
        if self.stem != Stem::Cifar {
            stack.push(Layer::MaxPool { kernel: 3, stride: 2, padding: 1 });
        }
        let mut input = self.channels;
        for (stage, count) in self.blocks.iter().enumerate() {
            for index in 0..*count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let name = format!("layer{}.{index}", stage + 1);
                input = self.block(stack, &name, input, self.channels << stage, stride)?;
                stack.activate();
            }
        }
        if self.torchvision {
            stack.classify("fc", input);
        } else {
            let stages = self.blocks.len().clamp(1, 16) as u32 - 1;
            // A mean over 4x4 windows with four stages, over 8x8 ones with three.
            stack.classify_windows("linear", input, 1 << stages, if stages == 2 { 8 } else { 4 });
        }
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        Some(&mut self.channels)
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        (self.blocks.clone(), vec![self.channels])
    }

    fn choices(&self) -> Choices {
        let pooling = match self.stem {
            Stem::Cifar if self.torchvision => Some(Pooling::None),
            Stem::CifarMaxPool => Some(Pooling::Max),
            _ => None,
        };
        Choices { pooling, ..Choices::default() }
    }

    fn choose(&mut self, choices: &Choices) -> Result<(), String> {
        let own = self.choices();
        let pooling = if own.pooling.is_some() { None } else { choices.pooling };
        Choices { pooling, ..*choices }.refuse_structure("PostActResNet")?;
        match choices.pooling {
            Some(Pooling::Max) => self.stem = Stem::CifarMaxPool,
            Some(Pooling::None) => self.stem = Stem::Cifar,
            None => {}
        }
        Ok(())
    }
}

impl PostActResNet {
    /// A block; gives its width.
    fn block(&self, stack: &mut Stack, name: &str, input: i64, planes: i64, stride: i64) -> Result<i64> {
        let mut body = stack.branch();
        let output = if self.bottleneck { planes * 4 } else { planes };
        let convolutions = block_convolutions(self.bottleneck, planes, stride);
        let mut width = input;
        for (index, (kernel, stride, out)) in convolutions.iter().enumerate() {
            let number = index + 1;
            if index > 0 {
                body.activate();
            }
            body.conv(format!("{name}.conv{number}"), width, *out, *kernel, *stride);
            body.norm(format!("{name}.bn{number}"), *out)?;
            width = *out;
        }
        if !self.shortcuts {
            stack.layers.append(&mut body.layers);
            return Ok(output);
        }
        let mut shortcut = stack.branch();
        if stride != 1 || input != output {
            let place = if self.torchvision { "downsample" } else { "shortcut" };
            shortcut.conv(format!("{name}.{place}.0"), input, output, 1, stride);
            shortcut.norm(format!("{name}.{place}.1"), output)?;
        }
        stack.residual(name, body, shortcut);
        Ok(output)
    }
}

/// Tensors of every such network.
pub(super) const ANCHORS: &[&str] = &["layer1.0.conv1.weight", "layer1.0.bn1.weight"];

pub(super) fn recognize(keys: &Keys) -> Found<PostActResNet> {
    if !keys.has_prefix("layer1.0.") {
        return None;
    }
    let blocks: Vec<usize> = keys.stages("layer", 1);
    let &[_, images, kernel, _] = keys.shape("conv1.weight")? else { return None };
    let channels = keys.agreed(&[
        ("conv1.weight", 0, 1),
        ("layer1.0.conv1.weight", 1, 1),
        ("layer1.0.conv2.weight", 0, 1),
    ])?;
    let torchvision =
        keys.has_prefix("layer2.0.downsample.") || (keys.has("fc.weight") && !keys.has("linear.weight"));
    let bottleneck = keys.has("layer1.0.conv3.weight");
    let shortcuts = torchvision || keys.names().any(|name| name.contains(".shortcut."));
    let family = PostActResNet {
        stem: if kernel == 7 { Stem::Imagenet } else { Stem::Cifar },
        bottleneck,
        channels,
        shortcuts,
        torchvision,
        blocks,
    };
    let head = if torchvision { "fc" } else { "linear" };
    let classes = keys.size(&format!("{head}.weight"), 0)?;
    let features = keys.size(&format!("{head}.weight"), 1)?;
    let width = (channels << (family.blocks.len().clamp(1, 16) - 1)) * if bottleneck { 4 } else { 1 };
    let side = side(images, classes, if torchvision { 1 } else { features / width.max(1) });
    let shared = Shared::plain(classes, [images, side, side], keys.has(&format!("{head}.bias")));
    let mut found = vec![(family.clone(), shared.clone())];
    if torchvision && family.stem == Stem::Cifar {
        found.push((PostActResNet { stem: Stem::CifarMaxPool, ..family }, shared));
    }
    Some(found)
}

/// Side of the images of a network whose last mean leaves so many windows; of a global mean, what is usual for the
/// number of channels and classes.
pub(super) fn side(channels: i64, classes: i64, windows: i64) -> i64 {
    if windows > 1 {
        return 32 * (windows as f64).sqrt().round() as i64;
    }
    match (channels, classes) {
        (1, _) => 28,
        (_, 200) => 64,
        (_, 1000) => 224,
        _ => 32,
    }
}
