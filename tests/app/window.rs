//! The window by role and label, with a stand-in for the computation: no libtorch, no minutes.

mod model;
mod spectrum;
mod status;
mod study;
mod surfaces;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use basin::command::Command;
use basin::jobs::{Core, Engine, Status};
use basin::state::{Measure, State};
use basin::ui::{Answer, App, Pane, Purpose, Target, command_line};
use basin_core::checkpoint::Summary;
use basin_core::job::{
    Compute, DataSelection, DirectionKind, Evaluate, Job, Landscape, LandscapeLoss, Normalization, Pgd,
};
use basin_core::progress::Event;
use basin_core::record::{Outcome, Record};
use basin_core::run::{Estimate, Observer, RunOptions};
use eframe::Storage as _;
use eframe::egui::accesskit::Role as WidgetRole;
use eframe::egui::{Key, Modifiers, Pos2, Rect, ViewportCommand};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, Node};

use crate::support::bowl::{Fake, evaluation};
use crate::support::window::Window;

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
    window.compare("empty");
    assert!(window.harness.query_all_by_label("Open checkpoint…").next().is_some());
    assert!(window.harness.query_by_label("Open a checkpoint first.").is_some());
}

#[test]
fn opening_shows_what_a_checkpoint_is() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.compare("model");
    assert!(window.harness.query_all_by_label_contains("176,402").next().is_some());
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
    window.retype("Steps", "2");
    window.picture("invalid");
    assert!(window.harness.query_by_label_contains("use 3 or more").is_some());
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
    window.compare("surface");
    let study = window.harness.state().session();
    let stored = study.records().first().expect("the record of the finished job");
    assert_eq!(stored.record.job.checkpoint(), Some(&*path));
    assert!(stored.path.is_file(), "the record is a file beside the checkpoint");
    assert!(Record::load(&stored.path).expect("a readable record").provenance.complete);
    assert_eq!(study.target, Some(Target::Record(stored.id)));
    assert!(window.harness.state().visible_panes().contains(&Pane::Surface));
    assert!(window.harness.query_all_by_label("2-D robust loss").next().is_some());
    for (tab, name) in [("Curves", "curves"), ("Contours", "contours")] {
        window.click(tab);
        window.compare(name);
    }
    window.click("Display");
    window.picture("display");
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
    window.compare("cancelled");
    let stored = window.harness.state().session().records().first().cloned().expect("a partial record");
    assert!(!stored.record.provenance.complete);
    assert!(window.harness.query_all_by_label_contains("what was finished is kept").next().is_some());
    // The same job goes on, in the same file and in the same line of the list.
    let line = window.harness.state().jobs().entries()[0].id;
    *held.lock().expect("not poisoned") = false;
    window.click("Continue");
    window.settle();
    let jobs = window.harness.state().jobs().entries();
    assert_eq!(jobs.iter().map(|entry| entry.id).collect::<Vec<_>>(), [line]);
    assert_eq!(jobs[0].status, Status::Done);
    let records = window.harness.state().session().records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].path, stored.path);
    assert!(records[0].record.provenance.complete);
}

/// Shows a finished record instead of computing it again, as the real thing does.
#[derive(Default)]
struct Remembering {
    measures: Fake,
    computed: Arc<AtomicUsize>,
}

impl Engine for Remembering {
    fn inspect(&self, path: &Path) -> basin_core::Result<Summary> {
        self.measures.inspect(path)
    }

    fn estimate(&self, job: &Job) -> basin_core::Result<Estimate> {
        self.measures.estimate(job)
    }

    fn run(
        &self,
        job: &Job,
        options: &RunOptions,
        observer: &mut dyn Observer,
    ) -> basin_core::Result<Record> {
        let out = options.out.as_deref().filter(|out| !options.replace && out.is_file());
        if let Some(known) = out.and_then(|out| Record::load(out).ok()) {
            observer.report(Event::AlreadyDone)?;
            return Ok(known);
        }
        if matches!(job, Job::Landscape(_)) {
            self.computed.fetch_add(1, Ordering::Relaxed);
        }
        self.measures.run(job, options, observer)
    }
}

#[test]
fn a_finished_job_is_shown_as_it_is_and_computed_again_on_request() {
    let engine = Remembering::default();
    let computed = engine.computed.clone();
    let computed = || computed.load(Ordering::Relaxed);
    let mut window = Window::with_engine(Arc::new(engine));
    window.open("classifier.pth.tar");
    window.run_small();
    assert_eq!(computed(), 1);
    let says = |window: &Window| window.harness.query_by_label_contains("finished before").is_some();
    assert!(!says(&window));
    window.click("Run");
    window.settle();
    assert_eq!(computed(), 1, "nothing is computed");
    assert!(says(&window), "and that is said");
    assert!(window.harness.state().visible_panes().contains(&Pane::Surface));
    window.picture("known");
    window.click("Compute again");
    window.settle();
    assert_eq!(computed(), 2);
    assert!(!says(&window));
    let app = window.harness.state();
    assert_eq!((app.jobs().entries().len(), app.session().records().len()), (1, 1));
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
    window.compare("closing");
    window.click("Keep running");
    assert!(window.harness.query_by_label("A job is still running").is_none());
    assert_eq!(window.harness.state().jobs().active(), 1);
    assert!(window.request_close());
    window.click("Cancel the job and close");
    let mut closed = false;
    let patience = Instant::now() + Duration::from_secs(240);
    while !closed && Instant::now() < patience {
        window.harness.step();
        closed = window.sent(&ViewportCommand::Close);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(closed, "the window closes when the job has stopped");
    assert_eq!(window.harness.state().session().records().len(), 1);
}

#[test]
fn closing_an_idle_window_does_not_ask() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    assert!(!window.request_close());
}

/// Opens the record of an evaluation of a checkpoint of this name.
fn open_evaluation(window: &mut Window, name: &str) {
    let checkpoint = window.checkpoint(name);
    let job = Job::Evaluate(Evaluate {
        checkpoint,
        data: DataSelection::default(),
        attack: Some(Pgd::default()),
        compute: Compute::default(),
        ..Evaluate::default()
    });
    let file = window.folder.path().join("evaluation.json");
    evaluation(&job).save(&file).expect("a writable folder");
    window.harness.state_mut().open_paths(vec![file]);
    window.settle();
}

#[test]
fn records_open_and_show_their_provenance() {
    let mut window = Window::new(Fake::default());
    open_evaluation(&mut window, "classifier.pth.tar");
    window.compare("table");
    assert_eq!(window.harness.state().visible_panes(), [Pane::Table]);
    assert!(window.harness.query_by_label("62.5 %").is_some());
    assert!(window.harness.query_by_label("9f86d081884c7d65").is_some());
}

#[test]
fn the_table_is_exported_as_the_table() {
    let mut window = Window::new(Fake::default());
    open_evaluation(&mut window, "at, \"good\".pth.tar");
    assert_eq!(window.harness.state().visible_panes(), [Pane::Table]);
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
    window.harness.run_steps(3);
    window.picture("export-table");
    let path = window.folder.path().join("table.csv");
    let paths = vec![path.clone()];
    window.harness.state_mut().handle(Answer::Chosen { purpose: Purpose::Export, paths });
    window.harness.run_steps(2);
    window.click("Export");
    window.settle();
    let csv = std::fs::read_to_string(&path).expect("written");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert!(lines[0].starts_with("model,what,clean_loss,clean_error,robust_loss"), "{csv}");
    assert!(lines[1].starts_with("\"at, \"\"good\"\"\",") && lines[1].contains(",0.625,"), "{csv}");
}

#[test]
fn run_says_what_it_measures_and_waits_where_another_network_is_shown() {
    let mut window = Window::new(Fake::default());
    window.open("at.pth.tar");
    assert!(window.harness.query_by_label("Network: at").is_some());
    assert!(!run_button(&window).accesskit_node().is_disabled());
    let job = Job::Evaluate(Evaluate {
        checkpoint: window.folder.path().join("gone.pth.tar"),
        data: DataSelection::default(),
        attack: None,
        compute: Compute::default(),
        ..Evaluate::default()
    });
    let mut record = evaluation(&job);
    record.provenance.checkpoint_hash = "cd".repeat(32);
    let file = window.folder.path().join("of-another.json");
    record.save(&file).expect("a writable folder");
    window.harness.state_mut().open_paths(vec![file]);
    window.settle();
    assert!(window.harness.query_all_by_label_contains("is of another network").next().is_some());
    assert!(run_button(&window).accesskit_node().is_disabled());
    window.picture("run-of-another-network");
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
        window.settle();
        window.picture(&format!("export-{name}"));
        window.click("Export");
        window.until_label(&format!("Written: {}", path.display()));
        window.settle();
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(bytes.starts_with(start), "{name} begins with {:?}", bytes.get(..8));
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
    window.compare("curves-1d");
    window.click("Evaluate");
    window.click("Run");
    window.settle();
    window.picture("evaluated");
    window.click("Curves");
    window.compare("confidences");
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
    let rect =
        |window: &Window, label| window.harness.get_by_role_and_label(WidgetRole::Button, label).rect();
    for label in ["Run", "Surface", "Table", "Display"] {
        let rect = rect(&window, label);
        assert!(inside.contains_rect(rect), "{label} at {rect} is inside {inside}");
    }
    // Every tab is in sight between the panels, none behind an arrow.
    let panel = rect(&window, "Measure").left();
    for tab in Pane::ALL.into_iter().filter(|pane| *pane != Pane::Study).map(Pane::title) {
        assert!(rect(&window, tab).right() <= panel, "{tab} is in sight");
    }
}

#[test]
fn a_window_too_small_for_its_panels_scrolls() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.run_small();
    let small = Rect::from_min_size(Pos2::ZERO, [640.0, 420.0].into());
    window.harness.set_size(small.size());
    window.harness.run_steps(4);
    window.picture("smallest");
    let rect =
        |window: &Window, label| window.harness.get_by_role_and_label(WidgetRole::Button, label).rect();
    assert!(small.contains_rect(rect(&window, "Surface")), "{}", rect(&window, "Surface"));
    assert!(!small.contains_rect(rect(&window, "Run")), "{}", rect(&window, "Run"));
    // Far to the right and down, over the menu bar, where nothing else takes the wheel.
    window.harness.hover_at([300.0, 8.0].into());
    let far = eframe::egui::vec2(-1000.0, -1000.0);
    window.harness.event(eframe::egui::Event::MouseWheel {
        unit: eframe::egui::MouseWheelUnit::Point,
        delta: far,
        phase: eframe::egui::TouchPhase::Move,
        source: eframe::egui::MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    });
    window.harness.run_steps(30);
    window.picture("smallest-scrolled");
    assert!(small.contains_rect(rect(&window, "Run")), "{}", rect(&window, "Run"));
}

#[test]
fn a_job_without_a_point_says_what_it_does() {
    let fake = Fake { at_first: true, ..Fake::default() };
    let held = fake.hold();
    let mut window = Window::new(fake);
    window.open("classifier.pth.tar");
    window.click("Run");
    window.until("the job has begun", |app| app.jobs().entries()[0].live().total > 0);
    window.picture("first-point");
    assert!(window.harness.query_by_label("Computing the first point").is_some());
    // Asked for twice, it is still one job; another waits for it.
    window.click("Run next");
    assert_eq!(window.harness.state().jobs().entries().len(), 1);
    window.retype("Steps", "9");
    window.click("Run next");
    assert!(window.harness.query_by_label_contains("It starts when the job before it has ended.").is_some());
    *held.lock().expect("not poisoned") = false;
    window.settle();
    assert!(window.harness.query_by_label("Computing the first point").is_none());
}

/// The lines of the records in the study.
fn lines(window: &Window) -> Vec<Node<'_>> {
    let buttons = window.harness.query_all_by_role(WidgetRole::Button);
    buttons
        .filter(|node| {
            node.accesskit_node().label().is_some_and(|label| label.starts_with("1-D robust loss"))
        })
        .collect()
}

#[test]
fn curves_are_laid_over_each_other() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.click("1-D");
    for radius in ["0.5", "0.25"] {
        window.retype("Radius", radius);
        window.click("Run");
        window.settle();
    }
    // The newest is shown; the other comes beside it, and goes again.
    let study = |window: &Window| window.harness.state().session().clone();
    let other = study(&window).records()[0].id;
    assert!(!study(&window).is_shown(other));
    assert_eq!(lines(&window).len(), 2, "one line for each record");
    lines(&window)[0].click_modifiers(Modifiers::COMMAND);
    window.harness.run_steps(3);
    window.compare("curves-together");
    assert!(study(&window).is_shown(other));
    assert_eq!(study(&window).beside().count(), 1);
    assert!(window.harness.query_by_label("2 landscapes").is_some());
    window.harness.state_mut().command(Command::Export);
    window.harness.run_steps(3);
    window.click("Data");
    let path = window.folder.path().join("together.csv");
    window.harness.state_mut().handle(Answer::Chosen { purpose: Purpose::Export, paths: vec![path.clone()] });
    window.settle();
    window.click("Export");
    window.settle();
    let table = std::fs::read_to_string(&path).expect("the table is written");
    let head = table.lines().find(|line| !line.starts_with('#')).expect("a head");
    assert_eq!(
        head, r#"x,"layer 0.25, clean","layer 0.25, robust","layer 0.5, clean","layer 0.5, robust""#,
        "named by what tells them apart"
    );
    lines(&window)[0].click_modifiers(Modifiers::COMMAND);
    window.harness.run_steps(3);
    assert!(!study(&window).is_shown(other));
    assert_eq!(study(&window).beside().count(), 0);
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
    window.retype("Iterations", "2");
    window.click("Run");
    window.settle();
    window.picture("real");
    let study = window.harness.state().session();
    let stored = study.records().first().expect("a record");
    let Outcome::Landscape(landscape) = &stored.record.outcome else { panic!("a landscape was asked for") };
    let robust = landscape.robust.as_ref().expect("the robust loss was asked for");
    assert!(robust.loss.iter().all(|loss| loss.is_some_and(|loss| loss.is_finite() && loss > 0.0)));
}

/// Settings as the desktop keeps them.
#[derive(Default)]
struct Kept(std::collections::HashMap<String, String>);

impl eframe::Storage for Kept {
    fn get_string(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }
    fn set_string(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
    fn remove_string(&mut self, key: &str) {
        self.0.remove(key);
    }
    fn flush(&mut self) {}
}

#[test]
fn settings_are_remembered_and_damaged_ones_give_defaults_and_one_warning() {
    let mut kept = Kept::default();
    assert_eq!(State::load(Some(&kept)), (State::default(), None), "a first start");
    let mut state = State::default();
    state.form.give(Measure::Landscape, "radius", Some("0.25".into()));
    state.save(&mut kept);
    assert_eq!(State::load(Some(&kept)), (state, None));
    for damage in ["(version: 99)", "not settings"] {
        kept.0.values_mut().for_each(|value| *value = damage.to_owned());
        let (state, warning) = State::load(Some(&kept));
        assert_eq!(state, State::default());
        assert!(warning.is_some_and(|warning| warning.contains("starting with the defaults")), "{damage}");
    }
}

#[test]
fn the_arrangement_of_the_views_is_remembered() {
    let start = |kept: Kept| {
        Harness::builder().with_size([1280.0, 800.0]).wgpu().build_eframe(move |cc| {
            let kept: &'static Kept = Box::leak(Box::new(kept));
            cc.storage = Some(kept);
            App::new(cc, Arc::new(Fake::default()), Vec::new())
        })
    };
    let panes = |harness: &Harness<'_, App>| harness.state().visible_panes();
    let mut first = start(Kept::default());
    assert_eq!(panes(&first), [Pane::Model]);
    first.get_by_role_and_label(WidgetRole::Button, "Curves").click();
    first.run_steps(3);
    let mut kept = Kept::default();
    eframe::App::save(first.state_mut(), &mut kept);
    assert_eq!(panes(&start(Kept(kept.0.clone()))), [Pane::Curves]);
    // Views this version does not have, or nothing readable: the first arrangement, without a word.
    for damage in [kept.0["basin-views"].replace("Table", "Sculpture"), "(".to_owned()] {
        kept.set_string("basin-views", damage);
        assert_eq!(panes(&start(Kept(kept.0.clone()))), [Pane::Model]);
    }
}

#[test]
fn a_job_is_also_a_command_line() {
    let mut job = Landscape {
        checkpoint: "my models/net.pth.tar".into(),
        data: DataSelection::default(),
        direction: DirectionKind::Random(3),
        second: None,
        normalize: Normalization::Filter,
        loss: LandscapeLoss::Clean,
        ..Landscape::default()
    };
    let clean = "basin landscape 'my models/net.pth.tar' --direction random:3 --normalize filter --radius 0.5 \
                 --steps 51 --loss clean --data bundled --examples test:0..100 --device auto \
                 --precision auto --seed 0";
    assert_eq!(command_line(&Job::Landscape(job.clone())), clean);
    job.loss = LandscapeLoss::Robust;
    let robust = command_line(&Job::Landscape(job));
    assert!(robust.contains("--attack pgd --norm linf --epsilon 8/255 --attack-steps 20"), "{robust}");
}

#[test]
fn a_name_of_the_paper_fills_its_form() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.click("Evaluate");
    let name = "input_linf_gd_normalized_lr0007_mom09_i10_e00235_at5_train";
    window.retype("Paper identifier", &name[..name.len() - 1]);
    assert!(window.harness.query_by_label_contains(&format!("the nearest is {name}")).is_some());
    assert!(run_button(&window).accesskit_node().is_disabled());
    window.retype("Paper identifier", "weight_l2_random_nonorm2_e05_at50_test");
    assert!(window.harness.query_by_label_contains("use the form Flatness").is_some());
    window.retype("Paper identifier", name);
    window.picture("named-evaluate");
    let words = "PGD-10, L-inf 0.0235, 5 restarts by wrong-class confidence, momentum 0.9";
    assert!(window.harness.query_by_label_contains(words).is_some());
    window.click("Run");
    window.settle();
    let asked =
        |window: &Window| window.harness.state().session().records().last().unwrap().record.job.clone();
    let line = command_line(&asked(&window));
    let end =
        "--restarts 5 --select wrong-class-confidence --momentum 0.9 --data bundled --examples train:0..1000";
    assert!(line.contains(end), "{line}");
    // The other forms keep their own settings, and an emptied name leaves what it meant.
    window.retype("Paper identifier", "");
    window.retype("Examples", "test:0..100");
    let epsilon = window.harness.get_by_role_and_label(WidgetRole::TextInput, "Epsilon");
    assert_eq!(epsilon.value().as_deref(), Some("0.0235"));
    window.click("Flatness");
    assert!(window.harness.query_by_label("PGD-20, L-inf 8/255").is_some());
    window.retype(
        "Paper identifier",
        "weight_l2_gd_nonorm2_lwrl2normalized_backtrack_i20_lr001_mom09_e0003_at10_test",
    );
    window.picture("named-flatness");
    window.click("Run");
    window.settle();
    let line = command_line(&asked(&window));
    for part in [
        "--loss clean --case worst --radius 0.003 --draws 10",
        "--weight-momentum 0.9 --weight-backtrack --weight-step-divisor 2 --search-examples test:9999..9899",
        "--examples test:0..1000",
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}

#[test]
fn an_evaluation_takes_several_attacks_or_stored_examples_and_says_what_it_keeps() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.click("Evaluate");
    window.retype("Further attacks", "objective=dlr; dance=3");
    assert!(window.harness.query_by_label_contains("there is no setting \"dance\"").is_some());
    assert!(run_button(&window).accesskit_node().is_disabled());
    window.retype("Further attacks", "objective=dlr; restarts=5");
    window.click("Advanced");
    window.harness.set_size([1280.0, 1600.0].into());
    window.harness.run_steps(20);
    window.click("Log every iteration");
    window.click("Keep probabilities");
    window.picture("evaluate-options");
    window.click("Run");
    window.settle();
    let asked =
        |window: &Window| window.harness.state().session().records().last().unwrap().record.job.clone();
    let line = command_line(&asked(&window));
    for part in [
        "--keep-probabilities --log-steps --attack pgd ",
        " --attack pgd:objective=dlr --attack pgd:restarts=5 ",
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    window.click("Stored");
    assert!(window.harness.query_by_label_contains("give a record that kept").is_some());
    window.retype("Record or file", "runs/attack.json");
    window.click("Run");
    window.settle();
    let line = command_line(&asked(&window));
    assert!(line.contains("--adversarial runs/attack.json") && !line.contains("--attack"), "{line}");
}

#[test]
fn a_benchmark_and_the_finer_settings_of_autoattack_have_forms() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.click("Benchmark");
    assert!(window.harness.query_by_label("29 attacks").is_some());
    assert!(window.harness.query_by_label_contains("29 attacks, 1,000 images").is_some());
    window.click("29 attacks");
    window.picture("benchmark-form");
    window.choose("Group", "Custom");
    window.retype("Names", "cifar10_epochs_benchmark, input_linf_aa_standard_e0031");
    assert!(window.harness.query_by_label_contains("nearest is input_linf_aa_standard_e00314").is_some());
    window.retype("Names", "cifar10_epochs_benchmark, input_linf_aa_standard_e00314");
    assert!(window.harness.query_by_label_contains("5 attacks, 1,000 images").is_some());
    window.picture("benchmark-own");
    window.click("Attack");
    assert!(window.harness.query_by_label("Queries").is_none());
    window.click("Advanced");
    window.harness.run_steps(20);
    window.retype("Queries", "0");
    assert!(window.harness.query_by_label_contains("0 queries are not possible").is_some());
    window.picture("attack-advanced");
    window.retype("Queries", "100");
    window.retype("Target classes", "3");
    window.click("Run");
    window.settle();
    let entries = window.harness.state().jobs().entries();
    let line = command_line(&entries.last().unwrap().job);
    assert!(line.contains("--epsilon 8/255 --targets 3 --queries 100"), "{line}");
}

#[test]
fn settings_are_found_by_name_and_go_back_to_what_is_usual() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    let marks = |window: &Window| window.harness.query_all_by_label_contains("Reset ").count();
    assert_eq!(marks(&window), 0, "nothing is changed at first");
    window.click("Advanced");
    window.harness.set_size([1280.0, 1600.0].into());
    window.harness.run_steps(20);
    assert!(window.harness.query_by_label("Momentum").is_some());
    window.retype("Filter", "step divisor");
    assert!(window.harness.query_by_label("Momentum").is_none());
    window.retype("Filter", "pgd-k-tau");
    assert!(window.harness.query_by_label("Tau").is_some(), "help is searched, too");
    window.retype("Filter", "dance");
    assert!(window.harness.query_by_label("No such setting.").is_some());
    window.retype("Filter", "");
    let value = |window: &Window, label: &str| {
        window.harness.get_by_role_and_label(WidgetRole::TextInput, label).value()
    };
    // Another norm brings its usual radius and step size, whatever they were.
    window.retype("Epsilon", "4/255");
    assert_eq!(marks(&window), 1);
    window.choose("Norm", "L2");
    assert_eq!(value(&window, "Epsilon").as_deref(), Some("0.5"));
    assert_eq!(value(&window, "Step size").as_deref(), Some("0.0625"));
    assert_eq!(marks(&window), 1);
    window.click("Reset Norm");
    assert_eq!((marks(&window), value(&window, "Epsilon").as_deref()), (0, Some("8/255")));
    // A text that is as usual, and none, are no change.
    window.retype("Restarts", "5");
    assert_eq!(marks(&window), 1);
    window.retype("Restarts", "1");
    assert_eq!(marks(&window), 0);
    window.retype("Restarts", "");
    window.harness.key_press(Key::Tab);
    window.harness.run_steps(3);
    assert_eq!((marks(&window), value(&window, "Restarts").as_deref()), (0, Some("1")));
    window.picture("advanced");
}

#[test]
fn records_bring_their_checkpoint_and_the_surface_comes_to_the_front() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.run_small();
    window.click("1-D");
    window.click("Run");
    window.settle();
    let study = window.harness.state().session();
    let files: Vec<_> = study.records().iter().map(|stored| stored.path.clone()).collect();
    assert_eq!(files.len(), 2);
    let mut other = Window::new(Fake::default());
    other.harness.state_mut().open_paths(files);
    other.settle();
    let study = other.harness.state().session();
    assert_eq!(study.models().len(), 1, "the checkpoint of both");
    assert_eq!(study.records().len(), 2);
    assert_eq!(other.harness.state().visible_panes(), [Pane::Surface]);
}

#[test]
fn a_copy_of_an_open_checkpoint_is_not_opened_twice() {
    let mut window = Window::new(Fake::default());
    let first = window.open("classifier.pth.tar");
    window.open("copy.pth.tar");
    let study = window.harness.state().session();
    assert_eq!(study.models().len(), 1);
    assert_eq!(study.selected, Some(first));
    assert!(window.harness.query_all_by_label_contains("is open already, as").next().is_some());
}

#[test]
fn flatness_runs_from_its_form_and_shows_its_draws_as_they_come() {
    let fake = Fake::default();
    let held = fake.hold();
    let mut window = Window::new(fake);
    window.open("classifier.pth.tar");
    window.click("Flatness");
    window.retype("Radii", "0.1, 0.25, zero");
    assert!(window.harness.query_by_label_contains("one number or several with commas").is_some());
    assert!(run_button(&window).accesskit_node().is_disabled());
    window.retype("Radii", "0.1, 0.25, 0.5, 1");
    assert!(window.harness.query_by_label_contains("40 draws").is_some());
    window.picture("flatness-form");
    window.click("Run");
    window.until("half of the draws are there", half_done);
    assert_eq!(window.harness.state().visible_panes(), [Pane::Curves]);
    let live = window.harness.state().jobs().entries()[0].partial_record().expect("draws are known").1;
    let Outcome::Flatness(known) = live.outcome else { panic!("flatness gives flatness") };
    assert_eq!(known.radii[0].draws.len(), 10);
    assert!((known.radii[0].flatness - 0.0145).abs() < 1e-9, "mean over draws minus the reference");
    window.picture("flatness-live");
    *held.lock().expect("not poisoned") = false;
    window.settle();
    window.compare("flatness");
    let app = window.harness.state();
    let record = &app.session().records()[0].record;
    let (Job::Flatness(job), Outcome::Flatness(outcome)) = (&record.job, &record.outcome) else {
        panic!("flatness gives flatness")
    };
    assert_eq!((job.radii.as_slice(), job.draws), ([0.1, 0.25, 0.5, 1.0].as_slice(), 10));
    assert_eq!(outcome.radii.len(), 4);
}

#[test]
fn the_worst_case_has_settings_of_its_own_and_layers_a_chart() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    window.click("Flatness");
    window.click("Worst");
    window.click("Clean loss");
    window.click("Also per tensor");
    // Of the stand-in's two tensors one belongs to no normalization layer.
    assert!(window.harness.query_by_label_contains("20 draws, 10 for each of 1 layer").is_some());
    // What is rarely changed is folded away, and found by its name.
    assert!(window.harness.query_by_label("Loss bound").is_none());
    window.click("Advanced");
    window.harness.set_size([1280.0, 1900.0].into());
    window.harness.run_steps(20);
    window.retype("Epochs", "7");
    window.choose("Weight norm", "L-inf (largest entry)");
    window.choose("Weight start", "in the ball");
    window.retype("Loss bound", "3.5");
    window.click("Stop before the bound");
    window.click("Keep perturbed networks");
    window.picture("flatness-worst");
    window.click("Run");
    window.settle();
    let job = window.harness.state().session().records()[0].record.job.clone();
    let Job::Flatness(asked) = &job else { panic!("flatness gives flatness") };
    assert_eq!(
        (asked.radii.as_slice(), asked.descent.epochs, asked.per_layer),
        ([0.003].as_slice(), 7, true)
    );
    let line = command_line(&job);
    for part in [
        "--case worst",
        "--weight-norm linf",
        "--weight-start ball",
        "--loss-bound 3.5 --weight-early-stopping",
        "--keep-networks",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    // Of the robust loss there are two searches, and all networks are attacked equally unless a number says otherwise.
    window.click("Robust loss");
    assert!(window.harness.query_by_label("Loss bound").is_none());
    window.choose("Search", "weights, then inputs");
    assert!(window.harness.query_by_label("Loss bound").is_some());
    window.retype("Reference restarts", "0");
    assert!(window.harness.query_by_label_contains("0 reference restarts").is_some());
    window.retype("Reference restarts", "");
    window.picture("flatness-worst-robust");
    window.click("Run");
    window.settle();
    let line = command_line(&window.harness.state().session().records()[1].record.job);
    assert!(line.contains("--joint sequential") && !line.contains("--reference-restarts"), "{line}");
    window.click("Display");
    window.click("Per layer");
    window.harness.run_steps(3);
    window.picture("flatness-layers");
}

#[test]
fn autoattack_keeps_examples_and_shows_them() {
    let mut window = Window::with_engine(Arc::new(Core));
    let path = window.folder.path().join("trained.pth.tar");
    let reference = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/reference/checkpoints");
    std::fs::copy(format!("{reference}/resnet_rebn_trained.pth.tar"), &path).expect("a writable folder");
    window
        .harness
        .state_mut()
        .handle(Answer::Chosen { purpose: Purpose::OpenCheckpoints, paths: vec![path.clone()] });
    window.settle();
    window.click("Attack");
    window.retype("Version", "apgd-ce, nonsense");
    assert!(window.harness.query_by_label_contains("nknown version or attack").is_some());
    window.retype("Version", "apgd-ce");
    window.retype("Examples", "test:0..8");
    window.picture("attack-form");
    window.click("Run");
    window.settle();
    assert_eq!(window.harness.state().visible_panes(), [Pane::Examples]);
    let record = window.harness.state().session().records()[0].record.clone();
    let Outcome::Attack(outcome) = &record.outcome else { panic!("an attack gives an attack") };
    window.picture("examples");
    for index in 0..4 {
        let words = format!("Adversarial image {index}, seen as");
        let seen = window.harness.query_all_by_label_contains(&words);
        assert_eq!(seen.count(), 1, "example {index}");
    }
    let broken = outcome.per_attack[0].broken;
    assert!(broken > 0, "APGD breaks some of the first images");
    window.click(&format!("Broken {broken}"));
    let left = window.harness.query_all_by_label_contains("Adversarial image").count();
    assert_eq!(left, broken);
    window.picture("examples-broken");
    // The arrow keys show one after the other large; the perturbation is labelled with its factor.
    let large = |window: &Window| window.harness.query_all_by_label("adversarial image").next().is_some();
    assert!(!large(&window));
    for _ in 0..2 {
        window.harness.key_press(Key::ArrowRight);
        window.harness.run_steps(3);
    }
    assert!(large(&window));
    assert!(window.harness.query_all_by_label("perturbation × 16").next().is_some());
    window.picture("example-large");
    window.harness.key_press(Key::Escape);
    window.harness.run_steps(3);
    assert!(!large(&window));
}
