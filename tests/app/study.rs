//! `basin study` from a folder of checkpoints to tables, statistics and the figure.

use std::path::Path;

use crate::support::program::Basin;

/// Two trained networks of the bundled study, measured clean on a few images.
fn with_two() -> Basin {
    let basin = Basin::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../resources/study");
    for name in ["at", "mart"] {
        std::fs::create_dir_all(basin.path(&format!("s/{name}"))).unwrap();
        let file = format!("{name}/final.safetensors");
        std::fs::copy(source.join(&file), basin.path(&format!("s/{file}"))).unwrap();
    }
    let job =
        r#"{"kind": "evaluate", "checkpoint": "", "data": {"name": "bundled", "examples": "test:0..8"}}"#;
    basin.write("clean.json", job);
    basin
}

#[test]
fn a_folder_is_measured_and_becomes_tables() {
    let basin = with_two();
    basin.refused(&["study", "status", "s"], &["s: has no study.json", "basin study init s"]);
    let listed = basin.ok(&["study", "init", "s", "--measure", "clean.json"]).out;
    assert!(listed.contains("at") && listed.contains("mart/final.safetensors"), "{listed}");
    let planned = basin.record(&["study", "status", "s"]);
    assert_eq!(planned["models"][0]["measures"][0]["state"], "missing", "{planned}");
    basin.misused(&["study", "init", "s", "--examples", "test:0..4"], &["study.json has its measures"]);
    // As job files for a cluster.
    basin.ok(&["study", "measure", "s", "--jobs", "jobs"]);
    let scripts = basin
        .ok(&["submit", "jobs/at.clean.json", "jobs/mart.clean.json", "--out", "s/measures", "--dry-run"])
        .out;
    assert!(scripts.contains("s/measures/at.clean.record.json"), "{scripts}");
    basin.ok(&[
        "run",
        "jobs/mart.clean.json",
        "--out",
        "s/measures/mart.clean.record.json",
        "--threads",
        "1",
    ]);
    // What the cluster has measured is known; the rest is computed here, and a broken file does not stop it.
    basin.write("s/broken.pt", "no checkpoint");
    basin.ok(&["study", "init", "s"]);
    let done = basin.run(&["study", "measure", "s", "--threads", "1"]);
    assert_eq!(done.code, Some(1), "{}", done.err);
    for part in ["1 of 2 records could not be computed (clean of broken)", "broken.pt"] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
    let status = basin.record(&["study", "status", "s"]);
    let state = |model: usize| status["models"][model]["measures"][0]["state"].clone();
    assert_eq!([state(0), state(1), state(2)], ["measured", "measured", "missing"], "{status}");
    assert!(basin.path("s/measures/at/clean.json").is_file());
    basin.ok(&["study", "measure", "s", "--model", "at"]);
    // A damaged record is told, stays as it is, and is measured again when asked.
    let whole = basin.read("s/measures/at/clean.json");
    for damaged in ["", "{\"half\":", &whole[..500]] {
        basin.write("s/measures/at/clean.json", damaged);
        let said = basin.ok(&["study", "status", "s"]);
        assert!(said.out.contains("broken") && said.err.contains("clean.json"), "{} {}", said.out, said.err);
        let kept = basin.ok(&["study", "measure", "s", "--model", "at"]);
        assert!(kept.err.contains("1 record is broken; --force"), "{}", kept.err);
        assert_eq!(basin.read("s/measures/at/clean.json"), damaged);
    }
    basin.ok(&["study", "measure", "s", "--model", "at", "--force", "--threads", "1"]);
    assert_eq!(basin.record(&["study", "status", "s"])["models"][0]["measures"][0]["state"], "measured");
    basin.misused(&["study", "measure", "s", "--model", "att"], &["no model \"att\"", "did you mean at?"]);
    for file in ["t.csv", "t.json", "t.tex", "t.md"] {
        basin.ok(&["study", "export", "s", "--out", file]);
    }
    let csv = basin.read("t.csv");
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(csv.contains("clean_loss,clean_error"), "{csv}");
    assert!(basin.read("t.tex").contains("\\toprule"));
    basin.ok(&["study", "export", "s", "--out", "one.csv", "--where", "mart and has clean loss"]);
    assert_eq!(basin.read("one.csv").lines().count(), 2);
    let wrong = ["study", "export", "s", "--out", "one.csv", "--where", "clean los < 1"];
    basin.misused(&wrong, &["at \"clean los\"", "did you mean clean_loss?"]);
    basin.refused(&["study", "export", "s", "--out", "t.xls"], &["use .csv"]);
    basin.refused(
        &["study", "stats", "s"],
        &["no number \"average_flatness\"", "it has clean_loss, clean_error"],
    );
}

/// A study of numbers alone.
fn numbers() -> Basin {
    let basin = Basin::new();
    let model = |i: usize| {
        let (x, y) = (0.1 * i as f64, 1.0 + 0.2 * i as f64 + 0.3 * f64::from(u8::from(i.is_multiple_of(3))));
        let group = if i < 6 { "AT" } else { "TRADES" };
        format!(
            r#"{{"name": "m{i}", "group": "{group}", "numbers": {{"average_flatness@0.5": {x}, "robust_loss": {y}, "width": {}}}}}"#,
            i % 4
        )
    };
    let models: Vec<String> = (1..13).map(model).collect();
    let groups = r##""groups": {"AT": {"color": "#102030", "marker": "star"}}"##;
    std::fs::create_dir(basin.path("s")).unwrap();
    basin.write("s/study.json", format!("{{\"format\": 1, {groups}, \"models\": [{}]}}", models.join(",\n")));
    basin
}

#[test]
fn statistics_are_printed_and_drawn() {
    let basin = numbers();
    let text = basin.ok(&["study", "stats", "s", "--given", "width"]).out;
    for part in
        ["robust_loss over average_flatness@0.5, 12 models", "Kendall", "width", "without", "sign error:"]
    {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    let stats = basin.record(&["study", "stats", "s", "--given", "width"]);
    assert_eq!((&stats["n"], &stats["x"]), (&12.into(), &"average_flatness@0.5".into()), "{stats}");
    assert!(stats["kendall_interval"][0].as_f64().unwrap() > 0.3, "{stats}");
    assert_eq!(stats["given"][0]["given"], "width");
    assert_eq!(stats["without_group"].as_array().unwrap().len(), 2);
    let fewer = basin.record(&["study", "stats", "s", "--without", "AT"]);
    assert_eq!(fewer["n"], 7, "{fewer}");
    assert!(fewer["warnings"].to_string().contains("7 models are few"), "{fewer}");
    basin.misused(&["study", "stats", "s", "--without", "MART"], &["neither a model nor a group \"MART\""]);
    basin.refused(&["study", "stats", "s", "--x", "flatnes"], &["no number \"flatnes\""]);

    // Numbers alone need no measures; what cannot be imported leaves nothing behind.
    let said = basin.ok(&["study", "init", "s"]).err;
    assert!(
        said.contains("no measures in study.json") && said.contains("next: basin study status s"),
        "{said}"
    );
    basin.write("nameless.csv", "x,y\n1,2\n");
    basin.refused(&["study", "import", "nameless.csv", "--out", "imported"], &["no column of names"]);
    assert!(!basin.path("imported").exists());

    basin.ok(&["study", "export", "s", "--columns", "robust_loss,average_flatness", "--out", "c.csv"]);
    let table = basin.read("c.csv");
    assert!(
        table.starts_with("model,group,training,robust_loss,average_flatness@0.5\nm1,AT,,1.2,0.1\n"),
        "{table}"
    );
    basin.refused(
        &["study", "export", "s", "--columns", "robust_los", "--out", "c.csv"],
        &["did you mean robust_loss"],
    );

    let drawn = basin.record(&["plot", "s", "--fit", "band", "--out", "f.svg"]);
    assert_eq!((&drawn["kind"], &drawn["correlation"]["n"]), (&"scatter".into(), &12.into()), "{drawn}");
    assert_eq!(drawn["correlation"]["pearson"], stats["pearson"]);
    let svg = basin.read("f.svg");
    assert!(svg.contains("#102030") && svg.contains("Kendall"), "the group's own colour, the statistics");
    basin.ok(&["plot", "s", "--x", "width", "--y", "robust_loss", "--out", "g.csv"]);
    assert!(basin.read("g.csv").contains("TRADES,m12,0.0,"), "{}", basin.read("g.csv"));
    let none = ["s is a study without a record that --figure flatness shows"];
    basin.refused(&["plot", "s", "--figure", "flatness", "--out", "h.svg"], &none);
    basin.misused(&["plot", "s", "--name", "x", "--out", "h.svg"], &["--name is for records"]);
    basin.misused(&["plot", "--example", "paper", "--x", "width", "--out", "h.svg"], &["--x is for a study"]);
    basin.refused(&["plot", "s", "--y", "gap", "--out", "h.svg"], &["no number \"robust_gap\""]);
}

/// A study of the snapshots of a training, by their numbers.
fn snapshots() -> Basin {
    let basin = Basin::new();
    let model = |(i, file): (usize, &str)| {
        let (x, y) = (0.1 + 0.2 * i as f64, [1.8, 1.5, 2.4, 3.6, 1.4][i]);
        format!(
            r#"{{"name": "at {i}", "group": "AT", "training": "at", "checkpoint": "at/{file}.safetensors",
                "numbers": {{"average_flatness@0.5": {x}, "robust_loss": {y}, "autoattack_error": {}}}}}"#,
            0.5 + 0.02 * i as f64
        )
    };
    let files = ["snapshots/epoch-0000", "snapshots/epoch-0004", "snapshots/epoch-0009", "final", "best"];
    let models: Vec<String> = files.into_iter().enumerate().map(model).collect();
    std::fs::create_dir(basin.path("s")).unwrap();
    basin.write("s/study.json", format!("{{\"format\": 1, \"models\": [{}]}}", models.join(",\n")));
    basin
}

#[test]
fn states_of_a_training_are_joined_and_drawn_over_epochs() {
    let basin = snapshots();
    let plot = |more: &[&str]| basin.ok(&[&["plot", "s"], more].concat());
    plot(&["--figure", "epochs", "--out", "e.csv"]);
    let epochs = basin.read("e.csv");
    assert!(epochs.contains("x,Test RLoss,Average-case flatness\n1.0,1.8,0.1\n5.0,1.5,"), "{epochs}");
    plot(&["--connect", "epochs", "--color", "epoch", "--out", "t.csv"]);
    let trail = basin.read("t.csv");
    assert!(trail.contains("epoch 5,at 1,0.3") && trail.contains("early stopping,at 4,"), "{trail}");
    plot(&["--connect", "early-stopping", "--palette", "safe", "--style", "iccv", "--out", "a.svg"]);
    let arrow = basin.read("a.svg");
    assert!(
        arrow.contains("#0072b2") && arrow.contains("#6e6e6e") && arrow.contains("3.25in"),
        "the colours"
    );
    plot(&["--connect", "early-stopping", "--palette", "safe", "--style", "iccv", "--out", "b.svg"]);
    assert_eq!(arrow, basin.read("b.svg"), "the same drawing again");
    let pieces = ["--x", "robust_loss", "--y", "autoattack_error", "--fit", "pieces"];
    plot(&[&pieces[..], &["--fit-break", "2", "--out", "p.csv"]].concat());
    assert!(basin.read("p.csv").contains("x,fit below 2,fit from 2"), "{}", basin.read("p.csv"));
    basin.misused(&["plot", "s", "--fit-break", "2", "--out", "p.svg"], &["--fit pieces"]);
    basin.misused(
        &["plot", "s", "--figure", "epochs", "--x", "y", "--out", "p.svg"],
        &["--x is for --figure scatter"],
    );
}

#[test]
fn the_points_of_the_papers_poster_give_its_correlation() {
    let basin = Basin::new();
    let table = crate::support::program::reference("statistics/poster.csv");
    let done = basin.ok(&["study", "import", &table, "--out", "s"]);
    assert!(done.err.contains("65 models with 0 records and 130 numbers"), "{}", done.err);
    let stats = basin.record(&["study", "stats", "s", "--x", "avg_flatness_rloss", "--y", "test_rloss"]);
    assert!((stats["pearson"].as_f64().unwrap() - 0.890_249).abs() < 1e-6, "{stats}");
    assert!((stats["slope"].as_f64().unwrap() - 1.778_883).abs() < 1e-6, "{stats}");
    let listed = basin.ok(&["study", "status", "s"]).out;
    assert!(listed.contains("AT (baseline)") && listed.contains("2 numbers"), "{listed}");
    basin.ok(&[
        "plot",
        "s",
        "--x",
        "avg_flatness_rloss",
        "--y",
        "test_rloss",
        "--fit",
        "band",
        "--out",
        "f.png",
    ]);
    basin.refused(&["study", "import", &table, "--out", "s"], &["s: has a study already"]);
    basin.misused(&["study", "import", &table], &["--out"]);
}

#[test]
fn the_bundled_study_is_measured_and_shows_what_its_readme_says() {
    let basin = Basin::new();
    let study = Path::new(env!("CARGO_MANIFEST_DIR")).join("../resources/study");
    let study = study.to_str().unwrap();
    let status = basin.record(&["study", "status", study]);
    let models = status["models"].as_array().unwrap();
    let states = models.iter().flat_map(|model| model["measures"].as_array().unwrap());
    assert!(models.len() == 12 && states.clone().count() == 84, "{status}");
    assert!(states.clone().all(|measure| measure["state"] == "measured"), "{status}");
    let readme = std::fs::read_to_string(Path::new(study).join("README.md")).unwrap();
    for (x, row) in [
        ("average_flatness@0.5", "average robust flatness"),
        ("worst_flatness@0.01", "worst-case robust flatness"),
        ("relative_flatness", "relative flatness"),
        ("lambda_max", "largest eigenvalue"),
    ] {
        let told = basin.record(&["study", "stats", study, "--x", x, "--y", "robust_gap"]);
        let value = |name: &str| format!("{:.2} [", told[name].as_f64().unwrap());
        let row = readme.lines().find(|line| line.starts_with(&format!("| {row}"))).unwrap();
        for name in ["pearson", "spearman"] {
            assert!(row.contains(&value(name)), "{x}: {name} {} is not in {row}", value(name));
        }
    }
}
