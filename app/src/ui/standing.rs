//! What a training will find in its folder: found out in the background once the form has rested for a moment.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use basin_core::job::Job;
use basin_core::record::training::is_training;
use basin_core::record::{Outcome, Record};
use eframe::egui::Context;

use crate::ui::App;
use crate::ui::answers::Answer;

/// The form must rest this long before the disk is asked.
const REST: Duration = Duration::from_millis(250);
/// So many folders of one name are looked at.
const MOST: usize = 100;

/// What is in a folder, as far as a training is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderStatus {
    /// Nothing.
    Free,
    /// The same training, with so many finished epochs of all.
    GoesOn(usize, usize),
    /// The same training, finished.
    Finished,
    /// Something else, in words.
    Taken(String),
}

impl FolderStatus {
    /// In words, for this folder.
    pub fn words(&self, folder: &Path) -> String {
        let path = folder.display();
        match self {
            Self::Free => format!("Goes to {path}"),
            Self::GoesOn(done, all) => format!("Goes on after epoch {done} of {all} in {path}"),
            Self::Finished => format!("Finished already, in {path}"),
            Self::Taken(why) => format!("{path} {why}"),
        }
    }
}

/// A training and where it is to go: a folder, or one of its own below a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// What is to be trained.
    pub job: Job,
    /// The folder as typed; none: a free one of the model's name.
    pub chosen: Option<PathBuf>,
    /// Where relative folders begin.
    pub home: PathBuf,
}

impl Place {
    /// The folder, with what is in it. Asks the disk.
    pub fn look(&self) -> (PathBuf, FolderStatus) {
        if let Some(chosen) = &self.chosen {
            let folder = self.home.join(chosen);
            let standing = standing(&folder, &self.job);
            return (folder, standing);
        }
        let name = self.job.subject().display().to_string();
        let numbered = |n: usize| if n == 1 { name.clone() } else { format!("{name}-{n}") };
        let folders = (1..=MOST).map(|n| self.home.join("runs").join(numbered(n)));
        let looked = folders.map(|folder| (standing(&folder, &self.job), folder));
        let mut usable = looked.filter(|(standing, _)| !matches!(standing, FolderStatus::Taken(_)));
        usable.next().map_or_else(
            || {
                (
                    self.home.clone(),
                    FolderStatus::Taken("has too many trainings of this name; give a folder".into()),
                )
            },
            |(standing, folder)| (folder, standing),
        )
    }
}

fn standing(folder: &Path, job: &Job) -> FolderStatus {
    let empty = || std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if !folder.exists() || empty() {
        return FolderStatus::Free;
    }
    if !is_training(folder) {
        return FolderStatus::Taken("is there already and is no folder of a training; choose another".into());
    }
    match Record::load(folder) {
        Ok(Record { job: known, outcome: Outcome::Train(training), .. }) if known == *job => {
            let Job::Train(job) = job else { return FolderStatus::Free };
            match training.result {
                Some(_) => FolderStatus::Finished,
                None => FolderStatus::GoesOn(training.epochs.len(), job.epochs),
            }
        }
        Ok(_) => FolderStatus::Taken("holds another training; choose another folder".into()),
        Err(error) => FolderStatus::Taken(error.to_string()),
    }
}

/// What is known of the form's folder.
#[derive(Debug, Default)]
pub struct Standings {
    wanted: Option<(Place, Instant)>,
    asked: bool,
    stale: bool,
    /// The disk was asked before something changed there: its answer does not count.
    late: bool,
    last: Option<(Place, PathBuf, FolderStatus)>,
}

impl Standings {
    /// The disk has answered.
    pub fn answered(&mut self, place: Place, folder: PathBuf, standing: FolderStatus) {
        (self.asked, self.stale) = (false, self.late);
        self.late = false;
        self.last = Some((place, folder, standing));
    }

    /// What was found is not true any more.
    pub fn forget(&mut self) {
        (self.stale, self.late) = (true, self.asked);
    }

    /// What was found last, true or not.
    pub fn last(&self) -> Option<(&Path, &FolderStatus)> {
        self.last.as_ref().map(|(_, folder, standing)| (&**folder, standing))
    }
}

impl App {
    /// The form's folder with what is in it; none while that is being found out.
    pub(crate) fn standing(&mut self, ctx: &Context, job: &Job) -> Option<(PathBuf, FolderStatus)> {
        let typed = self.state.train.folder.trim();
        let place = Place {
            job: job.clone(),
            chosen: (!typed.is_empty()).then(|| PathBuf::from(typed)),
            home: self.training_home(),
        };
        let standings = &mut self.standings;
        if let Some((known, folder, standing)) = &standings.last
            && *known == place
            && !standings.stale
        {
            return Some((folder.clone(), standing.clone()));
        }
        let since = match &standings.wanted {
            Some((wanted, since)) if *wanted == place => *since,
            _ => {
                let now = Instant::now();
                standings.wanted = Some((place.clone(), now));
                now
            }
        };
        if !standings.asked && since.elapsed() >= REST {
            standings.asked = true;
            self.background.spawn("standing", move || {
                let (folder, standing) = place.look();
                Answer::FolderStatus { place: Box::new(place), folder, standing }
            });
        } else if !standings.asked {
            ctx.request_repaint_after(REST);
        }
        None
    }

    /// Where trainings go that were given no folder: where the last dialog was, else where the program was started.
    fn training_home(&self) -> PathBuf {
        let started = || std::env::current_dir().unwrap_or_default();
        self.state.folder.clone().unwrap_or_else(started)
    }
}
