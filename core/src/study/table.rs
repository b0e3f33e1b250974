//! A study as a table: a row for each model, a column for each number.

use std::collections::BTreeSet;

use super::digest::Digested;
use super::entries::OfModel;
use super::quantities::{Quantity, Value, parts, values};
use super::{Entries, Model, Study};
use crate::error::{Error, Result};
use crate::measure::statistics::{NORMAL_QUANTILE, Point};
use crate::settings::suggestion;

/// A column.
pub type Column = Quantity;

/// The models of a study and their numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What the numbers are.
    pub columns: Vec<Column>,
    /// The models.
    pub rows: Vec<ModelRow>,
}

/// A model and its number in every column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelRow {
    /// The model.
    pub name: String,
    /// Its group.
    pub group: Option<String>,
    /// The training that it is a snapshot of.
    pub training: Option<String>,
    /// A value for each column; none: not measured.
    pub values: Vec<Option<Value>>,
}

impl Table {
    /// The table of a study.
    pub fn of<R: Digested>(study: &Study, entries: &Entries<R>) -> Self {
        let models = study.models.iter().zip(&entries.models);
        let numbers = |(model, of): (_, &OfModel<R>)| {
            let digests: Vec<_> = of.records.iter().map(|(_, record)| record.digest()).collect();
            let model: &Model = model;
            (model, values(digests.iter().flat_map(|digest| &digest.numbers), &model.numbers))
        };
        let all: Vec<(&Model, _)> = models.map(numbers).collect();
        let columns: BTreeSet<Quantity> = all.iter().flat_map(|(_, values)| values.keys().cloned()).collect();
        let columns: Vec<Column> = columns.into_iter().collect();
        let row = |(model, values): &(&Model, std::collections::BTreeMap<Quantity, Value>)| ModelRow {
            name: model.name.clone(),
            group: model.group.clone(),
            training: model.training.as_ref().map(|path| path.display().to_string()),
            values: columns.iter().map(|column| values.get(column).copied()).collect(),
        };
        Self { rows: all.iter().map(row).collect(), columns }
    }

    /// The column of a name; of a flatness without its radius the one that most models have.
    ///
    /// # Errors
    /// There is none; the message has the nearest, or all.
    pub fn column(&self, name: &str) -> Result<usize> {
        if let Some(exact) = self.columns.iter().position(|column| column.key == name) {
            return Ok(exact);
        }
        let count = |i: &usize| self.rows.iter().filter(|row| row.values[*i].is_some()).count();
        let alike = (0..self.columns.len()).filter(|i| parts(&self.columns[*i].key).0 == name);
        alike.max_by_key(count).ok_or_else(|| {
            let known: Vec<String> = self.columns.iter().map(|column| column.key.clone()).collect();
            let there = if known.is_empty() {
                "; measure its models with `basin study measure`".to_owned()
            } else {
                match suggestion(name, &known) {
                    near if near.is_empty() => format!("; it has {}", known.join(", ")),
                    near => near,
                }
            };
            Error::invalid(format!("the study has no number {name:?}{there}"))
        })
    }

    /// The table of these columns, in this order.
    ///
    /// # Errors
    /// There is no such column.
    pub fn with(&self, names: &[String]) -> Result<Self> {
        let chosen = names.iter().map(|name| self.column(name.trim())).collect::<Result<Vec<_>>>()?;
        let row = |row: &ModelRow| ModelRow {
            values: chosen.iter().map(|column| row.values[*column]).collect(),
            ..row.clone()
        };
        Ok(Self {
            columns: chosen.iter().map(|column| self.columns[*column].clone()).collect(),
            rows: self.rows.iter().map(row).collect(),
        })
    }

    /// The models that have a number in both columns, for statistics, with their row.
    pub fn points(&self, x: usize, y: usize) -> Vec<(usize, Point)> {
        let error = |value: Value| value.interval.map(|i| (i.high - i.low) / (2.0 * NORMAL_QUANTILE));
        let point = |(number, row): (usize, &ModelRow)| {
            let (x, y) = (row.values[x]?, row.values[y]?);
            let point = Point {
                name: row.name.clone(),
                group: row.group.clone(),
                training: row.training.clone(),
                x: x.value,
                y: y.value,
                x_error: error(x),
                y_error: error(y),
            };
            Some((number, point))
        };
        self.rows.iter().enumerate().filter_map(point).collect()
    }
}
