//! A 2-D landscape in 3-D.

use eframe::CreationContext;
use eframe::egui::Ui;

use crate::command::CameraPreset;
use crate::ui::App;
use crate::ui::widgets::empty_ui;

/// What lives with the 3-D view.
pub(crate) struct SurfaceView {}

impl SurfaceView {
    pub fn new(_: &CreationContext<'_>) -> Self {
        Self {}
    }

    pub fn set_camera(&mut self, _: CameraPreset) {}
}

impl App {
    pub(crate) fn surface_ui(&mut self, ui: &mut Ui) {
        empty_ui(ui, "No landscape yet", "Choose 2-D at the right and press Run.", |_| ());
    }
}
