//! The plain values of a pickle as JSON, and the classes of what is neither value nor tensor.

use serde_json::{Map, Value as Json};

use super::tensors::own_entries;
use crate::pickle::{Id, Pickle, Value};

/// Most values, and most levels, that are looked at.
const MOST_VALUES: usize = 100_000;
const MOST_LEVELS: usize = 32;

/// The values of a pickle, and the objects at its outermost level by name and class.
pub fn of(pickle: &Pickle) -> (Json, Vec<(String, String)>) {
    let mut left = MOST_VALUES;
    let values = json(pickle, pickle.root(), MOST_LEVELS, &mut left);
    let objects = own_entries(pickle, pickle.root()).into_iter().filter_map(|(name, id)| {
        let Value::Object(object) = pickle.get(id) else { return None };
        let class = pickle.class(object)?;
        let plain = class.name == "OrderedDict" || class.name.starts_with("_rebuild");
        (!plain).then(|| (name, format!("{}.{}", class.module, class.name)))
    });
    (values, objects.collect())
}

fn json(pickle: &Pickle, id: Id, levels: usize, left: &mut usize) -> Json {
    let Some(fewer) = levels.checked_sub(1).filter(|_| *left > 0) else { return Json::Null };
    *left -= 1;
    match pickle.get(id) {
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Bytes(_) | Value::Spelled(_) => {
            let text = pickle.text(id).unwrap_or_default();
            String::from_utf8_lossy(&text[..text.len().min(10_000)]).into()
        }
        Value::Tuple(items) | Value::List(items) => {
            let items = items.iter().take(*left);
            items.map(|&item| json(pickle, item, fewer, left)).collect()
        }
        Value::Dict(_) | Value::Object(_) => {
            if let Some(number) = pickle.number_of(id) {
                return number.into();
            }
            let entries = own_entries(pickle, id);
            if entries.is_empty() && !matches!(pickle.get(id), Value::Dict(_)) {
                return Json::Null;
            }
            let entries = entries.into_iter().map(|(name, value)| (name, json(pickle, value, fewer, left)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Value::Persistent(_) | Value::Global(_) | Value::None | Value::Opaque => Json::Null,
    }
}
