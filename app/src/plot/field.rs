//! A function of two variables as a picture: colour bands, contour lines and the colour bar that explains them.

use super::color::Color;
use super::colormap::ColorMap;
use super::contour::Grid;
use super::fill::filled;
use super::ticks::{self, Scale, Tick, Unit};

/// Values on a grid with everything needed to draw them.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// What the values are, e.g. `Robust loss`: the title of the colour bar.
    pub name: String,
    /// Steps of the columns.
    pub x: Vec<f64>,
    /// Steps of the rows.
    pub y: Vec<f64>,
    /// Row by row, in the unit of the quantity; none: unknown.
    pub values: Vec<Option<f64>>,
    /// Values to colours.
    pub colors: ColorScale,
    /// Labelled lines of equal value.
    pub contours: Vec<Contour>,
    /// Ticks of the colour bar.
    pub ticks: Vec<Tick>,
    /// How numbers are written.
    pub unit: Unit,
    /// More values are still to come: what lies between the known ones is interpolated, and these are dotted.
    pub unfinished: bool,
}

/// A line of equal value.
#[derive(Debug, Clone, PartialEq)]
pub struct Contour {
    /// The value.
    pub level: f64,
    /// Written into the line.
    pub label: String,
    /// Line colour: readable on the bands around it.
    pub color: Color,
}

/// Colour bands: band `i` lies between `levels[i]` and `levels[i + 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorScale {
    /// The colour map.
    pub map: ColorMap,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// Ascending limits of the bands.
    pub levels: Vec<f64>,
    /// Whether there are values above the last limit; they have a colour of their own.
    pub over: bool,
}

impl ColorScale {
    /// Round bands over `low..=high`; values above `high` get the colour beyond the last band if `over`.
    pub fn new(map: ColorMap, scale: Scale, low: f64, high: f64, over: bool) -> Self {
        let levels = match scale {
            Scale::Linear => linear_levels(low, high, over),
            Scale::Log => log_levels(low, high, over),
        };
        Self { map, scale, levels, over }
    }

    /// Number of bands, the one above the last limit included.
    pub fn bands(&self) -> usize {
        self.levels.len().saturating_sub(1) + usize::from(self.over)
    }

    /// Colour of band `index`; beyond the last: its colour.
    pub fn band_color(&self, index: usize) -> Color {
        let last = self.bands().saturating_sub(1).max(1);
        let middle = |i: usize| {
            let limit = |i: usize| self.scale.map(self.levels[i]).unwrap_or(0.0);
            match self.levels.len() {
                0 | 1 => 0.0,
                n if i + 1 < n => (limit(i) + limit(i + 1)) / 2.0,
                n => limit(n - 1) + (limit(n - 1) - limit(n - 2)) / 2.0,
            }
        };
        let (first, last, at) = (middle(0), middle(last), middle(index.min(last)));
        self.map.at(if last > first { (at - first) / (last - first) } else { 0.0 })
    }

    /// The band a value is in, clamped to the bands there are.
    pub fn band(&self, value: f64) -> usize {
        self.levels.partition_point(|l| *l <= value).saturating_sub(1).min(self.bands().saturating_sub(1))
    }

    /// Lowest and highest limit.
    pub fn range(&self) -> (f64, f64) {
        (self.levels.first().copied().unwrap_or(0.0), self.levels.last().copied().unwrap_or(1.0))
    }
}

/// Limits of about 20 bands; every second, fourth, … of them is a round tick.
fn linear_levels(low: f64, high: f64, over: bool) -> Vec<f64> {
    let (low, high) = distinct(low, high);
    let span = high - low;
    let tick = ticks::nice_step(span, 7);
    let mantissa = tick / 10f64.powf(tick.log10().floor());
    // Parts of a tick that are round numbers themselves.
    let parts: &[f64] = match mantissa {
        m if m > 2.2 && m < 3.0 => &[1.0, 5.0],
        m if m > 3.0 && m < 7.0 => &[1.0, 2.0, 5.0],
        _ => &[1.0, 2.0, 4.0, 5.0],
    };
    let far = |parts: f64| (span / tick * parts - 20.0).abs();
    let parts = parts.iter().copied().min_by(|a, b| far(*a).total_cmp(&far(*b))).unwrap_or(2.0);
    let step = tick / parts;
    let first = (low / step + 1e-9).floor();
    let last = if over { (high / step + 1e-9).floor() } else { (high / step - 1e-9).ceil() };
    let last = last.max(first + 1.0);
    (0..=(last - first) as usize).map(|i| ticks::clean((first + i as f64) * step, step)).collect()
}

/// The range, or some room around it if its ends are too close to be told apart.
fn distinct(low: f64, high: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    let room = if size > 0.0 { 0.05 * size } else { 1.0 };
    if high - low > 1e-9 * size { (low, high) } else { (low - room, high + room) }
}

/// Limits per decade: more of them the fewer decades there are.
fn log_levels(low: f64, high: f64, over: bool) -> Vec<f64> {
    const FINE: [f64; 14] = [1.0, 1.2, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    const MEDIUM: [f64; 6] = [1.0, 1.5, 2.0, 3.0, 5.0, 7.0];
    const COARSE: [f64; 3] = [1.0, 2.0, 5.0];
    let decades = (high / low).log10();
    if decades < 0.5 {
        return linear_levels(low, high, over).into_iter().filter(|l| *l > 0.0).collect();
    }
    let mantissas: &[f64] = match decades {
        d if d < 1.8 => &FINE,
        d if d < 3.5 => &MEDIUM,
        d if d < 8.0 => &COARSE,
        _ => &[1.0],
    };
    let every = (decades / 24.0).ceil().max(1.0) as i32;
    let powers = (low.log10().floor() as i32 - every)..=(high.log10().ceil() as i32 + every);
    let all: Vec<f64> = powers
        .filter(|p| p.rem_euclid(every) == 0)
        .flat_map(|p| mantissas.iter().map(move |m| format!("{m}e{p}").parse().unwrap_or(f64::NAN)))
        .collect();
    let first = all.partition_point(|l| *l <= low * (1.0 + 1e-9)).saturating_sub(1);
    let end = if over {
        all.partition_point(|l| *l <= high * (1.0 + 1e-9))
    } else {
        all.partition_point(|l| *l < high * (1.0 - 1e-9)) + 1
    };
    all[first..end.max(first + 2).min(all.len())].to_vec()
}

impl Field {
    /// A field with bands, contour lines at the ticks, and a colour bar. Values above `clip` share one colour.
    /// None if no value can be shown.
    pub fn new(
        name: impl Into<String>,
        (x, y, values): (Vec<f64>, Vec<f64>, Vec<Option<f64>>),
        (map, scale, unit): (ColorMap, Scale, Unit),
        clip: Option<f64>,
    ) -> Option<Self> {
        let shown = values.iter().flatten().filter(|v| scale.map(**v).is_some());
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
        if low > high {
            return None;
        }
        let top = clip.map_or(high, |clip| clip.min(high)).max(low);
        let colors = ColorScale::new(map, scale, low, top, top < high);
        let ticks = ticks::ticks(colors.range(), scale, unit, 7);
        let contours = contours(&ticks, &colors, unit);
        Some(Self { name: name.into(), x, y, values, colors, contours, ticks, unit, unfinished: false })
    }

    /// Gives it other bands, with contour lines and ticks of the colour bar.
    pub fn set_colors(&mut self, colors: ColorScale) {
        self.ticks = ticks::ticks(colors.range(), colors.scale, self.unit, 7);
        self.contours = contours(&self.ticks, &colors, self.unit);
        self.colors = colors;
    }

    /// The values in the coordinate in which the colour scale is uniform: what contours are interpolated in.
    pub fn grid(&self) -> Grid {
        let values: Vec<_> = self.values.iter().map(|v| v.and_then(|v| self.colors.scale.map(v))).collect();
        let values = if self.unfinished { filled(&values, self.x.len()) } else { values };
        Grid::new(&self.x, &self.y, &values)
    }

    /// Where the known values of an unfinished field are, to be dotted; nothing where they are too dense to be
    /// told apart.
    pub fn dots(&self) -> Vec<[f64; 2]> {
        const MOST: usize = 1000;
        let known = self.values.iter().enumerate().filter(|(_, value)| value.is_some());
        let at = |i: usize| [self.x[i % self.x.len()], self.y[i / self.x.len()]];
        let dots: Vec<_> = known.filter(|_| self.unfinished).map(|(i, _)| at(i)).collect();
        if dots.len() > MOST { Vec::new() } else { dots }
    }

    /// A level as a value of [`Field::grid`].
    pub fn grid_level(&self, level: f64) -> f64 {
        self.colors.scale.map(level).unwrap_or(f64::NEG_INFINITY)
    }

    /// The value of the grid point nearest to a place; none outside the grid or where unknown.
    pub fn nearest(&self, x: f64, y: f64) -> Option<(f64, f64, f64)> {
        let ix = nearest_index(&self.x, x)?;
        let iy = nearest_index(&self.y, y)?;
        let value = self.values.get(iy * self.x.len() + ix).copied().flatten()?;
        Some((self.x[ix], self.y[iy], value))
    }
}

fn nearest_index(steps: &[f64], at: f64) -> Option<usize> {
    let (first, last) = (steps.first()?, steps.last()?);
    let half = if steps.len() > 1 { (last - first) / (steps.len() - 1) as f64 / 2.0 } else { 0.5 };
    let (index, distance) =
        steps.iter().enumerate().map(|(i, s)| (i, (s - at).abs())).min_by(|a, b| a.1.total_cmp(&b.1))?;
    (distance <= half * 1.0001).then_some(index)
}

fn contours(ticks: &[Tick], colors: &ColorScale, unit: Unit) -> Vec<Contour> {
    let levels: Vec<f64> = ticks.iter().filter(|t| !t.label.is_empty()).map(|t| t.value).collect();
    let labels = ticks::labels(&levels, colors.scale, unit);
    levels
        .into_iter()
        .zip(labels)
        .map(|(level, label)| {
            let dark = colors.band_color(colors.band(level)).lightness() < 0.5;
            let color = if dark { Color::WHITE } else { Color::rgb(30, 30, 30) };
            Contour { level, label, color }
        })
        .collect()
}
