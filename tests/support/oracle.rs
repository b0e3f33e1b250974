//! Files of the paper's program (`tests/reference`), their settings included.
//!
//! Another set of the same layout stands in for them with `BASIN_ORACLE=DIR`; what it lacks is taken from here.
#![allow(dead_code, reason = "each test program uses a part")]

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A file or folder of the set.
pub fn reference(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let other = std::env::var_os("BASIN_ORACLE").map(|folder| root.join(folder).join(name));
    other.filter(|path| path.exists()).unwrap_or_else(|| root.join("tests/reference").join(name))
}

/// Parsed JSON of the set.
pub fn json(name: &str) -> Value {
    let path = reference(name);
    serde_json::from_str(
        &std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())),
    )
    .unwrap()
}

/// A number at a path of keys.
pub fn number(value: &Value, path: &[&str]) -> f64 {
    let found = path.iter().fold(value, |value, key| &value[*key]);
    found.as_f64().unwrap_or_else(|| panic!("no number at {path:?}"))
}

/// A whole number at a path of keys.
pub fn count(value: &Value, path: &[&str]) -> usize {
    let found = path.iter().fold(value, |value, key| &value[*key]);
    found.as_u64().unwrap_or_else(|| panic!("no whole number at {path:?}")) as usize
}

/// Test images as jobs name them, from first and end.
pub fn images(range: &Value) -> String {
    format!("test:{}..{}", count(&range[0], &[]), count(&range[1], &[]))
}
