//! Names beside the points of a scatter on the screen, and the ring around the one that is pointed out.

use std::sync::Arc;

use eframe::egui::{self, Color32, Galley, Pos2, Stroke, TextStyle, Ui};
use egui_plot::{PlotPoint, PlotTransform};

use super::legend::Hidden;
use super::{ScreenPlot, symbols};
use crate::plot::export::Rect;
use crate::plot::place::{Ground, Wanted};
use crate::plot::{Item, Plot};

impl ScreenPlot {
    /// Draws the names where they cover nothing; one without a free place shows with the pointer. `legend` is taken.
    pub(super) fn names_ui(
        &self,
        ui: &Ui,
        transform: &PlotTransform,
        hidden: &Hidden,
        legend: Option<egui::Rect>,
    ) {
        if scatters(&self.plot).next().is_none() {
            return;
        }
        let plot = self.visible(hidden);
        let to = |x: f64, y: f64| {
            let (x, y) = (plot.x.scale.map(x)?, plot.y.scale.map(y)?);
            let at = transform.position_from_point(&PlotPoint::new(x, y));
            Some([f64::from(at.x), f64::from(at.y)])
        };
        let radius = |size| f64::from(symbols::radius(size));
        let painter = ui.painter().with_clip_rect(*transform.frame());
        let color = ui.visuals().text_color();
        if let Some([x, y]) = self.marked.and_then(|[x, y]| to(x, y)) {
            let stroke = Stroke::new(2.0, ui.visuals().selection.stroke.color);
            painter.circle_stroke(Pos2::new(x as f32, y as f32), 9.5, stroke);
        }
        let font = TextStyle::Small.resolve(ui.style());
        let (names, wanted): (Vec<Arc<Galley>>, Vec<Wanted>) = scatters(&plot)
            .filter_map(|(relative, p)| {
                let (label, at) = (p.label.clone()?, to(p.x, p.y)?);
                let galley = painter.layout_no_wrap(label, font.clone(), Color32::PLACEHOLDER);
                let size = [f64::from(galley.size().x), f64::from(galley.size().y) * 0.75];
                Some((galley, Wanted { size, at, radius: radius(relative) + 1.5 }))
            })
            .unzip();
        let mut ground = Ground::of(&plot, to, radius);
        ground.boxes.extend(legend.map(rect));
        let places = ground.label(&wanted, rect(*transform.frame()), f64::from(font.size), false);
        for (galley, placed) in names.into_iter().zip(places) {
            let Some(placed) = placed else { continue };
            if let Some(leader) = placed.leader {
                let ends = leader.map(|[x, y]| Pos2::new(x as f32, y as f32));
                painter.line_segment(ends, Stroke::new(0.8, color.gamma_multiply(0.5)));
            }
            let (left, middle) = (placed.place.left, placed.place.top + placed.place.height / 2.0);
            let at = Pos2::new(left as f32, middle as f32 - galley.size().y / 2.0);
            painter.galley(at, galley, color);
        }
    }

    /// The plot without what is hidden.
    fn visible(&self, hidden: &Hidden) -> Plot {
        let mut plot = self.plot.clone();
        let mut index = 0..;
        plot.items.retain(|_| index.next().is_some_and(|index| !hidden.contains(&index)));
        plot
    }
}

fn scatters(plot: &Plot) -> impl Iterator<Item = (f64, &crate::plot::ScatterPoint)> {
    plot.items.iter().flat_map(|item| {
        let points = match item {
            Item::Scatter(scatter) => Some(scatter.points.iter().map(|point| (scatter.size, point))),
            _ => None,
        };
        points.into_iter().flatten()
    })
}

fn rect(rect: egui::Rect) -> Rect {
    let [left, top, width, height] = [rect.left(), rect.top(), rect.width(), rect.height()].map(f64::from);
    Rect { left, top, width, height }
}
