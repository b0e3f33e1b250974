//! The form that opens a checkpoint with other assumptions about what its file leaves open.

use basin_core::checkpoint::{Summary, assuming};
use basin_core::model::{InputNormalization, Pooling, Shortcut};
use eframe::egui::{CollapsingHeader, Ui};

use super::state::AssumeForm;
use crate::ui::Action;
use crate::ui::session::Model;
use crate::ui::widgets::{choice_ui, field_ui, sentence};

/// Width of the form.
const WIDTH: f32 = 440.0;

/// Draws the form; closed at first.
pub(super) fn ui(
    ui: &mut Ui,
    model: &Model,
    summary: &Summary,
    form: &mut AssumeForm,
    actions: &mut Vec<Action>,
) {
    if summary.open.is_empty() {
        return;
    }
    CollapsingHeader::new("Assume otherwise…").show(ui, |ui| {
        ui.set_max_width(WIDTH.min(ui.available_width()));
        fields_ui(ui, summary, form);
        let chosen = form.chosen(summary);
        let is_other = matches!(chosen, Ok(Some(_)));
        let button = ui.add_enabled_ui(is_other, |ui| ui.button("Open with these assumptions")).inner;
        let button = button
            .on_hover_text("Opens the same file, read in this way, as a checkpoint of its own")
            .on_disabled_hover_text("Change a field first: this is what is assumed already");
        if let (true, Ok(Some(chosen))) = (button.clicked(), chosen) {
            actions.push(Action::Open(vec![assuming(&model.path, &chosen)]));
        }
    });
}

fn fields_ui(ui: &mut Ui, summary: &Summary, form: &mut AssumeForm) {
    let open = &summary.open;
    if !open.normalization.is_empty() {
        let channels = summary.resolution[0] as i64;
        let words: Vec<(String, String)> = open
            .normalization
            .iter()
            .map(|name| (name.clone(), normalization_words(name, channels)))
            .collect();
        let mut options: Vec<(String, &str)> =
            words.iter().map(|(name, words)| (name.clone(), words.as_str())).collect();
        options.push((String::new(), "other mean and standard deviation"));
        let tooltip = "What is done to images, scaled to [0, 1], before the first layer";
        choice_ui(ui, "Normalization", tooltip, &mut form.normalization, &options);
        if form.normalization.is_empty() {
            let problem = form.chosen(summary).err();
            let tooltip = "MEAN,MEAN,MEAN/STD,STD,STD: a number for each channel, or one for all";
            let problem = problem.as_deref().filter(|_| !form.custom.trim().is_empty()).map(sentence);
            field_ui(ui, "Mean / std", tooltip, &mut form.custom, problem.as_deref());
        }
    }
    let shortcut = |value| match value {
        Shortcut::Plain => "plain: the input of the block",
        Shortcut::Activated => "activated: the normalized and activated input",
        Shortcut::None => "none: blocks that change the size have none",
        Shortcut::Padded => "padded: every second pixel, with channels of zeros",
    };
    let tooltip = "What is added in residual blocks; names and shapes of tensors do not tell it";
    optional_ui(ui, "Shortcut", tooltip, &mut form.shortcut, &open.shortcut, shortcut);
    let tooltip = "The activation function; names and shapes of tensors do not tell it";
    optional_ui(ui, "Activation", tooltip, &mut form.activation, &open.activation, |value| value.name());
    let pooling = |value| match value {
        Pooling::None => "none",
        Pooling::Max => "max pooling",
    };
    let tooltip = "What follows the first convolution";
    optional_ui(ui, "Pooling", tooltip, &mut form.pooling, &open.pooling, pooling);
}

/// A drop-down list of what is open; nothing where nothing is.
fn optional_ui<T: PartialEq + Copy>(
    ui: &mut Ui,
    label: &str,
    tooltip: &str,
    value: &mut Option<T>,
    open: &[T],
    words: impl Fn(T) -> &'static str,
) {
    if open.is_empty() {
        return;
    }
    let options: Vec<(Option<T>, &str)> = open.iter().map(|option| (Some(*option), words(*option))).collect();
    choice_ui(ui, label, tooltip, value, &options);
}

/// `cifar10: mean 0.4914, …; std 0.2471, …`.
fn normalization_words(name: &str, channels: i64) -> String {
    let list = |values: &[f64]| {
        let same = values.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits());
        let shown = if same { &values[..1] } else { values };
        shown.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    match InputNormalization::named(name, channels) {
        Some(InputNormalization::Standardize { mean, std }) => {
            format!("{name}: mean {}; std {}", list(&mean), list(&std))
        }
        Some(InputNormalization::PerImage) => {
            format!("{name}: each image by its own mean and standard deviation")
        }
        _ => format!("{name}: images as they are"),
    }
}
