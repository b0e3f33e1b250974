//! The job of a training that was stopped, edited before it goes on.

use std::path::Path;

use basin_core::job::Job;
use basin_core::progress::Silent;
use basin_core::record::Record;
use basin_core::run::{RunOptions, read_job, run, train};
use basin_core::train::Train;

use super::{Stopping, epochs, networks, tiny};

/// A training stopped in its second epoch.
fn stopped(folder: &Path, job: &Train) {
    let mut at = 20;
    while train(job, folder, &mut Stopping { at, seen: 0 }).is_err() && epochs(folder).is_empty() {
        at += 1;
    }
    assert!(!epochs(folder).is_empty() && !folder.join("final.safetensors").exists());
}

/// Changes settings in the job.json of a folder, as an editor does.
fn edit(folder: &Path, settings: &[&str]) {
    let Job::Train(job) = read_job(folder).unwrap() else { panic!("no training") };
    let job = settings.iter().fold(*job, |job, setting| job.with(setting).unwrap());
    std::fs::write(folder.join("job.json"), Job::Train(Box::new(job)).to_json()).unwrap();
}

/// Goes on with the job that is in the folder.
fn go_on(folder: &Path) -> Result<Record, String> {
    let options = RunOptions { out: Some(folder.to_owned()), ..RunOptions::default() };
    run(&read_job(folder).unwrap(), &options, &mut Silent).map_err(|error| error.to_string())
}

#[test]
fn an_edited_job_is_refused_with_the_setting_that_differs() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    stopped(&folder, &tiny());
    let (begun, log) = (std::fs::read(folder.join("job.json")).unwrap(), epochs(&folder));
    for (settings, words) in [
        (
            &["optimizer.learning_rate=0.5"][..],
            "optimizer.learning_rate is 0.5 where the training began with 0.05; set it back",
        ),
        (
            &["optimizer.learning_rate=0.5", "seed=5"],
            "optimizer.learning_rate is 0.5 where the training began with 0.05, and one other setting differs",
        ),
        (&["labels.smoothed=0.1"], "labels is {\"smoothed\":0.1} where the training began with \"exact\""),
        (&["evaluation.steps=20"], "evaluation.steps is 20 where the training began with 7"),
    ] {
        edit(&folder, settings);
        let told = go_on(&folder).unwrap_err();
        let place = folder.join("job.json").display().to_string();
        assert!(
            told.starts_with(&format!("{place}: was edited after the training had begun: {words}")),
            "{told}"
        );
        assert!(told.ends_with(&format!("`basin train {place} --out NEW`")), "{told}");
        assert_eq!(epochs(&folder), log, "nothing was trained");
        std::fs::write(folder.join("job.json"), &begun).unwrap();
    }
    // Another job for the same folder is told in which setting it is another one.
    let told = train(&Train { seed: 1, ..tiny() }, &folder, &mut Silent).unwrap_err().to_string();
    assert!(told.contains("holds another training (seed is 1 where the training began with 0)"), "{told}");
    // Set back, it goes on.
    assert!(go_on(&folder).unwrap().provenance.complete);
    // And when it is finished, its numbers are not told under settings that it never had.
    edit(&folder, &["seed=5"]);
    let told = go_on(&folder).unwrap_err();
    assert!(told.contains("seed is 5 where the training began with 0"), "{told}");
}

#[test]
fn what_decides_no_number_may_be_edited_and_more_epochs_are_trained() {
    let home = tempfile::tempdir().unwrap();
    let (longer, whole) = (home.path().join("longer"), home.path().join("whole"));
    let job = Train { early_stopping: true, snapshot_every: 1, ..tiny() };
    train(&Train { epochs: 4, ..job.clone() }, &whole, &mut Silent).unwrap();
    let begun = Train { epochs: 2, ..job };
    stopped(&longer, &begun);
    edit(&longer, &["name=renamed", "epochs=3"]);
    assert!(go_on(&longer).unwrap().provenance.complete);
    // A finished training goes on, too, to the same bits as one that was to be as long.
    edit(&longer, &["epochs=4"]);
    let record = go_on(&longer).unwrap();
    assert_eq!((record.provenance.complete, epochs(&longer).len()), (true, 4));
    assert_eq!(networks(&longer), networks(&whole));
    edit(&longer, &["epochs=3"]);
    let told = go_on(&longer).unwrap_err();
    assert!(told.contains("epochs is 3 where the training began with 4"), "{told}");
}

/// Earlier versions kept no job beside the state: what they noted tells.
#[test]
fn the_field_report_of_an_edited_job() {
    let home = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/field-reports/25-edited-job");
    let copy = |name: &str| {
        let folder = home.path().join(name);
        std::fs::create_dir_all(folder.join("snapshots")).unwrap();
        for file in [
            "job.json",
            "log.jsonl",
            "provenance.json",
            "state.safetensors",
            "snapshots/epoch-0001.safetensors",
        ] {
            std::fs::copy(fixture.join(file), folder.join(file)).unwrap();
        }
        folder
    };
    for (number, (setting, words)) in [
        (
            "optimizer.learning_rate=0.5",
            "the learning rate of step 1 is 0.5 where the training began with 0.05",
        ),
        ("seed=5", "seed is 5 where the training began with 0"),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = copy(&format!("edited-{number}"));
        edit(&folder, &[setting]);
        let told = go_on(&folder).unwrap_err();
        assert!(told.contains(words), "{told}");
    }
    let folder = copy("as-it-was");
    let record = go_on(&folder).unwrap();
    assert!(record.provenance.complete);
    let tested = "the first 2 epochs were tested by an earlier version, under the training's own attack";
    assert!(
        record.provenance.warnings.iter().any(|warning| warning == tested),
        "{:?}",
        record.provenance.warnings
    );
}
