//! Norms of weights and gradients over epochs, and the table of all statistics that a training logs of its tensors.

use std::fmt::Write as _;

use basin_core::train::{Epoch, Summary, TensorStatistics};

use super::curves::{Shown, taken_apart};
use crate::plot::color::series_color;
use crate::plot::export::{column, head};
use crate::plot::figure::Named;
use crate::plot::{Dash, Item, Plot, text};

/// Euclidean norms of all trained weights (solid) and of their gradient (dashed) at the end of each epoch, with a note on
/// trainings that have not logged them.
///
/// # Errors
/// No training has; a sentence that says how to.
pub fn norms(several: &[Shown<'_>]) -> Result<(Vec<Item>, Option<String>), String> {
    let has_logged = |shown: &&Shown<'_>| shown.outcome.epochs.iter().any(|epoch| !epoch.tensors.is_empty());
    let (logged, others): (Vec<_>, Vec<_>) = several.iter().partition(has_logged);
    let names: Vec<&str> = others.iter().map(|shown| shown.name).collect();
    let (names, have) = (names.join(", "), if names.len() == 1 { "has" } else { "have" });
    let lack = || format!("{names} {have} no statistics of weights and gradients");
    if logged.is_empty() {
        return Err(format!("{}; train with --set tensor_statistics=true", text::plain(&lack())));
    }
    let items = logged.iter().enumerate().flat_map(|(number, shown)| curves(shown, number, logged.len()));
    Ok((items.collect(), (!others.is_empty()).then(lack)))
}

fn curves(shown: &Shown<'_>, number: usize, of: usize) -> Vec<Item> {
    let name = |what: &str| match of {
        1 => what.to_owned(),
        _ => format!("{}, {what}", shown.name),
    };
    let (weights, gradient) = if of == 1 { (0, 1) } else { (number, number) };
    let weight = |epoch: &Epoch| norm(epoch, |tensor| &tensor.weight);
    let slope = |epoch: &Epoch| norm(epoch, |tensor| &tensor.gradient);
    let weights = shown.curve(Some(name("weights")), series_color(weights), Dash::Solid, &weight);
    let gradient = shown.curve(Some(name("gradient")), series_color(gradient), Dash::Dashed, &slope);
    weights.into_iter().chain(gradient).map(Item::Series).collect()
}

/// The norm over all tensors; on the logarithmic axis only above 0.
fn norm(epoch: &Epoch, of: fn(&TensorStatistics) -> &Summary) -> Option<f64> {
    let squares = epoch.tensors.iter().map(|tensor| of(tensor).norm.powi(2));
    Some(squares.sum::<f64>().sqrt()).filter(|norm| *norm > 0.0)
}

/// All statistics as CSV, a row for each training, epoch, tensor, and weight or gradient; `plot` is the figure of the
/// norms, whose head the table has.
///
/// # Errors
/// A record is no training.
pub fn table(records: &[Named<'_>], plot: &Plot) -> Result<String, String> {
    let mut out = head(plot);
    let mut has_columns = false;
    for shown in records.iter().map(taken_apart) {
        let shown = shown?;
        for epoch in &shown.outcome.epochs {
            for tensor in &epoch.tensors {
                for (of, summary) in [("weight", tensor.weight), ("gradient", tensor.gradient)] {
                    let named = summary.named();
                    if !has_columns {
                        let names = named.map(|(name, _)| name).join(",");
                        let _ = writeln!(out, "training,epoch,tensor,of,{names}");
                        has_columns = true;
                    }
                    let numbers = named.map(|(_, value)| format!("{value:?}")).join(",");
                    let (name, tensor) = (column(shown.name), column(&text::literal(&tensor.name)));
                    let _ = writeln!(out, "{name},{},{tensor},{of},{numbers}", epoch.epoch + 1);
                }
            }
        }
    }
    Ok(out)
}
