//! Numbers that files have about their networks: what trainings stored beside the weights.

use serde_json::Value;

use super::raw::{Named, RawTensor};

/// Most numbers that are shown.
const MOST: usize = 40;

/// Plain numbers of a file by name, in the order of the file: accuracies and losses under their own names, learning
/// rates of optimizers. Not measured by Basin.
pub fn numbers(values: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Some(values) = values.as_object() else { return found };
    // Attributes of a pickled module are no results.
    if values.contains_key("_modules") || values.contains_key("training") {
        return found;
    }
    for (name, value) in values {
        match value {
            // The epoch is shown by itself.
            Value::Number(number) if name != "epoch" => found.push((name.clone(), number_words(number))),
            Value::Object(inner) => {
                let groups = inner.get("param_groups").map_or(&Value::Null, |groups| groups);
                let first = groups.get(0).or_else(|| groups.get("0"));
                if let Some(Value::Number(rate)) = first.and_then(|group| group.get("lr")) {
                    found.push((format!("{name}: learning rate"), number_words(rate)));
                }
            }
            _ => {}
        }
    }
    found.truncate(MOST);
    found
}

/// Takes out the tensors of one number that stand by themselves in the file: accuracies as `torch.Tensor`.
pub fn take_numbers(beside: &mut Named) -> Vec<(String, String)> {
    let is_number = |name: &String, tensor: &RawTensor| {
        !name.contains('.') && tensor.elements() == 1 && tensor.problem().is_none()
    };
    let names: Vec<String> = beside
        .iter()
        .filter(|(name, tensor)| is_number(name, tensor))
        .map(|(name, _)| name.clone())
        .collect();
    let numbers = names.into_iter().filter_map(|name| {
        let value = *beside.get(&name)?.floats().ok()?.first()?;
        beside.remove(&name);
        // As float32 has it, without the digits that float64 would add.
        Some((name, value.to_string()))
    });
    numbers.collect()
}

fn number_words(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(value) if !number.is_i64() && !number.is_u64() => {
            let text = format!("{value:.6}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => number.to_string(),
    }
}
