//! Running a topology on images.
//!
//! Evaluation uses running statistics and no dropout; training uses batch statistics, updates the running
//! ones in place, and applies dropout. Layers compute in the precision of their weights; images stay as
//! they are until the first convolution or linear layer.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use rand::Rng as _;
use tch::{Device, Kind, Tensor};

use super::families::groups;
use super::topology::{Activation, Layer, Norm, Topology};
use crate::seed::generator;

/// Added to variances, as in PyTorch.
pub const NORM_EPSILON: f64 = 1e-5;
/// Weight of the newest batch in the running statistics, as in PyTorch.
pub const NORM_MOMENTUM: f64 = 0.1;

/// Named tensors of one network.
#[derive(Debug, Default)]
pub struct Params(HashMap<String, Tensor>);

impl Params {
    /// The tensor of this name.
    ///
    /// # Panics
    /// If there is none: a topology and its tensors are checked against each other when they are opened.
    pub fn get(&self, name: &str) -> &Tensor {
        self.0.get(name).unwrap_or_else(|| panic!("the topology asks for {name}, which the weights lack"))
    }

    /// The tensor `prefix.suffix`.
    pub fn of(&self, prefix: &str, suffix: &str) -> &Tensor {
        self.get(&format!("{prefix}.{suffix}"))
    }

    /// Adds or replaces a tensor.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) {
        self.0.insert(name.into(), tensor);
    }

    /// Every tensor mapped, e.g. to another device.
    pub fn map(&self, f: impl Fn(&Tensor) -> Tensor) -> Self {
        Self(self.0.iter().map(|(name, tensor)| (name.clone(), f(tensor))).collect())
    }
}

/// How to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Running statistics, no dropout.
    Evaluate,
    /// Batch statistics (running ones updated in place), dropout.
    Train {
        /// Decides what dropout leaves out: a network without dropout takes any.
        seed: u64,
    },
}

/// The logits of `images` (`N x C x H x W`, values 0 to 1): `N x outputs`.
///
/// # Panics
/// If images or tensors do not fit the topology.
pub fn logits(topology: &Topology, params: &Params, images: &Tensor, mode: Mode) -> Tensor {
    Runner::new(params, mode, false).layers(&topology.layers, images.shallow_clone(), false)
}

/// As [`logits`] at evaluation, allowing TensorFloat-32 in convolutions (CUDA).
pub(super) fn evaluate(topology: &Topology, params: &Params, images: &Tensor, allow_tf32: bool) -> Tensor {
    let runner = Runner::new(params, Mode::Evaluate, allow_tf32);
    runner.layers(&topology.layers, images.shallow_clone(), false)
}

/// What batch normalizations see on some images, to be compared with their running statistics.
#[derive(Debug, Default)]
pub struct BatchStatistics {
    /// Of each layer, in their order.
    layers: RefCell<Vec<Moments>>,
}

/// Moments of a layer's inputs, by channel, in float64.
#[derive(Debug)]
struct Moments {
    /// Prefix of the layer.
    name: String,
    sum: Tensor,
    squares: Tensor,
    count: f64,
}

impl BatchStatistics {
    /// Logits of `images` at evaluation; what batch normalizations see of them is added.
    pub fn observe(&self, topology: &Topology, params: &Params, images: &Tensor) -> Tensor {
        let mut runner = Runner::new(params, Mode::Evaluate, false);
        let observed = RefCell::default();
        runner.observed = Some(&observed);
        let logits = runner.layers(&topology.layers, images.shallow_clone(), false);
        let mut layers = self.layers.borrow_mut();
        for (at, fresh) in observed.into_inner().into_iter().enumerate() {
            match layers.get_mut(at) {
                Some(layer) => {
                    layer.sum += fresh.sum;
                    layer.squares += fresh.squares;
                    layer.count += fresh.count;
                }
                None => layers.push(fresh),
            }
        }
        logits
    }

    /// How far what each batch normalization saw is from its running statistics: the Kullback-Leibler divergence of the
    /// normal distributions with the mean and variance of each channel, averaged over channels. Near 0 where images are
    /// prepared as in the training of the network; empty where it has no batch normalization.
    pub fn divergences(&self, params: &Params) -> Vec<f64> {
        let layers = self.layers.borrow();
        let divergences = layers.iter().map(|layer| {
            let double = |suffix| params.of(&layer.name, suffix).to_kind(Kind::Double);
            let (mean, variance) = (double("running_mean"), double("running_var") + NORM_EPSILON);
            let seen = &layer.sum / layer.count;
            let ratio = (&layer.squares / layer.count - seen.square() + NORM_EPSILON) / &variance;
            let shift = (seen - mean).square() / variance;
            let divergence: Tensor = (&ratio + shift - 1.0 - ratio.clamp_min(f64::MIN_POSITIVE).log()) * 0.5;
            divergence.mean(Kind::Double).double_value(&[])
        });
        divergences.collect()
    }
}

struct Runner<'a> {
    params: &'a Params,
    mode: Mode,
    allow_tf32: bool,
    /// Dropout layers passed so far.
    dropouts: Cell<u64>,
    /// Where moments of the inputs of batch normalizations go, if they are wanted.
    observed: Option<&'a RefCell<Vec<Moments>>>,
}

impl<'a> Runner<'a> {
    fn new(params: &'a Params, mode: Mode, allow_tf32: bool) -> Self {
        Self { params, mode, allow_tf32, dropouts: Cell::new(0), observed: None }
    }

    /// Each number is 0 with this probability; the others grow so that the mean stays.
    fn dropout(&self, x: &Tensor, probability: f64, seed: u64) -> Tensor {
        let number = self.dropouts.replace(self.dropouts.get() + 1);
        let mut rng = generator(seed, "dropout", &[number]);
        let kept = (1.0 - probability).max(f64::MIN_POSITIVE).recip() as f32;
        let mut factor = || if rng.random::<f64>() < probability { 0.0 } else { kept };
        let factors: Vec<f32> = (0..x.numel()).map(|_| factor()).collect();
        x * Tensor::from_slice(&factors).to_device(x.device()).to_kind(x.kind()).view_as(x)
    }

    /// `owned`: nobody else needs the values of `x`, so it may be overwritten.
    fn layers(&self, layers: &[Layer], mut x: Tensor, mut owned: bool) -> Tensor {
        for layer in layers {
            x = self.layer(layer, x, owned);
            owned |= !matches!(layer, Layer::Flatten | Layer::Dropout { .. });
        }
        x
    }

    fn layer(&self, layer: &Layer, mut x: Tensor, owned: bool) -> Tensor {
        match layer {
            Layer::Clamp => x.clamp(0.0, 1.0),
            Layer::Standardize { name, .. } => {
                (x - per_channel(self.params.of(name, "bias"), 4))
                    / per_channel(self.params.of(name, "weight"), 4)
            }
            Layer::StandardizeEach => standardized_each(&x),
            Layer::StandardizeBy { mean, std } => {
                let like = |values: &[f64]| {
                    per_channel(&Tensor::from_slice(values), 4).to_kind(x.kind()).to_device(x.device())
                };
                (&x - like(mean)) / like(std)
            }
            Layer::Rescale { name } => {
                let (min, max) = (self.params.of(name, "scale_min"), self.params.of(name, "scale_max"));
                x * (max - min) + min
            }
            Layer::Pad { before, after } => x.zero_pad2d(*before, *after, *before, *after),
            Layer::Subsample { stride, channels } => x
                .slice(2, 0, None, *stride)
                .slice(3, 0, None, *stride)
                .constant_pad_nd([0, 0, 0, 0, *channels, *channels]),
            Layer::Conv { name, stride, padding, groups, bias, .. } => {
                let weight = self.params.of(name, "weight");
                let bias = bias.then(|| self.params.of(name, "bias"));
                let (x, stride) = sampled(x, weight, *stride, *padding);
                x.to_kind(weight.kind()).internal_convolution(
                    weight,
                    bias,
                    [stride, stride],
                    [*padding, *padding],
                    [1, 1],
                    false,
                    [0, 0],
                    *groups,
                    false,
                    true,
                    true,
                    self.allow_tf32,
                )
            }
            Layer::Linear { name, bias, .. } => {
                let weight = self.params.of(name, "weight");
                let bias = bias.then(|| self.params.of(name, "bias"));
                x.to_kind(weight.kind()).linear(weight, bias)
            }
            Layer::Normalize { name, norm, channels } => self.normalize(&x, name, *norm, *channels),
            Layer::Affine { name, .. } => {
                let weight = per_channel(self.params.of(name, "weight"), x.dim());
                let bias = per_channel(self.params.of(name, "bias"), x.dim());
                // One pass over the images instead of two.
                bias.addcmul(&x, &weight)
            }
            Layer::Activate { activation: Activation::Relu } if owned => x.relu_(),
            Layer::Activate { activation } => activate(*activation, &x),
            Layer::MaxPool { kernel, stride, padding } => {
                x.max_pool2d([*kernel; 2], [*stride; 2], [*padding; 2], [1, 1], false)
            }
            Layer::AveragePool { kernel } => {
                x.avg_pool2d([*kernel; 2], [*kernel; 2], [0, 0], false, true, None)
            }
            Layer::GlobalAveragePool => x.mean_dim([2i64, 3].as_slice(), true, x.kind()),
            Layer::Flatten => x.flatten(1, -1),
            Layer::Dropout { probability } => match self.mode {
                Mode::Train { seed } => self.dropout(&x, *probability, seed),
                Mode::Evaluate => x,
            },
            Layer::Residual { body, shortcut, .. } => {
                let mut sum = self.layers(body, x.shallow_clone(), false);
                let other = if shortcut.is_empty() { x } else { self.layers(shortcut, x, false) };
                sum.g_add_(&other)
            }
            Layer::Concatenate { body, .. } => {
                let before = self.layers(body, x.shallow_clone(), false);
                Tensor::cat(&[before, x], 1)
            }
            Layer::Scale { factor } => x * *factor,
            Layer::NormalizeLogits => normalized_logits(&x),
        }
    }

    fn normalize(&self, x: &Tensor, name: &str, norm: Norm, channels: i64) -> Tensor {
        let weight = norm.is_affine().then(|| self.params.of(name, "weight"));
        let bias = norm.is_affine().then(|| self.params.of(name, "bias"));
        let shifted;
        let weight = if norm == Norm::Reparameterized {
            shifted = weight.expect("rebn is affine") + 1.0;
            Some(&shifted)
        } else {
            weight
        };
        if !norm.has_statistics() {
            let groups = groups(channels).expect("checked when the topology was built");
            return x.group_norm(groups, weight, bias, NORM_EPSILON, true);
        }
        if let Some(observed) = self.observed {
            observed.borrow_mut().push(moments(x, name));
        }
        let training = self.mode != Mode::Evaluate;
        if training {
            let _ = self.params.of(name, "num_batches_tracked").shallow_clone().g_add_scalar_(1);
        }
        x.batch_norm(
            weight,
            bias,
            Some(self.params.of(name, "running_mean")),
            Some(self.params.of(name, "running_var")),
            training,
            NORM_MOMENTUM,
            NORM_EPSILON,
            true,
        )
    }
}

fn moments(x: &Tensor, name: &str) -> Moments {
    let axes: &[i64] = if x.dim() == 4 { &[0, 2, 3] } else { &[0] };
    let sum = |tensor: &Tensor| tensor.sum_dim_intlist(axes, false, tensor.kind()).to_kind(Kind::Double);
    let count = x.numel() as f64 / x.size()[1] as f64;
    Moments { name: name.to_owned(), sum: sum(x), squares: sum(&x.square()), count }
}

/// What a convolution sees, and its stride. A convolution of one pixel with a stride is one without on every so many
/// pixels. Where the weights need gradients it is computed so: oneDNN 3.10 (of libtorch 2.11) writes beyond its memory
/// in the gradient of the strided one, for batches that its threads cannot share evenly.
fn sampled(x: Tensor, weight: &Tensor, stride: i64, padding: i64) -> (Tensor, i64) {
    if stride == 1 || padding > 0 || weight.size()[2..] != [1, 1] || !weight.requires_grad() {
        return (x, stride);
    }
    (x.slice(2, 0, None, stride).slice(3, 0, None, stride), 1)
}

/// Every image by its own mean and (unbiased) standard deviation, which is at least `1 / sqrt(C H W)`.
fn standardized_each(x: &Tensor) -> Tensor {
    let axes = [1i64, 2, 3];
    let mean = x.mean_dim(axes.as_slice(), true, x.kind());
    let pixels: i64 = x.size()[1..].iter().product();
    let deviation = x.std_dim(axes.as_slice(), true, true).clamp_min((pixels as f64).sqrt().recip());
    (x - mean) / deviation
}

/// Logits minus their mean, divided by the root of their mean square (which is at least 1e-10), per example; in float32 or
/// better.
fn normalized_logits(logits: &Tensor) -> Tensor {
    let logits =
        if logits.kind() == Kind::BFloat16 { logits.to_kind(Kind::Float) } else { logits.shallow_clone() };
    let mean = |x: &Tensor| x.mean_dim([1i64].as_slice(), true, x.kind());
    let centred = &logits - mean(&logits);
    &centred * mean(&centred.square()).clamp_min(1e-20).rsqrt()
}

/// A vector of channel values, shaped to combine with images (rank 4) or features (rank 2).
fn per_channel(values: &Tensor, rank: usize) -> Tensor {
    if rank == 4 { values.view([1, -1, 1, 1]) } else { values.view([1, -1]) }
}

/// Applies an activation.
pub fn activate(activation: Activation, x: &Tensor) -> Tensor {
    match activation {
        Activation::Relu => x.relu(),
        Activation::Sigmoid => x.sigmoid(),
        Activation::Tanh => x.tanh(),
        Activation::LeakyRelu => x.clamp_min(0.0) + x.clamp_max(0.0) * 0.25,
        Activation::LeakyTanh => (x.clamp_max(0.0) * 0.25 + x.clamp_min(0.0)) * x.tanh(),
        Activation::Softsign => x / (x.abs() + 1.0),
        Activation::Silu => x.silu(),
        Activation::Softplus => x.softplus(),
        Activation::Mish => x.mish(),
        Activation::Gelu => x.gelu("none"),
    }
}

/// Images in channels-last memory order: what convolutions are fastest on.
pub fn channels_last(x: &Tensor) -> Tensor {
    if x.dim() == 4 { x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]) } else { x.shallow_clone() }
}

/// Device and kind of a network's tensors.
pub fn place(params: &Params) -> Option<(Device, Kind)> {
    params.0.values().find(|t| t.is_floating_point()).map(|t| (t.device(), t.kind()))
}
