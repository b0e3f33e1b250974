//! Changing a training: its data, its length, or any setting by its place, as text: `attack.steps=3`.

use serde_json::Value;

use super::{Schedule, Train, TrainData};
use crate::data::{Augmentation, Known};
use crate::settings::{read, suggestion, unknown};

/// Choices that are one number, with its usual value.
const USUAL_AMOUNTS: [(&str, f64); 3] = [("smoothed", 0.1), ("noisy", 0.1), ("threshold", 2.1)];

impl Train {
    /// Trains on other data: `bundled`, a name, or a folder. Of the bundled images all there are, each for its purpose;
    /// of a set known by name all training images, and digits as they are.
    pub fn use_data(&mut self, name: &str) {
        let augmentation = self.data.augmentation;
        match name {
            "bundled" => self.data = TrainData { augmentation, ..TrainData::bundled() },
            name => name.clone_into(&mut self.data.name),
        }
        // All training images, and digits are not mirrored.
        let usual = TrainData::default();
        if let Some(known @ (Known::Mnist | Known::FashionMnist)) = Known::from_name(name) {
            if self.data.train == usual.train {
                self.data.train.end = 60_000;
            }
            if known == Known::Mnist && augmentation == usual.augmentation {
                self.data.augmentation = Augmentation::None;
            }
        }
    }

    /// Trains longer or shorter; milestones of the learning rate move along.
    pub fn use_epochs(&mut self, epochs: usize) {
        self.schedule = self.schedule.scaled(self.epochs, epochs);
        self.epochs = epochs;
    }

    /// The job with one setting changed. `setting` is its place, `=`, and a JSON value; what is no JSON is text, or a
    /// fraction where a number belongs: `attack.epsilon=8/255`. Another `kind` keeps what it has in common with the one
    /// before: `optimizer.kind=adam`.
    ///
    /// # Errors
    /// A sentence: there is no such setting, or it cannot have this value.
    pub fn with(&self, setting: &str) -> Result<Self, String> {
        let (place, text) = setting
            .split_once('=')
            .ok_or_else(|| format!("{setting:?} sets nothing; write e.g. attack.steps=3"))?;
        let (place, text) = (place.trim(), text.trim());
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        let mut whole = serde_json::to_value(self).map_err(|e| e.to_string())?;
        let mut inner = &mut whole;
        for part in place.split('.') {
            // `exact` becomes `{"smoothed": 0.1}`: what has a name alone may get a value.
            if inner.is_null() || inner.is_string() {
                *inner = Value::Object(serde_json::Map::new());
            }
            inner = match inner {
                Value::Object(settings) => settings.entry(part).or_insert(Value::Null),
                _ => return Err(format!("{place}: there is no setting of this name")),
            };
        }
        *inner = value;
        // Other statistics come with their own default.
        if place == "average.statistics"
            && let Some(average) = whole["average"].as_object_mut()
        {
            average.remove("warm_up");
        }
        let mut found = read(whole.clone());
        if found.is_err() && !text.is_empty() && text.chars().all(char::is_alphanumeric) {
            // A name may stand for something with settings of its own, which then are the usual ones.
            let pointer = format!("/{}", place.replace('.', "/"));
            let mut named = whole.clone();
            if let Some(inner) = named.pointer_mut(&pointer) {
                *inner = match USUAL_AMOUNTS.iter().find(|(name, _)| *name == text) {
                    Some((_, amount)) => serde_json::json!({ text: amount }),
                    None => serde_json::json!({ text: {} }),
                };
            }
            if let Ok(job) = read(named.clone()) {
                (found, whole) = (Ok(job), named);
            }
        }
        let mut job: Self = found.map_err(|sentence| format!("{setting}: {sentence}"))?;
        let understood = serde_json::to_value(&job).map_err(|e| e.to_string())?;
        if let Some(of) = place.strip_suffix(".kind") {
            let pointer = format!("/{}", of.replace('.', "/"));
            if let Some(only) = understood.pointer(&pointer)
                && let Some(Value::Object(settings)) = whole.pointer_mut(&pointer)
            {
                settings.retain(|name, _| only.get(name).is_some());
            }
        }
        match unknown(&whole, &understood) {
            Some((name, known)) => {
                Err(format!("{setting}: there is no setting {name:?}{}", suggestion(&name, &known)))
            }
            None => {
                // Unlike the usual cycle, one is as long as the training.
                if place == "schedule.kind" && matches!(job.schedule, Schedule::Cyclic { .. }) {
                    job.schedule = job.schedule.scaled(Schedule::CYCLE, job.epochs);
                }
                Ok(job)
            }
        }
    }
}
