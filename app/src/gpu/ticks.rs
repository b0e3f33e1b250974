//! Round numbers along an axis.

use super::style::HeightScale;

/// About `n` round numbers in `lo..=hi`, evenly spaced by 1, 2 or 5 times a power of ten.
pub fn ticks(lo: f64, hi: f64, n: usize) -> Vec<f64> {
    let span = hi - lo;
    if !span.is_finite() || span <= 0.0 {
        return vec![lo];
    }
    let rough = span / n.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|m| m * power)
        .into_iter()
        .min_by(|a, b| (a / rough).ln().abs().total_cmp(&(b / rough).ln().abs()))
        .unwrap_or(power);
    let slack = span * 1e-6;
    let (first, last) = (((lo - slack) / step).ceil() as i64, ((hi + slack) / step).floor() as i64);
    (first..=last).map(|i| i as f64 * step).collect()
}

/// About `n` round numbers in `lo..=hi`, both above zero, for a logarithmic axis.
pub fn log_ticks(lo: f64, hi: f64, n: usize) -> Vec<f64> {
    if lo <= 0.0 || lo >= hi {
        return vec![hi];
    }
    let candidates: [&[f64]; 5] =
        [&[1.0], &[1.0, 3.0], &[1.0, 2.0, 5.0], &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0], &[]];
    let decades = (lo.log10().floor() as i32)..=(hi.log10().ceil() as i32);
    let within = |v: &f64| (lo * (1.0 - 1e-6)..=hi * (1.0 + 1e-6)).contains(v);
    let mut best: Vec<f64> = Vec::new();
    for mantissas in candidates {
        if mantissas.is_empty() && hi > 12.0 * lo {
            break;
        }
        let list: Vec<f64> = if mantissas.is_empty() {
            ticks(lo, hi, n).into_iter().filter(|v| *v > 0.0).collect()
        } else {
            let all = decades.clone().flat_map(|d| mantissas.iter().map(move |m| m * 10_f64.powi(d)));
            all.filter(within).collect()
        };
        if best.is_empty() || list.len().abs_diff(n) < best.len().abs_diff(n) {
            best = list;
        }
    }
    if best.len() > 2 * n {
        best = best.iter().copied().step_by(best.len().div_ceil(n)).collect();
    }
    best
}

/// About `n` round numbers in `lo..=hi` for an axis of that scale.
pub fn scaled_ticks(lo: f32, hi: f32, n: usize, scale: HeightScale) -> Vec<f64> {
    match scale {
        HeightScale::Linear => ticks(lo.into(), hi.into(), n),
        HeightScale::Log => log_ticks(lo.into(), hi.into(), n),
    }
}

/// Writes ticks of a linear axis with as many decimals as tell them apart, those of a logarithmic one
/// each as short as it can be; with a real minus sign.
pub fn format_ticks(values: &[f64], scale: HeightScale) -> Vec<String> {
    let smallest = values.iter().filter(|v| **v != 0.0).fold(f64::INFINITY, |a, v| a.min(v.abs()));
    let largest = values.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
    let log = scale == HeightScale::Log;
    let long = |v: f64| {
        v != 0.0 && if log { !(1e-3..1e4).contains(&v.abs()) } else { largest >= 1e5 || smallest < 1e-4 }
    };
    let needed = |v: f64| {
        let exact = |decimals: &usize| {
            let text = format!("{v:.decimals$}");
            text.parse::<f64>().is_ok_and(|back| (back - v).abs() <= 1e-6 * v.abs())
        };
        if v.abs() < 1e-9 * largest { 0 } else { (0..6).find(exact).unwrap_or(6) }
    };
    let common = values.iter().map(|v| needed(*v)).max().unwrap_or(0);
    let write = |&v: &f64| {
        let text = if long(v) {
            let text = format!("{v:.2e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
            format!("{mantissa}e{exponent}")
        } else {
            let decimals = if log { needed(v) } else { common };
            format!("{:.decimals$}", v + 0.0)
        };
        text.replace('-', "\u{2212}")
    };
    values.iter().map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::HeightScale::{Linear, Log};
    use super::*;

    #[test]
    fn round_and_inside() {
        assert_eq!(ticks(-1.0, 1.0, 5), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(ticks(0.03, 0.97, 5), [1, 2, 3, 4].map(|i| f64::from(i) * 0.2));
        assert_eq!(ticks(2.0, 2.0, 5), [2.0]);
        assert_eq!(log_ticks(0.5, 2000.0, 4), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(log_ticks(1.2, 7.6, 4), [1.5, 2.0, 3.0, 5.0, 7.0]);
    }

    #[test]
    fn text_tells_them_apart() {
        assert_eq!(format_ticks(&[-0.5, 0.0, 0.5], Linear), ["\u{2212}0.5", "0.0", "0.5"]);
        assert_eq!(format_ticks(&[0.1, 1.0, 10.0], Log), ["0.1", "1", "10"]);
        assert_eq!(format_ticks(&[1e-5, 1e5], Log), ["1e\u{2212}5", "1e5"]);
        assert_eq!(format_ticks(&[250_000.0], Linear), ["2.5e5"]);
    }
}
