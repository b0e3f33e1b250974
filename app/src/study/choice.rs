//! Which models of a study are shown, in which order, and which of them are selected.

use std::collections::BTreeSet;

use basin_core::study::{Filter, FilterError, ModelRow};
use serde::{Deserialize, Serialize};

use super::Seen;

/// What rows are sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SortBy {
    /// Name.
    Name,
    /// Group.
    Group,
    /// Share of measures that there are.
    Measured,
    /// Number of records.
    Records,
    /// The number of a column.
    Column(String),
}

/// An order of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// What decides.
    pub by: SortBy,
    /// Largest first.
    pub descending: bool,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOf {
    /// A model, by its number in the study.
    Model(usize),
    /// A file of no model that cannot be used, by its number.
    Broken(usize),
}

/// The rows that are shown, and those that are selected.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The expression as it is typed.
    pub filter: String,
    /// Why it cannot be understood, if so: then every model is shown.
    pub error: Option<FilterError>,
    /// The order; none: that of the study.
    pub sort: Option<Sort>,
    rows: Vec<RowOf>,
    /// Names of selected models.
    selected: BTreeSet<String>,
    /// The model that keys move from, and that other views show.
    current: Option<String>,
    /// Where a selection over several rows began.
    anchor: Option<String>,
}

impl Choice {
    /// The rows in their order.
    pub fn rows(&self) -> &[RowOf] {
        &self.rows
    }

    /// Numbers of the models that are shown.
    pub fn models(&self) -> impl Iterator<Item = usize> {
        self.rows.iter().filter_map(|row| match row {
            RowOf::Model(model) => Some(*model),
            RowOf::Broken(_) => None,
        })
    }

    /// The model that other views show.
    pub fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// Names of the selected models.
    pub fn selected(&self) -> &BTreeSet<String> {
        &self.selected
    }

    /// Whether a model is selected.
    pub fn is_selected(&self, name: &str) -> bool {
        self.selected.contains(name)
    }

    /// Applies filter and order to what is known of a study; forgets models that are gone.
    pub fn apply(&mut self, seen: &Seen) {
        let known = |name: &String| seen.model(name).is_some();
        self.selected.retain(known);
        self.current = self.current.take().filter(known);
        self.anchor = self.anchor.take().filter(known);
        let filter = Filter::parse(&self.filter, &seen.table);
        let (filter, error) = match filter {
            Ok(filter) => (Some(filter), None),
            Err(error) => (None, Some(error)),
        };
        self.error = error;
        let accepts = |model: &usize| {
            let row = &seen.table.rows[*model];
            filter.as_ref().is_none_or(|filter| filter.accepts(row, seen.facts(*model)))
        };
        let mut models: Vec<usize> = (0..seen.table.rows.len()).filter(accepts).collect();
        if let Some(sort) = &self.sort {
            self::sort(&mut models, seen, sort);
        }
        let words = filter.filter(|_| !self.filter.trim().is_empty());
        // A broken file has a name and nothing else.
        let is_shown = |file: &usize| {
            let (path, _) = &seen.entries.broken[*file];
            let row = ModelRow { name: path.display().to_string(), ..ModelRow::default() };
            let facts = basin_core::study::Facts { broken: true, ..Default::default() };
            words.as_ref().is_none_or(|filter| filter.accepts(&row, facts))
        };
        let broken = (0..seen.entries.broken.len()).filter(is_shown).map(RowOf::Broken);
        self.rows = models.into_iter().map(RowOf::Model).chain(broken).collect();
    }

    /// Sorts by something; once more: the other way round, then as in the study.
    pub fn sort_by(&mut self, by: SortBy) {
        // Names begin with the first, numbers with the largest.
        let first = !matches!(by, SortBy::Name | SortBy::Group);
        self.sort = match self.sort.take() {
            Some(sort) if sort.by == by && sort.descending == first => Some(Sort { by, descending: !first }),
            Some(sort) if sort.by == by => None,
            _ => Some(Sort { by, descending: first }),
        };
    }

    /// Selects one model.
    pub fn select(&mut self, name: &str) {
        self.selected = [name.to_owned()].into();
        self.current = Some(name.to_owned());
        self.anchor = Some(name.to_owned());
    }

    /// Selects several models, the first of them as the current one.
    pub fn select_all(&mut self, names: impl IntoIterator<Item = String>) {
        let mut names = names.into_iter().peekable();
        self.current = names.peek().cloned();
        self.anchor.clone_from(&self.current);
        self.selected = names.collect();
    }

    /// Adds a model to the selection, or takes it away.
    pub fn toggle(&mut self, name: &str) {
        if !self.selected.remove(name) {
            self.selected.insert(name.to_owned());
            self.current = Some(name.to_owned());
        } else if self.current.as_deref() == Some(name) {
            self.current = self.selected.first().cloned();
        }
        self.anchor = Some(name.to_owned());
    }

    /// Selects the rows from where the selection began to a model.
    pub fn select_to(&mut self, name: &str, seen: &Seen) {
        let names: Vec<&str> = self.models().map(|model| &*seen.study.models[model].name).collect();
        let at = |name: &str| names.iter().position(|other| *other == name);
        let anchor = self.anchor.as_deref().and_then(at);
        let (Some(from), Some(to)) = (anchor.or_else(|| at(name)), at(name)) else { return };
        self.selected = names[from.min(to)..=from.max(to)].iter().map(|name| (*name).to_owned()).collect();
        self.current = Some(name.to_owned());
    }

    /// Moves the current model by rows, with the selection, or, to extend it, its end.
    pub fn step(&mut self, by: isize, extend: bool, seen: &Seen) {
        let names: Vec<String> = self.models().map(|model| seen.study.models[model].name.clone()).collect();
        if names.is_empty() {
            return;
        }
        let last = names.len() - 1;
        let at = self.current.as_ref().and_then(|current| names.iter().position(|name| name == current));
        let to = match at {
            Some(at) => at.saturating_add_signed(by).min(last),
            None => {
                if by < 0 {
                    last
                } else {
                    0
                }
            }
        };
        if extend { self.select_to(&names[to], seen) } else { self.select(&names[to]) }
    }

    /// The row of the current model among those that are shown.
    pub fn current_row(&self, seen: &Seen) -> Option<usize> {
        let current = seen.model(self.current.as_deref()?)?;
        self.rows.iter().position(|row| *row == RowOf::Model(current))
    }
}

/// Sorts models; those that have no such number come last, equals in the order of the study.
fn sort(models: &mut [usize], seen: &Seen, sort: &Sort) {
    let number = |model: usize| match &sort.by {
        SortBy::Name | SortBy::Group => None,
        SortBy::Measured => {
            let [measured, all] = seen.measured(model);
            (all > 0).then(|| measured as f64 / all as f64)
        }
        SortBy::Records => Some(seen.rows[model].records as f64),
        SortBy::Column(key) => {
            let column = seen.table.columns.iter().position(|column| column.key == *key)?;
            seen.table.rows[model].values[column].map(|value| value.value)
        }
    };
    let text = |model: usize| {
        let model = &seen.study.models[model];
        let text = if sort.by == SortBy::Group { model.group.as_deref() } else { Some(&*model.name) };
        text.map(str::to_lowercase)
    };
    let is_text = matches!(sort.by, SortBy::Name | SortBy::Group);
    models.sort_by(|one, other| {
        let (missing, order) = if is_text {
            let (one, other) = (text(*one), text(*other));
            (one.is_none().cmp(&other.is_none()), one.cmp(&other))
        } else {
            let (one, other) = (number(*one), number(*other));
            let order = one.zip(other).map_or(std::cmp::Ordering::Equal, |(a, b)| a.total_cmp(&b));
            (one.is_none().cmp(&other.is_none()), order)
        };
        missing.then(if sort.descending { order.reverse() } else { order })
    });
}
