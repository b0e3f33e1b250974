//! Training in the window: its form, its history, and what is done with the networks it keeps.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use basin::command::Command;
use basin::jobs::{Core, Engine, Status};
use basin::ui::{Answer, App, Pane, Purpose, command_line};
use basin_core::Error;
use basin_core::checkpoint::Summary;
use basin_core::job::{Job, Train};
use basin_core::progress::Event;
use basin_core::record::{Outcome, Record};
use basin_core::run::{Estimate, Observer, RunOptions};
use basin_core::train::LogLine;
use basin_core::train::preset::preset;
use eframe::egui::Modifiers;
use eframe::egui::accesskit::{Role, Toggled};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::support::bowl::Fake;
use crate::support::sample_training as sample;
use crate::support::window::Window;

const PLAIN: &str = "at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100";

/// Writes the folder of a made-up training, epoch by epoch; stops halfway and waits when it is told to.
#[derive(Default)]
struct Trainer {
    measures: Fake,
    held: Arc<Mutex<bool>>,
    /// Data sets but the bundled one are not there.
    bare: bool,
    /// Every training diverges after two epochs.
    diverges: bool,
}

impl Engine for Trainer {
    fn inspect(&self, path: &Path) -> basin_core::Result<Summary> {
        self.measures.inspect(path)
    }

    fn estimate(&self, job: &Job) -> basin_core::Result<Estimate> {
        match job {
            Job::Train(train) if self.bare && train.data.name != "bundled" => {
                Err(Error::invalid("CIFAR-10 was not found; `basin data fetch cifar10` downloads it"))
            }
            job => self.measures.estimate(job),
        }
    }

    fn run(
        &self,
        job: &Job,
        options: &RunOptions,
        observer: &mut dyn Observer,
    ) -> basin_core::Result<Record> {
        let Job::Train(train) = job else { return self.measures.run(job, options, observer) };
        let folder = options.out.as_deref().expect("a training has a folder");
        let done = match Record::load(folder).map(|record| record.outcome) {
            Ok(Outcome::Train(earlier)) => earlier.epochs.len() as u64,
            _ => {
                sample::begin(folder, train);
                0
            }
        };
        let (epochs, steps) = (train.epochs as u64, sample::STEPS);
        let total = steps * epochs;
        observer.report(Event::Started { label: train.name.clone(), done: done * steps, total })?;
        for epoch in done..epochs {
            if self.diverges && epoch == 2 {
                return Err(Error::NotFinite(
                    "training diverged in step 81; use a smaller learning rate".into(),
                ));
            }
            while epoch >= epochs / 2 && *self.held.lock().expect("not poisoned") {
                std::thread::sleep(Duration::from_millis(2));
                if observer.report(Event::Alive).is_err() {
                    return Record::load(folder);
                }
            }
            for line in sample::lines(train, epoch) {
                sample::log(folder, std::slice::from_ref(&line));
                if let LogLine::Epoch(_) = line {
                    sample::snapshot(folder, epoch);
                }
                observer.training(&line);
            }
            observer.report(Event::Step { done: (epoch + 1) * steps, total })?;
        }
        sample::finish(folder, train);
        Record::load(folder)
    }
}

fn window() -> Window {
    Window::with_engine(Arc::new(Trainer::default()))
}

/// The folder of a finished training in the window's own folder.
fn trained(window: &Window, name: &str, job: &Train) -> PathBuf {
    let folder = window.folder.path().join(name);
    sample::whole(&folder, job);
    folder
}

fn open(window: &mut Window, paths: &[&Path]) {
    window.harness.state_mut().open_paths(paths.iter().map(|path| path.to_path_buf()).collect());
    window.settle();
}

fn says(window: &Window, text: &str) -> bool {
    window.harness.query_all_by_label_contains(text).next().is_some()
}

fn choose_folder(window: &mut Window, name: &str) -> PathBuf {
    let folder = window.folder.path().join(name);
    let paths = vec![folder.clone()];
    window.harness.state_mut().handle(Answer::Chosen { purpose: Purpose::TrainingFolder, paths });
    window.harness.state_mut().handle(Answer::Chosen { purpose: Purpose::OpenFolder, paths: Vec::new() });
    window.harness.run_steps(3);
    folder
}

fn epochs(record: &Record) -> usize {
    let Outcome::Train(training) = &record.outcome else { panic!("a training") };
    training.epochs.len()
}

/// The upper of two.
fn by_height(a: &egui_kittest::Node<'_>, b: &egui_kittest::Node<'_>) -> std::cmp::Ordering {
    a.rect().top().total_cmp(&b.rect().top())
}

/// Draws until the window says something.
fn wait_for(window: &mut Window, text: &str) {
    let patience = std::time::Instant::now() + Duration::from_secs(240);
    while !says(window, text) {
        assert!(std::time::Instant::now() < patience, "the window never says {text:?}");
        window.harness.step();
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Replaces what a large field says.
fn rewrite(window: &mut Window, label: &str, text: &str) {
    let field =
        |window: &Window| window.harness.get_by_role_and_label(Role::MultilineTextInput, label).click();
    window.harness.get_by_role_and_label(Role::MultilineTextInput, label).scroll_to_me();
    window.harness.run_steps(3);
    field(window);
    window.harness.step();
    window.harness.key_press_modifiers(Modifiers::COMMAND, eframe::egui::Key::A);
    window.harness.step();
    window.harness.get_by_role_and_label(Role::MultilineTextInput, label).type_text(text);
    window.harness.run_steps(3);
}

/// Waits until the form knows what its folder holds.
fn ready(window: &mut Window, button: &str) {
    let patience = std::time::Instant::now() + Duration::from_secs(240);
    loop {
        window.harness.step();
        let found = window.harness.query_by_role_and_label(Role::Button, button);
        if found.is_some_and(|node| !node.accesskit_node().is_disabled()) {
            return;
        }
        assert!(std::time::Instant::now() < patience, "{button} is never enabled");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_training_runs_from_its_form_is_stopped_and_goes_on() {
    let trainer = Trainer::default();
    let held = trainer.held.clone();
    *held.lock().expect("not poisoned") = true;
    let mut window = Window::with_engine(Arc::new(trainer));
    window.click("Train");
    window.retype("Epochs", "12");
    let folder = choose_folder(&mut window, "mine");
    ready(&mut window, "Start training");
    wait_for(&mut window, "625 steps, about 40 s");
    assert!(says(&window, "Goes to "), "and where it goes");
    window.picture("train-form");
    window.click("Start training");
    let half = |app: &App| app.jobs().entries().iter().any(|entry| entry.live().fraction() >= 0.5);
    window.until("half of the epochs are there", half);
    assert_eq!(window.harness.state().visible_panes(), [Pane::History]);
    let live = window.harness.state().jobs().entries()[0].partial_record().expect("epochs are known").1;
    assert_eq!(epochs(&live), 6);
    assert!(says(&window, "6 of 12"));
    window.until("the study shows the folder", |app| app.session().records().len() == 1);
    window.picture("history-live");
    let place = |window: &Window, label| {
        let button = window.harness.get_all_by_role_and_label(Role::Button, label).min_by(by_height);
        button.expect("a button above the charts").rect()
    };
    let (stop, job) = (place(&window, "Stop"), window.harness.state().jobs().entries()[0].id);
    window.click("Stop");
    window.until("it has stopped", |app| app.jobs().active() == 0);
    window.settle();
    assert!(says(&window, "everything trained so far is kept"));
    ready(&mut window, "Continue training");
    assert!(says(&window, "Goes on after epoch 6 of 12"), "the form knows what the folder holds now");
    window.picture("history-stopped");
    assert_eq!(place(&window, "Continue"), stop, "the button stays where it is");
    window.harness.get_all_by_label("Continue").next().expect("a button to go on").click();
    window.harness.run_steps(3);
    let line = |window: &Window| {
        let jobs = window.harness.state().jobs().entries();
        assert_eq!(jobs.len(), 1, "one line for one job");
        (jobs[0].id, jobs[0].status.clone())
    };
    assert_eq!(line(&window), (job, Status::Running));
    assert_eq!(place(&window, "Stop"), stop);
    assert!(says(&window, "6 of 12"), "what is known stays in sight");
    *held.lock().expect("not poisoned") = false;
    window.until("it has ended", |app| app.jobs().active() == 0);
    window.settle();
    wait_for(&mut window, "Finished already");
    ready(&mut window, "Show results");
    let study = window.harness.state().session();
    assert_eq!(study.records().len(), 1, "one folder, one record");
    assert_eq!(line(&window), (job, Status::Done));
    let stored = &study.records()[0];
    assert_eq!((&stored.path, epochs(&stored.record)), (&folder, 12));
    assert!(stored.record.provenance.complete);
    let Job::Train(job) = &stored.record.job else { panic!("a training") };
    assert_eq!((job.epochs, job.name.as_str(), job.data.train.len()), (12, PLAIN, 2000));
}

#[test]
fn what_is_wrong_in_the_form_is_said_in_words() {
    let mut window = window();
    window.click("Train");
    choose_folder(&mut window, "mine");
    wait_for(&mut window, "Goes to ");
    // In whole pixels.
    let places = |window: &Window| {
        let fields = ["Channels", "Epochs", "Batch size", "Training images", "Seed"];
        let field = |label| window.harness.get_by_role_and_label(Role::TextInput, label).rect().round();
        let button = window.harness.get_by_role_and_label(Role::Button, "Start training").rect().round();
        (fields.map(field), button)
    };
    let before = places(&window);
    window.retype("Epochs", "ten");
    assert!(says(&window, "Epochs: use a whole number of at least 1"));
    assert_eq!(places(&window), before, "a message moves nothing");
    let images = window.harness.get_by_role_and_label(Role::TextInput, "Training images");
    assert_eq!(images.value().as_deref(), Some("train:0..2000"), "what is usual stays");
    assert!(says(&window, "Goes to "), "and so does the folder");
    rewrite(&mut window, "Name", "at_linf_gd_normalized");
    assert!(says(&window, "is no name of a model"));
    assert_eq!(places(&window), before, "nor do half a name and its completions");
    rewrite(&mut window, "Name", PLAIN);
    window.retype("Epochs", "3");
    window.retype("Training images", "train:5");
    assert!(says(&window, "\"train:5\""), "what cannot be a range is named");
    window.retype("Training images", "train:0..200");
    ready(&mut window, "Start training");
    // A folder of something else is refused before the start.
    std::fs::create_dir(window.folder.path().join("thesis")).expect("a writable folder");
    std::fs::write(window.folder.path().join("thesis/thesis.tex"), "").expect("a writable folder");
    choose_folder(&mut window, "thesis");
    wait_for(&mut window, "is no folder of a training");
    window.picture("train-form-wrong");
    let button = window.harness.get_by_role_and_label(Role::Button, "Start training");
    assert!(button.accesskit_node().is_disabled());
}

#[test]
fn names_are_completed_and_chosen_and_settings_are_changed_by_place() {
    let mut window = window();
    window.click("Train");
    rewrite(&mut window, "Name", "trades");
    assert!(says(&window, "is no name of a model"), "half a name is none");
    window.picture("train-form-completing");
    window.click("trades6_…i7_e00314_f100");
    assert!(says(&window, "TRADES with weight 6; PGD-7, L-inf 0.0314"), "what the name stands for is said");
    window.harness.set_size([1280.0, 2600.0].into());
    window.click("Advanced");
    window.harness.run_steps(20);
    window.retype("Iterations", "many");
    assert!(says(&window, "Iterations: \"many\" is not a whole number"));
    window.retype("Iterations", "3");
    assert!(says(&window, "TRADES with weight 6; PGD-3, L-inf 0.0314"));
    // Where names begin alike, their ends are offered.
    rewrite(&mut window, "Name", &format!("{PLAIN}_l"));
    window.click("…_ls01");
    assert!(says(&window, "Adversarial training, labels smoothed by 0.1; PGD-3"));
    // By keys alone: the second one.
    rewrite(&mut window, "Name", &format!("{PLAIN}_ln"));
    for key in [eframe::egui::Key::ArrowDown, eframe::egui::Key::ArrowDown, eframe::egui::Key::Enter] {
        window.harness.key_press(key);
        window.harness.run_steps(2);
    }
    assert!(says(&window, "Adversarial training, a share of 0.1 of the labels random; PGD-3"));
    rewrite(&mut window, "Name", &format!("{PLAIN}_ema0999_sam005_cyc_es"));
    let summary = "SAM of radius 0.05, running average with tau 0.999 after a warm-up, early stopping; PGD-3, L-inf 0.0314; SGD, learning rate from 0 up to 0.2 and back";
    assert!(says(&window, summary), "everything that is not usual is said");
    // A choice brings settings of its own.
    window.choose("Optimizer", "adam");
    window.retype("Beta1", "0.8");
    assert!(says(&window, "Adam, learning rate from 0 up to 0.2"));
    window.choose("Labels", "smoothed");
    window.retype("Smoothed", "0.2");
    assert!(says(&window, "labels smoothed by 0.2"));
    window.picture("train-form-advanced");
    // Taken back, they are as the name has them.
    window.click("Reset Labels");
    window.click("Reset Optimizer");
    assert!(says(&window, summary));
}

/// The tests have settings of their own, whose empty fields say what is usual.
#[test]
fn the_evaluation_is_set_in_the_form() {
    let mut window = window();
    window.click("Train");
    let usual =
        |window: &Window, label: &str| window.harness.get_by_role_and_label(Role::TextInput, label).value();
    assert!(says(&window, "Tested with PGD-7, L-inf 0.0314"));
    assert_eq!(usual(&window, "Test epsilon").as_deref(), Some(""), "as in training");
    assert_eq!(usual(&window, "Test steps").as_deref(), Some("7"));
    assert_eq!(usual(&window, "Training subset").as_deref(), Some("500"));
    window.retype("Test epsilon", "4/255");
    window.retype("Test steps", "20");
    window.retype("Training subset", "0");
    assert!(says(&window, "Tested with PGD-20, L-inf 4/255"));
    window.retype("Training subset", "many");
    assert!(says(&window, "Training subset: use a whole number of at least 0"));
    window.picture("train-form-evaluation");
}

/// What was trained before something went wrong stays in sight, with the reason.
#[test]
fn a_training_that_diverges_is_shown_as_far_as_it_came() {
    let mut window = Window::with_engine(Arc::new(Trainer { diverges: true, ..Trainer::default() }));
    window.click("Train");
    window.retype("Epochs", "12");
    let folder = choose_folder(&mut window, "mine");
    ready(&mut window, "Start training");
    window.click("Start training");
    window.until("it has ended", |app| app.jobs().entries().iter().any(|entry| !entry.is_active()));
    window.until("the study shows it", |app| app.session().records().len() == 1);
    wait_for(&mut window, "2 of 12");
    assert!(says(&window, "diverged in step 81; use a smaller learning rate"));
    let study = window.harness.state().session();
    assert_eq!(study.records()[0].path, folder);
    assert_eq!(window.harness.state().visible_panes(), [Pane::History]);
    // Tried again, it comes no further, and the curves are still there.
    window.harness.get_all_by_label("Try again").next().expect("a button").click();
    window.harness.run_steps(3);
    window.until("it has ended again", |app| app.jobs().entries().iter().all(|entry| !entry.is_active()));
    window.settle();
    assert!(says(&window, "2 of 12"));
}

/// Without its images a training is not begun, and the reason stands where its time would.
#[test]
fn missing_images_are_told_before_the_start() {
    let mut window = Window::with_engine(Arc::new(Trainer { bare: true, ..Trainer::default() }));
    window.click("Train");
    let folder = choose_folder(&mut window, "mine");
    ready(&mut window, "Start training");
    window.choose("Data set", "CIFAR-10, whole");
    wait_for(&mut window, "CIFAR-10 was not found; `basin data fetch cifar10` downloads it");
    let button = window.harness.get_by_role_and_label(Role::Button, "Start training");
    assert!(button.accesskit_node().is_disabled());
    window.picture("train-form-missing");
    assert!(!folder.exists());
    window.choose("Data set", "CIFAR-10, bundled");
    ready(&mut window, "Start training");
}

#[test]
fn the_folder_of_a_training_opens_as_its_history_and_its_networks_are_measured() {
    let mut window = window();
    let folder = trained(&window, "at", &sample::job());
    open(&mut window, &[&folder]);
    assert_eq!(window.harness.state().visible_panes(), [Pane::History]);
    assert!(says(&window, "15 of 15") && says(&window, "Finished in"));
    let error = 100.0 * sample::scores(&sample::job(), 10).robust_error;
    assert!(
        says(&window, &format!("epoch 11: robust error {error:.1} %")),
        "where robust overfitting begins"
    );
    assert!(says(&window, "lowest robust test loss, epoch 11"), "and by which measure, in the legend");
    assert_eq!(
        window.harness.state().session().models().len(),
        0,
        "networks are opened when they are wanted"
    );
    window.compare("history");
    let error = 100.0 * sample::scores(&sample::job(), 5).robust_error;
    window.choose("Network", &format!("epoch 6, robust error {error:.1} %"));
    window.click("Flatness…");
    window.settle();
    window.picture("history-flatness");
    let study = window.harness.state().session();
    let path = folder.join("snapshots/epoch-0005.safetensors");
    assert_eq!(study.selected.as_deref(), Some(&*path));
    assert_eq!(window.harness.state().visible_panes(), [Pane::History], "the history stays in sight");
    assert!(says(&window, "10 draws"), "the form of flatness is there");
    window.click("Run");
    window.settle();
    let study = window.harness.state().session();
    let flatness = study.records().iter().find(|s| matches!(s.record.outcome, Outcome::Flatness(_)));
    assert_eq!(flatness.expect("flatness was measured").record.job.checkpoint(), Some(&*path));
    window.picture("history-measured");
    window.harness.state_mut().command(Command::ThemeLight);
    open(&mut window, &[&folder]);
    window.harness.run_steps(4);
    window.compare("history-light");
}

#[test]
fn the_settings_of_a_training_or_a_job_file_are_taken_over() {
    let mut window = window();
    let folder = trained(&window, "at", &sample::job());
    open(&mut window, &[&folder]);
    window.click("Train again…");
    assert!(says(&window, "With the settings of another training"));
    window.harness.get_by_label("Full configuration").scroll_to_me();
    window.harness.run_steps(8);
    window.click("Full configuration");
    assert!(says(&window, "\"train\": \"train:0..2000\""), "everything that will be done can be read");
    window.picture("train-form-again");
    let mut job = sample::job();
    job.attack.steps = 11;
    let file = window.folder.path().join("other.json");
    std::fs::write(&file, Job::Train(Box::new(job)).to_json()).expect("a writable folder");
    open(&mut window, &[&file]);
    assert!(says(&window, "PGD-11"));
}

#[test]
fn several_trainings_are_laid_over_each_other_and_exported() {
    let mut window = window();
    let (one, two) = (sample::job(), Train { seed: 30, ..sample::job() });
    let folders = [trained(&window, "at", &one), trained(&window, "awp", &two)];
    open(&mut window, &[&folders[0], &folders[1]]);
    assert!(says(&window, "2 trainings"));
    window.compare("history-two");
    let right = |window: &Window, label| {
        let last = window
            .harness
            .get_all_by_label(label)
            .max_by(|a, b| a.rect().right().total_cmp(&b.rect().right()));
        last.expect("it is there").rect().right()
    };
    for width in [1440.0, 1280.0, 1180.0, 1100.0] {
        window.harness.set_size([width, 800.0].into());
        window.harness.run_steps(4);
        let panel = window.harness.get_by_label("Measure").rect().left();
        let last = if says(&window, "More") { "More" } else { "Train again…" };
        assert!(right(&window, last) <= panel, "{last} is in sight at {width}");
    }
    window.harness.state_mut().command(Command::ThemeLight);
    window.harness.set_size([960.0, 600.0].into());
    window.harness.run_steps(4);
    window.picture("history-two-light-small");
    window.harness.state_mut().command(Command::Export);
    window.harness.run_steps(3);
    window.choose("Quantity", "Error");
    window.click("Data");
    let path = window.folder.path().join("history.csv");
    window.harness.state_mut().handle(Answer::Chosen { purpose: Purpose::Export, paths: vec![path.clone()] });
    window.settle();
    window.click("Export");
    window.settle();
    let table = std::fs::read_to_string(&path).expect("the table is written");
    let lines: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines[0], r#"x,"at, test","at, training","awp, test","awp, training""#);
    assert_eq!(lines.len(), 16);
    let robust = sample::scores(&one, 14).robust_error;
    assert!(lines[15].starts_with(&format!("15.0,{robust:?},")), "{}", lines[15]);
}

#[test]
fn twelve_trainings_share_the_charts_and_one_legend() {
    let mut window = window();
    let folders: Vec<PathBuf> = (0..13)
        .map(|i| trained(&window, &format!("run-{i:02}"), &Train { seed: 3 * i, ..sample::job() }))
        .collect();
    open(&mut window, &folders[..12].iter().map(|folder| &**folder).collect::<Vec<_>>());
    assert_eq!(window.harness.state().session().beside().count(), 11, "all of them are shown");
    assert!(says(&window, "12 trainings"));
    let entry = |window: &Window, name: &str| {
        let mut entries = window.harness.query_all_by_role_and_label(Role::CheckBox, name);
        let toggled = entries.next().expect("an entry of the legend").accesskit_node().toggled();
        assert!(entries.next().is_none(), "one legend for all charts");
        toggled
    };
    for name in ["run-00", "run-11", "test", "training", "lowest robust test loss"] {
        assert_eq!(entry(&window, name), Some(Toggled::True), "{name}");
    }
    window.compare("history-twelve");
    window.harness.get_by_role_and_label(Role::CheckBox, "training").click();
    window.harness.run_steps(3);
    assert_eq!(entry(&window, "training"), Some(Toggled::False));
    window.picture("history-twelve-tests");
    // More than can be told apart are not all shown, which is said.
    let mut window = self::window();
    let folders: Vec<PathBuf> = (0..13)
        .map(|i| trained(&window, &format!("run-{i:02}"), &Train { seed: 3 * i, ..sample::job() }))
        .collect();
    open(&mut window, &folders.iter().map(|folder| &**folder).collect::<Vec<_>>());
    assert!(says(&window, "12 of 13 trainings"));
    assert!(says(&window, "shows another beside them"), "and how to choose");
}

#[test]
fn a_training_of_another_process_is_followed() {
    let mut window = window();
    let job = sample::job();
    let folder = window.folder.path().join("elsewhere");
    sample::begin(&folder, &job);
    sample::epoch(&folder, &job, 0);
    open(&mut window, &[&folder]);
    assert!(says(&window, "1 of 15") && says(&window, "epoch 1 of 15"));
    window.picture("history-first");
    sample::epoch(&folder, &job, 1);
    // Half a line is being written.
    sample::write(&folder, "{\"kind\":\"steps\",\"epo");
    window.until("the second epoch is seen", |app| epochs(&app.session().records()[0].record) == 2);
    assert!(says(&window, "2 of 15"));
    assert!(!says(&window, "cannot be read"), "a line in the making is no damage");
}

#[test]
fn a_damaged_log_shows_what_is_left_of_it() {
    let mut window = window();
    let job = Train { epochs: 4, ..sample::job() };
    let folder = window.folder.path().join("damaged");
    sample::begin(&folder, &job);
    sample::epoch(&folder, &job, 0);
    sample::write(&folder, "{\"kind\":\"epoch\",\"epoch\"\u{0}\u{0}\n");
    // A loss that was no number is null in JSON.
    let line = serde_json::to_string(&sample::lines(&job, 1)[4]).expect("plain data");
    let loss = sample::scores(&job, 1).robust_loss;
    sample::write(&folder, &(line.replace(&format!("{loss}"), "null") + "\n"));
    sample::epoch(&folder, &job, 2);
    open(&mut window, &[&folder]);
    window.picture("history-damaged");
    assert_eq!(epochs(&window.harness.state().session().records()[0].record), 3);
    assert!(says(&window, "1 line of log.jsonl cannot be read"));
    assert!(says(&window, "not a finite number in epoch 2"));
}

#[test]
fn a_training_as_a_command_line_is_that_training() {
    let mut job = preset(PLAIN).expect("a name of the grammar").train;
    assert_eq!(command_line(&Job::Train(Box::new(job.clone()))), format!("basin train --preset {PLAIN}"));
    job.use_data("bundled");
    job.use_epochs(10);
    (job.attack.steps, job.snapshot_every, job.clipping) = (3, 2, Some(0.5));
    let command = command_line(&Job::Train(Box::new(job.clone())));
    let mut again = preset(PLAIN).expect("a name of the grammar").train;
    for setting in command.split(" --set ").skip(1) {
        again = again.with(setting.trim_matches('\'')).unwrap_or_else(|e| panic!("{setting}: {e}"));
    }
    assert_eq!(again, job, "{command}");
    // What the job in a folder states follows from the rest, unless it was changed.
    job.evaluation = job.evaluation.resolved(&job.attack);
    assert_eq!(command_line(&Job::Train(Box::new(job.clone()))), command);
    job.evaluation.steps = 20;
    assert!(command_line(&Job::Train(Box::new(job))).contains("--set evaluation.steps=20"));
}

/// The one test with the real computation: two epochs of a tiny network, and what it keeps is a checkpoint.
#[test]
fn the_real_thing_trains() {
    let mut window = Window::with_engine(Arc::new(Core));
    window.click("Train");
    for (field, text) in [
        ("Channels", "2"),
        ("Epochs", "2"),
        ("Batch size", "20"),
        ("Training images", "train:0..40"),
        ("Test images", "test:0..20"),
    ] {
        window.retype(field, text);
    }
    window.harness.get_by_label("Advanced").scroll_to_me();
    window.harness.run_steps(20);
    window.click("Advanced");
    window.harness.run_steps(20);
    window.retype("Filter", "number of updates");
    window.retype("Iterations", "1");
    let folder = choose_folder(&mut window, "real");
    ready(&mut window, "Start training");
    window.click("Start training");
    window.settle();
    window.picture("history-real");
    let study = window.harness.state().session();
    let record = &study.records().first().expect("a record").record;
    assert!(record.provenance.complete && epochs(record) == 2);
    assert_eq!(record.provenance.data, "bundled");
    assert_eq!(*record.job.subject(), *Path::new(PLAIN));
    window.choose("Network", &networks(record)[1]);
    window.click("Open");
    window.settle();
    window.picture("history-real-opened");
    let model = window.harness.state().session().selected_model().expect("the network is open");
    assert_eq!(model.path, folder.join("snapshots/epoch-0001.safetensors"));
    let summary = model.summary.ready().expect("a checkpoint that opens");
    assert_eq!(summary.model, record_model(&window));
}

/// What the networks of a training are called in its list.
fn networks(record: &Record) -> Vec<String> {
    let Outcome::Train(training) = &record.outcome else { panic!("a training") };
    let words = |epoch: &basin_core::train::Epoch| {
        format!("epoch {}, robust error {:.1} %", epoch.epoch + 1, 100.0 * epoch.test.robust_error)
    };
    training.epochs.iter().map(words).collect()
}

fn record_model(window: &Window) -> String {
    window.harness.state().session().records()[0].record.provenance.model.clone()
}
