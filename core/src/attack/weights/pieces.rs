//! The flat buffer cut into pieces: the attacked tensors, or their output filters.
//!
//! Whatever is done per layer, per filter or for the whole model is then: sizes per piece, arithmetic on a
//! short vector, and one product over the flat buffer. Nothing is copied to the host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::model::Layout;

/// What a radius is relative to, and what one norm is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every tensor by itself: the paper's choice.
    #[default]
    #[schemars(title = "per layer")]
    Layer,
    /// Every output filter by itself: of a convolution a filter, of a linear layer a row (an output unit), as in
    /// landscapes; vectors such as biases as a whole. (The paper's program takes matrices as a whole, too.)
    #[schemars(title = "per filter")]
    Filter,
    /// All attacked tensors together as one vector.
    #[schemars(title = "whole model")]
    Global,
}

/// How sizes are measured in weight space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WeightNorm {
    /// Euclidean.
    #[default]
    #[schemars(title = "L2")]
    L2,
    /// Largest absolute value.
    #[schemars(title = "L-inf (largest entry)")]
    Linf,
}

/// A stretch of the flat buffer that is cut into `rows` pieces of the same length.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    offset: i64,
    rows: i64,
    len: i64,
}

/// Entries per partial norm: float32 sums of more lose digits.
const CHUNK: i64 = 8192;

/// The pieces of the attacked tensors; everything else of the buffer is left out.
///
/// One operation per tensor and none per piece: on the CPU this is several times faster than operations on the whole
/// buffer with an index per entry.
#[derive(Debug)]
pub struct WeightBlocks {
    scope: Scope,
    stretches: Vec<Stretch>,
    total: i64,
    device: Device,
}

impl WeightBlocks {
    /// Cuts the tensors at `which` (ascending) of `layout`.
    pub fn new(layout: &Layout, which: &[usize], scope: Scope, device: Device) -> Self {
        let stretches = which.iter().map(|index| {
            let entry = &layout.entries[*index];
            let rows = if scope == Scope::Filter { entry.filters() } else { 1 };
            Stretch { offset: entry.offset, rows, len: entry.len }
        });
        Self { scope, stretches: stretches.collect(), total: layout.len, device }
    }

    /// Norm of every piece of `flat`, in float64; for [`Scope::Global`] the norm of all of them, repeated.
    pub fn sizes(&self, flat: &Tensor, norm: WeightNorm) -> Tensor {
        let sizes = self.reduce(flat, |rows| match norm {
            WeightNorm::L2 => row_norms(rows),
            WeightNorm::Linf => rows.abs().amax([1i64].as_slice(), false).to_kind(Kind::Double),
        });
        if self.scope != Scope::Global {
            return sizes;
        }
        let whole = match norm {
            WeightNorm::L2 => sizes.norm(),
            WeightNorm::Linf => sizes.max(),
        };
        whole.expand_as(&sizes)
    }

    /// Product of two vectors over every piece, in float64; for [`Scope::Global`] over all of them, repeated.
    pub fn dots(&self, a: &Tensor, b: &Tensor) -> Tensor {
        let of = |s: &Stretch| {
            let double = |flat| s.of(flat).to_kind(Kind::Double);
            (double(a) * double(b)).sum_dim_intlist([1i64].as_slice(), false, Kind::Double)
        };
        let dots = Tensor::cat(&self.stretches.iter().map(of).collect::<Vec<_>>(), 0);
        if self.scope == Scope::Global { dots.sum(Kind::Double).expand_as(&dots) } else { dots }
    }

    /// Number of entries of every piece, in float64; for [`Scope::Global`] of all of them, repeated.
    pub fn counts(&self) -> Tensor {
        let counts = self.stretches.iter().flat_map(|s| (0..s.rows).map(|_| (s.len / s.rows) as f64));
        let counts = Tensor::from_slice(&counts.collect::<Vec<_>>()).to_device(self.device);
        if self.scope == Scope::Global { counts.sum(Kind::Double).expand_as(&counts) } else { counts }
    }

    /// Number of pieces.
    pub fn len(&self) -> i64 {
        self.stretches.iter().map(|s| s.rows).sum()
    }

    /// Whether nothing is attacked.
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// One value per piece, spread over the buffer; 0 outside of the attacked tensors.
    pub fn spread(&self, values: &Tensor, kind: Kind) -> Tensor {
        let flat = Tensor::zeros([self.total], (kind, self.device));
        self.each(&flat, values, |mut rows, values| rows.copy_(&values.expand_as(&rows)));
        flat
    }

    /// `flat` with every piece multiplied by its value; other entries stay.
    pub fn scaled(&self, flat: &Tensor, values: &Tensor) -> Tensor {
        let flat = flat.copy();
        self.each(&flat, values, |mut rows, values| {
            let _ = rows.g_mul_(&values);
        });
        flat
    }

    /// Smallest and largest entry of every piece; for [`Scope::Global`] of all of them, repeated.
    pub fn ranges(&self, flat: &Tensor) -> (Tensor, Tensor) {
        let low = self.reduce(flat, |rows| rows.amin([1i64].as_slice(), false));
        let high = self.reduce(flat, |rows| rows.amax([1i64].as_slice(), false));
        if self.scope == Scope::Global {
            (low.min().expand_as(&low), high.max().expand_as(&high))
        } else {
            (low, high)
        }
    }

    fn reduce(&self, flat: &Tensor, f: impl Fn(&Tensor) -> Tensor) -> Tensor {
        Tensor::cat(&self.stretches.iter().map(|s| f(&s.of(flat))).collect::<Vec<_>>(), 0)
    }

    /// Hands out the rows of every tensor with the values of its pieces, a column in the kind of `flat`.
    fn each(&self, flat: &Tensor, values: &Tensor, f: impl Fn(Tensor, Tensor)) {
        let values = values.to_kind(flat.kind());
        let mut from = 0;
        for stretch in &self.stretches {
            f(stretch.of(flat), values.narrow(0, from, stretch.rows).unsqueeze(1));
            from += stretch.rows;
        }
    }
}

impl Stretch {
    /// A view of the buffer, one piece per row.
    fn of(&self, flat: &Tensor) -> Tensor {
        flat.narrow(0, self.offset, self.len).view([self.rows, -1])
    }
}

/// Euclidean norm of every row, in float64 but for the sums of short parts.
fn row_norms(rows: &Tensor) -> Tensor {
    let norms = |t: &Tensor| t.norm_scalaropt_dim(2, [-1i64].as_slice(), true).to_kind(Kind::Double);
    let (count, length) = rows.size2().expect("rows");
    let whole = length / CHUNK * CHUNK;
    let mut parts = Vec::new();
    if whole > 0 {
        parts.push(norms(&rows.narrow(1, 0, whole).reshape([count, -1, CHUNK])).squeeze_dim(2));
    }
    if whole < length {
        parts.push(norms(&rows.narrow(1, whole, length - whole)));
    }
    Tensor::cat(&parts, 1).norm_scalaropt_dim(2, [1i64].as_slice(), false)
}

/// `numerator / denominator` where the denominator is not 0, else 0: what is zero stays zero.
pub fn quotient(numerator: &Tensor, denominator: &Tensor) -> Tensor {
    numerator / denominator.masked_fill(&denominator.eq(0.0), f64::INFINITY)
}
