//! Choices by the names that they have in job files.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The choice with this name.
///
/// # Errors
/// There is none; the message lists those there are.
pub fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|error| error.to_string().replace('`', ""))
}
