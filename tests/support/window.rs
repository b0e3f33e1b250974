//! Driving the window: by role and label, as a user does.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use basin::jobs::Engine;
use basin::ui::{Answer, App, Purpose};
use eframe::egui::accesskit::Role as WidgetRole;
use eframe::egui::{Key, Modifiers, Rect, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::bowl::Fake;

/// A window on a fake, in a folder of its own with a file that can pass for a checkpoint.
pub struct Window {
    pub harness: Harness<'static, App>,
    pub folder: tempfile::TempDir,
    /// Where the folder lies.
    outer: tempfile::TempDir,
}

/// The tabs and what they show, between the panels of a window of the usual size.
const TABS: [u32; 4] = [244, 32, 694, 698];
/// The last lines of jobs and messages.
const BOTTOM: [u32; 4] = [0, 726, 1280, 74];

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
        // Its name is that of unnamed networks in it, so it is the same each time.
        let outer = tempfile::tempdir().expect("a temporary folder");
        let folder = tempfile::Builder::new().prefix("study").rand_bytes(0).tempdir_in(outer.path());
        Self { harness, folder: folder.expect("a temporary folder"), outer }
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

    /// Leaves a picture in the folder `BASIN_PICTURES`, to be looked at.
    pub fn picture(&mut self, name: &str) {
        if let Some(folder) = std::env::var_os("BASIN_PICTURES") {
            let image = self.harness.render().expect("a software renderer");
            image.save(PathBuf::from(folder).join(format!("{name}.png"))).expect("a writable folder");
        }
    }

    /// Compares the tabs and what they show with `tests/snapshots/NAME.png`; `UPDATE_SNAPSHOTS=1` rewrites the file.
    pub fn compare(&mut self, name: &str) {
        self.compare_part(name, TABS);
    }

    /// The same of the last lines of jobs and messages.
    pub fn compare_bottom(&mut self, name: &str) {
        self.compare_part(name, BOTTOM);
    }

    /// At half the size: the files are small, and edges one level of a color apart on other processors become alike.
    fn compare_part(&mut self, name: &str, [x, y, width, height]: [u32; 4]) {
        self.picture(name);
        let mut image = self.harness.render().expect("a software renderer");
        for Rect { min, max } in self.paths() {
            for y in min.y as u32..max.y as u32 {
                for x in min.x as u32..max.x as u32 {
                    image.put_pixel(x, y, image::Rgba([0, 0, 0, 255]));
                }
            }
        }
        let part = image::imageops::crop_imm(&image, x, y, width, height).to_image();
        let half = image::imageops::thumbnail(&part, width / 2, height / 2);
        egui_kittest::image_snapshot(&half, name);
    }

    /// Where paths of temporary files stand, which are others each time: fields, and the rest of lines.
    fn paths(&self) -> Vec<Rect> {
        let outer = self.outer.path().display().to_string();
        let found = self.harness.query_all_by(|node| {
            [node.label(), node.value()].into_iter().flatten().any(|text| text.contains(&outer))
        });
        let right = (TABS[0] + TABS[2]) as f32;
        let covered = found.map(|node| match node.accesskit_node().role() {
            WidgetRole::TextInput => node.rect(),
            _ => Rect { max: [right, node.rect().max.y].into(), ..node.rect() },
        });
        covered.collect()
    }
}
