//! A job as the `basin` command that computes it, for a terminal or a cluster.

use basin_core::attack::fraction;
use basin_core::job::{
    Case, Compute, DataSelection, Descent, Flatness, FlatnessLoss, Job, JointSearch, LandscapeLoss, Levels,
    Normalization, Objective, Pgd, Start, TargetClass, Train, WeightNorm,
};
use basin_core::train::preset::preset;
use serde_json::{Value, json};

use crate::cli::spelled;

/// The command, quoted for a shell.
pub fn command_line(job: &Job) -> String {
    if let Job::Train(job) = job {
        return train_command(job);
    }
    let mut words = vec!["basin".to_owned(), job.kind().to_owned(), job.subject().display().to_string()];
    // A flag has no value.
    let mut option = |name: &str, value: String| {
        words.push(format!("--{name}"));
        words.extend((!value.is_empty()).then_some(value));
    };
    if job.keeps_examples() {
        option("keep-examples", String::new());
    }
    match job {
        Job::Evaluate(job) => {
            for (name, asked) in [
                ("keep-attempts", job.keep_attempts),
                ("keep-probabilities", job.keep_probabilities),
                ("log-steps", job.log_steps),
            ] {
                if asked {
                    option(name, String::new());
                }
            }
            match (&job.attack, &job.adversarial) {
                (Some(attack), _) => attack_options(attack, &mut option),
                (None, Some(stored)) => option("adversarial", stored.display().to_string()),
                (None, None) => option("attack", "none".into()),
            }
            for (first, other) in
                job.attack.iter().flat_map(|first| job.more_attacks.iter().map(move |o| (first, o)))
            {
                option("attack", format!("pgd:{}", variant(first, other)));
            }
        }
        Job::Flatness(job) => flatness_options(job, &mut option),
        Job::Benchmark(job) => option("attacks", job.attacks.join(",")),
        // Has returned.
        Job::Train(_) => {}
        Job::Attack(job) => {
            let attack = &job.attack;
            option("version", attack.version.to_string());
            option("norm", spelled(&attack.norm));
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

/// The name of the model, and every setting in which the job differs from what the name stands for.
fn train_command(job: &Train) -> String {
    const PLAIN: &str = "normal_training";
    let (name, base) = match preset(&job.name) {
        Ok(preset) => (&*job.name, Some(preset.train)),
        Err(_) => (PLAIN, preset(PLAIN).ok().map(|preset| preset.train)),
    };
    // What a folder's job has resolved follows from the rest.
    let base = base.map(|base| match base.evaluation.resolved(&job.attack) {
        usual if usual == job.evaluation => Train { evaluation: usual, ..base },
        _ => base,
    });
    let mut words = vec!["basin".to_owned(), "train".into(), "--preset".into(), quoted(name)];
    let mut settings = Vec::new();
    differences("", &json!(base), &json!(job), &mut settings);
    for setting in settings {
        words.extend(["--set".to_owned(), quoted(&setting)]);
    }
    words.join(" ")
}

/// `place=value` for everything in which two jobs differ.
fn differences(place: &str, from: &Value, to: &Value, found: &mut Vec<String>) {
    match (from, to) {
        _ if from == to => {}
        (Value::Object(from), Value::Object(to)) if from.get("kind") == to.get("kind") => {
            for key in from.keys().chain(to.keys().filter(|key| !from.contains_key(*key))) {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                differences(&place, &of(from), &of(to), found);
            }
        }
        // What reads as JSON would not be taken for text.
        (_, Value::String(text)) if serde_json::from_str::<Value>(text).is_err() => {
            found.push(format!("{place}={text}"))
        }
        _ => found.push(format!("{place}={to}")),
    }
}

fn flatness_options(job: &Flatness, option: &mut impl FnMut(&str, String)) {
    let radii: Vec<String> = job.radii.iter().map(f64::to_string).collect();
    option("loss", spelled(&job.loss));
    option("case", spelled(&job.case));
    option("radius", radii.join(","));
    option("draws", job.draws.to_string());
    if let Some(error) = job.until {
        option("until", error.to_string());
    }
    match &job.levels {
        Some(Levels { short: Some(short), clean: Some(clean), .. }) => {
            option("levels", format!("{short},{clean}"))
        }
        None if job.usual_levels().is_some() => option("levels", "off".into()),
        _ => {}
    }
    option("scope", spelled(&job.scope));
    if job.weight_norm != WeightNorm::default() {
        option("weight-norm", spelled(&job.weight_norm));
    }
    option("tensors", job.tensors.to_string());
    if let Some(weight_box) = &job.weight_box {
        option("weight-box", weight_box.to_string());
    }
    if job.absolute {
        option("absolute", String::new());
    }
    if job.per_layer {
        option("per-layer", String::new());
    }
    if job.keep_networks {
        option("keep-networks", String::new());
    }
    match job.case {
        Case::Average => {
            option("sampling", spelled(&job.sampling));
            if job.worst_of > 1 {
                option("worst-of", job.worst_of.to_string());
                option("search-batch", job.descent.search_batch.to_string());
            }
        }
        Case::Worst => descent_options(&job.descent, option),
    }
    if let Some(searched) = &job.search_data {
        option("search-examples", searched.examples.to_string());
    }
    if job.loss == FlatnessLoss::Robust {
        if let Some(restarts) = job.reference_restarts {
            option("reference-restarts", restarts.to_string());
        }
        if job.joint != JointSearch::default() {
            option("joint", spelled(&job.joint));
        }
        attack_options(&job.attack, option);
    }
}

fn descent_options(descent: &Descent, option: &mut impl FnMut(&str, String)) {
    let usual = Descent::default();
    option("epochs", descent.epochs.to_string());
    option("weight-step-size", descent.step_size.to_string());
    option("weight-gradient", spelled(&descent.gradient));
    option("weight-start", descent.start.map_or_else(|| "none".into(), |start| spelled(&start)));
    option("search-batch", descent.search_batch.to_string());
    if descent.momentum != usual.momentum {
        option("weight-momentum", descent.momentum.to_string());
    }
    if descent.backtrack {
        option("weight-backtrack", String::new());
    }
    if let Some(bound) = descent.loss_bound {
        option("loss-bound", bound.to_string());
    }
    if descent.early_stopping {
        option("weight-early-stopping", String::new());
    }
    if descent.backtrack || (descent.loss_bound.is_some() && descent.step_divisor != usual.step_divisor) {
        option("weight-step-divisor", descent.step_divisor.to_string());
    }
    if descent.bookkeeping != usual.bookkeeping {
        option("bookkeeping", spelled(&descent.bookkeeping));
    }
}

/// What every attack has, and what is not as usual.
fn attack_options(attack: &Pgd, option: &mut impl FnMut(&str, String)) {
    option("attack", "pgd".into());
    option("norm", spelled(&attack.norm));
    option("epsilon", fraction(attack.epsilon));
    option("attack-steps", attack.steps.to_string());
    option("step-size", attack.step_size.to_string());
    option("restarts", attack.restarts.to_string());
    let usual = Pgd::default();
    let start = match attack.start {
        Start::UniformIn(min, max) => format!("uniform:{min}..{max}"),
        start => spelled(&start),
    };
    let rest = [
        ("select", attack.selection != usual.selection, spelled(&attack.selection)),
        ("start", attack.start != usual.start, start),
        ("projection", attack.projection != usual.projection, spelled(&attack.projection)),
        ("gradient", attack.gradient != usual.gradient, spelled(&attack.gradient)),
        ("momentum", attack.momentum != usual.momentum, attack.momentum.to_string()),
        ("backtrack", attack.backtrack, String::new()),
        ("step-divisor", attack.backtrack, attack.step_divisor.to_string()),
        ("norm-penalty", attack.norm_penalty != usual.norm_penalty, attack.norm_penalty.to_string()),
        ("objective", attack.objective != usual.objective, objective(&attack.objective)),
    ];
    rest.into_iter().filter(|(_, differs, _)| *differs).for_each(|(name, _, value)| option(name, value));
    if let Some(tau) = attack.tau {
        option("tau", tau.to_string());
    }
}

/// In what an attack differs from the first one, as `--attack pgd:` takes it.
fn variant(first: &Pgd, other: &Pgd) -> String {
    let settings = |attack: &Pgd| {
        let mut settings: Vec<(String, String)> = Vec::new();
        attack_options(attack, &mut |name: &str, value| settings.push((name.to_owned(), value)));
        settings
    };
    let of_first = settings(first);
    let different = settings(other).into_iter().filter(|setting| !of_first.contains(setting));
    let words =
        different.map(|(name, value)| if value.is_empty() { name } else { format!("{name}={value}") });
    words.collect::<Vec<_>>().join(",")
}

fn objective(objective: &Objective) -> String {
    match objective {
        Objective::CrossEntropy => "ce".into(),
        Objective::SmoothedCrossEntropy(amount) => format!("smooth:{amount}"),
        Objective::Kl => "kl".into(),
        Objective::BatchKl => "batch-kl".into(),
        Objective::Dlr => "dlr".into(),
        Objective::Targeted(TargetClass::Class(class)) => format!("target:{class}"),
        Objective::Targeted(TargetClass::LeastLikely) => "target:least-likely".into(),
        Objective::Targeted(TargetClass::Rank(rank)) => format!("target:rank-{rank}"),
    }
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
