//! The bundled network, 8 times as wide: 64 channels that compute the very same function.
//!
//! Every channel stands there 8 times, and weights are divided by the number of copies they sum over. So a
//! network of a usual size is as robust, and its margins as wide, as a trained one, without a training.

use anyhow::{Context as _, ensure};
use basin_core::model::{Architecture, Network, Weights};
use tch::Tensor;

/// The bundled network with 64 channels.
pub fn network() -> anyhow::Result<Network> {
    let narrow = basin_core::checkpoint::open(&basin_core::checkpoint::bundled_path()?)?.network;
    let wide = Network::fresh(Architecture::default().topology()?, 1);
    let names = |network: &Network| -> Vec<String> {
        network.layout().entries.iter().map(|entry| entry.name.clone()).collect()
    };
    ensure!(names(&narrow) == names(&wide), "the bundled network is no ResNet-18 as the default one");
    let parts: Vec<Tensor> = wide
        .layout()
        .entries
        .iter()
        .enumerate()
        .map(|(at, entry)| widened(&narrow.weights.view(at), &entry.shape).reshape([-1]))
        .collect();
    let weights = Weights::from_flat(wide.layout().clone(), Tensor::cat(&parts, 0));
    let buffers = wide
        .buffers
        .iter()
        .map(|(name, buffer)| {
            let known = narrow.buffers.iter().find(|(other, _)| other == name);
            let (_, values) = known.with_context(|| format!("the bundled network lacks {name}"))?;
            Ok((name.clone(), widened(values, &buffer.size())))
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(Network { weights, buffers, ..wide })
}

/// Rows and columns repeated up to `shape`; where columns are, sums stay what they were.
fn widened(values: &Tensor, shape: &[i64]) -> Tensor {
    let mut result = values.shallow_clone();
    for (axis, wanted) in shape.iter().enumerate().take(2) {
        let copies = wanted / values.size()[axis];
        result = result.repeat_interleave_self_int(copies, axis as i64, None);
        if axis == 1 {
            result /= copies as f64;
        }
    }
    result
}
