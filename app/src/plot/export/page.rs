//! A drawn figure to a file, whatever it is made of.

use std::path::Path;

use anyhow::{Result, bail};

use basin_core::progress::{Progress, Silent};

use super::{FigureStyle, FileKind, Scene, bytes_of, csv, draw, notes_of, panels};
use crate::plot::figure::{Drawn, Page};
use crate::plot::text;

impl Drawn {
    /// The figure laid out on paper; none if it is made of pixels.
    pub fn scene(&self, style: &FigureStyle) -> Option<Scene> {
        match &self.page {
            Page::Plot(plot) => Some(draw::scene(plot, style)),
            Page::Panels(all) => Some(panels::scene(all, style)),
            Page::Picture(..) => None,
        }
    }

    /// What must be told about the numbers, as plain text.
    pub fn notes(&self) -> Vec<String> {
        let notes = match &self.page {
            Page::Plot(plot) => plot.notes.clone(),
            Page::Panels(all) => all.notes(),
            Page::Picture(_, notes) => notes.clone(),
        };
        notes.iter().map(|note| text::plain(note)).collect()
    }

    /// The numbers.
    fn csv(&self) -> String {
        match (&self.table, &self.page) {
            (Some(table), _) => table.clone(),
            (None, Page::Plot(plot)) => csv(plot),
            (None, Page::Panels(all)) => all.plots.iter().map(csv).collect::<Vec<_>>().join("\n"),
            (None, Page::Picture(..)) => String::new(),
        }
    }

    /// Writes the figure; the ending of the name says what kind. Never leaves half a file. What the user must know about
    /// its numbers and how its words came out comes back.
    ///
    /// # Errors
    /// Unknown ending, one that does not suit the figure, or the file cannot be written.
    pub fn write(&self, style: &FigureStyle, path: &Path) -> Result<Vec<String>> {
        self.write_telling(style, path, &mut Silent)
    }

    /// The same; what takes its time tells how far it is.
    ///
    /// # Errors
    /// As [`Drawn::write`]; or the user stops it.
    pub fn write_telling(
        &self,
        style: &FigureStyle,
        path: &Path,
        progress: &mut dyn Progress,
    ) -> Result<Vec<String>> {
        let kind = FileKind::of(path)?;
        let mut notes = self.notes();
        let bytes = match (&self.page, self.scene(style)) {
            (Page::Picture(draw, _), _) if kind == FileKind::Png => draw(style, progress)?,
            (_, Some(_)) if kind == FileKind::Csv => self.csv().into_bytes(),
            (_, Some(scene)) => {
                notes.extend(notes_of(&scene, style, kind));
                bytes_of(&scene, style, kind)?
            }
            (_, None) => bail!(
                "{}: a surface is made of pixels; write it to a .png, or use --figure landscape",
                path.display()
            ),
        };
        basin_core::files::write_atomically(path, &bytes)?;
        Ok(notes)
    }
}
