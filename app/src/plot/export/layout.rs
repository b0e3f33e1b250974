//! Where the parts of a figure stand: axes, tick labels, colour bar, title.
//!
//! Words that are too long for their place are set in several lines or smaller, see [`super::fit`].

use super::fit::{Fitted, Steps, Type, fit, fit_alike};
use super::fonts;
use super::scene::Rect;
use super::style::FigureStyle;
use crate::plot::text::{Script, spans};
use crate::plot::{Axis, Field, Plot, Tick, Unit};

/// Length of ticks in points, relative to the frame's line width.
const TICK_LENGTH: f64 = 4.4;
/// Distance of listed names, relative to their size.
const NAME_LINE: f64 = 1.5;
/// Names at the y axis take at most this part of the width.
const NAMES: f64 = 0.42;
/// Axes narrower than this part of the width, or this many points, ask for smaller type.
const NARROWEST: (f64, f64) = (0.3, 24.0);

/// Heights of letters as shares of the font size; the bundled fonts differ little.
pub const CAP_HEIGHT: f64 = 0.7;
const ASCENT: f64 = 0.76;
const RAISED: f64 = 0.95;
pub const DESCENT: f64 = 0.24;

const TITLE: Steps = &[(1.0, 2), (0.85, 2), (0.7, 3), (0.6, 4)];
const LABEL: Steps = &[(1.0, 1), (0.85, 1), (0.85, 2), (0.7, 2), (0.6, 3)];
const ROW_NAME: Steps = &[(1.0, 1), (0.85, 1), (0.7, 1)];
const COLUMN_NAME: Steps = &[(1.0, 1), (0.85, 2), (0.7, 3)];

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
    pub x_ticks: Vec<(Tick, Fitted)>,
    /// Ticks of y with labels that do not touch.
    pub y_ticks: Vec<(Tick, Fitted)>,
    /// Ticks of the colour bar with labels that do not touch.
    pub bar_ticks: Vec<Tick>,
    /// Name of the x axis, and the place of the middle of its first baseline.
    pub x_label: (Fitted, [f64; 2]),
    /// Name of the y axis; its first baseline is a vertical.
    pub y_label: (Fitted, [f64; 2]),
    /// Name of the colour bar; its first baseline is a vertical.
    pub bar_label: (Fitted, [f64; 2]),
    /// The title, and the place of the middle of its first baseline.
    pub title: (Fitted, [f64; 2]),
    /// Where what stands below the axes and their label begins.
    pub below: f64,
    /// Whether there is no room for axes beside all the words.
    pub crowded: bool,
}

/// Lays out a plot with `below` points to spare under the x label, and axes `stretch` times as high as usual.
pub fn layout(plot: &Plot, style: &FigureStyle, below: f64, stretch: f64) -> Layout {
    // How long vertical words may be follows from the height, which follows from how many lines they are.
    let mut length = f64::INFINITY;
    let mut layout = place(plot, style, [below, stretch], length);
    for _ in 0..4 {
        let room = layout.axes.bottom() + layout.reach(style) - layout.upright_top(style);
        if layout.y_label.0.width.max(layout.bar_label.0.width) <= room {
            break;
        }
        length = room.min(0.95 * length);
        layout = place(plot, style, [below, stretch], length);
    }
    layout
}

impl Layout {
    /// How far down from the axes the labels of x reach.
    fn reach(&self, style: &FigureStyle) -> f64 {
        let rows = self.x_ticks.iter().map(|(_, words)| words.depth()).fold(0.0, f64::max);
        self.tick + self.gap + CAP_HEIGHT * style.tick_pt + rows
    }

    /// Where vertical words may begin: below the title.
    fn upright_top(&self, style: &FigureStyle) -> f64 {
        if self.title.0.is_empty() { 2.0 } else { self.axes.top - 0.3 * style.title_pt }
    }
}

/// Lays out a plot whose vertical words are at most `length` points long.
fn place(plot: &Plot, style: &FigureStyle, [below, stretch]: [f64; 2], length: f64) -> Layout {
    let of = |size: f64, steps: Steps| Type { family: style.family, bold: false, size, steps };
    let width_of = |label: &str| fonts::width(label, style.family, false, style.tick_pt);
    let widest = |ticks: &[Tick]| ticks.iter().map(|t| width_of(&t.label)).fold(0.0, f64::max);
    let line = |words: &Fitted| {
        if words.is_empty() { 0.0 } else { words.size * (ascent(words) + DESCENT) + words.depth() }
    };
    let width = style.width_in * 72.0;
    let tick = TICK_LENGTH * style.frame_pt;
    let gap = 0.3 * style.tick_pt;
    let margin = style.frame_pt.max(1.0);
    let between = |words: &Fitted| if words.is_empty() { 0.0 } else { 1.6 * gap + line(words) };

    let inner = width - 2.0 * margin;
    let bold = Type { bold: true, ..of(style.title_pt, TITLE) };
    let title = fit(plot.title.as_deref().unwrap_or(""), bold, inner);
    let x_label = fit(&plot.x.label, of(style.label_pt, LABEL), inner);
    let y_label = fit(&plot.y.label, of(style.label_pt, LABEL), length);
    let bar_label = fit(plot.field().map_or("", |field| &field.name), of(style.label_pt, LABEL), length);

    let y_names = words(&plot.y, of(style.tick_pt, ROW_NAME), NAMES * width);
    let left =
        margin + between(&y_label) + y_names.iter().map(|words| words.width).fold(0.0, f64::max) + gap + tick;
    let bar_width = 0.9 * style.label_pt;
    let (bar_gap, bar_room) = match plot.field() {
        Some(field) => {
            (0.7 * style.label_pt, bar_width + tick + gap + widest(&field.ticks) + between(&bar_label))
        }
        None => (0.0, 0.0),
    };
    // The share of the axes that one name has; the axes are a little narrower than this.
    let cell = 0.92 * (width - left - margin) / (plot.x.range.1 - plot.x.range.0).abs().max(1.0);
    let x_names = words(&plot.x, of(style.tick_pt, COLUMN_NAME), cell);
    let rows = x_names.iter().map(Fitted::depth).fold(0.0, f64::max);
    let below_axes = tick + gap + CAP_HEIGHT * style.tick_pt + rows;
    let bottom = below_axes
        + between(&x_label)
        + margin
        + below
        + if x_label.is_empty() { DESCENT * style.tick_pt } else { 0.0 };
    let half_digit = CAP_HEIGHT * style.tick_pt / 2.0;
    let above_title = 0.55 * style.title_pt;
    let top = if title.is_empty() {
        margin.max(half_digit)
    } else {
        margin + ascent(&title) * title.size + title.depth() + above_title
    };
    let overhang = plot.x.ticks.iter().zip(&x_names).filter_map(|(t, words)| {
        // The axes are a little narrower still, so this leaves enough.
        let beyond = (plot.x.position(t.value)? - 1.0) * 0.9 * (width - left);
        Some(beyond + words.width / 2.0)
    });
    let right = margin + (bar_gap + bar_room).max(overhang.fold(0.0, f64::max));

    let rows_of_names =
        if plot.y.unit == Unit::Names { plot.y.ticks.len() as f64 * NAME_LINE * style.tick_pt } else { 0.0 };
    let room = width - left - right;
    let crowded = room < (NARROWEST.0 * width).max(NARROWEST.1);
    let axes_width = room.max(10.0);
    let axes_height = match style.height_in {
        // Rather a higher figure than axes in which nothing can be seen.
        Some(height) => (height * 72.0 - top - bottom).max(0.4 * height * 72.0).max(0.75 * rows_of_names),
        None if plot.equal_aspect => axes_width * aspect(plot),
        None if plot.y.unit == Unit::Names => rows_of_names.max(0.3 * width),
        None => (0.75 * width - top - bottom + below).max(0.4 * axes_width),
    };
    let (mut axes_width, mut axes_height) = (axes_width, stretch * axes_height);
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

    let upright = |_: &Fitted| 1.25 * style.tick_pt;
    let x_ticks = thinned(&plot.x, x_names, |words| words.width + 0.6 * style.tick_pt, axes.width);
    let y_ticks = thinned(&plot.y, y_names, upright, axes.height);
    let bar_ticks =
        plot.field().map_or_else(Vec::new, |field| bar_ticks(field, axes.height, 1.25 * style.tick_pt));
    // In the middle of the axes, but never beyond the figure.
    let middle = [axes.left + axes.width / 2.0, axes.top + axes.height / 2.0];
    let across = |words: &Fitted| within(middle[0], words.width, [margin, width - margin]);
    let top_of_uprights = if title.is_empty() { margin } else { axes.top - 0.3 * style.title_pt };
    let along =
        |words: &Fitted| within(middle[1], words.width, [top_of_uprights, axes.bottom() + below_axes]);
    let widest_y = y_ticks.iter().map(|(_, words)| words.width).fold(0.0, f64::max);
    let y_baseline = axes.left - tick - gap - widest_y - 1.6 * gap - DESCENT * y_label.size - y_label.depth();
    let bar_baseline = axes.right() + bar_gap + bar_room - DESCENT * bar_label.size - bar_label.depth();
    Layout {
        width,
        height,
        axes,
        bar,
        tick,
        gap,
        x_ticks,
        y_ticks,
        bar_ticks,
        below: axes.bottom() + bottom - margin - below,
        y_label: (y_label.clone(), [y_baseline, along(&y_label)]),
        bar_label: (bar_label.clone(), [bar_baseline, along(&bar_label)]),
        x_label: (
            x_label.clone(),
            [across(&x_label), axes.bottom() + below_axes + 1.6 * gap + ascent(&x_label) * x_label.size],
        ),
        title: (title.clone(), [across(&title), axes.top - above_title - title.depth()]),
        crowded,
    }
}

/// Height of the first line above its baseline, relative to the size; raised letters stand higher.
fn ascent(words: &Fitted) -> f64 {
    let is_raised = |line: &String| spans(line).iter().any(|span| span.script == Script::Super);
    if words.lines.first().is_some_and(is_raised) { RAISED } else { ASCENT }
}

/// The middle of words of this width, at `wanted` or as near as the ends of the room allow.
fn within(wanted: f64, width: f64, [low, high]: [f64; 2]) -> f64 {
    wanted.min(high - width / 2.0).max(low + width / 2.0)
}

/// What stands at the ticks of an axis: numbers as they are, names within a width.
fn words(axis: &Axis, of: Type, width: f64) -> Vec<Fitted> {
    let labels: Vec<&str> = axis.ticks.iter().map(|tick| &*tick.label).collect();
    fit_alike(&labels, of, if axis.unit == Unit::Names { width } else { f64::INFINITY })
}

/// Height of the axes divided by their width when units are equally long.
fn aspect(plot: &Plot) -> f64 {
    let span = |axis: &Axis| (axis.range.1 - axis.range.0).abs().max(f64::MIN_POSITIVE);
    span(&plot.y) / span(&plot.x)
}

/// Keeps every tick, but the labels only of every second (third, …) if they would touch; names stay, they have room.
fn thinned(
    axis: &Axis,
    words: Vec<Fitted>,
    room: impl Fn(&Fitted) -> f64,
    length: f64,
) -> Vec<(Tick, Fitted)> {
    let all: Vec<(Tick, Fitted)> = axis.ticks.iter().cloned().zip(words).collect();
    if axis.unit == Unit::Names {
        return all;
    }
    let at = |value: f64| axis.position(value).map(|at| at * length);
    let kept = kept(&axis.ticks, at, |i| room(&all[i].1));
    all.into_iter().enumerate().filter(|(i, _)| kept.contains(i)).map(|(_, tick)| tick).collect()
}

/// The ticks of an axis of this length, with labels that do not touch; upright axes have theirs beside each other.
pub fn ticks(axis: &Axis, style: &FigureStyle, length: f64, upright: bool) -> Vec<(Tick, Fitted)> {
    let of = Type { family: style.family, bold: false, size: style.tick_pt, steps: ROW_NAME };
    let words = words(axis, of, f64::INFINITY);
    let room =
        |words: &Fitted| if upright { 1.25 * style.tick_pt } else { words.width + 0.6 * style.tick_pt };
    thinned(axis, words, room, length)
}

/// The ticks of a colour bar of this length.
fn bar_ticks(field: &Field, length: f64, room: f64) -> Vec<Tick> {
    let ends =
        [field.colors.range().0, field.colors.range().1].map(|v| field.colors.scale.map(v).unwrap_or(0.0));
    let at = |value: f64| Some((field.colors.scale.map(value)? - ends[0]) / (ends[1] - ends[0]) * length);
    let kept = kept(&field.ticks, at, |_| room);
    kept.into_iter().map(|i| field.ticks[i].clone()).collect()
}

/// The ticks whose labels do not touch, and those without one.
fn kept(ticks: &[Tick], at: impl Fn(f64) -> Option<f64>, room: impl Fn(usize) -> f64) -> Vec<usize> {
    let labelled: Vec<usize> = (0..ticks.len()).filter(|i| !ticks[*i].label.is_empty()).collect();
    // Zero, if there is one, keeps its label.
    let anchor = labelled.iter().position(|i| ticks[*i].value == 0.0).unwrap_or(0);
    for every in 1..=labelled.len() {
        let kept: Vec<usize> = (0..labelled.len())
            .filter(|i| (i + every * labelled.len() - anchor).is_multiple_of(every))
            .map(|i| labelled[i])
            .collect();
        let place = |i: usize| at(ticks[i].value).unwrap_or(0.0);
        let fits =
            |pair: &[usize]| (place(pair[1]) - place(pair[0])).abs() >= (room(pair[0]) + room(pair[1])) / 2.0;
        if kept.windows(2).all(fits) {
            let is_kept = |i: &usize| ticks[*i].label.is_empty() || kept.contains(i);
            return (0..ticks.len()).filter(is_kept).collect();
        }
    }
    (0..ticks.len()).collect()
}
