//! Choosing many points of a scatter by dragging a rectangle.

use eframe::egui::{Id, PointerButton, Pos2, Rect, Response, Stroke, StrokeKind, Ui};
use egui_plot::PlotTransform;

use super::ScreenPlot;
use super::legend::Hidden;

impl ScreenPlot {
    /// Whether a drag chooses points now: in its mode, or with Shift.
    pub(super) fn brushes(&self, ui: &Ui) -> bool {
        self.brush.get().is_some_and(|always| always || ui.input(|input| input.modifiers.shift))
    }

    /// Draws the rectangle that is dragged, and takes the points in it when it is let go.
    pub(super) fn brush_ui(
        &self,
        ui: &Ui,
        id: Id,
        response: &Response,
        transform: &PlotTransform,
        hidden: &Hidden,
    ) {
        let id = id.with("brush");
        let Some(at) = response.interact_pointer_pos() else { return };
        if response.drag_started_by(PointerButton::Primary) && self.brushes(ui) {
            let begun = ui.input(|input| input.pointer.press_origin()).unwrap_or(at);
            ui.data_mut(|data| data.insert_temp(id, begun));
        }
        let Some(begun) = ui.data(|data| data.get_temp::<Pos2>(id)) else { return };
        let chosen = Rect::from_two_pos(begun, at).intersect(*transform.frame());
        let color = ui.visuals().selection.stroke.color;
        ui.painter().rect(
            chosen,
            0.0,
            color.gamma_multiply(0.15),
            Stroke::new(1.0, color),
            StrokeKind::Inside,
        );
        if response.drag_stopped() {
            ui.data_mut(|data| data.remove_temp::<Pos2>(id));
            let points = self.places(transform, hidden).filter(|(_, place)| chosen.contains(*place));
            *self.brushed.borrow_mut() = points.map(|(point, _)| point).collect();
        }
    }
}
