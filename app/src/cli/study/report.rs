//! `basin report`: everything about a study in one file.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Result, bail};
use basin_core::Error;
use basin_core::files::write_atomically;
use basin_core::study::Table;
use clap::Args;

use super::folder::{counted, shown};
use super::report_text as text;
use crate::cli::failure::say;
use crate::cli::source::{OfStudy, Source};
use crate::plot::export::Preset;
use crate::plot::figure::{Figure, Options, Takes};
use crate::plot::scatter::{Choice, Look, ModelOptions, Quantity};
use crate::plot::text::plain;
use crate::plot::{epochs, landscapes, scatter, training};
use crate::report::{self, Block, Document, html, pdf};

/// Points have names beside them up to so many models.
const NAMED: usize = 25;

/// Options of `basin report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Folder of the study.
    #[arg(value_name = "STUDY")]
    folder: PathBuf,
    /// The report; its ending says what to write: .pdf or .html. Either is one file with everything in it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Title [default: the name of the folder].
    #[arg(long)]
    title: Option<String>,
}

/// A figure that a report has if there are the records for it.
struct Wanted {
    figure: &'static Figure,
    models: ModelOptions,
    /// Options of the command that draws it, and how its caption begins.
    options: &'static str,
    caption: &'static str,
    width_in: f64,
}

impl ReportArgs {
    pub fn run(self) -> Result<()> {
        let ending =
            self.out.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
        if !["pdf", "html", "htm"].contains(&&*ending) {
            let reason = "has an ending that says no format of reports; use .pdf or .html";
            return Err(Error::file(&self.out, reason).into());
        }
        let study = Rc::new(OfStudy::load(&self.folder)?);
        if study.study.models.is_empty() {
            bail!("{} is a study without models; add some with basin study init", self.folder.display());
        }
        let document = self.document(&study);
        let style = Preset::Neurips.style();
        let bytes =
            if ending == "pdf" { pdf(&document, &style)? } else { html(&document, &style).into_bytes() };
        write_atomically(&self.out, &bytes)?;
        let figures = document.blocks.iter().filter(|block| matches!(block, Block::Figure(_))).count();
        say(format!("written: {} ({})", self.out.display(), counted(figures, "figure")));
        Ok(())
    }

    fn document(&self, study: &Rc<OfStudy>) -> Document {
        let table = Table::of(&study.study, &study.entries);
        let today: String = jiff::Timestamp::now().to_string().chars().take(10).collect();
        let mut blocks = text::overview(study);
        blocks.push(Block::Heading("Models".into()));
        blocks.extend(text::models(&table));
        blocks.push(Block::Command(format!(
            "basin study export {} --rows model --out models.csv",
            shown(&self.folder)
        )));
        blocks.push(Block::Heading("Figures".into()));
        blocks.extend(self.figures(study));
        blocks.push(Block::Heading("Statistics".into()));
        blocks.extend(text::relations(&table));
        blocks.push(Block::Command(format!(
            "basin study stats {} --x average_flatness --y robust_gap",
            shown(&self.folder)
        )));
        blocks.push(Block::Heading("Provenance".into()));
        blocks.extend(text::provenance(study));
        blocks.push(Block::Heading("Commands".into()));
        blocks.extend(text::commands(study, &shown(&self.folder)));
        Document {
            title: self.title.clone().unwrap_or_else(|| name(&self.folder)),
            about: vec![format!("Report of a study, {today}, basin {}", env!("CARGO_PKG_VERSION"))],
            blocks,
        }
    }

    /// The figures that can be drawn, each with its caption, statistics and command; then why others are not there.
    fn figures(&self, study: &Rc<OfStudy>) -> Vec<Block> {
        let wanted = wanted(study.study.models.len());
        let (mut blocks, mut left_out, mut told) = (Vec::new(), Vec::new(), BTreeSet::new());
        let count = wanted.len();
        for (number, Wanted { figure, models, options, caption, width_in }) in wanted.into_iter().enumerate()
        {
            say(format!("figure {} of {count}: {caption}", number + 1));
            let missing = missing(study, figure, &models);
            if !missing.is_empty() {
                left_out.push(format!("{caption}: not measured ({}).", missing.join(", ")));
                continue;
            }
            let source = Source::of_study(study.clone(), figure);
            let (named, records) = (source.named(), Options::default());
            match (figure.draw)(&source.input(&named, &records, &models)) {
                Ok(drawn) => {
                    let relation = drawn.relation.as_ref().and_then(|(_, relation)| relation.as_ref());
                    let words = relation
                        .map_or_else(String::new, |relation| format!(" {}", text::in_words(relation)));
                    let notes = drawn.notes();
                    let caption = format!("{caption}.{words}");
                    blocks.push(Block::Figure(Box::new(report::Figure { drawn, width_in, caption })));
                    // What holds for several figures is said once.
                    let new = notes.into_iter().filter(|note| told.insert(note.clone()));
                    blocks.extend(new.map(|note| Block::Warning(text::sentence(&note))));
                    blocks.push(Block::Command(format!(
                        "basin plot {}{options} --out figure.pdf",
                        shown(&self.folder)
                    )));
                }
                Err(why) => left_out.push(format!("{caption}: {}.", plain(&why))),
            }
        }
        if !left_out.is_empty() {
            blocks.push(Block::Text("Left out:".into()));
            blocks.push(Block::List(left_out));
        }
        blocks
    }
}

/// The numbers of a scatter that no model has.
fn missing(of: &OfStudy, figure: &Figure, models: &ModelOptions) -> Vec<String> {
    if !matches!(figure.takes, Takes::Models) {
        return Vec::new();
    }
    let table = Table::of(&of.study, &of.entries);
    let keys = scatter::keys(models, &of.study, &of.entries);
    keys.into_iter().filter(|key| table.column(key).is_err()).map(|key| key.replace('_', " ")).collect()
}

/// The name of a folder.
fn name(folder: &std::path::Path) -> String {
    let full = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    full.file_name().map_or_else(|| "Study".into(), |name| name.to_string_lossy().into_owned())
}

fn wanted(models: usize) -> Vec<Wanted> {
    let look = Look { labels: models <= NAMED, ..Look::default() };
    let scatter =
        |options: &'static str, caption: &'static str, choice: Choice, numbers: [Option<&str>; 2]| {
            let [x, y] = numbers.map(|number| number.map(str::to_owned));
            let models = ModelOptions { choice, x, y, look: look.clone(), ..ModelOptions::default() };
            Wanted { figure: &scatter::FIGURE, models, options, caption, width_in: 4.7 }
        };
    let of = |y: Quantity| Choice { y, ..Choice::default() };
    let other = |figure: &'static Figure, options: &'static str, caption: &'static str, width_in: f64| {
        Wanted { figure, models: ModelOptions::default(), options, caption, width_in }
    };
    let usual = Choice::default();
    vec![
        scatter(
            " --y gap",
            "Average-case flatness against the robust generalization gap, test minus train robust loss",
            of(Quantity::Gap),
            [None, None],
        ),
        scatter("", "Average-case flatness against robust loss on test images", usual, [None, None]),
        scatter(
            " --case worst --y gap",
            "Worst-case flatness against the robust generalization gap",
            Choice { case: basin_core::job::Case::Worst, ..of(Quantity::Gap) },
            [None, None],
        ),
        scatter(
            " --x robust_loss --y error",
            "Robust error against robust loss",
            of(Quantity::Error),
            [Some("robust_loss"), None],
        ),
        scatter(
            " --x average_flatness --y lambda_max",
            "Largest eigenvalue of the Hessian against average-case flatness",
            usual,
            [None, Some("lambda_max")],
        ),
        other(&epochs::FIGURE, " --figure epochs", "Robust loss and flatness throughout training", 4.7),
        other(&training::FIGURE, " --figure training", "Robust loss of the trainings over epochs", 6.0),
        other(&landscapes::FIGURE, " --figure landscapes", "Landscapes on one scale", 6.0),
    ]
}
