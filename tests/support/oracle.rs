//! Files of the paper's program (`tests/reference`).
#![allow(dead_code, reason = "each test program uses a part")]

use std::path::PathBuf;

/// A file or folder below `tests/reference`.
pub fn reference(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/reference").join(name)
}

/// Parsed JSON below `tests/reference`.
pub fn json(name: &str) -> serde_json::Value {
    let path = reference(name);
    serde_json::from_str(
        &std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())),
    )
    .unwrap()
}
