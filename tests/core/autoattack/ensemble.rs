//! The whole road, as a job: the oracle's images, resuming, invariance, kept examples, bad input.

use std::time::Duration;

use basin_core::attack::autoattack::square::{self, Square};
use basin_core::attack::autoattack::{
    AutoAttack, Forgetful, Halfway, Judge, Memory, Subject, Tuning, Version,
};
use basin_core::attack::{InputNorm, Pgd};
use basin_core::job::{Attack, Compute, DataSelection, Evaluate, Job, Precision};
use basin_core::progress::{Cancelled, Event, Progress, Silent};
use basin_core::record::{AttackFlags, AttackOutcome, AttackRow, Outcome, Record};
use basin_core::run::{Observer, RunOptions, run};
use basin_core::seed::generator;
use serde_json::Value;
use tch::{Kind, Tensor};

use crate::support::process::passed_in_own_process;
use crate::support::{Npz, images, json, number, reference};

pub fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub fn mnist(examples: &str, attack: AutoAttack) -> Attack {
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

pub fn attacked(job: Attack) -> AttackOutcome {
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
    let (arrays, stored) = (Npz::open("autoattack/arrays.npz"), json("autoattack/results.json"));
    let run = stored["runs"].as_array().unwrap().iter().find(|run| {
        run["attack"].as_str().is_some_and(|name| name.starts_with("standard")) && run["seed"] == 0
    });
    let run = run.expect("the reference ran the ensemble");
    for (text, targets, queries) in [("paper", Some(3), None), ("apgd-ce,apgd-dlr,square", None, Some(300))] {
        let mut job = cifar(AutoAttack {
            version: version(text),
            epsilon: number(&stored, &["eps"]),
            targets,
            queries,
            steps: (text == "paper").then_some(40),
            ..AutoAttack::default()
        });
        job.data.examples = images(&stored["indices"]).parse().unwrap();
        let found = attacked(job);
        assert_eq!(found.per_example.robust, survivors(&arrays, "standard_seed0_robust"), "{text}");
        assert_eq!(found.robust_error, 1.0 - number(run, &["robust_accuracy"]), "{text}");
        assert_eq!(found.clean_error, 1.0 - number(&stored, &["clean_accuracy"]));
        let attacked = number(&stored, &["clean_accuracy"]) * number(&stored, &["n"]);
        assert_eq!(found.per_attack[0].attacked as f64, attacked);
        let broken = found.per_attack.iter().map(|row| row.broken).sum::<usize>();
        assert_eq!(broken as f64, number(run, &["broken"]));
        assert_eq!(found.flags, Default::default(), "an honest network");
    }
}

/// What the reference's attacks left of the LeNet, each alone with several seeds.
struct Alone {
    arrays: Npz,
    index: Value,
}

impl Alone {
    fn open() -> Self {
        Self {
            arrays: Npz::open("autoattack/lenet_arrays.npz"),
            index: json("autoattack/lenet_results.json"),
        }
    }

    /// Radii of the runs, the smallest first.
    fn radii(&self) -> Vec<f64> {
        let mut radii: Vec<f64> = self.runs().map(|run| number(run, &["eps"])).collect();
        radii.sort_by(f64::total_cmp);
        radii.dedup();
        radii
    }

    fn runs(&self) -> impl Iterator<Item = &Value> {
        self.index["runs"].as_array().unwrap().iter()
    }

    /// Survivors of every seed of an attack.
    fn survivors(&self, name: &str, epsilon: f64) -> Vec<Vec<bool>> {
        let of_it = |run: &&Value| run["attack"] == name && run["eps"] == epsilon;
        let key = |run: &Value| format!("{name}_eps{epsilon}_seed{}_robust", run["seed"]);
        self.runs().filter(of_it).map(|run| survivors(&self.arrays, &key(run))).collect()
    }

    /// The same network and images, or the first so many of these.
    fn job(&self, count: Option<usize>, attack: AutoAttack) -> Attack {
        let mut job = mnist(&images(&self.index["indices"]), attack);
        if let Some(count) = count {
            job.data.examples.end = (job.data.examples.start + count) as isize;
        }
        job
    }
}

fn left(robust: &[bool]) -> usize {
    robust.iter().filter(|robust| **robust).count()
}

#[test]
fn each_attack_alone_is_as_strong_as_the_oracles() {
    let alone = Alone::open();
    let epsilon = alone.radii()[0];
    for name in ["apgd-ce", "apgd-dlr", "apgd-t", "fab-t"] {
        let best = alone.survivors(name, epsilon).iter().map(|robust| left(robust)).min().unwrap();
        let attack = AutoAttack { version: version(name), epsilon, ..AutoAttack::default() };
        let found = left(&attacked(alone.job(None, attack)).per_example.robust);
        assert!(found <= best + 1, "{name}: {found} survive, {best} of the oracle's best seed");
    }
}

#[test]
fn square_is_as_strong_as_the_oracles() {
    let (alone, count) = (Alone::open(), 20);
    let epsilon = alone.radii()[0];
    let best = alone.survivors("square", epsilon).iter().map(|robust| left(&robust[..count])).min();
    let attack = AutoAttack { version: version("square"), epsilon, ..AutoAttack::default() };
    let found = left(&attacked(alone.job(Some(count), attack)).per_example.robust);
    assert!(found <= best.unwrap() + 1, "{found} survive, {best:?} of the oracle's best seed");
    // For L2, where the oracle has no numbers: it breaks some, within the ball.
    let attack = AutoAttack {
        version: version("square"),
        norm: InputNorm::L2,
        epsilon: 2.0,
        queries: Some(200),
        ..AutoAttack::default()
    };
    let found = attacked(mnist("test:0..32", attack));
    assert!(found.per_attack[0].broken >= 5, "{:?}", found.per_attack);
}

#[test]
fn the_ensemble_is_at_least_as_strong_as_each_of_its_attacks() {
    let alone = Alone::open();
    let epsilon = *alone.radii().last().unwrap();
    let attack = AutoAttack { version: version("apgd-ce,apgd-dlr,apgd-t"), epsilon, ..AutoAttack::default() };
    let found = attacked(alone.job(None, attack));
    let survive = left(&found.per_example.robust);
    for name in ["apgd-ce", "apgd-dlr", "apgd-t", "fab-t", "square"] {
        let oracle = alone.survivors(name, epsilon);
        assert!(!oracle.is_empty() && survive <= left(&oracle[0]), "{name} of the oracle is stronger");
    }
    let mut before = found.clean_error;
    for row in &found.per_attack {
        assert!(row.robust_error >= before, "{row:?}");
        before = row.robust_error;
    }
    assert_eq!(before, found.robust_error);
}

fn small() -> AutoAttack {
    AutoAttack {
        version: version("apgd-ce,apgd-t,fab-t,square"),
        epsilon: 0.15,
        steps: Some(10),
        targets: Some(2),
        queries: Some(40),
        ..AutoAttack::default()
    }
}

#[test]
fn what_is_found_depends_on_neither_batches_nor_threads() {
    if passed_in_own_process("autoattack::ensemble::what_is_found_depends_on_neither_batches_nor_threads") {
        return;
    }
    let mut found = Vec::new();
    for (batch_size, threads) in [(100, 1), (7, 1), (16, 2)] {
        let mut job = mnist("test:0..40", small());
        job.compute.batch_size = Some(batch_size);
        tch::set_num_threads(threads);
        found.push(attacked(job));
    }
    for other in &found[1..] {
        assert_eq!(other.per_example.robust, found[0].per_example.robust);
        assert_eq!(other.per_example.broken_by, found[0].per_example.broken_by);
        for (a, b) in other.per_example.loss.iter().zip(&found[0].per_example.loss) {
            assert!((a - b).abs() <= 1e-3 * a.abs().max(1.0), "{a} and {b}");
        }
    }
}

#[test]
fn more_steps_and_restarts_break_no_less() {
    let broken = |steps, restarts| {
        let attack = AutoAttack {
            version: version("apgd-ce"),
            epsilon: 0.15,
            steps: Some(steps),
            restarts: Some(restarts),
            ..AutoAttack::default()
        };
        attacked(mnist("test:0..64", attack))
    };
    let (one, three) = (broken(15, 1), broken(15, 3));
    assert!(three.robust_error >= one.robust_error);
    assert!(three.per_example.robust.iter().zip(&one.per_example.robust).all(|(more, less)| !more || *less));
    let loss = |restarts| {
        let attack = Some(Pgd { epsilon: 0.15, step_size: 0.03, steps: 5, restarts, ..Pgd::default() });
        let job = mnist("test:0..32", small());
        let Attack { checkpoint, data, compute, .. } = job;
        let job = Job::Evaluate(Evaluate { checkpoint, data, attack, compute, ..Evaluate::default() });
        let record = run(&job, &RunOptions::default(), &mut Silent).unwrap();
        let Outcome::Evaluate(found) = record.outcome else { panic!("an evaluation was asked for") };
        found.robust.unwrap().loss
    };
    let (one, four) = (loss(1), loss(4));
    assert!(four >= one, "{four} with four restarts, {one} with one");
}

#[test]
fn searching_in_low_precision_finds_the_same() {
    let attack = |precision| {
        let mut job = cifar(AutoAttack { version: version("apgd-ce,fab-t,square"), ..small() });
        job.attack.epsilon = 8.0 / 255.0;
        job.compute.precision = precision;
        attacked(job)
    };
    let (exact, fast) = (attack(Precision::F32), attack(Precision::Bf16));
    assert_eq!(exact.per_example.robust, fast.per_example.robust);
    assert!(exact.per_attack.iter().all(|row| row.repeated == 0));
}

/// Stops after some attacked blocks.
struct StopAfter(isize);

impl Progress for StopAfter {
    fn report(&mut self, _: Event) -> Result<(), Cancelled> {
        if self.0 < 0 { Err(Cancelled) } else { Ok(()) }
    }
}

impl Observer for StopAfter {
    fn interval(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    fn so_far(&mut self, outcome: Outcome) {
        let Outcome::Attack(outcome) = outcome else { panic!("not of an attack") };
        let attacked = outcome.per_attack.iter().any(|row| row.seconds > 0.0);
        self.0 -= isize::from(attacked);
    }
}

#[test]
fn a_job_goes_on_where_it_was_stopped_and_keeps_its_examples() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let options = |name: &str| RunOptions { out: Some(path(name)), ..RunOptions::default() };
    let mut job = mnist("test:0..40", small());
    job.compute.batch_size = Some(16);
    job.keep_examples = true;
    let job = Job::Attack(job);
    let whole = run(&job, &options("whole.json"), &mut Silent).unwrap();
    let (mut interruptions, mut some_finished) = (0, false);
    let stopped = loop {
        match run(&job, &options("stopped.json"), &mut StopAfter(interruptions)) {
            Ok(record) if record.provenance.complete => break record,
            // A record of what is finished, as far as every verdict goes.
            Ok(part) => {
                let (part, whole) = (outcome(&part), outcome(&whole));
                let rows = part.per_attack.len();
                assert!(rows >= 1 && part.robust_error <= whole.robust_error);
                assert_eq!(part.robust_error, part.per_attack[rows - 1].robust_error);
                // Attacks before the one in hand are finished only in the last group; what is left can still break.
                let finished: Vec<bool> = part.per_attack.iter().map(|row| row.finished).collect();
                assert!(finished.windows(2).all(|pair| pair[0] || !pair[1]), "{finished:?}");
                assert!(!finished[rows - 1] || rows < whole.per_attack.len());
                for (row, of) in part.per_attack.iter().zip(&whole.per_attack).filter(|(row, _)| row.finished)
                {
                    assert_eq!((row.attacked, row.broken), (of.attacked, of.broken), "{}", row.name);
                    assert_eq!(row.robust_error, of.robust_error);
                }
                some_finished |= finished.contains(&true);
                let most = part.robust_error_at_most.expect("of a cancelled job");
                assert!((whole.robust_error..=1.0).contains(&most), "at most {most}");
                for (at, name) in part.per_example.broken_by.iter().enumerate().filter(|(_, n)| n.is_some()) {
                    assert_eq!(*name, whole.per_example.broken_by[at]);
                }
                interruptions += 2;
            }
            Err(other) => panic!("{other}"),
        }
        assert!(path("stopped.json.journal").is_file());
    };
    assert!(interruptions >= 6 && some_finished, "only {interruptions} units");
    assert!(outcome(&whole).per_attack.iter().all(|row| row.finished));
    assert_eq!(outcome(&whole).robust_error_at_most, None);
    assert_eq!(timeless(outcome(&whole)), timeless(outcome(&stopped)));
    assert_eq!(Record::load(&path("stopped.json")).unwrap(), stopped);
    assert!(!path("stopped.json.journal").exists());

    let kept = whole.load_examples(&path("whole.json")).unwrap().unwrap();
    assert_eq!(Some(kept.clone()), stopped.load_examples(&path("stopped.json")).unwrap());
    assert_eq!(kept.shape, [40, 1, 28, 28]);
    let found = outcome(&whole);
    let labels: Vec<i64> = found.per_example.label.clone();
    assert_eq!(kept.labels, labels);
    assert_eq!(kept.indices, (0..40).collect::<Vec<i64>>());
    // What is kept does what the record says, within the ball.
    let tensor = |values: &[f32]| Tensor::from_slice(values).view([40, 1, 28, 28]);
    let (images, delta) = (tensor(&kept.images), tensor(&kept.perturbations));
    let network = super::single::open("lenet_bn_trained");
    let logits = super::single::evaluator(&network, Kind::Float).logits(&(&images + &delta));
    let wrong = basin_core::loss::predictions(&logits).ne_tensor(&Tensor::from_slice(&labels));
    let robust: Vec<bool> = Vec::try_from(wrong.logical_not()).unwrap();
    assert_eq!(robust, found.per_example.robust);
    assert!(delta.abs().max().double_value(&[]) <= 0.15 + 1e-6);
    let moved = images + delta;
    assert!(moved.min().double_value(&[]) >= -1e-6 && moved.max().double_value(&[]) <= 1.0 + 1e-6);
}

#[test]
fn evaluations_keep_their_examples() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.json");
    let Attack { checkpoint, data, compute, .. } = mnist("test:0..20", small());
    let attack = Some(Pgd { epsilon: 0.1, step_size: 0.02, steps: 3, ..Pgd::default() });
    let job = Job::Evaluate(Evaluate {
        checkpoint,
        data,
        attack,
        keep_examples: true,
        compute,
        ..Evaluate::default()
    });
    let record =
        run(&job, &RunOptions { out: Some(out.clone()), ..RunOptions::default() }, &mut Silent).unwrap();
    let Outcome::Evaluate(found) = &record.outcome else { panic!("an evaluation was asked for") };
    let kept = record.load_examples(&out).unwrap().unwrap();
    let tensor = |values: &[f32]| Tensor::from_slice(values).view([20, 1, 28, 28]);
    let network = super::single::open("lenet_bn_trained");
    let logits = super::single::evaluator(&network, Kind::Float)
        .logits(&(tensor(&kept.images) + tensor(&kept.perturbations)));
    let loss = basin_core::loss::cross_entropy(&logits, &Tensor::from_slice(&kept.labels));
    let expected = Tensor::from_slice(&found.robust.as_ref().unwrap().per_example.loss);
    assert!(crate::support::max_abs_difference(&loss, &expected) <= 1e-5);
    // A damaged file is told, a record without one has none.
    std::fs::write(folder.path().join(record.examples.as_ref().unwrap()), b"nothing").unwrap();
    let told = record.load_examples(&out).unwrap_err().to_string();
    assert!(told.contains("damaged"), "{told}");
    assert_eq!(Record { examples: None, ..record }.load_examples(&out).unwrap(), None);
    // Without a record there is no place for them.
    let told = run(&job, &RunOptions::default(), &mut Silent).unwrap_err().to_string();
    assert!(told.contains("--out"), "{told}");
}

#[test]
fn bounds_close_in_on_the_result() {
    #[derive(Default)]
    struct Bounds(Vec<(f64, f64)>);
    impl Progress for Bounds {
        fn report(&mut self, event: Event) -> Result<(), Cancelled> {
            if let Event::Step { done, total } = event {
                assert!(done <= total, "{done} of {total}");
            }
            Ok(())
        }
    }
    impl Observer for Bounds {
        fn interval(&self) -> Option<Duration> {
            Some(Duration::ZERO)
        }
        fn so_far(&mut self, outcome: Outcome) {
            let Outcome::Attack(outcome) = outcome else { panic!("not of an attack") };
            let most = outcome.robust_error_at_most.unwrap_or(outcome.robust_error);
            self.0.push((1.0 - most, 1.0 - outcome.robust_error));
        }
    }
    // Small blocks; and blocks as they come, of which all these examples would fill but two.
    for (examples, batch_size) in [("test:0..40", Some(2)), ("test:0..100", None)] {
        let mut bounds = Bounds::default();
        let mut job = mnist(examples, small());
        job.compute.batch_size = batch_size;
        let record = run(&Job::Attack(job), &RunOptions::default(), &mut bounds).unwrap();
        let robust = 1.0 - outcome(&record).robust_error;
        for pair in bounds.0.windows(2) {
            assert!(pair[0].0 <= pair[1].0 && pair[0].1 >= pair[1].1, "{pair:?}");
        }
        for (lower, upper) in &bounds.0 {
            assert!(*lower <= robust + 1e-9 && robust <= upper + 1e-9, "{lower} to {upper} around {robust}");
        }
        // Both move long before the end.
        let (lower, upper) = bounds.0[bounds.0.len() / 2];
        assert!(lower > 0.1 && upper < 1.0 && lower < upper, "{lower} to {upper} halfway");
        let last = bounds.0.last().unwrap();
        assert!((last.0 - robust).abs() < 1e-9 && (last.1 - robust).abs() < 1e-9);
    }
}

#[test]
fn where_nothing_is_right_nothing_is_attacked() {
    // An untrained network on one image it gets wrong.
    let job = |at: usize| Attack {
        checkpoint: reference("checkpoints/lenet_bn_init.pth.tar"),
        ..mnist(&format!("test:{at}..{}", at + 1), small())
    };
    let wrong = (0..20).map(|at| attacked(job(at))).find(|found| found.clean_error == 1.0).unwrap();
    assert_eq!(wrong.robust_error, 1.0);
    assert!(wrong.per_attack.iter().all(|row| (row.attacked, row.broken) == (0, 0)));
    assert_eq!(wrong.per_example.broken_by, [Some("clean".to_owned())]);
    assert_eq!(wrong.robust_loss, wrong.clean_loss);
}

#[test]
fn networks_of_few_classes() {
    // Two classes, one output; the labels of the digits do not fit it, so the job is asked in pieces.
    let attack = AutoAttack { version: version("standard"), ..AutoAttack::default() };
    for (classes, words) in [(2, "apgd-t needs at least 4 classes"), (3, "apgd-t needs at least 4 classes")] {
        let refused = attack.plans(classes).unwrap_err().to_string();
        assert!(refused.contains(words) && refused.contains("use version apgd-ce,fab-t,square"), "{refused}");
    }
    let dlr = AutoAttack { version: version("apgd-dlr"), ..AutoAttack::default() };
    assert!(dlr.plans(2).unwrap_err().to_string().contains("at least 3 classes"));
    assert_eq!(dlr.plans(3).unwrap().len(), 1);
    // As many targets as there are wrong classes; more cannot be asked for, so that equal work is one job.
    let five = attack.plans(5).unwrap();
    assert_eq!(five.iter().map(|plan| plan.targets).collect::<Vec<_>>(), [1, 4, 4, 1]);
    let asked = |targets| AutoAttack { targets: Some(targets), ..attack.clone() }.plans(5);
    assert_eq!(asked(4).unwrap(), five);
    assert!(asked(5).unwrap_err().to_string().contains("so 4 wrong ones per image; use 1 to 4"));
}

#[test]
fn versions_are_what_they_are_called() {
    let plans =
        |text: &str| AutoAttack { version: version(text), ..AutoAttack::default() }.plans(10).unwrap();
    let names = |text: &str| plans(text).iter().map(|plan| plan.attack.name()).collect::<Vec<_>>().join(" ");
    assert_eq!(names("standard"), "apgd-ce apgd-t fab-t square");
    assert_eq!(names("paper"), "fab-t apgd-ce apgd-t");
    assert_eq!(names("plus"), "apgd-ce apgd-dlr fab square apgd-t fab-t");
    assert_eq!(names("rand"), "apgd-ce apgd-dlr");
    assert_eq!(names("es"), "apgd-ce apgd-t");
    let numbers = |text: &str| {
        plans(text).iter().map(|p| (p.steps, p.restarts, p.targets, p.passes)).collect::<Vec<_>>()
    };
    assert_eq!(numbers("standard"), [(100, 1, 1, 1), (100, 1, 9, 1), (100, 1, 9, 1), (5000, 1, 1, 1)]);
    assert_eq!(numbers("plus").iter().map(|n| n.1).collect::<Vec<_>>(), [5, 5, 5, 1, 1, 1]);
    assert_eq!(numbers("rand"), [(100, 1, 1, 20), (100, 1, 1, 20)]);
    assert_eq!(numbers("es"), [(50, 5, 1, 1), (50, 5, 5, 1)]);
    assert_eq!(version("apgd-ce, square").to_string(), "apgd-ce,square");
    for wrong in ["", "apgd", "square,square", "standard,square"] {
        assert!(wrong.parse::<Version>().is_err(), "{wrong:?}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let base = AutoAttack::default();
    let usual = Tuning::default();
    let tuned = |tuning| AutoAttack { tuning, ..base.clone() };
    for (attack, word) in [
        (AutoAttack { epsilon: -0.1, ..base.clone() }, "epsilon"),
        (AutoAttack { epsilon: f64::NAN, ..base.clone() }, "epsilon"),
        (AutoAttack { norm: InputNorm::L0, epsilon: 5.0, ..base.clone() }, "linf, l2 and l1"),
        (tuned(Tuning { eot: Some(0), ..usual }), "0 EOT passes"),
        (tuned(Tuning { rho: Some(1.5), ..usual }), "rho 1.5 is not possible; use a number from 0 to 1"),
        (tuned(Tuning { alpha: Some(0.0), ..usual }), "alpha 0"),
        (tuned(Tuning { eta: Some(f64::NAN), ..usual }), "eta NaN"),
        (tuned(Tuning { beta: Some(-0.1), ..usual }), "beta -0.1"),
        (tuned(Tuning { alpha_max: Some(2.0), ..usual }), "alpha-max 2"),
        (tuned(Tuning { p_init: Some(0.0), ..usual }), "p-init 0"),
        (tuned(Tuning { single_radius: true, ..usual }), "single-radius is for L1"),
        (
            AutoAttack { norm: InputNorm::L1, epsilon: 5.0, ..tuned(Tuning { rho: Some(0.5), ..usual }) },
            "rho has no effect in L1",
        ),
        (AutoAttack { steps: Some(0), ..base.clone() }, "0 steps"),
        (AutoAttack { restarts: Some(0), ..base.clone() }, "0 restarts"),
        (AutoAttack { targets: Some(0), ..base.clone() }, "0 targets"),
        (AutoAttack { queries: Some(0), ..base.clone() }, "0 queries"),
        (
            AutoAttack { steps: Some(1_000_001), ..base.clone() },
            "1000001 steps are too many; use at most 1000000",
        ),
    ] {
        let told = Job::Attack(mnist("test:0..1", attack)).check().unwrap_err().to_string();
        assert!(told.contains(word), "{told}");
    }
}

#[test]
fn zero_radius_breaks_nobody() {
    let found = attacked(mnist("test:0..16", AutoAttack { epsilon: 0.0, ..small() }));
    assert_eq!(found.robust_error, found.clean_error);
    assert!((found.robust_loss - found.clean_loss).abs() < 1e-6);
}

#[test]
fn a_random_version_needs_no_repetition_where_nothing_is_random() {
    let job = mnist("test:0..10", AutoAttack { version: version("rand"), steps: Some(3), ..small() });
    let record = run(&Job::Attack(job), &RunOptions::default(), &mut Silent).unwrap();
    let told = record.provenance.warnings.join(" ");
    assert!(told.contains("one pass was taken"), "{told}");
}

/// Keeps every note, and gives up after some.
struct Notebook {
    last: Option<Halfway>,
    notes: usize,
    stop: usize,
}

impl Memory for Notebook {
    fn recall(&mut self) -> Option<Halfway> {
        self.last.clone()
    }

    fn is_due(&mut self) -> bool {
        true
    }

    fn note(&mut self, halfway: &Halfway) -> basin_core::Result<()> {
        // As a file keeps it.
        let text = serde_json::to_value(halfway).unwrap();
        self.last = Some(serde_json::from_value(text).unwrap());
        self.notes += 1;
        if self.notes == self.stop { Err(basin_core::Error::Cancelled) } else { Ok(()) }
    }
}

#[test]
fn square_goes_on_inside_of_a_run() {
    let network = super::single::open("lenet_bn_trained");
    let model = super::single::evaluator(&network, Kind::Float);
    let dataset = &mnist("test:0..24", small()).data;
    let data = basin_core::data::load(&dataset.name, &dataset.examples).unwrap();
    let right = basin_core::loss::predictions(&model.logits(&data.images)).eq_tensor(&data.labels);
    let right = right.nonzero().view([-1]);
    let (images, labels) = (data.images.index_select(0, &right), data.labels.index_select(0, &right));
    let judge = Some(Judge { model: &model, tolerance: 0.0 });
    let subject = Subject { model: &model, images: &images, labels: &labels, judge };
    for (norm, epsilon) in [(InputNorm::Linf, 0.25), (InputNorm::L2, 2.5), (InputNorm::L1, 25.0)] {
        let settings = Square::new(norm, epsilon, 120);
        let attack = |memory: &mut dyn Memory| {
            let draws = (0..images.size()[0] as u64).map(|at| generator(4, "square", &[at])).collect();
            square::run(&settings, &subject, draws, memory, &mut || Ok(()))
        };
        let whole = attack(&mut Forgetful).unwrap();
        let mut notebook = Notebook { last: None, notes: 0, stop: 4 };
        let stopped = loop {
            match attack(&mut notebook) {
                Ok(found) => break found,
                Err(_) => notebook.stop += 3,
            }
        };
        assert!(notebook.stop >= 10, "{norm}: only {} notes", notebook.notes);
        let left = notebook.last.unwrap().robust.iter().filter(|robust| !**robust).count();
        assert!(left > 0, "{norm}: nobody had left");
        for (a, b) in [
            (&whole.best, &stopped.best),
            (&whole.margin, &stopped.margin),
            (&whole.robust, &stopped.robust),
            (&whole.doubtful, &stopped.doubtful),
        ] {
            assert!(a.equal(b), "{norm}");
        }
    }
}

#[test]
fn individual_attacks_are_each_alone_and_break_together_what_the_ensemble_breaks() {
    let attack = |text: &str, individual| {
        let attack = AutoAttack { version: version(text), individual, ..small() };
        attacked(mnist("test:0..40", attack))
    };
    let (each, one_after_the_other) =
        (attack("apgd-ce,apgd-t,square", true), attack("apgd-ce,apgd-t,square", false));
    assert_eq!(each.per_example.robust, one_after_the_other.per_example.robust);
    assert_eq!(each.robust_error, one_after_the_other.robust_error);
    for (name, row) in ["apgd-ce", "apgd-t", "square"].into_iter().zip(&each.per_attack) {
        let alone = attack(name, false);
        let (of, seconds) = (&alone.per_attack[0], 0.0);
        assert_eq!(AttackRow { seconds, ..row.clone() }, AttackRow { seconds, ..of.clone() });
        let by_it = |by: &Vec<String>| by.iter().any(|by| by == name);
        let broken: Vec<bool> = each.per_example.broken_by_each.iter().map(by_it).collect();
        let expected = alone.per_example.broken_by.iter().map(|by| by.as_deref() == Some(name));
        assert_eq!(broken, expected.collect::<Vec<_>>(), "{name}");
    }
    // Most that can be broken is broken by several.
    assert!(each.per_attack[1].attacked > one_after_the_other.per_attack[1].attacked);
    assert!(one_after_the_other.per_example.broken_by_each.is_empty());
    for (at, by) in each.per_example.broken_by_each.iter().enumerate() {
        assert_eq!(by.first(), each.per_example.broken_by[at].as_ref());
    }
    // Norms are those of what is kept, within the ball.
    let norms = &each.per_example.norm;
    assert_eq!(norms.len(), 40);
    let largest = each.per_example.largest_norm().unwrap();
    assert!(largest > 0.1 && largest <= 0.15 + 1e-6, "{largest}");
}

#[test]
fn every_parameter_reaches_its_attack_and_is_as_published_by_default() {
    let usual = Tuning::default();
    let found = |text: &str, tuning| {
        timeless(&attacked(mnist("test:0..24", AutoAttack { version: version(text), tuning, ..small() })))
    };
    let published = Tuning {
        eot: Some(1),
        rho: Some(0.75),
        alpha: Some(2.0),
        eta: Some(1.05),
        beta: Some(0.9),
        alpha_max: Some(0.1),
        p_init: Some(0.8),
        ..usual
    };
    for (text, changes) in [
        ("apgd-ce", vec![Tuning { rho: Some(1.0), ..usual }, Tuning { alpha: Some(0.5), ..usual }]),
        (
            "fab-t",
            vec![
                Tuning { eta: Some(1.5), ..usual },
                Tuning { beta: Some(0.5), ..usual },
                Tuning { alpha_max: Some(0.9), ..usual },
            ],
        ),
        ("square", vec![Tuning { p_init: Some(0.3), ..usual }, Tuning { rescale_schedule: true, ..usual }]),
    ] {
        let before = found(text, usual);
        assert_eq!(found(text, published), before, "{text}");
        for tuning in changes {
            assert_ne!(found(text, tuning), before, "{text}{tuning}");
        }
    }
    let plan = |tuning| AutoAttack { tuning, ..small() }.plans(10).unwrap()[0];
    assert_eq!(plan(Tuning { eot: Some(7), ..usual }).passes, 7);
    // In words, and in files: what is as published is not written.
    let attack = AutoAttack {
        individual: true,
        tuning: Tuning { eot: Some(7), rho: Some(0.5), rescale_schedule: true, ..usual },
        ..AutoAttack::default()
    };
    let words =
        "AutoAttack standard, L-inf 8/255, each attack alone, 7 EOT passes, rho 0.5, rescaled schedule";
    assert_eq!(attack.to_string(), words);
    let text = serde_json::to_string(&attack).unwrap();
    assert!(text.contains(r#""individual":true,"eot":7,"rho":0.5,"rescale_schedule":true"#), "{text}");
    assert_eq!(serde_json::from_str::<AutoAttack>(&text).unwrap(), attack);
    let plain = serde_json::to_string(&AutoAttack::default()).unwrap();
    assert_eq!(plain, r#"{"version":"standard","norm":"linf","epsilon":0.03137254901960784}"#);
}

#[test]
fn starts_without_a_gradient_are_told() {
    use basin_core::measure::autoattack::{Search, attack_block};
    use basin_core::measure::evaluation::Batch;
    // All logits are biases: the gradient of every loss is 0.
    let network = super::pieces::linear(5);
    let _ = network.weights.flat().narrow(0, 0, 20).fill_(0.0);
    let model = super::single::evaluator(&network, Kind::Float);
    let images = Tensor::full([3, 1, 2, 2], 0.5, (Kind::Float, tch::Device::Cpu));
    let labels = basin_core::loss::predictions(&model.logits(&images));
    let batch = Batch { images, labels, indices: vec![0, 1, 2] };
    let judge = Judge { model: &model, tolerance: 0.0 };
    for (text, starts) in [("apgd-ce", 0), ("apgd-dlr", 3), ("apgd-t", 3)] {
        let settings = AutoAttack { version: version(text), steps: Some(3), ..AutoAttack::default() };
        let plan = settings.plans(5).unwrap()[0];
        let search =
            Search { settings: &settings, plan: &plan, run: plan.runs()[0], seed: 0, model: &model, judge };
        let found = attack_block(&search, &batch, &mut Forgetful, &mut || Ok(())).unwrap();
        assert_eq!(found.zero_gradients, starts, "{text}");
    }
    let flags = AttackFlags { zero_gradient_starts: 3, ..AttackFlags::default() };
    assert!(flags.sentences()[0].contains("exactly 0 at 3 starts of APGD"));
}
