//! Reference and perturbed networks are attacked equally, unless the paper's restarts are asked for.

use basin_core::attack::names::PaperAttack;
use basin_core::job::{Case, Compute, Flatness, FlatnessLoss, Job, JointSearch, Pgd};
use basin_core::record::Record;

use super::{ALL, compute, images, measured, outcome, record, small, study};

/// A normally trained network, whose loss under attack depends on the restarts a lot.
fn normal(restarts: Option<usize>, case: Case, radius: f64) -> Flatness {
    Flatness {
        data: images("bundled", "test:0..64"),
        radii: vec![radius],
        draws: 3,
        attack: Pgd { steps: 10, ..Pgd::default() },
        reference_restarts: restarts,
        compute: compute(),
        ..Flatness::new(study("normal"), FlatnessLoss::Robust, case)
    }
}

#[test]
fn a_normally_trained_network_is_not_flatter_than_flat() {
    let paper = &measured(&normal(Some(10), Case::Average, 0.01)).radii[0];
    let equal = &measured(&normal(None, Case::Average, 0.01)).radii[0];
    assert!(
        paper.interval.unwrap()[1] < 0.0,
        "10 restarts against 1: {} in {:?}",
        paper.flatness,
        paper.interval
    );
    assert!(equal.interval.unwrap()[1] > 0.0, "1 against 1: {} in {:?}", equal.flatness, equal.interval);
    assert!(equal.flatness.abs() < 0.1 * paper.flatness.abs(), "{} and {}", equal.flatness, paper.flatness);
}

#[test]
fn flatness_vanishes_with_the_radius() {
    for (loss, case) in ALL {
        let data = images("bundled", "test:0..16");
        let mut job = Flatness { loss, data, draws: 2, ..normal(None, case, 1e-7) };
        job.descent.epochs = 3;
        let found = measured(&job);
        let (at, rounding) = (&found.radii[0], 1e-3 * found.reference_loss);
        assert!(at.flatness.abs() < rounding, "{loss:?} {case:?}: {} of {}", at.flatness, at.loss);
        let sequential = Flatness { joint: JointSearch::Sequential, ..job };
        if (loss, case) == (FlatnessLoss::Robust, Case::Worst) {
            let at = &measured(&sequential).radii[0];
            assert!(at.flatness.abs() < rounding, "sequential: {}", at.flatness);
        }
    }
}

#[test]
fn the_default_is_equal_and_what_was_written_before_keeps_its_meaning() {
    let job = Flatness::new("a.pth".into(), FlatnessLoss::Robust, Case::Worst);
    assert_eq!((job.reference_restarts, job.restarts_of_reference(), job.restarts_of_draws()), (None, 1, 1));
    let several = Flatness { attack: Pgd { restarts: 5, ..Pgd::default() }, ..job.clone() };
    assert_eq!((several.restarts_of_reference(), several.restarts_of_draws()), (5, 5));
    // The paper's: 10 against 1, at the inputs that the joint attack returns.
    let paper = Flatness { reference_restarts: Some(10), ..several };
    assert_eq!((paper.restarts_of_reference(), paper.restarts_of_draws()), (10, 1));
    let mut written = serde_json::to_value(&job).unwrap();
    assert!(written["reference_restarts"].is_null() && written.get("joint").is_none());
    written["reference_restarts"] = 10.into();
    assert_eq!(serde_json::from_value::<Flatness>(written).unwrap().restarts_of_reference(), 10);
    let names = [
        "sequential2_weight_input_l2_random_nonorm2_e05_linf_gd_normalized_lr0007_e00314_i20_at10_test",
        "joint_weight_input_l2_gd_nonorm2_lwrl2normalized_lr001_e0003_linf_gd_normalized_lr0007_e00314_i20_at10_test",
    ];
    for name in names {
        let named: PaperAttack = name.parse().unwrap();
        let Job::Flatness(job) = named.job("a.pth".into(), "bundled", Compute::default()) else {
            panic!("{name}")
        };
        assert_eq!((job.restarts_of_reference(), job.restarts_of_draws()), (10, 1), "{name}");
    }
}

#[test]
fn weights_first_and_then_inputs() {
    let joint = Flatness { reference_restarts: None, ..small(FlatnessLoss::Robust, Case::Worst) };
    let mut sequential = Flatness { joint: JointSearch::Sequential, ..joint.clone() };
    sequential.descent.momentum = 0.5;
    let found = record(&sequential);
    let [one, other] = [&joint, &sequential].map(|job| measured(job).radii[0].loss);
    assert!(one != other && other > outcome(&found).reference_loss, "{one} and {other}");
    assert_eq!(serde_json::to_value(&sequential).unwrap()["joint"], "sequential");
    assert_eq!(Record::parse(&found.to_json()).unwrap(), found);
    // The weights are those of the clean worst case: with no step on the inputs, their losses are.
    let none = Pgd { steps: 0, start: basin_core::job::Start::Zero, ..Pgd::default() };
    sequential.attack = none;
    let clean =
        Flatness { loss: FlatnessLoss::Clean, joint: JointSearch::Simultaneous, ..sequential.clone() };
    assert_eq!(measured(&sequential).radii[0].loss, measured(&clean).radii[0].loss);
    for (loss, case) in &ALL[..3] {
        let wrong = Flatness { joint: JointSearch::Sequential, ..small(*loss, *case) };
        assert!(super::refusal(&wrong).contains("worst case of the robust loss"), "{loss:?} {case:?}");
    }
}

#[test]
fn a_weak_search_is_told() {
    // A step that overshoots by far, in a ball of nothing but the start: no search finds more than the reference has.
    let mut job = Flatness { draws: 4, ..small(FlatnessLoss::Clean, Case::Worst) };
    job.radii = vec![1e-3];
    job.descent.epochs = 0;
    job.descent.start = Some(basin_core::job::Sampling::Sphere);
    let found = record(&job);
    let at = &outcome(&found).radii[0];
    let reference = outcome(&found).reference_loss;
    let weak = at.draws.iter().filter(|draw| draw.loss < reference).count();
    assert!(weak > 0, "choose another seed: {:?}", at.draws);
    let told = found.provenance.warnings.join("\n");
    let words = if at.flatness < 0.0 {
        "radius 0.001: the worst-case flatness is below 0".to_owned()
    } else {
        format!("radius 0.001: {weak} of 4 searches found less than the unperturbed loss")
    };
    assert!(told.contains(&words), "{words} in {told}");
    job.descent.epochs = 3;
    assert_eq!(record(&job).provenance.warnings, [""; 0]);
}
