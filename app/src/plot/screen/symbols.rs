//! Symbols of points on the screen, as on paper.

use std::ops::RangeInclusive;

use eframe::egui::epaint::{Mesh, PathStroke};
use eframe::egui::{Color32, Pos2, Shape, Stroke, Ui, vec2};
use egui_plot::{PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotPoint, PlotTransform};

use crate::plot::Shape as Symbol;

/// Symbols smaller than this have no outline: it would be all one sees.
const SMALLEST_OUTLINED: f32 = 2.7;

/// Radius of a mark.
pub const MARK: f32 = 5.5;

/// Radius of a symbol of this relative size.
pub fn radius(size: f64) -> f32 {
    4.5 * size as f32
}

/// One symbol.
pub fn shapes(symbol: Symbol, at: Pos2, radius: f32, fill: Color32, outline: Color32) -> Vec<Shape> {
    let stroke = if radius < SMALLEST_OUTLINED { Stroke::NONE } else { Stroke::new(0.9, outline) };
    let corners: Vec<Pos2> =
        symbol.corners().into_iter().map(|[x, y]| at + radius * vec2(x as f32, y as f32)).collect();
    match symbol {
        Symbol::Circle => {
            vec![Shape::circle_filled(at, radius, fill), Shape::circle_stroke(at, radius, stroke)]
        }
        Symbol::Cross => {
            let arms = [vec2(radius, radius), vec2(radius, -radius)];
            let arm = |d, stroke: Stroke| Shape::line_segment([at - d, at + d], stroke);
            let edge = arms.map(|d| arm(d, Stroke::new(0.55 * radius + 1.5, outline)));
            edge.into_iter().chain(arms.map(|d| arm(d, Stroke::new(0.55 * radius, fill)))).collect()
        }
        // Not convex: triangles around the centre.
        Symbol::Star => {
            let mut mesh = Mesh::default();
            mesh.colored_vertex(at, fill);
            corners.iter().for_each(|corner| mesh.colored_vertex(*corner, fill));
            let count = corners.len() as u32;
            (0..count).for_each(|i| mesh.add_triangle(0, 1 + i, 1 + (i + 1) % count));
            vec![Shape::mesh(mesh), Shape::closed_line(corners, PathStroke::from(stroke))]
        }
        _ => vec![Shape::convex_polygon(corners, fill, stroke)],
    }
}

/// The symbols of one group, which the pointer finds.
pub struct SymbolsItem {
    base: PlotItemBase,
    points: Vec<PlotPoint>,
    symbol: Symbol,
    radius: f32,
    colors: [Color32; 2],
    hover: bool,
}

impl SymbolsItem {
    /// Symbols at these points, in colours of inside and outline.
    pub fn new(name: String, points: &[[f64; 2]], symbol: Symbol, radius: f32, colors: [Color32; 2]) -> Self {
        let points = points.iter().map(|[x, y]| PlotPoint::new(*x, *y)).collect();
        Self { base: PlotItemBase::new(name), points, symbol, radius, colors, hover: true }
    }

    /// Not to be found by the pointer.
    pub fn without_hover(self) -> Self {
        Self { hover: false, ..self }
    }
}

impl PlotItem for SymbolsItem {
    fn shapes(&self, _: &Ui, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        let [fill, outline] = self.colors;
        for point in &self.points {
            let at = transform.position_from_point(point);
            shapes.extend(self::shapes(self.symbol, at, self.radius, fill, outline));
        }
    }

    fn initialize(&mut self, _: RangeInclusive<f64>) {}

    fn color(&self) -> Color32 {
        self.colors[0]
    }

    fn allow_hover(&self) -> bool {
        self.hover
    }

    fn geometry(&self) -> PlotGeometry<'_> {
        PlotGeometry::Points(&self.points)
    }

    fn bounds(&self) -> PlotBounds {
        let mut bounds = PlotBounds::NOTHING;
        self.points.iter().for_each(|point| bounds.extend_with(point));
        bounds
    }

    fn base(&self) -> &PlotItemBase {
        &self.base
    }

    fn base_mut(&mut self) -> &mut PlotItemBase {
        &mut self.base
    }
}
