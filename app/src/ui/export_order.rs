//! Making an export on a worker thread: the file itself, or a small picture of it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use basin_core::files::write_atomically;
use basin_core::progress::Silent;
use basin_core::record::Record;
use eframe::egui::ColorImage;

use crate::gpu::{Camera, Offscreen, Theme};
use crate::landscape_file::LandscapeFile;
use crate::plot::{Plot, export};
use crate::surface::Scene;
use crate::surface_picture::{self, Look};
use crate::ui::display::Display;
use crate::ui::export_settings::{ExportSettings, What};
use crate::ui::scatter_settings::ScatterSettings;
use crate::ui::scatter_view::{ScatterView, Subject};

/// Side of a preview in pixels, at most.
const PREVIEW: f64 = 640.0;

/// Everything that is needed to make the file; what it looks like depends on nothing else.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub settings: ExportSettings,
    pub display: Display,
    /// What is drawn, the main record first.
    pub records: Vec<Arc<Record>>,
    pub camera: Camera,
    pub dark: bool,
    /// The scatter of these records or models instead.
    pub scatter: Option<(ScatterSettings, Subject)>,
    /// The table of all records instead, as CSV.
    pub table: Option<String>,
}

impl Order {
    /// Writes the file, whole or not at all; what must be told about it comes back.
    pub fn write(&self, path: &Path) -> Result<Vec<String>> {
        if let Some(table) = &self.table {
            write_atomically(path, table.as_bytes())?;
            return Ok(Vec::new());
        }
        if self.settings.what == What::View {
            let (size, scale) = self.settings.picture()?;
            let (scenes, look) = self.scenes(size, scale);
            let bytes = match self.settings.turning {
                true => surface_picture::turning(&scenes, &look, &mut Silent)?,
                false => surface_picture::png(&surface_picture::drawn(&Offscreen::new()?, &scenes, &look)?)?,
            };
            write_atomically(path, &bytes)?;
            return Ok(Vec::new());
        }
        if self.settings.what == What::Data
            && self.scatter.is_none()
            && let (Some(format), Some(record)) = (LandscapeFile::of(path), self.records.first())
        {
            let bytes = self.display.landscape_file(record, format).map_err(anyhow::Error::msg)?;
            write_atomically(path, &bytes)?;
            return Ok(Vec::new());
        }
        let figure = self.figure()?;
        if self.settings.what == What::Data
            && self.scatter.is_none()
            && let Some(table) = self.display.training_table(&self.records, &figure)
        {
            write_atomically(path, table.map_err(anyhow::Error::msg)?.as_bytes())?;
            return Ok(Vec::new());
        }
        let style = self.settings.style()?;
        export::write(&figure, &style, path)
    }

    /// A small picture of what would be written; none for data.
    pub fn preview(&self) -> Result<Option<ColorImage>> {
        let image = match self.settings.what {
            _ if self.table.is_some() => return Ok(None),
            What::Data => return Ok(None),
            What::View => {
                let ([width, height], scale) = self.settings.picture()?;
                let factor = (PREVIEW / f64::from(width.max(height))).min(1.0);
                let side = |pixels: u32| ((f64::from(pixels) * factor).round() as u32).max(1);
                let (scenes, look) = self.scenes([side(width), side(height)], scale * factor as f32);
                surface_picture::drawn(&Offscreen::new()?, &scenes, &look)?
            }
            What::Figure => {
                let figure = self.figure()?;
                let mut style = self.settings.style()?;
                style.dpi = PREVIEW / style.width_in.max(style.height_in.unwrap_or(0.0));
                let png = export::to_png(&figure, &style)?;
                image::load_from_memory(&png).context("the preview cannot be read")?.into_rgba8()
            }
        };
        let size = [image.width() as usize, image.height() as usize];
        Ok(Some(ColorImage::from_rgba_unmultiplied(size, image.as_raw())))
    }

    fn figure(&self) -> Result<Plot> {
        let figure = match &self.scatter {
            Some((settings, subject)) => ScatterView::figure(settings, subject),
            None => self.display.figure(&self.records),
        };
        figure.map_err(anyhow::Error::msg)
    }

    /// The surfaces as they are seen.
    fn scenes(&self, size: [u32; 2], scale: f32) -> (Vec<Scene>, Look) {
        let mut scenes = self.display.scenes(&self.records);
        for scene in &mut scenes {
            scene.style.theme = if self.dark { Theme::Dark } else { Theme::Light };
            scene.style.transparent_background = self.settings.transparent;
        }
        (scenes, Look { camera: self.camera, size, scale, family: self.settings.family() })
    }
}
