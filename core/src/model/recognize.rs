//! The architecture that a topology was built from.

use super::families::{Architecture, Family};
use super::topology::{Activation, Layer, Topology};

impl Architecture {
    /// The settings that give this topology; none: it is no network of the paper's families.
    pub fn of(topology: &Topology) -> Option<Self> {
        let mut all = Vec::new();
        topology.visit(&mut |layer| all.push(layer.clone()));
        let (mut stem, mut hidden, mut units, mut logits_bias) = (None, 0, Vec::new(), true);
        let (mut blocks, mut bottleneck): (Vec<usize>, bool) = (Vec::new(), false);
        let mut found = Self {
            classes: topology.classes,
            resolution: topology.resolution,
            normalization: None,
            clamp: false,
            whiten: false,
            dropout: false,
            ..Self::default()
        };
        let mut activation = None;
        for layer in &all {
            match layer {
                Layer::Clamp => found.clamp = true,
                Layer::Standardize { .. } => found.whiten = true,
                Layer::Rescale { .. } => found.rescale = true,
                Layer::Dropout { .. } => found.dropout = true,
                Layer::Scale { factor } => found.scale = *factor,
                Layer::Normalize { norm, .. } => found.normalization = Some(*norm),
                Layer::Activate { activation: used } => activation = activation.or(Some(*used)),
                Layer::Conv { output, .. } => stem = stem.or(Some(*output)),
                Layer::Linear { name, bias, .. } if name == "logits" => logits_bias = *bias,
                Layer::Linear { output, .. } => {
                    hidden = *output;
                    units.push(*output);
                }
                Layer::Residual { name, body, .. } => {
                    let stage: usize = name.strip_prefix("block")?.split('.').next()?.parse().ok()?;
                    if stage >= blocks.len() {
                        blocks.push(0);
                    }
                    *blocks.last_mut()? += 1;
                    bottleneck = body.iter().filter(|part| matches!(part, Layer::Conv { .. })).count() > 2;
                }
                _ => {}
            }
        }
        found.bias = logits_bias;
        found.activation = activation.unwrap_or(Activation::Relu);
        found.family = match stem {
            Some(channels) if blocks.is_empty() => Family::LeNet { channels, linear: hidden },
            Some(channels) => Family::ResNet { blocks, bottleneck, channels },
            None => Family::Mlp { units },
        };
        let built = found.topology().ok()?;
        (built.layers == topology.layers).then_some(found)
    }
}
