//! Points of an earlier landscape that are points of a finer, wider or longer one as well.

use super::filling::{Cell, point_name};
use super::outcome::{Grid, LandscapeOutcome};
use super::settings::Landscape;
use crate::measure::units::Units;

/// The units of `job` that the outcome of an `earlier` job on the same checkpoint and images holds. Whether these are the
/// same is not asked here.
///
/// # Errors
/// Why nothing can be taken over; without a name.
pub fn reused(job: &Landscape, earlier: &Landscape, outcome: &LandscapeOutcome) -> Result<Units, String> {
    // What may differ: the grid, and where files lie.
    let same = Landscape {
        checkpoint: job.checkpoint.clone(),
        data: job.data.clone(),
        range: job.range,
        second_range: job.second_range,
        steps: job.steps,
        refine: job.refine,
        draws: job.draws,
        trajectory: job.trajectory.clone(),
        ..earlier.clone()
    };
    if same != *job {
        return Err("was made with other settings than steps, ranges, draws and refinement".into());
    }
    if job.warm.is_some() {
        return Err("was attacked from point to point, which depends on the grid".into());
    }
    if job.reduced {
        return Err("was evaluated in reduced precision and corrected, which depends on the grid".into());
    }
    if outcome.interpolated > 0 {
        return Err("holds interpolated points, which are not computed".into());
    }
    let mut units = Units::default();
    let single = [(outcome.clean.as_ref(), outcome.robust.as_ref())];
    let drawn: Vec<(Option<&Grid>, Option<&Grid>)> =
        outcome.draws.iter().map(|draw| (Some(&draw.clean), draw.robust.as_ref())).collect();
    let planes = if drawn.is_empty() { &single[..] } else { &drawn };
    let axes = job.axes();
    let y = axes.get(1).map_or(&[0.0][..], Vec::as_slice);
    let its_y = outcome.y.as_deref().unwrap_or(&[0.0]);
    for (plane, (clean, robust)) in planes.iter().enumerate().take(job.draws) {
        for (row, step_y) in y.iter().enumerate() {
            let Some(its_row) = its_y.iter().position(|step| step == step_y) else { continue };
            for (column, step_x) in axes[0].iter().enumerate() {
                let Some(its_column) = outcome.x.iter().position(|step| step == step_x) else { continue };
                let at = |grid: &Option<&Grid>| grid.and_then(|grid| grid.get(its_column, its_row));
                let Some(clean) = at(clean) else { continue };
                let cell = Cell { clean, robust: at(robust) };
                if robust.is_some() && cell.robust.is_none() {
                    continue;
                }
                let value = serde_json::to_value(Some(cell)).expect("cells are plain data");
                units.put(&point_name(plane, (column, row)), value);
            }
        }
    }
    if units.is_empty() {
        return Err("has no point in common with this grid".into());
    }
    Ok(units)
}
