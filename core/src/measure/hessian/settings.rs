//! Asking for curvature.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attack::Pgd;
use crate::attack::weights::Tensors;
use crate::data::DataSelection;
use crate::device::Compute;
use crate::error::{Error, Result};

/// Which loss curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HessianLoss {
    /// On the images as they are (the paper's choice).
    #[default]
    #[schemars(title = "Clean")]
    Clean,
    /// On adversarial examples of the network, which stay as they are.
    #[schemars(title = "Robust")]
    Robust,
}

/// Which matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Matrix {
    /// Second derivatives of the mean cross-entropy.
    #[default]
    #[schemars(title = "Hessian")]
    Hessian,
    /// The (generalized) Gauss-Newton matrix: the Hessian of a network that is linear in its weights. It has no negative
    /// eigenvalue, and for cross-entropy it is the Fisher information.
    #[schemars(title = "Gauss-Newton")]
    GaussNewton,
}

/// Eigenvalues, trace and spectral density of the loss's Hessian, for all weights or tensor by tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Hessian {
    /// The checkpoint file.
    #[serde(with = "crate::files::as_text")]
    #[schemars(with = "String")]
    pub checkpoint: PathBuf,
    /// Images that the loss is averaged over.
    #[schemars(extend("x-group" = "Images"))]
    pub data: DataSelection,
    /// Which loss: clean, or robust (on adversarial examples of the network, which stay as they are).
    #[schemars(extend("x-flag" = "loss", "x-segmented" = true))]
    pub loss: HessianLoss,
    /// Number of largest eigenvalues.
    #[schemars(extend("x-flag" = "top", "x-label" = "Largest", "x-group" = "Eigenvalues"))]
    pub top: usize,
    /// Number of smallest (most negative) eigenvalues.
    #[schemars(extend("x-flag" = "bottom", "x-label" = "Smallest", "x-group" = "Eigenvalues"))]
    pub bottom: usize,
    /// Keep the eigenvectors in files beside the record, as checkpoints of the network with the eigenvector in place of
    /// the weights: directions for landscapes (`along:FILE`).
    #[schemars(extend("x-flag" = "keep-eigenvectors", "x-group" = "Output", "x-label" = "Keep eigenvectors", "x-advanced" = true))]
    pub keep_eigenvectors: bool,
    /// Estimate the trace (Hutch++, Meyer et al. 2021) with its standard error.
    #[schemars(extend("x-flag" = "trace", "x-group" = "Spectrum", "x-advanced" = false))]
    pub trace: bool,
    /// Estimate the spectral density (stochastic Lanczos quadrature) with a band.
    #[schemars(extend("x-flag" = "density", "x-group" = "Spectrum", "x-label" = "Spectral density", "x-advanced" = false))]
    pub density: bool,
    /// Eigenvalues of every tensor's own block of the matrix as well: which layers curve.
    #[schemars(extend("x-flag" = "per-layer", "x-group" = "Output", "x-label" = "Also per tensor"))]
    pub per_layer: bool,
    /// Which matrix.
    #[schemars(extend("x-flag" = "matrix", "x-group" = "Spectrum", "x-advanced" = true))]
    pub matrix: Matrix,
    /// Which tensors the matrix is of: `weights` (those with more than one axis: the paper's choice),
    /// `no-normalization`, `all`, `no-bias`, or names separated by commas; `*` stands for anything.
    #[schemars(extend("x-flag" = "tensors"))]
    pub tensors: Tensors,
    /// Largest residual `|H v - value v|`, relative to the eigenvalue, at which an eigenvalue counts as found.
    #[schemars(extend("x-flag" = "tolerance", "x-group" = "Accuracy", "x-advanced" = true))]
    pub tolerance: f64,
    /// Most products of the matrix with a vector that are spent on eigenvalues.
    #[schemars(range(min = 1), extend("x-flag" = "products", "x-label" = "Products for eigenvalues", "x-group" = "Accuracy", "x-advanced" = true))]
    pub products: usize,
    /// Products of the matrix with a vector that are spent on the trace.
    #[schemars(range(min = 9), extend("x-flag" = "trace-products", "x-label" = "Products for the trace", "x-group" = "Accuracy", "x-advanced" = true))]
    pub trace_products: usize,
    /// Random vectors of the density; its band is the standard error over them.
    #[schemars(range(min = 2), extend("x-flag" = "density-vectors", "x-label" = "Vectors of the density", "x-group" = "Accuracy", "x-advanced" = true))]
    pub density_vectors: usize,
    /// Lanczos steps from each of these vectors.
    #[schemars(range(min = 2), extend("x-flag" = "density-steps", "x-label" = "Steps of the density", "x-group" = "Accuracy", "x-advanced" = true))]
    pub density_steps: usize,
    /// Robust loss: the attack on inputs.
    #[schemars(extend("x-group" = "Input attack"))]
    pub attack: Pgd,
    /// Device, precision, seed, batch size.
    #[schemars(extend("x-group" = "Computing"))]
    pub compute: Compute,
}

impl Default for Hessian {
    fn default() -> Self {
        Self {
            checkpoint: PathBuf::new(),
            data: DataSelection::default(),
            loss: HessianLoss::Clean,
            top: 4,
            bottom: 4,
            keep_eigenvectors: false,
            trace: false,
            density: false,
            per_layer: false,
            matrix: Matrix::Hessian,
            tensors: Tensors::Weights,
            tolerance: 1e-3,
            products: 400,
            trace_products: 30,
            density_vectors: 8,
            density_steps: 40,
            attack: Pgd::default(),
            compute: Compute::default(),
        }
    }
}

impl Hessian {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        let refused = |name: &str, value: String, allowed: &str| {
            Err(Error::invalid(format!("{name} {value} is not possible; use {allowed}")))
        };
        match self {
            Self { top: 0, bottom: 0, trace: false, density: false, .. } => Err(Error::invalid(
                "there is nothing to compute; ask for eigenvalues (top, bottom), the trace or the density",
            )),
            Self { top, bottom, .. } if top + bottom > 200 => {
                refused("top and bottom", format!("{top} and {bottom}"), "200 eigenvalues together at most")
            }
            Self { top: 0, bottom: 0, keep_eigenvectors: true, .. } => Err(Error::invalid(
                "there are no eigenvectors to keep; ask for eigenvalues (top, bottom), or leave keep_eigenvectors out",
            )),
            Self { tolerance, .. } if !(*tolerance > 0.0 && *tolerance < 1.0) => {
                refused("tolerance", tolerance.to_string(), "a number between 0 and 1, such as 0.001")
            }
            Self { products: 0, .. } => refused("products", "0".into(), "1 or more"),
            Self { trace_products: products @ 0..9, .. } => {
                refused("trace_products", products.to_string(), "9 or more")
            }
            Self { density_vectors: count @ 0..2, .. } => {
                refused("density_vectors", count.to_string(), "2 or more")
            }
            Self { density_steps: count @ 0..2, .. } => {
                refused("density_steps", count.to_string(), "2 or more")
            }
            _ => self.attack.check().map_err(|error| error.about("attack")),
        }
    }
}
