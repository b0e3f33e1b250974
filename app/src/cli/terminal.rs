//! Progress on a terminal: one bar with rate and remaining time on standard error; plain lines where
//! standard error is a file. Ctrl-C cancels after the unit of work in hand; a second one ends at once.

use std::fmt::Write;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use basin_core::progress::{Cancelled, Event, Progress};
use basin_core::record::Outcome;
use basin_core::run::Observer;
use basin_core::train::LogLine;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::failure::say;
use super::report::{self, duration};
use crate::pace::Pace;

/// Seconds between lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Work,
    Bytes,
}

/// Shows a job on standard error.
pub struct Terminal {
    unit: Unit,
    bar: ProgressBar,
    interactive: bool,
    label: String,
    /// The label, with what is known so far.
    shown: String,
    pace: Arc<Mutex<Pace>>,
    last_line: Instant,
    warned: Vec<String>,
    cancelled: Arc<AtomicBool>,
}

impl Terminal {
    /// Begins, and takes over Ctrl-C.
    ///
    /// # Errors
    /// Ctrl-C cannot be taken over.
    pub fn new() -> Result<Self> {
        Self::counting(Unit::Work)
    }

    /// For work that is counted in bytes.
    ///
    /// # Errors
    /// As [`Terminal::new`].
    pub fn in_bytes() -> Result<Self> {
        Self::counting(Unit::Bytes)
    }

    fn counting(unit: Unit) -> Result<Self> {
        let cancelled = Arc::new(AtomicBool::new(false));
        let flag = cancelled.clone();
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            say("\nstopping after what is in hand; Ctrl-C again stops at once");
        })
        .context("cannot listen for Ctrl-C")?;
        let now = Instant::now();
        Ok(Self {
            unit,
            bar: ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::hidden()),
            interactive: std::io::stderr().is_terminal(),
            label: String::new(),
            shown: String::new(),
            pace: Arc::default(),
            last_line: now,
            warned: Vec::new(),
            cancelled,
        })
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The warnings that were shown.
    pub fn warned(&self) -> &[String] {
        &self.warned
    }

    fn step(&mut self, done: u64, total: u64) {
        lock(&self.pace).step(Instant::now(), done, total);
        self.bar.set_length(total);
        self.bar.set_position(done);
        if !self.interactive && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let (done, total) = (self.unit.amount(done), self.unit.amount(total));
            say(format!("{}: {done} of {total}, {}", self.shown, left(&self.pace, self.unit)));
        }
    }
}

/// A panic elsewhere does not make the numbers unreadable.
fn lock(pace: &Mutex<Pace>) -> MutexGuard<'_, Pace> {
    pace.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Unit {
    fn amount(self, count: u64) -> String {
        match self {
            Self::Work => count.to_string(),
            Self::Bytes => report::size(count),
        }
    }
}

/// `2.1 per second, 3 min left`; nothing to go by before some units are finished.
fn left(pace: &Mutex<Pace>, unit: Unit) -> String {
    let pace = lock(pace);
    match (pace.rate(), pace.remaining_s(Instant::now())) {
        (Some(rate), Some(left)) if unit == Unit::Bytes => {
            format!("{} per second, {} left", report::size(rate as u64), duration(left))
        }
        (Some(rate), Some(left)) if rate >= 0.1 => {
            format!("{rate:.*} per second, {} left", usize::from(rate < 10.0), duration(left))
        }
        (_, Some(left)) => format!("{} left", duration(left)),
        _ => "time left not known yet".to_owned(),
    }
}

impl Progress for Terminal {
    fn report(&mut self, event: Event) -> Result<(), Cancelled> {
        match event {
            Event::Started { label, done, total } => {
                self.shown = label.clone();
                self.label = label;
                self.last_line = Instant::now();
                lock(&self.pace).begin(self.last_line, done, total);
                self.bar.set_length(total);
                self.bar.set_position(done);
                if done > 0 {
                    let (done, total) = (self.unit.amount(done), self.unit.amount(total));
                    say(format!("resumes: {done} of {total} are finished"));
                }
                if self.interactive {
                    let count = if self.unit == Unit::Bytes {
                        "{decimal_bytes}/{decimal_total_bytes}"
                    } else {
                        "{pos}/{len}"
                    };
                    let style =
                        ProgressStyle::with_template(&format!("{{msg}} {{bar:24}} {count}  {{left}}"))
                            .unwrap_or_else(|_| ProgressStyle::default_bar());
                    let (pace, unit) = (self.pace.clone(), self.unit);
                    let write_left = move |_: &ProgressState, out: &mut dyn Write| {
                        let _ = out.write_str(&left(&pace, unit));
                    };
                    self.bar.set_style(style.with_key("left", write_left));
                    self.bar.set_message(self.label.clone());
                    self.bar.set_draw_target(ProgressDrawTarget::stderr());
                    self.bar.enable_steady_tick(Duration::from_millis(200));
                }
            }
            Event::Step { done, total } => self.step(done, total),
            Event::AlreadyDone => {
                say("done already, this is the record that is there; --force computes it again")
            }
            Event::Alive => {}
            Event::Warning(text) => {
                self.bar.suspend(|| say(format!("warning: {text}")));
                self.warned.push(text);
            }
        }
        if self.cancelled.load(Ordering::SeqCst) { Err(Cancelled) } else { Ok(()) }
    }
}

impl Observer for Terminal {
    fn interval(&self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }

    fn so_far(&mut self, outcome: Outcome) {
        let Some((lower, upper)) = report::bounds(&outcome) else { return };
        let message =
            format!("{}, robust accuracy {:.1} to {:.1} %", self.label, 100.0 * lower, 100.0 * upper);
        if self.interactive {
            self.bar.set_message(message.clone());
        }
        self.shown = message;
    }

    fn training(&mut self, line: &LogLine) {
        if let LogLine::Epoch(epoch) = line {
            self.bar.suspend(|| say(report::epoch(epoch)));
        }
    }
}
