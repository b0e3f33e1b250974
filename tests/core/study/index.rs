//! Digests of records that are kept between runs.

use std::fs;
use std::path::Path;

use basin_core::record::Record;
use basin_core::study::{Entries, Look, Model, Reader, State, Step, Study, Table, status};

use super::{evaluated, touch, usual};

/// A study of models with a file of their own and a record each.
fn study(folder: &Path, count: usize) -> Study {
    let mut study = Study { format: 1, measures: usual(), ..Study::default() };
    for number in 0..count {
        let name = format!("m{number}");
        let checkpoint = format!("{name}.pt");
        touch(&folder.join(&checkpoint));
        write(folder, number, 1.0);
        study.models.push(Model { name, checkpoint: Some(checkpoint.into()), ..Model::default() });
    }
    study
}

/// The record of a model with this clean loss.
fn write(folder: &Path, number: usize, loss: f32) {
    let record = evaluated(&usual()[0].job, &folder.join(format!("m{number}.pt")), &[loss, loss]);
    let path = folder.join(format!("measures/m{number}/test.json"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, record.to_json()).unwrap();
}

fn look(reader: &mut Reader, study: &Study) -> Look {
    reader.look(study, &mut |_| true).unwrap().expect("something has changed")
}

fn clean_losses(study: &Study, look: &Look) -> Vec<Option<f64>> {
    let table = Table::of(study, &look.entries);
    let column = table.column("clean_loss").unwrap();
    table.rows.iter().map(|row| row.values[column].map(|value| value.value)).collect()
}

#[test]
fn only_what_has_changed_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let kept = tempfile::tempdir().unwrap();
    let place = kept.path().join("a/study.index");
    let study = study(folder.path(), 120);
    let mut reader = Reader::with_index(folder.path(), Some(place.clone()));
    let first = look(&mut reader, &study);
    assert_eq!(first.step.total, 120, "{:?}", first.step);
    assert_eq!(first.entries.records(), 120);
    assert!(reader.look(&study, &mut |_| true).unwrap().is_none(), "nothing has changed");
    let whole = Entries::load(folder.path(), &study).unwrap();
    assert_eq!(Table::of(&study, &first.entries), Table::of(&study, &whole));
    assert_eq!(status(&study, &first.entries), status(&study, &whole));

    // A second reader knows what the first one knew before it looks.
    write(folder.path(), 7, 3.0);
    fs::remove_file(folder.path().join("measures/m8/test.json")).unwrap();
    let mut looks = Vec::new();
    let mut second = Reader::with_index(folder.path(), Some(place.clone()));
    let last = second.look(&study, &mut |look| {
        looks.push(look);
        true
    });
    let last = last.unwrap().unwrap();
    assert_eq!(looks[0].step, Step::default());
    assert_eq!(clean_losses(&study, &looks[0]), [Some(1.0); 120]);
    assert!(last.step.total <= 2, "{:?}", last.step);
    let losses = clean_losses(&study, &last);
    assert_eq!((losses[7], losses[8], losses[9]), (Some(3.0), None, Some(1.0)));

    // What is added, broken and mended while it is open.
    let path = folder.path().join("measures/m8/test.json");
    fs::write(&path, "{\"format\": 1, \"job\": ").unwrap();
    let broken = look(&mut second, &study);
    assert_eq!(broken.entries.models[8].problems.len(), 1);
    assert!(broken.entries.models[8].problems[0].contains("test.json"), "{:?}", broken.entries.models[8]);
    // Nothing of a record is left in it: that it lies where one is written says that it was one.
    for nothing in ["", "{\"a\": 1}"] {
        fs::write(&path, nothing).unwrap();
        let entries = look(&mut second, &study).entries;
        assert_eq!(entries.models[8].problems.len(), 1, "{nothing:?}");
        let test = study.measures.iter().position(|measure| measure.name == "test").unwrap();
        assert!(matches!(status(&study, &entries)[8].measures[test], State::Broken { .. }), "{nothing:?}");
    }
    write(folder.path(), 8, 5.0);
    assert_eq!(clean_losses(&study, &look(&mut second, &study))[8], Some(5.0));
    touch(&folder.path().join("new.pt"));
    assert_eq!(look(&mut second, &study).entries.unlisted, [Path::new("new.pt")]);
    fs::write(folder.path().join("stray.json"), "{\"format\": 1, \"job\": }").unwrap();
    let stray = look(&mut second, &study);
    assert!(stray.entries.broken[0].1.contains("stray.json"), "{:?}", stray.entries.broken);
    fs::remove_file(folder.path().join("m9.pt")).unwrap();
    let lost = look(&mut second, &study);
    assert!(lost.entries.models[9].problems[0].contains("does not exist"), "{:?}", lost.entries.models[9]);

    // A damaged index is none.
    fs::write(&place, b"no index").unwrap();
    let mut third = Reader::with_index(folder.path(), Some(place));
    assert_eq!(look(&mut third, &study).entries.records(), 120);
}

#[test]
fn a_stopped_look_gives_what_it_has_read() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), 3);
    let mut reader = Reader::with_index(folder.path(), None);
    let whole = look(&mut reader, &study);
    assert_eq!(whole.entries.models[2].records.len(), 1);
    let (path, digest) = &whole.entries.models[0].records[0];
    let record = Record::load(&folder.path().join(path)).unwrap();
    assert_eq!(**digest, basin_core::study::Digest::of(&record));
    assert!(digest.thumbnail.is_none());
}
