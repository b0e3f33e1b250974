//! What a family is asked, and layers put one behind the other.

use super::super::input::InputNormalization;
use super::super::topology::{Activation, Layer, Norm};
use super::choices::Choices;
use super::keys::Keys;
use crate::error::{Error, Result};

/// What networks of all families have besides their own settings; see [`super::Architecture`].
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub classes: i64,
    pub resolution: [i64; 3],
    pub normalization: Option<Norm>,
    pub activation: Activation,
    pub bias: bool,
    pub dropout: bool,
    pub input: InputNormalization,
    pub whiten: bool,
    pub rescale: bool,
    pub global_mean: bool,
}

impl Shared {
    /// With batch normalization and ReLU.
    pub fn plain(classes: i64, resolution: [i64; 3], bias: bool) -> Self {
        Self {
            classes,
            resolution,
            normalization: Some(Norm::Batch),
            activation: Activation::Relu,
            bias,
            dropout: false,
            input: InputNormalization::None,
            whiten: false,
            rescale: false,
            global_mean: false,
        }
    }

    /// As names and shapes tell: the last layer of this name sees the means of `width` channels over all pixels, or over
    /// windows where it has more features.
    pub fn of(keys: &Keys, head: &str, images: i64, width: i64) -> Self {
        let weight = format!("{head}.weight");
        let classes = keys.classes(head);
        let windows = keys.size(&weight, 1).map_or(1, |features| features / width.max(1));
        let side = side(images, classes, windows);
        let bias = !keys.has(&weight) || keys.has(&format!("{head}.bias"));
        Self { global_mean: windows <= 1, ..Self::plain(classes, [images, side, side], bias) }
    }
}

/// Side of the images of a network whose last mean leaves so many windows; of a global mean, what is usual for the
/// number of channels and classes.
fn side(channels: i64, classes: i64, windows: i64) -> i64 {
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

/// What names and shapes can be of, the usual network first.
pub(super) type Found<Family> = Option<Vec<(Family, Shared)>>;

/// What every family does.
pub(super) trait Build {
    /// Its name, e.g. `WideResNet`.
    fn name(&self) -> &'static str;

    /// Short name with its size, e.g. `WideResNet-28-10`.
    fn title(&self) -> String;

    /// Appends all layers, from prepared images to logits.
    ///
    /// # Errors
    /// Settings that no such network can have.
    fn layers(&self, stack: &mut Stack) -> Result<()>;

    /// The width of the first stage; none: there are no stages.
    fn channels(&mut self) -> Option<&mut i64>;

    /// Every number that the network grows with, each of which a damaged file can make absurd: counts of layers in a
    /// row, and widths.
    fn sizes(&self) -> (Vec<usize>, Vec<i64>);

    /// What its settings say of what keys and shapes leave open.
    fn choices(&self) -> Choices {
        Choices::default()
    }

    /// Decides what keys and shapes leave open.
    ///
    /// # Errors
    /// It does not have that choice; the end of a sentence.
    fn choose(&mut self, choices: &Choices) -> Result<(), String> {
        choices.refuse_structure(self.name())
    }
}

/// Kernel, stride and width of each convolution of a residual block; the last width is that of the block.
pub(super) fn block_convolutions(bottleneck: bool, planes: i64, stride: i64) -> Vec<(i64, i64, i64)> {
    if bottleneck {
        vec![(1, 1, planes), (3, stride, planes), (1, 1, planes * 4)]
    } else {
        vec![(3, stride, planes), (3, 1, planes)]
    }
}

/// Layers of a network that is being built.
pub(super) struct Stack<'a> {
    /// What all families have in common.
    pub shared: &'a Shared,
    /// What there is.
    pub layers: Vec<Layer>,
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

impl<'a> Stack<'a> {
    /// An empty one.
    pub fn new(shared: &'a Shared) -> Self {
        Self { shared, layers: Vec::new() }
    }

    /// An empty one for a branch.
    pub fn branch(&self) -> Self {
        Self::new(self.shared)
    }

    /// Appends a layer.
    pub fn push(&mut self, layer: Layer) {
        self.layers.push(layer);
    }

    /// A convolution that keeps the size at stride 1, without bias.
    pub fn conv(&mut self, name: impl Into<String>, input: i64, output: i64, kernel: i64, stride: i64) {
        let padding = kernel / 2;
        self.push(Layer::Conv {
            name: name.into(),
            input,
            output,
            kernel,
            stride,
            padding,
            groups: 1,
            bias: false,
        });
    }

    /// As [`Stack::conv`], in groups of channels that do not see each other.
    pub fn conv_in_groups(
        &mut self,
        name: impl Into<String>,
        [input, output]: [i64; 2],
        kernel: i64,
        stride: i64,
        groups: i64,
    ) {
        self.conv(name, input, output, kernel, stride);
        if let Some(Layer::Conv { groups: own, .. }) = self.layers.last_mut() {
            *own = groups;
        }
    }

    /// As [`Stack::conv`] with a bias, where the architecture has them.
    pub fn conv_with_bias(
        &mut self,
        name: impl Into<String>,
        input: i64,
        output: i64,
        kernel: i64,
        stride: i64,
    ) {
        self.conv(name, input, output, kernel, stride);
        if let Some(Layer::Conv { bias, .. }) = self.layers.last_mut() {
            *bias = self.shared.bias;
        }
    }

    /// A linear layer, with a bias where the architecture has them.
    pub fn linear(&mut self, name: impl Into<String>, input: i64, output: i64) {
        self.push(Layer::Linear { name: name.into(), input, output, bias: self.shared.bias });
    }

    /// The normalization of the architecture, if it has one.
    pub fn norm(&mut self, name: impl Into<String>, channels: i64) -> Result<()> {
        if let Some(norm) = self.shared.normalization {
            if matches!(norm, Norm::Group | Norm::FixedGroup) {
                groups(channels)?;
            }
            self.push(Layer::Normalize { name: name.into(), norm, channels });
        }
        Ok(())
    }

    /// The activation of the architecture.
    pub fn activate(&mut self) {
        self.push(Layer::Activate { activation: self.shared.activation });
    }

    /// A dropout layer, where the architecture has them.
    pub fn dropout(&mut self, probability: f64) {
        if self.shared.dropout {
            self.push(Layer::Dropout { probability });
        }
    }

    /// The sum of two branches.
    pub fn residual(&mut self, name: impl Into<String>, body: Self, shortcut: Self) {
        self.push(Layer::Residual { name: name.into(), body: body.layers, shortcut: shortcut.layers });
    }

    /// Mean over all pixels, then the classes.
    pub fn classify(&mut self, name: &str, features: i64) {
        self.push(Layer::GlobalAveragePool);
        self.push(Layer::Flatten);
        self.linear(name, features, self.shared.classes);
    }

    /// Mean over windows of `kernel`, or over all pixels where one window is all there is, then the classes. `features`
    /// are the channels; `down` is by how much images have become smaller.
    pub fn classify_windows(&mut self, name: &str, features: i64, down: i64, kernel: i64) {
        let [_, height, width] = self.shared.resolution;
        let windows = |side: i64| ((side + down - 1) / down / kernel).max(1);
        let (rows, columns) = (windows(height), windows(width));
        if self.shared.global_mean || (rows, columns) == (1, 1) {
            return self.classify(name, features);
        }
        self.push(Layer::AveragePool { kernel });
        self.push(Layer::Flatten);
        self.linear(name, features * rows * columns, self.shared.classes);
    }
}
