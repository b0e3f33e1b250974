//! Panels to scene: axes of one size in rows and columns, with the words that all share around them.

use super::color_bar::color_bar;
use super::draw::{frame, items, thinned};
use super::fit::{Fitted, Steps, Type, fit_alike};
use super::layout::{Layout, layout, ticks};
use super::legend::Legend;
use super::palette::recolor;
use super::scene::{Anchor, Rect, Scene};
use super::style::FigureStyle;
use super::transform::Transform;
use crate::plot::panels::Panels;
use crate::plot::{Plot, text};

/// Panels are at least so wide, in sizes of the type at ticks.
const NARROWEST: f64 = 6.0;
/// Distance of panels and of their title, in sizes of the type at ticks.
const GAP: f64 = 0.9;
const ABOVE: f64 = 0.45;
/// Height of curves, relative to their width.
const CURVES: f64 = 0.75;
const TITLE: Steps = &[(1.0, 1), (0.85, 1), (0.85, 2), (0.7, 2), (0.7, 3)];

/// How panels stand.
struct Grid {
    columns: usize,
    rows: usize,
    /// Width and height of the axes of a panel.
    cell: [f64; 2],
    /// Height of the title of a panel, with its distance.
    title: f64,
    /// Distance of columns and of rows.
    gap: [f64; 2],
}

impl Grid {
    fn height(&self) -> f64 {
        self.rows as f64 * (self.title + self.cell[1]) + (self.rows - 1) as f64 * self.gap[1]
    }

    /// The axes of a panel within those of all.
    fn axes(&self, number: usize, all: Rect) -> Rect {
        let (row, column) = (number / self.columns, number % self.columns);
        let left = all.left + column as f64 * (self.cell[0] + self.gap[0]);
        let top = all.top + row as f64 * (self.title + self.cell[1] + self.gap[1]) + self.title;
        Rect { left, top, width: self.cell[0], height: self.cell[1] }
    }
}

/// Draws panels.
pub fn scene(panels: &Panels, style: &FigureStyle) -> Scene {
    let first = &panels.plots[0];
    let style = &thinned(first, style);
    let legend = Legend::below(first, style, 72.0 * style.width_in);
    let room = legend.as_ref().map_or(0.0, |legend| legend.room_below);
    let whole = Plot { title: panels.title.clone(), equal_aspect: false, ..first.clone() };
    // What stands around the panels does not depend on their height, only how long words beside them may be.
    let probe = layout(&whole, &FigureStyle { height_in: Some(4.0), ..style.clone() }, room, 1.0);
    let names: Vec<&str> = panels.plots.iter().map(|plot| plot.title.as_deref().unwrap_or("")).collect();
    let (grid, names) = arranged(first, &names, style, probe.axes.width);
    let height = probe.height - probe.axes.height + grid.height();
    let height_in = style.height_in.map_or(height, |asked| height.max(72.0 * asked)) / 72.0;
    let page = layout(&whole, &FigureStyle { height_in: Some(height_in), ..style.clone() }, room, 1.0);
    let mut scene = Scene {
        width: page.width,
        height: page.height,
        family: style.family,
        frame: page.axes,
        shapes: Vec::new(),
        title: text::plain(panels.title.as_deref().unwrap_or(&first.y.label)),
        description: described(panels),
        shortened: Vec::new(),
        label_pt: style.label_pt,
    };
    let count = panels.plots.len();
    for (number, plot) in panels.plots.iter().enumerate() {
        let axes = grid.axes(number, page.axes);
        scene.frame = axes;
        let is_left = number % grid.columns == 0;
        let is_lowest = number + grid.columns >= count;
        let layout = of_panel(plot, &page, axes, style, [is_lowest, is_left]);
        let to = Transform::new(plot, axes);
        items(&mut scene, &layout, &to, style);
        frame(&mut scene, &layout, &to, style);
        let words = &names[number];
        let baseline = axes.top - ABOVE * style.tick_pt - words.depth();
        scene.words(words, [axes.left + axes.width / 2.0, baseline], Anchor::Middle);
    }
    // The words that all share, and the colour bar beside the first row of panels or as high as all of them.
    scene.frame = page.axes;
    scene.words(&page.x_label.0, page.x_label.1, Anchor::Middle);
    scene.upright(&page.y_label.0, page.y_label.1);
    let before = scene.shapes.len();
    scene.words(&page.title.0, page.title.1, Anchor::Middle);
    scene.embolden(before);
    if let (Some(bar), Some(field)) = (page.bar, first.field()) {
        let bar = Rect { top: bar.top + grid.title, height: grid.height() - grid.title, ..bar };
        color_bar(&mut scene, field, bar, &page, style);
    }
    if let Some(legend) = legend {
        legend.draw(&mut scene, &page, page.below, style);
    }
    scene.without_empty_words();
    recolor(&mut scene, style.palette);
    scene
}

/// How many columns and rows there are within a width, and the titles of panels.
fn arranged(first: &Plot, names: &[&str], style: &FigureStyle, width: f64) -> (Grid, Vec<Fitted>) {
    // Words at the ends of neighbouring axes do not touch.
    let widest =
        ticks(&first.x, style, f64::INFINITY, false).iter().map(|(_, words)| words.width).fold(0.0, f64::max);
    let gap = (GAP * style.tick_pt).max(widest + 0.8 * style.tick_pt);
    let most = ((width + gap) / (NARROWEST * style.tick_pt + gap)).floor().max(1.0) as usize;
    let rows = names.len().div_ceil(most.min(names.len()));
    // As many in each row as fill all rows best.
    let columns = names.len().div_ceil(rows);
    let wide = (width - (columns - 1) as f64 * gap) / columns as f64;
    let span = |range: (f64, f64)| (range.1 - range.0).abs().max(f64::MIN_POSITIVE);
    let aspect = if first.equal_aspect { span(first.y.range) / span(first.x.range) } else { CURVES };
    let of = Type { family: style.family, bold: false, size: style.tick_pt, steps: TITLE };
    let names = fit_alike(names, of, wide);
    let title = names.iter().map(|words| 0.8 * words.size + words.depth()).fold(0.0, f64::max);
    let title = title + ABOVE * style.tick_pt;
    (Grid { columns, rows, cell: [wide, wide * aspect], title, gap: [gap, GAP * style.tick_pt] }, names)
}

/// The layout of a panel: words at ticks only where no other panel is below or to the left.
fn of_panel(plot: &Plot, page: &Layout, axes: Rect, style: &FigureStyle, [x, y]: [bool; 2]) -> Layout {
    let shown = |axis, length, upright, shown: bool| {
        let mut ticks = ticks(axis, style, length, upright);
        if !shown {
            ticks.iter_mut().for_each(|(_, words)| words.lines.clear());
        }
        ticks
    };
    let nothing = (Fitted { lines: Vec::new(), size: 1.0, width: 0.0, shortened: None }, [0.0; 2]);
    Layout {
        axes,
        bar: None,
        x_ticks: shown(&plot.x, axes.width, false, x),
        y_ticks: shown(&plot.y, axes.height, true, y),
        x_label: nothing.clone(),
        y_label: nothing.clone(),
        title: nothing,
        ..page.clone()
    }
}

/// Where the numbers come from, each line once.
fn described(panels: &Panels) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let all = panels
        .plots
        .iter()
        .flat_map(|plot| &plot.provenance)
        .chain(&panels.notes())
        .map(|l| text::plain(l))
        .collect::<Vec<_>>();
    for line in all {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}
