//! From data to places on paper.

use super::scene::{Outline, Rect};
use super::style::FigureStyle;
use crate::plot::place::Obstacles;
use crate::plot::{Plot, Series};

/// Data to paper.
pub struct Transform<'a> {
    pub plot: &'a Plot,
    axes: Rect,
}

impl<'a> Transform<'a> {
    pub fn new(plot: &'a Plot, axes: Rect) -> Self {
        Self { plot, axes }
    }

    pub fn x(&self, x: f64) -> Option<f64> {
        Some(self.axes.left + self.plot.x.position(x)? * self.axes.width)
    }

    pub fn y(&self, y: f64) -> Option<f64> {
        Some(self.axes.bottom() - self.plot.y.position(y)? * self.axes.height)
    }

    pub fn point(&self, x: f64, y: f64) -> Option<[f64; 2]> {
        Some([self.x(x)?, self.y(y)?])
    }

    /// Points, bars and guides, which words do not cover.
    pub fn ground(&self, style: &FigureStyle) -> Obstacles {
        let mut ground =
            Obstacles::of(self.plot, |x, y| self.point(x, y), |size| style.symbol_pt * size / 2.0);
        ground.symbols.retain(|(at, _)| self.axes.contains(*at, -0.01));
        ground
    }

    pub fn outlines(&self, paths: Vec<Outline>) -> Vec<Outline> {
        paths
            .into_iter()
            .map(|path| Outline {
                points: path.points.iter().filter_map(|[x, y]| self.point(*x, *y)).collect(),
                closed: path.closed,
            })
            .collect()
    }

    /// A curve as unbroken pieces: interrupted where a value is missing or cannot be shown.
    pub fn pieces(&self, series: &Series) -> Vec<Outline> {
        let mut pieces = vec![Vec::new()];
        for (x, y) in series.points() {
            match y.and_then(|y| self.point(x, y)) {
                Some(point) => pieces.last_mut().expect("never empty").push(point),
                None => pieces.push(Vec::new()),
            }
        }
        pieces.retain(|points| !points.is_empty());
        pieces.into_iter().map(|points| Outline { points, closed: false }).collect()
    }
}
