//! What a network is, as plain data: layers named by the checkpoint's own keys.
//!
//! A topology holds no numbers. Together with named tensors ([`super::Params`]) it can be run
//! ([`super::forward`]), folded ([`super::fold`]), drawn and compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Elementwise non-linearity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `x` above 0, `0.25 x` below.
    LeakyRelu,
    /// `tanh(x) x` above 0 and a quarter of it below: the paper's, non-negative on both sides.
    LeakyTanh,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `x sigmoid(x)`, also called swish.
    Silu,
    /// `ln(1 + e^x)`.
    Softplus,
    /// `x tanh(softplus(x))`
    Mish,
    /// `x Phi(x)`, exact.
    Gelu,
}

impl Activation {
    /// All of them, with their names in checkpoints.
    pub const ALL: [(&'static str, Self); 10] = [
        ("relu", Self::Relu),
        ("sigmoid", Self::Sigmoid),
        ("tanh", Self::Tanh),
        ("leaky_relu", Self::LeakyRelu),
        ("leaky_tanh", Self::LeakyTanh),
        ("softsign", Self::Softsign),
        ("silu", Self::Silu),
        ("softplus", Self::Softplus),
        ("mish", Self::Mish),
        ("gelu", Self::Gelu),
    ];

    /// The activation of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, activation)| *activation)
    }

    /// Name as in checkpoints.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, activation)| *activation == self).expect("ALL is complete").0
    }

    /// Gain of the Kaiming initialization that the paper's program pairs with this activation.
    pub fn gain(self) -> f64 {
        match self {
            Self::Tanh | Self::Softsign | Self::LeakyTanh => 5.0 / 3.0,
            Self::Sigmoid => 1.0,
            _ => std::f64::consts::SQRT_2,
        }
    }
}

/// Kind of a normalization layer. All use `eps = 1e-5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Batch normalization with scale `weight` and shift `bias`.
    Batch,
    /// Batch normalization without scale and shift.
    FixedBatch,
    /// Batch normalization with scale `1 + weight`: the paper's re-parameterized one.
    Reparameterized,
    /// Group normalization with scale and shift.
    Group,
    /// Group normalization without.
    FixedGroup,
}

impl Norm {
    /// The norm of this name (`bn`, `fixedbn`, `rebn`, `gn`, `fixedgn`), if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "bn" => Self::Batch,
            "fixedbn" => Self::FixedBatch,
            "rebn" => Self::Reparameterized,
            "gn" => Self::Group,
            "fixedgn" => Self::FixedGroup,
            _ => return None,
        })
    }

    /// Name as in checkpoints.
    pub fn name(self) -> &'static str {
        match self {
            Self::Batch => "bn",
            Self::FixedBatch => "fixedbn",
            Self::Reparameterized => "rebn",
            Self::Group => "gn",
            Self::FixedGroup => "fixedgn",
        }
    }

    /// Whether it has `weight` and `bias`.
    pub fn is_affine(self) -> bool {
        matches!(self, Self::Batch | Self::Reparameterized | Self::Group)
    }

    /// Whether it keeps running statistics, so that it is an affine map at evaluation.
    pub fn has_statistics(self) -> bool {
        matches!(self, Self::Batch | Self::FixedBatch | Self::Reparameterized)
    }
}

/// One layer. Names are prefixes of state dictionary keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "snake_case")]
pub enum Layer {
    /// Clamp to `[0, 1]`.
    Clamp,
    /// `(x - bias) / weight` per channel, not trained (`whiten`).
    Standardize {
        /// Prefix.
        name: String,
        /// Image channels.
        channels: i64,
    },
    /// Every image minus its own mean, divided by its own standard deviation over channels and pixels, which is at
    /// least `1 / sqrt(C H W)` (TensorFlow's `per_image_standardization`).
    StandardizeEach,
    /// `(x - mean) / std` per channel, by numbers that belong to no tensor.
    StandardizeBy {
        /// Mean of each channel.
        mean: Vec<f64>,
        /// Standard deviation of each channel.
        std: Vec<f64>,
    },
    /// `x (max - min) + min` with stored bounds (`rescale`).
    Rescale {
        /// Prefix.
        name: String,
    },
    /// 2-D convolution with a square kernel.
    Conv {
        /// Prefix.
        name: String,
        /// Channels in.
        input: i64,
        /// Channels out.
        output: i64,
        /// Side of the kernel.
        kernel: i64,
        /// Stride.
        stride: i64,
        /// Zero padding on each side.
        padding: i64,
        /// Groups of channels that do not see each other (grouped convolution); 1 for an ordinary convolution.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        groups: i64,
        /// Whether it has a bias.
        bias: bool,
    },
    /// Zero rows and columns: `before` at the top and left, `after` at the bottom and right (TensorFlow's `SAME`
    /// padding of a convolution with a stride is one-sided).
    Pad {
        /// Rows at the top, columns at the left.
        before: i64,
        /// Rows at the bottom, columns at the right.
        after: i64,
    },
    /// Every `stride`-th row and column, with channels of zeros before and behind its own.
    Subsample {
        /// Pixels from one that is kept to the next.
        stride: i64,
        /// Channels of zeros on each side.
        channels: i64,
    },
    /// Fully connected.
    Linear {
        /// Prefix.
        name: String,
        /// Features in.
        input: i64,
        /// Features out.
        output: i64,
        /// Whether it has a bias.
        bias: bool,
    },
    /// Normalization.
    Normalize {
        /// Prefix.
        name: String,
        /// Which.
        norm: Norm,
        /// Channels or features.
        channels: i64,
    },
    /// Per-channel `x weight + bias`: what is left of a batch normalization that could not be folded.
    Affine {
        /// Prefix.
        name: String,
        /// Channels or features.
        channels: i64,
    },
    /// Elementwise non-linearity.
    Activate {
        /// Which.
        activation: Activation,
    },
    /// Maximum over square windows.
    MaxPool {
        /// Side of a window.
        #[serde(default = "two")]
        kernel: i64,
        /// Pixels from one window to the next.
        #[serde(default = "two")]
        stride: i64,
        /// Padding on each side; never the maximum.
        #[serde(default)]
        padding: i64,
    },
    /// Mean over non-overlapping square windows.
    AveragePool {
        /// Side of a window.
        kernel: i64,
    },
    /// Mean over all pixels.
    GlobalAveragePool,
    /// To `N x features`.
    Flatten,
    /// Random zeros in training, nothing in evaluation.
    Dropout {
        /// Probability of a zero.
        probability: f64,
    },
    /// `body(x) + shortcut(x)`; an empty shortcut is the identity.
    Residual {
        /// Prefix, for reading only; the names inside are complete.
        name: String,
        /// Main branch.
        body: Vec<Layer>,
        /// Other branch.
        shortcut: Vec<Layer>,
    },
    /// `body(x)` and behind it `x`, along the channels (DenseNet).
    Concatenate {
        /// Prefix, for reading only; the names inside are complete.
        name: String,
        /// What is put before the input.
        body: Vec<Layer>,
    },
    /// Multiplies by a constant (the paper's `scale` of the logits).
    Scale {
        /// The constant.
        factor: f64,
    },
    /// Logits minus their mean, divided by the root of their mean square, per example.
    NormalizeLogits,
}

impl Layer {
    /// Maximum over non-overlapping 2 x 2 windows.
    pub const HALVE: Self = Self::MaxPool { kernel: 2, stride: 2, padding: 0 };
}

fn one() -> i64 {
    1
}

fn two() -> i64 {
    2
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(number: &i64) -> bool {
    *number == 1
}

/// What a tensor is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Trainable and moved by directions and weight attacks by default.
    Weight,
    /// Trainable, of a normalization layer: not moved by default.
    Normalization,
    /// Not trained (whitening).
    Frozen,
    /// Running statistics and other state.
    Buffer,
}

/// A tensor that a topology needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Key in the state dictionary.
    pub name: String,
    /// Shape.
    pub shape: Vec<i64>,
    /// Role.
    pub role: Role,
    /// Whether it holds an integer (`num_batches_tracked`).
    pub is_count: bool,
}

/// A network without its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Topology {
    /// `ResNet`, `LeNet`, `MLP`, …
    pub family: String,
    /// Short name for people, e.g. `ResNet-18, 8 channels, rebn`.
    pub title: String,
    /// Number of classes (2 with one output).
    pub classes: i64,
    /// Channels, height, width of an image.
    pub resolution: [i64; 3],
    /// Layers in order.
    pub layers: Vec<Layer>,
}

impl Layer {
    pub(super) fn collect(&self, specs: &mut Vec<TensorSpec>) {
        let mut add = |name: &str, suffix: &str, shape: &[i64], role| {
            specs.push(TensorSpec {
                name: format!("{name}.{suffix}"),
                shape: shape.to_vec(),
                role,
                is_count: suffix == "num_batches_tracked",
            });
        };
        match self {
            Self::Standardize { name, channels } => {
                add(name, "weight", &[*channels], Role::Frozen);
                add(name, "bias", &[*channels], Role::Frozen);
            }
            Self::Rescale { name } => {
                add(name, "scale_min", &[1], Role::Buffer);
                add(name, "scale_max", &[1], Role::Buffer);
            }
            Self::Conv { name, input, output, kernel, groups, bias, .. } => {
                add(name, "weight", &[*output, *input / (*groups).max(1), *kernel, *kernel], Role::Weight);
                if *bias {
                    add(name, "bias", &[*output], Role::Weight);
                }
            }
            Self::Linear { name, input, output, bias } => {
                add(name, "weight", &[*output, *input], Role::Weight);
                if *bias {
                    add(name, "bias", &[*output], Role::Weight);
                }
            }
            Self::Normalize { name, norm, channels } => {
                if norm.is_affine() {
                    add(name, "weight", &[*channels], Role::Normalization);
                    add(name, "bias", &[*channels], Role::Normalization);
                }
                if norm.has_statistics() {
                    add(name, "running_mean", &[*channels], Role::Buffer);
                    add(name, "running_var", &[*channels], Role::Buffer);
                    add(name, "num_batches_tracked", &[], Role::Buffer);
                }
            }
            Self::Affine { name, channels } => {
                add(name, "weight", &[*channels], Role::Normalization);
                add(name, "bias", &[*channels], Role::Normalization);
            }
            Self::Residual { body, shortcut, .. } => {
                for layer in body.iter().chain(shortcut) {
                    layer.collect(specs);
                }
            }
            Self::Concatenate { body, .. } => body.iter().for_each(|layer| layer.collect(specs)),
            Self::Clamp
            | Self::StandardizeEach
            | Self::StandardizeBy { .. }
            | Self::Pad { .. }
            | Self::Subsample { .. }
            | Self::Activate { .. }
            | Self::MaxPool { .. }
            | Self::AveragePool { .. }
            | Self::GlobalAveragePool
            | Self::Flatten
            | Self::Dropout { .. }
            | Self::Scale { .. }
            | Self::NormalizeLogits => {}
        }
    }

    /// Height and width of its output for those of its input. `least` is the fewest of their products that a batch
    /// normalization sees.
    pub(super) fn size(&self, (height, width): (i64, i64), least: &mut Option<i64>) -> (i64, i64) {
        match self {
            Self::Conv { kernel, stride, padding, .. } => {
                let out = |side: i64| (side + 2 * padding - kernel) / stride + 1;
                (out(height), out(width))
            }
            Self::MaxPool { kernel, stride, padding } => {
                let out = |side: i64| (side + 2 * padding - kernel) / stride + 1;
                (out(height), out(width))
            }
            Self::AveragePool { kernel } => (height / kernel, width / kernel),
            Self::Subsample { stride, .. } => ((height + stride - 1) / stride, (width + stride - 1) / stride),
            Self::Pad { before, after } => (height + before + after, width + before + after),
            Self::GlobalAveragePool | Self::Flatten | Self::Linear { .. } => (1, 1),
            Self::Normalize { norm, .. } if norm.has_statistics() => {
                let values = height * width;
                *least = Some(least.map_or(values, |least| least.min(values)));
                (height, width)
            }
            Self::Residual { body, shortcut, .. } => {
                let mut through = |layers: &[Self]| {
                    layers.iter().fold((height, width), |size, layer| layer.size(size, least))
                };
                through(shortcut);
                through(body)
            }
            Self::Concatenate { body, .. } => {
                body.iter().fold((height, width), |size, layer| layer.size(size, least))
            }
            _ => (height, width),
        }
    }

    pub(super) fn describe(&self, indent: usize, lines: &mut Vec<String>) {
        let pad = "  ".repeat(indent);
        let text = match self {
            Self::Clamp => "clamp to [0, 1]".to_owned(),
            Self::Standardize { name, .. } => format!("{name}: (x - mean) / std per channel, fixed"),
            Self::StandardizeEach => "each image: (x - its mean) / its standard deviation".to_owned(),
            Self::StandardizeBy { mean, std } => {
                let list = |values: &[f64]| {
                    let values = values.iter().map(|value| ((value * 1e4).round() / 1e4).to_string());
                    values.collect::<Vec<_>>().join(", ")
                };
                format!("(x - mean) / std per channel, mean {}; std {}", list(mean), list(std))
            }
            Self::Rescale { name } => format!("{name}: to [-1, 1]"),
            Self::Conv { name, input, output, kernel, stride, groups, bias, .. } => {
                let stride = if *stride > 1 { format!(", stride {stride}") } else { String::new() };
                let groups = if *groups > 1 { format!(", {groups} groups") } else { String::new() };
                let bias = if *bias { ", bias" } else { "" };
                format!("{name}: convolution {kernel}×{kernel}, {input} to {output}{stride}{groups}{bias}")
            }
            Self::Pad { before, after } => {
                format!("zero padding: {before} at the top and left, {after} at the bottom and right")
            }
            Self::Subsample { stride, channels } => {
                format!("every pixel at a stride of {stride}, with {channels} channels of zeros on each side")
            }
            Self::Linear { name, input, output, bias } => {
                format!("{name}: linear, {input} to {output}{}", if *bias { ", bias" } else { "" })
            }
            Self::Normalize { name, norm, channels } => format!("{name}: {}, {channels}", norm.name()),
            Self::Affine { name, channels } => format!("{name}: scale and shift, {channels}"),
            Self::Activate { activation } => activation.name().to_owned(),
            Self::MaxPool { kernel, stride, .. } if kernel == stride => format!("max pool {kernel}×{kernel}"),
            Self::MaxPool { kernel, stride, .. } => format!("max pool {kernel}×{kernel}, stride {stride}"),
            Self::AveragePool { kernel } => format!("average pool {kernel}×{kernel}"),
            Self::GlobalAveragePool => "global average pool".to_owned(),
            Self::Flatten => "flatten".to_owned(),
            Self::Dropout { probability } => format!("dropout {probability} (training only)"),
            Self::Scale { factor } => format!("times {factor}"),
            Self::NormalizeLogits => "normalize logits".to_owned(),
            Self::Residual { name, body, shortcut } => {
                lines.push(format!("{pad}{name}: residual"));
                for layer in body {
                    layer.describe(indent + 1, lines);
                }
                if shortcut.is_empty() {
                    lines.push(format!("{pad}  + identity"));
                } else {
                    lines.push(format!("{pad}  + shortcut"));
                    for layer in shortcut {
                        layer.describe(indent + 2, lines);
                    }
                }
                return;
            }
            Self::Concatenate { name, body } => {
                lines.push(format!("{pad}{name}: put before its input"));
                body.iter().for_each(|layer| layer.describe(indent + 1, lines));
                return;
            }
        };
        lines.push(format!("{pad}{text}"));
    }
}

impl Topology {
    /// Every tensor the network needs, in the order of the state dictionary.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let mut specs = Vec::new();
        for layer in &self.layers {
            layer.collect(&mut specs);
        }
        specs
    }

    /// One line per layer, indented.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for layer in &self.layers {
            layer.describe(0, &mut lines);
        }
        lines
    }

    /// Number of outputs: as many as classes, but one for the two classes of the paper's binary networks.
    pub fn outputs(&self) -> i64 {
        let mut last = None;
        self.visit(&mut |layer| {
            if let Layer::Linear { output, .. } = layer {
                last = Some(*output);
            }
        });
        if self.classes == 2 && last == Some(1) { 1 } else { self.classes }
    }

    /// Numbers that convolutions and linear layers give for one image, together.
    pub fn outputs_of_layers(&self) -> i64 {
        fn walk(layers: &[Layer], mut size: (i64, i64), sum: &mut i64) -> (i64, i64) {
            for layer in layers {
                match layer {
                    Layer::Residual { body, shortcut, .. } => {
                        walk(shortcut, size, sum);
                        size = walk(body, size, sum);
                    }
                    Layer::Concatenate { body, .. } => size = walk(body, size, sum),
                    _ => size = layer.size(size, &mut None),
                }
                match layer {
                    Layer::Conv { output, .. } => *sum += output * size.0 * size.1,
                    Layer::Linear { output, .. } => *sum += output,
                    _ => {}
                }
            }
            size
        }
        let (mut sum, [_, height, width]) = (0, self.resolution);
        walk(&self.layers, (height, width), &mut sum);
        sum
    }

    /// The fewest values per image and channel that a batch normalization of the network sees: 1 behind pooling over all
    /// pixels, flattening, or so many strides that a single pixel is left. None: there is no batch normalization.
    pub fn least_normalized_values(&self) -> Option<i64> {
        let [_, height, width] = self.resolution;
        let mut least: Option<i64> = None;
        self.layers.iter().fold((height, width), |size, layer| layer.size(size, &mut least));
        least
    }

    /// Visits every layer, those inside residual blocks included.
    pub fn visit(&self, visitor: &mut impl FnMut(&Layer)) {
        fn walk(layers: &[Layer], visitor: &mut impl FnMut(&Layer)) {
            for layer in layers {
                visitor(layer);
                match layer {
                    Layer::Residual { body, shortcut, .. } => {
                        walk(body, visitor);
                        walk(shortcut, visitor);
                    }
                    Layer::Concatenate { body, .. } => walk(body, visitor),
                    _ => {}
                }
            }
        }
        walk(&self.layers, visitor);
    }
}
