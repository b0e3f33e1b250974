//! Names of models in the form of a training: the paper's, grouped in a menu or completed while they are typed, and what
//! they stand for in words.

use basin_core::job::Train;
use basin_core::model::Initialization;
use basin_core::train::preset::Group;
use basin_core::train::{Labels, Method, Optimizer, Schedule, Sharpness, WeightAttack};
use eframe::egui::{
    Button, Key, Label, Modifiers, Popup, PopupCloseBehavior, Response, RichText, TextWrapMode, Ui,
};

use crate::ui::train_form::TrainForm;
use crate::ui::widgets::{palette, sentence};
use basin_core::record::names;

/// The weight decay that needs no words.
const USUAL_DECAY: f64 = 0.0005;
/// Names offered while one is typed, at most.
const OFFERED: usize = 10;

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

/// What the keyboard asks of the names that are offered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keys {
    down: bool,
    up: bool,
    choose: bool,
}

impl Keys {
    /// Takes the keys, before the field does, while names are offered.
    pub fn take(ui: &mut Ui, form: &TrainForm) -> Self {
        if !form.completing {
            return Self::default();
        }
        ui.input_mut(|input| {
            let mut pressed = |key| input.consume_key(Modifiers::NONE, key);
            Self { down: pressed(Key::ArrowDown), up: pressed(Key::ArrowUp), choose: pressed(Key::Enter) }
        })
    }
}

/// Names that contain what is typed, below the field and above all else. A whole name needs none: they would only cover
/// what comes next.
pub fn completions_ui(field: &Response, groups: &[Group], form: &mut TrainForm, keys: Keys) {
    let typed = form.name.trim();
    if !form.completing || typed.is_empty() || form.start().is_ok() {
        return;
    }
    let names = groups.iter().flat_map(|group| &group.names);
    let offered: Vec<&String> =
        names.filter(|name| name.contains(typed) && *name != typed).take(OFFERED).collect();
    let last = offered.len().saturating_sub(1);
    let marked = match (keys.down, keys.up) {
        (true, false) => form.marked.map_or(0, |at| (at + 1).min(last)),
        (false, true) => form.marked.map_or(last, |at| at.saturating_sub(1)),
        _ => form.marked.unwrap_or_default().min(last),
    };
    if keys.down || keys.up {
        form.marked = Some(marked);
    }
    let mut chosen = offered.get(marked).filter(|_| keys.choose).map(|name| (*name).clone());
    let mut open = !offered.is_empty();
    let popup = Popup::from_response(field).open_bool(&mut open).width(field.rect.width());
    popup.close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_min_width(field.rect.width());
        for (at, name) in offered.into_iter().enumerate() {
            // Names differ at their ends: all of them has room.
            let short = RichText::new(completion(typed, name)).small();
            let button = Button::selectable(form.marked == Some(at), short).wrap_mode(TextWrapMode::Extend);
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

/// A name that is offered while its beginning is typed: what was typed up to its last whole part is above already, and
/// the usual attack says nothing new.
fn completion(typed: &str, name: &str) -> String {
    let known = if name.starts_with(typed) { typed.rfind('_').unwrap_or_default() } else { 0 };
    let rest = names::abbreviated(&name[known..]);
    if known > 0 { format!("…{}", rest.trim_start_matches("_…")) } else { rest }
}

/// What will be trained, in a sentence: the method with all that is special about it first.
pub fn summary(job: &Train) -> String {
    let attack = if job.method.attacks() { format!("; {}", job.attack) } else { String::new() };
    let method = std::iter::once(method(job)).chain(variants(job)).collect::<Vec<_>>().join(", ");
    sentence(&format!("{method}{attack}; {}", optimization(job)))
}

fn method(job: &Train) -> String {
    let title = job.method.title();
    match job.method {
        Method::Trades { weight } | Method::Mart { weight } => format!("{title} with weight {weight}"),
        Method::Rotation { weight, .. } => format!("{title} of weight {weight}"),
        Method::Adversarial { fraction, .. } if fraction < 1.0 => {
            format!("{title} on {:.0} % of each batch", 100.0 * fraction)
        }
        Method::Adversarial { ignore_incorrect: true, .. } => {
            format!("{title} of what is right without attack")
        }
        Method::Adversarial { prevent_label_leaking: true, .. } => {
            format!("{title} against predicted labels")
        }
        _ => title.to_owned(),
    }
}

/// All that is not usual.
fn variants(job: &Train) -> Vec<String> {
    let labels = match job.labels {
        Labels::Exact => None,
        Labels::Smoothed(share) => Some(format!("labels smoothed by {share}")),
        Labels::Noisy(share) => Some(format!("a share of {share} of the labels random")),
    };
    let sharpness = match &job.sharpness {
        Sharpness::None => None,
        Sharpness::Awp(awp) => Some(match awp.attack {
            WeightAttack::Random { .. } => "random weight perturbation".to_owned(),
            WeightAttack::Descent { .. } => "adversarial weight perturbation".to_owned(),
        }),
        Sharpness::Sam { radius, adaptive } => {
            Some(format!("{} of radius {radius}", if *adaptive { "adaptive SAM" } else { "SAM" }))
        }
    };
    let average = job.average.as_ref().map(|average| {
        let warm_up = if average.warm_up { " after a warm-up" } else { "" };
        format!("running average with tau {}{warm_up}", average.tau)
    });
    let usual = Initialization::default();
    let scale = job.initialization.scale;
    let scale = (scale != usual.scale).then(|| format!("initial weights times {scale}"));
    let residuals =
        (!job.initialization.zero_residuals).then(|| "residual blocks not starting at zero".to_owned());
    let clipping = job.clipping.map(|bound| format!("weights within {bound}"));
    let initial = job.initial.as_ref().map(|initial| format!("from {}", names::of_file(initial)));
    let extra = job.data.extra.as_ref().map(|extra| format!("with {}", extra.name));
    let early = job.early_stopping.then(|| "early stopping".to_owned());
    [initial, scale, residuals, labels, sharpness, average, clipping, extra, early]
        .into_iter()
        .flatten()
        .collect()
}

fn optimization(job: &Train) -> String {
    let (optimizer, rate, decay) = match &job.optimizer {
        Optimizer::Sgd { learning_rate, weight_decay, .. } => {
            ("SGD".to_owned(), *learning_rate, *weight_decay)
        }
        Optimizer::Adam { learning_rate, weight_decay, .. } => {
            ("Adam".to_owned(), *learning_rate, *weight_decay)
        }
        Optimizer::EntropySgd(entropy) => (
            format!("Entropy-SGD with {} inner steps", entropy.inner_steps),
            entropy.learning_rate,
            entropy.weight_decay,
        ),
    };
    let rate = match &job.schedule {
        Schedule::Cyclic { low, high, .. } => format!("learning rate from {low} up to {high} and back"),
        Schedule::Constant => format!("constant learning rate {rate}"),
        _ => format!("learning rate {rate}"),
    };
    let decay = if decay == USUAL_DECAY { String::new() } else { format!(", weight decay {decay}") };
    format!("{optimizer}, {rate}{decay}")
}
