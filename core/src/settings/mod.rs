//! Settings from text and JSON: fractions where numbers belong, and what does not fit told in plain words: which setting
//! it is, what belongs there, and what was probably meant.

mod schema;
mod text;

use serde::de::DeserializeOwned;
use serde_json::Value;
use strsim::osa_distance;

pub(crate) use schema::written_as_text;
pub use schema::{Choice, Format, Kind, Setting, document_of, schema_of, settings_of};

/// Stands where a value is, to see whether that is the one that was complained about.
const PROBE: &str = "{probe}";

/// A number, or a fraction of two: `0.031`, `8/255`.
///
/// # Errors
/// It is neither; one sentence.
pub fn number(text: &str) -> Result<f64, String> {
    let parse = |part: &str| part.trim().parse::<f64>().ok();
    let value = match text.split_once('/') {
        Some((top, bottom)) => parse(top).zip(parse(bottom)).map(|(top, bottom)| top / bottom),
        None => parse(text),
    };
    value
        .filter(|value| value.is_finite())
        .ok_or_else(|| format!("{text:?} is not a number; write e.g. 0.031 or 8/255"))
}

/// A radius as people write it: `8/255` rather than `0.03137254901960784`; from 1 on, where it is no small part of
/// the range of pixels, as it is.
pub fn fraction(value: f64) -> String {
    let of_255 = value * 255.0;
    if of_255 >= 1.0 && value < 1.0 && (of_255 - of_255.round()).abs() < 1e-9 {
        format!("{}/255", of_255.round())
    } else {
        value.to_string()
    }
}

/// Reads settings; where a number belongs, a text with a fraction is one.
///
/// # Errors
/// A sentence that names the setting and what belongs there.
pub fn read<T: DeserializeOwned>(mut given: Value) -> Result<T, String> {
    let attempt = |value: &Value| T::deserialize(value).map_err(|error| error.to_string());
    loop {
        let complaint = match attempt(&given) {
            Ok(read) => return Ok(read),
            Err(complaint) => complaint,
        };
        let place = culprit(&given, &complaint, &|value| attempt(value).err()).unwrap_or_default();
        let value = at(&mut given, &place);
        match value.as_str().filter(|_| wants_number(&complaint)).map(number) {
            Some(Ok(fraction)) => *value = fraction.into(),
            _ => return Err(in_words(&place.join("."), value, &complaint)),
        }
    }
}

/// The first setting that is given but not understood, with those that are there in its place: it would silently keep
/// its default.
pub fn unknown(given: &Value, understood: &Value) -> Option<(String, Vec<String>)> {
    let (given, understood) = (given.as_object()?, understood.as_object()?);
    given.iter().filter(|(_, value)| !value.is_null()).find_map(|(key, value)| match understood.get(key) {
        None => Some((key.clone(), understood.keys().cloned().collect())),
        Some(other) => unknown(value, other).map(|(inner, there)| (format!("{key}.{inner}"), there)),
    })
}

/// ` (did you mean steps?)`, if one of `known` is close to the last part of `name`.
pub fn suggestion(name: &str, known: &[String]) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let nearest = known.iter().map(|other| (osa_distance(last, other), other)).min();
    match nearest.filter(|(distance, _)| *distance <= 1 + last.chars().count() / 4) {
        Some((_, other)) => format!(" (did you mean {other}?)"),
        None => String::new(),
    }
}

/// The place of what a complaint of serde is about: where another value, or another name, would be complained about.
fn culprit(
    given: &Value,
    complaint: &str,
    attempt: &dyn Fn(&Value) -> Option<String>,
) -> Option<Vec<String>> {
    let missing = named(complaint, "missing field");
    let strange = named(complaint, "unknown field").or(named(complaint, "unknown variant"));
    places(given).into_iter().find(|place| {
        let complains = |change: &dyn Fn(&mut Value)| {
            let mut changed = given.clone();
            change(at(&mut changed, place));
            attempt(&changed)
        };
        let value = at_ref(given, place);
        if let Some(field) = missing {
            let added =
                |value: &mut Value| drop(value.as_object_mut().map(|v| v.insert(field.into(), PROBE.into())));
            // Where it is missing, it is looked at, or the next one is missing.
            let is_wanted = |other: &String| {
                other.contains(PROBE) || other != complaint && other.starts_with("missing field")
            };
            return value.is_object()
                && value.get(field).is_none()
                && complains(&added).is_none_or(|other| is_wanted(&other));
        }
        // Another value of the same name may be as wrong, but something else belongs there.
        let same = |other: Option<String>| {
            let belongs = |text: &str| ["", expected(complaint)].contains(&expected(text));
            other.is_none_or(|text| text.contains(PROBE) && belongs(&text))
        };
        // The value itself, or its name.
        let found = complaint.rsplit_once("expected ").map_or(complaint, |(found, _)| found);
        let is_meant =
            found.contains(&as_serde_writes(value)) || strange.is_some() && strange == value.as_str();
        is_meant && same(complains(&|value| *value = PROBE.into()))
            || strange.is_some_and(|strange| place.last().is_some_and(|name| name == strange))
                && same(attempt(&renamed(given, place)))
    })
}

/// Every value in a tree, by the names that lead to it; what is inside comes first.
fn places(value: &Value) -> Vec<Vec<String>> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(settings) => settings.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (name, child) in children {
        found.extend(places(child).into_iter().map(|rest| [vec![name.clone()], rest].concat()));
    }
    found.push(Vec::new());
    found
}

fn at<'a>(value: &'a mut Value, place: &[String]) -> &'a mut Value {
    place.iter().fold(value, |value, name| match value {
        Value::Array(items) => &mut items[name.parse::<usize>().unwrap_or_default()],
        value => &mut value[name.as_str()],
    })
}

fn at_ref<'a>(value: &'a Value, place: &[String]) -> &'a Value {
    place.iter().fold(value, |value, name| match value {
        Value::Array(items) => &items[name.parse::<usize>().unwrap_or_default()],
        value => &value[name.as_str()],
    })
}

/// The tree with another name in one place.
fn renamed(given: &Value, place: &[String]) -> Value {
    let mut changed = given.clone();
    if let Some((name, parent)) = place.split_last()
        && let Value::Object(settings) = at(&mut changed, parent)
    {
        *settings = std::mem::take(settings)
            .into_iter()
            .map(|(key, value)| (if key == *name { PROBE.to_owned() } else { key }, value))
            .collect();
    }
    changed
}

/// How serde's complaints write a value.
fn as_serde_writes(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::String(text) => format!("{text:?}"),
        Value::Array(_) => "sequence".into(),
        Value::Object(_) => "map".into(),
    }
}

/// The name in a complaint such as ``unknown field `step` ``.
fn named<'a>(complaint: &'a str, what: &str) -> Option<&'a str> {
    complaint.strip_prefix(what)?.trim_start().strip_prefix('`')?.split('`').next()
}

fn expected(complaint: &str) -> &str {
    complaint.rsplit_once("expected ").map_or("", |(_, expected)| expected)
}

fn wants_number(complaint: &str) -> bool {
    complaint.starts_with("invalid type") && matches!(expected(complaint), "f64" | "f32")
}

/// A complaint of serde about the value in a place, as people would say it.
fn in_words(place: &str, value: &Value, complaint: &str) -> String {
    let names =
        || -> Vec<String> { expected(complaint).split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let is = match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a group of settings".to_owned(),
        Value::Null => "nothing".to_owned(),
        value => value.to_string(),
    };
    if named(complaint, "unknown field").is_some() {
        return format!("there is no setting {place:?}{}", suggestion(place, &names()));
    }
    if let Some(name) = named(complaint, "unknown variant") {
        let (names, place) = (names(), if place.is_empty() { "this" } else { place });
        return format!("{place} should be {}, not {name:?}{}", either(&names), suggestion(name, &names));
    }
    if let Some(name) = named(complaint, "missing field") {
        return if place.is_empty() {
            format!("it has no {name:?}")
        } else {
            format!("{place} has no {name:?}")
        };
    }
    if !complaint.starts_with("invalid ") || expected(complaint).is_empty() {
        return if place.is_empty() { complaint.to_owned() } else { format!("{place}: {complaint}") };
    }
    let wanted = match expected(complaint) {
        "f64" | "f32" => "a number",
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number of at least 0",
        "isize" | "i64" | "i32" => "a whole number",
        "a boolean" => "true or false",
        other if other.contains("string or map") || other.contains("variant") => "one of its names",
        other if other.contains("string") => "a text",
        other if ["struct", "map", "enum"].iter().any(|word| other.contains(word)) => "a group of settings",
        other if ["sequence", "tuple", "array"].iter().any(|word| other.contains(word)) => "a list",
        other => other,
    };
    let place = if place.is_empty() { "this" } else { place };
    format!("{place} should be {wanted}, not {is}")
}

/// `a, b or c`.
fn either(names: &[String]) -> String {
    match names {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        [one] => one.clone(),
        _ => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::job::Job;

    fn told(job: Value) -> String {
        read::<Job>(job).unwrap_err()
    }

    #[test]
    fn fractions_are_numbers_where_numbers_belong() {
        for (text, value) in
            [("8/255", 8.0 / 255.0), (" 1 / 4 ", 0.25), ("-1/2", -0.5), ("0.5", 0.5), ("2", 2.0)]
        {
            assert_eq!(number(text), Ok(value), "{text}");
        }
        for text in ["8/0", "a/b", "1/2/3", "", "NaN", "inf"] {
            assert!(number(text).is_err(), "{text}");
        }
        let job = json!({
            "kind": "train",
            "name": "8/255",
            "attack": { "epsilon": "8/255", "step_size": "2/255" },
            "sharpness": { "kind": "sam", "radius": "1/20", "adaptive": false },
            "schedule": { "kind": "multi-step", "milestones": [1], "gamma": "1/10" },
        });
        let Ok(Job::Train(job)) = read::<Job>(job) else { panic!("no training") };
        assert_eq!(
            (job.name.as_str(), job.attack.epsilon, job.attack.step_size),
            ("8/255", 8.0 / 255.0, 2.0 / 255.0)
        );
        let flatness = json!({ "kind": "flatness", "checkpoint": "x", "loss": "clean", "case": "average", "radii": [0.5, "1/4"] });
        let Ok(Job::Flatness(flatness)) = read::<Job>(flatness) else { panic!("no flatness") };
        assert_eq!(flatness.radii, [0.5, 0.25]);
        assert_eq!(
            told(json!({ "kind": "train", "epochs": "8/2" })),
            "epochs should be a whole number of at least 0, not \"8/2\""
        );
        assert!(
            told(json!({ "kind": "train", "attack": { "epsilon": "8/x" } }))
                .starts_with("attack.epsilon should be a number")
        );
    }

    #[test]
    fn complaints_name_the_setting_and_what_belongs_there() {
        let train = |settings: Value| {
            let mut job = json!({ "kind": "train", "seed": 3, "batch_size": 3 });
            job.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
            told(job)
        };
        for (settings, words) in [
            (json!({ "epochs": -1 }), "epochs should be a whole number of at least 0, not -1"),
            (json!({ "epochs": 1.5 }), "epochs should be a whole number of at least 0, not 1.5"),
            (json!({ "as_in_paper": "yes" }), "as_in_paper should be true or false, not \"yes\""),
            (json!({ "name": 3 }), "name should be a text, not 3"),
            (
                json!({ "epochs": { "count": 3 } }),
                "epochs should be a whole number of at least 0, not a group of settings",
            ),
            (
                json!({ "attack": { "steps": "many" } }),
                "attack.steps should be a whole number of at least 0, not \"many\"",
            ),
            (json!({ "attack": 3 }), "attack should be a group of settings, not 3"),
            (json!({ "epoch": 3 }), "there is no setting \"epoch\" (did you mean epochs?)"),
            (
                json!({ "data": { "trian": "train:0..5" } }),
                "there is no setting \"data.trian\" (did you mean train?)",
            ),
            (
                json!({ "data": { "train": "all" } }),
                "data.train: \"all\" does not select examples; write e.g. test:0..1000 or train:0..500",
            ),
            (
                json!({ "data": { "held_out": 999 } }),
                "data.held_out should be a selection of examples such as test:0..1000, not 999",
            ),
            (json!({ "labels": { "smooth": 0.1 } }), "labels.smooth should be"),
            (
                json!({ "method": { "kind": "trade", "weight": 6 } }),
                "method.kind should be normal, adversarial, trades, mart or rotation, not \"trade\" (did you mean trades?)",
            ),
            (
                json!({ "data": {}, "architecture": { "family": { "Mlp": { "units": [8] } } }, "optimizer": { "kind": "adam" } }),
                "optimizer has no \"learning_rate\"",
            ),
            (
                json!({ "architecture": { "family": { "ResNet": { "blocks": [2, 2], "bottleneck": false, "channels": 8 } } }, "schedule": { "kind": "multi-step", "milestones": "5,3", "gamma": 0.1 } }),
                "schedule.milestones should be a list, not \"5,3\"",
            ),
            (json!({ "schedule": { "kind": "step", "gamma": 0.1 } }), "schedule has no \"epochs\""),
            (
                json!({ "schedule": { "kind": "multi-step", "milestones": 3, "gamma": 0.1 } }),
                "schedule.milestones should be a list, not 3",
            ),
            (json!({ "optimizer": { "kind": "adam", "learning_rate": "fast" } }), "optimizer"),
        ] {
            let told = train(settings);
            assert!(told.starts_with(words), "{told}");
            for jargon in ["usize", "f64", "struct", "enum", "invalid type", "``"] {
                assert!(!told.contains(jargon), "{told}");
            }
        }
        assert_eq!(told(json!({ "epochs": 3 })), "it has no \"kind\"");
        assert!(told(json!({ "kind": "dance" })).starts_with("kind should be evaluate, "));
        assert_eq!(told(json!({ "kind": "evaluate" })), "it has no \"checkpoint\"");
    }
}
