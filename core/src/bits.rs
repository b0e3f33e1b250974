//! The bits of float32 numbers as text, 8 hex digits each: exact, and a third of the size of decimals.

use std::fmt::Write as _;

use serde::{Deserialize as _, Deserializer, Serializer, de};

/// The digits.
pub fn to_hex(values: &[f32]) -> String {
    values.iter().fold(String::with_capacity(8 * values.len()), |mut text, value| {
        let _ = write!(text, "{:08x}", value.to_bits());
        text
    })
}

/// What [`to_hex`] wrote; none if it did not write this.
pub fn from_hex(text: &str) -> Option<Vec<f32>> {
    let number = |digits| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    text.as_bytes().chunks(8).map(|digits| number(digits).map(f32::from_bits)).collect()
}

/// For `#[serde(with = "crate::bits")]`.
pub fn serialize<S: Serializer>(values: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_hex(values))
}

/// For `#[serde(with = "crate::bits")]`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    from_hex(&text).ok_or_else(|| de::Error::custom("not the bits of float32 numbers"))
}
