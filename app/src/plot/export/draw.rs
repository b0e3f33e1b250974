//! Plot to scene: every item at its place on paper.

use super::caption::Caption;
use super::color_bar::color_bar;
use super::contour_labels;
use super::layout::{CAP_HEIGHT, Layout, layout};
use super::legend::Legend;
use super::palette::recolor;
use super::point_labels::PointLabels;
use super::sample::{MARK, symbol};
use super::scene::{Anchor, Outline, Rect, Scene, Shape, Stroke};
use super::style::FigureStyle;
use super::transform::Transform;
use crate::plot::contour::{iso_lines, region};
use crate::plot::{Arrow, Color, Field, Guide, Histogram, Item, Mark, Plot, Scatter, Series, text};

/// More curves than these are many.
const MANY_CURVES: usize = 8;

/// Type is not made smaller than this, in points, for want of room.
const SMALLEST: f64 = 4.0;
/// Axes are not made higher than so many times their usual height.
const HIGHEST: f64 = 4.0;

const GRID: Color = Color::rgb(205, 205, 205);

/// Draws a plot.
pub fn scene(plot: &Plot, style: &FigureStyle) -> Scene {
    let (style, parts) = roomy(plot, thinned(plot, style));
    let Parts { layout, caption, legend, labels } = parts;
    let style = &style;
    let to = Transform::new(plot, layout.axes);
    let mut scene = Scene {
        width: layout.width,
        height: layout.height,
        family: style.family,
        frame: layout.axes,
        shapes: Vec::new(),
        title: text::plain(plot.title.as_deref().unwrap_or(&plot.y.label)),
        description: plot.provenance.iter().chain(&plot.notes).map(|line| text::plain(line)).collect(),
        shortened: Vec::new(),
        label_pt: style.label_pt,
    };
    items(&mut scene, &layout, &to, style);
    if let (Some(bar), Some(field)) = (layout.bar, plot.field()) {
        color_bar(&mut scene, field, bar, &layout, style);
    }
    labels.draw(&mut scene, style);
    frame(&mut scene, &layout, &to, style);
    let mut below = layout.below;
    if let Some(caption) = caption {
        caption.draw(&mut scene, below, style);
        below += caption.room_below;
    }
    if let Some(legend) = legend {
        legend.draw(&mut scene, &layout, below, style);
        below += legend.room_below;
    }
    labels.draw_key(&mut scene, below, style);
    recolor(&mut scene, style.palette);
    scene
}

/// Draws what is inside of the axes.
pub fn items(scene: &mut Scene, layout: &Layout, to: &Transform<'_>, style: &FigureStyle) {
    let plot = to.plot;
    if style.grid && plot.field().is_none() {
        grid(scene, layout, to, style);
    }
    // Pale areas first: they must not cover the outlines of others.
    for item in &plot.items {
        if let Item::Histogram(h) = item {
            histogram(scene, h, to, style, Part::Area);
        }
    }
    for item in &plot.items {
        match item {
            Item::Series(s) => series(scene, s, to, style),
            Item::Scatter(s) => scatter(scene, s, to, style),
            Item::Histogram(h) => histogram(scene, h, to, style, Part::Outline),
            Item::Field(f) => field(scene, f, to, style),
            Item::Guide(g) => guide(scene, g, to, plot, style),
            Item::Mark(m) => mark(scene, m, to, style),
            Item::Arrow(a) => arrow(scene, a, to, style),
            Item::Caption(_) => {}
        }
    }
}

/// Many curves are drawn thinner.
pub fn thinned(plot: &Plot, style: &FigureStyle) -> FigureStyle {
    let curves = plot.items.iter().filter(|item| matches!(item, Item::Series(_))).count();
    let factor = if curves > MANY_CURVES { 0.65 } else { 1.0 };
    FigureStyle { line_pt: factor * style.line_pt, ..style.clone() }
}

/// Where everything stands, with type so much smaller that beside the words there is room for axes, and axes so much
/// higher that every point has room for its name or number.
fn roomy(plot: &Plot, mut style: FigureStyle) -> (FigureStyle, Parts<'_>) {
    let mut stretch = 1.0;
    loop {
        let parts = parts(plot, &style, stretch);
        if parts.layout.crowded && style.label_pt > SMALLEST {
            style = style.with_label_size((0.85 * style.label_pt).max(SMALLEST));
        } else if parts.labels.crowded && stretch < HIGHEST {
            stretch *= 1.2;
        } else {
            return (style, parts);
        }
    }
}

/// Where everything stands that looks for a free place.
struct Parts<'a> {
    layout: Layout,
    caption: Option<Caption>,
    legend: Option<Legend<'a>>,
    labels: PointLabels,
}

/// What finds no place inside of the axes stands below them. In a figure of a given height the axes become smaller by
/// that, so that even less may fit inside of them: the room below only ever grows.
fn parts<'a>(plot: &'a Plot, style: &FigureStyle, stretch: f64) -> Parts<'a> {
    let mut room = 0.0;
    loop {
        let layout = layout(plot, style, room, stretch);
        let caption = Caption::new(plot, style, &layout);
        let mut taken: Vec<Rect> = caption.iter().filter_map(|caption| caption.inside).collect();
        let legend = Legend::new(plot, style, &layout, &taken);
        taken.extend(legend.as_ref().and_then(Legend::inside));
        let labels = PointLabels::new(plot, style, &layout, &taken);
        let below = caption.as_ref().map_or(0.0, |caption| caption.room_below)
            + legend.as_ref().map_or(0.0, |legend| legend.room_below)
            + labels.room_below;
        if below <= room {
            return Parts { layout, caption, legend, labels };
        }
        room = below;
    }
}

fn grid(scene: &mut Scene, layout: &Layout, to: &Transform<'_>, style: &FigureStyle) {
    let axes = layout.axes;
    let inside = |at: f64, low: f64, high: f64| at > low + 1.0 && at < high - 1.0;
    let mut lines = Vec::new();
    for (tick, _) in layout.x_ticks.iter().filter(|(t, _)| !t.label.is_empty()) {
        if let Some(x) = to.x(tick.value).filter(|x| inside(*x, axes.left, axes.right())) {
            lines.push(Outline { points: vec![[x, axes.top], [x, axes.bottom()]], closed: false });
        }
    }
    for (tick, _) in layout.y_ticks.iter().filter(|(t, _)| !t.label.is_empty()) {
        if let Some(y) = to.y(tick.value).filter(|y| inside(*y, axes.top, axes.bottom())) {
            lines.push(Outline { points: vec![[axes.left, y], [axes.right(), y]], closed: false });
        }
    }
    scene.path(lines, None, Some(Stroke::solid(GRID, 0.75 * style.frame_pt)), false);
}

fn series(scene: &mut Scene, series: &Series, to: &Transform<'_>, style: &FigureStyle) {
    let band: Vec<Option<([f64; 2], [f64; 2])>> = series
        .x
        .iter()
        .zip(&series.band)
        .map(|(x, band)| band.and_then(|(low, high)| Some((to.point(*x, low)?, to.point(*x, high)?))))
        .collect();
    // A gap interrupts the band, as it does the line.
    for band in band.split(Option::is_none).filter(|piece| piece.len() > 1) {
        let band: Vec<_> = band.iter().flatten().collect();
        let points = band.iter().map(|b| b.0).chain(band.iter().rev().map(|b| b.1)).collect();
        scene.path(vec![Outline { points, closed: true }], Some(series.color.with_alpha(0.2)), None, true);
    }
    let stroke = Stroke { color: series.color, width: style.line_pt, dash: series.dash };
    let pieces = to.pieces(series);
    // A point between two gaps has no line; a dot shows it.
    let lonely = pieces.iter().filter(|p| p.points.len() == 1).flat_map(|p| p.points.clone());
    let centres: Vec<_> = if series.dots {
        series.x.iter().zip(&series.y).filter_map(|(x, y)| to.point(*x, (*y)?)).collect()
    } else {
        lonely.collect()
    };
    scene.path(pieces.into_iter().filter(|p| p.points.len() > 1).collect(), None, Some(stroke), true);
    let centres: Vec<_> = centres.into_iter().filter(|p| scene.frame.contains(*p, -0.01)).collect();
    if !centres.is_empty() {
        let radius = 0.85 * style.line_pt;
        scene.shapes.push(Shape::Discs { centres, radius, fill: series.color, stroke: None });
    }
}

fn scatter(scene: &mut Scene, scatter: &Scatter, to: &Transform<'_>, style: &FigureStyle) {
    let bar = Stroke::solid(scatter.color.mix(Color::BLACK, 0.25), 1.2 * style.frame_pt);
    for p in &scatter.points {
        for [a, b] in p.bars(to.plot) {
            if let (Some(a), Some(b)) = (to.point(a[0], a[1]), to.point(b[0], b[1])) {
                scene.path(vec![Outline { points: vec![a, b], closed: false }], None, Some(bar), true);
            }
        }
    }
    let radius = style.symbol_pt * scatter.size / 2.0;
    for p in &scatter.points {
        let Some(at) = to.point(p.x, p.y).filter(|at| scene.frame.contains(*at, -0.01)) else { continue };
        symbol(scene, at, scatter.shape, radius, scatter.color, style);
    }
}

#[derive(PartialEq)]
enum Part {
    Area,
    Outline,
}

fn histogram(scene: &mut Scene, histogram: &Histogram, to: &Transform<'_>, style: &FigureStyle, part: Part) {
    let Some(base) = to.y(0.0).or(Some(scene.frame.bottom())) else { return };
    let mut points = Vec::new();
    for (i, value) in histogram.values.iter().enumerate() {
        let (Some(a), Some(b)) = (to.x(histogram.edges[i]), to.x(histogram.edges[i + 1])) else { continue };
        let y = to.y(*value).unwrap_or(base);
        points.extend([[a, y], [b, y]]);
    }
    let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) else { return };
    points.insert(0, [first[0], base]);
    points.push([last[0], base]);
    if part == Part::Area {
        let fill = histogram.color.with_alpha(0.25);
        scene.path(vec![Outline { points, closed: true }], Some(fill), None, true);
    } else {
        let stroke = Stroke::solid(histogram.color, 0.7 * style.line_pt);
        scene.path(vec![Outline { points, closed: false }], None, Some(stroke), true);
    }
}

fn field(scene: &mut Scene, field: &Field, to: &Transform<'_>, style: &FigureStyle) {
    let grid = field.grid();
    // Each band is painted over everything below it, so that no seams show between bands.
    for band in 0..field.colors.bands() {
        let level = match band {
            0 => f64::NEG_INFINITY,
            _ => field.grid_level(field.colors.levels[band]),
        };
        let outlines = to.outlines(region(&grid, level));
        scene.path(outlines, Some(field.colors.band_color(band)), None, true);
    }
    let centres: Vec<_> = field.dots().into_iter().filter_map(|[x, y]| to.point(x, y)).collect();
    if !centres.is_empty() {
        let (radius, fill) = (0.8 * style.line_pt, Color::WHITE.with_alpha(0.8));
        let stroke = Some(Stroke::solid(Color::BLACK.with_alpha(0.6), 0.5 * style.frame_pt));
        scene.shapes.push(Shape::Discs { centres, radius, fill, stroke });
    }
    let mut labels = contour_labels::Placer::new(scene.frame, style);
    for contour in &field.contours {
        let lines = to.outlines(iso_lines(&grid, field.grid_level(contour.level)));
        let stroke = Stroke::solid(contour.color.with_alpha(0.75), 0.8 * style.frame_pt);
        let lines = labels.place(lines, contour);
        scene.path(lines, None, Some(stroke), true);
    }
    scene.shapes.extend(labels.texts.into_iter().map(Shape::Text));
}

fn guide(scene: &mut Scene, guide: &Guide, to: &Transform<'_>, plot: &Plot, style: &FigureStyle) {
    let points: Vec<_> = guide.points(plot).into_iter().filter_map(|[x, y]| to.point(x, y)).collect();
    if points.len() > 1 {
        let stroke = Stroke { color: guide.color, width: 0.8 * style.line_pt, dash: guide.dash };
        scene.path(vec![Outline { points, closed: false }], None, Some(stroke), true);
    }
}

/// From the rim of one symbol to that of the other.
fn arrow(scene: &mut Scene, arrow: &Arrow, to: &Transform<'_>, style: &FigureStyle) {
    let ends = [arrow.from, arrow.to].map(|[x, y]| to.point(x, y));
    let [Some(from), Some(at)] = ends else { return };
    let length = (at[0] - from[0]).hypot(at[1] - from[1]);
    let (rim, head) = (0.6 * style.symbol_pt, 0.9 * style.symbol_pt);
    if length <= 2.0 * rim + 0.5 * head {
        return;
    }
    let along = [0, 1].map(|k| (at[k] - from[k]) / length);
    let place = |far: f64, aside: f64| {
        [from[0] + far * along[0] - aside * along[1], from[1] + far * along[1] + aside * along[0]]
    };
    let (tip, neck) = (length - rim, length - rim - head.min(0.5 * (length - 2.0 * rim)));
    let stroke = Stroke::solid(arrow.color, 0.6 * style.line_pt);
    let line = Outline { points: vec![place(rim, 0.0), place(neck, 0.0)], closed: false };
    scene.path(vec![line], None, Some(stroke), true);
    let points = vec![place(tip, 0.0), place(neck, 0.35 * head), place(neck, -0.35 * head)];
    scene.path(vec![Outline { points, closed: true }], Some(arrow.color), None, true);
}

fn mark(scene: &mut Scene, mark: &Mark, to: &Transform<'_>, style: &FigureStyle) {
    if let Some(at) = to.point(mark.x, mark.y).filter(|at| scene.frame.contains(*at, -0.01)) {
        symbol(scene, at, mark.shape, 0.5 * MARK * style.symbol_pt, mark.color, style);
    }
}

/// Draws the axes with their ticks and words.
pub fn frame(scene: &mut Scene, layout: &Layout, to: &Transform<'_>, style: &FigureStyle) {
    let axes = layout.axes;
    let stroke = Stroke::solid(Color::BLACK, style.frame_pt);
    let mut ticks = Vec::new();
    for (tick, words) in &layout.x_ticks {
        let Some(x) = to.x(tick.value) else { continue };
        let length = if tick.label.is_empty() { 0.55 } else { 1.0 } * layout.tick;
        ticks.push(Outline { points: vec![[x, axes.bottom()], [x, axes.bottom() + length]], closed: false });
        let baseline = axes.bottom() + layout.tick + layout.gap + CAP_HEIGHT * style.tick_pt;
        scene.words(words, [x, baseline], Anchor::Middle);
    }
    for (tick, words) in &layout.y_ticks {
        let Some(y) = to.y(tick.value) else { continue };
        let length = if tick.label.is_empty() { 0.55 } else { 1.0 } * layout.tick;
        ticks.push(Outline { points: vec![[axes.left, y], [axes.left - length, y]], closed: false });
        let at = [axes.left - layout.tick - layout.gap, y + CAP_HEIGHT * words.size / 2.0];
        scene.words(words, at, Anchor::End);
    }
    scene.path(ticks, None, Some(stroke), false);
    scene.path(vec![axes.ring()], None, Some(stroke), false);
    scene.words(&layout.x_label.0, layout.x_label.1, Anchor::Middle);
    scene.upright(&layout.y_label.0, layout.y_label.1);
    let before = scene.shapes.len();
    scene.words(&layout.title.0, layout.title.1, Anchor::Middle);
    scene.embolden(before);
    scene.without_empty_words();
}
