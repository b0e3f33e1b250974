//! Items of a plot as items of `egui_plot`.

use eframe::egui::{self, Color32, Stroke};
use egui_plot::{Arrows, HLine, Line, LineStyle, PlotPoints, PlotUi, Points, Polygon, VLine};

use super::field_item::FieldItem;
use super::symbols::{self, SymbolsItem};
use super::{ScreenPlot, coordinates};
use crate::plot::{Color, Dash, GuideLine, Histogram, Item, Mark, Scatter, Series, Shape, text};

impl ScreenPlot {
    /// Adds one item.
    pub(super) fn item<'a>(&'a self, ui: &mut PlotUi<'a>, index: usize, item: &'a Item, dark: bool) {
        match item {
            Item::Series(s) => self.series(ui, index, s, dark),
            Item::Scatter(s) => self.scatter(ui, index, s, dark),
            Item::Histogram(h) => self.histogram(ui, index, h, dark),
            Item::Field(_) => {
                if let Some(drawing) = &self.field {
                    ui.add(FieldItem::new(drawing));
                }
            }
            Item::Guide(guide) => {
                let name = text::plain(guide.name.as_deref().unwrap_or(""));
                let width = if guide.dash == Dash::Dotted { 1.0 } else { 1.5 };
                let stroke = Stroke::new(width, themed(guide.color, dark));
                match guide.line {
                    GuideLine::Horizontal(at) => {
                        if let Some(at) = self.plot.y.scale.map(at) {
                            ui.hline(HLine::new(name, at).stroke(stroke).style(style(guide.dash)).id(index));
                        }
                    }
                    GuideLine::Vertical(at) => {
                        if let Some(at) = self.plot.x.scale.map(at) {
                            ui.vline(VLine::new(name, at).stroke(stroke).style(style(guide.dash)).id(index));
                        }
                    }
                    GuideLine::Sloped { slope, intercept } => {
                        let (a, b) = self.plot.x.range;
                        let ends: Vec<_> =
                            [a, b].iter().filter_map(|x| self.at(*x, slope * x + intercept)).collect();
                        ui.line(Line::new(name, ends).stroke(stroke).style(style(guide.dash)).id(index));
                    }
                }
            }
            Item::Mark(mark) => {
                let at: Vec<_> = self.at(mark.x, mark.y).into_iter().collect();
                let colors = mark_colors(ui.ctx(), mark);
                ui.add(
                    SymbolsItem::new(String::new(), &at, mark.shape, symbols::MARK, colors).without_hover(),
                );
            }
            Item::Arrow(arrow) => {
                let ends = [arrow.from, arrow.to].map(|[x, y]| self.at(x, y));
                if let [Some(from), Some(to)] = ends {
                    let name = text::plain(&arrow.name);
                    let arrows = Arrows::new(name, vec![from], vec![to]);
                    ui.arrows(arrows.color(themed(arrow.color, dark)).id(index));
                }
            }
            // Said beside the plot, where zooming does not move it.
            Item::Caption(_) => {}
        }
    }

    fn at(&self, x: f64, y: f64) -> Option<[f64; 2]> {
        Some([self.plot.x.scale.map(x)?, self.plot.y.scale.map(y)?])
    }

    fn series(&self, ui: &mut PlotUi<'_>, index: usize, series: &Series, dark: bool) {
        let color = themed(series.color, dark);
        let name = series.name.as_deref().map(text::plain).unwrap_or_default();
        let band: Vec<_> = series
            .x
            .iter()
            .zip(&series.band)
            .map(|(x, band)| band.and_then(|(low, high)| Some((self.at(*x, low)?, self.at(*x, high)?))))
            .collect();
        for (i, pair) in band.windows(2).enumerate() {
            let &[Some(left), Some(right)] = pair else { continue };
            let pair = [left, right];
            let corners = vec![pair[0].0, pair[1].0, pair[1].1, pair[0].1];
            let fill = color.gamma_multiply(0.2);
            let polygon = Polygon::new("", corners).fill_color(fill).stroke(Stroke::NONE);
            ui.polygon(polygon.id((index, "band", i)).allow_hover(false));
        }
        let points: Vec<_> =
            series.points().into_iter().map(|(x, y)| y.and_then(|y| self.at(x, y))).collect();
        for (i, piece) in points.split(Option::is_none).filter(|piece| !piece.is_empty()).enumerate() {
            let piece: Vec<[f64; 2]> = piece.iter().flatten().copied().collect();
            let line =
                Line::new(name.clone(), piece.clone()).color(color).width(2.0).style(style(series.dash));
            // WeightBlocks of one curve share its id, so that the legend hides and highlights them together.
            ui.line(line.allow_band(false).id((index, name.as_str())));
            if series.dots || piece.len() == 1 {
                let dots = Points::new(name.clone(), piece).color(color).radius(2.2);
                ui.points(dots.id((index, name.as_str())).allow_hover(i == usize::MAX));
            }
        }
    }

    fn scatter(&self, ui: &mut PlotUi<'_>, index: usize, scatter: &Scatter, dark: bool) {
        let color = themed(scatter.color, dark);
        let name = scatter.name.as_deref().map(text::plain).unwrap_or_default();
        let id = (index, name.as_str());
        for p in &scatter.points {
            let on_screen = |[a, b]: [[f64; 2]; 2]| Some([self.at(a[0], a[1])?, self.at(b[0], b[1])?]);
            for ends in p.bars(&self.plot).filter_map(on_screen) {
                let bar = Line::new(name.clone(), ends.to_vec()).color(color).width(1.2);
                ui.line(bar.id(id).allow_hover(false));
            }
        }
        let points: Vec<_> = scatter.points.iter().filter_map(|p| self.at(p.x, p.y)).collect();
        let colors = [color, ui.ctx().global_style().visuals.text_color()];
        let radius = symbols::radius(scatter.size);
        ui.add(SymbolsItem::new(name.clone(), &points, scatter.shape, radius, colors));
    }

    fn histogram(&self, ui: &mut PlotUi<'_>, index: usize, histogram: &Histogram, dark: bool) {
        let color = themed(histogram.color, dark);
        let name = histogram.name.as_deref().map(text::plain).unwrap_or_default();
        let id = (index, name.as_str());
        let mut outline = Vec::new();
        for (ends, value) in histogram.edges.windows(2).zip(&histogram.values) {
            let (Some(a), Some(b)) = (self.at(ends[0], *value), self.at(ends[1], *value)) else { continue };
            let base = self.plot.y.scale.map(0.0).unwrap_or(coordinates(&self.plot.y).0);
            let bar = Polygon::new(name.clone(), vec![[a[0], base], a, b, [b[0], base]]);
            ui.polygon(
                bar.fill_color(color.gamma_multiply(0.25))
                    .stroke(Stroke::new(0.0, color))
                    .id(id)
                    .allow_hover(false),
            );
            outline.extend([a, b]);
        }
        let outline = Line::new(name.clone(), PlotPoints::from(outline)).color(color).width(1.5);
        ui.line(outline.allow_band(false).id(id));
    }
}

/// Inside and outline of a mark; that of a map's cross must be seen on every colour.
pub(super) fn mark_colors(ctx: &egui::Context, mark: &Mark) -> [Color32; 2] {
    let visuals = &ctx.global_style().visuals;
    let outline = if mark.shape == Shape::Cross { Color32::BLACK } else { visuals.text_color() };
    [themed(mark.color, visuals.dark_mode), outline]
}

/// A colour on the screen; dark hues are lightened on a dark background.
pub(super) fn themed(color: Color, dark: bool) -> Color32 {
    let color = if dark && color.lightness() < 0.6 {
        color.mix(Color::WHITE.with_alpha(color.alpha()), 0.3)
    } else {
        color
    };
    Color32::from_rgba_unmultiplied(color.r, color.g, color.b, color.a)
}

fn style(dash: Dash) -> LineStyle {
    match dash {
        Dash::Solid => LineStyle::Solid,
        Dash::Dashed => LineStyle::dashed_loose(),
        Dash::Dotted => LineStyle::dotted_dense(),
    }
}

/// A straight line in a style.
pub(super) fn line_style(dash: Dash, ends: &[egui::Pos2], stroke: Stroke) -> Vec<egui::Shape> {
    match dash {
        Dash::Solid => vec![egui::Shape::line(ends.to_vec(), stroke)],
        Dash::Dashed => egui::Shape::dashed_line(ends, stroke, 7.0, 4.0),
        Dash::Dotted => egui::Shape::dotted_line(ends, stroke.color, 5.0, stroke.width),
    }
}
