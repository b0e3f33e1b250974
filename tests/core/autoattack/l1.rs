//! L1: the projection onto ball and box, and AutoAttack in that threat model, against its authors' implementation.

use basin_core::attack::autoattack::apgd::{self, Apgd, Loss};
use basin_core::attack::autoattack::fab::{self, Fab};
use basin_core::attack::autoattack::square::{self, Square};
use basin_core::attack::autoattack::{AutoAttack, Forgetful, Judge, Subject};
use basin_core::attack::ball::Ball;
use basin_core::attack::{InputNorm, Pgd, Projection, l1};
use basin_core::job::{Attack, DataSelection, Examples};
use basin_core::loss::{margin, predictions};
use basin_core::model::Evaluator;
use basin_core::record::AttackOutcome;
use basin_core::seed::{generator, normal};
use rand::Rng as _;
use tch::{Device, Kind, Tensor};

use super::ensemble::{attacked, mnist, version};
use super::pieces::linear;
use crate::support::{Npz, json, max_abs_difference, number, reference};

#[test]
fn the_projection_is_that_of_the_reference() {
    let arrays = Npz::open("autoattack/l1_projection.npz");
    let (images, delta) = (arrays.get("x"), arrays.get("y"));
    let radii = arrays.behind("delta_");
    assert!(!radii.is_empty());
    for radius in radii {
        let epsilon = radius.parse().unwrap();
        let got = Ball { norm: InputNorm::L1, epsilon }.project(images, delta);
        let difference = max_abs_difference(&got, arrays.get(&format!("delta_{radius}")));
        assert!(difference <= 1e-5, "epsilon {epsilon}: {difference:e}");
    }
}

/// Bisects the one amount that all magnitudes are lowered by, entry by entry.
fn bisected(images: &[f64], delta: &[f64], epsilon: f64) -> Vec<f64> {
    let lowered = |amount: f64| -> Vec<f64> {
        let entries = images.iter().zip(delta);
        entries.map(|(x, d)| (d.signum() * (d.abs() - amount).max(0.0)).clamp(-x, 1.0 - x)).collect()
    };
    let sum = |values: &[f64]| values.iter().map(|v| v.abs()).sum::<f64>();
    if sum(&lowered(0.0)) <= epsilon {
        return lowered(0.0);
    }
    let (mut low, mut high) = (0.0, 100.0);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if sum(&lowered(middle)) > epsilon { low = middle } else { high = middle }
    }
    lowered(high)
}

#[test]
fn the_projection_is_the_nearest_point() {
    for case in 0..60u64 {
        let mut rng = generator(case, "l1", &[]);
        let (rows, entries) = (5usize, 1 + case as usize % 9);
        let scale = [0.05, 0.4, 3.0][case as usize % 3];
        let epsilon = [0.0, 0.3, 1.0, 2.5][case as usize % 4];
        // Some pixels at their ends, as in real images.
        let ends = |v: f64| {
            if v < 0.15 {
                0.0
            } else if v > 0.85 {
                1.0
            } else {
                v
            }
        };
        let images: Vec<f64> = (0..rows * entries).map(|_| f64::from(ends(rng.random()) as f32)).collect();
        let delta: Vec<f64> = normal(&mut rng, rows * entries)
            .iter()
            .map(|v| f64::from((f64::from(*v) * scale) as f32))
            .collect();
        let tensor = |values: &[f64]| Tensor::from_slice(values).view([rows as i64, entries as i64]);
        let got = l1::onto_ball_and_box(&tensor(&images), &tensor(&delta), epsilon);
        let again = l1::onto_ball_and_box(&tensor(&images), &got, epsilon);
        assert!(max_abs_difference(&got, &again) <= 1e-12, "case {case}: idempotent");
        let got = Vec::<f64>::try_from(got.view([-1])).unwrap();
        for row in 0..rows {
            let of = |values: &[f64]| values[row * entries..(row + 1) * entries].to_vec();
            let (image, wanted, point) = (of(&images), of(&delta), of(&got));
            let expected = bisected(&image, &wanted, epsilon);
            let difference = point.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(difference <= 1e-12, "case {case}: {point:?} instead of {expected:?}");
            // Nothing allowed is nearer, whatever the formula: <wanted - point, other - point> <= 0.
            for _ in 0..50 {
                let mut other: Vec<f64> = image.iter().map(|x| rng.random_range(-x..=1.0 - x)).collect();
                let size = other.iter().map(|v| v.abs()).sum::<f64>();
                let shrink = (epsilon / size.max(1e-300)).min(1.0);
                other.iter_mut().for_each(|v| *v *= shrink);
                let towards: f64 = (0..entries).map(|i| (wanted[i] - point[i]) * (other[i] - point[i])).sum();
                assert!(towards <= 1e-9, "case {case}: {other:?} is nearer than {point:?}");
            }
        }
    }
}

#[test]
fn one_after_the_other_is_no_projection() {
    // A black pixel that shall become blacker takes nothing of epsilon, and a small change to its end stays.
    let images = Tensor::from_slice(&[0.0f32, 0.9, 0.5]).view([1, 3]);
    let delta = Tensor::from_slice(&[-3.0f32, 2.0, 0.5]).view([1, 3]);
    let ball = Ball { norm: InputNorm::L1, epsilon: 0.4 };
    let as_list = |t: Tensor| Vec::<f32>::try_from(t.view([-1])).unwrap();
    let near = |got: Vec<f32>, expected: [f32; 3]| {
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}, not {expected:?}");
    };
    near(as_list(ball.project(&images, &delta)), [0.0, 0.1, 0.3]);
    near(as_list(ball.project_as(Projection::BoxThenBall, &images, &delta)), [0.0, 0.1, 0.3]);
    near(as_list(ball.project_as(Projection::BallThenBox, &images, &delta)), [0.0, 0.0, 0.0]);
    near(as_list(ball.project_as(Projection::Ball, &images, &delta)), [-0.4, 0.0, 0.0]);
}

/// The smallest margin that L1 changes of size `epsilon` leave of one output with these weights: those with the
/// largest weights move first, each to its end of the box.
fn smallest_margin(weight: &[f64], image: &[f64], margin: f64, sign: f64, epsilon: f64) -> f64 {
    let mut gains: Vec<(f64, f64)> =
        weight.iter().zip(image).map(|(w, x)| (w.abs(), if w * sign > 0.0 { *x } else { 1.0 - x })).collect();
    gains.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut left, mut margin) = (epsilon, margin);
    for (weight, room) in gains {
        let moved = left.min(room);
        (left, margin) = (left - moved, margin - weight * moved);
    }
    margin
}

#[test]
fn attacks_reach_the_closed_form_on_one_output() {
    let network = linear(1);
    let weight = network.weights.flat().narrow(0, 0, 4);
    let mut bias = network.weights.flat().narrow(0, 4, 1);
    bias.copy_(&(-weight.sum(Kind::Float) * 0.5 - 0.3).view([1]));
    let model = Evaluator::new(&network, &network.weights, Device::Cpu, Kind::Float, false);
    let weight = Vec::<f64>::try_from(weight.to_kind(Kind::Double)).unwrap();
    let values = [0.4f32, 0.5, 0.6, 0.5, 0.3, 0.5, 0.5, 0.7];
    let images = Tensor::from_slice(&values).view([2, 1, 2, 2]);
    let labels = predictions(&model.logits(&images));
    let margins = margin(&model.logits(&images), &labels);
    for row in 0..2i64 {
        let image: Vec<f64> = (0..4).map(|i| f64::from(values[(row * 4 + i) as usize])).collect();
        // Class 1 is a positive output.
        let sign = if labels.int64_value(&[row]) == 1 { 1.0 } else { -1.0 };
        let left = |epsilon| smallest_margin(&weight, &image, margins.double_value(&[row]), sign, epsilon);
        let (mut low, mut high) = (0.0, 4.0);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if left(middle) > 0.0 { low = middle } else { high = middle }
        }
        let nearest = high;
        assert!(nearest > 0.01 && nearest < 3.0, "{nearest}");
        let (image, label) = (images.narrow(0, row, 1), labels.narrow(0, row, 1));
        let judge = Some(Judge { model: &model, tolerance: 0.0 });
        let subject = Subject { model: &model, images: &image, labels: &label, judge };
        let fab = Fab::new(InputNorm::L1, 10.0, 40);
        let found = fab::run(&fab, None, &Subject { judge: None, ..subject }, None, &mut || Ok(())).unwrap();
        let beyond = found.norm.double_value(&[0]) / nearest;
        assert!((1.0 - 1e-5..=1.05 + 1e-5).contains(&beyond), "FAB, {beyond}");
        for (factor, robust) in [(0.98, true), (1.02, false)] {
            let epsilon = factor * nearest;
            for single_radius in [true, false] {
                let apgd = Apgd { single_radius, ..Apgd::new(InputNorm::L1, epsilon, 100) };
                let draw = image.full_like(0.3);
                let found = apgd::run(&apgd, Loss::CrossEntropy, &subject, &draw, &mut || Ok(())).unwrap();
                let held = found.robust.int64_value(&[0]) == 1;
                // From larger balls it may end beside the worst corner of so few dimensions.
                let exact = single_radius && held == robust || !single_radius && (held || !robust);
                assert!(exact, "APGD, row {row}, {factor}, {single_radius}");
                let inside = Ball { norm: InputNorm::L1, epsilon }.contains(&(&found.best - &image));
                assert_eq!(inside.int64_value(&[0]), 1);
            }
            let draws = vec![generator(3, "square", &[])];
            let settings = Square::new(InputNorm::L1, epsilon, 300);
            let found = square::run(&settings, &subject, draws, &mut Forgetful, &mut || Ok(())).unwrap();
            assert!(found.robust.int64_value(&[0]) == 1 || !robust, "Square, {factor}");
        }
    }
}

#[test]
fn pgd_reaches_the_closed_form_where_the_box_is_in_the_way() {
    let network = linear(1);
    let model = Evaluator::new(&network, &network.weights, Device::Cpu, Kind::Float, false);
    let weight = Vec::<f64>::try_from(network.weights.flat().narrow(0, 0, 4).to_kind(Kind::Double)).unwrap();
    let values = [0.4f32, 0.5, 0.6, 0.5, 0.3, 0.5, 0.5, 0.7];
    let images = Tensor::from_slice(&values).view([2, 1, 2, 2]);
    let labels = predictions(&model.logits(&images));
    let margins = margin(&model.logits(&images), &labels);
    let epsilon = 1.3;
    let pgd = Pgd { norm: InputNorm::L1, epsilon, steps: 60, step_size: 0.1, ..Pgd::default() };
    let start = images.zeros_like();
    let found =
        basin_core::attack::pgd::run(&pgd, &model, &images, &labels, &start, None, &mut || Ok(())).unwrap();
    for row in 0..2i64 {
        let image: Vec<f64> = (0..4).map(|i| f64::from(values[(row * 4 + i) as usize])).collect();
        let sign = if labels.int64_value(&[row]) == 1 { 1.0 } else { -1.0 };
        let left = smallest_margin(&weight, &image, margins.double_value(&[row]), sign, epsilon);
        // Binary cross-entropy of the margin m is log(1 + exp(-m)).
        let (loss, expected) = (-found.error.double_value(&[row]), (-left).exp().ln_1p());
        assert!((loss - expected).abs() <= 1e-4, "row {row}: {loss}, not {expected}");
    }
}

#[test]
fn pgd_uses_all_of_the_ball() {
    // PGD with the exact projection is no weaker than with one after the other, on any image of these.
    let network = super::single::open("lenet_bn_trained");
    let model = super::single::evaluator(&network, Kind::Float);
    let selection = mnist("test:0..32", AutoAttack::default()).data;
    let data = basin_core::data::load(&selection.name, &selection.examples).unwrap();
    let loss = |projection| {
        let pgd = Pgd {
            norm: InputNorm::L1,
            epsilon: 10.0,
            steps: 20,
            step_size: 1.25,
            projection,
            ..Pgd::default()
        };
        let start = data.images.zeros_like();
        let found =
            basin_core::attack::pgd::run(&pgd, &model, &data.images, &data.labels, &start, None, &mut || {
                Ok(())
            });
        -found.unwrap().error.mean(Kind::Double).double_value(&[])
    };
    for (steps, usual) in [(10, 2.5), (20, 1.25), (100, 1.25)] {
        assert_eq!(Pgd::usual_step_size(InputNorm::L1, 10.0, steps), usual);
    }
    let (together, after) = (loss(Projection::BoxThenBall), loss(Projection::BallThenBox));
    assert!(together > 1.02 * after, "{together} together, {after} one after the other");
}

/// Each attack alone as strong as that of the reference to two images of 64, or `of` fewer ones.
fn as_strong_as_the_reference(name: &str, images: usize, attack: AutoAttack) -> AttackOutcome {
    let stored = json("autoattack/l1.json");
    let expected = &stored[name];
    let epsilon = number(expected, &["eps"]);
    let all: Examples = stored["images"].as_str().unwrap().parse().unwrap();
    assert!(all.start + images <= all.end as usize, "the reference has fewer images");
    let examples = format!("test:{}..{}", all.start, all.start + images);
    let job = mnist(&examples, AutoAttack { norm: InputNorm::L1, epsilon, individual: true, ..attack });
    let cifar = DataSelection { name: "bundled".into(), examples: examples.parse().unwrap() };
    let data = if name.starts_with("resnet") { cifar } else { job.data.clone() };
    let checkpoint = reference(&format!("checkpoints/{name}.pth.tar"));
    let found = attacked(Attack { checkpoint, data, ..job });
    let flags = |of: &serde_json::Value| -> usize {
        of.as_array().unwrap()[..images].iter().filter(|flag| **flag == 1).count()
    };
    let clean = flags(&expected["clean_correct"]);
    assert_eq!((found.clean_error * images as f64).round() as usize, images - clean);
    for row in &found.per_attack {
        let (left, of_it) = (clean - row.broken, flags(&expected[&row.name]["robust"]));
        eprintln!(
            "{name}, {}: {left} of {images} robust, {of_it} of the reference, {:.1} s",
            row.name, row.seconds
        );
        assert!(left.abs_diff(of_it) <= 2, "{name}, {}: {left} robust, not {of_it}", row.name);
    }
    let largest = found.per_example.largest_norm().unwrap();
    assert!(largest <= epsilon * (1.0 + 1e-6) + 1e-6, "{name}: {largest}");
    found
}

/// Images of the first `images` that none of the reference's attacks breaks.
fn left_by_the_reference(name: &str, images: usize) -> usize {
    let expected = &json("autoattack/l1.json")[name];
    let robust = |attack: &str, at: usize| expected[attack]["robust"][at] == 1;
    let attacks = ["apgd-ce", "apgd-t", "fab-t", "square"];
    (0..images).filter(|at| attacks.iter().all(|attack| robust(attack, *at))).count()
}

#[test]
fn attacks_by_gradient_are_as_strong_as_the_reference() {
    let attack = AutoAttack { version: version("apgd-ce,apgd-t,fab-t"), ..AutoAttack::default() };
    let found = as_strong_as_the_reference("lenet_bn_trained", 24, attack);
    let left = found.per_example.robust.iter().filter(|robust| **robust).count();
    assert!(left <= left_by_the_reference("lenet_bn_trained", 24), "{left} robust");
    let attack = AutoAttack { version: version("apgd-ce,apgd-t"), ..AutoAttack::default() };
    as_strong_as_the_reference("resnet_rebn_trained", 16, attack);
}

#[test]
fn square_is_as_strong_as_the_reference() {
    let attack = AutoAttack { version: version("square"), ..AutoAttack::default() };
    as_strong_as_the_reference("lenet_bn_trained", 8, attack);
}
