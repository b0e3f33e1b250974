//! The registry of figures: a line for each kind. What a kind is stands in its file, as a [`Figure`].

use basin_core::record::{Outcome, Record};

use super::figure::Figure;
use super::{
    attack, attack_steps, curvature, epochs, evaluation, flatness, landscape, landscapes, merge_tree,
    scatter, spectrum, training,
};
use crate::surface_picture;

/// Every figure, in the order of the help.
pub const ALL: &[&Figure] = &[
    &landscape::FIGURE,
    &landscapes::FIGURE,
    &surface_picture::FIGURE,
    &surface_picture::OVERLAID,
    &surface_picture::TURNTABLE,
    &merge_tree::FIGURE,
    &curvature::FIGURE,
    &evaluation::FIGURE,
    &attack::FIGURE,
    &attack_steps::FIGURE,
    &spectrum::FIGURE,
    &flatness::FIGURE,
    &flatness::LAYERS,
    &scatter::FIGURE,
    &epochs::FIGURE,
    &training::FIGURE,
    &training::RATES,
    &training::NORMS,
];

/// The figure of a name.
pub fn named(name: &str) -> Option<&'static Figure> {
    ALL.iter().copied().find(|figure| figure.name == name)
}

/// The figure that is usually drawn of a record.
pub fn of_record(record: &Record) -> &'static Figure {
    if matches!(record.outcome, Outcome::Benchmark(_)) {
        return &scatter::FIGURE;
    }
    let usual = ALL.iter().copied().find(|figure| figure.is_usual && figure.takes(record));
    // Its error says what the record is.
    usual.unwrap_or(&landscape::FIGURE)
}

/// The figure that suits records.
pub fn of_records(records: &[&Record]) -> &'static Figure {
    let has = |kind: fn(&Outcome) -> bool| records.iter().any(|record| kind(&record.outcome));
    let is_pair = has(|o| matches!(o, Outcome::Flatness(_))) && has(|o| matches!(o, Outcome::Evaluate(_)));
    match records.first() {
        Some(first) if !is_pair => of_record(first),
        _ => &scatter::FIGURE,
    }
}
