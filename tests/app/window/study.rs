//! The Study tab by role and label.

use std::path::Path;
use std::sync::Arc;

use basin::command::Command;
use basin::jobs::Engine;
use basin::ui::{Answer, Pane, Purpose};
use basin_core::Result;
use basin_core::checkpoint::{Summary, hash_file};
use basin_core::job::Job;
use basin_core::record::Record;
use basin_core::run::{Estimate, Observer, RunOptions};
use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Key, Modifiers, OutputCommand, PointerButton, Pos2};
use egui_kittest::kittest::Queryable as _;

use crate::support::bowl::Fake;
use crate::support::sample_study::{Sample, write};
use crate::support::window::Window;

/// The stand-in, with the hash of the very file in its records.
struct Honest(Fake);

impl Engine for Honest {
    fn inspect(&self, path: &Path) -> Result<Summary> {
        self.0.inspect(path)
    }

    fn estimate(&self, job: &Job) -> Result<Estimate> {
        self.0.estimate(job)
    }

    fn run(&self, job: &Job, options: &RunOptions, observer: &mut dyn Observer) -> Result<Record> {
        let mut record = self.0.run(job, options, observer)?;
        record.provenance.checkpoint_hash = hash_file(job.checkpoint().expect("a measure of a model"))?;
        Ok(record)
    }
}

const SMALL: Sample = Sample { models: 14, records: 7, lacking: 5, snapshots: 5 };

/// A window on the study in its folder.
fn opened(prepare: impl FnOnce(&Path)) -> Window {
    let mut window = Window::new(Fake::default());
    prepare(window.folder.path());
    let paths = vec![window.folder.path().to_owned()];
    window.harness.state_mut().handle(Answer::Chosen { purpose: Purpose::OpenFolder, paths });
    window.settle();
    window
}

fn with_small() -> Window {
    opened(|folder| {
        write(folder, SMALL);
    })
}

fn has(window: &Window, label: &str) -> bool {
    window.harness.query_all_by_label_contains(label).next().is_some()
}

fn copied(window: &Window) -> Option<String> {
    let commands = &window.harness.output().platform_output.commands;
    commands.iter().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn a_study_is_a_table_that_is_filtered_sorted_and_copied() {
    let mut window = with_small();
    assert_eq!(window.harness.state().visible_panes(), [Pane::Study]);
    assert!(has(&window, "14 models · 87 records"));
    window.picture("study-table");
    // The filter has the keyboard after Ctrl+F.
    window.harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    window.harness.run_steps(2);
    let filter =
        |window: &Window| window.harness.get_by_role_and_label(Role::TextInput, "Filter models").is_focused();
    assert!(filter(&window));
    window.retype("Filter models", "group = TRADES or average flatness > 0.5");
    assert!(has(&window, " of 14"));
    window.retype("Filter models", "robst error < 0.5");
    assert!(has(&window, "At “robst error”: "), "the mistake is named");
    assert!(has(&window, "did you mean robust_error?"));
    window.picture("study-wrong-filter");
    window.retype("Filter models", "trades");
    assert!(has(&window, "2 of 14"));
    assert!(!has(&window, "MART 8"));
    window.retype("Filter models", "");
    // Sorted by a number, largest first.
    window.click("Robust loss");
    let top = |window: &Window, name: &str| window.harness.get_by_label(name).rect().top();
    assert!(top(&window, "Weight decay 5") < top(&window, "TRADES 7"));
    window.click("Robust loss");
    assert!(top(&window, "Weight decay 5") > top(&window, "TRADES 7"));
    window.click("Robust loss");
    // Keys move, Shift extends, Ctrl+C copies rows for a spreadsheet.
    window.click("TRADES 7");
    window.harness.key_press(Key::ArrowDown);
    window.harness.run_steps(2);
    window.harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowDown);
    window.harness.run_steps(2);
    assert!(has(&window, "2 models selected"));
    window.harness.event(Event::Copy);
    window.harness.step();
    window.harness.step();
    let text = copied(&window).expect("rows are on the clipboard");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("model\tgroup\tclean_error\trobust_loss"), "{text}");
    assert!(lines[1].starts_with("MART 8\tMART\t") && lines[2].starts_with("AWP 9\tAWP\t"), "{text}");
    assert_eq!(lines.len(), 3);
    window.settle();
    window.picture("study-two-selected");
}

#[test]
fn a_selected_model_is_shown_by_the_other_views() {
    let mut window = with_small();
    window.click("TRADES 7");
    window.settle();
    let shown = |window: &Window| window.harness.state().session().records().len();
    assert_eq!(shown(&window), 6);
    let selected = window.harness.state().session().selected.clone().expect("its checkpoint is selected");
    assert!(selected.ends_with("models/0007.pt"));
    // The form at the right has one of this name, too.
    let below = window.harness.query_all_by_label("Flatness").max_by_key(|node| node.rect().top() as i32);
    below.expect("the model has records of flatness").click();
    window.harness.run_steps(3);
    window.settle();
    assert_eq!(window.harness.state().visible_panes(), [Pane::Curves]);
    window.click("Study");
    window.harness.key_press(Key::ArrowDown);
    window.settle();
    let session = window.harness.state().session();
    assert_eq!(session.models().len(), 1, "the model before was open for its selection only");
    assert!(session.selected.as_ref().is_some_and(|path| path.ends_with("models/0008.pt")));
    let Some(basin::ui::Target::Record(id)) = session.target else { panic!("a record is shown") };
    // The counterpart of what was shown before.
    let path = &session.record(id).unwrap().path;
    assert!(
        path.ends_with("measures/MART-8/average-flatness.json") || path.ends_with("worst-flatness.json"),
        "{}",
        path.display()
    );
    window.picture("study-one-selected");
    // Several in one chart.
    window.click("AWP 9");
    window.harness.get_by_label("MART 8").click_modifiers(Modifiers::COMMAND);
    window.harness.run_steps(3);
    window.settle();
    window.picture("study-gallery");
    window.click("1-D landscape");
    window.settle();
    assert_eq!(window.harness.state().visible_panes(), [Pane::Curves]);
    assert_eq!(window.harness.state().session().beside().count(), 1);
    window.picture("study-compared");
}

#[test]
fn epochs_of_a_training_are_walked_along() {
    let mut window = with_small();
    window.click("AT epoch 10");
    window.settle();
    assert!(has(&window, "epoch 11, 3 of 5"));
    window.click("▶");
    assert!(has(&window, "epoch 16, 4 of 5"));
    window.settle();
    window.picture("study-epochs");
}

#[test]
fn what_is_missing_is_measured_and_rows_fill() {
    let mut window = Window::with_engine(Arc::new(Honest(Fake::default())));
    write(window.folder.path(), SMALL);
    let paths = vec![window.folder.path().join("study.json")];
    window.harness.state_mut().handle(Answer::Chosen { purpose: Purpose::OpenRecords, paths });
    window.settle();
    window.click("Measure all (4)…");
    window.settle();
    assert!(has(&window, "4 records of 2 models are to be computed"));
    window.picture("study-measure");
    window.click("Add to queue");
    window.until("everything is measured", |app| !app.is_busy());
    window.harness.run_steps(4);
    window.settle();
    assert!(window.harness.query_by_label("All measured").is_some());
    assert!(window.folder.path().join("measures/AWP-9/worst-flatness.json").is_file());
    assert!(window.harness.state().jobs().entries().is_empty(), "what went well is not listed");
}

#[test]
fn broken_files_are_rows_with_a_sentence() {
    let mut window = opened(|folder| {
        write(folder, SMALL);
        let cut = |name: &str| {
            let path = folder.join(name);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(path, &text[..text.len() / 2]).unwrap();
        };
        cut("measures/TRADES-7/test.json");
        std::fs::write(folder.join("stray.json"), "{\"format\": 1, \"job\": {\"kind\"").unwrap();
        std::fs::remove_file(folder.join("models/0009.pt")).unwrap();
    });
    assert!(has(&window, "3 problems"));
    window.click("3 problems");
    assert!(has(&window, "2 of 14"));
    assert!(has(&window, "stray.json"));
    assert!(!has(&window, "MART 8"));
    window.click("AWP 9");
    assert!(has(&window, "does not exist; restore it, or remove its model from the study"));
    window.settle();
    window.compare("study-broken");
    // The study itself breaks, and is mended.
    let file = window.folder.path().join("study.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "{").unwrap();
    window.until_label("The table shows what was read before");
    std::fs::write(&file, text).unwrap();
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while has(&window, "The table shows what was read before") {
        assert!(std::time::Instant::now() < patience, "the study is read again");
        window.harness.step();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn an_empty_study_says_what_to_do() {
    let mut window = opened(|folder| {
        std::fs::write(folder.join("study.json"), "{\"format\": 1}").unwrap();
    });
    assert!(has(&window, "This study has no models yet"));
    window.picture("study-empty");
    // Files that appear are noticed.
    write(window.folder.path(), SMALL);
    window.until_label("14 models");
    window.settle();
    window.click("Close this study");
    assert_eq!(window.harness.state().visible_panes(), [Pane::Model]);
}

/// Moves the pointer, with its button pressed or let go on the way.
fn pointer(window: &mut Window, pos: Pos2, pressed: Option<bool>, modifiers: Modifiers) {
    window.harness.event(Event::PointerMoved(pos));
    if let Some(pressed) = pressed {
        let button = PointerButton::Primary;
        window.harness.event(Event::PointerButton { pos, button, pressed, modifiers });
    }
    window.harness.step();
}

#[test]
fn points_of_the_scatter_are_models_of_the_table() {
    let mut window = with_small();
    window.retype("Filter models", "not epoch");
    window.click("TRADES 7");
    window.settle();
    window.click("Scatter");
    window.harness.run_steps(4);
    window.settle();
    // Two of nine lack their flatness.
    assert!(has(&window, "   8 models"), "the filter of the table counts");
    window.picture("study-scatter");
    window.choose("x", "Clean error");
    window.settle();
    assert!(has(&window, "   9 models"));
    // Any two corners of the axes: the whole chart.
    let corners = |window: &Window| {
        let rect = window.harness.get_by_label_contains("   9 models").rect();
        let bottom = window.harness.ctx.content_rect().bottom() - 120.0;
        [Pos2::new(rect.min.x + 60.0, rect.max.y + 60.0), Pos2::new(rect.min.x + 660.0, bottom)]
    };
    let [from, to] = corners(&window);
    let shift = Modifiers::SHIFT;
    window.harness.event(Event::ModifiersChanged(shift));
    pointer(&mut window, from, None, shift);
    pointer(&mut window, from, Some(true), shift);
    pointer(&mut window, from + (to - from) * 0.5, None, shift);
    pointer(&mut window, to, None, shift);
    window.picture("study-brush");
    pointer(&mut window, to, Some(false), shift);
    window.harness.event(Event::ModifiersChanged(Modifiers::NONE));
    window.harness.run_steps(3);
    window.settle();
    window.click("Study");
    assert!(has(&window, "9 models selected"));
    window.picture("study-brushed");
    window.harness.state_mut().command(Command::ThemeLight);
    window.harness.run_steps(3);
    window.compare("study-table-light");
    window.click("Scatter");
    window.harness.run_steps(4);
    assert!(has(&window, "9 models selected"), "they can be compared from here, too");
    window.settle();
    window.compare("study-scatter-light");
}

#[test]
fn all_tabs_are_in_sight_in_a_small_window() {
    let mut window = with_small();
    window.harness.set_size([960.0, 600.0].into());
    window.harness.run_steps(4);
    window.picture("study-small");
    // Of several with a name, such as the title of a column, the tab is the uppermost.
    let rect = |label| {
        let all = window.harness.query_all_by_role_and_label(Role::Button, label).map(|node| node.rect());
        all.min_by(|a, b| a.top().total_cmp(&b.top())).unwrap_or_else(|| panic!("{label} is there"))
    };
    let panel = rect("Measure").left();
    for tab in Pane::ALL.map(Pane::title) {
        assert!(rect(tab).right() <= panel, "{tab} is in sight");
    }
}
