//! Names of models in the form of a training: the paper's, grouped in a menu or completed while they are typed, and what
//! they stand for in words.

use basin_core::job::Train;
use basin_core::model::Family;
use basin_core::train::preset::Group;
use basin_core::train::{Method, Optimizer};
use eframe::egui::{Button, Label, Popup, PopupCloseBehavior, Response, RichText, Ui};

use crate::ui::train_form::TrainForm;
use crate::ui::widgets::{palette, sentence};

/// Names offered while one is typed, at most.
const OFFERED: usize = 6;

/// Groups as submenus, each with its explanation.
pub fn preset_menu_ui(ui: &mut Ui, groups: &[Group], form: &mut TrainForm) {
    ui.set_min_width(200.0);
    for group in groups {
        ui.menu_button(group.title, |ui| {
            ui.set_max_width(520.0);
            ui.add(Label::new(RichText::new(group.explanation).small().color(palette(ui).weak)).wrap());
            for name in &group.names {
                if ui.add(Button::selectable(form.name == *name, name)).clicked() {
                    form.name.clone_from(name);
                    (form.base, form.completing) = (None, false);
                    ui.close();
                }
            }
        });
    }
}

/// Names that contain what is typed, below the field and above all else.
pub fn completions_ui(field: &Response, groups: &[Group], form: &mut TrainForm) {
    let typed = form.name.trim();
    if !form.completing || typed.is_empty() {
        return;
    }
    let names = groups.iter().flat_map(|group| &group.names);
    let offered: Vec<&String> =
        names.filter(|name| name.contains(typed) && *name != typed).take(OFFERED).collect();
    let mut chosen = None;
    let mut open = !offered.is_empty();
    let popup = Popup::from_response(field).open_bool(&mut open).width(field.rect.width());
    popup.close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        for name in offered {
            let short = name.replace("linf_gd_normalized_lr0007_mom0_", "…");
            let button = Button::selectable(false, RichText::new(short).small()).truncate();
            if ui.add(button).on_hover_text(name).clicked() {
                chosen = Some(name.clone());
            }
        }
    });
    form.completing = open;
    if let Some(name) = chosen {
        (form.name, form.completing) = (name, false);
    }
}

/// Width of the network, where it has one.
pub fn channels(job: &Train) -> Option<i64> {
    match job.architecture.family {
        Family::ResNet { channels, .. } | Family::LeNet { channels, .. } => Some(channels),
        Family::Mlp { .. } => None,
    }
}

/// What will be trained, in a sentence.
pub fn summary(job: &Train) -> String {
    let rate = match &job.optimizer {
        Optimizer::Sgd { learning_rate, .. } => format!("SGD, learning rate {learning_rate}"),
        Optimizer::Adam { learning_rate, .. } => format!("Adam, learning rate {learning_rate}"),
        Optimizer::EntropySgd(_) => "Entropy-SGD".to_owned(),
    };
    let attack = match job.method {
        Method::Normal => format!("tested with {}", job.attack),
        _ => job.attack.to_string(),
    };
    sentence(&format!("{}; {attack}; {rate}", job.method.title()))
}
