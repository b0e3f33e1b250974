//! Attacks on weights: pieces, golden numbers and trajectories of the reference program, laws of the random starts, and
//! what is done differently from that program.

mod golden;
mod laws;
mod pieces;
mod quirks;
mod trajectories;

use basin_core::attack::weights::{Problem, Tensors};
use basin_core::checkpoint;
use basin_core::model::{Evaluator, Layout, Network, Weights};
use tch::{Device, Kind, Tensor};

use crate::support::reference;

fn open(name: &str) -> Network {
    checkpoint::open(&reference(&format!("checkpoints/{name}.pth.tar"))).unwrap().network
}

/// Indices of the tensors that the paper attacks.
fn paper(layout: &Layout) -> Vec<usize> {
    Tensors::NoNormalization.select(layout).unwrap()
}

/// The tensors at `which` one after the other, as the reference program stores vectors.
fn gather(layout: &Layout, which: &[usize], flat: &Tensor) -> Tensor {
    let entries = which.iter().map(|i| &layout.entries[*i]);
    Tensor::cat(&entries.map(|e| flat.narrow(0, e.offset, e.len)).collect::<Vec<_>>(), 0)
}

/// The reverse: 0 elsewhere.
fn spread(layout: &Layout, which: &[usize], values: &Tensor, kind: Kind) -> Tensor {
    let flat = Tensor::zeros([layout.len], (kind, Device::Cpu));
    let mut from = 0;
    for entry in which.iter().map(|i| &layout.entries[*i]) {
        flat.narrow(0, entry.offset, entry.len).copy_(&values.narrow(0, from, entry.len));
        from += entry.len;
    }
    assert_eq!(from, values.size()[0]);
    flat
}

/// A problem in float32 or float64 on the CPU, searched in the same precision.
fn problem<'a>(
    network: &'a Network,
    reference: &'a Weights,
    which: &'a [usize],
    batches: &'a [(&'a Tensor, &'a Tensor)],
) -> Problem<'a> {
    Problem {
        network,
        reference,
        which,
        batches,
        own_loss: None,
        kind: reference.flat().kind(),
        allow_tf32: false,
    }
}

/// Cross-entropy per example at `reference + perturbation`.
fn losses(problem: &Problem, perturbation: &Tensor, images: &Tensor, labels: &Tensor) -> Tensor {
    let _guard = tch::no_grad_guard();
    let moved =
        Weights::from_flat(problem.reference.layout().clone(), problem.reference.flat() + perturbation);
    let model = Evaluator::new(problem.network, &moved, Device::Cpu, problem.kind, false);
    basin_core::loss::cross_entropy(&model.logits(images), labels)
}

/// Numbers of a tensor in float64.
fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(Kind::Double).flatten(0, -1)).unwrap()
}

/// Panics unless the numbers agree within `tolerance`.
fn close(what: &str, got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}: {got:?} and {expected:?}");
    for (got_one, wanted) in got.iter().zip(expected) {
        assert!((got_one - wanted).abs() <= tolerance, "{what}: {got:?}, expected {expected:?}");
    }
}
