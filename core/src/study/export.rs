//! A study as a file: CSV and JSON for programs, LaTeX (booktabs) and Markdown for papers.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use serde_json::{Map, json};

use super::quantities::Value;
use super::table::Table;
use super::{Entries, Model, Study};
use crate::error::{Error, Result};
use crate::record::{Quantity, Record, attacks};

/// Formats by the endings of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// Comma-separated values.
    Csv,
    /// A list of objects.
    Json,
    /// A tabular with the rules of booktabs.
    Tex,
    /// A table of GitHub's Markdown.
    Markdown,
}

impl TableFormat {
    /// What the ending of a file says.
    ///
    /// # Errors
    /// It is none of these.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        ending.parse().map_err(|reason: String| Error::file(path, reason))
    }
}

impl FromStr for TableFormat {
    type Err = String;

    fn from_str(ending: &str) -> std::result::Result<Self, String> {
        match ending {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            "tex" => Ok(Self::Tex),
            "md" => Ok(Self::Markdown),
            _ => Err("has an ending that says no format of tables; use .csv, .json, .tex or .md".into()),
        }
    }
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Text(String),
    Number(f64),
    /// Shown in percent where people read.
    Share(f64),
    Whole(usize),
    Empty,
}

/// Numbers of the network as it is stand before others.
const FIRST: [&str; 4] = ["clean_loss", "clean_error", "robust_loss", "robust_error"];

struct Cells {
    header: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

/// A row for each model, a column for each number; in CSV and JSON with the ends of intervals
/// in `…_low` and `…_high`.
pub fn write_models(table: &Table, format: TableFormat) -> String {
    let exact = matches!(format, TableFormat::Csv | TableFormat::Json);
    let grouped = exact || table.rows.iter().any(|row| row.group.is_some());
    let mut header: Vec<String> = vec!["model".into()];
    header.extend(grouped.then(|| "group".into()));
    header.extend(exact.then(|| "training".into()));
    let has_interval = |i: usize| {
        exact && table.rows.iter().any(|row| row.values[i].is_some_and(|value| value.interval.is_some()))
    };
    for (i, column) in table.columns.iter().enumerate() {
        header.push(column.key.clone());
        if has_interval(i) {
            header.extend(["low", "high"].map(|end| format!("{}_{end}", column.key)));
        }
    }
    let rows = table.rows.iter().map(|row| {
        let mut cells = vec![Cell::Text(row.name.clone())];
        cells.extend(grouped.then(|| text(row.group.as_deref())));
        cells.extend(exact.then(|| text(row.training.as_deref())));
        for (i, (column, value)) in table.columns.iter().zip(&row.values).enumerate() {
            let cell = |value: Option<f64>| match value {
                Some(value) if column.is_share => Cell::Share(value),
                Some(value) => Cell::Number(value),
                None => Cell::Empty,
            };
            cells.push(cell(value.map(|value: Value| value.value)));
            if has_interval(i) {
                let interval = value.and_then(|value| value.interval);
                cells.extend([cell(interval.map(|i| i.low)), cell(interval.map(|i| i.high))]);
            }
        }
        cells
    });
    written(&Cells { rows: rows.collect(), header }, format)
}

/// A row for each model and measure, that is for each record, with all numbers that stand first in it.
pub fn write_records(study: &Study, entries: &Entries, format: TableFormat) -> String {
    let exact = matches!(format, TableFormat::Csv | TableFormat::Json);
    let fixed: &[&str] = if exact {
        &["model", "group", "training", "measure", "settings", "split", "images", "attack", "record"]
    } else {
        &["model", "measure", "settings", "images"]
    };
    let mut header: Vec<String> = fixed.iter().map(|name| (*name).to_owned()).collect();
    let mut rows: Vec<(Vec<Cell>, BTreeMap<String, Cell>)> = Vec::new();
    for (model, of) in study.models.iter().zip(&entries.models) {
        for (path, record) in &of.records {
            for part in record.parts() {
                let numbers = headline(&part, exact);
                for (name, _) in &numbers {
                    if !header.contains(name) {
                        header.push(name.clone());
                    }
                }
                rows.push((described(model, path, &part, exact), numbers.into_iter().collect()));
            }
        }
    }
    let first = |name: &String| FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len());
    header[fixed.len()..].sort_by_key(first);
    let rows = rows.into_iter().map(|(mut cells, mut numbers)| {
        cells.extend(header[fixed.len()..].iter().map(|name| numbers.remove(name).unwrap_or(Cell::Empty)));
        cells
    });
    written(&Cells { rows: rows.collect(), header: header.clone() }, format)
}

fn described(model: &Model, path: &Path, record: &Record, exact: bool) -> Vec<Cell> {
    let summary = record.job.summary();
    let examples = record.job.data().examples;
    let settings = Cell::Text(summary.details.join(", "));
    if !exact {
        let images = Cell::Text(examples.to_string());
        return vec![Cell::Text(model.name.clone()), Cell::Text(summary.title), settings, images];
    }
    let training = model.training.as_ref().map(|path| path.display().to_string());
    vec![
        Cell::Text(model.name.clone()),
        text(model.group.as_deref()),
        text(training.as_deref()),
        Cell::Text(summary.title),
        settings,
        Cell::Text(examples.split.to_string()),
        Cell::Whole(examples.len()),
        text(attacks::words(record).as_deref()),
        Cell::Text(path.display().to_string()),
    ]
}

/// Clean and robust loss and error, then what the measure gives besides.
fn headline(record: &Record, intervals: bool) -> Vec<(String, Cell)> {
    let headline = record.headline();
    let mut all: Vec<(String, Cell)> = Vec::new();
    for (name, point) in [("clean", headline.clean), ("robust", headline.robust)] {
        if let Some(point) = point {
            all.push((format!("{name}_loss"), Cell::Number(point.loss)));
            all.push((format!("{name}_error"), Cell::Share(point.error)));
        }
    }
    for number in &headline.numbers {
        let at = number
            .at
            .as_ref()
            .map_or_else(String::new, |at| format!("@{}", at.trim_start_matches("radius ")));
        let name = number.name.replace(' ', "_") + &at;
        if all.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let cell =
            |value| if number.quantity == Quantity::Share { Cell::Share(value) } else { Cell::Number(value) };
        all.push((name.clone(), cell(number.value)));
        if let (Some([low, high]), true) = (number.interval, intervals) {
            all.push((format!("{name}_low"), cell(low)));
            all.push((format!("{name}_high"), cell(high)));
        }
    }
    all
}

fn text(text: Option<&str>) -> Cell {
    text.map_or(Cell::Empty, |text| Cell::Text(text.to_owned()))
}

fn written(cells: &Cells, format: TableFormat) -> String {
    match format {
        TableFormat::Csv => csv(cells),
        TableFormat::Json => to_json(cells),
        TableFormat::Tex => tex(cells),
        TableFormat::Markdown => markdown(cells),
    }
}

fn csv(cells: &Cells) -> String {
    let quoted = |text: &str| {
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let cell = |cell: &Cell| match cell {
        Cell::Text(text) => quoted(text),
        Cell::Number(value) | Cell::Share(value) => value.to_string(),
        Cell::Whole(count) => count.to_string(),
        Cell::Empty => String::new(),
    };
    let header: Vec<String> = cells.header.iter().map(|name| quoted(name)).collect();
    let rows = cells.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(","));
    let lines: Vec<String> = std::iter::once(header.join(",")).chain(rows).collect();
    lines.join("\n") + "\n"
}

fn to_json(cells: &Cells) -> String {
    let row = |row: &Vec<Cell>| {
        let mut object = Map::new();
        for (name, cell) in cells.header.iter().zip(row) {
            let value = match cell {
                Cell::Text(text) => json!(text),
                Cell::Number(value) | Cell::Share(value) => json!(value),
                Cell::Whole(count) => json!(count),
                Cell::Empty => continue,
            };
            object.insert(name.clone(), value);
        }
        serde_json::Value::Object(object)
    };
    let rows: Vec<serde_json::Value> = cells.rows.iter().map(row).collect();
    serde_json::to_string_pretty(&rows).expect("cells are plain data") + "\n"
}

/// A number as people read it: four significant digits, shares in percent with one decimal.
fn readable(cell: &Cell, percent: &str) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Share(value) => format!("{:.1}{percent}", 100.0 * value),
        Cell::Whole(count) => count.to_string(),
        Cell::Empty => String::new(),
        Cell::Number(value) => {
            let size = if *value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
            let decimals = (3 - size).clamp(0, 6) as usize;
            format!("{value:.decimals$}")
        }
    }
}

/// Columns of shares, by what their cells are.
fn is_share(cells: &Cells, column: usize) -> bool {
    cells.rows.iter().any(|row| matches!(row[column], Cell::Share(_)))
}

fn title(cells: &Cells, column: usize) -> String {
    let words = cells.header[column].replace('_', " ").replace('@', " at ");
    let mut letters = words.chars();
    let title: String =
        letters.next().map(|c| c.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default();
    if is_share(cells, column) { title + " (%)" } else { title }
}

fn is_text(cells: &Cells, column: usize) -> bool {
    cells.rows.iter().all(|row| matches!(row[column], Cell::Text(_) | Cell::Empty))
}

fn markdown(cells: &Cells) -> String {
    let escaped = |text: String| text.replace('|', "\\|");
    let columns = 0..cells.header.len();
    let line = |texts: Vec<String>| format!("| {} |\n", texts.join(" | "));
    let header = line(columns.clone().map(|i| escaped(title(cells, i))).collect());
    let rule = line(columns.map(|i| if is_text(cells, i) { "---".into() } else { "---:".into() }).collect());
    let rows =
        cells.rows.iter().map(|row| line(row.iter().map(|cell| escaped(readable(cell, ""))).collect()));
    header + &rule + &rows.collect::<String>()
}

fn tex(cells: &Cells) -> String {
    let columns = 0..cells.header.len();
    let kinds: String = columns.clone().map(|i| if is_text(cells, i) { 'l' } else { 'r' }).collect();
    let line = |texts: Vec<String>| format!("{} \\\\\n", texts.join(" & "));
    let header = line(columns.map(|i| latex(&title(cells, i))).collect());
    let number = |cell: &Cell| match cell {
        Cell::Text(text) => latex(text),
        cell => readable(cell, "").replace('-', "$-$"),
    };
    let rows: String = cells.rows.iter().map(|row| line(row.iter().map(number).collect())).collect();
    format!(
        "% \\usepackage{{booktabs}}\n\\begin{{tabular}}{{{kinds}}}\n\\toprule\n{header}\\midrule\n{rows}\\bottomrule\n\\end{{tabular}}\n"
    )
}

/// Text for LaTeX.
fn latex(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out += "\\textbackslash{}",
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '~' => out += "\\textasciitilde{}",
            '^' => out += "\\textasciicircum{}",
            '−' => out += "$-$",
            '×' => out += "$\\times$",
            'ε' => out += "$\\varepsilon$",
            'λ' => out += "$\\lambda$",
            'τ' => out += "$\\tau$",
            'ξ' => out += "$\\xi$",
            c => out.push(c),
        }
    }
    out
}
