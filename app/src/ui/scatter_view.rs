//! The Scatter tab: flatness against robustness, a point per checkpoint of the study, beside the published models.

use std::sync::Arc;

use basin_core::job::{Case, FlatnessLoss};
use basin_core::measure::statistics::{Correlation, Point, Relation, relate};
use basin_core::record::Record;
use eframe::egui::{
    Align, Button, Checkbox, Color32, ComboBox, Frame, Label, Layout, Margin, RichText, TextStyle, Ui,
};

use crate::plot::scatter::{self, Look, Model, Models, Quantity};
use crate::plot::screen::ScreenPlot;
use crate::plot::{Plot, text, ticks};
use crate::ui::App;
use crate::ui::answers::Answer;
use crate::ui::scatter_settings::{ScatterSettings, Source};
use crate::ui::session::Target;
use crate::ui::widgets::{empty_ui, palette, sentence};

/// What lives with the tab: the chart, and what it was made of.
#[derive(Default)]
pub(crate) struct ScatterView {
    of: Option<(ScatterSettings, Vec<Arc<Record>>, Option<String>)>,
    models: Models,
    chart: Option<Result<ScreenPlot, String>>,
    /// What the relation is asked for of, and the relation; none: not yet, or too few points.
    pairs: Vec<Point>,
    relation: Option<Box<Relation>>,
}

impl ScatterView {
    /// The figure as it is exported: with names beside the points where there is room.
    pub fn figure(settings: &ScatterSettings, records: &[Arc<Record>]) -> Result<Plot, String> {
        let look = Look { labels: true, ..settings.look() };
        scatter::plot(&settings.models(records)?, &look).map_err(|why| text::plain(&why))
    }

    fn update(&mut self, settings: &ScatterSettings, records: Vec<Arc<Record>>, selected: Option<String>) {
        let same = self.of.as_ref().is_some_and(|(of, old, name)| {
            let records_are =
                old.len() == records.len() && old.iter().zip(&records).all(|(a, b)| Arc::ptr_eq(a, b));
            of == settings && records_are && *name == selected
        });
        if same {
            return;
        }
        let chart = settings.models(&records).and_then(|mut models| {
            // On the screen names come with the pointer; beside its point stands the selected one's.
            for model in &mut models.models {
                let is_selected = !model.hash.is_empty() && selected.as_ref() == Some(&model.hash);
                model.label = match (is_selected, settings.labels) {
                    (true, _) => model.name.clone(),
                    (false, true) => std::mem::take(&mut model.label),
                    (false, false) => String::new(),
                };
            }
            let look = Look { labels: true, ..settings.look() };
            let plot = scatter::plot_with(&models, &look, None);
            self.models = models.on_axes(&look);
            plot.map_err(|why| text::plain(&why))
        });
        let is_selected = |model: &&Model| !model.hash.is_empty() && selected.as_ref() == Some(&model.hash);
        let marked = self.models.models.iter().find(is_selected).and_then(place);
        self.chart = Some(chart.map(|plot| ScreenPlot::new(plot).marking(marked)));
        self.of = Some((settings.clone(), records, selected));
    }

    /// The points whose statistics are to be computed, if they have changed.
    fn changed_pairs(&mut self) -> Option<Vec<Point>> {
        let drawn = self.chart.as_ref().is_some_and(Result::is_ok);
        let pairs = if drawn { self.models.pairs() } else { Vec::new() };
        if pairs == self.pairs {
            return None;
        }
        (self.pairs, self.relation) = (pairs.clone(), None);
        (!pairs.is_empty()).then_some(pairs)
    }

    /// Takes the statistics from a worker thread, unless other points are shown by now.
    pub fn related(&mut self, of: &[Point], relation: Option<Box<Relation>>) {
        if self.pairs == of {
            self.relation = relation;
        }
    }
}

impl App {
    /// Draws the tab.
    pub(crate) fn scatter_ui(&mut self, ui: &mut Ui) {
        let records: Vec<Arc<Record>> =
            self.session.records().iter().map(|stored| stored.record.clone()).collect();
        let selected = self.selected_hash();
        self.scatter.update(&self.state.scatter, records, selected);
        if let Some(of) = self.scatter.changed_pairs() {
            self.background.spawn("statistics", move || {
                let relation = relate(&of).map(Box::new);
                Answer::Related { of, relation }
            });
        }
        Frame::new().inner_margin(Margin { left: 10, right: 12, top: 6, bottom: 8 }).show(ui, |ui| {
            self.scatter_bar_ui(ui);
            let Some(chart) = &self.scatter.chart else { return };
            let chart = match chart {
                Ok(chart) => chart,
                Err(why) => {
                    let text = if self.session.records().is_empty() {
                        "Measure the flatness of several checkpoints and evaluate them under attack, or open such records: every checkpoint becomes a point.".to_owned()
                    } else {
                        sentence(why) + "."
                    };
                    let shown = empty_ui(ui, "No points yet", &text, |ui| ui.button("Show the published models"));
                    if shown.clicked() {
                        let published = ScatterSettings { source: Source::Published, ..ScatterSettings::default() };
                        self.state.scatter = published;
                    }
                    return;
                }
            };
            let export = ui.horizontal(|ui| {
                match &self.scatter.relation {
                    Some(relation) => {
                        ui.label(relation_words(relation)).on_hover_text(relation_details(relation));
                    }
                    None => {
                        ui.label(format!("{} models", self.scatter.pairs.len()));
                    }
                }
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let export = ui.add(Button::new("Export…").small());
                    export.on_hover_text("This scatter as a figure, or its numbers").clicked()
                }).inner
            });
            if let Some(relation) = &self.scatter.relation {
                for warning in &relation.warnings {
                    let text = RichText::new(sentence(warning) + ".").small().color(palette(ui).warning);
                    ui.add(Label::new(text).wrap());
                }
            }
            chart.ui(ui, "scatter");
            let clicked = chart.take_clicked().and_then(|point| {
                let is_point =
                    |model: &&Model| model.name == point.name && place(model) == Some([point.x, point.y]);
                self.scatter.models.models.iter().find(is_point).map(|model| model.hash.clone())
            });
            if let Some(hash) = clicked.filter(|hash| !hash.is_empty()) {
                self.select_by_hash(&hash);
            }
            if export.inner {
                self.open_scatter_export();
            }
        });
    }

    /// Content of the checkpoint of the record that is shown, else of the selected one.
    fn selected_hash(&self) -> Option<String> {
        let record = match self.session.target {
            Some(Target::Record(id)) => self.session.record(id),
            _ => None,
        };
        let shown = record.map(|stored| stored.record.provenance.checkpoint_hash.clone());
        let model = || Some(self.session.selected_model()?.summary.ready()?.hash.clone());
        shown.filter(|hash| !hash.is_empty()).or_else(model)
    }

    /// Selects the open checkpoint of this content, else one of its records; the tab stays in front.
    fn select_by_hash(&mut self, hash: &str) {
        let is_model =
            |model: &&crate::ui::session::Model| model.summary.ready().is_some_and(|s| s.hash == hash);
        if let Some(path) = self.session.models().iter().find(is_model).map(|model| model.path.clone()) {
            self.session.select_model(&path);
        } else if let Some(id) =
            self.session.records().iter().find(|s| s.record.provenance.checkpoint_hash == hash).map(|s| s.id)
        {
            self.session.select_record(id);
        }
    }

    /// Choices above the chart.
    fn scatter_bar_ui(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            let settings = &mut self.state.scatter;
            ui.spacing_mut().item_spacing.x = 8.0;
            let sources = [
                (Source::Study, "this study"),
                (Source::Published, "published models"),
                (Source::Both, "both"),
            ];
            combo_ui(ui, "Points", &mut settings.source, &sources);
            let cases = [(Case::Average, "average case"), (Case::Worst, "worst case")];
            combo_ui(ui, "Flatness", &mut settings.case, &cases);
            if settings.source == Source::Study {
                let losses = [(FlatnessLoss::Robust, "robust loss"), (FlatnessLoss::Clean, "clean loss")];
                combo_ui(ui, "of the", &mut settings.loss, &losses);
            } else {
                settings.loss = FlatnessLoss::Robust;
            }
            let quantities = [
                (Quantity::Loss, "robust loss"),
                (Quantity::Gap, "test − train"),
                (Quantity::Error, "robust error"),
            ];
            combo_ui(ui, "against", &mut settings.y, &quantities);
            ui.checkbox(&mut settings.log[0], "log x").on_hover_text("Logarithmic flatness");
            ui.checkbox(&mut settings.log[1], "log y").on_hover_text("Logarithmic values");
            ui.checkbox(&mut settings.line, "line").on_hover_text("Least squares line");
            let band = ui.add_enabled(settings.line, Checkbox::new(&mut settings.band, "band"));
            band.on_hover_text("95 % confidence band of the line");
            ui.checkbox(&mut settings.labels, "names").on_hover_text("Names beside the points");
        });
        ui.add_space(2.0);
    }
}

/// Where a model has its point.
fn place(model: &Model) -> Option<[f64; 2]> {
    Some([model.x.as_ref().ok()?.value, model.y.as_ref().ok()?.value])
}

fn combo_ui<T: PartialEq + Copy>(ui: &mut Ui, label: &str, value: &mut T, options: &[(T, &str)]) {
    let shown = options.iter().find(|(option, _)| option == value).map_or("", |(_, text)| text);
    // A choice and its label stand in the same line.
    let font = TextStyle::Body.resolve(ui.style());
    let width =
        |text: &str| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE).size().x;
    let combo = (width(shown) + 44.0).max(ui.spacing().combo_width + 2.0 * ui.spacing().button_padding.x);
    let needed = width(label) + combo;
    if ui.available_size_before_wrap().x < needed {
        ui.end_row();
    }
    let name = ui.add(Label::new(RichText::new(label).color(palette(ui).weak)).selectable(false));
    let combo = ComboBox::from_id_salt(("scatter", label)).selected_text(shown).show_ui(ui, |ui| {
        for (option, text) in options {
            ui.selectable_value(value, *option, *text);
        }
    });
    combo.response.labelled_by(name.id);
}

/// e.g. `Pearson 0.96 [0.91, 0.98]   Spearman 0.94 [0.85, 0.97]   Kendall 0.79 [0.65, 0.88]   28 models`.
fn relation_words(relation: &Relation) -> String {
    let mut lines = scatter::caption(relation);
    lines.pop();
    lines.push(format!("{} models", relation.n));
    lines.join("   ")
}

/// What the words above are, and what they rest on.
fn relation_details(relation: &Relation) -> String {
    let p = |correlation: Correlation| correlation.p.map_or_else(|| "–".to_owned(), |p| format!("{p:.4}"));
    let mut lines = vec![
        "With 95 % intervals over models (BCa bootstrap).".to_owned(),
        format!(
            "Permutation p: Pearson {}, Spearman {}, Kendall {}.",
            p(relation.pearson),
            p(relation.spearman),
            p(relation.kendall)
        ),
    ];
    if let Some(within) = &relation.within_groups {
        let number = |value| ticks::number(value, 2);
        lines.push(format!(
            "Within groups: Pearson {}, Spearman {}.",
            number(within.pearson),
            number(within.spearman)
        ));
    }
    if let Some(signs) = &relation.sign_error {
        let coupled = signs.coupled.as_ref().map_or_else(String::new, |error| {
            format!(", within groups {:.0} % of {}", 100.0 * error.value, error.pairs)
        });
        lines.push(format!(
            "Sign error: {:.0} % of {} pairs{coupled}.",
            100.0 * signs.all.value,
            signs.all.pairs
        ));
    }
    lines.join("\n")
}
