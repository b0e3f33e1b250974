//! What a checkpoint is in names and numbers, and what its file says of itself.

use basin_core::checkpoint::Summary;
use basin_core::record::Evaluation;
use eframe::egui::{RichText, Ui};

use crate::ui::form;
use crate::ui::session::{Model, Reading};
use crate::ui::widgets::{bytes_words, count_words, facts_ui, heading_ui, palette};

/// Names and values of the network and its file.
pub(super) fn ui(ui: &mut Ui, model: &Model, summary: &Summary) {
    let [channels, height, width] = summary.resolution;
    let epoch = summary.epoch.map_or_else(|| "not stored".to_owned(), |epoch| epoch.to_string());
    let facts = [
        ("Clean error", sanity_words(&model.sanity, summary)),
        ("Parameters", count_words(summary.parameters)),
        ("Input", format!("{width} × {height} × {channels}, {} classes", summary.classes)),
        ("Preprocessing", summary.preprocessing.clone()),
        ("Normalization layers", normalization_words(&summary.normalization)),
        ("Activation", summary.activation.clone()),
        ("Epoch", epoch),
        ("Container", format!("{}, {}", summary.container, bytes_words(summary.bytes))),
        ("SHA-256", summary.hash.get(..16).unwrap_or(&summary.hash).to_owned()),
    ];
    let assumed = (!summary.assumed.is_empty()).then(|| ("Assumed", summary.assumed.replace(',', ", ")));
    let beside = (!summary.set_aside.is_empty()).then(|| ("Set aside", summary.set_aside.join(", ")));
    facts_ui(ui, "summary", &facts.into_iter().chain(assumed).chain(beside).collect::<Vec<_>>());
}

/// Numbers that the file has about its network.
pub(super) fn stored_ui(ui: &mut Ui, summary: &Summary) {
    if summary.stored.is_empty() {
        return;
    }
    heading_ui(ui, "Stored numbers");
    ui.label(RichText::new("As stored in the file, not measured.").color(palette(ui).weak));
    let facts: Vec<(&str, String)> =
        summary.stored.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    facts_ui(ui, "stored", &facts);
}

/// `12.5 % on the first 200 test images (CIFAR-10)`.
fn sanity_words(sanity: &Reading<Box<Evaluation>>, summary: &Summary) -> String {
    match sanity {
        Reading::Pending => "being measured…".into(),
        Reading::Failed(error) => format!("not measured: {error}"),
        Reading::Ready(evaluation) => format!(
            "{:.1} % on the first {} test images ({})",
            100.0 * evaluation.clean.error,
            evaluation.clean.per_example.index.len(),
            form::fitting_data(summary.resolution).1
        ),
    }
}

fn normalization_words(token: &str) -> String {
    match token {
        "bn" => "batch normalization (bn)".into(),
        "rebn" => "reparameterized batch normalization (rebn)".into(),
        "fixedbn" => "batch normalization without affine parameters (fixedbn)".into(),
        "gn" => "group normalization (gn)".into(),
        "fixedgn" => "group normalization without affine parameters (fixedgn)".into(),
        other => other.to_owned(),
    }
}
