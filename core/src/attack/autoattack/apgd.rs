//! Auto-PGD (Croce and Hein, 2020, algorithm 1): projected gradient ascent with momentum, whose step size
//! halves by itself where the loss stops rising, each time going on from the best point so far.
//!
//! In L1 (Croce and Hein, 2021, algorithm 1) steps are sparse, without momentum, and begin in larger balls.

use tch::{Kind, Tensor};

use super::select::{Judge, Subject, any, full, positions, put, rows, settle};
use super::sparse::Sparsity;
use crate::attack::ball::per_example;
use crate::attack::{InputNorm, l1};
use crate::error::{Error, Result};
use crate::loss::{class_logits, cross_entropy, dlr, dlr_targeted, margin};
use crate::model::{Evaluator, channels_last};
use crate::progress::CancelCheck;

/// Guards divisions by norms.
const TINY: f64 = 1e-12;
/// Weight of the new direction against the previous move, after the first step.
const NEW: f64 = 0.75;
/// L1: radii of the balls, in epsilon, and the share of the steps in each but the last.
const RADII: [(f64, f64); 3] = [(3.0, 0.3), (2.0, 0.3), (1.0, 0.4)];
/// Steps between two looks at who is fooled already.
const LOOK_EVERY: usize = 10;

/// Settings of one run.
#[derive(Debug, Clone, Copy)]
pub struct Apgd {
    /// Geometry: L-inf, L2 or L1.
    pub norm: InputNorm,
    /// Radius.
    pub epsilon: f64,
    /// Updates.
    pub steps: usize,
    /// Forward and backward passes a gradient is averaged over, for networks that answer randomly.
    pub passes: usize,
    /// A step size is kept only if more than this share of the steps of a period raised the loss (not in L1).
    pub rho: f64,
    /// First step size divided by the radius.
    pub alpha: f64,
    /// L1: all steps in the ball of radius epsilon, not first in those of 3 and 2 epsilon.
    pub single_radius: bool,
    /// L2: every example steps as far as the first one, as the paper's program does in APGD-T. For comparison with it.
    pub shared_step: bool,
}

impl Apgd {
    /// One run as published.
    pub fn new(norm: InputNorm, epsilon: f64, steps: usize) -> Self {
        let alpha = if norm == InputNorm::L1 { 1.0 } else { 2.0 };
        Self { norm, epsilon, steps, passes: 1, rho: 0.75, alpha, single_radius: false, shared_step: false }
    }

    /// The balls that the search goes through, each with its steps: `(epsilon, steps)`.
    fn stages(&self) -> Vec<(f64, usize)> {
        if self.norm != InputNorm::L1 || self.single_radius {
            return vec![(self.epsilon, self.steps)];
        }
        let mut left = self.steps;
        let mut stages: Vec<(f64, usize)> = RADII
            .into_iter()
            .map(|(radius, share)| {
                let steps = ((share * self.steps as f64).ceil() as usize).min(left);
                left -= steps;
                (radius * self.epsilon, steps)
            })
            .collect();
        stages[RADII.len() - 1].1 += left;
        stages
    }
}

/// What is maximized.
#[derive(Debug, Clone, Copy)]
pub enum Loss<'a> {
    /// Cross-entropy.
    CrossEntropy,
    /// Difference of logits ratio.
    Dlr,
    /// Targeted ratio, with the target class per example (int64 `N`).
    DlrTargeted(&'a Tensor),
}

/// What a run leaves, one row per example.
#[derive(Debug)]
pub struct Found {
    /// Point of highest loss.
    pub best: Tensor,
    /// The loss there.
    pub best_loss: Tensor,
    /// No misclassified point was found (with a judge: none that it confirmed).
    pub robust: Tensor,
    /// The latest misclassified point; where robust, the start.
    pub fooled: Tensor,
    /// The judge did not confirm a point, or the margin came within its tolerance of 0.
    pub doubtful: Tensor,
    /// The gradient at the start was exactly 0.
    pub flat: Tensor,
}

/// The rows still attacked.
struct State {
    /// Their positions in the batch.
    active: Tensor,
    images: Tensor,
    labels: Tensor,
    targets: Option<Tensor>,
    point: Tensor,
    previous: Tensor,
    gradient: Tensor,
    step: Tensor,
    loss: Tensor,
    best: Tensor,
    best_gradient: Tensor,
    best_loss: Tensor,
    /// Best loss at the last checkpoint, and whether the step size was halved there.
    loss_then: Tensor,
    halved_then: Tensor,
    /// Steps since the last checkpoint that raised the loss.
    rises: Tensor,
    /// How many entries a step moves, in L1.
    sparsity: Sparsity,
    /// Misclassified since the last look, and where.
    claimed: Tensor,
    fooled: Tensor,
    smallest_margin: Tensor,
}

impl State {
    fn each(&mut self) -> [&mut Tensor; 19] {
        [
            &mut self.active,
            &mut self.images,
            &mut self.labels,
            &mut self.point,
            &mut self.previous,
            &mut self.gradient,
            &mut self.step,
            &mut self.loss,
            &mut self.best,
            &mut self.best_gradient,
            &mut self.best_loss,
            &mut self.loss_then,
            &mut self.halved_then,
            &mut self.rises,
            &mut self.sparsity.share,
            &mut self.sparsity.entries,
            &mut self.claimed,
            &mut self.fooled,
            &mut self.smallest_margin,
        ]
    }

    fn keep(&mut self, index: &Tensor) {
        for tensor in self.each() {
            *tensor = rows(tensor, index);
        }
        self.targets = self.targets.as_ref().map(|targets| rows(targets, index));
    }

    fn len(&self) -> i64 {
        self.active.size()[0]
    }
}

/// Attacks correctly classified images.
///
/// `draw` gives the start: a random tensor like the images (uniform in (-1, 1) for L-inf, else normal) that is
/// scaled to the sphere of radius epsilon, or for L1 projected into the ball.
///
/// # Errors
/// The loss is NaN; or `cancel_check`, asked before every step, wants to stop.
pub fn run(
    settings: &Apgd,
    loss: Loss,
    subject: &Subject,
    draw: &Tensor,
    cancel_check: CancelCheck,
) -> Result<Found> {
    let _guard = tch::no_grad_guard();
    let images = subject.images;
    let stages = settings.stages();
    let mut point = match settings.norm {
        InputNorm::L1 => images + draw,
        norm => (images + divide_by_size(norm, draw) * settings.epsilon).clamp(0.0, 1.0),
    };
    let mut earlier: Option<Found> = None;
    for (number, (epsilon, steps)) in stages.iter().copied().enumerate() {
        let stage = Apgd { epsilon, steps, ..*settings };
        if settings.norm == InputNorm::L1 {
            point = project(&stage, images, &point);
        }
        let sparsity = if stages.len() > 1 { Sparsity::of(images, &point) } else { Sparsity::first(images) };
        // Outside of epsilon nothing counts yet.
        let judge = subject.judge.filter(|_| number + 1 == stages.len());
        let found = search(&stage, loss, &Subject { judge, ..*subject }, point, sparsity, cancel_check)?;
        point = found.best.shallow_clone();
        let flat = earlier.map_or_else(|| found.flat.shallow_clone(), |earlier| earlier.flat);
        earlier = Some(Found { flat, ..found });
    }
    Ok(earlier.expect("at least one stage"))
}

/// The search in one ball, from a point in it.
fn search(
    settings: &Apgd,
    loss: Loss,
    subject: &Subject,
    point: Tensor,
    sparsity: Sparsity,
    cancel_check: CancelCheck,
) -> Result<Found> {
    let Subject { model, images, labels, judge } = *subject;
    let count = images.size()[0];
    let flags = Tensor::zeros([count], (Kind::Bool, images.device()));
    let mut found = Found {
        best: point.copy(),
        best_loss: full(count, 0.0, images),
        robust: flags.logical_not(),
        fooled: point.copy(),
        doubtful: flags.copy(),
        flat: flags.shallow_clone(),
    };
    let mut state = State {
        active: Tensor::arange(count, (Kind::Int64, images.device())),
        images: images.shallow_clone(),
        labels: labels.shallow_clone(),
        targets: match loss {
            Loss::DlrTargeted(targets) => Some(targets.shallow_clone()),
            _ => None,
        },
        previous: point.shallow_clone(),
        gradient: point.zeros_like(),
        step: full(count, settings.alpha * settings.epsilon, images),
        loss: full(count, 0.0, images),
        best: point.shallow_clone(),
        best_gradient: point.zeros_like(),
        best_loss: full(count, 0.0, images),
        loss_then: full(count, 0.0, images),
        halved_then: flags.logical_not(),
        rises: full(count, 0.0, images),
        sparsity,
        claimed: flags.shallow_clone(),
        fooled: point.shallow_clone(),
        smallest_margin: full(count, f64::INFINITY, images),
        point,
    };
    cancel_check()?;
    let values = evaluate(settings, loss, model, &mut state, cancel_check)?;
    found.flat = state.gradient.flatten(1, -1).abs().amax([1i64].as_slice(), false).eq(0.0);
    state.best_gradient = state.gradient.shallow_clone();
    state.best_loss = values.shallow_clone();
    state.loss_then = values;
    let mut not_a_number = state.best_loss.isnan().any();
    let mut periods = Periods::new(settings);
    for iteration in 0..settings.steps {
        cancel_check()?;
        advance(settings, &mut state, iteration);
        let values = evaluate(settings, loss, model, &mut state, cancel_check)?;
        not_a_number = not_a_number.logical_or(&values.isnan().any());
        let better = values.gt_tensor(&state.best_loss);
        let wide = per_example(&better, &state.point);
        state.best = state.point.where_self(&wide, &state.best);
        state.best_gradient = state.gradient.where_self(&wide, &state.best_gradient);
        state.best_loss = values.where_self(&better, &state.best_loss);
        // The predecessor of the first loss counts as 0, as everywhere this attack is used.
        state.rises += values.gt_tensor(&state.loss).to_kind(Kind::Float);
        state.loss = values;
        if let Some(length) = periods.ends() {
            checkpoint(settings, &mut state, length);
        }
        if let Some(judge) = judge
            && (iteration + 1) % LOOK_EVERY == 0
        {
            look(judge, &mut state, &mut found);
            if state.len() == 0 {
                break;
            }
        }
    }
    if any(&not_a_number) {
        return Err(Error::NotFinite(
            "the loss became NaN during APGD; the network overflows on these inputs".into(),
        ));
    }
    if let Some(judge) = judge {
        look(judge, &mut state, &mut found);
        let near =
            state.smallest_margin.le(judge.tolerance).logical_and(&Tensor::from(judge.tolerance > 0.0));
        let near = near.logical_or(&rows(&found.doubtful, &state.active));
        put(&mut found.doubtful, &state.active, &near);
    } else {
        put(&mut found.robust, &state.active, &state.claimed.logical_not());
        put(&mut found.fooled, &state.active, &state.fooled);
    }
    put(&mut found.best, &state.active, &state.best);
    put(&mut found.best_loss, &state.active, &state.best_loss);
    Ok(found)
}

/// Loss at the current points; notes their gradients and misclassifications.
fn evaluate(
    settings: &Apgd,
    loss: Loss,
    model: &Evaluator,
    state: &mut State,
    cancel_check: CancelCheck,
) -> Result<Tensor> {
    let mut gradient: Option<Tensor> = None;
    let mut last = None;
    for pass in 0..settings.passes.max(1) {
        if pass > 0 {
            cancel_check()?;
        }
        let point = state.point.detach().set_requires_grad(true);
        let (logits, values, sum) = tch::with_grad(|| {
            let logits = class_logits(&model.logits(&point)).to_kind(Kind::Float);
            let values = match loss {
                Loss::CrossEntropy => cross_entropy(&logits, &state.labels),
                Loss::Dlr => dlr(&logits, &state.labels),
                Loss::DlrTargeted(_) => {
                    dlr_targeted(&logits, &state.labels, state.targets.as_ref().expect("set for this loss"))
                }
            };
            let sum = values.sum(Kind::Float);
            (logits, values, sum)
        });
        let own = Tensor::run_backward(&[sum], &[&point], false, false).remove(0);
        gradient = Some(gradient.map_or(own.shallow_clone(), |sum| sum + own));
        last = Some((logits.detach(), values.detach()));
    }
    let (logits, values) = last.expect("at least one pass");
    state.gradient = gradient.expect("at least one pass") / settings.passes.max(1) as f64;
    let margins = margin(&logits, &state.labels);
    let wrong = logits.argmax(1, false).ne_tensor(&state.labels);
    state.claimed = state.claimed.logical_or(&wrong);
    state.fooled = state.point.where_self(&per_example(&wrong, &state.point), &state.fooled);
    state.smallest_margin = state.smallest_margin.minimum(&margins);
    Ok(values)
}

/// One step: with momentum, in L1 sparse and without.
fn advance(settings: &Apgd, state: &mut State, iteration: usize) {
    let (x, point) = (&state.images, &state.point);
    if settings.norm == InputNorm::L1 {
        let direction = state.sparsity.direction(&state.gradient);
        let moved = point + direction * per_example(&state.step, point);
        state.point = channels_last(&project(settings, x, &moved));
        return;
    }
    let share = if iteration == 0 { 1.0 } else { NEW };
    let direction = match settings.norm {
        InputNorm::Linf => state.gradient.sign(),
        _ => divide_by_size(settings.norm, &state.gradient),
    };
    let step = if settings.shared_step && settings.norm == InputNorm::L2 {
        state.step.narrow(0, 0, 1).expand_as(&state.step)
    } else {
        state.step.shallow_clone()
    };
    let moved = project(settings, x, &(point + direction * per_example(&step, point)));
    let next = point + (moved - point) * share + (point - &state.previous) * (1.0 - share);
    let next = project(settings, x, &next);
    state.previous = std::mem::replace(&mut state.point, channels_last(&next));
}

fn project(settings: &Apgd, x: &Tensor, point: &Tensor) -> Tensor {
    let epsilon = settings.epsilon;
    match settings.norm {
        InputNorm::Linf => point.maximum(&(x - epsilon)).minimum(&(x + epsilon)).clamp(0.0, 1.0),
        InputNorm::L1 => (x + l1::onto_ball_and_box(x, &(point - x), epsilon)).clamp(0.0, 1.0),
        _ => {
            let delta = point - x;
            let size = length(&delta);
            let factor = size.clamp_max(epsilon) / (&size + TINY);
            (x + &delta * per_example(&factor, &delta)).clamp(0.0, 1.0)
        }
    }
}

fn length(delta: &Tensor) -> Tensor {
    delta.flatten(1, -1).norm_scalaropt_dim(2, [1i64].as_slice(), false)
}

fn divide_by_size(norm: InputNorm, direction: &Tensor) -> Tensor {
    let size = match norm {
        InputNorm::Linf => direction.flatten(1, -1).abs().amax([1i64].as_slice(), false),
        _ => length(direction),
    };
    direction / per_example(&(size + TINY), direction)
}

/// Shortens the steps of examples that oscillate or stopped improving, and takes them back to their best point;
/// in L1 those go back that became sparser, and step far again.
fn checkpoint(settings: &Apgd, state: &mut State, length: usize) {
    let back = if settings.norm == InputNorm::L1 {
        let first = settings.alpha * settings.epsilon;
        let (step, sparser) = state.sparsity.checkpoint(&state.images, &state.best, &state.step, first);
        state.step = step;
        sparser
    } else {
        let oscillates = state.rises.le(settings.rho * length as f64);
        let stuck = state.halved_then.logical_not().logical_and(&state.loss_then.ge_tensor(&state.best_loss));
        let halve = oscillates.logical_or(&stuck);
        state.step = (&state.step / 2.0).where_self(&halve, &state.step);
        halve
    };
    let wide = per_example(&back, &state.point);
    state.point = state.best.where_self(&wide, &state.point);
    state.gradient = state.best_gradient.where_self(&wide, &state.gradient);
    state.halved_then = back;
    state.loss_then = state.best_loss.shallow_clone();
    state.rises = state.rises.zeros_like();
}

/// Lets confirmed examples go.
fn look(judge: Judge, state: &mut State, found: &mut Found) {
    if !any(&state.claimed) {
        return;
    }
    let claims = positions(&state.claimed);
    let points = rows(&state.fooled, &claims);
    let wrong = judge.is_wrong(&rows(&state.images, &claims), &rows(&state.labels, &claims), &points);
    let places = rows(&state.active, &claims);
    put(&mut found.fooled, &places, &points);
    put(&mut found.robust, &places, &wrong.logical_not());
    put(&mut found.doubtful, &places, &wrong.logical_not());
    // Leavers take their best point along.
    put(&mut found.best, &places, &rows(&state.best, &claims));
    put(&mut found.best_loss, &places, &rows(&state.best_loss, &claims));
    let stays = settle(&mut state.claimed, &claims, &wrong);
    state.keep(&stays);
}

/// The periods after which the step size is looked at: about 22 % of the steps, then ever shorter; in L1 4 %.
struct Periods {
    length: usize,
    shortest: usize,
    shortening: usize,
    since: usize,
}

impl Periods {
    fn new(settings: &Apgd) -> Self {
        let share = |percent: usize| (settings.steps * percent / 100).max(1);
        if settings.norm == InputNorm::L1 {
            return Self { length: share(4), shortest: share(4), shortening: 0, since: 0 };
        }
        Self { length: share(22), shortest: share(6), shortening: share(3), since: 0 }
    }

    /// Counts a step; the length of the period if it ends here.
    fn ends(&mut self) -> Option<usize> {
        self.since += 1;
        if self.since < self.length {
            return None;
        }
        let length = self.length;
        self.since = 0;
        self.length = length.saturating_sub(self.shortening).max(self.shortest);
        Some(length)
    }
}
