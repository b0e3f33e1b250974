//! Perturbed weights as flatness.

use std::path::{Path, PathBuf};

use super::arrays::Array;
use super::evaluations::{Images, error, first, loss, provenance, record, rows};
use crate::attack::names::PaperAttack;
use crate::data::Split;
use crate::device::Compute;
use crate::error::{Error, Result};
use crate::job::{Case, Flatness, FlatnessLoss, Job};
use crate::measure::statistics::{interval_of_table, mean, standard_error};
use crate::record::{AtRadius, Draw, FlatnessOutcome, Outcome, PerExample, Record};

/// The numbers of perturbed networks beside the unperturbed one.
pub struct Perturbed {
    /// Images.
    pub count: usize,
    /// Mean loss of each draw.
    pub losses: Vec<f64>,
    /// Share of images that are wrong unperturbed or perturbed, of each draw.
    pub errors: Vec<f64>,
    rows: Vec<PerExample>,
}

/// Reads the draws of an attack on weights, or on weights and inputs.
///
/// # Errors
/// A file is damaged, or has more images than the clean results.
pub fn perturbed(files: &[PathBuf], clean: &PerExample) -> Result<Perturbed> {
    let mut all = Perturbed { count: 0, losses: Vec::new(), errors: Vec::new(), rows: Vec::new() };
    for file in files {
        let array = Array::read(file, "probabilities")?;
        let count = array.shape.first().copied().unwrap_or_default();
        if array.shape.len() != 2
            || count == 0
            || count > clean.label.len()
            || (all.count > 0 && all.count != count)
        {
            let shape = &array.shape;
            return Err(Error::file(
                file,
                format!("has probabilities of shape {shape:?}, which do not fit the clean ones"),
            ));
        }
        let clean = first(clean, count);
        let of_draw = rows(&array.values, &clean.label);
        all.count = count;
        all.losses.push(loss(&of_draw));
        all.errors.push(error(&clean, &of_draw));
        all.rows.push(of_draw);
    }
    Ok(all)
}

/// The record of draws whose attack is known by name; `robust` are the rows of the attack on the unperturbed network.
/// None: the name does not tell the settings, or the reference of a robust loss is not there.
///
/// # Errors
/// There are no labels.
pub fn flatness(
    name: &str,
    files: &[PathBuf],
    checkpoint: &Path,
    clean: &PerExample,
    robust: Option<&PerExample>,
    images: &mut Images,
) -> Result<Option<Record>> {
    let Ok(attack) = name.parse::<PaperAttack>() else { return Ok(None) };
    let Job::Flatness(job) = attack.job(checkpoint.to_owned(), "", Compute::default()) else {
        return Ok(None);
    };
    let found = perturbed(files, clean)?;
    let reference = match job.loss {
        FlatnessLoss::Clean => Some(clean),
        FlatnessLoss::Robust => robust.filter(|rows| rows.label.len() >= found.count),
    };
    let (Some(reference), Some(file)) = (reference.map(|rows| first(rows, found.count)), files.first())
    else {
        return Ok(None);
    };
    let clean = first(clean, found.count);
    let differences: Vec<Vec<f64>> = found
        .rows
        .iter()
        .map(|rows| {
            rows.loss.iter().zip(&reference.loss).map(|(a, b)| f64::from(*a) - f64::from(*b)).collect()
        })
        .collect();
    let average = job.case == Case::Average;
    let reference_loss = loss(&reference);
    let worst = found.losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let value = if average { mean(&found.losses) } else { worst };
    let smallest = found.losses.iter().copied().fold(f64::INFINITY, f64::min);
    let several = found.losses.len() > 1;
    let draw =
        |(seed, (loss, error)): (usize, (&f64, &f64))| Draw { seed: seed as u64, loss: *loss, error: *error };
    let at = AtRadius {
        radius: job.radii.first().copied().unwrap_or_default(),
        loss: value,
        flatness: value - reference_loss,
        standard_error: standard_error(&found.losses).filter(|_| average),
        interval: interval_of_table(&differences).filter(|_| average).map(|i| [i.low, i.high]),
        spread: (!average && several).then_some([smallest - reference_loss, worst - reference_loss]),
        levels: None,
        mean: mean(&found.losses),
        worst,
        draws: found.losses.iter().zip(&found.errors).enumerate().map(draw).collect(),
    };
    let outcome = FlatnessOutcome {
        reference_loss,
        reference_error: error(&clean, &reference),
        radii: vec![at],
        layers: Vec::new(),
        resamples: 0,
        networks: Vec::new(),
        losses: None,
    };
    let data = images.selection(Split::Test, found.count);
    let dataset = images.first(Split::Test, found.count)?;
    let job = Flatness { data, draws: found.losses.len(), ..job };
    let provenance = provenance(file, checkpoint, dataset);
    Ok(Some(record(Job::Flatness(job), Outcome::Flatness(outcome), provenance)))
}
