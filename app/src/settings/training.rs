//! Trainings from settings as text: what a form changes of what a name of the paper, or another job, stands for.

use basin_core::job::{Job, Train};
use basin_core::settings::{Kind, Setting, settings_of};
use serde_json::{Value, json};

use super::{Given, Problem};

/// The settings of a training: of choices with settings of their own those that it has made.
pub fn training_settings(job: &Train) -> Vec<Setting> {
    let value = json!(job);
    let mut settings = settings_of::<Train>(&value);
    // What is inside of nothing has no effect.
    settings.retain(|setting| {
        let ends = setting.path.match_indices('.').map(|(end, _)| &setting.path[..end]);
        let mut outer = ends.map(|path| value.pointer(&format!("/{}", path.replace('.', "/"))));
        setting.path != "name" && !outer.any(|value| value.is_none_or(Value::is_null))
    });
    // They are given by --set.
    settings.iter_mut().for_each(|setting| setting.flag = None);
    settings
}

/// The text of a setting in a training.
pub fn training_text(job: &Train, setting: &Setting) -> String {
    setting.text_in(&json!(job))
}

/// A training with what is given, as far as it is possible, and what is wrong.
pub fn training(start: &Train, given: &Given) -> (Train, Vec<Problem>) {
    let mut job = start.clone();
    let mut problems = Vec::new();
    // What decides about other settings comes first; places outside come before those inside by their order.
    let decides =
        |path: &str| path == "data.name" || path.ends_with(".kind") || path == "architecture.family";
    let mut order: Vec<(&String, &String)> =
        given.iter().filter(|(_, text)| !text.trim().is_empty()).collect();
    order.sort_by_key(|(path, _)| (!decides(path), *path));
    for (path, text) in order {
        let settings = training_settings(&job);
        // What other choices made meaningless says nothing.
        let Some(setting) = settings.iter().find(|setting| setting.path == *path) else { continue };
        match changed(&job, setting, text.trim()) {
            Ok(with) => job = with,
            Err(text) => problems.push(Problem { path: Some(path.clone()), text }),
        }
    }
    if problems.is_empty()
        && let Err(error) = Job::Train(Box::new(job.clone())).check()
    {
        problems.push(Problem { path: error.setting().map(str::to_owned), text: error.to_string() });
    }
    (job, problems)
}

/// The training with one setting changed, and what follows from it.
fn changed(job: &Train, setting: &Setting, text: &str) -> Result<Train, String> {
    let value = setting.read(text)?;
    let mut job = job.clone();
    match (&*setting.path, &value) {
        ("data.name", _) => job.use_data(text),
        ("epochs", Value::Number(epochs)) => match epochs.as_u64().filter(|epochs| *epochs > 0) {
            Some(epochs) => job.use_epochs(epochs as usize),
            None => return Err("use a whole number of at least 1".into()),
        },
        (path, Value::String(text)) if !matches!(setting.kind, Kind::List(_)) => {
            job = job.with(&format!("{path}={text}")).map_err(|reason| without_place(path, text, &reason))?;
        }
        (path, value) => {
            let text = value.to_string();
            job =
                job.with(&format!("{path}={text}")).map_err(|reason| without_place(path, &text, &reason))?;
        }
    }
    Ok(job)
}

/// A complaint without the place and the text that stand before it.
fn without_place(path: &str, text: &str, reason: &str) -> String {
    let reason = reason.strip_prefix(&format!("{path}={text}: ")).unwrap_or(reason);
    reason.strip_prefix(&format!("{path}: ")).unwrap_or(reason).to_owned()
}
