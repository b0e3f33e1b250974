//! The History tab: how trainings go, epoch by epoch, and the networks they keep.

use std::path::PathBuf;
use std::sync::Arc;

use basin_core::job::{Job, Train};
use basin_core::record::{Outcome, Record, TrainingOutcome};
use eframe::egui::{Button, ComboBox, Frame, Label, Margin, RichText, Ui, vec2};

use crate::plot::screen::ScreenPlot;
use crate::plot::training::Quantity;
use crate::state::Measure;
use crate::ui::charts::Cached;
use crate::ui::history_facts::{Network, facts, networks};
use crate::ui::study::Target;
use crate::ui::widgets::{empty_ui, palette, sentence};
use crate::ui::{Action, App, theme};

/// Two charts stand side by side from this width.
const WIDE: f32 = 640.0;
/// Below this height there is no room for the learning rate.
const TALL: f32 = 420.0;

/// The charts, and the network that is picked.
#[derive(Default)]
pub(crate) struct HistoryView {
    charts: [Cached; 3],
    /// Folder of the training, and the file in it.
    picked: Option<(PathBuf, PathBuf)>,
}

impl App {
    /// Draws the tab.
    pub(crate) fn history_ui(&mut self, ui: &mut Ui) {
        let Some(record) = self.shown.record().filter(|r| matches!(r.outcome, Outcome::Train(_))).cloned()
        else {
            let text = "Choose Train at the right: loss and error appear here, epoch by epoch. Or open the folder of a training, or drop it here.";
            return self.nothing_ui(ui, "No training yet", text);
        };
        let (Job::Train(job), Outcome::Train(outcome)) = (&record.job, &record.outcome) else { return };
        let together = self.shown.together();
        let title = match together.len() {
            0 | 1 => "Training".to_owned(),
            several => format!("{several} trainings"),
        };
        self.record_header_ui(ui, &title, &record);
        Frame::new().inner_margin(Margin { left: 14, right: 12, top: 2, bottom: 8 }).show(ui, |ui| {
            if together.len() < 2 {
                self.progress_line_ui(ui, job, outcome, &record);
            }
            self.networks_ui(ui, job, outcome);
            if outcome.steps_done() == 0 {
                let text = "The curves begin with the first steps.";
                return empty_ui(ui, "Nothing is trained yet", text, |_| ());
            }
            self.charts_ui(ui, &together);
        });
    }

    /// How far it is, how fast, how good, and what can be done.
    fn progress_line_ui(&mut self, ui: &mut Ui, job: &Train, outcome: &TrainingOutcome, record: &Record) {
        let p = palette(ui);
        let folder = self.training_folder();
        let entry = folder.as_deref().and_then(|folder| self.jobs.training_in(folder));
        let running = entry.map(|entry| (entry.id, entry.live().remaining_s(), entry.is_stopping()));
        let complete = record.provenance.complete;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 14.0;
            for (words, tooltip) in facts(job, outcome, complete, running.and_then(|(_, left, _)| left)) {
                ui.label(words).on_hover_text(tooltip);
            }
            match (running, folder) {
                (Some((id, _, stopping)), _) => {
                    let stop = Button::new(if stopping { "Stopping…" } else { "Stop" }).small();
                    let tip = "Stop after the step in hand; everything trained so far is kept, and it goes on from there";
                    if ui.add_enabled(!stopping, stop).on_hover_text(tip).clicked() {
                        self.actions.push(Action::Cancel(id));
                    }
                }
                (None, Some(folder)) if !complete => {
                    let tip = "Go on with this training where it was stopped";
                    if ui.add(Button::new("Continue").small()).on_hover_text(tip).clicked() {
                        self.actions.push(Action::Train(Box::new(record.job.clone()), folder));
                    }
                }
                _ => {}
            }
        });
        for warning in &record.provenance.warnings {
            ui.label(RichText::new(sentence(warning)).small().color(p.warning));
        }
    }

    /// The networks that were kept: pick one, and measure it.
    fn networks_ui(&mut self, ui: &mut Ui, job: &Train, outcome: &TrainingOutcome) {
        let Some(folder) = self.training_folder() else { return };
        let networks = networks(outcome);
        let Some(last) = networks.last() else {
            ui.label(
                RichText::new("The first network is kept after the first epoch.").color(palette(ui).weak),
            );
            return;
        };
        let picked =
            self.history.picked.as_ref().filter(|(of, _)| *of == folder).map(|(_, file)| file.clone());
        let picked = picked.filter(|file| networks.iter().any(|n| n.file == *file));
        let mut file = picked.unwrap_or_else(|| last.file.clone());
        let before = file.clone();
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            let label =
                ui.add(Label::new(RichText::new("Network").color(palette(ui).weak)).selectable(false));
            let shown = networks.iter().find(|n| n.file == file).map_or(String::new(), Network::words);
            let combo =
                ComboBox::from_id_salt("network").width(216.0).selected_text(shown).show_ui(ui, |ui| {
                    for network in &networks {
                        ui.selectable_value(&mut file, network.file.clone(), network.words());
                    }
                });
            combo.response.labelled_by(label.id).on_hover_text("Or click a point of the curves");
            let path = folder.join(&file);
            let uses = [
                (None, "Open", "Add this network to the study"),
                (
                    Some(Measure::Landscape),
                    "Landscape…",
                    "To the form of landscapes, with this network selected",
                ),
                (Some(Measure::Flatness), "Flatness…", "To the form of flatness, with this network selected"),
                (
                    Some(Measure::Evaluate),
                    "Evaluate…",
                    "To the form of evaluations, with this network selected",
                ),
            ];
            for (measure, text, tip) in uses {
                if ui.add(Button::new(text).small()).on_hover_text(tip).clicked() {
                    self.actions.push(Action::UseNetwork(path.clone(), measure));
                }
            }
            let tip =
                "Take the settings of this training over into the form, to train once more with changes";
            if ui.add(Button::new("Train again…").small()).on_hover_text(tip).clicked() {
                self.actions.push(Action::TakeTraining(Box::new(job.clone())));
            }
        });
        if file != before {
            self.history.picked = Some((folder, file));
        }
    }

    /// Loss and error beside each other, the learning rate below.
    fn charts_ui(&mut self, ui: &mut Ui, together: &[Arc<Record>]) {
        let (version, display) = (self.shown.version(), &self.state.display);
        let charts = &mut self.history.charts;
        let all = ui.available_size();
        let low = if all.y >= TALL { (0.27 * all.y).max(130.0) } else { 0.0 };
        let high = all.y - low - if low > 0.0 { theme::GAP } else { 0.0 };
        let mut clicked = None;
        let mut draw = |ui: &mut Ui, quantity: Quantity, size: eframe::egui::Vec2| {
            ui.allocate_ui(size, |ui| {
                ui.set_min_size(size);
                let make = || display.history(together, quantity, true);
                match charts[quantity as usize].get(version, display, make) {
                    Ok(plot) => clicked = draw_chart(ui, plot, quantity).or(clicked.take()),
                    Err(why) => empty_ui(ui, "Nothing to draw yet", &sentence(why), |_| ()),
                }
            });
        };
        if all.x >= WIDE {
            let size = vec2((all.x - theme::GAP) / 2.0, high);
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = theme::GAP;
                draw(ui, Quantity::Loss, size);
                draw(ui, Quantity::Error, size);
            });
        } else {
            let size = vec2(all.x, (high - theme::GAP) / 2.0);
            draw(ui, Quantity::Loss, size);
            draw(ui, Quantity::Error, size);
        }
        if low > 0.0 {
            draw(ui, Quantity::LearningRate, vec2(all.x, low));
        }
        let (Some(epoch), Some(folder)) = (clicked, self.training_folder()) else { return };
        if let Some(Outcome::Train(outcome)) = self.shown.record().map(|record| &record.outcome)
            && let Some(snapshot) = outcome.snapshots.iter().find(|s| !s.average && s.epoch == epoch)
        {
            self.history.picked = Some((folder, snapshot.file.clone()));
        }
    }

    /// The folder of the training that is shown.
    pub(crate) fn training_folder(&self) -> Option<PathBuf> {
        match self.study.target? {
            Target::Record(id) => {
                let stored = self.study.record(id)?;
                matches!(stored.record.outcome, Outcome::Train(_)).then(|| stored.path.clone())
            }
            Target::Job(id) => self.jobs.get(id)?.out.clone(),
        }
    }
}

/// Draws a chart; the epoch, from 0, of a snapshot that was clicked.
fn draw_chart(ui: &mut Ui, plot: &ScreenPlot, quantity: Quantity) -> Option<u64> {
    plot.ui(ui, ("history", quantity as usize));
    let point = plot.take_clicked()?;
    Some(point.x as u64 - 1)
}
