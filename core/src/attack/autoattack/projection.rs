//! The nearest point of a hyperplane inside the box `[0, 1]^D`, as FAB needs it (Croce and Hein, 2020, "Minimally
//! distorted adversarial examples with a fast adaptive boundary attack", section 2.2).
//!
//! To lower `<w, t>` by `c >= 0` with the smallest change, coordinate `i` can move by at most its room `p_i`
//! against the sign of `w_i`. L-inf: all move by the same amount until their room ends, `min(l, p_i)`, with
//! `sum |w_i| min(l, p_i) = c`. L2: in proportion to `|w_i|`, `min(a |w_i|, p_i)`. L1: the largest `|w_i|` first.

use tch::{Kind, Tensor};

use crate::attack::InputNorm;

/// Smaller coefficients never move (L2, L1), as in the original.
const SMALLEST: f64 = 1e-8;

/// Per row the displacement of smallest norm that brings `points` (`N x D`, in `[0, 1]`) onto the hyperplane
/// `<normals, .> = offsets` while staying in the box; where the box does not reach it, as far as possible.
/// 0 where the normal is 0.
pub fn onto_hyperplane(norm: InputNorm, points: &Tensor, normals: &Tensor, offsets: &Tensor) -> Tensor {
    let kind = points.kind();
    let [points, normals, offsets] = [points, normals, offsets].map(|t| t.to_kind(Kind::Double));
    let excess =
        (&normals * &points).sum_dim_intlist([1i64].as_slice(), true, Kind::Double) - offsets.unsqueeze(1);
    // Where the point is below the plane, the mirrored plane is below the point.
    let side = excess.ge(0.0).to_kind(Kind::Double) * 2.0 - 1.0;
    let (normals, excess) = (normals * &side, excess.abs());
    let weight = normals.abs();
    let weight = if norm == InputNorm::Linf {
        weight
    } else {
        weight.where_self(&weight.gt(SMALLEST), &weight.zeros_like())
    };
    let movable = weight.gt(0.0);
    let room = points.where_self(&normals.gt(0.0), &(1.0f64 - &points));
    let room = room.where_self(&movable, &room.zeros_like());
    let most = (&weight * &room).sum_dim_intlist([1i64].as_slice(), true, Kind::Double);
    let amount = match norm {
        InputNorm::Linf | InputNorm::L0 => {
            level(&room, &weight, &weight, &room, &excess).expand_as(&room).minimum(&room)
        }
        InputNorm::L2 => {
            let end = (&room / weight.clamp_min(SMALLEST)).where_self(&movable, &room.zeros_like());
            (level(&end, &weight, &weight.square(), &room, &excess) * &weight).minimum(&room)
        }
        InputNorm::L1 => greedy(&weight, &room, &excess),
    };
    let amount = room.where_self(&excess.ge_tensor(&most), &amount);
    (-normals.sign() * amount).to_kind(kind)
}

/// The level `l` at which `sum rate_i min(l, end_i) = excess`, where `rate_i end_i = weight_i room_i`.
///
/// The left side is concave and piecewise linear, so Newton's method from 0 climbs to the solution without ever
/// passing it, and arrives exactly once no further coordinate comes to its end: after a handful of rounds.
fn level(end: &Tensor, weight: &Tensor, rate: &Tensor, room: &Tensor, excess: &Tensor) -> Tensor {
    let sum = |t: &Tensor| t.sum_dim_intlist([1i64].as_slice(), true, Kind::Double);
    let gain = weight * room;
    let mut level = excess.zeros_like();
    let mut moving = end.gt(0.0);
    loop {
        let of = |t: &Tensor| t * moving.to_kind(Kind::Double);
        let gained = sum(&gain) - sum(&of(&gain));
        let next = (excess - gained) / sum(&of(rate)).clamp_min(f64::MIN_POSITIVE);
        level = level.maximum(&next);
        let still = moving.logical_and(&end.gt_tensor(&level));
        if still.equal(&moving) {
            return level;
        }
        moving = still;
    }
}

/// Moves the coordinates of largest weight to their ends, the last one partly.
fn greedy(weight: &Tensor, room: &Tensor, excess: &Tensor) -> Tensor {
    let (sorted, order) = weight.sort(1, true);
    let room = room.gather(1, &order, false);
    let gain = &sorted * &room;
    let before = gain.cumsum(1, Kind::Double) - &gain;
    let share = ((excess - before) / sorted.clamp_min(SMALLEST)).clamp_min(0.0).minimum(&room);
    share.zeros_like().scatter(1, &order, &share)
}
