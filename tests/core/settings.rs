//! Every setting of every job is declared once, with all that flags, forms and errors take from there.

use basin_core::job::{Attack, Benchmark, Case, Evaluate, Flatness, FlatnessLoss, Job, Landscape, Train};
use basin_core::settings::{Format, Kind, Setting, settings_of};
use serde_json::{Value, json};

/// Every kind of job with the settings it has; what has to be given is given.
fn all() -> Vec<(&'static str, Value, Vec<Setting>)> {
    let flatness = Flatness::new("net.pth".into(), FlatnessLoss::Robust, Case::Average);
    let landscape = json!({ "checkpoint": "net.pth", "direction": "random", "loss": "robust" });
    let landscape: Landscape = serde_json::from_value(landscape).unwrap();
    let of = |kind, job: Value, settings: fn(&Value) -> Vec<Setting>| (kind, job.clone(), settings(&job));
    vec![
        of(
            "evaluate",
            json!(Evaluate { checkpoint: "net.pth".into(), ..Evaluate::default() }),
            settings_of::<Evaluate>,
        ),
        of("attack", json!({ "checkpoint": "net.pth" }), settings_of::<Attack>),
        of("flatness", json!(flatness), settings_of::<Flatness>),
        of("landscape", json!(landscape), settings_of::<Landscape>),
        of("benchmark", json!(Benchmark::new("net.pth".into())), settings_of::<Benchmark>),
        of("train", json!(Train::default()), settings_of::<Train>),
    ]
}

#[test]
fn every_setting_has_a_label_a_help_and_a_flag_or_a_reason_for_none() {
    for (kind, _, settings) in all() {
        for setting in &settings {
            let Setting { path, label, help, flag, kind: values, .. } = setting;
            assert!(!label.is_empty() && !help.is_empty(), "{kind}: {path} has no label or help");
            assert!(help.ends_with(['.', ')']), "{kind}: the help of {path} is no sentence: {help}");
            let named: Vec<_> = settings.iter().filter(|other| other.path == *path).collect();
            assert_eq!(named.len(), 1, "{kind}: {path} is there once");
            // A checkpoint is an argument, groups are given by what is in them, and trainings take all by --set.
            let is_group = *values == Kind::Group;
            let has_none = kind == "train" || is_group || path == "checkpoint";
            assert!(flag.is_some() || has_none, "{kind}: {path} has no option");
            if let Some(flag) = flag.as_ref().filter(|_| kind != "train" && !is_group) {
                let same = settings
                    .iter()
                    .filter(|other| other.kind != Kind::Group && other.flag.as_ref() == Some(flag));
                assert!(same.count() == 1, "{kind}: --{flag} is several settings");
            }
            if let Kind::Choice(choices) = values {
                let silent = choices.iter().find(|choice| choice.help.is_empty());
                assert_eq!(silent, None, "{kind}: {path}");
            }
        }
    }
}

#[test]
fn defaults_are_those_of_serde() {
    for (kind, mut job, settings) in all() {
        job["kind"] = kind.into();
        let read = |job: &Value| json!(serde_json::from_value::<Job>(job.clone()).unwrap());
        let usual = read(&job);
        let mut checked = 0;
        for setting in settings.iter().filter(|setting| setting.kind != Kind::Group) {
            let path: Vec<&str> = setting.path.split('.').collect();
            let (name, outer) = path.split_last().unwrap();
            let Some(default) = &setting.default else { continue };
            // What is inside of nothing is not there.
            let outer = format!("/{}", outer.join("/"));
            let Some(Value::Object(_)) = usual.pointer(if outer == "/" { "" } else { &outer }) else {
                continue;
            };
            let mut given = usual.clone();
            let object = given.pointer_mut(if outer == "/" { "" } else { &outer }).unwrap();
            if object.get(*name) != Some(default) {
                object[*name] = default.clone();
                assert_eq!(read(&given), usual, "{kind}: {} is not {default} by default", setting.path);
            }
            checked += 1;
        }
        assert!(checked >= 5, "{kind}: {checked} defaults");
    }
}

#[test]
fn what_is_shown_is_read() {
    for (kind, _, settings) in all() {
        for setting in settings.iter().filter(|setting| setting.format == Format::Plain) {
            let Some(default) = setting.default.as_ref().filter(|_| setting.kind != Kind::Group) else {
                continue;
            };
            let text = setting.show(default);
            // Of a choice with settings of its own the name.
            let default = if default.is_object() { &json!(text) } else { default };
            assert_eq!(setting.read(&text).as_ref(), Ok(default), "{kind}: {} as {text:?}", setting.path);
        }
    }
}
