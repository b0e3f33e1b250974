//! Square (Andriushchenko et al., 2020): random search with ever smaller squares, without any gradient, so that
//! it is not deceived by networks that only hide theirs.
//!
//! Each example draws its own squares, from its own generator, where the original draws one square for the
//! whole batch: so results do not depend on the batch. Squares are no wider than the image.

mod candidates;

use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::halfway::{Halfway, Memory};
use super::select::{Judge, Subject, any, full, positions, put, rows, settle};
use crate::attack::InputNorm;
use crate::attack::ball::per_example;
use crate::error::{Error, Result};
use crate::loss::margin;
use crate::model::channels_last;
use crate::progress::CancelCheck;
use candidates::{bumps, square, stripes, window};

/// Queries between two looks at who is fooled already.
const LOOK_EVERY: usize = 10;

/// Settings of one run.
#[derive(Debug, Clone, Copy)]
pub struct Square {
    /// Geometry: L-inf, L2 or L1.
    pub norm: InputNorm,
    /// Radius.
    pub epsilon: f64,
    /// Queries after the first.
    pub queries: usize,
    /// Share of the image that the first squares cover.
    pub p_init: f64,
    /// The schedule of sizes, made for 10,000 queries, is stretched or shrunk to the number of queries.
    pub rescale_schedule: bool,
}

/// Queries that the schedule of sizes was made for.
const SCHEDULED: f64 = 10_000.0;

impl Square {
    /// One run as published.
    pub fn new(norm: InputNorm, epsilon: f64, queries: usize) -> Self {
        Self { norm, epsilon, queries, p_init: 0.8, rescale_schedule: false }
    }

    /// Share of the image that a square covers in query `query` (from 0).
    pub fn share(&self, query: usize) -> f64 {
        let query = match self.rescale_schedule {
            true => (query as f64 / self.queries as f64 * SCHEDULED) as usize,
            false => query,
        };
        let halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];
        self.p_init / f64::from(1 << halvings.iter().filter(|end| query > **end).count())
    }

    /// Side of the square in query `query`.
    pub fn side(&self, query: usize, height: i64, width: i64) -> i64 {
        let wanted = (self.share(query) * (height * width) as f64).sqrt().round_ties_even() as i64;
        let wanted = match self.norm {
            InputNorm::Linf => wanted.max(1),
            // Odd, so that both halves of the bump differ.
            _ => wanted.max(3) | 1,
        };
        wanted.min(height).min(width)
    }
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
/// The margin is NaN; a note cannot be kept; or `cancel_check`, asked before every query, wants to stop.
pub fn run(
    settings: &Square,
    subject: &Subject,
    draws: Vec<ChaCha8Rng>,
    memory: &mut dyn Memory,
    cancel_check: CancelCheck,
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
        cancel_check()?;
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
