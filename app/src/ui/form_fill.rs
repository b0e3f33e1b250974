//! A form filled with a job: what a name of the paper stands for.

use basin_core::attack::fraction;
use basin_core::attack::names::PaperAttack;
use basin_core::job::{
    AutoAttack, Case, Compute, Flatness, FlatnessLoss, Job, Pgd, Tensors, Tuning, Version,
};

use crate::cli::spelled;
use crate::state::Measure;
use crate::ui::form::{EnsembleText, Form, Inputs, PgdText, TensorChoice, TuningText, VersionChoice};

/// The job of a name of the paper, for the form of this measure; checkpoint, data set and computing are formal.
///
/// # Errors
/// There is no such name, or it belongs into another form; in words.
pub fn named_job(measure: Measure, name: &str) -> Result<Job, String> {
    let attack = name.parse::<PaperAttack>().map_err(|error| error.to_string())?;
    let job = attack.job("".into(), "", Compute::default());
    let (fits, what, form) = match &job {
        Job::Evaluate(_) => (measure == Measure::Evaluate, "PGD on images", "Evaluate"),
        Job::Attack(_) => (measure == Measure::Attack, "AutoAttack", "Attack"),
        _ => (measure == Measure::Flatness, "a flatness measure", "Flatness"),
    };
    if fits { Ok(job) } else { Err(format!("this name means {what}; use the form {form}")) }
}

/// What a job measures, in a few words: everything that the fields of its form do not say, too.
pub fn meaning(job: &Job) -> String {
    let flatness = match job {
        Job::Evaluate(job) => return job.attack.as_ref().map_or_else(String::new, Pgd::to_string),
        Job::Attack(job) => {
            let AutoAttack { version, norm, epsilon, .. } = &job.attack;
            return format!("AutoAttack, version {version}, {norm} {}", fraction(*epsilon));
        }
        Job::Flatness(job) => job,
        Job::Landscape(_) | Job::Benchmark(_) | Job::Train(_) => return String::new(),
    };
    let mut words = vec![flatness.label().to_owned()];
    words.extend(flatness.absolute.then(|| "absolute radius".to_owned()));
    if flatness.case == Case::Worst {
        let descent = &flatness.descent;
        words.push(format!("{} gradients", spelled(&descent.gradient)));
        words.extend((descent.momentum > 0.0).then(|| format!("momentum {}", descent.momentum)));
        words.extend(descent.backtrack.then(|| "backtracking".to_owned()));
    }
    if flatness.loss == FlatnessLoss::Robust {
        words.push(flatness.attack.to_string());
        let (reference, draws) = (flatness.restarts_of_reference(), flatness.restarts_of_draws());
        words.extend(
            (reference != draws).then(|| format!("reference with {reference} restarts against {draws}")),
        );
    }
    words.extend(flatness.search_data.as_ref().map(|data| format!("searched on {}", data.examples)));
    words.join(", ")
}

impl Form {
    /// Says what a job says, as far as the form can.
    pub fn fill(&mut self, job: &Job) {
        match job {
            Job::Evaluate(evaluate) => {
                self.inputs = match (&evaluate.attack, &evaluate.adversarial) {
                    (Some(_), _) => Inputs::Pgd,
                    (None, Some(_)) => Inputs::Stored,
                    (None, None) => Inputs::Clean,
                };
                if let Some(attack) = &evaluate.attack {
                    self.evaluate_attack = PgdText::from(attack);
                }
            }
            Job::Attack(attack) => self.ensemble = EnsembleText::from(&attack.attack),
            Job::Flatness(flatness) => self.fill_flatness(flatness),
            Job::Landscape(_) | Job::Benchmark(_) | Job::Train(_) => return,
        }
        self.examples = job.data().examples.to_string();
    }

    fn fill_flatness(&mut self, job: &Flatness) {
        (self.flatness_loss, self.case) = (job.loss, job.case);
        let radii: Vec<String> = job.radii.iter().map(f64::to_string).collect();
        match job.case {
            Case::Average => {
                (self.average_radii, self.sampling) = (radii.join(", "), job.sampling);
                self.worst_of = job.worst_of.to_string();
            }
            Case::Worst => {
                self.worst_radii = radii.join(", ");
                self.epochs = job.descent.epochs.to_string();
                self.weight_step = job.descent.step_size.to_string();
                (self.weight_start, self.joint) = (job.descent.start, job.joint);
                self.loss_bound = job.descent.loss_bound.map_or_else(String::new, |bound| bound.to_string());
                self.early_stopping = job.descent.early_stopping;
            }
        }
        self.draws = job.draws.to_string();
        self.levels = job.levels.is_some() || job.usual_levels().is_none();
        self.until = job.until.map_or_else(String::new, |error| error.to_string());
        (self.scope, self.weight_norm) = (job.scope, job.weight_norm);
        self.tensors = match &job.tensors {
            Tensors::NoNormalization => TensorChoice::NoNormalization,
            Tensors::All => TensorChoice::All,
            Tensors::NoBias => TensorChoice::NoBias,
            Tensors::Named(names) => {
                self.tensor_names = names.join(", ");
                TensorChoice::Named
            }
        };
        if job.loss == FlatnessLoss::Robust {
            self.flatness_attack = PgdText::from(&job.attack);
            self.reference_restarts = job.reference_restarts.map_or_else(String::new, |n| n.to_string());
        }
    }
}

impl From<&Pgd> for PgdText {
    fn from(pgd: &Pgd) -> Self {
        Self {
            norm: pgd.norm,
            epsilon: fraction(pgd.epsilon),
            steps: pgd.steps.to_string(),
            step_size: fraction(pgd.step_size),
            restarts: pgd.restarts.to_string(),
        }
    }
}

impl From<&AutoAttack> for EnsembleText {
    fn from(attack: &AutoAttack) -> Self {
        let optional = |value: Option<usize>| value.map_or_else(String::new, |value| value.to_string());
        let (version, attacks) = match &attack.version {
            Version::Standard => (VersionChoice::Standard, None),
            Version::Paper => (VersionChoice::Paper, None),
            Version::Plus => (VersionChoice::Plus, None),
            Version::Rand => (VersionChoice::Rand, None),
            Version::Es => (VersionChoice::Es, None),
            list @ Version::List(_) => (VersionChoice::Own, Some(list.to_string())),
        };
        Self {
            version,
            attacks: attacks.unwrap_or_else(|| Self::default().attacks),
            norm: attack.norm,
            epsilon: fraction(attack.epsilon),
            steps: optional(attack.steps),
            restarts: optional(attack.restarts),
            targets: optional(attack.targets),
            queries: optional(attack.queries),
            individual: attack.individual,
            tuning: TuningText::from(&attack.tuning),
        }
    }
}

impl From<&Tuning> for TuningText {
    fn from(tuning: &Tuning) -> Self {
        let text = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        Self {
            eot: tuning.eot.map_or_else(String::new, |value| value.to_string()),
            rho: text(tuning.rho),
            alpha: text(tuning.alpha),
            single_radius: tuning.single_radius,
            eta: text(tuning.eta),
            beta: text(tuning.beta),
            alpha_max: text(tuning.alpha_max),
            p_init: text(tuning.p_init),
            rescale_schedule: tuning.rescale_schedule,
        }
    }
}
