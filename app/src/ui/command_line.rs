//! A job as the `basin` command that computes it, for a terminal or a cluster.

use basin_core::attack::fraction;
use basin_core::job::{
    Case, Compute, DataSelection, Flatness, FlatnessLoss, InputNorm, Job, LandscapeLoss, Normalization, Pgd,
};

use crate::cli::spelled;

/// The command, quoted for a shell.
pub fn command_line(job: &Job) -> String {
    let mut words = vec!["basin".to_owned(), job.kind().to_owned(), job.checkpoint().display().to_string()];
    // A flag has no value.
    let mut option = |name: &str, value: String| {
        words.push(format!("--{name}"));
        words.extend((!value.is_empty()).then_some(value));
    };
    match job {
        Job::Evaluate(job) => match &job.attack {
            None => option("attack", "none".into()),
            Some(attack) => attack_options(attack, &mut option),
        },
        Job::Flatness(job) => flatness_options(job, &mut option),
        Job::Benchmark(job) => option("attacks", job.attacks.join(",")),
        Job::Attack(job) => {
            let attack = &job.attack;
            option("version", attack.version.to_string());
            option("norm", if attack.norm == InputNorm::Linf { "linf" } else { "l2" }.into());
            option("epsilon", fraction(attack.epsilon));
            let given = [
                ("steps", attack.steps),
                ("restarts", attack.restarts),
                ("targets", attack.targets),
                ("queries", attack.queries),
            ];
            for (name, value) in given {
                if let Some(value) = value {
                    option(name, value.to_string());
                }
            }
        }
        Job::Landscape(job) => {
            option("direction", job.direction.to_string());
            if let Some(second) = &job.second {
                option("second", second.to_string());
            }
            option("normalize", job.normalize.to_string());
            if !matches!(job.normalize, Normalization::Paper(_)) {
                option("radius", job.radius.to_string());
            }
            option("range", job.range.to_string());
            option("steps", job.steps.to_string());
            let (loss, attacked) = match job.loss {
                LandscapeLoss::Clean => ("clean", false),
                LandscapeLoss::Robust => ("robust", true),
                LandscapeLoss::RobustFixed => ("robust-fixed", true),
            };
            option("loss", loss.into());
            if attacked {
                attack_options(&job.attack, &mut option);
            }
        }
    }
    let DataSelection { name, examples } = job.data();
    option("data", name.clone());
    option("examples", examples.to_string());
    let Compute { device, precision, seed, batch_size } = job.compute();
    option("device", device.clone());
    option("precision", precision.to_string());
    option("seed", seed.to_string());
    if let Some(size) = batch_size {
        option("batch-size", size.to_string());
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn flatness_options(job: &Flatness, option: &mut impl FnMut(&str, String)) {
    let radii: Vec<String> = job.radii.iter().map(f64::to_string).collect();
    option("loss", spelled(&job.loss));
    option("case", spelled(&job.case));
    option("radius", radii.join(","));
    option("draws", job.draws.to_string());
    option("scope", spelled(&job.scope));
    option("tensors", job.tensors.to_string());
    if job.absolute {
        option("absolute", String::new());
    }
    if job.per_layer {
        option("per-layer", String::new());
    }
    match job.case {
        Case::Average => option("sampling", spelled(&job.sampling)),
        Case::Worst => {
            option("epochs", job.descent.epochs.to_string());
            option("weight-step-size", job.descent.step_size.to_string());
            option("weight-gradient", spelled(&job.descent.gradient));
            option("weight-start", job.descent.start.map_or_else(|| "none".into(), |start| spelled(&start)));
            option("search-batch", job.descent.search_batch.to_string());
        }
    }
    if job.loss == FlatnessLoss::Robust {
        option("reference-restarts", job.reference_restarts.to_string());
        attack_options(&job.attack, option);
    }
}

fn attack_options(attack: &Pgd, option: &mut impl FnMut(&str, String)) {
    option("attack", "pgd".into());
    option("norm", if attack.norm == InputNorm::Linf { "linf" } else { "l2" }.into());
    option("epsilon", fraction(attack.epsilon));
    option("attack-steps", attack.steps.to_string());
    option("step-size", attack.step_size.to_string());
    option("restarts", attack.restarts.to_string());
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
