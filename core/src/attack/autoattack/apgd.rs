//! Auto-PGD (Croce and Hein, 2020, algorithm 1): projected gradient ascent with momentum, whose step size
//! halves by itself where the loss stops rising, each time going on from the best point so far.

use tch::{Kind, Tensor};

use super::select::{Judge, Subject, any, full, positions, put, rows, settle};
use crate::attack::InputNorm;
use crate::attack::ball::per_example;
use crate::error::{Error, Result};
use crate::loss::{class_logits, cross_entropy, dlr, dlr_targeted, margin};
use crate::model::{Evaluator, channels_last};
use crate::progress::Pulse;

/// Guards divisions by norms.
const TINY: f64 = 1e-12;
/// Weight of the new direction against the previous move, after the first step.
const NEW: f64 = 0.75;
/// A step size is kept only if more than this share of the steps of a period raised the loss.
const RISING: f64 = 0.75;
/// Steps between two looks at who is fooled already.
const LOOK_EVERY: usize = 10;

/// Settings of one run.
#[derive(Debug, Clone, Copy)]
pub struct Apgd {
    /// Geometry: L-inf or L2.
    pub norm: InputNorm,
    /// Radius.
    pub epsilon: f64,
    /// Updates.
    pub steps: usize,
    /// Forward and backward passes a gradient is averaged over, for networks that answer randomly.
    pub passes: usize,
    /// L2: every example steps as far as the first one, as the paper's program does in APGD-T. For comparison with it.
    pub shared_step: bool,
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
    /// Misclassified since the last look, and where.
    claimed: Tensor,
    fooled: Tensor,
    smallest_margin: Tensor,
}

impl State {
    fn each(&mut self) -> [&mut Tensor; 17] {
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
/// `draw` gives the start: a random tensor like the images (uniform in (-1, 1) for L-inf, normal for L2) that is
/// scaled to the sphere of radius epsilon.
///
/// # Errors
/// The loss is NaN; or `pulse`, asked before every step, wants to stop.
pub fn run(settings: &Apgd, loss: Loss, subject: &Subject, draw: &Tensor, pulse: Pulse) -> Result<Found> {
    let Subject { model, images, labels, judge } = *subject;
    let _guard = tch::no_grad_guard();
    let count = images.size()[0];
    let unit = divide_by_size(settings.norm, draw);
    let point = (images + unit * settings.epsilon).clamp(0.0, 1.0);
    let flags = Tensor::zeros([count], (Kind::Bool, images.device()));
    let mut found = Found {
        best: point.copy(),
        best_loss: full(count, 0.0, images),
        robust: flags.logical_not(),
        fooled: point.copy(),
        doubtful: flags.copy(),
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
        step: full(count, 2.0 * settings.epsilon, images),
        loss: full(count, 0.0, images),
        best: point.shallow_clone(),
        best_gradient: point.zeros_like(),
        best_loss: full(count, 0.0, images),
        loss_then: full(count, 0.0, images),
        halved_then: flags.logical_not(),
        rises: full(count, 0.0, images),
        claimed: flags.shallow_clone(),
        fooled: point.shallow_clone(),
        smallest_margin: full(count, f64::INFINITY, images),
        point,
    };
    pulse()?;
    let values = evaluate(settings, loss, model, &mut state, pulse)?;
    state.best_gradient = state.gradient.shallow_clone();
    state.best_loss = values.shallow_clone();
    state.loss_then = values;
    let mut not_a_number = state.best_loss.isnan().any();
    let mut periods = Periods::new(settings.steps);
    for iteration in 0..settings.steps {
        pulse()?;
        advance(settings, &mut state, iteration);
        let values = evaluate(settings, loss, model, &mut state, pulse)?;
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
            checkpoint(&mut state, length);
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
    pulse: Pulse,
) -> Result<Tensor> {
    let mut gradient: Option<Tensor> = None;
    let mut last = None;
    for pass in 0..settings.passes.max(1) {
        if pass > 0 {
            pulse()?;
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

/// One step with momentum.
fn advance(settings: &Apgd, state: &mut State, iteration: usize) {
    let (x, point) = (&state.images, &state.point);
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

/// Halves the step size of examples that oscillate or stopped improving, and takes them back to their best point.
fn checkpoint(state: &mut State, length: usize) {
    let oscillates = state.rises.le(RISING * length as f64);
    let stuck = state.halved_then.logical_not().logical_and(&state.loss_then.ge_tensor(&state.best_loss));
    let halve = oscillates.logical_or(&stuck);
    state.step = (&state.step / 2.0).where_self(&halve, &state.step);
    let wide = per_example(&halve, &state.point);
    state.point = state.best.where_self(&wide, &state.point);
    state.gradient = state.best_gradient.where_self(&wide, &state.gradient);
    state.halved_then = halve;
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

/// The periods after which the step size is looked at: about 22 % of the steps, then ever shorter.
struct Periods {
    length: usize,
    shortest: usize,
    shortening: usize,
    since: usize,
}

impl Periods {
    fn new(steps: usize) -> Self {
        let share = |percent: usize| (steps * percent / 100).max(1);
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
