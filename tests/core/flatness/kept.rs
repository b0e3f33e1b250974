//! Perturbed networks kept beside the record are checkpoints with the losses that the record says.

use basin_core::job::{Case, Evaluate, Flatness, FlatnessLoss, Job};
use basin_core::progress::Silent;
use basin_core::record::{KeptExamples, Outcome, Record};
use basin_core::run::{RunOptions, check_out, run};

use super::{ALL, Stop, images, outcome, small};

#[test]
fn kept_networks_have_the_losses_of_the_record() {
    for (loss, case) in ALL {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("x.json");
        let options = RunOptions { out: Some(out.clone()), ..RunOptions::default() };
        let job = Flatness {
            keep_networks: true,
            reference_restarts: None,
            draws: 2,
            radii: vec![0.0, 0.02],
            ..small(loss, case)
        };
        let record = run(&Job::Flatness(job.clone()), &options, &mut Silent).unwrap();
        let found = outcome(&record);
        assert_eq!(found.networks.len(), 4);
        for kept in &found.networks {
            let draw = &found.radii.iter().find(|at| at.radius == kept.radius).unwrap().draws[kept.draw];
            let evaluate = Evaluate {
                checkpoint: folder.path().join(&kept.network),
                data: job.data.clone(),
                attack: (loss == FlatnessLoss::Robust).then(|| job.attack.clone()),
                compute: job.compute.clone(),
                ..Evaluate::default()
            };
            let again = run(&Job::Evaluate(evaluate), &RunOptions::default(), &mut Silent).unwrap();
            let Outcome::Evaluate(again) = again.outcome else { panic!("no evaluation") };
            let measured = again.robust.as_ref().unwrap_or(&again.clean);
            assert!(
                (measured.loss - draw.loss).abs() < 1e-6,
                "{loss:?} {case:?} {kept:?}: {}",
                measured.loss
            );
            assert_eq!(kept.examples.is_some(), (loss, case) == (FlatnessLoss::Robust, Case::Worst));
            if let Some(name) = &kept.examples {
                let examples = KeptExamples::load(&folder.path().join(name)).unwrap();
                assert_eq!(examples.shape[0], 12);
                let largest = examples.perturbations.iter().fold(0f32, |most, p| most.max(p.abs()));
                assert!(largest <= job.attack.epsilon as f32 + 1e-6, "{largest}");
                assert_eq!(largest > 0.0, kept.radius > 0.0);
            }
        }
        assert_eq!(Record::load(&out).unwrap(), record);
        let there = || std::fs::read_dir(folder.path().join("x.json.networks")).map_or(0, Iterator::count);
        let files = there();
        // A file that went is computed anew, and nothing else is.
        std::fs::remove_file(folder.path().join(&found.networks[3].network)).unwrap();
        let again = run(&Job::Flatness(job.clone()), &options, &mut Silent).unwrap();
        assert_eq!((&again.outcome, there()), (&record.outcome, files));
        // Another record in its place takes the files away.
        let other = Job::Flatness(Flatness { keep_networks: false, draws: 1, ..job });
        run(&other, &RunOptions { replace: true, ..options }, &mut Silent).unwrap();
        assert!(!folder.path().join("x.json.networks").exists());
    }
}

#[test]
fn a_cancelled_measure_keeps_what_it_has_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions { out: Some(folder.path().join("x.json")), ..RunOptions::default() };
    let job = Flatness { keep_networks: true, ..small(FlatnessLoss::Clean, Case::Worst) };
    let job = Job::Flatness(job);
    let partial = run(&job, &options, &mut Stop { units: 2, alive: u64::MAX }).unwrap();
    assert_eq!((partial.provenance.complete, outcome(&partial).networks.len()), (false, 1));
    let whole = run(&job, &options, &mut Silent).unwrap();
    assert_eq!((whole.provenance.complete, outcome(&whole).networks.len()), (true, 3));
}

#[test]
fn networks_need_a_record_to_lie_beside() {
    let job = Flatness { keep_networks: true, ..small(FlatnessLoss::Clean, Case::Average) };
    let written = serde_json::to_value(&job).unwrap();
    assert_eq!(written["keep_networks"], true);
    assert!(
        serde_json::to_value(small(FlatnessLoss::Clean, Case::Average))
            .unwrap()
            .get("keep_networks")
            .is_none()
    );
    let message = check_out(&Job::Flatness(job.clone()), None).unwrap_err().to_string();
    assert!(message.contains("networks are kept in a folder beside the record; add --out"), "{message}");
    let layers = Flatness { per_layer: true, data: images("bundled", "test:0..4"), draws: 1, ..job };
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions { out: Some(folder.path().join("x.json")), ..RunOptions::default() };
    let record = run(&Job::Flatness(layers), &options, &mut Silent).unwrap();
    let names = &outcome(&record).networks;
    assert_eq!((names.len(), names[0].layer.as_deref()), (27, None));
    assert!(names.iter().any(|kept| {
        kept.layer.as_deref() == Some("logits.bias")
            && kept.network == "x.json.networks/025-logits.bias-radius-0.5-draw-0.safetensors"
    }));
}
