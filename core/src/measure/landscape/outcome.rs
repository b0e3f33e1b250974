//! The numbers of a landscape.

use serde::{Deserialize, Serialize};

use crate::measure::rows::Point;

/// Values on the grid: `[x]` in 1-D, `[y][x]` in 2-D; `null` where not computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// 1-D.
    Line(Vec<Option<f64>>),
    /// 2-D, rows along y.
    Plane(Vec<Vec<Option<f64>>>),
}

impl Values {
    /// All `null`; `ny` of `None` means 1-D.
    pub fn empty(nx: usize, ny: Option<usize>) -> Self {
        match ny {
            None => Self::Line(vec![None; nx]),
            Some(ny) => Self::Plane(vec![vec![None; nx]; ny]),
        }
    }

    /// Value at `x` (and `y`, 0 in 1-D); none where not computed or outside the grid.
    pub fn get(&self, x: usize, y: usize) -> Option<f64> {
        match self {
            Self::Line(line) => *line.get(x)?,
            Self::Plane(rows) => *rows.get(y)?.get(x)?,
        }
    }

    /// Sets the value at `x` (and `y`, 0 in 1-D); ignores points outside the grid.
    pub fn set(&mut self, x: usize, y: usize, value: f64) {
        let cell = match self {
            Self::Line(line) => line.get_mut(x),
            Self::Plane(rows) => rows.get_mut(y).and_then(|row| row.get_mut(x)),
        };
        if let Some(cell) = cell {
            *cell = Some(value);
        }
    }

    /// Every value, row by row.
    pub fn iter(&self) -> Box<dyn Iterator<Item = Option<f64>> + '_> {
        match self {
            Self::Line(line) => Box::new(line.iter().copied()),
            Self::Plane(rows) => Box::new(rows.iter().flatten().copied()),
        }
    }
}

/// Loss and error on a grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Mean loss.
    pub loss: Values,
    /// Share of wrong examples, 0 to 1.
    pub error: Values,
}

impl Grid {
    /// Nothing computed yet.
    pub fn empty(nx: usize, ny: Option<usize>) -> Self {
        Self { loss: Values::empty(nx, ny), error: Values::empty(nx, ny) }
    }

    /// Stores one point.
    pub fn set(&mut self, x: usize, y: usize, point: Point) {
        self.loss.set(x, y, point.loss);
        self.error.set(x, y, point.error);
    }
}

/// What one direction is, in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectionSummary {
    /// e.g. `random`.
    pub name: String,
    /// Euclidean norm of step 1 over the whole model.
    pub norm: f64,
    /// That norm relative to the norm of the moved weights.
    pub relative_norm: f64,
    /// Per moved tensor: name and the relative L2 norm of step 1.
    pub layers: Vec<LayerNorm>,
}

/// Relative size of a direction in one tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerNorm {
    /// The tensor's name in the checkpoint.
    pub name: String,
    /// L2 norm of step 1 divided by the L2 norm of the weights.
    pub relative_l2: f64,
}

/// A loss landscape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LandscapeOutcome {
    /// Steps along the first direction.
    pub x: Vec<f64>,
    /// Steps along the second direction; absent in 1-D.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<Vec<f64>>,
    /// On clean images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<Grid>,
    /// Under attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Grid>,
    /// The directions, x first.
    #[serde(default)]
    pub directions: Vec<DirectionSummary>,
    /// Cosine of the angle between the two directions (2-D).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
}
