//! Opening the window, or saying why there is none.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use eframe::egui::{Context, Ui, ViewportBuilder, ViewportCommand};
use eframe::{CreationContext, NativeOptions};

use crate::environment;
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
    environment::for_computing();
    let viewport = ViewportBuilder::default()
        .with_title("Basin")
        .with_app_id("basin")
        .with_inner_size(theme::FIRST_WINDOW)
        .with_min_inner_size(theme::MIN_WINDOW)
        .with_drag_and_drop(true);
    let options = NativeOptions { viewport, ..NativeOptions::default() };
    let create = |cc: &CreationContext<'_>| {
        if std::env::var_os(FIRST_FRAME).is_some() {
            close_after_first_frame(&cc.egui_ctx);
        }
        Ok(Box::new(App::new(cc, Arc::new(Core), paths)) as Box<dyn eframe::App>)
    };
    eframe::run_native("basin", options, Box::new(create))
        .map_err(|error| match error {
            eframe::Error::Wgpu(error) => {
                anyhow!("cannot draw in a window ({error}); install a Vulkan driver (Mesa's mesa-vulkan-drivers will do), or {REMEDY}")
            }
            eframe::Error::WinitEventLoop(_) => {
                anyhow!("there is no display (the one that DISPLAY or WAYLAND_DISPLAY names does not answer); {REMEDY}")
            }
            error => anyhow!("cannot open a window ({error}); {REMEDY}"),
        })
}

/// With this variable set, the window says on standard output that its first frame is on the screen, and
/// closes: how `cargo xtask bench` times the start.
pub const FIRST_FRAME: &str = "BASIN_FIRST_FRAME";

fn close_after_first_frame(ctx: &Context) {
    ctx.on_end_pass(
        "first frame",
        Arc::new(|ctx: &mut Ui| {
            // The second pass begins when the first frame has been handed to the screen.
            if ctx.cumulative_frame_nr() == 1 {
                println!("first frame");
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
            ctx.request_repaint();
        }),
    );
}

/// Why there cannot be a window, where that can be known beforehand.
fn no_display() -> Option<&'static str> {
    let unset = |name: &str| std::env::var_os(name).is_none_or(|value| value.is_empty());
    let names = ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"];
    (cfg!(all(unix, not(target_os = "macos"))) && names.into_iter().all(unset))
        .then_some("neither DISPLAY nor WAYLAND_DISPLAY is set")
}
