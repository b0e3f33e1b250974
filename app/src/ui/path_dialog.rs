//! Paths that are typed or pasted: where the desktop has no file dialog, and on the clipboard.

use std::path::PathBuf;

use basin_core::checkpoint::is_bundled;
use basin_core::files::expand_home;
use eframe::egui::{Button, Context, Event, Id, Key, RichText, TextEdit, Ui};
use percent_encoding::percent_decode_str;

use crate::ui::answers::Purpose;
use crate::ui::widgets::{dialog_ui, palette, primary_button};
use crate::ui::{Action, App, Modal, theme};

/// What has been typed into the dialog.
#[derive(Debug, Default)]
pub(crate) struct PathEntry {
    text: String,
    problem: Option<String>,
    /// The field has not had the keyboard yet.
    fresh: bool,
}

/// Paths in a text, one per line: plain, quoted, `file://` or beginning with `~`.
pub fn paths_of(text: &str) -> Vec<PathBuf> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(path_of).collect()
}

fn path_of(line: &str) -> PathBuf {
    let line =
        ['"', '\''].iter().find_map(|quote| line.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(line);
    if let Some(path) = line.strip_prefix("file://") {
        // The host, if there is one, is this machine.
        let path = &path[path.find('/').unwrap_or(0)..];
        return percent_decode_str(path).decode_utf8_lossy().into_owned().into();
    }
    let path = PathBuf::from(line);
    expand_home(&path).unwrap_or(path)
}

/// The first path that leads nowhere.
fn missing(paths: &[PathBuf]) -> Option<&PathBuf> {
    paths.iter().find(|path| !path.exists() && !is_bundled(path))
}

impl App {
    /// Asks for a path in the window, for desktops without a file dialog.
    pub(crate) fn ask_for_path(&mut self) {
        let folder = self.state.folder.as_ref().filter(|folder| folder.is_dir());
        let text = folder.map(|folder| folder.join("").display().to_string()).unwrap_or_default();
        self.path_entry = PathEntry { text, problem: None, fresh: true };
        self.modal = Some(Modal::Path);
    }

    /// The dialog with a field for a path.
    pub(crate) fn path_dialog_ui(&mut self, ui: &Ui) {
        let entry = &mut self.path_entry;
        let (dismissed, (confirmed, cancelled)) = dialog_ui(ui, "Open", 520.0, |ui| {
            let label = ui.label("Path of a checkpoint, a record or a folder; ~ is your home folder.");
            ui.add_space(theme::GAP * 0.5);
            let field = TextEdit::singleline(&mut entry.text)
                .id(Id::unique("path"))
                .hint_text("/path/to/classifier.pth.tar")
                .desired_width(f32::INFINITY);
            let response = ui.add(field).labelled_by(label.id);
            ui.label(RichText::new("This desktop offers no file dialog (xdg-desktop-portal or zenity). Files can also be dropped on the window, or pasted.").small().color(palette(ui).weak));
            if std::mem::take(&mut entry.fresh) {
                response.request_focus();
            }
            if response.changed() {
                entry.problem = None;
            }
            // Room for one line, so that nothing moves.
            let problem = entry.problem.as_deref().unwrap_or(" ");
            ui.label(RichText::new(problem).small().color(palette(ui).error));
            let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            ui.add_space(theme::GAP * 0.5);
            let buttons = ui.horizontal(|ui| {
                let possible = !entry.text.trim().is_empty();
                let opened = primary_button(ui, "Open", possible, 110.0).clicked();
                let cancel = Button::new("Cancel").min_size([0.0, 30.0].into());
                (opened || possible && entered, ui.add(cancel).clicked())
            });
            buttons.inner
        });
        if confirmed {
            let paths = paths_of(&self.path_entry.text);
            match missing(&paths) {
                None => {
                    self.modal = None;
                    self.chosen(Purpose::OpenCheckpoints, paths);
                }
                Some(path) => {
                    self.path_entry.problem = Some(format!("There is no file or folder {}.", path.display()));
                    self.path_entry.fresh = true;
                }
            }
        } else if dismissed || cancelled {
            self.actions.push(Action::CloseModal);
        }
    }

    /// Opens pasted paths, unless a field has the keyboard.
    pub(crate) fn take_pasted_paths(&mut self, ctx: &Context) {
        if self.modal.is_some() || ctx.egui_wants_keyboard_input() {
            return;
        }
        let pasted: Vec<String> = ctx.input(|input| {
            let texts = input.events.iter().filter_map(|event| match event {
                Event::Paste(text) => Some(text.clone()),
                _ => None,
            });
            texts.collect()
        });
        for text in pasted {
            let paths = paths_of(&text);
            match missing(&paths) {
                None => self.open_paths(paths),
                Some(path) => {
                    let shown: String = path.display().to_string().chars().take(120).collect();
                    self.note_error(format!(
                        "The clipboard names no file that exists ({shown}); copy the path of a checkpoint, record or folder."
                    ));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_text_becomes_paths() {
        let home = std::env::home_dir().expect("a home folder");
        for (text, path) in [
            ("/data/a b.pt", PathBuf::from("/data/a b.pt")),
            ("  \"/data/a.pt\"\n", "/data/a.pt".into()),
            ("'/data/a.pt'", "/data/a.pt".into()),
            ("file:///data/a%20b%C3%A9.pt", "/data/a bé.pt".into()),
            ("file://host/data/a.pt", "/data/a.pt".into()),
            ("file:///100%", "/100%".into()),
            ("~/a.pt", home.join("a.pt")),
            ("~", home.clone()),
            ("~other/a.pt", "~other/a.pt".into()),
        ] {
            assert_eq!(paths_of(text), [path], "{text}");
        }
        assert_eq!(paths_of("/a\n\n/b\n").len(), 2);
    }
}
