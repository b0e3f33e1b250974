//! The networks of the paper's program (spec: models of Stutz et al.).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::topology::{Layer, Norm};
use super::keys::Keys;
use super::stack::{Build, Found, Shared, Stack, block_convolutions};
use crate::error::{Error, Result};

/// Residual network with a 3x3 stem; width doubles from stage to stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ResNet {
    /// Blocks per stage.
    pub blocks: Vec<usize>,
    /// Bottleneck blocks (expansion 4) instead of basic ones.
    pub bottleneck: bool,
    /// Width of the first stage.
    #[schemars(extend("x-group" = "Model", "x-advanced" = false, "x-wanted" = "a whole number of at least 1"))]
    pub channels: i64,
}

/// 5x5 convolutions with pooling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LeNet {
    /// Width of the first convolution.
    #[schemars(extend("x-group" = "Model", "x-advanced" = false, "x-wanted" = "a whole number of at least 1"))]
    pub channels: i64,
    /// Width of the hidden linear layer, 0 for none.
    pub linear: i64,
}

/// Fully connected; normalization comes after the activation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Mlp {
    /// Width of each hidden layer.
    pub units: Vec<i64>,
}

impl Default for ResNet {
    /// ResNet-18.
    fn default() -> Self {
        Self { blocks: vec![2, 2, 2, 2], bottleneck: false, channels: 64 }
    }
}

impl Default for LeNet {
    fn default() -> Self {
        Self { channels: 32, linear: 256 }
    }
}

impl Default for Mlp {
    fn default() -> Self {
        Self { units: vec![1024, 1024, 1024] }
    }
}

/// Layers of a residual network: two per basic block, three per bottleneck, the stem and the classes.
pub(super) fn depth(blocks: &[usize], bottleneck: bool) -> usize {
    blocks.iter().sum::<usize>() * if bottleneck { 3 } else { 2 } + 2
}

/// Two classes have one output.
fn outputs(shared: &Shared) -> i64 {
    if shared.classes > 2 { shared.classes } else { 1 }
}

fn norm_name(shared: &Shared) -> &'static str {
    shared.normalization.map_or("", Norm::name)
}

impl Build for ResNet {
    fn name(&self) -> &'static str {
        "ResNet"
    }

    fn title(&self) -> String {
        format!("ResNet-{}, {} channels", depth(&self.blocks, self.bottleneck), self.channels)
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        let shared = stack.shared;
        if self.bottleneck && shared.dropout {
            return Err(Error::invalid("bottleneck blocks with dropout do not exist in the paper's program"));
        }
        stack.conv_with_bias("conv1", shared.resolution[0], self.channels, 3, 1);
        stack.norm(format!("{}1", norm_name(shared)), self.channels)?;
        stack.activate();
        let mut input = self.channels;
        for (stage, count) in self.blocks.iter().enumerate() {
            let planes = self.channels << stage;
            for index in 0..*count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let name = format!("block{stage}.{index}");
                input = self.block(stack, &name, input, planes, stride)?;
                stack.activate();
            }
        }
        stack.push(Layer::GlobalAveragePool);
        stack.push(Layer::Flatten);
        stack.linear("logits", input, outputs(shared));
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        Some(&mut self.channels)
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        (self.blocks.clone(), vec![self.channels])
    }
}

impl ResNet {
    /// A block; gives its width.
    fn block(&self, stack: &mut Stack, name: &str, input: i64, planes: i64, stride: i64) -> Result<i64> {
        let mut body = stack.branch();
        let output = if self.bottleneck { planes * 4 } else { planes };
        let convolutions = block_convolutions(self.bottleneck, planes, stride);
        let mut width = input;
        for (index, (kernel, stride, out)) in convolutions.iter().enumerate() {
            let number = index + 1;
            body.conv(format!("{name}.conv{number}"), width, *out, *kernel, *stride);
            if number == 2 {
                body.dropout(0.1);
            }
            body.norm(format!("{name}.norm{number}"), *out)?;
            if number < convolutions.len() {
                body.activate();
            }
            width = *out;
        }
        let mut shortcut = stack.branch();
        if stride != 1 || input != output {
            shortcut.conv_with_bias(format!("{name}.downsample.0"), input, output, 1, stride);
            shortcut.norm(format!("{name}.downsample.1"), output)?;
        }
        stack.residual(name, body, shortcut);
        Ok(output)
    }
}

impl Build for LeNet {
    fn name(&self) -> &'static str {
        "LeNet"
    }

    fn title(&self) -> String {
        format!("LeNet, {} channels", self.channels)
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        let shared = stack.shared;
        let [mut width, mut h, mut w] = shared.resolution;
        let mut index = 0;
        loop {
            let out = self.channels << index;
            stack.conv_with_bias(format!("conv{index}"), width, out, 5, 1);
            stack.norm(format!("{}{index}", norm_name(shared)), out)?;
            stack.activate();
            stack.push(Layer::HALVE);
            (width, h, w) = (out, h / 2, w / 2);
            if h < 1 || w < 1 {
                return Err(Error::invalid(format!(
                    "images of {:?} are too small for a LeNet",
                    shared.resolution
                )));
            }
            if h / 2 < 3 || h % 2 == 1 || w / 2 < 3 || w % 2 == 1 {
                break;
            }
            index += 1;
        }
        stack.push(Layer::Flatten);
        let mut features = width * h * w;
        if self.linear > 0 {
            stack.linear(format!("fc{index}"), features, self.linear);
            stack.activate();
            features = self.linear;
        }
        stack.dropout(0.5);
        stack.linear("logits", features, outputs(shared));
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        Some(&mut self.channels)
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        (Vec::new(), vec![self.channels, self.linear.max(1)])
    }
}

impl Build for Mlp {
    fn name(&self) -> &'static str {
        "MLP"
    }

    fn title(&self) -> String {
        let text: Vec<String> = self.units.iter().map(ToString::to_string).collect();
        format!("MLP {}", text.join("-"))
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        let shared = stack.shared;
        stack.push(Layer::Flatten);
        let mut features: i64 = shared.resolution.iter().product();
        for (index, width) in self.units.iter().enumerate() {
            let number = index + 1;
            stack.linear(format!("lin{number}"), features, *width);
            stack.activate();
            stack.norm(format!("{}{number}", norm_name(shared)), *width)?;
            stack.dropout(0.1);
            features = *width;
        }
        stack.linear("logits", features, outputs(shared));
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        None
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        (vec![self.units.len()], self.units.clone())
    }
}

/// A tensor of every ResNet of the paper.
pub(super) const RESNET_ANCHORS: &[&str] = &["block0.0.conv1.weight", "block0.0.norm1.weight"];
/// A tensor of every LeNet of the paper.
pub(super) const LENET_ANCHORS: &[&str] = &["conv0.weight"];
/// A tensor of every MLP of the paper.
pub(super) const MLP_ANCHORS: &[&str] = &["lin1.weight"];

/// The normalization before whose number `prefix` stands in a name.
fn norm_of(keys: &Keys, number: usize) -> Option<Norm> {
    let has = |name: &&str| keys.has_prefix(&format!("{name}{number}."));
    ["bn", "rebn", "gn", "fixedbn"].into_iter().find(has).and_then(Norm::from_name)
}

/// What the three have in common.
fn shared(keys: &Keys, resolution: [i64; 3], number: usize) -> Shared {
    let outputs = keys.classes("logits");
    let classes = if outputs == 1 { 2 } else { outputs };
    Shared {
        normalization: norm_of(keys, number),
        whiten: keys.has("whiten.weight"),
        rescale: keys.has("rescale.scale_min"),
        ..Shared::plain(classes, resolution, keys.has("logits.bias") || !keys.has("logits.weight"))
    }
}

pub(super) fn recognize_resnet(keys: &Keys) -> Found<ResNet> {
    if !keys.has_prefix("block0.0.") {
        return None;
    }
    let blocks = keys.stages("block", 0);
    let channels = keys.agreed(&[
        ("conv1.weight", 0, 1),
        ("block0.0.conv1.weight", 1, 1),
        ("block0.0.conv2.weight", 0, 1),
    ])?;
    let input = keys.image_channels("conv1.weight");
    let side = if input == 1 { 28 } else { 32 };
    let bottleneck = keys.has("block0.0.conv3.weight");
    Some(vec![(ResNet { blocks, bottleneck, channels }, shared(keys, [input, side, side], 1))])
}

pub(super) fn recognize_lenet(keys: &Keys) -> Found<LeNet> {
    let layers = (0..16).take_while(|index| keys.has(&format!("conv{index}.weight"))).count();
    let last = layers.checked_sub(1)?;
    let channels = keys.size("conv0.weight", 0)?;
    let input = keys.size("conv0.weight", 1)?;
    let fc = format!("fc{last}.weight");
    let features = keys.size(&fc, 1).or_else(|| keys.size("logits.weight", 1))?;
    let width = keys.size(&format!("conv{last}.weight"), 0)?;
    let side = ((features / width.max(1)) as f64).sqrt().round() as i64;
    let side = side << layers;
    let family = LeNet { channels, linear: keys.size(&fc, 0).unwrap_or(0) };
    Some(vec![(family, shared(keys, [input, side, side], 0))])
}

pub(super) fn recognize_mlp(keys: &Keys) -> Found<Mlp> {
    let units = (1..).map_while(|number| keys.size(&format!("lin{number}.weight"), 0)).collect();
    let resolution = match keys.size("lin1.weight", 1)? {
        784 => [1, 28, 28],
        3072 => [3, 32, 32],
        features => [1, 1, features],
    };
    Some(vec![(Mlp { units }, shared(keys, resolution, 1))])
}
