//! Progress on a terminal: one bar with rate and remaining time on standard error; plain lines where
//! standard error is a file. Ctrl-C cancels after the unit of work in hand; a second one ends at once.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use basin_core::progress::{Cancelled, Event, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::say;
use super::report::duration;

/// Seconds between lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows a job on standard error.
pub struct Terminal {
    bar: ProgressBar,
    interactive: bool,
    label: String,
    /// The label, with what is known so far.
    shown: String,
    started: Instant,
    before: u64,
    last_line: Instant,
    cancelled: Arc<AtomicBool>,
}

impl Terminal {
    /// Begins, and takes over Ctrl-C.
    ///
    /// # Errors
    /// Ctrl-C cannot be taken over.
    pub fn new() -> Result<Self> {
        let cancelled = Arc::new(AtomicBool::new(false));
        let flag = cancelled.clone();
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            say("\nstopping after the point in hand; Ctrl-C again stops at once");
        })
        .context("cannot listen for Ctrl-C")?;
        let now = Instant::now();
        Ok(Self {
            bar: ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::hidden()),
            interactive: std::io::stderr().is_terminal(),
            label: String::new(),
            shown: String::new(),
            started: now,
            before: 0,
            last_line: now,
            cancelled,
        })
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn step(&mut self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        if !self.interactive && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let fresh = done.saturating_sub(self.before);
            let left = match fresh {
                0 => "unknown time".to_owned(),
                _ => duration(self.started.elapsed().as_secs_f64() / fresh as f64 * (total - done) as f64),
            };
            say(format!("{}: {done} of {total}, {left} left", self.shown));
        }
    }
}

impl Progress for Terminal {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        match event {
            Event::Started { label, done, total } => {
                self.shown = label.clone();
                self.label = label;
                self.started = Instant::now();
                self.before = done;
                self.last_line = self.started;
                self.bar.set_length(total);
                self.bar.set_position(done);
                self.bar.reset_eta();
                if done > 0 {
                    say(format!("going on: {done} of {total} are already there"));
                }
                if self.interactive {
                    let template = "{msg} {bar:24} {pos}/{len}  {per_sec}  {eta} left";
                    let style = ProgressStyle::with_template(template)
                        .unwrap_or_else(|_| ProgressStyle::default_bar());
                    self.bar.set_style(style);
                    self.bar.set_message(self.label.clone());
                    self.bar.set_draw_target(ProgressDrawTarget::stderr());
                    self.bar.enable_steady_tick(Duration::from_millis(200));
                }
            }
            Event::Step { done, total } => self.step(done, total),
            Event::Bounds { lower, upper } => {
                let message =
                    format!("{}, robust accuracy {:.1} to {:.1} %", self.label, 100.0 * lower, 100.0 * upper);
                if self.interactive {
                    self.bar.set_message(message.clone());
                }
                self.shown = message;
            }
            Event::Cell { .. } | Event::Reference(_) | Event::Draw { .. } | Event::Alive => {}
            Event::Warning(text) => self.bar.suspend(|| say(format!("warning: {text}"))),
        }
        if self.cancelled.load(Ordering::SeqCst) { Err(Cancelled) } else { Ok(()) }
    }
}
