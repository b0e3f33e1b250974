//! Choices by the names that they have in job files.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The choice with this name.
///
/// # Errors
/// There is none; the message lists those there are.
pub fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|error| error.to_string().replace('`', ""))
}

/// The name of a choice.
pub fn spelled<T: Serialize>(choice: &T) -> String {
    match serde_json::to_value(choice) {
        Ok(Value::String(name)) => name,
        other => other.map_or_else(|_| String::new(), |value| value.to_string()),
    }
}
