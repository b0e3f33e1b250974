//! The paper's attack names mean exactly what the paper's program resolves them to.

use std::str::FromStr as _;

use basin_core::attack::names::{
    GROUPS, InputDescent, PaperAttack, Recipe, WeightBall, WeightDescent, WeightNormalization, WeightShape,
    group, names,
};
use basin_core::data::{Examples, Split};
use basin_core::job::{
    Case, Compute, FlatnessLoss, Job, Pgd, Sampling, Scope, Selection, Tensors, WeightGradient,
};
use sha2::{Digest as _, Sha256};

const GOLDEN: &str = include_str!("../reference/registry-golden-attacks.tsv");

/// How the paper's program calls these images.
fn loader(examples: &Examples) -> &'static str {
    match (examples.split, examples.start, examples.len(), examples.descending()) {
        (Split::Test, 0, 1000, false) => "adversarialtestloader",
        (Split::Train, 0, 1000, false) => "adversarialtesttrainloader",
        (Split::Test, 9999, 100, true) => "adversarialtrainbatchloader",
        (Split::Test, 9999, 500, true) => "adversarialtrainsetloader",
        (Split::Train, 49999, 100, true) => "adversarialtraintrainbatchloader",
        (Split::Train, 49999, 500, true) => "adversarialtraintrainsetloader",
        _ => panic!("no loader has {examples}"),
    }
}

fn start(ball: &WeightBall, how: &str) -> String {
    let e = ball.radius;
    match (ball.shape, how) {
        (WeightShape::Layer, _) => format!("LayerWiseL2Uniform{how}Initialization({e})"),
        (WeightShape::Filter, _) => format!("FilterWiseL2Uniform{how}Initialization({e})"),
        (WeightShape::Relative, _) => format!("L2UniformNormInitialization(relative_epsilon={e})"),
        (WeightShape::Absolute, _) => format!("L2UniformNormInitialization({e})"),
    }
}

fn projection(ball: &WeightBall) -> String {
    let e = ball.radius;
    match ball.shape {
        WeightShape::Layer => format!("LayerWiseL2Projection({e})"),
        WeightShape::Filter => format!("FilterWiseL2Projection({e})"),
        WeightShape::Relative => format!("L2Projection(relative_epsilon={e})"),
        WeightShape::Absolute => format!("L2Projection({e})"),
    }
}

fn layers(ball: &WeightBall) -> &'static str {
    if ball.without_normalization { "no_normalization" } else { "all_trainable" }
}

fn normalization(descent: &WeightDescent) -> &'static str {
    match descent.normalization {
        WeightNormalization::None => "NoneType",
        WeightNormalization::L2 => "L2Normalization",
        WeightNormalization::RelativeL2 => "RelativeL2Normalization",
        WeightNormalization::LayerWiseRelativeL2 => "LayerWiseRelativeL2Normalization",
    }
}

fn random(ball: &WeightBall) -> String {
    format!("random;epochs=1;init={};proj=none;layers={}", start(ball, "Sphere"), layers(ball))
}

/// Start, projection and norm of every input attack.
fn box_and_ball(e: f64, prefix: &str) -> String {
    format!(
        "{prefix}init=LInfUniformNormInitialization({e});{prefix}proj=BoxProjection(0,1)+LInfProjection({e})"
    )
}

/// `lr_factor` is what backtracking divides steps by; without backtracking it has no effect.
fn pgd(descent: &InputDescent, lr_factor: u32) -> String {
    let InputDescent { epsilon, iterations, step_size, momentum } = descent;
    format!(
        "pgd;iterations={iterations};lr={step_size};momentum={momentum};lr_factor={lr_factor};backtrack=0;normalized=1;c=0;{};norm=LInfNorm",
        box_and_ball(*epsilon, "")
    )
}

/// The row of the golden file that says what the attack is.
fn row(attack: &PaperAttack) -> String {
    let (kind, model_specific, text) = match &attack.recipe {
        Recipe::Pgd(descent) => ("input", 1, pgd(descent, 2)),
        Recipe::AutoAttack { epsilon } => {
            ("input", 1, format!("autoattack;version=standard;epsilon={epsilon}"))
        }
        Recipe::RandomWeights(ball) => ("weights", 0, random(ball)),
        Recipe::GradientWeights(ball, descent) => {
            let WeightDescent { epochs, learning_rate, momentum, backtrack, .. } = descent;
            let text = format!(
                "weight_gd;epochs={epochs};lr={learning_rate};momentum={momentum};lr_factor=2;backtrack={};normalization={};init={};proj={};layers={}",
                u8::from(*backtrack),
                normalization(descent),
                start(ball, "Norm"),
                projection(ball),
                layers(ball)
            );
            ("weights", 1, text)
        }
        Recipe::Sequential(ball, descent) => {
            ("joint", 0, format!("sequential{{{} | {}}}", random(ball), pgd(descent, 1)))
        }
        Recipe::Joint(ball, weights, input) => {
            assert_eq!(weights.epochs, input.iterations);
            let text = format!(
                "joint;epochs={};weight_lr={};weight_init={};weight_proj={};weight_norm={};input_lr={};input_normalized=1;{};layers={}",
                weights.epochs,
                weights.learning_rate,
                start(ball, "Norm"),
                projection(ball),
                normalization(weights),
                input.step_size,
                box_and_ball(input.epsilon, "input_"),
                layers(ball)
            );
            ("joint", 0, text)
        }
    };
    let search = attack.search.as_ref().map_or("", loader);
    let (name, attempts, images) = (&attack.name, attack.attempts, loader(&attack.images));
    format!("{name}\t{kind}\t{attempts}\t{search}\t{images}\t{model_specific}\tUntargetedF0Objective\t{text}")
}

#[test]
fn every_golden_name_resolves_to_its_settings() {
    let mut checked = 0;
    for line in GOLDEN.lines().skip(1) {
        let name = line.split('\t').next().unwrap();
        let attack = PaperAttack::from_str(name).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(row(&attack), line);
        checked += 1;
    }
    assert_eq!(checked, 62);
}

#[test]
fn the_grammar_has_exactly_the_names_of_the_paper() {
    let all: Vec<String> = names().collect();
    for (start, count, hash) in [
        ("input_", 368, "805564272b1f03365fc39739ecd6d7c0192eea07285f016b79a79df1f13663ba"),
        ("weight_", 359_262, "47ff0f06887ca89bc56e726f3b926bd3c9bc616da47010e28048131b533f34db"),
        ("", 4488, "22670f0c3e7857861e6470c62a42a10c99f574c9c5027bee2efc51c5daf5948f"),
    ] {
        let belongs = |name: &&String| match start {
            "" => name.starts_with("sequential2_") || name.starts_with("joint_"),
            _ => name.starts_with(start),
        };
        let mut family: Vec<&String> = all.iter().filter(belongs).collect();
        family.sort_unstable();
        assert_eq!(family.len(), count, "{start}");
        let text: String = family.iter().map(|name| format!("{name}\n")).collect();
        let found: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, hash, "{start}");
    }
    // A name is read as what made it (every 97th, to be quick).
    for name in all.iter().step_by(97) {
        assert_eq!(&PaperAttack::from_str(name).unwrap().name, name);
    }
}

#[test]
fn unknown_names_are_refused_with_the_nearest_one() {
    let near = |wrong: &str| PaperAttack::from_str(wrong).unwrap_err().to_string();
    for (wrong, right) in [
        ("input_linf_aa_standard_e0314", "input_linf_aa_standard_e00314"),
        ("weight_l2_random_nonorm_e05_at10_test", "weight_l2_random_nonorm2_e05_at10_test"),
        (
            "input_linf_gd_normalised_lr0007_mom0_i20_e00314_at10",
            "input_linf_gd_normalized_lr0007_mom0_i20_e00314_at10",
        ),
        ("weight_l2_random_nonorm2_e05_at10_test_", "weight_l2_random_nonorm2_e05_at10_test"),
        ("input_linf_aa_standard_e00314_es", "input_linf_aa_standard_e00314"),
    ] {
        assert_eq!(near(wrong), format!("no attack of the paper is called {wrong}; the nearest is {right}"));
    }
    for text in ["", "pgd", "ε", &"weight_".repeat(1000)] {
        assert!(near(text).contains("the nearest is "), "{text}");
    }
}

#[test]
fn groups_are_made_of_names() {
    let sizes = [29, 4, 11, 14, 4, 1];
    for ((name, _), size) in GROUPS.iter().zip(sizes) {
        let members = group(name).unwrap();
        assert_eq!(members.len(), size, "{name}");
        for member in &members {
            PaperAttack::from_str(member).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }
    assert_eq!(group("cifar10_benchmarks"), None);
}

fn job(name: &str) -> Job {
    let attack = PaperAttack::from_str(name).unwrap();
    attack.job("checkpoint".into(), "cifar10", Compute::default())
}

#[test]
fn an_input_attack_is_an_evaluation_by_wrong_class_confidence() {
    let Job::Evaluate(job) = job("input_linf_gd_normalized_lr0007_mom09_i10_e00275_at5_train") else {
        panic!()
    };
    assert_eq!(job.data.examples.to_string(), "train:0..1000");
    let wanted = Pgd {
        epsilon: 0.0275,
        steps: 10,
        restarts: 5,
        momentum: 0.9,
        selection: Selection::WrongClassConfidence,
        ..Pgd::default()
    };
    assert_eq!(job.attack, Some(wanted));
}

#[test]
fn attacks_on_weights_are_the_four_flatness_measures() {
    let flatness = |name: &str| match job(name) {
        Job::Flatness(job) => job,
        job => panic!("{name} is {}", job.kind()),
    };
    let average = flatness("weight_l2_random_nonorm2_e05_at50_test");
    assert_eq!((average.loss, average.case), (FlatnessLoss::Clean, Case::Average));
    assert_eq!((average.draws, average.radii), (50, vec![0.5]));
    assert_eq!((average.scope, average.sampling), (Scope::Layer, Sampling::Sphere));
    assert_eq!((average.tensors, average.search_data), (Tensors::NoNormalization, None));

    let worst = flatness("weight_l2_gd_nonorm2_backtrack_i7_lr00001_mom09_e000025_at25_test");
    assert_eq!((worst.loss, worst.case, worst.draws), (FlatnessLoss::Clean, Case::Worst, 25));
    assert_eq!(worst.search_data.unwrap().examples.to_string(), "test:9999..9899");
    assert_eq!(worst.data.examples.to_string(), "test:0..1000");
    let descent = &worst.descent;
    assert_eq!((descent.epochs, descent.step_size, descent.momentum), (7, 0.0001, 0.9));
    assert_eq!((descent.backtrack, descent.step_divisor), (true, 2.0));
    assert_eq!((descent.gradient, descent.search_batch), (WeightGradient::Raw, 128));

    let absolute = flatness("weight_l2_gd_absolute_l2normalized_i20_lr001_mom0_e05_at10_test");
    assert_eq!((absolute.absolute, absolute.scope, absolute.tensors), (true, Scope::Global, Tensors::All));
    assert_eq!(absolute.descent.gradient, WeightGradient::L2);

    let robust = "linf_gd_normalized_lr0007_e00314_i20_at10_test";
    let average = flatness(&format!("sequential2_weight_input_l2_random_nonorm2_filter_e025_{robust}"));
    assert_eq!((average.loss, average.case), (FlatnessLoss::Robust, Case::Average));
    assert_eq!((average.scope, average.draws, average.reference_restarts), (Scope::Filter, 10, Some(10)));
    assert_eq!((average.attack.epsilon, average.attack.restarts), (0.0314, 1));

    let worst = flatness(&format!("joint_weight_input_l2_gd_nonorm2_lwrl2normalized_lr001_e000075_{robust}"));
    assert_eq!((worst.loss, worst.case, worst.radii), (FlatnessLoss::Robust, Case::Worst, vec![0.00075]));
    assert_eq!((worst.descent.epochs, worst.descent.step_size, worst.attack.steps), (20, 0.01, 20));
    assert_eq!(worst.search_data, None, "the joint attack searches where it measures");
}

#[test]
fn every_flatness_name_makes_a_job_that_can_run() {
    // Backtracking and momentum are refused in the joint attack, which no name asks for.
    let mut checked = 0;
    for name in names().step_by(331).filter(|name| !name.starts_with("input_linf_aa")) {
        job(&name).check().unwrap_or_else(|e| panic!("{name}: {e}"));
        checked += 1;
    }
    assert!(checked > 1000);
}
