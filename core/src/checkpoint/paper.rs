//! Recognizing networks of the paper's program from what a file says and from its keys.
//!
//! Full files name class and arguments; bare state dictionaries do not, so what keys and shapes cannot
//! tell (activation, clamp) is assumed and said in a notice.

use serde_json::{Map, Value};

use super::Named;
use crate::model::{Activation, Architecture, Family, Norm};

/// What a file turned out to be.
pub struct Recognized {
    /// The network.
    pub architecture: Architecture,
    /// What the user should know.
    pub notices: Vec<String>,
}

/// Recognizes a file that names its class and arguments. `None`: it does not.
///
/// # Errors
/// It names a class or setting that Basin does not know; a sentence without the path.
pub fn from_arguments(values: &Value, tensors: &Named) -> Option<Result<Recognized, String>> {
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

fn architecture(class: &str, settings: &Settings, tensors: &Named) -> Result<Recognized, String> {
    let mut notices = Vec::new();
    let family = match class {
        "ResNet" => Family::ResNet {
            blocks: settings.integers("blocks", &[3, 3, 3]).into_iter().map(|n| n.max(0) as usize).collect(),
            bottleneck: settings.text("block", "") == "bottleneck",
            channels: settings.integer("channels", 64),
        },
        "LeNet" => Family::LeNet {
            channels: settings.integer("channels", 64),
            linear: settings.integer("linear", 1024),
        },
        "MLP" => Family::Mlp { units: settings.integers("units", &[64, 64, 64]) },
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
    Ok(Recognized {
        architecture: Architecture {
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
            scale: settings.number("scale", 1.0),
        },
        notices,
    })
}

/// Recognizes a bare state dictionary by its keys.
///
/// # Errors
/// The keys are of no family that Basin knows; a sentence without the path.
pub fn from_keys(tensors: &Named) -> Result<Recognized, String> {
    let size = |key: &str, axis: usize| tensors.get(key).and_then(|t| t.shape.get(axis).copied());
    let unknown = || {
        let first: Vec<&str> = tensors.keys().take(4).map(String::as_str).collect();
        format!(
            "holds a network that Basin does not recognize (its tensors begin with {}); it knows ResNet, LeNet and MLP of the paper's program",
            first.join(", ")
        )
    };
    let outputs = size("logits.weight", 0).ok_or_else(unknown)?;
    let norm = |prefix: &str, number: usize| {
        ["bn", "rebn", "gn", "fixedbn"]
            .into_iter()
            .find(|n| tensors.keys().any(|key| key.starts_with(&format!("{prefix}{n}{number}."))))
            .and_then(Norm::from_name)
    };
    let count = |prefix: &str, suffix: &str, from: usize| {
        (from..).take_while(|i| tensors.contains_key(&format!("{prefix}{i}{suffix}"))).count()
    };
    let (family, resolution, normalization, bias);
    if tensors.contains_key("block0.0.conv1.weight") {
        let stages = count("block", ".0.conv1.weight", 0);
        let blocks = (0..stages).map(|s| count(&format!("block{s}."), ".conv1.weight", 0)).collect();
        let channels = size("conv1.weight", 0).ok_or_else(unknown)?;
        let input = size("conv1.weight", 1).ok_or_else(unknown)?;
        let side = if input == 1 { 28 } else { 32 };
        family =
            Family::ResNet { blocks, bottleneck: tensors.contains_key("block0.0.conv3.weight"), channels };
        resolution = [input, side, side];
        normalization = norm("", 1);
        bias = tensors.contains_key("logits.bias");
    } else if tensors.contains_key("conv0.weight") {
        let layers = count("conv", ".weight", 0);
        let channels = size("conv0.weight", 0).ok_or_else(unknown)?;
        let input = size("conv0.weight", 1).ok_or_else(unknown)?;
        let last = layers - 1;
        let fc = format!("fc{last}.weight");
        let features = size(&fc, 1).or_else(|| size("logits.weight", 1)).ok_or_else(unknown)?;
        let width = size(&format!("conv{last}.weight"), 0).ok_or_else(unknown)?;
        let side = ((features / width.max(1)) as f64).sqrt().round() as i64;
        family = Family::LeNet { channels, linear: size(&fc, 0).unwrap_or(0) };
        let side = side << layers.min(16);
        resolution = [input, side, side];
        normalization = norm("", 0);
        bias = tensors.contains_key("logits.bias");
    } else if tensors.contains_key("lin1.weight") {
        let units =
            (1..=count("lin", ".weight", 1)).filter_map(|i| size(&format!("lin{i}.weight"), 0)).collect();
        family = Family::Mlp { units };
        resolution = match size("lin1.weight", 1).ok_or_else(unknown)? {
            784 => [1, 28, 28],
            3072 => [3, 32, 32],
            features => [1, 1, features],
        };
        normalization = norm("", 1);
        bias = tensors.contains_key("logits.bias");
    } else {
        return Err(unknown());
    }
    let mut notices = vec![
        "the file does not name its activation: ReLU is assumed; check the clean error".to_owned(),
        "the file does not say whether inputs are clamped to [0, 1]: they are".to_owned(),
    ];
    if normalization.is_none() {
        notices.push("no normalization has tensors in the file: none is assumed".into());
    }
    Ok(Recognized {
        architecture: Architecture {
            family,
            classes: if outputs == 1 { 2 } else { outputs },
            resolution,
            normalization,
            activation: Activation::Relu,
            bias,
            clamp: true,
            whiten: tensors.contains_key("whiten.weight"),
            rescale: tensors.contains_key("rescale.scale_min"),
            dropout: false,
            scale: 1.0,
        },
        notices,
    })
}
