//! Units of work: finished ones by name, groups of those to come, and the runner where a measure works.

use std::collections::HashMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Result;
use crate::progress::Cancelled;

/// Finished units by name.
#[derive(Debug, Clone, Default)]
pub struct Units {
    values: HashMap<String, Value>,
    /// Before the name of every unit: which part of a job of several parts it belongs to.
    scope: String,
}

impl Units {
    /// The value of a finished unit.
    pub fn get<T: DeserializeOwned>(&self, unit: &str) -> Option<T> {
        T::deserialize(self.values.get(&self.full(unit))?).ok()
    }

    /// Whether a unit is finished.
    pub fn has(&self, unit: &str) -> bool {
        self.values.contains_key(&self.full(unit))
    }

    /// Adds a finished unit.
    pub fn put(&mut self, unit: &str, value: Value) {
        self.values.insert(self.full(unit), value);
    }

    /// Drops a unit, which is to be computed anew.
    pub fn forget(&mut self, unit: &str) {
        self.values.remove(&self.full(unit));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many there are, of all parts.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// From here on names of units are those of one part of the job.
    pub fn scope(&mut self, scope: &str) {
        scope.clone_into(&mut self.scope);
    }

    /// The part whose units are named.
    pub fn current(&self) -> &str {
        &self.scope
    }

    /// A unit's name among those of all parts.
    pub fn full(&self, unit: &str) -> String {
        format!("{}{unit}", self.scope)
    }

    /// Adds those of `other` that are not there, whatever part they belong to.
    pub fn extend(&mut self, other: &Self) {
        for (name, value) in &other.values {
            self.values.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }

    /// All, by their full names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// Units that one machine computes together, because they follow from each other or share what they need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name, which says all that is needed to compute it.
    pub name: String,
    /// How much work all of it is, whatever is finished.
    pub weight: u64,
    /// How much of that is finished.
    pub done: u64,
    /// How much is still to be done; 0: it is finished.
    pub left: u64,
    /// Cheap, and others follow from it: every machine computes it.
    pub everywhere: bool,
}

impl Group {
    /// A group of units, by their names and how much work each is.
    pub fn of(name: impl Into<String>, members: &[(String, u64)], units: &Units) -> Self {
        let weight = members.iter().map(|(_, weight)| weight).sum();
        let done = members.iter().filter(|(unit, _)| units.has(unit)).map(|(_, weight)| weight).sum();
        Self { name: name.into(), weight, done, left: weight - done, everywhere: false }
    }

    /// A group of a single unit of the same name.
    pub fn single(unit: impl Into<String>, weight: u64, units: &Units) -> Self {
        let unit = unit.into();
        Self::of(unit.clone(), &[(unit, weight)], units)
    }

    /// The same, computed by every machine.
    pub fn everywhere(self) -> Self {
        Self { everywhere: true, ..self }
    }
}

/// Groups of units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they are best computed.
    pub groups: Vec<Group>,
    /// About how much work will follow that is no group yet.
    pub later: u64,
}

impl Plan {
    /// Whether nothing is left to do.
    pub fn is_finished(&self) -> bool {
        self.later == 0 && self.groups.iter().all(|group| group.left == 0)
    }
}

/// Where units come from and go to while a measure computes.
pub trait UnitRunner {
    /// The finished ones.
    fn units(&self) -> &Units;

    /// Keeps a finished unit, which was so much work, and tells how far it is.
    ///
    /// # Errors
    /// It cannot be kept, e.g. because the disk is full; or the user wants to stop.
    fn put(&mut self, unit: &str, value: Value, weight: u64) -> Result<()>;

    /// Drops a finished unit, which is to be computed anew.
    fn forget(&mut self, unit: &str);

    /// A chance to stop, asked often inside long units.
    ///
    /// # Errors
    /// The user wants to stop.
    fn alive(&mut self) -> Result<(), Cancelled>;

    /// As [`UnitRunner::alive`], where so much of the unit in hand is done.
    ///
    /// # Errors
    /// The user wants to stop.
    fn within(&mut self, done: u64) -> Result<(), Cancelled>;

    /// Says how much is left of the group in hand, where that was not known before.
    fn expect(&mut self, left: u64);

    /// A note about the unit in hand, of an earlier process.
    fn note(&self, unit: &str) -> Option<Value>;

    /// Keeps a note about the unit in hand in place of the last one; a finished unit ends all notes.
    ///
    /// # Errors
    /// As [`UnitRunner::put`].
    fn put_note(&mut self, unit: &str, note: Value) -> Result<()>;
}

/// A finished unit, or a fresh one.
///
/// # Errors
/// As `compute`, and [`UnitRunner::put`].
pub fn unit<T: Serialize + DeserializeOwned>(
    runner: &mut dyn UnitRunner,
    name: &str,
    weight: u64,
    compute: impl FnOnce(&mut dyn UnitRunner) -> Result<T>,
) -> Result<T> {
    if let Some(unit) = runner.units().get(name) {
        return Ok(unit);
    }
    let unit = compute(runner)?;
    runner.put(name, serde_json::to_value(&unit).expect("units are plain data"), weight)?;
    Ok(unit)
}

/// A cancel_check for what computes below measures.
pub fn cancel_check<'a>(runner: &'a mut dyn UnitRunner) -> impl FnMut() -> Result<(), Cancelled> + 'a {
    move || runner.alive()
}
