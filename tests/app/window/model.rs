//! The Model tab: architecture, readings, assumptions, stored numbers and tensors.

use std::path::PathBuf;
use std::sync::Arc;

use basin::command::Command;
use basin::jobs::Core;
use eframe::egui::accesskit::Role as WidgetRole;
use eframe::egui::{OutputCommand, Vec2};
use egui_kittest::kittest::Queryable as _;

use crate::support::bowl::Fake;
use crate::support::oracle::reference;
use crate::support::window::Window;

fn says(window: &Window, words: &str) -> bool {
    window.harness.query_all_by_label_contains(words).next().is_some()
}

/// Enough room for everything in the tab.
fn tall(window: &mut Window, height: f32) {
    window.harness.set_size(Vec2::new(1280.0, height));
    window.settle();
}

fn copied(window: &Window) -> Vec<String> {
    let commands = window.harness.output().platform_output.commands.iter();
    let texts = commands.filter_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

fn press(window: &mut Window, label: &str) {
    let mut found = window.harness.query_all_by_label_contains(label);
    found.next().unwrap_or_else(|| panic!("nothing is labelled {label:?}")).click();
    drop(found);
    window.harness.run_steps(3);
}

#[test]
fn blocks_are_drawn_with_their_numbers_and_show_their_layers() {
    let mut window = Window::new(Fake::default());
    window.open("classifier.pth.tar");
    tall(&mut window, 1500.0);
    window.picture("model-architecture");
    let block =
        "Residual block layer2.0: output 16 × 16 × 16, 3,680 parameters, stride 2, receptive field 17 × 17";
    assert!(says(&window, block));
    assert!(says(&window, "176,402 parameters"));
    let before = window.harness.query_all_by_label_contains("layer1.1:").count();
    assert_eq!(before, 0, "equal blocks are one");
    press(&mut window, "Residual block ×2 layer1.0 … 1");
    assert!(says(&window, "Residual block layer1.1: output 32 × 32 × 8"));
    press(&mut window, "Residual block layer2.0");
    window.picture("model-architecture-expanded");
    window.harness.state_mut().command(Command::ThemeLight);
    window.harness.run_steps(3);
    window.picture("model-architecture-light");
}

/// In a narrow window numbers stand below names; the pointer shows the layers.
#[test]
fn in_a_narrow_window_nothing_is_cut() {
    let mut window = Window::new(Fake::default());
    window.open("wrn-70-16.pt");
    window.harness.set_size(Vec2::new(900.0, 1800.0));
    window.settle();
    window.picture("model-narrow");
    let place = |window: &Window, label: &str| {
        let mut found = window.harness.query_all_by_label_contains(label);
        found.next().unwrap_or_else(|| panic!("nothing is labelled {label:?}")).rect()
    };
    let block = place(&window, "Residual block block3.layer.0");
    let panel = place(&window, "Direction (x)");
    assert!(block.right() < panel.left(), "{block} and {panel}");
    window.harness.hover_at(block.min + Vec2::new(60.0, 10.0));
    window.harness.run_steps(60);
    window.picture("model-hover");
    assert!(says(&window, "block3.layer.0.conv1: convolution 3×3, 512 to 1024, stride 2"));
}

#[test]
fn deep_networks_are_few_cards() {
    for (name, cards) in
        [("wrn-70-16", 10), ("densenet121", 14), ("lenet", 8), ("vgg16", 14), ("resnet50", 11)]
    {
        let mut window = Window::new(Fake::default());
        window.open(&format!("{name}.pt"));
        tall(&mut window, 1600.0);
        window.picture(&format!("model-{name}"));
        let found = window.harness.query_all_by_label_contains("receptive field").count();
        assert!((cards..cards + 2).contains(&found), "{name}: {found}");
    }
}

#[test]
fn a_probe_shows_how_far_it_is_and_then_what_it_tells() {
    let fake = Fake::default();
    let held = fake.hold();
    let mut window = Window::new(fake);
    let path = window.checkpoint("ambiguous.pt");
    window.harness.state_mut().open_paths(vec![path]);
    window.until_label("labelled images: 45 %");
    window.harness.run_steps(3);
    window.picture("model-probing");
    *held.lock().unwrap() = false;
    window.settle();
    tall(&mut window, 1700.0);
    window.picture("model-readings");
    assert!(says(&window, "Batch statistics decided"));
    assert!(says(&window, "0.3 percentage points, with a standard error of 0.6"));
    assert!(says(&window, "8 times better"));
    assert!(!says(&window, "found by trying"), "it is said once");
    assert!(window.harness.query_by_label("chosen").is_some());
    assert!(says(&window, "As stored in the file, not measured"));
    assert!(says(&window, "test_robust_acc"));
    window.harness.state_mut().command(Command::ThemeLight);
    window.harness.run_steps(3);
    window.picture("model-readings-light");
}

#[test]
fn what_could_not_be_told_is_said() {
    let mut window = Window::new(Fake::default());
    window.open("undecided.pt");
    window.picture("model-undecided");
    assert!(says(&window, "could not tell how the file is to be read"));
    assert!(window.harness.query_by_label("assumed").is_some());
    assert!(window.harness.query_by_label("chosen").is_none());
}

#[test]
fn the_form_opens_the_file_with_other_assumptions() {
    let mut window = Window::new(Fake::default());
    let path = window.open("ambiguous.pt");
    window.click("Assume otherwise…");
    window.harness.run_steps(30);
    let enabled = |window: &Window| {
        let button = window.harness.get_by_label("Open with these assumptions");
        !egui_kittest::kittest::NodeT::accesskit_node(&button).is_disabled()
    };
    assert!(!enabled(&window), "nothing is assumed otherwise");
    window.harness.get_by_role_and_label(WidgetRole::ComboBox, "Normalization").click();
    window.harness.run_steps(3);
    window.click("other mean and standard deviation");
    assert!(!enabled(&window), "there are no numbers yet");
    window.retype("Mean / std", "0.5,0.4/0.2");
    assert!(says(&window, "has 2 means but 1 standard deviations"));
    window.picture("model-assume");
    window.retype("Mean / std", "0.5,0.4,0.3/0.2,0.2,0.25");
    assert!(enabled(&window));
    window.choose("Shortcut", "activated: the normalized and activated input");
    window.click("Open with these assumptions");
    window.settle();
    let selected = window.harness.state().session().selected.clone().unwrap();
    let assumed = "::normalization=0.5,0.4,0.3/0.2,0.2,0.25,shortcut=activated";
    assert_eq!(selected, PathBuf::from(format!("{}{assumed}", path.display())));
}

#[test]
fn another_reading_opens_from_the_table() {
    let mut window = Window::new(Fake::default());
    let path = window.open("ambiguous.pt");
    let open = window.harness.query_all_by_role_and_label(WidgetRole::Button, "Open").next().unwrap();
    open.click();
    window.settle();
    let selected = window.harness.state().session().selected.clone().unwrap();
    let assumed = "::normalization=cifar10-2023,shortcut=plain";
    assert_eq!(selected, PathBuf::from(format!("{}{assumed}", path.display())));
}

#[test]
fn tensors_are_found_by_name_and_names_are_copied() {
    let mut window = Window::new(Fake::default());
    window.open("wrn-70-16.pt");
    tall(&mut window, 2000.0);
    window.retype("Search names", "BLOCK2 conv1.weight");
    window.settle();
    window.picture("model-tensors");
    assert!(says(&window, "11 of "));
    let row = "block2.layer.3.conv1.weight, 512×512×3×3, 2,359,296 elements, L2 norm 1.5000, perturbed";
    assert!(says(&window, row));
    assert!(says(&window, "Values of block2.layer.3.conv1.weight: Minimum"));
    assert!(!says(&window, "block1.layer.0.conv1.weight, "));
    let mut found = window.harness.query_all_by_label_contains(row);
    found.next().unwrap().click();
    drop(found);
    let mut texts = Vec::new();
    for _ in 0..4 {
        window.harness.step();
        texts.extend(copied(&window));
    }
    assert_eq!(texts, ["block2.layer.3.conv1.weight"]);
    assert!(says(&window, "Copied: block2.layer.3.conv1.weight"));
    window.retype("Search names", "nothing of this name");
    assert!(says(&window, "No name matches."));
}

/// Only rows that are seen are laid out.
#[test]
fn rows_of_many_tensors_are_virtual() {
    let mut window = Window::new(Fake::default());
    window.open("wrn-70-16.pt");
    tall(&mut window, 1400.0);
    let rows = window.harness.query_all_by_label_contains(" elements, L2 norm").count();
    assert!((1..60).contains(&rows), "{rows} rows");
    assert!(says(&window, "407 tensors"));
}

/// A checkpoint of RobustBench's class: nothing is told to Basin, everything is computed.
#[test]
fn a_checkpoint_of_the_field_is_shown() {
    let mut window = Window::with_engine(Arc::new(Core));
    let path = reference("families/checkpoints/trained_preact_activated.pt");
    window.harness.state_mut().open_paths(vec![path]);
    window.settle();
    tall(&mut window, 1900.0);
    window.picture("model-field");
    window.harness.state_mut().command(Command::ThemeLight);
    window.harness.run_steps(3);
    window.picture("model-field-light");
    assert!(window.harness.query_by_label("chosen").is_some());
    assert!(says(&window, "decided"));
    assert!(says(&window, "Values of conv1.weight: Minimum"));
}
