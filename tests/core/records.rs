//! Records as files: they open in every version that may read them, come back bit for bit, and are written whole or
//! not at all.

use std::path::{Path, PathBuf};

use basin_core::Error;
use basin_core::files::{check_destination, read_text, write_atomically};
use basin_core::record::{FORMAT, Outcome, Provenance, Record, Values};
use serde_json::{Value, json};

use crate::support::sample_records;

fn samples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = [root.join("tests/reference/records"), root.join("resources/records")];
    let files = folders.iter().filter(|folder| folder.is_dir()).flat_map(|f| std::fs::read_dir(f).unwrap());
    let paths =
        files.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "json"));
    paths.collect()
}

fn evaluation() -> Value {
    serde_json::to_value(sample_records::evaluation()).unwrap()
}

fn parse(value: &Value) -> Result<Record, String> {
    Record::parse(&value.to_string())
}

#[test]
fn every_sample_opens_and_is_consistent() {
    let samples = samples();
    assert!(samples.len() >= 3, "{samples:?}");
    for path in samples {
        let record = Record::load(&path).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(Record::parse(&record.to_json()).unwrap(), record, "{}", path.display());
        match &record.outcome {
            Outcome::Evaluate(e) => {
                let rows = &e.clean.per_example;
                assert!(
                    [rows.label.len(), rows.loss.len(), rows.predicted.len()]
                        .iter()
                        .all(|n| *n == rows.index.len())
                );
            }
            Outcome::Flatness(f) => {
                assert!(
                    f.radii
                        .iter()
                        .all(|at| !at.draws.is_empty() && at.interval.is_none_or(|[low, high]| low <= high))
                );
            }
            Outcome::Attack(a) => {
                let rows = &a.per_example;
                let lengths = [rows.label.len(), rows.robust.len(), rows.broken_by.len(), rows.loss.len()];
                assert!(lengths.iter().all(|n| *n == rows.index.len()));
            }
            Outcome::Benchmark(b) => assert_eq!(record.parts().len(), b.entries.len()),
            Outcome::Train(t) => assert!(!t.epochs.is_empty()),
            Outcome::Landscape(l) => {
                let cells = l.x.len() * l.y.as_ref().map_or(1, Vec::len);
                for grid in l.clean.iter().chain(&l.robust) {
                    assert_eq!(grid.loss.iter().count(), cells);
                    assert_eq!(grid.error.iter().count(), cells);
                    assert_eq!(matches!(grid.loss, Values::Plane(_)), l.y.is_some());
                }
            }
            other => assert!(!other.headline(&record.job).numbers.is_empty()),
        }
    }
}

/// Adds a field of a later version to every object.
fn extended(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(extended);
            map.insert("from_a_later_version".into(), json!({ "any": [1, "thing"] }));
        }
        Value::Array(items) => items.iter_mut().for_each(extended),
        _ => {}
    }
}

#[test]
fn fields_of_later_versions_are_ignored() {
    for path in samples() {
        let mut value: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        extended(&mut value);
        assert_eq!(parse(&value).unwrap(), Record::load(&path).unwrap(), "{}", path.display());
    }
}

#[test]
fn fields_that_may_be_missing_have_defaults() {
    let mut value = evaluation();
    value["provenance"] = json!({});
    value["outcome"].as_object_mut().unwrap().remove("robust");
    for field in ["data", "attack", "compute"] {
        value["job"].as_object_mut().unwrap().remove(field);
    }
    let record = parse(&value).unwrap();
    assert_eq!(record.provenance, Provenance::default());
    assert!(!record.provenance.complete, "what does not say that it is complete is not");
    assert_eq!(record.job.data().name, "bundled");
    assert_eq!(record.job.compute().device, "auto");
    value.as_object_mut().unwrap().remove("provenance");
    assert_eq!(parse(&value).unwrap(), record);
}

#[test]
fn other_formats_are_refused_in_words() {
    let mut value = evaluation();
    value["format"] = json!(FORMAT + 1);
    let reason = parse(&value).unwrap_err();
    assert!(reason.contains("newer Basin") && reason.ends_with("update Basin"), "{reason}");
    for format in [json!(null), json!("1"), json!(-1)] {
        value["format"] = format;
        assert!(parse(&value).unwrap_err().starts_with("is not a Basin record"));
    }
    for text in ["", "{", "[]", "7", "{\"format\": 1}", "\u{0}"] {
        let reason = Record::parse(text).unwrap_err();
        assert!(reason.contains("Basin record") && !reason.contains('\n'), "{text}: {reason}");
    }
}

#[test]
fn numbers_come_back_bit_for_bit() {
    let odd =
        [0.1 + 0.2, -0.0, 5e-324, f64::MIN_POSITIVE / 3.0, f64::MAX, std::f64::consts::PI, 1e23, 1.0 / 3.0];
    let mut record = sample_records::evaluation();
    let Outcome::Evaluate(outcome) = &mut record.outcome else { panic!() };
    outcome.clean.per_example.loss = vec![f32::MIN_POSITIVE / 7.0, 0.1, -0.0, f32::MAX, 1e-45];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.json");
    for value in odd {
        let Outcome::Evaluate(outcome) = &mut record.outcome else { panic!() };
        outcome.clean.loss = value;
        record.provenance.seed = u64::MAX;
        record.save(&path).unwrap();
        let back = Record::load(&path).unwrap();
        assert_eq!(back, record);
        let Outcome::Evaluate(found) = &back.outcome else { panic!() };
        assert_eq!(found.clean.loss.to_bits(), value.to_bits());
        let bits = |record: &Record| match &record.outcome {
            Outcome::Evaluate(e) => e.clean.per_example.loss.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        assert_eq!(bits(&back), bits(&record));
    }
    let mut grid = Values::empty(odd.len(), Some(2));
    odd.iter().enumerate().for_each(|(x, value)| grid.set(x, 1, *value));
    let back: Values = serde_json::from_str(&serde_json::to_string(&grid).unwrap()).unwrap();
    assert_eq!(back, grid);
    assert_eq!(back.get(2, 1).unwrap().to_bits(), 5e-324f64.to_bits());
    assert_eq!(back.get(2, 0), None);
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_atomically(&at("x"), b"first").unwrap();
    write_atomically(&at("x"), b"second").unwrap();
    assert_eq!(std::fs::read(at("x")).unwrap(), b"second");
    std::fs::create_dir(at("folder")).unwrap();
    for (path, remedy) in [
        (at("none/x"), "create it first"),
        (at("x/below"), "choose another place"),
        (at("folder"), "add the name of a file"),
    ] {
        for error in [write_atomically(&path, b"third").unwrap_err(), check_destination(&path).unwrap_err()] {
            let text = error.to_string();
            assert!(text.starts_with(&path.display().to_string()) && text.ends_with(remedy), "{text}");
        }
    }
    assert_eq!(names(folder.path()), ["folder", "x"]);
    assert_eq!(std::fs::read(at("x")).unwrap(), b"second");
}

#[test]
fn readers_never_see_half_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let content = |letter: u8| vec![letter; 100_000];
    write_atomically(&path, &content(b'a')).unwrap();
    std::thread::scope(|scope| {
        for letter in *b"bcd" {
            let path = &path;
            scope.spawn(move || (0..10).for_each(|_| write_atomically(path, &content(letter)).unwrap()));
        }
        for _ in 0..200 {
            let found = std::fs::read(&path).unwrap();
            assert!(found.len() == 100_000 && found.iter().all(|b| *b == found[0]));
        }
    });
    assert_eq!(names(folder.path()), ["x"]);
}

#[cfg(unix)]
#[test]
fn links_and_devices_stay_what_they_are() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    write_atomically(&file, b"old").unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    std::os::unix::fs::symlink("file", &link).unwrap();
    write_atomically(&link, b"new").unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::read(&file).unwrap(), b"new");
    assert_eq!(names(folder.path()), ["file", "link"]);
    write_atomically(Path::new("/dev/null"), b"gone").unwrap();
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn text_is_read_or_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("binary");
    std::fs::write(&binary, [0x80, 2, 0xff]).unwrap();
    for (path, reason) in [
        (folder.path().join("none"), "does not exist"),
        (folder.path().to_owned(), "is a folder"),
        (binary, "is not a Basin record"),
    ] {
        let error = Record::load(&path).unwrap_err();
        assert!(matches!(error, Error::File { .. }) && error.to_string().contains(reason), "{error}");
        assert!(read_text(&path, "a job").is_err());
    }
}
