//! The right: how results are drawn.

use std::sync::Arc;

use basin_core::record::{Outcome, Record};
use eframe::egui::{DragValue, RichText, Slider, Ui};

use crate::plot::colormap::ColorMap;
use crate::plot::landscape::Which;
use crate::surface::Arrangement;
use crate::ui::display::{Display, LandscapeChart, Quantity};
use crate::ui::widgets::{choice_ui, heading_ui, palette, row_ui, segmented_ui};

/// A slider that fills its row.
fn slider_ui<N: eframe::emath::Numeric>(
    ui: &mut Ui,
    label: &str,
    tooltip: &str,
    value: &mut N,
    range: std::ops::RangeInclusive<N>,
    decimals: usize,
) {
    row_ui(ui, label, tooltip, |ui| {
        ui.spacing_mut().slider_width = (ui.available_width() - 52.0).max(40.0);
        (ui.add(Slider::new(value, range).fixed_decimals(decimals)), ())
    });
}

/// Draws the settings that matter for what is shown; `several`: records are shown together.
pub(crate) fn ui(ui: &mut Ui, display: &mut Display, record: Option<&Arc<Record>>, several: bool) {
    let landscape = record.and_then(|record| match &record.outcome {
        Outcome::Landscape(landscape) => Some(landscape),
        _ => None,
    });
    if let Some(Outcome::Flatness(flatness)) = record.map(|record| &record.outcome)
        && !flatness.layers.is_empty()
    {
        heading_ui(ui, "Flatness");
        let charts = [
            (false, "Over radii", "All tensors perturbed together"),
            (true, "Per layer", "Each tensor perturbed by itself"),
        ];
        segmented_ui(ui, &mut display.per_layer, &charts);
    }
    if let Some(landscape) = landscape {
        heading_ui(ui, "Chart");
        let charts = [
            (LandscapeChart::Values, "Values", "Curves of a 1-D landscape, contours of a 2-D one"),
            (
                LandscapeChart::MergeTree,
                "Merge tree",
                "Where the minima are, and over which saddles they join as the level rises",
            ),
            (LandscapeChart::Curvature, "Curvature", "Eigenvalues of the Hessian at every point"),
        ];
        let has = if landscape.curvature.is_some() { charts.len() } else { charts.len() - 1 };
        segmented_ui(ui, &mut display.chart, &charts[..has]);
    }
    if record.is_some_and(|record| matches!(record.outcome, Outcome::Train(_))) {
        heading_ui(ui, "Curves of trainings");
        let images = [
            (Which::Auto, "automatic"),
            (Which::Robust, "robust"),
            (Which::Clean, "clean"),
            (Which::Both, "robust and clean"),
        ];
        let tip = "Automatic: both of one training, robust of several";
        choice_ui(ui, "Images", tip, &mut display.training_images, &images);
    }
    heading_ui(ui, "Values");
    let quantities = [
        (Quantity::Loss, "Loss", "Mean cross-entropy"),
        (Quantity::Error, "Error", "Share of wrong examples"),
    ];
    segmented_ui(ui, &mut display.quantity, &quantities);
    let scales = [(false, "Linear", "Heights as they are"), (true, "Logarithmic", "Equal ratios look equal")];
    segmented_ui(ui, &mut display.logarithmic, &scales);
    row_ui(ui, "Clip above", "Cut off what is higher, so that the basin is not dwarfed by its walls", |ui| {
        let check = ui.checkbox(&mut display.clip, "");
        // In the unit of the axis; each quantity remembers its own.
        let value = match display.quantity {
            Quantity::Loss => DragValue::new(&mut display.clip_at).speed(0.05).range(0.01..=1e6),
            Quantity::Error => {
                DragValue::new(&mut display.clip_error_at).speed(0.5).range(0.1..=100.0).suffix(" %")
            }
        };
        ui.add_enabled(display.clip, value).on_hover_text(match display.quantity {
            Quantity::Loss => "Largest loss drawn",
            Quantity::Error => "Largest error drawn, in percent like the axis",
        });
        (check, ())
    });
    let maps: Vec<(ColorMap, &str)> = ColorMap::ALL.into_iter().map(|map| (map, map.name())).collect();
    choice_ui(ui, "Colours", "Colour map of heights", &mut display.colormap, &maps);

    heading_ui(ui, "Contours");
    ui.checkbox(&mut display.surface_contours, "On the surface");
    ui.checkbox(&mut display.floor_contours, "On the floor");
    slider_ui(ui, "Levels", "About how many contour lines of the surface", &mut display.levels, 3..=40, 0);
    ui.checkbox(&mut display.floor_colors, "Colours on the floor");

    if several && landscape.is_some_and(|landscape| landscape.y.is_some()) {
        heading_ui(ui, "Several surfaces");
        let arrangements = [
            (Arrangement::Beside, "Beside", "Each in a box of its own; they turn together"),
            (Arrangement::Overlaid, "Overlaid", "All in one box, told apart by their colours"),
        ];
        segmented_ui(ui, &mut display.arrangement, &arrangements);
        ui.add_enabled_ui(display.arrangement == Arrangement::Beside, |ui| {
            ui.checkbox(&mut display.same_scale, "One scale of heights and colours");
        });
    }
    heading_ui(ui, "Surface");
    ui.checkbox(&mut display.lighting, "Light and shadow");
    ui.checkbox(&mut display.wireframe, "Grid lines");
    slider_ui(ui, "Height", "Height of the box", &mut display.height, 0.25..=2.5, 2);
    let two = landscape.is_some_and(|landscape| landscape.clean.is_some() && landscape.robust.is_some());
    ui.add_enabled_ui(two || landscape.is_none(), |ui| {
        ui.checkbox(&mut display.overlay_clean, "Clean surface under the robust one");
        slider_ui(
            ui,
            "Opacity",
            "Of the robust surface, while the clean one is under it",
            &mut display.opacity,
            0.1..=1.0,
            2,
        );
    });
    if landscape.is_some() && !two {
        let text = "This landscape has one loss only.";
        ui.label(RichText::new(text).small().color(palette(ui).weak));
    }
}
