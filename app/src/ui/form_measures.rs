//! The form of a measure, from the list of its settings: groups with headings, what is rarely changed folded away.

use basin_core::attack::names::{GROUPS, group};
use basin_core::settings::{Kind, Setting};
use eframe::egui::{CollapsingHeader, Label, RichText, Ui};

use crate::settings::Settings as _;
use crate::settings::{Given, Measure, Origin, Sheet, meaning, useless::useless};
use crate::ui::Action;
use crate::ui::form::{Form, NAME, NAME_LABEL, fitting_data};
use crate::ui::form_rows::{Advanced, Change, Row, beside_marks, setting_ui};
use crate::ui::widgets::{choice_ui, count, heading_ui, marked_field_ui, palette, segmented_ui, sentence};

/// Groups that come after the advanced settings.
const LAST: [&str; 2] = ["Images", "Computing"];

/// Draws the form of a measure.
pub(crate) struct Editor<'a> {
    pub form: &'a mut Form,
    pub sheet: &'a Sheet,
    pub origin: &'a Origin,
    /// Size of the images of the model, if one is selected.
    pub resolution: Option<[usize; 3]>,
    pub actions: &'a mut Vec<Action>,
}

impl Editor<'_> {
    /// Draws everything.
    pub fn ui(&mut self, ui: &mut Ui) {
        let measure = self.origin.measure;
        let given = self.form.given(measure);
        let inputs = self.origin.inputs(&given);
        let has_effect = |setting: &&Setting| useless(&self.sheet.job, inputs, &setting.path).is_none();
        let shown: Vec<&Setting> = measure.settings().iter().filter(has_effect).collect();
        let is_last = |setting: &&&Setting| LAST.contains(&&*setting.group);
        let own: Vec<&Setting> = shown.iter().filter(|setting| !is_last(setting)).copied().collect();
        let takes_name = matches!(measure, Measure::Evaluate | Measure::Flatness | Measure::Attack);
        // What decides about the whole form has the first heading for itself.
        if takes_name || own.iter().any(|setting| setting.group.is_empty()) {
            heading_ui(ui, measure.title());
        }
        if takes_name {
            self.name_ui(ui);
        }
        let common: Vec<&Setting> = own.iter().filter(|setting| !setting.advanced).copied().collect();
        self.groups_ui(ui, &given, &common, takes_name);
        self.advanced_ui(ui, &given, &shown);
        let last: Vec<&Setting> = shown.iter().filter(|s| is_last(s) && !s.advanced).copied().collect();
        self.groups_ui(ui, &given, &last, false);
    }

    /// Settings under the headings of their groups, in the order in which these first come.
    fn groups_ui(&mut self, ui: &mut Ui, given: &Given, settings: &[&Setting], mut headed: bool) {
        let mut groups: Vec<&str> = Vec::new();
        for setting in settings {
            if !groups.contains(&&*setting.group) {
                groups.push(&setting.group);
            }
        }
        groups.sort_by_key(|group| !group.is_empty());
        for group in groups {
            if !(group.is_empty() || headed && group == self.origin.measure.title()) {
                heading_ui(ui, group);
            }
            headed = true;
            if group == "Directions" {
                self.dimensions_ui(ui, given);
            }
            for setting in settings.iter().filter(|setting| setting.group == group) {
                if setting.path == "attack.norm" && self.origin.named.is_none() {
                    self.attack_ui(ui);
                }
                self.setting_ui(ui, given, setting);
            }
        }
    }

    /// A setting by its row, or by a control of its own.
    fn setting_ui(&mut self, ui: &mut Ui, given: &Given, setting: &Setting) {
        let measure = self.origin.measure;
        let problem = self.sheet.problems.iter().find(|problem| problem.path.as_ref() == Some(&setting.path));
        let enabled = self.origin.may_set(&setting.path);
        if setting.path == "data.name" {
            return self.data_ui(ui, given);
        }
        if (measure, &*setting.path) == (Measure::Benchmark, "attacks") {
            return self.benchmark_ui(ui, given, setting, problem.map(|problem| &*problem.text));
        }
        if matches!(&*setting.path, "second" | "second_range" | "orthogonal") && self.is_line(given) {
            return;
        }
        let usual = self.sheet.usual_text(setting, self.origin);
        let row = Row {
            given: given.get(&setting.path).map(|text| &**text).filter(|_| enabled),
            usual: &usual,
            problem: problem.map(|problem| &*problem.text),
        };
        let change = ui.add_enabled_ui(enabled, |ui| setting_ui(ui, setting, row)).inner;
        if let Some(change) = change {
            self.change(given, setting, change);
        }
    }

    /// Takes over what the user wants. What a choice decides about becomes usual again.
    fn change(&mut self, given: &Given, setting: &Setting, change: Change) {
        let measure = self.origin.measure;
        let text = match change {
            Change::To(text) => Some(text),
            Change::Reset => None,
        };
        self.form.give(measure, &setting.path, text);
        if matches!(setting.kind, Kind::Choice(_)) || setting.path == "second" {
            let after = Sheet::new(&self.form.given(measure), self.origin);
            for other in measure.settings().iter().filter(|other| given.contains_key(&other.path)) {
                if other.path != setting.path
                    && self.sheet.usual_text(other, self.origin) != after.usual_text(other, self.origin)
                {
                    self.form.give(measure, &other.path, None);
                }
            }
        }
    }

    /// A name of the paper in place of settings; they show what it stands for.
    fn name_ui(&mut self, ui: &mut Ui) {
        let measure = self.origin.measure;
        let mut name = self.form.name(measure).to_owned();
        let problem = self.sheet.problems.iter().find(|problem| problem.path.as_deref() == Some(NAME));
        let tip = "A name of the paper's program, such as input_linf_gd_normalized_lr0007_mom0_i20_e00314_at10: it stands for all settings of this form. Empty: settings of your own";
        let problem = problem.map(|problem| &*problem.text);
        if beside_marks(ui, |ui| marked_field_ui(ui, NAME_LABEL, tip, "none", &mut name, problem)) {
            self.form.set_name(measure, name);
        }
        if let Some(job) = &self.origin.named {
            let words = sentence(&meaning(job)) + ". Empty the identifier to change its settings.";
            ui.add(Label::new(RichText::new(words).small().color(palette(ui).weak)).wrap());
        }
    }

    /// Whether a landscape is along one direction.
    fn is_line(&self, given: &Given) -> bool {
        given.get("second").is_some_and(|text| text.trim() == "none")
    }

    fn dimensions_ui(&mut self, ui: &mut Ui, given: &Given) {
        let dimensions = [
            (false, "1-D", "Along one direction: a curve"),
            (true, "2-D", "Along two directions: a surface"),
        ];
        let was_plane = !self.is_line(given);
        let mut plane = was_plane;
        segmented_ui(ui, &mut plane, &dimensions);
        if let (true, Some(second)) = (plane != was_plane, self.origin.measure.setting("second")) {
            let change = if plane { Change::Reset } else { Change::To("none".into()) };
            self.change(given, second, change);
        }
    }

    /// The whole attack in words: of what is folded away, too.
    fn attack_ui(&self, ui: &mut Ui) {
        if let Some(attack) = self.sheet.job.input_attack() {
            let words = RichText::new(attack.to_string()).small().color(palette(ui).weak);
            ui.add(Label::new(words).wrap());
        }
    }

    fn advanced_ui(&mut self, ui: &mut Ui, given: &Given, shown: &[&Setting]) {
        let settings: Vec<&Setting> = shown.iter().filter(|setting| setting.advanced).copied().collect();
        let is_wrong = |setting: &&Setting| {
            self.sheet.problems.iter().any(|problem| problem.path.as_ref() == Some(&setting.path))
        };
        let title = self.origin.measure.title();
        let advanced = Advanced {
            id: title,
            title,
            changed: settings.iter().filter(|setting| given.contains_key(&setting.path)).count(),
            wrong: settings.iter().any(is_wrong),
        };
        let mut filter = std::mem::take(&mut self.form.filter);
        advanced.ui(ui, &mut filter, &settings, |ui, setting| self.setting_ui(ui, given, setting));
        self.form.filter = filter;
    }

    fn data_ui(&mut self, ui: &mut Ui, given: &Given) {
        let fitting = self
            .resolution
            .map_or_else(|| "automatic".into(), |r| format!("automatic ({})", fitting_data(r).1));
        let mut data = given.get("data.name").cloned().unwrap_or_default();
        let before = data.clone();
        let tip = "Where the images come from";
        if beside_marks(ui, |ui| data_set_ui(ui, "Data set", tip, &fitting, &mut data)) {
            self.actions.push(Action::ChooseData);
        }
        if data != before {
            self.form.give(self.origin.measure, "data.name", (!data.is_empty()).then_some(data));
        }
    }

    fn benchmark_ui(&mut self, ui: &mut Ui, given: &Given, setting: &Setting, problem: Option<&str>) {
        let measure = self.origin.measure;
        let mut groups: Vec<(String, &str)> =
            GROUPS.iter().map(|(name, _)| ((*name).to_owned(), *name)).collect();
        groups.push((String::new(), "Custom"));
        let text = given.get(&setting.path).cloned().unwrap_or_else(|| GROUPS[0].0.to_owned());
        let is_group = GROUPS.iter().any(|(name, _)| *name == text);
        let mut chosen = if is_group { text.clone() } else { String::new() };
        let tip = "Attacks that the paper runs together, as one job with one record";
        if beside_marks(ui, |ui| choice_ui(ui, "Group", tip, &mut chosen, &groups)) {
            let usual = chosen == GROUPS[0].0;
            self.form.give(measure, &setting.path, (!usual).then(|| chosen.clone()));
        }
        let weak = palette(ui).weak;
        let Some((name, what)) = GROUPS.iter().find(|(name, _)| *name == chosen) else {
            let mut names = if is_group { String::new() } else { text };
            let hint = setting.hint.clone().unwrap_or_default();
            let help = &setting.help;
            if beside_marks(ui, |ui| marked_field_ui(ui, "Names", help, &hint, &mut names, problem)) {
                self.form.give(measure, &setting.path, Some(names));
            }
            return;
        };
        let words = sentence(what.split(':').next().unwrap_or(what)) + ".";
        ui.add(Label::new(RichText::new(words).small().color(weak)).wrap());
        let names = group(name).unwrap_or_default();
        CollapsingHeader::new(count(names.len(), "attack")).id_salt("members").show_unindented(ui, |ui| {
            for name in names {
                ui.add(Label::new(RichText::new(&name).small().color(weak)).truncate()).on_hover_text(name);
            }
        });
    }
}

/// Choice of a data set, whose first option is none in particular; whether a folder is to be chosen instead.
pub(super) fn data_set_ui(ui: &mut Ui, label: &str, tooltip: &str, none: &str, data: &mut String) -> bool {
    let folder = data.clone();
    let mut options = vec![
        (String::new(), none),
        ("bundled".to_owned(), "CIFAR-10, bundled"),
        ("cifar10".to_owned(), "CIFAR-10, whole"),
        ("mnist".to_owned(), "MNIST"),
        ("fashion-mnist".to_owned(), "Fashion-MNIST"),
    ];
    if !options.iter().any(|(name, _)| *name == folder) {
        options.push((folder.clone(), &folder));
    }
    let choose = "\u{0}choose";
    options.push((choose.to_owned(), "Folder…"));
    let mut chosen = folder.clone();
    choice_ui(ui, label, tooltip, &mut chosen, &options);
    let wants_folder = chosen == choose;
    if !wants_folder {
        *data = chosen;
    }
    wants_folder
}
