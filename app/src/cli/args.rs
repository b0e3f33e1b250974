//! Options shared by subcommands, and what they mean as parts of a job.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use basin_core::Error;
use basin_core::attack::names::{PaperAttack, Recipe, looks_like_a_name};
use basin_core::checkpoint::{Assumptions, assuming};
use basin_core::files::expand_home;
use basin_core::job::{
    Compute, DataSelection, DirectionKind, Examples, GradientRule, InputNorm, LandscapeLoss, Normalization,
    Objective, PaperToken, Pgd, Precision, Projection, Selection, Start, TargetClass,
};
use basin_core::settings::number;
use clap::builder::ValueParser;
use clap::{Args, CommandFactory as _, Parser, ValueEnum};

/// A checkpoint, and what is assumed of it.
#[derive(Debug, Args)]
pub struct CheckpointArgs {
    /// Checkpoint file, or `bundled`.
    checkpoint: PathBuf,
    #[command(flatten)]
    assume: AssumeArgs,
}

/// What is assumed of a checkpoint.
#[derive(Debug, Args)]
pub struct AssumeArgs {
    /// What the file leaves open: weights=NAME takes one of its networks, by the name that inspect shows. The same can
    /// stand behind the path: FILE::weights=NAME.
    #[arg(long, value_name = "WHAT=VALUE", value_parser = ValueParser::new(Assumptions::parse))]
    assume: Option<Assumptions>,
}

impl CheckpointArgs {
    /// The checkpoint as jobs name it.
    pub fn path(self) -> PathBuf {
        self.assume.of(self.checkpoint)
    }
}

impl AssumeArgs {
    /// A checkpoint with what is assumed of it.
    pub fn of(self, checkpoint: PathBuf) -> PathBuf {
        match self.assume {
            Some(assumed) => assuming(&checkpoint, &assumed),
            None => checkpoint,
        }
    }
}

/// An argument with the home folder in place of a `~` at its start or behind an equals sign, where shells leave it:
/// `--out=~/x`.
///
/// # Errors
/// The home folder is not known.
pub fn with_home(argument: OsString) -> basin_core::Result<OsString> {
    let Some(text) = argument.to_str() else { return Ok(argument) };
    let at = match text.rfind("=~") {
        _ if text.starts_with('~') => 0,
        Some(at) => at + 1,
        None => return Ok(argument),
    };
    let mut whole = OsString::from(&text[..at]);
    whole.push(expand_home(Path::new(&text[at..]))?);
    Ok(whole)
}

/// Data, device, precision, seed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data and computing")]
pub struct Common {
    /// Data set: bundled, cifar10, mnist, fashion-mnist, or a folder [default: bundled].
    #[arg(long, value_name = "NAME|DIR")]
    pub data: Option<String>,
    /// Which examples: test:0..1000 (0 to 999), train:0..500; test:9999..9899 counts down (to 9900), and ..= includes
    /// the end (test:99..=0) [default: test:0..100, or those that a name of the paper stands for].
    #[arg(long, value_name = "SPLIT:A..B", value_parser = ValueParser::new(|s: &str| s.parse::<Examples>()))]
    pub examples: Option<Examples>,
    /// auto, cpu or cuda:0.
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// Precision in which attacks search: auto, f32, tf32, bf16 or f64. Losses are measured in float32. auto: bf16 where
    /// the hardware is faster at it, but float32 for worst-case weights, of which bf16 finds much less.
    #[arg(long, default_value = "auto", value_parser = ValueParser::new(|s: &str| s.parse::<Precision>()))]
    pub precision: Precision,
    /// Seed of every random number.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = ValueParser::new(whole::<u64>))]
    pub seed: u64,
    /// Images at a time: auto, or a number. It changes results by rounding only, like --threads: losses, average-case
    /// flatness and the verdicts of AutoAttack agree to about 1e-7, worst-case flatness to about 1e-4 of its value.
    #[arg(long, value_name = "N", default_value = "auto", allow_negative_numbers = true, value_parser = ValueParser::new(batch_size))]
    pub batch_size: BatchSize,
    /// Threads on the CPU; without it, one per core.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(threads))]
    pub threads: Option<u16>,
}

/// A batch size, `None` for auto.
#[derive(Debug, Clone, Copy)]
pub struct BatchSize(Option<usize>);

fn batch_size(text: &str) -> Result<BatchSize, String> {
    match text {
        "auto" => Ok(BatchSize(None)),
        _ => match text.parse() {
            Ok(n) if n > 0 => Ok(BatchSize(Some(n))),
            _ => Err(format!("{text:?} is not a batch size; use auto or a whole number of at least 1")),
        },
    }
}

/// A number of threads.
///
/// # Errors
/// It is none.
pub fn threads(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("{text:?} is not a number of threads; use a whole number from 1 to {}", u16::MAX)),
    }
}

impl Common {
    /// The images; `usual` ones if none are asked for.
    pub fn data_or(&self, usual: Examples) -> DataSelection {
        DataSelection { name: self.data_name().to_owned(), examples: self.examples.unwrap_or(usual) }
    }

    /// The data set; the bundled one if none is asked for.
    pub fn data_name(&self) -> &str {
        self.data.as_deref().unwrap_or("bundled")
    }

    /// The images.
    pub fn data(&self) -> DataSelection {
        self.data_or(DataSelection::default().examples)
    }

    /// The computing.
    pub fn compute(&self) -> Compute {
        Compute {
            device: self.device.clone(),
            precision: self.precision,
            seed: self.seed,
            batch_size: self.batch_size.0,
        }
    }
}

/// Where the record goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Write the record there; of several networks, a folder for their records. A cancelled or killed job goes on from
    /// there when run again; a finished one is shown.
    #[arg(long, value_name = "RECORD.json")]
    pub out: Option<PathBuf>,
    /// Replace what --out holds: the record or unfinished work of another job, or this job's own record, computed again.
    #[arg(long)]
    pub force: bool,
    /// Print the record as JSON on standard output.
    #[arg(long)]
    pub json: bool,
}

/// The attack and its settings; what is not given is as in [`Pgd::default`].
#[derive(Debug, Args)]
#[command(next_help_heading = "Attack")]
pub struct Attack {
    /// none, pgd, or a name of the paper such as input_linf_gd_normalized_lr0007_mom0_i20_e00314_at10, which stands for
    /// all its settings and images (evaluate: those of AutoAttack, too) [default: none for evaluate, pgd for a robust loss elsewhere].
    /// evaluate takes several and counts the worst per example; pgd:objective=dlr,restarts=5 differs from the options
    /// below in what it says.
    #[arg(long, value_name = "NAME", value_parser = ValueParser::new(attack_name))]
    attack: Vec<AttackName>,
    /// Radius of the ball; fractions are accepted [default: 8/255 for linf,
    /// 0.5 for l2, 12 for l1, 20 values for l0].
    #[arg(long, value_name = "E", allow_hyphen_values = true, value_parser = ValueParser::new(number))]
    pub epsilon: Option<f64>,
    /// Number of updates [default: 20].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    pub attack_steps: Option<usize>,
    /// Step size; fractions are accepted [default: 0.007 for linf, 0.25 for
    /// l0, else 2.5 epsilon / steps, for l1 at least epsilon / 8].
    #[arg(long, value_name = "S", allow_hyphen_values = true, value_parser = ValueParser::new(number))]
    pub step_size: Option<f64>,
    /// Independent starts; the worst per example counts [default: 1].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    pub restarts: Option<usize>,
    /// Which restart is the worst for an example [default: loss].
    #[arg(long, value_name = "RULE", value_enum)]
    pub select: Option<SelectArg>,
    /// Geometry of the ball [default: linf].
    #[arg(long, value_enum)]
    pub norm: Option<NormArg>,
    /// Where it starts: zero, uniform-norm (Gaussian direction, norm uniform up to epsilon: the paper's),
    /// uniform-sphere (norm epsilon), uniform-ball, uniform (every pixel within epsilon, linf), or
    /// uniform:-0.1..0.1 [default: uniform-norm].
    #[arg(long, value_name = "START", value_parser = ValueParser::new(start))]
    pub start: Option<Start>,
    /// Where each point is projected to: box (images in 0 to 1) and ball, in an order, or one alone
    /// [default: box-then-ball].
    #[arg(long, value_enum)]
    pub projection: Option<ProjectionArg>,
    /// What a step does with the gradient [default: normalized].
    #[arg(long, value_enum)]
    pub gradient: Option<GradientArg>,
    /// Weight of past gradients, from 0 up to 1 [default: 0].
    #[arg(long, value_name = "M", allow_negative_numbers = true, value_parser = ValueParser::new(number))]
    pub momentum: Option<f64>,
    /// Accept a step only where the loss does not fall; else divide that example's step size.
    #[arg(long)]
    pub backtrack: bool,
    /// Divisor of the step size after a rejected step [default: 1.5].
    #[arg(long, value_name = "D", allow_negative_numbers = true, value_parser = ValueParser::new(number), requires = "backtrack")]
    pub step_divisor: Option<f64>,
    /// Weight of the norm of the perturbation in the minimized error [default: 0].
    #[arg(long, value_name = "C", allow_negative_numbers = true, value_parser = ValueParser::new(number))]
    pub norm_penalty: Option<f64>,
    /// PGD-K-tau: record at most N + 1 misclassified points per example, each better than the last.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<u32>))]
    pub tau: Option<u32>,
    /// What is maximized: ce (cross-entropy), kl or batch-kl (from the clean prediction, per example or summed),
    /// dlr (logits ratio), smooth:0.1 (smoothed labels), or nearness to another class: target:3,
    /// target:least-likely, target:rank-1 (the most likely wrong one) [default: ce].
    #[arg(long, value_name = "OBJECTIVE", value_parser = ValueParser::new(objective))]
    pub objective: Option<Objective>,
}

/// Attacks by their names in options.
#[derive(Debug, Clone, PartialEq)]
pub enum AttackName {
    /// Clean images only.
    None,
    /// Projected gradient descent.
    Pgd,
    /// The same with some settings of its own: `objective=dlr,restarts=5`.
    Variant(String),
    /// PGD as the paper's name says, on its images.
    Paper(Pgd, Examples),
    /// AutoAttack as the paper's name says: for evaluations, which it makes jobs of its own kind.
    AutoAttack(String),
}

fn attack_name(text: &str) -> Result<AttackName, String> {
    match text {
        "none" => Ok(AttackName::None),
        "pgd" => Ok(AttackName::Pgd),
        _ if text.starts_with("pgd:") => {
            let settings = text.trim_start_matches("pgd:");
            pgd_variant(&Pgd::default(), settings).map(|_| AttackName::Variant(settings.to_owned()))
        }
        _ if looks_like_a_name(text) => {
            let attack: PaperAttack = text.parse().map_err(|e: Error| e.to_string())?;
            match (attack.pgd(), &attack.recipe) {
                (Some(pgd), _) => Ok(AttackName::Paper(pgd, attack.images)),
                (None, Recipe::AutoAttack { .. }) => Ok(AttackName::AutoAttack(text.to_owned())),
                (None, _) => Err(format!("{text} attacks weights; use basin flatness --preset")),
            }
        }
        _ => Err(format!(
            "unknown attack {text:?}; use none, pgd, pgd:restarts=5, or a name of the paper such as input_linf_gd_normalized_lr0007_mom0_i20_e00314_at10"
        )),
    }
}

/// Options of an attack by themselves.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct AttackOptions {
    #[command(flatten)]
    attack: Attack,
}

/// PGD that differs from `base` in the settings of `text`: names and values of options, `objective=dlr,restarts=5`.
///
/// # Errors
/// There is no such option, or it cannot have this value; one sentence.
pub fn pgd_variant(base: &Pgd, text: &str) -> Result<Pgd, String> {
    let words = text.split(',').map(str::trim).filter(|setting| !setting.is_empty());
    let words: Vec<String> = words.map(|setting| format!("--{setting}")).collect();
    let wrong = |reason: &str| format!("{text:?} does not describe PGD: {reason}");
    let is_option = |word: &String| {
        let name = word.trim_start_matches("--").split('=').next().unwrap_or_default();
        let options = AttackOptions::command();
        let known = options.get_arguments().any(|option| option.get_long() == Some(name));
        known && name != "attack"
    };
    if let Some(word) = words.iter().find(|word| !is_option(word)) {
        let name = word.trim_start_matches("--").split('=').next().unwrap_or_default().to_owned();
        return Err(wrong(&format!(
            "there is no setting {name:?}; use names of options, such as restarts=5"
        )));
    }
    let given = AttackOptions::try_parse_from(words).map_err(|error| {
        let told = error.to_string();
        let first = told.lines().next().unwrap_or_default().trim_start_matches("error: ");
        wrong(first)
    })?;
    Ok(given.attack.over(base))
}

/// Norms by their names in options.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum NormArg {
    /// Every pixel value changes by at most epsilon.
    Linf,
    /// The Euclidean norm of the change is at most epsilon.
    L2,
    /// The absolute changes add up to at most epsilon.
    L1,
    /// At most epsilon pixel values change.
    L0,
}

impl From<NormArg> for InputNorm {
    fn from(norm: NormArg) -> Self {
        match norm {
            NormArg::Linf => Self::Linf,
            NormArg::L2 => Self::L2,
            NormArg::L1 => Self::L1,
            NormArg::L0 => Self::L0,
        }
    }
}

/// Selections of the worst restart by their names in options.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SelectArg {
    /// The highest loss.
    Loss,
    /// The highest probability of a wrong class: the published evaluation of the paper.
    WrongClassConfidence,
}

/// Projections by their names in options.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ProjectionArg {
    /// Box, then ball: the paper's order.
    BoxThenBall,
    /// Ball, then box.
    BallThenBox,
    /// The ball alone.
    Ball,
    /// The box alone.
    Box,
    /// None: the attack is not bounded.
    None,
}

/// Gradient rules by their names in options.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum GradientArg {
    /// Steepest ascent in the norm, e.g. the sign (L-inf) or unit length (L2).
    Normalized,
    /// Divided by the largest entry (L-inf, L0) or the norm (L2, L1).
    Scaled,
    /// As it is.
    Raw,
}

impl Attack {
    /// Refuses settings without an attack, or beside a name that fixes them all: for evaluations.
    ///
    /// # Errors
    /// One sentence with the remedy.
    pub fn check_evaluation(&self) -> Result<(), String> {
        let is_alone = |name: &AttackName| matches!(name, AttackName::None | AttackName::AutoAttack(_));
        if let Some(name) = self.attack.iter().find(|name| is_alone(name)).filter(|_| self.attack.len() > 1) {
            let what = match name {
                AttackName::None => "none is no attack",
                _ => "AutoAttack is a job of its own",
            };
            return Err(format!("{what}, so --attack cannot have it beside others; leave it out"));
        }
        if matches!(self.attack.as_slice(), [] | [AttackName::None]) && self.has_settings() {
            return Err("attack options are given, but no attack; add --attack pgd".into());
        }
        self.check_name()
    }

    /// Refuses what does not suit the loss that a measure is asked for: an attack on the clean loss, none on a
    /// robust one, settings beside a name that fixes them all.
    ///
    /// # Errors
    /// One sentence with the remedy.
    pub fn check(&self, clean: bool) -> Result<(), String> {
        if self.attack.len() > 1 {
            return Err("several attacks are for basin evaluate; give one --attack".into());
        }
        if let Some(AttackName::AutoAttack(name)) = self.attack.first() {
            return Err(format!(
                "{name} is AutoAttack, which is for basin evaluate and basin attack; use PGD here"
            ));
        }
        let none = self.attack == [AttackName::None];
        if !clean && none {
            return Err(
                "a robust loss and --attack none contradict each other; use --loss clean, or --attack pgd"
                    .into(),
            );
        }
        if clean && ((!self.attack.is_empty() && !none) || self.has_settings()) {
            return Err(
                "--loss clean has no attack; leave the attack options out, or use --loss robust".into()
            );
        }
        self.check_name()
    }

    fn check_name(&self) -> Result<(), String> {
        let is_name = |name: &AttackName| matches!(name, AttackName::Paper(..) | AttackName::AutoAttack(_));
        if !self.attack.is_empty() && self.attack.iter().all(is_name) && self.has_settings() {
            return Err(
                "a name of the paper stands for all settings; leave out the other attack options, or use --attack pgd"
                    .into(),
            );
        }
        Ok(())
    }

    /// Whether `--attack` is given.
    pub fn is_given(&self) -> bool {
        !self.attack.is_empty()
    }

    /// The name of an AutoAttack of the paper, if that is the attack.
    pub fn autoattack(&self) -> Option<&str> {
        match self.attack.first() {
            Some(AttackName::AutoAttack(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether settings of an attack are given, whatever the attack.
    pub fn has_settings(&self) -> bool {
        let numbers = [self.epsilon, self.step_size, self.momentum, self.step_divisor, self.norm_penalty];
        let choices = [
            self.norm.is_some(),
            self.start.is_some(),
            self.gradient.is_some(),
            self.select.is_some(),
            self.projection.is_some(),
            self.tau.is_some(),
        ];
        numbers.iter().any(Option::is_some)
            || choices.contains(&true)
            || self.backtrack
            || self.attack_steps.or(self.restarts).is_some()
            || self.objective.is_some()
    }

    /// The images of the name that is given, or the usual ones.
    pub fn examples(&self) -> Examples {
        let named = self.attack.iter().find_map(|name| match name {
            AttackName::Paper(_, examples) => Some(*examples),
            _ => None,
        });
        named.unwrap_or(DataSelection::default().examples)
    }

    /// The attack that is asked for; without `--attack` PGD if `by_default`, else none.
    pub fn choose(&self, by_default: bool) -> Option<Pgd> {
        match self.attack.as_slice() {
            [] => by_default.then(|| self.over(&Pgd::default())),
            _ => self.all().into_iter().next(),
        }
    }

    /// Every attack that is asked for.
    pub fn all(&self) -> Vec<Pgd> {
        let options = self.over(&Pgd::default());
        let pgd = |name: &AttackName| match name {
            AttackName::None | AttackName::AutoAttack(_) => None,
            AttackName::Pgd => Some(options.clone()),
            // Has been read before.
            AttackName::Variant(settings) => pgd_variant(&options, settings).ok(),
            AttackName::Paper(pgd, _) => Some(pgd.clone()),
        };
        self.attack.iter().filter_map(pgd).collect()
    }

    /// PGD with the settings of the options, the others as in `base`. A step size that was usual stays so.
    fn over(&self, base: &Pgd) -> Pgd {
        let norm = self.norm.map_or(base.norm, InputNorm::from);
        let other_norm = norm != base.norm;
        let epsilon = self.epsilon.unwrap_or(if other_norm { norm.usual_epsilon() } else { base.epsilon });
        let steps = self.attack_steps.unwrap_or(base.steps);
        let was_usual =
            base.step_size == Pgd::usual_step_size(base.norm, base.epsilon, base.steps) || other_norm;
        let usual_step = if was_usual { Pgd::usual_step_size(norm, epsilon, steps) } else { base.step_size };
        Pgd {
            norm,
            epsilon,
            steps,
            step_size: self.step_size.unwrap_or(usual_step),
            restarts: self.restarts.unwrap_or(base.restarts),
            selection: self.select.map_or(base.selection, |select| match select {
                SelectArg::Loss => Selection::Loss,
                SelectArg::WrongClassConfidence => Selection::WrongClassConfidence,
            }),
            start: self.start.unwrap_or(base.start),
            projection: self.projection.map_or(base.projection, |projection| match projection {
                ProjectionArg::BoxThenBall => Projection::BoxThenBall,
                ProjectionArg::BallThenBox => Projection::BallThenBox,
                ProjectionArg::Ball => Projection::Ball,
                ProjectionArg::Box => Projection::Box,
                ProjectionArg::None => Projection::None,
            }),
            norm_penalty: self.norm_penalty.unwrap_or(base.norm_penalty),
            tau: self.tau.or(base.tau),
            objective: self.objective.unwrap_or(base.objective),
            gradient: self.gradient.map_or(base.gradient, |gradient| match gradient {
                GradientArg::Normalized => GradientRule::Normalized,
                GradientArg::Scaled => GradientRule::Scaled,
                GradientArg::Raw => GradientRule::Raw,
            }),
            momentum: self.momentum.unwrap_or(base.momentum),
            backtrack: self.backtrack || base.backtrack,
            step_divisor: self.step_divisor.unwrap_or(base.step_divisor),
        }
    }
}

/// Directions and grid.
#[derive(Debug, Args)]
#[command(next_help_heading = "Landscape")]
pub struct LandscapeArgs {
    /// First direction: random, or random:N for another draw.
    #[arg(long, value_name = "DIRECTION", default_value = "random", value_parser = ValueParser::new(|s: &str| s.parse::<DirectionKind>()))]
    pub direction: DirectionKind,
    /// Second direction, for a surface; random means a draw of its own [default: none, which gives a curve].
    #[arg(long, value_name = "DIRECTION", value_parser = ValueParser::new(Second::parse))]
    second: Option<Second>,
    /// Scale of step 1: layer, filter or global with --radius, or a token of the paper such as layer_l2_05.
    #[arg(long, value_name = "RULE", default_value = "layer", value_parser = ValueParser::new(|s: &str| s.parse::<Normalization>()), long_help = normalizations())]
    pub normalize: Normalization,
    /// Size of step 1 relative to the weights (L2 norm, per layer, filter or whole model) [default: 0.5].
    #[arg(long, value_name = "R", allow_hyphen_values = true, value_parser = ValueParser::new(number))]
    radius: Option<f64>,
    /// Steps run from -RANGE to RANGE.
    #[arg(long, default_value = "1", allow_hyphen_values = true, value_parser = ValueParser::new(number))]
    pub range: f64,
    /// Grid points per axis; odd, so that the unperturbed model is one.
    #[arg(long, default_value_t = 51, allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    pub steps: usize,
    /// clean, robust (attacked anew at every point), or robust-fixed (adversarial examples of the unperturbed model).
    #[arg(long, default_value = "robust", value_parser = ValueParser::new(landscape_loss))]
    pub loss: LandscapeLoss,
}

/// The second direction as written: `random` without a number is another draw than the first.
#[derive(Debug, Clone)]
struct Second {
    kind: DirectionKind,
    any_draw: bool,
}

impl Second {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { kind: text.parse()?, any_draw: text == "random" })
    }
}

/// Help on `--normalize` with every token.
fn normalizations() -> String {
    let tokens: Vec<&str> = PaperToken::names().collect();
    format!(
        "Scale of step 1: layer, filter or global with --radius (relative L2 norm), or a token of the paper's \
         program with its meaning there, which is the size, too. With _rte at its end, step 1 is where the clean \
         error has risen by ten points. Tokens: {}",
        tokens.join(", ")
    )
}

impl LandscapeArgs {
    /// Options that contradict each other or would have no effect.
    ///
    /// # Errors
    /// One sentence: which, and what to do.
    pub fn check(&self, attack: &Attack) -> Result<(), String> {
        attack.check(self.loss == LandscapeLoss::Clean)?;
        if let (Normalization::Paper(_), Some(_)) = (&self.normalize, self.radius) {
            return Err(format!(
                "--normalize {} says itself how large step 1 is; leave out --radius, or use layer, filter or global",
                self.normalize
            ));
        }
        match self.second() {
            Some(second) if second == self.direction => {
                Err(format!("--second {second} is the first direction, too; use another draw, random:N"))
            }
            _ => Ok(()),
        }
    }

    /// The second direction.
    pub fn second(&self) -> Option<DirectionKind> {
        let second = self.second.as_ref()?;
        match (&self.direction, second.any_draw) {
            (DirectionKind::Random(0), true) => Some(DirectionKind::Random(1)),
            _ => Some(second.kind.clone()),
        }
    }

    /// Size of step 1.
    pub fn radius(&self) -> f64 {
        self.radius.unwrap_or(0.5)
    }
}

fn landscape_loss(text: &str) -> Result<LandscapeLoss, String> {
    match text {
        "clean" => Ok(LandscapeLoss::Clean),
        "robust" => Ok(LandscapeLoss::Robust),
        "robust-fixed" => Ok(LandscapeLoss::RobustFixed),
        _ => Err(format!("unknown loss {text:?}; use clean, robust or robust-fixed")),
    }
}

fn objective(text: &str) -> Result<Objective, String> {
    let unknown = |_| {
        format!(
            "unknown objective {text:?}; use ce, kl, batch-kl, dlr, smooth:0.1, target:3, target:least-likely or target:rank-1"
        )
    };
    match text.split_once(':') {
        None => match text {
            "ce" => Ok(Objective::CrossEntropy),
            "kl" => Ok(Objective::Kl),
            "batch-kl" => Ok(Objective::BatchKl),
            "dlr" => Ok(Objective::Dlr),
            _ => Err(unknown(())),
        },
        Some(("smooth", amount)) => {
            amount.parse().map(Objective::SmoothedCrossEntropy).map_err(|_| unknown(()))
        }
        Some(("target", "least-likely")) => Ok(Objective::Targeted(TargetClass::LeastLikely)),
        Some(("target", class)) => {
            let target = match class.strip_prefix("rank-") {
                Some(rank) => rank.parse().map(TargetClass::Rank),
                None => class.parse().map(TargetClass::Class),
            };
            target.map(Objective::Targeted).map_err(|_| unknown(()))
        }
        Some(_) => Err(unknown(())),
    }
}

fn start(text: &str) -> Result<Start, String> {
    let unknown = || {
        format!(
            "unknown start {text:?}; use zero, uniform-norm, uniform-sphere, uniform-ball, uniform, or uniform:-0.1..0.1"
        )
    };
    match text {
        "zero" => Ok(Start::Zero),
        "uniform-norm" => Ok(Start::UniformNorm),
        "uniform-sphere" => Ok(Start::UniformSphere),
        "uniform-ball" => Ok(Start::UniformBall),
        "uniform" => Ok(Start::Uniform),
        _ => {
            let range = text.strip_prefix("uniform:").and_then(|range| range.split_once(".."));
            let (min, max) = range.ok_or_else(unknown)?;
            Ok(Start::UniformIn(number(min).map_err(|_| unknown())?, number(max).map_err(|_| unknown())?))
        }
    }
}

/// A whole number of at least 0.
///
/// # Errors
/// It is none.
pub fn whole<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is not a whole number; write e.g. 20"))
}
