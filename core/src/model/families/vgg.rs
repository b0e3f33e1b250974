//! VGG networks of kuangliu and of loss-landscape (VGG-9 with a hidden linear layer).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::topology::{Layer, Norm};
use super::keys::Keys;
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

/// Tensors of every such network.
pub(super) const ANCHORS: &[&str] = &["features.0.weight"];

pub(super) fn recognize(keys: &Keys) -> Found<Vgg> {
    let images = keys.size("features.0.weight", 1)?;
    let is_conv =
        |place: usize| keys.shape(&format!("features.{place}.weight")).is_some_and(|s| s.len() == 4);
    let normalized = keys.shape("features.1.weight").is_some_and(|shape| shape.len() == 1);
    let step = if normalized { 3 } else { 2 };
    let (mut convolutions, mut widths) = (vec![0usize], Vec::new());
    let mut place = 0;
    while is_conv(place) {
        *convolutions.last_mut()? += 1;
        let width = keys.size(&format!("features.{place}.weight"), 0)?;
        if !is_conv(place + step) {
            widths.push(width);
            if is_conv(place + step + 1) {
                convolutions.push(0);
                place += 1;
            }
        }
        place += step;
    }
    let (last, stages) = (*widths.last()?, widths.len());
    let hidden = keys.size("fc.0.weight", 0).unwrap_or(0);
    let head = if keys.has("classifier.weight") { "classifier" } else { return None };
    let classes = keys.size(&format!("{head}.weight"), 0)?;
    let features = keys.size("fc.0.weight", 1).or_else(|| keys.size(&format!("{head}.weight"), 1))?;
    let side = ((features / last.max(1)) as f64).sqrt().round() as i64;
    let side = side.clamp(1, 1 << 16) << stages.min(16);
    let shared = Shared::plain(classes, [images, side, side], keys.has(&format!("{head}.bias")));
    let shared = Shared { normalization: normalized.then_some(Norm::Batch), ..shared };
    Some(vec![(Vgg { convolutions, widths, hidden }, shared)])
}
