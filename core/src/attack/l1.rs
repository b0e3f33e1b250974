//! The nearest point of an L1 ball inside the box of images (Croce and Hein, 2021, "Mind the box", section 2).
//!
//! Every entry keeps its sign and is lowered by one amount `l` per example, but never further from its end of the
//! box: `min(max(|d| - l, 0), room)`. The sum of these falls piecewise linearly in `l`; where it reaches epsilon is
//! found by Newton's method between bounds, in float64, for all examples of a batch at once: exact once no further
//! entry comes to an end, after about ten rounds.

use tch::{Kind, Tensor};

/// The sum is epsilon if it differs by less, relative to it.
const EXACT: f64 = 1e-12;
/// Rounds at most; halving alone would be done by then.
const ROUNDS: usize = 100;

/// The nearest perturbations of L1 norm at most `epsilon` with `images + delta` in `[0, 1]`, per example.
pub fn onto_ball_and_box(images: &Tensor, delta: &Tensor, epsilon: f64) -> Tensor {
    let images = images.flatten(1, -1).to_kind(Kind::Double);
    let flat = delta.flatten(1, -1);
    let room = (1.0f64 - &images).where_self(&flat.gt(0.0), &images).clamp_min(0.0);
    lowered(delta, Some(&room), epsilon)
}

/// The nearest perturbations of L1 norm at most `epsilon`, per example: soft-thresholding.
pub fn onto_ball(delta: &Tensor, epsilon: f64) -> Tensor {
    lowered(delta, None, epsilon)
}

/// Lowers magnitudes to at most `room` (`N x D`, at least 0) and to the sum `epsilon`.
fn lowered(delta: &Tensor, room: Option<&Tensor>, epsilon: f64) -> Tensor {
    let flat = delta.flatten(1, -1).to_kind(Kind::Double);
    let magnitude = flat.abs();
    let room = room.map_or_else(|| magnitude.shallow_clone(), |room| magnitude.minimum(room));
    let amount = amount(&magnitude, &room, epsilon);
    let kept = (magnitude - amount).clamp_min(0.0).minimum(&room);
    (flat.sign() * kept).to_kind(delta.kind()).view(delta.size().as_slice())
}

/// The amount that each row of magnitudes is lowered by, `N x 1`; rows that are done do not depend on the others.
fn amount(magnitude: &Tensor, room: &Tensor, epsilon: f64) -> Tensor {
    let sum = |t: &Tensor| t.sum_dim_intlist([1i64].as_slice(), true, Kind::Double);
    let largest = magnitude.amax([1i64].as_slice(), true);
    // What float64 can tell apart where so many entries are lowered by one amount.
    let rounding = 2.0 * f64::EPSILON * magnitude.size()[1] as f64;
    let tolerance = &largest * rounding + EXACT * epsilon;
    let mut amount = largest.zeros_like();
    let (mut low, mut high) = (amount.shallow_clone(), largest);
    let mut active = None;
    for _ in 0..ROUNDS {
        let above = magnitude - &amount;
        let excess = sum(&above.clamp_min(0.0).minimum(room)) - epsilon;
        let too_small = excess.gt_tensor(&tolerance);
        // A row whose sum is no more than epsilon at once stays as it is.
        let active = active.get_or_insert_with(|| too_small.shallow_clone());
        let wrong = excess.abs().gt_tensor(&tolerance).logical_and(active);
        if wrong.any().int64_value(&[]) == 0 {
            break;
        }
        low = amount.where_self(&too_small, &low);
        high = high.where_self(&too_small, &amount);
        // Entries that fall if the amount grows.
        let falling = sum(&above.gt(0.0).logical_and(&above.le_tensor(room)).to_kind(Kind::Double));
        let next = &amount + excess / falling;
        let between = next.gt_tensor(&low).logical_and(&next.le_tensor(&high));
        let next = next.where_self(&between, &((&low + &high) / 2.0));
        amount = next.where_self(&wrong, &amount);
    }
    amount
}
