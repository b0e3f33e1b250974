//! Messages at the bottom of the window: errors stay until dismissed, confirmations fade.

use eframe::egui::Context;

use crate::ui::widgets::sentence;

/// Seconds for which a confirmation is shown, the last of them fading.
const SHOWN_S: f64 = 12.0;
/// Seconds in which a confirmation fades.
const FADING_S: f64 = 1.5;

/// How much a message matters; the order is that of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Something went wrong.
    Error,
    /// A result is there, but has a flaw that the user should know.
    Warning,
    /// Something went well.
    Success,
}

/// One sentence for the user.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Note {
    /// The sentence.
    pub text: String,
    /// How much it matters.
    pub level: Level,
    /// When it was first drawn, in seconds of the window's clock.
    shown_at: Option<f64>,
}

impl Note {
    /// Opacity at a time, 0 to 1; only a success fades.
    pub fn opacity(&self, now: f64) -> f32 {
        match (self.level, self.shown_at) {
            (Level::Success, Some(shown_at)) => {
                (((shown_at + SHOWN_S - now) / FADING_S) as f32).clamp(0.0, 1.0)
            }
            _ => 1.0,
        }
    }
}

/// All messages, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<Note>);

impl Notes {
    /// Adds a message. One that is shown already is not repeated; a repeated success is shown anew.
    pub fn add(&mut self, level: Level, text: &str) {
        let note = Note { text: sentence(text), level, shown_at: None };
        if level == Level::Success {
            self.0.retain(|known| known.text != note.text);
        }
        if !self.0.iter().any(|known| known.text == note.text && known.level == level) {
            self.0.push(note);
        }
    }

    /// Removes successes that have faded, and has the window drawn again for those that are about to.
    pub fn fade(&mut self, ctx: &Context) {
        let now = ctx.input(|input| input.time);
        self.0.iter_mut().for_each(|note| _ = note.shown_at.get_or_insert(now));
        self.0.retain(|note| note.opacity(now) > 0.0);
        for note in self.0.iter().filter(|note| note.level == Level::Success) {
            let age = now - note.shown_at.unwrap_or(now);
            let wait = (SHOWN_S - FADING_S - age).max(0.0);
            ctx.request_repaint_after(std::time::Duration::from_secs_f64(wait.max(0.03)));
        }
    }

    /// Removes one message.
    pub fn dismiss(&mut self, at: usize) {
        if at < self.0.len() {
            self.0.remove(at);
        }
    }

    /// Messages of a level with their places, newest first.
    pub fn of(&self, level: Level) -> impl Iterator<Item = (usize, &Note)> {
        self.0.iter().enumerate().rev().filter(move |(_, note)| note.level == level)
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
