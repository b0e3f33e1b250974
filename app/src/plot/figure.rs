//! A kind of figure: its name, the records it takes, and how it is drawn. The registry is [`super::figures`].

use basin_core::progress::Progress;
use basin_core::record::Record;
use basin_core::study::{Entries, Study};
use serde::{Deserialize, Serialize};

use super::export::FigureStyle;
use super::panels::Panels;
use super::scatter::models::{ModelOptions, Models};
use super::{ColorMap, Plot};
use basin_core::measure::statistics::Relation;

/// Loss or error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Quantity {
    /// Mean cross-entropy.
    #[default]
    Loss,
    /// Share of wrong examples.
    Error,
}

/// On which images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Which {
    /// What the record has: both in 1-D, robust before clean in 2-D.
    #[default]
    Auto,
    /// Clean images.
    Clean,
    /// Adversarial examples.
    Robust,
    /// Both (1-D).
    Both,
}

/// What of records is shown, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Loss or error.
    pub quantity: Quantity,
    /// Clean, robust or both.
    pub which: Which,
    /// Logarithmic values.
    pub log: bool,
    /// Largest value shown; higher ones run out of the frame (1-D) or share one colour (2-D).
    pub clip: Option<f64>,
    /// Colours of maps.
    pub map: ColorMap,
    /// Title above the axes.
    pub title: Option<String>,
}

/// A record with the name it has in the legend.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The name, with mathematics (see [`super::text`]).
    pub name: &'a str,
    /// The record.
    pub record: &'a Record,
}

/// What a figure is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Records with their names; of a study those that the figure takes, by the names of their models.
    pub named: &'a [Named<'a>],
    /// The study, if it is one.
    pub study: Option<(&'a Study, &'a Entries)>,
    /// What is shown of records.
    pub options: &'a Options,
    /// What is shown of models.
    pub models: &'a ModelOptions,
}

impl<'a> Input<'a> {
    /// The only record of a figure that shows one.
    ///
    /// # Errors
    /// There are several, or none.
    pub fn only(&self, figure: &str) -> Result<Named<'a>, String> {
        match self.named {
            [only] => Ok(*only),
            _ => Err(format!("{figure} shows one record; give one, or draw each by itself")),
        }
    }
}

/// What a figure shows.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// Records of this kind.
    Records(fn(&Record) -> bool),
    /// Trainings: folders.
    Trainings,
    /// States of the trainings of a study, and these trainings.
    Snapshots,
    /// Models: a point for each checkpoint, from whatever records there are of it.
    Models,
}

/// Options that a figure does not show, with what it is called in the sentence that says so.
pub type Ignores = (&'static str, &'static [&'static str]);

/// Options of landscapes that other figures ignore.
pub const OF_LANDSCAPES: &[&str] = &["--loss", "--error", "--which", "--log", "--clip", "--colors"];

/// A kind of figure.
pub struct Figure {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, in a sentence.
    pub help: &'static str,
    /// What it is drawn from.
    pub takes: Takes,
    /// Whether it is drawn of its records if no other is asked for.
    pub is_usual: bool,
    /// The options that change nothing, given the first record.
    pub ignores: fn(Option<&Record>) -> Ignores,
    /// Draws it, or says in a sentence why not.
    pub draw: fn(&Input<'_>) -> Result<Drawn, String>,
}

impl std::fmt::Debug for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Figure {
    /// Whether it shows this record.
    pub fn takes(&self, record: &Record) -> bool {
        match self.takes {
            Takes::Records(takes) => takes(record),
            Takes::Trainings | Takes::Snapshots => {
                matches!(record.outcome, basin_core::record::Outcome::Train(_))
            }
            Takes::Models => record.job.checkpoint().is_some(),
        }
    }
}

/// Makes a PNG file; one that takes its time tells how far it is.
pub type Picture = Box<dyn Fn(&FigureStyle, &mut dyn Progress) -> anyhow::Result<Vec<u8>>>;

/// A figure that is drawn, not yet on paper.
pub enum Page {
    /// One pair of axes.
    Plot(Box<Plot>),
    /// Several, side by side.
    Panels(Panels),
    /// Pixels, and what must be told about them.
    Picture(Picture, Vec<String>),
}

/// A figure with what comes out besides.
pub struct Drawn {
    /// The figure.
    pub page: Page,
    /// The CSV file, where it is more than what is drawn.
    pub table: Option<String>,
    /// The models of a figure of two of their numbers, and how these go together.
    pub relation: Option<(Models, Option<Relation>)>,
}

impl From<Plot> for Drawn {
    fn from(plot: Plot) -> Self {
        Page::Plot(Box::new(plot)).into()
    }
}

impl From<Page> for Drawn {
    fn from(page: Page) -> Self {
        Self { page, table: None, relation: None }
    }
}

impl Drawn {
    /// The plot, of a figure with one pair of axes.
    pub fn plot(self) -> Option<Plot> {
        match self.page {
            Page::Plot(plot) => Some(*plot),
            _ => None,
        }
    }
}
