//! Relative flatness of the last linear layer, in closed form (Petzka, Kamp, Adilova, Sminchisescu and Boley,
//! "Relative flatness and generalization", NeurIPS 2021; on adversarial examples: Walter, Adilova, Vreeken and Kamp,
//! "The uncanny valley: exploring adversarial robustness from a flatness perspective", 2024).
//!
//! Of a layer with weights `w`, rows `w_s`, it is `sum_{s,s'} <w_s, w_s'> Tr(H_{s,s'})`, with `H_{s,s'}` the block of the
//! loss's Hessian for rows `s` and `s'`. It does not change when the layer is scaled and the next or last one back. For
//! logits `w phi + b` and the cross-entropy the blocks are `(p_s [s = s'] - p_s p_s') phi phi^T`, so that an example adds
//! `|phi|^2 (sum_s p_s |w_s|^2 - |sum_s p_s w_s|^2)`. A unit of work is one batch.

mod outcome;
mod settings;

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::context::{Context, Cost};
use super::evaluation::{SearchAndMeasure, append, attack, error_rate, mean, measure, robust_error_rate};
use super::rows::{PerExample, Point};
use super::search_cost;
use super::statistics::{Part, interval_of_parts};
use super::summary::{Headline, Number, Summary};
use super::units::{Group, Plan, UnitRunner, Units, cancel_check, unit};
use super::work::{Assembled, Measure, Work, target_fields};
use crate::attack::Pgd;
use crate::data::DataSelection;
use crate::device::Compute;
use crate::error::{Error, Result};
use crate::model::{Evaluator, Layer, Network, Topology};
pub use outcome::{AtInputs, RelativeFlatnessOutcome};
pub use settings::RelativeFlatness;

impl Measure for RelativeFlatness {
    const KIND: &'static str = "relative-flatness";
    const TITLE: &'static str = "Relative flatness";
    type Outcome = RelativeFlatnessOutcome;
    type Work<'a> = Measuring<'a>;

    fn usual() -> Self {
        Self {
            checkpoint: std::path::PathBuf::new(),
            data: DataSelection::default(),
            attack: Pgd::default(),
            compute: Compute::default(),
        }
    }

    fn input_attack(&self) -> Option<&Pgd> {
        Some(&self.attack)
    }

    target_fields!();

    fn check(&self) -> Result<()> {
        self.attack.check().map_err(|error| error.about("attack"))
    }

    fn check_classes(&self, classes: usize) -> Result<()> {
        self.attack.objective.check_classes(classes)
    }

    fn label(&self) -> String {
        "relative flatness".into()
    }

    fn summary(&self) -> Summary {
        Summary {
            title: "Relative flatness".into(),
            details: vec![self.attack.to_string()],
            stem: Self::KIND.into(),
        }
    }

    fn headline(&self, outcome: &RelativeFlatnessOutcome) -> Headline {
        let number = |at: &AtInputs, inputs: &str| Number {
            at: Some(format!("{inputs} examples")),
            interval: at.interval,
            ..Number::loss("relative flatness", at.relative_flatness)
        };
        let point = |at: &AtInputs| Some(Point { loss: at.loss, error: at.error });
        Headline {
            numbers: vec![number(&outcome.clean, "clean"), number(&outcome.robust, "adversarial")],
            clean: point(&outcome.clean),
            robust: point(&outcome.robust),
        }
    }

    fn begin<'a>(&'a self, context: &'a Context) -> Result<Measuring<'a>> {
        let network = &context.checkpoint.network;
        let Some(Layer::Linear { name, bias, .. }) = network.topology.layers.last() else {
            return Err(Error::file(
                &context.checkpoint.summary.path,
                "does not end with a linear layer, of which relative flatness is; choose another network",
            ));
        };
        Ok(Measuring { job: self, context, layer: name.clone(), has_bias: *bias, networks: OnceCell::new() })
    }
}

/// The work on one checkpoint.
pub struct Measuring<'a> {
    job: &'a RelativeFlatness,
    context: &'a Context,
    /// Name of the last layer.
    layer: String,
    has_bias: bool,
    networks: OnceCell<Networks>,
}

/// The network, and the one below its last layer.
struct Networks {
    pair: SearchAndMeasure,
    below: Evaluator,
    /// Weights of the last layer, classes x features, float64.
    weight: Tensor,
    /// Its bias, if it has one.
    bias: Option<Tensor>,
}

/// A finished batch.
#[derive(Default, Serialize, Deserialize)]
struct Batch {
    clean: PerExample,
    robust: PerExample,
    /// What each example adds, clean and attacked.
    added: [Vec<f64>; 2],
}

impl Measuring<'_> {
    fn networks(&self) -> &Networks {
        self.networks.get_or_init(|| {
            let (network, device) = (&self.context.checkpoint.network, self.context.device);
            let mut layers = network.topology.layers.clone();
            layers.pop();
            let topology = Topology { layers, ..network.topology.clone() };
            let below = Network { topology, ..network.copy() };
            let weights = &network.weights;
            let kind = self.context.exact_precision().measure_kind();
            let params = network.params(weights);
            let exact = |suffix: &str| {
                params.of(&self.layer, suffix).detach().to_device(device).to_kind(Kind::Double)
            };
            Networks {
                pair: self.context.pair(weights),
                below: Evaluator::new(&below, weights, device, kind, false),
                weight: exact("weight"),
                bias: self.has_bias.then(|| exact("bias")),
            }
        })
    }

    /// What every example of a batch adds to the mean.
    fn added(&self, images: &Tensor) -> Result<Vec<f64>> {
        let _guard = tch::no_grad_guard();
        let Networks { below, weight, bias, .. } = self.networks();
        let features = below.logits(images).to_kind(Kind::Double).flatten(1, -1);
        let logits = features.matmul(&weight.tr());
        let logits = bias.as_ref().map_or_else(|| logits.shallow_clone(), |bias| &logits + bias);
        let square = |t: &Tensor| t.square().sum_dim_intlist([1i64].as_slice(), false, Kind::Double);
        let spread = if logits.size()[1] == 1 {
            // One output u has the logits (0, u): only its row moves.
            let p = logits.sigmoid().squeeze_dim(1);
            (&p - p.square()) * square(weight)
        } else {
            let p = logits.softmax(1, Kind::Double);
            p.mv(&square(weight)) - square(&p.matmul(weight))
        };
        Ok(Vec::try_from(square(&features) * spread.clamp_min(0.0))?)
    }

    fn batch(&self, number: usize, runner: &mut dyn UnitRunner) -> Result<Batch> {
        let batch = &self.context.batches[number];
        let pair = &self.networks().pair;
        let clean = measure(&pair.measure, batch, None)?;
        let attacked =
            attack(pair, &self.job.attack, batch, self.job.compute.seed, &mut cancel_check(runner))?;
        let added = [self.added(&batch.images)?, self.added(&(&batch.images + &attacked.perturbation))?];
        Ok(Batch { clean, robust: attacked.per_example, added })
    }
}

fn name(batch: usize) -> String {
    format!("batch {batch}")
}

impl Work for Measuring<'_> {
    type Outcome = RelativeFlatnessOutcome;

    fn plan(&self, units: &Units) -> Result<Plan> {
        let batches = 0..self.context.batches.len();
        let mut groups: Vec<Group> = batches.map(|number| Group::single(name(number), 1, units)).collect();
        if self.context.searches_in_low_precision() {
            groups.push(Group::single(search_cost::UNIT, 1, units));
        }
        Ok(Plan { groups, later: 0 })
    }

    fn compute(&self, group: &str, runner: &mut dyn UnitRunner) -> Result<()> {
        let Some(number) = group.strip_prefix("batch ").and_then(|number| number.parse().ok()) else {
            let (attack, seed) = (&self.job.attack, self.job.compute.seed);
            return search_cost::of_checkpoint(self.context, attack, seed, runner).map(drop);
        };
        unit(runner, group, 1, |runner| self.batch(number, runner)).map(drop)
    }

    fn assemble(&self, units: &Units) -> Result<Option<Assembled<RelativeFlatnessOutcome>>> {
        let mut all = Batch::default();
        for unit in (0..self.context.batches.len()).filter_map(|number| units.get::<Batch>(&name(number))) {
            append(&mut all.clean, unit.clean);
            append(&mut all.robust, unit.robust);
            all.added.iter_mut().zip(unit.added).for_each(|(all, part)| all.extend(part));
        }
        let Batch { clean, robust, added: [added_clean, added_robust] } = all;
        if added_clean.is_empty() {
            return Ok(None);
        }
        let at = |added: Vec<f64>, rows: &PerExample, error: f64| {
            let relative_flatness = added.iter().sum::<f64>() / added.len() as f64;
            let interval = Part::of_mean(&added)
                .and_then(|part| interval_of_parts(relative_flatness, &[part]))
                // It is never negative.
                .map(|interval| [interval.low.max(0.0), interval.high]);
            AtInputs { relative_flatness, interval, loss: mean(&rows.loss), error, per_example: added }
        };
        let outcome = RelativeFlatnessOutcome {
            layer: self.layer.clone(),
            clean: at(added_clean, &clean, error_rate(&clean)),
            robust: at(added_robust, &robust, robust_error_rate(&clean, &robust)),
        };
        let search_cost = units.get::<Option<_>>(search_cost::UNIT).flatten();
        Ok(Some(Assembled { outcome, search_cost, warnings: Vec::new() }))
    }

    fn seconds(&self, cost: &Cost) -> Result<(u64, f64)> {
        let pgd = &self.job.attack;
        let examples = self.context.examples() as f64;
        let seconds = examples * (3.0 * cost.forward + cost.attack(pgd)) + cost.preparation;
        let compared = pgd.restarts * pgd.steps;
        Ok((1, seconds + search_cost::seconds(self.context, cost, compared)))
    }
}
