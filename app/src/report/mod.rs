//! A report: one file with words, tables and figures, as HTML or PDF.
//!
//! A [`Document`] is what it says; [`html`] and [`pages`] are how it looks.

mod html;
mod pages;

use crate::plot::export::{FigureStyle, Scene};
use crate::plot::figure::Drawn;

pub use html::html;
pub use pages::{pages, pdf};

/// What a report says. All words are plain text.
#[derive(Default)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// The lines below it.
    pub about: Vec<String>,
    /// What follows, in order.
    pub blocks: Vec<Block>,
}

/// A part of a report.
pub enum Block {
    /// Begins a section.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Sentences of equal rank.
    List(Vec<String>),
    /// A sentence that the reader must not miss.
    Warning(String),
    /// A table; columns of numbers are set to the right.
    Table(Table),
    /// A figure.
    Figure(Box<Figure>),
    /// A line to be typed.
    Command(String),
}

/// A drawing with its caption.
pub struct Figure {
    /// The drawing.
    pub drawn: Drawn,
    /// Its width in inches.
    pub width_in: f64,
    /// What it shows.
    pub caption: String,
}

impl Figure {
    /// Laid out in a style; none if it is made of pixels.
    fn scene(&self, style: &FigureStyle) -> Option<Scene> {
        self.drawn.scene(&FigureStyle { width_in: self.width_in, ..style.clone() })
    }
}

/// Rows of cells below their header.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Names of the columns.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Leaves out columns without a value.
    pub fn without_empty_columns(&mut self) {
        let is_empty = |i: &usize| self.rows.iter().all(|row| row.get(*i).is_none_or(String::is_empty));
        let empty: Vec<usize> = (0..self.header.len()).filter(is_empty).rev().collect();
        for column in empty {
            self.header.remove(column);
            self.rows.iter_mut().filter(|row| column < row.len()).for_each(|row| {
                row.remove(column);
            });
        }
    }

    /// Whether a column holds numbers, or nothing.
    fn is_number(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
        cells.all(|cell| cell.replace('−', "-").split_whitespace().all(|word| word.parse::<f64>().is_ok()))
    }
}
