//! Arrays of the paper's program (`.npz`), and how far others are from them.

use std::collections::HashMap;
use std::io::Read as _;

use tch::{Kind, Tensor};

use super::oracle::reference;

/// Arrays of an `.npz`; text arrays are left out.
pub struct Npz {
    name: String,
    arrays: HashMap<String, Tensor>,
}

impl Npz {
    /// Reads all arrays.
    pub fn open(name: &str) -> Self {
        let file = std::fs::File::open(reference(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut archive = zip::ZipArchive::new(file).unwrap();
        let mut arrays = HashMap::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).unwrap();
            let key = entry.name().unwrap().trim_end_matches(".npy").to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            if let Some(array) = parse_npy(&bytes) {
                arrays.insert(key, array);
            }
        }
        Self { name: name.to_owned(), arrays }
    }

    /// An array.
    pub fn get(&self, key: &str) -> &Tensor {
        self.arrays.get(key).unwrap_or_else(|| panic!("{} has no {key}", self.name))
    }

    /// An array that may be missing.
    pub fn find(&self, key: &str) -> Option<&Tensor> {
        self.arrays.get(key)
    }

    /// What stands behind `before` in the names of arrays, sorted.
    pub fn behind(&self, before: &str) -> Vec<&str> {
        let mut found: Vec<&str> = self.arrays.keys().filter_map(|key| key.strip_prefix(before)).collect();
        found.sort_unstable();
        found
    }
}

fn parse_npy(bytes: &[u8]) -> Option<Tensor> {
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    let field = |key: &str, end: char| {
        let from = header.find(key).unwrap() + key.len();
        let rest = header[from..].trim_start_matches([':', ' ', '\'', '(']);
        rest[..rest.find(end).unwrap()].to_owned()
    };
    let kind = match field("'descr'", '\'').as_str() {
        "<f4" => Kind::Float,
        "<f8" => Kind::Double,
        "<i8" => Kind::Int64,
        "<i4" => Kind::Int,
        "|u1" => Kind::Uint8,
        "|b1" => Kind::Bool,
        _ => return None,
    };
    let shape: Vec<i64> = field("'shape'", ')').split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let data = &bytes[10 + length..];
    if field("'fortran_order'", ',') == "True" {
        let reversed: Vec<i64> = shape.iter().rev().copied().collect();
        let axes: Vec<i64> = (0..shape.len() as i64).rev().collect();
        return Some(Tensor::from_data_size(data, &reversed, kind).permute(axes).contiguous());
    }
    Some(Tensor::from_data_size(data, &shape, kind))
}

/// Largest absolute difference, in float64.
pub fn max_abs_difference(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    if a.numel() == 0 {
        return 0.0;
    }
    (a.to_kind(Kind::Double) - b.to_kind(Kind::Double)).abs().max().double_value(&[])
}

/// Largest absolute difference relative to the largest value of `b`.
pub fn relative_difference(a: &Tensor, b: &Tensor) -> f64 {
    max_abs_difference(a, b) / b.to_kind(Kind::Double).abs().max().double_value(&[]).max(1e-300)
}
