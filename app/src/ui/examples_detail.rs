//! One example in large, chosen by a click or stepped to with the arrow keys.

use eframe::egui::{Frame, Image, Key, Margin, Modifiers, RichText, Ui, vec2};

use crate::ui::example_set::{ExampleSet, Picture};
use crate::ui::examples_view::{ExamplesView, factor, words_ui};
use crate::ui::widgets::palette;

/// Largest side of a picture, in points.
const SIDE: f32 = 150.0;

impl ExamplesView {
    /// Takes arrow keys and Escape: to the next of these examples, to the one before, to none.
    pub(super) fn step(&mut self, ui: &Ui, rows: &[usize]) {
        if ui.memory(|memory| memory.focused().is_some()) || rows.is_empty() {
            return;
        }
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let at = self.chosen.and_then(|at| rows.iter().position(|row| *row == at));
        let to = if pressed(Key::ArrowRight) {
            at.map_or(0, |at| (at + 1).min(rows.len() - 1))
        } else if pressed(Key::ArrowLeft) {
            at.map_or(rows.len() - 1, |at| at.saturating_sub(1))
        } else {
            if self.chosen.is_some() && pressed(Key::Escape) {
                self.chosen = None;
            }
            return;
        };
        (self.chosen, self.follow) = (Some(rows[to]), true);
    }

    /// The example in large; smaller where there is little room.
    pub(super) fn detail_ui(&mut self, ui: &mut Ui, set: &ExampleSet, at: usize) {
        let side = ((ui.available_width() - 190.0) / 3.0).min(0.4 * ui.available_height()).clamp(40.0, SIDE);
        let weak = palette(ui).weak;
        let captions = [
            (Picture::Clean, "image".to_owned()),
            (Picture::Perturbation, format!("perturbation {}", factor(self.amplification))),
            (Picture::Adversarial, "adversarial image".to_owned()),
        ];
        Frame::new().inner_margin(Margin { left: 14, right: 8, top: 2, bottom: 6 }).show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                for (picture, caption) in captions {
                    ui.vertical(|ui| {
                        ui.set_width(side);
                        let texture = self.texture(ui.ctx(), set, at, picture).id();
                        ui.add(Image::new((texture, vec2(side, side))).corner_radius(3).alt_text(&caption));
                        ui.label(RichText::new(caption).small().color(weak));
                    });
                }
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    words_ui(ui, &set.rows[at]);
                });
            });
        });
        ui.separator();
    }
}
