//! The flat buffer cut into pieces: the attacked tensors, or their output filters.
//!
//! Whatever is done per layer, per filter or for the whole model is then: sizes per piece, arithmetic on a
//! short vector, and one product over the flat buffer. Nothing is copied to the host.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::model::Layout;

/// What a radius is relative to, and what one norm is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every tensor by itself: the paper's choice.
    #[default]
    Layer,
    /// Every output filter by itself; tensors with one or two axes as a whole.
    Filter,
    /// All attacked tensors together as one vector.
    Global,
}

/// How sizes are measured in weight space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightNorm {
    /// Euclidean.
    #[default]
    L2,
    /// Largest absolute value.
    Linf,
}

/// A stretch of the flat buffer that is cut into `rows` pieces of the same length.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    offset: i64,
    rows: i64,
    len: i64,
}

/// The pieces of the attacked tensors; everything else of the buffer is left out.
#[derive(Debug)]
pub struct Pieces {
    scope: Scope,
    stretches: Vec<Stretch>,
    /// Lengths of all pieces and of the gaps between them, in the order of the buffer.
    lengths: Tensor,
    /// Positions of the pieces among `lengths`.
    positions: Tensor,
    total: i64,
}

impl Pieces {
    /// Cuts the tensors at `which` (ascending) of `layout`.
    pub fn new(layout: &Layout, which: &[usize], scope: Scope, device: Device) -> Self {
        let mut stretches = Vec::new();
        let (mut lengths, mut positions) = (Vec::new(), Vec::new());
        let mut end = 0;
        for index in which {
            let entry = &layout.entries[*index];
            if entry.offset > end {
                lengths.push(entry.offset - end);
            }
            let rows = if scope == Scope::Filter && entry.shape.len() > 2 { entry.shape[0] } else { 1 };
            for _ in 0..rows {
                positions.push(lengths.len() as i64);
                lengths.push(entry.len / rows);
            }
            stretches.push(Stretch { offset: entry.offset, rows, len: entry.len });
            end = entry.offset + entry.len;
        }
        if layout.len > end {
            lengths.push(layout.len - end);
        }
        Self {
            scope,
            stretches,
            lengths: Tensor::from_slice(&lengths).to_device(device),
            positions: Tensor::from_slice(&positions).to_device(device),
            total: layout.len,
        }
    }

    /// Norm of every piece of `flat`, in float64; for [`Scope::Global`] the norm of all of them, repeated.
    pub fn sizes(&self, flat: &Tensor, norm: WeightNorm) -> Tensor {
        let sizes = self.reduce(flat, |rows| match norm {
            WeightNorm::L2 => rows.norm_scalaropt_dim_dtype(2, [1i64].as_slice(), false, Kind::Double),
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

    /// Number of entries of every piece, in float64; for [`Scope::Global`] of all of them, repeated.
    pub fn counts(&self) -> Tensor {
        let counts = self.lengths.index_select(0, &self.positions).to_kind(Kind::Double);
        if self.scope == Scope::Global { counts.sum(Kind::Double).expand_as(&counts) } else { counts }
    }

    /// Number of pieces.
    pub fn len(&self) -> i64 {
        self.positions.size()[0]
    }

    /// Whether nothing is attacked.
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// One value per piece, spread over the buffer; 0 outside of the attacked tensors.
    pub fn spread(&self, values: &Tensor, kind: Kind) -> Tensor {
        let all = Tensor::zeros([self.lengths.size()[0]], (kind, values.device()));
        all.index_copy(0, &self.positions, &values.to_kind(kind)).repeat_interleave_self_tensor(
            &self.lengths,
            0,
            self.total,
        )
    }

    /// `flat` with every piece multiplied by its value; 0 outside of the attacked tensors, whatever stood there.
    pub fn scaled(&self, flat: &Tensor, values: &Tensor) -> Tensor {
        flat * self.spread(values, flat.kind())
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
        let rows = |s: &Stretch| f(&flat.narrow(0, s.offset, s.len).view([s.rows, -1]));
        Tensor::cat(&self.stretches.iter().map(rows).collect::<Vec<_>>(), 0)
    }
}

/// `numerator / denominator` where the denominator is not 0, else 0: what is zero stays zero.
pub fn quotient(numerator: &Tensor, denominator: &Tensor) -> Tensor {
    numerator / denominator.masked_fill(&denominator.eq(0.0), f64::INFINITY)
}
