//! Lines through the points: least squares over all, in pieces, or per group; and what joins states of one training.

use std::collections::BTreeMap;

use basin_core::measure::statistics::Fit;

use super::models::{Connect, Lines, Look, Measured, Model, Models};
use super::stage::Stage;
use crate::plot::{Arrow, Color, Dash, Guide, GuideLine, Item, Scale, Series, ticks};

/// Colour of the least squares line and its band.
const FIT: Color = Color::rgb(227, 26, 28);
/// Colour of what joins states of one training.
const TRAIL: Color = Color::rgb(110, 110, 110);

/// The lines of a look, within these ranges.
pub fn fits(models: &Models, look: &Look, ranges: [(f64, f64); 2], scale: Scale) -> Vec<Item> {
    match look.lines {
        Lines::None => Vec::new(),
        Lines::One | Lines::Band => {
            let Some(fit) = models.fit() else { return Vec::new() };
            let band = (look.lines == Lines::Band).then(|| band(&fit, ranges, scale)).flatten();
            let (slope, intercept) = (fit.line.slope, fit.line.intercept);
            let line = GuideLine::Sloped { slope, intercept };
            let line = Item::Guide(Guide { name: None, line, color: FIT, dash: Dash::Dotted });
            band.into_iter().chain([line]).collect()
        }
        Lines::Pieces(at) => {
            let at = at.unwrap_or(10f64.ln());
            let number = ticks::readable(at);
            let pieces = [(format!("fit below {number}"), false), (format!("fit from {number}"), true)];
            let piece = |(name, above): (String, bool)| {
                let points: Vec<[f64; 2]> =
                    pairs(models).map(|(_, point)| point).filter(|[x, _]| (*x >= at) == above).collect();
                segment(Some(name), &points, FIT)
            };
            pieces.into_iter().filter_map(piece).collect()
        }
        // Drawn below the points of each group.
        Lines::Groups => Vec::new(),
    }
}

/// The models and their points.
fn pairs(models: &Models) -> impl Iterator<Item = (&Model, [f64; 2])> {
    models.points().map(|(model, x, y): (_, Measured, Measured)| (model, [x.value, y.value]))
}

/// The line of a group from its smallest to its largest abscissa.
pub fn of_group(models: &Models, group: &str, color: Color) -> Option<Item> {
    let own = pairs(models).filter(|(model, _)| model.group.as_deref() == Some(group));
    segment(None, &own.map(|(_, point)| point).collect::<Vec<_>>(), color)
}

/// The least squares line through points; none if they are too few or do not differ.
fn segment(name: Option<String>, points: &[[f64; 2]], color: Color) -> Option<Item> {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().map(|[x, y]| (*x, *y)).unzip();
    let line = Fit::of(&x, &y)?.line;
    let ends = x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
    // Many points, as it bends on logarithmic axes.
    let x: Vec<f64> = (0..=20).map(|i| ends.0 + (ends.1 - ends.0) * f64::from(i) / 20.0).collect();
    let y = x.iter().map(|x| Some(line.slope * x + line.intercept)).collect();
    let (band, dash) = (Vec::new(), Dash::Dotted);
    Some(Item::Series(Series { name, x, y, band, color, dash, dots: false, steps: false }))
}

/// The confidence band of a line within the axes; none for fewer than three points.
fn band(fit: &Fit, [x_range, y_range]: [(f64, f64); 2], scale: Scale) -> Option<Item> {
    let (from, to) = (scale.map(x_range.0)?, scale.map(x_range.1)?);
    let at = |i: u32| scale.unmap(from + (to - from) * f64::from(i) / 100.0);
    let x: Vec<f64> = (0..=100).map(at).collect();
    let inside = |value: f64| value.clamp(y_range.0, y_range.1);
    let band: Option<Vec<_>> = x.iter().map(|x| fit.band(*x)).collect();
    Some(Item::Series(Series {
        name: None,
        // The line itself is a guide; this one stands in the band without being seen.
        y: vec![None; x.len()],
        band: band?.into_iter().map(|band| Some((inside(band.low), inside(band.high)))).collect(),
        x,
        color: FIT,
        dash: Dash::Dotted,
        dots: false,
        steps: false,
    }))
}

/// A state of a training, its point and its name.
type State<'a> = (Stage, [f64; 2], &'a str);

/// What joins the states of each training: a line along the epochs, or an arrow to the early-stopped network.
///
/// # Errors
/// No training has two states that are joined so.
pub fn trails(models: &Models, connect: Connect) -> Result<Vec<Item>, String> {
    let mut trainings: BTreeMap<&str, Vec<State<'_>>> = BTreeMap::new();
    for (model, point) in pairs(models) {
        if let Some(training) = model.training.as_deref().filter(|_| model.stage != Stage::Unknown) {
            trainings.entry(training).or_default().push((model.stage, point, &model.name));
        }
    }
    let along = |states: &mut Vec<State<'_>>| {
        states.retain(|(stage, ..)| *stage != Stage::Best);
        states.sort_by_key(|(stage, ..)| *stage);
        let (x, y) = states.iter().map(|(_, [x, y], _)| (*x, Some(*y))).unzip();
        let (name, band, dash) = (None, Vec::new(), Dash::Solid);
        let line = Series { name, x, y, band, color: TRAIL, dash, dots: false, steps: false };
        (states.len() > 1).then_some(Item::Series(line))
    };
    let stopping = |states: &mut Vec<State<'_>>| {
        let of = |wanted: Stage| states.iter().find(|(stage, ..)| *stage == wanted);
        let ((_, from, _), (_, to, name)) = (of(Stage::Final)?, of(Stage::Best)?);
        let name = format!("{name}: early stopping");
        Some(Item::Arrow(Arrow { from: *from, to: *to, color: TRAIL, name }))
    };
    let items: Vec<Item> = match connect {
        Connect::None => return Ok(Vec::new()),
        Connect::Epochs => trainings.values_mut().filter_map(along).collect(),
        Connect::EarlyStopping => trainings.values_mut().filter_map(stopping).collect(),
    };
    match (items.is_empty(), connect) {
        (true, Connect::Epochs) => {
            Err("no training has two states with both numbers, such as snapshots of two \
             epochs; make the study with `basin study init --snapshots` and measure them"
                .into())
        }
        (true, _) => Err("no training has both its final and its early-stopped network with both numbers; \
             measure final.safetensors and best.safetensors of a training"
            .into()),
        _ => Ok(items),
    }
}
