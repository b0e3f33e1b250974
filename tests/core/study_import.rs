//! Results of others as studies: `reference/experiment` is a tiny run of the paper's program as it was written to disk,
//! `metrics.json` what that program's evaluation says of it.

use std::fs;
use std::path::Path;

use basin_core::record::{Outcome, Record};
use basin_core::study::import::{Imported, import};
use basin_core::study::{Entries, Study, Table};
use serde_json::Value;

use crate::support::{json, reference};

const NAME: &str = "at_tiny_resnet18_rebn_whiten_2";

fn close(ours: f64, theirs: &Value, what: &str) {
    let theirs = theirs.as_f64().unwrap_or_else(|| panic!("{what}: no number"));
    assert!((ours - theirs).abs() <= 1e-6 * theirs.abs().max(1.0), "{what}: {ours} instead of {theirs}");
}

struct Run {
    folder: tempfile::TempDir,
    imported: Imported,
}

impl Run {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let imported = import(&reference("experiment"), folder.path(), "bundled").unwrap();
        Self { folder, imported }
    }

    fn record(&self, model: &str, name: &str) -> Record {
        let path = self.folder.path().join(format!("measures/{}/{name}.json", model.replace(' ', "-")));
        Record::load(&path).unwrap()
    }

    fn numbers(&self, model: &str) -> &std::collections::BTreeMap<String, f64> {
        &self.imported.study.models.iter().find(|one| one.name == model).unwrap().numbers
    }
}

fn evaluation(record: &Record) -> &basin_core::record::Evaluation {
    let Outcome::Evaluate(evaluation) = &record.outcome else { panic!("no evaluation") };
    evaluation
}

#[test]
fn every_number_of_the_papers_program_is_reproduced() {
    let (run, metrics) = (Run::new(), json("experiment/metrics.json"));
    let epoch = |number: u64| format!("{NAME} epoch {number}");
    for (key, model, name) in [
        ("clean test", NAME.to_owned(), "clean-test"),
        ("clean train", NAME.to_owned(), "clean-train"),
        ("clean test, epoch 0", epoch(0), "clean-test"),
        ("clean test, epoch 1", epoch(1), "clean-test"),
    ] {
        let record = run.record(&model, name);
        let clean = &evaluation(&record).clean;
        close(clean.error, &metrics[key]["test_error"], key);
        close(clean.loss, &metrics[key]["loss"], key);
    }
    for (key, model) in [
        ("pgd_linf/perturbations.h5, worst attempt per image", NAME.to_owned()),
        ("pgd_linf/perturbations0.h5, worst attempt per image", epoch(0)),
        ("pgd_linf/perturbations1.h5, worst attempt per image", epoch(1)),
    ] {
        let theirs = &metrics[key];
        // Clean numbers are over all images there, not only over those that were attacked.
        let clean = run.record(&model, "clean-test");
        close(evaluation(&clean).clean.error, &theirs["test_error"], key);
        close(evaluation(&clean).clean.loss, &theirs["loss"], key);
        let record = run.record(&model, "pgd_linf");
        let robust = evaluation(&record).robust.as_ref().unwrap();
        close(robust.error, &theirs["robust_test_error"], key);
        close(robust.loss, &theirs["robust_loss"], key);
        let of = robust.metrics.as_ref().unwrap();
        close(of.correct_loss.unwrap(), &theirs["robust_correct_loss"], key);
        close(of.success_rate.unwrap(), &theirs["success_rate"], key);
        assert_eq!(evaluation(&record).attempts.len(), 2);
    }
    for attack in ["weight_l2_random_nonorm", "weight_input_joint"] {
        let (ours, theirs) = (run.numbers(NAME), &metrics[attack]);
        for (name, key, reduction) in [
            ("error", "reference_test_error", "mean"),
            ("loss", "reference_loss", "mean"),
            ("perturbed_error", "robust_test_error", "mean"),
            ("perturbed_error_max", "robust_test_error", "max"),
            ("perturbed_loss", "robust_loss", "mean"),
            ("perturbed_loss_max", "robust_loss", "max"),
        ] {
            close(ours[&format!("{attack}:{name}")], &theirs[key][reduction], &format!("{attack}, {key}"));
        }
    }
}

#[test]
fn landscapes_eigenvalues_perturbations_and_logs_are_kept() {
    let (run, metrics) = (Run::new(), json("experiment/metrics.json"));
    for (name, key) in [
        (
            "weight_l2_random_nonorm_layer_l2_05_visualization",
            "weight_l2_random_nonorm_layer_l2_05_visualization",
        ),
        (
            "weight_l2_random_nonorm_layer_l2_05_adversarial_visualization-pgd_linf",
            "weight_l2_random_nonorm_layer_l2_05_adversarial_visualization/pgd_linf",
        ),
    ] {
        let records: Vec<Record> = (0..3).map(|i| run.record(NAME, &format!("{name}-{i}"))).collect();
        for point in 0..5 {
            let (mut loss, mut error) = (0.0, 0.0);
            for record in &records {
                let Outcome::Landscape(landscape) = &record.outcome else { panic!("no landscape") };
                assert_eq!(record.job.data().examples.to_string(), "test:0..16", "the images of its attack");
                close(landscape.x[point], &metrics[key]["steps"][point], key);
                let grid = landscape.robust.as_ref().or(landscape.clean.as_ref()).unwrap();
                loss += grid.loss.get(point, 0).unwrap() / 3.0;
                error += grid.error.get(point, 0).unwrap() / 3.0;
            }
            close(loss, &metrics[key]["losses"][point], key);
            close(error, &metrics[key]["errors"][point], key);
        }
    }
    let record = run.record(NAME, "eigenvalues_2");
    let Outcome::Hessian(hessian) = &record.outcome else { panic!("no Hessian") };
    close(hessian.smallest[0].value, &metrics["eigenvalues_2.pkl"][0], "smallest");
    close(hessian.largest[0].value, &metrics["eigenvalues_2.pkl"][1], "largest");
    // Perturbations lie in the ball and are beside the record; probabilities, too.
    let pgd = run.folder.path().join(format!("measures/{NAME}/pgd_linf.json"));
    let kept = Record::load(&pgd).unwrap().load_examples(&pgd).unwrap().unwrap();
    assert_eq!((kept.shape, kept.count()), ([16, 3, 32, 32], 2));
    let largest = kept.attempts.iter().map(|value| value.abs()).fold(0.0, f32::max);
    assert!((largest - 8.0 / 255.0).abs() < 1e-6, "{largest}");
    let record = run.record(NAME, "clean-test");
    assert!(pgd.with_file_name(evaluation(&record).probabilities.as_ref().unwrap()).is_file());
    assert!(
        record.provenance.warnings[0].contains("nothing was computed"),
        "{:?}",
        record.provenance.warnings
    );
    let log = fs::read_to_string(run.folder.path().join(format!("logs/{NAME}.csv"))).unwrap();
    assert!(
        log.starts_with("tag,step,value\n") && log.contains("\ntest/adversarial_loss,1,2.80022"),
        "{}",
        &log[..300]
    );
    assert!(log.lines().filter(|line| line.starts_with("train/lr,")).count() >= 2);
}

#[test]
fn an_imported_study_is_a_study() {
    let run = Run::new();
    assert_eq!(run.imported.records, 2 + 1 + 1 + 3 + 6 + 1);
    let study = Study::load(run.folder.path()).unwrap();
    assert_eq!(study, run.imported.study);
    let names: Vec<&str> = study.models.iter().map(|model| &*model.name).collect();
    assert_eq!(names, [NAME.to_owned(), format!("{NAME} epoch 0"), format!("{NAME} epoch 1")]);
    assert!(study.models[0].checkpoint.is_some() && study.models[2].checkpoint.is_none());
    assert_eq!(study.models[0].training, study.models[2].training, "snapshots of one training");
    let entries = Entries::load(run.folder.path(), &study).unwrap();
    assert_eq!(entries.models[0].records.len(), 2 + 1 + 6 + 1, "{:?}", entries.models[0].problems);
    assert!(entries.strangers.is_empty());
    let table = Table::of(&study, &entries);
    let loss = table.rows[1].values[table.column("clean_loss").unwrap()].unwrap();
    close(loss.value, &json("experiment/metrics.json")["clean test, epoch 0"]["loss"], "in the table");
    // Weights without a known radius are numbers, and that is said.
    assert!(
        run.imported.notes.iter().any(|note| note.contains("weight_input_joint does not tell")),
        "{:?}",
        run.imported.notes
    );
    let again = import(&reference("experiment"), run.folder.path(), "bundled").unwrap_err().to_string();
    assert!(again.contains("has a study already"), "{again}");
}

#[test]
fn names_of_the_paper_become_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("at");
    copy(&reference(&format!("experiment/experiments/Oracle/{NAME}")), &source);
    let pgd = "input_linf_gd_normalized_lr0007_mom0_i20_e00314_at10";
    let joint = basin_core::attack::names::names()
        .find(|name| name.starts_with("joint_") && name.ends_with("_at10_test"));
    let joint = joint.unwrap();
    let random = "weight_l2_random_nonorm2_e05_at10_test";
    for (from, to) in [("pgd_linf", pgd), ("weight_l2_random_nonorm", random), ("weight_input_joint", &joint)]
    {
        fs::rename(source.join(from), source.join(to)).unwrap();
    }
    let out = folder.path().join("study");
    let imported = import(&folder.path().join("at"), &out, "bundled").unwrap();
    let measures = out.join("measures/at");
    let record = Record::load(&measures.join(format!("{random}.json"))).unwrap();
    let Outcome::Flatness(flatness) = &record.outcome else { panic!("no flatness") };
    let metrics = json("experiment/metrics.json");
    let theirs = &metrics["weight_l2_random_nonorm"];
    close(flatness.radii[0].loss, &theirs["robust_loss"]["mean"], "mean");
    close(flatness.radii[0].worst, &theirs["robust_loss"]["max"], "largest");
    close(flatness.reference_loss, &theirs["reference_loss"]["mean"], "reference");
    assert_eq!((flatness.radii[0].radius, flatness.radii[0].draws.len()), (0.5, 3));
    assert!(flatness.radii[0].interval.is_some());
    let record = Record::load(&measures.join(format!("{pgd}.json"))).unwrap();
    assert_eq!(record.job.input_attack().unwrap().steps, 20);
    // The worst case of the robust loss is compared with the attack on the unperturbed network.
    let worst = Record::load(&measures.join(format!("{joint}.json"))).unwrap();
    let Outcome::Flatness(flatness) = &worst.outcome else { panic!("no flatness") };
    close(flatness.radii[0].loss, &metrics["weight_input_joint"]["robust_loss"]["max"], "worst case");
    let key = "pgd_linf/perturbations.h5, worst attempt per image";
    close(flatness.reference_loss, &metrics[key]["robust_loss"], "its reference");
    assert_eq!((flatness.radii[0].spread.is_some(), flatness.radii[0].interval), (true, None));
    let study = imported.study;
    let entries = Entries::load(&out, &study).unwrap();
    let table = Table::of(&study, &entries);
    let value = |name: &str| table.rows[0].values[table.column(name).unwrap()].unwrap().value;
    close(
        value("robust_loss"),
        &metrics["pgd_linf/perturbations.h5, worst attempt per image"]["robust_loss"],
        "robust",
    );
    assert!(value("average_clean_flatness") > 0.0);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn damaged_results_are_notes() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("at");
    copy(&reference(&format!("experiment/experiments/Oracle/{NAME}")), &source);
    fs::write(source.join("train_probabilities.h5"), "no HDF5").unwrap();
    fs::write(source.join("eigenvalues_2.pkl"), "no pickle").unwrap();
    let imported = import(&source, &folder.path().join("out"), "bundled").unwrap();
    for part in ["train_probabilities.h5", "eigenvalues_2.pkl"] {
        assert!(imported.notes.iter().any(|note| note.contains(part)), "{:?}", imported.notes);
    }
    let error =
        import(&folder.path().join("none"), &folder.path().join("b"), "bundled").unwrap_err().to_string();
    assert!(error.contains("does not exist"), "{error}");
    let nothing = tempfile::tempdir().unwrap();
    let error = import(nothing.path(), &folder.path().join("c"), "bundled").unwrap_err().to_string();
    assert!(error.contains("no experiments of the paper's program"), "{error}");
    // More images than the data set has: which data set is needed is said.
    let imported = import(&source, &folder.path().join("d"), "nowhere").unwrap();
    assert!(imported.notes[0].contains("labels of 64 images are needed"), "{:?}", imported.notes);
}

#[test]
fn tables_of_anyone_become_studies() {
    let folder = tempfile::tempdir().unwrap();
    let table = |text: &str| {
        let path = folder.path().join("t.csv");
        fs::write(&path, text).unwrap();
        let out = tempfile::tempdir().unwrap();
        import(&path, &out.path().join("s"), "bundled")
    };
    let text = "# anyone's\nmodel;group;flatness;note;loss\nAT;\"A; B\";0.5;good;2,0\n";
    let notes = table(text).unwrap().notes;
    assert!(
        notes.iter().any(|note| note.contains("column loss is left out: \"2,0\" in line 3")),
        "{notes:?}"
    );
    let imported =
        table("Name,family,x,y\nAT,plain,0.5,2\nAT,,nan,1\n\n\"TRADES, 6\",other,-1e-3,\n").unwrap();
    let models = &imported.study.models;
    let names: Vec<&str> = models.iter().map(|model| &*model.name).collect();
    assert_eq!(names, ["AT", "AT (2)", "TRADES, 6"]);
    assert_eq!((models[0].group.as_deref(), models[1].group.as_deref()), (Some("plain"), None));
    assert_eq!((models[0].numbers["x"], models[2].numbers["x"]), (0.5, -1e-3));
    assert!(!models[1].numbers.contains_key("x") && !models[2].numbers.contains_key("y"));
    // Lines of one name are a group, and others are none.
    let models = table("label,x\nAT,1\nOther,2\nOther,3\n").unwrap().study.models;
    assert_eq!((models[0].group.as_deref(), models[1].group.as_deref()), (Some("AT"), None));
    assert_eq!(&*models[2].name, "Other (2)");
    for (text, part) in [
        ("x,y\n1,2\n", "no column of names among x, y"),
        ("name,words\na,b\n", "no column of numbers"),
        ("name,x\n", "no column of numbers"),
        ("name,x\na,1,2\n", "3 cells in line 2, but 2 columns"),
    ] {
        let error = table(text).unwrap_err().to_string();
        assert!(error.contains(part), "{part}: {error}");
    }
}

/// A log of four epochs, one of them run twice, as robust_overfitting and AT-AWP write it.
fn log(offset: f64) -> String {
    let names = "Epoch \t Train Time \t Test Time \t LR \t \t Train Loss \t Train Acc \t Train Robust Loss \t Train Robust Acc \t Test Loss \t Test Acc \t Test Robust Loss \t Test Robust Acc";
    let row = |epoch: usize, robust: f64| {
        let train = 1.9 - 0.2 * epoch as f64;
        format!(
            "{epoch} \t 183.0 \t \t 20.1 \t \t 0.1000 \t 1.1000 \t 0.6000 \t {train:.4} \t 0.3000 \t 0.9000 \t 0.7000 \t {:.4} \t {robust:.4}",
            2.0 + offset
        )
    };
    let rows = [row(0, 0.3), row(1, 0.2), row(1, 0.45), row(2, 0.5), row(3, 0.4)];
    let line = |text: &str| format!("[2020/02/20 20:20:20] - {text}\n");
    let first = ["Namespace(attack='pgd', epochs=4)", names].map(line).concat();
    first + &rows.map(|row| line(&row)).concat() + &line("Resuming at epoch 3")
}

#[test]
fn logs_of_robust_overfitting_and_awp_are_models() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join("logs").join(name);
    for (name, offset) in [("at", 0.0), ("awp", -0.5)] {
        fs::create_dir_all(at(name)).unwrap();
        fs::write(at(name).join("output.log"), log(offset)).unwrap();
    }
    for file in ["at/model_1.pth", "at/model_best.pth", "at/opt_1.pth"] {
        fs::write(at(file), "no checkpoint").unwrap();
    }
    let out = folder.path().join("study");
    let imported = import(&folder.path().join("logs"), &out, "bundled").unwrap();
    let models = &imported.study.models;
    let names: Vec<&str> = models.iter().map(|model| &*model.name).collect();
    assert_eq!(names, ["at epoch 2", "at", "at best", "awp"]);
    let number = |model: usize, name: &str| models[model].numbers[name];
    // Of the epoch that was run again the second row; accuracies become errors; the best is the epoch of most robust accuracy.
    for (model, name, value) in [
        (0, "robust_error", 0.55),
        (1, "robust_error", 0.6),
        (2, "robust_error", 0.5),
        (1, "robust_loss", 2.0),
        (3, "robust_loss", 1.5),
        (1, "train_robust_loss", 1.3),
        (1, "robust_gap", 0.7),
        (1, "clean_error", 0.3),
        (1, "clean_gap", -0.2),
    ] {
        assert!((number(model, name) - value).abs() < 1e-9, "{model} {name}: {}", number(model, name));
    }
    assert!(models[0].checkpoint.as_ref().is_some_and(|path| path.ends_with("at/model_1.pth")));
    assert!(models[1].checkpoint.is_none() && models[3].group.as_deref() == Some("awp"));
    // The numbers that a checkpoint stores cannot be read of a broken one.
    assert!(imported.notes.iter().any(|note| note.contains("model_best.pth")), "{:?}", imported.notes);
    assert!(imported.notes.iter().any(|note| note.contains("running means")), "{:?}", imported.notes);
    assert_eq!(Study::load(&out).unwrap(), imported.study);
}
