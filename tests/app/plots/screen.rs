//! Figures on the screen: what the wheel does and what is said at the pointer.

use std::cell::Cell;

use basin::plot::screen::ScreenPlot;
use eframe::egui;
use egui_plot::{HoverPosition, PlotMemory, PlotPoint};

use super::gallery::scatter;

#[test]
fn the_wheel_zooms_as_the_help_says() {
    let screen = ScreenPlot::new(scatter());
    let width = Cell::new(0.0);
    let mut harness = egui_kittest::Harness::builder().with_size([640.0, 480.0]).build_ui(|ui| {
        let id = ui.make_persistent_id("wheel");
        screen.ui(ui, "wheel");
        width.set(PlotMemory::load(ui.ctx(), id).map_or(0.0, |memory| memory.bounds().width()));
    });
    harness.run();
    let before = width.get();
    harness.hover_at(egui::pos2(330.0, 200.0));
    harness.run();
    for (delta, zooms_in) in [(200.0, true), (-400.0, false)] {
        harness.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, delta),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Wheel,
            modifiers: egui::Modifiers::NONE,
        });
        harness.run();
        let after = width.get();
        assert!(if zooms_in { after < 0.8 * before } else { after > 1.2 * before }, "{before} to {after}");
    }
}

#[test]
fn the_pointer_tells_the_ends_of_error_bars() {
    let plot = scatter();
    let screen = ScreenPlot::new(plot);
    assert!(screen.plot().notes.iter().any(|note| note.starts_with("Bars are 95 % intervals")));
    let at = HoverPosition::NearDataPoint { plot_name: "AT", position: PlotPoint::new(1.22, 3.9), index: 0 };
    assert_eq!(
        screen.hover(&at).as_deref(),
        Some(
            "AT 0\nAverage-case flatness (ξ=0.5): 1.22 (95 % interval 1.16 to 1.3)\n\
             Robust loss (L∞, ε=8/255): 3.9 (95 % interval 3.75 to 4.05)"
        )
    );
}
