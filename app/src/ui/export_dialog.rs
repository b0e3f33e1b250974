//! Exporting what is shown: a figure, the 3-D view, or the data. The dialog only collects settings; the file
//! is made on a worker thread.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use basin_core::files::write_atomically;
use basin_core::record::Record;
use eframe::egui::{Button, Id, Label, Layout, Modal as EguiModal, RichText, TextEdit, Ui};
use serde::{Deserialize, Serialize};

use crate::gpu::{Offscreen, SurfaceView as Picture, Theme};
use crate::plot::export::{self, FigureStyle, FontFamily, Preset, parse_length};
use crate::ui::answers::Answer;
use crate::ui::display::Display;
use crate::ui::study::file_name;
use crate::ui::widgets::{choice_ui, field_ui, palette, primary_button, row_ui, segmented_ui};
use crate::ui::{Action, App, Modal, form, theme};

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum What {
    /// A chart in paper style.
    #[default]
    Figure,
    /// The surface as it is seen.
    View,
    /// The numbers.
    Data,
}

/// File format of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Format {
    /// Vector graphics.
    #[default]
    Pdf,
    /// Vector graphics.
    Svg,
    /// Pixels.
    Png,
    /// LaTeX with TikZ.
    Tex,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Tex => "tex",
        }
    }
}

/// What the export dialog says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportSettings {
    /// What is exported.
    pub what: What,
    /// File format of a figure.
    pub format: Format,
    /// Serif or sans serif.
    pub serif: bool,
    /// Outer width of a figure, as typed.
    pub width: String,
    /// Outer height of a figure, as typed; empty: what suits the plot.
    pub height: String,
    /// Size of axis labels in points, as typed.
    pub font_size: String,
    /// Pixels per inch of raster figures, as typed.
    pub dpi: String,
    /// Width of the 3-D picture in pixels, as typed.
    pub view_width: String,
    /// Height of the 3-D picture in pixels, as typed.
    pub view_height: String,
    /// Pixels per point of the 3-D picture, as typed.
    pub view_scale: String,
    /// The 3-D picture has no background.
    pub transparent: bool,
    /// The file.
    #[serde(skip)]
    pub path: String,
}

impl Default for ExportSettings {
    fn default() -> Self {
        let text = |t: &str| t.to_owned();
        Self {
            what: What::Figure,
            format: Format::Pdf,
            serif: true,
            width: text("4in"),
            height: String::new(),
            font_size: text("14"),
            dpi: text("300"),
            view_width: text("2400"),
            view_height: text("1800"),
            view_scale: text("2"),
            transparent: false,
            path: String::new(),
        }
    }
}

impl ExportSettings {
    fn ending(&self) -> &'static str {
        match self.what {
            What::Figure => self.format.ending(),
            What::View => "png",
            What::Data => "csv",
        }
    }

    /// The look of the figure, or the field that is wrong with what is allowed.
    fn style(&self) -> Result<FigureStyle, (&'static str, &'static str)> {
        let length =
            |text: &str, name| parse_length(text).map_err(|_| (name, "use e.g. 3.25in, 84mm or 234pt"));
        let positive = |text: &str, name, range: std::ops::RangeInclusive<f64>, allowed| {
            form::number(text).filter(|v| range.contains(v)).ok_or((name, allowed))
        };
        let width_in = length(&self.width, "Width")?;
        let height = self.height.trim();
        let height_in = if height.is_empty() { None } else { Some(length(height, "Height")?) };
        let size = positive(&self.font_size, "Font size", 4.0..=72.0, "use 4 to 72 points")?;
        let dpi = positive(&self.dpi, "Resolution", 30.0..=2400.0, "use 30 to 2400 pixels per inch")?;
        let family = self.family();
        let base = Preset::Paper.style().with_label_size(size);
        Ok(FigureStyle { width_in, height_in, family, dpi, ..base })
    }

    fn family(&self) -> FontFamily {
        if self.serif { FontFamily::Serif } else { FontFamily::Sans }
    }

    /// Size in pixels and pixels per point of the 3-D picture, or the field that is wrong.
    fn picture(&self) -> Result<([u32; 2], f32), (&'static str, &'static str)> {
        let pixels = |text: &str, name| {
            let side = text.trim().parse::<u32>().ok().filter(|v| (64..=16384).contains(v));
            side.ok_or((name, "use 64 to 16384 pixels"))
        };
        let scale = form::number(&self.view_scale).filter(|v| (0.25..=16.0).contains(v));
        let scale = scale.ok_or(("Scale", "use 0.25 to 16"))?;
        Ok(([pixels(&self.view_width, "Width")?, pixels(&self.view_height, "Height")?], scale as f32))
    }

    fn problem(&self) -> Option<(&'static str, &'static str)> {
        match self.what {
            What::Figure => self.style().err(),
            What::View => self.picture().err(),
            What::Data => None,
        }
    }
}

/// Everything that a worker thread needs to make the file.
struct Order {
    settings: ExportSettings,
    display: Display,
    record: Arc<Record>,
    camera: crate::gpu::Camera,
    dark: bool,
    path: PathBuf,
}

impl Order {
    fn carry_out(&self) -> anyhow::Result<()> {
        if self.settings.what == What::View {
            return self.write_view();
        }
        let figure = self.display.figure(&self.record).map_err(anyhow::Error::msg)?;
        let style =
            self.settings.style().map_err(|(field, allowed)| anyhow::anyhow!("{field}: {allowed}"))?;
        export::write(&figure, &style, &self.path)
    }

    fn write_view(&self) -> anyhow::Result<()> {
        let (size, scale) =
            self.settings.picture().map_err(|(field, allowed)| anyhow::anyhow!("{field}: {allowed}"))?;
        let surfaces = self.display.surfaces(&self.record, false);
        let mut style = self.display.surface_style(&self.record);
        style.theme = if self.dark { Theme::Dark } else { Theme::Light };
        style.transparent_background = self.settings.transparent;
        let view = Picture { camera: self.camera, style, size, scale };
        let image = Offscreen::new()?.picture(&surfaces, &view, self.settings.family())?;
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Png)?;
        write_atomically(&self.path, bytes.get_ref())?;
        Ok(())
    }
}

impl App {
    /// Opens the dialog with a file name that suits what is shown.
    pub(crate) fn open_export_dialog(&mut self) {
        let surface = self.shown.landscape().is_some_and(|landscape| landscape.y.is_some());
        let in_front = self.tabs.is_visible(crate::ui::Pane::Surface);
        let settings = &mut self.state.export;
        settings.what = match settings.what {
            What::Data => What::Data,
            _ if surface && in_front => What::View,
            _ => What::Figure,
        };
        self.state.export.path = self.export_folder().join(self.export_suggestion()).display().to_string();
        self.modal = Some(Modal::Export);
    }

    fn export_folder(&self) -> PathBuf {
        let beside =
            self.shown.record().and_then(|record| record.job.checkpoint().parent().map(Path::to_owned));
        self.state.folder.clone().or(beside).unwrap_or_default()
    }

    /// Name of a new file.
    pub(crate) fn export_suggestion(&self) -> String {
        let model =
            self.shown.record().map_or_else(|| "basin".into(), |record| file_name(record.job.checkpoint()));
        let stem = model.split('.').next().unwrap_or("basin").to_owned();
        let kind = match self.state.export.what {
            What::View => "surface",
            _ if self.shown.landscape().is_some_and(|landscape| landscape.y.is_some()) => "contours",
            _ => "curves",
        };
        format!("{stem}-{kind}.{}", self.state.export.ending())
    }

    /// Makes the file on a worker thread.
    pub(crate) fn export_to(&mut self, path: PathBuf) {
        let Some(record) = self.shown.record().cloned() else { return };
        let path =
            if path.extension().is_none() { path.with_extension(self.state.export.ending()) } else { path };
        self.modal = None;
        let order = Order {
            settings: self.state.export.clone(),
            display: self.state.display.clone(),
            record,
            camera: self.surface.camera(),
            dark: self.surface.is_dark(),
            path: path.clone(),
        };
        self.background.spawn("export", move || {
            let result = order.carry_out().map_err(|error| format!("{error:#}"));
            Answer::Exported { path, result }
        });
    }

    /// Draws the dialog.
    pub(crate) fn export_dialog_ui(&mut self, ui: &mut Ui) {
        let before = self.state.export.ending();
        let problem = self.state.export.problem();
        let surface = self.shown.landscape().is_some_and(|landscape| landscape.y.is_some());
        let modal = EguiModal::new(Id::unique("export")).show(ui.ctx(), |ui| {
            ui.set_width(400.0);
            ui.label(RichText::new("Export what is shown").heading());
            ui.add_space(theme::GAP * 0.5);
            settings_ui(ui, &mut self.state.export, surface, problem);
            ui.add_space(theme::GAP);
            ui.with_layout(Layout::right_to_left(eframe::egui::Align::Center), |ui| {
                let ready = problem.is_none() && !self.state.export.path.trim().is_empty();
                if primary_button(ui, "Export", ready, 96.0).clicked() {
                    self.export_to(PathBuf::from(self.state.export.path.trim()));
                }
                if ui.add(Button::new("Choose file…").min_size([0.0, 30.0].into())).clicked() {
                    self.actions.push(Action::ChooseExport);
                }
                if ui.add(Button::new("Close").min_size([0.0, 30.0].into())).clicked() {
                    self.actions.push(Action::CloseModal);
                }
            });
        });
        if modal.should_close() {
            self.actions.push(Action::CloseModal);
        }
        let after = self.state.export.ending();
        if before != after {
            let path = PathBuf::from(&self.state.export.path).with_extension(after);
            self.state.export.path = path.display().to_string();
        }
    }
}

fn settings_ui(
    ui: &mut Ui,
    settings: &mut ExportSettings,
    surface: bool,
    problem: Option<(&'static str, &'static str)>,
) {
    let wrong = |field: &str| problem.filter(|(name, _)| *name == field).map(|(_, allowed)| allowed);
    let figure = (What::Figure, "Figure", "A chart in paper style: curves, or filled contours");
    let view = (What::View, "3-D view", "The surface as it is seen now");
    let data = (What::Data, "Data", "The numbers as a table");
    if surface {
        segmented_ui(ui, &mut settings.what, &[figure, view, data]);
    } else {
        segmented_ui(ui, &mut settings.what, &[figure, data]);
    }
    ui.add_space(4.0);
    match settings.what {
        What::Figure => {
            let formats = [
                (Format::Pdf, "PDF", "Vector graphics, fonts inside"),
                (Format::Svg, "SVG", "Vector graphics, fonts inside"),
                (Format::Png, "PNG", "Pixels"),
                (Format::Tex, "LaTeX", "TikZ code"),
            ];
            segmented_ui(ui, &mut settings.format, &formats);
            field_ui(
                ui,
                "Width",
                "Of the whole figure as printed, with its unit: 4in, 84mm, 234pt",
                &mut settings.width,
                wrong("Width"),
            );
            field_ui(
                ui,
                "Height",
                "Of the whole figure as printed, with its unit; empty: what suits it",
                &mut settings.height,
                wrong("Height"),
            );
            choice_ui(
                ui,
                "Typeface",
                "Latin Modern as in LaTeX documents, or a Helvetica",
                &mut settings.serif,
                &[(true, "serif"), (false, "sans serif")],
            );
            field_ui(
                ui,
                "Font size",
                "Of axis labels in points; ticks and legend follow",
                &mut settings.font_size,
                wrong("Font size"),
            );
            if settings.format == Format::Png {
                field_ui(ui, "Resolution", "Pixels per inch", &mut settings.dpi, wrong("Resolution"));
            }
        }
        What::View => {
            field_ui(ui, "Width", "In pixels", &mut settings.view_width, wrong("Width"));
            field_ui(ui, "Height", "In pixels", &mut settings.view_height, wrong("Height"));
            field_ui(
                ui,
                "Scale",
                "Pixels per point: larger makes text and lines larger",
                &mut settings.view_scale,
                wrong("Scale"),
            );
            choice_ui(
                ui,
                "Typeface",
                "Latin Modern as in LaTeX documents, or a Helvetica",
                &mut settings.serif,
                &[(true, "serif"), (false, "sans serif")],
            );
            row_ui(
                ui,
                "Background",
                "Leave the background out, to lay the picture over something else",
                |ui| (ui.checkbox(&mut settings.transparent, "transparent"), ()),
            );
        }
        What::Data => {
            let text =
                "A CSV table: one row per grid point, with settings and provenance in the first lines.";
            ui.add(Label::new(RichText::new(text).color(palette(ui).weak)).wrap());
        }
    }
    row_ui(ui, "File", "Where to write; an existing file is replaced", |ui| {
        (
            ui.add(
                TextEdit::singleline(&mut settings.path)
                    .desired_width(f32::INFINITY)
                    .align(eframe::egui::Align2::LEFT_CENTER),
            ),
            (),
        )
    });
}
