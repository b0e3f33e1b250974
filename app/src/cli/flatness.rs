//! `basin flatness`: options and results.

use std::fmt::Write as _;
use std::path::PathBuf;

use basin_core::attack::names::PaperAttack;
use basin_core::job::{
    Bookkeeping, Case, DataSelection, Descent, Examples, Flatness, FlatnessLoss, Job, Sampling, Scope,
    Tensors, WeightGradient,
};
use basin_core::record::{AtRadius, FlatnessOutcome};
use clap::Args;
use clap::builder::ValueParser;

use super::args::{Attack, Common, number, whole};
use super::report::attack_in_words;
use super::word::{spelled, word};

/// Perturbations of the weights.
#[derive(Debug, Args)]
#[command(next_help_heading = "Flatness")]
pub struct FlatnessArgs {
    /// A name of the paper, such as weight_l2_random_nonorm2_e05_at50_test: it stands for all settings and images
    /// (--examples may replace the images).
    #[arg(long, value_name = "NAME", conflicts_with_all = [
        "loss", "case", "radius", "draws", "scope", "absolute", "sampling", "tensors", "reference_restarts", "epochs",
        "weight_step_size", "weight_gradient", "weight_start", "search_batch", "weight_momentum", "weight_backtrack",
        "weight_step_divisor", "loss_bound", "bookkeeping", "search_examples", "attack", "epsilon", "attack_steps",
        "step_size", "restarts", "select", "norm", "start", "gradient", "momentum", "backtrack", "step_divisor",
        "objective",
    ])]
    preset: Option<String>,
    /// clean, or robust (adversarial examples recomputed for the perturbed weights).
    #[arg(long, default_value = "robust", value_parser = ValueParser::new(word::<FlatnessLoss>))]
    loss: FlatnessLoss,
    /// average (random perturbations, their mean) or worst (found by gradient descent, their largest).
    #[arg(long, default_value = "average", value_parser = ValueParser::new(word::<Case>))]
    case: Case,
    /// Size of the perturbation relative to the weights; several separated by commas. Default: 0.5 on average, 0.003 in
    /// the worst case (0.00075 in the paper's plots).
    #[arg(long, value_name = "R,…", value_delimiter = ',', allow_hyphen_values = true, value_parser = ValueParser::new(number))]
    radius: Vec<f64>,
    /// Perturbations per radius.
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    draws: usize,
    /// What a radius is relative to: layer (every tensor), filter or global.
    #[arg(long, default_value = "layer", value_parser = ValueParser::new(word::<Scope>))]
    scope: Scope,
    /// The radius is the L2 norm itself (with --scope global).
    #[arg(long)]
    absolute: bool,
    /// Average case: sphere, ball or uniform-norm.
    #[arg(long, default_value = "sphere", value_parser = ValueParser::new(word::<Sampling>))]
    sampling: Sampling,
    /// no-normalization, all, no-bias, or names separated by commas; * stands for anything.
    #[arg(long, value_name = "WHICH", default_value = "no-normalization", value_parser = ValueParser::new(tensors))]
    tensors: Tensors,
    /// Measure every tensor by itself as well.
    #[arg(long)]
    per_layer: bool,
    /// Restarts of the attack on the unperturbed network.
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    reference_restarts: usize,
    #[command(flatten)]
    search: SearchArgs,
}

/// The search of the worst case.
#[derive(Debug, Args)]
#[command(next_help_heading = "Worst case")]
struct SearchArgs {
    /// Passes over the examples.
    #[arg(long, value_name = "N", default_value_t = 20, allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    epochs: usize,
    /// Step size on the weights; fractions are accepted.
    #[arg(long, value_name = "S", default_value = "0.01", allow_hyphen_values = true, value_parser = ValueParser::new(number))]
    weight_step_size: f64,
    /// layer-relative-l2, l2, relative-l2, sign, linf, relative-linf, layer-relative-linf or raw.
    #[arg(long, value_name = "RULE", default_value = "layer-relative-l2", value_parser = ValueParser::new(word::<WeightGradient>))]
    weight_gradient: WeightGradient,
    /// none, uniform-norm, sphere or ball.
    #[arg(long, value_name = "START", default_value = "uniform-norm", value_parser = ValueParser::new(start))]
    weight_start: Start,
    /// Examples per update.
    #[arg(long, value_name = "N", default_value_t = 128, allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    search_batch: usize,
    /// Weight of past gradients, from 0 up to 1 (clean loss).
    #[arg(long, value_name = "M", default_value_t = 0.0, allow_negative_numbers = true, value_parser = ValueParser::new(number))]
    weight_momentum: f64,
    /// Accept a step only if it raises the loss of its batch; else divide the step size (clean loss).
    #[arg(long)]
    weight_backtrack: bool,
    /// Divisor of the step size after a refused step.
    #[arg(long, value_name = "D", default_value_t = 1.0, allow_negative_numbers = true, value_parser = ValueParser::new(number))]
    weight_step_divisor: f64,
    /// Refuse steps that take the loss of a batch beyond this (clean loss).
    #[arg(long, value_name = "LOSS", value_parser = ValueParser::new(number))]
    loss_bound: Option<f64>,
    /// exact, or paper for the original program's choice of the returned weights (clean loss).
    #[arg(long, default_value = "exact", value_parser = ValueParser::new(word::<Bookkeeping>))]
    bookkeeping: Bookkeeping,
    /// Search the weights on these examples of the same data set instead of the measured ones.
    #[arg(long, value_name = "SPLIT:A..B", value_parser = ValueParser::new(|s: &str| s.parse::<Examples>()))]
    search_examples: Option<Examples>,
}

#[derive(Debug, Clone, Copy)]
struct Start(Option<Sampling>);

fn start(text: &str) -> Result<Start, String> {
    if text == "none" { Ok(Start(None)) } else { word(text).map(|start| Start(Some(start))) }
}

#[expect(clippy::unnecessary_wraps, reason = "what the parser of options expects")]
fn tensors(text: &str) -> Result<Tensors, String> {
    Ok(Tensors::from(text))
}

impl FlatnessArgs {
    /// The job.
    ///
    /// # Errors
    /// A robust loss without an attack, an attack on a clean loss, a name of something else.
    pub fn job(self, checkpoint: PathBuf, attack: &Attack, common: &Common) -> Result<Flatness, String> {
        if let Some(name) = &self.preset {
            if attack.attack.is_some() || attack.has_settings() {
                return Err("--preset stands for the attack, too; leave out the attack options".into());
            }
            let named = name.parse::<PaperAttack>().map_err(|error| error.to_string())?;
            let Job::Flatness(mut job) = named.job(checkpoint, &common.data, common.compute()) else {
                return Err(format!(
                    "{name} attacks inputs and measures no flatness; use basin evaluate or basin attack"
                ));
            };
            job.per_layer = self.per_layer;
            job.data.examples = common.examples.unwrap_or(job.data.examples);
            return Ok(job);
        }
        attack.check(self.loss == FlatnessLoss::Clean)?;
        let SearchArgs { weight_start: Start(start), search_examples, .. } = self.search;
        let search_data = search_examples.map(|examples| DataSelection { examples, ..common.data() });
        Ok(Flatness {
            data: common.data_or(attack.examples()),
            radii: if self.radius.is_empty() { vec![self.case.usual_radius()] } else { self.radius },
            draws: self.draws,
            scope: self.scope,
            absolute: self.absolute,
            sampling: self.sampling,
            tensors: self.tensors,
            per_layer: self.per_layer,
            descent: Descent {
                epochs: self.search.epochs,
                step_size: self.search.weight_step_size,
                gradient: self.search.weight_gradient,
                start,
                search_batch: self.search.search_batch,
                momentum: self.search.weight_momentum,
                backtrack: self.search.weight_backtrack,
                early_stopping: !self.search.weight_backtrack && self.search.loss_bound.is_some(),
                loss_bound: self.search.loss_bound,
                step_divisor: self.search.weight_step_divisor,
                bookkeeping: self.search.bookkeeping,
            },
            search_data,
            attack: attack.choose(true).unwrap_or_default(),
            reference_restarts: self.reference_restarts,
            compute: common.compute(),
            ..Flatness::new(checkpoint, self.loss, self.case)
        })
    }
}

/// The numbers as a table.
pub fn report(text: &mut String, outcome: &FlatnessOutcome, job: &Job) {
    let Job::Flatness(job) = job else { return };
    let attack = match job.loss {
        FlatnessLoss::Clean => String::new(),
        FlatnessLoss::Robust => format!(", {}", attack_in_words(&job.attack)),
    };
    let norm =
        if job.absolute { "L2 norm".to_owned() } else { format!("relative per {}", spelled(&job.scope)) };
    let norm = norm.replace("per global", "to all tensors together");
    let draws = if job.draws == 1 { "1 draw".to_owned() } else { format!("{} draws", job.draws) };
    let _ = writeln!(text, "{}: {draws}, radius {norm}{attack}", job.label());
    let restarts = match (job.loss, job.reference_restarts) {
        (FlatnessLoss::Clean, _) => String::new(),
        (_, 1) => " at 1 restart".to_owned(),
        (_, n) => format!(" at the worst of {n} restarts"),
    };
    let error = 100.0 * outcome.reference_error;
    let _ = writeln!(text, "reference loss {:.4}, error {error:.1} %{restarts}\n", outcome.reference_loss);
    let _ = writeln!(text, "{:>8}  {:>8}  {:>8}  {:<9}  95 % interval", "radius", "loss", "flatness", "");
    outcome.radii.iter().for_each(|at| row(text, at, ""));
    if !outcome.layers.is_empty() {
        let _ = writeln!(text, "\none tensor at a time");
    }
    for layer in &outcome.layers {
        layer.radii.iter().for_each(|at| row(text, at, &layer.name));
    }
}

fn row(text: &mut String, at: &AtRadius, name: &str) {
    let error = at.standard_error.map_or_else(String::new, |error| format!("± {}", short(error)));
    let interval = format!("{} to {}", short(at.interval[0]), short(at.interval[1]));
    let interval = if name.is_empty() { interval } else { format!("{interval:<18}  {name}") };
    let flatness = short(at.flatness);
    let _ = writeln!(text, "{:>8}  {:>8.4}  {flatness:>8}  {error:<9}  {interval}", at.radius, at.loss);
}

/// Four digits after the point, or two in all of what would vanish.
fn short(value: f64) -> String {
    if value == 0.0 || value.abs() >= 1e-3 { format!("{value:.4}") } else { format!("{value:.1e}") }
}
