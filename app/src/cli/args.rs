//! Options shared by subcommands, and what they mean as parts of a job.

use std::path::{Path, PathBuf};

use anyhow::Result;
use basin_core::Error;
use basin_core::attack::names::{PaperAttack, looks_like_a_name};
use basin_core::files::read_text;
use basin_core::job::{
    Compute, DataSelection, DirectionKind, Examples, GradientRule, InputNorm, Job, LandscapeLoss,
    Normalization, Objective, Pgd, Precision, Selection, Start,
};
use basin_core::record::Record;
use clap::builder::ValueParser;
use clap::{Args, ValueEnum};
use serde_json::Value;

/// Data, device, precision, seed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data and computing")]
pub struct Common {
    /// Data set: bundled, cifar10, mnist, fashion-mnist, or a folder.
    #[arg(long, value_name = "NAME|DIR", default_value = "bundled")]
    pub data: String,
    /// Which examples, e.g. test:0..1000 or train:0..500; test:9999..9899 counts down. Without it test:0..100, or
    /// those that a name of the paper stands for.
    #[arg(long, value_name = "SPLIT:A..B", value_parser = ValueParser::new(|s: &str| s.parse::<Examples>()))]
    pub examples: Option<Examples>,
    /// auto, cpu or cuda:0.
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// Precision in which attacks search: auto, f32, tf32, bf16 or f64. Losses are measured in float32.
    #[arg(long, default_value = "auto", value_parser = ValueParser::new(|s: &str| s.parse::<Precision>()))]
    pub precision: Precision,
    /// Seed of every random number.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Images at a time: auto, or a number.
    #[arg(long, value_name = "N", default_value = "auto", value_parser = ValueParser::new(batch_size))]
    pub batch_size: BatchSize,
    /// Threads on the CPU; without it, one per core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
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

impl Common {
    /// The images; `usual` ones if none are asked for.
    pub fn data_or(&self, usual: Examples) -> DataSelection {
        DataSelection { name: self.data.clone(), examples: self.examples.unwrap_or(usual) }
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
    /// Write the record there. A cancelled or killed job goes on from there when run again.
    #[arg(long, value_name = "RECORD.json")]
    pub out: Option<PathBuf>,
    /// Print the record as JSON on standard output.
    #[arg(long)]
    pub json: bool,
}

/// The attack and its settings.
#[derive(Debug, Args)]
#[command(next_help_heading = "Attack")]
pub struct Attack {
    /// none, pgd, or a name of the paper such as input_linf_gd_normalized_lr0007_mom0_i20_e00314_at10, which stands for
    /// all its settings and images.
    #[arg(long, value_name = "NAME", value_parser = ValueParser::new(attack_name))]
    pub attack: Option<AttackName>,
    /// Radius of the ball; fractions are accepted.
    #[arg(long, value_name = "E", default_value = "8/255", allow_hyphen_values = true, value_parser = ValueParser::new(number))]
    pub epsilon: f64,
    /// Number of updates.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub attack_steps: usize,
    /// Step size; fractions are accepted.
    #[arg(long, value_name = "S", default_value = "0.007", allow_hyphen_values = true, value_parser = ValueParser::new(number))]
    pub step_size: f64,
    /// Independent starts; the worst per example counts.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub restarts: usize,
    /// Which restart is the worst for an example.
    #[arg(long, value_name = "RULE", value_enum, default_value_t)]
    pub select: SelectArg,
    /// Geometry of the ball.
    #[arg(long, value_enum, default_value_t)]
    pub norm: NormArg,
    /// Where it starts.
    #[arg(long, value_enum, default_value_t)]
    pub start: StartArg,
    /// What a step does with the gradient.
    #[arg(long, value_enum, default_value_t)]
    pub gradient: GradientArg,
    /// Weight of past gradients, from 0 up to 1.
    #[arg(long, value_name = "M", default_value_t = 0.0)]
    pub momentum: f64,
    /// Accept a step only where the loss does not fall; else divide that example's step size.
    #[arg(long)]
    pub backtrack: bool,
    /// Divisor of the step size after a rejected step.
    #[arg(long, value_name = "D", default_value_t = 1.5)]
    pub step_divisor: f64,
    /// What is maximized: ce (cross-entropy), kl (from the clean prediction), or smooth:0.1 (smoothed labels).
    #[arg(long, value_name = "OBJECTIVE", default_value = "ce", value_parser = ValueParser::new(objective))]
    pub objective: Objective,
}

/// Attacks by their names in options.
#[derive(Debug, Clone, PartialEq)]
pub enum AttackName {
    /// Clean images only.
    None,
    /// Projected gradient descent.
    Pgd,
    /// PGD as the paper's name says, on its images.
    Paper(Pgd, Examples),
}

fn attack_name(text: &str) -> Result<AttackName, String> {
    match text {
        "none" => Ok(AttackName::None),
        "pgd" => Ok(AttackName::Pgd),
        _ if looks_like_a_name(text) => {
            let attack: PaperAttack = text.parse().map_err(|e: Error| e.to_string())?;
            let pgd = attack.pgd().ok_or_else(|| {
                format!(
                    "{text} is no PGD attack on inputs; use basin flatness --preset or basin attack --preset"
                )
            })?;
            Ok(AttackName::Paper(pgd, attack.images))
        }
        _ => Err(format!(
            "unknown attack {text:?}; use none, pgd, or a name of the paper such as input_linf_gd_normalized_lr0007_mom0_i20_e00314_at10"
        )),
    }
}

/// Norms by their names in options.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum NormArg {
    /// Every pixel value changes by at most epsilon.
    #[default]
    Linf,
    /// The Euclidean norm of the change is at most epsilon.
    L2,
}

/// Selections of the worst restart by their names in options.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum SelectArg {
    /// The highest loss.
    #[default]
    Loss,
    /// The highest probability of a wrong class: the published evaluation of the paper.
    WrongClassConfidence,
}

/// Starts by their names in options.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum StartArg {
    /// At the image.
    Zero,
    /// Gaussian direction, norm uniform in (0, epsilon): the paper's.
    #[default]
    UniformNorm,
    /// Gaussian direction, norm epsilon.
    UniformSphere,
    /// Every pixel uniform in (-epsilon, epsilon).
    Uniform,
}

/// Gradient rules by their names in options.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum GradientArg {
    /// Sign (L-inf) or unit length (L2).
    #[default]
    Normalized,
    /// Divided by the largest entry (L-inf) or the length (L2).
    Scaled,
    /// As it is.
    Raw,
}

impl Attack {
    /// Refuses settings that would have no effect: without an attack, or beside a name that fixes them all.
    ///
    /// # Errors
    /// One sentence with the remedy.
    pub fn check(&self) -> Result<(), Error> {
        match self.attack {
            None if self.settings() != Pgd::default() => {
                Err(Error::invalid("attack options are given, but no attack; add --attack pgd"))
            }
            _ => self.check_name(),
        }
    }

    /// Refuses settings beside a name that fixes them all.
    ///
    /// # Errors
    /// One sentence with the remedy.
    pub fn check_name(&self) -> Result<(), Error> {
        match self.attack {
            Some(AttackName::Paper(..)) if self.settings() != Pgd::default() => Err(Error::invalid(
                "a name of the paper stands for all settings; leave out the other attack options, or use --attack pgd",
            )),
            _ => Ok(()),
        }
    }

    /// The images of the name that is given, or the usual ones.
    pub fn examples(&self) -> Examples {
        match &self.attack {
            Some(AttackName::Paper(_, examples)) => *examples,
            _ => DataSelection::default().examples,
        }
    }

    /// The attack that is asked for; without `--attack` PGD if `by_default`, else none.
    pub fn choose(&self, by_default: bool) -> Option<Pgd> {
        match &self.attack {
            None if by_default => Some(self.settings()),
            None | Some(AttackName::None) => None,
            Some(AttackName::Pgd) => Some(self.settings()),
            Some(AttackName::Paper(pgd, _)) => Some(pgd.clone()),
        }
    }

    /// PGD with the settings of the options.
    fn settings(&self) -> Pgd {
        Pgd {
            norm: match self.norm {
                NormArg::Linf => InputNorm::Linf,
                NormArg::L2 => InputNorm::L2,
            },
            epsilon: self.epsilon,
            steps: self.attack_steps,
            step_size: self.step_size,
            restarts: self.restarts,
            selection: match self.select {
                SelectArg::Loss => Selection::Loss,
                SelectArg::WrongClassConfidence => Selection::WrongClassConfidence,
            },
            start: match self.start {
                StartArg::Zero => Start::Zero,
                StartArg::UniformNorm => Start::UniformNorm,
                StartArg::UniformSphere => Start::UniformSphere,
                StartArg::Uniform => Start::Uniform,
            },
            objective: self.objective,
            gradient: match self.gradient {
                GradientArg::Normalized => GradientRule::Normalized,
                GradientArg::Scaled => GradientRule::Scaled,
                GradientArg::Raw => GradientRule::Raw,
            },
            momentum: self.momentum,
            backtrack: self.backtrack,
            step_divisor: self.step_divisor,
            ..Pgd::default()
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
    /// Second direction, for a surface; random means a draw of its own.
    #[arg(long, value_name = "DIRECTION", value_parser = ValueParser::new(|s: &str| s.parse::<DirectionKind>()))]
    second: Option<DirectionKind>,
    /// Scale of step 1: layer, filter or global with --radius, or a token of the paper such as layer_l2_05.
    #[arg(long, value_name = "RULE", default_value = "layer", value_parser = ValueParser::new(|s: &str| s.parse::<Normalization>()))]
    pub normalize: Normalization,
    /// Size of step 1 relative to the weights (L2 norm, per layer, filter or whole model).
    #[arg(long, value_name = "R", default_value_t = 0.5, allow_hyphen_values = true)]
    pub radius: f64,
    /// Steps run from -RANGE to RANGE.
    #[arg(long, default_value_t = 1.0, allow_hyphen_values = true)]
    pub range: f64,
    /// Grid points per axis; odd, so that the unperturbed model is one.
    #[arg(long, default_value_t = 51)]
    pub steps: usize,
    /// clean, robust (attacked anew at every point), or robust-fixed (adversarial examples of the unperturbed model).
    #[arg(long, default_value = "robust", value_parser = ValueParser::new(landscape_loss))]
    pub loss: LandscapeLoss,
}

impl LandscapeArgs {
    /// The second direction. `random` twice means two draws, not the same one.
    pub fn second(&self) -> Option<DirectionKind> {
        match &self.second {
            Some(DirectionKind::Random(draw)) if self.direction == DirectionKind::Random(*draw) => {
                Some(DirectionKind::Random(draw + 1))
            }
            other => other.clone(),
        }
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
    let unknown = || format!("unknown objective {text:?}; use ce, kl or smooth:0.1");
    match text {
        "ce" => Ok(Objective::CrossEntropy),
        "kl" => Ok(Objective::Kl),
        _ => match text.strip_prefix("smooth:") {
            Some(amount) => amount.parse().map(Objective::SmoothedCrossEntropy).map_err(|_| unknown()),
            None => Err(unknown()),
        },
    }
}

/// A number or a fraction of two.
///
/// # Errors
/// It is neither.
pub fn number(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is not a number; write e.g. 0.031 or 8/255");
    let value = match text.split_once('/') {
        Some((top, bottom)) => {
            let parse = |s: &str| s.trim().parse::<f64>().map_err(|_| wrong());
            parse(top)? / parse(bottom)?
        }
        None => text.trim().parse().map_err(|_| wrong())?,
    };
    if value.is_finite() { Ok(value) } else { Err(wrong()) }
}

/// Reads a job, or the job of a record.
///
/// # Errors
/// The file cannot be read or is neither.
pub fn read_job(path: &Path) -> Result<Job> {
    const EXAMPLE: &str = "see the \"job\" of any record for an example";
    let text = read_text(path, "a job or record")?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|e| Error::file(path, format!("is neither job nor record (not JSON: {e}); {EXAMPLE}")))?;
    if value.get("format").is_some() {
        return Ok(Record::parse(&text).map_err(|reason| Error::file(path, reason))?.job);
    }
    let job: Job = serde_json::from_value(value.clone())
        .map_err(|e| Error::file(path, format!("is no job: {e}; {EXAMPLE}")))?;
    // A setting with a slip in its name would silently keep its default.
    match unknown(&value, &serde_json::to_value(&job)?) {
        Some(name) => {
            Err(Error::file(path, format!("has a setting {name:?} that no such job has; {EXAMPLE}")).into())
        }
        None => Ok(job),
    }
}

/// The first key that is given but not understood.
fn unknown(given: &Value, understood: &Value) -> Option<String> {
    let (given, understood) = (given.as_object()?, understood.as_object()?);
    given.iter().filter(|(_, value)| !value.is_null()).find_map(|(key, value)| match understood.get(key) {
        None => Some(key.clone()),
        Some(other) => unknown(value, other).map(|inner| format!("{key}.{inner}")),
    })
}
