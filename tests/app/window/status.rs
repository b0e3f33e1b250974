//! The status area and typed or pasted paths.

use basin::command::Command;
use basin::jobs::Status;
use basin::ui::{Answer, Purpose};
use eframe::egui::{Event, Key};
use egui_kittest::kittest::Queryable as _;

use super::half_done;
use crate::support::bowl::Fake;
use crate::support::window::Window;

/// Vertical place of the first text that contains `words`.
fn top(window: &Window, words: &str) -> f32 {
    let mut found = window.harness.query_all_by_label_contains(words);
    found.next().unwrap_or_else(|| panic!("nothing says {words:?}")).rect().top()
}

fn says(window: &Window, words: &str) -> bool {
    window.harness.query_all_by_label_contains(words).next().is_some()
}

#[test]
fn the_running_job_is_on_top_errors_follow_and_stay_while_successes_fade() {
    let fake = Fake::default();
    let held = fake.hold();
    let mut window = Window::new(fake);
    window.open("classifier.pth.tar");
    window.click("Run");
    window.until("half of the landscape is there", half_done);
    window.retype("Steps", "9");
    window.click("Run next");
    window.harness.state_mut().handle(Answer::Exported { path: "figure.pdf".into(), result: Ok(Vec::new()) });
    for number in 0..9 {
        window.harness.state_mut().handle(Answer::Failed(format!("disk {number} is full")));
    }
    window.harness.run_steps(3);
    window.compare_bottom("status");
    let statuses: Vec<_> = window.harness.state().jobs().entries().iter().map(|e| e.status.clone()).collect();
    assert_eq!(statuses, [Status::Running, Status::Waiting]);
    assert!(top(&window, " of 625") < top(&window, "Disk 8 is full"), "progress is above all messages");
    assert!(top(&window, "Disk 8 is full") < top(&window, "Disk 0 is full"), "the newest error comes first");
    assert!(says(&window, "Written: figure.pdf"));
    // Thirteen seconds of the window's clock.
    window.harness.run_steps(13 * 4);
    assert!(!says(&window, "Written: figure.pdf"), "a success fades");
    assert!(says(&window, "Disk 0 is full"), "an error stays");
    *held.lock().expect("not poisoned") = false;
    window.settle();
}

#[test]
fn without_a_file_dialog_a_path_is_typed() {
    let mut window = Window::new(Fake::default());
    let path = window.checkpoint("classifier.pth.tar");
    window.harness.state_mut().handle(Answer::NoDialog(Purpose::OpenCheckpoints));
    window.harness.run_steps(3);
    // The field has the keyboard.
    window.harness.event(Event::Text("/no/such/file.pt".into()));
    window.harness.run_steps(2);
    window.harness.key_press(Key::Enter);
    window.harness.run_steps(3);
    window.picture("path");
    assert!(says(&window, "There is no file or folder /no/such/file.pt."));
    window.retype(
        "Path of a checkpoint, a record or a folder; ~ is your home folder.",
        &path.display().to_string(),
    );
    window.harness.key_press(Key::Enter);
    window.settle();
    let models = window.harness.state().session().models();
    assert_eq!(models.iter().map(|model| &model.path).collect::<Vec<_>>(), [&path]);
    assert!(!says(&window, "no file dialog"), "the dialog is closed");
    window.harness.state_mut().handle(Answer::NoDialog(Purpose::Data));
    window.harness.run_steps(3);
    assert!(says(&window, "type or paste the path into the field"));
}

#[test]
fn pasted_paths_open() {
    let mut window = Window::new(Fake::default());
    let path = window.checkpoint("my classifier.pth.tar");
    window.harness.event(Event::Paste(format!("file://{}", path.display().to_string().replace(' ', "%20"))));
    window.settle();
    assert_eq!(window.harness.state().session().models()[0].path, path);
    window.harness.event(Event::Paste("remember the milk".into()));
    window.settle();
    assert!(says(&window, "The clipboard names no file that exists (remember the milk)"));
    // A dialog keeps pasted text to itself.
    window.harness.state_mut().command(Command::About);
    window.harness.run_steps(3);
    window.harness.event(Event::Paste("buy bread".into()));
    window.settle();
    assert!(!says(&window, "buy bread"));
}
