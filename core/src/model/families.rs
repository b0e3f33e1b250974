//! The paper's three families as constructors of a [`Topology`] (spec: models of Stutz et al.).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::topology::{Activation, Layer, Norm, Topology};
use crate::error::{Error, Result};

/// Everything that distinguishes networks of the paper's program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Architecture {
    /// Which family, with its own settings.
    pub family: Family,
    /// Number of classes.
    pub classes: i64,
    /// Channels, height, width.
    pub resolution: [i64; 3],
    /// Normalization; none for identity.
    pub normalization: Option<Norm>,
    /// Activation.
    pub activation: Activation,
    /// Whether the layers that can have a bias do.
    pub bias: bool,
    /// Clamp inputs to `[0, 1]` first.
    pub clamp: bool,
    /// Fixed per-channel standardization.
    pub whiten: bool,
    /// Map inputs from `[0, 1]` to `[-1, 1]`.
    pub rescale: bool,
    /// Dropout layers.
    pub dropout: bool,
    /// Factor of the logits.
    pub scale: f64,
}

/// A family with its own settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Family {
    /// Residual network with a 3x3 stem; width doubles from stage to stage.
    ResNet {
        /// Blocks per stage.
        #[serde(default = "usual_blocks")]
        blocks: Vec<usize>,
        /// Bottleneck blocks (expansion 4) instead of basic ones.
        #[serde(default)]
        bottleneck: bool,
        /// Width of the first stage.
        #[serde(default = "usual_channels::<64>")]
        #[schemars(extend("x-group" = "Model", "x-advanced" = false, "x-wanted" = "a whole number of at least 1"))]
        channels: i64,
    },
    /// 5x5 convolutions with pooling.
    LeNet {
        /// Width of the first convolution.
        #[serde(default = "usual_channels::<32>")]
        #[schemars(extend("x-group" = "Model", "x-advanced" = false, "x-wanted" = "a whole number of at least 1"))]
        channels: i64,
        /// Width of the hidden linear layer, 0 for none.
        #[serde(default = "usual_channels::<256>")]
        linear: i64,
    },
    /// Fully connected; normalization comes after the activation.
    Mlp {
        /// Width of each hidden layer.
        #[serde(default = "usual_units")]
        units: Vec<i64>,
    },
}

/// ResNet-18.
fn usual_blocks() -> Vec<usize> {
    vec![2, 2, 2, 2]
}

fn usual_channels<const WIDTH: i64>() -> i64 {
    WIDTH
}

fn usual_units() -> Vec<i64> {
    vec![1024, 1024, 1024]
}

impl Family {
    /// Changes the width of the first stage.
    ///
    /// # Errors
    /// The width is not positive, or the family has no stages.
    pub fn set_channels(&mut self, width: i64) -> Result<()> {
        if width < 1 {
            return Err(Error::invalid(format!("{width} channels are not possible; use 1 or more")));
        }
        match self {
            Self::ResNet { channels, .. } | Self::LeNet { channels, .. } => {
                *channels = width;
                Ok(())
            }
            Self::Mlp { .. } => Err(Error::invalid("an MLP has no channels; set its units instead")),
        }
    }
}

impl Default for Architecture {
    /// The paper's ResNet-18 for CIFAR-10.
    fn default() -> Self {
        Self {
            family: Family::ResNet { blocks: usual_blocks(), bottleneck: false, channels: 64 },
            classes: 10,
            resolution: [3, 32, 32],
            normalization: Some(Norm::Reparameterized),
            activation: Activation::Relu,
            bias: true,
            clamp: true,
            whiten: true,
            rescale: false,
            dropout: false,
            scale: 1.0,
        }
    }
}

/// Groups of a group normalization: the largest of 32, 24, 16, 8 (and half the width) that divides the width.
///
/// # Errors
/// The width is odd or has no such divisor.
pub fn groups(channels: i64) -> Result<i64> {
    [32, 24, 16, 8]
        .into_iter()
        .map(|g: i64| g.min(channels / 2))
        .find(|g| *g > 0 && channels % g == 0)
        .ok_or_else(|| Error::invalid(format!("group normalization cannot divide {channels} channels")))
}

impl Architecture {
    /// Builds the topology.
    ///
    /// # Errors
    /// Settings that no network of the paper can have.
    pub fn topology(&self) -> Result<Topology> {
        if self.classes < 2 {
            return Err(Error::invalid(format!("{} classes are not possible; use 2 or more", self.classes)));
        }
        if self.resolution.iter().any(|n| *n < 1) {
            return Err(Error::invalid(format!("the resolution {:?} is not possible", self.resolution)));
        }
        let mut layers = Vec::new();
        if self.clamp {
            layers.push(Layer::Clamp);
        }
        if self.whiten {
            layers.push(Layer::Standardize { name: "whiten".into(), channels: self.resolution[0] });
        } else if self.rescale {
            layers.push(Layer::Rescale { name: "rescale".into() });
        }
        let (family, size) = match &self.family {
            Family::ResNet { blocks, bottleneck, channels } => {
                if *bottleneck && self.dropout {
                    return Err(Error::invalid(
                        "bottleneck blocks with dropout do not exist in the paper's program",
                    ));
                }
                let representation = self.resnet(&mut layers, blocks, *bottleneck, *channels)?;
                layers.push(self.linear("logits", representation, self.outputs(), self.bias));
                let per_block = if *bottleneck { 3 } else { 2 };
                let depth = blocks.iter().sum::<usize>() * per_block + 2;
                ("ResNet", format!("ResNet-{depth}, {channels} channels"))
            }
            Family::LeNet { channels, linear } => {
                self.lenet(&mut layers, *channels, *linear)?;
                ("LeNet", format!("LeNet, {channels} channels"))
            }
            Family::Mlp { units } => {
                self.mlp(&mut layers, units)?;
                let text: Vec<String> = units.iter().map(ToString::to_string).collect();
                ("MLP", format!("MLP {}", text.join("-")))
            }
        };
        #[expect(clippy::float_cmp, reason = "exactly 1 means no layer")]
        if self.scale != 1.0 {
            layers.push(Layer::Scale { factor: self.scale });
        }
        let norm = self.normalization.map_or("no normalization", Norm::name);
        let activation = match self.activation {
            Activation::Relu => String::new(),
            other => format!(", {}", other.name()),
        };
        Ok(Topology {
            family: family.into(),
            title: format!("{size}, {norm}{activation}"),
            classes: self.classes,
            resolution: self.resolution,
            layers,
        })
    }

    fn outputs(&self) -> i64 {
        if self.classes > 2 { self.classes } else { 1 }
    }

    fn activate(&self) -> Layer {
        Layer::Activate { activation: self.activation }
    }

    fn normalize(&self, layers: &mut Vec<Layer>, name: impl Into<String>, channels: i64) -> Result<()> {
        if let Some(norm) = self.normalization {
            if matches!(norm, Norm::Group | Norm::FixedGroup) {
                groups(channels)?;
            }
            layers.push(Layer::Normalize { name: name.into(), norm, channels });
        }
        Ok(())
    }

    fn norm_name(&self) -> &'static str {
        self.normalization.map_or("", Norm::name)
    }

    fn linear(&self, name: &str, input: i64, output: i64, bias: bool) -> Layer {
        Layer::Linear { name: name.into(), input, output, bias }
    }

    fn resnet(
        &self,
        layers: &mut Vec<Layer>,
        blocks: &[usize],
        bottleneck: bool,
        channels: i64,
    ) -> Result<i64> {
        layers.push(conv("conv1", self.resolution[0], channels, 3, 1, self.bias));
        self.normalize(layers, format!("{}1", self.norm_name()), channels)?;
        layers.push(self.activate());
        let expansion = if bottleneck { 4 } else { 1 };
        let mut width_in = channels;
        for (stage, count) in blocks.iter().enumerate() {
            let planes = channels << stage;
            for index in 0..*count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let name = format!("block{stage}.{index}");
                self.block(layers, &name, bottleneck, width_in, planes, stride)?;
                layers.push(self.activate());
                width_in = planes * expansion;
            }
        }
        layers.push(Layer::GlobalAveragePool);
        layers.push(Layer::Flatten);
        Ok(width_in)
    }

    fn block(
        &self,
        layers: &mut Vec<Layer>,
        name: &str,
        bottleneck: bool,
        input: i64,
        planes: i64,
        stride: i64,
    ) -> Result<()> {
        let mut body = Vec::new();
        let output = if bottleneck { planes * 4 } else { planes };
        // (kernel, stride, width) of each convolution
        let convolutions: &[(i64, i64, i64)] = if bottleneck {
            &[(1, 1, planes), (3, stride, planes), (1, 1, output)]
        } else {
            &[(3, stride, planes), (3, 1, planes)]
        };
        let mut width = input;
        for (index, (kernel, stride, out)) in convolutions.iter().enumerate() {
            let number = index + 1;
            body.push(conv(format!("{name}.conv{number}"), width, *out, *kernel, *stride, false));
            if self.dropout && number == 2 {
                body.push(Layer::Dropout { probability: 0.1 });
            }
            self.normalize(&mut body, format!("{name}.norm{number}"), *out)?;
            if number < convolutions.len() {
                body.push(self.activate());
            }
            width = *out;
        }
        let mut shortcut = Vec::new();
        if stride != 1 || input != output {
            shortcut.push(conv(format!("{name}.downsample.0"), input, output, 1, stride, self.bias));
            self.normalize(&mut shortcut, format!("{name}.downsample.1"), output)?;
        }
        layers.push(Layer::Residual { name: name.into(), body, shortcut });
        Ok(())
    }

    fn lenet(&self, layers: &mut Vec<Layer>, channels: i64, linear: i64) -> Result<()> {
        let [mut width, mut h, mut w] = self.resolution;
        let mut index = 0;
        loop {
            let out = channels << index;
            layers.push(Layer::Conv {
                name: format!("conv{index}"),
                input: width,
                output: out,
                kernel: 5,
                stride: 1,
                padding: 2,
                bias: self.bias,
            });
            self.normalize(layers, format!("{}{index}", self.norm_name()), out)?;
            layers.push(self.activate());
            layers.push(Layer::MaxPool);
            (width, h, w) = (out, h / 2, w / 2);
            if h < 1 || w < 1 {
                return Err(Error::invalid(format!(
                    "images of {:?} are too small for a LeNet",
                    self.resolution
                )));
            }
            if h / 2 < 3 || h % 2 == 1 || w / 2 < 3 || w % 2 == 1 {
                break;
            }
            index += 1;
        }
        layers.push(Layer::Flatten);
        let mut features = width * h * w;
        if linear > 0 {
            layers.push(self.linear(&format!("fc{index}"), features, linear, self.bias));
            layers.push(self.activate());
            features = linear;
        }
        if self.dropout {
            layers.push(Layer::Dropout { probability: 0.5 });
        }
        layers.push(self.linear("logits", features, self.outputs(), self.bias));
        Ok(())
    }

    fn mlp(&self, layers: &mut Vec<Layer>, units: &[i64]) -> Result<()> {
        layers.push(Layer::Flatten);
        let mut features: i64 = self.resolution.iter().product();
        for (index, width) in units.iter().enumerate() {
            let number = index + 1;
            layers.push(self.linear(&format!("lin{number}"), features, *width, self.bias));
            layers.push(self.activate());
            self.normalize(layers, format!("{}{number}", self.norm_name()), *width)?;
            if self.dropout {
                layers.push(Layer::Dropout { probability: 0.1 });
            }
            features = *width;
        }
        layers.push(self.linear("logits", features, self.outputs(), self.bias));
        Ok(())
    }
}

/// A convolution that keeps the size at stride 1.
fn conv(name: impl Into<String>, input: i64, output: i64, kernel: i64, stride: i64, bias: bool) -> Layer {
    Layer::Conv { name: name.into(), input, output, kernel, stride, padding: kernel / 2, bias }
}
