//! Whether the layers of a network fit together: asked of every topology that comes from a file, because
//! libtorch would answer only when images go through.

use crate::model::{Layer, Norm, Topology, groups};

/// Largest number of channels, features, pixels per side or classes that is believed.
const LARGEST: i64 = 1 << 20;

/// Follows an image through the layers.
///
/// # Errors
/// A sentence without the path that names the first layer that does not fit.
pub fn check(topology: &Topology) -> Result<(), String> {
    let broken = |reason: String| format!("describes a network whose parts do not fit together: {reason}");
    let sizes = topology.resolution.iter().chain([&topology.classes]);
    if let Some(size) = sizes.into_iter().find(|size| !(1..=LARGEST).contains(*size)) {
        return Err(broken(format!("a size of {size}")));
    }
    let [c, h, w] = topology.resolution;
    match through(&topology.layers, Flow::Images([c, h, w])).map_err(broken)? {
        Flow::Features(n) if n == topology.outputs() => Ok(()),
        end => Err(broken(format!("{} classes, but the last layer gives {end}", topology.classes))),
    }
}

/// What passes between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Images([i64; 3]),
    Features(i64),
}

impl std::fmt::Display for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Images([c, h, w]) => write!(f, "{c} channels of {h} x {w}"),
            Self::Features(n) => write!(f, "{n} features"),
        }
    }
}

fn through(layers: &[Layer], start: Flow) -> Result<Flow, String> {
    layers.iter().try_fold(start, |flow, layer| after(layer, flow))
}

fn after(layer: &Layer, flow: Flow) -> Result<Flow, String> {
    let gets = |name: &str| Err(format!("{name} does not take {flow}"));
    let believable = |sizes: &[i64]| sizes.iter().all(|n| (1..=LARGEST).contains(n));
    let width = match flow {
        Flow::Images([channels, ..]) => channels,
        Flow::Features(n) => n,
    };
    match (layer, flow) {
        (Layer::Standardize { name, channels }, _) => match flow {
            Flow::Images([c, ..]) if c == *channels => Ok(flow),
            _ => gets(name),
        },
        (Layer::StandardizeBy { mean, std }, _) => match flow {
            Flow::Images([c, ..])
                if [mean.len() as i64, std.len() as i64] == [c, c]
                    && mean.iter().chain(std).all(|value| value.is_finite())
                    && std.iter().all(|value| *value > 0.0) =>
            {
                Ok(flow)
            }
            _ => gets("the standardization of channels"),
        },
        (
            Layer::Conv { name, input, output, kernel, stride, padding, groups, .. },
            Flow::Images([c, h, w]),
        ) => {
            let fits = c == *input
                && (0..LARGEST).contains(padding)
                && believable(&[*output, *kernel, *stride, *groups])
                && input % groups == 0
                && output % groups == 0;
            let side = |n: i64| (n + 2 * padding - kernel) / stride + 1;
            if !fits || h + 2 * padding < *kernel || w + 2 * padding < *kernel {
                return gets(name);
            }
            Ok(Flow::Images([*output, side(h), side(w)]))
        }
        (Layer::Linear { name, input, output, .. }, Flow::Features(n)) => {
            if n == *input && (1..=LARGEST).contains(output) {
                Ok(Flow::Features(*output))
            } else {
                gets(name)
            }
        }
        (Layer::Conv { name, .. } | Layer::Linear { name, .. }, _) => gets(name),
        (Layer::Normalize { name, norm, channels }, _) => {
            let grouped = matches!(norm, Norm::Group | Norm::FixedGroup);
            if width != *channels || (grouped && groups(*channels).is_err()) { gets(name) } else { Ok(flow) }
        }
        (Layer::Affine { name, channels }, _) => {
            if width == *channels {
                Ok(flow)
            } else {
                gets(name)
            }
        }
        (Layer::Pad { before, after }, Flow::Images([c, h, w]))
            if [before, after].iter().all(|n| (0..LARGEST).contains(*n)) =>
        {
            Ok(Flow::Images([c, h + before + after, w + before + after]))
        }
        (Layer::Subsample { stride, channels }, Flow::Images([c, h, w]))
            if believable(&[*stride]) && (0..LARGEST).contains(channels) =>
        {
            let side = |n: i64| (n + stride - 1) / stride;
            Ok(Flow::Images([c + 2 * channels, side(h), side(w)]))
        }
        (Layer::MaxPool { kernel, stride, padding }, Flow::Images([c, h, w]))
            if believable(&[*kernel, *stride])
                && (0..=kernel / 2).contains(padding)
                && h.min(w) + 2 * padding >= *kernel =>
        {
            let side = |n: i64| (n + 2 * padding - kernel) / stride + 1;
            Ok(Flow::Images([c, side(h), side(w)]))
        }
        (Layer::AveragePool { kernel }, Flow::Images([c, h, w]))
            if believable(&[*kernel]) && h.min(w) >= *kernel =>
        {
            Ok(Flow::Images([c, h / kernel, w / kernel]))
        }
        (Layer::GlobalAveragePool, Flow::Images([c, ..])) => Ok(Flow::Images([c, 1, 1])),
        (Layer::Pad { .. } | Layer::Subsample { .. }, _) => gets("the padding"),
        (Layer::NormalizeLogits, Flow::Images(_)) => gets("the normalization of logits"),
        (Layer::StandardizeEach, Flow::Features(_)) => gets("the standardization of each image"),
        (Layer::MaxPool { .. } | Layer::AveragePool { .. } | Layer::GlobalAveragePool, _) => {
            gets("the pooling")
        }
        (Layer::Concatenate { name, body }, _) => match (through(body, flow)?, flow) {
            (Flow::Images([a, h, w]), Flow::Images([b, ..])) if flow == Flow::Images([b, h, w]) => {
                Ok(Flow::Images([a.saturating_add(b), h, w]))
            }
            (before, _) => Err(format!("{name} puts {before} before {flow}")),
        },
        (Layer::Flatten, Flow::Images([c, h, w])) => {
            let features = c.saturating_mul(h).saturating_mul(w);
            Ok(Flow::Features(features))
        }
        (Layer::Residual { name, body, shortcut }, _) => {
            let (main, other) = (through(body, flow)?, through(shortcut, flow)?);
            if main == other { Ok(main) } else { Err(format!("{name} adds {main} to {other}")) }
        }
        (Layer::Dropout { probability }, _) if !(0.0..=1.0).contains(probability) => {
            Err(format!("a dropout of {probability}"))
        }
        (Layer::Scale { factor }, _) if !factor.is_finite() => Err(format!("a factor of {factor}")),
        (
            Layer::Clamp
            | Layer::StandardizeEach
            | Layer::Rescale { .. }
            | Layer::Activate { .. }
            | Layer::Flatten
            | Layer::Dropout { .. }
            | Layer::Scale { .. }
            | Layer::NormalizeLogits,
            _,
        ) => Ok(flow),
    }
}
