//! Studies: what is found in a folder, how far it is, and its numbers as tables.

mod filter;
mod index;

use std::fs;
use std::path::Path;

use basin_core::checkpoint::hash_file;
use basin_core::data::DataSelection;
use basin_core::job::{Case, Evaluate, Flatness, FlatnessLoss, Job, Pgd};
use basin_core::record::{
    AtRadius, Draw, Evaluated, Evaluation, FORMAT, FlatnessOutcome, Outcome, PerExample, Provenance, Record,
};
use basin_core::study::{
    Entries, Found, PlannedMeasure, State, Study, Table, TableFormat, find, init, missing, status,
    usual_measures, write_models, write_records,
};

fn touch(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, path.to_string_lossy().as_bytes()).unwrap();
}

fn training(folder: &Path) {
    for file in ["job.json", "log.jsonl", "final.safetensors", "best.safetensors"] {
        touch(&folder.join(file));
    }
    for epoch in [0, 5, 9] {
        touch(&folder.join(format!("snapshots/epoch-{epoch:04}.safetensors")));
    }
}

fn usual() -> Vec<PlannedMeasure> {
    usual_measures(&DataSelection::default())
}

fn named(study: &Study) -> Vec<(&str, Option<&str>)> {
    study.models.iter().map(|model| (&*model.name, model.group.as_deref())).collect()
}

/// A record of a measure on a file, evaluated with these losses.
fn evaluated(job: &Job, checkpoint: &Path, losses: &[f32]) -> Record {
    let n = losses.len();
    let of = |losses: Vec<f32>| Evaluated {
        loss: losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / n as f64,
        error: 0.25,
        metrics: None,
        per_example: PerExample {
            index: (0..n).collect(),
            label: vec![0; n],
            loss: losses,
            predicted: vec![0; n],
            confidence: vec![0.5; n],
            ..PerExample::default()
        },
    };
    let robust = of(losses.iter().map(|loss| loss + 1.0).collect());
    let evaluation = Evaluation { clean: of(losses.to_vec()), robust: Some(robust), ..Evaluation::default() };
    let provenance = Provenance {
        checkpoint_hash: hash_file(checkpoint).unwrap(),
        complete: true,
        ..Provenance::default()
    };
    Record {
        format: FORMAT,
        job: job.clone().on(checkpoint),
        provenance,
        outcome: Outcome::Evaluate(evaluation),
        examples: None,
    }
}

#[test]
fn checkpoints_trainings_and_records_are_found_by_names_and_first_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    training(&at("runs/at"));
    for name in [
        "a.pt",
        "paper/classifier.pth.tar",
        "paper/classifier.pth.tar.10",
        "b.PTH",
        "notes.txt",
        ".hidden.pt",
    ] {
        touch(&at(name));
    }
    for name in
        ["r.json.examples.safetensors", "r.json.networks/x.safetensors", "j.shards/y.pt", "settings.json"]
    {
        touch(&at(name));
    }
    let record = evaluated(&usual()[0].job, &at("a.pt"), &[1.0]);
    fs::write(at("r.json"), record.to_json()).unwrap();
    let paths = |names: &[&str]| names.iter().map(Into::into).collect::<Vec<std::path::PathBuf>>();
    let expected = Found {
        checkpoints: paths(&["a.pt", "b.PTH", "paper/classifier.pth.tar", "paper/classifier.pth.tar.10"]),
        trainings: paths(&["runs/at"]),
        records: paths(&["r.json"]),
    };
    assert_eq!(find(folder.path()).unwrap(), expected);
    let error = find(&at("a.pt")).unwrap_err().to_string();
    assert!(error.contains("is a file; give a folder"), "{error}");
}

#[test]
fn models_are_named_and_grouped_by_their_folders() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    training(&at("AT/seed0"));
    training(&at("AT/seed1"));
    training(&at("TRADES/seed0"));
    let (study, added) = init(folder.path(), false, usual()).unwrap();
    let names = [("AT/seed0", Some("AT")), ("seed1", Some("AT")), ("TRADES/seed0", Some("TRADES"))];
    assert_eq!(named(&study), names);
    assert_eq!((added.models, added.trainings), (3, 3));
    assert_eq!(study.models[0].training.as_deref(), Some(Path::new("AT/seed0")));
    assert_eq!(
        study.measures.iter().map(|m| &*m.name).collect::<Vec<_>>(),
        ["test", "train", "average-flatness", "worst-flatness"]
    );
    // What was changed stays; what is new is added.
    let mut edited = study;
    edited.models[0].name = "baseline".into();
    edited.measures.truncate(1);
    edited.save(folder.path()).unwrap();
    touch(&at("AT/seed2.pt"));
    let (again, added) = init(folder.path(), false, usual()).unwrap();
    assert_eq!((added.models, again.measures.len()), (1, 1));
    assert_eq!((&*again.models[0].name, &*again.models[3].name), ("baseline", "seed2"));
    // All networks of a training: snapshots of it.
    let (all, _) = init(folder.path(), true, usual()).unwrap();
    let of_first = all.models.iter().filter(|m| m.training.as_deref() == Some(Path::new("AT/seed0"))).count();
    assert_eq!(of_first, 5, "three snapshots, the last and the early-stopped network");
}

#[test]
fn names_that_differ_in_numbers_are_a_group() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["label-noise-0.1.pt", "label-noise-0.2.pt", "trades_6.pt", "at.pt"] {
        touch(&folder.path().join(name));
    }
    let (study, _) = init(folder.path(), false, usual()).unwrap();
    assert_eq!(
        named(&study),
        [
            ("at", Some("at")),
            ("label-noise-0.1", Some("label-noise")),
            ("label-noise-0.2", Some("label-noise")),
            ("trades_6", Some("trades")),
        ]
    );
    let nothing = tempfile::tempdir().unwrap();
    let error = init(nothing.path(), false, usual()).unwrap_err().to_string();
    assert!(error.contains("nothing to study") && error.contains("basin study import"), "{error}");
}

#[test]
fn the_state_of_each_measure_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    ["a.pt", "b.pt"].iter().for_each(|name| touch(&at(name)));
    let (study, _) = init(folder.path(), false, usual()).unwrap();
    study.save(folder.path()).unwrap();
    let write = |name: &str, record: &Record| {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::write(at(name), record.to_json()).unwrap();
    };
    let record = evaluated(&study.measures[0].job, &at("a.pt"), &[1.0, 2.0]);
    // Anywhere in the folder, on another device.
    let mut elsewhere = record.clone();
    if let Job::Evaluate(job) = &mut elsewhere.job {
        (job.compute.device, job.checkpoint) = ("cuda:0".into(), "moved/a.pt".into());
    }
    write("old/pgd.json", &elsewhere);
    let mut unfinished = evaluated(&study.measures[1].job, &at("a.pt"), &[1.0]);
    unfinished.provenance.complete = false;
    write("measures/a/train.json", &unfinished);
    let other = Evaluate { attack: Some(Pgd { steps: 3, ..Pgd::default() }), ..Evaluate::default() };
    write("measures/b/test.json", &evaluated(&Job::Evaluate(other), &at("b.pt"), &[1.0]));
    write("measures/b/whole.json", &evaluated(&study.measures[1].job, &at("b.pt"), &[1.0]));
    fs::write(at("measures/b/train.json"), "{\"format\": 1, \"job\": {").unwrap();
    let rows = || status(&study, &Entries::load(folder.path(), &study).unwrap());
    let states = rows();
    let is = |row: usize, measure: usize, name: &str| {
        let state = serde_json::to_value(&rows()[row].measures[measure]).unwrap();
        assert_eq!(state["state"], name, "{row} {measure}");
    };
    assert_eq!(states[0].measures[0], State::Measured { record: "old/pgd.json".into() });
    is(0, 1, "unfinished");
    is(0, 2, "missing");
    is(1, 0, "other-settings");
    assert!(states[1].problems[0].contains("train.json"), "{:?}", states[1].problems);
    // What is measured is not planned; what has other settings only where that is asked for.
    let planned = |force| missing(folder.path(), &study, &rows(), force).unwrap();
    assert_eq!((planned(false).len(), planned(true).len()), (5, 6));
    let first = &planned(false)[0];
    assert_eq!(first.out, at("measures/a/train.json"));
    assert_eq!(first.job.checkpoint(), Some(&*at("a.pt")));
    // The file changes; then it is gone.
    is(1, 1, "measured");
    fs::write(at("b.pt"), "trained on").unwrap();
    is(1, 1, "changed");
    fs::remove_file(at("a.pt")).unwrap();
    assert!(rows()[0].problems[0].contains("a.pt: does not exist"), "{:?}", rows()[0].problems);
}

#[test]
fn a_damaged_study_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |text: &str, part: &str| {
        fs::write(folder.path().join("study.json"), text).unwrap();
        let error = Study::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("study.json") && error.contains(part), "{error}");
    };
    refused("{", "ends early");
    refused("{\"models\": []}", "no \"format\"");
    refused("{\"format\": 99}", "newer Basin");
    refused("{\"format\": 1, \"models\": [{\"name\": \"a b\"}, {\"name\": \"a-b\"}]}", "two models called");
    refused("{\"format\": 1, \"models\": [{\"name\": \"a\", \"grup\": \"x\"}]}", "grup");
    refused("{\"format\": 1, \"groups\": {\"a\": {\"color\": \"blue\"}}}", "#1f78b4");
    refused("{\"format\": 1, \"groups\": {\"a\": {\"marker\": \"heart\"}}}", "pentagon");
    fs::remove_file(folder.path().join("study.json")).unwrap();
    let error = Study::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("basin study init"), "{error}");
    let error = Study::load(&folder.path().join("gone")).unwrap_err().to_string();
    assert!(error.ends_with("gone: does not exist; check the path"), "{error}");
}

/// Two models: records of one, numbers of the other.
fn small() -> (tempfile::TempDir, Study, Entries) {
    let folder = tempfile::tempdir().unwrap();
    touch(&folder.path().join("at_50%.pt"));
    let (mut study, _) = init(folder.path(), false, usual()).unwrap();
    study.models[0].group = Some("AT, plain".into());
    study.models.push(basin_core::study::Model {
        name: "TRADES".into(),
        numbers: [("robust_loss".to_owned(), 1.5), ("epochs".to_owned(), 30.0)].into(),
        ..Default::default()
    });
    let path = folder.path().join("at_50%.pt");
    let folder_of = folder.path().join("measures/at_50-");
    fs::create_dir_all(&folder_of).unwrap();
    for (number, losses) in [[1.0, 2.0], [0.5, 1.5]].iter().enumerate() {
        let record = evaluated(&study.measures[number].job, &path, losses);
        fs::write(folder_of.join(format!("{number}.json")), record.to_json()).unwrap();
    }
    let job = Flatness::new(path.clone(), FlatnessLoss::Robust, Case::Average);
    let at = AtRadius {
        radius: 0.5,
        loss: 3.0,
        flatness: 0.5,
        standard_error: None,
        interval: Some([0.25, 1.0]),
        spread: None,
        levels: None,
        mean: 3.0,
        worst: 3.0,
        draws: vec![Draw { seed: 0, loss: 3.0, error: 0.5 }],
    };
    let outcome = FlatnessOutcome {
        reference_loss: 2.5,
        reference_error: 0.25,
        radii: vec![at],
        layers: Vec::new(),
        resamples: 0,
        networks: Vec::new(),
        losses: None,
    };
    let mut record = evaluated(&Job::Flatness(job), &path, &[1.0]);
    record.outcome = Outcome::Flatness(outcome);
    fs::write(folder_of.join("flat.json"), record.to_json()).unwrap();
    let entries = Entries::load(folder.path(), &study).unwrap();
    assert_eq!(entries.models[0].records.len(), 3);
    (folder, study, entries)
}

#[test]
fn numbers_become_tables_in_every_format() {
    let (_folder, study, entries) = small();
    let table = Table::of(&study, &entries);
    let keys: Vec<&str> = table.columns.iter().map(|column| &*column.key).collect();
    let expected = [
        "clean_loss",
        "clean_error",
        "robust_loss",
        "robust_error",
        "train_clean_loss",
        "train_clean_error",
        "train_robust_loss",
        "train_robust_error",
        "clean_gap",
        "robust_gap",
        "average_flatness@0.5",
        "epochs",
    ];
    assert_eq!(keys, expected);
    let value = |row: usize, name: &str| table.rows[row].values[table.column(name).unwrap()].map(|v| v.value);
    assert_eq!(value(0, "robust_gap"), Some(0.5));
    assert_eq!(value(0, "average_flatness"), Some(0.5), "the radius may be left out");
    assert_eq!((value(1, "robust_loss"), value(1, "clean_loss")), (Some(1.5), None));
    let error = table.column("robust_los").unwrap_err().to_string();
    assert!(error.contains("did you mean robust_loss?"), "{error}");
    let points = table.points(table.column("epochs").unwrap(), table.column("robust_loss").unwrap());
    assert_eq!((points.len(), points[0].0, &*points[0].1.name), (1, 1, "TRADES"));

    let tex = write_models(&table, TableFormat::Tex);
    assert!(
        tex.contains(
            "\\begin{tabular}{llrrrrrrrrrrrr}\n\\toprule\nModel & Group & Clean loss & Clean error (\\%)"
        ),
        "{tex}"
    );
    assert!(tex.contains("\nat\\_50\\% & AT, plain & 1.500 & 25.0 & 2.500 & 25.0 & 1.000 &"), "{tex}");
    let markdown = write_models(&table, TableFormat::Markdown);
    assert!(markdown.contains("| TRADES |  |  |  | 1.500 |"), "{markdown}");
    assert_eq!(markdown.lines().nth(1).unwrap().matches("---:").count(), 12);
    let csv = write_models(&table, TableFormat::Csv);
    let header = csv.lines().next().unwrap();
    assert!(
        header.starts_with("model,group,training,clean_loss,clean_loss_low,clean_loss_high,"),
        "{header}"
    );
    assert!(csv.contains("\nat_50%,\"AT, plain\",,1.5,"), "{csv}");
    // The same input gives the same bytes.
    assert_eq!(csv, write_models(&Table::of(&study, &entries), TableFormat::Csv));

    let csv = write_records(&study, &entries, TableFormat::Csv);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 4, "{csv}");
    assert!(lines[0].ends_with(
        ",record,clean_loss,clean_error,robust_loss,robust_error,flatness@0.5,flatness@0.5_low,flatness@0.5_high"
    ));
    let flat = lines.iter().find(|line| line.contains("flat.json")).unwrap();
    assert!(flat.ends_with("measures/at_50-/flat.json,,,2.5,0.25,0.5,0.25,1"), "{flat}");
    let json: serde_json::Value =
        serde_json::from_str(&write_records(&study, &entries, TableFormat::Json)).unwrap();
    assert_eq!((json[0]["split"].as_str(), json[0]["robust_loss"].as_f64()), (Some("test"), Some(2.5)));
    for (name, format) in
        [("a.csv", TableFormat::Csv), ("b.TEX", TableFormat::Tex), ("c.md", TableFormat::Markdown)]
    {
        assert_eq!(TableFormat::of(Path::new(name)).unwrap(), format);
    }
    assert!(TableFormat::of(Path::new("a.xls")).unwrap_err().to_string().contains("use .csv"));
}
