//! Where the parts of a figure stand: axes, tick labels, colour bar, title.

use super::fonts;
use super::scene::Rect;
use super::style::FigureStyle;
use crate::plot::{Axis, Plot, Tick, Unit};

/// Length of ticks in points, relative to the frame's line width.
const TICK_LENGTH: f64 = 4.4;

/// Places of the parts, in points.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Width of the figure.
    pub width: f64,
    /// Height of the figure.
    pub height: f64,
    /// Inside of the axes.
    pub axes: Rect,
    /// Inside of the colour bar.
    pub bar: Option<Rect>,
    /// Length of ticks.
    pub tick: f64,
    /// Distance between ticks and their labels.
    pub gap: f64,
    /// Ticks of x with labels that do not touch.
    pub x_ticks: Vec<Tick>,
    /// Ticks of y with labels that do not touch.
    pub y_ticks: Vec<Tick>,
    /// Baseline of the x label.
    pub x_label: f64,
    /// Where what stands below the axes and their label begins.
    pub below: f64,
    /// Baseline (a vertical) of the y label.
    pub y_label: f64,
    /// Baseline (a vertical) of the colour bar's label.
    pub bar_label: f64,
    /// Baseline of the title.
    pub title: f64,
}

/// Distance of listed names, relative to their size.
const NAME_LINE: f64 = 1.5;

/// Heights of letters as shares of the font size; the bundled fonts differ little.
pub const CAP_HEIGHT: f64 = 0.7;
const ASCENT: f64 = 0.76;
const DESCENT: f64 = 0.24;

/// Lays out a plot with `below` points to spare under the x label.
pub fn layout(plot: &Plot, style: &FigureStyle, below: f64) -> Layout {
    let width_of = |label: &str, size: f64| fonts::width(label, style.family, false, size);
    let widest = |ticks: &[Tick]| ticks.iter().map(|t| width_of(&t.label, style.tick_pt)).fold(0.0, f64::max);
    let width = style.width_in * 72.0;
    let tick = TICK_LENGTH * style.frame_pt;
    let gap = 0.3 * style.tick_pt;
    let margin = style.frame_pt.max(1.0);
    let line = |size: f64| size * (ASCENT + DESCENT);

    let y_label = if plot.y.label.is_empty() { 0.0 } else { line(style.label_pt) + 1.6 * gap };
    let left = margin + y_label + widest(&plot.y.ticks) + gap + tick;
    let below_axes = tick + gap + CAP_HEIGHT * style.tick_pt;
    let x_label = if plot.x.label.is_empty() { 0.0 } else { 1.6 * gap + line(style.label_pt) };
    let bottom =
        below_axes + x_label + margin + below + if x_label == 0.0 { DESCENT * style.tick_pt } else { 0.0 };
    let half_digit = CAP_HEIGHT * style.tick_pt / 2.0;
    let top = match &plot.title {
        Some(_) => margin + ASCENT * style.title_pt + 0.55 * style.title_pt,
        None => margin.max(half_digit),
    };

    let bar_width = 0.9 * style.label_pt;
    let (bar_gap, bar_room) = match plot.field() {
        Some(field) => {
            let label = if field.name.is_empty() { 0.0 } else { 1.6 * gap + line(style.label_pt) };
            (0.7 * style.label_pt, bar_width + tick + gap + widest(&field.ticks) + label)
        }
        None => (0.0, 0.0),
    };
    let overhang = plot.x.ticks.iter().filter_map(|t| {
        // The axes are a little narrower still, so this leaves enough.
        let beyond = (plot.x.position(t.value)? - 1.0) * 0.9 * (width - left);
        Some(beyond + width_of(&t.label, style.tick_pt) / 2.0)
    });
    let right = margin + (bar_gap + bar_room).max(overhang.fold(0.0, f64::max));

    let axes_width = (width - left - right).max(10.0);
    let axes_height = match style.height_in {
        // Rather a higher figure than axes in which nothing can be seen.
        Some(height) => (height * 72.0 - top - bottom).max(0.4 * height * 72.0),
        None if plot.equal_aspect => axes_width * aspect(plot),
        None if plot.y.unit == Unit::Names => plot.y.ticks.len() as f64 * NAME_LINE * style.tick_pt,
        None => (0.75 * width - top - bottom + below).max(10.0),
    };
    let (mut axes_width, mut axes_height) = (axes_width, axes_height);
    if plot.equal_aspect {
        axes_width = axes_width.min(axes_height / aspect(plot));
        axes_height = axes_height.min(axes_width * aspect(plot));
    }
    let least = top + axes_height + bottom;
    let height = style.height_in.map_or(least, |h| least.max(h * 72.0));
    // What an equal aspect leaves over goes to both sides.
    let spare =
        [width - left - right - axes_width, height - top - bottom - axes_height].map(|s| s.max(0.0) / 2.0);
    let axes = Rect { left: left + spare[0], top: top + spare[1], width: axes_width, height: axes_height };
    let bar = plot.field().map(|_| Rect { left: axes.right() + bar_gap, width: bar_width, ..axes });

    let x_ticks = thinned(&plot.x, |t| width_of(&t.label, style.tick_pt) + 0.6 * style.tick_pt, axes.width);
    let y_ticks = thinned(&plot.y, |_| 1.25 * style.tick_pt, axes.height);
    Layout {
        width,
        height,
        axes,
        bar,
        tick,
        gap,
        x_label: axes.bottom() + below_axes + 1.6 * gap + ASCENT * style.label_pt,
        below: axes.bottom() + bottom - margin - below,
        y_label: axes.left - tick - gap - widest(&y_ticks) - 1.6 * gap - DESCENT * style.label_pt,
        bar_label: axes.right() + bar_gap + bar_room - DESCENT * style.label_pt,
        title: axes.top - 0.55 * style.title_pt,
        x_ticks,
        y_ticks,
    }
}

/// Height of the axes divided by their width when units are equally long.
fn aspect(plot: &Plot) -> f64 {
    let span = |axis: &Axis| (axis.range.1 - axis.range.0).abs().max(f64::MIN_POSITIVE);
    span(&plot.y) / span(&plot.x)
}

/// Keeps every tick, but the labels only of every second (third, …) if they would touch.
fn thinned(axis: &Axis, room: impl Fn(&Tick) -> f64, length: f64) -> Vec<Tick> {
    let labelled: Vec<&Tick> = axis.ticks.iter().filter(|t| !t.label.is_empty()).collect();
    // Zero, if there is one, keeps its label.
    let anchor = labelled.iter().position(|t| t.value == 0.0).unwrap_or(0);
    for every in 1..=labelled.len() {
        let kept: Vec<&Tick> = labelled
            .iter()
            .enumerate()
            .filter(|(i, _)| (i + every * labelled.len() - anchor).is_multiple_of(every))
            .map(|(_, t)| *t)
            .collect();
        let fits = kept.windows(2).all(|pair| {
            let at = |t: &Tick| axis.position(t.value).unwrap_or(0.0) * length;
            (at(pair[1]) - at(pair[0])).abs() >= (room(pair[0]) + room(pair[1])) / 2.0
        });
        if fits {
            let keep = |t: &&Tick| t.label.is_empty() || kept.iter().any(|k| k.value == t.value);
            return axis.ticks.iter().filter(keep).cloned().collect();
        }
    }
    axis.ticks.clone()
}
