//! The running average: what its updates weigh, with and without warm-up, and which trainings have one.

use basin_core::checkpoint;
use basin_core::job::Job;
use basin_core::record::Record;
use basin_core::run::read_job;
use basin_core::train::preset::preset;
use basin_core::train::{Average, RunningAverage, Statistics, Train, Trainer};
use tch::{Device, Tensor};

use super::{oracle_batches, settings};
use crate::support::{max_abs_difference, reference};

fn trainer(average: Average) -> Trainer {
    let network = checkpoint::open(&reference("checkpoints/lenet_tiny.pth.tar")).unwrap().network;
    let job = Train { average: Some(average), as_in_paper: false, ..settings() };
    Trainer::new(job, &network, Device::Cpu).unwrap()
}

/// 315 updates at 0.999: without warm-up 73 % of the initial weights is left, with it nothing.
#[test]
fn a_warm_up_forgets_the_initial_weights() {
    let plain = Average { tau: 0.999, ..Average::default() };
    let left = |average: &Average| {
        let learner = trainer(average.clone()).learner;
        let start = learner.trainable().copy();
        let mut running = RunningAverage::new(&learner);
        let _ = learner.trainable().zero_();
        (0..315).for_each(|update| running.update(&learner, average.statistics, average.decay(update)));
        let kept = learner.trainable_part(&running.flat);
        (&kept * &start).sum(kept.kind()).double_value(&[])
            / start.square().sum(kept.kind()).double_value(&[])
    };
    let ema = Average::ema(0.999);
    assert!((left(&plain) - 0.999f64.powi(315)).abs() < 1e-9 && (left(&plain) - 0.7297).abs() < 1e-4);
    assert!((plain.share_of_start(315) - left(&plain)).abs() < 1e-9);
    // The product of (1 + t) / (10 + t) telescopes: 9! / (316 ... 324).
    let telescoped: f64 = (1..=9).map(|k| f64::from(k) / f64::from(315 + k)).product();
    assert!(telescoped < 1e-16 && (ema.share_of_start(315) / telescoped - 1.0).abs() < 1e-9);
    assert!(left(&ema) < 1e-16);
    // Later the decay is tau: from update 8990 on.
    assert!(ema.decay(8989) < 0.999 && ema.decay(8990) == 0.999 && ema.decay(1 << 40) == 0.999);
    let long = |updates| ema.share_of_start(updates);
    assert!((long(20_000) / long(19_000) - 0.999f64.powi(1000)).abs() < 1e-9);
}

/// After every step the average is what the closed form makes of the networks so far.
#[test]
fn the_average_of_a_training_has_the_weights_of_its_decays() {
    for average in [Average { tau: 0.9, ..Average::default() }, Average { tau: 0.6, ..Average::ema(0.6) }] {
        let mut trainer = trainer(average.clone());
        let mut networks = vec![trainer.learner.weights().flat().copy()];
        let mut batches = oracle_batches();
        trainer.begin_epoch();
        for step in 0..14 {
            let rate = trainer.rate(step, 3);
            trainer.step(step, rate, &mut || Ok(batches.next().unwrap()), &mut || Ok(())).unwrap();
            networks.push(trainer.learner.weights().flat().copy());
        }
        let decay = |update: usize| match average.warm_up {
            true => f64::min(0.6, (1.0 + update as f64) / (10.0 + update as f64)),
            false => 0.9,
        };
        // The network of step k comes in with 1 - d and is multiplied by every decay after it.
        let later = |from: usize| (from..14).map(decay).product::<f64>();
        let expected = (0..14).fold(&networks[0] * later(0), |sum: Tensor, update| {
            sum + &networks[update + 1] * ((1.0 - decay(update)) * later(update + 1))
        });
        let found = &trainer.average.as_ref().unwrap().flat;
        let difference = max_abs_difference(found, &expected);
        assert!(difference < 1e-12, "{average:?} differs by {difference:e}");
    }
}

/// On for averages as in current robust training, off for the paper's, and in trainings from before there was a choice.
#[test]
fn a_warm_up_is_usual_where_statistics_are_averaged() {
    let read = |text: &str| serde_json::from_str::<Average>(text).unwrap();
    assert_eq!(read(r#"{"tau": 0.999, "statistics": "averaged"}"#), Average::ema(0.999));
    assert_eq!(read("{}"), Average::default());
    assert!(!read(r#"{"statistics": "averaged", "warm_up": false}"#).warm_up);
    assert!(serde_json::from_str::<Average>(r#"{"warmup": true}"#).is_err());
    let name = |variant| format!("at_linf_gd_normalized_lr0007_mom0_i7_e00314_f100_{variant}");
    let average = |job: &Train| job.average.clone().unwrap();
    let [paper, ema] = ["wa", "ema0999"].map(|variant| preset(&name(variant)).unwrap().train);
    assert_eq!((average(&paper), average(&ema)), (Average::default(), Average::ema(0.999)));
    let changed = paper.with("average.statistics=averaged").unwrap();
    assert_eq!(average(&changed), Average { tau: 0.9975, ..Average::ema(0.9975) });
    assert!(!average(&changed.with("average.warm_up=false").unwrap()).warm_up);
    assert!(average(&Train::default().with("average.statistics=averaged").unwrap()).warm_up);
    // A folder of a training that was written before says nothing of it.
    let folder = tempfile::tempdir().unwrap();
    let mut job = serde_json::to_value(Job::Train(Box::new(changed.clone()))).unwrap();
    job["average"].as_object_mut().unwrap().remove("warm_up");
    std::fs::write(folder.path().join("job.json"), job.to_string()).unwrap();
    std::fs::write(folder.path().join("log.jsonl"), "").unwrap();
    for job in [read_job(folder.path()).unwrap(), Record::load(folder.path()).unwrap().job] {
        let Job::Train(job) = job else { panic!("no training") };
        assert_eq!(average(&job), Average { warm_up: false, ..average(&changed) });
    }
}

#[test]
fn an_average_that_is_mostly_its_start_is_told() {
    let job =
        |average| Train { average: Some(average), epochs: 1, steps_per_epoch: Some(315), ..Train::default() };
    let told = |average| job(average).average_warning();
    let plain = |tau| Average { tau, statistics: Statistics::Averaged, warm_up: false };
    let words = told(plain(0.999)).unwrap();
    assert!(
        words.starts_with("after all 315 steps 73 % of the running average is still the network"),
        "{words}"
    );
    assert!(words.contains("average.warm_up=true"), "{words}");
    assert_eq!((told(Average::ema(0.999)), told(plain(0.98))), (None, None));
    assert_eq!(Train { average: None, ..job(plain(0.999)) }.average_warning(), None);
}
