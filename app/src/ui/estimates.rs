//! How long the form's job will take: asked in the background once the form has rested for a moment.

use std::time::{Duration, Instant};

use basin_core::job::Job;
use basin_core::run::Estimate;
use eframe::egui::Context;

use crate::ui::App;
use crate::ui::answers::Answer;
use crate::ui::session::Reading;

/// The form must rest this long before time is spent on an estimate.
const REST: Duration = Duration::from_millis(400);

/// What is known of the time of the form's job.
#[derive(Debug, Default)]
pub struct Estimates {
    wanted: Option<(Job, Instant)>,
    asked: Option<Job>,
    last: Option<(Job, Result<Estimate, String>)>,
}

/// The estimate for one job.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Being found out.
    Pending,
    /// There it is.
    Ready(Estimate),
    /// It cannot be said, for this reason.
    Failed(String),
}

impl Estimates {
    /// An estimate has arrived.
    pub fn answered(&mut self, job: Job, result: Result<Estimate, String>) {
        self.asked = None;
        self.last = Some((job, result));
    }
}

impl App {
    /// The estimate for `job`, asking for it if it is new.
    pub(crate) fn estimate(&mut self, ctx: &Context, job: &Job) -> Known {
        let estimates = &mut self.estimates;
        if let Some((known, result)) = &estimates.last
            && known == job
        {
            return match result {
                Ok(estimate) => Known::Ready(*estimate),
                Err(error) => Known::Failed(error.clone()),
            };
        }
        let since = match &estimates.wanted {
            Some((wanted, since)) if wanted == job => *since,
            _ => {
                let now = Instant::now();
                estimates.wanted = Some((job.clone(), now));
                now
            }
        };
        // One trial at a time, and none beside something that computes: each would measure the other.
        let sanity =
            self.session.selected_model().is_some_and(|model| matches!(model.sanity, Reading::Pending));
        let free = estimates.asked.is_none() && self.jobs.active() == 0 && !sanity;
        if free && since.elapsed() >= REST {
            estimates.asked = Some(job.clone());
            let (engine, job) = (self.engine.clone(), Box::new(job.clone()));
            self.background.spawn("estimate", move || {
                let result = engine.estimate(&job).map_err(|error| error.to_string());
                Answer::Estimated { job, result }
            });
        } else if free {
            ctx.request_repaint_after(REST);
        }
        Known::Pending
    }
}
