//! The export dialog: settings, a preview, the file. Nothing is made here, see [`Order`].

use std::path::{Path, PathBuf};

use basin_core::record::{Outcome, Record};
use eframe::egui::{
    Align, Align2, Button, ColorImage, Frame, Label, Layout, RichText, TextEdit, TextureHandle,
    TextureOptions, Ui,
};

use crate::plot::training::Quantity;
use crate::ui::answers::Answer;
use crate::ui::export_order::Order;
use crate::ui::export_settings::{DataFormat, ExportSettings, Format, What, Wrong};
use crate::ui::widgets::{
    choice_ui, dialog_ui, field_ui, optional_field_ui, palette, primary_button, row_ui, segmented_ui,
    sentence,
};
use crate::ui::{Action, App, Modal, Pane, table_view, theme};
use basin_core::record::names;

const PREVIEW_WIDTH: f32 = 300.0;
const SETTINGS_WIDTH: f32 = 340.0;

/// What of a training can be exported.
const QUANTITIES: [(Quantity, &str); 4] = [
    (Quantity::Loss, "Loss"),
    (Quantity::Error, "Error"),
    (Quantity::LearningRate, "Learning rate"),
    (Quantity::Norms, "Norms of weights and gradients"),
];

/// What lives with the dialog.
#[derive(Default)]
pub(crate) struct ExportDialog {
    /// The file, as typed or chosen.
    pub path: String,
    /// The scatter is exported, not what the other views show.
    scatter: bool,
    /// The table is exported.
    table: bool,
    of: Option<Order>,
    waiting: bool,
    preview: Option<Result<Option<ColorImage>, String>>,
    texture: Option<TextureHandle>,
}

impl ExportDialog {
    /// A preview was made.
    pub fn previewed(&mut self, result: Result<Option<ColorImage>, String>) {
        self.waiting = false;
        self.preview = Some(result);
    }
}

impl App {
    /// Opens the dialog with a file name that suits what is shown.
    pub(crate) fn open_export_dialog(&mut self) {
        if self.exports_table() {
            return self.open_table_export();
        }
        let plane = self.shown.landscape().is_some_and(|landscape| landscape.y.is_some());
        let settings = &mut self.state.export;
        settings.what = match settings.what {
            What::Data => What::Data,
            _ if plane && self.tabs.is_visible(Pane::Surface) => What::View,
            _ => What::Figure,
        };
        self.export = ExportDialog::default();
        self.export.path = self.export_path().display().to_string();
        self.modal = Some(Modal::Export);
    }

    /// Opens the dialog for the scatter.
    pub(crate) fn open_scatter_export(&mut self) {
        if self.state.export.what == What::View {
            self.state.export.what = What::Figure;
        }
        self.export = ExportDialog { scatter: true, ..ExportDialog::default() };
        self.export.path = self.export_path().display().to_string();
        self.modal = Some(Modal::Export);
    }

    /// Whether the table is in front, and no chart beside it.
    pub(crate) fn exports_table(&self) -> bool {
        let charts = [Pane::Surface, Pane::Contours, Pane::Curves, Pane::History, Pane::Spectrum];
        self.tabs.is_visible(Pane::Table)
            && !charts.into_iter().any(|pane| self.tabs.is_visible(pane))
            && !self.session.records().is_empty()
    }

    /// Opens the dialog for the table.
    fn open_table_export(&mut self) {
        self.export = ExportDialog { table: true, ..ExportDialog::default() };
        self.export.path = self.export_path().display().to_string();
        self.modal = Some(Modal::Export);
    }

    /// The ending of a new file.
    fn export_ending(&self) -> &'static str {
        let landscape = !self.export.scatter && self.shown.landscape().is_some();
        if self.export.table { "csv" } else { self.state.export.ending(landscape) }
    }

    /// Where a new file goes: the last folder, else beside the checkpoint.
    fn export_path(&self) -> PathBuf {
        let beside =
            self.shown.record().and_then(|record| record.job.checkpoint()?.parent().map(Path::to_owned));
        self.state.folder.clone().or(beside).unwrap_or_default().join(self.export_suggestion())
    }

    /// Name of a new file.
    pub(crate) fn export_suggestion(&self) -> String {
        if self.export.scatter || self.export.table {
            let what = if self.export.table { "table" } else { "scatter" };
            return format!("{what}.{}", self.export_ending());
        }
        let model = self.shown.record().map_or_else(|| "basin".into(), |record| names::of_record(record));
        let stem = model.replace(' ', "-");
        let kind = match (self.state.export.what, self.shown.landscape()) {
            (What::View, _) => "surface",
            (_, Some(landscape)) if landscape.y.is_some() => "contours",
            (_, Some(_)) => "curves",
            (_, None) => match self.shown.record().map(|record| &record.outcome) {
                Some(Outcome::Train(_)) => "history",
                Some(Outcome::Flatness(_)) => "flatness",
                Some(Outcome::Attack(_)) => "attacks",
                Some(Outcome::Hessian(_)) => "spectrum",
                _ => "evaluation",
            },
        };
        format!("{stem}-{kind}.{}", self.export_ending())
    }

    fn exports_history(&self) -> bool {
        let shown = self.shown.record().map(|record| &record.outcome);
        !self.export.scatter && !self.export.table && matches!(shown, Some(Outcome::Train(_)))
    }

    fn order(&self) -> Option<Order> {
        let settings = self.state.export.clone();
        let scatter = self.export.scatter.then(|| (self.state.scatter.clone(), self.scatter_subject()));
        let records = match &scatter {
            Some(_) => self.session.records().iter().map(|stored| stored.record.clone()).collect(),
            None => self.shown.together(),
        };
        let stored: Vec<(&Path, &Record)> =
            self.session.records().iter().map(|stored| (&*stored.path, &*stored.record)).collect();
        let table = self.export.table.then(|| table_view::csv(&stored));
        if records.is_empty() && scatter.is_none() && table.is_none() {
            return None;
        }
        Some(Order {
            dark: settings.dark,
            settings,
            display: self.state.display.clone(),
            records,
            camera: self.surface.camera(),
            scatter,
            table,
        })
    }

    /// Makes the file on a worker thread.
    fn export_to(&mut self, path: PathBuf) {
        let Some(order) = self.order() else { return };
        let path = if path.extension().is_none() { path.with_extension(self.export_ending()) } else { path };
        self.modal = None;
        self.background.spawn("export", move || {
            let result = order.write(&path).map_err(|error| format!("{error:#}"));
            Answer::Exported { path, result }
        });
    }

    /// Draws the dialog.
    pub(crate) fn export_dialog_ui(&mut self, ui: &mut Ui) {
        let before = self.export_ending();
        let table = self.export.table;
        let problem = self.state.export.problem().filter(|_| !table);
        if problem.is_none() {
            self.ask_for_preview();
        }
        let landscape = self.shown.landscape().filter(|_| !self.export.scatter);
        let plane = landscape.map(|landscape| landscape.y.is_some());
        let width = PREVIEW_WIDTH + SETTINGS_WIDTH + theme::GAP;
        let (dismissed, ()) = dialog_ui(ui, "Export what is shown", width, |ui| {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = theme::GAP;
                self.preview_ui(ui);
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.x = 8.0;
                    ui.set_width(SETTINGS_WIDTH);
                    if self.exports_history() {
                        let quantity = &mut self.state.display.training;
                        let tip = "What is drawn over epochs; norms only of trainings with tensor_statistics";
                        choice_ui(ui, "Quantity", tip, quantity, &QUANTITIES);
                    }
                    if table {
                        let text = "The table of all open records as CSV: one row per record, numbers in full precision.";
                        ui.add(Label::new(RichText::new(text).color(palette(ui).weak)).wrap());
                    } else {
                        settings_ui(ui, &mut self.state.export, plane, problem);
                    }
                });
            });
            ui.add_space(4.0);
            row_ui(ui, "File", "Where to write; an existing file is replaced", |ui| {
                let choose = Button::new("Choose…");
                let edit = TextEdit::singleline(&mut self.export.path).align(Align2::LEFT_CENTER);
                let edit = ui.add(edit.desired_width(ui.available_width() - 84.0));
                if ui.add_sized([76.0, theme::ROW_HEIGHT], choose).clicked() {
                    self.actions.push(Action::ChooseExport);
                }
                (edit, ())
            });
            ui.add_space(theme::GAP);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let ready = problem.is_none() && !self.export.path.trim().is_empty();
                if primary_button(ui, "Export", ready, 96.0).clicked() {
                    self.export_to(PathBuf::from(self.export.path.trim()));
                }
                if ui.add(Button::new("Close").min_size([72.0, 30.0].into())).clicked() {
                    self.actions.push(Action::CloseModal);
                }
            });
        });
        if dismissed {
            self.actions.push(Action::CloseModal);
        }
        let after = self.export_ending();
        if before != after {
            self.export.path = Path::new(&self.export.path).with_extension(after).display().to_string();
        }
    }

    /// Asks for a new preview when something that shows has changed and none is being made.
    fn ask_for_preview(&mut self) {
        let Some(order) = self.order() else { return };
        if self.export.waiting || self.export.of.as_ref() == Some(&order) {
            return;
        }
        self.export.waiting = true;
        self.export.of = Some(order.clone());
        self.background.spawn("preview", move || {
            Answer::Previewed(order.preview().map_err(|error| format!("{error:#}")))
        });
    }

    fn preview_ui(&mut self, ui: &mut Ui) {
        if let Some(Ok(image)) = self.export.preview.take_if(|preview| preview.is_ok()) {
            self.export.texture =
                image.map(|image| ui.ctx().load_texture("export preview", image, TextureOptions::LINEAR));
        }
        let size = [PREVIEW_WIDTH, 250.0];
        let p = palette(ui);
        Frame::new().fill(p.canvas).stroke((1.0, p.line)).corner_radius(4).show(ui, |ui| {
            ui.set_min_size(size.into());
            ui.allocate_ui_with_layout(
                size.into(),
                Layout::centered_and_justified(eframe::egui::Direction::TopDown),
                |ui| match (&self.export.texture, &self.export.preview) {
                    (_, Some(Err(why))) => {
                        ui.add(Label::new(RichText::new(sentence(why)).color(p.weak)).wrap());
                    }
                    (Some(texture), _) => {
                        let image = eframe::egui::Image::new(texture).fit_to_exact_size(size.into());
                        ui.add(image.maintain_aspect_ratio(true).alt_text("Preview"));
                    }
                    (None, _) => {
                        let data = self.export.table || self.state.export.what == What::Data;
                        let words = if data { "No preview of data" } else { "…" };
                        ui.label(RichText::new(words).color(p.weak));
                    }
                },
            );
        });
    }
}

/// `plane`: whether the landscape that is exported is 2-D, if it is one.
fn settings_ui(ui: &mut Ui, settings: &mut ExportSettings, plane: Option<bool>, problem: Option<Wrong>) {
    let wrong = |field: &str| problem.filter(|wrong| wrong.field == field).map(|wrong| wrong.allowed);
    let figure = (What::Figure, "Figure", "A chart in paper style: curves, or filled contours");
    let view = (What::View, "3-D view", "The surface as it is seen now");
    let data = (What::Data, "Data", "The numbers as a table");
    match plane.unwrap_or(false) {
        true => segmented_ui(ui, &mut settings.what, &[figure, view, data]),
        false => segmented_ui(ui, &mut settings.what, &[figure, data]),
    }
    match settings.what {
        What::Figure => {
            let vector = "Vector graphics, fonts inside";
            let formats = [
                (Format::Pdf, "PDF", vector),
                (Format::Svg, "SVG", vector),
                (Format::Png, "PNG", "Pixels"),
                (Format::Tex, "LaTeX", "TikZ code"),
            ];
            segmented_ui(ui, &mut settings.format, &formats);
            let width = "Of the whole figure as printed, with its unit: 4in, 84mm, 234pt";
            field_ui(ui, "Width", width, &mut settings.width, wrong("Width"));
            let height = "Of the whole figure as printed; empty: what suits it";
            optional_field_ui(ui, "Height", height, "automatic", &mut settings.height, wrong("Height"));
            typeface_ui(ui, settings);
            let size = "Of axis labels in points; ticks and legend follow";
            field_ui(ui, "Font size", size, &mut settings.font_size, wrong("Font size"));
            if settings.format == Format::Png {
                field_ui(ui, "Resolution", "Pixels per inch", &mut settings.dpi, wrong("Resolution"));
            }
        }
        What::View => {
            field_ui(ui, "Width", "In pixels", &mut settings.view_width, wrong("Width"));
            field_ui(ui, "Height", "In pixels", &mut settings.view_height, wrong("Height"));
            let scale = "Pixels per point: larger makes text and lines larger";
            field_ui(ui, "Scale", scale, &mut settings.view_scale, wrong("Scale"));
            typeface_ui(ui, settings);
            let looks = [(false, "light"), (true, "dark")];
            choice_ui(ui, "Colours", "Of background and text", &mut settings.dark, &looks);
            row_ui(ui, "Background", "Leave it out, to lay the picture over something else", |ui| {
                (ui.checkbox(&mut settings.transparent, "transparent"), ())
            });
            let tip =
                "An animated PNG of 72 pictures, for browsers and slides; it takes as long as these pictures";
            row_ui(ui, "Animation", tip, |ui| (ui.checkbox(&mut settings.turning, "turns around once"), ()));
        }
        What::Data => {
            if let Some(plane) = plane {
                let most = if plane { DataFormat::ALL.len() } else { DataFormat::OF_CURVES };
                let formats = &DataFormat::ALL[..most];
                if !formats.iter().any(|(format, _)| *format == settings.data) {
                    settings.data = DataFormat::Csv;
                }
                let tip = "A table, arrays for other programs, or the surface as triangles";
                choice_ui(ui, "Format", tip, &mut settings.data, formats);
            }
            let text = match settings.data {
                DataFormat::Npz if plane.is_some() => {
                    "Steps, losses and errors, clean and robust, for numpy.load; Basin opens it again."
                }
                DataFormat::Hdf5 if plane.is_some() => {
                    "xcoordinates, ycoordinates, train_loss and train_acc, as loss-landscape plots them; Basin opens it again."
                }
                DataFormat::Csv => {
                    "A CSV table: one row per grid point, with settings and provenance in the first lines."
                }
                _ if plane.is_none() => {
                    "A CSV table: one row per grid point, with settings and provenance in the first lines."
                }
                DataFormat::Vtp => {
                    "A mesh with x, y and value as they are; colours and the value at each point."
                }
                DataFormat::Stl => {
                    "A mesh as wide as 2 and as high as 1, z up; without colours, e.g. for printing."
                }
                _ => {
                    "A mesh as wide as 2 and as high as 1, with the colours that are shown; holes stay holes."
                }
            };
            ui.add(Label::new(RichText::new(text).color(palette(ui).weak)).wrap());
        }
    }
}

fn typeface_ui(ui: &mut Ui, settings: &mut ExportSettings) {
    let faces = [(true, "serif"), (false, "sans serif")];
    choice_ui(ui, "Typeface", "Latin Modern as in LaTeX, or a Helvetica", &mut settings.serif, &faces);
}
