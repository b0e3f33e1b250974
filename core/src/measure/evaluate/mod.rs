//! Loss and error on clean images, under attack, or on stored adversarial examples: a unit of work is one batch, clean
//! and in every attempt (restart of an attack).

pub mod attempts;
mod metrics;
mod outcome;
mod settings;
pub mod stored;

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::context::{Context, Cost};
use super::evaluation::{
    Attacked, Batch, SearchAndMeasure, append, at, attempt, error_rate, mean, measure_all_classes,
    probabilities, robust_error_rate,
};
use super::kept::{Kept, KeptExamples, Probabilities, from_bits, to_bits};
use super::rows::{PerExample, Point};
use super::search_cost;
use super::summary::{Headline, Number, Summary};
use super::units::{Group, Plan, UnitRunner, Units, cancel_check, unit};
use super::work::{Assembled, Keeps, Measure, Work, target_fields};
use crate::attack::pgd::Trace;
use crate::attack::{Pgd, Selection};
use crate::bits::to_hex;
use crate::error::Result;
use crate::progress::CancelCheck;
use attempts::{AttemptRows, average, means, per_attack, summed};
pub use metrics::{clean_metrics, robust_metrics};
pub use outcome::{
    AttackSteps, Attempt, AttemptAverage, Evaluated, Evaluation, ExampleSource, Metrics, Rejecting, Spread,
};
pub use settings::Evaluate;

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

impl Measure for Evaluate {
    const KIND: &'static str = "evaluate";
    const TITLE: &'static str = "Evaluation";
    type Outcome = Evaluation;
    type Work<'a> = Evaluating<'a>;

    fn usual() -> Self {
        Self { attack: Some(Pgd::default()), ..Self::default() }
    }

    fn input_attack(&self) -> Option<&Pgd> {
        self.attack.as_ref()
    }

    target_fields!();

    fn check(&self) -> Result<()> {
        Self::check(self)
    }

    fn check_classes(&self, classes: usize) -> Result<()> {
        self.attacks().try_for_each(|attack| attack.objective.check_classes(classes))
    }

    fn stored(&self) -> Option<&std::path::Path> {
        self.adversarial.as_deref()
    }

    fn keeps(&self) -> Option<Keeps> {
        match self {
            _ if (self.keep_examples && self.is_attacked()) || self.keep_attempts => Some(Keeps::Examples),
            _ => self.keep_probabilities.then_some(Keeps::Probabilities),
        }
    }

    /// A record of fewer images than were asked for could be taken for one of all.
    fn has_partial_record(&self) -> bool {
        false
    }

    fn label(&self) -> String {
        match (&self.attack, &self.adversarial) {
            (Some(_), _) => "evaluating, clean and attacked",
            (_, Some(_)) => "evaluating, clean and on stored adversarial examples",
            (None, None) => "evaluating",
        }
        .into()
    }

    fn summary(&self) -> Summary {
        let (title, stem) = match (&self.attack, self.more_attacks.len()) {
            (None, _) if self.adversarial.is_some() => {
                ("Evaluation, stored examples".into(), "evaluate-stored")
            }
            (None, _) => ("Clean evaluation".into(), "evaluate"),
            (Some(attack), 0) => (format!("Evaluation, PGD-{}", attack.steps), "evaluate-pgd"),
            (Some(_), more) => (format!("Evaluation, {} attacks", more + 1), "evaluate-pgd"),
        };
        let details = match self.attack.as_ref().map(ToString::to_string) {
            // The title says how many steps.
            Some(attack) if self.more_attacks.is_empty() => {
                attack.split(", ").skip(1).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        Summary { title, details, stem: stem.into() }
    }

    fn headline(&self, outcome: &Evaluation) -> Headline {
        let point = |of: &Evaluated| Point { loss: of.loss, error: of.error };
        let (clean, robust) = (point(&outcome.clean), outcome.robust.as_ref().map(point));
        let (names, Point { loss, error }) = match robust {
            Some(robust) => (["robust loss", "robust error"], robust),
            None => (["clean loss", "clean error"], clean),
        };
        let numbers = [Number::loss(names[0], loss), Number::share(names[1], error)];
        let numbers = numbers.map(Number::of_checkpoint).to_vec();
        Headline { numbers, clean: Some(clean), robust }
    }

    fn begin<'a>(&'a self, context: &'a Context) -> Result<Evaluating<'a>> {
        Ok(Evaluating { job: self, context, attempts: attempts_of(self, context), pair: OnceCell::new() })
    }
}

/// The attack and restart of every attempt, in order.
fn attempts_of(job: &Evaluate, context: &Context) -> Vec<(usize, usize)> {
    match &context.stored {
        Some(stored) => (0..stored.attempts()).map(|restart| (0, restart)).collect(),
        None => (job.attacks().enumerate())
            .flat_map(|(number, attack)| (0..attack.restarts).map(move |restart| (number, restart)))
            .collect(),
    }
}

/// The work on one checkpoint.
pub struct Evaluating<'a> {
    job: &'a Evaluate,
    context: &'a Context,
    /// Attack and restart.
    attempts: Vec<(usize, usize)>,
    pair: OnceCell<SearchAndMeasure>,
}

impl Evaluating<'_> {
    fn unit(&self, number: usize, batch: &Batch, cancel_check: CancelCheck) -> Result<Unit> {
        let job = self.job;
        let (clean, all_classes) = measure_all_classes(&self.pair().measure, batch)?;
        let mut attempts = Vec::new();
        let mut worst: Option<Attacked> = None;
        for (attack, restart) in &self.attempts {
            let mut trace = job.log_steps.then(Trace::default);
            let found = self.attempt(number, batch, (*attack, *restart), trace.as_mut(), cancel_check)?;
            let bits = |wanted: bool, values: &Tensor| wanted.then(|| to_bits(values)).transpose();
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
            perturbation: kept.map(|worst| to_bits(&worst.perturbation)).transpose()?,
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
        cancel_check: CancelCheck,
    ) -> Result<Attacked> {
        if let Some(stored) = &self.context.stored {
            cancel_check()?;
            let from = number * self.context.batch_size;
            let perturbation = stored.perturbation(restart, from..from + batch.len(), self.context.device);
            return at(&self.pair().measure, batch, perturbation, Selection::Loss);
        }
        let settings = self.job.attacks().nth(attack).expect("the plan has the attacks of the job");
        attempt(self.pair(), settings, batch, self.job.compute.seed, restart as u64, trace, cancel_check)
    }

    fn pair(&self) -> &SearchAndMeasure {
        self.pair.get_or_init(|| self.context.pair(&self.context.checkpoint.network.weights))
    }

    /// Name of the unit of a batch.
    fn name(&self, number: usize) -> String {
        // Units on other stored examples are not those of this job.
        match &self.context.stored {
            Some(stored) => format!("batch {number} of {}", stored.source.hash),
            None => format!("batch {number}"),
        }
    }

    /// The finished batches together.
    fn together(&self, units: &Units) -> Result<Together> {
        let mut all = Together::default();
        for number in 0..self.context.batches.len() {
            if let Some(unit) = units.get(&self.name(number)) {
                all.take(unit)?;
            }
        }
        Ok(all)
    }
}

impl Work for Evaluating<'_> {
    type Outcome = Evaluation;

    fn plan(&self, units: &Units) -> Result<Plan> {
        let batches = 0..self.context.batches.len();
        let mut groups: Vec<Group> =
            batches.map(|number| Group::single(self.name(number), 1, units)).collect();
        if self.job.attack.is_some() && self.context.searches_in_low_precision() {
            groups.push(Group::single(search_cost::UNIT, 1, units));
        }
        Ok(Plan { groups, later: 0 })
    }

    fn compute(&self, group: &str, runner: &mut dyn UnitRunner) -> Result<()> {
        if let (search_cost::UNIT, Some(attack)) = (group, &self.job.attack) {
            return search_cost::of_checkpoint(self.context, attack, self.job.compute.seed, runner).map(drop);
        }
        let number = (0..self.context.batches.len()).find(|number| self.name(*number) == group);
        let number = number.expect("the plan has the batches of the job");
        unit(runner, group, 1, |runner| {
            self.unit(number, &self.context.batches[number], &mut cancel_check(runner))
        })
        .map(drop)
    }

    fn assemble(&self, units: &Units) -> Result<Option<Assembled<Evaluation>>> {
        let Together { clean, robust, attempts, .. } = self.together(units)?;
        if clean.label.is_empty() {
            return Ok(None);
        }
        let examples = clean.label.len() as f64;
        let rows: Vec<&AttemptRows> = attempts.iter().map(|attempt| &attempt.rows).collect();
        let scored = (self.attempts.iter().zip(&rows)).map(|((attack, restart), rows)| {
            let point = rows.point(&clean);
            Attempt { attack: *attack, restart: *restart, loss: point.loss, error: point.error, steps: None }
        });
        let mut scored: Vec<Attempt> = scored.collect();
        for (scored, attempt) in scored.iter_mut().zip(&attempts) {
            scored.steps = self.job.log_steps.then(|| means(&attempt.steps, examples));
        }
        let per_attack = per_attack(&clean, &self.attempts, &rows);
        let robust = if self.attempts.is_empty() {
            None
        } else {
            Some(Evaluated {
                loss: mean(&robust.loss),
                error: robust_error_rate(&clean, &robust),
                metrics: Some(robust_metrics(&clean, &robust)?.into()),
                per_example: robust,
            })
        };
        let clean = Evaluated {
            loss: mean(&clean.loss),
            error: error_rate(&clean),
            metrics: Some(clean_metrics(&clean)?.into()),
            per_example: clean,
        };
        let outcome = Evaluation {
            clean,
            robust,
            average: average(&scored),
            // A single one says what is in `robust` already.
            attempts: if scored.len() > 1 || self.job.log_steps { scored } else { Vec::new() },
            per_attack,
            source: self.context.stored.as_ref().map(|stored| stored.source.clone()),
            probabilities: None,
        };
        let search_cost = units.get::<Option<_>>(search_cost::UNIT).flatten();
        Ok(Some(Assembled { outcome, search_cost, warnings: Vec::new() }))
    }

    fn kept(&self, units: &Units) -> Result<Kept> {
        let keeps = !self.attempts.is_empty() && (self.job.keep_examples || self.job.keep_attempts);
        if !keeps && !self.job.keep_probabilities {
            return Ok(Kept::default());
        }
        let Together { clean, perturbations, probabilities, attempts, .. } = self.together(units)?;
        let joined = |of: fn(&AttemptTogether) -> &Vec<f32>| -> Vec<f32> {
            attempts.iter().flat_map(|attempt| of(attempt).iter().copied()).collect()
        };
        let probabilities = self.job.keep_probabilities.then(|| Probabilities {
            classes: probabilities.len() / clean.label.len().max(1),
            clean: probabilities,
            attempts: joined(|attempt| &attempt.probabilities),
            indices: clean.index.iter().map(|index| *index as i64).collect(),
            labels: clean.label.clone(),
        });
        // Only of all images: what is kept of some would not say of which.
        let whole = clean.label.len() == self.context.examples();
        let examples = (keeps && whole)
            .then(|| {
                let attempts = joined(|attempt| &attempt.perturbations);
                KeptExamples::of(&self.context.dataset, perturbations, attempts)
            })
            .transpose()?;
        Ok(Kept { examples, probabilities, losses: None })
    }

    fn seconds(&self, cost: &Cost) -> Result<(u64, f64)> {
        let stored = if self.job.adversarial.is_some() { cost.forward } else { 0.0 };
        let attacks: f64 = self.job.attacks().map(|attack| cost.attack(attack)).sum();
        let examples = self.context.examples() as f64;
        let seconds = examples * (cost.forward + stored + attacks) + cost.preparation;
        let compared = self.job.attack.as_ref().map_or(0, |attack| attack.restarts * attack.steps);
        Ok((1, seconds + search_cost::seconds(self.context, cost, compared)))
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
                into.extend(from_bits(text)?);
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
