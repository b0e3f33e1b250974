//! NPZ: named NumPy arrays in a zip file.
//!
//! Basin writes `x`, `y` (in 2-D), and `clean_loss`, `clean_error`, `robust_loss`, `robust_error` as far as they are
//! there, `[y][x]`, NaN where missing. `loss` and `error` are read as well, and Landscaper's `loss` with `coordinates`,
//! the steps along each axis.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::table::{Cells, Layer, MOST_CELLS, Table, finite};
use crate::measure::landscape::{Grid, LandscapeOutcome, Values};

/// An array with its shape, row by row.
struct Array {
    shape: Vec<usize>,
    values: Vec<f64>,
}

/// Reads a landscape.
///
/// # Errors
/// A sentence with what is missing or does not fit.
pub(super) fn read(bytes: &[u8]) -> Result<Table, String> {
    let damaged = |error: &dyn std::fmt::Display| format!("is truncated, damaged or no NPZ file ({error})");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let mut arrays = BTreeMap::new();
    let mut names = Vec::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(|error| damaged(&error))?;
        let name = entry.name().map_err(|error| damaged(&error))?.trim_end_matches(".npy").to_owned();
        names.push(name.clone());
        if !KNOWN.contains(&name.as_str()) {
            continue;
        }
        let mut content = Vec::new();
        entry.by_ref().take(MOST_BYTES).read_to_end(&mut content).map_err(|error| damaged(&error))?;
        let array = array(&content).map_err(|reason| format!("has an array {name} that {reason}"))?;
        arrays.insert(name, array);
    }
    let list =
        if names.is_empty() { "no arrays".to_owned() } else { names[..names.len().min(12)].join(", ") };
    let (x, y, layout) = match (arrays.remove("x"), arrays.remove("coordinates")) {
        (Some(x), _) => {
            let y = arrays.remove("y").map(|y| steps("y", y)).transpose()?;
            (steps("x", x)?, y, "NPZ")
        }
        (None, Some(coordinates)) => {
            let count = coordinates.shape.last().copied().unwrap_or(0).max(1);
            let mut axes = coordinates.values.chunks(count).map(<[f64]>::to_vec);
            match (coordinates.shape.len(), axes.next(), axes.next(), axes.next()) {
                (2, Some(x), y, None) => (x, y, "NPZ of Landscaper"),
                _ => {
                    let shape = coordinates.shape;
                    return Err(format!(
                        "has coordinates of the shape {shape:?}; Basin opens curves and surfaces"
                    ));
                }
            }
        }
        (None, None) => {
            return Err(format!(
                "holds no landscape: it has {list}; a landscape has x, y (of a surface) and loss"
            ));
        }
    };
    let shape: Vec<usize> = y.as_ref().map(Vec::len).into_iter().chain([x.len()]).collect();
    let mut cells = |name: String| -> Result<Option<Cells>, String> {
        match arrays.remove(&name) {
            None => Ok(None),
            Some(array) if array.shape == shape => Ok(Some(array.values.into_iter().map(finite).collect())),
            Some(array) => Err(format!("has {name} of the shape {:?}, expected is {shape:?}", array.shape)),
        }
    };
    let mut layer = |of: &str| -> Result<Option<Layer>, String> {
        let Some(loss) = cells(format!("{of}loss"))? else { return Ok(None) };
        Ok(Some(Layer { loss, error: cells(format!("{of}error"))? }))
    };
    let (clean, plain, robust) = (layer("clean_")?, layer("")?, layer("robust_")?);
    if clean.is_none() && plain.is_none() && robust.is_none() {
        return Err(format!("has the steps of a landscape but no loss; it has {list}"));
    }
    Ok(Table { layout, x, y, clean: clean.or(plain), robust, cosine: None, warnings: Vec::new() })
}

/// Arrays of a landscape.
const KNOWN: [&str; 9] =
    ["x", "y", "coordinates", "loss", "error", "clean_loss", "clean_error", "robust_loss", "robust_error"];
/// No array of a landscape is larger.
const MOST_BYTES: u64 = 8 * MOST_CELLS as u64 + 4096;

fn steps(name: &str, array: Array) -> Result<Vec<f64>, String> {
    match array.shape[..] {
        [_] => Ok(array.values),
        _ => Err(format!("has {name} of the shape {:?}; steps are one list", array.shape)),
    }
}

/// Reads an array of numbers in NumPy's format (versions 1 to 3).
fn array(bytes: &[u8]) -> Result<Array, String> {
    let short = || "ends early".to_owned();
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("is not in NumPy's format")?;
    let (start, size) = match *rest.first().ok_or_else(short)? {
        1 => (
            4,
            usize::from(u16::from_le_bytes([
                *rest.get(2).ok_or_else(short)?,
                *rest.get(3).ok_or_else(short)?,
            ])),
        ),
        _ => {
            let bytes = rest.get(2..6).ok_or_else(short)?;
            (6, u32::from_le_bytes(bytes.try_into().map_err(|_| short())?) as usize)
        }
    };
    let header = rest.get(start..start + size).ok_or_else(short)?;
    let header = std::str::from_utf8(header).map_err(|_| "has a header that is no text")?;
    let data = &rest[start + size..];
    let field = |name: &str| {
        let (_, after) = header.split_once(&format!("'{name}':"))?;
        Some(after.trim_start())
    };
    let (Some(kind), Some(order), Some(shape)) = (field("descr"), field("fortran_order"), field("shape"))
    else {
        return Err("has an unknown header".into());
    };
    let kind: String = kind.trim_start_matches('\'').chars().take_while(|c| *c != '\'').collect();
    let shape =
        shape.strip_prefix('(').and_then(|shape| shape.split_once(')')).ok_or("has an unknown shape")?.0;
    let shape: Vec<usize> = shape
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
        .map(|size| size.parse().map_err(|_| "has an unknown shape".to_owned()))
        .collect::<Result<_, _>>()?;
    let count = shape.iter().try_fold(1_usize, |all, size| all.checked_mul(*size));
    let count = count
        .filter(|count| *count <= MOST_CELLS)
        .ok_or_else(|| format!("has the shape {shape:?}, which is too large"))?;
    let values = numbers(&kind, data)?;
    if values.len() < count {
        return Err(short());
    }
    let values = match (order.starts_with("True"), &shape[..]) {
        (false, _) | (true, [_] | []) => values[..count].to_vec(),
        (true, &[rows, columns]) => (0..rows)
            .flat_map(|row| (0..columns).map(move |column| column * rows + row))
            .map(|at| values[at])
            .collect(),
        (true, _) => return Err("is stored in Fortran's order; save it with numpy.ascontiguousarray".into()),
    };
    Ok(Array { shape, values })
}

/// Numbers of a NumPy type as float64.
fn numbers(kind: &str, data: &[u8]) -> Result<Vec<f64>, String> {
    macro_rules! read {
        ($type:ty) => {{
            let size = size_of::<$type>();
            let values = data.chunks_exact(size).map(|bytes| {
                let mut bytes = bytes.to_vec();
                if kind.starts_with('>') {
                    bytes.reverse();
                }
                <$type>::from_le_bytes(bytes.try_into().expect("a whole number")) as f64
            });
            values.collect()
        }};
    }
    Ok(match kind.trim_start_matches(['<', '>', '=', '|']) {
        "f8" => read!(f64),
        "f4" => read!(f32),
        "i8" => read!(i64),
        "i4" => read!(i32),
        "i2" => read!(i16),
        "u1" => read!(u8),
        _ => return Err(format!("holds {kind}; save it as float64")),
    })
}

/// A landscape as Basin writes it; `about` says where it comes from.
///
/// # Errors
/// A sentence: the file cannot be made.
pub fn npz(outcome: &LandscapeOutcome, about: &str) -> Result<Vec<u8>, String> {
    let mut file = ZipWriter::new(Cursor::new(Vec::new()));
    let failed = |error: &dyn std::fmt::Display| format!("cannot be made ({error})");
    let mut add = |name: &str, content: &[u8]| -> Result<(), String> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        file.start_file(format!("{name}.npy"), options).map_err(|error| failed(&error))?;
        file.write_all(content).map_err(|error| failed(&error))
    };
    add("x", &npy(&[outcome.x.len()], outcome.x.iter().copied()))?;
    if let Some(y) = &outcome.y {
        add("y", &npy(&[y.len()], y.iter().copied()))?;
    }
    let shape: Vec<usize> = outcome.y.as_ref().map(Vec::len).into_iter().chain([outcome.x.len()]).collect();
    for (name, grid) in [("clean", &outcome.clean), ("robust", &outcome.robust)] {
        let Some(Grid { loss, error }) = grid else { continue };
        let values = |values: &Values| npy(&shape, values.iter().map(|value| value.unwrap_or(f64::NAN)));
        add(&format!("{name}_loss"), &values(loss))?;
        if error.iter().any(|error| error.is_some()) {
            add(&format!("{name}_error"), &values(error))?;
        }
    }
    add("source", &text(about))?;
    let file = file.finish().map_err(|error| failed(&error))?;
    Ok(file.into_inner())
}

/// An array of float64 in NumPy's format.
fn npy(shape: &[usize], values: impl Iterator<Item = f64>) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size},")).collect();
    let mut bytes = header("<f8", &sizes);
    bytes.extend(values.flat_map(f64::to_le_bytes));
    bytes
}

/// A text in NumPy's format.
fn text(text: &str) -> Vec<u8> {
    let mut bytes = header(&format!("<U{}", text.chars().count().max(1)), "");
    bytes.extend(text.chars().flat_map(|c| u32::from(c).to_le_bytes()));
    if text.is_empty() {
        bytes.extend([0; 4]);
    }
    bytes
}

/// Magic bytes, version 1, and the header, padded so that the data begin at a multiple of 64 bytes.
fn header(kind: &str, sizes: &str) -> Vec<u8> {
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let size = (10 + header.len() + 1).next_multiple_of(64) - 10;
    while header.len() + 1 < size {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((size as u16).to_le_bytes());
    bytes.extend(header.into_bytes());
    bytes
}
