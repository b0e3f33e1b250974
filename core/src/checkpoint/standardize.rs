//! Mean and deviation that images are standardized by, where a file has them beside its network.

use std::collections::BTreeMap;

use super::networks::outer;
use super::raw::RawTensor;
use crate::model::InputNormalization;

/// Tensors by their full names.
type Around<'a> = BTreeMap<&'a str, &'a RawTensor>;

/// A pair of tensors that standardizes images.
pub struct Standardization {
    /// Their names in the file.
    pub names: [String; 2],
    /// Mean of each channel of images in 0 to 1.
    pub mean: Vec<f32>,
    /// Deviation of each channel.
    pub deviation: Vec<f32>,
}

impl Standardization {
    /// What is done to images.
    pub fn normalization(&self) -> InputNormalization {
        let exact = |values: &[f32]| values.iter().copied().map(f64::from).collect();
        InputNormalization::Standardize { mean: exact(&self.mean), std: exact(&self.deviation) }
    }

    /// What is done to images, for the user.
    pub fn notice(&self) -> String {
        let list = |values: &[f32]| {
            let values: Vec<String> =
                values.iter().map(|value| format!("{}", (value * 1e4).round() / 1e4)).collect();
            values.join(", ")
        };
        let [mean, deviation] = &self.names;
        format!(
            "images are standardized by {mean} ({}) and {deviation} ({}) of the file",
            list(&self.mean),
            list(&self.deviation)
        )
    }
}

/// Finds the pair for a network of this prefix among tensors that belong to no network: within the network, or around
/// it, the nearest first. None where there is no pair, or several that differ.
pub fn find(tensors: &Around, prefix: &str, channels: i64) -> Option<Standardization> {
    let mut around = Some(prefix);
    while let Some(prefix) = around {
        let pairs = tensors.keys().filter(|name| name.starts_with(prefix));
        let found: Vec<Standardization> = pairs.filter_map(|name| pair(tensors, name, channels)).collect();
        if let Some(first) = found.first() {
            let same =
                |other: &Standardization| other.mean == first.mean && other.deviation == first.deviation;
            let all_same = found.iter().all(same);
            return found.into_iter().next().filter(|_| all_same);
        }
        around = outer(prefix);
    }
    None
}

/// The pair that begins with this tensor, `…mean` with `…std` or `mu` with `sigma`.
fn pair(tensors: &Around, name: &str, channels: i64) -> Option<Standardization> {
    let (before, last) =
        name.rsplit_once('.').map_or(("", name), |(before, last)| (&name[..=before.len()], last));
    let partner = match last {
        "mu" => "sigma".to_owned(),
        _ if last.contains("running") => return None,
        _ => {
            let at = last.rfind("mean")?;
            format!("{}std{}", &last[..at], &last[at + 4..])
        }
    };
    let partner = format!("{before}{partner}");
    let (mean, deviation) = (tensors.get(name)?, tensors.get(partner.as_str())?);
    let (mut mean, mut deviation) = (per_channel(mean, channels)?, per_channel(deviation, channels)?);
    if deviation.iter().any(|value| *value <= 0.0) {
        return None;
    }
    // Of images in 0 to 255.
    if mean.iter().chain(&deviation).all(|value| *value > 2.0) {
        mean.iter_mut().chain(&mut deviation).for_each(|value| *value /= 255.0);
    }
    Some(Standardization { names: [name.to_owned(), partner], mean, deviation })
}

/// Finite values of a tensor of the shape `C`, `C x 1 x 1` or `1 x C x 1 x 1`, or one value for all channels.
fn per_channel(tensor: &RawTensor, channels: i64) -> Option<Vec<f32>> {
    let longer: Vec<i64> = tensor.shape.iter().copied().filter(|size| *size != 1).collect();
    let fits = longer.is_empty() || (longer == [channels] && tensor.shape.len() <= 4);
    if tensor.problem().is_some() || !fits {
        return None;
    }
    let values = tensor.floats().ok().filter(|values| values.iter().all(|value| value.is_finite()))?;
    match values[..] {
        [value] => Some(vec![value; usize::try_from(channels).ok()?]),
        _ => Some(values),
    }
}
