//! The small network of TRADES for MNIST.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::topology::Layer;
use super::keys::Keys;
use super::stack::{Build, Found, Shared, Stack};
use crate::error::{Error, Result};

/// Four 3x3 convolutions without padding, two hidden linear layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SmallCnn {
    /// Width of the first two convolutions; the others have twice as many.
    pub channels: i64,
    /// Width of the hidden linear layers.
    pub hidden: i64,
}

impl Default for SmallCnn {
    fn default() -> Self {
        Self { channels: 32, hidden: 200 }
    }
}

/// Side of what is left of images.
fn left(side: i64) -> i64 {
    ((side - 4) / 2 - 4) / 2
}

impl Build for SmallCnn {
    fn name(&self) -> &'static str {
        "SmallCNN"
    }

    fn title(&self) -> String {
        format!("SmallCNN{}", super::resnet::width_words(self.channels, 32))
    }

    fn layers(&self, stack: &mut Stack) -> Result<()> {
        let [mut input, height, width] = stack.shared.resolution;
        if left(height) < 1 || left(width) < 1 {
            let resolution = stack.shared.resolution;
            return Err(Error::invalid(format!("images of {resolution:?} are too small for a SmallCNN")));
        }
        for number in 1..=4 {
            let output = if number < 3 { self.channels } else { 2 * self.channels };
            stack.push(Layer::Conv {
                name: format!("feature_extractor.conv{number}"),
                input,
                output,
                kernel: 3,
                stride: 1,
                padding: 0,
                groups: 1,
                bias: true,
            });
            stack.activate();
            if number % 2 == 0 {
                stack.push(Layer::HALVE);
            }
            input = output;
        }
        stack.push(Layer::Flatten);
        stack.linear("classifier.fc1", input * left(height) * left(width), self.hidden);
        stack.activate();
        stack.dropout(0.5);
        stack.linear("classifier.fc2", self.hidden, self.hidden);
        stack.activate();
        stack.linear("classifier.fc3", self.hidden, stack.shared.classes);
        Ok(())
    }

    fn channels(&mut self) -> Option<&mut i64> {
        Some(&mut self.channels)
    }

    fn sizes(&self) -> (Vec<usize>, Vec<i64>) {
        (Vec::new(), vec![self.channels, self.hidden])
    }
}

/// Tensors of every such network.
pub(super) const ANCHORS: &[&str] = &["feature_extractor.conv1.weight", "classifier.fc1.weight"];

pub(super) fn recognize(keys: &Keys) -> Found<SmallCnn> {
    if !keys.has_prefix("feature_extractor.conv") {
        return None;
    }
    let images = keys.size("feature_extractor.conv1.weight", 1).unwrap_or(1);
    let channels = keys.agreed(&[
        ("feature_extractor.conv1.weight", 0, 1),
        ("feature_extractor.conv2.weight", 0, 1),
        ("feature_extractor.conv3.weight", 0, 2),
    ])?;
    let hidden = keys.agreed(&[
        ("classifier.fc1.weight", 0, 1),
        ("classifier.fc2.weight", 0, 1),
        ("classifier.fc3.weight", 1, 1),
    ])?;
    let last = match keys.size("classifier.fc1.weight", 1) {
        Some(features) => ((features / (2 * channels).max(1)) as f64).sqrt().round() as i64,
        None => 4,
    };
    let side = last.clamp(1, 1 << 12) * 4 + 12;
    let shared = Shared::plain(keys.classes("classifier.fc3"), [images, side, side], true);
    let shared = Shared { normalization: None, dropout: true, ..shared };
    Some(vec![(SmallCnn { channels, hidden }, shared)])
}
