//! The numbers of a landscape.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::hessian::Eigenvalue;
use crate::measure::rows::Point;

/// Values on the grid: `[x]` in 1-D, `[y][x]` in 2-D; `null` where not computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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

    /// Columns and rows; a line has one row.
    pub fn size(&self) -> (usize, usize) {
        match self {
            Self::Line(line) => (line.len(), 1),
            Self::Plane(rows) => (rows.first().map_or(0, Vec::len), rows.len()),
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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

    /// A point, if it is there.
    pub fn get(&self, x: usize, y: usize) -> Option<Point> {
        Some(Point { loss: self.loss.get(x, y)?, error: self.error.get(x, y)? })
    }

    /// Stores one point.
    pub fn set(&mut self, x: usize, y: usize, point: Point) {
        self.loss.set(x, y, point.loss);
        self.error.set(x, y, point.error);
    }
}

/// Eigenvalues of the Hessian at the points of a grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CurvatureGrid {
    /// The largest everywhere, the second largest everywhere, and so on.
    pub largest: Vec<Values>,
    /// The smallest everywhere, the second smallest everywhere, and so on.
    pub smallest: Vec<Values>,
}

/// What one direction is, in numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct DirectionSummary {
    /// e.g. `random`.
    pub name: String,
    /// Euclidean norm of step 1 over the whole model.
    pub norm: f64,
    /// That norm relative to the norm of the moved weights.
    pub relative_norm: f64,
    /// Per moved tensor: name and the relative L2 norm of step 1.
    pub layers: Vec<LayerNorm>,
    /// Of the gradient, its norm: the slope of the loss along it, per unit of length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient: Option<f64>,
    /// Of an eigenvector of the Hessian, its eigenvalue: the curvature of the loss along it, per unit of length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eigenvalue: Option<Eigenvalue>,
    /// Of a principal component, the share of the variance that it explains, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variance: Option<f64>,
    /// Of a direction toward another checkpoint, the SHA-256 of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_hash: Option<String>,
}

/// Relative size of a direction in one tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LayerNorm {
    /// The tensor's name in the checkpoint.
    pub name: String,
    /// L2 norm of step 1 divided by the L2 norm of the weights.
    pub relative_l2: f64,
}

/// A network in the plane of a landscape, or above it, measured by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Landmark {
    /// What it is: `origin`, or the name of a checkpoint or of an epoch.
    pub name: String,
    /// Step along the first direction at the point of the plane that is nearest to it.
    pub x: f64,
    /// Along the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<f64>,
    /// Euclidean distance from the plane, as a share of its distance from the origin: 0 lies in the plane.
    pub outside: f64,
    /// Whether it is one of the networks of a path, in the order of the path.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub path: bool,
    /// On clean images; none: its loss is not finite.
    pub clean: Option<Point>,
    /// Under attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Point>,
}

/// How far the loss between two networks rises above the line from the one's to the other's (Frankle et al. 2020); 0
/// where it does not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Barrier {
    /// Of the clean loss.
    pub clean: f64,
    /// Of the robust loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<f64>,
}

/// One of several draws of random directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LandscapeDraw {
    /// On clean images.
    pub clean: Grid,
    /// Under attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Grid>,
    /// Its directions, x first.
    pub directions: Vec<DirectionSummary>,
    /// Cosine of the angle between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
}

/// What attacks from the adversarial examples of neighbours miss: on a random tenth of the points the full attack was
/// run as well.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WarmGap {
    /// Mean robust loss under the full attack minus that of the landscape: above 0 where the landscape is too low.
    pub value: f64,
    /// Its standard error over these points; absent for a single one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// The largest difference at a point.
    pub largest: f64,
    /// Mean robust loss of these points under the full attack.
    pub loss: f64,
    /// Number of these points.
    pub points: usize,
}

/// What evaluating in reduced precision changes, where losses were measured in float32 as well.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Correction {
    /// Mean loss in float32 minus that in reduced precision.
    pub value: f64,
    /// Root mean square of what is left of the differences at a point once the others have corrected it; absent for a
    /// single point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
    /// Number of these points.
    pub points: usize,
}

/// Reduced precision of a landscape, corrected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReducedPrecision {
    /// `bf16`, or `tf32`.
    pub precision: String,
    /// Of the clean loss; of several draws that of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<Correction>,
    /// Of the robust loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Correction>,
}

/// A loss landscape.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LandscapeOutcome {
    /// Steps along the first direction.
    pub x: Vec<f64>,
    /// Steps along the second direction; absent in 1-D.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<Vec<f64>>,
    /// On clean images; of several draws their mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<Grid>,
    /// Under attack; of several draws their mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Grid>,
    /// Eigenvalues of the Hessian of that loss, the robust one if there is one; of several draws their mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curvature: Option<CurvatureGrid>,
    /// The directions, x first; of several draws those of the first.
    #[serde(default)]
    pub directions: Vec<DirectionSummary>,
    /// Cosine of the angle between the two directions (2-D).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
    /// Every draw, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub draws: Vec<LandscapeDraw>,
    /// Networks measured by themselves: the origin where it is no grid point, the ends of directions to other networks,
    /// the networks of a trajectory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub landmarks: Vec<Landmark>,
    /// Of a curve toward another network: how high the loss between the two is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barrier: Option<Barrier>,
    /// Number of grid points that were left to interpolation (of all draws), where the surface is smooth.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interpolated: usize,
    /// What reduced precision changes, and what is left of that once it is corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduced: Option<ReducedPrecision>,
    /// What warm attacks miss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<WarmGap>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl LandscapeOutcome {
    /// Loss and error of the unperturbed network, clean or robust.
    pub fn origin(&self, robust: bool) -> Option<Point> {
        let grid = if robust { &self.robust } else { &self.clean };
        let zero = |steps: &[f64]| steps.iter().position(|step| *step == 0.0);
        let at = zero(&self.x).zip(self.y.as_deref().map_or(Some(0), zero));
        let on_grid = at.zip(grid.as_ref()).and_then(|((x, y), grid)| grid.get(x, y));
        on_grid.or_else(|| {
            let origin = self.landmarks.iter().find(|landmark| landmark.name == ORIGIN)?;
            if robust { origin.robust } else { origin.clean }
        })
    }
}

/// Name of the unperturbed network among landmarks.
pub const ORIGIN: &str = "origin";
