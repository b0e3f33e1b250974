//! The merge tree of a landscape: where its minima are, and over which saddles they join while the level rises.

use basin_core::shape::{MergeTree, Surface};

use super::color::series_color;
use super::figure::{Drawn, Figure, Named, Options, Takes};
use super::landscape::{is_landscape, main_grid, note_gaps, provenance_of, quantity_label, unit};
use super::ticks::readable;
use super::{
    Axis, Color, Dash, Item, Plot, Scale, Scatter, ScatterPoint, Series, Shape, Tick, Unit, padded_range,
};

/// Branches of less persistence than this part of the range of values are left out.
const LEAST: f64 = 0.01;
/// At most so many branches are drawn.
const MOST: usize = 40;
/// So many minima have their place written below them.
const NAMED: usize = 5;

/// A tree.
pub const FIGURE: Figure = Figure {
    name: "merge-tree",
    help: "Where a landscape has its minima, and over which saddles they join while the level rises",
    takes: Takes::Records(is_landscape),
    is_usual: false,
    ignores: |_| ("a merge tree", &["--clip", "--colors"]),
    draw: |input| plot(input.named, input.options).map(Drawn::from),
};

/// The merge tree of one landscape, the most persistent branches.
///
/// # Errors
/// A sentence saying why there is none.
pub fn plot(records: &[Named<'_>], options: &Options) -> Result<Plot, String> {
    let named = match records {
        [only] => *only,
        _ => return Err("a merge tree shows one landscape; give one record".into()),
    };
    let grid = main_grid(named, options.which)?;
    let scale = if options.log { Scale::Log } else { Scale::Linear };
    let values = grid.values(options.quantity);
    let mut notes = Vec::new();
    note_gaps(&mut notes, named, grid.robust == Some(true), &values, options);
    let values: Vec<_> = values.into_iter().map(|value| value.filter(|v| scale.map(*v).is_some())).collect();
    let surface = Surface::new(grid.x, grid.y, values.iter().copied())
        .ok_or_else(|| format!("{} is a damaged record: its values do not fit its steps", named.name))?;
    let whole = MergeTree::of(&surface);
    let heights = || values.iter().flatten().copied();
    let range = padded_range(heights(), scale)
        .ok_or_else(|| format!("{} has no values that could be drawn", named.name))?;
    let (low, high) = heights().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let tree = whole.simplified(LEAST * (high - low), MOST);
    let layout = Layout::of(&tree, &surface);
    let (drawn, all) = (tree.branches().len(), whole.branches().len());
    if drawn < all {
        let percent = 100.0 * LEAST;
        notes.push(format!(
            "{drawn} of {all} minima are drawn: those of at least {percent}% of the range of values, at most {MOST}"
        ));
    }
    let place = |point: usize| surface.place(point);
    let mut lines = Series {
        name: None,
        x: Vec::new(),
        y: Vec::new(),
        band: Vec::new(),
        color: series_color(usize::from(grid.robust != Some(false))),
        dash: Dash::Solid,
        dots: false,
        steps: false,
    };
    let (mut minima, mut saddles, mut ticks) = (Vec::new(), Vec::new(), Vec::new());
    for (branch, at) in tree.branches().iter().zip(&layout.positions) {
        let Some(minimum) = place(branch.minimum) else { continue };
        let saddle = branch.saddle.and_then(place);
        let top = saddle.map_or(minimum.value + branch.persistence, |saddle| saddle.value);
        let mut line = vec![(*at, Some(minimum.value)), (*at, Some(top))];
        let point = |x: f64, y: f64, name: String| ScatterPoint {
            x,
            y,
            x_interval: None,
            y_interval: None,
            name,
            label: None,
        };
        if let (Some(parent), Some(saddle)) = (branch.parent, saddle) {
            let parent = layout.positions[parent];
            line.push((parent, Some(top)));
            saddles.push(point(parent, top, format!("Saddle at {}", written(saddle.x, saddle.y))));
        }
        line.push((*at, None));
        lines.x.extend(line.iter().map(|(x, _)| x));
        lines.y.extend(line.iter().map(|(_, y)| y));
        let where_it_is = written(minimum.x, minimum.y);
        let persistence = readable(branch.persistence * unit(options.quantity).factor());
        minima.push(point(
            *at,
            minimum.value,
            format!("Minimum at {where_it_is}, persistence {persistence}"),
        ));
        if drawn <= NAMED {
            ticks.push(Tick { value: *at, label: where_it_is });
        }
    }
    let group = |name: &str, points, shape, color| {
        Item::Scatter(Scatter { name: Some(name.to_owned()), points, color, shape, size: 0.7 })
    };
    let color = lines.color;
    let mut items = vec![Item::Series(lines), group("Minimum", minima, Shape::Circle, color)];
    if !saddles.is_empty() {
        items.push(group("Saddle", saddles, Shape::Diamond, Color::WHITE));
    }
    let label = match (drawn <= NAMED, grid.y.is_some()) {
        (true, true) => "Minimum at (x, y)",
        (true, false) => "Minimum at step",
        (false, _) => "Minima",
    };
    let x = Axis {
        label: label.into(),
        range: (-0.75, layout.width - 0.25),
        scale: Scale::Linear,
        unit: Unit::Names,
        ticks,
    };
    Ok(Plot {
        title: options.title.clone(),
        x,
        y: Axis::new(quantity_label(options.quantity, grid.robust), range, scale, unit(options.quantity)),
        items,
        key: None,
        equal_aspect: false,
        notes,
        provenance: provenance_of(named),
    })
}

/// `(0.5, −0.25)`; in 1-D `0.5`.
fn written(x: f64, y: Option<f64>) -> String {
    match y {
        Some(y) => format!("({}, {})", readable(x), readable(y)),
        None => readable(x),
    }
}

/// Where branches stand, so that no two lines cross: children on both sides of their parent, those that join it first
/// next to it.
struct Layout {
    positions: Vec<f64>,
    width: f64,
}

impl Layout {
    fn of(tree: &MergeTree, surface: &Surface) -> Self {
        let branches = tree.branches();
        let mut children = vec![Vec::new(); branches.len()];
        let mut roots = Vec::new();
        for (number, branch) in branches.iter().enumerate() {
            match branch.parent {
                Some(parent) => children[parent].push(number),
                None => roots.push(number),
            }
        }
        let height = |number: &usize| {
            let saddle = branches[*number].saddle.and_then(|saddle| surface.place(saddle));
            saddle.map_or(f64::INFINITY, |saddle| saddle.value)
        };
        for of_parent in &mut children {
            of_parent.sort_by(|a, b| height(a).total_cmp(&height(b)));
        }
        let mut order = Vec::with_capacity(branches.len());
        roots.into_iter().for_each(|root| Self::place(root, &children, &mut order));
        let mut positions = vec![0.0; branches.len()];
        for (at, number) in order.iter().enumerate() {
            positions[*number] = at as f64;
        }
        Self { positions, width: branches.len() as f64 }
    }

    /// Appends a branch with what joins it: every second child at its left, the first to join next to it.
    fn place(branch: usize, children: &[Vec<usize>], order: &mut Vec<usize>) {
        let of = &children[branch];
        of.iter().skip(1).step_by(2).rev().for_each(|child| Self::place(*child, children, order));
        order.push(branch);
        of.iter().step_by(2).for_each(|child| Self::place(*child, children, order));
    }
}
