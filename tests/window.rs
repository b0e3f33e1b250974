//! The window by role and label, with a stand-in for the computation: no libtorch, no minutes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use basin::command::Command;
use basin::jobs::{Core, Engine};
use basin::ui::{Answer, App, Pane, Purpose, Target};
use basin_core::checkpoint::{Role, Summary, TensorSummary};
use basin_core::job::{Compute, DataSelection, Evaluate, Job, Landscape, Pgd};
use basin_core::progress::{Event, Progress};
use basin_core::record::{
    DirectionSummary, Evaluated, Evaluation, FORMAT, Grid, LandscapeOutcome, Outcome, PerExample, Point,
    Provenance, Record,
};
use basin_core::run::{Estimate, RunOptions};
use basin_core::{Error, Result};
use eframe::egui::accesskit::Role as WidgetRole;
use eframe::egui::{Key, Modifiers, Pos2, Rect, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, Node};

/// Computes a bowl, coarse to fine; stops halfway and waits when it is told to.
#[derive(Default)]
struct Fake {
    held: Arc<Mutex<bool>>,
    fails: bool,
}

impl Engine for Fake {
    fn inspect(&self, path: &Path) -> Result<Summary> {
        if path.to_string_lossy().contains("broken") {
            return Err(Error::file(path, "is empty; download it again"));
        }
        Ok(summary(path))
    }

    fn estimate(&self, _: &Job) -> Result<Estimate> {
        Ok(Estimate { units: 625, seconds: 40.0 })
    }

    fn run(&self, job: &Job, _: &RunOptions, progress: &mut dyn Progress) -> Result<Record> {
        match job {
            Job::Evaluate(_) => Ok(evaluation(job)),
            Job::Landscape(_) if self.fails => {
                Err(Error::invalid("the loss became NaN at step 3; the checkpoint is damaged"))
            }
            Job::Landscape(landscape) => self.landscape(job, landscape, progress),
        }
    }
}

impl Fake {
    /// Stops halfway until the lock says false.
    fn hold(&self) -> Arc<Mutex<bool>> {
        *self.held.lock().expect("not poisoned") = true;
        self.held.clone()
    }

    fn landscape(&self, job: &Job, landscape: &Landscape, progress: &mut dyn Progress) -> Result<Record> {
        let n = landscape.steps;
        let axis: Vec<f64> =
            (0..n).map(|i| landscape.range * (2.0 * i as f64 / (n - 1) as f64 - 1.0)).collect();
        let rows = if landscape.second.is_some() { n } else { 1 };
        let total = (n * rows) as u64;
        let (mut clean, mut robust) = (Grid::empty(n, None), Grid::empty(n, None));
        if landscape.second.is_some() {
            (clean, robust) = (Grid::empty(n, Some(n)), Grid::empty(n, Some(n)));
        }
        let mut complete = true;
        progress.report(Event::Started { label: "robust landscape".into(), done: 0, total })?;
        let mut points: Vec<(usize, usize)> = (0..rows).flat_map(|y| (0..n).map(move |x| (x, y))).collect();
        points.sort_by_key(|(x, y)| (x % 4 + y % 4 != 0, x % 2 + y % 2 != 0));
        for (done, (x, y)) in points.into_iter().enumerate() {
            while done as u64 > total / 2 && *self.held.lock().expect("no test panics while it holds this") {
                std::thread::sleep(Duration::from_millis(2));
                if progress.report(Event::Step { done: done as u64, total }).is_err() {
                    complete = false;
                    break;
                }
            }
            if !complete {
                break;
            }
            let (u, v) = (axis[x], if rows > 1 { axis[y] } else { 0.0 });
            let bowl =
                0.8 + 4.0 * (u * u + 0.6 * v * v) + 0.8 * u * v + 0.25 * (5.0 * u).sin() * (4.0 * v).cos();
            let point = |loss: f64| Point { loss, error: 1.0 - (-0.4 * loss).exp() };
            clean.set(x, y, point(0.45 * bowl));
            robust.set(x, y, point(bowl));
            let cell = Event::Cell { x, y, clean: Some(point(0.45 * bowl)), robust: Some(point(bowl)) };
            let step = Event::Step { done: done as u64 + 1, total };
            if progress.report(cell).and_then(|()| progress.report(step)).is_err() {
                complete = false;
                break;
            }
        }
        let outcome = LandscapeOutcome {
            y: landscape.second.is_some().then(|| axis.clone()),
            x: axis,
            clean: Some(clean),
            robust: Some(robust),
            directions: vec![direction(), direction()],
            cosine: Some(0.01),
        };
        Ok(record(job, Outcome::Landscape(outcome), complete))
    }
}

fn direction() -> DirectionSummary {
    DirectionSummary { name: "random".into(), norm: 4.2, relative_norm: 0.5, layers: Vec::new() }
}

fn record(job: &Job, outcome: Outcome, complete: bool) -> Record {
    let provenance = Provenance {
        version: "0.1.0".into(),
        seed: job.compute().seed,
        device: "cpu (2 threads)".into(),
        search_precision: "bf16".into(),
        measure_precision: "f32".into(),
        data: "bundled CIFAR-10".into(),
        data_fingerprint: "9f86d081884c7d65".into(),
        checkpoint_hash: "ab".repeat(32),
        model: "ResNet-18, 8 channels, rebn".into(),
        started: "2026-11-22T17:33:00Z".into(),
        duration_s: 38.2,
        complete,
        ..Provenance::default()
    };
    Record { format: FORMAT, job: job.clone(), provenance, outcome }
}

fn evaluation(job: &Job) -> Record {
    let n = 8;
    let evaluated = |error: f64| Evaluated {
        loss: 1.2,
        error,
        per_example: PerExample {
            index: (0..n).collect(),
            label: vec![0; n],
            loss: vec![1.2; n],
            predicted: vec![0; n],
            confidence: vec![0.5; n],
        },
    };
    let robust = matches!(job, Job::Evaluate(job) if job.attack.is_some()).then(|| evaluated(0.625));
    record(job, Outcome::Evaluate(Evaluation { clean: evaluated(0.25), robust }), true)
}

fn summary(path: &Path) -> Summary {
    let tensor = |name: &str, shape: &[i64], role| TensorSummary {
        name: name.into(),
        shape: shape.into(),
        role,
        l2_norm: 1.5,
    };
    Summary {
        path: path.to_owned(),
        hash: "ab".repeat(32),
        bytes: 733_154,
        container: "PyTorch legacy".into(),
        family: "ResNet".into(),
        model: "ResNet-18, 8 channels, rebn".into(),
        normalization: "rebn".into(),
        activation: "relu".into(),
        classes: 10,
        resolution: [3, 32, 32],
        epoch: Some(4),
        parameters: 175_258,
        preprocessing: "clamp to [0, 1], whiten".into(),
        topology: vec![
            "conv1 3 × 3, 3 → 8".into(),
            "block0".into(),
            "  conv1 3 × 3, 8 → 8".into(),
            "logits 64 → 10".into(),
        ],
        tensors: vec![
            tensor("conv1.weight", &[8, 3, 3, 3], Role::Weight),
            tensor("norm1.weight", &[8], Role::Normalization),
        ],
        notices: Vec::new(),
    }
}

/// A window on a fake, in a folder of its own with a file that can pass for a checkpoint.
struct Window {
    harness: Harness<'static, App>,
    folder: tempfile::TempDir,
}

impl Window {
    fn new(fake: Fake) -> Self {
        Self::with_engine(Arc::new(fake))
    }

    fn with_engine(engine: Arc<dyn Engine>) -> Self {
        let harness = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_max_steps(64)
            .with_wait_for_pending_images(false)
            .wgpu()
            .build_eframe(|cc| App::new(cc, engine, Vec::new()));
        Self { harness, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn checkpoint(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, b"weights").expect("a writable folder");
        path
    }

    /// Opens a checkpoint the way the dialog's answer does.
    fn open(&mut self, name: &str) -> PathBuf {
        let path = self.checkpoint(name);
        self.harness
            .state_mut()
            .handle(Answer::Chosen { purpose: Purpose::OpenCheckpoints, paths: vec![path.clone()] });
        self.settle();
        path
    }

    /// Draws until no thread works.
    fn settle(&mut self) {
        self.until("every thread has answered", |app| !app.is_busy());
        self.harness.run_steps(4);
    }

    fn until(&mut self, what: &str, mut reached: impl FnMut(&App) -> bool) {
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            self.harness.step();
            if reached(self.harness.state()) {
                return self.harness.run_steps(2);
            }
            assert!(Instant::now() < patience, "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Runs a 2-D landscape of few points.
    fn run_small(&mut self) {
        self.retype("Steps", "9");
        self.click("Run");
        self.settle();
    }

    fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.run_steps(3);
    }

    /// Replaces what a field says, by keyboard.
    fn retype(&mut self, label: &str, text: &str) {
        self.harness.get_by_role_and_label(WidgetRole::TextInput, label).click();
        self.harness.step();
        self.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        self.harness.step();
        self.harness.get_by_role_and_label(WidgetRole::TextInput, label).type_text(text);
        self.harness.run_steps(3);
    }

    /// The user presses the window's close button; whether the window refuses.
    fn request_close(&mut self) -> bool {
        let root = self.harness.input_mut().viewports.entry(ViewportId::ROOT).or_default();
        root.events.push(ViewportEvent::Close);
        self.harness.step();
        let refused = self.sent(&ViewportCommand::CancelClose);
        self.harness.run_steps(3);
        refused
    }

    /// Whether the last frame sent a command to the desktop.
    fn sent(&self, command: &ViewportCommand) -> bool {
        self.harness.output().viewport_output.values().any(|output| output.commands.contains(command))
    }

    fn picture(&mut self, name: &str) {
        if let Some(folder) = std::env::var_os("BASIN_PICTURES") {
            let image = self.harness.render().expect("a software renderer");
            image.save(PathBuf::from(folder).join(format!("{name}.png"))).expect("a writable folder");
        }
    }
}

fn run_button(window: &Window) -> Node<'_> {
    window.harness.get_by_role_and_label(WidgetRole::Button, "Run")
}

fn half_done(app: &App) -> bool {
    app.jobs().entries().iter().any(|entry| entry.live().fraction() > 0.5)
}

#[test]
fn an_empty_window_says_what_to_do() {
    let mut window = Window::new(Fake::default());
    window.harness.run_steps(3);
    window.picture("empty");
    assert!(window.harness.query_all_by_label("Open checkpoint…").next().is_some());
    assert!(window.harness.query_by_label("Open a checkpoint first.").is_some());
}

#[test]
fn opening_shows_what_a_checkpoint_is() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.picture("model");
    assert!(window.harness.query_all_by_label_contains("175,258").next().is_some());
    assert!(window.harness.query_all_by_label_contains("25.0 % on the first").next().is_some());
    assert!(window.harness.query_by_label_contains("625 grid points").is_some());
}

#[test]
fn a_broken_checkpoint_is_an_error_in_words() {
    let mut window = Window::new(Fake::default());
    window.open("broken.pth.tar");
    window.picture("broken");
    assert!(window.harness.query_all_by_label_contains("is empty; download it again").next().is_some());
    assert!(run_button(&window).accesskit_node().is_disabled());
}

#[test]
fn an_invalid_field_says_so_and_disables_run() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    assert!(!run_button(&window).accesskit_node().is_disabled());
    window.retype("Steps", "24");
    window.picture("invalid");
    assert!(window.harness.query_by_label_contains("use an odd number").is_some());
    assert!(run_button(&window).accesskit_node().is_disabled());
    window.retype("Steps", "25");
    assert!(!run_button(&window).accesskit_node().is_disabled());
}

#[test]
fn a_landscape_runs_to_its_record() {
    let mut window = Window::new(Fake::default());
    let path = window.open("classifier.pth.tar");
    window.click("Run");
    window.settle();
    window.picture("surface");
    let study = window.harness.state().study();
    let stored = study.records().first().expect("the record of the finished job");
    assert_eq!(*stored.record.job.checkpoint(), path);
    assert!(stored.path.is_file(), "the record is a file beside the checkpoint");
    assert!(Record::load(&stored.path).expect("a readable record").provenance.complete);
    assert_eq!(study.target, Some(Target::Record(stored.id)));
    assert!(window.harness.state().visible_panes().contains(&Pane::Surface));
    assert!(window.harness.query_all_by_label("2-D robust loss").next().is_some());
    for (tab, name) in [("Curves", "curves"), ("Contours", "contours"), ("Display", "display")] {
        window.click(tab);
        window.picture(name);
    }
}

#[test]
fn a_cancelled_landscape_keeps_what_is_there() {
    let fake = Fake::default();
    let held = fake.hold();
    let mut window = Window::new(fake);
    window.open("classifier.pth.tar");
    window.click("Run");
    window.until("half of the landscape is there", half_done);
    window.picture("running");
    window.click("Cancel");
    window.settle();
    window.picture("cancelled");
    let stored = window.harness.state().study().records().first().cloned().expect("a partial record");
    assert!(!stored.record.provenance.complete);
    assert!(window.harness.query_all_by_label_contains("what was finished is kept").next().is_some());
    // The same job goes on, in the same file.
    *held.lock().expect("not poisoned") = false;
    window.click("Continue");
    window.settle();
    let records = window.harness.state().study().records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].path, stored.path);
    assert!(records[0].record.provenance.complete);
}

#[test]
fn a_failed_job_says_why() {
    let mut window = Window::new(Fake { fails: true, ..Fake::default() });
    window.open("classifier.pth.tar");
    window.click("Run");
    window.settle();
    assert!(window.harness.query_all_by_label_contains("The loss became NaN at step 3").next().is_some());
    window.click("Dismiss");
    assert!(window.harness.query_by_label_contains("The loss became NaN").is_none());
}

#[test]
fn tabs_switch() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    for pane in [Pane::Surface, Pane::Curves, Pane::Contours, Pane::Table, Pane::Model] {
        window.click(pane.title());
        assert_eq!(window.harness.state().visible_panes(), [pane]);
    }
}

#[test]
fn closing_while_a_job_runs_asks_and_keeps_what_is_finished() {
    let fake = Fake::default();
    let _held = fake.hold();
    let mut window = Window::new(fake);
    window.open("classifier.pth.tar");
    window.click("Run");
    window.until("half of the landscape is there", half_done);
    assert!(window.request_close());
    window.picture("closing");
    window.click("Keep running");
    assert!(window.harness.query_by_label("A job is still running").is_none());
    assert_eq!(window.harness.state().jobs().active(), 1);
    assert!(window.request_close());
    window.click("Cancel the job and close");
    let mut closed = false;
    let patience = Instant::now() + Duration::from_secs(30);
    while !closed && Instant::now() < patience {
        window.harness.step();
        closed = window.sent(&ViewportCommand::Close);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(closed, "the window closes when the job has stopped");
    assert_eq!(window.harness.state().study().records().len(), 1);
}

#[test]
fn closing_an_idle_window_does_not_ask() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    assert!(!window.request_close());
}

#[test]
fn records_open_and_show_their_provenance() {
    let mut window = Window::new(Fake::default());
    let checkpoint = window.checkpoint("classifier.pth.tar");
    let job = Job::Evaluate(Evaluate {
        checkpoint,
        data: DataSelection::default(),
        attack: Some(Pgd::default()),
        compute: Compute::default(),
    });
    let file = window.folder.path().join("evaluation.json");
    evaluation(&job).save(&file).expect("a writable folder");
    window.harness.state_mut().open_paths(vec![file]);
    window.settle();
    window.picture("table");
    assert_eq!(window.harness.state().visible_panes(), [Pane::Table]);
    assert!(window.harness.query_by_label("62.5 %").is_some());
    assert!(window.harness.query_by_label("9f86d081884c7d65").is_some());
}

#[test]
fn a_file_that_is_no_record_says_so() {
    let mut window = Window::new(Fake::default());
    let file = window.folder.path().join("notes.json");
    std::fs::write(&file, "{}").expect("a writable folder");
    window.harness.state_mut().open_paths(vec![file]);
    window.settle();
    assert!(window.harness.query_all_by_label_contains("is not a Basin record").next().is_some());
}

#[test]
fn figures_views_and_data_export() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.run_small();
    for (what, kind, name, start) in [
        ("Figure", Some("PDF"), "map.pdf", b"%PDF".as_slice()),
        ("Figure", Some("SVG"), "map.svg", b"<svg"),
        ("Figure", Some("PNG"), "map.png", b"\x89PNG"),
        ("3-D view", None, "surface.png", b"\x89PNG"),
        ("Data", None, "table.csv", b"#"),
    ] {
        window.harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
        window.harness.run_steps(3);
        window.click(what);
        if let Some(kind) = kind {
            window.click(kind);
        }
        let path = window.folder.path().join(name);
        // As the answer of the file dialog.
        let paths = vec![path.clone()];
        window.harness.state_mut().handle(Answer::Chosen { purpose: Purpose::Export, paths });
        window.harness.run_steps(2);
        window.picture(&format!("export-{name}"));
        window.click("Export");
        window.settle();
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(bytes.starts_with(start), "{name} begins with {:?}", bytes.get(..8));
        let written = format!("Written: {}", path.display());
        assert!(window.harness.query_by_label(&written).is_some(), "the window says where {name} is");
    }
}

#[test]
fn an_export_that_cannot_be_written_says_so() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.run_small();
    window.harness.state_mut().command(Command::Export);
    window.harness.run_steps(3);
    window.click("Data");
    let paths = vec![window.folder.path().join("nowhere/table.csv")];
    window.harness.state_mut().handle(Answer::Chosen { purpose: Purpose::Export, paths });
    window.harness.run_steps(2);
    window.click("Export");
    window.settle();
    assert!(window.harness.query_all_by_label_contains("does not exist; create it first").next().is_some());
}

#[test]
fn one_direction_gives_curves() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.click("1-D");
    window.click("Run");
    window.settle();
    assert_eq!(window.harness.state().visible_panes(), [Pane::Curves]);
    assert!(window.harness.query_all_by_label("1-D robust loss").next().is_some());
    window.picture("curves-1d");
}

#[test]
fn the_window_is_usable_when_small_and_light() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.run_small();
    window.harness.state_mut().command(Command::ThemeLight);
    window.harness.set_size([960.0, 600.0].into());
    window.harness.run_steps(4);
    window.picture("light-small");
    let inside = Rect::from_min_size(Pos2::ZERO, [960.0, 600.0].into());
    for label in ["Run", "Surface", "Table", "Display"] {
        let rect = window.harness.get_by_role_and_label(WidgetRole::Button, label).rect();
        assert!(inside.contains_rect(rect), "{label} at {rect} is inside {inside}");
    }
}

/// The one test with the real computation: the bundled network, three points, four images.
#[test]
fn the_real_thing_runs() {
    let mut window = Window::with_engine(Arc::new(Core));
    let path = window.folder.path().join("network.pth.tar");
    let bundled = basin_core::checkpoint::bundled_path().expect("the bundled checkpoint");
    std::fs::copy(bundled, &path).expect("a writable folder");
    window.harness.state_mut().open_paths(vec![path]);
    window.settle();
    window.click("1-D");
    window.retype("Steps", "3");
    window.retype("Examples", "test:0..4");
    window.click("PGD-20, L-inf 8/255");
    window.retype("Iterations", "2");
    window.click("Run");
    window.settle();
    window.picture("real");
    let study = window.harness.state().study();
    let stored = study.records().first().expect("a record");
    let Outcome::Landscape(landscape) = &stored.record.outcome else { panic!("a landscape was asked for") };
    let robust = landscape.robust.as_ref().expect("the robust loss was asked for");
    assert!(robust.loss.iter().all(|loss| loss.is_some_and(|loss| loss.is_finite() && loss > 0.0)));
}
