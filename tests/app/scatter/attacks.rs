//! The attacks behind the two numbers of a model: what is no robust loss is refused, what differs is told.

use basin::plot::scatter::{Choice, Look, Models, Quantity, from_records, from_study, plot};
use basin_core::job::{Attack, AutoAttack, Case, InputNorm, Job, Objective, Pgd, Projection, TargetClass};
use basin_core::record::{AttackFlags, AttackOutcome, AttackedExamples, Outcome, Record};
use basin_core::study::{Entries, Model as StudyModel, OfModel, Study};

use super::records::{evaluation, flatness, on_training_images};

fn models(records: &[Record]) -> Models {
    from_records(&records.iter().collect::<Vec<_>>(), &Choice::default(), &[], &[])
}

fn with(mut record: Record, change: impl FnOnce(&mut Pgd)) -> Record {
    match &mut record.job {
        Job::Evaluate(job) => change(job.attack.as_mut().unwrap()),
        Job::Flatness(job) => change(&mut job.attack),
        _ => panic!("no attack"),
    }
    record
}

fn flat(model: &str) -> Record {
    flatness(model, Case::Average, &[(0.5, 0.2)])
}

fn robust(model: &str) -> Record {
    evaluation(model, "test:0..4", &[1.0, 2.0, 3.0, 4.0])
}

fn missing(records: &[Record]) -> String {
    plot(&models(records), &Look::default()).unwrap_err()
}

#[test]
fn a_targeted_or_unbounded_loss_is_no_robust_loss() {
    let towards = |class| move |attack: &mut Pgd| attack.objective = Objective::Targeted(class);
    let within = |projection| move |attack: &mut Pgd| attack.projection = projection;
    let refused: [(Record, &str); 5] = [
        (with(robust("a"), towards(TargetClass::Class(3))), "towards class 3 is targeted"),
        (with(robust("a"), towards(TargetClass::LeastLikely)), "least likely class is targeted"),
        (with(robust("a"), towards(TargetClass::Rank(1))), "rank 1 is targeted"),
        (with(robust("a"), within(Projection::None)), "unbounded (no projection) may leave the ball"),
        (with(robust("a"), within(Projection::Box)), "not kept in the ball may leave the ball"),
    ];
    for (record, why) in refused {
        // The reference of the flatness record would do, but does not stand in unasked.
        let sentence = missing(&[flat("a"), record.clone()]);
        assert!(sentence.contains("a has no robust loss on test images (PGD-20, L-inf 8/255"), "{sentence}");
        assert!(sentence.contains(why), "{sentence}");
        assert!(sentence.contains("the reference of the flatness record would be taken"), "{sentence}");
        let alone = missing(&[on_training_images(flat("a")), record.clone()]);
        assert!(alone.contains("evaluate it under an untargeted attack"), "{alone}");
        // Another evaluation is taken, although the refused one has the higher loss.
        let weaker = evaluation("a", "test:0..4", &[0.5; 4]);
        let found = models(&[flat("a"), record, weaker]);
        assert_eq!(found.models[0].y.as_ref().unwrap().value, 0.5);
        assert_eq!(found.notes, Vec::<String>::new());
    }
}

#[test]
fn flatness_under_a_targeted_attack_is_no_robust_flatness() {
    let targeted = with(flat("a"), |attack| attack.objective = Objective::Targeted(TargetClass::Class(3)));
    let sentence = missing(&[targeted.clone(), robust("a")]);
    assert!(sentence.contains("a has no average-case robust flatness"), "{sentence}");
    // Neither is its reference robust loss, but that of another record is.
    let sentence = missing(std::slice::from_ref(&targeted));
    assert!(sentence.contains("has no") && sentence.contains("robust loss on test images"), "{sentence}");
    assert_eq!(models(&[targeted, flat("a")]).models[0].y.as_ref().unwrap().value, 2.0);
}

#[test]
fn what_tells_the_two_attacks_of_a_model_apart_is_told() {
    type Change = fn(&mut Pgd);
    let changes: [(Change, &str); 9] = [
        (
            |a| (a.steps, a.restarts) = (1, 1),
            "PGD-1 with 1 restart, its flatness from PGD-20 with 10 restarts",
        ),
        (|a| a.restarts = 3, "PGD-20 with 3 restarts, its flatness from PGD-20 with 10 restarts"),
        (|a| a.step_size = 1.0 / 255.0, "PGD-20, step size 1/255, its flatness from PGD-20"),
        (|a| a.objective = Objective::Dlr, "PGD-20, DLR, its flatness from PGD-20"),
        (|a| a.tau = Some(1), "PGD-20, tau 1, its flatness from PGD-20"),
        (|a| a.momentum = 0.9, "PGD-20, momentum 0.9, its flatness from PGD-20"),
        (|a| a.norm_penalty = 0.5, "PGD-20, norm penalty 0.5, its flatness from PGD-20"),
        (
            |a| a.projection = Projection::Ball,
            "PGD-20, not kept in the range of pixels, its flatness from PGD-20",
        ),
        (|a| a.epsilon = 4.0 / 255.0, "PGD-20, L-inf 4/255, its flatness from PGD-20, L-inf 8/255"),
    ];
    for (change, told) in changes {
        let change = |attack: &mut Pgd| {
            // The usual step size of the steps, the norm and the radius, unless it is what is changed.
            let before = attack.step_size;
            change(attack);
            if attack.step_size == before {
                attack.step_size = Pgd::usual_step_size(attack.norm, attack.epsilon, attack.steps);
            }
        };
        let found = models(&[flat("a"), with(robust("a"), change)]);
        assert_eq!(found.notes, [format!("robust loss of a is from {told}")]);
        assert!(found.models[0].y.is_ok());
    }
}

#[test]
fn models_under_different_attacks_are_told() {
    let weak = |record| with(record, |attack| attack.momentum = 0.9);
    let found = models(&[flat("a"), robust("a"), flat("b"), robust("b"), weak(flat("c")), weak(robust("c"))]);
    let (usual, other) =
        ("PGD-20, L-inf 8/255, 10 restarts", "PGD-20, L-inf 8/255, 10 restarts, momentum 0.9");
    let differ = |what| format!("{what} under different attacks: {usual} (a, b); {other} (c)");
    assert_eq!(found.notes, [differ("robust losses of the points are"), differ("flatness of the points is")]);
    // Points only: a model without one has no part in it.
    let found = models(&[flat("a"), robust("a"), weak(robust("c"))]);
    assert_eq!(found.notes, Vec::<String>::new());
}

#[test]
fn of_a_study_only_what_is_shown_is_told_about() {
    let weak = |record| with(record, |attack| attack.momentum = 0.9);
    // Of b the flatness has a reference, but a study's robust loss is that of an evaluation.
    let records = [vec![flat("a"), robust("a")], vec![flat("b")], vec![flat("c"), weak(robust("c"))]];
    let models = ["A", "B", "C"].map(|name| StudyModel { name: name.into(), ..StudyModel::default() });
    let study = Study { format: 1, models: models.into(), ..Study::default() };
    let of = |records: Vec<Record>| OfModel {
        records: records.into_iter().map(|record| ("r.json".into(), record)).collect(),
        ..OfModel::default()
    };
    let entries = Entries { models: records.map(of).into(), ..Entries::default() };
    let notes = |x: &str| from_study(&study, &entries, x, "robust_loss").unwrap().notes;
    let attacks = "robust losses of the points are under different attacks: PGD-20, L-inf 8/255, 10 restarts (A); \
                   PGD-20, L-inf 8/255, 10 restarts, momentum 0.9 (C)";
    // The flatness is not on an axis.
    assert_eq!(notes("robust_error"), [attacks]);
    let with_flatness = notes("average_flatness");
    assert_eq!(with_flatness.len(), 2, "{with_flatness:?}");
    assert!(with_flatness[0].starts_with("robust loss of C is from PGD-20"), "{with_flatness:?}");
    assert_eq!(with_flatness[1], attacks);
}

#[test]
fn a_gap_between_different_attacks_is_told() {
    let train = evaluation("a", "train:0..4", &[0.5; 4]);
    let records = [flat("a"), robust("a"), with(train, |attack| attack.restarts = 1)];
    let choice = Choice { y: Quantity::Gap, ..Choice::default() };
    let found = from_records(&records.iter().collect::<Vec<_>>(), &choice, &[], &[]);
    let pair = "robust loss of a is from PGD-20 with 1 restart, its flatness from PGD-20 with 10 restarts";
    assert_eq!(found.notes, [pair, "test and train of a are under different attacks"]);
}

#[test]
fn autoattack_is_compared_by_its_ball() {
    let job = |norm, epsilon| {
        let mut record = robust("a");
        let Job::Evaluate(job) = record.job else { panic!("an evaluation") };
        let attack = AutoAttack { norm, epsilon, ..AutoAttack::default() };
        let outcome = AttackOutcome {
            robust_error: 0.75,
            robust_error_at_most: None,
            clean_error: 0.25,
            robust_loss: 2.0,
            clean_loss: 1.0,
            per_attack: Vec::new(),
            flags: AttackFlags::default(),
            per_example: AttackedExamples { index: vec![0, 1, 2, 3], ..AttackedExamples::default() },
        };
        record.job = Job::Attack(Attack {
            checkpoint: job.checkpoint,
            data: job.data,
            attack,
            keep_examples: false,
            compute: job.compute,
        });
        record.outcome = Outcome::Attack(outcome);
        record
    };
    let choice = Choice { y: Quantity::Error, ..Choice::default() };
    let notes = |norm, epsilon| {
        let records = [flat("a"), job(norm, epsilon)];
        from_records(&records.iter().collect::<Vec<_>>(), &choice, &[], &[]).notes
    };
    assert_eq!(notes(InputNorm::Linf, 8.0 / 255.0), Vec::<String>::new());
    assert_eq!(
        notes(InputNorm::L2, 0.5),
        ["robust error of a is from AutoAttack in L2 0.5, its flatness from PGD in L-inf 8/255"]
    );
}

#[test]
fn unequal_restarts_and_weak_searches_are_told() {
    let mut paper = flat("a");
    let Job::Flatness(job) = &mut paper.job else { panic!("flatness") };
    (job.attack.restarts, job.reference_restarts) = (1, Some(10));
    let told = "flatness of a: 10 restarts on the unperturbed network, 1 on perturbed ones";
    assert_eq!(models(&[paper, robust("a")]).notes, [told]);
    let choice = Choice { case: Case::Worst, ..Choice::default() };
    let records = [flatness("a", Case::Worst, &[(0.003, -0.1)]), robust("a")];
    let found = from_records(&records.iter().collect::<Vec<_>>(), &choice, &[], &[]);
    assert_eq!(found.notes, ["worst case of a below 0: the search is too weak"]);
}
