//! Weights that files store in parts: pruned, with weight or spectral normalization.

use basin_core::checkpoint;

use crate::support::crafted::{Entry, StateDict};
use crate::support::reference;

/// A tensor of float32.
fn entry(name: &str, shape: &[usize], values: &[f32]) -> Entry {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Entry { name: name.to_owned(), kind: "F32", shape: shape.to_vec(), bytes }
}

fn values(entry: &Entry) -> Vec<f32> {
    entry.bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// The weights of a file in which one tensor is replaced by parts, and what is said of it.
fn opened(tensor: &str, parts: impl Fn(&Entry) -> Vec<Entry>) -> (Vec<f32>, Vec<f32>, String) {
    let dict = StateDict::bare(reference("families/checkpoints/f1_resnet18.pt"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let flat = |dict: &StateDict| {
        std::fs::write(&path, dict.bytes()).unwrap();
        let opened = checkpoint::open(&path).unwrap();
        let flat: Vec<f32> = Vec::try_from(opened.network.weights.flat()).unwrap();
        (flat, opened.summary.notices.join("; "))
    };
    let (whole, _) = flat(&dict);
    let mut changed = dict.clone();
    let whole_entry = changed.get(tensor).clone();
    changed = changed.without(|name| name == tensor);
    changed.tensors.extend(parts(&whole_entry));
    let (parts, notices) = flat(&changed);
    (whole, parts, notices)
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn masks_are_multiplied() {
    let (whole, parts, notices) = opened("layer2.0.conv1.weight", |weight| {
        let values = values(weight);
        let mask = vec![1.0; values.len()];
        vec![
            entry("layer2.0.conv1.weight_orig", &weight.shape, &values),
            entry("layer2.0.conv1.weight_mask", &weight.shape, &mask),
        ]
    });
    assert_eq!(difference(&whole, &parts), 0.0);
    assert!(notices.contains("1 tensor is stored pruned by masks"), "{notices}");
    let (whole, parts, _) = opened("conv1.weight", |weight| {
        let values = values(weight);
        vec![
            entry("conv1.weight_orig", &weight.shape, &values),
            entry("conv1.weight_mask", &weight.shape, &vec![0.0; values.len()]),
        ]
    });
    let changed = whole.iter().zip(&parts).filter(|(a, b)| a != b).count();
    assert_eq!((changed, parts.iter().filter(|value| **value == 0.0).count()), (108, 108));
}

#[test]
fn weight_normalization_has_its_lengths() {
    for (length, direction) in [
        ("linear.weight_g", "linear.weight_v"),
        ("linear.parametrizations.weight.original0", "linear.parametrizations.weight.original1"),
    ] {
        let (whole, parts, notices) = opened("linear.weight", |weight| {
            let values = values(weight);
            let rows = values.chunks(weight.shape[1]);
            let lengths: Vec<f32> =
                rows.map(|row| row.iter().map(|value| value * value).sum::<f32>().sqrt()).collect();
            let longer: Vec<f32> = values.iter().map(|value| value * 3.0).collect();
            vec![entry(length, &[weight.shape[0], 1], &lengths), entry(direction, &weight.shape, &longer)]
        });
        assert!(difference(&whole, &parts) < 1e-6, "{}", difference(&whole, &parts));
        assert!(notices.contains("with weight normalization"), "{notices}");
    }
}

#[test]
fn spectral_normalization_divides_by_the_largest_singular_value() {
    let (whole, parts, notices) = opened("linear.weight", |weight| {
        let [rows, columns] = weight.shape[..] else { panic!("a matrix") };
        // Unit vectors that pick one element: that is what the matrix is divided by.
        let mut values: Vec<f32> = values(weight);
        values[0] = 0.5;
        let unit =
            |length: usize| (0..length).map(|at| if at == 0 { 1.0 } else { 0.0 }).collect::<Vec<f32>>();
        vec![
            entry("linear.weight_orig", &weight.shape, &values),
            entry("linear.weight_u", &[rows], &unit(rows)),
            entry("linear.weight_v", &[columns], &unit(columns)),
        ]
    });
    let changed: Vec<(f32, f32)> =
        whole.iter().copied().zip(parts.iter().copied()).filter(|(a, b)| a != b).collect();
    assert!(changed[1..].iter().all(|(a, b)| (2.0 * a - b).abs() < 1e-6) && changed.len() > 300);
    assert!(notices.contains("with spectral normalization"), "{notices}");
}
