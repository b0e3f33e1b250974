//! Settings as text: what options, forms and `--set` say, to JSON and back.

use serde_json::{Number, Value};

use super::{Format, Kind, Setting, either, fraction, number, suggestion};

/// Words for null.
const NOTHING: [&str; 4] = ["", "none", "auto", "automatic"];

impl Setting {
    /// The value that a text stands for. Fractions are numbers, lists have commas.
    ///
    /// # Errors
    /// A sentence without the name of the setting: what is wrong, and what belongs there.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        if self.optional && NOTHING.contains(&text) {
            return Ok(Value::Null);
        }
        if self.format == Format::Direction && !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) {
            return Ok(format!("random:{text}").into());
        }
        self.read_as(&self.kind, text).map_err(|reason| match &self.wanted {
            Some(wanted) => format!("use {wanted}"),
            None => reason,
        })
    }

    fn read_as(&self, kind: &Kind, text: &str) -> Result<Value, String> {
        let least = self.minimum.unwrap_or_default();
        match kind {
            Kind::Switch => match text {
                "true" | "on" | "yes" => Ok(true.into()),
                "false" | "off" | "no" => Ok(false.into()),
                _ => Err(format!("{text:?} is neither true nor false")),
            },
            Kind::Integer => text
                .parse::<u64>()
                .ok()
                .filter(|number| self.wanted.is_none() || *number as f64 >= least)
                .map(Value::from)
                .ok_or(())
                .map_err(|_| format!("{text:?} is not a whole number; use one of at least {least}")),
            Kind::Number => {
                number(text).map(|value| Number::from_f64(value).map_or(Value::Null, Value::Number))
            }
            Kind::Text(_) => Ok(text.into()),
            Kind::Choice(choices) => {
                let names: Vec<String> = choices.iter().map(|choice| choice.name.clone()).collect();
                if names.iter().any(|name| name == text) {
                    return Ok(text.into());
                }
                Err(format!("{text:?} is not known; use {}{}", either(&names), suggestion(text, &names)))
            }
            Kind::List(item) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                items.map(|part| self.read_as(item, part)).collect::<Result<_, _>>().map(Value::Array)
            }
            Kind::Group if ["on", "true"].contains(&text) => Ok(Value::Object(serde_json::Map::new())),
            Kind::Group => Err(format!("{text:?} is neither on nor none")),
        }
    }

    /// A value as text that [`Setting::read`] understands; empty for null.
    pub fn show(&self, value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Number(number) => match number.as_f64() {
                // Of pixels, and not of what merely is a multiple of 1/255.
                Some(value)
                    if self.unit.as_deref() == Some(PIXELS)
                        && super::number(&fraction(value)) == Ok(value) =>
                {
                    fraction(value)
                }
                Some(value) if self.kind == Kind::Number => value.to_string(),
                _ => number.to_string(),
            },
            Value::Array(items) => items.iter().map(|item| self.show(item)).collect::<Vec<_>>().join(","),
            // A choice with settings of its own.
            Value::Object(only) if matches!(self.kind, Kind::Choice(_)) => {
                only.keys().next().cloned().unwrap_or_default()
            }
            Value::Object(_) if self.kind == Kind::Group => "on".to_owned(),
            Value::Bool(_) | Value::Object(_) => value.to_string(),
        }
    }

    /// What it is in a job, as text.
    pub fn text_in(&self, job: &Value) -> String {
        let value = job.pointer(&format!("/{}", self.path.replace('.', "/"))).unwrap_or(&Value::Null);
        match &self.default {
            // What is left out of jobs while it is usual.
            Some(default) if value.is_null() && !self.optional => self.show(default),
            _ => self.show(value),
        }
    }

    /// The words for null, where it may be.
    pub fn nothing(&self) -> &str {
        self.hint.as_deref().unwrap_or("none")
    }
}

/// Unit of numbers that are written as parts of 255.
const PIXELS: &str = "pixel value";
