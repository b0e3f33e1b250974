//! Names of the paper in place of settings.

use basin_core::attack::fraction;
use basin_core::attack::names::PaperAttack;
use basin_core::job::{AutoAttack, Case, Compute, FlatnessLoss, Job, Pgd};

use super::Measure;

/// The job of a name of the paper, for the form of this measure; checkpoint, data set and computing are formal.
///
/// # Errors
/// There is no such name, or it belongs into another form; in words.
pub fn named_job(measure: Measure, name: &str) -> Result<Job, String> {
    let attack = name.parse::<PaperAttack>().map_err(|error| error.to_string())?;
    let job = attack.job("".into(), "", Compute::default());
    let (of, what, form) = match &job {
        Job::Evaluate(_) => (Measure::Evaluate, "PGD on images", "Evaluate"),
        Job::Attack(_) => (Measure::Attack, "AutoAttack", "Attack"),
        _ => (Measure::Flatness, "a flatness measure", "Flatness"),
    };
    if of == measure { Ok(job) } else { Err(format!("this name means {what}; use the form {form}")) }
}

/// What a job measures, in a few words.
pub fn meaning(job: &Job) -> String {
    let flatness = match job {
        Job::Evaluate(job) => return job.attack.as_ref().map_or_else(String::new, Pgd::to_string),
        Job::Attack(job) => {
            let AutoAttack { version, norm, epsilon, .. } = &job.attack;
            return format!("AutoAttack, version {version}, {norm} {}", fraction(*epsilon));
        }
        Job::Flatness(job) => job,
        _ => return String::new(),
    };
    let mut words = vec![flatness.label().to_owned()];
    words.extend(flatness.absolute.then(|| "absolute radius".to_owned()));
    if flatness.case == Case::Worst {
        let descent = &flatness.descent;
        words.push(format!("{} gradients", descent.gradient));
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
