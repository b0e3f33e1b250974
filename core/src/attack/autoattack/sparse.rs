//! Sparse steps of APGD in L1 (Croce and Hein, 2021, algorithm 1): which entries move, and how many.

use tch::{Kind, Tensor};

/// Share of the entries that move at first.
const FIRST_SHARE: f64 = 0.2;
/// Of the entries that the best point changes, this share moves (one divided by this).
const SPARSER: f64 = 1.5;
/// Fewer than this share of the entries of the last checkpoint: the search became sparser, and starts over.
const FEWER: f64 = 0.95;
/// Divisor of the step size where it did not.
const SHORTER: f64 = 1.5;
/// The step size stays above the first one divided by this.
const SHORTEST: f64 = 10.0;

/// How sparse the search of each example is.
#[derive(Debug)]
pub struct Sparsity {
    /// Share of the entries that a step moves, float32 `N`.
    pub share: Tensor,
    /// Entries that the best point changed at the last checkpoint, float32 `N`.
    pub entries: Tensor,
}

impl Sparsity {
    /// At a random start, of which nothing is known.
    pub fn first(images: &Tensor) -> Self {
        let size = images.size();
        let options = (Kind::Float, images.device());
        let dimensions = size[1..].iter().product::<i64>() as f64;
        Self {
            share: Tensor::full([size[0]], FIRST_SHARE, options),
            entries: Tensor::full([size[0]], dimensions, options),
        }
    }

    /// At the result of an earlier search.
    pub fn of(images: &Tensor, point: &Tensor) -> Self {
        let (entries, dimensions) = changed(images, point);
        Self { share: &entries / dimensions / SPARSER, entries }
    }

    /// The signs of the steepest entries, together of L1 length 1.
    pub fn direction(&self, gradient: &Tensor) -> Tensor {
        let size = gradient.flatten(1, -1).abs();
        let dimensions = size.size()[1];
        let (ascending, _) = size.sort(1, false);
        let rank = (1.0f64 - self.share.to_kind(Kind::Double)) * dimensions as f64;
        let rank = rank.clamp(0.0, (dimensions - 1) as f64).to_kind(Kind::Int64).unsqueeze(1);
        let least = ascending.gather(1, &rank, false);
        let signs = gradient.flatten(1, -1).sign() * size.ge_tensor(&least).to_kind(Kind::Float);
        let count = signs.abs().sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
        (signs / count.clamp_min(1.0)).view_as(gradient)
    }

    /// A checkpoint: the step sizes from now on, and who became sparser, to resume at the best point.
    pub fn checkpoint(
        &mut self,
        images: &Tensor,
        best: &Tensor,
        step: &Tensor,
        first: f64,
    ) -> (Tensor, Tensor) {
        let (entries, dimensions) = changed(images, best);
        let sparser = entries.lt_tensor(&(&self.entries * FEWER));
        self.share = &entries / dimensions / SPARSER;
        self.entries = entries;
        let shorter = (step / SHORTER).clamp_min(first / SHORTEST);
        (shorter.full_like(first).where_self(&sparser, &shorter), sparser)
    }
}

/// How many entries of each point differ from the image, and of how many.
fn changed(images: &Tensor, point: &Tensor) -> (Tensor, f64) {
    let differs = (point - images).flatten(1, -1).not_equal(0.0);
    let dimensions = differs.size()[1] as f64;
    (differs.sum_dim_intlist([1i64].as_slice(), false, Kind::Float), dimensions)
}
