//! Running statistics of batch normalization, computed anew.

use tch::{Kind, Tensor};

use super::Network;
use super::forward::{Mode, NORM_MOMENTUM, logits};

/// Computes the running statistics among `buffers` anew, in place, by a training pass over each of `batches`: they become
/// the mean of those of the batches (in PyTorch momentum `None`), so that few batches will do. With `running`, they are
/// the running ones with momentum 0.1, in which of the neutral values they begin with 0.9 to the power of the number of
/// batches is left. `forward` runs the network whose buffers these are.
pub fn calibrate(
    buffers: &[(String, Tensor)],
    batches: impl Iterator<Item = Tensor>,
    running: bool,
    mut forward: impl FnMut(&Tensor),
) {
    let _guard = tch::no_grad_guard();
    for (name, buffer) in buffers {
        let neutral = match name.rsplit('.').next() {
            Some("running_var") if running => 1.0,
            Some("running_var" | "running_mean" | "num_batches_tracked") => 0.0,
            _ => continue,
        };
        let _ = buffer.shallow_clone().fill_(neutral);
    }
    let is_statistic = |name: &str| name.ends_with(".running_mean") || name.ends_with(".running_var");
    let statistics: Vec<&Tensor> =
        buffers.iter().filter(|(name, _)| is_statistic(name)).map(|(_, buffer)| buffer).collect();
    let mut sums: Vec<Tensor> =
        statistics.iter().map(|buffer| buffer.to_kind(Kind::Double).zeros_like()).collect();
    let mut count = 0.0;
    for images in batches {
        forward(&images);
        if !running {
            count += 1.0;
            for (sum, buffer) in sums.iter_mut().zip(&statistics) {
                // From zero, a pass leaves the batch's own times the momentum.
                *sum += buffer.to_kind(Kind::Double) / NORM_MOMENTUM;
                let _ = buffer.shallow_clone().zero_();
            }
        }
    }
    if count > 0.0 {
        for (sum, buffer) in sums.iter().zip(&statistics) {
            buffer.shallow_clone().copy_(&(sum / count));
        }
    }
}

/// The network with running statistics of these images ([`calibrate`]), which have its precision and device.
pub fn calibrated(network: &Network, batches: impl Iterator<Item = Tensor>, running: bool) -> Network {
    let network = network.copy();
    let params = network.params(&network.weights);
    calibrate(&network.buffers, batches, running, |images| {
        let _ = logits(&network.topology, &params, images, Mode::Train { seed: 0 });
    });
    network
}
