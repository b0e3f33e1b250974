//! Architectures by the names that the field has for them: `wrn-28-10`, `preact-resnet18`.

use super::super::input::InputNormalization;
use super::super::topology::{Activation, Norm};
use super::architecture::{Architecture, Family};
use super::deepmind::{DeepMindPreActResNet, DeepMindWideResNet};
use super::densenet::DenseNet;
use super::paper::{LeNet, Mlp, ResNet};
use super::preact_resnet::PreActResNet;
use super::resnet::PostActResNet;
use super::resnext::ResNeXt;
use super::small_cnn::SmallCnn;
use super::vgg::Vgg;
use super::wide_resnet::WideResNet;
use crate::error::{Error, Result};

/// Names with what they mean; `N` stands for a number.
pub const NAMES: [(&str, &str); 12] = [
    ("paper-resnet18", "ResNet of the paper, re-parameterized batch normalization (also 34, 50)"),
    ("resnet18", "post-activation ResNet of kuangliu (also 34, 50, 101, 152)"),
    ("resnet20", "three-stage ResNet for CIFAR (also 32, 44, 56, 110)"),
    ("preact-resnet18", "pre-activation ResNet of AWP (also 34, 50, 101, 152)"),
    ("wrn-28-10", "WideResNet of TRADES: wrn-DEPTH-WIDEN"),
    ("dm-wrn-28-10", "WideResNet of DeepMind with SiLU: dm-wrn-DEPTH-WIDEN"),
    ("dm-preact-resnet18", "pre-activation ResNet of DeepMind with SiLU"),
    ("vgg16", "VGG with batch normalization (also vgg9, 11, 13, 19)"),
    ("densenet121", "DenseNet of kuangliu (also 161, 169, 201)"),
    ("resnext29", "ResNeXt-29, 4x32d of AugMix"),
    ("small-cnn", "SmallCNN of TRADES for MNIST"),
    ("lenet", "LeNet of the paper; mlp is its multi-layer perceptron"),
];

/// Blocks per stage of a residual network of this depth with four stages, and whether they are bottlenecks.
fn four_stages(depth: i64) -> Option<(Vec<usize>, bool)> {
    Some(match depth {
        18 => (vec![2, 2, 2, 2], false),
        34 => (vec![3, 4, 6, 3], false),
        50 => (vec![3, 4, 6, 3], true),
        101 => (vec![3, 4, 23, 3], true),
        152 => (vec![3, 8, 36, 3], true),
        _ => return None,
    })
}

/// Whether a published network has these blocks in its stages, or convolutions.
fn is_published(blocks: &[usize]) -> bool {
    let residual = [18, 34, 50, 101, 152].into_iter().filter_map(four_stages).map(|(blocks, _)| blocks);
    let dense = [121, 161, 169, 201].into_iter().filter_map(densenet).map(|network| network.blocks);
    let plain = [9, 11, 13, 16, 19].into_iter().filter_map(vgg).map(|network| network.convolutions);
    residual.chain(dense).chain(plain).any(|known| known == blocks)
}

fn vgg(depth: i64) -> Option<Vgg> {
    let convolutions = match depth {
        9 => return Some(Vgg { convolutions: vec![2, 2, 3], widths: vec![64, 128, 256], hidden: 256 }),
        11 => vec![1, 1, 2, 2, 2],
        13 => vec![2; 5],
        16 => vec![2, 2, 3, 3, 3],
        19 => vec![2, 2, 4, 4, 4],
        _ => return None,
    };
    Some(Vgg { convolutions, ..Vgg::default() })
}

fn densenet(depth: i64) -> Option<DenseNet> {
    let (blocks, growth) = match depth {
        121 => (vec![6, 12, 24, 16], 32),
        161 => (vec![6, 12, 36, 24], 48),
        169 => (vec![6, 12, 32, 32], 32),
        201 => (vec![6, 12, 48, 32], 32),
        _ => return None,
    };
    Some(DenseNet { blocks, growth })
}

/// The family of a name; none: there is no such name.
fn family(name: &str) -> Option<Family> {
    // `preact-resnet18` and `PreActResNet-18` are the same.
    let plain: String = name.to_lowercase().chars().filter(|letter| !"-_ ".contains(*letter)).collect();
    let number = |prefix: &str| plain.strip_prefix(prefix).and_then(|rest| rest.parse::<i64>().ok());
    let wide = |prefixes: &[&str]| {
        let lower = name.to_lowercase().replace('_', "-");
        let rest = prefixes.iter().find_map(|prefix| lower.strip_prefix(prefix))?;
        let (depth, widen) = rest.trim_start_matches('-').split_once('-')?;
        Some((depth.parse::<i64>().ok()?, widen.parse::<i64>().ok()?))
    };
    if let Some((depth, widen)) = wide(&["dm-wrn", "dm-wideresnet", "deepmind-wrn"]) {
        return Some(Family::DeepMindWideResNet(DeepMindWideResNet { depth, widen }));
    }
    if let Some((depth, widen)) = wide(&["wrn", "wideresnet", "wide-resnet"]) {
        return Some(Family::WideResNet(WideResNet { depth, widen }));
    }
    if let Some(depth) = number("dmpreactresnet") {
        let (blocks, bottleneck) = four_stages(depth)?;
        let family = Family::DeepMindPreActResNet(DeepMindPreActResNet { blocks, channels: 64 });
        return (!bottleneck).then_some(family);
    }
    if let Some(depth) = number("preactresnet").or_else(|| number("prn")) {
        let (blocks, bottleneck) = four_stages(depth)?;
        return Some(Family::PreActResNet(PreActResNet { blocks, bottleneck, ..PreActResNet::default() }));
    }
    if let Some(depth) = number("paperresnet") {
        let (blocks, bottleneck) = four_stages(depth)?;
        return Some(Family::ResNet(ResNet { blocks, bottleneck, channels: 64 }));
    }
    if let Some(depth) = number("resnet") {
        let stages = four_stages(depth);
        let small = (depth % 6 == 2 && depth > 2)
            .then(|| (vec![usize::try_from((depth - 2) / 6).unwrap_or(0); 3], false));
        let channels = if stages.is_some() { 64 } else { 16 };
        let (blocks, bottleneck) = stages.or(small)?;
        return Some(Family::PostActResNet(PostActResNet {
            blocks,
            bottleneck,
            channels,
            ..PostActResNet::default()
        }));
    }
    if let Some(depth) = number("vgg") {
        return vgg(depth).map(Family::Vgg);
    }
    if let Some(depth) = number("densenet") {
        return densenet(depth).map(Family::DenseNet);
    }
    match plain.as_str() {
        "resnext29" => Some(Family::ResNeXt(ResNeXt::default())),
        "smallcnn" => Some(Family::SmallCnn(SmallCnn::default())),
        "lenet" => Some(Family::LeNet(LeNet::default())),
        "mlp" => Some(Family::Mlp(Mlp::default())),
        _ => None,
    }
}

impl Architecture {
    /// Blocks in each stage, where no published network has these: neither the same number in all stages nor one of a
    /// known depth.
    pub fn unusual_blocks(&self) -> Option<Vec<usize>> {
        let blocks = self.stages();
        let uniform = blocks.windows(2).all(|pair| pair[0] == pair[1]);
        (!uniform && !is_published(&blocks)).then_some(blocks)
    }

    /// The architecture of a name such as `wrn-28-10`, for CIFAR-10. Networks of the paper standardize images by those
    /// they are trained on, DeepMind's by its constants; all others take images as they are, as in TRADES and AWP.
    ///
    /// # Errors
    /// There is none of this name; the names that there are.
    pub fn named(name: &str) -> Result<Self> {
        let Some(family) = family(name) else {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            return Err(Error::invalid(format!(
                "there is no architecture {name:?}; use one of {}, with other numbers where they are usual",
                names.join(", ")
            )));
        };
        let usual = Self { family, ..Self::default() };
        let plain = Self { normalization: Some(Norm::Batch), clamp: false, whiten: false, ..usual.clone() };
        Ok(match usual.family {
            Family::ResNet(_) | Family::LeNet(_) | Family::Mlp(_) => usual,
            Family::SmallCnn(_) => {
                Self { normalization: None, dropout: true, resolution: [1, 28, 28], ..plain }
            }
            Family::DeepMindWideResNet(_) | Family::DeepMindPreActResNet(_) => Self {
                activation: Activation::Silu,
                input: InputNormalization::named("cifar10", 3).unwrap_or_default().in_single(),
                ..plain
            },
            _ => plain,
        })
    }
}
