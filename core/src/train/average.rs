//! A running average of the weights.

use tch::Tensor;

use super::learner::Learner;
use super::settings::{Average, Statistics};

/// Averaged weights and the statistics that go with them.
#[derive(Debug)]
pub struct RunningAverage {
    /// As long as all weights.
    pub flat: Tensor,
    /// In the order of the learner's.
    pub buffers: Vec<(String, Tensor)>,
}

impl RunningAverage {
    /// Begins with the network as it is.
    pub fn new(learner: &Learner) -> Self {
        Self {
            flat: learner.weights().flat().copy(),
            buffers: learner.buffers().iter().map(|(name, buffer)| (name.clone(), buffer.copy())).collect(),
        }
    }

    /// Takes in the network as it is now. Counts go up by one.
    pub fn update(&mut self, learner: &Learner, settings: &Average) {
        let _guard = tch::no_grad_guard();
        let tau = settings.tau;
        let mix = |average: &Tensor, new: &Tensor| {
            let _ = average.shallow_clone().g_mul_scalar_(tau).g_add_(&(new * (1.0 - tau)));
        };
        mix(&learner.trainable_part(&self.flat), &learner.trainable());
        for ((_, average), (_, new)) in self.buffers.iter_mut().zip(learner.buffers()) {
            if !average.is_floating_point() {
                let _ = average.g_add_scalar_(1);
            } else if settings.statistics == Statistics::Newest {
                average.copy_(new);
            } else {
                mix(average, new);
            }
        }
    }
}
