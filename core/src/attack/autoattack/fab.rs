//! FAB, the fast adaptive boundary attack (Croce and Hein, 2020): looks for the adversarial example of smallest
//! norm by stepping onto the linearized decision boundary, drawn back towards the image.
//!
//! Asked only whether the norm is within epsilon: an example is done as soon as it is.

use tch::{Kind, Tensor};

use super::projection::onto_hyperplane;
use super::select::{Judge, Subject, any, full, positions, put, rows, settle};
use crate::attack::InputNorm;
use crate::attack::ball::{Ball, per_example};
use crate::error::{Error, Result};
use crate::loss::class_logits;
use crate::model::{Evaluator, channels_last};
use crate::progress::CancelCheck;

/// Norm where nothing was found.
const NOTHING: f64 = 1e10;
/// Steps between two looks at who is done already.
const LOOK_EVERY: usize = 5;
/// In low precision, examples whose norm came this near to epsilon, relative to it, are doubtful.
const NEAR: f64 = 1.2;
/// So are those that found no boundary, though its linearization once was this near to the image.
const WITHIN: f64 = 1.5;

/// Settings of one run.
#[derive(Debug, Clone, Copy)]
pub struct Fab {
    /// Geometry: L-inf, L2 or L1.
    pub norm: InputNorm,
    /// Radius within which an adversarial example counts; also of the random start.
    pub epsilon: f64,
    /// Updates.
    pub steps: usize,
    /// Length of a step, relative to the distance of the boundary: they go a little beyond it.
    pub eta: f64,
    /// After success, the search goes on from this far between image and adversarial example.
    pub beta: f64,
    /// Largest share of the step that starts at the image.
    pub alpha_max: f64,
}

impl Fab {
    /// One run as published.
    pub fn new(norm: InputNorm, epsilon: f64, steps: usize) -> Self {
        Self { norm, epsilon, steps, eta: 1.05, beta: 0.9, alpha_max: 0.1 }
    }
}

/// What a run leaves, one row per example.
#[derive(Debug)]
pub struct Found {
    /// The misclassified point of smallest norm; the image where none was found.
    pub point: Tensor,
    /// Its distance from the image; 1e10 where none was found.
    pub norm: Tensor,
    /// No point within epsilon was found (with a judge: none that it confirmed).
    pub robust: Tensor,
    /// The judge did not confirm a point, or the search ended too near to epsilon to be sure.
    pub doubtful: Tensor,
}

/// The rows still attacked.
struct State {
    active: Tensor,
    images: Tensor,
    labels: Tensor,
    targets: Option<Tensor>,
    point: Tensor,
    best: Tensor,
    norm: Tensor,
    /// The smallest distance of the image from its linearized boundary so far.
    estimate: Tensor,
    /// A point within epsilon was found since the last look.
    claimed: Tensor,
    /// Gradient and value of the difference of two logits at `point`: the boundary, linearized.
    slope: Tensor,
    difference: Tensor,
}

impl State {
    fn keep(&mut self, index: &Tensor) {
        for tensor in [
            &mut self.active,
            &mut self.images,
            &mut self.labels,
            &mut self.point,
            &mut self.best,
            &mut self.norm,
            &mut self.estimate,
            &mut self.claimed,
            &mut self.slope,
            &mut self.difference,
        ] {
            *tensor = rows(tensor, index);
        }
        self.targets = self.targets.as_ref().map(|targets| rows(targets, index));
    }
}

/// Attacks correctly classified images.
///
/// With `targets` (int64 `N`) towards those classes only, though any wrong class counts. `draw` gives a random
/// start (uniform in (-1, 1) for L-inf, else normal), half of epsilon away; none: the image.
///
/// # Errors
/// The gradient is NaN; or `cancel_check`, asked before every step, wants to stop.
pub fn run(
    settings: &Fab,
    targets: Option<&Tensor>,
    subject: &Subject,
    draw: Option<&Tensor>,
    cancel_check: CancelCheck,
) -> Result<Found> {
    let Subject { model, images, labels, judge } = *subject;
    let _guard = tch::no_grad_guard();
    let count = images.size()[0];
    let flags = Tensor::zeros([count], (Kind::Bool, images.device()));
    let point = match draw {
        None => images.shallow_clone(),
        Some(draw) => {
            let unit = draw / per_example(&size(settings.norm, draw).clamp_min(1e-12), draw);
            (images + unit * (settings.epsilon / 2.0)).clamp(0.0, 1.0)
        }
    };
    let mut found = Found {
        point: images.copy(),
        norm: full(count, NOTHING, images),
        robust: flags.logical_not(),
        doubtful: flags.copy(),
    };
    let mut state = State {
        active: Tensor::arange(count, (Kind::Int64, images.device())),
        images: images.shallow_clone(),
        labels: labels.shallow_clone(),
        targets: targets.map(Tensor::shallow_clone),
        point,
        best: images.shallow_clone(),
        norm: full(count, NOTHING, images),
        estimate: full(count, NOTHING, images),
        claimed: flags,
        slope: images.zeros_like(),
        difference: full(count, 0.0, images),
    };
    let mut not_a_number = Tensor::zeros([], (Kind::Bool, images.device()));
    linearize(settings, model, &mut state, cancel_check)?;
    for iteration in 0..settings.steps {
        cancel_check()?;
        not_a_number = not_a_number.logical_or(&state.slope.isnan().any());
        step(settings, &mut state);
        let pass = Pass::new(model, &state.point);
        let wrong = note(settings, &mut state, &pass.logits);
        if iteration + 1 < settings.steps {
            reuse(settings, model, &mut state, pass, &wrong, cancel_check)?;
        }
        if let Some(judge) = judge
            && (iteration + 1) % LOOK_EVERY == 0
        {
            look(settings, judge, &mut state, &mut found);
            if state.active.size()[0] == 0 {
                break;
            }
        }
    }
    if any(&not_a_number) {
        return Err(Error::NotFinite(
            "a gradient became NaN during FAB; the network overflows on these inputs".into(),
        ));
    }
    if let Some(judge) = judge {
        look(settings, judge, &mut state, &mut found);
        if judge.tolerance > 0.0 {
            // Found near epsilon; or lost in the noise, though the boundary seemed not far.
            let lost = state.norm.ge(NOTHING).logical_and(&state.estimate.le(WITHIN * settings.epsilon));
            let near = state.norm.le(NEAR * settings.epsilon).logical_or(&lost);
            let near = near.logical_or(&rows(&found.doubtful, &state.active));
            put(&mut found.doubtful, &state.active, &near);
        }
    } else {
        put(&mut found.robust, &state.active, &state.norm.gt(settings.epsilon));
    }
    put(&mut found.point, &state.active, &state.best);
    put(&mut found.norm, &state.active, &state.norm);
    Ok(found)
}

/// A forward pass that can be differentiated.
struct Pass {
    point: Tensor,
    logits: Tensor,
}

impl Pass {
    fn new(model: &Evaluator, point: &Tensor) -> Self {
        let point = point.detach().set_requires_grad(true);
        let logits = tch::with_grad(|| class_logits(&model.logits(&point)).to_kind(Kind::Float));
        Self { point, logits }
    }
}

/// Linearizes the boundary at the current points.
fn linearize(settings: &Fab, model: &Evaluator, state: &mut State, cancel_check: CancelCheck) -> Result<()> {
    let pass = Pass::new(model, &state.point);
    (state.slope, state.difference) = match &state.targets {
        Some(targets) => towards(pass, &state.labels, targets),
        None => nearest(settings.norm, pass, &state.labels, cancel_check)?,
    };
    Ok(())
}

/// As [`linearize`], where `pass` was already made at every point that was not `wrong`. Only those that went
/// back towards the image need another one; where they are many, one pass of all is cheaper.
fn reuse(
    settings: &Fab,
    model: &Evaluator,
    state: &mut State,
    pass: Pass,
    wrong: &Tensor,
    cancel_check: CancelCheck,
) -> Result<()> {
    let moved = positions(wrong);
    let few = 2 * moved.numel() < wrong.numel();
    let Some(targets) = state.targets.as_ref().filter(|_| few) else {
        return linearize(settings, model, state, cancel_check);
    };
    (state.slope, state.difference) = towards(pass, &state.labels, targets);
    if moved.numel() > 0 {
        let pass = Pass::new(model, &rows(&state.point, &moved));
        let (slope, difference) = towards(pass, &rows(&state.labels, &moved), &rows(targets, &moved));
        put(&mut state.slope, &moved, &slope);
        put(&mut state.difference, &moved, &difference);
    }
    Ok(())
}

/// Gradient and value of `z_target - z_label`.
fn towards(pass: Pass, labels: &Tensor, targets: &Tensor) -> (Tensor, Tensor) {
    let Pass { point, logits } = pass;
    let (difference, sum) = tch::with_grad(|| {
        let pick = |classes: &Tensor| logits.gather(1, &classes.unsqueeze(1), false).squeeze_dim(1);
        let difference = pick(targets) - pick(labels);
        let sum = difference.sum(Kind::Float);
        (difference, sum)
    });
    let gradient = Tensor::run_backward(&[sum], &[&point], false, false).remove(0);
    (gradient, difference.detach())
}

/// The same for the class whose linearized boundary is nearest.
fn nearest(
    norm: InputNorm,
    pass: Pass,
    labels: &Tensor,
    cancel_check: CancelCheck,
) -> Result<(Tensor, Tensor)> {
    let Pass { point, logits } = pass;
    let classes = logits.size()[1];
    let mut gradients = Vec::new();
    for class in 0..classes {
        cancel_check()?;
        let sum = tch::with_grad(|| logits.select(1, class).sum(Kind::Float));
        let keep = class + 1 < classes;
        gradients.push(Tensor::run_backward(&[sum], &[&point], keep, false).remove(0).flatten(1, -1));
    }
    let logits = logits.detach();
    let gradients = Tensor::stack(&gradients, 1);
    let label = labels.unsqueeze(1);
    let difference = &logits - logits.gather(1, &label, false);
    let own = label.unsqueeze(2).expand([-1, -1, gradients.size()[2]], false);
    let slopes = &gradients - gradients.gather(1, &own, false);
    // The dual norm measures slopes.
    let steepness = match norm {
        InputNorm::Linf => slopes.abs().sum_dim_intlist([2i64].as_slice(), false, Kind::Float),
        InputNorm::L1 => slopes.abs().amax([2i64].as_slice(), false),
        _ => slopes.norm_scalaropt_dim(2, [2i64].as_slice(), false),
    };
    let distance = difference.abs() / (steepness + 1e-12);
    let class = distance.scatter_value(1, &label, f64::INFINITY).argmin(1, true);
    let wide = class.unsqueeze(2).expand([-1, -1, slopes.size()[2]], false);
    let slope = slopes.gather(1, &wide, false).view(point.size().as_slice());
    Ok((slope, difference.gather(1, &class, false).squeeze_dim(1)))
}

/// Onto the boundary, from the point and from the image.
fn step(settings: &Fab, state: &mut State) {
    let (images, point) = (&state.images, &state.point);
    let flat = |t: &Tensor| t.flatten(1, -1);
    let normals = flat(&state.slope);
    let offsets =
        (&normals * flat(point)).sum_dim_intlist([1i64].as_slice(), false, Kind::Float) - &state.difference;
    let both = onto_hyperplane(
        settings.norm,
        &Tensor::cat(&[flat(point), flat(images)], 0),
        &Tensor::cat(&[&normals, &normals], 0),
        &Tensor::cat(&[&offsets, &offsets], 0),
    );
    let count = point.size()[0];
    let (near, far) = (both.narrow(0, 0, count).view_as(point), both.narrow(0, count, count).view_as(point));
    let (a, b) = (size(settings.norm, &near).clamp_min(1e-8), size(settings.norm, &far).clamp_min(1e-8));
    state.estimate = state.estimate.minimum(&b);
    let pull = per_example(&(&a / (&a + &b)).clamp(0.0, settings.alpha_max), point);
    let moved: Tensor =
        (point + near * settings.eta) * (1.0f64 - &pull) + (images + far * settings.eta) * pull;
    state.point = channels_last(&moved.clamp(0.0, 1.0));
}

/// Notes misclassified points, and goes back from them towards the image; which they are.
fn note(settings: &Fab, state: &mut State, logits: &Tensor) -> Tensor {
    let wrong = logits.argmax(1, false).ne_tensor(&state.labels);
    let delta = &state.point - &state.images;
    let norm = size(settings.norm, &delta);
    let nearer = wrong.logical_and(&norm.lt_tensor(&state.norm));
    state.best = state.point.where_self(&per_example(&nearer, &state.point), &state.best);
    state.norm = norm.where_self(&nearer, &state.norm);
    state.claimed = state.claimed.logical_or(&nearer.logical_and(&norm.le(settings.epsilon)));
    let back = &state.images + delta * settings.beta;
    state.point = back.where_self(&per_example(&wrong, &state.point), &state.point);
    wrong
}

/// Lets confirmed examples go.
fn look(settings: &Fab, judge: Judge, state: &mut State, found: &mut Found) {
    if !any(&state.claimed) {
        return;
    }
    let claims = positions(&state.claimed);
    let (images, points) = (rows(&state.images, &claims), rows(&state.best, &claims));
    let inside = size(settings.norm, &(&points - &images)).le(settings.epsilon);
    let wrong = judge.is_wrong(&images, &rows(&state.labels, &claims), &points).logical_and(&inside);
    let places = rows(&state.active, &claims);
    put(&mut found.point, &places, &points);
    put(&mut found.norm, &places, &rows(&state.norm, &claims));
    put(&mut found.robust, &places, &wrong.logical_not());
    put(&mut found.doubtful, &places, &wrong.logical_not());
    let stays = settle(&mut state.claimed, &claims, &wrong);
    state.keep(&stays);
}

fn size(norm: InputNorm, delta: &Tensor) -> Tensor {
    Ball { norm, epsilon: 0.0 }.size(delta)
}
