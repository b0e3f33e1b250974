//! Weights as one vector with names.
//!
//! All parameters of a network lie in one flat buffer, so that `w + a d1 + b d2`, dot products and norms
//! are one operation. A perturbation, a direction and a gradient are all [`Weights`].

use std::sync::Arc;

use tch::{Device, Kind, Tensor};

use super::topology::{Role, Topology};

/// Where one parameter tensor lies in the flat buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Key in the state dictionary.
    pub name: String,
    /// Shape.
    pub shape: Vec<i64>,
    /// Role; never [`Role::Buffer`].
    pub role: Role,
    /// First element in the flat buffer.
    pub offset: i64,
    /// Number of elements.
    pub len: i64,
}

impl Entry {
    /// Number of output filters: slices along the first axis, of a linear layer its rows; 1 for vectors and scalars.
    pub fn filters(&self) -> i64 {
        if self.shape.len() > 1 { self.shape[0] } else { 1 }
    }
}

/// Names, shapes and places of all parameters, in the order of the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// One entry per parameter tensor.
    pub entries: Vec<Entry>,
    /// Number of elements of all.
    pub len: i64,
}

impl Layout {
    /// The layout of a topology's parameters.
    pub fn of(topology: &Topology) -> Self {
        let mut entries = Vec::new();
        let mut offset = 0;
        for spec in topology.tensors().into_iter().filter(|spec| spec.role != Role::Buffer) {
            let len = spec.shape.iter().product();
            entries.push(Entry { name: spec.name, shape: spec.shape, role: spec.role, offset, len });
            offset += len;
        }
        Self { entries, len: offset }
    }

    /// Indices of the tensors that directions and weight attacks move by default: trainable ones that
    /// belong to no normalization layer.
    pub fn movable(&self) -> Vec<usize> {
        (0..self.entries.len()).filter(|i| self.entries[*i].role == Role::Weight).collect()
    }
}

/// A vector in the space of parameters: weights, a direction, a gradient.
#[derive(Debug)]
pub struct Weights {
    layout: Arc<Layout>,
    flat: Tensor,
}

impl Weights {
    /// All zeros, on the CPU in float32.
    pub fn zeros(layout: Arc<Layout>) -> Self {
        let flat = Tensor::zeros([layout.len], (Kind::Float, Device::Cpu));
        Self { layout, flat }
    }

    /// Wraps a flat buffer.
    ///
    /// # Panics
    /// If its length is not that of the layout.
    pub fn from_flat(layout: Arc<Layout>, flat: Tensor) -> Self {
        assert_eq!(flat.size(), [layout.len], "flat buffer does not fit the layout");
        Self { layout, flat }
    }

    /// Names and places.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// The flat buffer.
    pub fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// The tensor at `index` of the layout: a view, so writing to it writes to the buffer.
    pub fn view(&self, index: usize) -> Tensor {
        let entry = &self.layout.entries[index];
        self.flat.narrow(0, entry.offset, entry.len).view(entry.shape.as_slice())
    }

    /// A copy in memory of its own.
    pub fn copy(&self) -> Self {
        Self { layout: self.layout.clone(), flat: self.flat.detach().copy() }
    }

    /// On another device or in another precision.
    pub fn to(&self, device: Device, kind: Kind) -> Self {
        Self { layout: self.layout.clone(), flat: self.flat.to_device(device).to_kind(kind) }
    }

    /// `self + sum of factor * direction`, newly allocated. Factors of exactly 0 leave no trace, so the
    /// origin of a landscape is bitwise the checkpoint.
    pub fn moved(&self, steps: &[(f64, &Self)]) -> Self {
        let mut flat = self.flat.copy();
        for (factor, direction) in steps.iter().filter(|(factor, _)| *factor != 0.0) {
            let _ = flat.g_add_(&(&direction.flat * *factor));
        }
        Self { layout: self.layout.clone(), flat }
    }

    /// Sum of products, accumulated in float64.
    pub fn dot(&self, other: &Self) -> f64 {
        (self.flat.to_kind(Kind::Double) * other.flat.to_kind(Kind::Double))
            .sum(Kind::Double)
            .double_value(&[])
    }

    /// Euclidean norm, accumulated in float64.
    pub fn norm(&self) -> f64 {
        self.dot(self).sqrt()
    }
}
