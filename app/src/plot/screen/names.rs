//! Names beside the points of a scatter on the screen, numbers with a key where there is no room for them, and the ring
//! around the point that is pointed out.

use std::sync::Arc;

use eframe::egui::text::LayoutJob;
use eframe::egui::{self, Color32, Galley, Label, Pos2, Stroke, TextFormat, TextStyle, Ui, vec2};
use egui_plot::{PlotPoint, PlotTransform};

use super::legend::Hidden;
use super::{ScreenPlot, symbols};
use crate::plot::export::Rect;
use crate::plot::place::{Obstacles, Placed, Wanted};
use crate::plot::{Item, Plot, text};

/// Lines of the key, at most; the pointer shows the rest.
const KEY_LINES: usize = 4;

impl ScreenPlot {
    /// Draws the names where they cover nothing; one without a free place is numbered, for [`ScreenPlot::key_ui`].
    pub(super) fn names_ui(&self, ui: &Ui, transform: &PlotTransform, hidden: &Hidden) {
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
        for [x, y] in self.marked.iter().filter_map(|[x, y]| to(*x, *y)) {
            let stroke = Stroke::new(2.0, ui.visuals().selection.stroke.color);
            painter.circle_stroke(Pos2::new(x as f32, y as f32), 9.5, stroke);
        }
        let font = TextStyle::Small.resolve(ui.style());
        let laid_out = |words: String| painter.layout_no_wrap(words, font.clone(), Color32::PLACEHOLDER);
        let room = |galley: &Galley| [f64::from(galley.size().x), f64::from(galley.size().y) * 0.75];
        let inside = |at: [f64; 2]| transform.frame().contains(Pos2::new(at[0] as f32, at[1] as f32));
        let (names, wanted): (Vec<Arc<Galley>>, Vec<Wanted>) = scatters(&plot)
            .filter_map(|(relative, p)| {
                let (label, at) = (p.label.clone()?, to(p.x, p.y).filter(|at| inside(*at))?);
                let galley = laid_out(text::plain(&label));
                let size = room(&galley);
                Some((galley, Wanted { size, at, radius: radius(relative) + 1.5 }))
            })
            .unzip();
        let mut ground = Obstacles::of(&plot, to, radius);
        let (frame, size) = (rect(*transform.frame()), f64::from(font.size));
        let places = ground.label(&wanted, frame, size, false);
        // From left to right, so that a number is found easily.
        let mut left: Vec<usize> = (0..names.len()).filter(|i| places[*i].is_none()).collect();
        left.sort_by(|a, b| wanted[*a].at[0].total_cmp(&wanted[*b].at[0]));
        let numbers: Vec<Arc<Galley>> =
            (1..=left.len()).map(|number| laid_out(format!("({number})"))).collect();
        let small = |(galley, at): (&Arc<Galley>, &usize)| Wanted { size: room(galley), ..wanted[*at] };
        let small: Vec<Wanted> = numbers.iter().zip(&left).map(small).collect();
        let free = ground.label(&small, frame, size, false);
        let key = left.iter().enumerate().map(|(i, at)| format!("({}) {}", i + 1, names[*at].text()));
        self.numbered.replace(key.collect());
        let numbered = numbers.into_iter().zip(free).zip(small).map(|((galley, free), small)| {
            let loose = || ground.clone().label(&[small], frame, size, true)[0];
            (galley, free.or_else(loose))
        });
        let numbered: Vec<(Arc<Galley>, Option<Placed>)> = numbered.collect();
        for (galley, placed) in names.into_iter().zip(places).chain(numbered) {
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

    /// The key of the numbers of the last frame. Its room grows with what there is to say, and does not shrink again.
    pub(super) fn key_height(&self, ui: &Ui, id: egui::Id) -> f32 {
        let mut job = self.key(ui);
        job.wrap.max_width = ui.available_width();
        let lines =
            if job.text.is_empty() { 0 } else { ui.fonts_mut(|fonts| fonts.layout_job(job)).rows.len() };
        let id = id.with(("key", ui.available_width() as u32, scatters(&self.plot).count()));
        let lines = ui.data_mut(|data| {
            let most = data.get_temp_mut_or_default::<usize>(id);
            *most = lines.max(*most);
            *most
        });
        lines as f32 * ui.text_style_height(&TextStyle::Small)
    }

    /// Draws the key in a place of this height.
    pub(super) fn key_ui(&self, ui: &mut Ui, height: f32) {
        if height > 0.0 {
            let size = vec2(ui.available_width(), height);
            ui.allocate_ui(size, |ui| {
                ui.set_min_size(size);
                ui.add(Label::new(self.key(ui)).wrap());
            });
        }
    }

    fn key(&self, ui: &Ui) -> LayoutJob {
        let format = TextFormat::simple(TextStyle::Small.resolve(ui.style()), ui.visuals().weak_text_color());
        let mut job = LayoutJob::single_section(self.numbered.borrow().join("   "), format);
        job.wrap.max_rows = KEY_LINES;
        job
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
