//! `basin attack`: every example's verdict under an ensemble of attacks.

use std::path::PathBuf;

use basin_core::attack::autoattack::Attack as AttackName;
use basin_core::attack::names::PaperAttack;
use basin_core::job::{Attack, AutoAttack, InputNorm, Job, Tuning, Version};
use basin_core::settings::number;
use clap::builder::ValueParser;
use clap::{Args, ValueEnum};

use super::args::{Common, whole};

/// The ensemble and its settings.
#[derive(Debug, Args)]
#[command(next_help_heading = "Attack")]
pub struct AttackArgs {
    /// The kind of attack.
    #[arg(long, value_enum, default_value_t)]
    attack: Ensemble,
    /// standard, paper (as the flatness paper ran it: fab-t, apgd-ce, apgd-t), plus, rand, es, or a list of
    /// apgd-ce, apgd-dlr, apgd-t, fab, fab-t and square in their order.
    #[arg(long, visible_alias = "attacks", value_name = "VERSION|LIST", default_value = "standard", value_parser = ValueParser::new(|s: &str| s.parse::<Version>()))]
    version: Version,
    /// A name of the paper such as input_linf_aa_standard_e00314, which stands for all settings and images.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["version", "norm", "epsilon", "steps", "restarts", "targets", "queries", "individual", "eot", "rho", "alpha", "single_radius", "eta", "beta", "alpha_max", "p_init", "rescale_schedule"])]
    preset: Option<String>,
    /// Geometry of the ball: linf, l2 or l1 [default: linf].
    #[arg(long, value_name = "NORM", value_parser = ValueParser::new(norm))]
    norm: Option<InputNorm>,
    /// Radius of the ball; fractions are accepted [default: 8/255 for linf, 0.5 for l2, 12 for l1].
    #[arg(long, value_name = "E", allow_hyphen_values = true, value_parser = ValueParser::new(number))]
    epsilon: Option<f64>,
    /// Updates of APGD and FAB; without it, as the version says.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    steps: Option<usize>,
    /// Independent starts of every attack; without it, as the version says.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    restarts: Option<usize>,
    /// Target classes of APGD-T and FAB-T, the most likely first; without it, 9 or as many as there are (in L1, APGD-T 5).
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    targets: Option<usize>,
    /// Queries of Square; without it, 5000.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    queries: Option<usize>,
    /// Every attack gets all correctly classified examples, not only those that the attacks before it left.
    #[arg(long)]
    individual: bool,
    /// Keep the adversarial examples beside the record, in RECORD.json.examples.safetensors.
    #[arg(long)]
    keep_examples: bool,
    #[command(flatten)]
    tuning: TuningArgs,
}

/// Parameters inside of the attacks; without them, as published.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Attack (advanced)")]
pub struct TuningArgs {
    /// APGD: average each gradient over this many passes, for networks that answer randomly [default: 1; rand 20].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    eot: Option<usize>,
    /// APGD: keep a step size if more than this share of its steps raised the loss [default: 0.75].
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    rho: Option<f64>,
    /// APGD: first step size divided by epsilon [default: 2; in L1 1].
    #[arg(long, value_name = "A", allow_negative_numbers = true)]
    alpha: Option<f64>,
    /// APGD in L1: all steps in the ball of radius epsilon, not first in balls of 3 and 2 epsilon.
    #[arg(long)]
    single_radius: bool,
    /// FAB: length of a step relative to the distance of the boundary [default: 1.05].
    #[arg(long, value_name = "H", allow_negative_numbers = true)]
    eta: Option<f64>,
    /// FAB: resume at this share of the way from the image to the point found [default: 0.9].
    #[arg(long, value_name = "B", allow_negative_numbers = true)]
    beta: Option<f64>,
    /// FAB: largest weight of the step that starts at the image [default: 0.1].
    #[arg(long, value_name = "A", allow_negative_numbers = true)]
    alpha_max: Option<f64>,
    /// Square: share of the image that the first squares cover [default: 0.8].
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    p_init: Option<f64>,
    /// Square: fit the schedule of sizes, made for 10,000 queries, to the number of queries.
    #[arg(long)]
    rescale_schedule: bool,
}

impl TuningArgs {
    /// Each option, the attacks it is for, and whether it is given.
    fn given(&self) -> [(&'static str, &'static str, bool); 9] {
        [
            ("--eot", "apgd", self.eot.is_some()),
            ("--rho", "apgd", self.rho.is_some()),
            ("--alpha", "apgd", self.alpha.is_some()),
            ("--single-radius", "apgd", self.single_radius),
            ("--eta", "fab", self.eta.is_some()),
            ("--beta", "fab", self.beta.is_some()),
            ("--alpha-max", "fab", self.alpha_max.is_some()),
            ("--p-init", "square", self.p_init.is_some()),
            ("--rescale-schedule", "square", self.rescale_schedule),
        ]
    }

    fn tuning(&self) -> Tuning {
        let Self { eot, rho, alpha, single_radius, eta, beta, alpha_max, p_init, rescale_schedule } = *self;
        Tuning { eot, rho, alpha, single_radius, eta, beta, alpha_max, p_init, rescale_schedule }
    }
}

/// Ensembles by their names in options.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Ensemble {
    /// AutoAttack (Croce and Hein, 2020).
    #[default]
    Autoattack,
}

fn norm(text: &str) -> Result<InputNorm, String> {
    match text {
        "linf" => Ok(InputNorm::Linf),
        "l2" => Ok(InputNorm::L2),
        "l1" => Ok(InputNorm::L1),
        _ => Err(format!(
            "AutoAttack knows the norms linf, l2 and l1, not {text:?}; basin evaluate --attack pgd knows l0, too"
        )),
    }
}

/// AutoAttack by a name of the paper, which stands for all settings and images.
///
/// # Errors
/// A name of something else.
pub fn named(
    name: &str,
    checkpoint: PathBuf,
    keep_examples: bool,
    common: &Common,
) -> Result<Attack, String> {
    let named = name.parse::<PaperAttack>().map_err(|error| error.to_string())?;
    let Job::Attack(mut job) = named.job(checkpoint, common.data_name(), common.compute()) else {
        return Err(format!(
            "{name} is not AutoAttack; use basin evaluate --attack or basin flatness --preset"
        ));
    };
    job.keep_examples = keep_examples;
    job.data.examples = common.examples.unwrap_or(job.data.examples);
    Ok(job)
}

impl AttackArgs {
    /// The job that the options describe.
    ///
    /// # Errors
    /// A name of something else; settings of attacks that the version does not have.
    pub fn job(self, checkpoint: PathBuf, common: &Common) -> Result<Attack, String> {
        let Ensemble::Autoattack = self.attack;
        if let Some(name) = &self.preset {
            return named(name, checkpoint, self.keep_examples, common);
        }
        self.check_version()?;
        let norm = self.norm.unwrap_or_default();
        Ok(Attack {
            checkpoint,
            data: common.data(),
            attack: AutoAttack {
                version: self.version,
                norm,
                epsilon: self.epsilon.unwrap_or_else(|| norm.usual_epsilon()),
                steps: self.steps,
                restarts: self.restarts,
                targets: self.targets,
                queries: self.queries,
                individual: self.individual,
                tuning: self.tuning.tuning(),
            },
            keep_examples: self.keep_examples,
            compute: common.compute(),
        })
    }

    /// Refuses settings of attacks that are not in the ensemble.
    fn check_version(&self) -> Result<(), String> {
        let attacks = self.version.attacks();
        let (version, square) = (&self.version, AttackName::Square);
        let useless = [
            (
                "--targets is for apgd-t and fab-t",
                self.targets.is_some() && !attacks.iter().any(|attack| attack.is_targeted()),
            ),
            ("--queries is for square", self.queries.is_some() && !attacks.contains(&square)),
            (
                "--steps is for apgd and fab (square has --queries)",
                self.steps.is_some() && attacks == [square],
            ),
        ];
        if let Some((reason, _)) = useless.into_iter().find(|(_, useless)| *useless) {
            return Err(format!("{reason}, which --version {version} lacks; leave it out"));
        }
        let has = |family: &str| {
            attacks.iter().any(|attack| match family {
                "apgd" => attack.is_apgd(),
                "fab" => attack.is_fab(),
                _ => *attack == square,
            })
        };
        match self.tuning.given().into_iter().find(|(_, family, given)| *given && !has(family)) {
            Some((option, family, _)) => {
                Err(format!("{option} is for {family}, which --version {version} lacks; leave it out"))
            }
            None => Ok(()),
        }
    }
}
