//! From the tensors of a file to a network: every tensor that the topology needs, nothing else, only numbers.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use tch::{Kind, Tensor};

use super::pytorch::element_name;
use super::raw::{Named, RawTensor};
use crate::error::{Error, Result};
use crate::model::{Layer, Layout, Network, Role, TensorSpec, Topology, Weights};

/// A network with the L2 norm of each of its tensors, in the order of the topology.
pub struct Built {
    pub network: Network,
    pub norms: Vec<f64>,
}

/// Reads every tensor of a network.
///
/// # Errors
/// Tensors are missing, left over, of the wrong shape, hold NaN or infinity, or 0 where images are divided by them.
pub fn build(path: &Path, topology: Topology, tensors: &Named, notices: &mut Vec<String>) -> Result<Built> {
    let specs = topology.tensors();
    check_keys(path, &topology, &specs, tensors)?;
    let layout = Arc::new(Layout::of(&topology));
    check_size(path, layout.len)?;
    let mut flat = Vec::with_capacity(layout.len as usize);
    let (mut buffers, mut norms) = (Vec::new(), Vec::with_capacity(specs.len()));
    let mut kinds: Vec<Kind> = Vec::new();
    let divisors = divisors(&topology);
    for spec in specs {
        let Some(raw) = tensors.get(&spec.name) else {
            // Files from PyTorch before 0.4.1 have no batch counts.
            buffers.push((spec.name, Tensor::from(0i64)));
            norms.push(0.0);
            continue;
        };
        let damaged = |reason| Error::file(path, reason);
        let unread = |reason| Error::file(path, format!("{} {reason}", spec.name));
        if spec.is_count {
            let count = raw.load().map_err(unread)?.to_kind(Kind::Int64);
            norms.push(count.int64_value(&[]).unsigned_abs() as f64);
            buffers.push((spec.name, count));
            continue;
        }
        if !matches!(raw.kind, Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16) {
            let reason = format!(
                "{} has elements of type {}, where float32, float64, float16 or bfloat16 are expected; save the network before it is quantized",
                spec.name,
                element_name(raw.kind)
            );
            return Err(damaged(reason));
        }
        // Weights go straight into the flat buffer.
        let mut apart = Vec::new();
        let into = if spec.role == Role::Buffer { &mut apart } else { &mut flat };
        let start = into.len();
        raw.append_floats(into).map_err(unread)?;
        let values = &into[start..];
        norms.push(norm(values).map_err(|bad| damaged(not_finite(&spec.name, bad, values.len())))?);
        if divisors.contains(&spec.name) && values.contains(&0.0) {
            return Err(damaged(format!(
                "{} holds 0, but images are divided by it (the deviation of their channels); with 1 they stay as they are",
                spec.name
            )));
        }
        if !kinds.contains(&raw.kind) {
            kinds.push(raw.kind);
        }
        if spec.role == Role::Buffer {
            buffers.push((spec.name, Tensor::from_slice(&apart).view(spec.shape.as_slice())));
        }
    }
    if let Some(kind) = kinds.iter().find(|kind| **kind != Kind::Float) {
        notices.push(format!("tensors are stored as {} and used as float32", element_name(*kind)));
    }
    let weights = Weights::from_flat(layout, Tensor::from_slice(&flat));
    Ok(Built { network: Network { topology, weights, buffers }, norms })
}

/// Tensors that images are divided by.
fn divisors(topology: &Topology) -> Vec<String> {
    let mut names = Vec::new();
    topology.visit(&mut |layer| {
        if let Layer::Standardize { name, .. } = layer {
            names.push(format!("{name}.weight"));
        }
    });
    names
}

/// Euclidean norm, or how many of the values are no numbers. The squares of float32 numbers cannot overflow
/// float64, so one pass tells both.
fn norm(values: &[f32]) -> Result<f64, usize> {
    // Several sums at a time: an addition has not to wait for the one before.
    let (chunks, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    let squares: f64 =
        sums.iter().sum::<f64>() + rest.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>();
    if squares.is_finite() {
        return Ok(squares.sqrt());
    }
    Err(values.iter().filter(|v| !v.is_finite()).count())
}

fn not_finite(name: &str, bad: usize, all: usize) -> String {
    format!(
        "{name} holds {bad} of {all} values that are NaN or infinite: training diverged; use an earlier checkpoint"
    )
}

/// Tensors may repeat what is stored once, so a small file can claim to hold a huge network.
fn check_size(path: &Path, parameters: i64) -> Result<()> {
    let stored = std::fs::metadata(path).map_err(|e| Error::io("cannot read", path, e))?.len();
    let claimed = parameters as u64 * 4;
    if claimed <= 100 * stored + 1_000_000 {
        return Ok(());
    }
    let mb = |bytes: u64| bytes as f64 / 1e6;
    let reason = format!(
        "is {:.1} MB large but claims to hold {:.0} MB of weights; it is damaged, fetch it again",
        mb(stored),
        mb(claimed)
    );
    Err(Error::file(path, reason))
}

/// Names, the first three of them.
fn list(names: &[&str]) -> String {
    let shown = names.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 3 { format!("{shown} and {} more", names.len() - 3) } else { shown }
}

fn check_keys(path: &Path, topology: &Topology, specs: &[TensorSpec], tensors: &Named) -> Result<()> {
    let wrong = |reason| Err(Error::file(path, reason));
    let missing: Vec<&str> = specs
        .iter()
        .filter(|s| !s.is_count && !tensors.contains_key(&s.name))
        .map(|s| s.name.as_str())
        .collect();
    let known: HashSet<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    let extra: Vec<&str> = tensors.keys().map(String::as_str).filter(|key| !known.contains(key)).collect();
    let title = &topology.title;
    let (lacks, has) = (list(&missing), list(&extra));
    let of_all = format!("{} of its {} tensors", missing.len(), specs.len());
    match (missing.is_empty(), extra.is_empty()) {
        (false, true) => {
            return wrong(format!(
                "looks like {title} but lacks {lacks} ({of_all}); save the whole state dictionary"
            ));
        }
        (true, false) => {
            return wrong(format!(
                "looks like {title} but also has {has}, which that network does not use; check which program wrote it"
            ));
        }
        (false, false) => {
            return wrong(format!(
                "looks like {title} but lacks {lacks} ({of_all}) and has {has} instead; check which program wrote it"
            ));
        }
        (true, true) => {}
    }
    if let Some((name, problem)) =
        specs.iter().find_map(|spec| Some((&spec.name, tensors.get(&spec.name)?.problem()?)))
    {
        return wrong(format!("{name} {problem}"));
    }
    let misshapen: Vec<(&TensorSpec, &RawTensor)> = specs
        .iter()
        .filter_map(|spec| Some((spec, tensors.get(&spec.name)?)))
        .filter(|(spec, raw)| raw.shape != spec.shape)
        .collect();
    let Some((spec, raw)) = misshapen.first() else { return Ok(()) };
    let others = match misshapen.len() - 1 {
        0 => String::new(),
        others => format!(", and {others} more of its {} tensors do not fit", specs.len()),
    };
    wrong(format!(
        "{} has shape {:?}, but {title} needs {:?}{others}; check which program wrote it",
        spec.name, raw.shape, spec.shape
    ))
}
