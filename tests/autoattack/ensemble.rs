//! The whole road, as a job: the oracle's images, resuming, invariance, kept examples, bad input.

use std::path::PathBuf;

use basin_core::attack::autoattack::{AutoAttack, Version};
use basin_core::attack::{InputNorm, Pgd};
use basin_core::job::{Attack, Compute, DataSelection, Evaluate, Job, Precision};
use basin_core::progress::{Cancelled, Event, Progress, Silent};
use basin_core::record::{AttackOutcome, Outcome, Record};
use basin_core::run::{RunOptions, estimate, run};
use tch::{Kind, Tensor};

use crate::support::{Npz, json, reference};

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn mnist(examples: &str, attack: AutoAttack) -> Attack {
    Attack {
        checkpoint: reference("checkpoints/lenet_bn_trained.pth.tar"),
        data: DataSelection {
            name: reference("mnist").display().to_string(),
            examples: examples.parse().unwrap(),
        },
        attack,
        keep_examples: false,
        compute: Compute { device: "cpu".into(), ..Compute::default() },
    }
}

fn cifar(attack: AutoAttack) -> Attack {
    Attack {
        checkpoint: reference("checkpoints/resnet_rebn_trained.pth.tar"),
        data: DataSelection { name: "bundled".into(), examples: "test:0..64".parse().unwrap() },
        ..mnist("test:0..1", attack)
    }
}

fn outcome(record: &Record) -> &AttackOutcome {
    let Outcome::Attack(outcome) = &record.outcome else { panic!("an attack was asked for") };
    outcome
}

fn attacked(job: Attack) -> AttackOutcome {
    outcome(&run(&Job::Attack(job), &RunOptions::default(), &mut Silent).unwrap()).clone()
}

/// Examples of the oracle that survived, by the name of its array.
fn survivors(arrays: &Npz, key: &str) -> Vec<bool> {
    Vec::try_from(arrays.get(key)).unwrap()
}

/// The same numbers but for the seconds.
fn timeless(outcome: &AttackOutcome) -> String {
    let mut outcome = outcome.clone();
    outcome.per_attack.iter_mut().for_each(|row| row.seconds = 0.0);
    serde_json::to_string(&outcome).unwrap()
}

#[test]
fn the_ensemble_breaks_the_oracles_images() {
    let arrays = Npz::open("autoattack/arrays.npz");
    for (text, targets, queries) in [("paper", Some(3), None), ("apgd-ce,apgd-dlr,square", None, Some(300))] {
        let found = attacked(cifar(AutoAttack {
            version: version(text),
            targets,
            queries,
            steps: (text == "paper").then_some(40),
            ..AutoAttack::default()
        }));
        assert_eq!(found.per_example.robust, survivors(&arrays, "standard_seed0_robust"), "{text}");
        assert_eq!(found.robust_error, 1.0 - 0.25, "{text}");
        assert_eq!(found.clean_error, 1.0 - 0.390625);
        assert_eq!(found.per_attack[0].attacked, 25);
        assert_eq!(found.per_attack.iter().map(|row| row.broken).sum::<usize>(), 9);
        assert_eq!(found.flags, Default::default(), "an honest network");
    }
}

#[test]
fn each_attack_alone_is_as_strong_as_the_oracles() {
    let arrays = Npz::open("autoattack/lenet_arrays.npz");
    for name in ["apgd-ce", "apgd-dlr", "apgd-t", "fab-t"] {
        let oracle = (0..3).map(|seed| {
            survivors(&arrays, &format!("{name}_eps0.15_seed{seed}_robust")).iter().filter(|r| **r).count()
        });
        let best = oracle.min().unwrap();
        let attack = AutoAttack { version: version(name), epsilon: 0.15, ..AutoAttack::default() };
        let found = attacked(mnist("test:0..64", attack));
        let left = found.per_example.robust.iter().filter(|robust| **robust).count();
        println!("{name}: {left} robust, oracle {best}");
        assert!(left <= best + 1, "{name}: {left} survive, {best} of the oracle's best seed");
    }
}
