//! PGD from stored starts reproduces every option set of the reference program, and obeys mathematics.

use basin_core::attack::ball::Ball;
use basin_core::attack::objective::TargetClass;
use basin_core::attack::pgd::{Trace, run};
use basin_core::attack::{GradientRule, InputNorm, Objective, Pgd, Projection, Selection, Start};
use basin_core::checkpoint;
use basin_core::measure::evaluate::attempts::{means, summed};
use basin_core::model::{Evaluator, Network};
use basin_core::seed::generator;
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use crate::support::{Npz, json, max_abs_difference, reference};

const MODELS: [&str; 2] = ["lenet_bn_trained", "resnet_rebn_trained"];

fn open(name: &str) -> Network {
    checkpoint::open(&reference(&format!("checkpoints/{name}.pth.tar"))).unwrap().network
}

fn evaluator(network: &Network, kind: Kind) -> Evaluator {
    Evaluator::new(network, &network.weights, Device::Cpu, kind, false)
}

fn settings(options: &Value) -> Pgd {
    let number = |key: &str, default: f64| options[key].as_f64().unwrap_or(default);
    let flag = |key: &str, default: bool| options[key].as_bool().unwrap_or(default);
    Pgd {
        norm: if options["norm"] == "l2" { InputNorm::L2 } else { InputNorm::Linf },
        epsilon: number("eps", 0.0),
        steps: options["iters"].as_u64().unwrap() as usize,
        step_size: number("lr", 0.0),
        restarts: 1,
        start: Start::Zero,
        objective: match (options["objective"].as_str(), options["label_smoothing"].as_f64()) {
            (Some("kl"), None) => Objective::BatchKl,
            (None, Some(smoothing)) => Objective::SmoothedCrossEntropy(smoothing),
            (None, None) => Objective::CrossEntropy,
            other => panic!("{other:?}"),
        },
        gradient: match (flag("normalized", true), flag("scaled", false)) {
            (true, _) => GradientRule::Normalized,
            (false, true) => GradientRule::Scaled,
            (false, false) => GradientRule::Raw,
        },
        momentum: number("momentum", 0.0),
        backtrack: flag("backtrack", false),
        step_divisor: number("lr_factor", 1.0),
        norm_penalty: number("c", 0.0),
        tau: options["tau"].as_u64().map(|t| t as u32),
        ..Pgd::default()
    }
}

#[test]
fn every_option_set_follows_the_reference_step_by_step() {
    let index = json("pgd/index.json");
    let mut checked = 0;
    for model in MODELS {
        let network = open(model);
        let arrays = Npz::open(&format!("pgd/{model}.npz"));
        let (images, labels) = (arrays.get("images"), arrays.get("labels"));
        for (precision, kind, tolerance) in [("f64", Kind::Double, 1e-4), ("f32", Kind::Float, 1e-3)] {
            let evaluator = evaluator(&network, kind);
            for (key, options) in index.as_object().unwrap() {
                let Some(name) = key.strip_prefix(&format!("{model}/")) else { continue };
                let pgd = settings(options);
                let start = match options["init"].as_str().unwrap() {
                    "zero" => images.zeros_like(),
                    stored => arrays.get(stored).copy(),
                };
                let mut trace = Trace::default();
                let found =
                    run(&pgd, &evaluator, images, labels, &start, Some(&mut trace), &mut || Ok(())).unwrap();
                for (what, steps) in [
                    ("error", &trace.error),
                    ("norm", &trace.norm),
                    ("lr", &trace.step_size),
                    ("true_confidence", &trace.true_confidence),
                ] {
                    let got = Tensor::stack(steps, 0).to_kind(Kind::Double);
                    let expected = arrays.get(&format!("{name}__{precision}__{what}"));
                    let difference = max_abs_difference(&got, expected);
                    assert!(difference <= tolerance, "{key} {precision}: {what} differs by {difference:e}");
                }
                // The log of iterations in records: means over the examples.
                let log = means(&summed(&trace).unwrap(), images.size()[0] as f64);
                let expected = arrays.get(&format!("{name}__{precision}__error")).to_kind(Kind::Double);
                let expected: Vec<f64> = Vec::try_from(-expected.mean_dim(1, false, Kind::Double)).unwrap();
                let expected_errors = arrays.get(&format!("{name}__{precision}__success"));
                let expected_errors = expected_errors.to_kind(Kind::Double).mean_dim(1, false, Kind::Double);
                let expected_errors: Vec<f64> = Vec::try_from(expected_errors).unwrap();
                assert_eq!(log.objective.len(), pgd.steps + 1);
                for (iteration, objective) in log.objective.iter().enumerate() {
                    let [objective_off, error_off] =
                        [objective - expected[iteration], log.error[iteration] - expected_errors[iteration]];
                    assert!(objective_off.abs() <= tolerance, "{key} {precision}: {objective_off:e}");
                    assert!(
                        error_off.abs() < 1e-6,
                        "{key} {precision}: error at {iteration} off by {error_off}"
                    );
                    if pgd.objective == Objective::CrossEntropy && pgd.norm_penalty == 0.0 {
                        assert!(
                            (log.loss[iteration] - objective).abs() < 1e-4,
                            "the cross-entropy is the loss"
                        );
                    }
                }
                let best = arrays.get(&format!("{name}__{precision}__best_error"));
                let scale = if pgd.tau.is_some() { 1e5 } else { 1.0 };
                let difference = max_abs_difference(&found.error, best);
                assert!(
                    difference <= tolerance * scale,
                    "{key} {precision}: best error differs by {difference:e}"
                );
                if let Some(expected) = arrays.find(&format!("{name}__{precision}__best_perturbation")) {
                    let differing = (&found.perturbation - expected).abs().gt(1e-4).to_kind(Kind::Double);
                    let share = differing.mean(Kind::Double).double_value(&[]);
                    assert!(
                        share <= 0.01,
                        "{key} {precision}: {:.2} % of the perturbation differs",
                        100.0 * share
                    );
                    checked += 1;
                }
            }
        }
    }
    assert!(checked >= 10, "only {checked} perturbations compared");
}

fn random(shape: &[i64], seed: u64) -> Tensor {
    let count = shape.iter().product::<i64>() as usize;
    let values = basin_core::seed::normal(&mut generator(seed, "test", &[]), count);
    Tensor::from_slice(&values).view(shape)
}

#[test]
fn projections_are_idempotent_and_stay_in_ball_and_box() {
    let images = random(&[6, 3, 8, 8], 1).sigmoid();
    for norm in [InputNorm::Linf, InputNorm::L2] {
        for epsilon in [0.0, 0.03, 0.5, 3.0] {
            let ball = Ball { norm, epsilon };
            let once = ball.project(&images, &random(&[6, 3, 8, 8], 2));
            assert!(ball.size(&once).max().double_value(&[]) <= epsilon * (1.0 + 1e-6));
            let moved = &images + &once;
            assert!(moved.min().double_value(&[]) >= -1e-7 && moved.max().double_value(&[]) <= 1.0 + 1e-7);
            let twice = ball.project(&images, &once);
            assert!(max_abs_difference(&once, &twice) <= 1e-7);
        }
        let zero = Ball { norm, epsilon: 0.0 }.project(&images, &images.zeros_like());
        assert_eq!(zero.abs().max().double_value(&[]), 0.0, "no NaN at epsilon 0");
    }
}

#[test]
fn starts_have_the_promised_norms() {
    for norm in [InputNorm::Linf, InputNorm::L2] {
        let ball = Ball { norm, epsilon: 0.3 };
        let mut rng = generator(3, "starts", &[]);
        let mut mean = 0.0;
        for _ in 0..400 {
            let sphere = Tensor::from_slice(&ball.sample(Start::UniformSphere, &mut rng, 3072)).view([1, -1]);
            assert!((ball.size(&sphere).double_value(&[0]) - 0.3).abs() < 1e-5);
            let inside = Tensor::from_slice(&ball.sample(Start::UniformNorm, &mut rng, 3072)).view([1, -1]);
            mean += ball.size(&inside).double_value(&[0]) / 400.0;
        }
        // Uniform in (0, 0.3): mean 0.15, standard error 0.3 / sqrt(12 * 400).
        assert!((mean - 0.15).abs() < 4.0 * 0.3 / (12.0f64 * 400.0).sqrt(), "mean norm {mean}");
    }
}

#[test]
fn more_steps_never_report_a_lower_loss() {
    let network = open("lenet_bn_trained");
    let evaluator = evaluator(&network, Kind::Float);
    let arrays = Npz::open("pgd/lenet_bn_trained.npz");
    let (images, labels) = (arrays.get("images"), arrays.get("labels"));
    let mut before: Option<Tensor> = None;
    for steps in [0, 1, 3, 8, 20] {
        let pgd = Pgd { steps, epsilon: 0.1, step_size: 0.02, ..Pgd::default() };
        let found =
            run(&pgd, &evaluator, images, labels, arrays.get("init_linf"), None, &mut || Ok(())).unwrap();
        if let Some(before) = &before {
            let worse = found.error.gt_tensor(before).sum(Kind::Int64).int64_value(&[]);
            assert_eq!(worse, 0, "{steps} steps are weaker than fewer");
        }
        before = Some(found.error);
    }
}

#[test]
fn kl_per_example_moves_like_the_batch_sum() {
    let network = open("resnet_rebn_trained");
    let evaluator = evaluator(&network, Kind::Double);
    let arrays = Npz::open("pgd/resnet_rebn_trained.npz");
    let (images, labels) = (arrays.get("images"), arrays.get("labels"));
    let attack = |objective| {
        let pgd = Pgd { steps: 5, objective, ..Pgd::default() };
        run(&pgd, &evaluator, images, labels, arrays.get("init_linf"), None, &mut || Ok(())).unwrap()
    };
    let (single, batch) = (attack(Objective::Kl), attack(Objective::BatchKl));
    // Best per example is at least as good as the iterate that is best in sum.
    let sum = single.error.sum(Kind::Double).double_value(&[]);
    assert!(sum <= batch.error.double_value(&[0]) + 1e-6);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (pgd, word) in [
        (Pgd { epsilon: -1.0, ..Pgd::default() }, "epsilon"),
        (Pgd { epsilon: f64::NAN, ..Pgd::default() }, "epsilon"),
        (Pgd { step_size: 0.0, ..Pgd::default() }, "step size"),
        (Pgd { restarts: 0, ..Pgd::default() }, "restarts"),
        (Pgd { momentum: 1.0, ..Pgd::default() }, "momentum"),
        (Pgd { norm: InputNorm::L2, start: Start::Uniform, ..Pgd::default() }, "uniform"),
    ] {
        let message = pgd.check().unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn words_tell_every_setting_that_is_not_as_usual() {
    let changed = |change: fn(&mut Pgd)| {
        let mut pgd = Pgd::default();
        change(&mut pgd);
        pgd.to_string()
    };
    assert_eq!(Pgd::default().to_string(), "PGD-20, L-inf 8/255");
    let words = [
        changed(|pgd| pgd.step_size = 0.01),
        changed(|pgd| pgd.restarts = 3),
        changed(|pgd| (pgd.restarts, pgd.selection) = (3, Selection::WrongClassConfidence)),
        changed(|pgd| pgd.objective = Objective::Dlr),
        changed(|pgd| pgd.objective = Objective::Kl),
        changed(|pgd| pgd.objective = Objective::Targeted(TargetClass::Class(3))),
        changed(|pgd| pgd.gradient = GradientRule::Raw),
        changed(|pgd| pgd.start = Start::Zero),
        changed(|pgd| pgd.projection = Projection::None),
        changed(|pgd| pgd.momentum = 0.9),
        changed(|pgd| pgd.backtrack = true),
        changed(|pgd| (pgd.backtrack, pgd.step_divisor) = (true, 2.0)),
        changed(|pgd| pgd.norm_penalty = 0.5),
        changed(|pgd| pgd.tau = Some(0)),
    ];
    for (number, text) in words.iter().enumerate() {
        let rest = text.strip_prefix("PGD-20, L-inf 8/255, ").unwrap_or_else(|| panic!("{text}"));
        assert!(!rest.is_empty() && !words[..number].contains(text), "{text}");
    }
    let l2 = Pgd { norm: InputNorm::L2, epsilon: 0.5, step_size: 0.0625, ..Pgd::default() };
    assert_eq!(l2.to_string(), "PGD-20, L2 0.5");
}
