//! Golden numbers of the specification: PGD (P1 to P7), its tau variant (T0, T2), and the parts of AutoAttack.

use basin_core::attack::autoattack::Subject;
use basin_core::attack::autoattack::apgd::{self, Apgd, Loss};
use basin_core::attack::autoattack::fab::{self, Fab};
use basin_core::attack::autoattack::projection::onto_hyperplane;
use basin_core::attack::ball::{Ball, Rank, keep_largest};
use basin_core::attack::pgd;
use basin_core::attack::{GradientRule, InputNorm, Pgd, Projection, Start};
use basin_core::loss::{class_logits, divergence, dlr, dlr_targeted, log_probabilities};
use tch::{Kind, Tensor};

use crate::support::golden::{evaluator, images, labels, rows, table};
use crate::support::max_abs_difference;

const TOLERANCE: f64 = 2e-5;

fn close(what: &str, got: &Tensor, expected: &Tensor) {
    let difference = max_abs_difference(&got.to_kind(Kind::Float), expected);
    assert!(difference <= TOLERANCE, "{what} differs by {difference:e}: {got} instead of {expected}");
}

fn base() -> Pgd {
    Pgd { epsilon: 0.1, step_size: 0.04, steps: 3, start: Start::Zero, ..Pgd::default() }
}

fn attack(settings: &Pgd, start: &Tensor) -> pgd::Found {
    pgd::run(settings, &evaluator(), &images(), &labels(), start, None, &mut || Ok(())).unwrap()
}

#[test]
fn the_network_is_the_one_of_the_table() {
    let logits = evaluator().logits(&images());
    close(
        "logits",
        &logits.get(0),
        &Tensor::from_slice(&[2.632427f32, -1.310985, 1.549164, 2.730978, -0.055023]),
    );
    close("dlr", &dlr(&logits, &labels()), &Tensor::from_slice(&[-0.083389f32, -0.66442, -0.815253, 1.0]));
    for (targets, expected) in [
        ([0i64, 0, 0, 3], [-0.049675f32, -0.458127, -0.711561, 0.183923]),
        ([2, 2, 4, 0], [-0.59570, -0.689514, -0.87281, 0.0]),
    ] {
        let got = dlr_targeted(&logits, &labels(), &Tensor::from_slice(&targets));
        close("targeted dlr", &got, &Tensor::from_slice(&expected));
    }
}

#[test]
fn pgd_reaches_the_golden_perturbations() {
    let zero = images().zeros_like();
    let p4 = Pgd { step_size: 0.5, epsilon: 0.5, steps: 6, backtrack: true, step_divisor: 2.0, ..base() };
    let s = 0.036196;
    let cases: Vec<(&str, Pgd, Option<Tensor>, [f32; 4])> = vec![
        (
            "P1",
            base(),
            Some(rows(&[
                [0.1, -0.1, 0.1, -0.1],
                [0.1, 0.1, -0.1, -0.1],
                [-0.068484, -0.1, 0.1, -0.1],
                [-0.1; 4],
            ])),
            [-1.672732, -0.536141, -0.427715, -2.023979],
        ),
        (
            "P2",
            Pgd { momentum: 0.9, steps: 4, ..base() },
            Some(rows(&[[s, -s, s, -s], [s, s, -s, -s], [-s, -s, s, -s], [-s; 4]])),
            [-1.099219, -0.310803, -0.224197, -1.848283],
        ),
        (
            "P3",
            Pgd {
                norm: InputNorm::L2,
                epsilon: 0.2,
                step_size: 0.1,
                norm_penalty: 0.5,
                projection: Projection::BallThenBox,
                ..base()
            },
            Some(rows(&[
                [0.072967, -0.125383, 0.117444, -0.071844],
                [0.142043, 0.014143, -0.139013, -0.017302],
                [-0.032394, -0.135827, 0.14199, -0.018449],
                [-0.031411, -0.175653, -0.079234, -0.043373],
            ])),
            [-1.604348, -0.579027, -0.462866, -2.029386],
        ),
        (
            "P4",
            p4.clone(),
            Some(rows(&[
                [0.121338, -0.5, 0.436496, -0.159439],
                [0.436496, 0.5, -0.5, -0.231609],
                [-0.068484, -0.5, 0.5, -0.083642],
                [-0.25, -0.221838, -0.100595, -0.25],
            ])),
            [-3.99555, -4.395829, -4.814778, -2.318374],
        ),
        (
            "P5",
            Pgd { gradient: GradientRule::Scaled, ..base() },
            Some(rows(&[
                [0.071438, -0.1, 0.1, -0.07031],
                [0.1, 0.018819, -0.1, -0.017803],
                [-0.027261, -0.1, 0.1, -0.015695],
                [-0.027759, -0.1, -0.087311, -0.032617],
            ])),
            [-1.567247, -0.490378, -0.388881, -1.97505],
        ),
        (
            "P7",
            Pgd { step_size: 0.1, epsilon: 0.5, steps: 6, ..base() },
            None,
            [-3.99555, -4.390821, -4.778997, -2.866554],
        ),
        (
            "T0",
            Pgd { step_size: 0.1, epsilon: 0.5, steps: 6, tau: Some(0), ..base() },
            Some(rows(&[
                [0.1, -0.1, 0.1, -0.1],
                [0.2, 0.2, -0.2, -0.2],
                [-0.068484, -0.2, 0.2, -0.2],
                [0.0; 4],
            ])),
            [-1.672732, -1.228277, -1.116217, -1.759236],
        ),
        (
            "T2",
            Pgd { step_size: 0.1, epsilon: 0.5, steps: 6, tau: Some(2), ..base() },
            Some(rows(&[
                [0.121338, -0.3, 0.3, -0.159439],
                [0.4, 0.4, -0.4, -0.294109],
                [-0.068484, -0.4, 0.4, -0.4],
                [-0.2, -0.2, -0.100595, -0.2],
            ])),
            [-3.079036, -3.536696, -3.515202, -2.267009],
        ),
    ];
    for (name, settings, perturbation, errors) in cases {
        let found = attack(&settings, &zero);
        close(name, &found.error, &Tensor::from_slice(&errors));
        if let Some(expected) = perturbation {
            close(name, &found.perturbation, &expected);
        }
    }
    let mut trace = pgd::Trace::default();
    pgd::run(&p4, &evaluator(), &images(), &labels(), &zero, Some(&mut trace), &mut || Ok(())).unwrap();
    close(
        "P4 step sizes",
        trace.step_size.last().unwrap(),
        &Tensor::from_slice(&[0.5f32, 0.03125, 0.0625, 0.0625]),
    );
    let p6 = attack(&Pgd { steps: 0, ..base() }, &zero.full_like(0.5));
    close("P6", &p6.perturbation, &(1.0f64 - images()).clamp_max(0.1));
    close("P6", &p6.error, &Tensor::from_slice(&[-0.844658f32, -0.271673, -0.139152, -1.553336]));
}

#[test]
fn divergence_of_two_predictions() {
    let tensor = |values: [[f32; 3]; 2]| Tensor::from_slice(values.as_flattened()).view([2, 3]);
    let logits = tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]);
    let clean = log_probabilities(&tensor([[1.0, 1.0, 1.0], [0.0, 2.0, 0.0]]));
    let sum = divergence(&clean, &logits).sum(Kind::Float).double_value(&[]);
    assert!((sum - 2.4188).abs() < 5e-5, "{sum}");
}

fn apgd(settings: &Apgd, loss: Loss, draw: &Tensor) -> apgd::Found {
    let (model, images, labels) = (evaluator(), images(), labels());
    let subject = Subject { model: &model, images: &images, labels: &labels, judge: None };
    apgd::run(settings, loss, &subject, draw, &mut || Ok(())).unwrap()
}

#[test]
fn apgd_reaches_the_golden_points() {
    let draw = table(|n, p| (7.0 * n + 3.0 * p + 1.0).sin());
    let targets = Tensor::from_slice(&[0i64, 0, 0, 3]);
    let linf = Apgd::new(InputNorm::Linf, 0.1, 10);
    let cases = [
        (
            "L-inf",
            linf,
            Loss::CrossEntropy,
            [1.672732f32, 0.536141, 0.427715, 2.023979],
            [false, true, true, false],
            [[0.1, -0.1, 0.1, -0.1], [0.1, 0.1, -0.1, -0.1], [-0.068484, -0.1, 0.1, -0.1], [-0.1; 4]],
        ),
        (
            "L-inf, wide",
            Apgd { epsilon: 0.3, steps: 25, ..linf },
            Loss::CrossEntropy,
            [3.079036, 2.398157, 2.28098, 2.67858],
            [false; 4],
            [
                [0.121338, -0.3, 0.3, -0.159439],
                [0.3, -0.12548, -0.3, -0.294109],
                [-0.068484, -0.3, 0.3, -0.3],
                [0.204356, -0.221838, 0.3, -0.3],
            ],
        ),
        (
            "L2",
            Apgd { norm: InputNorm::L2, epsilon: 0.2, ..linf },
            Loss::CrossEntropy,
            [1.704564, 0.681312, 0.562869, 2.162881],
            [false, true, true, false],
            [
                [0.07148, -0.128556, 0.115879, -0.070257],
                [0.141498, -0.000814, -0.141004, -0.009773],
                [-0.03269, -0.135579, 0.142174, -0.018336],
                [-0.013523, -0.196159, 0.000098, -0.03659],
            ],
        ),
        (
            "targeted",
            linf,
            Loss::DlrTargeted(&targets),
            [0.575956, -0.31953, -0.496721, 0.629876],
            [false, true, true, false],
            [
                [0.034375, -0.1, 0.1, -0.1],
                [0.1, 0.1, -0.1, -0.1],
                [0.1, -0.1, 0.1, -0.1],
                [-0.1, 0.1, -0.1, 0.1],
            ],
        ),
    ];
    for (name, settings, loss, best_loss, robust, delta) in cases {
        let found = apgd(&settings, loss, &draw);
        close(name, &found.best_loss, &Tensor::from_slice(&best_loss));
        // For L2 the loss is flat to float32 at its top: the points agree less than the losses.
        let tolerance = if settings.norm == InputNorm::L2 { 2e-4 } else { TOLERANCE };
        let difference = max_abs_difference(&(found.best - images()), &rows(&delta));
        assert!(difference <= tolerance, "{name}: points differ by {difference:e}");
        assert_eq!(Vec::<bool>::try_from(found.robust).unwrap(), robust, "{name}");
    }
}

#[test]
fn averaging_over_equal_passes_changes_nothing() {
    let draw = table(|n, p| (7.0 * n + 3.0 * p + 1.0).sin());
    let found = |passes| {
        let settings = Apgd { passes, ..Apgd::new(InputNorm::Linf, 0.1, 10) };
        let loss = Loss::CrossEntropy;
        apgd(&settings, loss, &draw)
    };
    close("three passes", &found(3).best, &found(1).best);
}

#[test]
fn fab_reaches_the_golden_points() {
    let signs = |size: f32, signs: [f32; 4]| signs.map(|sign| sign * size);
    let nearest = signs(0.00928, [1.0, -1.0, 1.0, -1.0]);
    let cases = [
        (
            InputNorm::Linf,
            true,
            [nearest, signs(0.177375, [1.0, 1.0, -1.0, -1.0]), signs(0.214379, [1.0, -1.0, 1.0, -1.0])],
            [0.009280f32, 0.177375, 0.214379],
        ),
        (
            InputNorm::Linf,
            false,
            [nearest, [0.15694, -0.12548, -0.156941, 0.15694], [-0.068484, -0.183502, 0.183502, -0.183502]],
            [0.00928, 0.156941, 0.183502],
        ),
        (
            InputNorm::L2,
            true,
            [
                [0.003127, -0.008493, 0.012503, -0.007078],
                [0.175922, 0.137641, -0.235035, -0.108015],
                [0.014939, -0.233884, 0.27980, -0.106234],
            ],
            [0.016981, 0.341763, 0.38013],
        ),
        (
            InputNorm::L2,
            false,
            [
                [0.003127, -0.008493, 0.012503, -0.007077],
                [0.181229, -0.04524, -0.171354, 0.016451],
                [-0.056815, -0.173899, 0.210337, -0.008822],
            ],
            [0.016981, 0.254015, 0.278906],
        ),
    ];
    // The fourth image is misclassified as it is.
    let (images, labels) = (images().narrow(0, 0, 3), labels().narrow(0, 0, 3));
    let model = evaluator();
    let subject = Subject { model: &model, images: &images, labels: &labels, judge: None };
    let (_, order) = class_logits(&model.logits(&images)).sort(1, true);
    for (norm, targeted, delta, sizes) in cases {
        let settings = Fab::new(norm, 0.1, 20);
        let targets = targeted.then(|| order.select(1, 1));
        let found = fab::run(&settings, targets.as_ref(), &subject, None, &mut || Ok(())).unwrap();
        let name = format!("{norm}, targeted: {targeted}");
        close(&name, &found.norm, &Tensor::from_slice(&sizes));
        close(&name, &(found.point - &images), &rows(&delta));
    }
}

#[test]
fn hyperplanes_are_reached_within_the_box() {
    let t = [0.2f32, 0.5, 0.9, 0.4];
    let cases = [
        (
            t,
            [1.0f32, -2.0, 0.5, 0.0],
            -0.6f32,
            [-0.071429f32, 0.071429, -0.071429, 0.0],
            [-0.047619f32, 0.095238, -0.02381, 0.0],
        ),
        (t, [1.0, -2.0, 0.5, 0.0], -1.5, [-0.2, 0.38, -0.38, 0.0], [-0.2, 0.447059, -0.111765, 0.0]),
        (t, [1.0, -2.0, 0.5, 0.0], 5.0, [0.8, -0.5, 0.1, 0.0], [0.8, -0.5, 0.1, 0.0]),
        (
            t,
            [1.0, -2.0, 0.5, 0.3],
            -1.2,
            [-0.2, 0.275, -0.275, -0.275],
            [-0.181648, 0.363296, -0.090824, -0.054494],
        ),
        (
            [0.0, 1.0, 0.5, 0.5],
            [1.0, -1.0, 0.5, 0.2],
            0.3,
            [0.351852, -0.351852, 0.351852, 0.351852],
            [0.414847, -0.414847, 0.207424, 0.082969],
        ),
        (t, [0.0; 4], 0.3, [0.0; 4], [0.0; 4]),
    ];
    for (row, (point, normal, offset, linf, l2)) in cases.into_iter().enumerate() {
        let tensor = |values: [f32; 4]| Tensor::from_slice(&values).view([1, 4]);
        for (norm, expected) in [(InputNorm::Linf, linf), (InputNorm::L2, l2)] {
            let got = onto_hyperplane(norm, &tensor(point), &tensor(normal), &Tensor::from_slice(&[offset]));
            close(&format!("row {row}, {norm}"), &got, &tensor(expected));
        }
    }
}

#[test]
fn sparse_balls_keep_what_is_largest() {
    let row = |values: [f32; 4]| Tensor::from_slice(&values).view([1, 4]);
    let vector = row([-5.0, 1.0, 2.0, 0.5]);
    close("L0 of the paper's program", &keep_largest(&vector, 2, Rank::Value), &row([0.0, 1.0, 2.0, 0.0]));
    let l0 = Ball { norm: InputNorm::L0, epsilon: 2.0 };
    close("L0", &l0.project_to_norm(&vector), &row([-5.0, 0.0, 2.0, 0.0]));
    let l1 = Ball { norm: InputNorm::L1, epsilon: 2.0 };
    close("L1", &l1.project_to_norm(&row([3.0, -4.0, 0.5, 1.0])), &row([0.5, -1.5, 0.0, 0.0]));
}
