//! `basin study stats`.

use std::fmt::Write as _;

use anyhow::Result;
use basin_core::Error;
use basin_core::measure::statistics::{
    Correlation, Interval, Partial, Point, Relation, SignError, Without, given, relate,
};
use basin_core::study::Table;
use clap::Args;

use super::folder::{FolderArg, columns, load};
use crate::cli::failure::{say, usage};
use crate::cli::printing::print;
use crate::cli::statistics;

/// Options of `basin study stats`.
#[derive(Debug, Args)]
pub struct StatsArgs {
    #[command(flatten)]
    folder: FolderArg,
    /// Explanatory number, by its name in `basin study export --rows model`, such as average_flatness, worst_flatness,
    /// lambda_max, clean_loss; or a column of an imported table.
    #[arg(long, value_name = "NUMBER", default_value = "average_flatness")]
    x: String,
    /// Explained number: robust_loss, robust_gap (test minus training), robust_error, autoattack_error, …
    #[arg(long, value_name = "NUMBER", default_value = "robust_loss")]
    y: String,
    /// Hold this number fixed: partial correlations. Several can be given, one after the other.
    #[arg(long, value_name = "NUMBER")]
    given: Vec<String>,
    /// Leave out this group or model; several can be given.
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// Print as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl StatsArgs {
    pub fn run(self) -> Result<()> {
        let (study, entries) = load(&self.folder.folder)?;
        let table = Table::of(&study, &entries);
        let (x, y) = (table.column(&self.x)?, table.column(&self.y)?);
        for name in &self.without {
            let is_known =
                |model: &basin_core::study::Model| model.name == *name || model.group.as_ref() == Some(name);
            if !study.models.iter().any(is_known) {
                return Err(usage(format!("the study has neither a model nor a group {name:?}")));
            }
        }
        let stays = |point: &Point| {
            !self.without.contains(&point.name)
                && point.group.as_ref().is_none_or(|group| !self.without.contains(group))
        };
        let pairs: Vec<(usize, Point)> =
            table.points(x, y).into_iter().filter(|(_, point)| stays(point)).collect();
        let points: Vec<Point> = pairs.iter().map(|(_, point)| point.clone()).collect();
        let (x_name, y_name) = (&table.columns[x].key, &table.columns[y].key);
        let mut relation = relate(&points).ok_or_else(|| {
            Error::invalid(format!(
                "{} of {} models have both {x_name} and {y_name}; a correlation needs at least 2 that differ in both",
                points.len(),
                table.rows.len()
            ))
        })?;
        for name in &self.given {
            let z = table.column(name)?;
            let value = |row: usize| table.rows[row].values[z].map_or(f64::NAN, |value| value.value);
            let values: Vec<f64> = pairs.iter().map(|(row, _)| value(*row)).collect();
            match given(&points, &table.columns[z].key, &values) {
                Some(partial) => relation.given.push(partial),
                None => {
                    say(format!("note: given {name} nothing is left to correlate, or too few models have it"))
                }
            }
        }
        let left = table.rows.len() - points.len() - self.left_out(&table);
        if left > 0 {
            say(format!("note: {left} of {} models lack one of the two numbers", table.rows.len()));
        }
        if self.json {
            let value = statistics::of(x_name, y_name, points.len(), Some(&relation));
            return print(&format!("{value:#}\n"));
        }
        print(&text(x_name, y_name, &relation))?;
        relation.warnings.iter().for_each(|warning| say(format!("warning: {warning}")));
        Ok(())
    }

    fn left_out(&self, table: &Table) -> usize {
        let is_out = |row: &&basin_core::study::ModelRow| {
            self.without.contains(&row.name)
                || row.group.as_ref().is_some_and(|group| self.without.contains(group))
        };
        table.rows.iter().filter(is_out).count()
    }
}

/// The relation for people.
fn text(x: &str, y: &str, relation: &Relation) -> String {
    let mut out = format!("{y} over {x}, {} models; intervals are at the 95 % level\n\n", relation.n);
    let mut rows = vec![
        ["", "value", "over models", "with measurement errors", "permutation p"].map(str::to_owned).to_vec(),
    ];
    let all = [("Pearson", relation.pearson), ("Spearman", relation.spearman), ("Kendall", relation.kendall)];
    for (name, Correlation { value, interval, interval_with_errors, p }) in all {
        let p = p.map_or_else(dash, |p| format!("{p:.4}"));
        rows.push(vec![name.into(), number(value), ends(interval), ends(interval_with_errors), p]);
    }
    let line = &relation.fit;
    out += &columns(&rows);
    let _ = writeln!(
        out,
        "\nleast squares: {y} = {:.4} + {:.4} × {x}, slope {}",
        line.line.intercept,
        line.line.slope,
        ends(line.slope_interval)
    );
    if let Some(signs) = &relation.sign_error {
        let of = |error: &SignError| format!("{} over {} pairs", number(error.value), error.pairs);
        let _ = write!(out, "sign error: {}", of(&signs.all));
        if let Some(coupled) = &signs.coupled {
            let _ = write!(out, "; coupled (within groups) {}", of(coupled));
        }
        if let Some((group, worst)) = &signs.worst {
            let _ = write!(out, "; largest {} ({group})", of(worst));
        }
        out.push('\n');
    }
    let partials: Vec<&Partial> = relation.within_groups.iter().chain(&relation.given).collect();
    if !partials.is_empty() {
        let header = ["given", "Pearson", "", "Spearman", "", "n"].map(str::to_owned).to_vec();
        let row = |p: &&Partial| {
            vec![
                p.given.clone(),
                number(p.pearson),
                ends(p.pearson_interval),
                number(p.spearman),
                ends(p.spearman_interval),
                p.n.to_string(),
            ]
        };
        let rows: Vec<Vec<String>> = std::iter::once(header).chain(partials.iter().map(row)).collect();
        let _ = write!(out, "\n{}", columns(&rows));
    }
    let without: Vec<&Without> = relation.without_group.iter().chain(&relation.without_model).collect();
    if !without.is_empty() {
        let header = ["without", "Pearson", "Spearman", "Kendall", "n"].map(str::to_owned).to_vec();
        let value = |value: Option<f64>| value.map_or_else(dash, number);
        let row = |w: &&Without| {
            vec![w.left_out.clone(), value(w.pearson), value(w.spearman), value(w.kendall), w.n.to_string()]
        };
        let rows: Vec<Vec<String>> = std::iter::once(header).chain(without.iter().map(row)).collect();
        let _ = write!(out, "\n{}", columns(&rows));
    }
    out
}

fn dash() -> String {
    "–".into()
}

fn number(value: f64) -> String {
    format!("{value:.3}")
}

fn ends(interval: Option<Interval>) -> String {
    interval.map_or_else(dash, |i| format!("[{:.3}, {:.3}]", i.low, i.high))
}
