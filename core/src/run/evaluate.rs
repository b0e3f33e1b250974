//! Running an evaluation: a unit of work is one batch, clean and in every attempt (restart of an attack).

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Measured;
use super::journal::Journal;
use super::kept::{from_journal, kept, to_journal};
use super::search_cost;
use super::setup::Setup;
use super::stored::Stored;
use crate::attack::pgd::Trace;
use crate::bits::to_hex;
use crate::error::Result;
use crate::job::{Evaluate, Selection};
use crate::measure::attempts::{AttemptRows, average, means, per_attack, summed};
use crate::measure::evaluation::{
    Attacked, Batch, Pair, append, at, attempt, error_rate, mean, measure_all_classes, probabilities,
    robust_error_rate,
};
use crate::measure::summary::{clean_metrics, robust_metrics};
use crate::progress::{Event, Progress, Pulse};
use crate::record::{
    AttackSteps, Attempt, Evaluated, Evaluation, Outcome, PerExample, Probabilities, SearchCost,
};

#[derive(Serialize, Deserialize)]
struct Unit {
    clean: PerExample,
    robust: Option<PerExample>,
    /// Bits of the perturbations, where examples are kept.
    perturbation: Option<String>,
    /// Bits of the probabilities, where they are kept.
    #[serde(default)]
    probabilities: Option<String>,
    /// Every restart of every attack.
    attempts: Vec<AttemptUnit>,
}

/// One attempt on one batch.
#[derive(Serialize, Deserialize)]
struct AttemptUnit {
    rows: AttemptRows,
    /// Sums over the examples, where iterations are logged.
    #[serde(default)]
    steps: Option<AttackSteps>,
    /// Bits of the perturbations, where those of all attempts are kept.
    #[serde(default)]
    perturbation: Option<String>,
    #[serde(default)]
    probabilities: Option<String>,
}

/// The attack and restart of every attempt, in order.
fn plan(job: &Evaluate, stored: Option<&Stored>) -> Vec<(usize, usize)> {
    match stored {
        Some(stored) => (0..stored.attempts()).map(|restart| (0, restart)).collect(),
        None => (job.attacks().enumerate())
            .flat_map(|(number, attack)| (0..attack.restarts).map(move |restart| (number, restart)))
            .collect(),
    }
}

/// The work on one batch.
struct Work<'a> {
    job: &'a Evaluate,
    setup: &'a Setup,
    pair: Pair,
    stored: Option<Stored>,
    plan: Vec<(usize, usize)>,
}

impl Work<'_> {
    fn unit(&self, number: usize, batch: &Batch, pulse: Pulse) -> Result<Unit> {
        let job = self.job;
        let (clean, all_classes) = measure_all_classes(&self.pair.measure, batch)?;
        let mut attempts = Vec::new();
        let mut worst: Option<Attacked> = None;
        for (attack, restart) in &self.plan {
            let mut trace = job.log_steps.then(Trace::default);
            let found = self.attempt(number, batch, (*attack, *restart), trace.as_mut(), pulse)?;
            let bits = |wanted: bool, values: &Tensor| wanted.then(|| to_journal(values)).transpose();
            attempts.push(AttemptUnit {
                rows: AttemptRows::of(&found),
                steps: trace.map(|trace| summed(&trace)).transpose()?,
                perturbation: bits(job.keep_attempts, &found.perturbation)?,
                probabilities: if job.keep_probabilities {
                    Some(to_hex(&probabilities(&found.logits)?))
                } else {
                    None
                },
            });
            worst = Some(found.or_worse(worst));
        }
        let kept = worst.as_ref().filter(|_| job.keep_examples || job.keep_attempts);
        Ok(Unit {
            clean,
            perturbation: kept.map(|worst| to_journal(&worst.perturbation)).transpose()?,
            probabilities: job.keep_probabilities.then(|| to_hex(&all_classes)),
            robust: worst.map(|worst| worst.per_example),
            attempts,
        })
    }

    fn attempt(
        &self,
        number: usize,
        batch: &Batch,
        (attack, restart): (usize, usize),
        trace: Option<&mut Trace>,
        pulse: Pulse,
    ) -> Result<Attacked> {
        if let Some(stored) = &self.stored {
            pulse()?;
            let from = number * self.setup.batch_size;
            let perturbation = stored.perturbation(restart, from..from + batch.len(), self.setup);
            return at(&self.pair.measure, batch, perturbation, Selection::Loss);
        }
        let settings = self.job.attacks().nth(attack).expect("the plan has the attacks of the job");
        attempt(&self.pair, settings, batch, self.job.compute.seed, restart as u64, trace, pulse)
    }
}

/// All finished batches together.
#[derive(Default)]
struct Together {
    clean: PerExample,
    robust: PerExample,
    perturbations: Vec<f32>,
    probabilities: Vec<f32>,
    attempts: Vec<AttemptTogether>,
}

#[derive(Default)]
struct AttemptTogether {
    rows: AttemptRows,
    steps: AttackSteps,
    perturbations: Vec<f32>,
    probabilities: Vec<f32>,
}

impl Together {
    fn take(&mut self, unit: Unit) -> Result<()> {
        let bits = |into: &mut Vec<f32>, text: &Option<String>| -> Result<()> {
            if let Some(text) = text {
                into.extend(from_journal(text)?);
            }
            Ok(())
        };
        bits(&mut self.perturbations, &unit.perturbation)?;
        bits(&mut self.probabilities, &unit.probabilities)?;
        append(&mut self.clean, unit.clean);
        if let Some(rows) = unit.robust {
            append(&mut self.robust, rows);
        }
        self.attempts.resize_with(unit.attempts.len(), AttemptTogether::default);
        for (all, part) in self.attempts.iter_mut().zip(unit.attempts) {
            all.rows.append(part.rows);
            bits(&mut all.perturbations, &part.perturbation)?;
            bits(&mut all.probabilities, &part.probabilities)?;
            if let Some(steps) = part.steps {
                all.steps.add(&steps);
            }
        }
        Ok(())
    }
}

pub fn run(
    job: &Evaluate,
    setup: &Setup,
    journal: &mut Journal,
    progress: &mut dyn Progress,
) -> Result<Measured> {
    let stored = job.adversarial.as_ref().map(|path| Stored::open(path, setup)).transpose()?;
    // Units on other stored examples are not those of this run.
    let on = stored.as_ref().map_or_else(String::new, |stored| format!(" of {}", stored.source.hash));
    let name = |number: usize| format!("batch {number}{on}");
    let total = setup.batches.len() as u64;
    let done = (0..setup.batches.len()).filter(|n| journal.get::<Unit>(&name(*n)).is_some()).count() as u64;
    let label = match (&job.attack, &stored) {
        (Some(_), _) => "evaluating, clean and attacked",
        (_, Some(_)) => "evaluating, clean and on stored adversarial examples",
        (None, None) => "evaluating",
    };
    progress.report(Event::Started { label: label.into(), done, total })?;
    let pair = setup.pair(&setup.checkpoint.network.weights);
    let work = Work { job, setup, pair, plan: plan(job, stored.as_ref()), stored };
    let mut all = Together::default();
    for (number, batch) in setup.batches.iter().enumerate() {
        let unit = if let Some(unit) = journal.get::<Unit>(&name(number)) {
            unit
        } else {
            let unit = work.unit(number, batch, &mut || progress.report(Event::Alive))?;
            journal.put(&name(number), &unit)?;
            unit
        };
        all.take(unit)?;
        progress.report(Event::Step { done: number as u64 + 1, total })?;
    }
    let search_cost = match &job.attack {
        None => None,
        Some(settings) => {
            let mut pulse = || progress.report(Event::Alive);
            search_cost::of_checkpoint(setup, settings, job.compute.seed, journal, &mut pulse)?
        }
    };
    finish(work, all, search_cost)
}

fn finish(work: Work, all: Together, search_cost: Option<SearchCost>) -> Result<Measured> {
    let Work { job, setup, plan, stored, .. } = work;
    let is_attacked = !plan.is_empty();
    let examples = setup.examples() as f64;
    let Together { clean, robust, perturbations, probabilities, attempts } = all;
    let rows: Vec<&AttemptRows> = attempts.iter().map(|attempt| &attempt.rows).collect();
    let scored = (plan.iter().zip(&rows)).map(|((attack, restart), rows)| {
        let point = rows.point(&clean);
        Attempt { attack: *attack, restart: *restart, loss: point.loss, error: point.error, steps: None }
    });
    let mut scored: Vec<Attempt> = scored.collect();
    for (scored, attempt) in scored.iter_mut().zip(&attempts) {
        scored.steps = job.log_steps.then(|| means(&attempt.steps, examples));
    }
    let per_attack = per_attack(&clean, &plan, &rows);
    let joined = |of: fn(&AttemptTogether) -> &Vec<f32>| -> Vec<f32> {
        attempts.iter().flat_map(|attempt| of(attempt).iter().copied()).collect()
    };
    let probabilities = job.keep_probabilities.then(|| Probabilities {
        classes: probabilities.len() / clean.label.len(),
        clean: probabilities,
        attempts: joined(|attempt| &attempt.probabilities),
        indices: clean.index.iter().map(|index| *index as i64).collect(),
        labels: clean.label.clone(),
    });
    let keeps = is_attacked && (job.keep_examples || job.keep_attempts);
    let examples_kept = keeps
        .then(|| kept(&setup.dataset, perturbations, joined(|attempt| &attempt.perturbations)))
        .transpose()?;
    let robust = if is_attacked {
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
        outcome: Outcome::Evaluate(Evaluation {
            clean,
            robust,
            average: average(&scored),
            // A single one says what is in `robust` already.
            attempts: if scored.len() > 1 || job.log_steps { scored } else { Vec::new() },
            per_attack,
            source: stored.map(|stored| stored.source),
            probabilities: None,
        }),
        complete: true,
        warnings: Vec::new(),
        examples: examples_kept,
        probabilities,
    })
}
