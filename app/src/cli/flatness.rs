//! `basin flatness`: options and results.

use std::fmt::Write as _;
use std::path::PathBuf;

use basin_core::attack::names::PaperAttack;
use basin_core::job::{
    Bookkeeping, Case, DataSelection, Descent, Examples, Flatness, FlatnessLoss, Job, JointSearch, Levels,
    Sampling, Scope, Tensors, WeightBox, WeightGradient, WeightNorm,
};
use basin_core::record::{AtRadius, FlatnessOutcome};
use basin_core::settings::number;
use clap::Args;
use clap::builder::ValueParser;

use super::args::{Attack, Common, whole};
use super::word::word;

/// Most draws under the whole attack where a standard error is to be reached.
const MOST_UNTIL: usize = 100;

/// Perturbations of the weights.
#[derive(Debug, Args)]
#[command(next_help_heading = "Flatness")]
pub struct FlatnessArgs {
    /// A name of the paper, such as weight_l2_random_nonorm2_e05_at50_test: it stands for all settings and images
    /// (--examples may replace the images). Of the worst case on the clean loss, the weights that count are chosen
    /// exactly; with --bookkeeping paper as the original program did.
    #[arg(long, value_name = "NAME", conflicts_with_all = [
        "loss", "case", "radius", "draws", "levels", "until", "worst_of", "scope", "weight_norm", "absolute", "sampling",
        "tensors", "weight_box", "reference_restarts", "joint",
        "epochs",
        "weight_step_size", "weight_gradient", "weight_start", "search_batch", "weight_momentum", "weight_backtrack",
        "weight_step_divisor", "loss_bound", "weight_early_stopping", "search_examples", "attack", "epsilon", "attack_steps",
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
    /// Perturbations per radius, under the whole attack; with --until the most of them [default: 10, with --until 100].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    draws: Option<usize>,
    /// Average robust loss: on measures further draws on clean images and under the first steps of the attack, which make
    /// the mean over draws more certain in at most a third more time; off is the plain mean; SHORT,CLEAN says how many
    /// draws there are on these levels [default: on].
    #[arg(long, value_name = "on|off|SHORT,CLEAN", value_parser = ValueParser::new(levels))]
    levels: Option<LevelsArg>,
    /// Average case: draw until the standard error of flatness is at most this, at every radius; numbers of draws on all
    /// levels are chosen from a few draws.
    #[arg(long, value_name = "SE", allow_negative_numbers = true, value_parser = ValueParser::new(number))]
    until: Option<f64>,
    /// Average case: each draw is the worst, by its clean loss, of this many random perturbations [default: 1, which
    /// looks at no image].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    worst_of: Option<usize>,
    /// What a radius is relative to: layer (every tensor), filter or global.
    #[arg(long, default_value = "layer", value_parser = ValueParser::new(word::<Scope>))]
    scope: Scope,
    /// Norm of the perturbation, and of the weights that it is relative to: l2 or linf (largest entry).
    #[arg(long, value_name = "NORM", default_value = "l2", value_parser = ValueParser::new(word::<WeightNorm>))]
    weight_norm: WeightNorm,
    /// The radius is the norm itself (with --scope global).
    #[arg(long)]
    absolute: bool,
    /// Average case: sphere, ball or uniform-norm [default: sphere].
    #[arg(long, value_parser = ValueParser::new(word::<Sampling>))]
    sampling: Option<Sampling>,
    /// no-normalization, all, no-bias, or names separated by commas; * stands for anything.
    #[arg(long, value_name = "WHICH", default_value = "no-normalization", value_parser = ValueParser::new(tensors))]
    tensors: Tensors,
    /// Keep perturbed weights between bounds, then in their ball: MIN..MAX, one per perturbed tensor separated by commas,
    /// or reference-layer, reference-filter, reference-global (the range of the unperturbed weights).
    #[arg(long, value_name = "BOX", allow_hyphen_values = true, value_parser = ValueParser::new(|s: &str| s.parse::<WeightBox>()))]
    weight_box: Option<WeightBox>,
    /// Measure every tensor by itself as well.
    #[arg(long)]
    per_layer: bool,
    /// Restarts of the attack on the unperturbed network [default: --restarts, so that all networks are attacked
    /// equally]. With a number, worst-case losses are those at the inputs that the joint attack found, as in the paper,
    /// which has 10 against 1.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    reference_restarts: Option<usize>,
    /// Keep every perturbed network as a checkpoint in a folder beside the record (in the worst case of the robust loss
    /// with its images and what the attack adds to them).
    #[arg(long)]
    keep_networks: bool,
    #[command(flatten)]
    search: SearchArgs,
}

/// The search of the worst case; what is not given is as in [`Descent::default`].
#[derive(Debug, Args)]
#[command(next_help_heading = "Worst case")]
struct SearchArgs {
    /// Robust loss: search weights and inputs by the same steps (simultaneous), or weights first, on the clean loss, and
    /// then the inputs (sequential) [default: simultaneous].
    #[arg(long, value_name = "HOW", value_parser = ValueParser::new(word::<JointSearch>))]
    joint: Option<JointSearch>,
    /// Passes over the examples [default: 20].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    epochs: Option<usize>,
    /// Step size on the weights; fractions are accepted [default: 0.01].
    #[arg(long, value_name = "S", allow_hyphen_values = true, value_parser = ValueParser::new(number))]
    weight_step_size: Option<f64>,
    /// layer-relative-l2, l2, relative-l2, sign, linf, relative-linf, layer-relative-linf or raw [default:
    /// layer-relative-l2].
    #[arg(long, value_name = "RULE", value_parser = ValueParser::new(word::<WeightGradient>))]
    weight_gradient: Option<WeightGradient>,
    /// Where the search starts: none (the unperturbed weights), or at random: uniform-norm (Gaussian direction, norm
    /// uniform up to the radius: the paper's), sphere or ball [default: uniform-norm].
    #[arg(long, value_name = "START", value_parser = ValueParser::new(start))]
    weight_start: Option<Start>,
    /// Examples per update (with --worst-of, per mean of losses) [default: 128].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    search_batch: Option<usize>,
    /// Weight of past gradients, from 0 up to 1 (clean loss) [default: 0].
    #[arg(long, value_name = "M", allow_negative_numbers = true, value_parser = ValueParser::new(number))]
    weight_momentum: Option<f64>,
    /// Accept a step only if it raises the loss of its batch; else divide the step size (clean loss).
    #[arg(long)]
    weight_backtrack: bool,
    /// Divisor of the step size after a refused step (of --weight-backtrack or --loss-bound) [default: 1].
    #[arg(long, value_name = "D", allow_negative_numbers = true, value_parser = ValueParser::new(number))]
    weight_step_divisor: Option<f64>,
    /// No more steps where the loss of a batch is beyond this (clean loss).
    #[arg(long, value_name = "LOSS", value_parser = ValueParser::new(number))]
    loss_bound: Option<f64>,
    /// Refuse steps that would take the loss of a batch beyond --loss-bound (clean loss).
    #[arg(long, requires = "loss_bound", conflicts_with = "weight_backtrack")]
    weight_early_stopping: bool,
    /// exact, or paper for the original program's choice of the returned weights (clean loss) [default: exact].
    #[arg(long, value_parser = ValueParser::new(word::<Bookkeeping>))]
    bookkeeping: Option<Bookkeeping>,
    /// Search the weights (or choose with --worst-of) on these examples of the same data set instead of the measured ones.
    #[arg(long, value_name = "SPLIT:A..B", value_parser = ValueParser::new(|s: &str| s.parse::<Examples>()))]
    search_examples: Option<Examples>,
}

impl SearchArgs {
    /// An option that is given, but has no effect on random perturbations; `chosen`: where images choose among them.
    fn useless(&self, chosen: bool) -> Option<&'static str> {
        [
            ("--joint", self.joint.is_some()),
            ("--epochs", self.epochs.is_some()),
            ("--weight-step-size", self.weight_step_size.is_some()),
            ("--weight-gradient", self.weight_gradient.is_some()),
            ("--weight-start", self.weight_start.is_some()),
            ("--search-batch", !chosen && self.search_batch.is_some()),
            ("--weight-momentum", self.weight_momentum.is_some()),
            ("--weight-backtrack", self.weight_backtrack),
            ("--weight-step-divisor", self.weight_step_divisor.is_some()),
            ("--loss-bound", self.loss_bound.is_some()),
            ("--bookkeeping", self.bookkeeping.is_some()),
            ("--search-examples", !chosen && self.search_examples.is_some()),
        ]
        .into_iter()
        .find_map(|(option, given)| given.then_some(option))
    }

    fn descent(&self) -> Descent {
        let usual = Descent::default();
        Descent {
            epochs: self.epochs.unwrap_or(usual.epochs),
            step_size: self.weight_step_size.unwrap_or(usual.step_size),
            gradient: self.weight_gradient.unwrap_or(usual.gradient),
            start: self.weight_start.map_or(usual.start, |Start(start)| start),
            search_batch: self.search_batch.unwrap_or(usual.search_batch),
            momentum: self.weight_momentum.unwrap_or(usual.momentum),
            backtrack: self.weight_backtrack,
            early_stopping: self.weight_early_stopping,
            loss_bound: self.loss_bound,
            step_divisor: self.weight_step_divisor.unwrap_or(usual.step_divisor),
            bookkeeping: self.bookkeeping.unwrap_or(usual.bookkeeping),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Start(Option<Sampling>);

fn start(text: &str) -> Result<Start, String> {
    if text == "none" { Ok(Start(None)) } else { word(text).map(|start| Start(Some(start))) }
}

/// Levels of a multilevel estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
enum LevelsArg {
    On,
    Off,
    Draws(usize, usize),
}

fn levels(text: &str) -> Result<LevelsArg, String> {
    let draws = || {
        let (short, clean) = text.split_once(',')?;
        Some(LevelsArg::Draws(short.trim().parse().ok()?, clean.trim().parse().ok()?))
    };
    match text {
        "on" => Ok(LevelsArg::On),
        "off" => Ok(LevelsArg::Off),
        _ => draws().ok_or_else(|| {
            format!("{text:?} are no levels; use on, off, or two numbers of draws such as 15,100")
        }),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what the parser of options expects")]
fn tensors(text: &str) -> Result<Tensors, String> {
    Ok(Tensors::from(text))
}

impl FlatnessArgs {
    /// The job.
    ///
    /// # Errors
    /// A robust loss without an attack, an attack on a clean loss, options of the other case or loss, a name of something
    /// else.
    pub fn job(self, checkpoint: PathBuf, attack: &Attack, common: &Common) -> Result<Flatness, String> {
        if let Some(name) = &self.preset {
            if attack.is_given() || attack.has_settings() {
                return Err("--preset stands for the attack, too; leave out the attack options".into());
            }
            let named = name.parse::<PaperAttack>().map_err(|error| error.to_string())?;
            let Job::Flatness(mut job) = named.job(checkpoint, common.data_name(), common.compute()) else {
                return Err(format!(
                    "{name} attacks inputs and measures no flatness; use basin evaluate or basin attack"
                ));
            };
            if let Some(bookkeeping) = self.search.bookkeeping {
                if job.case == Case::Average {
                    return Err(format!("{name} searches no weights; leave out --bookkeeping"));
                }
                job.descent.bookkeeping = bookkeeping;
            }
            (job.per_layer, job.keep_networks) = (self.per_layer, self.keep_networks);
            job.data.examples = common.examples.unwrap_or(job.data.examples);
            return Ok(job);
        }
        attack.check(self.loss == FlatnessLoss::Clean)?;
        self.check_case()?;
        let usual = Flatness::new(checkpoint, self.loss, self.case);
        let search_data =
            self.search.search_examples.map(|examples| DataSelection { examples, ..common.data() });
        let mut job = Flatness {
            data: common.data_or(attack.examples()),
            radii: if self.radius.is_empty() { vec![self.case.usual_radius()] } else { self.radius },
            draws: self.draws.unwrap_or(if self.until.is_some() { MOST_UNTIL } else { usual.draws }),
            until: self.until,
            scope: self.scope,
            weight_norm: self.weight_norm,
            worst_of: self.worst_of.unwrap_or(usual.worst_of),
            absolute: self.absolute,
            sampling: self.sampling.unwrap_or(usual.sampling),
            tensors: self.tensors,
            weight_box: self.weight_box,
            per_layer: self.per_layer,
            descent: self.search.descent(),
            search_data,
            attack: attack.choose(true).unwrap_or_default(),
            joint: self.search.joint.unwrap_or_default(),
            reference_restarts: self.reference_restarts,
            keep_networks: self.keep_networks,
            compute: common.compute(),
            ..usual
        };
        job.levels = match (job.usual_levels(), self.levels) {
            (_, Some(LevelsArg::Off)) => None,
            (None, Some(_)) => {
                return Err(
                    "--levels is for the average case of the robust loss, without --worst-of and with at least 2 attack steps; leave it out"
                        .into(),
                );
            }
            (Some(levels), Some(LevelsArg::Draws(short, clean))) => {
                Some(Levels { short: Some(short), clean: Some(clean), ..levels })
            }
            (levels, _) => levels,
        };
        Ok(job)
    }

    /// Refuses options that would have no effect.
    fn check_case(&self) -> Result<(), String> {
        let chosen = self.worst_of.is_some_and(|several| several > 1);
        if let (Case::Average, Some(option)) = (self.case, self.search.useless(chosen)) {
            return Err(format!(
                "{option} is for the worst case, whose weights are searched; leave it out, or add --case worst"
            ));
        }
        if self.case == Case::Worst && self.worst_of.is_some() {
            return Err(
                "--worst-of is for the average case, whose perturbations are random; leave it out, or use more --draws"
                    .into(),
            );
        }
        if self.search.weight_step_divisor.is_some()
            && !self.search.weight_backtrack
            && self.search.loss_bound.is_none()
        {
            return Err(
                "--weight-step-divisor is for refused steps; add --weight-backtrack or --loss-bound, or leave it out"
                    .into(),
            );
        }
        if self.case == Case::Worst && self.sampling.is_some() {
            return Err(
                "--sampling is for the average case; leave it out, or use --weight-start for where the search of the worst case starts"
                    .into(),
            );
        }
        let robust = [
            ("--reference-restarts", self.reference_restarts.is_some()),
            ("--joint", self.search.joint.is_some()),
        ];
        match robust.iter().find(|(_, given)| *given && self.loss == FlatnessLoss::Clean) {
            Some((option, _)) => {
                Err(format!("{option} is for the robust loss; leave it out, or use --loss robust"))
            }
            None => Ok(()),
        }
    }
}

/// The numbers as a table.
pub fn report(text: &mut String, outcome: &FlatnessOutcome, job: &Job) {
    let Job::Flatness(job) = job else { return };
    let attack = match job.loss {
        FlatnessLoss::Clean => String::new(),
        FlatnessLoss::Robust => format!(", {}", job.attack),
    };
    let _ = writeln!(text, "{}: {}{attack}", job.label(), job.perturbations());
    if job.case == Case::Worst {
        let then = if job.joint == JointSearch::Sequential { ", then the inputs" } else { "" };
        let _ = writeln!(text, "weights searched for {}{then}", job.descent);
    }
    let restarts = match (job.loss, job.restarts_of_reference(), job.restarts_of_draws()) {
        (FlatnessLoss::Clean, ..) => String::new(),
        (_, 1, 1) => " at 1 restart".to_owned(),
        (_, n, m) if n == m => format!(" at the worst of {n} restarts"),
        (_, n, m) => format!(" at the worst of {n} restarts (perturbed networks: {m})"),
    };
    let error = 100.0 * outcome.reference_error;
    let _ = writeln!(text, "reference loss {:.4}, error {error:.1} %{restarts}\n", outcome.reference_loss);
    let head = if job.case == Case::Worst { "restarts" } else { "95 % interval" };
    let _ = writeln!(text, "{:>8}  {:>8}  {:>8}  {:<9}  {head}", "radius", "loss", "flatness", "");
    outcome.radii.iter().for_each(|at| row(text, at, ""));
    let error = outcome.radii.iter().any(|at| at.standard_error.is_some());
    let error = if error { "± standard error over draws; " } else { "" };
    let _ = writeln!(text, "\n{error}{}", outcome.certainty(job.case));
    outcome.radii.iter().filter_map(multilevel).for_each(|line| text.push_str(&line));
    if !outcome.layers.is_empty() {
        let _ = writeln!(text, "\none tensor at a time");
    }
    for layer in &outcome.layers {
        layer.radii.iter().for_each(|at| row(text, at, &layer.name));
    }
}

/// What a multilevel estimate is made of, and what the plain mean over its draws is.
fn multilevel(at: &AtRadius) -> Option<String> {
    let levels = at.levels.as_ref()?;
    let correlation = levels.correlations.map_or_else(String::new, |r| {
        format!("; correlation with the whole attack {:.3} and {:.3}", r.short, r.clean)
    });
    let error = levels.plain.standard_error.map_or_else(String::new, |error| format!(" ± {}", short(error)));
    Some(format!(
        "radius {}: multilevel estimate from {} draws under the whole attack, {} under PGD-{}, {} on clean images{correlation}; plain mean {}{error}\n",
        at.radius,
        levels.draws.full,
        levels.draws.short,
        levels.steps,
        levels.draws.clean,
        short(levels.plain.flatness),
    ))
}

fn row(text: &mut String, at: &AtRadius, name: &str) {
    let error = at.standard_error.map_or_else(String::new, |error| format!("± {}", short(error)));
    let between = |[low, high]: [f64; 2]| format!("{} to {}", short(low), short(high));
    // Of records of earlier versions the worst case has an interval instead.
    let interval = at.spread.or(at.interval).map_or_else(|| "none".to_owned(), between);
    let interval = if name.is_empty() { interval } else { format!("{interval:<18}  {name}") };
    let flatness = short(at.flatness);
    let _ = writeln!(text, "{:>8}  {:>8.4}  {flatness:>8}  {error:<9}  {interval}", at.radius, at.loss);
}

/// Four digits after the point, or two in all of what would vanish.
fn short(value: f64) -> String {
    if value == 0.0 || value.abs() >= 1e-3 { format!("{value:.4}") } else { format!("{value:.1e}") }
}
