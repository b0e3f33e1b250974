//! A job as the `basin` command that computes it, for a terminal or a cluster.

use basin_core::job::{Job, Train};
use basin_core::settings::{Format, Kind};
use basin_core::train::preset::preset;
use serde_json::{Value, json};

use super::Settings as _;
use super::useless::useless;
use super::{Measure, Origin, Sheet};

/// The command, quoted for a shell. Settings that are often changed are always in it, so that it says the same whatever
/// is usual; the others where they differ.
pub fn command_line(job: &Job) -> String {
    let measure = match (job.measure(), job) {
        (Some(measure), _) => measure,
        (None, Job::Train(job)) => return train_command(job),
        (None, Job::Import(job)) => return format!("basin {}", quoted(&job.file.display().to_string())),
        (None, _) => return String::new(),
    };
    let subject = job.subject().display().to_string();
    let mut words = vec!["basin".to_owned(), job.kind().to_owned(), subject];
    let origin = Origin::terminal(measure, job.subject());
    let given = Sheet::given(job, &origin);
    let (value, inputs) = (json!(job), origin.inputs(&given));
    let mut settings: Vec<_> = measure.settings().iter().collect();
    // What is kept comes first, as it always has.
    settings.sort_by_key(|setting| setting.group != "Output");
    for setting in settings {
        let Some(flag) = &setting.flag else { continue };
        if useless(job, inputs, &setting.path).is_some() {
            continue;
        }
        if setting.path == "attack.norm" && measure != Measure::Attack && measure != Measure::Evaluate {
            words.extend(["--attack".to_owned(), "pgd".to_owned()]);
        }
        let is_given = given.get(&setting.path);
        let text = match is_given {
            None if setting.advanced => continue,
            None if setting.path == "attack" && inputs == "stored" => continue,
            None if setting.path == "attack" => inputs.to_owned(),
            None if matches!(setting.format, Format::Levels | Format::Attacks) => continue,
            None => setting.text_in(&value),
            Some(text) if setting.path == "attack" && text == "stored" => continue,
            Some(text) => text.clone(),
        };
        let mut option = |text: &str| {
            words.push(format!("--{flag}"));
            words.extend((!text.is_empty()).then(|| text.to_owned()));
        };
        match (&setting.kind, setting.format) {
            (Kind::Switch, _) if text == "true" => option(""),
            (Kind::Switch, _) => {}
            (_, Format::Attacks) => text.split("; ").for_each(|one| match one {
                "pgd" => option(one),
                one => option(&format!("pgd:{one}")),
            }),
            _ if text.is_empty() => {}
            _ => option(&text),
        }
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

/// A word for a POSIX shell.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
