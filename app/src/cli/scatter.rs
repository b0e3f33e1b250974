//! `basin plot --figure scatter`: many models in one figure.

use anyhow::{Result, anyhow};
use basin_core::job::{Case, FlatnessLoss};
use basin_core::record::Record;
use basin_core::settings::number;
use clap::builder::ValueParser;
use clap::{Args, ValueEnum};
use serde_json::Value;

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
    /// Robust loss on test images (the default), test minus training, or robust error on test images.
    #[arg(long, value_enum)]
    pub y: Option<YArg>,
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

/// Vertical axes by their names in options.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum YArg {
    /// Robust loss on test images.
    #[default]
    Loss,
    /// Robust loss on test minus on training images.
    Gap,
    /// Robust error on test images.
    Error,
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
        names: &[String],
        title: Option<String>,
        log_y: bool,
        error: bool,
    ) -> Result<(Plot, Value)> {
        let y = match self.y.unwrap_or_default() {
            _ if error => Quantity::Error,
            YArg::Loss => Quantity::Loss,
            YArg::Gap => Quantity::Gap,
            YArg::Error => Quantity::Error,
        };
        let usual = Choice::default();
        let choice = Choice {
            loss: self.flatness.unwrap_or(usual.loss),
            case: self.case.unwrap_or(usual.case),
            radius: self.radius,
            y,
        };
        let models = match self.example {
            Some(Example::Paper) => {
                scatter::published::models(&choice).map_err(|sentence| anyhow!(sentence))?
            }
            None => {
                let parts: Vec<_> = records.iter().flat_map(Record::parts).collect();
                let records: Vec<&Record> = parts.iter().map(|part| &**part).collect();
                scatter::from_records(&records, &choice, names, &self.groups)
            }
        };
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
}
