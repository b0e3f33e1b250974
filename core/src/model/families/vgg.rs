//! VGG networks of kuangliu and of loss-landscape (VGG-9 with a hidden linear layer).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::topology::{Layer, Norm};
use super::keys::{Keys, most_common};
use super::stack::{Build, Found, Shared, Stack};
use crate::error::{Error, Result};

/// 3x3 convolutions in stages; max pooling ends each stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Vgg {
    /// Convolutions per stage.
    pub convolutions: Vec<usize>,
    /// Width of each stage.
    pub widths: Vec<i64>,
    /// Width of a hidden linear layer (VGG-9 of loss-landscape), 0 for none.
    pub hidden: i64,
}

impl Default for Vgg {
    /// VGG-16.
    fn default() -> Self {
        Self { convolutions: vec![2, 2, 3, 3, 3], widths: vec![64, 128, 256, 512, 512], hidden: 0 }
    }
}

impl Build for Vgg {
    fn name(&self) -> &'static str {
        "VGG"
    }

    fn title(&self) -> String {
        let linear = if self.hidden > 0 { 2 } else { 1 };
        // The published names count three linear layers; those for small images have one.
        let extra = if self.hidden == 0 { 2 } else { 0 };
        let depth = self.convolutions.iter().sum::<usize>() + linear + extra;
        let usual = self.widths.first().is_none_or(|width| *width == 64);
        let width = if usual { String::new() } else { format!(", {} channels", self.widths[0]) };
        format!("VGG-{depth}{width}")
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        if self.convolutions.len() != self.widths.len() || self.convolutions.is_empty() {
            return Err(Error::invalid("a VGG needs one width for each of its stages"));
        }
        let [mut input, height, width] = stack.shared.resolution;
        let mut place = 0;
        for (count, width) in self.convolutions.iter().zip(&self.widths) {
            for _ in 0..*count {
                stack.push(Layer::Conv {
                    name: format!("features.{place}"),
                    input,
                    output: *width,
                    kernel: 3,
                    stride: 1,
                    padding: 1,
                    groups: 1,
                    bias: true,
                });
                stack.norm(format!("features.{}", place + 1), *width)?;
                stack.activate();
                place += if stack.shared.normalization.is_some() { 3 } else { 2 };
                input = *width;
            }
            stack.push(Layer::HALVE);
            place += 1;
        }
        stack.push(Layer::Flatten);
        let stages = self.widths.len().min(16);
        let mut features = input * (height >> stages).max(1) * (width >> stages).max(1);
        if self.hidden > 0 {
            stack.push(Layer::Linear {
                name: "fc.0".into(),
                input: features,
                output: self.hidden,
                bias: true,
            });
            stack.norm("fc.1", self.hidden)?;
            stack.activate();
            features = self.hidden;
        }
        stack.linear("classifier", features, stack.shared.classes);
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        None
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        let mut widths = self.widths.clone();
        widths.push(self.hidden.max(1));
        (self.convolutions.clone(), widths)
    }
}

/// Convolutions per stage of the published networks: VGG-9, 11, 13, 16, 19.
const PUBLISHED: [&[usize]; 5] =
    [&[2, 2, 3], &[1, 1, 2, 2, 2], &[2, 2, 2, 2, 2], &[2, 2, 3, 3, 3], &[2, 2, 4, 4, 4]];

/// Tensors of every such network.
pub(super) const ANCHORS: &[&str] = &["features.0.weight"];

/// Convolutions per stage as they stand one after the other in the file, up to the first gap.
fn walked(is_conv: impl Fn(usize) -> bool, step: usize) -> Vec<usize> {
    let (mut convolutions, mut place) = (vec![0usize], 0);
    while is_conv(place) {
        if let Some(last) = convolutions.last_mut() {
            *last += 1;
        }
        if !is_conv(place + step) && is_conv(place + step + 1) {
            convolutions.push(0);
            place += 1;
        }
        place += step;
    }
    convolutions
}

/// Places of the convolutions of each stage, in `features`.
fn places(convolutions: &[usize], step: usize) -> Vec<Vec<usize>> {
    let mut next = 0;
    let mut stage = |count: &usize| {
        let places = (0..*count).map(|index| next + index * step).collect();
        next += count * step + 1;
        places
    };
    convolutions.iter().map(&mut stage).collect()
}

pub(super) fn recognize(keys: &Keys) -> Found<Vgg> {
    let images = keys.size("features.0.weight", 1)?;
    let shape = |place: usize| keys.shape(&format!("features.{place}.weight"));
    let is_conv = |place: usize| shape(place).is_some_and(|shape| shape.len() == 4);
    let normalized = shape(1).is_some_and(|shape| shape.len() == 1);
    let step = if normalized { 3 } else { 2 };
    // Where the file has a gap, the published network that differs in the fewest convolutions is meant.
    let there: Vec<usize> = (0..keys.count("features.", 0)).filter(|place| is_conv(*place)).collect();
    let misfits = |convolutions: &Vec<usize>| {
        let wanted: Vec<usize> = places(convolutions, step).concat();
        let missing = wanted.iter().filter(|place| !there.contains(place)).count();
        missing + there.iter().filter(|place| !wanted.contains(place)).count()
    };
    let published = PUBLISHED.iter().map(|convolutions| convolutions.to_vec());
    let convolutions = std::iter::once(walked(is_conv, step)).chain(published).min_by_key(misfits)?;
    let width = |places: &Vec<usize>| {
        let of = |place: usize| [shape(place), shape(place + 1).filter(|_| normalized)];
        most_common(
            places.iter().flat_map(|place| of(*place)).flatten().filter_map(|shape| shape.first().copied()),
        )
    };
    let widths = places(&convolutions, step).iter().map(width).collect::<Option<Vec<i64>>>()?;
    let (last, stages) = (*widths.last()?, widths.len());
    let hidden = keys.size("fc.0.weight", 0).unwrap_or(0);
    let classes = keys.classes("classifier");
    let features = keys.size("fc.0.weight", 1).or_else(|| keys.size("classifier.weight", 1)).unwrap_or(last);
    let side = ((features / last.max(1)) as f64).sqrt().round() as i64;
    let side = side.clamp(1, 1 << 16) << stages.min(16);
    let shared = Shared::plain(
        classes,
        [images, side, side],
        keys.has("classifier.bias") || !keys.has("classifier.weight"),
    );
    let shared = Shared { normalization: normalized.then_some(Norm::Batch), ..shared };
    Some(vec![(Vgg { convolutions, widths, hidden }, shared)])
}
