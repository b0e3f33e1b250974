//! `basin train`: from a name of the paper or a job file to a training in a folder.

use std::path::{Path, PathBuf};

use anyhow::Result;
use basin_core::Error;
use basin_core::attack::Objective;
use basin_core::data::{Examples, Split, count, search_folders};
use basin_core::job::Job;
use basin_core::model::Architecture;
use basin_core::run::{read_job, resolved};
use basin_core::train::preset::{groups, preset, registered};
use basin_core::train::{Extra, Method, Train};
use clap::Args;
use clap::builder::ValueParser;

use super::args::{Output, threads, whole};
use super::compute::{compute_asked, tell_cost};
use super::failure::{say, usage};
use super::printing::print;

/// Help that is easier shown than said.
const EXAMPLES: &str = "\
Examples:
  basin train --list
  basin train --preset NAME --data bundled --channels 8 --epochs 10
  basin train --preset NAME --data cifar10 --architecture wrn-28-10
  basin train --preset NAME --set attack.epsilon=8/255 --dry-run > job.json
  basin train --preset NAME --data mnist --set architecture.family=LeNet --set method.kind=trades --set labels.smoothed=0.1
                              another kind brings its usual settings
  basin train job.json --out runs/mine
  basin train --preset NAME --set initial=runs/mine/final.safetensors --set optimizer.learning_rate=0.01
                              fine-tune: go on from any checkpoint, whose network counts
  basin train runs/mine       go on with it, or show how good its networks are

The folder holds job.json, log.jsonl (curves), snapshots, and in the end final.safetensors.
Ctrl-C stops after the step in hand; nothing of it is lost.";

/// What to train.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct TrainArgs {
    /// Job file, or the folder of a training: it resumes, or shows its results when finished.
    #[arg(value_name = "JOB.json|FOLDER", conflicts_with_all = ["preset", "list"])]
    pub job: Option<PathBuf>,
    /// Name of a model in the paper's grammar; --list shows them.
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// Show the names, grouped and explained.
    #[arg(long, conflicts_with = "preset")]
    pub list: bool,
    /// Data set: cifar10, bundled (2000 of its images), mnist, fashion-mnist, or a folder.
    #[arg(long, value_name = "NAME|DIR", help_heading = "Changes to the job")]
    pub data: Option<String>,
    /// Pseudo-labelled images for 70 % of each batch, as in the paper: tinyimages500k, or a folder.
    #[arg(long, value_name = "NAME|DIR", help_heading = "Changes to the job")]
    pub extra: Option<String>,
    /// The network by its usual name: resnet18, preact-resnet18, wrn-28-10, dm-wrn-28-10, vgg16, densenet121, resnext29,
    /// small-cnn, paper-resnet18, …; other depths and widths where they are usual. The paper's ResNet-18 without it.
    #[arg(long, value_name = "NAME", help_heading = "Changes to the job")]
    pub architecture: Option<String>,
    /// Width of the network's first stage: 64 in the paper, 8 is quick on a CPU.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<i64>), help_heading = "Changes to the job")]
    pub channels: Option<i64>,
    /// Number of epochs; milestones of the learning rate move along.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<usize>), help_heading = "Changes to the job")]
    pub epochs: Option<usize>,
    /// Any setting of the job by its path, e.g. attack.epsilon=8/255 or data.train=train:0..6000; may be repeated.
    /// --dry-run shows them all; what is null is unset. A range of images that begins after its end counts down: test:999..499 is 999 to 500.
    #[arg(long = "set", value_name = "SETTING=VALUE", help_heading = "Changes to the job")]
    pub settings: Vec<String>,
    /// Repeat what the paper's program does where that differs from the paper.
    #[arg(long, help_heading = "Changes to the job")]
    pub as_in_paper: bool,
    /// auto, cpu or cuda:0.
    #[arg(long, help_heading = "Computing")]
    pub device: Option<String>,
    /// Seed of every random number.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(whole::<u64>), help_heading = "Computing")]
    pub seed: Option<u64>,
    /// Threads on the CPU; without it, one per core, and a resumed training has as many as before.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = ValueParser::new(threads), help_heading = "Computing")]
    pub threads: Option<u16>,
    /// Folder of the training, new or to be resumed; without it, one of the model's name.
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Print the whole job, and on standard error which images it takes and how long; and stop.
    #[arg(long, help_heading = "Output")]
    pub dry_run: bool,
    /// Print the finished training's record as JSON on standard output.
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

impl TrainArgs {
    /// Does what the options say.
    pub fn run(self) -> Result<()> {
        if self.list {
            return print(&listed());
        }
        let (mut job, folder) = match (&self.job, &self.preset) {
            (Some(path), _) => (read(path)?, path.is_dir().then(|| path.clone())),
            (None, Some(name)) => {
                let named = if self.as_in_paper { registered } else { preset };
                let preset = named(name).map_err(usage)?;
                preset.notes.iter().for_each(|note| say(format!("note: {note}")));
                (preset.train, None)
            }
            (None, None) => {
                return Err(usage(
                    "there is nothing to train; give --preset NAME (--list shows the names), a job file, or the folder of a training",
                ));
            }
        };
        if folder.is_some() && self.changes() {
            let text = "a training resumes with its own settings; give its folder alone, or a new --out with its job.json";
            return Err(usage(text));
        }
        self.change(&mut job)?;
        self.check_network(&job)?;
        let job = Job::Train(Box::new(job));
        if self.dry_run {
            job.check().map_err(usage)?;
            return tell_cost(&job);
        }
        let output = Output { out: folder.or(self.out), json: self.json, ..Output::default() };
        compute_asked(&job, None, &output, self.threads)
    }

    fn changes(&self) -> bool {
        self.data.is_some()
            || self.extra.is_some()
            || self.architecture.is_some()
            || self.channels.is_some()
            || self.epochs.is_some()
            || !self.settings.is_empty()
            || self.as_in_paper
            || self.device.is_some()
            || self.seed.is_some()
            || self.out.is_some()
    }

    /// Refuses options for the network that the images or the initial checkpoint contradict.
    fn check_network(&self, job: &Train) -> Result<()> {
        let places = self.settings.iter().filter_map(|setting| setting.split_once('='));
        let mut given: Vec<(String, String)> = places
            .map(|(place, _)| (format!("--set {}", place.trim()), place.trim().replace('.', "/")))
            .filter(|(_, place)| place.starts_with("architecture"))
            .collect();
        given.extend(
            self.architecture
                .as_ref()
                .map(|_| ("--architecture".to_owned(), "architecture/family".to_owned())),
        );
        given.extend(self.channels.map(|_| ("--channels".to_owned(), "architecture/family".to_owned())));
        if job.initial.is_none() {
            given
                .retain(|(_, place)| ["architecture/classes", "architecture/resolution"].contains(&&**place));
        }
        if given.is_empty() {
            return Ok(());
        }
        job.check().map_err(usage)?;
        let network = resolved(job)?;
        let [asked, found] = [serde_json::to_value(job)?, serde_json::to_value(&network)?];
        for (option, place) in given {
            let place = format!("/{place}");
            if asked.pointer(&place) != found.pointer(&place) {
                let whose = match &job.initial {
                    Some(initial) => format!("the network of {}", initial.display()),
                    None => format!("a network for {}", job.data.name),
                };
                let what = network.architecture.topology().map(|network| network.title).unwrap_or_default();
                let [channels, height, width] = network.architecture.resolution;
                return Err(usage(format!(
                    "{option} contradicts {whose} ({what}; {} classes, images of {channels}x{height}x{width}); leave it out",
                    network.architecture.classes
                )));
            }
        }
        Ok(())
    }

    fn change(&self, job: &mut Train) -> Result<()> {
        if let Some(name) = &self.data {
            job.use_data(name);
        }
        if let Some(name) = &self.extra {
            let images = count(&search_folders(), name, Split::Train)?;
            let examples = Examples { split: Split::Train, start: 0, end: images as isize };
            job.data.extra = Some(Extra { name: name.clone(), examples, share: Extra::SHARE });
        }
        if let Some(epochs) = self.epochs {
            job.use_epochs(epochs);
        }
        if let Some(name) = &self.architecture {
            job.architecture = Architecture::named(name).map_err(usage)?;
        }
        if let Some(width) = self.channels {
            job.architecture.family.set_channels(width).map_err(usage)?;
        }
        if self.as_in_paper {
            job.as_in_paper = true;
            if let Method::Trades { .. } = job.method {
                job.attack.objective = Objective::BatchKl;
            }
        }
        if let Some(device) = &self.device {
            job.device.clone_from(device);
        }
        job.seed = self.seed.unwrap_or(job.seed);
        for setting in &self.settings {
            *job = job
                .with(setting)
                .map_err(|reason| usage(format!("--set {reason}; --dry-run shows the settings there are")))?;
        }
        Ok(())
    }
}

/// Reads a training's job file, or that of its folder.
fn read(path: &Path) -> Result<Train> {
    match read_job(path)? {
        Job::Train(job) => Ok(*job),
        other => {
            let reason =
                format!("is no training but a job of `basin {}`; use `basin run` for it", other.kind());
            Err(Error::file(path, reason).into())
        }
    }
}

/// All names, grouped and explained.
fn listed() -> String {
    let mut text = String::new();
    for group in groups() {
        text += &format!("{}: {}\n", group.title, group.explanation);
        group.names.iter().for_each(|name| text += &format!("  {name}\n"));
        text.push('\n');
    }
    text + "Names end in _es for early stopping. Other numbers in their places work, too, and variants can be combined, in any order.\n"
}
