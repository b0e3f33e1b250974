//! What a view says while it has nothing to draw: what the job at work is doing, else how to begin.

use basin_core::job::Job;
use eframe::egui::Ui;

use crate::jobs::{Entry, Status};
use crate::ui::App;
use crate::ui::session::Target;
use crate::ui::widgets::{count, count_words, empty_ui, sentence};

impl App {
    /// Draws the words in the middle of the view; `title` and `how` are those of a window at rest.
    pub(crate) fn nothing_ui(&self, ui: &mut Ui, title: &str, how: &str) {
        let entry = match self.session.target {
            Some(Target::Job(id)) => self.jobs.get(id),
            _ => None,
        };
        match entry {
            Some(entry) => {
                let (title, text) = state_words(entry);
                empty_ui(ui, title, &text, |_| ());
            }
            None => empty_ui(ui, title, how, |_| ()),
        }
    }
}

fn state_words(entry: &Entry) -> (&'static str, String) {
    let landscape = matches!(entry.job, Job::Landscape(_));
    let (bounds, done, total) = {
        let live = entry.live();
        (live.bounds, live.done, live.total)
    };
    match &entry.status {
        Status::Waiting => {
            let text = "It starts when the job before it has ended. A training that is stopped goes on later to the very same network: Stop, measure, Continue.";
            ("Waiting", text.into())
        }
        Status::Running if landscape => {
            let text = "The picture appears with it and fills in, coarse to fine.";
            ("Computing the first point", text.into())
        }
        Status::Running => match (&entry.job, bounds) {
            (Job::Train(_), _) if total == 0 => ("Preparing", "Images and network are being loaded.".into()),
            (Job::Train(job), _) => {
                let of = job.steps_in_epoch();
                let text = format!(
                    "{} of the {} of the first epoch {} done. The curves begin after a twentieth of them.",
                    count_words(done as usize),
                    count(of as usize, "step"),
                    if done == 1 { "is" } else { "are" }
                );
                ("Training", text)
            }
            (Job::Flatness(_), _) => {
                let text = "First the loss of the unperturbed network; then every draw appears as it comes.";
                ("Computing the reference", text.into())
            }
            (_, Some((lower, upper))) => {
                let [lower, upper] = [lower, upper].map(|share| format!("{:.1}", 100.0 * share));
                let text = format!(
                    "The robust accuracy is between {lower} and {upper} %. Every image's verdict appears at the end."
                );
                ("Attacking", text)
            }
            _ => ("Computing", "The result appears when every image is done.".into()),
        },
        Status::Done | Status::Cancelled { .. } => {
            ("Nothing was computed", "The job was stopped before its first result.".into())
        }
        Status::Failed(error) => ("The job failed", sentence(error)),
    }
}
