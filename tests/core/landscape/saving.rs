//! Landscapes for less work: grids that are refined where they bend, and attacks that start from their neighbours.

use basin_core::job::{DataSelection, Job, Landscape, LandscapeLoss, Normalization, Range};
use basin_core::measure::landscape::refine;
use basin_core::measure::landscape::{Both, Smooth};
use basin_core::progress::Silent;
use basin_core::record::{LandscapeOutcome, Outcome, Values};
use basin_core::run::{RunOptions, run};

use super::{CancelAfter, checkpoint_path, landscape, small_job};
use crate::support::reference;

fn outcome(job: &Landscape) -> LandscapeOutcome {
    landscape(&run(&Job::Landscape(job.clone()), &RunOptions::default(), &mut Silent).unwrap()).clone()
}

/// Refines until nothing is left, computing what is asked for; the values, and how many were computed.
fn refined(nx: usize, ny: usize, share: f64, of: impl Fn(usize, usize) -> Option<f64>) -> (Vec<f64>, usize) {
    let mut known = vec![None; nx * ny];
    loop {
        let found = refine((nx, ny), share, 1, &|x, y| known[y * nx + x].clone());
        for (x, y) in &found.points {
            known[y * nx + x].get_or_insert_with(|| of(*x, *y).map(|loss| vec![loss]));
        }
        if found.finished {
            let value =
                |at: &Option<Option<Vec<f64>>>| at.clone().flatten().map_or(f64::NAN, |losses| losses[0]);
            let mut values: Vec<f64> = known.iter().map(value).collect();
            for ((x, y), losses) in &found.predicted {
                values[y * nx + x] = losses[0];
            }
            return (values, found.points.len());
        }
    }
}

fn at(index: usize, count: usize) -> f64 {
    2.0 * index as f64 / (count - 1) as f64 - 1.0
}

#[test]
fn what_is_a_cubic_is_predicted_and_what_bends_is_computed() {
    let cubic = |x: usize, y: usize| {
        let (x, y) = (at(x, 51), at(y, 51));
        Some(1.0 + x * x - 0.5 * x * y + 2.0 * y * y * y)
    };
    let (values, computed) = refined(51, 51, 0.01, cubic);
    assert!(computed < 300, "{computed} points");
    for (number, value) in values.iter().enumerate() {
        assert!((value - cubic(number % 51, number / 51).unwrap()).abs() < 1e-9);
    }
    // A valley with a sharp bend along a line: the bend is computed, the rest is not.
    let bent = |x: usize, y: usize| Some((at(x, 51) + 0.3 * at(y, 51) - 0.2).abs());
    let (values, computed) = refined(51, 51, 0.01, bent);
    let height = 1.5;
    let worst = values.iter().enumerate().map(|(n, v)| (v - bent(n % 51, n / 51).unwrap()).abs());
    assert!(worst.fold(0.0, f64::max) < 0.02 * height);
    assert!(computed < 51 * 51 * 3 / 4, "{computed} points");
    // A curve; an overflowing border; a constant.
    let (values, computed) = refined(101, 1, 0.005, |x, _| Some(at(x, 101).powi(4)));
    assert!(computed < 51 && values.iter().all(|value| value.is_finite()), "{computed}");
    let (values, _) = refined(33, 33, 0.01, |x, y| (x > 3).then(|| at(y, 33)));
    assert!(
        (0..33 * 33).all(|n| values[n].is_nan() == (n % 33 <= 3)),
        "nothing is made up beside what overflows"
    );
    let (_, computed) = refined(33, 33, 0.01, |_, _| Some(2.0));
    assert!(computed < 33 * 33 / 3);
    for side in 3..9 {
        let (values, computed) = refined(side, side, 0.01, |x, y| Some((x * y) as f64));
        assert!(computed <= side * side && values.iter().all(|value| value.is_finite()), "{side}");
    }
}

#[test]
fn a_refined_surface_is_the_full_one_to_two_per_cent_at_half_the_points() {
    let full = Landscape {
        checkpoint: checkpoint_path("lenet_bn_trained"),
        data: DataSelection {
            name: reference("mnist").to_str().unwrap().into(),
            examples: "test:0..16".parse().unwrap(),
        },
        normalize: Normalization::Layer,
        radius: 0.5,
        steps: 51,
        ..small_job(LandscapeLoss::Clean, true)
    };
    let part = Landscape { refine: Some(0.01), ..full.clone() };
    let (whole, part) = (outcome(&full), outcome(&part));
    assert!(2 * part.interpolated >= 51 * 51, "{} points are interpolated", part.interpolated);
    let part_count = part.interpolated;
    let values = |outcome: &LandscapeOutcome| -> Vec<f64> {
        outcome.clean.as_ref().unwrap().loss.iter().map(Option::unwrap).collect()
    };
    let (whole, part) = (values(&whole), values(&part));
    let height =
        whole.iter().copied().fold(f64::MIN, f64::max) - whole.iter().copied().fold(f64::MAX, f64::min);
    let same = whole.iter().zip(&part).filter(|(a, b)| a == b).count();
    let worst = whole.iter().zip(&part).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(same >= 51 * 51 - part_count, "what is computed is the same: {same}");
    assert!(worst < 0.02 * height, "off by {worst} of {height}");
}

fn warm() -> Landscape {
    Landscape { steps: 7, warm: Some(2), ..small_job(LandscapeLoss::Robust, true) }
}

#[test]
fn warm_attacks_tell_truthfully_what_they_miss() {
    let job = warm();
    let found = outcome(&job);
    let full = outcome(&Landscape { warm: None, ..job.clone() });
    let gap = found.warm.unwrap();
    assert_eq!(gap.points, 5, "a tenth of 48 points");
    assert_eq!(found.origin(true), full.origin(true), "the network itself is attacked in full");
    assert_eq!(found.clean, full.clean);
    let robust = |outcome: &LandscapeOutcome| -> Vec<f64> {
        outcome.robust.as_ref().unwrap().loss.iter().map(Option::unwrap).collect()
    };
    let differences: Vec<f64> =
        robust(&full).iter().zip(robust(&found)).map(|(full, warm)| full - warm).collect();
    let largest = differences.iter().copied().fold(f64::MIN, f64::max);
    assert!(differences.iter().any(|difference| (difference - gap.largest).abs() < 1e-12), "{gap:?}");
    assert!(gap.largest <= largest + 1e-12);
    let truth = differences.iter().sum::<f64>() / 48.0;
    assert!((gap.value - truth).abs() < 0.1 * gap.loss, "{gap:?}, in truth {truth}");
}

#[test]
fn a_warm_landscape_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions { out: Some(folder.path().join("record.json")), ..RunOptions::default() };
    let job = Job::Landscape(warm());
    let straight = run(&job, &RunOptions::default(), &mut Silent).unwrap();
    for after in [5, 20] {
        assert!(!run(&job, &options, &mut CancelAfter(after)).unwrap().provenance.complete);
    }
    let finished = run(&job, &options, &mut Silent).unwrap();
    assert!(finished.provenance.complete);
    assert_eq!(finished.outcome, straight.outcome);
}

#[test]
fn a_refined_landscape_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions { out: Some(folder.path().join("record.json")), ..RunOptions::default() };
    let job = Landscape { refine: Some(0.2), steps: 17, ..small_job(LandscapeLoss::Clean, true) };
    let straight = outcome(&job);
    let job = Job::Landscape(job);
    for after in [5, 60] {
        let part = run(&job, &options, &mut CancelAfter(after)).unwrap();
        assert!(!part.provenance.complete);
        let Values::Plane(rows) = &landscape(&part).clean.as_ref().unwrap().loss else { panic!("a plane") };
        assert!(rows.iter().flatten().any(Option::is_none), "what is not known is not made up");
    }
    assert_eq!(landscape(&run(&job, &options, &mut Silent).unwrap()), &straight);
    assert!(straight.interpolated > 0);
}

#[test]
fn savings_that_make_no_sense_are_refused() {
    let why = |job: Landscape| {
        run(&Job::Landscape(job), &RunOptions::default(), &mut Silent).unwrap_err().to_string()
    };
    let base = || small_job(LandscapeLoss::Robust, true);
    assert!(why(Landscape { refine: Some(0.0), ..base() }).contains("a share of the height"));
    assert!(why(Landscape { warm: Some(0), ..base() }).contains("1 or more steps"));
    assert!(why(Landscape { warm: Some(3), refine: Some(0.01), ..base() }).contains("choose one"));
    assert!(
        why(Landscape { warm: Some(3), ..small_job(LandscapeLoss::Clean, true) })
            .contains("for the robust loss")
    );
}

#[test]
fn points_of_an_earlier_landscape_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let coarse = folder.path().join("coarse.json");
    let to = |out: &std::path::Path, reuse: Option<&std::path::Path>| RunOptions {
        out: Some(out.to_owned()),
        reuse: reuse.map(Into::into),
        ..RunOptions::default()
    };
    let job = |steps: usize, range: f64| Landscape {
        steps,
        range: Range::symmetric(range),
        ..small_job(LandscapeLoss::Robust, false)
    };
    run(&Job::Landscape(job(5, 1.0)), &to(&coarse, None), &mut Silent).unwrap();
    // Half of the range at half the spacing: three points of five are there. A change of them shows that they are used.
    let text = std::fs::read_to_string(&coarse).unwrap();
    let mut changed: basin_core::record::Record = serde_json::from_str(&text).unwrap();
    let Outcome::Landscape(outcome) = &mut changed.outcome else { panic!("a landscape") };
    outcome.clean.as_mut().unwrap().loss.set(1, 0, 7.0);
    changed.save(&coarse).unwrap();
    let fine =
        run(&Job::Landscape(job(5, 0.5)), &to(&folder.path().join("fine.json"), Some(&coarse)), &mut Silent);
    let fine = landscape(&fine.unwrap()).clone();
    let fresh = self::outcome(&job(5, 0.5));
    let loss = |outcome: &LandscapeOutcome, at| outcome.clean.as_ref().unwrap().loss.get(at, 0).unwrap();
    assert_eq!(loss(&fine, 0), 7.0, "step -0.5 is taken over");
    assert!((1..5).all(|at| loss(&fine, at) == loss(&fresh, at)), "the others are as computed anew");
    assert_eq!(fine.robust, fresh.robust);
    for (other, reason) in [
        (Landscape { radius: 0.2, ..job(5, 0.5) }, "other settings"),
        (job(4, 0.3), "no point in common"),
        (
            Landscape {
                data: DataSelection { name: "bundled".into(), examples: "test:0..11".parse().unwrap() },
                ..job(5, 0.5)
            },
            "other images",
        ),
    ] {
        let why = run(&Job::Landscape(other), &to(&folder.path().join("x.json"), Some(&coarse)), &mut Silent);
        let why = why.unwrap_err().to_string();
        assert!(why.contains(reason) && why.contains("coarse.json"), "{why}");
    }
}

#[test]
fn smooth_differences_are_found_and_what_is_left_is_said() {
    let smooth = |[x, y]: [f64; 2]| 0.02 - 0.01 * x + 0.03 * y + 0.04 * x * x - 0.02 * x * y + 0.01 * y * y;
    let at = |number: usize| [(number as f64 * 0.7).sin(), (number as f64 * 1.3).cos()];
    // Noise without any pattern.
    let noise = |number: usize| 1e-3 * ((number * 7919 % 101) as f64 / 50.0 - 1.0);
    let points = |count: usize, noisy: bool| -> Vec<Both> {
        let exact = |number| 2.0 + smooth(at(number)) + if noisy { noise(number) } else { 0.0 };
        (0..count).map(|number| Both { at: at(number), exact: exact(number), reduced: 2.0 }).collect()
    };
    let found = Smooth::of(&points(40, false)).unwrap().unwrap();
    assert!(found.correction.error.unwrap() < 1e-9);
    for number in 100..120 {
        assert!((found.at(at(number)) - smooth(at(number))).abs() < 1e-9);
    }
    let noisy = Smooth::of(&points(40, true)).unwrap().unwrap().correction;
    let size = (0..40).map(|number| noise(number).powi(2) / 40.0).sum::<f64>().sqrt();
    assert!((0.7 * size..1.6 * size).contains(&noisy.error.unwrap()), "{noisy:?} of {size}");
    // Few points give their mean, one no error, none nothing.
    let few = Smooth::of(&points(4, false)).unwrap().unwrap();
    assert_eq!(few.at([0.3, 0.4]), few.at([-1.0, 1.0]));
    assert!((few.at([0.0, 0.0]) - few.correction.value).abs() < 1e-12);
    assert_eq!(Smooth::of(&points(1, false)).unwrap().unwrap().correction.error, None);
    assert!(Smooth::of(&[]).unwrap().is_none());
    // On a line, powers of y are no part of it.
    let line: Vec<Both> = (0..20)
        .map(|number| {
            let x = number as f64 / 10.0 - 1.0;
            Both { at: [x, 0.0], exact: 1.0 + 0.1 * x - 0.2 * x * x, reduced: 1.0 }
        })
        .collect();
    let found = Smooth::of(&line).unwrap().unwrap();
    assert!((found.at([0.5, 0.0]) - 0.0).abs() < 1e-9 && found.correction.error.unwrap() < 1e-9);
}

#[test]
fn reduced_precision_is_corrected_and_tells_its_error() {
    let mut job = small_job(LandscapeLoss::Clean, true);
    job.steps = 13;
    let exact = outcome(&job);
    job.reduced = true;
    let found = outcome(&job);
    let reduced = found.reduced.as_ref().unwrap();
    let correction = reduced.clean.unwrap();
    assert_eq!((reduced.precision.as_str(), reduced.robust), ("bf16", None));
    assert_eq!(correction.points, 18, "a tenth of 168, and the origin");
    let losses = |outcome: &LandscapeOutcome| -> Vec<f64> {
        outcome.clean.as_ref().unwrap().loss.iter().map(Option::unwrap).collect()
    };
    let differences: Vec<f64> = losses(&found).iter().zip(losses(&exact)).map(|(a, b)| a - b).collect();
    let same = differences.iter().filter(|difference| **difference == 0.0).count();
    assert!(same >= correction.points, "{same} points are those in float32");
    let others = (differences.len() - same) as f64;
    let left = (differences.iter().map(|d| d * d).sum::<f64>() / others).sqrt();
    let told = correction.error.unwrap();
    assert!((0.4 * told..2.5 * told).contains(&left), "{left} is left, {told} is told");
    let heights = losses(&exact);
    let range =
        heights.iter().fold(0.0, |a: f64, b| a.max(*b)) - heights.iter().fold(9.0, |a: f64, b| a.min(*b));
    assert!(left < 0.01 * range, "{left} of a height of {range}");
    assert_eq!(found.origin(false), exact.origin(false), "the origin is exact");
}
