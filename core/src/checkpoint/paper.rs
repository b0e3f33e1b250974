//! Networks of the paper's program as its full files describe them, by class and arguments.

use serde_json::{Map, Value};

use super::raw::Named;
use crate::model::{Activation, Architecture, Family, InputNormalization, LeNet, Mlp, Norm, ResNet};

/// What a file describes.
pub struct Described {
    /// The network.
    pub architecture: Architecture,
    /// What the user should know.
    pub notices: Vec<String>,
}

/// The network of a file that names its class and arguments. `None`: it does not.
///
/// # Errors
/// It names a class or setting that Basin does not know; a sentence without the path.
pub fn from_arguments(values: &Value, tensors: &Named) -> Option<Result<Described, String>> {
    let class = values.get("model_class")?.as_str()?;
    let empty = Map::new();
    let map = |key: &str| values.get(key).and_then(Value::as_object).unwrap_or(&empty);
    let mut settings = map("arguments").clone();
    // The include_… attributes are not read back by the paper's program; the keyword arguments are.
    settings.extend(map("kwargs").iter().map(|(key, value)| (key.clone(), value.clone())));
    Some(architecture(class, &Settings(&settings), tensors))
}

struct Settings<'a>(&'a Map<String, Value>);

impl Settings<'_> {
    fn flag(&self, key: &str, default: bool) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(default)
    }
    fn text(&self, key: &str, default: &str) -> String {
        self.0.get(key).and_then(Value::as_str).unwrap_or(default).to_owned()
    }
    fn integer(&self, key: &str, default: i64) -> i64 {
        self.0.get(key).and_then(Value::as_i64).unwrap_or(default)
    }
    fn number(&self, key: &str, default: f64) -> f64 {
        self.0.get(key).and_then(Value::as_f64).unwrap_or(default)
    }
    fn integers(&self, key: &str, default: &[i64]) -> Vec<i64> {
        match self.0.get(key).and_then(Value::as_array) {
            Some(items) => items.iter().filter_map(Value::as_i64).collect(),
            None => default.to_vec(),
        }
    }
}

fn architecture(class: &str, settings: &Settings, tensors: &Named) -> Result<Described, String> {
    let mut notices = Vec::new();
    let family = match class {
        "ResNet" => Family::ResNet(ResNet {
            blocks: settings.integers("blocks", &[3, 3, 3]).into_iter().map(|n| n.max(0) as usize).collect(),
            bottleneck: settings.text("block", "") == "bottleneck",
            channels: settings.integer("channels", 64),
        }),
        "LeNet" => Family::LeNet(LeNet {
            channels: settings.integer("channels", 64),
            linear: settings.integer("linear", 1024),
        }),
        "MLP" => Family::Mlp(Mlp { units: settings.integers("units", &[64, 64, 64]) }),
        other => {
            return Err(format!(
                "holds a network of class {other:?}, which Basin does not know (it knows ResNet, LeNet and MLP of the paper's program)"
            ));
        }
    };
    let resolution = settings.integers("resolution", &[3, 32, 32]);
    let resolution = match resolution.as_slice() {
        [c, h, w] => [*c, *h, *w],
        [h, w] => [1, *h, *w],
        [n] => [1, 1, *n],
        _ => {
            return Err(format!("names the resolution {resolution:?}, which is not channels, height, width"));
        }
    };
    let name = settings.text("normalization", "bn");
    let normalization = match name.as_str() {
        "" => None,
        // The paper's program accepts these and builds the identity.
        "nregn" | "fixednregn" => {
            notices.push(format!("normalization {name:?} means none, as in the paper's program"));
            None
        }
        name => Some(
            Norm::from_name(name)
                .ok_or_else(|| format!("uses the normalization {name:?}, which Basin does not know"))?,
        ),
    };
    let name = settings.text("activation", "relu");
    let activation = Activation::from_name(&name)
        .ok_or_else(|| format!("uses the activation {name:?}, which Basin does not know"))?;
    let whiten = settings.flag("whiten", false) || tensors.contains_key("whiten.weight");
    Ok(Described {
        architecture: Architecture {
            global_mean: false,
            family,
            classes: settings.integer("N_class", 10),
            resolution,
            normalization,
            activation,
            bias: settings.flag("bias", true),
            clamp: settings.flag("clamp", true),
            whiten,
            rescale: !whiten
                && (settings.flag("rescale", false) || tensors.contains_key("rescale.scale_min")),
            dropout: settings.flag("dropout", false),
            input: InputNormalization::None,
            scale: settings.number("scale", 1.0),
        },
        notices,
    })
}
