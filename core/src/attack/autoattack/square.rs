//! Square (Andriushchenko et al., 2020): random search with ever smaller squares, without any gradient, so that
//! it is not deceived by networks that only hide theirs.
//!
//! Each example draws its own squares, from its own generator, where the original draws one square for the
//! whole batch: so results do not depend on the batch. Squares are no wider than the image.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::halfway::{Halfway, Memory};
use super::select::{Judge, Subject, any, full, positions, put, rows, settle};
use crate::attack::InputNorm;
use crate::attack::ball::per_example;
use crate::error::{Error, Result};
use crate::loss::margin;
use crate::model::channels_last;
use crate::progress::Pulse;

/// Share of the image that the first squares cover.
const FIRST_SHARE: f64 = 0.8;
/// Guards divisions by norms.
const TINY: f64 = 1e-12;
/// Queries between two looks at who is fooled already.
const LOOK_EVERY: usize = 10;

/// Settings of one run.
#[derive(Debug, Clone, Copy)]
pub struct Square {
    /// Geometry: L-inf or L2.
    pub norm: InputNorm,
    /// Radius.
    pub epsilon: f64,
    /// Queries after the first.
    pub queries: usize,
}

/// What a run leaves, one row per example.
#[derive(Debug)]
pub struct Found {
    /// Point of smallest margin.
    pub best: Tensor,
    /// The margin there, as the searching network sees it.
    pub margin: Tensor,
    /// It is classified correctly (with a judge: according to it).
    pub robust: Tensor,
    /// The judge did not confirm a point, or the margin came within its tolerance of 0.
    pub doubtful: Tensor,
}

/// Share of the image that a square covers in query `query` (from 0).
pub fn share(query: usize) -> f64 {
    let halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];
    FIRST_SHARE / f64::from(1 << halvings.iter().filter(|end| query > **end).count())
}

/// Side of the square in query `query`.
pub fn side(norm: InputNorm, query: usize, height: i64, width: i64) -> i64 {
    let wanted = (share(query) * (height * width) as f64).sqrt().round_ties_even() as i64;
    let wanted = match norm {
        InputNorm::Linf => wanted.max(1),
        // Odd, so that both halves of the bump differ.
        _ => wanted.max(3) | 1,
    };
    wanted.min(height).min(width)
}

struct State {
    active: Tensor,
    images: Tensor,
    labels: Tensor,
    best: Tensor,
    margin: Tensor,
    claimed: Tensor,
    draws: Vec<ChaCha8Rng>,
}

impl State {
    fn keep(&mut self, index: &Tensor) {
        for tensor in [
            &mut self.active,
            &mut self.images,
            &mut self.labels,
            &mut self.best,
            &mut self.margin,
            &mut self.claimed,
        ] {
            *tensor = rows(tensor, index);
        }
        let kept: Vec<i64> = Vec::try_from(index).expect("positions are int64");
        self.draws = kept.into_iter().map(|at| self.draws[at as usize].clone()).collect();
    }
}

/// Attacks correctly classified images, one generator per example. Examples that the searching network
/// misclassifies stay as they are until the judge has looked at them. With a judge, a run that `memory` has a note of
/// goes on from there.
///
/// # Errors
/// The margin is NaN; a note cannot be kept; or `pulse`, asked before every query, wants to stop.
pub fn run(
    settings: &Square,
    subject: &Subject,
    draws: Vec<ChaCha8Rng>,
    memory: &mut dyn Memory,
    pulse: Pulse,
) -> Result<Found> {
    let Subject { model, judge, .. } = *subject;
    let _guard = tch::no_grad_guard();
    let earlier = judge.and_then(|_| memory.recall());
    let first = earlier.as_ref().map_or(0, |earlier| earlier.queries);
    let (mut state, mut found) = match earlier {
        Some(earlier) => go_on(subject, draws, &earlier),
        None => begin(settings, subject, draws),
    };
    let mut not_a_number = state.margin.isnan().any();
    for query in first..settings.queries {
        pulse()?;
        if query % LOOK_EVERY == 0
            && let Some(judge) = judge
        {
            look(judge, &mut state, &mut found);
            if state.active.size()[0] == 0 {
                break;
            }
            if query > first && memory.is_due() {
                check(&not_a_number)?;
                memory.note(&halfway(query, &state, &mut found)?)?;
            }
        }
        let candidate = match settings.norm {
            InputNorm::Linf => square(settings, &mut state, query),
            _ => window(settings, &mut state, query),
        };
        let margins = margin(&model.logits(&candidate), &state.labels).to_kind(Kind::Float);
        not_a_number = not_a_number.logical_or(&margins.isnan().any());
        // A point that is misclassified is not given up for another one.
        let better = margins.lt_tensor(&state.margin).logical_and(&state.claimed.logical_not());
        state.best = candidate.where_self(&per_example(&better, &candidate), &state.best);
        state.margin = margins.where_self(&better, &state.margin);
        state.claimed = state.claimed.logical_or(&state.margin.le(0.0).logical_and(&better));
    }
    check(&not_a_number)?;
    if let Some(judge) = judge {
        look(judge, &mut state, &mut found);
        let near = state.margin.le(judge.tolerance).logical_and(&Tensor::from(judge.tolerance > 0.0));
        let near = near.logical_or(&rows(&found.doubtful, &state.active));
        put(&mut found.doubtful, &state.active, &near);
    } else {
        put(&mut found.robust, &state.active, &state.claimed.logical_not());
    }
    put(&mut found.best, &state.active, &state.best);
    put(&mut found.margin, &state.active, &state.margin);
    Ok(found)
}

/// All examples at the first points.
fn begin(settings: &Square, subject: &Subject, mut draws: Vec<ChaCha8Rng>) -> (State, Found) {
    let Subject { model, images, labels, .. } = *subject;
    let best = match settings.norm {
        InputNorm::Linf => stripes(settings, images, &mut draws),
        _ => bumps(settings, images, &mut draws),
    };
    let margins = margin(&model.logits(&best), labels).to_kind(Kind::Float);
    let count = images.size()[0];
    let flags = Tensor::zeros([count], (Kind::Bool, images.device()));
    let found = Found {
        best: best.copy(),
        margin: full(count, f64::INFINITY, images),
        robust: flags.logical_not(),
        doubtful: flags,
    };
    let state = State {
        active: Tensor::arange(count, (Kind::Int64, images.device())),
        images: images.shallow_clone(),
        labels: labels.shallow_clone(),
        claimed: margins.le(0.0),
        best,
        margin: margins,
        draws,
    };
    (state, found)
}

/// Where a run stands right after a look, when nothing is claimed.
fn halfway(queries: usize, state: &State, found: &mut Found) -> Result<Halfway> {
    put(&mut found.best, &state.active, &state.best);
    put(&mut found.margin, &state.active, &state.margin);
    Ok(Halfway {
        queries,
        best: Vec::try_from(found.best.contiguous().view([-1]))?,
        margin: Vec::try_from(&found.margin)?,
        robust: Vec::try_from(&found.robust)?,
        doubtful: Vec::try_from(&found.doubtful)?,
        drawn: state.draws.iter().map(|draw| draw.get_word_pos() as u64).collect(),
    })
}

/// The run that `earlier` is a note of.
fn go_on(subject: &Subject, draws: Vec<ChaCha8Rng>, earlier: &Halfway) -> (State, Found) {
    let Subject { images, labels, .. } = *subject;
    let device = images.device();
    let found = Found {
        best: channels_last(
            &Tensor::from_slice(&earlier.best).view(images.size().as_slice()).to_device(device),
        ),
        margin: Tensor::from_slice(&earlier.margin).to_device(device),
        robust: Tensor::from_slice(&earlier.robust).to_device(device),
        doubtful: Tensor::from_slice(&earlier.doubtful).to_device(device),
    };
    let active = positions(&found.robust);
    let staying = draws.into_iter().zip(&earlier.robust).filter(|(_, robust)| **robust);
    let draws = staying.zip(&earlier.drawn).map(|((mut draw, _), at)| {
        draw.set_word_pos(u128::from(*at));
        draw
    });
    let state = State {
        images: rows(images, &active),
        labels: rows(labels, &active),
        best: rows(&found.best, &active),
        margin: rows(&found.margin, &active),
        claimed: active.ne(-1).logical_not(),
        draws: draws.collect(),
        active,
    };
    (state, found)
}

fn check(not_a_number: &Tensor) -> Result<()> {
    if any(not_a_number) {
        return Err(Error::NotFinite(
            "a logit became NaN during Square; the network overflows on these inputs".into(),
        ));
    }
    Ok(())
}

/// Lets confirmed examples go. Those that are not confirmed go on from where they are.
fn look(judge: Judge, state: &mut State, found: &mut Found) {
    if !any(&state.claimed) {
        return;
    }
    let claims = positions(&state.claimed);
    let points = rows(&state.best, &claims);
    let wrong = judge.is_wrong(&rows(&state.images, &claims), &rows(&state.labels, &claims), &points);
    let places = rows(&state.active, &claims);
    put(&mut found.best, &places, &points);
    put(&mut found.margin, &places, &rows(&state.margin, &claims));
    put(&mut found.robust, &places, &wrong.logical_not());
    put(&mut found.doubtful, &places, &wrong.logical_not());
    let stays = settle(&mut state.claimed, &claims, &wrong);
    state.keep(&stays);
}

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
fn stripes(settings: &Square, images: &Tensor, draws: &mut [ChaCha8Rng]) -> Tensor {
    let size = images.size();
    let stripes = signs(draws, size[1] * size[3]).view([size[0], size[1], 1, size[3]]);
    channels_last(&(images + stripes.to_device(images.device()) * settings.epsilon).clamp(0.0, 1.0))
}

/// The candidate for L-inf: a square of one colour.
fn square(settings: &Square, state: &mut State, query: usize) -> Tensor {
    let size = state.images.size();
    let (channels, height, width) = (size[1], size[2], size[3]);
    let side = side(settings.norm, query, height, width);
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

/// A bump of `side x side`: two opposite hills beside each other, of L2 norm 1.
fn bump(side: i64) -> Tensor {
    let upper = hill(side / 2, side);
    let lower = hill(side - side / 2, side);
    let values: Vec<f32> = upper.into_iter().chain(lower.into_iter().map(|v| -v)).collect();
    let bump = Tensor::from_slice(&values).view([side, side]);
    &bump / bump.norm()
}

/// A hill of `rows x columns`, highest in the middle, of L2 norm 1.
fn hill(rows: i64, columns: i64) -> Vec<f32> {
    let mut values = vec![0f32; (rows * columns) as usize];
    for ring in 0..(rows / 2 + 1).max(columns / 2 + 1) {
        let span = |length: i64| (length / 2 - ring).max(0)..(length / 2 + ring + 1).min(length);
        for row in span(rows) {
            for column in span(columns) {
                values[(row * columns + column) as usize] += 1.0 / ((ring + 1) * (ring + 1)) as f32;
            }
        }
    }
    let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    values.iter_mut().for_each(|v| *v /= norm.max(f32::MIN_POSITIVE));
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

/// The start for L2: tiles of bumps.
fn bumps(settings: &Square, images: &Tensor, draws: &mut [ChaCha8Rng]) -> Tensor {
    let size = images.size();
    let (count, channels, height, width) = (size[0], size[1], size[2], size[3]);
    let side = (height.min(width) / 5).max(1);
    let first = (height.min(width) - side * 5).max(0) / 2;
    let bump = bump(side);
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

/// The point in the direction `delta` on the sphere, clamped to the box.
fn point(settings: &Square, images: &Tensor, delta: &Tensor) -> Tensor {
    let norm = delta.flatten(1, -1).norm_scalaropt_dim(2, [1i64].as_slice(), false) + TINY;
    channels_last(&(images + delta / per_example(&norm, delta) * settings.epsilon).clamp(0.0, 1.0))
}

/// The candidate for L2: what two windows hold is moved into one of them, with a bump.
fn window(settings: &Square, state: &mut State, query: usize) -> Tensor {
    let size = state.images.size();
    let (channels, height, width) = (size[1], size[2], size[3]);
    let side = side(settings.norm, query, height, width);
    let device = state.images.device();
    let delta = &state.best - &state.images;
    let mut corner = |last: i64| corners(&mut state.draws, last).to_device(device);
    let (top, left) = (corner(height - side), corner(width - side));
    let (other_top, other_left) = (corner(height - side), corner(width - side));
    let to = inside(&top, &left, side, height, width);
    let from = inside(&other_top, &other_left, side, height, width);
    let norm = |t: &Tensor, dims: &[i64]| t.square().sum_dim_intlist(dims, true, Kind::Float).sqrt();
    let window = &delta * to.to_kind(Kind::Float);
    let whole = norm(&delta, &[1, 2, 3]);
    let both = norm(&(&delta * to.logical_or(&from).to_kind(Kind::Float)), &[1, 2, 3]);
    let sign = signs(&mut state.draws, channels).to_device(device).view([-1, channels, 1, 1]);
    let bump = placed(&bump(side), &mut state.draws, &top, &left, height, width) * sign;
    let fresh = bump + &window / (norm(&window, &[2, 3]) + TINY);
    let left_over = (settings.epsilon * settings.epsilon - whole.square()).clamp_min(0.0) / channels as f64;
    let fresh = &fresh / (norm(&fresh, &[2, 3]) + TINY) * (left_over + both.square()).sqrt();
    let emptied = delta.where_self(&from.logical_not(), &delta.zeros_like());
    point(settings, &state.images, &fresh.where_self(&to, &emptied))
}
