//! Landscapes in files of other programs: what h5py and numpy wrote is read, and what is written is read again.

use std::path::{Path, PathBuf};

use basin_core::exchange::{hdf5, npz};
use basin_core::job::Job;
use basin_core::record::{LandscapeOutcome, Outcome, Record, Values};

use basin_core::progress::Silent;

use crate::support::{reference, sample_records};

const X: [f64; 5] = [-1.0, -0.5, 0.0, 0.5, 1.0];

fn loss(x: f64, y: f64) -> f64 {
    1.5 + 2.0 * x * x + y * y + 0.25 * x * y
}

fn open(path: &Path) -> (Record, LandscapeOutcome) {
    let record = Record::load(path).unwrap_or_else(|error| panic!("{error}"));
    let Outcome::Landscape(outcome) = record.outcome.clone() else { panic!("a landscape") };
    (record, outcome)
}

fn stored(name: &str) -> (Record, LandscapeOutcome) {
    open(&reference(&format!("exchange/{name}")))
}

/// A file in a folder of its own.
fn written(name: &str, bytes: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[track_caller]
fn assert_values(values: &Values, x: &[f64], y: &[f64], f: impl Fn(f64, f64) -> f64, within: f64) {
    for (row, sy) in y.iter().enumerate() {
        for (column, sx) in x.iter().enumerate() {
            let found = values.get(column, row).unwrap_or_else(|| panic!("no value at {sx}, {sy}"));
            assert!((found - f(*sx, *sy)).abs() <= within, "{found} at {sx}, {sy}");
        }
    }
}

#[test]
fn files_of_loss_landscape_are_read() {
    let (record, curve) = stored("goldstein-curve.h5");
    assert_eq!((curve.x.as_slice(), &curve.y), (&X[..], &None));
    let clean = curve.clean.unwrap();
    assert_values(&clean.loss, &X, &[0.0], loss, 0.0);
    assert_values(&clean.error, &X, &[0.0], |x, y| 0.1 * loss(x, y), 1e-15);
    assert!(record.provenance.complete && record.provenance.warnings.is_empty());
    let imported = record.provenance.imported.as_ref().unwrap();
    assert_eq!((&*imported.file, &*imported.layout), ("goldstein-curve.h5", "HDF5 of loss-landscape"));
    assert_eq!(imported.hash.len(), 64);
    assert!(matches!(&record.job, Job::Import(import) if import.file.ends_with("goldstein-curve.h5")));
    // The record is one like any other: it comes back from its JSON.
    assert_eq!(Record::parse(&record.to_json()).unwrap(), record);

    // Its shape says 5 x 4, but points are counted along x first.
    let (_, oblong) = stored("goldstein-oblong.h5");
    let y = oblong.y.unwrap();
    assert_eq!(y, [-0.5, 0.0, 0.5, 1.0]);
    assert_values(&oblong.clean.unwrap().loss, &X, &y, loss, 0.0);
}

#[test]
fn points_that_are_not_computed_are_holes() {
    let (record, outcome) = stored("goldstein-unfinished.h5");
    let clean = outcome.clean.unwrap();
    let holes: Vec<usize> =
        clean.loss.iter().enumerate().filter(|(_, value)| value.is_none()).map(|(at, _)| at).collect();
    assert_eq!(holes, [3, 7, 10]);
    assert_eq!(clean.error.iter().filter(Option::is_none).count(), 2);
    assert_eq!(record.provenance.warnings, ["3 of 25 grid points have no loss in the file"]);
}

#[test]
fn files_of_the_papers_program_are_read() {
    let (record, plane) = stored("paper-plane.h5");
    let clean = plane.clean.unwrap();
    assert_eq!(plane.y.as_deref(), Some(&X[..]));
    // The mean over attempts; the first index is that of x.
    assert_values(&clean.loss, &X, &X, loss, 1e-12);
    assert_values(&clean.error, &X, &X, |x, _| 0.2 + 0.05 * x, 1e-12);
    assert_eq!(record.provenance.warnings, ["values are the mean over 2 attempts"]);

    let (_, curve) = stored("paper-curve.h5");
    assert_values(&curve.clean.unwrap().loss, &X, &[0.0], loss, 1e-6);
    // Its folders say what was attacked.
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("at/weight_l2_layer_l2_05_adversarial_visualization/input_linf");
    std::fs::create_dir_all(&inner).unwrap();
    let path = inner.join("visualization.h5");
    std::fs::copy(reference("exchange/paper-curve.h5"), &path).unwrap();
    let (_, outcome) = open(&path);
    assert!(outcome.clean.is_none() && outcome.robust.is_some());
}

#[test]
fn archives_of_numpy_are_read() {
    let (_, landscaper) = stored("landscaper.npz");
    assert_eq!(landscaper.y.as_deref(), Some(&X[..]));
    assert_values(&landscaper.clean.unwrap().loss, &X, &X, loss, 0.0);
    // Fortran's order, big-endian, float32 steps.
    let (_, fortran) = stored("fortran.npz");
    assert_values(&fortran.clean.unwrap().loss, &X, &fortran.y.unwrap(), loss, 0.0);
}

#[test]
fn tables_are_read_with_and_without_holes() {
    let table = "# by hand\nx;y;Robust loss;error\n1;0;3.5;80\n0;0;1.5;40\n0;1;2.5;\n1;1;;nan\n";
    let (_folder, path) = written("surface.csv", table);
    let (record, outcome) = open(&path);
    assert_eq!((outcome.x.as_slice(), outcome.y.as_deref()), (&[0.0, 1.0][..], Some(&[0.0, 1.0][..])));
    let robust = outcome.robust.unwrap();
    assert_eq!(robust.loss, Values::Plane(vec![vec![Some(1.5), Some(3.5)], vec![Some(2.5), None]]));
    assert!(outcome.clean.is_none());
    assert_eq!(record.provenance.warnings, ["1 of 4 grid points has no loss in the file"]);

    let rows: String = X
        .iter()
        .flat_map(|x| X.map(|y| (*x, y)))
        .filter(|point| *point != (0.5, -0.5))
        .map(|(x, y)| format!("{x},{y},{},{}\n", loss(x, y), 10.0 * loss(x, y)))
        .collect();
    let (_folder, path) = written("surface.csv", format!("\u{feff}x,y,loss,error (%)\n{rows}"));
    let clean = open(&path).1.clean.unwrap();
    assert_eq!(clean.loss.get(3, 1), None, "a missing row is a hole");
    assert_eq!(clean.loss.get(4, 0), Some(loss(1.0, -1.0)));
    assert!((clean.error.get(0, 0).unwrap() - 0.1 * loss(-1.0, -1.0)).abs() < 1e-15, "percent");

    let (_folder, path) = written("curve.csv", "x,Clean,Robust\n-1,2,4\n0,1,2\n1,2,4\n");
    let curve = open(&path).1;
    assert_eq!(curve.clean.unwrap().loss, Values::Line(vec![Some(2.0), Some(1.0), Some(2.0)]));
    assert_eq!(curve.robust.unwrap().loss.get(0, 0), Some(4.0));
}

#[test]
fn what_is_written_is_read_again() {
    for record in [sample_records::plane(), sample_records::curve(1.0)] {
        let Outcome::Landscape(mut outcome) = record.outcome else { panic!("a landscape") };
        let row = usize::from(outcome.y.is_some()) * 3;
        if let Some(Values::Plane(rows)) = outcome.robust.as_mut().map(|grid| &mut grid.loss) {
            rows[row][4] = None;
        }
        for (name, bytes) in [("s.h5", hdf5(&outcome, "a test")), ("s.npz", npz(&outcome, "a test, −1"))] {
            let (_folder, path) = written(name, bytes.unwrap());
            let (_, mut read) = open(&path);
            assert_eq!((&read.x, &read.y), (&outcome.x, &outcome.y));
            for (found, expected) in [(&mut read.clean, &outcome.clean), (&mut read.robust, &outcome.robust)]
            {
                assert_eq!(found.as_ref().map(|g| &g.loss), expected.as_ref().map(|g| &g.loss), "{name}");
                let errors = found.iter().zip(expected).flat_map(|(a, b)| a.error.iter().zip(b.error.iter()));
                let errors: Vec<_> = errors.collect();
                let close = |(a, b): &(Option<f64>, Option<f64>)| {
                    a.zip(*b).map_or(*a == *b, |(a, b)| (a - b).abs() < 1e-12)
                };
                assert!(errors.iter().all(close));
            }
        }
    }
}

#[test]
fn what_is_no_landscape_is_refused_in_a_sentence() {
    let good = std::fs::read(reference("exchange/goldstein-curve.h5")).unwrap();
    let archive = std::fs::read(reference("exchange/landscaper.npz")).unwrap();
    let sparse: String = (0..40).map(|at| format!("{at},{},1\n", at * 7)).collect();
    for (name, bytes, part) in [
        ("a.h5", &b""[..], "no HDF5 file"),
        ("a.h5", &good[..good.len() / 2], "truncated, damaged"),
        ("a.h5", b"<html>", "no HDF5 file"),
        ("a.npz", &archive[..archive.len() / 2], "truncated, damaged"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xff\xfe\x00", "not text in UTF-8"),
        ("a.csv", b"a,b\n1,2\n", "has the columns a, b"),
        ("a.csv", b"x,y,error\n1,2,3\n", "needs x, y (of a surface) and loss"),
        ("a.csv", b"x,y,loss\n", "no grid points below it"),
        ("a.csv", b"x,y,loss\n0,0,1\n0,1,two\n", "has \"two\" in line 3"),
        ("a.csv", b"x,y,loss\n0,0,1\n,1,2\n", "has no x in line 3"),
        ("a.csv", b"x,y,loss\n0,0,1\n0,0,2\n", "has the point x 0, y 0 twice"),
        ("a.csv", b"x,loss\n0,1\n0,2\n", "needs a column y"),
        ("a.csv", b"x,y,loss\n0,0,1\n1,0,2\n", "has 1 step along y"),
        ("a.csv", b"x,y,loss\n0,0,\n1,0,\n0,1,\n1,1,\n", "no finite loss"),
        ("a.csv", b"x,y,loss\n0,0,1,2,3\n", "has 5 cells in line 2, but 3 columns"),
        ("a.csv", format!("x,y,loss\n{sparse}").as_bytes(), "which is no grid"),
    ] {
        let (_folder, path) = written(name, bytes);
        let error = Record::load(&path).unwrap_err().to_string();
        assert!(error.contains(part), "{name}: {error}");
        assert!(error.starts_with(&path.display().to_string()), "{error}");
    }
    let missing = Record::load(Path::new("nowhere.h5")).unwrap_err().to_string();
    assert_eq!(missing, "nowhere.h5: does not exist; check the path");
}

#[test]
fn what_lacks_data_sets_says_which() {
    use hdf5_pure::FileBuilder;
    let file = |sets: &[(&str, &[f64], &[u64])]| {
        let mut file = FileBuilder::new();
        for (name, values, shape) in sets {
            file.create_dataset(name).with_f64_data(values).with_shape(shape);
        }
        written("a.h5", file.finish().unwrap())
    };
    let two: &[f64] = &[0.0, 1.0];
    let (x, y) = (("xcoordinates", two, &[2_u64][..]), ("ycoordinates", two, &[2_u64][..]));
    for (sets, part) in [
        (vec![x], "no train_loss; it has xcoordinates"),
        (
            vec![x, y, ("train_loss", &[1.0; 6][..], &[2, 3][..])],
            "has train_loss of the shape [2, 3] for a grid of 2 x 2",
        ),
        (vec![x, ("train_loss", &[-1.0; 2][..], &[2][..])], "no finite loss at any grid point"),
        (vec![("weights", two, &[2][..])], "holds no landscape: it has weights"),
        (
            vec![("losses", two, &[1, 2][..]), ("steps", two, &[2][..])],
            "has steps of the shape [2], but losses of [1, 2]",
        ),
        (
            vec![("xcoordinates", &[0.0, 0.0][..], &[2][..]), ("train_loss", two, &[2][..])],
            "has the step 0 along x twice",
        ),
        (
            vec![("xcoordinates", &[0.0, f64::NAN][..], &[2][..]), ("train_loss", two, &[2][..])],
            "steps must be finite",
        ),
    ] {
        let (_folder, path) = file(&sets);
        let error = Record::load(&path).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn running_an_import_writes_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("record.json");
    let job = Job::Import(basin_core::job::Import { file: reference("exchange/landscaper.npz") });
    let options = basin_core::run::RunOptions { out: Some(out.clone()), ..Default::default() };
    let record = basin_core::run::run(&job, &options, &mut Silent).unwrap();
    assert_eq!(Record::load(&out).unwrap(), record);
    assert_eq!(record.job, job);
}
