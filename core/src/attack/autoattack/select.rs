//! Examples that are done leave a running batch: confirming them, and picking rows.

use tch::{Kind, Tensor};

use crate::loss::predictions;
use crate::model::{Evaluator, channels_last};

/// What a run attacks.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The searching network.
    pub model: &'a Evaluator,
    /// Correctly classified images, `N x C x H x W`, float32 in `[0, 1]`.
    pub images: &'a Tensor,
    /// Their classes, int64 `N`.
    pub labels: &'a Tensor,
    /// With a judge, examples whose misclassification it confirms leave the batch, which does not change the
    /// others; without, every example goes through the whole run.
    pub judge: Option<Judge<'a>>,
}

/// Decides whether a point that the searching network misclassifies counts.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The measuring network.
    pub model: &'a Evaluator,
    /// How far the margin of the searching network is from the measured one, at most, as measured on clean
    /// images; 0 where both are the same network. Survivors whose margin came nearer to 0 than this are doubtful.
    pub tolerance: f64,
}

impl Judge<'_> {
    /// Whether each point is misclassified, for rows of `images`.
    ///
    /// What is judged is `images + (points - images)`, in float32: what is kept is the perturbation.
    pub fn is_wrong(&self, images: &Tensor, labels: &Tensor, points: &Tensor) -> Tensor {
        let _guard = tch::no_grad_guard();
        let kept = images + (points - images);
        predictions(&self.model.logits(&kept)).ne_tensor(labels)
    }
}

/// Positions where `mask` is true, int64.
pub fn positions(mask: &Tensor) -> Tensor {
    mask.nonzero().view([-1])
}

/// Those rows of a tensor; images stay channels-last in memory.
pub fn rows(tensor: &Tensor, index: &Tensor) -> Tensor {
    channels_last(&tensor.index_select(0, index))
}

/// Writes rows back to where [`rows`] took them from.
pub fn put(target: &mut Tensor, index: &Tensor, values: &Tensor) {
    let _ = target.index_copy_(0, index, values);
}

/// Whether any of a mask is true, on the host.
pub fn any(mask: &Tensor) -> bool {
    mask.any().int64_value(&[]) == 1
}

/// Forgets all claims; the positions of the rows that stay: all but the claims found to be `wrong`.
pub fn settle(claimed: &mut Tensor, claims: &Tensor, wrong: &Tensor) -> Tensor {
    let mut stays = claimed.ones_like();
    put(&mut stays, claims, &wrong.logical_not());
    *claimed = claimed.zeros_like();
    positions(&stays)
}

/// `value` for each of `count` rows, float32.
pub fn full(count: i64, value: f64, like: &Tensor) -> Tensor {
    Tensor::full([count], value, (Kind::Float, like.device()))
}
