//! Tables as studies: a line for each model, with its name, perhaps its group, and numbers.

use std::collections::BTreeSet;
use std::path::Path;

use super::imported::Imported;
use crate::error::{Error, Result};
use crate::files::read_text;
use crate::study::{FORMAT, Model, Study, file_name};

/// Names of the column of names, of the column of groups and of the column of trainings.
const NAMES: [&str; 5] = ["name", "model", "label", "method", "config_id"];
const GROUPS: [&str; 3] = ["group", "family", "legend"];
const TRAININGS: [&str; 2] = ["training", "run"];
/// Names of groups that are none.
const OTHERS: [&str; 2] = ["other", "others"];

/// The study of a CSV file: comma, semicolon or tab between cells, the first line with the names of columns. Columns of
/// numbers are the models' numbers; without a column of groups, lines of one name are a group. Other columns of words are left out, with a note.
///
/// # Errors
/// The file cannot be read, has no column of names or of numbers, or a line with more cells than columns.
pub fn table(path: &Path) -> Result<Imported> {
    let text = read_text(path, "a table")?;
    let wrong = |reason: String| Error::file(path, reason);
    let mut lines = rows(&text).map_err(wrong)?.into_iter();
    let header = lines.next().map(|(_, cells)| cells).unwrap_or_default();
    let find = |known: &[&str]| {
        known
            .iter()
            .find_map(|name| header.iter().position(|column| column.trim().eq_ignore_ascii_case(name)))
    };
    let Some(name) = find(&NAMES) else {
        let there = header.iter().map(|column| column.trim()).collect::<Vec<_>>().join(", ");
        return Err(wrong(format!("has no column of names among {there}; call one name, model or label")));
    };
    let (group, training) = (find(&GROUPS), find(&TRAININGS));
    let lines: Vec<(usize, Vec<String>)> = lines.collect();
    for (number, cells) in &lines {
        if cells.len() > header.len() {
            let (found, expected) = (cells.len(), header.len());
            return Err(wrong(format!(
                "has {found} cells in line {number}, but {expected} columns; mend that line"
            )));
        }
    }
    let cell = |cells: &[String], column: usize| cells.get(column).map_or("", |cell| cell.trim()).to_owned();
    let number = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    let is_empty = |text: &str| {
        text.is_empty() || ["nan", "na", "n/a", "none", "-", "null"].contains(&&*text.to_lowercase())
    };
    let special = [Some(name), group, training];
    let (mut numbers, mut notes) = (Vec::new(), Vec::new());
    for column in (0..header.len()).filter(|column| !special.contains(&Some(*column))) {
        let values: Vec<String> = lines.iter().map(|(_, cells)| cell(cells, column)).collect();
        let title = header[column].trim().to_owned();
        match values.iter().position(|text| !is_empty(text) && number(text).is_none()) {
            None if values.iter().any(|text| number(text).is_some()) => numbers.push((column, title)),
            None => {}
            Some(at) => notes.push(format!(
                "column {title} is left out: {:?} in line {} is no number",
                values[at], lines[at].0
            )),
        }
    }
    if numbers.is_empty() {
        return Err(wrong("has no column of numbers".into()));
    }
    let called: Vec<String> = lines.iter().map(|(_, cells)| cell(cells, name)).collect();
    let repeated = called.iter().collect::<BTreeSet<_>>().len() < called.len();
    let mut study = Study { format: FORMAT, ..Study::default() };
    for (_, cells) in &lines {
        let words =
            |column: Option<usize>| column.map(|column| cell(cells, column)).filter(|text| !is_empty(text));
        let called = words(Some(name)).unwrap_or_else(|| format!("model {}", study.models.len() + 1));
        // Without a column of groups, lines of one name are a group; others are none.
        let group = if group.is_none() && repeated { Some(called.clone()) } else { words(group) };
        let group = group.filter(|group| !OTHERS.contains(&&*group.to_lowercase()));
        let taken = |name: &str| study.models.iter().any(|model| file_name(&model.name) == file_name(name));
        let called = std::iter::once(called.clone())
            .chain((2..).map(|number| format!("{called} ({number})")))
            .find(|name| !taken(name))
            .unwrap_or_default();
        let values = numbers
            .iter()
            .filter_map(|(column, title)| Some((title.clone(), number(&cell(cells, *column))?)));
        study.models.push(Model {
            name: called,
            group,
            training: words(training).map(Into::into),
            numbers: values.collect(),
            ..Model::default()
        });
    }
    if study.models.is_empty() {
        return Err(wrong("has a header and no line with a model".into()));
    }
    Ok(Imported { study, records: 0, notes })
}

/// Lines with their numbers from 1 and their cells; empty lines and those that begin with `#` are left out.
fn rows(text: &str) -> std::result::Result<Vec<(usize, Vec<String>)>, String> {
    let first =
        text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    let count = |mark: &char| first.chars().filter(|c| c == mark).count();
    let separator = ['\t', ';', ','].into_iter().max_by_key(count).unwrap_or(',');
    let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut whole = line.to_owned();
        // A cell in quotation marks may go on in the next line.
        while whole.matches('"').count() % 2 == 1 {
            let Some((_, next)) = lines.next() else {
                return Err(format!("has a quotation mark in line {} that is never closed", number + 1));
            };
            whole = format!("{whole}\n{next}");
        }
        rows.push((number + 1, cells(&whole, separator)));
    }
    Ok(rows)
}

/// The cells of a line; those in quotation marks may hold the separator, and a mark twice for one.
fn cells(line: &str, separator: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            c if c == separator && !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}
