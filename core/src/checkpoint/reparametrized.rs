//! Weights that a file stores as parts of a product: pruned by masks, or with weight or spectral normalization
//! (`torch.nn.utils` and its `parametrizations`). They are computed as the original modules compute them at evaluation.

use tch::{Kind, Tensor};

use super::native::bytes_of;
use super::raw::{Named, RawTensor};
use super::source::Storage;

/// Largest tensor that is computed, in elements.
const LARGEST: usize = 1 << 28;

/// A way to store a weight in parts.
struct Scheme {
    /// What is done, for the user.
    words: &'static str,
    /// What stands in place of `weight` in the names of its parts: `X.weight_orig`.
    parts: &'static [&'static str],
    /// The weight; none: the parts do not fit together.
    compute: fn(&[Tensor]) -> Option<Tensor>,
}

/// `@` is the name of the weight in its module.
const SCHEMES: [Scheme; 5] = [
    Scheme { words: "pruned by masks", parts: &["@_orig", "@_mask"], compute: masked },
    Scheme { words: "with weight normalization", parts: &["@_g", "@_v"], compute: scaled },
    Scheme {
        words: "with weight normalization",
        parts: &["parametrizations.@.original0", "parametrizations.@.original1"],
        compute: scaled,
    },
    Scheme { words: "with spectral normalization", parts: &["@_orig", "@_u", "@_v"], compute: spectral },
    Scheme {
        words: "with spectral normalization",
        parts: &["parametrizations.@.original", "parametrizations.@.0._u", "parametrizations.@.0._v"],
        compute: spectral,
    },
];
/// Names of weights in their modules.
const WEIGHTS: [&str; 2] = ["weight", "bias"];

/// Puts the weights in place of their parts; what the user should know of it.
pub fn compute(tensors: &mut Named) -> Vec<String> {
    let mut notices = Vec::new();
    for Scheme { words, parts, compute } in SCHEMES {
        let mut count = 0;
        for weight in WEIGHTS {
            let parts: Vec<String> = parts.iter().map(|part| part.replace('@', weight)).collect();
            let names = tensors.keys().filter_map(|name| name.strip_suffix(&parts[0]));
            let modules: Vec<String> = names
                .filter(|module| module.is_empty() || module.ends_with('.'))
                .map(str::to_owned)
                .collect();
            for module in modules {
                let names: Vec<String> = parts.iter().map(|part| format!("{module}{part}")).collect();
                let loaded: Option<Vec<Tensor>> = names.iter().map(|name| load(tensors.get(name)?)).collect();
                let Some(value) = loaded.and_then(|parts| compute(&parts)) else { continue };
                names.iter().for_each(|name| drop(tensors.remove(name)));
                let raw = RawTensor::new(value.size(), Kind::Float, Storage::of(bytes_of(&value)));
                tensors.insert(format!("{module}{weight}"), raw);
                count += 1;
            }
        }
        if count > 0 {
            let tensors = if count == 1 { "1 tensor is".to_owned() } else { format!("{count} tensors are") };
            notices.push(format!("{tensors} stored {words} and computed from the parts"));
        }
    }
    notices
}

fn load(raw: &RawTensor) -> Option<Tensor> {
    if raw.elements() > LARGEST {
        return None;
    }
    Some(raw.load().ok()?.to_kind(Kind::Float))
}

fn masked(parts: &[Tensor]) -> Option<Tensor> {
    let [weight, mask] = parts else { return None };
    (weight.size() == mask.size()).then(|| weight * mask)
}

/// A direction with a length for each output.
fn scaled(parts: &[Tensor]) -> Option<Tensor> {
    let [length, direction] = parts else { return None };
    let outputs = *direction.size().first()?;
    if direction.dim() < 2 || length.numel() as i64 != outputs {
        return None;
    }
    let flat = direction.reshape([outputs, -1]);
    let norms = flat.square().sum_dim_intlist([1i64].as_slice(), true, Kind::Float).sqrt();
    Some((flat * (length.reshape([outputs, 1]) / norms)).reshape(direction.size()))
}

/// A matrix divided by its largest singular value, of which the file has the vectors.
fn spectral(parts: &[Tensor]) -> Option<Tensor> {
    let [weight, left, right] = parts else { return None };
    let outputs = *weight.size().first()?;
    let flat = weight.reshape([outputs, -1]);
    if left.size() != [flat.size()[0]] || right.size() != [flat.size()[1]] {
        return None;
    }
    let largest = left.dot(&flat.mv(right));
    Some(weight / largest)
}
