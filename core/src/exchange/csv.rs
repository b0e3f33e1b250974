//! CSV: a row for each grid point, `x,y,loss` with or without an error, or `x,loss` of a curve.
//!
//! Names of columns say what they are: `x`, `y`, and what contains `loss` or `error`; `robust` in it makes it robust.
//! `#` begins a comment. Missing rows, empty cells and `nan` are holes.

use std::collections::BTreeMap;

use super::table::{Cells, Layer, MOST_CELLS, Table, finite};

/// At least this share of the points of a grid must be there: what is sparser is no grid.
const LEAST_FILLED: f64 = 0.1;

/// Which column holds what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    X,
    Y,
    Loss { robust: bool },
    Error { robust: bool },
}

impl Column {
    /// `errors`: columns that are named by their images alone hold errors.
    fn of(name: &str, errors: bool) -> Option<Self> {
        let name = name.trim_start_matches('\u{feff}').to_lowercase();
        let robust = name.contains("robust") || name.contains("adversarial");
        match name.as_str() {
            "x" | "xcoordinates" | "step" => Some(Self::X),
            "y" | "ycoordinates" => Some(Self::Y),
            name if name.contains("loss") => Some(Self::Loss { robust }),
            name if name.contains("err") => Some(Self::Error { robust }),
            // As in curves that Basin writes.
            "clean" | "robust" if errors => Some(Self::Error { robust }),
            "clean" | "robust" => Some(Self::Loss { robust }),
            _ => None,
        }
    }
}

/// What a row says.
struct Row {
    x: f64,
    y: f64,
    /// Of all columns.
    values: Vec<Option<f64>>,
}

/// Reads a table.
///
/// # Errors
/// A sentence that says which line or column is wrong.
pub(super) fn read(bytes: &[u8]) -> Result<Table, String> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| "is no CSV table: it is not text in UTF-8".to_owned())?;
    let first = text.lines().find(|line| !line.starts_with('#') && !line.trim().is_empty()).unwrap_or("");
    let separator = [',', ';', '\t'].into_iter().rev().max_by_key(|s| first.matches(*s).count());
    let separator = separator.unwrap_or(',');
    let is_error = |line: &str| line.starts_with("# y:") && line.to_lowercase().contains("error");
    let errors = text.lines().take_while(|line| line.starts_with('#')).any(is_error);
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let mut rows = lines.filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    let Some((_, names)) = rows.next() else { return Err("is empty".into()) };
    let names = cells_of(names, separator);
    let columns: Vec<Option<Column>> = names.iter().map(|name| Column::of(name, errors)).collect();
    let at = |wanted: Column| columns.iter().position(|column| *column == Some(wanted));
    let has_loss = columns.iter().any(|column| matches!(column, Some(Column::Loss { .. })));
    let (Some(x), true) = (at(Column::X), has_loss) else {
        let found: Vec<&str> = names.iter().take(8).map(String::as_str).collect();
        return Err(format!(
            "has the columns {}; a landscape needs x, y (of a surface) and loss, in the first line",
            found.join(", ")
        ));
    };
    let y = at(Column::Y);
    let mut points: Vec<Row> = Vec::new();
    for (line, row) in rows {
        let row = cells_of(row, separator);
        if row.len() > names.len() {
            return Err(format!("has {} cells in line {line}, but {} columns", row.len(), names.len()));
        }
        let number = |column: usize| -> Result<Option<f64>, String> {
            match row.get(column).map_or("", String::as_str) {
                "" => Ok(None),
                text if text.eq_ignore_ascii_case("nan") || text.eq_ignore_ascii_case("null") => Ok(None),
                text => match text.parse::<f64>() {
                    Ok(value) => Ok(finite(value)),
                    Err(_) => Err(format!(
                        "has {text:?} in line {line}, column {}, where a number should be",
                        &names[column]
                    )),
                },
            }
        };
        let step = |column: usize| {
            number(column)?
                .ok_or_else(|| format!("has no {} in line {line}; each row needs its step", &names[column]))
        };
        let values = (0..names.len())
            .map(|column| if columns[column].is_some() { number(column) } else { Ok(None) })
            .collect::<Result<Vec<_>, _>>()?;
        points.push(Row { x: step(x)?, y: y.map_or(Ok(0.0), step)?, values });
    }
    if points.is_empty() {
        return Err("has a first line but no grid points below it".into());
    }
    let axis = |of: fn(&Row) -> f64| -> Vec<f64> {
        // -0 and 0 are one step.
        let mut steps: Vec<f64> = points.iter().map(|point| of(point) + 0.0).collect();
        steps.sort_by(f64::total_cmp);
        steps.dedup();
        steps
    };
    let (xs, ys) = (axis(|row| row.x), axis(|row| row.y));
    let count = xs.len().saturating_mul(ys.len());
    if count > MOST_CELLS || (points.len() as f64) < LEAST_FILLED * count as f64 {
        return Err(format!(
            "has {} points at {} different x and {} different y, which is no grid; write one row for every pair of steps",
            points.len(),
            xs.len(),
            ys.len()
        ));
    }
    let place = |steps: &[f64], step: f64| steps.partition_point(|other| *other < step);
    let mut cells: BTreeMap<Column, Cells> = BTreeMap::new();
    let mut taken = vec![false; count];
    for Row { x: px, y: py, values } in &points {
        let point = place(&ys, *py) * xs.len() + place(&xs, *px);
        if std::mem::replace(&mut taken[point], true) {
            return Err(match y {
                Some(_) => format!("has the point x {px}, y {py} twice"),
                None => format!("has the point x {px} twice; a surface needs a column y"),
            });
        }
        for (column, value) in columns.iter().zip(values) {
            if let Some(column @ (Column::Loss { .. } | Column::Error { .. })) = column {
                let of = cells.entry(*column).or_insert_with(|| vec![None; count]);
                of[point] = of[point].or(*value);
            }
        }
    }
    let mut layer = |robust: bool| {
        let loss = cells.remove(&Column::Loss { robust })?;
        Some(Layer { loss, error: cells.remove(&Column::Error { robust }).map(shares) })
    };
    Ok(Table {
        layout: "CSV table",
        clean: layer(false),
        robust: layer(true),
        x: xs,
        y: y.map(|_| ys),
        cosine: None,
        warnings: Vec::new(),
    })
}

/// The cells of a line, without space around them; quotes make one cell of what they enclose.
fn cells_of(line: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for letter in line.trim_start_matches('\u{feff}').chars() {
        match letter {
            '"' => quoted = !quoted,
            letter if letter == separator && !quoted => cells.push(String::new()),
            letter => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(letter);
                }
            }
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// Errors as shares: larger values than 1 are percent.
fn shares(mut errors: Cells) -> Cells {
    if errors.iter().flatten().any(|error| *error > 1.0) {
        errors.iter_mut().flatten().for_each(|error| *error /= 100.0);
    }
    errors
}
