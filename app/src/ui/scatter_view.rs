//! The Scatter tab: flatness against robustness, a point per checkpoint of the study, beside the published models.

use std::collections::BTreeSet;
use std::sync::Arc;

use basin_core::job::{Case, FlatnessLoss};
use basin_core::measure::statistics::{Correlation, Point, Relation, relate};
use basin_core::record::Record;
use eframe::egui::{
    Align, Button, Checkbox, Color32, ComboBox, Frame, Label, Layout, Margin, RichText, TextStyle, Ui,
};

use crate::plot::scatter::{self, Look, Model, Models, Quantity};
use crate::plot::screen::ScreenPlot;
use crate::plot::text::literal;
use crate::plot::{Plot, ScatterPoint, text, ticks};
use crate::study::Seen;
use crate::ui::answers::Answer;
use crate::ui::scatter_settings::{ScatterSettings, Source};
use crate::ui::session::Target;
use crate::ui::study::{self, Message};
use crate::ui::widgets::{empty_ui, palette, sentence};
use crate::ui::{Action, App};

/// So many selected models have their names beside their points.
const NAMED: usize = 12;

/// What lives with the tab: the chart, and what it was made of.
#[derive(Default)]
pub(crate) struct ScatterView {
    of: Option<(ScatterSettings, Subject, BTreeSet<String>)>,
    models: Models,
    /// Dragging chooses points.
    brush: bool,
    chart: Option<Result<ScreenPlot, String>>,
    /// What the relation is asked for of, and the relation; none: not yet, or too few points.
    pairs: Vec<Point>,
    relation: Option<Box<Relation>>,
}

/// What the points are of: open records, or models of a study.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// Records.
    Records(Vec<Arc<Record>>),
    /// The models of a study that its table shows.
    Study(Arc<Seen>, Vec<usize>),
}

impl PartialEq for Subject {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Records(one), Self::Records(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(a, b)| Arc::ptr_eq(a, b))
            }
            (Self::Study(one, rows), Self::Study(other, others)) => Arc::ptr_eq(one, other) && rows == others,
            _ => false,
        }
    }
}

impl Subject {
    /// Models with the numbers of the axes.
    fn models(&self, settings: &ScatterSettings) -> Result<Models, String> {
        match self {
            Self::Records(records) => settings.models(records),
            Self::Study(..) if settings.source == Source::Published => settings.models(&[]),
            Self::Study(seen, rows) => {
                let [x, y] = axes(settings, seen);
                let (Some(x), Some(y)) = (x, y) else {
                    return Err("nothing has been measured yet; measure the models of the study".to_owned());
                };
                let mut all = scatter::from_table(&seen.study, &seen.table, &seen.entries.models, x, y);
                all.models = rows.iter().map(|row| all.models[*row].clone()).collect();
                Ok(all)
            }
        }
    }

    /// What tells a model from others: the hash of its checkpoint, or its name in the study.
    fn key<'a>(&self, model: &'a Model) -> &'a str {
        match self {
            Self::Records(_) => &model.hash,
            Self::Study(..) => &model.name,
        }
    }
}

/// The columns on the axes: those that are chosen if the study has them, else flatness and robust loss, else the first.
fn axes(settings: &ScatterSettings, seen: &Seen) -> [Option<usize>; 2] {
    let table = &seen.table;
    let usual = ["average_flatness", "robust_loss"];
    let column = |axis: usize| {
        let chosen = settings.axes[axis].as_ref().and_then(|key| table.column(key).ok());
        chosen.or_else(|| table.column(usual[axis]).ok())
    };
    let x = column(0).or_else(|| (!table.columns.is_empty()).then_some(0));
    let others = |y: &usize| Some(*y) != x;
    [x, column(1).or_else(|| (0..table.columns.len()).find(others))]
}

impl ScatterView {
    /// The figure as it is exported: with names beside the points where there is room.
    pub fn figure(settings: &ScatterSettings, subject: &Subject) -> Result<Plot, String> {
        let look = Look { labels: true, ..settings.look() };
        scatter::plot(&subject.models(settings)?, &look).map_err(|why| text::plain(&why))
    }

    fn update(&mut self, settings: &ScatterSettings, subject: Subject, selected: BTreeSet<String>) {
        let same = self
            .of
            .as_ref()
            .is_some_and(|(of, old, names)| of == settings && *old == subject && *names == selected);
        if same {
            return;
        }
        let is_selected = |model: &Model| selected.contains(subject.key(model));
        let chart = subject.models(settings).and_then(|mut models| {
            // On the screen names come with the pointer; beside its point stands a selected one's.
            let few = models.models.iter().filter(|model| is_selected(model)).count() <= NAMED;
            for model in &mut models.models {
                model.label = match (is_selected(model) && few, settings.labels) {
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
        let marked = self.models.models.iter().filter(|model| is_selected(model)).filter_map(place).collect();
        self.chart = Some(chart.map(|mut plot| {
            if matches!(subject, Subject::Study(..)) {
                // Of many models the table says what they lack.
                plot.notes.retain(|note| !note.starts_with("not shown: "));
            }
            ScreenPlot::new(plot).marking(marked)
        }));
        self.of = Some((settings.clone(), subject, selected));
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
        let subject = self.scatter_subject();
        let selected = match (&subject, self.study.open()) {
            (Subject::Study(..), Some(open)) => {
                open.choice.selected().iter().map(|name| literal(name)).collect()
            }
            _ => self.selected_hash().filter(|hash| !hash.is_empty()).into_iter().collect(),
        };
        self.scatter.update(&self.state.scatter, subject, selected);
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
                    let text = if self.session.records().is_empty() && self.study.seen().is_none() {
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
            let of_study = matches!(self.scatter.of, Some((_, Subject::Study(..), _)));
            if of_study {
                chart.set_brush(self.scatter.brush);
                let mut place = study::Place::new(&mut self.state.study);
                study::selection_ui(ui, &self.study, &mut place);
                self.actions.extend(place.messages.into_iter().map(Action::Study));
            }
            // Other axes have a range of their own.
            let id = of_study.then(|| self.state.scatter.axes.clone());
            chart.ui(ui, ("scatter", id));
            let model_at = |point: &ScatterPoint| {
                let is_point =
                    |model: &&Model| model.name == point.name && place(model) == Some([point.x, point.y]);
                self.scatter.models.models.iter().find(is_point)
            };
            if of_study {
                let named = |point: &ScatterPoint| text::plain(&point.name);
                let several = ui.input(|input| input.modifiers.command);
                let message = chart.take_clicked().map(|point| match several {
                    true => Message::Toggle(named(point)),
                    false => Message::Select(named(point)),
                });
                let brushed: Vec<String> = chart.take_brushed().into_iter().map(named).collect();
                let brushed = (!brushed.is_empty()).then_some(Message::SelectAll(brushed));
                self.actions.extend(message.into_iter().chain(brushed).map(Action::Study));
                if let Some(name) = chart.hovered().map(named) {
                    study::hover_ui(ui, &mut self.study, &name);
                }
            } else if let Some(model) = chart.take_clicked().and_then(model_at)
                && !model.hash.is_empty()
            {
                let hash = model.hash.clone();
                self.select_by_hash(&hash);
            }
            if export.inner {
                self.open_scatter_export();
            }
        });
    }

    /// What the points are of: the models of the open study that its table shows, else the open records.
    pub(crate) fn scatter_subject(&self) -> Subject {
        if let (Some(open), Some(seen)) = (self.study.open(), self.study.seen())
            && self.state.scatter.source != Source::Both
        {
            return Subject::Study(seen.clone(), open.choice.models().collect());
        }
        Subject::Records(self.session.records().iter().map(|stored| stored.record.clone()).collect())
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
            if let Some(seen) = self.study.seen().filter(|_| settings.source == Source::Study) {
                axes_ui(ui, settings, seen);
                let tip = "Drag a rectangle to select the models in it; with Shift at any time";
                let brush = Button::selectable(self.scatter.brush, "Select").frame_when_inactive(true);
                if ui.add(brush).on_hover_text(tip).clicked() {
                    self.scatter.brush = !self.scatter.brush;
                }
                return look_ui(ui, settings);
            }
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
            look_ui(ui, settings);
        });
        ui.add_space(2.0);
    }
}

/// How the axes and lines are drawn.
fn look_ui(ui: &mut Ui, settings: &mut ScatterSettings) {
    ui.checkbox(&mut settings.log[0], "log x").on_hover_text("Logarithmic flatness");
    ui.checkbox(&mut settings.log[1], "log y").on_hover_text("Logarithmic values");
    ui.checkbox(&mut settings.line, "line").on_hover_text("Least squares line");
    let band = ui.add_enabled(settings.line, Checkbox::new(&mut settings.band, "band"));
    band.on_hover_text("95 % confidence band of the line");
    ui.checkbox(&mut settings.labels, "names").on_hover_text("Names beside the points");
}

/// The columns of a study on the axes.
fn axes_ui(ui: &mut Ui, settings: &mut ScatterSettings, seen: &Seen) {
    let chosen = axes(settings, seen);
    let keys: Vec<String> = seen.table.columns.iter().map(|column| column.key.clone()).collect();
    let titles: Vec<String> = keys.iter().map(|key| study::title(key)).collect();
    let options: Vec<(usize, &str)> = titles.iter().map(String::as_str).enumerate().collect();
    for (axis, label) in [(1, "y"), (0, "x")] {
        let Some(before) = chosen[axis] else { continue };
        let mut now = before;
        combo_ui(ui, label, &mut now, &options);
        if now != before {
            settings.axes[axis] = Some(keys[now].clone());
        }
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
