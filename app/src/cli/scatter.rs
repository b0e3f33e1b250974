//! `basin plot --figure scatter`: many models in one figure.

use anyhow::{Result, anyhow};
use basin_core::job::{Case, FlatnessLoss};
use basin_core::record::Record;
use basin_core::settings::number;
use basin_core::study::{Entries, Study, Table};
use clap::builder::ValueParser;
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::failure::usage;
use super::statistics;
use super::word::word;
use crate::plot::scatter::{self, Choice, Look, Quantity};
use crate::plot::{Plot, text};

/// What the scatter shows.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Scatter")]
pub struct ScatterArgs {
    /// A built-in example instead of records: the 29 models published with the paper.
    #[arg(long, value_enum, conflicts_with = "records")]
    pub example: Option<Example>,
    /// Flatness of the robust loss (the default) or of the clean one.
    #[arg(long, value_name = "LOSS", value_parser = ValueParser::new(word::<FlatnessLoss>))]
    pub flatness: Option<FlatnessLoss>,
    /// average (the default) or worst.
    #[arg(long, value_parser = ValueParser::new(word::<Case>))]
    pub case: Option<Case>,
    /// Radius of the flatness; without it the paper's if it was measured, else what most models have.
    #[arg(long, value_name = "R", value_parser = ValueParser::new(number))]
    pub radius: Option<f64>,
    /// Robust loss on test images (loss, the default), test minus training (gap), or robust error on test images (error);
    /// of a study any of its numbers, such as train_robust_loss (`basin study export --rows model` has them).
    #[arg(long, value_name = "loss|gap|error|NUMBER")]
    pub y: Option<String>,
    /// Of a study: any of its numbers in place of flatness, such as lambda_max.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["flatness", "case", "radius"])]
    pub x: Option<String>,
    /// Logarithmic flatness (--log: logarithmic values).
    #[arg(long)]
    pub log_x: bool,
    /// Least squares line: none, line (the default), or band, the line with its 95 % confidence band.
    #[arg(long, value_enum)]
    pub fit: Option<FitArg>,
    /// Leave out the names beside the points.
    #[arg(long)]
    pub no_labels: bool,
    /// Group of a model, in the order of the models (--name names them); without it, the architecture.
    #[arg(long = "group", value_name = "NAME")]
    pub groups: Vec<String>,
}

/// Built-in examples.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Example {
    /// The 29 models published with the paper.
    Paper,
}

/// How the least squares line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FitArg {
    /// Not at all.
    None,
    /// The line.
    Line,
    /// The line with its 95 % confidence band.
    Band,
}

impl ScatterArgs {
    /// An option of the scatter that is given.
    pub fn given(&self) -> Option<&'static str> {
        [
            ("--example", self.example.is_some()),
            ("--flatness", self.flatness.is_some()),
            ("--case", self.case.is_some()),
            ("--radius", self.radius.is_some()),
            ("--y", self.y.is_some()),
            ("--x", self.x.is_some()),
            ("--log-x", self.log_x),
            ("--fit", self.fit.is_some()),
            ("--no-labels", self.no_labels),
            ("--group", !self.groups.is_empty()),
        ]
        .into_iter()
        .find_map(|(option, given)| given.then_some(option))
    }

    /// The figure of records, or of the example, and how its two numbers correlate.
    ///
    /// # Errors
    /// One sentence: what is missing for which model.
    pub fn plot(
        &self,
        records: &[Record],
        study: Option<&(Study, Entries)>,
        names: &[String],
        title: Option<String>,
        log_y: bool,
        error: bool,
    ) -> Result<(Plot, Value)> {
        let y = match self.y.as_deref() {
            _ if error => Quantity::Error,
            None | Some("loss") => Quantity::Loss,
            Some("gap") => Quantity::Gap,
            Some("error") => Quantity::Error,
            Some(_) if study.is_some() => Quantity::Loss,
            Some(other) => {
                return Err(usage(format!(
                    "--y {other} is a number of a study only; use loss, gap or error"
                )));
            }
        };
        if self.x.is_some() && study.is_none() {
            return Err(usage("--x is for a study; give its folder, or leave it out"));
        }
        let usual = Choice::default();
        let choice = Choice {
            loss: self.flatness.unwrap_or(usual.loss),
            case: self.case.unwrap_or(usual.case),
            radius: self.radius,
            y,
        };
        let models = match (self.example, study) {
            (Some(Example::Paper), _) => {
                scatter::published::models(&choice).map_err(|sentence| anyhow!(sentence))?
            }
            (None, Some((study, entries))) => {
                let keys =
                    [self.x.clone().unwrap_or_else(|| x_key(&choice)), self.y_key(&choice, study, entries)];
                scatter::from_study(study, entries, &keys[0], &keys[1])?
            }
            (None, None) => {
                let parts: Vec<_> = records.iter().flat_map(Record::parts).collect();
                let records: Vec<&Record> = parts.iter().map(|part| &**part).collect();
                scatter::from_records(&records, &choice, names, &self.groups)
            }
        };
        if let Some(option) = study.and_then(|_| self.for_records(names)) {
            return Err(usage(format!(
                "{option} is for records; names and groups of a study are in its study.json"
            )));
        }
        if self.example.is_none() && names.len() > models.models.len() {
            let (names, models) = (names.len(), models.models.len());
            return Err(anyhow!(
                "{names} names for {models} models; give at most one --name for each checkpoint"
            ));
        }
        let look = Look {
            log_x: self.log_x,
            log_y,
            line: self.fit != Some(FitArg::None),
            band: self.fit == Some(FitArg::Band),
            labels: !self.no_labels,
            title,
        };
        let shown = models.on_axes(&look);
        let relation = shown.relation();
        let plot = scatter::plot_with(&models, &look, relation.as_ref());
        let plot = plot.map_err(|sentence| anyhow!(text::plain(&sentence)))?;
        Ok((plot, statistics::of_axes(&shown, relation.as_ref())))
    }

    /// The number of a study on the vertical axis.
    fn y_key(&self, choice: &Choice, study: &Study, entries: &Entries) -> String {
        let known = |key: &str| Table::of(study, entries).column(key).is_ok();
        match (self.y.as_deref(), choice.y) {
            (Some(other), _) if !["loss", "gap", "error"].contains(&other) => other.to_owned(),
            (_, Quantity::Loss) => "robust_loss".into(),
            (_, Quantity::Gap) => "robust_gap".into(),
            (_, Quantity::Error) if known("autoattack_error") => "autoattack_error".into(),
            (_, Quantity::Error) => "robust_error".into(),
        }
    }

    /// An option that is given and has no meaning for a study.
    fn for_records(&self, names: &[String]) -> Option<&'static str> {
        let given = [("--name", !names.is_empty()), ("--group", !self.groups.is_empty())];
        given.into_iter().find_map(|(option, given)| given.then_some(option))
    }
}

/// The flatness of a study on the horizontal axis.
fn x_key(choice: &Choice) -> String {
    let case = if choice.case == Case::Average { "average" } else { "worst" };
    let loss = if choice.loss == FlatnessLoss::Robust { "" } else { "clean_" };
    let radius = choice.radius.map_or_else(String::new, |radius| format!("@{radius}"));
    format!("{case}_{loss}flatness{radius}")
}
