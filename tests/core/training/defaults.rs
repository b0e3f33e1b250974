//! Where the paper's program deviates from what the paper means, Basin does what is meant unless it is told
//! otherwise: each such default has its test here. And SAM, which the paper does not have.

use basin_core::attack::Pgd;
use basin_core::attack::weights::Descent;
use basin_core::model::{Architecture, Family, LeNet, Network, Norm, Role};
use basin_core::train::preset::preset;
use basin_core::train::{
    Average, Awp, Curriculum, Labels, Method, Optimizer, Schedule, Sharpness, Statistics, StepReport, Train,
    Trainer, WeightAttack,
};
use tch::{Device, Kind, Tensor};

use super::{adversarial, awp, entropy, oracle_batches, pseudo_labels, settings, train, value};
use crate::support::{max_abs_difference, reference};

fn meant(job: Train) -> Train {
    Train { as_in_paper: false, ..job }
}

fn weights(trainer: &Trainer) -> &Tensor {
    trainer.learner.weights().flat()
}

fn counts(buffers: &[(String, Tensor)]) -> Vec<i64> {
    buffers.iter().filter(|(_, b)| b.kind() == Kind::Int64).map(|(_, b)| b.int64_value(&[])).collect()
}

#[test]
fn every_example_counts_the_same_whatever_the_fraction() {
    let mix = |report: &StepReport, clean: f64| {
        clean * value(report, "clean_loss") + (1.0 - clean) * value(report, "robust_loss")
    };
    let (_, reports) = train(&meant(adversarial(0.25)), "lenet_tiny", 1);
    for report in &reports {
        assert!((value(report, "loss") - mix(report, 0.75)).abs() < 1e-12);
    }
    let (_, reports) = train(&adversarial(0.25), "lenet_tiny", 1);
    assert!((value(&reports[0], "loss") - mix(&reports[0], 0.25)).abs() < 1e-12);
}

#[test]
fn guessing_labels_leaves_the_running_statistics_alone() {
    let began = counts(&tiny().buffers);
    let after = |job| counts(train(&job, "lenet_tiny", 1).0.learner.buffers());
    let plus = |more: i64| began.iter().map(|count| count + more).collect::<Vec<_>>();
    assert_eq!(after(meant(pseudo_labels())), plus(3));
    assert_eq!(after(pseudo_labels()), plus(5), "the paper's program: two of three guesses in training mode");
}

#[test]
fn one_step_of_weight_perturbation_perturbs() {
    let one_step = |job: Train| {
        let descent = Descent { epochs: 1, step_size: 0.01, start: None, ..Descent::default() };
        let attack = WeightAttack::Descent { descent, ball: None };
        let awp = Awp { attack, curriculum: Curriculum::Simple, gradient_clamp: None, ..Awp::default() };
        Train { sharpness: Sharpness::Awp(awp), ..job }
    };
    let plain = train(&adversarial(1.0), "lenet_tiny", 1).0;
    let paper = train(&one_step(awp()), "lenet_tiny", 1).0;
    assert!(
        max_abs_difference(weights(&plain), weights(&paper)) < 1e-12,
        "as in the paper, nothing is perturbed"
    );
    let perturbed = train(&meant(one_step(awp())), "lenet_tiny", 1).0;
    assert!(max_abs_difference(weights(&plain), weights(&perturbed)) > 1e-4);
}

#[test]
fn a_constant_curriculum_perturbs_from_the_first_step_and_a_threshold_waits() {
    let with = |curriculum, population| {
        let Sharpness::Awp(awp) = awp().sharpness else { unreachable!() };
        let awp = Awp { curriculum, population, ..awp };
        let (_, reports) =
            train(&Train { sharpness: Sharpness::Awp(awp), ..meant(adversarial(1.0)) }, "lenet_tiny", 1);
        reports.iter().map(|report| report.population).collect::<Vec<_>>()
    };
    assert_eq!(with(Curriculum::Constant, 2), [2, 2, 2]);
    assert_eq!(with(Curriculum::Simple, 3), [0, 1, 1]);
    // The losses of the steps are above 2.1 and below 6.
    assert_eq!(with(Curriculum::Threshold(2.1), 3), [0, 0, 0]);
    assert_eq!(with(Curriculum::Threshold(6.0), 3), [0, 3, 3]);
}

#[test]
fn entropy_sgd_follows_its_schedule_and_without_a_walk_is_sgd() {
    let rate =
        |job: &Train| Trainer::new(job.clone(), &tiny(), Device::Cpu).unwrap().rate(3, 3).learning_rate;
    assert_eq!((rate(&entropy(2)), rate(&meant(entropy(2)))), (0.05, 0.025));
    let constant = Train { schedule: Schedule::Constant, ..meant(adversarial(1.0)) };
    let sgd = train(&constant, "lenet_tiny", 1).0;
    let still = train(&Train { schedule: Schedule::Constant, ..meant(entropy(0)) }, "lenet_tiny", 1).0;
    assert!(max_abs_difference(weights(&sgd), weights(&still)) < 1e-12);
}

#[test]
fn the_scope_of_entropy_sgd_advances() {
    let scoping = |job: Train, scoping: f64| {
        let Optimizer::EntropySgd(mut settings) = job.optimizer.clone() else { unreachable!() };
        settings.scoping = scoping;
        train(&Train { optimizer: Optimizer::EntropySgd(settings), ..job }, "lenet_tiny", 1).0
    };
    let differ =
        |job: fn() -> Train| max_abs_difference(weights(&scoping(job(), 0.0)), weights(&scoping(job(), 5.0)));
    assert!(differ(|| meant(entropy(2))) > 1e-9);
    assert_eq!(differ(|| entropy(2)), 0.0, "in the paper's program it never advances");
}

#[test]
fn the_average_takes_in_every_step_once() {
    let job = Train { average: Some(Average { tau: 0.9, ..Average::default() }), ..settings() };
    let average = |job| counts(&train(&job, "lenet_tiny", 2).0.average.unwrap().buffers);
    let (meant, paper) = (average(meant(job.clone())), average(job));
    assert!(meant.iter().zip(&paper).all(|(meant, paper)| meant + 1 == *paper), "{meant:?}, {paper:?}");
}

/// The paper's TRADES attacks the average, with the logits of the network that is trained.
#[test]
fn an_average_leaves_the_training_alone() {
    let trades = Method::Trades { weight: 6.0 };
    for method in [settings().method, adversarial(1.0).method, trades] {
        let job = meant(Train { method, ..settings() });
        let averaged = Train { average: Some(Average { tau: 0.9, ..Average::default() }), ..job.clone() };
        let (alone, watched) = (train(&job, "lenet_tiny", 1).0, train(&averaged, "lenet_tiny", 1).0);
        assert!(watched.average.is_some());
        assert_eq!(weights(&alone), weights(&watched), "{:?}", job.method);
    }
}

/// `tau^n` of the start and the rest from the steps; the paper's statistics are simply the network's newest.
#[test]
fn statistics_of_the_average_are_averaged_where_asked() {
    let mixed = |statistics| {
        let average = Some(Average { tau: 0.9, statistics, warm_up: false });
        let mut trainer = Trainer::new(Train { average, ..meant(settings()) }, &tiny(), Device::Cpu).unwrap();
        let mut batches = oracle_batches();
        trainer.begin_epoch();
        let mut expected: Vec<Tensor> = trainer.learner.buffers().iter().map(|(_, b)| b.copy()).collect();
        for step in 0..3 {
            let rate = trainer.rate(step, 3);
            trainer.step(step, rate, &mut || Ok(batches.next().unwrap()), &mut || Ok(())).unwrap();
            for (expected, (_, new)) in expected.iter_mut().zip(trainer.learner.buffers()) {
                *expected = &*expected * 0.9 + new * 0.1;
            }
        }
        let newest: Vec<Tensor> = trainer.learner.buffers().iter().map(|(_, b)| b.copy()).collect();
        (trainer.average.unwrap().buffers, expected, newest)
    };
    let differ = |buffers: &[(String, Tensor)], others: &[Tensor]| {
        let floats = buffers.iter().zip(others).filter(|((_, buffer), _)| buffer.is_floating_point());
        floats.map(|((_, buffer), other)| max_abs_difference(buffer, other)).fold(0.0, f64::max)
    };
    let (buffers, expected, newest) = mixed(Statistics::Averaged);
    assert!(differ(&buffers, &expected) < 1e-12 && differ(&buffers, &newest) > 1e-3);
    let (buffers, _, newest) = mixed(Statistics::Newest);
    assert_eq!(differ(&buffers, &newest), 0.0);
}

/// The mean over the batches, whatever their number; the paper's running statistics keep 0.9 of where they began.
#[test]
fn statistics_are_calibrated_by_the_mean_over_the_batches() {
    let trainer = Trainer::new(meant(settings()), &tiny(), Device::Cpu).unwrap();
    let learner = &trainer.learner;
    let calibrated = |count, as_in_paper| {
        let batches = oracle_batches().take(count).map(|batch| batch.images.to_kind(Kind::Double));
        learner.calibrated(learner.weights(), batches, as_in_paper)
    };
    let (one, paper, three) = (calibrated(1, false), calibrated(1, true), calibrated(3, false));
    for ((name, one), (_, paper)) in one.iter().zip(&paper) {
        let start = if name.ends_with("running_var") { 0.9 } else { 0.0 };
        if one.is_floating_point() {
            assert!(max_abs_difference(&(one * 0.1 + start), paper) < 1e-12, "{name}");
        }
    }
    let each: Vec<Tensor> = oracle_batches()
        .take(3)
        .map(|batch| {
            let images = std::iter::once(batch.images.to_kind(Kind::Double));
            let found = learner.calibrated(learner.weights(), images, false);
            found.into_iter().find(|(name, _)| name.ends_with("running_var")).unwrap().1
        })
        .collect();
    let mean = (&each[0] + &each[1] + &each[2]) / 3.0;
    let found = three.iter().find(|(name, _)| name.ends_with("running_var")).unwrap();
    assert!(max_abs_difference(&found.1, &mean) < 1e-12);
    assert!(max_abs_difference(&each[0], &each[1]) > 1e-6, "different batches");
    assert_eq!(counts(&three), counts(&one).iter().map(|count| 3 * count).collect::<Vec<_>>());
}

/// Smoothed labels are those of the clean term of TRADES.
#[test]
fn labels_of_trades_count() {
    let job = |labels| meant(Train { method: Method::Trades { weight: 6.0 }, labels, ..settings() });
    let natural = |labels| {
        let (_, reports) = train(&job(labels), "lenet_tiny", 1);
        (value(&reports[0], "natural_term"), value(&reports[0], "robust_term"))
    };
    let (exact, smoothed) = (natural(Labels::Exact), natural(Labels::Smoothed(0.3)));
    assert!((exact.0 - smoothed.0).abs() > 1e-3 && (exact.1 - smoothed.1).abs() < 1e-12);
}

/// The paper's program runs test images through the network in training mode to learn how wide its features are.
#[test]
fn attaching_an_auxiliary_head_leaves_the_statistics_alone() {
    let job = Train { method: Method::Rotation { weight: 1.0, fraction: 0.5 }, ..meant(settings()) };
    let trainer = Trainer::new(job, &tiny(), Device::Cpu).unwrap();
    for (name, buffer) in &tiny().buffers {
        let found = trainer.learner.buffers().iter().find(|(found, _)| found == name).unwrap();
        assert_eq!(max_abs_difference(&found.1, buffer), 0.0, "{name}");
    }
}

/// The gradient that SAM steps along is the plain gradient at the moved weights.
#[test]
fn sam_takes_the_gradient_uphill() {
    let sgd = Optimizer::Sgd { learning_rate: 1.0, momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    let job = |sharpness| Train {
        optimizer: sgd.clone(),
        schedule: Schedule::Constant,
        sharpness,
        ..meant(settings())
    };
    let gradient = |job: Train, network: &Network| {
        let mut trainer = Trainer::new(job, network, Device::Cpu).unwrap();
        let before = weights(&trainer).copy();
        let rate = trainer.rate(0, 3);
        let mut batches = oracle_batches();
        trainer.step(0, rate, &mut || Ok(batches.next().unwrap()), &mut || Ok(())).unwrap();
        before - weights(&trainer)
    };
    let network = tiny();
    let start = network.weights.flat().to_kind(Kind::Double);
    let plain = gradient(job(Sharpness::None), &network);
    for adaptive in [false, true] {
        let radius = 0.3;
        let move_by: Tensor = if adaptive {
            let sizes = start.abs() + 0.01;
            let length = (&sizes * &plain).norm();
            sizes.square() * &plain * (radius / length)
        } else {
            &plain * (radius / plain.norm())
        };
        let mut moved = tiny();
        let flat = (&start + move_by).to_kind(Kind::Float);
        moved.weights = basin_core::model::Weights::from_flat(network.layout().clone(), flat);
        let expected = gradient(job(Sharpness::None), &moved);
        let got = gradient(job(Sharpness::Sam { radius, adaptive }), &network);
        let difference = max_abs_difference(&got, &expected);
        assert!(difference < 1e-5, "adaptive {adaptive}: differ by {difference:e}");
        assert!(max_abs_difference(&got, &plain) > 1e-3, "adaptive {adaptive}: the plain gradient");
    }
}

/// Adaptive SAM moves a normalization's scale by its size, however it is stored: a re-parameterized one, which stores
/// `w`, like a plain one that stores `1 + w`.
#[test]
fn adaptive_sam_moves_scales_by_their_true_size() {
    let network = |norm: Norm| {
        let architecture = Architecture {
            family: Family::LeNet(LeNet { channels: 4, linear: 8 }),
            resolution: [1, 28, 28],
            normalization: Some(norm),
            whiten: false,
            ..Architecture::default()
        };
        let network = Network::fresh(architecture.topology().unwrap(), 3);
        for (index, entry) in network.layout().entries.iter().enumerate() {
            if entry.role == Role::Normalization && entry.name.ends_with(".weight") {
                let stored = Tensor::linspace(-0.6, 0.4, entry.len, (Kind::Float, Device::Cpu));
                let stored = if norm == Norm::Batch { stored + 1.0 } else { stored };
                network.weights.view(index).copy_(&stored);
            }
        }
        network
    };
    let step = |network: &Network, sharpness| {
        let job = Train { sharpness, ..meant(settings()) };
        let mut trainer = Trainer::new(job, network, Device::Cpu).unwrap();
        let before = weights(&trainer).copy();
        let mut batches = oracle_batches();
        // Weight decay, too, depends on how a scale is stored: only the gradient is looked at.
        let rate = basin_core::train::Rate { learning_rate: 0.05, momentum: Some(0.0) };
        trainer.step(0, rate, &mut || Ok(batches.next().unwrap()), &mut || Ok(())).unwrap();
        (before.copy() - weights(&trainer)) / 0.05 - before * 5e-4
    };
    let [stored, plain] = [Norm::Reparameterized, Norm::Batch].map(network);
    assert!(max_abs_difference(stored.weights.flat(), plain.weights.flat()) > 0.9);
    let sam = |radius| Sharpness::Sam { radius, adaptive: true };
    let (reparameterized, batch) = (step(&stored, sam(0.5)), step(&plain, sam(0.5)));
    let difference = max_abs_difference(&reparameterized, &batch);
    assert!(difference < 1e-6, "differ by {difference:e}");
    assert!(max_abs_difference(&step(&plain, sam(1e-9)), &batch) > 1e-3, "the plain gradient");
}

/// Without attacked images a rotation training is that of its two clean tasks: the attack changes nothing.
#[test]
fn rotations_can_be_learned_without_attacks() {
    let method = |fraction| Method::Rotation { weight: 2.0, fraction };
    let run = |fraction, epsilon| {
        let job = Train { method: method(fraction), ..meant(settings()) };
        job.check().unwrap();
        let attack = Pgd { epsilon, ..job.attack.clone() };
        let mut trainer = Trainer::new(Train { attack, ..job }, &tiny(), Device::Cpu).unwrap();
        let mut batch = oracle_batches().next().unwrap();
        batch.labels = Tensor::from_slice(&[3i64, 1, 4, 0, 1, 2, 3, 0]);
        batch.supervised = Some([true, true, true, true, false, false, false, false].to_vec());
        let rate = trainer.rate(0, 3);
        let mut batch = Some(batch);
        let report = trainer.step(0, rate, &mut || Ok(batch.take().unwrap()), &mut || Ok(())).unwrap();
        (weights(&trainer).copy(), report)
    };
    let ((weak, report), (strong, _)) = (run(0.0, 0.01), run(0.0, 0.3));
    assert_eq!(max_abs_difference(&weak, &strong), 0.0);
    let sum = value(&report, "clean_loss") + 2.0 * value(&report, "rotation_loss");
    assert!((value(&report, "loss") - sum).abs() < 1e-12);
    assert!(report.values.iter().all(|(name, _)| !name.starts_with("robust")));
    let (attacked, report) = run(0.5, 0.3);
    assert!(max_abs_difference(&attacked, &strong) > 1e-4 && value(&report, "robust_loss") > 0.0);
    assert_eq!(method(0.0).title(), "training with rotations");
    let named = preset("normal_training_ssl05").unwrap().train;
    assert_eq!(named.method, Method::Rotation { weight: 0.5, fraction: 0.0 });
    assert!(preset("at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100_ssl1").is_err());
    let error = Train { method: method(-0.1), ..settings() }.check().unwrap_err().to_string();
    assert!(error.starts_with("fraction -0.1 is not possible"), "{error}");
}

/// Rotations are learned by the auxiliary head alone where its loss has all the weight.
#[test]
fn rotations_train_the_auxiliary_head() {
    let job = Train { method: Method::Rotation { weight: 1.0, fraction: 0.5 }, ..meant(settings()) };
    let mut trainer = Trainer::new(job, &tiny(), Device::Cpu).unwrap();
    let before = weights(&trainer).copy();
    let mut losses = Vec::new();
    for step in 0..30 {
        let rate = trainer.rate(0, 1000);
        let mut batches = oracle_batches();
        let mut next = || {
            let mut batch = batches.next().unwrap();
            let turns = [-1i64, -1, -1, 0, -1, 1, 2, 3];
            batch.images =
                Tensor::cat(&turns.map(|t| batch.images.get(3).rot90(t.max(0), [1, 2]).unsqueeze(0)), 0);
            let turns = Tensor::from_slice(&turns);
            batch.labels = turns.where_self(&turns.ge(0), &batch.labels);
            batch.supervised = Some(vec![true, true, true, false, true, false, false, false]);
            Ok(batch)
        };
        let report = trainer.step(step, rate, &mut next, &mut || Ok(())).unwrap();
        losses.push(value(&report, "rotation_loss"));
    }
    assert!(losses[29] < 0.5 * losses[0], "{losses:?}");
    let main = tiny().layout().len;
    let moved = (weights(&trainer) - before).narrow(0, main, trainer.learner.weights().layout().len - main);
    assert!(moved.norm().double_value(&[]) > 1e-2);
    assert_eq!(trainer.learner.export().layout().len, main, "the auxiliary head stays behind");
}

fn tiny() -> Network {
    basin_core::checkpoint::open(&reference("checkpoints/lenet_tiny.pth.tar")).unwrap().network
}
