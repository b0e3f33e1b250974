//! Following trainings that are not finished: by this window, or by another process that writes to their folder.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use basin_core::job::Job;
use basin_core::record::training::{EVALUATION, LOG, is_training};
use basin_core::record::{Outcome, Record};
use basin_core::run::is_being_trained;
use eframe::egui::Context;

use crate::ui::App;
use crate::ui::answers::Answer;

/// Folders are looked at this often.
const EVERY: Duration = Duration::from_secs(2);

/// What of a folder tells whether there is something new.
pub type Stamp = (u64, Option<SystemTime>, bool);

/// When folders were looked at, and how they looked.
#[derive(Debug, Default)]
pub(crate) struct Follow {
    last: Option<Instant>,
    asked: bool,
    stamps: Vec<(PathBuf, Stamp)>,
    /// Folders in which another process trains.
    elsewhere: Vec<PathBuf>,
}

impl Follow {
    /// Whether another process trains in this folder, as far as is known.
    pub fn is_elsewhere(&self, folder: &Path) -> bool {
        self.elsewhere.iter().any(|other| other == folder)
    }
}

impl App {
    /// Looks, now and then, for new lines in the logs of unfinished trainings.
    pub(crate) fn follow(&mut self, ctx: &Context) {
        let unfinished =
            |record: &Record| matches!(record.outcome, Outcome::Train(_)) && !record.provenance.complete;
        let stored = self.session.records().iter().filter(|stored| unfinished(&stored.record));
        let mut folders: Vec<PathBuf> = stored.map(|stored| stored.path.clone()).collect();
        // A training of this window is part of the study as soon as it has a folder.
        let own = self.jobs.entries().iter();
        let own = own.filter(|entry| entry.is_active() && matches!(entry.job, Job::Train(_)));
        let own: Vec<PathBuf> = own.filter_map(|entry| entry.out.clone()).collect();
        folders.extend(own.iter().filter(|out| !folders.contains(out)).cloned().collect::<Vec<_>>());
        if folders.is_empty() {
            return;
        }
        ctx.request_repaint_after(EVERY);
        if self.follow.asked || self.follow.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        (self.follow.asked, self.follow.last) = (true, Some(Instant::now()));
        let known = self.follow.stamps.clone();
        self.background.spawn("follow", move || {
            let others = folders.iter().filter(|folder| !own.contains(folder) && is_being_trained(folder));
            let elsewhere = others.cloned().collect();
            let changed = folders.into_iter().filter(|folder| is_training(folder)).filter_map(|folder| {
                let now = stamp(&folder);
                let same = known.iter().any(|(path, before)| *path == folder && *before == now);
                // A file in the middle of being written is looked at again.
                let record = (!same).then(|| Record::load(&folder).ok())??;
                Some((folder, now, record))
            });
            Answer::Followed { changed: changed.collect(), elsewhere }
        });
    }

    /// Takes what has changed.
    pub(crate) fn followed(&mut self, changed: Vec<(PathBuf, Stamp, Record)>, elsewhere: Vec<PathBuf>) {
        (self.follow.asked, self.follow.elsewhere) = (false, elsewhere);
        for (folder, stamp, record) in changed {
            self.follow.stamps.retain(|(path, _)| *path != folder);
            self.follow.stamps.push((folder.clone(), stamp));
            let known = self.session.record_at(&folder).and_then(|id| self.session.record(id));
            // It ended while its folder was being read.
            if known.is_none_or(|known| !known.record.provenance.complete) {
                self.session.add_record(folder, record);
            }
        }
    }
}

fn stamp(folder: &Path) -> Stamp {
    let log = std::fs::metadata(folder.join(LOG)).ok();
    let written = log.as_ref().and_then(|log| log.modified().ok());
    (log.map_or(0, |log| log.len()), written, folder.join(EVALUATION).is_file())
}
