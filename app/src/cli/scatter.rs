//! `basin plot --figure scatter`: many models in one figure.

use anyhow::Result;
use basin_core::job::{Case, FlatnessLoss};
use basin_core::settings::number;
use clap::builder::ValueParser;
use clap::{Args, ValueEnum};

use super::failure::usage;
use super::word::word;
use crate::plot::scatter::{Choice, ColorBy, Connect, Lines, Look, ModelOptions, Quantity};

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
    /// Least squares line [default: line].
    #[arg(long, value_enum)]
    pub fit: Option<FitArg>,
    /// Where the pieces of --fit pieces meet [default: 2.303, the loss of guessing among 10 classes].
    #[arg(long, value_name = "X", value_parser = ValueParser::new(number))]
    pub fit_break: Option<f64>,
    /// Join the states of a training: its snapshots by a line, or its final and its early-stopped network by an arrow.
    #[arg(long, value_enum)]
    pub connect: Option<ConnectArg>,
    /// What colours say [default: group].
    #[arg(long, value_enum)]
    pub color: Option<ColorArg>,
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
    /// Two lines, below and above --fit-break.
    Pieces,
    /// A line for each group.
    Groups,
}

/// What joins the states of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConnectArg {
    /// A line along its epochs.
    Epochs,
    /// An arrow from the final to the early-stopped network.
    EarlyStopping,
}

/// What colours say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// The group.
    Group,
    /// The model: shades of its group's colour, darker in the order of the models, such as of a hyperparameter.
    Model,
    /// The epoch of its training.
    Epoch,
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
            ("--fit-break", self.fit_break.is_some()),
            ("--connect", self.connect.is_some()),
            ("--color", self.color.is_some()),
            ("--no-labels", self.no_labels),
            ("--group", !self.groups.is_empty()),
        ]
        .into_iter()
        .find_map(|(option, given)| given.then_some(option))
    }

    /// What is shown of the models of records, of a study, or of the example.
    ///
    /// # Errors
    /// An option that has no meaning for them.
    pub fn options(
        &self,
        is_study: bool,
        names: &[String],
        error: bool,
        as_paper: bool,
    ) -> Result<ModelOptions> {
        let (y, number) = match self.y.as_deref() {
            _ if error => (Quantity::Error, None),
            None | Some("loss") => (Quantity::Loss, None),
            Some("gap") => (Quantity::Gap, None),
            Some("error") => (Quantity::Error, None),
            Some(number) => (Quantity::Loss, Some(number.to_owned())),
        };
        if let (Some(other), false) = (&number, is_study) {
            return Err(usage(format!("--y {other} is a number of a study only; use loss, gap or error")));
        }
        if self.x.is_some() && !is_study {
            return Err(usage("--x is for a study; give its folder, or leave it out"));
        }
        if self.fit_break.is_some() && self.fit != Some(FitArg::Pieces) {
            return Err(usage("--fit-break is for --fit pieces; leave it out"));
        }
        let of_records = [("--name", !names.is_empty()), ("--group", !self.groups.is_empty())];
        if let Some((option, _)) = of_records.into_iter().find(|(_, given)| is_study && *given) {
            return Err(usage(format!(
                "{option} is for records; names and groups of a study are in its study.json"
            )));
        }
        let usual = Choice::default();
        Ok(ModelOptions {
            published: self.example.is_some(),
            choice: Choice {
                loss: self.flatness.unwrap_or(usual.loss),
                case: self.case.unwrap_or(usual.case),
                radius: self.radius,
                y,
            },
            x: self.x.clone(),
            y: number,
            names: names.to_vec(),
            groups: self.groups.clone(),
            look: Look {
                log_x: self.log_x,
                lines: match self.fit {
                    Some(FitArg::None) => Lines::None,
                    None | Some(FitArg::Line) => Lines::One,
                    Some(FitArg::Band) => Lines::Band,
                    Some(FitArg::Pieces) => Lines::Pieces(self.fit_break),
                    Some(FitArg::Groups) => Lines::Groups,
                },
                connect: match self.connect {
                    None => Connect::None,
                    Some(ConnectArg::Epochs) => Connect::Epochs,
                    Some(ConnectArg::EarlyStopping) => Connect::EarlyStopping,
                },
                color: match self.color {
                    None | Some(ColorArg::Group) => ColorBy::Group,
                    Some(ColorArg::Model) => ColorBy::Model,
                    Some(ColorArg::Epoch) => ColorBy::Epoch,
                },
                as_paper,
                labels: !self.no_labels,
                ..Look::default()
            },
        })
    }
}
