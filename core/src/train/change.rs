//! Changing a training: its data, its length, or any setting by its place, as text: `attack.steps=3`.

use serde_json::Value;

use super::{Train, TrainData};
use crate::settings::{read, suggestion, unknown};

impl Train {
    /// Trains on other data: `bundled`, a name, or a folder. Of the bundled images all there are, each for its purpose.
    pub fn use_data(&mut self, name: &str) {
        let augmentation = self.data.augmentation;
        match name {
            "bundled" => self.data = TrainData { augmentation, ..TrainData::bundled() },
            name => name.clone_into(&mut self.data.name),
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
            if inner.is_null() {
                *inner = Value::Object(serde_json::Map::new());
            }
            inner = match inner {
                Value::Object(settings) => settings.entry(part).or_insert(Value::Null),
                _ => return Err(format!("{place}: there is no setting of this name")),
            };
        }
        *inner = value;
        let job = read(whole.clone()).map_err(|sentence| format!("{setting}: {sentence}"))?;
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
            None => Ok(job),
        }
    }
}
