//! `basin attack`: every example's verdict under an ensemble of attacks.

use std::path::PathBuf;

use basin_core::attack::autoattack::Attack as AttackName;
use basin_core::attack::names::PaperAttack;
use basin_core::job::{Attack, AutoAttack, InputNorm, Job, Version};
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
    #[arg(long, value_name = "NAME", conflicts_with_all = ["version", "norm", "epsilon", "steps", "restarts", "targets", "queries"])]
    preset: Option<String>,
    /// Geometry of the ball: linf or l2 [default: linf].
    #[arg(long, value_name = "NORM", value_parser = ValueParser::new(norm))]
    norm: Option<InputNorm>,
    /// Radius of the ball; fractions are accepted [default: 8/255 for linf, 0.5 for l2].
    #[arg(long, value_name = "E", allow_hyphen_values = true, value_parser = ValueParser::new(number))]
    epsilon: Option<f64>,
    /// Updates of APGD and FAB; without it, as the version says.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    steps: Option<usize>,
    /// Independent starts of every attack; without it, as the version says.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    restarts: Option<usize>,
    /// Target classes of APGD-T and FAB-T, the most likely first; without it, 9 or as many as there are.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    targets: Option<usize>,
    /// Queries of Square; without it, 5000.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>))]
    queries: Option<usize>,
    /// Keep the adversarial examples beside the record, in RECORD.json.examples.safetensors.
    #[arg(long)]
    keep_examples: bool,
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
        _ => Err(format!(
            "AutoAttack knows the norms linf and l2, not {text:?}; basin evaluate --attack pgd knows l1 and l0, too"
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
    let Job::Attack(mut job) = named.job(checkpoint, &common.data, common.compute()) else {
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
        match useless.into_iter().find(|(_, useless)| *useless) {
            Some((reason, _)) => Err(format!("{reason}, which --version {version} lacks; leave it out")),
            None => Ok(()),
        }
    }
}
