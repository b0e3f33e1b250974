//! Norms, projections, starts and objectives against the paper's program, and against what they promise.

use basin_core::attack::autoattack::Forgetful;
use basin_core::attack::ball::{Ball, Rank, keep_largest, project_to_box};
use basin_core::attack::objective::{Goal, TargetClass};
use basin_core::attack::{InputNorm, Objective, Projection, Start};
use basin_core::loss::{
    class_logits, cross_entropy, cross_entropy_to, dlr, log_probabilities, margin, predictions,
    smoothed_targets,
};
use basin_core::model::{Evaluator, Layer, Layout, Network, Topology, Weights};
use basin_core::seed::{generator, normal};
use std::sync::Arc;
use tch::{Device, Kind, Tensor};

use crate::support::{Npz, json, max_abs_difference, number, relative_difference};

const NORMS: [InputNorm; 4] = [InputNorm::Linf, InputNorm::L2, InputNorm::L1, InputNorm::L0];

fn ball(norm: InputNorm, epsilon: f64) -> Ball {
    Ball { norm, epsilon }
}

#[test]
fn geometry_is_that_of_the_reference() {
    let arrays = Npz::open("pieces/input_space.npz");
    let (images, delta, matrix) = (arrays.get("images"), arrays.get("perturbations"), arrays.get("matrix"));
    let number = |key: &str| arrays.get(key).to_kind(Kind::Double).double_value(&[]);
    let same = |key: &str, got: &Tensor| {
        let difference = max_abs_difference(got, arrays.get(key));
        assert!(difference <= 1e-6, "{key} differs by {difference:e}");
    };
    for (norm, name) in [(InputNorm::L2, "l2"), (InputNorm::Linf, "linf")] {
        let ball = ball(norm, 1.0);
        same(&format!("norm_{name}"), &ball.size(delta));
        same(&format!("norm_{name}_matrix"), &ball.size(matrix));
        same(&format!("normalize_{name}"), &ball.normalize(delta));
        same(&format!("normalize_{name}_matrix"), &ball.normalize(matrix));
        same(&format!("scale_{name}_matrix"), &ball.scale(matrix));
    }
    same("scale_l2", &ball(InputNorm::L2, 1.0).scale(delta));
    // The last perturbation is zero, where the program divides 0 by 0.
    let scaled = ball(InputNorm::Linf, 1.0).scale(delta);
    let expected = arrays.get("scale_linf");
    assert!(max_abs_difference(&scaled.narrow(0, 0, 5), &expected.narrow(0, 0, 5)) <= 1e-6);
    assert_eq!(scaled.get(5).abs().max().double_value(&[]), 0.0, "a zero gradient stays zero");

    let (linf, l2) = (ball(InputNorm::Linf, number("eps_linf")), ball(InputNorm::L2, number("eps_l2")));
    same("project_box", &project_to_box(images, delta));
    same("project_linf", &linf.project_to_norm(delta));
    same("project_l2", &l2.project_to_norm(delta));
    same("project_box_then_linf", &linf.project(images, delta));
    same("project_linf_then_box", &linf.project_as(Projection::BallThenBox, images, delta));
    same("project_box_then_l2", &l2.project(images, delta));
    for (norm, name) in [(InputNorm::L1, "1"), (InputNorm::L2, "2"), (InputNorm::Linf, "inf")] {
        let epsilon = number(&format!("project_ball_ord_{name}_eps"));
        same(&format!("project_ball_ord_{name}"), &ball(norm, epsilon).project_to_norm(matrix));
    }
    // The program keeps large values; a ball keeps large magnitudes.
    let count = number("project_ball_ord_0_eps");
    same("project_ball_ord_0", &keep_largest(matrix, count as i64, Rank::Value));
    let kept = ball(InputNorm::L0, count).project_to_norm(matrix);
    let dropped = (matrix - &kept).abs().amax([1i64].as_slice(), false);
    let (smallest, _) = kept.abs().topk(count as i64, 1, true, true);
    assert!(dropped.le_tensor(&smallest.select(1, count as i64 - 1)).all().int64_value(&[]) == 1);
}

#[test]
fn losses_and_objectives_are_those_of_the_reference() {
    let arrays = Npz::open("pieces/objectives_losses.npz");
    let (logits, labels) = (arrays.get("logits"), arrays.get("labels"));
    let (binary, binary_labels) = (arrays.get("binary_logits"), arrays.get("binary_labels"));
    let same = |key: &str, got: &Tensor| {
        let difference = relative_difference(got, arrays.get(key));
        assert!(difference <= 1e-6, "{key} differs by {difference:e}");
    };
    let loss = cross_entropy(logits, labels);
    same("classification_loss_none", &loss);
    same("classification_loss_mean", &loss.mean(Kind::Float));
    same("classification_loss_sum", &loss.sum(Kind::Float));
    same("untargeted_f0", &-&loss);
    same("binary_classification_loss_none", &cross_entropy(binary, binary_labels));
    same("binary_untargeted_f0", &-cross_entropy(binary, binary_labels));
    let smoothed = |smoothing: &str| {
        let targets = smoothed_targets(labels, logits.size()[1], smoothing.parse().unwrap(), Kind::Float);
        cross_entropy_to(logits, &targets)
    };
    let kept = arrays.behind("smooth_loss_");
    let kept: Vec<&str> = kept.iter().filter_map(|name| name.strip_suffix("_none")).collect();
    let attacked = arrays.behind("untargeted_f0_label_smoothing_");
    assert!(!kept.is_empty() && !attacked.is_empty());
    for smoothing in kept {
        same(&format!("smooth_loss_{smoothing}_none"), &smoothed(smoothing));
    }
    for smoothing in attacked {
        same(&format!("untargeted_f0_label_smoothing_{smoothing}"), &-smoothed(smoothing));
    }
    same("softmax", &log_probabilities(logits).exp());
    same("softmax_binary", &log_probabilities(binary).exp());
    let clean = log_probabilities(arrays.get("other_logits"));
    let divergence = basin_core::loss::divergence(&clean, logits).sum(Kind::Float);
    same("untargeted_kl_scalar_over_batch", &-divergence);
    same("success", &predictions(logits).ne_tensor(labels).to_kind(Kind::Int64));
    same("binary_success", &predictions(binary).ne_tensor(binary_labels).to_kind(Kind::Int64));
    assert!(margin(logits, labels).lt(0.0).equal(&predictions(logits).ne_tensor(labels)));
    assert!(class_logits(binary).argmax(1, false).equal(&predictions(binary)));
}

#[test]
fn starts_have_the_statistics_of_the_reference() {
    let file = json("pieces/input_starts.json");
    let draws = file["shape"][0].as_u64().unwrap() as usize;
    let length =
        file["shape"].as_array().unwrap()[1..].iter().map(|n| n.as_u64().unwrap() as usize).product();
    let (linf, l2) = (number(&file, &["epsilon", "linf"]), number(&file, &["epsilon", "l2"]));
    let cases = [
        ("Zero", InputNorm::Linf, linf, Start::Zero),
        ("Uniform(0,1)", InputNorm::Linf, linf, Start::UniformIn(0.0, 1.0)),
        ("LInfUniform", InputNorm::Linf, linf, Start::Uniform),
        ("LInfUniformNorm", InputNorm::Linf, linf, Start::UniformNorm),
        ("LInfUniformSphere", InputNorm::Linf, linf, Start::UniformSphere),
        ("L2UniformNorm", InputNorm::L2, l2, Start::UniformNorm),
        ("L2UniformSphere", InputNorm::L2, l2, Start::UniformSphere),
    ];
    for (name, norm, epsilon, start) in cases {
        let mut rng = generator(7, name, &[]);
        let ours: Vec<Vec<f32>> =
            (0..draws).map(|_| ball(norm, epsilon).sample(start, &mut rng, length)).collect();
        let sizes = |f: &dyn Fn(&[f32]) -> f64| ours.iter().map(|draw| f(draw)).collect::<Vec<f64>>();
        let square_sum = |v: &[f32]| v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        for (what, values) in [
            ("l2", sizes(&|v| square_sum(v).sqrt())),
            ("linf", sizes(&|v| v.iter().fold(0.0, |m, x| m.max(f64::from(x.abs()))))),
            ("mean_abs", sizes(&|v| v.iter().map(|x| f64::from(x.abs())).sum::<f64>() / v.len() as f64)),
        ] {
            let theirs = &file["inputs"][name][what];
            let (mean, deviation) = (theirs["mean"].as_f64().unwrap(), theirs["std"].as_f64().unwrap());
            let own = values.iter().sum::<f64>() / draws as f64;
            // Two independent means of as many draws.
            let error = deviation * (2.0 / draws as f64).sqrt();
            assert!((own - mean).abs() <= 4.0 * error + 1e-6, "{name}: mean {what} is {own}, not {mean}");
        }
    }
}

#[test]
fn starts_of_every_norm_keep_their_promises() {
    for (norm, epsilon) in
        [(InputNorm::Linf, 0.1), (InputNorm::L2, 0.5), (InputNorm::L1, 3.0), (InputNorm::L0, 5.0)]
    {
        let ball = ball(norm, epsilon);
        let mut rng = generator(1, "starts", &[]);
        let size = |start: Start, rng: &mut _| {
            ball.size(&Tensor::from_slice(&ball.sample(start, rng, 192)).view([1, -1])).double_value(&[0])
        };
        for _ in 0..50 {
            assert!((size(Start::UniformSphere, &mut rng) - epsilon).abs() <= 1e-5 * epsilon, "{norm}");
            assert!(size(Start::UniformNorm, &mut rng) <= epsilon * (1.0 + 1e-6), "{norm}");
            assert!(size(Start::UniformBall, &mut rng) <= epsilon * (1.0 + 1e-6), "{norm}");
        }
    }
    let ball = ball(InputNorm::L2, 1.0);
    let mut rng = generator(2, "ball", &[]);
    let draws: Vec<f32> = (0..2000).flat_map(|_| ball.sample(Start::UniformBall, &mut rng, 10)).collect();
    let mean = ball.size(&Tensor::from_slice(&draws).view([2000, 10])).mean(Kind::Double).double_value(&[]);
    // Uniform in a ball of 10 dimensions: mean norm 10/11, standard deviation 0.083.
    assert!((mean - 10.0 / 11.0).abs() < 4.0 * 0.083 / 2000f64.sqrt(), "{mean}");
}

#[test]
fn projections_are_idempotent_and_never_leave_ball_and_box() {
    for case in 0..40u64 {
        let mut rng = generator(case, "projections", &[]);
        let tensor = |rng: &mut _, scale: f64| {
            (Tensor::from_slice(&normal(rng, 4 * 3 * 6 * 5)) * scale).view([4, 3, 6, 5])
        };
        let images = tensor(&mut rng, 1.5).sigmoid();
        let delta = tensor(&mut rng, [0.01, 0.3, 5.0][case as usize % 3]);
        for norm in NORMS {
            for epsilon in [0.0, 0.03, 1.0, 7.5, 500.0] {
                let ball = ball(norm, epsilon);
                let once = ball.project(&images, &delta);
                let allowed = if norm == InputNorm::L0 { epsilon.ceil() } else { epsilon };
                let size = ball.size(&once).max().double_value(&[]);
                assert!(size <= allowed * (1.0 + 1e-5) + 1e-6, "{norm} {epsilon}: {size}");
                let moved = &images + &once;
                let (low, high) = (moved.min().double_value(&[]), moved.max().double_value(&[]));
                assert!(low >= -1e-6 && high <= 1.0 + 1e-6, "{norm} {epsilon}: {low} to {high}");
                let twice = ball.project(&images, &once);
                assert!(max_abs_difference(&once, &twice) <= 1e-5, "{norm} {epsilon}");
            }
        }
    }
}

#[test]
fn the_nearest_point_of_the_l1_ball_is_found() {
    // Optimality: the residual is constant on the kept entries, and no larger elsewhere.
    let mut rng = generator(9, "l1", &[]);
    let delta = Tensor::from_slice(&normal(&mut rng, 30)).view([1, 30]);
    let once = ball(InputNorm::L1, 4.0).project_to_norm(&delta);
    assert!((once.abs().sum(Kind::Double).double_value(&[]) - 4.0).abs() < 1e-5);
    let residual = (&delta - &once).abs();
    let threshold = residual.max().double_value(&[]);
    let kept = residual.masked_select(&once.not_equal(0.0));
    assert!((kept - threshold).abs().max().double_value(&[]) < 1e-6);
}

/// A linear classifier of 2 x 2 images.
pub fn linear(classes: i64) -> Network {
    let topology = Topology {
        family: "MLP".into(),
        title: "linear".into(),
        classes: classes.max(2),
        resolution: [1, 2, 2],
        layers: vec![
            Layer::Flatten,
            Layer::Linear { name: "linear".into(), input: 4, output: classes, bias: true },
        ],
    };
    let layout = Arc::new(Layout::of(&topology));
    let values = normal(&mut generator(classes as u64, "linear", &[]), layout.len as usize);
    Network {
        topology,
        weights: Weights::from_flat(layout, Tensor::from_slice(&values)),
        buffers: Vec::new(),
    }
}

#[test]
fn pgd_reaches_the_closed_form_on_a_linear_model() {
    // One output u = <w, x> + b: the worst point within epsilon lowers the margin by epsilon |w|_1.
    let network = linear(1);
    let model = Evaluator::new(&network, &network.weights, Device::Cpu, Kind::Float, false);
    let images = Tensor::from_slice(&[0.4f32, 0.5, 0.6, 0.5, 0.3, 0.5, 0.5, 0.7]).view([2, 1, 2, 2]);
    let labels = predictions(&model.logits(&images));
    let weight = network.weights.flat().narrow(0, 0, 4);
    for (norm, dual) in [
        (InputNorm::Linf, weight.abs().sum(Kind::Double)),
        (InputNorm::L2, weight.norm()),
        (InputNorm::L1, weight.abs().max()),
    ] {
        let epsilon = 0.1;
        let pgd = basin_core::attack::Pgd {
            norm,
            epsilon,
            steps: 20,
            step_size: 0.02,
            ..basin_core::attack::Pgd::default()
        };
        let found = basin_core::attack::pgd::run(
            &pgd,
            &model,
            &images,
            &labels,
            &images.zeros_like(),
            None,
            &mut || Ok(()),
        )
        .unwrap();
        let clean = margin(&model.logits(&images), &labels);
        let worst = clean - dual.to_kind(Kind::Float) * epsilon;
        // Binary cross-entropy of the margin m is log(1 + exp(-m)).
        let expected = (-worst).softplus();
        let difference = max_abs_difference(&-found.error, &expected);
        assert!(difference <= 1e-5, "{norm}: {difference:e} from the closed form");
    }
}

#[test]
fn single_attacks_reach_the_closed_form_on_one_output() {
    use basin_core::attack::autoattack::apgd::{self, Apgd, Loss};
    use basin_core::attack::autoattack::fab::{self, Fab};
    use basin_core::attack::autoattack::square::{self, Square};
    use basin_core::attack::autoattack::{Judge, Subject};
    let network = linear(1);
    // A bias that puts the boundary near the middle of the box.
    let weight = network.weights.flat().narrow(0, 0, 4);
    let mut bias = network.weights.flat().narrow(0, 4, 1);
    bias.copy_(&(-weight.sum(Kind::Float) * 0.5 - 0.3).view([1]));
    let model = Evaluator::new(&network, &network.weights, Device::Cpu, Kind::Float, false);
    let images = Tensor::from_slice(&[0.4f32, 0.5, 0.6, 0.5, 0.3, 0.5, 0.5, 0.7]).view([2, 1, 2, 2]);
    let labels = predictions(&model.logits(&images));
    let margins = margin(&model.logits(&images), &labels);
    for (norm, dual) in [(InputNorm::Linf, weight.abs().sum(Kind::Float)), (InputNorm::L2, weight.norm())] {
        // The nearest point of the other class is margin / |w|* away, if the box does not come between.
        let nearest = &margins / &dual;
        let share =
            if norm == InputNorm::L2 { weight.abs().max() / weight.norm() } else { Tensor::from(1.0f32) };
        assert!((&nearest * share).max().double_value(&[]) < 0.3, "the box comes between: {nearest}");
        let judge = Judge { model: &model, tolerance: 0.0 };
        let subject = Subject { model: &model, images: &images, labels: &labels, judge: None };
        let judged = Subject { judge: Some(judge), ..subject };
        for targets in [None, Some(1i64 - &labels)] {
            let settings = Fab::new(norm, 1.0, 30);
            let found = fab::run(&settings, targets.as_ref(), &subject, None, &mut || Ok(())).unwrap();
            // It steps 5 % beyond the boundary.
            let beyond = &found.norm / &nearest;
            let (low, high) = (beyond.min().double_value(&[]), beyond.max().double_value(&[]));
            assert!(low >= 1.0 - 1e-5 && high <= 1.05 + 1e-5, "{norm}: {low} to {high}");
        }
        for (factor, robust) in [(0.98, true), (1.06, false)] {
            for row in 0..2 {
                let epsilon = factor * nearest.double_value(&[row]);
                let one = |t: &Tensor| t.narrow(0, row, 1);
                let (image, label) = (one(&images), one(&labels));
                let judged = Subject { images: &image, labels: &label, ..judged };
                let settings = Apgd::new(norm, epsilon, 100);
                let draw = image.full_like(0.3);
                let found = apgd::run(&settings, Loss::CrossEntropy, &judged, &draw, &mut || Ok(())).unwrap();
                assert_eq!(found.robust.int64_value(&[0]) == 1, robust, "APGD, {norm}, {factor}");
                let settings = Fab::new(norm, epsilon, 30);
                let found = fab::run(&settings, None, &judged, None, &mut || Ok(())).unwrap();
                assert_eq!(found.robust.int64_value(&[0]) == 1, robust, "FAB, {norm}, {factor}");
                if robust || norm == InputNorm::Linf {
                    let settings = Square::new(norm, epsilon, 300);
                    let draws = vec![generator(3, "square", &[])];
                    let found =
                        square::run(&settings, &judged, draws, &mut Forgetful, &mut || Ok(())).unwrap();
                    assert_eq!(found.robust.int64_value(&[0]) == 1, robust, "Square, {norm}, {factor}");
                }
            }
        }
    }
}

#[test]
fn targeted_attacks_want_their_class() {
    let network = linear(4);
    let model = Evaluator::new(&network, &network.weights, Device::Cpu, Kind::Float, false);
    let images =
        Tensor::from_slice(&normal(&mut generator(5, "images", &[]), 24)).view([6, 1, 2, 2]).sigmoid();
    let logits = model.logits(&images);
    let labels = Tensor::from_slice(&[0i64, 1, 2, 3, 0, 1]);
    let wrong = logits.scatter_value(1, &labels.unsqueeze(1), f64::NEG_INFINITY);
    let likeliest = wrong.argmax(1, false);
    let error = |objective| Goal::new(objective, &model, &images, &labels).unwrap().error(&logits);
    let rank = error(Objective::Targeted(TargetClass::Rank(1)));
    assert!(max_abs_difference(&rank, &cross_entropy(&logits, &likeliest)) <= 1e-6);
    let (_, order) = wrong.sort(1, true);
    let least = error(Objective::Targeted(TargetClass::LeastLikely));
    assert!(max_abs_difference(&least, &cross_entropy(&logits, &order.select(1, 2))) <= 1e-6);
    // Where the class is the true one, the attack is untargeted.
    let class = error(Objective::Targeted(TargetClass::Class(1)));
    let towards = cross_entropy(&logits, &labels.ones_like());
    let own = labels.eq(1);
    assert!(max_abs_difference(&class, &(-&towards).where_self(&own, &towards)) <= 1e-6);
    assert!(max_abs_difference(&error(Objective::Dlr), &-dlr(&logits, &labels)) <= 1e-6);

    let two = linear(1);
    let model = Evaluator::new(&two, &two.weights, Device::Cpu, Kind::Float, false);
    for (objective, words) in [
        (Objective::Dlr, "at least 3 classes"),
        (Objective::Targeted(TargetClass::Class(2)), "no target class 2"),
        (Objective::Targeted(TargetClass::Rank(2)), "no target rank 2"),
    ] {
        let refused = Goal::new(objective, &model, &images, &labels).unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
}
