//! `--attack`: attacks by their names.

use basin_core::Error;
use basin_core::attack::names::{PaperAttack, Recipe, looks_like_a_name};
use basin_core::job::{Examples, Pgd};
use clap::builder::ValueParser;
use clap::{Args, ValueEnum};

use crate::settings::Settings as _;
use crate::settings::{Given, pgd_texts, pgd_variant, variant};

/// Attacks on inputs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input attack")]
pub struct Attacks {
    /// none, pgd, or a name of the paper such as input_linf_gd_normalized_lr0007_mom0_i20_e00314_at10, which stands for
    /// all its settings and images (evaluate: those of AutoAttack, too) [default: none for evaluate, pgd for a robust loss elsewhere].
    /// evaluate takes several and counts the worst per example; pgd:objective=dlr,restarts=5 differs from the options
    /// below in what it says.
    #[arg(long, value_name = "NAME", value_parser = ValueParser::new(attack_name))]
    attack: Vec<AttackName>,
}

/// Which ensemble `basin attack` runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "AutoAttack")]
pub struct Ensembles {
    /// The kind of attack.
    #[arg(long, value_enum, default_value_t)]
    attack: Ensemble,
}

/// Ensembles by their names in options.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Ensemble {
    /// AutoAttack (Croce and Hein, 2020).
    #[default]
    Autoattack,
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

/// Whether settings of an attack are given.
fn has_settings(given: &Given) -> bool {
    given.keys().any(|path| path.starts_with("attack."))
}

impl Attacks {
    /// The name of an AutoAttack of the paper, if that is the attack.
    pub fn autoattack(&self) -> Option<&str> {
        match self.attack.first() {
            Some(AttackName::AutoAttack(name)) => Some(name),
            _ => None,
        }
    }

    /// Refuses, for evaluations, what cannot stand together.
    ///
    /// # Errors
    /// One sentence with the remedy.
    pub fn check_evaluation(&self, given: &Given) -> Result<(), String> {
        let is_alone = |name: &AttackName| matches!(name, AttackName::None | AttackName::AutoAttack(_));
        if let Some(name) = self.attack.iter().find(|name| is_alone(name)).filter(|_| self.attack.len() > 1) {
            let what = match name {
                AttackName::None => "none is no attack",
                _ => "AutoAttack is a job of its own",
            };
            return Err(format!("{what}, so --attack cannot have it beside others; leave it out"));
        }
        self.check_name(given)
    }

    /// Refuses what does not suit the loss that a measure is asked for: an attack on the clean loss, none on a robust
    /// one, settings beside a name that fixes them all.
    ///
    /// # Errors
    /// One sentence with the remedy.
    pub fn check(&self, given: &Given) -> Result<(), String> {
        if self.attack.len() > 1 {
            return Err("several attacks are for basin evaluate; give one --attack".into());
        }
        if let Some(name) = self.autoattack() {
            return Err(format!(
                "{name} is AutoAttack, which is for basin evaluate and basin attack; use PGD here"
            ));
        }
        let (clean, none) =
            (given.get("loss").is_some_and(|loss| loss == "clean"), self.attack == [AttackName::None]);
        if !clean && none {
            return Err(
                "a robust loss and --attack none contradict each other; use --loss clean, or --attack pgd"
                    .into(),
            );
        }
        if clean && !self.attack.is_empty() && !none {
            return Err(
                "--loss clean has no attack; leave the attack options out, or use --loss robust".into()
            );
        }
        self.check_name(given)
    }

    fn check_name(&self, given: &Given) -> Result<(), String> {
        let is_name = |name: &AttackName| matches!(name, AttackName::Paper(..) | AttackName::AutoAttack(_));
        if !self.attack.is_empty() && self.attack.iter().all(is_name) && has_settings(given) {
            return Err(
                "a name of the paper stands for all settings; leave out the other attack options, or use --attack pgd"
                    .into(),
            );
        }
        Ok(())
    }

    /// Puts the attacks among the settings: the first as its settings, others by their difference, and the images of a
    /// name of the paper where none are given.
    ///
    /// # Errors
    /// The settings of an attack are not possible; one sentence.
    pub fn apply(&self, given: &mut Given) -> Result<(), String> {
        let images = self.attack.iter().find_map(|name| match name {
            AttackName::Paper(_, examples) => Some(examples.to_string()),
            _ => None,
        });
        if let Some(images) = images {
            given.entry("data.examples".into()).or_insert(images);
        }
        let options = |given: &Given| {
            let words = given.iter().filter_map(|(path, text)| {
                let flag = crate::settings::Measure::Evaluate.setting(path)?.flag.as_deref()?;
                path.starts_with("attack.").then(|| format!("{flag}={text}"))
            });
            pgd_variant(&Pgd::default(), &words.collect::<Vec<_>>().join(","))
        };
        if self.attack.iter().all(|name| matches!(name, AttackName::None | AttackName::Pgd))
            && self.attack.len() < 2
        {
            return Ok(());
        }
        let options = options(given)?;
        let pgd = |name: &AttackName| match name {
            AttackName::None | AttackName::AutoAttack(_) => None,
            AttackName::Pgd => Some(Ok(options.clone())),
            AttackName::Variant(settings) => Some(pgd_variant(&options, settings)),
            AttackName::Paper(pgd, _) => Some(Ok(pgd.clone())),
        };
        let all = self.attack.iter().filter_map(pgd).collect::<Result<Vec<_>, _>>()?;
        let Some((first, others)) = all.split_first() else { return Ok(()) };
        given.retain(|path, _| !path.starts_with("attack."));
        given.extend(pgd_texts(first));
        if !others.is_empty() {
            let others: Vec<String> = others.iter().map(|other| variant(first, other)).collect();
            given.insert("more_attacks".into(), others.join("; "));
        }
        Ok(())
    }

    /// What an evaluation looks at besides the clean images, as the setting `attack` says it.
    pub fn inputs(&self) -> Option<&'static str> {
        match self.attack.as_slice() {
            [] => None,
            [AttackName::None] => Some("none"),
            _ => Some("pgd"),
        }
    }
}
