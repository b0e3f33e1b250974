//! The words and tables of a report.

use std::collections::{BTreeMap, BTreeSet};

use basin_core::measure::statistics::{Correlation, Interval, Relation, relate};
use basin_core::record::Record;
use basin_core::study::{State, Table as Numbers, Value, status};

use super::folder::counted;
use crate::cli::source::OfStudy;
use crate::report::{Block, Table};
use crate::settings::command_line;

/// Numbers of the main table, as far as they are measured, with what their columns are called.
const COLUMNS: [(&str, &str); 11] = [
    ("clean_error", "Error (%)"),
    ("robust_error", "Robust error, PGD (%)"),
    ("autoattack_error", "Robust error, AutoAttack (%)"),
    ("robust_loss", "Robust loss"),
    ("train_robust_loss", "Train robust loss"),
    ("robust_gap", "Robust gap"),
    ("average_flatness", "Average flatness"),
    ("worst_flatness", "Worst flatness"),
    ("relative_flatness", "Relative flatness"),
    ("lambda_max", "Largest eigenvalue"),
    ("convexity_ratio", "Convexity ratio"),
];
/// Pairs of numbers whose relation is told.
const EXPLAINING: [&str; 5] =
    ["average_flatness", "worst_flatness", "relative_flatness", "lambda_max", "clean_loss"];
const EXPLAINED: [&str; 4] = ["robust_gap", "robust_loss", "autoattack_error", "robust_error"];

/// How many models, of which groups, and what is measured.
pub fn overview(of: &OfStudy) -> Vec<Block> {
    let OfStudy { study, entries, .. } = of;
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for model in &study.models {
        *groups.entry(model.group.as_deref().unwrap_or("none")).or_default() += 1;
    }
    let has_groups = study.models.iter().any(|model| model.group.is_some());
    let groups: Vec<String> = groups.iter().map(|(group, count)| format!("{group} {count}")).collect();
    let trainings: BTreeSet<_> = study.models.iter().filter_map(|model| model.training.as_ref()).collect();
    let records: usize = entries.models.iter().map(|of| of.records.len()).sum();
    let numbers: usize = study.models.iter().map(|model| model.numbers.len()).sum();
    let mut text = format!(
        "{} of {}, with {}",
        counted(study.models.len(), "model"),
        counted(trainings.len(), "training"),
        counted(records, "record")
    );
    if numbers > 0 {
        text += &format!(" and {} from tables", counted(numbers, "number"));
    }
    text.push('.');
    if has_groups {
        text += &format!(" Models by group: {}.", groups.join(", "));
    }
    let rows = status(study, entries);
    let states: Vec<&State> = rows.iter().flat_map(|row| &row.measures).collect();
    let measured = states.iter().filter(|state| matches!(state, State::Measured { .. })).count();
    let mut blocks = vec![Block::Heading("The study".into()), Block::Text(text)];
    if !states.is_empty() && measured < states.len() {
        blocks.push(Block::Warning(format!(
            "{measured} of {} planned measures are there; the numbers below are of these.",
            states.len()
        )));
    }
    let problems = study.models.iter().zip(&entries.models);
    let problems = problems.flat_map(|(model, of)| of.problems.iter().map(|problem| (&model.name, problem)));
    blocks.extend(problems.map(|(name, problem)| Block::Warning(sentence(&format!("{name}: {problem}")))));
    blocks
}

/// The numbers of all models.
pub fn models(numbers: &Numbers) -> Vec<Block> {
    let known = COLUMNS.iter().filter_map(|(key, words)| Some((numbers.column(key).ok()?, *words)));
    let mut columns: Vec<(usize, String)> = known
        .map(|(column, words)| match numbers.columns[column].key.split_once('@') {
            Some((_, radius)) => (column, format!("{words} (radius {radius})")),
            None => (column, words.to_owned()),
        })
        .collect();
    // Of a table of others, its own numbers.
    if columns.is_empty() {
        columns = numbers.columns.iter().take(8).map(|column| column.key.clone()).enumerate().collect();
    }
    if columns.is_empty() {
        return vec![Block::Text("Nothing is measured yet.".into())];
    }
    let has_groups = numbers.rows.iter().any(|row| row.group.is_some());
    let mut header = vec!["Model".to_owned()];
    header.extend(has_groups.then(|| "Group".to_owned()));
    header.extend(columns.iter().map(|(_, words)| words.clone()));
    let rows = numbers.rows.iter().map(|row| {
        let mut cells = vec![row.name.clone()];
        cells.extend(has_groups.then(|| row.group.clone().unwrap_or_default()));
        cells.extend(
            columns.iter().map(|(column, _)| cell(row.values[*column], numbers.columns[*column].is_share)),
        );
        cells
    });
    let table = Table { rows: rows.collect(), header };
    let robust = "Losses are mean cross-entropies; robust ones are under attack. The gap is the robust loss on test \
         images minus that on training images; flatness is the rise of the robust loss under perturbations of the \
         weights, on average or at worst within the radius.";
    vec![Block::Table(table), Block::Text(robust.into())]
}

/// Four significant digits; shares in percent with one decimal.
fn cell(value: Option<Value>, is_share: bool) -> String {
    let Some(Value { value, .. }) = value else { return String::new() };
    if is_share {
        return format!("{:.1}", 100.0 * value);
    }
    let size = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    minus(&format!("{value:.*}", (3 - size).clamp(0, 6) as usize))
}

/// A number with a minus sign in place of hyphens.
fn minus(number: &str) -> String {
    number.replace('-', "−")
}

/// A relation in a sentence or two.
pub fn in_words(relation: &Relation) -> String {
    let one = |name: &str, of: Correlation| {
        let interval = of.interval.map_or_else(String::new, |i| format!(" (95 % interval {})", ends(i)));
        format!("{name} {:.2}{interval}", of.value)
    };
    let mut words = format!(
        "Over {}: {}, {}, {}",
        counted(relation.n, "model"),
        one("Pearson", relation.pearson),
        one("Spearman", relation.spearman),
        one("Kendall", relation.kendall)
    );
    if let Some(p) = relation.pearson.p {
        words += &format!("; permutation p of Pearson {p:.4}");
    }
    words + "."
}

fn ends(interval: Interval) -> String {
    format!("{:.2} to {:.2}", interval.low, interval.high)
}

/// The relations of all pairs of numbers, and what they rest on.
pub fn relations(numbers: &Numbers) -> Vec<Block> {
    let known =
        |keys: &[&str]| -> Vec<usize> { keys.iter().filter_map(|key| numbers.column(key).ok()).collect() };
    let (mut rows, mut warnings) = (Vec::new(), Vec::<(String, Vec<String>)>::new());
    for y in known(&EXPLAINED) {
        for x in known(&EXPLAINING) {
            let points: Vec<_> = numbers.points(x, y).into_iter().map(|(_, point)| point).collect();
            let Some(relation) = relate(&points) else { continue };
            let with = |of: Correlation| {
                let interval =
                    of.interval.map_or_else(String::new, |i| format!(" [{:.2}, {:.2}]", i.low, i.high));
                minus(&format!("{:.2}{interval}", of.value))
            };
            let [x, y] = [x, y].map(|column| words(&numbers.columns[column].key));
            for warning in &relation.warnings {
                let pair = format!("{y} by {x}");
                match warnings.iter_mut().find(|(known, _)| known == warning) {
                    Some((_, pairs)) => pairs.push(pair),
                    None => warnings.push((warning.clone(), vec![pair])),
                }
            }
            rows.push(vec![
                y,
                x,
                relation.n.to_string(),
                with(relation.pearson),
                with(relation.spearman),
                with(relation.kendall),
                relation.pearson.p.map_or_else(String::new, |p| format!("{p:.4}")),
                relation
                    .within_groups
                    .as_ref()
                    .map_or_else(String::new, |of| minus(&format!("{:.2}", of.pearson))),
            ]);
        }
    }
    if rows.is_empty() {
        return vec![Block::Text(
            "No two numbers are known of at least two models, so there is nothing to correlate.".into(),
        )];
    }
    let header =
        ["Explained", "By", "Models", "Pearson", "Spearman", "Kendall", "p", "Pearson within groups"];
    let about = "Correlations with 95 % bootstrap intervals over models; p is that of a permutation test of Pearson's \
         coefficient.";
    let count = rows.len();
    let mut table = Table { header: header.map(str::to_owned).to_vec(), rows };
    table.without_empty_columns();
    let mut blocks = vec![Block::Text(about.into()), Block::Table(table)];
    blocks.extend(warnings.into_iter().map(|(warning, pairs)| {
        let of = if pairs.len() == count { String::new() } else { format!("{}: ", pairs.join(", ")) };
        Block::Warning(sentence(&(of + &warning)))
    }));
    blocks
}

/// `average flatness (radius 0.5)`.
fn words(key: &str) -> String {
    let (name, radius) = key.split_once('@').unwrap_or((key, ""));
    let name = name.replace('_', " ");
    if radius.is_empty() { name } else { format!("{name} (radius {radius})") }
}

/// How and on what the records were computed; each setting with all its values.
pub fn provenance(of: &OfStudy) -> Vec<Block> {
    let records: Vec<&Record> =
        of.entries.models.iter().flat_map(|of| of.records.iter().map(|(_, record)| record)).collect();
    if records.is_empty() {
        return vec![Block::Text(
            "The numbers are from tables; nothing is known of how they were measured.".into(),
        )];
    }
    let all = |value: &dyn Fn(&Record) -> String| {
        let values: BTreeSet<String> =
            records.iter().map(|record| value(record)).filter(|v| !v.is_empty()).collect();
        values.into_iter().collect::<Vec<_>>().join("; ")
    };
    let precision = |record: &Record| {
        let (search, measure) = (&record.provenance.search_precision, &record.provenance.measure_precision);
        if search.is_empty() { String::new() } else { format!("searched in {search}, measured in {measure}") }
    };
    let data = |record: &Record| {
        let p = &record.provenance;
        match &p.imported {
            Some(imported) => format!("imported from {} files", imported.layout),
            None => format!("{} {} ({})", p.data, record.job.data().examples, p.data_fingerprint),
        }
    };
    let rows = [
        ("Program", all(&|record| record.provenance.version.clone())),
        ("Devices", all(&|record| record.provenance.device.clone())),
        ("Precision", all(&precision)),
        ("Seeds", all(&|record| record.provenance.seed.to_string())),
        ("Images (fingerprint)", all(&data)),
        ("Networks", all(&|record| record.provenance.model.clone())),
        ("Days", all(&|record| record.provenance.started.chars().take(10).collect())),
    ];
    let hours = records.iter().map(|record| record.provenance.duration_s).sum::<f64>() / 3600.0;
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    let mut rows: Vec<Vec<String>> = rows.map(|(name, value)| vec![name.to_owned(), value]).collect();
    rows.push(vec!["Computed".into(), format!("{} in {hours:.2} hours", counted(records.len(), "record"))]);
    let unfinished = records.iter().filter(|record| !record.provenance.complete).count();
    let mut blocks = vec![Block::Table(Table { header: vec!["Setting".into(), "Values".into()], rows })];
    if unfinished > 0 {
        blocks.push(Block::Warning(format!("{} unfinished.", counted(unfinished, "record is"))));
    }
    let hashes = of.study.models.iter().zip(&of.entries.models).filter_map(|(model, of)| {
        let hash: String = of.hash.as_ref()?.chars().take(16).collect();
        let path = model.checkpoint.as_ref().map_or_else(String::new, |path| path.display().to_string());
        Some(vec![model.name.clone(), path, hash])
    });
    let rows: Vec<Vec<String>> = hashes.collect();
    if !rows.is_empty() {
        let header = ["Model", "Checkpoint", "SHA-256, first digits"].map(str::to_owned).to_vec();
        blocks.push(Block::Table(Table { header, rows }));
    }
    blocks
}

/// The commands that compute the numbers again.
pub fn commands(of: &OfStudy, folder: &str) -> Vec<Block> {
    let mut blocks =
        vec![Block::Text("Everything that is planned and not yet measured, for all models:".into())];
    blocks.push(Block::Command(format!("basin study measure {folder}")));
    let lines: Vec<String> = of
        .study
        .measures
        .iter()
        .filter_map(|measure| {
            let line = command_line(&measure.job.clone().on("CHECKPOINT".as_ref()));
            (!line.is_empty()).then(|| format!("{line}    # {}", measure.name))
        })
        .collect();
    if !lines.is_empty() {
        blocks.push(Block::Text("The same of one model, measure by measure:".into()));
        blocks.extend(lines.into_iter().map(Block::Command));
    }
    blocks
}

/// With a full stop; a name at the beginning stays as it is.
pub fn sentence(words: &str) -> String {
    let end = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{words}{end}")
}
