//! Running an evaluation: a unit of work is one batch.

use serde::{Deserialize, Serialize};

use super::Measured;
use super::journal::Journal;
use super::kept::{from_journal, kept};
use super::search_cost;
use super::setup::Setup;
use crate::bits::to_hex;
use crate::error::Result;
use crate::job::Evaluate;
use crate::measure::evaluation::{append, attack, error_rate, mean, measure, robust_error_rate};
use crate::measure::summary::{clean_metrics, robust_metrics};
use crate::progress::{Event, Progress};
use crate::record::{Evaluated, Evaluation, Outcome, PerExample};

#[derive(Serialize, Deserialize)]
struct Unit {
    clean: PerExample,
    robust: Option<PerExample>,
    /// Bits of the perturbations, where examples are kept.
    perturbation: Option<String>,
}

pub fn run(
    job: &Evaluate,
    setup: &Setup,
    journal: &mut Journal,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    let pair = setup.pair(&setup.checkpoint.network.weights);
    let total = setup.batches.len() as u64;
    let name = |number: usize| format!("batch {number}");
    let done = (0..setup.batches.len()).filter(|n| journal.get::<Unit>(&name(*n)).is_some()).count() as u64;
    let label = if job.attack.is_some() { "evaluating, clean and attacked" } else { "evaluating" };
    progress.report(Event::Started { label: label.into(), done, total })?;
    let (mut clean, mut robust) = (PerExample::default(), PerExample::default());
    let mut perturbations: Vec<f32> = Vec::new();
    for (number, batch) in setup.batches.iter().enumerate() {
        let unit = if let Some(unit) = journal.get::<Unit>(&name(number)) {
            unit
        } else {
            let attacked = job
                .attack
                .as_ref()
                .map(|settings| {
                    attack(&pair, settings, batch, job.compute.seed, &mut || progress.report(Event::Alive))
                })
                .transpose()?;
            let unit = Unit {
                clean: measure(&pair.measure, batch, None)?,
                perturbation: attacked
                    .as_ref()
                    .filter(|_| job.keep_examples)
                    .map(|a| {
                        Vec::try_from(a.perturbation.contiguous().view([-1])).map(|v: Vec<f32>| to_hex(&v))
                    })
                    .transpose()?,
                robust: attacked.map(|a| a.per_example),
            };
            journal.put(&name(number), &unit)?;
            unit
        };
        if let Some(text) = &unit.perturbation {
            perturbations.extend(from_journal(text)?);
        }
        append(&mut clean, unit.clean);
        if let Some(rows) = unit.robust {
            append(&mut robust, rows);
        }
        progress.report(Event::Step { done: number as u64 + 1, total })?;
    }
    let search_cost = match &job.attack {
        None => None,
        Some(settings) => {
            let mut pulse = || progress.report(Event::Alive);
            search_cost::of_checkpoint(setup, settings, job.compute.seed, journal, &mut pulse)?
        }
    };
    let keeps = job.keep_examples && job.attack.is_some();
    let attacked = if job.attack.is_some() {
        Some(Evaluated {
            loss: mean(&robust.loss),
            error: robust_error_rate(&clean, &robust),
            metrics: Some(robust_metrics(&clean, &robust)?.into()),
            per_example: robust,
        })
    } else {
        None
    };
    let clean = Evaluated {
        loss: mean(&clean.loss),
        error: error_rate(&clean),
        metrics: Some(clean_metrics(&clean)?.into()),
        per_example: clean,
    };
    Ok(Measured {
        search_cost,
        losses: None,
        outcome: Outcome::Evaluate(Evaluation { clean, robust: attacked }),
        complete: true,
        warnings: Vec::new(),
        examples: keeps.then(|| kept(&setup.dataset, perturbations)).transpose()?,
    })
}
