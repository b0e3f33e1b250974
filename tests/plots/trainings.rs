//! Figures of trainings: made from the folder's log alone, with the gap and the best epoch, as far as they have come.

use std::path::Path;

use basin::plot::landscape::{Named, Which};
use basin::plot::training::{Options, Quantity, plot};
use basin::plot::{Dash, GuideLine, Item, Plot, Scale, Series};
use basin_core::job::Train;
use basin_core::record::Record;

use crate::command;
use crate::sample_training as sample;

/// The record of a folder that `make` fills.
fn record(make: impl FnOnce(&Path)) -> Record {
    let folder = tempfile::tempdir().expect("a temporary folder");
    make(folder.path());
    Record::load(folder.path()).expect("the folder of a training")
}

pub fn whole() -> Record {
    record(|folder| sample::whole(folder, &sample::job()))
}

pub fn other() -> Record {
    record(|folder| sample::whole(folder, &Train { seed: 30, ..sample::job() }))
}

fn drawn(records: &[(&str, &Record)], options: &Options) -> Plot {
    let named: Vec<Named<'_>> = records.iter().map(|(name, record)| Named { name, record }).collect();
    plot(&named, options).expect("a figure")
}

fn series(plot: &Plot) -> Vec<&Series> {
    plot.items
        .iter()
        .filter_map(|item| if let Item::Series(series) = item { Some(series) } else { None })
        .collect()
}

fn guides(plot: &Plot) -> Vec<GuideLine> {
    plot.items
        .iter()
        .filter_map(|item| if let Item::Guide(guide) = item { Some(guide.line) } else { None })
        .collect()
}

#[test]
fn robust_overfitting_is_seen() {
    let record = whole();
    let figure = drawn(&[("AT", &record)], &Options::default());
    let curves = series(&figure);
    let names: Vec<_> =
        curves.iter().map(|curve| (curve.name.as_deref().unwrap_or(""), curve.dash)).collect();
    let expected =
        [("robust, test", Dash::Solid), ("robust, training", Dash::Dashed), ("clean, test", Dash::Solid)];
    assert_eq!(names, expected);
    let losses: Vec<f64> = (0..15).map(|epoch| sample::scores(&sample::job(), epoch).robust_loss).collect();
    assert_eq!(curves[0].y, losses.iter().map(|loss| Some(*loss)).collect::<Vec<_>>());
    assert_eq!(curves[0].x, (1..=15).map(f64::from).collect::<Vec<_>>(), "epochs count from 1 for people");
    // Between training and test is the gap; it grows after the best epoch.
    let gap = |epoch: usize| curves[0].band[epoch].map(|(low, high)| high - low).expect("a gap");
    assert!(gap(14) > gap(9) && gap(9) > gap(4));
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let best = losses.iter().position(|loss| *loss == lowest).expect("there is one") as f64 + 1.0;
    assert!(best > 5.0 && best < 15.0);
    assert_eq!(guides(&figure), [GuideLine::Vertical(best)]);
    // The frame is close around the values, so that the rise is seen.
    assert!(figure.y.range.0 > 0.5 && figure.x.ticks.iter().all(|tick| tick.value.fract() == 0.0));
    let clipped = drawn(&[("AT", &record)], &Options { clip: Some(2.0), ..Options::default() });
    assert_eq!((clipped.y.range.1, series(&clipped).len()), (2.0, 3));
}

#[test]
fn several_trainings_have_a_colour_each() {
    let (one, two) = (whole(), other());
    let error = Options { quantity: Quantity::Error, ..Options::default() };
    let figure = drawn(&[("AT", &one), ("AWP", &two)], &error);
    let names: Vec<_> = series(&figure).iter().map(|curve| curve.name.clone().unwrap_or_default()).collect();
    assert_eq!(names, ["AT, test", "AT, training", "AWP, test", "AWP, training"]);
    let colors: Vec<_> = series(&figure).iter().map(|curve| curve.color).collect();
    assert!(colors[0] == colors[1] && colors[2] == colors[3] && colors[0] != colors[2]);
    let clean = drawn(&[("AT", &one), ("AWP", &two)], &Options { which: Which::Clean, ..error });
    let last = sample::scores(&sample::job(), 14).error;
    assert_eq!(series(&clean)[0].y[14], Some(last));
    let rates = drawn(&[("AT", &one)], &Options { quantity: Quantity::LearningRate, ..Options::default() });
    assert_eq!(rates.y.scale, Scale::Log);
    let labels: Vec<&str> = rates.y.ticks.iter().map(|tick| &*tick.label).collect();
    assert_eq!(labels, ["0.005", "0.050"], "the rates themselves");
}

#[test]
fn a_training_is_drawn_as_far_as_it_has_come() {
    let job = sample::job();
    let begun = record(|folder| {
        sample::begin(folder, &job);
        sample::log(folder, &sample::lines(&job, 0)[..2]);
        // A line that is being written.
        sample::write(folder, "{\"kind\":\"st");
    });
    let figure = drawn(&[("AT", &begun)], &Options::default());
    assert_eq!(series(&figure).len(), 1, "no test yet");
    assert_eq!(series(&figure)[0].x, [0.25, 0.5], "the parts of the first epoch");
    assert!(figure.notes.is_empty());
    let nothing = record(|folder| sample::begin(folder, &job));
    let why =
        plot(&[Named { name: "AT", record: &nothing }], &Options::default()).expect_err("nothing to draw");
    assert_eq!(why, "AT has no finished step yet; look again in a while");
    // What went wrong is left out and said.
    let broken = record(|folder| {
        sample::begin(folder, &job);
        sample::epoch(folder, &job, 0);
        sample::write(folder, "garbage\n");
        let line = serde_json::to_string(&sample::lines(&job, 1)[4]).expect("plain data");
        let loss = sample::scores(&job, 1).robust_loss;
        sample::write(folder, &(line.replace(&format!("{loss}"), "null") + "\n"));
        sample::epoch(folder, &job, 2);
    });
    let figure = drawn(&[("AT", &broken)], &Options::default());
    assert_eq!(series(&figure)[0].y.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    let notes =
        ["AT: 1 line of log.jsonl cannot be read and is left out", "AT: not a finite number in epoch 2"];
    assert_eq!(figure.notes, notes);
}

#[test]
fn the_command_draws_folders() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let (one, two) = (home.path().join("at"), home.path().join("awp.v2"));
    sample::whole(&one, &sample::job());
    sample::whole(&two, &Train { seed: 30, ..sample::job() });
    let [one, two] = [one, two].map(|path| path.display().to_string());
    for ending in ["svg", "pdf", "png", "tex"] {
        let out = home.path().join(format!("figure.{ending}")).display().to_string();
        command(&[&one, &two, "--figure", "training", "--out", &out]).expect("a figure");
        assert!(std::fs::metadata(&out).expect("the figure is written").len() > 1000);
    }
    let out = home.path().join("figure.csv").display().to_string();
    command(&[&one, &two, "--error", "--out", &out]).expect("a table");
    let table = std::fs::read_to_string(&out).expect("the table is written");
    let head = table.lines().find(|line| !line.starts_with('#'));
    assert_eq!(
        head,
        Some(r#"x,"at, test","at, training","awp.v2, test","awp.v2, training""#),
        "named by their folders"
    );
    let empty = home.path().display().to_string();
    for (arguments, part) in [
        (&[&*empty, "--out", &out][..], "is a folder, but not that of a training"),
        (&[&one, "--colors", "magma", "--out", &out], "has no effect on a figure of trainings"),
    ] {
        let why = command(arguments).expect_err("refused");
        assert!(why.contains(part), "{why}");
    }
}
