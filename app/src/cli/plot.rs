//! `basin plot`: records to a figure file, without a window.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use basin_core::files::write_atomically;
use basin_core::record::{Outcome, Record, names};
use basin_core::study::{Entries, Study};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::failure::{say, usage};
use super::printing::print;
use super::scatter::ScatterArgs;
use super::shape::ShapeArgs;
use crate::landscape_file::LandscapeFile;
use crate::plot::export::{self, FigureStyle, FileKind, FontFamily, Preset, parse_length};
use crate::plot::landscape::{self, Named, Options, Quantity};
use crate::plot::{
    ColorMap, Plot, attack, attack_steps, evaluation, flatness, merge_tree, spectrum, text, training,
};

/// Draw records as a figure: SVG, PDF, PNG, LaTeX, or the numbers as CSV.
#[derive(Debug, Clone, Args)]
pub struct PlotArgs {
    /// Record files, as written by --out, folders of trainings, the folder of a study, or landscapes of other programs: HDF5 of loss-landscape or
    /// of the paper's program, .npz, .csv with x, y, loss and error. Several 1-D landscapes share one figure, and a scatter shows a point per
    /// checkpoint.
    #[arg(value_name = "RECORD", required_unless_present = "example")]
    pub records: Vec<PathBuf>,

    /// Kind of figure; without it, what suits the records.
    #[arg(long, value_enum)]
    pub figure: Option<FigureKind>,

    /// Figure file; its ending says what to write: .svg, .pdf, .png, .tex or .csv. Or the landscape itself: as a mesh for
    /// 3-D programs (.obj, .ply, .stl, .vtp, .gltf, .glb), as arrays (.npz), or in the layout of loss-landscape (.h5).
    #[arg(long, value_name = "FILE", required_unless_present = "shape")]
    pub out: Option<PathBuf>,

    /// Show the loss (the default).
    #[arg(long, conflicts_with = "error")]
    pub loss: bool,

    /// Show the error instead of the loss.
    #[arg(long)]
    pub error: bool,

    /// Clean values, robust ones, or both [default: what the record has; in a map robust before clean].
    #[arg(long, value_enum)]
    pub which: Option<Which>,

    /// Logarithmic values.
    #[arg(long)]
    pub log: bool,

    /// Largest value shown; in percent with --error.
    #[arg(long, value_name = "VALUE", value_parser = clip)]
    pub clip: Option<f64>,

    /// Colours of maps and surfaces: viridis, cividis, magma or grey [default: viridis].
    #[arg(long)]
    pub colors: Option<ColorMap>,

    /// Name of a record in the legend, in the order of the records; in a scatter of a model, in the order of their first
    /// records; mathematics as in a title [default: that of the checkpoint, or of its folder where the file is final, best or epoch-0009; of several
    /// records of one checkpoint, outside of scatters, that of the record's file].
    #[arg(long = "name", value_name = "NAME")]
    pub names: Vec<String>,

    /// Title above the axes (not of a surface); mathematics between dollar signs, e.g. '$\xi=0.5$'.
    #[arg(long)]
    pub title: Option<String>,

    /// Look: paper (4 in, large text), column (3.25 in), wide (6.75 in) or slide (8 in, sans serif).
    #[arg(long, default_value = "paper", value_parser = clap::builder::ValueParser::new(|s: &str| s.parse::<Preset>()))]
    pub style: Preset,

    /// Width of the figure, e.g. 3.25in or 84mm.
    #[arg(long, value_name = "LENGTH", value_parser = parse_length)]
    pub width: Option<f64>,

    /// Height of the figure; without it, what suits the plot.
    #[arg(long, value_name = "LENGTH", value_parser = parse_length)]
    pub height: Option<f64>,

    /// Typeface: serif (Latin Modern) or sans (a Helvetica).
    #[arg(long, value_name = "FONT", value_parser = clap::builder::ValueParser::new(|s: &str| s.parse::<FontFamily>()))]
    pub font: Option<FontFamily>,

    /// Size of axis labels in points; title, legend and tick labels keep their proportion to it.
    #[arg(long, value_name = "POINTS", value_parser = points)]
    pub font_size: Option<f64>,

    /// Pixels per inch of PNG files.
    #[arg(long, value_name = "DPI", value_parser = dpi)]
    pub dpi: Option<f64>,

    /// Leave out the grid lines (of curves and histograms; maps have none).
    #[arg(long)]
    pub no_grid: bool,

    /// What a scatter shows.
    #[command(flatten)]
    pub scatter: ScatterArgs,

    /// Its shape in numbers.
    #[command(flatten)]
    pub shape: ShapeArgs,

    /// Print what was drawn as JSON: figure, kind, records, notes; of a scatter its correlation.
    #[arg(long)]
    pub json: bool,

    /// Not an option, but often tried.
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", value_parser = no_csv)]
    csv: Option<String>,
}

/// Kinds of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FigureKind {
    /// Curves along one direction, or a map with contour lines over two.
    Landscape,
    /// Confidence, loss and error of an evaluation.
    Evaluation,
    /// Robust accuracy after each attack of AutoAttack.
    Attack,
    /// Loss (or --error) at every iteration of the attack of an evaluation with --log-steps.
    AttackSteps,
    /// Spectral density and eigenvalues of Hessians.
    Spectrum,
    /// Flatness over the radius of the perturbation.
    Flatness,
    /// Flatness of each layer by itself.
    Layers,
    /// A 2-D landscape as a surface in 3-D (PNG).
    Surface,
    /// Where a landscape has its minima, and over which saddles they join while the level rises.
    MergeTree,
    /// Flatness against robust loss, a point per checkpoint.
    Scatter,
    /// Loss (or --error) of trainings over epochs, training against test.
    Training,
    /// Learning rate of trainings over epochs.
    LearningRate,
    /// Norms of weights and gradients over epochs, of trainings with tensor_statistics; as .csv all their statistics.
    Norms,
}

/// Which values of a landscape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// What the record has: both in 1-D, robust before clean in 2-D.
    Auto,
    /// On clean images.
    Clean,
    /// Under attack.
    Robust,
    /// Both (curves and surfaces).
    Both,
}

impl From<Which> for landscape::Which {
    fn from(which: Which) -> Self {
        match which {
            Which::Auto => Self::Auto,
            Which::Clean => Self::Clean,
            Which::Robust => Self::Robust,
            Which::Both => Self::Both,
        }
    }
}

fn no_csv(_: &str) -> Result<String, String> {
    Err("the numbers are written by an --out that ends in .csv".into())
}

fn positive(text: &str, what: &str, range: std::ops::RangeInclusive<f64>) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if range.contains(&value) => Ok(value),
        _ => Err(format!("{text:?} is not {what} from {} to {}", range.start(), range.end())),
    }
}

fn clip(text: &str) -> Result<f64, String> {
    positive(text, "a value", f64::MIN_POSITIVE..=f64::MAX)
        .map_err(|_| format!("{text:?} is not a positive number; write e.g. 10"))
}

fn points(text: &str) -> Result<f64, String> {
    positive(text, "a size in points", 2.0..=100.0)
}

fn dpi(text: &str) -> Result<f64, String> {
    positive(text, "a resolution", 20.0..=2400.0)
}

/// Reads the records, draws them, and writes the figure.
///
/// # Errors
/// One sentence with the path and what to do: unreadable record, records that do not fit together or do not
/// have what was asked for, unknown ending, file that cannot be written.
pub fn run(args: &PlotArgs) -> Result<()> {
    // Before any work: a wrong ending should not cost a wait.
    let itself = args.out.as_deref().and_then(LandscapeFile::of);
    let kind = args.out.as_deref().filter(|_| itself.is_none()).map(FileKind::of).transpose()?;
    let study = study_of(args)?;
    let records = match &study {
        Some((_, entries)) => {
            let all =
                entries.models.iter().flat_map(|of| of.records.iter().map(|(_, record)| record.clone()));
            all.collect()
        }
        None => args.records.iter().map(|path| Ok(Record::load(path)?)).collect::<Result<Vec<_>>>()?,
    };
    let usual = || if study.is_some() { FigureKind::Scatter } else { usual_figure(&records) };
    let figure = args.figure.unwrap_or_else(usual);
    let plane = |record: &Record| matches!(&record.outcome, Outcome::Landscape(l) if l.y.is_some());
    without_effect(args, figure, records.first().is_some_and(plane)).map_err(usage)?;
    if let Some(format) = itself {
        of_landscape_file(args, figure, format).map_err(usage)?;
        let file = std::fs::canonicalize(out(args)?).ok();
        if args.records.iter().any(|path| file.is_some() && std::fs::canonicalize(path).ok() == file) {
            return Err(usage("--out is the landscape that is read; choose another file"));
        }
    }
    if figure == FigureKind::Scatter {
        let (plot, correlation) = args.scatter.plot(
            &records,
            study.as_ref(),
            &args.names,
            args.title.clone(),
            args.log,
            args.error,
        )?;
        let notes = write(args, &plot)?;
        return tell(args, figure, &notes, Some(("correlation", correlation)));
    }
    if args.names.len() > records.len() {
        let plural = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
        let (names, records) = (plural(args.names.len(), "name"), plural(records.len(), "record"));
        return Err(usage(format!("{names} for {records}; give at most one --name for each")));
    }
    let names = names(args, &records);
    let named: Vec<Named<'_>> =
        names.iter().zip(&records).map(|(name, record)| Named { name, record }).collect();
    let shape = args.shape.of(&named, &options(args))?;
    let told = shape.as_ref().map(|shape| ("shape", shape.json.clone()));
    if let (Some(shape), false) = (&shape, args.json) {
        print(&shape.text)?;
    }
    if let Some(format) = itself {
        let notes = landscape_file(args, format, &named)?;
        return tell(args, figure, &notes, told);
    }
    let Some(kind) = kind else { return tell(args, figure, &[], told) };
    let notes = if figure == FigureKind::Surface {
        surface(args, kind, &named)?
    } else {
        let plot = plot(args, figure, &named).map_err(|sentence| anyhow!(text::plain(&sentence)))?;
        match figure {
            FigureKind::Norms if kind == FileKind::Csv => {
                let table =
                    training::table(&named, &plot).map_err(|sentence| anyhow!(text::plain(&sentence)))?;
                write_atomically(out(args)?, table.as_bytes())?;
                plot.notes.iter().map(|note| text::plain(note)).collect()
            }
            _ => write(args, &plot)?,
        }
    };
    tell(args, figure, &notes, told)
}

/// The figure file.
fn out(args: &PlotArgs) -> Result<&Path> {
    args.out.as_deref().ok_or_else(|| usage("the figure needs a file; give it with --out"))
}

/// The study that is to be drawn, if it is one, with what is wrong in it told.
fn study_of(args: &PlotArgs) -> Result<Option<(Study, Entries)>> {
    let Some(folder) = args.records.iter().find(|path| Study::is_at(path)) else { return Ok(None) };
    if args.records.len() > 1 {
        let folder = folder.display();
        return Err(usage(format!(
            "{folder} is a study, which is drawn by itself; leave out the other files"
        )));
    }
    if args.figure.is_some_and(|figure| figure != FigureKind::Scatter) {
        let folder = folder.display();
        return Err(usage(format!(
            "{folder} is a study; its figure is --figure scatter, others are of its records"
        )));
    }
    let study = Study::load(folder)?;
    let entries = Entries::load(folder, &study)?;
    for (model, of) in study.models.iter().zip(&entries.models) {
        of.problems.iter().for_each(|problem| say(format!("note: {}: {problem}", model.name)));
    }
    Ok(Some((study, entries)))
}

/// Writes the figure; with what must be told about its numbers and its words.
fn write(args: &PlotArgs, plot: &Plot) -> Result<Vec<String>> {
    let words = export::write(plot, &style(args), out(args)?)?;
    Ok(plot.notes.iter().map(|note| text::plain(note)).chain(words).collect())
}

/// The names that are given, then those of the checkpoints; of several records of one checkpoint, or of a single record,
/// their files tell better what they are.
fn names(args: &PlotArgs, records: &[Record]) -> Vec<String> {
    let of_checkpoints = names::of_records(&records.iter().collect::<Vec<_>>());
    let own = match of_checkpoints.iter().collect::<BTreeSet<_>>().len() {
        different if different > 1 && different == records.len() => of_checkpoints,
        _ => names::of_files(&args.records.iter().map(PathBuf::as_path).collect::<Vec<_>>()),
    };
    let own = own.iter().map(|own| text::literal(own)).enumerate();
    own.map(|(i, own)| args.names.get(i).cloned().unwrap_or(own)).collect()
}

/// Notes, and what was drawn.
fn tell(args: &PlotArgs, figure: FigureKind, notes: &[String], more: Option<(&str, Value)>) -> Result<()> {
    for note in notes {
        say(format!("note: {note}"));
    }
    summary(args, figure, notes, more)
}

/// The figure that suits the records.
fn usual_figure(records: &[Record]) -> FigureKind {
    let has = |kind: fn(&Outcome) -> bool| records.iter().any(|record| kind(&record.outcome));
    let flatness = has(|outcome| matches!(outcome, Outcome::Flatness(_)));
    match records.first().map(|record| &record.outcome) {
        None => FigureKind::Scatter,
        _ if flatness && has(|outcome| matches!(outcome, Outcome::Evaluate(_))) => FigureKind::Scatter,
        Some(Outcome::Evaluate(_)) => FigureKind::Evaluation,
        Some(Outcome::Flatness(_)) => FigureKind::Flatness,
        Some(Outcome::Attack(_)) => FigureKind::Attack,
        Some(Outcome::Hessian(_)) => FigureKind::Spectrum,
        Some(Outcome::Benchmark(_)) => FigureKind::Scatter,
        Some(Outcome::Train(_)) => FigureKind::Training,
        _ => FigureKind::Landscape,
    }
}

/// Refuses options that this figure would not show.
fn without_effect(args: &PlotArgs, figure: FigureKind, plane: bool) -> Result<(), String> {
    let of_landscapes = || {
        vec![
            ("--loss", args.loss),
            ("--error", args.error),
            ("--which", args.which.is_some()),
            ("--log", args.log),
            ("--clip", args.clip.is_some()),
            ("--colors", args.colors.is_some()),
        ]
    };
    if figure != FigureKind::Scatter
        && let Some(option) = args.scatter.given()
    {
        return Err(format!("{option} is for --figure scatter; leave it out"));
    }
    let of_landscape = matches!(figure, FigureKind::Landscape | FigureKind::Surface | FigureKind::MergeTree);
    if args.shape.shape && !of_landscape {
        return Err("--shape is for landscapes; leave it out".into());
    }
    let (name, idle) = match figure {
        FigureKind::Scatter => (
            "a scatter",
            vec![
                ("--which", args.which.is_some()),
                ("--clip", args.clip.is_some()),
                ("--colors", args.colors.is_some()),
            ],
        ),
        FigureKind::Evaluation => ("an evaluation figure", of_landscapes()),
        FigureKind::Attack => ("a figure of attacks", of_landscapes()),
        FigureKind::Spectrum => ("a figure of spectra", of_landscapes()),
        FigureKind::AttackSteps => (
            "a figure of an attack's iterations",
            vec![("--which", args.which.is_some()), ("--colors", args.colors.is_some())],
        ),
        FigureKind::Flatness | FigureKind::Layers => ("a figure of flatness", of_landscapes()),
        FigureKind::Training => ("a figure of trainings", vec![("--colors", args.colors.is_some())]),
        FigureKind::LearningRate => ("a figure of learning rates", of_landscapes()),
        FigureKind::Norms => ("a figure of norms", of_landscapes()),
        FigureKind::Landscape if plane => ("a map", vec![("--no-grid", args.no_grid)]),
        FigureKind::Landscape => ("a figure of curves", vec![("--colors", args.colors.is_some())]),
        FigureKind::MergeTree => {
            ("a merge tree", vec![("--clip", args.clip.is_some()), ("--colors", args.colors.is_some())])
        }
        FigureKind::Surface => {
            ("a surface", vec![("--title", args.title.is_some()), ("--no-grid", args.no_grid)])
        }
    };
    match idle.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(format!("{option} has no effect on {name}; leave it out")),
        None => Ok(()),
    }
}

/// Refuses what a file of the landscape itself does not hold.
fn of_landscape_file(args: &PlotArgs, figure: FigureKind, format: LandscapeFile) -> Result<(), String> {
    let ending = format.ending();
    if args.figure.is_some() && !matches!(figure, FigureKind::Landscape | FigureKind::Surface) {
        return Err(format!("a .{ending} file holds a landscape itself, not a figure; leave out --figure"));
    }
    if format.is_mesh() {
        return Ok(());
    }
    let idle = [
        ("--error", args.error),
        ("--which", args.which.is_some()),
        ("--log", args.log),
        ("--clip", args.clip.is_some()),
        ("--colors", args.colors.is_some()),
    ];
    match idle.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => {
            Err(format!("{option} has no effect on a .{ending} file, which holds all values; leave it out"))
        }
        None => Ok(()),
    }
}

/// What was drawn, for programs.
fn summary(args: &PlotArgs, figure: FigureKind, notes: &[String], more: Option<(&str, Value)>) -> Result<()> {
    if !args.json {
        return Ok(());
    }
    let kind = figure.to_possible_value().map(|value| value.get_name().to_owned());
    let mut drawn = json!({ "figure": args.out, "kind": kind, "records": args.records, "notes": notes });
    if let Some((name, value)) = more {
        drawn[name] = value;
    }
    print(&format!("{drawn:#}\n"))
}

fn plot(args: &PlotArgs, figure: FigureKind, named: &[Named<'_>]) -> Result<Plot, String> {
    match (figure, named) {
        (FigureKind::Evaluation, [only]) => evaluation::plot(only.name, only.record, args.title.clone()),
        (FigureKind::Evaluation, _) => {
            Err("an evaluation figure shows one record; give one, or draw each by itself".to_owned())
        }
        (FigureKind::Attack, _) => attack::plot(named, args.title.clone()),
        (FigureKind::Spectrum, _) => spectrum::plot(named, args.title.clone()),
        (FigureKind::AttackSteps, _) => attack_steps::plot(named, &options(args)),
        (FigureKind::Flatness, _) => flatness::plot(named, args.title.clone()),
        (FigureKind::Layers, [only]) => flatness::layers(*only, args.title.clone()),
        (FigureKind::Layers, _) => {
            Err("a figure of layers shows one record; give one, or draw each by itself".to_owned())
        }
        (FigureKind::Training, _) => {
            let quantity = if args.error { training::Quantity::Error } else { training::Quantity::Loss };
            training::plot(named, &trained(args, quantity))
        }
        (FigureKind::LearningRate, _) => {
            training::plot(named, &trained(args, training::Quantity::LearningRate))
        }
        (FigureKind::Norms, _) => training::plot(named, &trained(args, training::Quantity::Norms)),
        (FigureKind::MergeTree, _) => merge_tree::plot(named, &options(args)),
        _ => landscape::plot(named, &options(args)),
    }
}

fn options(args: &PlotArgs) -> Options {
    let (quantity, unit) = if args.error { (Quantity::Error, 0.01) } else { (Quantity::Loss, 1.0) };
    Options {
        quantity,
        which: args.which.map_or(landscape::Which::Auto, Into::into),
        log: args.log,
        clip: args.clip.map(|clip| clip * unit),
        map: args.colors.unwrap_or_default(),
        title: args.title.clone(),
    }
}

fn trained(args: &PlotArgs, quantity: training::Quantity) -> training::Options {
    training::Options {
        quantity,
        which: args.which.map_or(landscape::Which::Auto, Into::into),
        log: args.log,
        clip: options(args).clip,
        screen: false,
        title: args.title.clone(),
    }
}

fn style(args: &PlotArgs) -> FigureStyle {
    let mut style = args.style.style();
    if let Some(size) = args.font_size {
        style = style.with_label_size(size);
    }
    FigureStyle {
        width_in: args.width.unwrap_or(style.width_in),
        height_in: args.height,
        family: args.font.unwrap_or(style.family),
        grid: !args.no_grid,
        dpi: args.dpi.unwrap_or(style.dpi),
        ..style
    }
}

/// The landscape itself.
fn landscape_file(args: &PlotArgs, format: LandscapeFile, named: &[Named<'_>]) -> Result<Vec<String>> {
    let ending = format.ending();
    let [only] = *named else { bail!("a .{ending} file holds one landscape; give one record") };
    let bytes = format.bytes(only, &options(args)).map_err(|sentence| anyhow!(text::plain(&sentence)))?;
    write_atomically(out(args)?, &bytes)?;
    let mut notes = Vec::new();
    if format.is_mesh() {
        let grid = landscape::main_grid(only, options(args).which).map_err(|sentence| anyhow!(sentence))?;
        let values = grid.values(options(args).quantity);
        landscape::note_gaps(&mut notes, only, grid.robust == Some(true), &values, &options(args));
    }
    Ok(notes.iter().map(|note| text::plain(note)).collect())
}

/// The 3-D surface: pixels only, and one record.
fn surface(args: &PlotArgs, kind: FileKind, named: &[Named<'_>]) -> Result<Vec<String>> {
    if kind != FileKind::Png {
        let out = out(args)?.display();
        bail!("{out}: a surface is made of pixels; write it to a .png, or use --figure landscape");
    }
    let [only] = named else { bail!("a surface figure shows one record; give one") };
    super::surface::write(*only, &options(args), &style(args), out(args)?)
}
