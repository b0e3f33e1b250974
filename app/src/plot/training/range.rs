//! The values that the vertical axis shows.

use crate::plot::{Item, Scale, padded_range};

/// So many curves are needed to say what is usual.
const ENOUGH: usize = 3;
/// A curve whose highest value is so many times that of the usual one would flatten all others.
const FAR: f64 = 3.0;

/// Close around the values, the rise at the end of a training is small beside its beginning; not above `clip`.
pub fn range(
    values: impl Iterator<Item = f64> + Clone,
    scale: Scale,
    clip: Option<f64>,
) -> Option<(f64, f64)> {
    let (low, high) = padded_range(values.clone(), scale)?;
    let lowest = values.fold(f64::INFINITY, f64::min);
    let high = clip.filter(|clip| *clip > lowest).map_or(high, |clip| clip.min(high));
    let close = scale == Scale::Linear && lowest > 0.0;
    Some((if close { (lowest - 0.06 * (high - lowest)).max(0.0) } else { low.min(high) }, high))
}

/// Every number that is drawn, to find the range of the axis.
pub fn heights(item: &Item) -> Vec<f64> {
    match item {
        Item::Series(series) => series.y.iter().flatten().copied().collect(),
        _ => Vec::new(),
    }
}

/// The highest value to be shown where curves that go far above all others, such as normal training under attack, would
/// flatten these; with a sentence on each of them. Infinite where there are none.
pub fn without_outliers(items: &[Item]) -> (f64, Vec<String>) {
    let peak = |item: &Item| heights(item).into_iter().reduce(f64::max);
    let peaks: Vec<(&Item, f64)> = items.iter().filter_map(|item| Some((item, peak(item)?))).collect();
    let mut sorted: Vec<f64> = peaks.iter().map(|(_, peak)| *peak).collect();
    sorted.sort_by(f64::total_cmp);
    let usual = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    let is_far = |peak: f64| peak > FAR * usual && usual > 0.0;
    let top = sorted.iter().copied().rfind(|peak| !is_far(*peak));
    let (Some(top), true) = (top.filter(|top| *top < sorted[sorted.len() - 1]), sorted.len() >= ENOUGH)
    else {
        return (f64::INFINITY, Vec::new());
    };
    let far = peaks.into_iter().filter(|(_, peak)| is_far(*peak));
    let words = far.map(|(item, peak)| {
        format!("{} goes up to {peak:.1}, above the axis", item.name().unwrap_or("a curve"))
    });
    (top, words.collect())
}
