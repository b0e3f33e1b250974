//! Which numbers of a study have a column, and how they are written.

use basin_core::study::{Column, Value};
use eframe::egui::Ui;

use crate::plot::{text, ticks};
use crate::study::Seen;
use crate::ui::study::settings::StudySettings;

/// Numbers that have a column unless one asks otherwise, besides those of tables.
const USUAL: [&str; 9] = [
    "clean_error",
    "robust_loss",
    "robust_error",
    "autoattack_error",
    "robust_gap",
    "average_flatness",
    "worst_flatness",
    "relative_flatness",
    "lambda_max",
];
/// Numbers that a study's own records can have; others come from tables.
const OWN: [&str; 6] = ["clean_", "robust_", "train_", "average_", "worst_", "autoattack"];
const OWN_NAMES: [&str; 5] = ["lambda_min", "lambda_max", "trace", "convexity_ratio", "relative_flatness"];

fn is_usual(key: &str) -> bool {
    let name = key.split('@').next().unwrap_or(key);
    let is_own = OWN.iter().any(|start| name.starts_with(start)) || OWN_NAMES.contains(&name);
    USUAL.contains(&name) || !is_own
}

/// Whether a number has a column.
pub fn is_shown(key: &str, settings: &StudySettings) -> bool {
    let named = |keys: &[String]| keys.iter().any(|other| other == key);
    named(&settings.shown) || (is_usual(key) && !named(&settings.hidden))
}

/// Shows a column, or hides it.
fn set(settings: &mut StudySettings, key: &str, show: bool) {
    settings.shown.retain(|other| other != key);
    settings.hidden.retain(|other| other != key);
    match (show, is_usual(key)) {
        (true, false) => settings.shown.push(key.to_owned()),
        (false, true) => settings.hidden.push(key.to_owned()),
        _ => {}
    }
}

/// Numbers of the columns that are shown.
pub fn shown(seen: &Seen, settings: &StudySettings) -> Vec<usize> {
    let columns = seen.table.columns.iter().enumerate();
    columns.filter(|(_, column)| is_shown(&column.key, settings)).map(|(i, _)| i).collect()
}

/// The menu in which columns are chosen.
pub fn menu_ui(ui: &mut Ui, seen: &Seen, settings: &mut StudySettings) {
    ui.set_min_width(200.0);
    if seen.table.columns.is_empty() {
        ui.label("Nothing has been measured yet.");
    }
    for column in &seen.table.columns {
        let mut show = is_shown(&column.key, settings);
        if ui.checkbox(&mut show, title(&column.key)).changed() {
            set(settings, &column.key, show);
        }
    }
    ui.separator();
    if ui.button("Usual columns").clicked() {
        (settings.shown, settings.hidden) = Default::default();
    }
    if ui.button("All columns").clicked() {
        seen.table.columns.iter().for_each(|column| set(settings, &column.key, true));
    }
}

/// A number's name for people: `Average flatness, 0.5`.
pub fn title(key: &str) -> String {
    let (name, radius) = key.split_once('@').unwrap_or((key, ""));
    let known = match name {
        "lambda_max" => "λ max".to_owned(),
        "lambda_min" => "λ min".to_owned(),
        "autoattack_error" => "AutoAttack error".to_owned(),
        name => {
            let words = name.replace('_', " ");
            let mut letters = words.chars();
            letters
                .next()
                .map_or_else(String::new, |c| c.to_uppercase().collect::<String>() + letters.as_str())
        }
    };
    if radius.is_empty() { known } else { format!("{known}, {radius}") }
}

/// A number as it stands in the table: `0.3127`, `55.2 %`.
pub fn number_words(value: f64, column: &Column) -> String {
    if column.is_share {
        return format!("{:.1} %", 100.0 * value);
    }
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        return text::plain(&ticks::readable(value));
    }
    let whole = if size < 1.0 { 0 } else { size.log10().floor() as usize };
    let decimals = 4_usize.saturating_sub(whole.max(1) - 1).min(4);
    format!("{value:.decimals$}")
}

/// A number with its interval: `0.3127 [0.28, 0.34]`.
pub fn with_interval(value: Value, column: &Column) -> String {
    let words = number_words(value.value, column);
    match value.interval {
        Some(interval) => {
            let ends = [interval.low, interval.high].map(|end| number_words(end, column));
            format!("{words}, 95 % interval {} to {}", ends[0], ends[1])
        }
        None => words,
    }
}
