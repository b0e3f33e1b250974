//! Names in pickles: of tensors, of storages, of what is beside them.

use crate::pickle::{Id, Pickle};

/// Longest part of a name, in bytes.
const LONGEST: usize = 1000;

/// Text or a number as a name; none: anything else, and what is too long for one.
pub fn key(pickle: &Pickle, id: Id) -> Option<String> {
    if let Some(number) = pickle.number_of(id) {
        return Some(number.to_string());
    }
    let text = pickle.content(id).filter(|text| text.len() <= LONGEST)?;
    Some(String::from_utf8_lossy(&text).into_owned())
}
