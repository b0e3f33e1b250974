//! The History tab: how trainings go, epoch by epoch, and the networks they keep.

use std::path::PathBuf;
use std::sync::Arc;

use basin_core::job::{Job, Train};
use basin_core::record::{Outcome, Record, TrainingOutcome};
use eframe::egui::{Align, Button, ComboBox, Frame, Label, Layout, Margin, RichText, Ui, vec2};

use crate::state::Measure;
use crate::ui::charts::Cached;
use crate::ui::history_facts::{Fact, Network, facts, networks, tests};
use crate::ui::session::{Target, file_name};
use crate::ui::widgets::{empty_ui, palette, sentence};
use crate::ui::{Action, App};

/// Below this width there is room for the most important only.
const NARROW: f32 = 560.0;
/// Room for the name of the training whose networks are offered, and for the buttons beside them; where that leaves too
/// little for the networks, most buttons are in a menu.
const LABEL: f32 = 150.0;
const BUTTONS: f32 = 420.0;
const NETWORKS: std::ops::RangeInclusive<f32> = 80.0..=216.0;

/// The charts, and the network that is picked.
#[derive(Default)]
pub(crate) struct HistoryView {
    pub charts: [Cached; 3],
    /// Folder of the training, and the file in it.
    pub picked: Option<(PathBuf, PathBuf)>,
}

/// What can be done with a network: the form to show, the button, its tooltip.
const USES: [(Option<Measure>, &str, &str); 4] = [
    (None, "Open", "Open this network"),
    (Some(Measure::Landscape), "Landscape…", "To the form of landscapes, with this network selected"),
    (Some(Measure::Flatness), "Flatness…", "To the form of flatness, with this network selected"),
    (Some(Measure::Evaluate), "Evaluate…", "To the form of evaluations, with this network selected"),
];
const AGAIN: (&str, &str) = (
    "Train again…",
    "Take the settings of this training over into the form, to train once more with changes",
);

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
        let open = self.session.trainings().count();
        let title = match together.len() {
            0 | 1 => "Training".to_owned(),
            several if several < open => format!("{several} of {open} trainings"),
            several => format!("{several} trainings"),
        };
        self.record_header_ui(ui, &title, &record);
        Frame::new().inner_margin(Margin { left: 14, right: 12, top: 2, bottom: 8 }).show(ui, |ui| {
            if together.len() < 2 {
                self.facts_ui(ui, job, outcome, &record);
            }
            self.networks_ui(ui, job, outcome, together.len() > 1);
            let begun = |record: &Arc<Record>| {
                matches!(&record.outcome, Outcome::Train(outcome) if outcome.steps_done() > 0)
            };
            if outcome.steps_done() == 0 && !together.iter().any(begun) {
                let text = "The curves begin with the first steps.";
                return empty_ui(ui, "Nothing is trained yet", text, |_| ());
            }
            self.history_charts_ui(ui, &together);
        });
    }

    /// How far it is, how fast, how good: each fact has its place, whatever it says.
    fn facts_ui(&mut self, ui: &mut Ui, job: &Train, outcome: &TrainingOutcome, record: &Record) {
        let entry = self.training_folder().and_then(|folder| self.jobs.training_in(&folder));
        let left = entry.and_then(|entry| entry.live().remaining_s());
        let narrow = ui.available_width() < NARROW;
        let p = palette(ui);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = if narrow { 8.0 } else { 18.0 };
            for Fact { label, value, room, tooltip } in
                facts(job, outcome, record.provenance.complete, left, narrow)
            {
                let place =
                    ui.allocate_ui_with_layout(vec2(room, 34.0), Layout::top_down(Align::Min), |ui| {
                        ui.set_min_size(vec2(room, 34.0));
                        ui.spacing_mut().item_spacing.y = 1.0;
                        ui.add(Label::new(RichText::new(label).small().color(p.weak)).truncate());
                        ui.add(Label::new(value).truncate());
                    });
                place.response.on_hover_text(tooltip);
            }
        });
        let words = tests(job, outcome);
        let label = Label::new(RichText::new(&words).small().color(p.weak)).truncate();
        ui.add(label).on_hover_text(words);
        for warning in &record.provenance.warnings {
            ui.label(RichText::new(sentence(warning)).small().color(p.warning));
        }
    }

    /// The networks that were kept: pick one, and measure it.
    fn networks_ui(&mut self, ui: &mut Ui, job: &Train, outcome: &TrainingOutcome, several: bool) {
        let Some(folder) = self.training_folder() else { return };
        let networks = networks(outcome);
        let picked =
            self.history.picked.as_ref().filter(|(of, _)| *of == folder).map(|(_, file)| file.clone());
        let picked = picked.filter(|file| networks.iter().any(|n| n.file == *file));
        let last = networks.last().map(|network| network.file.clone());
        let mut file = picked.or(last).unwrap_or_default();
        let before = file.clone();
        let narrow = ui.available_width() < LABEL + NETWORKS.start() + BUTTONS;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            let words = if several { format!("Network of {}", file_name(&folder)) } else { "Network".into() };
            let label = Label::new(RichText::new(words).color(palette(ui).weak)).selectable(false).truncate();
            let label = ui
                .scope(|ui| {
                    ui.set_max_width(LABEL);
                    ui.add(label)
                })
                .inner;
            let shown = networks.iter().find(|n| n.file == file);
            let shown = shown.map_or("none yet".to_owned(), Network::words);
            let buttons_room = if narrow { 118.0 } else { BUTTONS };
            let width = (ui.available_width() - buttons_room).clamp(*NETWORKS.start(), *NETWORKS.end());
            ui.add_enabled_ui(!networks.is_empty(), |ui| {
                ui.set_max_width(width);
                let combo = ComboBox::from_id_salt("network").width(width).truncate().selected_text(shown);
                let combo = combo.show_ui(ui, |ui| {
                    for network in &networks {
                        ui.selectable_value(&mut file, network.file.clone(), network.words());
                    }
                });
                combo.response.labelled_by(label.id).on_hover_text("Or click a point of the curves");
            });
            let path = folder.join(&file);
            let mut buttons = |ui: &mut Ui, uses: &[(Option<Measure>, &str, &str)], again: bool| {
                for (measure, text, tip) in uses {
                    let button = Button::new(*text).small();
                    if ui.add_enabled(!networks.is_empty(), button).on_hover_text(*tip).clicked() {
                        self.actions.push(Action::UseNetwork(path.clone(), *measure));
                    }
                }
                if again && ui.add(Button::new(AGAIN.0).small()).on_hover_text(AGAIN.1).clicked() {
                    self.actions.push(Action::TakeTraining(Box::new(job.clone())));
                }
            };
            if narrow {
                buttons(ui, &USES[..1], false);
                ui.menu_button("More", |ui| buttons(ui, &USES[1..], true));
            } else {
                buttons(ui, &USES, true);
            }
        });
        if file != before {
            self.history.picked = Some((folder, file));
        }
    }

    /// The folder of the training that is shown.
    pub(crate) fn training_folder(&self) -> Option<PathBuf> {
        match self.session.target? {
            Target::Record(id) => {
                let stored = self.session.record(id)?;
                matches!(stored.record.outcome, Outcome::Train(_)).then(|| stored.path.clone())
            }
            Target::Job(id) => self.jobs.get(id)?.out.clone(),
        }
    }
}
