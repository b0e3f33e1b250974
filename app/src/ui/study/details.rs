//! Below the table: the selected models, their landscapes side by side, and the epochs of a training.

use std::collections::BTreeMap;
use std::sync::Arc;

use basin_core::study::{Kind, Thumbnail};
use eframe::egui::{
    Align, Area, Button, Color32, Frame, Id, Label, Layout, Order, RichText, Role, Sense, Slider, StrokeKind,
    Ui, WidgetInfo, vec2,
};

use crate::study::Seen;
use crate::ui::study::message::{Message, Place};
use crate::ui::study::table;
use crate::ui::study::view::{Open, StudyView};
use crate::ui::widgets::{count, palette};

/// Side of a landscape.
const SIDE: f32 = 92.0;
/// Landscapes beside each other at most.
const SHOWN: usize = 48;

/// Height of a line.
const LINE: f32 = 26.0;

/// The height that it needs; none: there is nothing to show.
pub fn height(open: &Open, seen: &Seen) -> Option<f32> {
    let failed = open.run.as_ref().map_or(0, |run| run.failed().len());
    let models = selected(open, seen);
    if models.is_empty() {
        return (failed > 0).then_some(LINE * failed as f32);
    }
    let current = open.choice.current().and_then(|name| seen.model(name));
    let epochs = current.is_some_and(|model| !seen.training(model).is_empty());
    let problems = match models.as_slice() {
        [model] => seen.entries.models[*model].problems.len(),
        _ => 0,
    };
    let pictured = models.iter().filter(|model| seen.thumbnail(**model).is_some()).count();
    let gallery = if pictured > 1 { 20.0 + SIDE + 38.0 } else { 0.0 };
    let lines = 1 + failed + problems + usize::from(epochs);
    Some(LINE * lines as f32 + gallery + 4.0)
}

/// Numbers of the selected models, in the order of the table; those that the filter hides come last.
fn selected(open: &Open, seen: &Seen) -> Vec<usize> {
    let is_selected = |model: &usize| open.choice.is_selected(&seen.study.models[*model].name);
    let shown: Vec<usize> = open.choice.models().filter(is_selected).collect();
    let hidden = (0..seen.study.models.len()).filter(is_selected).filter(|model| !shown.contains(model));
    let hidden: Vec<usize> = hidden.collect();
    shown.into_iter().chain(hidden).collect()
}

/// Draws it.
pub fn ui(ui: &mut Ui, open: &mut Open, seen: &Arc<Seen>, place: &mut Place<'_>) {
    let models = selected(open, seen);
    failures_ui(ui, open);
    match models.as_slice() {
        [] => {}
        [model] => one_ui(ui, seen, *model, place),
        several => several_ui(ui, open, seen, several, place),
    }
    if let Some(current) = open.choice.current().and_then(|name| seen.model(name)) {
        epochs_ui(ui, seen, current, place);
    }
}

/// What could not be measured.
fn failures_ui(ui: &mut Ui, open: &Open) {
    let Some(run) = &open.run else { return };
    let p = palette(ui);
    for (planned, why) in run.failed() {
        let words = format!("{} of {}: {why}", planned.measure, planned.model);
        ui.add(Label::new(RichText::new(words).small().color(p.error)).wrap());
    }
}

/// One model: its state, and what is wrong with it.
fn one_ui(ui: &mut Ui, seen: &Seen, model: usize, place: &mut Place<'_>) {
    let p = palette(ui);
    let of = &seen.entries.models[model];
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&seen.study.models[model].name).strong());
        for kind in Kind::ALL {
            let number = of.records.iter().filter(|(_, digest)| digest.kind == kind).count();
            if number > 0 {
                let button = table::button(kind_words(kind)).selected(false);
                let response = ui.add(button).on_hover_text(format!("Show it ({})", count(number, "record")));
                if response.clicked() {
                    place.send(Message::Compare(kind));
                }
            }
        }
        if of.records.is_empty() {
            ui.label(RichText::new("no records yet").color(p.weak));
        }
        let states = seen.study.measures.iter().zip(&seen.rows[model].measures);
        let missing: Vec<String> = states
            .filter(|(_, state)| !matches!(state, basin_core::study::State::Measured { .. }))
            .map(|(measure, state)| match state {
                basin_core::study::State::Missing => measure.name.clone(),
                state => format!("{} ({})", measure.name, table::state_words(state)),
            })
            .collect();
        if !missing.is_empty() && seen.study.models[model].checkpoint.is_some() {
            ui.label(RichText::new(format!("Missing: {}", missing.join(", "))).color(p.weak));
            if ui.add(table::button("Measure…")).on_hover_text("Compute what this model lacks").clicked() {
                place.send(Message::AskToMeasure(true));
            }
        }
    });
    for problem in &of.problems {
        ui.add(Label::new(RichText::new(problem).small().color(p.error)).wrap());
    }
}

/// Several models: what of them can be compared, and their landscapes on one scale.
fn several_ui(ui: &mut Ui, open: &mut Open, seen: &Seen, models: &[usize], place: &mut Place<'_>) {
    compare_ui(ui, seen, models, place);
    gallery_ui(ui, open, seen, models, place);
}

/// What of the selected models can be compared, for the scatter; nothing for fewer than two.
pub(crate) fn selection_ui(ui: &mut Ui, view: &StudyView, place: &mut Place<'_>) {
    let (Some(open), Some(seen)) = (view.open(), view.seen()) else { return };
    let models = selected(open, seen);
    if models.len() > 1 {
        compare_ui(ui, seen, &models, place);
    }
}

/// How many models are selected, and which of their records can be compared.
fn compare_ui(ui: &mut Ui, seen: &Seen, models: &[usize], place: &mut Place<'_>) {
    let p = palette(ui);
    let mut having: BTreeMap<Kind, usize> = BTreeMap::new();
    for model in models {
        let mut kinds: Vec<Kind> =
            seen.entries.models[*model].records.iter().map(|(_, digest)| digest.kind).collect();
        kinds.sort();
        kinds.dedup();
        kinds.into_iter().for_each(|kind| *having.entry(kind).or_default() += 1);
    }
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(format!("{} selected", count(models.len(), "model"))).strong());
        ui.label(RichText::new("Compare").color(p.weak));
        let mut any = false;
        for (kind, number) in having {
            if number < 2 || !can_be_compared(kind) {
                continue;
            }
            any = true;
            let button = table::button(kind_words(kind));
            let tip = format!("{number} of them in one chart");
            if ui.add(button).on_hover_text(tip).clicked() {
                place.send(Message::Compare(kind));
            }
        }
        if !any {
            ui.label(RichText::new("no two of them have records of one kind").color(p.weak));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.add(table::button("Copy rows")).on_hover_text("For a spreadsheet, with titles").clicked() {
                place.send(Message::CopyRows);
            }
        });
    });
}

/// Landscapes of models, planes and curves each on one scale of losses.
fn gallery_ui(ui: &mut Ui, open: &mut Open, seen: &Seen, models: &[usize], place: &mut Place<'_>) {
    let p = palette(ui);
    let pictured: Vec<(usize, String, &Thumbnail)> = models
        .iter()
        .filter_map(|model| {
            let (path, thumbnail) = seen.thumbnail(*model)?;
            Some((*model, path.to_string_lossy().into_owned(), thumbnail))
        })
        .collect();
    if pictured.len() < 2 {
        return;
    }
    let range = |plane: bool| {
        let of = pictured.iter().filter(|(.., t)| (t.height > 1) == plane).map(|(.., t)| t.range);
        of.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], [l, h]| [low.min(l), high.max(h)])
    };
    let ranges = [range(false), range(true)];
    let of = |plane: bool| {
        let [low, high] = ranges[usize::from(plane)];
        let is_curve = |(.., t): &&(usize, String, &Thumbnail)| (t.height > 1) == plane;
        pictured.iter().any(|one| is_curve(&one)).then(|| format!("{low:.2} to {high:.2}"))
    };
    let scale = [of(true).map(|s| format!("maps {s}")), of(false).map(|s| format!("curves {s}"))];
    let scale: Vec<String> = scale.into_iter().flatten().collect();
    let words = format!("Landscapes on one scale of losses: {}", scale.join(", "));
    ui.label(RichText::new(words).small().color(p.weak));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 6.0);
        for (model, path, thumbnail) in pictured.iter().take(SHOWN) {
            let name = &seen.study.models[*model].name;
            let (rect, response) = ui.allocate_exact_size(vec2(SIDE, SIDE + 16.0), Sense::click());
            let mut square = rect;
            square.max.y = rect.min.y + SIDE;
            if thumbnail.height == 1 {
                ui.painter().rect_filled(square, 2.0, p.canvas);
            }
            let range = ranges[usize::from(thumbnail.height > 1)];
            open.pictures.paint(ui, square, path, thumbnail, range);
            if open.choice.current() == Some(name) {
                ui.painter().rect_stroke(square, 1.0, (2.0, p.accent), StrokeKind::Outside);
            }
            let galley = ui.painter().layout_no_wrap(
                name.clone(),
                eframe::egui::TextStyle::Small.resolve(ui.style()),
                Color32::PLACEHOLDER,
            );
            let below = rect.with_min_y(square.bottom() + 1.0);
            ui.painter().with_clip_rect(below.intersect(ui.clip_rect())).galley(below.min, galley, p.text);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
            let [low, high] = thumbnail.range;
            let response = response.on_hover_text(format!("{name}\n{path}\nloss {low:.3} to {high:.3}"));
            if response.clicked() {
                place.send(Message::Select(name.clone()));
            }
        }
    });
    if pictured.len() > SHOWN {
        let words = format!("{SHOWN} of {} landscapes are shown.", pictured.len());
        ui.label(RichText::new(words).small().color(p.weak));
    }
}

/// A slider over the snapshots of one training.
fn epochs_ui(ui: &mut Ui, seen: &Seen, current: usize, place: &mut Place<'_>) {
    let epochs = seen.training(current);
    let Some(at) = epochs.iter().position(|(model, _)| *model == current) else { return };
    let p = palette(ui);
    ui.horizontal(|ui| {
        let words = |at: usize| match epochs[at].1 {
            Some(epoch) => format!("epoch {epoch}"),
            None => seen.study.models[epochs[at].0].name.clone(),
        };
        ui.label(RichText::new("Along the training").color(p.weak));
        let mut to = at;
        let last = epochs.len() - 1;
        let earlier = ui.add_enabled(at > 0, Button::new("◀").small()).on_hover_text("The epoch before");
        ui.spacing_mut().slider_width = (ui.available_width() - 240.0).clamp(80.0, 420.0);
        let response = ui.add(Slider::new(&mut to, 0..=last).show_value(false));
        response.widget_info(|| WidgetInfo::slider(true, at as f64, "Epoch"));
        let later = ui.add_enabled(at < last, Button::new("▶").small()).on_hover_text("The epoch after");
        if earlier.clicked() {
            to = at - 1;
        }
        if later.clicked() {
            to = at + 1;
        }
        ui.label(format!("{}, {} of {}", words(to), to + 1, epochs.len()));
        if to != at {
            place.send(Message::Select(seen.study.models[epochs[to].0].name.clone()));
        }
    });
}

/// Whether records of a kind share a chart.
fn can_be_compared(kind: Kind) -> bool {
    matches!(kind, Kind::Flatness | Kind::Curve | Kind::Hessian | Kind::Attack | Kind::Training)
}

/// A kind in a menu.
pub fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Flatness => "Flatness",
        Kind::Curve => "1-D landscape",
        Kind::Plane => "2-D landscape",
        Kind::Evaluation => "Evaluation",
        Kind::Attack => "AutoAttack",
        Kind::Hessian => "Hessian",
        Kind::Training => "Training",
        Kind::Other => "Other records",
    }
}

/// Beside the pointer on a model's point in the scatter: its landscape.
pub(crate) fn hover_ui(ui: &Ui, view: &mut StudyView, name: &str) {
    let Some(seen) = view.seen().cloned() else { return };
    let (Some(open), Some(at)) = (view.open_mut(), ui.ctx().pointer_hover_pos()) else { return };
    let Some((path, thumbnail)) = seen.model(name).and_then(|model| seen.thumbnail(model)) else { return };
    let size = if thumbnail.height == 1 { vec2(1.4 * SIDE, SIDE) } else { vec2(SIDE, SIDE) };
    // The numbers stand at the right of the pointer.
    let place = at - vec2(size.x + 24.0, 0.0);
    let area = Area::new(Id::unique("thumbnail of a point")).order(Order::Tooltip).fixed_pos(place);
    area.interactable(false).show(ui.ctx(), |ui| {
        Frame::popup(ui.style()).inner_margin(4).show(ui, |ui| {
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            open.pictures.paint(ui, rect, &path.to_string_lossy(), thumbnail, thumbnail.range);
            let [low, high] = thumbnail.range;
            ui.label(RichText::new(format!("loss {low:.2} to {high:.2}")).small());
        });
    });
}
