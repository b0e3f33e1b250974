//! Training against the paper's program: losses, learning rates, and deterministic steps of every variant.

mod average;
mod batches;
mod defaults;
mod initialization;
mod statistics;
mod trades;

use basin_core::attack::weights::{Ball, Descent, Tensors};
use basin_core::attack::{Objective, Pgd, Start};
use basin_core::checkpoint;
use basin_core::device::Precision;
use basin_core::loss::cross_entropy;
use basin_core::train::loss::{TwoTerms, mart, trades};
use basin_core::train::{
    Average, Awp, Curriculum, EntropySgd, Labels, Method, Optimizer, Schedule, Sharpness, StepReport, Train,
    TrainBatch, Trainer, WeightAttack,
};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use crate::support::{Npz, count, json, max_abs_difference, number, reference};

#[test]
fn trades_and_mart_agree_in_value_and_gradient() {
    let file = Npz::open("training/losses.npz");
    let leaf = |key: &str| file.get(key).copy().set_requires_grad(true);
    let labels = file.get("labels");
    type Loss = fn(&Tensor, &Tensor, &Tensor, f64) -> TwoTerms;
    let losses: [(&str, Loss); 2] = [
        ("trades", |clean, attacked, labels, weight| {
            trades(clean, attacked, &cross_entropy(clean, labels), weight)
        }),
        ("mart", mart),
    ];
    for (name, loss) in losses {
        let prefix = format!("{name}_beta");
        let weights: Vec<f64> =
            file.behind(&prefix).iter().filter_map(|weight| weight.parse().ok()).collect();
        assert!(!weights.is_empty());
        for weight in weights {
            let (clean, adversarial) = (leaf("natural_logits"), leaf("adversarial_logits"));
            let terms = loss(&clean, &adversarial, labels, weight);
            let prefix = format!("{name}_beta{weight}");
            let expected = Vec::<f64>::try_from(file.get(&prefix)).unwrap();
            for (got, expected) in [&terms.total, &terms.natural, &terms.robust].iter().zip(&expected) {
                assert!((got.double_value(&[]) - expected).abs() < 1e-6, "{prefix}: {got:?} for {expected}");
            }
            let gradients = Tensor::run_backward(&[&terms.total], &[&clean, &adversarial], false, false);
            for (gradient, which) in gradients.iter().zip(["natural", "adversarial"]) {
                let difference = max_abs_difference(gradient, file.get(&format!("{prefix}_grad_{which}")));
                assert!(difference < 1e-6, "{prefix}: gradient of {which} logits differs by {difference:e}");
            }
        }
    }
}

#[test]
fn smoothed_labels_agree() {
    let file = Npz::open("pieces/objectives_losses.npz");
    let (logits, labels) = (file.get("logits"), file.get("labels"));
    let keys: Vec<u64> = (0..labels.size()[0] as u64).collect();
    let all = file.behind("smooth_loss_");
    let all: Vec<&str> = all.iter().filter_map(|name| name.strip_suffix("_none")).collect();
    assert!(!all.is_empty());
    for smoothing in all {
        let loss = Labels::Smoothed(smoothing.parse().unwrap()).loss(logits, labels, 0, 0, &keys);
        let difference = max_abs_difference(&loss, file.get(&format!("smooth_loss_{smoothing}_none")));
        assert!(difference < 1e-6, "smoothing {smoothing} differs by {difference:e}");
    }
}

#[test]
fn label_noise_has_its_rate_and_depends_on_example_and_step_alone() {
    let (count, classes, rate) = (4000, 10, 0.4);
    // The loss of a one-hot prediction of class 0 tells which label was drawn.
    let logits = Tensor::zeros([count, classes], (Kind::Double, Device::Cpu));
    let _ = logits.narrow(1, 0, 1).fill_(50.0);
    let labels = Tensor::zeros([count], (Kind::Int64, Device::Cpu));
    let keys: Vec<u64> = (0..count as u64).collect();
    let loss = |step, from: i64, to: i64| {
        let (logits, labels) = (logits.narrow(0, from, to - from), labels.narrow(0, from, to - from));
        Labels::Noisy(rate).loss(&logits, &labels, 7, step, &keys[from as usize..to as usize])
    };
    let whole = loss(3, 0, count);
    // A drawn label is the true one with probability 1/10.
    let changed = whole.gt(1.0).to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
    assert!((changed - rate * 0.9).abs() < 4.0 * (rate / count as f64).sqrt(), "{changed} of labels changed");
    let parts = Tensor::cat(&[loss(3, 0, 1500), loss(3, 1500, count)], 0);
    assert_eq!(max_abs_difference(&whole, &parts), 0.0, "noise depends on the batch");
    assert!(max_abs_difference(&whole, &loss(4, 0, count)) > 1.0, "noise is the same in every step");
}

/// The schedule that the name of a curve tells.
fn schedule_of(name: &str) -> Schedule {
    let number = |text: &str| text.trim_start_matches(char::is_alphabetic).parse::<f64>().unwrap();
    let parts: Vec<&str> = name.split('_').collect();
    match parts[..] {
        ["none"] => Schedule::Constant,
        ["exponential", gamma] => Schedule::Exponential { gamma: number(gamma) },
        ["step", epochs, gamma] => Schedule::Step { epochs: number(epochs) as usize, gamma: number(gamma) },
        ["multi", "step", ref milestones @ .., gamma] => Schedule::MultiStep {
            milestones: milestones.iter().map(|epoch| number(epoch) as usize).collect(),
            gamma: number(gamma),
        },
        ["cyclic", low, high, up, down] => Schedule::Cyclic {
            low: number(low),
            high: number(high),
            up: number(up) as usize,
            down: number(down) as usize,
        },
        _ => panic!("no schedule is called {name}"),
    }
}

#[test]
fn learning_rates_and_momenta_agree_at_every_step() {
    let file = json("training/schedules.json");
    let steps_per_epoch = file["batches_per_epoch"].as_u64().unwrap();
    let base = file["base_lr"].as_f64().unwrap();
    let curves = file["curves"].as_object().unwrap();
    assert!(!curves.is_empty());
    for name in curves.keys() {
        let schedule = schedule_of(name);
        schedule.check().unwrap();
        let curve = &file["curves"][name];
        let rates = curve["lr_used"].as_array().unwrap();
        assert_eq!(rates.len(), count(&file, &["epochs"]) * steps_per_epoch as usize);
        for (step, expected) in rates.iter().enumerate() {
            let rate = schedule.rate(base, step as u64, steps_per_epoch);
            let expected = expected.as_f64().unwrap();
            assert!(
                (rate.learning_rate - expected).abs() < 1e-12,
                "{name}, step {step}: {rate:?}, not {expected}"
            );
            let momentum = curve["momentum_used"][step].as_f64().unwrap();
            assert!((rate.momentum.unwrap_or(0.9) - momentum).abs() < 1e-12, "{name}, step {step}: {rate:?}");
        }
    }
}

/// `training/steps.json`.
fn stored() -> Value {
    json("training/steps.json")["settings"].take()
}

/// The settings of `training/steps.json`, to be varied.
fn settings() -> Train {
    let stored = stored();
    let of = |group: &str, key: &str| number(&stored, &[group, key]);
    let attack = Pgd {
        epsilon: of("pgd", "eps"),
        steps: count(&stored, &["pgd", "iterations"]),
        step_size: of("pgd", "lr"),
        start: Start::Zero,
        ..Pgd::default()
    };
    Train {
        method: Method::Normal,
        attack,
        optimizer: Optimizer::Sgd {
            learning_rate: of("sgd", "lr"),
            momentum: of("sgd", "momentum"),
            nesterov: stored["sgd"]["nesterov"] == true,
            weight_decay: of("sgd", "weight_decay"),
        },
        schedule: Schedule::Exponential { gamma: number(&stored, &["scheduler_gamma"]) },
        batch_size: count(&stored, &["batch_size"]),
        as_in_paper: true,
        precision: Precision::F64,
        step_precision: Precision::F64,
        ..Train::default()
    }
}

fn adversarial(fraction: f64) -> Train {
    Train {
        method: Method::Adversarial { fraction, ignore_incorrect: false, prevent_label_leaking: false },
        ..settings()
    }
}

/// Steps of an epoch on the oracle's images.
fn steps_per_epoch() -> u64 {
    let (images, batch) = (Npz::open("training/steps.npz").get("labels").size()[0], settings().batch_size);
    (images as usize / batch) as u64
}

/// The oracle's batches, over and over.
fn oracle_batches() -> impl Iterator<Item = TrainBatch> {
    let bytes = Npz::open("training/images.npz").get("bytes").copy();
    let images = (bytes.to_kind(Kind::Float) / 255.0).unsqueeze(1);
    let labels = Npz::open("training/steps.npz").get("labels").copy();
    let size = settings().batch_size as i64;
    (0..steps_per_epoch() as i64).map(move |step| step * size).cycle().map(move |from| TrainBatch {
        images: images.narrow(0, from, size),
        labels: labels.narrow(0, from, size),
        keys: (from as u64..(from + size) as u64).collect(),
        supervised: None,
    })
}

/// Trains on the oracle's batches in order.
fn train(settings: &Train, network: &str, epochs: u64) -> (Trainer, Vec<StepReport>) {
    let network = checkpoint::open(&reference(&format!("checkpoints/{network}.pth.tar"))).unwrap().network;
    settings.check().unwrap();
    let mut trainer = Trainer::new(settings.clone(), &network, Device::Cpu).unwrap();
    trainer.evaluating = true;
    let mut reports = Vec::new();
    let mut batches = oracle_batches();
    let steps = steps_per_epoch();
    for epoch in 0..epochs {
        trainer.begin_epoch();
        for step in steps * epoch..steps * (epoch + 1) {
            let rate = trainer.rate(step, steps);
            let mut next = || Ok(batches.next().unwrap());
            reports.push(trainer.step(step, rate, &mut next, &mut || Ok(())).unwrap());
        }
        trainer.evaluating = true;
    }
    (trainer, reports)
}

fn flat_buffers(buffers: &[(String, Tensor)]) -> Tensor {
    let flat: Vec<Tensor> = buffers.iter().map(|(_, b)| b.to_kind(Kind::Double).reshape([-1])).collect();
    Tensor::cat(&flat, 0)
}

fn value(report: &StepReport, name: &str) -> f64 {
    report.values.iter().find(|(found, _)| *found == name).unwrap().1.double_value(&[])
}

/// Trains and compares everything that the oracle has of a run, in float32 and float64. The oracle's numbers
/// are of a float32 run, so both differ from them by its rounding, which the number of threads changes and small
/// clean parts of a batch enlarge.
fn compare(name: &str, settings: &Train, network: &str, epochs: u64, scalars: &[(&str, &str)]) {
    let file = Npz::open("training/steps.npz");
    let tolerance = 1e-5;
    for precision in [Precision::F32, Precision::F64] {
        let settings = Train { precision, step_precision: precision, ..settings.clone() };
        let (trainer, reports) = train(&settings, network, epochs);
        for (ours, theirs) in scalars {
            let expected = Vec::<f64>::try_from(file.get(&format!("{name}__{theirs}"))).unwrap();
            for (step, (report, expected)) in reports.iter().zip(&expected).enumerate() {
                let got = value(report, ours);
                let difference = (got - expected).abs() / expected.abs().max(1.0);
                assert!(
                    difference < tolerance,
                    "{name}, {precision}, step {step}: {ours} {got}, not {expected}"
                );
            }
        }
        let close = |what: &str, got: &Tensor| {
            let expected = file.get(&format!("{name}__{what}"));
            let scale = expected.to_kind(Kind::Double).abs().max().double_value(&[]).max(1.0);
            let difference = max_abs_difference(got, expected) / scale;
            assert!(difference < tolerance, "{name}, {precision}: {what} differ by {difference:e}");
        };
        close("parameters", trainer.learner.weights().flat());
        close("buffers", &flat_buffers(trainer.learner.buffers()));
        if let Some(average) = &trainer.average {
            close("average_parameters", &average.flat);
            close("average_buffers", &flat_buffers(&average.buffers));
        }
    }
}

const CLEAN: [(&str, &str); 3] =
    [("clean_loss", "loss"), ("clean_error", "error"), ("confidence", "confidence")];
const ROBUST: [(&str, &str); 3] = [
    ("robust_loss", "adversarial_loss"),
    ("robust_error", "adversarial_error"),
    ("robust_confidence", "adversarial_confidence"),
];

#[test]
fn normal_steps_agree() {
    compare("normal", &settings(), "lenet_tiny", 1, &CLEAN);
    let stored = |key: &str| number(&stored(), &[key]);
    let smoothed = Train { labels: Labels::Smoothed(stored("label_smoothing")), ..settings() };
    compare("normal_label_smoothing", &smoothed, "lenet_tiny", 1, &CLEAN);
    let average = Some(Average { tau: stored("average_tau"), ..Average::default() });
    compare("normal_two_epochs_average", &Train { average, ..settings() }, "lenet_tiny", 2, &CLEAN);
    let clipped = Train { clipping: Some(stored("projection_box")), ..settings() };
    compare("normal_projection_box", &clipped, "lenet_tiny", 1, &CLEAN);
}

#[test]
fn adversarial_steps_agree() {
    compare("adversarial_fraction_1", &adversarial(1.0), "lenet_tiny", 1, &ROBUST);
    let both: Vec<_> = ROBUST.into_iter().chain(CLEAN).collect();
    compare("adversarial_fraction_0.5", &adversarial(0.5), "lenet_tiny", 1, &both);
    compare("adversarial_fraction_0.25", &adversarial(0.25), "lenet_tiny", 1, &both);
    compare("adversarial_pseudo_labels", &pseudo_labels(), "lenet_tiny", 1, &ROBUST);
    let method = Method::Adversarial { fraction: 1.0, ignore_incorrect: true, prevent_label_leaking: false };
    let ignoring = Train { method, ..settings() };
    compare("adversarial_ignore_incorrect", &ignoring, "lenet_bn_trained", 1, &ROBUST);
}

fn pseudo_labels() -> Train {
    let method = Method::Adversarial { fraction: 1.0, ignore_incorrect: false, prevent_label_leaking: true };
    Train { method, ..settings() }
}

#[test]
fn mart_steps_agree() {
    let scalars = [
        ("loss", "adversarial_loss"),
        ("natural_term", "adversarial_loss_adv"),
        ("robust_term", "adversarial_loss_robust"),
        ("robust_loss", "adversarial_loss_ce"),
        ("clean_error", "error"),
        ("robust_error", "adversarial_error"),
    ];
    let settings = Train { method: Method::Mart { weight: 6.0 }, ..settings() };
    compare("mart_1_over_6", &settings, "lenet_tiny", 1, &scalars);
}

/// The oracle's attack of TRADES begins at the clean images, where the divergence has no gradient: its first
/// step follows the signs of rounding errors, which no other arithmetic repeats (`trades.rs` shows it). What does not
/// depend on the attack is compared; the loss and its gradients are compared on fixed logits above, and whole steps
/// with a determined attack in `trades.rs`.
#[test]
fn trades_begins_like_the_oracle_and_adds_its_terms() {
    let mut settings = Train { method: Method::Trades { weight: 6.0 }, ..settings() };
    settings.attack.objective = Objective::BatchKl;
    let (_, reports) = train(&settings, "lenet_tiny", 1);
    let file = Npz::open("training/steps.npz");
    let expected = file.get("trades_1_over_6__loss").double_value(&[0]);
    assert!((value(&reports[0], "clean_loss") - expected).abs() < 1e-6);
    for report in &reports {
        let sum = value(report, "natural_term") + 6.0 * value(report, "robust_term");
        assert!((value(report, "loss") - sum).abs() < 1e-12);
        assert!(
            value(report, "robust_term") > 0.0
                && value(report, "natural_term") == value(report, "clean_loss")
        );
    }
}

fn awp() -> Train {
    let stored = &stored()["awp"];
    let descent = Descent {
        epochs: count(stored, &["epochs"]),
        step_size: number(stored, &["lr"]),
        start: None,
        ..Descent::default()
    };
    let ball = Some(Ball::layerwise(number(stored, &["eps"])));
    let awp = Awp {
        attack: WeightAttack::Descent { descent, ball },
        tensors: Tensors::NoNormalization,
        curriculum: Curriculum::Simple,
        ..Awp::default()
    };
    Train { sharpness: Sharpness::Awp(awp), ..adversarial(1.0) }
}

#[test]
fn weight_perturbed_steps_agree() {
    compare("awp", &awp(), "lenet_tiny", 1, &[("robust_loss", "loss"), ("robust_error", "error")]);
}

fn entropy(inner_steps: usize) -> Train {
    let stored = stored();
    let of = |key: &str| number(&stored, &["entropy_sgd", key]);
    let optimizer = EntropySgd {
        learning_rate: of("lr"),
        momentum: of("momentum"),
        weight_decay: of("weight_decay"),
        inner_steps,
        noise: of("eps"),
        scope: of("g0"),
        scoping: of("g1"),
        ..EntropySgd::default()
    };
    Train { optimizer: Optimizer::EntropySgd(optimizer), ..adversarial(1.0) }
}

#[test]
fn entropy_sgd_steps_agree() {
    let scalars = [("robust_loss", "adversarial_loss"), ("robust_error", "adversarial_error")];
    compare("entropy_sgd_L0_noise0", &entropy(0), "lenet_tiny", 1, &scalars);
    compare("entropy_sgd_L2_noise0", &entropy(2), "lenet_tiny", 1, &scalars);
}
