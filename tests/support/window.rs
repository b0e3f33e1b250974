//! Driving the window: by role and label, as a user does.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use basin::jobs::Engine;
use basin::ui::{Answer, App, Purpose};
use eframe::egui::accesskit::Role as WidgetRole;
use eframe::egui::{Key, Modifiers, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::bowl::Fake;

/// A window on a fake, in a folder of its own with a file that can pass for a checkpoint.
pub struct Window {
    pub harness: Harness<'static, App>,
    pub folder: tempfile::TempDir,
}

impl Window {
    pub fn new(fake: Fake) -> Self {
        Self::with_engine(Arc::new(fake))
    }

    pub fn with_engine(engine: Arc<dyn Engine>) -> Self {
        let harness = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_max_steps(64)
            .with_wait_for_pending_images(false)
            .wgpu()
            .build_eframe(|cc| App::new(cc, engine, Vec::new()));
        Self { harness, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn checkpoint(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, b"weights").expect("a writable folder");
        path
    }

    /// Opens a checkpoint the way the dialog's answer does.
    pub fn open(&mut self, name: &str) -> PathBuf {
        let path = self.checkpoint(name);
        self.harness
            .state_mut()
            .handle(Answer::Chosen { purpose: Purpose::OpenCheckpoints, paths: vec![path.clone()] });
        self.settle();
        path
    }

    /// Draws until no thread works.
    pub fn settle(&mut self) {
        self.until("every thread has answered", |app| !app.is_busy());
        self.harness.run_steps(4);
    }

    pub fn until(&mut self, what: &str, mut reached: impl FnMut(&App) -> bool) {
        let patience = Instant::now() + Duration::from_secs(240);
        loop {
            self.harness.step();
            if reached(self.harness.state()) {
                return self.harness.run_steps(2);
            }
            assert!(Instant::now() < patience, "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Draws until a label that contains these words is seen; confirmations fade, so that they may be gone when all threads have answered.
    pub fn until_label(&mut self, label: &str) {
        let patience = Instant::now() + Duration::from_secs(240);
        while self.harness.query_all_by_label_contains(label).next().is_none() {
            assert!(Instant::now() < patience, "waited in vain for {label}");
            self.harness.step();
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Runs a 2-D landscape of few points.
    pub fn run_small(&mut self) {
        self.retype("Steps", "9");
        self.click("Run");
        self.settle();
    }

    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.run_steps(3);
    }

    /// Chooses from a drop-down list.
    pub fn choose(&mut self, list: &str, option: &str) {
        self.harness.get_by_role_and_label(WidgetRole::ComboBox, list).click();
        self.harness.run_steps(3);
        self.click(option);
    }

    /// Replaces what a field says, by keyboard.
    pub fn retype(&mut self, label: &str, text: &str) {
        self.harness.get_by_role_and_label(WidgetRole::TextInput, label).click();
        self.harness.step();
        self.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        self.harness.step();
        match text {
            // No text is no event.
            "" => self.harness.key_press(Key::Delete),
            text => self.harness.get_by_role_and_label(WidgetRole::TextInput, label).type_text(text),
        }
        self.harness.run_steps(3);
    }

    /// The user presses the window's close button; whether the window refuses.
    pub fn request_close(&mut self) -> bool {
        let root = self.harness.input_mut().viewports.entry(ViewportId::ROOT).or_default();
        root.events.push(ViewportEvent::Close);
        self.harness.step();
        let refused = self.sent(&ViewportCommand::CancelClose);
        self.harness.run_steps(3);
        refused
    }

    /// Whether the last frame sent a command to the desktop.
    pub fn sent(&self, command: &ViewportCommand) -> bool {
        self.harness.output().viewport_output.values().any(|output| output.commands.contains(command))
    }

    pub fn picture(&mut self, name: &str) {
        if let Some(folder) = std::env::var_os("BASIN_PICTURES") {
            let image = self.harness.render().expect("a software renderer");
            image.save(PathBuf::from(folder).join(format!("{name}.png"))).expect("a writable folder");
        }
    }
}
