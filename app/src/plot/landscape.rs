//! Landscape records to figures: curves along one direction, or a map with contour lines over two.

use std::collections::BTreeSet;

use basin_core::job::{DirectionKind, Job, Landscape};
use basin_core::record::{Grid, Landmark, LandscapeOutcome, ORIGIN, Outcome, Point, Record, Values};

use super::color::series_color;
use super::figure::{Drawn, Figure, Takes};
pub use super::figure::{Named, Options, Quantity, Which};
use super::{
    Axis, Dash, Field, Item, Mark, Plot, Scale, Series, Shape, Unit, padded_range, provenance, text, ticks,
};

/// Curves, or a map.
pub const FIGURE: Figure = Figure {
    name: "landscape",
    help: "Curves along one direction, or a map with contour lines over two",
    takes: Takes::Records(is_landscape),
    is_usual: true,
    ignores: |first| match first.is_some_and(is_plane) {
        true => ("a map", &["--no-grid"]),
        false => ("a figure of curves", &["--colors"]),
    },
    draw: |input| plot(input.named, input.options).map(Drawn::from),
};

/// Whether a record is of a landscape.
pub fn is_landscape(record: &Record) -> bool {
    matches!(record.outcome, Outcome::Landscape(_))
}

/// Whether a record is of a landscape over two directions.
pub fn is_plane(record: &Record) -> bool {
    matches!(&record.outcome, Outcome::Landscape(landscape) if landscape.y.is_some())
}

/// The figure of one or more 1-D landscapes, or of one 2-D landscape.
///
/// # Errors
/// A sentence saying which record cannot be part of the figure, and what to do.
pub fn plot(records: &[Named<'_>], options: &Options) -> Result<Plot, String> {
    let landscapes = records.iter().map(landscape).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = landscapes.first() else { return Err("no record given; give at least one".into()) };
    if let Some(other) = landscapes.iter().find(|l| l.outcome.y.is_some() != first.outcome.y.is_some()) {
        let kind = |l: &Shown<'_>| if l.outcome.y.is_some() { "2-D" } else { "1-D" };
        return Err(format!(
            "{} is a {} landscape but {} is a {} one; draw them in separate figures",
            first.name,
            kind(first),
            other.name,
            kind(other)
        ));
    }
    if first.outcome.y.is_none() {
        return curves(&landscapes, options);
    }
    match landscapes.as_slice() {
        [only] => map(only, options),
        [_, second, ..] => Err(format!(
            "{} is a second 2-D landscape; a figure shows one, so give one record at a time",
            second.name
        )),
        [] => unreachable!("there is a first landscape"),
    }
}

/// A landscape record taken apart.
struct Shown<'a> {
    name: &'a str,
    record: &'a Record,
    /// None: it was imported.
    job: Option<&'a Landscape>,
    outcome: &'a LandscapeOutcome,
}

impl<'a> Shown<'a> {
    fn named(&self) -> Named<'a> {
        Named { name: self.name, record: self.record }
    }
}

fn landscape<'a>(named: &Named<'a>) -> Result<Shown<'a>, String> {
    let Named { name, record } = *named;
    let Outcome::Landscape(outcome) = &record.outcome else {
        return Err(format!("{name} is a record of `basin {}`, not of a landscape", record.job.kind()));
    };
    let job = match &record.job {
        Job::Landscape(job) => Some(job),
        _ => None,
    };
    let columns = outcome.x.len();
    let rows = outcome.y.as_ref().map(Vec::len);
    let ascending = |steps: &[f64]| steps.windows(2).all(|w| w[0] < w[1]);
    if columns < 2
        || rows.is_some_and(|r| r < 2)
        || !ascending(&outcome.x)
        || !outcome.y.iter().all(|y| ascending(y))
    {
        return Err(format!("{name} is a damaged record: its steps are not ascending; compute it again"));
    }
    for grid in [&outcome.clean, &outcome.robust].into_iter().flatten() {
        for values in [&grid.loss, &grid.error] {
            let fits = match (values, rows) {
                (Values::Line(line), None) => line.len() == columns,
                (Values::Plane(plane), Some(rows)) => {
                    plane.len() == rows && plane.iter().all(|r| r.len() == columns)
                }
                _ => false,
            };
            if !fits {
                return Err(format!(
                    "{name} is a damaged record: its values do not fit its steps; compute it again"
                ));
            }
        }
    }
    Ok(Shown { name, record, job, outcome })
}

/// The grid's values of a quantity.
pub fn values(grid: &Grid, quantity: Quantity) -> &Values {
    match quantity {
        Quantity::Loss => &grid.loss,
        Quantity::Error => &grid.error,
    }
}

/// `Robust loss`, `Clean error (%)`, …; without `robust` just `Loss`.
pub fn quantity_label(quantity: Quantity, robust: Option<bool>) -> String {
    let what = match quantity {
        Quantity::Loss => "loss",
        Quantity::Error => "error (%)",
    };
    match robust {
        Some(true) => format!("Robust {what}"),
        Some(false) => format!("Clean {what}"),
        None => format!("{}{}", what[..1].to_uppercase(), &what[1..]),
    }
}

/// Whether values are of adversarial or of clean images; none: an imported file does not say.
pub fn images(record: &Record, robust: bool) -> Option<bool> {
    (robust || record.provenance.imported.is_none()).then_some(robust)
}

/// `Robust`, `Clean`, or `Imported`: a name in a legend.
pub fn kind_label(record: &Record, robust: bool) -> &'static str {
    match images(record, robust) {
        Some(true) => "Robust",
        Some(false) => "Clean",
        None => "Imported",
    }
}

/// How values of a quantity are written.
pub fn unit(quantity: Quantity) -> Unit {
    match quantity {
        Quantity::Loss => Unit::One,
        Quantity::Error => Unit::Percent,
    }
}

fn scale(options: &Options) -> Scale {
    if options.log { Scale::Log } else { Scale::Linear }
}

/// Which of clean and robust to draw of a record, with a complaint if what was asked for is not there.
fn chosen<'a>(shown: &Shown<'a>, which: Which) -> Result<Vec<(bool, &'a Grid)>, String> {
    let clean = shown.outcome.clean.as_ref().map(|g| (false, g));
    let robust = shown.outcome.robust.as_ref().map(|g| (true, g));
    let name = shown.name;
    let missing = |what: &str, flag: &str| {
        let compute = format!("compute it with `basin landscape --loss {flag}`, or ");
        format!("{name} has no {what} values; {}choose others", shown.job.map_or("", |_| &compute))
    };
    match which {
        Which::Auto if clean.is_none() && robust.is_none() => {
            Err(format!("{name} has no values at all; the job was stopped before its first grid point"))
        }
        Which::Auto => Ok(clean.into_iter().chain(robust).collect()),
        Which::Clean => Ok(vec![clean.ok_or_else(|| missing("clean", "clean"))?]),
        Which::Robust => Ok(vec![robust.ok_or_else(|| missing("robust", "robust"))?]),
        Which::Both => Ok(vec![
            clean.ok_or_else(|| missing("clean", "clean"))?,
            robust.ok_or_else(|| missing("robust", "robust"))?,
        ]),
    }
}

fn curves(landscapes: &[Shown<'_>], options: &Options) -> Result<Plot, String> {
    let scale = scale(options);
    let mut items = Vec::new();
    let mut notes = Vec::new();
    let mut kinds = BTreeSet::new();
    for (i, shown) in landscapes.iter().enumerate() {
        let grids = chosen(shown, options.which)?;
        let both = grids.len() > 1;
        for (robust, grid) in grids {
            kinds.insert(robust);
            let y: Vec<_> = values(grid, options.quantity).iter().collect();
            note_gaps(&mut notes, shown.named(), robust, &y, options);
            let single = landscapes.len() == 1;
            let kind = if robust { "robust" } else { "clean" };
            // Of an unfinished curve only the known points, so that lines join them.
            let keep = |y: &Option<f64>| y.is_some() || shown.record.provenance.complete;
            let band = bands(shown.outcome, robust, options.quantity);
            let is_shown: Vec<bool> = y.iter().map(keep).collect();
            let (x, y) = shown.outcome.x.iter().copied().zip(y).filter(|(_, y)| keep(y)).unzip();
            let band: Vec<_> =
                band.into_iter().zip(is_shown).filter(|(_, shown)| *shown).map(|(ends, _)| ends).collect();
            if !band.is_empty() {
                let draws = shown.outcome.draws.len();
                let note = format!(
                    "{}: mean of {draws} draws, with a band from the lowest to the highest",
                    shown.name
                );
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
            items.push((
                shown,
                robust,
                Series {
                    name: Some(match (single, both) {
                        (true, _) => kind_label(shown.record, robust).to_owned(),
                        (false, true) => format!("{}, {kind}", shown.name),
                        (false, false) => shown.name.to_owned(),
                    }),
                    x,
                    y,
                    band,
                    color: if single { series_color(usize::from(robust)) } else { series_color(i) },
                    dash: if both && !single && !robust { Dash::Dashed } else { Dash::Solid },
                    dots: shown.outcome.x.len() <= 101,
                    steps: false,
                },
            ));
        }
    }
    let x = landscapes.iter().flat_map(|l| l.outcome.x.iter().copied());
    let x = x.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let ends = |s: &Series| s.band.iter().flatten().flat_map(|(low, high)| [*low, *high]).collect::<Vec<_>>();
    let shown = items.iter().flat_map(|(_, _, s)| s.y.iter().flatten().copied().chain(ends(s)));
    let known: Vec<(Mark, bool)> = landscapes.iter().flat_map(|shown| landmarks(shown, options)).collect();
    let shown = shown.chain(known.iter().map(|(mark, _)| mark.y)).collect::<Vec<_>>();
    let Some(mut range) = padded_range(shown.into_iter(), scale) else {
        return Err(no_values(landscapes[0].named(), options.log));
    };
    if let Some(clip) = options.clip.filter(|clip| *clip < range.1) {
        let values = items.iter().flat_map(|(_, _, s)| s.y.iter().flatten().copied());
        check_clip(values, options)?;
        range.1 = clip;
        let shown = |series: &Series| series.y.iter().flatten().any(|y| *y <= clip);
        for (l, robust, _) in items.iter().filter(|(_, _, series)| !shown(series)) {
            let kind = if *robust { "robust" } else { "clean" };
            let clip = written(clip, options.quantity);
            notes.push(format!(
                "{}: the {kind} curve is above the clip value {clip} and is not shown",
                l.name
            ));
        }
    }
    if options.quantity == Quantity::Error && !options.log && options.clip.is_none() {
        range.1 = range.1.min(1.02);
    }
    let along = landscapes[0].job.map_or_else(|| "Step".to_owned(), |job| along(&job.direction));
    let only = kinds.first().copied().filter(|_| kinds.len() == 1);
    let label =
        quantity_label(options.quantity, only.and_then(|robust| images(landscapes[0].record, robust)));
    let mut series: Vec<Series> = items.into_iter().map(|(_, _, s)| s).collect();
    if let [only] = series.as_mut_slice() {
        only.name = None;
    }
    Ok(Plot {
        title: options.title.clone(),
        x: Axis::new(along, x, Scale::Linear, Unit::One),
        y: Axis::new(label, range, scale, unit(options.quantity)),
        items: (series.into_iter().map(Item::Series))
            .chain(known.into_iter().map(|(mark, _)| Item::Mark(mark)))
            .collect(),
        key: None,
        equal_aspect: false,
        notes,
        provenance: landscapes.iter().flat_map(|l| provenance_of(l.named())).collect(),
    })
}

fn map(shown: &Shown<'_>, options: &Options) -> Result<Plot, String> {
    if options.which == Which::Both {
        return Err(format!(
            "{} is a 2-D landscape, and a map shows one of clean and robust; choose one",
            shown.name
        ));
    }
    let grids = chosen(shown, options.which)?;
    let (robust, grid) = grids[grids.len() - 1];
    let scale = scale(options);
    let y = shown.outcome.y.clone().unwrap_or_default();
    let values: Vec<_> = values(grid, options.quantity).iter().collect();
    let mut notes = Vec::new();
    note_gaps(&mut notes, shown.named(), robust, &values, options);
    let name = quantity_label(options.quantity, images(shown.record, robust));
    let look = (options.map, scale, unit(options.quantity));
    let (x_range, y_range) =
        ((shown.outcome.x[0], shown.outcome.x[shown.outcome.x.len() - 1]), (y[0], y[y.len() - 1]));
    check_clip(values.iter().flatten().copied(), options)?;
    let mut field = Field::new(name, (shown.outcome.x.clone(), y, values), look, options.clip)
        .ok_or_else(|| no_values(shown.named(), options.log))?;
    field.unfinished = !shown.record.provenance.complete;
    if field.colors.over {
        let limit = written(field.colors.range().1, options.quantity);
        notes.push(format!("values above {limit} share one colour"));
    }
    let mark = Mark {
        x: 0.0,
        y: 0.0,
        shape: Shape::Cross,
        color: super::Color::WHITE,
        name: "trained weights".into(),
    };
    let mut items = vec![Item::Field(field)];
    items.extend(path(shown.outcome));
    items.push(Item::Mark(mark));
    Ok(Plot {
        title: options.title.clone(),
        x: Axis::new(direction_label(shown.record, 1), x_range, Scale::Linear, Unit::One),
        y: Axis::new(direction_label(shown.record, 2), y_range, Scale::Linear, Unit::One),
        items,
        key: None,
        equal_aspect: true,
        notes,
        provenance: provenance_of(shown.named()),
    })
}

/// Lowest and highest of several draws, at every step; empty without these.
fn bands(outcome: &LandscapeOutcome, robust: bool, quantity: Quantity) -> Vec<Option<(f64, f64)>> {
    if outcome.draws.len() < 2 {
        return Vec::new();
    }
    let grids: Vec<&Grid> = (outcome.draws.iter())
        .filter_map(|draw| if robust { draw.robust.as_ref() } else { Some(&draw.clean) })
        .collect();
    let at = |x: usize| {
        let known: Vec<f64> = grids.iter().filter_map(|grid| values(grid, quantity).get(x, 0)).collect();
        let (low, high) = (known.iter().copied().reduce(f64::min)?, known.iter().copied().reduce(f64::max)?);
        (known.len() == grids.len()).then_some((low, high))
    };
    (0..outcome.x.len()).map(at).collect()
}

/// Networks beside a curve that were measured by themselves, with whether robust.
fn landmarks(shown: &Shown<'_>, options: &Options) -> Vec<(Mark, bool)> {
    let of = |point: basin_core::record::Point| match options.quantity {
        Quantity::Loss => point.loss,
        Quantity::Error => point.error,
    };
    let on_grid = |landmark: &Landmark| shown.outcome.x.contains(&landmark.x) && landmark.outside == 0.0;
    let marked = shown.outcome.landmarks.iter().filter(|landmark| !on_grid(landmark));
    let inside = |x: f64| (shown.outcome.x[0]..=shown.outcome.x[shown.outcome.x.len() - 1]).contains(&x);
    marked
        .filter(|landmark| inside(landmark.x))
        .flat_map(|landmark| {
            let points = [(false, landmark.clean), (true, landmark.robust)];
            points.into_iter().filter_map(move |(robust, point)| Some((landmark, robust, of(point?))))
        })
        .filter(|(_, robust, _)| match options.which {
            Which::Clean => !robust,
            Which::Robust => *robust,
            Which::Auto | Which::Both => true,
        })
        .map(|(landmark, robust, y)| {
            let mark = Mark {
                x: landmark.x,
                y,
                shape: Shape::Circle,
                color: series_color(usize::from(robust)),
                name: text::literal(&landmark.name),
            };
            (mark, robust)
        })
        .collect()
}

/// The networks of a training in a map, joined in their order.
fn path(outcome: &LandscapeOutcome) -> Vec<Item> {
    let steps: Vec<&Landmark> = outcome.landmarks.iter().filter(|landmark| landmark.path).collect();
    let mut items = Vec::new();
    if steps.len() > 1 {
        items.push(Item::Series(Series {
            name: None,
            x: steps.iter().map(|step| step.x).collect(),
            y: steps.iter().map(|step| step.y).collect(),
            band: Vec::new(),
            color: super::Color::WHITE,
            dash: Dash::Solid,
            dots: true,
            steps: false,
        }));
    }
    let ends = outcome.landmarks.iter().filter(|landmark| !landmark.path && landmark.name != ORIGIN);
    items.extend(ends.map(|landmark| {
        Item::Mark(Mark {
            x: landmark.x,
            y: landmark.y.unwrap_or_default(),
            shape: Shape::Circle,
            color: super::Color::WHITE,
            name: text::literal(&landmark.name),
        })
    }));
    items
}

/// What the steps of a curve are.
pub(super) fn along(kind: &DirectionKind) -> String {
    let title = text::literal(&kind.title());
    match kind {
        DirectionKind::Toward(_) => format!("Step {title}"),
        DirectionKind::Random(_)
        | DirectionKind::Worst(_)
        | DirectionKind::Joint(_)
        | DirectionKind::RandomInput(_) => format!("Step along {title}"),
        _ => format!("Step along the {title}"),
    }
}

/// A value with its unit: `2.5`, `80%`.
fn written(value: f64, quantity: Quantity) -> String {
    let number = text::plain(&ticks::readable(value * unit(quantity).factor()));
    if unit(quantity) == Unit::Percent { format!("{number}%") } else { number }
}

/// Refuses to clip everything away.
///
/// # Errors
/// A sentence with the smallest value.
pub fn check_clip(values: impl Iterator<Item = f64>, options: &Options) -> Result<(), String> {
    let lowest = values.filter(|v| scale(options).map(*v).is_some()).fold(f64::INFINITY, f64::min);
    match options.clip {
        Some(clip) if clip <= lowest && lowest.is_finite() => {
            let [clip, lowest] = [clip, lowest].map(|v| written(v, options.quantity));
            Err(format!("nothing is below the clip value {clip}; use more than {lowest}"))
        }
        _ => Ok(()),
    }
}

fn no_values(named: Named<'_>, log: bool) -> String {
    let (name, complete) = (named.name, named.record.provenance.complete);
    if named.record.provenance.imported.is_some() {
        format!("{name} has no such values; its file may hold others, e.g. losses but no errors")
    } else if log {
        format!("{name} has no positive values, and a logarithmic axis shows only those; leave out --log")
    } else if complete {
        format!("{name} has no finite values; compute it again with a smaller range or radius")
    } else {
        format!("{name} has no values yet; the job was stopped before its first grid point")
    }
}

/// What is missing among the values of a record, or cannot be shown on this scale.
pub fn note_gaps(
    notes: &mut Vec<String>,
    named: Named<'_>,
    robust: bool,
    values: &[Option<f64>],
    options: &Options,
) {
    let kind = kind_label(named.record, robust).to_lowercase();
    let name = named.name;
    let missing = values.iter().filter(|v| v.is_none()).count();
    if named.record.provenance.imported.is_some() {
        // They say what is missing in the file.
        let said = named.record.provenance.warnings.iter().map(|warning| format!("{name}: {warning}"));
        let new: Vec<String> = said.filter(|note| !notes.contains(note)).collect();
        notes.extend(new);
    } else if !named.record.provenance.complete {
        let (known, all) = (values.len() - missing, values.len());
        notes.push(format!(
            "{name} is partial: {known} of {all} {kind} values are computed, and what lies between them is \
             interpolated"
        ));
    } else if missing > 0 {
        // A complete record has no value where the loss is not finite, and nowhere else.
        let are = if missing == 1 { "is" } else { "are" };
        notes.push(format!("{name}: {missing} of {} {kind} values {are} not finite", values.len()));
    }
    let hidden = values.iter().flatten().filter(|v| scale(options).map(**v).is_none()).count();
    if hidden > 0 {
        let are = if hidden == 1 { "value is" } else { "values are" };
        notes.push(format!(
            "{name}: {hidden} {kind} {are} not positive and cannot be shown on a logarithmic axis"
        ));
    }
}

/// The grid that stands for a landscape where one is shown.
#[derive(Debug, Clone, Copy)]
pub struct MainGrid<'a> {
    /// Steps along the first direction.
    pub x: &'a [f64],
    /// Steps along the second direction; none in 1-D.
    pub y: Option<&'a [f64]>,
    /// Whether it is under attack; none: an imported file does not say.
    pub robust: Option<bool>,
    /// Its values.
    pub grid: &'a Grid,
    /// Loss and error of the unperturbed network, which need not be at a grid point.
    pub origin: Option<Point>,
}

impl MainGrid<'_> {
    /// Its values of a quantity, row by row.
    pub fn values(&self, quantity: Quantity) -> Vec<Option<f64>> {
        values(self.grid, quantity).iter().collect()
    }
}

/// The grid that stands for a landscape: robust before clean, if neither is singled out.
///
/// # Errors
/// A sentence: the record is not a landscape, is damaged, does not have what is asked for, or both are asked for.
pub fn main_grid<'a>(named: Named<'a>, which: Which) -> Result<MainGrid<'a>, String> {
    let shown = landscape(&named)?;
    if which == Which::Both {
        return Err(format!(
            "{} can be shown clean or robust here, not both; choose one with --which",
            named.name
        ));
    }
    let grids = chosen(&shown, which)?;
    let (robust, grid) = grids[grids.len() - 1];
    let outcome = shown.outcome;
    let (origin, robust) = (outcome.origin(robust), images(named.record, robust));
    Ok(MainGrid { x: &outcome.x, y: outcome.y.as_deref(), robust, grid, origin })
}

/// Where the numbers of a landscape come from, in lines; none of a record of another kind.
pub fn provenance_of(named: Named<'_>) -> Vec<String> {
    match (&named.record.job, &named.record.provenance.imported) {
        (Job::Landscape(job), _) => provenance::landscape(named.name, named.record, job),
        (_, Some(imported)) => provenance::imported(named.name, imported),
        _ => Vec::new(),
    }
}

/// Name of a landscape's first or second direction, e.g. `Random direction 1`.
pub fn direction_label(record: &Record, number: usize) -> String {
    let Job::Landscape(job) = &record.job else { return format!("Direction {number}") };
    let kind = job.second.as_ref().filter(|_| number == 2).unwrap_or(&job.direction);
    let title = text::literal(&kind.title());
    let found = match &record.outcome {
        Outcome::Landscape(outcome) => outcome.directions.get(number - 1),
        _ => None,
    };
    let share = found.and_then(|direction| direction.variance);
    let share = share.map_or(String::new(), |share| format!(" ({:.0} % of variance)", 100.0 * share));
    // Two random directions are told apart by their numbers.
    let number = if kind.is_drawn() && job.second.is_some() { format!(" {number}") } else { String::new() };
    let mut letters = title.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}{number}{share}", letters.as_str())
}
