//! From settings as text to a job, with what is usual for those that are not given.

use std::path::{Path, PathBuf};

use basin_core::job::{AutoAttack, Flatness, Job, Levels, Pgd};
use basin_core::settings::{Format, Setting};
use serde_json::{Map, Value, json};

use super::Settings as _;
use super::useless::{Useless, useless};
use super::{Given, Measure, Problem, may_stand_beside_name, pgd_variant};

/// Most draws under the whole attack where a standard error is to be reached.
const MOST_UNTIL: usize = 100;
/// Grid points per axis of a 2-D landscape in the window, where it is looked at and not published.
const STEPS_OF_SURFACE: usize = 25;

/// Where settings are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// As options: what has no effect is refused.
    Terminal,
    /// In a form, which hides what has no effect: it says nothing then.
    Window,
}

/// What settings are given for.
#[derive(Debug, Clone)]
pub struct Origin {
    /// What is measured.
    pub measure: Measure,
    /// Where it is said.
    pub surface: Surface,
    /// The checkpoint.
    pub checkpoint: PathBuf,
    /// The usual data set.
    pub data: String,
    /// What a name of the paper stands for; it has all settings but those of images, computing and output.
    pub named: Option<Job>,
}

/// A job as settings describe it.
#[derive(Debug)]
pub struct Sheet {
    /// The job, as far as it could be read.
    pub job: Job,
    /// What is wrong; empty: the job is fine.
    pub problems: Vec<Problem>,
    /// The job without what is given: the values that settings have by themselves.
    pub usual: Value,
}

impl Origin {
    /// For a checkpoint, on the command line.
    pub fn terminal(measure: Measure, checkpoint: &Path) -> Self {
        let (surface, checkpoint) = (Surface::Terminal, checkpoint.to_owned());
        Self { measure, surface, checkpoint, data: "bundled".into(), named: None }
    }

    /// Whether a setting may be given; beside a name of the paper not all may.
    pub fn may_set(&self, path: &str) -> bool {
        self.named.is_none() || self.measure.setting(path).is_some_and(may_stand_beside_name)
    }

    /// What is wrong with a setting: on the command line behind its option.
    fn wrong(&self, path: &str, between: &str, text: &str) -> Problem {
        let flag = self.measure.setting(path).and_then(|setting| setting.flag.as_deref());
        let text = match (self.surface, flag) {
            (Surface::Terminal, Some(flag)) => format!("--{flag}{between}{text}"),
            _ => text.to_owned(),
        };
        Problem { path: Some(path.to_owned()), text }
    }

    /// The job when nothing is given.
    fn start(&self) -> Value {
        let job = self.named.clone().unwrap_or_else(|| self.measure.usual());
        let mut job = json!(job.on(&self.checkpoint));
        put(&mut job, "data.name", self.data.clone().into());
        if let (Some(search), true) = (job.get_mut("search_data"), self.named.is_some())
            && search.is_object()
        {
            search["name"] = self.data.clone().into();
        }
        if self.surface == Surface::Window {
            match self.measure {
                Measure::Landscape => put(&mut job, "second", "random:1".into()),
                Measure::Evaluate | Measure::Attack => put(&mut job, "keep_examples", true.into()),
                _ => {}
            }
        }
        job
    }

    /// What an evaluation looks at besides the clean images: `none`, `pgd` or `stored`.
    pub fn inputs<'a>(&self, given: &'a Given) -> &'a str {
        match given.get("attack") {
            Some(inputs) => inputs,
            None if given.contains_key("adversarial") => "stored",
            None if self.surface == Surface::Window || self.named.is_some() => "pgd",
            None => "none",
        }
    }
}

impl Sheet {
    /// Reads settings.
    pub fn new(given: &Given, origin: &Origin) -> Self {
        let start = origin.start();
        let mut problems = Vec::new();
        let mut values = read(given, origin, &start, &mut problems);
        let mut job = filled(&start, &values);
        // What others decide about, and then what that decides about.
        let mut usual = start;
        for _ in 0..2 {
            if origin.named.is_none() {
                follow(&mut usual, &job, given, origin);
            }
            job = filled(&usual, &values);
        }
        let inputs = origin.inputs(given);
        let without_effect = |setting: &Setting| match useless(&job, inputs, &setting.path) {
            Some(Useless::Refused(reason)) if origin.surface == Surface::Terminal => Some(Some(reason)),
            Some(_) if origin.surface == Surface::Window => Some(None),
            _ => None,
        };
        let mut given = given.clone();
        for setting in origin.measure.settings().iter().filter(|setting| origin.may_set(&setting.path)) {
            if given.contains_key(&setting.path)
                && let Some(reason) = without_effect(setting)
            {
                given.remove(&setting.path);
                values.retain(|(path, _)| *path != setting.path);
                if origin.surface == Surface::Window {
                    problems.retain(|problem| problem.path.as_ref() != Some(&setting.path));
                }
                problems.extend(reason.map(|reason| origin.wrong(&setting.path, " ", &reason)));
            }
        }
        let mut job = filled(&usual, &values);
        finish(&mut job, &given, origin, &mut problems);
        if problems.is_empty()
            && let Err(error) = job.check()
        {
            problems.push(Problem { path: error.setting().map(str::to_owned), text: error.to_string() });
        }
        Self { job, problems, usual }
    }

    /// The settings by which a job differs from what is usual.
    pub fn given(job: &Job, origin: &Origin) -> Given {
        let mut given = Given::new();
        let value = json!(job);
        // Settings decide what is usual for others.
        for _ in 0..3 {
            let usual = Self::new(&given, origin).usual;
            for setting in origin.measure.settings() {
                let (is, was) = (at(&value, &setting.path), at(&usual, &setting.path));
                match special(setting, job, origin) {
                    Some(Some(text)) => drop(given.insert(setting.path.clone(), text)),
                    Some(None) => drop(given.remove(&setting.path)),
                    None if is == was || is.is_null() && !setting.optional => {
                        drop(given.remove(&setting.path))
                    }
                    None if is.is_null() => drop(given.insert(setting.path.clone(), "none".into())),
                    None => drop(given.insert(setting.path.clone(), setting.show(is))),
                }
            }
        }
        given
    }

    /// The text of a setting that is not given.
    pub fn usual_text(&self, setting: &Setting, origin: &Origin) -> String {
        match setting.format {
            Format::Levels => "on".to_owned(),
            Format::Attacks => String::new(),
            _ if setting.path == "attack" => origin.inputs(&Given::new()).to_owned(),
            _ => setting.text_in(&self.usual),
        }
    }
}

/// The values of what is given, in the order of settings.
fn read(given: &Given, origin: &Origin, start: &Value, problems: &mut Vec<Problem>) -> Vec<(String, Value)> {
    let mut values = Vec::new();
    for setting in origin.measure.settings().iter().filter(|setting| origin.may_set(&setting.path)) {
        let Some(text) = given.get(&setting.path) else { continue };
        let special = setting.path == "attack" || matches!(setting.format, Format::Levels | Format::Attacks);
        if special || (text.trim().is_empty() && !setting.optional) {
            continue;
        }
        let value = setting.read(text).and_then(|value| {
            let mut job = start.clone();
            put(&mut job, &setting.path, value.clone());
            basin_core::settings::read::<Job>(job).map_err(|sentence| {
                // The place is known.
                let rest = sentence.split_once(": ").filter(|(place, _)| setting.path.starts_with(place));
                rest.map_or(sentence.clone(), |(_, rest)| rest.to_owned())
            })?;
            Ok(value)
        });
        match value {
            Ok(value) => values.push((setting.path.clone(), value)),
            Err(text) => problems.push(origin.wrong(&setting.path, ": ", &text)),
        }
    }
    // Of two random directions the second is another one, unless its seed is given.
    let first = values.iter().find(|(path, _)| path == "direction");
    let first = first.map_or_else(|| at(start, "direction").clone(), |(_, value)| value.clone());
    if let Some((_, second)) = values.iter_mut().find(|(path, _)| path == "second")
        && *second == "random"
        && first == "random"
        && given.get("second").is_some_and(|text| text.trim() == "random")
    {
        *second = "random:1".into();
    }
    values
}

/// The job with values in their places.
fn filled(start: &Value, values: &[(String, Value)]) -> Job {
    let mut job = start.clone();
    values.iter().for_each(|(path, value)| put(&mut job, path, value.clone()));
    serde_json::from_value(job)
        .or_else(|_| serde_json::from_value(start.clone()))
        .expect("every value was read by itself")
}

/// What is usual for settings that others decide about.
fn follow(usual: &mut Value, job: &Job, given: &Given, origin: &Origin) {
    let mut set = |path: &str, value: Value| put(usual, path, value);
    let is_given = |path: &str| given.get(path).is_some_and(|text| !text.trim().is_empty());
    if let Some(pgd) = job.input_attack() {
        let epsilon = if is_given("attack.epsilon") { pgd.epsilon } else { pgd.norm.usual_epsilon() };
        set("attack.epsilon", pgd.norm.usual_epsilon().into());
        set("attack.step_size", Pgd::usual_step_size(pgd.norm, epsilon, pgd.steps).into());
    }
    match job {
        Job::Attack(job) => {
            let AutoAttack { norm, .. } = job.attack;
            set("attack.epsilon", norm.usual_epsilon().into());
        }
        Job::Flatness(job) => {
            set("radii", json!([job.case.usual_radius()]));
            set("draws", if job.until.is_some() { MOST_UNTIL } else { 10 }.into());
            if is_given("search_data.examples") {
                set("search_data.name", job.data.name.clone().into());
            }
        }
        Job::Landscape(job) => {
            if origin.surface == Surface::Window {
                set("steps", if job.second.is_some() { STEPS_OF_SURFACE } else { 51 }.into());
            }
            if is_given("statistics_data.examples") {
                set("statistics_data.name", job.data.name.clone().into());
            }
        }
        _ => {}
    }
}

/// What is more than a value in its place.
fn finish(job: &mut Job, given: &Given, origin: &Origin, problems: &mut Vec<Problem>) {
    let mut wrong = |path: &str, text: String| problems.push(origin.wrong(path, " ", &text));
    match job {
        Job::Evaluate(job) => {
            match origin.inputs(given) {
                "pgd" => job.adversarial = None,
                inputs => {
                    job.attack = None;
                    if inputs != "stored" {
                        job.adversarial = None;
                    } else if job.adversarial.is_none() {
                        wrong("adversarial", "give a record that kept its adversarial examples".into());
                    }
                }
            }
            if let Some(first) = &job.attack {
                let others = given.get("more_attacks").map_or("", |text| text).split(';').map(str::trim);
                for text in others.filter(|text| !text.is_empty()) {
                    match pgd_variant(first, text.trim_start_matches("pgd").trim_start_matches(':')) {
                        Ok(attack) => job.more_attacks.push(attack),
                        Err(sentence) => wrong("more_attacks", sentence),
                    }
                }
            }
            job.keep_examples = (job.keep_examples || job.keep_attempts) && job.is_attacked();
        }
        Job::Flatness(job) if origin.named.is_none() => {
            let text = given.get("levels").map_or("on", |text| text.trim());
            match levels(job, text) {
                Ok(levels) => job.levels = levels,
                Err(reason) => wrong("levels", reason),
            }
        }
        _ => {}
    }
}

/// Levels as text: `on`, `off`, or numbers of draws.
fn levels(job: &Flatness, text: &str) -> Result<Option<Levels>, String> {
    let numbers = || {
        let (short, clean) = text.split_once(',')?;
        Some((short.trim().parse().ok()?, clean.trim().parse().ok()?))
    };
    match (text, job.usual_levels()) {
        ("" | "on" | "true", levels) => Ok(levels),
        ("off" | "none" | "false", _) => Ok(None),
        (_, levels) => match numbers() {
            Some((short, clean)) => {
                Ok(levels.map(|levels| Levels { short: Some(short), clean: Some(clean), ..levels }))
            }
            None => {
                Err(format!("{text:?} are no levels; use on, off, or two numbers of draws such as 15,100"))
            }
        },
    }
}

/// The text of a setting that is more than a value in its place; none inside: as usual.
fn special(setting: &Setting, job: &Job, origin: &Origin) -> Option<Option<String>> {
    match (&*setting.path, job) {
        ("attack", Job::Evaluate(job)) => {
            let inputs = match (&job.attack, &job.adversarial) {
                (Some(_), _) => "pgd",
                (None, Some(_)) => "stored",
                (None, None) => "none",
            };
            Some((inputs != origin.inputs(&Given::new())).then(|| inputs.to_owned()))
        }
        (path, Job::Evaluate(job)) if path.starts_with("attack.") && job.attack.is_none() => Some(None),
        ("more_attacks", Job::Evaluate(job)) => {
            let first = job.attack.as_ref()?;
            let others: Vec<String> =
                job.more_attacks.iter().map(|other| super::variant(first, other)).collect();
            Some((!others.is_empty()).then(|| others.join("; ")))
        }
        ("levels", Job::Flatness(job)) => Some(match (&job.levels, job.usual_levels()) {
            (Some(Levels { short: Some(short), clean: Some(clean), .. }), _) => {
                Some(format!("{short},{clean}"))
            }
            (None, Some(_)) => Some("off".to_owned()),
            _ => None,
        }),
        // What is left out of the job while it is usual.
        (path, _) if at(&json!(job), path).is_null() && !setting.optional => Some(None),
        _ => None,
    }
}

/// The value at a place; null where nothing is.
pub(super) fn at<'a>(job: &'a Value, path: &str) -> &'a Value {
    job.pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or(&Value::Null)
}

/// Puts a value in its place.
fn put(job: &mut Value, path: &str, value: Value) {
    let mut inner = job;
    for name in path.split('.') {
        if !inner.is_object() {
            *inner = Value::Object(Map::new());
        }
        inner = &mut inner[name];
    }
    *inner = value;
}
