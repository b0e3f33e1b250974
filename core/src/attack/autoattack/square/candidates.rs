//! The points that Square tries: its first ones, and how a square or a pair of windows changes a point.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::{Square, State};
use crate::attack::ball::per_example;
use crate::attack::{InputNorm, l1};
use crate::model::channels_last;

/// Guards divisions by norms.
const TINY: f64 = 1e-12;
/// L1: points stay this much inside of the ball, relative to epsilon, so that rounding does not lead out of it.
const INSIDE: f64 = 1e-6;

/// -1 or 1 per example and `count`: `N x count`.
fn signs(draws: &mut [ChaCha8Rng], count: i64) -> Tensor {
    let values: Vec<f32> = draws
        .iter_mut()
        .flat_map(|draw| (0..count).map(|_| if draw.random() { 1.0 } else { -1.0 }).collect::<Vec<_>>())
        .collect();
    Tensor::from_slice(&values).view([draws.len() as i64, count])
}

/// A corner per example, from 0 to `last - 1` as in the original (0 where the square fills the image).
fn corners(draws: &mut [ChaCha8Rng], last: i64) -> Tensor {
    let values: Vec<i64> =
        draws.iter_mut().map(|draw| if last > 0 { draw.random_range(0..last) } else { 0 }).collect();
    Tensor::from_slice(&values)
}

/// The start for L-inf: vertical stripes.
pub fn stripes(settings: &Square, images: &Tensor, draws: &mut [ChaCha8Rng]) -> Tensor {
    let size = images.size();
    let stripes = signs(draws, size[1] * size[3]).view([size[0], size[1], 1, size[3]]);
    channels_last(&(images + stripes.to_device(images.device()) * settings.epsilon).clamp(0.0, 1.0))
}

/// The candidate for L-inf: a square of one colour.
pub fn square(settings: &Square, state: &mut State, query: usize) -> Tensor {
    let size = state.images.size();
    let (channels, height, width) = (size[1], size[2], size[3]);
    let side = settings.side(query, height, width);
    let device = state.images.device();
    let top = corners(&mut state.draws, height - side).to_device(device);
    let left = corners(&mut state.draws, width - side).to_device(device);
    let color = signs(&mut state.draws, channels).to_device(device).view([-1, channels, 1, 1]);
    let inside = inside(&top, &left, side, height, width).to_kind(Kind::Float);
    let moved = &state.best + color * inside * (2.0 * settings.epsilon);
    let (lowest, highest) = (&state.images - settings.epsilon, &state.images + settings.epsilon);
    channels_last(&moved.maximum(&lowest).minimum(&highest).clamp(0.0, 1.0))
}

/// Where the squares are: bool `N x 1 x H x W`.
fn inside(top: &Tensor, left: &Tensor, side: i64, height: i64, width: i64) -> Tensor {
    let along = |start: &Tensor, length: i64, shape: [i64; 4]| {
        let place = Tensor::arange(length, (Kind::Int64, start.device())).view(shape);
        let start = start.view([-1, 1, 1, 1]);
        place.ge_tensor(&start).logical_and(&place.lt_tensor(&(start + side)))
    };
    along(top, height, [1, 1, height, 1]).logical_and(&along(left, width, [1, 1, 1, width]))
}

/// A bump of `side x side`: two opposite hills beside each other, of norm 1.
fn bump(norm: InputNorm, side: i64) -> Tensor {
    let upper = hill(norm, side / 2, side);
    let lower = hill(norm, side - side / 2, side);
    let values: Vec<f32> = upper.into_iter().chain(lower.into_iter().map(|v| -v)).collect();
    let bump = Tensor::from_slice(&values).view([side, side]);
    match norm {
        InputNorm::L1 => &bump / bump.abs().sum(Kind::Float),
        _ => &bump / bump.norm(),
    }
}

/// A hill of `rows x columns`, highest in the middle, of norm 1; steeper for L1.
fn hill(norm: InputNorm, rows: i64, columns: i64) -> Vec<f32> {
    let mut values = vec![0f32; (rows * columns) as usize];
    let steepness = if norm == InputNorm::L1 { 4 } else { 2 };
    for ring in 0..(rows / 2 + 1).max(columns / 2 + 1) {
        let span = |length: i64| (length / 2 - ring).max(0)..(length / 2 + ring + 1).min(length);
        for row in span(rows) {
            for column in span(columns) {
                values[(row * columns + column) as usize] += 1.0 / (ring + 1).pow(steepness) as f32;
            }
        }
    }
    let size = match norm {
        InputNorm::L1 => values.iter().sum::<f32>(),
        _ => values.iter().map(|v| v * v).sum::<f32>().sqrt(),
    };
    values.iter_mut().for_each(|v| *v /= size.max(f32::MIN_POSITIVE));
    values
}

/// The bump at its corner in an otherwise empty `N x 1 x H x W`, on its side for every second example or so.
fn placed(
    bump: &Tensor,
    draws: &mut [ChaCha8Rng],
    top: &Tensor,
    left: &Tensor,
    height: i64,
    width: i64,
) -> Tensor {
    let side = bump.size()[0];
    let both = Tensor::stack(&[bump.shallow_clone(), bump.tr()], 0).to_device(top.device());
    let turned: Vec<i64> = draws.iter_mut().map(|draw| i64::from(draw.random::<bool>())).collect();
    let turned = Tensor::from_slice(&turned).to_device(top.device()).view([-1, 1, 1]);
    let along = |start: &Tensor, length: i64| {
        let place = Tensor::arange(length, (Kind::Int64, start.device())).view([1, -1]);
        (place - start.view([-1, 1])).clamp(0, side - 1)
    };
    let (row, column) = (along(top, height).unsqueeze(2), along(left, width).unsqueeze(1));
    let spread = both.index(&[Some(turned), Some(row), Some(column)]).unsqueeze(1);
    spread * inside(top, left, side, height, width).to_kind(Kind::Float)
}

/// The start for L2 and L1: tiles of bumps.
pub fn bumps(settings: &Square, images: &Tensor, draws: &mut [ChaCha8Rng]) -> Tensor {
    let size = images.size();
    let (count, channels, height, width) = (size[0], size[1], size[2], size[3]);
    let side = (height.min(width) / 5).max(1);
    let first = (height.min(width) - side * 5).max(0) / 2;
    let bump = bump(settings.norm, side);
    let device = images.device();
    let mut delta = images.zeros_like();
    for top in (0..height / side).map(|tile| first + tile * side).filter(|top| top + side <= height) {
        for left in (0..width / side).map(|tile| first + tile * side).filter(|left| left + side <= width) {
            let at = |place: i64| Tensor::full([count], place, (Kind::Int64, device));
            let tile = placed(&bump, draws, &at(top), &at(left), height, width);
            delta += tile * signs(draws, channels).to_device(device).view([-1, channels, 1, 1]);
        }
    }
    point(settings, images, &delta)
}

/// The point in the direction `delta` on the sphere, clamped to the box; for L1 the nearest in ball and box.
fn point(settings: &Square, images: &Tensor, delta: &Tensor) -> Tensor {
    if settings.norm == InputNorm::L1 {
        let inside = l1::onto_ball_and_box(images, delta, settings.epsilon * (1.0 - INSIDE));
        return channels_last(&(images + inside).clamp(0.0, 1.0));
    }
    let norm = delta.flatten(1, -1).norm_scalaropt_dim(2, [1i64].as_slice(), false) + TINY;
    channels_last(&(images + delta / per_example(&norm, delta) * settings.epsilon).clamp(0.0, 1.0))
}

/// The candidate for L2 and L1: what two windows hold is moved into one of them, with a bump.
pub fn window(settings: &Square, state: &mut State, query: usize) -> Tensor {
    let size = state.images.size();
    let (channels, height, width) = (size[1], size[2], size[3]);
    let side = settings.side(query, height, width);
    let device = state.images.device();
    let delta = &state.best - &state.images;
    let mut corner = |last: i64| corners(&mut state.draws, last).to_device(device);
    let (top, left) = (corner(height - side), corner(width - side));
    let (other_top, other_left) = (corner(height - side), corner(width - side));
    let to = inside(&top, &left, side, height, width);
    let from = inside(&other_top, &other_left, side, height, width);
    let l1 = settings.norm == InputNorm::L1;
    let norm = |t: &Tensor, dims: &[i64]| match l1 {
        true => t.abs().sum_dim_intlist(dims, true, Kind::Float),
        false => t.square().sum_dim_intlist(dims, true, Kind::Float).sqrt(),
    };
    let window = &delta * to.to_kind(Kind::Float);
    let whole = norm(&delta, &[1, 2, 3]);
    let both = &delta * to.logical_or(&from).to_kind(Kind::Float);
    let sign = signs(&mut state.draws, channels).to_device(device).view([-1, channels, 1, 1]);
    let bump = placed(&bump(settings.norm, side), &mut state.draws, &top, &left, height, width) * sign;
    let fresh = bump + &window / (norm(&window, &[2, 3]) + TINY);
    let length = if l1 {
        // Per channel, as in the original.
        let left_over = (settings.epsilon - whole).clamp_min(0.0) / channels as f64;
        (left_over + norm(&both, &[2, 3])) * channels as f64
    } else {
        let left_over =
            (settings.epsilon * settings.epsilon - whole.square()).clamp_min(0.0) / channels as f64;
        (left_over + norm(&both, &[1, 2, 3]).square()).sqrt()
    };
    let fresh = &fresh / (norm(&fresh, &[2, 3]) + TINY) * length;
    let emptied = delta.where_self(&from.logical_not(), &delta.zeros_like());
    point(settings, &state.images, &fresh.where_self(&to, &emptied))
}
