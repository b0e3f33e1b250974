//! Readings of a checkpoint's file that were tried, and what decided between them.

use basin_core::checkpoint::{Assumptions, Probe, Summary, Tried, assuming};
use basin_core::model::{Pooling, Shortcut};
use eframe::egui::{Grid, Label, ProgressBar, RichText, ScrollArea, Ui};

use crate::ui::Action;
use crate::ui::session::Model;
use crate::ui::widgets::{count_words, heading_ui, palette};

/// Progress of a probe, or the readings that it has tried.
pub(super) fn ui(ui: &mut Ui, model: &Model, summary: &Summary, actions: &mut Vec<Action>) {
    if let Some(probing) = &model.probing {
        heading_ui(ui, "Readings");
        ui.vertical(|ui| {
            let percent = format!("{:.0} %", 100.0 * probing.share());
            ui.add(ProgressBar::new(probing.share()).desired_width(240.0).desired_height(10.0));
            ui.label(format!(
                "Trying what the file leaves open on labelled images: {percent}. Until then assumed: {}.",
                assumed_words(&summary.assumed)
            ));
        });
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(200));
        return;
    }
    let Some(probe) = &summary.probe else { return };
    heading_ui(ui, "Readings");
    let color = if probe.told { palette(ui).text } else { palette(ui).warning };
    ui.add(Label::new(RichText::new(verdict(probe, &summary.assumed)).color(color)).wrap());
    if !probe.tried.is_empty() {
        table_ui(ui, model, summary, probe, actions);
    }
}

/// What decided, with the margin and its standard error; or the doubt.
fn verdict(probe: &Probe, assumed: &str) -> String {
    let Some(best) = probe.tried.first() else {
        return format!(
            "The file leaves open how it is to be read, and there are no labelled images to try it on. Assumed: {}.",
            assumed_words(assumed)
        );
    };
    let correct = format!("{} of {} {}", percent(best.accuracy), count_words(best.images), probe.data);
    let margin = format!("{:.1}", 100.0 * probe.margin).replace('-', "−");
    let margin =
        format!("{margin} percentage points, with a standard error of {:.1}", 100.0 * probe.standard_error);
    if probe.likely {
        return format!(
            "Trying told several readings from wrong ones, but not from each other. Assumed: {}, whose batch statistics fit best; {correct} are classified correctly, and the closest other reading is behind by {margin}.",
            assumed_words(assumed)
        );
    }
    if !probe.told {
        return format!(
            "Trying could not tell how the file is to be read: at most {correct} are classified correctly, and the best reading is ahead of the next by {margin}. Assumed: {}.",
            assumed_words(assumed)
        );
    }
    let Some(next) = probe.tried.get(1) else { return format!("{correct} are classified correctly.") };
    if !probe.by_statistics {
        return format!(
            "Accuracies decided: {correct} are classified correctly, ahead of the closest other reading by {margin}."
        );
    }
    let fit = match (best.mismatch, next.mismatch) {
        (Some(best), Some(next)) if best > 0.0 => {
            format!("{:.0} times better than those of the next reading", next / best)
        }
        _ => "better than those of every other reading".to_owned(),
    };
    format!(
        "Batch statistics decided. {correct} are classified correctly; accuracies are too close to tell (ahead of the closest other reading by {margin}), but the inputs of batch normalizations fit the stored means and variances {fit}."
    )
}

/// As `--assume` takes it, with room to break lines.
fn assumed_words(assumed: &str) -> String {
    assumed.replace(',', ", ")
}

/// `84.3 %`, not to be broken.
fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", 100.0 * share)
}

/// Columns of what is assumed: head, and the value of a reading.
type Column = (&'static str, fn(&Assumptions) -> Option<String>);
const ASSUMED: [Column; 4] = [
    ("Input normalization", |assumed| assumed.normalization.as_ref().map(ToString::to_string)),
    ("Shortcut", |assumed| assumed.choices.shortcut.map(shortcut_name).map(str::to_owned)),
    ("Activation", |assumed| assumed.choices.activation.map(|it| it.name().to_owned())),
    ("Pooling", |assumed| assumed.choices.pooling.map(pooling_name).map(str::to_owned)),
];

fn table_ui(ui: &mut Ui, model: &Model, summary: &Summary, probe: &Probe, actions: &mut Vec<Action>) {
    let rows: Vec<(&Tried, Assumptions)> = probe
        .tried
        .iter()
        .filter_map(|tried| Some((tried, Assumptions::parse(&tried.assumed).ok()?)))
        .collect();
    let columns: Vec<Column> = ASSUMED
        .into_iter()
        .filter(|(_, value)| rows.iter().any(|(_, assumed)| value(assumed).is_some()))
        .collect();
    ScrollArea::horizontal().id_salt("readings").show(ui, |ui| {
        let all = columns.len() + 5;
        Grid::new("readings").striped(true).num_columns(all).spacing([16.0, 3.0]).show(ui, |ui| {
            heads_ui(ui, &columns);
            for (tried, assumed) in &rows {
                let used = tried.assumed == summary.assumed;
                used_ui(ui, used, probe.told);
                for (_, value) in &columns {
                    let text = RichText::new(value(assumed).unwrap_or_default());
                    ui.label(if used { text.strong() } else { text });
                }
                ui.label(percent(tried.accuracy));
                ui.label(count_words(tried.images));
                ui.label(tried.mismatch.map_or_else(|| "–".to_owned(), |mismatch| format!("{mismatch:.3}")));
                let tooltip = "Opens the file, read in this way, as a checkpoint of its own";
                if used {
                    ui.label("");
                } else if ui.small_button("Open").on_hover_text(tooltip).clicked() {
                    actions.push(Action::Open(vec![assuming(&model.path, assumed)]));
                }
                ui.end_row();
            }
        });
    });
}

fn heads_ui(ui: &mut Ui, columns: &[Column]) {
    let mismatches = "Kullback-Leibler divergence between the inputs of batch normalizations and their stored running statistics: near 0 for the right reading. Only of readings that did not drop out";
    let numbers = [
        ("Accuracy", "Share of the images that are classified correctly"),
        ("Images", "Number of images it was tried on: readings that are clearly worse drop out early"),
        ("Statistics mismatch", mismatches),
    ];
    let weak = palette(ui).weak;
    let head = |text: &str| RichText::new(text).small().color(weak);
    ui.label("");
    for (text, _) in columns {
        ui.label(head(text));
    }
    for (text, tooltip) in numbers {
        ui.label(head(text)).on_hover_text(tooltip);
    }
    ui.end_row();
}

/// Marks the reading that is used.
fn used_ui(ui: &mut Ui, used: bool, told: bool) {
    let p = palette(ui);
    ui.label(match (used, told) {
        (true, true) => RichText::new("chosen").color(p.good),
        (true, false) => RichText::new("assumed").color(p.warning),
        (false, _) => RichText::new(""),
    });
}

/// As `--assume` takes it.
fn shortcut_name(shortcut: Shortcut) -> &'static str {
    match shortcut {
        Shortcut::Plain => "plain",
        Shortcut::Activated => "activated",
        Shortcut::None => "none",
        Shortcut::Padded => "padded",
    }
}

/// As `--assume` takes it.
fn pooling_name(pooling: Pooling) -> &'static str {
    match pooling {
        Pooling::None => "none",
        Pooling::Max => "max",
    }
}
