//! The Scatter tab by role and label.

use std::path::Path;

use basin::ui::{Answer, Pane};
use basin_core::job::Job;
use basin_core::record::{Record, names};
use eframe::egui::accesskit::{Role as WidgetRole, Toggled};
use eframe::egui::{Modifiers, PointerButton, Pos2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::records::{on_training_images, three};
use crate::support::bowl::Fake;
use crate::support::window::Window;

fn with_records(records: &[Record]) -> Window {
    let mut window = Window::new(Fake::default());
    let paths = records.iter().enumerate().map(|(i, record)| {
        let path = window.folder.path().join(format!("{i}.json"));
        std::fs::write(&path, record.to_json()).unwrap();
        path
    });
    let paths = paths.collect();
    window.harness.state_mut().handle(Answer::Chosen { purpose: basin::ui::Purpose::OpenRecords, paths });
    window.settle();
    window.click("Scatter");
    window.harness.run_steps(4);
    window
}

#[test]
fn an_empty_scatter_says_what_to_do_and_offers_the_example() {
    let mut window = Window::new(Fake::default());
    window.harness.run_steps(3);
    window.click("Scatter");
    assert!(window.harness.query_by_label("No points yet").is_some());
    assert!(window.harness.query_by_label_contains("every checkpoint becomes a point").is_some());
    let export =
        |window: &Window| window.harness.query_by_role_and_label(WidgetRole::Button, "Export…").is_some();
    assert!(!export(&window), "there is nothing to export");
    window.compare("scatter-empty");
    window.click("Show the published models");
    window.harness.run_steps(4);
    window.settle();
    // The interval of Pearson is that of scipy's BCa bootstrap to two digits.
    assert!(window.harness.query_by_label_contains("Pearson 0.96 [0.92, 0.98]").is_some());
    assert!(window.harness.query_by_label_contains("Kendall 0.79 [").is_some());
    assert!(window.harness.query_by_label_contains("28 models").is_some());
    assert!(export(&window));
    window.compare("scatter-published");
    window.click("names");
    window.click("band");
    window.picture("scatter-names");
    window.click("band");
    // A group is hidden by its entry in the legend, and shown again.
    let entry = |window: &Window| {
        window.harness.get_by_role_and_label(WidgetRole::CheckBox, "TRADES").accesskit_node().toggled()
    };
    assert_eq!(entry(&window), Some(Toggled::True));
    window.click("TRADES");
    window.compare("scatter-hidden");
    assert_eq!(entry(&window), Some(Toggled::False));
    window.click("TRADES");
    assert_eq!(entry(&window), Some(Toggled::True));
    window.harness.state_mut().command(basin::command::Command::ThemeLight);
    window.harness.run_steps(4);
    window.compare("scatter-light");
}

#[test]
fn records_of_the_study_are_points() {
    let mut window = with_records(&three());
    assert!(window.harness.query_by_label_contains("   3 models").is_some());
    window.compare("scatter-study");
    // What is missing is said when nothing is left.
    let mut some = with_records(&[0, 1].map(|i| on_training_images(three().swap_remove(i))));
    assert!(some.harness.query_by_label_contains("No model has both numbers").is_some());
    assert!(some.harness.query_by_label_contains("a, b have no evaluation under attack").is_some());
    some.picture("scatter-missing");
}

#[test]
fn networks_called_final_have_the_names_of_their_folders_in_table_and_list() {
    let mut records = three();
    for record in &mut records {
        let path = |name: &Path| format!("study/{}/final.pt", name.display()).into();
        match &mut record.job {
            Job::Flatness(job) => job.checkpoint = path(&job.checkpoint.with_extension("")),
            Job::Evaluate(job) => job.checkpoint = path(&job.checkpoint.with_extension("")),
            _ => panic!("another job"),
        }
    }
    let mut window = with_records(&records);
    window.click("Table");
    window.harness.run_steps(4);
    for name in ["a", "b", "c"] {
        // Once above the records in the list, and in each of the three rows of the table.
        assert_eq!(window.harness.query_all_by_label(name).count(), 1 + 3, "{name}");
    }
    window.picture("table-of-models");
}

#[test]
fn a_click_on_a_point_selects_its_model() {
    let mut window = with_records(&three());
    assert!(window.harness.state().visible_panes().contains(&Pane::Scatter));
    let selected = |window: &Window| {
        let study = window.harness.state().session();
        let Some(basin::ui::Target::Record(id)) = study.target else { return None };
        Some(names::of_record(&study.record(id)?.record))
    };
    // Somewhere near the middle stands the point of b.
    let plot = plot_rect(&window);
    let steps = |length: f32| (0..(length / 16.0) as usize).map(|i| 16.0 * i as f32);
    let mut places: Vec<Pos2> = steps(plot.width())
        .flat_map(|x| steps(plot.height()).map(move |y| plot.min + eframe::egui::vec2(x, y)))
        .collect();
    places.sort_by(|a, b| a.distance(plot.center()).total_cmp(&b.distance(plot.center())));
    let hit = places.into_iter().find(|at| {
        press(&mut window, *at);
        selected(&window).as_deref() == Some("b")
    });
    assert!(hit.is_some(), "no place on the plot selects b");
    assert!(window.harness.state().visible_panes().contains(&Pane::Scatter), "the tab stays in front");
    window.harness.run_steps(4);
    window.picture("scatter-selected");
}

fn plot_rect(window: &Window) -> eframe::egui::Rect {
    let label = window.harness.get_by_label_contains("   3 models").rect();
    let bottom = window.harness.ctx.content_rect().bottom() - 80.0;
    eframe::egui::Rect::from_min_max(
        Pos2::new(label.min.x + 40.0, label.max.y + 4.0),
        Pos2::new(label.min.x + 640.0, bottom),
    )
}

fn press(window: &mut Window, pos: Pos2) {
    for pressed in [true, false] {
        let button = PointerButton::Primary;
        let modifiers = Modifiers::NONE;
        window.harness.event(eframe::egui::Event::PointerMoved(pos));
        window.harness.event(eframe::egui::Event::PointerButton { pos, button, pressed, modifiers });
        window.harness.step();
    }
}

#[test]
fn the_scatter_is_exported_through_the_dialog() {
    let mut window = with_records(&three());
    window.harness.get_by_role_and_label(WidgetRole::Button, "Export…").click();
    window.harness.run_steps(3);
    window.settle();
    assert!(window.harness.query_by_label("Preview").is_some());
    window.compare("scatter-export");
    let path = window.folder.path().join("figure.pdf");
    window.retype("File", path.to_str().unwrap());
    window.click("Export");
    window.settle();
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.starts_with(b"%PDF") && bytes.len() > 2000);
}
