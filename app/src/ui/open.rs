//! Opening the window, or saying why there is none.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use eframe::NativeOptions;
use eframe::egui::ViewportBuilder;

use crate::jobs::Core;
use crate::ui::{App, theme};

const REMEDY: &str = "use basin evaluate, landscape or plot, which need none";

/// Opens the window on checkpoints, records and folders; returns when it is closed.
///
/// # Errors
/// There is no display, or no graphics driver that can draw.
pub fn open(paths: Vec<PathBuf>) -> Result<()> {
    if let Some(why) = no_display() {
        return Err(anyhow!("there is no display ({why}); {REMEDY}"));
    }
    let viewport = ViewportBuilder::default()
        .with_title("Basin")
        .with_app_id("basin")
        .with_inner_size(theme::FIRST_WINDOW)
        .with_min_inner_size(theme::MIN_WINDOW)
        .with_drag_and_drop(true);
    let options = NativeOptions { viewport, ..NativeOptions::default() };
    eframe::run_native("basin", options, Box::new(|cc| Ok(Box::new(App::new(cc, Arc::new(Core), paths)))))
        .map_err(|error| match error {
            eframe::Error::Wgpu(error) => {
                anyhow!("cannot draw in a window ({error}); install a Vulkan driver (Mesa's mesa-vulkan-drivers will do), or {REMEDY}")
            }
            error => anyhow!("cannot open a window ({error}); {REMEDY}"),
        })
}

/// Why there cannot be a window, where that can be known beforehand.
fn no_display() -> Option<&'static str> {
    let unset = |name: &str| std::env::var_os(name).is_none_or(|value| value.is_empty());
    let names = ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"];
    (cfg!(all(unix, not(target_os = "macos"))) && names.into_iter().all(unset))
        .then_some("neither DISPLAY nor WAYLAND_DISPLAY is set")
}
