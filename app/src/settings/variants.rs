//! Further attacks as text: in what they differ from the first, by the names of options.

use basin_core::job::Pgd;
use basin_core::settings::{Kind, Setting};
use serde_json::{Value, json};

use super::Settings as _;
use super::{Given, Measure};

/// The settings of PGD, by their place in it.
fn settings() -> impl Iterator<Item = (&'static str, &'static Setting)> {
    let all = Measure::Evaluate.settings().iter();
    all.filter_map(|setting| Some((setting.path.strip_prefix("attack.")?, setting)))
}

/// PGD that differs from `base` in the settings of `text`: names and values of options, `objective=dlr,restarts=5`. A
/// step size that was usual stays so.
///
/// # Errors
/// There is no such option, or it cannot have this value; one sentence.
pub fn pgd_variant(base: &Pgd, text: &str) -> Result<Pgd, String> {
    let wrong = |reason: String| format!("{text:?} does not describe PGD: {reason}");
    let mut values = Vec::new();
    let text = if text.trim() == "pgd" { "" } else { text };
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let (flag, value) = word.split_once('=').map_or((word, None), |(flag, value)| (flag, Some(value)));
        let Some((path, setting)) = settings().find(|(_, setting)| setting.flag.as_deref() == Some(flag))
        else {
            let reason = format!("there is no setting {flag:?}; use names of options, such as restarts=5");
            return Err(wrong(reason));
        };
        let value = match value {
            Some(value) => setting.read(value).map_err(|reason| wrong(format!("{flag}: {reason}")))?,
            None if setting.kind == Kind::Switch => true.into(),
            None => return Err(wrong(format!("{flag} needs a value, such as {flag}={}", example(setting)))),
        };
        values.push((path, value));
    }
    let with = |start: &Pgd, values: &[(&str, Value)]| -> Result<Pgd, String> {
        let mut attack = json!(start);
        values.iter().for_each(|(path, value)| attack[*path] = value.clone());
        serde_json::from_value(attack).map_err(|error| wrong(error.to_string()))
    };
    let given = |name: &str| values.iter().any(|(path, _)| *path == name);
    let mut attack = with(base, &values)?;
    let other_norm = attack.norm != base.norm;
    if other_norm && !given("epsilon") {
        attack.epsilon = attack.norm.usual_epsilon();
    }
    let was_usual = base.step_size == Pgd::usual_step_size(base.norm, base.epsilon, base.steps);
    if (other_norm || was_usual) && !given("step_size") {
        attack.step_size = Pgd::usual_step_size(attack.norm, attack.epsilon, attack.steps);
    }
    if given("step_divisor") && !attack.backtrack {
        return Err(wrong("step-divisor is for refused steps; add backtrack".into()));
    }
    Ok(attack)
}

fn example(setting: &Setting) -> String {
    setting.default.as_ref().map_or_else(|| "…".to_owned(), |default| setting.show(default))
}

/// In what an attack differs from the first one, as [`pgd_variant`] reads it; `pgd` if in nothing.
pub fn variant(first: &Pgd, other: &Pgd) -> String {
    let [first, other] = [first, other].map(|attack| json!(attack));
    let different = settings().filter_map(|(path, setting)| {
        let value = other.get(path).or(setting.default.as_ref()).unwrap_or(&Value::Null);
        let was = first.get(path).or(setting.default.as_ref()).unwrap_or(&Value::Null);
        let flag = setting.flag.as_deref().filter(|_| value != was)?;
        Some(match value {
            Value::Bool(true) => flag.to_owned(),
            value => format!("{flag}={}", setting.show(value)),
        })
    });
    let text = different.collect::<Vec<_>>().join(",");
    if text.is_empty() { "pgd".to_owned() } else { text }
}

/// The settings of an attack that differ from those of PGD by default, as those of a job.
pub fn pgd_texts(attack: &Pgd) -> Given {
    let [attack, usual] = [attack, &Pgd::default()].map(|attack| json!(attack));
    let different = settings().filter_map(|(path, setting)| {
        let value = attack.get(path).filter(|value| usual.get(path) != Some(value))?;
        Some((format!("attack.{path}"), setting.show(value)))
    });
    different.collect()
}
