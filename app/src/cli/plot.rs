//! `basin plot`: records to a figure file, without a window.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Result, anyhow, bail};
use basin_core::files::write_atomically;
use basin_core::record::Record;
use basin_core::study::Study;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::failure::{say, usage};
use super::printing::print;
use super::scatter::ScatterArgs;
use super::shape::ShapeArgs;
use super::source::{OfStudy, Source};
use super::statistics;
use crate::cli::terminal::Terminal;
use crate::landscape_file::LandscapeFile;
use crate::plot::export::{FigureStyle, FileKind, FontFamily, Palette, Preset, parse_length};
use crate::plot::figure::{self, Figure, Named, Options, Quantity, Takes};
use crate::plot::landscape::{self, is_landscape};
use crate::plot::{ColorMap, figures, scatter, text};
use crate::surface_picture;

/// Draw records as a figure: SVG, PDF, PNG, LaTeX, or the numbers as CSV.
#[derive(Debug, Clone, Args)]
pub struct PlotArgs {
    /// Record files, as written by --out, folders of trainings, the folder of a study, or landscapes of other programs: HDF5 of loss-landscape or
    /// of the paper's program, .npz, .csv with x, y, loss and error. Several 1-D landscapes share one figure, and a scatter shows a point per
    /// checkpoint.
    #[arg(value_name = "RECORD", required_unless_present = "example")]
    pub records: Vec<PathBuf>,

    /// Kind of figure; without it, what suits the records.
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    pub figure: Option<&'static Figure>,

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

    /// Look: paper (4 in, large text), column (3.25 in), wide (6.75 in) or slide (8 in, sans serif); or the column of a
    /// conference: cvpr (iccv, wacv), icml, neurips (iclr), and over both columns cvpr-wide, icml-wide.
    #[arg(long, default_value = "paper", value_parser = clap::builder::ValueParser::new(|s: &str| s.parse::<Preset>()))]
    pub style: Preset,

    /// Colours of curves and groups: basin, paper (in a scatter the methods have the paper's colours), or safe with any kind
    /// of colour vision.
    #[arg(long, default_value = "basin", value_parser = clap::builder::ValueParser::new(|s: &str| s.parse::<Palette>()))]
    pub palette: Palette,

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

impl From<Which> for figure::Which {
    fn from(which: Which) -> Self {
        match which {
            Which::Auto => Self::Auto,
            Which::Clean => Self::Clean,
            Which::Robust => Self::Robust,
            Which::Both => Self::Both,
        }
    }
}

/// The kinds of figures with their help.
fn kinds() -> impl clap::builder::TypedValueParser<Value = &'static Figure> {
    let known = |figure: &&Figure| PossibleValue::new(figure.name).help(figure.help);
    let names = PossibleValuesParser::new(figures::ALL.iter().map(known));
    names.map(|name| figures::named(&name).expect("one of them"))
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
    args.out.as_deref().filter(|_| itself.is_none()).map(FileKind::of).transpose()?;
    let (figure, source) = source(args)?;
    let first = source.records.first();
    without_effect(args, figure, first).map_err(usage)?;
    if let Some(format) = itself {
        of_landscape_file(args, figure, format).map_err(usage)?;
        let file = std::fs::canonicalize(out(args)?).ok();
        if args.records.iter().any(|path| file.is_some() && std::fs::canonicalize(path).ok() == file) {
            return Err(usage("--out is the landscape that is read; choose another file"));
        }
    }
    let models = args.scatter.options(
        source.study.is_some(),
        &args.names,
        args.error,
        args.palette == Palette::Paper,
    )?;
    if !matches!(figure.takes, Takes::Models) {
        source.refuse_more_names(&args.names)?;
    }
    let (named, options) = (source.named(), options(args));
    let shape = args.shape.of(&named, &options)?;
    let told = shape.as_ref().map(|shape| ("shape", shape.json.clone()));
    if let (Some(shape), false) = (&shape, args.json) {
        print(&shape.text)?;
    }
    if let Some(format) = itself {
        let notes = landscape_file(args, format, &named)?;
        return tell(args, figure, &notes, told);
    }
    if args.out.is_none() {
        return tell(args, figure, &[], told);
    }
    let drawn = (figure.draw)(&source.input(&named, &options, &models));
    let drawn = drawn.map_err(|sentence| anyhow!(text::plain(&sentence)))?;
    let notes = if figure.name == surface_picture::TURNTABLE.name {
        let mut terminal = Terminal::new()?;
        let notes = drawn.write_telling(&style(args), out(args)?, &mut terminal);
        terminal.finish();
        notes?
    } else {
        drawn.write(&style(args), out(args)?)?
    };
    let correlation =
        drawn.relation.map(|(models, relation)| statistics::of_axes(&models, relation.as_ref()));
    tell(args, figure, &notes, correlation.map(|value| ("correlation", value)).or(told))
}

/// The figure file.
fn out(args: &PlotArgs) -> Result<&Path> {
    args.out.as_deref().ok_or_else(|| usage("the figure needs a file; give it with --out"))
}

/// The figure, and what it is drawn from.
fn source(args: &PlotArgs) -> Result<(&'static Figure, Source)> {
    let Some(folder) = args.records.iter().find(|path| Study::is_at(path)) else {
        let source = Source::of_files(&args.records, &args.names)?;
        let usual = || figures::of_records(&source.records.iter().collect::<Vec<_>>());
        return Ok((args.figure.unwrap_or_else(usual), source));
    };
    let shown = folder.display();
    if args.records.len() > 1 {
        return Err(usage(format!(
            "{shown} is a study, which is drawn by itself; leave out the other files"
        )));
    }
    let figure = args.figure.unwrap_or(&scatter::FIGURE);
    let source = Source::of_study(Rc::new(OfStudy::load(folder)?), figure);
    if source.records.is_empty() && matches!(figure.takes, Takes::Records(_) | Takes::Trainings) {
        let name = figure.name;
        return Err(anyhow!(
            "{shown} is a study without a record that --figure {name} shows; measure its models"
        ));
    }
    Ok((figure, source))
}

/// Notes, and what was drawn.
fn tell(args: &PlotArgs, figure: &Figure, notes: &[String], more: Option<(&str, Value)>) -> Result<()> {
    for note in notes {
        say(format!("note: {note}"));
    }
    summary(args, figure, notes, more)
}

/// Refuses options that this figure would not show.
fn without_effect(args: &PlotArgs, figure: &Figure, first: Option<&Record>) -> Result<(), String> {
    let is_of_models = matches!(figure.takes, Takes::Models);
    if !is_of_models && let Some(option) = args.scatter.given() {
        return Err(format!("{option} is for --figure scatter; leave it out"));
    }
    let of_landscape = first.is_some_and(|record| is_landscape(record) && figure.takes(record));
    if args.shape.shape && !of_landscape {
        return Err("--shape is for landscapes; leave it out".into());
    }
    let (name, ignored) = (figure.ignores)(first);
    match given(args).into_iter().find(|(option, given)| *given && ignored.contains(option)) {
        Some((option, _)) => Err(format!("{option} has no effect on {name}; leave it out")),
        None => Ok(()),
    }
}

/// Options that not every figure shows, and whether they are given.
fn given(args: &PlotArgs) -> [(&'static str, bool); 8] {
    [
        ("--loss", args.loss),
        ("--error", args.error),
        ("--which", args.which.is_some()),
        ("--log", args.log),
        ("--clip", args.clip.is_some()),
        ("--colors", args.colors.is_some()),
        ("--title", args.title.is_some()),
        ("--no-grid", args.no_grid),
    ]
}

/// Refuses what a file of the landscape itself does not hold.
fn of_landscape_file(args: &PlotArgs, figure: &Figure, format: LandscapeFile) -> Result<(), String> {
    let ending = format.ending();
    let of_itself = [landscape::FIGURE.name, surface_picture::FIGURE.name];
    if args.figure.is_some() && !of_itself.contains(&figure.name) {
        return Err(format!("a .{ending} file holds a landscape itself, not a figure; leave out --figure"));
    }
    const OF_FIGURES: [&str; 5] = ["--error", "--which", "--log", "--clip", "--colors"];
    let idle = |(option, given): &(&str, bool)| *given && OF_FIGURES.contains(option);
    match given(args).into_iter().find(idle).filter(|_| !format.is_mesh()) {
        Some((option, _)) => {
            Err(format!("{option} has no effect on a .{ending} file, which holds all values; leave it out"))
        }
        None => Ok(()),
    }
}

/// What was drawn, for programs.
fn summary(args: &PlotArgs, figure: &Figure, notes: &[String], more: Option<(&str, Value)>) -> Result<()> {
    if !args.json {
        return Ok(());
    }
    let mut drawn =
        json!({ "figure": args.out, "kind": figure.name, "records": args.records, "notes": notes });
    if let Some((name, value)) = more {
        drawn[name] = value;
    }
    print(&format!("{drawn:#}\n"))
}

fn options(args: &PlotArgs) -> Options {
    let (quantity, unit) = if args.error { (Quantity::Error, 0.01) } else { (Quantity::Loss, 1.0) };
    Options {
        quantity,
        which: args.which.map_or(figure::Which::Auto, Into::into),
        log: args.log,
        clip: args.clip.map(|clip| clip * unit),
        map: args.colors.unwrap_or_default(),
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
        palette: args.palette,
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
