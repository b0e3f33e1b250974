//! Numbers in contour lines: on the straightest long stretch, turned along the line, never upside down and
//! never on top of each other. The line is interrupted under its number.

use super::fonts;
use super::layout::CAP_HEIGHT;
use super::scene::{Anchor, Outline, Rect, Text};
use super::style::FigureStyle;
use crate::plot::Contour;

/// Places labels one contour at a time.
pub struct Placer<'a> {
    axes: Rect,
    style: &'a FigureStyle,
    /// The labels placed so far.
    pub texts: Vec<Text>,
    taken: Vec<([f64; 2], f64)>,
}

impl<'a> Placer<'a> {
    pub fn new(axes: Rect, style: &'a FigureStyle) -> Self {
        Self { axes, style, texts: Vec::new(), taken: Vec::new() }
    }

    /// Labels the longest line of a contour (and two more that are nearly as long); gives the lines with gaps.
    pub fn place(&mut self, mut lines: Vec<Outline>, contour: &Contour) -> Vec<Outline> {
        let size = 0.8 * self.style.tick_pt;
        let room = fonts::width(&contour.label, self.style.family, false, size) + 0.5 * size;
        lines.sort_by(|a, b| Arc::new(b).length().total_cmp(&Arc::new(a).length()));
        let longest = lines.first().map_or(0.0, |l| Arc::new(l).length());
        let mut out = Vec::new();
        let before = self.texts.len();
        for line in lines {
            let arc = Arc::new(&line);
            let wanted = self.texts.len() < before + 3 && arc.length() >= (0.6 * longest).max(3.0 * room);
            match wanted.then(|| self.best(&arc, room)).flatten() {
                Some(start) => {
                    let (a, b) = (arc.at(start), arc.at(start + room));
                    let middle = [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
                    let mut angle = (-(b[1] - a[1])).atan2(b[0] - a[0]).to_degrees();
                    if angle > 90.0 {
                        angle -= 180.0;
                    } else if angle <= -90.0 {
                        angle += 180.0;
                    }
                    self.taken.push((middle, room));
                    self.texts.push(text(middle, angle, contour, size));
                    out.extend(arc.without(start, start + room));
                }
                None => out.push(line),
            }
        }
        out
    }

    /// Beginning of the best stretch of length `room`.
    fn best(&self, arc: &Arc, room: f64) -> Option<f64> {
        let step = 2.0;
        // Not at the ends of open lines, which lie at the frame or at a hole.
        let (first, last) =
            if arc.closed { (0.0, arc.length()) } else { (0.5 * room, arc.length() - 1.5 * room) };
        let count = ((last - first) / step).floor().max(0.0) as usize;
        let score = |start: f64| {
            let (a, b) = (arc.at(start), arc.at(start + room));
            let middle = [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
            if !self.axes.contains(middle, 0.7 * room) {
                return f64::NEG_INFINITY;
            }
            let straight = distance(a, b) / room;
            let nearest =
                self.taken.iter().map(|(p, r)| distance(*p, middle) / (room + r)).fold(4.0, f64::min);
            if straight < 0.9 || nearest < 0.8 {
                return f64::NEG_INFINITY;
            }
            // Nearly horizontal text reads best; distance to the others matters up to a point.
            let level = (b[0] - a[0]).abs() / distance(a, b).max(1e-9);
            10.0 * straight + 0.6 * nearest.min(2.0) + 0.8 * level
        };
        (0..=count)
            .map(|i| first + i as f64 * step)
            .map(|start| (start, score(start)))
            .filter(|(_, score)| score.is_finite())
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(start, _)| start)
    }
}

fn text(middle: [f64; 2], angle: f64, contour: &Contour, size: f64) -> Text {
    // The baseline's middle lies half a digit below the line, along its normal.
    let (sin, cos) = angle.to_radians().sin_cos();
    let down = CAP_HEIGHT * size / 2.0;
    Text {
        at: [middle[0] + down * sin, middle[1] + down * cos],
        anchor: Anchor::Middle,
        angle,
        label: contour.label.clone(),
        size,
        bold: false,
        color: contour.color,
        family: None,
    }
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

/// A line measured by its length; closed lines go round.
struct Arc {
    points: Vec<[f64; 2]>,
    along: Vec<f64>,
    closed: bool,
}

impl Arc {
    fn new(line: &Outline) -> Self {
        let mut points = line.points.clone();
        if line.closed {
            points.extend(line.points.first());
        }
        let mut along = vec![0.0; points.len()];
        for i in 1..points.len() {
            along[i] = along[i - 1] + distance(points[i - 1], points[i]);
        }
        Self { points, along, closed: line.closed }
    }

    fn length(&self) -> f64 {
        self.along.last().copied().unwrap_or(0.0)
    }

    fn wrap(&self, s: f64) -> f64 {
        if self.closed { s.rem_euclid(self.length()) } else { s.clamp(0.0, self.length()) }
    }

    fn at(&self, s: f64) -> [f64; 2] {
        let s = self.wrap(s);
        let i = self.along.partition_point(|a| *a <= s).clamp(1, self.points.len() - 1);
        let t = (s - self.along[i - 1]) / (self.along[i] - self.along[i - 1]).max(1e-12);
        let (a, b) = (self.points[i - 1], self.points[i]);
        [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]
    }

    /// The line from `from` to `to` (both within the length).
    fn part(&self, from: f64, to: f64) -> Vec<[f64; 2]> {
        let between =
            self.points.iter().zip(&self.along).filter(|(_, s)| **s > from && **s < to).map(|(p, _)| *p);
        std::iter::once(self.at(from)).chain(between).chain(std::iter::once(self.end(to))).collect()
    }

    fn end(&self, s: f64) -> [f64; 2] {
        if s >= self.length() { self.points[self.points.len() - 1] } else { self.at(s) }
    }

    /// What is left when the stretch from `start` to `end` is cut out.
    fn without(&self, start: f64, end: f64) -> Vec<Outline> {
        let open = |points| Outline { points, closed: false };
        let length = self.length();
        if !self.closed {
            return vec![open(self.part(0.0, start)), open(self.part(end.min(length), length))];
        }
        if end > length {
            return vec![open(self.part(end - length, start))];
        }
        let mut rest = self.part(end, length);
        rest.extend(self.part(0.0, start).into_iter().skip(1));
        vec![open(rest)]
    }
}
