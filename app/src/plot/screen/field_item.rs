//! A map inside of `egui_plot`: colour bands as one mesh, contour lines, and their numbers.

use std::ops::RangeInclusive;

use eframe::egui::epaint::{Mesh, PathStroke, Vertex, WHITE_UV};
use eframe::egui::{Align2, Color32, FontId, Pos2, Shape, Ui};
use egui_plot::{PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotPoint, PlotTransform};

use crate::plot::contour::{band_triangles, iso_lines};
use crate::plot::{Color, Field, text};

/// The geometry of a field in plot coordinates.
pub struct FieldDrawing {
    vertices: Vec<([f64; 2], Color32)>,
    contours: Vec<ContourDrawing>,
    dots: Vec<[f64; 2]>,
    low: [f64; 2],
    high: [f64; 2],
}

struct ContourDrawing {
    lines: Vec<Vec<[f64; 2]>>,
    label: String,
    color: Color32,
}

pub fn color32(color: Color) -> Color32 {
    Color32::from_rgba_unmultiplied(color.r, color.g, color.b, color.a)
}

impl FieldDrawing {
    pub fn new(field: &Field) -> Self {
        let grid = field.grid();
        let colors = &field.colors;
        // Band 0 of the triangles lies below the second limit: the first limit bounds all values.
        let inner = &colors.levels[1..colors.levels.len() - usize::from(!colors.over)];
        let limits: Vec<f64> = inner.iter().map(|l| field.grid_level(*l)).collect();
        let vertices = band_triangles(&grid, &limits)
            .into_iter()
            .flat_map(|(band, points)| {
                let color = color32(colors.band_color(band));
                points.map(|p| (p, color))
            })
            .collect();
        let contours = field
            .contours
            .iter()
            .map(|contour| ContourDrawing {
                lines: iso_lines(&grid, field.grid_level(contour.level))
                    .into_iter()
                    .map(|mut line| {
                        if line.closed {
                            line.points.extend(line.points.first().copied());
                        }
                        line.points
                    })
                    .collect(),
                label: text::plain(&contour.label),
                color: color32(contour.color).gamma_multiply(0.8),
            })
            .collect();
        let ends =
            |steps: &[f64]| (steps.first().copied().unwrap_or(0.0), steps.last().copied().unwrap_or(1.0));
        let ((left, right), (bottom, top)) = (ends(&field.x), ends(&field.y));
        Self { vertices, contours, dots: field.dots(), low: [left, bottom], high: [right, top] }
    }
}

/// The drawing as an item of one frame.
pub struct FieldItem<'a> {
    base: PlotItemBase,
    drawing: &'a FieldDrawing,
}

impl<'a> FieldItem<'a> {
    pub fn new(drawing: &'a FieldDrawing) -> Self {
        Self { base: PlotItemBase::new(String::new()), drawing }
    }
}

fn to_screen(transform: &PlotTransform, [x, y]: [f64; 2]) -> Pos2 {
    transform.position_from_point(&PlotPoint::new(x, y))
}

impl PlotItem for FieldItem<'_> {
    fn shapes(&self, ui: &Ui, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        let mut mesh = Mesh::default();
        mesh.vertices.extend(self.drawing.vertices.iter().map(|(p, color)| Vertex {
            pos: to_screen(transform, *p),
            uv: WHITE_UV,
            color: *color,
        }));
        mesh.indices.extend(0..mesh.vertices.len() as u32);
        shapes.push(Shape::mesh(mesh));
        for dot in &self.drawing.dots {
            let at = to_screen(transform, *dot);
            shapes.push(Shape::circle_filled(at, 2.2, Color32::from_black_alpha(140)));
            shapes.push(Shape::circle_filled(at, 1.5, Color32::from_white_alpha(220)));
        }
        let mut taken: Vec<Pos2> = Vec::new();
        for contour in &self.drawing.contours {
            for line in &contour.lines {
                let points: Vec<Pos2> = line.iter().map(|p| to_screen(transform, *p)).collect();
                let length: f32 = points.windows(2).map(|w| w[0].distance(w[1])).sum();
                shapes.push(Shape::line(points.clone(), PathStroke::new(1.0, contour.color)));
                let free = |p: &&Pos2| {
                    transform.frame().shrink(14.0).contains(**p)
                        && taken.iter().all(|t| t.distance(**p) > 40.0)
                };
                if length > 90.0
                    && let Some(at) = points.iter().skip(points.len() / 3).find(free).copied()
                {
                    taken.push(at);
                    shapes.extend(label(ui, at, contour));
                }
            }
        }
    }

    fn initialize(&mut self, _: RangeInclusive<f64>) {}

    fn color(&self) -> Color32 {
        Color32::TRANSPARENT
    }

    fn geometry(&self) -> PlotGeometry<'_> {
        PlotGeometry::None
    }

    fn bounds(&self) -> PlotBounds {
        PlotBounds::from_min_max(self.drawing.low, self.drawing.high)
    }

    fn base(&self) -> &PlotItemBase {
        &self.base
    }

    fn base_mut(&mut self) -> &mut PlotItemBase {
        &mut self.base
    }
}

/// A number with a rim in the opposite lightness, readable across the line.
fn label(ui: &Ui, at: Pos2, contour: &ContourDrawing) -> Vec<Shape> {
    let light = contour.color.r() > 127;
    let rim = if light { Color32::from_black_alpha(110) } else { Color32::from_white_alpha(110) };
    ui.fonts_mut(|fonts| {
        let mut words = |offset: [f32; 2], color| {
            let at = at + offset.into();
            Shape::text(fonts, at, Align2::CENTER_CENTER, &contour.label, FontId::proportional(10.5), color)
        };
        let rims = [[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]];
        let mut shapes: Vec<Shape> = rims.into_iter().map(|offset| words(offset, rim)).collect();
        shapes.push(words([0.0, 0.0], contour.color.to_opaque()));
        shapes
    })
}
