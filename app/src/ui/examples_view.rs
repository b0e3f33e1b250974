//! Images with what an attack made of them: clean, perturbation, adversarial, and what the network said.

use std::collections::HashMap;
use std::sync::Arc;

use eframe::egui::{
    Align, ColorImage, Context, DragValue, Frame, Grid, Image, Label, Layout, Margin, RichText, ScrollArea,
    Sense, TextureHandle, TextureOptions, Ui, vec2,
};

use basin_core::job::Job;
use basin_core::record::{AttackOutcome, KeptExamples, Outcome};

use crate::ui::App;
use crate::ui::answers::Answer;
use crate::ui::example_set::{ExampleSet, Fate, Picture, Row, Verdict};
use crate::ui::session::{Reading, Target};
use crate::ui::widgets::{duration_words, empty_ui, palette, segmented_ui, sentence};

/// Side of a picture, in points.
const SIDE: f32 = 76.0;
/// Width and height of an example with its three pictures and words.
const CARD: [f32; 2] = [3.0 * SIDE + 190.0, SIDE + 14.0];
/// More pictures than this are forgotten when others are needed.
const MOST_TEXTURES: usize = 600;

/// Which examples are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Listed {
    /// All.
    #[default]
    All,
    /// Those with this fate.
    Broken,
    /// Right in spite of the attack.
    Robust,
    /// Wrong before the attack.
    Wrong,
}

impl Listed {
    fn takes(self, row: &Row) -> bool {
        match self {
            Self::All => true,
            Self::Broken => row.fate() == Fate::Broken,
            Self::Robust => row.fate() == Fate::Robust,
            Self::Wrong => row.fate() == Fate::Wrong,
        }
    }
}

/// What lives with the view.
#[derive(Default)]
pub(crate) struct ExamplesView {
    /// What was shown when the examples were asked for, and what is known of them.
    of: Option<u64>,
    set: Reading<Arc<ExampleSet>>,
    listed: Listed,
    pub(super) amplification: f32,
    textures: HashMap<(usize, Picture), TextureHandle>,
    /// The example that is shown large, and whether the list must be scrolled to it.
    pub(super) chosen: Option<usize>,
    pub(super) follow: bool,
}

impl App {
    /// The examples of the record that is shown.
    pub(crate) fn examples_ui(&mut self, ui: &mut Ui) {
        let how = "Evaluate under attack, or run AutoAttack, with \"Keep adversarial examples\" at the right: every image, what the attack added, and what the network says of both.";
        let Some(record) = self.shown.record().cloned() else {
            return self.nothing_ui(ui, "No examples yet", how);
        };
        let Some(Target::Record(id)) = self.session.target else {
            return self.nothing_ui(ui, "No examples yet", how);
        };
        self.record_header_ui(ui, &record.job.summary().title, &record);
        if let (Outcome::Attack(attack), Job::Attack(job)) = (&record.outcome, &record.job) {
            let individual = job.attack.individual;
            Frame::new()
                .inner_margin(Margin::symmetric(14, 4))
                .show(ui, |ui| attacks_ui(ui, attack, individual));
        }
        if record.examples.is_none() {
            return empty_ui(ui, "This record kept no examples", how, |_| ());
        }
        let of = self.shown.version();
        if self.examples.of != Some(of) {
            self.examples.want(of);
            if let Some(path) = self.session.record(id).map(|stored| stored.path.clone()) {
                self.background.spawn("examples", move || {
                    let kept = record.load_examples(&path).map_err(|error| error.to_string());
                    let set = kept.and_then(|kept: Option<KeptExamples>| {
                        ExampleSet::new(&record, kept.ok_or("the record kept no examples")?)
                    });
                    Answer::Examples { of, result: set.map(Arc::new) }
                });
            }
        }
        match self.examples.set.clone() {
            Reading::Pending => empty_ui(ui, "Reading the examples…", "", |_| ()),
            Reading::Failed(why) => empty_ui(ui, "The examples cannot be shown", &sentence(&why), |_| ()),
            Reading::Ready(set) => self.examples.ui(ui, &set),
        }
    }
}

/// What each attack did, and signs that they were misled.
fn attacks_ui(ui: &mut Ui, outcome: &AttackOutcome, individual: bool) {
    let p = palette(ui);
    Grid::new("attacks").num_columns(5).spacing([22.0, 2.0]).show(ui, |ui| {
        let accuracy = if individual { "Robust accuracy alone" } else { "Robust accuracy after" };
        for head in ["Attack", "Attacked", "Broken", accuracy, "Took"] {
            ui.label(RichText::new(head).small().color(p.weak));
        }
        ui.end_row();
        ui.label("clean");
        ui.label(outcome.per_example.index.len().to_string());
        ui.label(format!("{:.0}", outcome.clean_error * outcome.per_example.index.len() as f64));
        ui.label(format!("{:.1} %", 100.0 * (1.0 - outcome.clean_error)));
        ui.label("");
        ui.end_row();
        for row in &outcome.per_attack {
            ui.label(&row.name);
            if !row.finished {
                ui.label("");
                ui.label("");
                ui.label(RichText::new("not finished").color(p.weak));
                ui.end_row();
                continue;
            }
            ui.label(row.attacked.to_string());
            ui.label(row.broken.to_string());
            ui.label(format!("{:.1} %", 100.0 * (1.0 - row.robust_error)));
            ui.label(duration_words(row.seconds));
            ui.end_row();
        }
    });
    for warning in outcome.flags.sentences() {
        ui.add(Label::new(RichText::new(sentence(&warning)).color(p.warning)).wrap());
    }
}

impl ExamplesView {
    /// Asks for the examples of another record.
    fn want(&mut self, of: u64) {
        (self.of, self.set, self.chosen) = (Some(of), Reading::Pending, None);
        self.textures.clear();
    }

    /// The examples of a record are there, or why they are not.
    pub fn answered(&mut self, of: u64, result: Result<Arc<ExampleSet>, String>) {
        if self.of == Some(of) {
            let set = result.as_ref().ok();
            self.amplification = set.map_or(1.0, |set| set.fitting_amplification().round().max(1.0));
            self.set = result.into();
        }
    }

    /// Draws the set.
    fn ui(&mut self, ui: &mut Ui, set: &ExampleSet) {
        Frame::new().inner_margin(Margin::symmetric(14, 4)).show(ui, |ui| self.controls_ui(ui, set));
        let rows: Vec<usize> = (0..set.rows.len()).filter(|at| self.listed.takes(&set.rows[*at])).collect();
        if rows.is_empty() {
            return empty_ui(ui, "No such example", "Choose another group above.", |_| ());
        }
        self.step(ui, &rows);
        if let Some(at) = self.chosen.filter(|at| rows.contains(at)) {
            self.detail_ui(ui, set, at);
        }
        let columns = ((ui.available_width() - 20.0) / CARD[0]).floor().max(1.0) as usize;
        let lines = rows.len().div_ceil(columns);
        let mut list = ScrollArea::vertical().auto_shrink(false);
        let chosen = self.chosen.and_then(|at| rows.iter().position(|row| *row == at));
        if let Some(position) = chosen.filter(|_| std::mem::take(&mut self.follow)) {
            let line = CARD[1] + ui.spacing().item_spacing.y;
            let middle = (ui.available_height() - line) / 2.0;
            list = list.vertical_scroll_offset((line * (position / columns) as f32 - middle).max(0.0));
        }
        list.show_rows(ui, CARD[1], lines, |ui, visible| {
            for line in visible {
                ui.horizontal(|ui| {
                    ui.add_space(12.0);
                    for at in rows.iter().skip(line * columns).take(columns) {
                        ui.allocate_ui_with_layout(CARD.into(), Layout::left_to_right(Align::Center), |ui| {
                            ui.set_min_size(CARD.into());
                            self.card_ui(ui, set, *at);
                        });
                    }
                });
            }
        });
    }

    fn controls_ui(&mut self, ui: &mut Ui, set: &ExampleSet) {
        let count = |listed: Listed| set.rows.iter().filter(|row| listed.takes(row)).count();
        let names = [
            (Listed::All, "All", "Every example"),
            (Listed::Broken, "Broken", "Right on the image, wrong under attack"),
            (Listed::Robust, "Robust", "Right on the image and under attack"),
            (Listed::Wrong, "Wrong", "Wrong on the image already"),
        ];
        let words = names.map(|(listed, name, _)| format!("{name} {}", count(listed)));
        let options: Vec<_> =
            names.iter().zip(&words).map(|((listed, _, tip), name)| (*listed, name.as_str(), *tip)).collect();
        // Side by side where the names of the groups can be read then.
        let room = ui.available_width();
        if room < 500.0 {
            segmented_ui(ui, &mut self.listed, &options);
            ui.horizontal(|ui| self.amplification_ui(ui));
        } else {
            ui.horizontal(|ui| {
                ui.scope(|ui| {
                    ui.set_max_width(380.0_f32.min(room - 150.0));
                    segmented_ui(ui, &mut self.listed, &options);
                });
                self.amplification_ui(ui);
            });
        }
        let factor = factor(self.amplification);
        let words = format!(
            "Left the image, in the middle what the attack adds ({factor}), right the adversarial image. A click or the arrow keys show one large."
        );
        ui.add(Label::new(RichText::new(words).small().color(palette(ui).weak)).wrap());
    }

    fn amplification_ui(&mut self, ui: &mut Ui) {
        let before = self.amplification;
        let label = ui.label(RichText::new("Perturbation").color(palette(ui).weak));
        let value = DragValue::new(&mut self.amplification).prefix("× ").range(1.0..=1000.0).speed(0.2);
        let tip = "How many times the change is amplified around grey";
        ui.add(value).labelled_by(label.id).on_hover_text(tip);
        if self.amplification != before {
            self.textures.retain(|(_, picture), _| *picture != Picture::Perturbation);
        }
    }

    fn card_ui(&mut self, ui: &mut Ui, set: &ExampleSet, at: usize) {
        let row = &set.rows[at];
        if self.chosen == Some(at) {
            let mark = ui.max_rect().expand2(vec2(6.0, -2.0));
            ui.painter().rect_filled(mark, 4.0, ui.visuals().selection.bg_fill.gamma_multiply(0.5));
        }
        ui.spacing_mut().item_spacing.x = 4.0;
        let pictures = [
            (Picture::Clean, format!("Image {}: {}, seen as {}", row.index, row.label, row.clean.class)),
            (
                Picture::Perturbation,
                format!("Perturbation of image {}, {}", row.index, factor(self.amplification)),
            ),
            (
                Picture::Adversarial,
                format!("Adversarial image {}, seen as {}", row.index, row.attacked.class),
            ),
        ];
        for (picture, name) in pictures {
            let texture = self.texture(ui.ctx(), set, at, picture);
            let image = Image::new((texture.id(), vec2(SIDE, SIDE)))
                .corner_radius(3)
                .alt_text(&name)
                .sense(Sense::click());
            if ui.add(image).on_hover_text(name).clicked() {
                self.chosen = (self.chosen != Some(at)).then_some(at);
            }
        }
        ui.add_space(6.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.spacing_mut().interact_size.y = 17.0;
            ui.add_space(4.0);
            words_ui(ui, row);
        });
    }

    pub(super) fn texture(
        &mut self,
        ctx: &Context,
        set: &ExampleSet,
        at: usize,
        picture: Picture,
    ) -> &TextureHandle {
        if self.textures.len() > MOST_TEXTURES {
            self.textures.clear();
        }
        let amplification = self.amplification;
        self.textures.entry((at, picture)).or_insert_with(|| {
            let size = [set.shape[2], set.shape[1]];
            let image = ColorImage::from_rgb(size, &set.pixels(at, picture, amplification));
            ctx.load_texture("example", image, TextureOptions::NEAREST)
        })
    }
}

/// What an image is, and what the network says.
pub(super) fn words_ui(ui: &mut Ui, row: &Row) {
    let p = palette(ui);
    ui.horizontal(|ui| {
        ui.label(RichText::new(&row.label).strong());
        ui.label(RichText::new(format!("# {}", row.index)).small().color(p.weak));
    });
    verdict_ui(ui, "clean", &row.clean);
    verdict_ui(ui, "attacked", &row.attacked);
    if !row.broken_by.is_empty() {
        ui.label(RichText::new(format!("by {}", row.broken_by)).small().color(p.weak));
    }
}

/// `× 16`, of an amplification.
pub(super) fn factor(amplification: f32) -> String {
    format!("× {}", (f64::from(amplification) * 10.0).round() / 10.0)
}

fn verdict_ui(ui: &mut Ui, what: &str, verdict: &Verdict) {
    let p = palette(ui);
    let color = if verdict.right { p.good } else { p.error };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(RichText::new(what).small().color(p.weak));
        let words = format!("{} {:.0} %", verdict.class, 100.0 * verdict.confidence);
        ui.add(Label::new(RichText::new(words).color(color)).truncate());
    });
}
