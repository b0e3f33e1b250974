//! Free places for words among the points of a plot, on paper and on the screen. Lengths are in points, y downwards.

use super::export::Rect;
use super::{Item, Plot};

/// A place, or the way from one to another.
type At = [f64; 2];
type Line = [At; 2];

/// What is there already.
#[derive(Debug, Clone, Default)]
pub struct Obstacles {
    /// Centre and radius of symbols.
    pub symbols: Vec<(At, f64)>,
    /// Error bars.
    pub bars: Vec<Line>,
    /// Lines across the axes.
    pub guides: Vec<Line>,
    /// Words and boxes.
    pub boxes: Vec<Rect>,
    leaders: Vec<Line>,
}

/// A box that wants a place near its symbol.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Width and height.
    pub size: [f64; 2],
    /// Centre of the symbol.
    pub at: At,
    /// Its radius.
    pub radius: f64,
}

/// A place that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// The box.
    pub place: Rect,
    /// From the rim of the symbol to the box, where that is not beside it.
    pub leader: Option<Line>,
}

/// Directions tried, clockwise from the right; the earlier the better.
const DIRECTIONS: [At; 16] = [
    [1.0, 0.0],
    [0.8, -0.6],
    [0.8, 0.6],
    [-1.0, 0.0],
    [0.0, -1.0],
    [0.0, 1.0],
    [-0.8, -0.6],
    [-0.8, 0.6],
    [0.92, -0.39],
    [0.92, 0.39],
    [0.39, -0.92],
    [0.39, 0.92],
    [-0.39, -0.92],
    [-0.39, 0.92],
    [-0.92, -0.39],
    [-0.92, 0.39],
];
/// Distances tried, in font sizes beyond the symbol.
const DISTANCES: [f64; 11] = [0.3, 0.8, 1.3, 1.9, 2.6, 3.4, 4.3, 5.4, 6.6, 8.0, 9.5];
/// Further ones, for those that must have a place.
const FAR: [f64; 5] = [11.5, 14.0, 17.0, 20.0, 24.0];

impl Obstacles {
    /// The points, bars and guides of a plot; `to` says where a point is, `radius` how large a symbol of this relative
    /// size is.
    pub fn of(plot: &Plot, to: impl Fn(f64, f64) -> Option<At>, radius: impl Fn(f64) -> f64) -> Self {
        let mut ground = Self::default();
        for item in &plot.items {
            match item {
                Item::Guide(guide) => {
                    let points: Vec<At> =
                        guide.points(plot).into_iter().filter_map(|[x, y]| to(x, y)).collect();
                    ground.guides.extend(points.windows(2).map(|ends| [ends[0], ends[1]]));
                }
                Item::Scatter(scatter) => {
                    for p in &scatter.points {
                        ground.symbols.extend(to(p.x, p.y).map(|at| (at, radius(scatter.size))));
                        let ends = |[a, b]: [At; 2]| Some([to(a[0], a[1])?, to(b[0], b[1])?]);
                        ground.bars.extend(p.bars(plot).filter_map(ends));
                    }
                }
                _ => {}
            }
        }
        ground
    }

    /// Whether a box covers no symbol, no bar and no other box, nor, if they count, guides.
    pub fn is_free(&self, place: &Rect, margin: f64, guides: bool) -> bool {
        let lines = self.bars.iter().chain(if guides { &*self.guides } else { &[] });
        self.boxes.iter().all(|other| !overlap(place, other, 2.0 * margin))
            && self.symbols.iter().all(|(at, radius)| distance(nearest(place, *at), *at) > radius + margin)
            && lines.chain(&self.leaders).all(|line| !crosses(place, line, margin))
    }

    /// Places for boxes within `frame`, crowded ones first; each that was found is taken from then on. `size` is that of
    /// the font. `loose` ones may cover
    /// bars and guides, be far away, and have a leader across whatever is there.
    pub fn label(&mut self, wanted: &[Wanted], frame: Rect, size: f64, loose: bool) -> Vec<Option<Placed>> {
        let crowd =
            |w: &Wanted| self.symbols.iter().filter(|(at, _)| distance(*at, w.at) < 4.0 * size).count();
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(crowd(&wanted[*i])));
        let mut found = vec![None; wanted.len()];
        for i in order {
            found[i] = self.label_one(&wanted[i], frame, size, loose);
        }
        found
    }

    fn label_one(&mut self, w: &Wanted, frame: Rect, size: f64, loose: bool) -> Option<Placed> {
        let margin = 0.12 * size;
        let found =
            DISTANCES.iter().chain(if loose { &FAR[..] } else { &[] }).enumerate().find_map(|(ring, far)| {
                DIRECTIONS.iter().find_map(|[dx, dy]| {
                    let reach = w.radius + far * size;
                    // The box touches the circle of this reach with the side or corner that faces the point.
                    let middle =
                        [w.at[0] + dx * (reach + w.size[0] / 2.0), w.at[1] + dy * (reach + w.size[1] / 2.0)];
                    let place = Rect {
                        left: middle[0] - w.size[0] / 2.0,
                        top: middle[1] - w.size[1] / 2.0,
                        width: w.size[0],
                        height: w.size[1],
                    };
                    let inside = frame.contains([place.left, place.top], 2.0)
                        && frame.contains([place.right(), place.bottom()], 2.0);
                    let leader = (ring > 0).then(|| [w.at, nearest(&place, w.at)]);
                    let free = inside
                        && if loose {
                            self.is_loosely_free(&place, margin)
                        } else {
                            self.is_free(&place, margin, true)
                        }
                        && (loose || leader.is_none_or(|line| self.can_lead(&line, w.at, margin)));
                    free.then_some((place, leader))
                })
            });
        let (place, leader) = found?;
        self.boxes.push(place);
        self.leaders.extend(leader);
        let from_rim = |[from, to]: Line| {
            let share = (w.radius / distance(from, to).max(1e-9)).min(1.0);
            [[0, 1].map(|i| from[i] + share * (to[i] - from[i])), to]
        };
        Some(Placed { place, leader: leader.map(from_rim) })
    }

    /// Whether a box covers no symbol and no other box.
    fn is_loosely_free(&self, place: &Rect, margin: f64) -> bool {
        self.boxes.iter().all(|other| !overlap(place, other, 2.0 * margin))
            && self
                .symbols
                .iter()
                .all(|(at, radius)| distance(nearest(place, *at), *at) > radius + 0.5 * margin)
    }

    /// Whether a leader from a symbol crosses no box, no other leader and no other symbol.
    fn can_lead(&self, line: &Line, from: At, margin: f64) -> bool {
        let others = || self.symbols.iter().filter(|(at, _)| *at != from);
        self.boxes.iter().all(|other| !crosses(other, line, margin))
            && self.leaders.iter().all(|other| !intersect(other, line))
            && others().all(|(at, radius)| from_line(*at, line) > *radius)
    }
}

fn distance(a: At, b: At) -> f64 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

/// The place of a box nearest to a place.
fn nearest(place: &Rect, [x, y]: At) -> At {
    [x.clamp(place.left, place.right()), y.clamp(place.top, place.bottom())]
}

fn overlap(a: &Rect, b: &Rect, margin: f64) -> bool {
    a.left < b.right() + margin
        && b.left < a.right() + margin
        && a.top < b.bottom() + margin
        && b.top < a.bottom() + margin
}

/// Distance of a place from a line between two places.
fn from_line(at: At, [a, b]: &Line) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let square = (along[0] * along[0] + along[1] * along[1]).max(1e-12);
    let t = (((at[0] - a[0]) * along[0] + (at[1] - a[1]) * along[1]) / square).clamp(0.0, 1.0);
    distance(at, [a[0] + t * along[0], a[1] + t * along[1]])
}

/// Whether a line between two places comes into a box grown by `margin` (Liang and Barsky).
fn crosses(place: &Rect, [a, b]: &Line, margin: f64) -> bool {
    let low = [place.left - margin, place.top - margin];
    let high = [place.right() + margin, place.bottom() + margin];
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for i in 0..2 {
        let along = b[i] - a[i];
        if along.abs() < 1e-12 {
            if a[i] < low[i] || a[i] > high[i] {
                return false;
            }
            continue;
        }
        let (one, other) = ((low[i] - a[i]) / along, (high[i] - a[i]) / along);
        enter = enter.max(one.min(other));
        leave = leave.min(one.max(other));
    }
    enter <= leave
}

/// Whether two lines between places cross.
fn intersect([a, b]: &Line, [c, d]: &Line) -> bool {
    let side = |p: &At, q: &At, r: &At| (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}
