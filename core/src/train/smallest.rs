//! Batches too small for batch normalization: refused before the start, whatever the network.

use super::order::Order;
use super::settings::{Method, Train};
use crate::error::{Error, Result};
use crate::model::Topology;

impl Train {
    /// Checks that every training pass gives each batch normalization of the network more than one value per channel:
    /// a single one has no variance. `images` is the number of labelled training images.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the sizes and what to change.
    pub fn check_batches(&self, topology: &Topology, images: usize) -> Result<()> {
        if topology.least_normalized_values().is_none_or(|values| values > 1)
            || self.smallest_pass(images) > 1
        {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the smallest training batch has one image ({images} training images, batch_size {}), of which a batch normalization of this network sees a single value per channel, which has no variance; choose another batch_size, or other training images",
            self.batch_size
        )))
    }

    /// Images of the smallest pass in training mode.
    fn smallest_pass(&self, images: usize) -> usize {
        let is_filled = self.data.extra.is_some() || matches!(self.method, Method::Rotation { .. });
        let drawn = is_filled.then_some((0, 0));
        let batch =
            Order::new(self.seed, images, self.batch_size, drawn, self.steps_per_epoch).smallest_batch();
        match self.method {
            // The paper's program guesses labels in training mode, of the attacked part alone.
            Method::Adversarial { fraction, prevent_label_leaking: true, .. } if self.as_in_paper => {
                batch - ((1.0 - fraction) * batch as f64).floor() as usize
            }
            _ => batch,
        }
    }
}
