//! Where ticks stand and what they say: round numbers, as few digits as tell them apart, a real minus sign.

/// Linear or logarithmic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scale {
    /// Equal distances for equal differences.
    #[default]
    Linear,
    /// Equal distances for equal ratios; positive values only.
    Log,
}

impl Scale {
    /// The coordinate in which the scale is uniform; none for values it cannot show.
    pub fn map(self, value: f64) -> Option<f64> {
        match self {
            Self::Linear => value.is_finite().then_some(value),
            Self::Log => (value.is_finite() && value > 0.0).then(|| value.log10()),
        }
    }

    /// The value at a coordinate of [`Scale::map`].
    pub fn unmap(self, coordinate: f64) -> f64 {
        match self {
            Self::Linear => coordinate,
            Self::Log => 10f64.powf(coordinate),
        }
    }
}

/// How numbers of an axis are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// As they are.
    #[default]
    One,
    /// Shares from 0 to 1, written as percent (without the sign, which stands in the axis label).
    Percent,
    /// Not at all: the axis lists names, which its ticks carry.
    Names,
}

impl Unit {
    /// What a value is multiplied with before it is written.
    pub fn factor(self) -> f64 {
        match self {
            Self::One | Self::Names => 1.0,
            Self::Percent => 100.0,
        }
    }
}

/// One tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where.
    pub value: f64,
    /// What it says (see [`super::text`]); empty: a short tick without a number.
    pub label: String,
}

/// The round step (1, 2, 2.5 or 5 times a power of ten) that gives at most `most` intervals over `span`.
pub fn nice_step(span: f64, most: usize) -> f64 {
    let rough = (span / most.max(1) as f64).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|m| m * power >= rough * (1.0 - 1e-9));
    step.unwrap_or(10.0) * power
}

/// Round values in `low..=high`, at most `most` intervals; empty if the range is empty or not finite.
pub fn linear(low: f64, high: f64, most: usize) -> Vec<f64> {
    if !(low.is_finite() && high.is_finite() && low < high) {
        return Vec::new();
    }
    let step = nice_step(high - low, most);
    let first = (low / step - 1e-9).ceil();
    let count = ((high / step + 1e-9).floor() - first) as i64;
    // Each from its own multiplication, then cleaned of the last bits: 0.1 * 3 is to be 0.3.
    (0..=count.max(-1)).map(|i| clean((first + i as f64) * step, step)).collect()
}

/// A multiple of `step` without stray last bits: 0.3 instead of 0.30000000000000004.
pub(crate) fn clean(value: f64, step: f64) -> f64 {
    // Twelve digits below the leading one of the step, and those of the value above it.
    let digits = (value / step).abs().max(1.0).log10().ceil() as usize + 3;
    format!("{value:.*e}", digits.min(16)).parse().unwrap_or(value)
}

/// Round values for a logarithmic range: powers of ten, with more between them the fewer decades are shown, and
/// plain round numbers within less than a decade.
pub fn logarithmic(low: f64, high: f64, most: usize) -> Vec<f64> {
    if !(low > 0.0 && low < high && high.is_finite()) {
        return Vec::new();
    }
    let decades = (high / low).log10();
    let mantissas: &[f64] = if decades > most as f64 / 2.0 {
        &[1.0]
    } else if decades > most as f64 / 3.0 {
        &[1.0, 3.0]
    } else if decades > 1.2 {
        &[1.0, 2.0, 5.0]
    } else if decades > 0.8 {
        &[1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0]
    } else {
        return linear(low, high, most);
    };
    let every = (decades / most as f64).ceil().max(1.0) as i32;
    let powers = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
    powers
        .filter(|p| p.rem_euclid(every) == 0)
        .flat_map(|p| mantissas.iter().map(move |m| power_of_ten(*m, p)))
        .filter(|v| *v >= low * (1.0 - 1e-9) && *v <= high * (1.0 + 1e-9))
        .collect()
}

/// `mantissa * 10^power`, exact to the last bit as if it had been written in a program.
fn power_of_ten(mantissa: f64, power: i32) -> f64 {
    format!("{mantissa}e{power}").parse().unwrap_or(f64::NAN)
}

/// The values 2, 3, … 9 times each power of ten in a logarithmic range: short ticks without numbers.
pub fn minor_logarithmic(low: f64, high: f64) -> Vec<f64> {
    if !(low > 0.0 && low < high) || (high / low).log10() > 8.0 {
        return Vec::new();
    }
    ((low.log10().floor() as i32)..=(high.log10().ceil() as i32))
        .flat_map(|p| (2..10).map(move |m| power_of_ten(f64::from(m), p)))
        .filter(|v| *v >= low && *v <= high)
        .collect()
}

/// Ticks of a range, with their labels.
pub fn ticks(range: (f64, f64), scale: Scale, unit: Unit, most: usize) -> Vec<Tick> {
    let values = match scale {
        Scale::Linear => linear(range.0, range.1, most),
        Scale::Log => logarithmic(range.0, range.1, most),
    };
    let labels = labels(&values, scale, unit);
    let mut ticks: Vec<Tick> =
        values.into_iter().zip(labels).map(|(value, label)| Tick { value, label }).collect();
    if scale == Scale::Log {
        for value in minor_logarithmic(range.0, range.1) {
            if ticks.iter().all(|t| (t.value / value - 1.0).abs() > 1e-9) {
                ticks.push(Tick { value, label: String::new() });
            }
        }
    }
    ticks
}

/// Labels that tell the values apart with as few digits as possible; evenly spaced ones have equally many.
pub fn labels(values: &[f64], scale: Scale, unit: Unit) -> Vec<String> {
    let values: Vec<f64> = values.iter().map(|v| v * unit.factor()).collect();
    let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let smallest = values.iter().filter(|v| **v != 0.0).fold(f64::INFINITY, |m: f64, v| m.min(v.abs()));
    let all_powers =
        scale == Scale::Log && values.iter().all(|v| (v.log10() - v.log10().round()).abs() < 1e-9);
    if largest >= 1e5 || smallest < 1e-4 || (all_powers && (largest >= 1e4 || smallest < 1e-2)) {
        return values.iter().map(|v| scientific(*v)).collect();
    }
    let step = values.windows(2).map(|w| w[1] - w[0]).next().unwrap_or(0.0);
    let even = values.windows(2).all(|w| (w[1] - w[0] - step).abs() < 1e-6 * step.abs());
    let digits = values.iter().map(|v| decimals(*v)).max().unwrap_or(0);
    values.iter().map(|v| number(*v, if even { digits } else { decimals(*v) })).collect()
}

/// The number of decimals (at most 10) that writes `value` to nine significant digits or exactly.
pub fn decimals(value: f64) -> usize {
    let tolerance = value.abs() * 1e-9;
    (0..=10)
        .find(|d| ((value * 10f64.powi(*d)).round() / 10f64.powi(*d) - value).abs() <= tolerance)
        .unwrap_or(10) as usize
}

/// A number with a real minus sign.
pub fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| b == b'0' || b == b'.') => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// `$2\times10^{-5}$`; powers of ten without the factor.
fn scientific(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{value:e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa: f64 = mantissa.parse().unwrap_or(1.0);
    let mantissa = number(mantissa, decimals(mantissa).min(3));
    match mantissa.as_str() {
        "1" => format!("$10^{{{power}}}$"),
        "−1" => format!("$-10^{{{power}}}$"),
        _ => format!("${mantissa}\\times10^{{{power}}}$"),
    }
}

/// A value for reading: at most four significant digits, scientific when it is very large or small.
pub fn readable(value: f64) -> String {
    if value == 0.0 || (1e-3..1e5).contains(&value.abs()) {
        let digits = (3 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 6) as usize;
        let text = number(value, digits);
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    } else {
        super::text::plain(&scientific(format!("{value:.3e}").parse().unwrap_or(value)))
    }
}
