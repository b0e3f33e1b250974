//! Post-activation residual networks: kuangliu's (also of TRADES, MART, AWP, Madry, RobustBench), those of loss-landscape
//! with and without shortcuts, and torchvision's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::topology::Layer;
use super::choices::{Choices, Pooling, Shortcut};
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
    /// Whether blocks of another size than their input have shortcuts without tensors (akamaster's networks).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub padded: bool,
    /// Names of torchvision (`downsample`, `fc`) instead of kuangliu's (`shortcut`, `linear`).
    pub torchvision: bool,
    /// Width of the 3x3 convolution of a bottleneck block, per group and 64 channels of its stage (torchvision's
    /// `width_per_group`): 128 in Wide ResNet-50-2.
    #[serde(skip_serializing_if = "is_usual_width")]
    pub width_per_group: i64,
    /// Groups of that convolution (ResNeXt).
    #[serde(skip_serializing_if = "is_one_group")]
    pub groups: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_usual_width(width: &i64) -> bool {
    *width == 64
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one_group(groups: &i64) -> bool {
    *groups == 1
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
            padded: false,
            torchvision: false,
            width_per_group: 64,
            groups: 1,
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
        let shortcuts = match (self.shortcuts, self.padded) {
            (true, _) => "",
            (false, true) => " with padded shortcuts",
            (false, false) => " without shortcuts",
        };
        let per_group = self.width_per_group;
        let name = match self.groups {
            1 if per_group == 64 => format!("ResNet-{depth}"),
            1 if per_group % 64 == 0 => format!("Wide ResNet-{depth}-{}", per_group / 64),
            1 => format!("ResNet-{depth} of width {per_group}"),
            groups => format!("ResNeXt-{depth} ({groups}x{per_group}d)"),
        };
        format!("{name}{shortcuts}{width}")
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
        (self.blocks.clone(), vec![self.channels, self.width_per_group, self.groups])
    }

    fn choices(&self) -> Choices {
        let pooling = match self.stem {
            Stem::Cifar if self.torchvision => Some(Pooling::None),
            Stem::CifarMaxPool => Some(Pooling::Max),
            _ => None,
        };
        let shortcut = match (self.shortcuts, self.padded) {
            (true, _) => None,
            (false, true) => Some(Shortcut::Padded),
            (false, false) => Some(Shortcut::None),
        };
        Choices { shortcut, pooling, ..Choices::default() }
    }

    fn choose(&mut self, choices: &Choices) -> Result<(), String> {
        let own = self.choices();
        let pooling = if own.pooling.is_some() { None } else { choices.pooling };
        let shortcut = match choices.shortcut {
            Some(Shortcut::None | Shortcut::Padded) if own.shortcut.is_some() => None,
            other => other,
        };
        if shortcut.is_some() && own.shortcut.is_some() {
            return Err("a ResNet whose shortcuts have no tensors takes shortcut=padded or none".into());
        }
        Choices { pooling, shortcut, ..*choices }.refuse_structure("PostActResNet")?;
        if let Some(shortcut) = choices.shortcut {
            self.padded = shortcut == Shortcut::Padded;
        }
        match choices.pooling {
            Some(Pooling::Max) => self.stem = Stem::CifarMaxPool,
            Some(Pooling::None) => self.stem = Stem::Cifar,
            None => {}
        }
        Ok(())
    }
}

impl PostActResNet {
    /// Width of the 3x3 convolution of a bottleneck block.
    fn inner_width(&self, planes: i64) -> i64 {
        planes * self.width_per_group / 64 * self.groups
    }

    /// A block; gives its width.
    fn block(&self, stack: &mut Stack, name: &str, input: i64, planes: i64, stride: i64) -> Result<i64> {
        let mut body = stack.branch();
        let output = if self.bottleneck { planes * 4 } else { planes };
        let mut convolutions = block_convolutions(self.bottleneck, planes, stride);
        let inner = self.inner_width(planes);
        if self.bottleneck {
            (convolutions[0].2, convolutions[1].2) = (inner, inner);
        }
        let mut width = input;
        for (index, (kernel, stride, out)) in convolutions.iter().enumerate() {
            let number = index + 1;
            if index > 0 {
                body.activate();
            }
            let groups = if self.bottleneck && *kernel == 3 { self.groups } else { 1 };
            body.conv_in_groups(format!("{name}.conv{number}"), [width, *out], *kernel, *stride, groups);
            body.norm(format!("{name}.bn{number}"), *out)?;
            width = *out;
        }
        let is_resized = stride != 1 || input != output;
        if !self.shortcuts && !self.padded {
            stack.layers.append(&mut body.layers);
            return Ok(output);
        }
        let mut shortcut = stack.branch();
        if is_resized && self.padded {
            shortcut.push(Layer::Subsample { stride, channels: (output - input) / 2 });
        } else if is_resized {
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
    let images = keys.image_channels("conv1.weight");
    let bottleneck = keys.has("layer1.0.conv3.weight");
    let channels = if bottleneck {
        keys.agreed(&[
            ("conv1.weight", 0, 1),
            ("layer1.0.conv1.weight", 1, 1),
            ("layer1.0.conv3.weight", 0, 4),
        ])?
    } else {
        keys.agreed(&[
            ("conv1.weight", 0, 1),
            ("layer1.0.conv1.weight", 1, 1),
            ("layer1.0.conv2.weight", 0, 1),
        ])?
    };
    let torchvision =
        keys.has_prefix("layer2.0.downsample.") || (keys.has("fc.weight") && !keys.has("linear.weight"));
    let shortcuts = torchvision || keys.names().any(|name| name.contains(".shortcut."));
    let (width_per_group, groups) =
        if bottleneck { inner_width(keys, channels) } else { None }.unwrap_or((64, 1));
    let family = PostActResNet {
        stem: if keys.size("conv1.weight", 2) == Some(7) { Stem::Imagenet } else { Stem::Cifar },
        bottleneck,
        channels,
        shortcuts,
        padded: false,
        torchvision,
        width_per_group,
        groups,
        blocks,
    };
    let width = (channels << (family.blocks.len().clamp(1, 16) - 1)) * if bottleneck { 4 } else { 1 };
    let shared = match torchvision {
        true => Shared::of(keys, "fc", images, i64::MAX),
        false => Shared::of(keys, "linear", images, width),
    };
    let mut found = vec![(family.clone(), shared.clone())];
    if torchvision && family.stem == Stem::Cifar {
        found.push((PostActResNet { stem: Stem::CifarMaxPool, ..family.clone() }, shared.clone()));
    }
    if !shortcuts {
        // Far more networks are akamaster's than of loss-landscape without shortcuts.
        found.insert(0, (PostActResNet { padded: true, ..family }, shared));
    }
    Some(found)
}

/// Width per group and number of groups of the 3x3 convolutions of bottlenecks.
fn inner_width(keys: &Keys, channels: i64) -> Option<(i64, i64)> {
    let inner = keys.agreed(&[
        ("layer1.0.conv1.weight", 0, 1),
        ("layer1.0.conv3.weight", 1, 1),
        ("layer1.0.conv2.weight", 0, 1),
    ])?;
    let per_group = keys.agreed(&[
        ("layer1.0.conv2.weight", 1, 1),
        ("layer1.1.conv2.weight", 1, 1),
        ("layer2.0.conv2.weight", 1, 2),
    ])?;
    let groups = inner / per_group.max(1);
    Some((inner * 64 / (channels * groups).max(1), groups))
}
