//! What a file of another program says of a landscape, before it is put in order.

use crate::measure::landscape::{Grid, LandscapeOutcome, Values};

/// Largest grid: 4001 by 4001.
pub(super) const MOST_CELLS: usize = 4001 * 4001;

/// Values of a quantity, row by row (`[y][x]`); none where missing.
pub(super) type Cells = Vec<Option<f64>>;

/// Loss and, if known, error of the points of a grid.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub loss: Cells,
    /// Shares of wrong examples, 0 to 1.
    pub error: Option<Cells>,
}

/// What a file says, as it stands there.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// What wrote such files, e.g. `loss-landscape (HDF5)`.
    pub layout: &'static str,
    pub x: Vec<f64>,
    /// None: 1-D.
    pub y: Option<Vec<f64>>,
    pub clean: Option<Layer>,
    pub robust: Option<Layer>,
    pub cosine: Option<f64>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Table {
    /// The landscape, with ascending steps, and what is to be said of missing values.
    ///
    /// # Errors
    /// A sentence: too few steps, a step twice or not finite, values that do not fit the steps, no value at all.
    pub fn outcome(self) -> Result<(LandscapeOutcome, Option<String>), String> {
        let columns = ascending("x", &self.x)?;
        let rows = self.y.as_ref().map(|y| ascending("y", y)).transpose()?;
        let count = columns.len() * rows.as_ref().map_or(1, Vec::len);
        if count > MOST_CELLS {
            return Err(format!("has {count} grid points, and Basin opens at most {MOST_CELLS}"));
        }
        let sorted = |cells: &Cells| -> Result<Values, String> {
            if cells.len() != count {
                return Err(format!("has {} values for a grid of {count} points", cells.len()));
            }
            let row = |row: usize| columns.iter().map(|at| cells[row * columns.len() + at]).collect();
            Ok(match &rows {
                None => Values::Line(row(0)),
                Some(rows) => Values::Plane(rows.iter().map(|at| row(*at)).collect()),
            })
        };
        let grid = |layer: &Layer| -> Result<Grid, String> {
            let error = match &layer.error {
                Some(error) => sorted(error)?,
                None => Values::empty(columns.len(), rows.as_ref().map(Vec::len)),
            };
            Ok(Grid { loss: sorted(&layer.loss)?, error })
        };
        let layers = [&self.clean, &self.robust];
        let known = |layer: &&Layer| layer.loss.iter().flatten().count();
        let most = layers.iter().filter_map(|layer| layer.as_ref()).map(|layer| known(&layer)).max();
        let missing = match most {
            None => return Err("has no loss".into()),
            Some(0) => {
                return Err(
                    "has no finite loss at any grid point; the program that wrote it has not come so far"
                        .into(),
                );
            }
            Some(known) if known == count => None,
            Some(known) => Some(match count - known {
                1 => format!("1 of {count} grid points has no loss in the file"),
                missing => format!("{missing} of {count} grid points have no loss in the file"),
            }),
        };
        let [clean, robust] = layers;
        let at = |steps: &[f64], order: &[usize]| order.iter().map(|at| steps[*at]).collect();
        let outcome = LandscapeOutcome {
            clean: clean.as_ref().map(grid).transpose()?,
            robust: robust.as_ref().map(grid).transpose()?,
            cosine: self.cosine,
            y: self.y.as_deref().zip(rows.as_deref()).map(|(y, rows)| at(y, rows)),
            x: at(&self.x, &columns),
            ..LandscapeOutcome::default()
        };
        Ok((outcome, missing))
    }
}

/// The order in which the steps of an axis ascend.
fn ascending(axis: &str, steps: &[f64]) -> Result<Vec<usize>, String> {
    if let Some(step) = steps.iter().find(|step| !step.is_finite()) {
        return Err(format!("has the step {step} along {axis}; steps must be finite"));
    }
    if steps.len() < 2 {
        return Err(format!(
            "has {} along {axis}; a landscape needs at least 2",
            match steps.len() {
                0 => "no step",
                _ => "1 step",
            }
        ));
    }
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by(|a, b| steps[*a].total_cmp(&steps[*b]));
    match order.windows(2).find(|pair| steps[pair[0]] == steps[pair[1]]) {
        Some(pair) => Err(format!("has the step {} along {axis} twice", steps[pair[0]])),
        None => Ok(order),
    }
}

/// A value; none if it is not finite.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
