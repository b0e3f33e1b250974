//! Eigenvalues at both ends of a symmetric matrix that is known by its products with vectors: Lanczos with full
//! reorthogonalization and thick restarts (Wu and Simon 2000; for symmetric matrices the Krylov-Schur method).

use tch::{Device, Kind, Tensor};

use super::outcome::{Eigenvalue, Quadrature};
use crate::error::Result;
use crate::seed::{generator, normal};

/// A product of the matrix with a vector.
pub type Times<'a> = &'a mut dyn FnMut(&Tensor) -> Result<Tensor>;

/// A norm below this share of the matrix's own is rounding.
const TINY: f64 = 1e-7;

/// Which eigenvalues are wanted, how well, for how many products.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Number of largest eigenvalues.
    pub top: usize,
    /// Number of smallest eigenvalues.
    pub bottom: usize,
    /// Largest residual relative to the eigenvalue.
    pub tolerance: f64,
    /// Most products.
    pub products: usize,
}

/// Eigenvalues with their unit eigenvectors as rows.
#[derive(Debug)]
pub struct Eigenpairs {
    /// The largest first.
    pub largest: Vec<Eigenvalue>,
    /// The smallest first.
    pub smallest: Vec<Eigenvalue>,
    /// One row for each of `largest`, then of `smallest`.
    pub vectors: Tensor,
    /// Products that were computed.
    pub products: usize,
    /// Whether all residuals are small enough.
    pub converged: bool,
}

/// A vector of independent normal numbers.
pub fn random(seed: u64, name: &str, index: u64, size: i64, (kind, device): (Kind, Device)) -> Tensor {
    let values = normal(&mut generator(seed, name, &[index]), size as usize);
    Tensor::from_slice(&values).to_kind(kind).to_device(device)
}

/// Orthonormal vectors of a growing space, and the matrix as it acts within.
struct Space {
    /// Rows: at most `most + 1` vectors, of which `count` are there.
    basis: Tensor,
    count: i64,
    /// `basis H basis^T`, float64 on the CPU, row by row.
    projected: Vec<Vec<f64>>,
}

impl Space {
    fn new(start: &Tensor, most: i64) -> Self {
        let basis = Tensor::zeros([most + 1, start.size()[0]], (start.kind(), start.device()));
        let projected = vec![vec![0.0; most as usize + 1]; most as usize + 1];
        let mut space = Self { basis, count: 0, projected };
        space.push(&(start / start.norm()));
        space
    }

    fn push(&mut self, vector: &Tensor) {
        self.basis.get(self.count).copy_(vector);
        self.count += 1;
    }

    fn rows(&self) -> Tensor {
        self.basis.narrow(0, 0, self.count)
    }

    /// What is left of a vector outside the space, and its coefficients inside. Twice is enough.
    fn outside(&self, vector: &Tensor) -> Result<(Tensor, Vec<f64>)> {
        let rows = self.rows();
        let first = rows.mv(vector);
        let vector = vector - rows.tr().mv(&first);
        let second = rows.mv(&vector);
        let left = vector - rows.tr().mv(&second);
        let coefficients: Vec<f64> =
            Vec::try_from((first + second).to_kind(Kind::Double).to_device(Device::Cpu))?;
        Ok((left, coefficients))
    }

    /// Multiplies the last vector, and adds what is new as the next one; the norm of what was new. It is 0 where the space
    /// is closed: then a random direction is added instead; none where the space is the whole.
    fn grow(&mut self, times: Times, seed: u64) -> Result<Option<f64>> {
        let at = self.count - 1;
        let product = times(&self.basis.get(at))?;
        let (left, coefficients) = self.outside(&product)?;
        for (row, coefficient) in coefficients.iter().enumerate() {
            self.projected[row][at as usize] = *coefficient;
            self.projected[at as usize][row] = *coefficient;
        }
        let scale = self.projected.iter().flatten().fold(0.0_f64, |most, value| most.max(value.abs()));
        let norm = left.norm().double_value(&[]);
        if norm > TINY * scale {
            self.push(&(left / norm));
            return Ok(Some(norm));
        }
        let size = self.basis.size()[1];
        if self.count == size {
            return Ok(None);
        }
        let like = (self.basis.kind(), self.basis.device());
        let fresh = random(seed, "lanczos-restart", self.count as u64, size, like);
        let (left, _) = self.outside(&fresh)?;
        self.push(&(&left / left.norm()));
        Ok(Some(0.0))
    }

    /// Eigenvalues, ascending, and eigenvectors as columns of the matrix within the first `size` vectors.
    fn eigen(&self, size: usize) -> Result<(Vec<f64>, Tensor)> {
        let flat: Vec<f64> =
            self.projected[..size].iter().flat_map(|row| row[..size].iter().copied()).collect();
        let (values, vectors) = Tensor::from_slice(&flat).view([size as i64, size as i64]).linalg_eigh("L");
        Ok((Vec::try_from(values)?, vectors))
    }
}

/// Finds eigenvalues at both ends.
///
/// # Errors
/// As `times`.
pub fn eigenpairs(times: Times, start: &Tensor, wanted: Wanted, seed: u64) -> Result<Eigenpairs> {
    let size = start.size()[0];
    let (top, bottom) = (wanted.top.min(size as usize), wanted.bottom.min(size as usize));
    let most = (2 * (top + bottom) as i64 + 16).max(24).min(size);
    let mut space = Space::new(start, most);
    let mut products = 0;
    loop {
        let mut grown = Some(0.0);
        while products < wanted.products && space.count <= most && grown.is_some() {
            grown = space.grow(times, seed)?;
            products += 1;
        }
        // Vectors that have been multiplied, and how far the last product leads out of their space.
        let (dimension, norm) = match grown {
            Some(norm) => (space.count - 1, norm),
            None => (space.count, 0.0),
        };
        let (values, vectors) = space.eigen(dimension as usize)?;
        let last: Vec<f64> = Vec::try_from(vectors.get(dimension - 1))?;
        let most_value = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let pair = |at: usize| Eigenvalue { value: values[at], residual: (norm * last[at]).abs() };
        let found = values.len();
        let (top, bottom) = (top.min(found), bottom.min(found));
        let largest: Vec<usize> = (found - top..found).rev().collect();
        let smallest: Vec<usize> = (0..bottom).collect();
        let is_found = |at: &usize| {
            let pair = pair(*at);
            // Of values near 0 the residual cannot be small relative to them.
            pair.residual <= wanted.tolerance * pair.value.abs().max(0.01 * most_value)
        };
        let converged = largest.iter().chain(&smallest).all(is_found);
        if converged || products >= wanted.products || grown.is_none() {
            let chosen: Vec<i64> = largest.iter().chain(&smallest).map(|at| *at as i64).collect();
            let combination = vectors.index_select(1, &Tensor::from_slice(&chosen)).tr();
            let like = &space.basis;
            let rows = combination.to_kind(like.kind()).to_device(like.device());
            return Ok(Eigenpairs {
                largest: largest.into_iter().map(pair).collect(),
                smallest: smallest.into_iter().map(pair).collect(),
                vectors: rows.matmul(&like.narrow(0, 0, dimension)),
                products,
                converged,
            });
        }
        // Keeps the ends of the spectrum, with some more, and goes on from the last vector.
        let keep_top = (top + 4).min(found / 2);
        let keep_bottom = (bottom + 4).min(found / 2 - 1);
        let kept: Vec<i64> = (0..keep_bottom).chain(found - keep_top..found).map(|at| at as i64).collect();
        let combination = vectors.index_select(1, &Tensor::from_slice(&kept)).tr();
        let like = (space.basis.kind(), space.basis.device());
        let rows = combination.to_kind(like.0).to_device(like.1).matmul(&space.basis.narrow(0, 0, dimension));
        let next = space.basis.get(dimension).copy();
        space.basis.narrow(0, 0, kept.len() as i64).copy_(&rows);
        space.count = kept.len() as i64;
        space.projected.iter_mut().flatten().for_each(|value| *value = 0.0);
        for (row, at) in kept.iter().enumerate() {
            space.projected[row][row] = values[*at as usize];
        }
        space.push(&next);
    }
}

/// The spectrum as a random vector sees it: nodes and weights of Gauss quadrature (Ghorbani et al. 2019).
///
/// # Errors
/// As `times`.
pub fn quadrature(times: Times, start: &Tensor, steps: usize, seed: u64) -> Result<(Quadrature, usize)> {
    let steps = (steps as i64).min(start.size()[0]);
    let mut space = Space::new(start, steps);
    let mut products = 0;
    for _ in 0..steps {
        let closed = space.grow(times, seed)?.is_none_or(|norm| norm == 0.0);
        products += 1;
        if closed {
            break;
        }
    }
    let (nodes, vectors) = space.eigen(products)?;
    let first: Vec<f64> = Vec::try_from(vectors.get(0))?;
    Ok((Quadrature { nodes, weights: first.into_iter().map(|value| value * value).collect() }, products))
}
