//! Products of a loss's Hessian, or Gauss-Newton matrix, with vectors: by differentiating twice, exactly averaged over
//! batches.

use std::cell::RefCell;
use std::collections::HashMap;

use tch::{Kind, Tensor};

use super::lanczos::{Eigenpairs, Wanted, eigenpairs, random};
use super::settings::Matrix;
use crate::error::{Error, Result};
use crate::loss::cross_entropy;
use crate::model::{Evaluator, Network, Weights};

/// A loss on some examples as a function of some tensors of a network.
pub struct Curvature<'a> {
    network: &'a Network,
    /// On the device, in float32 or float64.
    weights: Weights,
    /// The tensors, ascending.
    which: Vec<usize>,
    /// Images and labels.
    batches: &'a [(Tensor, Tensor)],
    matrix: Matrix,
    examples: f64,
    /// Weights and gradients of batches, with the graphs by which gradients are differentiated again: two thirds of the
    /// work of a product are left.
    kept: RefCell<HashMap<usize, (Tensor, Tensor)>>,
    /// How many batches may be kept.
    room: usize,
}

/// Memory that graphs may take, in bytes.
const MEMORY: f64 = 4e9;
/// Bytes of a graph for each number that a convolution or linear layer gives: it, its gradient, and what both need.
const PER_NUMBER: f64 = 16.0;

impl<'a> Curvature<'a> {
    /// The mean cross-entropy on `batches` (`N x C x H x W` and labels on the device of `weights`).
    pub fn new(
        network: &'a Network,
        weights: Weights,
        which: Vec<usize>,
        batches: &'a [(Tensor, Tensor)],
        matrix: Matrix,
    ) -> Self {
        let examples = batches.iter().map(|(_, labels)| labels.size()[0]).sum::<i64>() as f64;
        let numbers = network.topology.outputs_of_layers() as f64;
        let of_batch =
            batches.first().map_or(1.0, |(_, labels)| labels.size()[0] as f64 * numbers * PER_NUMBER);
        let room = (MEMORY / of_batch) as usize;
        Self { network, weights, which, batches, matrix, examples, kept: RefCell::default(), room }
    }

    /// Number of rows of the matrix.
    pub fn size(&self) -> i64 {
        self.which.iter().map(|index| self.weights.layout().entries[*index].len).sum()
    }

    /// Kind and device of vectors.
    pub fn like(&self) -> (Kind, tch::Device) {
        (self.weights.flat().kind(), self.weights.flat().device())
    }

    /// The elements of the chosen tensors, one tensor after the other.
    pub fn compact(&self, flat: &Tensor) -> Tensor {
        let entries = &self.weights.layout().entries;
        let pieces: Vec<Tensor> = self
            .which
            .iter()
            .map(|index| flat.narrow(0, entries[*index].offset, entries[*index].len))
            .collect();
        Tensor::cat(&pieces, 0)
    }

    /// A vector over all weights, 0 in all other tensors.
    pub fn expand(&self, vector: &Tensor) -> Tensor {
        let flat = self.weights.flat().zeros_like();
        let mut at = 0;
        for index in &self.which {
            let entry = &self.weights.layout().entries[*index];
            flat.narrow(0, entry.offset, entry.len).copy_(&vector.narrow(0, at, entry.len));
            at += entry.len;
        }
        flat
    }

    /// The product with a vector. `alive` is asked after each batch.
    ///
    /// # Errors
    /// As `alive`.
    pub fn times(&self, vector: &Tensor, alive: &mut dyn FnMut() -> Result<()>) -> Result<Tensor> {
        let direction = self.expand(vector);
        let mut sum = self.weights.flat().zeros_like();
        for (number, batch) in self.batches.iter().enumerate() {
            sum += tch::with_grad(|| match self.matrix {
                Matrix::Hessian => self.hessian(number, &direction),
                Matrix::GaussNewton => self.gauss_newton(batch, &direction),
            });
            alive()?;
        }
        Ok(self.compact(&sum))
    }

    /// Eigenpairs at both ends, from a start that `seed` draws; `alive` is asked after each batch, and with the number of
    /// products that are done after each of these.
    ///
    /// Of the two unit eigenvectors it gives the one whose entry of largest size is positive.
    ///
    /// # Errors
    /// A product is not finite; or as `alive`.
    pub fn extremes(
        &self,
        wanted: Wanted,
        seed: u64,
        alive: &mut dyn FnMut(Option<u64>) -> Result<()>,
    ) -> Result<Eigenpairs> {
        let start = random(seed, "lanczos-start", 0, self.size(), self.like());
        let mut done = 0;
        let mut times = |vector: &Tensor| {
            let product = self.times(vector, &mut || alive(None))?;
            done += 1;
            alive(Some(done))?;
            finite(product)
        };
        let mut pairs = eigenpairs(&mut times, &start, wanted, seed)?;
        let at = pairs.vectors.abs().argmax(1, true);
        pairs.vectors = &pairs.vectors * pairs.vectors.gather(1, &at, false).sign();
        Ok(pairs)
    }

    /// The gradient, over the chosen tensors.
    pub fn gradient(&self) -> Tensor {
        let mut sum = self.weights.flat().zeros_like();
        for batch in self.batches {
            sum += tch::with_grad(|| {
                let (leaf, logits) = self.logits(&batch.0);
                Tensor::run_backward(&[self.loss(&logits, &batch.1)], &[&leaf], false, false).remove(0)
            });
        }
        self.compact(&sum)
    }

    /// Logits of a batch, and the weights that they depend on.
    fn logits(&self, images: &Tensor) -> (Tensor, Tensor) {
        let leaf = self.weights.flat().detach().set_requires_grad(true);
        let weights = Weights::from_flat(self.weights.layout().clone(), leaf.shallow_clone());
        let model = Evaluator::differentiable(self.network, &weights, &self.which, leaf.kind(), false);
        let logits = model.logits(&images.to_kind(leaf.kind()));
        (leaf, logits)
    }

    /// What a batch adds to the mean loss.
    fn loss(&self, logits: &Tensor, labels: &Tensor) -> Tensor {
        cross_entropy(logits, labels).sum(logits.kind()) / self.examples
    }

    fn hessian(&self, number: usize, direction: &Tensor) -> Tensor {
        let fresh = || {
            let (images, labels) = &self.batches[number];
            let (leaf, logits) = self.logits(images);
            let gradient =
                Tensor::run_backward(&[self.loss(&logits, labels)], &[&leaf], true, true).remove(0);
            (leaf, gradient)
        };
        let along = |(leaf, gradient): &(Tensor, Tensor), keep: bool| {
            Tensor::run_backward(&[gradient.dot(direction)], &[leaf], keep, false).remove(0)
        };
        if number >= self.room {
            return along(&fresh(), false);
        }
        along(self.kept.borrow_mut().entry(number).or_insert_with(fresh), true)
    }

    /// `J^T L J v` with `J` the derivative of the logits and `L` the Hessian of the loss by the logits.
    fn gauss_newton(&self, (images, labels): &(Tensor, Tensor), direction: &Tensor) -> Tensor {
        let (leaf, logits) = self.logits(images);
        // J^T u is linear in u, so that its derivative along v gives J v.
        let any = logits.zeros_like().set_requires_grad(true);
        let back =
            Tensor::run_backward(&[(&logits * &any).sum(logits.kind())], &[&leaf], true, true).remove(0);
        let along = Tensor::run_backward(&[back.dot(direction)], &[&any], true, false).remove(0).detach();
        let outputs = logits.detach().set_requires_grad(true);
        let slope = Tensor::run_backward(&[self.loss(&outputs, labels)], &[&outputs], true, true).remove(0);
        let curved = Tensor::run_backward(&[(slope * along).sum(logits.kind())], &[&outputs], false, false);
        let curved = curved[0].detach();
        Tensor::run_backward(&[(&logits * curved).sum(logits.kind())], &[&leaf], false, false).remove(0)
    }
}

/// A product that holds NaN or infinity is no curvature.
///
/// # Errors
/// It does.
pub fn finite(product: Tensor) -> Result<Tensor> {
    if product.isfinite().all().int64_value(&[]) == 1 {
        return Ok(product);
    }
    Err(Error::NotFinite(
        "the curvature of the loss is NaN or infinite; the weights are too large or damaged".into(),
    ))
}
