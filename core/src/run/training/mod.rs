//! Training in a folder: the loop over epochs, what is kept of them, and going on after an interruption.

mod begin;
mod cost;
mod diverged;
mod edited;
mod folder;
mod images;
mod place;
mod resolve;
mod test;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use tch::{Kind, Tensor};

use crate::attack::Pgd;
use crate::device::Threads;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::measure::evaluation::Batch;
use crate::model::{Network, Weights};
use crate::progress::Event;
use crate::record::training::{BEST, EVALUATION, FINAL};
use crate::record::{Outcome, Record, Trained};
use crate::run::observer::Observer;
use crate::train::{
    Counters, Epoch, IN_PERTURBATION, LogLine, PERTURBED_LOSS, Scores, StepReport, Steps, Train, means,
};
use begin::TrainerSetup;
pub use cost::estimate;
use folder::Folder;
pub use folder::is_being_trained;
use images::Images;
use place::Place;
pub use resolve::{resolved, warnings};
use test::scores;

/// Lines of the log per epoch.
const GROUPS: u64 = 20;
/// Beyond this time the state is also saved within an epoch.
const SAVE_AFTER: Duration = Duration::from_secs(600);

/// Trains in `folder`, on so many CPU threads if `threads` says so; the folder is the record. What is finished already is
/// not trained again.
///
/// # Errors
/// As [`train`]; [`Error::Cancelled`] only if nothing is kept.
pub fn run(job: &Train, folder: &Path, threads: Option<u16>, progress: &mut dyn Observer) -> Result<Record> {
    if let Ok(record) = Record::load(folder)
        && record.provenance.complete
        && folder.join(FINAL).is_file()
        && is_done(folder, &record.job, job)?
    {
        return Ok(record);
    }
    let trained = train_on(threads, job, folder, progress);
    if let Err(error) = trained
        && !matches!(error, Error::Cancelled)
    {
        return Err(error);
    }
    let record = Record::load(folder)?;
    match &record.outcome {
        Outcome::Train(outcome) if outcome.steps_done() == 0 && !record.provenance.complete => {
            Err(Error::Cancelled)
        }
        _ => Ok(record),
    }
}

/// Whether a finished training is the one that is asked for now, possibly with less said, and not with more epochs than
/// it had.
///
/// # Errors
/// Its job was edited since in another way.
fn is_done(folder: &Path, finished: &Job, asked: &Train) -> Result<bool> {
    let Job::Train(finished) = finished else { return Ok(false) };
    let resolved = resolved(asked)?;
    let Some((counters, begun)) = Folder::begun(folder) else {
        let is_same =
            edited::differences(finished, &resolved, 0).is_empty() && finished.epochs == asked.epochs;
        return Ok(**finished == *asked || is_same);
    };
    let done = counters.step.div_ceil(resolved.steps_in_epoch());
    let differences = edited::differences(&begun, &resolved, done);
    if differences.is_empty() {
        return Ok(asked.epochs as u64 == done);
    }
    Err(edited::error(folder, &differences, **finished == *asked))
}

/// Trains in `folder`, which is made, or goes on with what an earlier run of the same job left there: with the
/// same result, bit by bit on one CPU, as if it had never stopped. For that it goes on with as many threads as it had.
///
/// # Errors
/// Settings that make no sense, files that cannot be used; a loss that is no finite number, with the step, the
/// learning rate and the last snapshot; [`Error::Cancelled`], after the step in hand, with the state kept.
pub fn train(job: &Train, folder: &Path, progress: &mut dyn Observer) -> Result<Trained> {
    train_on(None, job, folder, progress)
}

/// As [`train`], with a number of CPU threads that the user has chosen.
fn train_on(
    threads: Option<u16>,
    job: &Train,
    folder: &Path,
    progress: &mut dyn Observer,
) -> Result<Trained> {
    job.check()?;
    let images = Images::load(job)?;
    let asked = job;
    let job = &resolve::with(job, &images.train)?;
    begin::check(job)?;
    let (opened, earlier) = Folder::open(folder, asked, job)?;
    let before = earlier.as_ref().and_then(|earlier| earlier.state.place.clone());
    let _threads = Threads::of(threads.or(before.as_ref().map(|place| place.threads)));
    let beginning = TrainerSetup::of(job, &images)?;
    let begun = earlier.as_ref().is_some_and(|earlier| earlier.state.counters.step > 0);
    let mut warnings = opened.save_provenance(begun, || beginning.provenance(job, &images))?;
    drop(images);
    let place = Place::here(beginning.device, beginning.precision);
    let mut counters = Counters { step: 0, optimizer_steps: 0, population: 0, best: None, seconds: 0.0 };
    let (now, groups) = (Instant::now(), Vec::new());
    let mut run = Run { job, folder: opened, begun: now, earlier: 0.0, groups, beginning, place };
    if let Some(earlier) = earlier {
        if earlier.state.job.is_none() {
            run.check_unkept_job(folder, &earlier.lines)?;
        }
        let restored = run.beginning.trainer.restore(&earlier.state.tensors, &earlier.state.counters);
        restored.map_err(|_| run.folder.damaged_state("is damaged"))?;
        counters = earlier.state.counters;
        run.earlier = counters.seconds;
        let logged = earlier.lines.last().map_or(0, |line| match line {
            LogLine::Steps(steps) => steps.step,
            LogLine::Epoch(epoch) => epoch.step,
        });
        let lost = counters.step.saturating_sub(logged);
        if counters.step < run.per_epoch() * job.epochs as u64 {
            run.folder.reopen()?;
        }
        let epoch = counters.step / run.per_epoch();
        let is_untested =
            |line: &&LogLine| matches!(line, LogLine::Epoch(epoch) if epoch.train_scores.is_none());
        let measures = job.evaluation.train_images > 0;
        let untested = earlier.lines.iter().filter(|line| measures && is_untested(line)).count();
        run.groups = earlier
            .lines
            .into_iter()
            .filter_map(|line| match line {
                LogLine::Steps(steps) if steps.epoch == epoch => Some(steps),
                _ => None,
            })
            .collect();
        if let Some(difference) = before.filter(|_| begun).and_then(|before| run.place.unlike(&before)) {
            run.folder.warn(&format!("after step {} it {difference}", counters.step))?;
            warnings.push(difference);
        }
        if untested > 0 {
            let words = format!(
                "the first {untested} epochs were tested by an earlier version, under the training's own attack"
            );
            run.folder.warn(&words)?;
            warnings.push(words);
        }
        if lost > 0 {
            let words =
                format!("log.jsonl lacks the last {lost} of the {} steps that are done", counters.step);
            run.folder.warn(&words)?;
            warnings.push(words);
        }
    } else {
        // Killed before the first epoch ends, it still knows on how many threads it is to go on.
        run.save(&mut counters)?;
    }
    let trained =
        run.epochs(&mut counters, &warnings, progress).and_then(|()| run.finish(&counters, progress));
    if let Err(Error::NotFinite(reason)) = &trained {
        run.folder.warn(reason)?;
    }
    trained
}

/// A training that runs.
struct Run<'a> {
    job: &'a Train,
    folder: Folder,
    begun: Instant,
    /// Seconds of earlier runs.
    earlier: f64,
    /// Log lines of the epoch in hand.
    groups: Vec<Steps>,
    beginning: TrainerSetup,
    place: Place,
}

impl Run<'_> {
    fn per_epoch(&self) -> u64 {
        self.beginning.source.steps_per_epoch()
    }

    fn seconds(&self) -> f64 {
        self.earlier + self.begun.elapsed().as_secs_f64()
    }

    fn epochs(
        &mut self,
        counters: &mut Counters,
        warnings: &[String],
        progress: &mut dyn Observer,
    ) -> Result<()> {
        let (per_epoch, epochs) = (self.per_epoch(), self.job.epochs as u64);
        let total = per_epoch * epochs;
        progress.report(Event::Started { label: self.job.name.clone(), done: counters.step, total })?;
        for warning in warnings {
            progress.report(Event::Warning(warning.clone()))?;
        }
        let group = per_epoch.div_ceil(GROUPS);
        let mut pending = Vec::new();
        let mut saved = Instant::now();
        while counters.step < total {
            let (epoch, position) = (counters.step / per_epoch, counters.step % per_epoch);
            if position == 0 {
                self.beginning.trainer.begin_epoch();
                self.beginning.trainer.evaluating = epoch > 0;
            }
            match self.step(counters.step, &mut || progress.report(Event::Alive).or(Ok(()))) {
                Ok(report) => pending.push(report),
                Err(Error::NotFinite(reason)) => return Err(self.broken(counters.step, &pending, &reason)),
                Err(other) => return Err(other),
            }
            counters.step += 1;
            let position = position + 1;
            if position % group == 0 || position == per_epoch {
                let line = self.grouped(epoch, counters.step, &pending)?;
                pending.clear();
                self.groups.push(line.clone());
                self.tell(LogLine::Steps(line), progress)?;
            }
            if position == per_epoch {
                self.end_epoch(epoch, counters, progress)?;
                self.save(counters)?;
                saved = Instant::now();
            } else if pending.is_empty() && saved.elapsed() > SAVE_AFTER {
                self.save(counters)?;
                saved = Instant::now();
            }
            if progress.report(Event::Step { done: counters.step, total }).is_err() {
                if !pending.is_empty() {
                    let line = self.grouped(epoch, counters.step, &pending)?;
                    self.folder.log(&LogLine::Steps(line))?;
                }
                if position != per_epoch {
                    self.save(counters)?;
                }
                return Err(Error::Cancelled);
            }
        }
        Ok(())
    }

    fn step(&mut self, step: u64, cancel_check: crate::progress::CancelCheck) -> Result<StepReport> {
        let TrainerSetup { trainer, source, .. } = &mut self.beginning;
        let per_epoch = source.steps_per_epoch();
        let rate = trainer.rate(step, per_epoch);
        let mut number = step * self.job.optimizer.batches_per_step();
        let mut next = || {
            number += 1;
            Ok(source.batch(number - 1))
        };
        trainer.step(step, rate, &mut next, cancel_check)
    }

    /// The mean of some steps' reports. The only place where the training waits for the device.
    fn grouped(&self, epoch: u64, step: u64, reports: &[StepReport]) -> Result<Steps> {
        let last = reports.last().expect("a group has steps");
        let count = reports.len() as u64;
        let names: BTreeSet<&str> =
            reports.iter().flat_map(|report| report.values.iter().map(|value| value.0)).collect();
        let mut values = BTreeMap::new();
        let mut first_bad: Option<(u64, &str)> = None;
        for name in names {
            // Not every step has every value.
            let (steps, all): (Vec<u64>, Vec<&Tensor>) = (step - count..)
                .zip(reports)
                .filter_map(|(step, report)| {
                    report.values.iter().find(|value| value.0 == name).map(|value| (step, &value.1))
                })
                .unzip();
            let all = Vec::<f64>::try_from(Tensor::stack(&all, 0).to_kind(Kind::Double))?;
            if let Some(at) = all.iter().position(|value| !value.is_finite()) {
                // At the same step the loss counts: what it is made of follows it.
                let bad = (steps[at], name);
                first_bad = Some(first_bad.map_or(bad, |known| {
                    if bad.0 < known.0 || name == "loss" && bad.0 == known.0 { bad } else { known }
                }));
            }
            values.insert(name.to_owned(), all.iter().sum::<f64>() / all.len() as f64);
        }
        if let Some((step, name)) = first_bad {
            let stage = match name {
                PERTURBED_LOSS => format!("{IN_PERTURBATION}: the loss there is NaN or infinite"),
                _ => "in the loss of its weight step, which is NaN or infinite".to_owned(),
            };
            return Err(self.diverged(step, &stage));
        }
        let population = reports.iter().map(|report| report.population).sum::<usize>() as f64 / count as f64;
        let has_population = matches!(self.job.sharpness, crate::train::Sharpness::Awp(_));
        Ok(Steps {
            epoch,
            step,
            count,
            learning_rate: last.rate.learning_rate,
            momentum: last.rate.momentum,
            population: has_population.then_some(population),
            values,
        })
    }

    /// Tests, logs, keeps a snapshot.
    fn end_epoch(&mut self, epoch: u64, counters: &mut Counters, progress: &mut dyn Observer) -> Result<()> {
        if let Some(bound) = self.job.clipping {
            self.beginning.trainer.learner.clip(bound);
        }
        let trainer = &self.beginning.trainer;
        let last = counters.step - 1;
        if !self.largest_weight().is_finite() {
            let reason = format!("in its weight step: it left {}", self.weights_in_words());
            return Err(self.diverged(last, &reason));
        }
        let broken = |error| match error {
            Error::NotFinite(reason) => self.diverged(last, &format!("in the test after it: {reason}")),
            other => other,
        };
        let network = trainer.learner.export();
        let averaged = trainer
            .average
            .as_ref()
            .map(|average| trainer.learner.export_with(&average.flat, &average.buffers));
        let TrainerSetup { test: test_batches, train: train_batches, held_out, .. } = &self.beginning;
        let attack = self.job.test_attack();
        let test = self.scores(&network, test_batches, &attack, progress).map_err(broken)?;
        let train_scores = self.train_scores(&network, train_batches, progress).map_err(broken)?;
        let average = averaged
            .as_ref()
            .map(|network| self.scores(network, test_batches, &attack, progress))
            .transpose()
            .map_err(broken)?;
        let is_last = epoch + 1 == self.job.epochs as u64;
        let keep = is_last || epoch.is_multiple_of(self.job.snapshot_every as u64);
        let mut stopping = None;
        if keep {
            let name = format!("snapshots/epoch-{epoch:04}");
            self.folder.save(&format!("{name}.safetensors"), &network, epoch)?;
            if let Some(network) = &averaged {
                self.folder.save(&format!("{name}-average.safetensors"), network, epoch)?;
            }
            if self.job.early_stopping {
                let attack = self.job.held_out_attack();
                let found = self.scores(&network, held_out, &attack, progress).map_err(broken)?;
                if counters.best.is_none_or(|(_, lowest)| found.robust_error < lowest) {
                    counters.best = Some((epoch, found.robust_error));
                    self.folder.save(BEST, &network, epoch)?;
                }
                stopping = Some(found);
            }
        }
        let line = Epoch {
            epoch,
            step: counters.step,
            learning_rate: self.groups.last().map(|group| group.learning_rate),
            train: means(&self.groups),
            test,
            train_scores,
            average,
            held_out: stopping,
            tensors: trainer.statistics(),
            seconds: self.seconds(),
        };
        self.groups.clear();
        self.tell(LogLine::Epoch(line), progress)
    }

    fn scores(
        &self,
        network: &Network,
        batches: &[Batch],
        attack: &Pgd,
        progress: &mut dyn Observer,
    ) -> Result<Scores> {
        let place = (self.beginning.device, self.beginning.precision);
        // What was trained is kept before anyone may stop.
        let mut cancel_check = || progress.report(Event::Alive).or(Ok(()));
        scores(network, batches, attack, place, self.job.seed, &mut cancel_check)
    }

    /// Of the training images that are tested, if there are any.
    fn train_scores(
        &self,
        network: &Network,
        batches: &[Batch],
        progress: &mut dyn Observer,
    ) -> Result<Option<Scores>> {
        let attack = self.job.test_attack();
        (!batches.is_empty()).then(|| self.scores(network, batches, &attack, progress)).transpose()
    }

    fn tell(&mut self, line: LogLine, progress: &mut dyn Observer) -> Result<()> {
        self.folder.log(&line)?;
        // Who wants to stop is asked again after the step.
        progress.training(&line);
        Ok(())
    }

    fn save(&mut self, counters: &mut Counters) -> Result<()> {
        let trainer = &self.beginning.trainer;
        counters.optimizer_steps = trainer.memory.steps;
        counters.population = trainer.population;
        counters.seconds = self.seconds();
        let tensors = trainer.tensors();
        self.folder.save_state(tensors, counters, &self.place, self.job)
    }

    /// Writes the networks that a finished training is made for, and how good they are.
    fn finish(&mut self, counters: &Counters, progress: &mut dyn Observer) -> Result<Trained> {
        let epochs = self.job.epochs as u64;
        let per_epoch = self.per_epoch();
        let TrainerSetup { trainer, source, .. } = &mut self.beginning;
        let learner = &trainer.learner;
        let last = learner.export();
        let mut averages = None;
        if let Some(average) = &trainer.average {
            let weights =
                Weights::from_flat(learner.weights().layout().clone(), average.flat.shallow_clone());
            let first = epochs * per_epoch;
            let batches = (first..first + per_epoch).map(|number| source.batch(number).images);
            let statistics = learner.calibrated(&weights, batches, self.job.as_in_paper);
            let plain = learner.export_with(&average.flat, &average.buffers);
            averages = Some((plain, learner.export_with(&average.flat, &statistics)));
        }
        let TrainerSetup { test, train, .. } = &self.beginning;
        let attack = self.job.test_attack();
        let on_train = self.train_scores(&last, train, progress)?;
        let mut measure = |network: &Network| self.scores(network, test, &attack, progress);
        let mut trained = Trained {
            attack: Some(attack.clone()),
            last: measure(&last)?,
            train: on_train,
            average: None,
            calibrated: None,
            best: None,
            seconds: 0.0,
        };
        if let Some((plain, calibrated)) = &averages {
            trained.average = Some(measure(plain)?);
            trained.calibrated = Some(measure(calibrated)?);
            self.folder.save("average.safetensors", plain, epochs)?;
            self.folder.save("average-calibrated.safetensors", calibrated, epochs)?;
        }
        if let Some((epoch, _)) = counters.best {
            let best = crate::checkpoint::open(&self.folder.file(BEST))?.network;
            trained.best = Some((epoch, measure(&best)?));
        }
        self.folder.save(FINAL, &last, epochs)?;
        trained.seconds = self.seconds();
        self.folder.save_json(EVALUATION, &trained)?;
        self.folder.finish_provenance(trained.seconds)?;
        Ok(trained)
    }
}
