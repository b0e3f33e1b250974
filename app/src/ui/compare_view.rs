//! Two flatness records that are shown together, compared: a text above their curves.

use std::path::PathBuf;
use std::sync::Arc;

use basin_core::record::{Outcome, Record};
use basin_core::run::compare_files;
use eframe::egui::{CollapsingHeader, Frame, Label, Margin, RichText, Ui};

use crate::cli::compare::words;
use crate::ui::App;
use crate::ui::answers::Answer;
use crate::ui::session::file_name;

/// The comparison of the records that are shown.
#[derive(Default)]
pub(crate) struct CompareView {
    of: Option<[PathBuf; 2]>,
    /// The text, or why there is none.
    text: Option<Result<String, String>>,
}

impl CompareView {
    /// Takes the answer of a worker thread, unless other records are shown by now.
    pub fn answered(&mut self, of: &[PathBuf; 2], result: Result<String, String>) {
        if self.of.as_ref() == Some(of) {
            self.text = Some(result);
        }
    }
}

impl App {
    /// The difference of two flatness records with its interval, as `basin compare` prints it.
    pub(crate) fn compare_ui(&mut self, ui: &mut Ui, together: &[Arc<Record>]) {
        let [first, second] = together else { return };
        if ![first, second].iter().all(|record| matches!(record.outcome, Outcome::Flatness(_))) {
            return;
        }
        let path = |record: &Arc<Record>| {
            let stored = self.session.records().iter().find(|stored| Arc::ptr_eq(&stored.record, record));
            stored.map(|stored| stored.path.clone())
        };
        let (Some(a), Some(b)) = (path(first), path(second)) else { return };
        let (names, of) = (format!("A: {}, B: {}", file_name(&a), file_name(&b)), [a, b]);
        if self.comparison.of.as_ref() != Some(&of) {
            self.comparison = CompareView { of: Some(of.clone()), text: None };
            self.background.spawn("compare", move || {
                let result = compare_files(&of[0], &of[1]).map(|found| words(&found));
                Answer::Compared { of, result: result.map_err(|error| error.to_string()) }
            });
        }
        Frame::new().inner_margin(Margin::symmetric(12, 2)).show(ui, |ui| {
            CollapsingHeader::new("Difference, paired by draw and example").id_salt("compare").show(
                ui,
                |ui| {
                    ui.label(names);
                    match &self.comparison.text {
                        None => ui.spinner(),
                        Some(Ok(text)) => {
                            ui.add(Label::new(RichText::new(text.trim_end()).monospace()).extend())
                        }
                        Some(Err(why)) => ui.add(Label::new(why).wrap()),
                    };
                },
            );
        });
    }
}
