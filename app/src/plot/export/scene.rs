//! A figure laid out on paper: shapes at places in points, y downwards. Writers turn it into a file format.

use super::fit::{Fitted, LINE};
use super::style::FontFamily;
use crate::plot::{Color, Dash};

/// A rectangle in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// Right edge.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Lower edge.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Whether a place is inside, with `margin` to spare.
    pub fn contains(&self, [x, y]: [f64; 2], margin: f64) -> bool {
        x >= self.left + margin
            && x <= self.right() - margin
            && y >= self.top + margin
            && y <= self.bottom() - margin
    }

    /// The corners, as a ring.
    pub fn ring(&self) -> Outline {
        let (l, t, r, b) = (self.left, self.top, self.right(), self.bottom());
        Outline { points: vec![[l, t], [r, t], [r, b], [l, b]], closed: true }
    }
}

/// A line through points in points.
pub type Outline = crate::plot::contour::Path;

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// Colour.
    pub color: Color,
    /// Width in points.
    pub width: f64,
    /// Line style.
    pub dash: Dash,
}

impl Stroke {
    /// An unbroken line.
    pub fn solid(color: Color, width: f64) -> Self {
        Self { color, width, dash: Dash::Solid }
    }
}

/// Which point of a text its place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The left end of the baseline.
    Start,
    /// The middle of the baseline.
    Middle,
    /// The right end of the baseline.
    End,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Place of the anchor.
    pub at: [f64; 2],
    /// Which point of the text that is.
    pub anchor: Anchor,
    /// Degrees, counter-clockwise.
    pub angle: f64,
    /// The words, with mathematics.
    pub label: String,
    /// Size in points.
    pub size: f64,
    /// Bold.
    pub bold: bool,
    /// Colour.
    pub color: Color,
    /// Typeface; none: that of the scene.
    pub family: Option<FontFamily>,
}

/// Something drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Lines and areas; several outlines are filled by the even-odd rule.
    Path {
        /// The outlines.
        outlines: Vec<Outline>,
        /// Colour of the inside.
        fill: Option<Color>,
        /// Line around it.
        stroke: Option<Stroke>,
        /// Where it ends: at the frame of its axes.
        clip: Option<Rect>,
    },
    /// Discs of one size.
    Discs {
        /// Centres.
        centres: Vec<[f64; 2]>,
        /// Radius in points.
        radius: f64,
        /// Colour of the inside.
        fill: Color,
        /// Line around each.
        stroke: Option<Stroke>,
    },
    /// Words.
    Text(Text),
}

/// A laid-out figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Width in points.
    pub width: f64,
    /// Height in points.
    pub height: f64,
    /// Typeface.
    pub family: FontFamily,
    /// Inside of the axes that are being drawn.
    pub frame: Rect,
    /// What is drawn, first at the back.
    pub shapes: Vec<Shape>,
    /// Title for readers of the file's metadata.
    pub title: String,
    /// Description, one line each.
    pub description: Vec<String>,
    /// Size of axis labels in points; smaller than asked for where there was no room.
    pub label_pt: f64,
    /// Words that are shortened, in full.
    pub shortened: Vec<String>,
}

impl Scene {
    /// Every text.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.shapes.iter().filter_map(|shape| match shape {
            Shape::Text(text) => Some(text),
            _ => None,
        })
    }

    /// Adds a filled and/or stroked path; if `clip`, it ends at the frame.
    pub fn path(&mut self, outlines: Vec<Outline>, fill: Option<Color>, stroke: Option<Stroke>, clip: bool) {
        if !outlines.is_empty() {
            let clip = clip.then_some(self.frame);
            self.shapes.push(Shape::Path { outlines, fill, stroke, clip });
        }
    }

    /// Adds a straight line.
    pub fn line(&mut self, from: [f64; 2], to: [f64; 2], stroke: Stroke) {
        self.path(vec![Outline { points: vec![from, to], closed: false }], None, Some(stroke), false);
    }

    /// Adds another drawing, `factor` times as large, with its upper left corner at a place.
    pub fn append(&mut self, other: Self, at: [f64; 2], factor: f64) {
        let to = |[x, y]: [f64; 2]| [at[0] + factor * x, at[1] + factor * y];
        let outlines = |outlines: Vec<Outline>| {
            let moved = |line: Outline| Outline { points: line.points.into_iter().map(to).collect(), ..line };
            outlines.into_iter().map(moved).collect()
        };
        let stroke = |stroke: Stroke| Stroke { width: factor * stroke.width, ..stroke };
        let rect = |rect: Rect| {
            let [left, top] = to([rect.left, rect.top]);
            Rect { left, top, width: factor * rect.width, height: factor * rect.height }
        };
        self.shapes.extend(other.shapes.into_iter().map(|shape| match shape {
            Shape::Path { outlines: lines, fill, stroke: line, clip } => Shape::Path {
                outlines: outlines(lines),
                fill,
                stroke: line.map(stroke),
                clip: clip.map(rect),
            },
            Shape::Discs { centres, radius, fill, stroke: line } => Shape::Discs {
                centres: centres.into_iter().map(to).collect(),
                radius: factor * radius,
                fill,
                stroke: line.map(stroke),
            },
            Shape::Text(text) => Shape::Text(Text { at: to(text.at), size: factor * text.size, ..text }),
        }));
        self.shortened.extend(other.shortened);
    }

    /// Makes the words of the shapes from this number on bold.
    pub fn embolden(&mut self, from: usize) {
        for shape in &mut self.shapes[from..] {
            if let Shape::Text(text) = shape {
                text.bold = true;
            }
        }
    }

    /// Leaves out words without letters.
    pub fn without_empty_words(&mut self) {
        self.shapes.retain(|shape| !matches!(shape, Shape::Text(text) if text.label.is_empty()));
    }

    /// Adds lines of words; `at` is the anchor of the first one.
    pub fn words(&mut self, words: &Fitted, at: [f64; 2], anchor: Anchor) {
        for (i, line) in words.lines.iter().enumerate() {
            self.text([at[0], at[1] + LINE * words.size * i as f64], anchor, line, words.size);
        }
        self.shortened.extend(words.shortened.clone());
    }

    /// The same from bottom to top; `at` is the middle of the first line.
    pub fn upright(&mut self, words: &Fitted, at: [f64; 2]) {
        for (i, line) in words.lines.iter().enumerate() {
            let at = [at[0] + LINE * words.size * i as f64, at[1]];
            self.text(at, Anchor::Middle, line, words.size).angle = 90.0;
        }
        self.shortened.extend(words.shortened.clone());
    }

    /// Adds words.
    pub fn text(&mut self, at: [f64; 2], anchor: Anchor, label: &str, size: f64) -> &mut Text {
        self.shapes.push(Shape::Text(Text {
            at,
            anchor,
            angle: 0.0,
            label: label.to_owned(),
            size,
            bold: false,
            color: Color::BLACK,
            family: None,
        }));
        match self.shapes.last_mut() {
            Some(Shape::Text(text)) => text,
            _ => unreachable!("it has just been pushed"),
        }
    }
}
