//! Figures of trainings: made from the folder's log alone, with the gap and the best epoch, as far as they have come.

use std::path::Path;

use basin::plot::export::{self, Preset};
use basin::plot::landscape::{Named, Which};
use basin::plot::training::{Options, Quantity, plot};
use basin::plot::{Dash, GuideLine, Item, Plot, Scale, Series};
use basin_core::job::Train;
use basin_core::record::{Outcome, Record};
use basin_core::train::{EvaluationSettings, Labels, LogLine, Schedule, Summary, TensorStatistics};

use super::command;
use crate::support::sample_training as sample;

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

/// The whole training with the statistics of two tensors.
pub fn with_tensors() -> Record {
    let mut record = whole();
    let Outcome::Train(outcome) = &mut record.outcome else { panic!("a training") };
    for (number, epoch) in outcome.epochs.iter_mut().enumerate() {
        let summary = |norm: f64| {
            let (min, max) = (-norm, norm);
            Summary {
                norm,
                mean: 0.0,
                mean_abs: 0.1,
                sum_abs: 1.0,
                min,
                q25: min / 2.0,
                median: 0.0,
                q75: max / 2.0,
                max,
                relevant: 0.1,
            }
        };
        let size = 1.0 + number as f64;
        epoch.tensors = ["conv1.weight", "linear.bias"]
            .map(|name| TensorStatistics {
                name: name.into(),
                weight: summary(10.0 + size),
                gradient: summary(1.0 / size),
            })
            .into();
    }
    record
}

fn drawn(records: &[(&str, &Record)], options: &Options) -> Plot {
    let named: Vec<Named<'_>> = records.iter().map(|(name, record)| Named { name, record }).collect();
    plot(&named, options).expect("a figure")
}

/// The curves.
fn series(plot: &Plot) -> Vec<&Series> {
    all_series(plot).filter(|series| series.y.iter().any(Option::is_some)).collect()
}

/// The band between curves.
fn shaded(plot: &Plot) -> &[Option<(f64, f64)>] {
    all_series(plot).map(|series| &*series.band).find(|band| !band.is_empty()).expect("a shaded area")
}

fn all_series(plot: &Plot) -> impl Iterator<Item = &Series> {
    plot.items.iter().filter_map(|item| if let Item::Series(series) = item { Some(series) } else { None })
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
    let expected = [
        ("robust, test", Dash::Solid),
        ("robust, training", Dash::Dashed),
        ("clean, test", Dash::Solid),
        ("clean, training", Dash::Dashed),
    ];
    assert_eq!(names, expected);
    let losses: Vec<f64> = (0..15).map(|epoch| sample::scores(&sample::job(), epoch).robust_loss).collect();
    assert_eq!(curves[0].y, losses.iter().map(|loss| Some(*loss)).collect::<Vec<_>>());
    assert_eq!(curves[0].x, (1..=15).map(f64::from).collect::<Vec<_>>(), "epochs count from 1 for people");
    // Between training and test is the gap; it grows after the best epoch.
    let gap = |epoch: usize| shaded(&figure)[epoch].map(|(low, high)| high - low).expect("a gap");
    assert!(gap(14) > gap(9) && gap(9) > gap(4));
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let best = losses.iter().position(|loss| *loss == lowest).expect("there is one") as f64 + 1.0;
    assert!(best > 5.0 && best < 15.0);
    assert_eq!(guides(&figure), [GuideLine::Vertical(best)]);
    let entries = figure.legend().into_iter().flatten();
    let of_gap: Vec<_> = entries.filter(|entry| entry.name == "robust gap").collect();
    assert!(
        matches!(&*of_gap, [entry] if matches!(&figure.items[entry.items[0]], Item::Series(s) if !s.band.is_empty()))
    );
    // The frame is close around the values, so that the rise is seen.
    assert!(figure.y.range.0 > 0.5 && figure.x.ticks.iter().all(|tick| tick.value.fract() == 0.0));
    let clipped = drawn(&[("AT", &record)], &Options { clip: Some(2.0), ..Options::default() });
    assert_eq!((clipped.y.range.1, series(&clipped).len()), (2.0, 4));
}

/// Labels of the training, its own attack and augmented images make its loss one of another kind.
#[test]
fn the_gap_is_between_losses_that_are_measured_alike() {
    let job = Train { labels: Labels::Noisy(0.3), ..sample::job() };
    let with_own_loss = |measured: bool, job: &Train| {
        record(|folder| {
            sample::begin(folder, job);
            for mut line in (0..15).flat_map(|epoch| sample::lines(job, epoch)) {
                if let LogLine::Epoch(epoch) = &mut line {
                    epoch.train.insert("robust_loss".into(), 2.5);
                    epoch.train_scores = epoch.train_scores.filter(|_| measured);
                }
                sample::log(folder, &[line]);
            }
        })
    };
    let figure = drawn(&[("noise", &with_own_loss(true, &job))], &Options::default());
    let (test, own) = (sample::scores(&job, 14), sample::train_scores(&job, 14));
    assert_eq!(shaded(&figure)[14], Some((own.robust_loss, test.robust_loss)));
    assert_eq!(series(&figure)[1].y[14], Some(own.robust_loss));
    assert_eq!(series(&figure)[3].y[14], Some(own.loss), "the clean one, too");
    assert!(figure.notes.is_empty(), "{:?}", figure.notes);
    assert!(
        figure
            .provenance
            .iter()
            .any(|line| line.contains("tests under PGD-7, L-inf 0.0314 on test:0..1000 and train:0..500"))
    );
    // What earlier versions logged is drawn, but there is no gap between different things.
    let older = with_own_loss(false, &job);
    let none =
        Train { evaluation: EvaluationSettings { train_images: 0, ..EvaluationSettings::default() }, ..job };
    let none = with_own_loss(false, &none);
    for (record, why) in
        [(&older, "an earlier version of Basin wrote the log"), (&none, "evaluation.train_images is 0")]
    {
        let figure = drawn(&[("noise", record)], &Options::default());
        assert!(all_series(&figure).all(|series| series.band.is_empty()));
        assert_eq!(series(&figure)[1].y[14], Some(2.5));
        let [note] = &figure.notes[..] else { panic!("{:?}", figure.notes) };
        assert!(note.starts_with("noise: the training curve is what the training itself sees"), "{note}");
        assert!(note.ends_with(&format!("no robust gap is shown; {why}")), "{note}");
    }
    let both =
        drawn(&[("a", &older), ("b", &older)], &Options { quantity: Quantity::Error, ..Options::default() });
    assert!(both.notes[0].starts_with("a, b: "), "one sentence for all: {:?}", both.notes);
    let rates = Options { quantity: Quantity::LearningRate, ..Options::default() };
    assert!(drawn(&[("a", &older)], &rates).notes.is_empty());
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

/// The line of a figure of one training: its epoch, and what it is called.
fn line(plot: &Plot) -> (f64, String) {
    let lines = plot.items.iter().filter_map(|item| match item {
        Item::Guide(guide) => match guide.line {
            GuideLine::Vertical(at) => Some((at, guide.name.clone().unwrap_or_default())),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 1, "one epoch stands out");
    lines[0].clone()
}

#[test]
fn the_same_epoch_stands_out_in_every_quantity() {
    let held_out = Train { early_stopping: true, ..sample::job() };
    let stopped = record(|folder| sample::whole(folder, &held_out));
    let plain = whole();
    let all = [Quantity::Loss, Quantity::Error, Quantity::LearningRate];
    let options = |quantity| Options { quantity, ..Options::default() };
    for quantity in all {
        let of = |record| line(&drawn(&[("AT", record)], &options(quantity)));
        assert_eq!(of(&stopped), (6.0, "early stopping, epoch 6".to_owned()), "{quantity:?}");
        assert_eq!(of(&plain), (11.0, "lowest robust test loss, epoch 11".to_owned()), "{quantity:?}");
    }
    // Of several, symbols on the curves of the test, which the legend explains.
    for quantity in [Quantity::Loss, Quantity::Error] {
        let figure = drawn(&[("stopped", &stopped), ("plain", &plain)], &options(quantity));
        assert_eq!(guides(&figure), []);
        let marks = figure.items.iter().filter_map(|item| match item {
            Item::Mark(mark) => Some((mark.x, mark.y, mark.color, &*mark.name)),
            _ => None,
        });
        let marks: Vec<_> = marks.collect();
        let curves = series(&figure);
        assert_eq!(
            marks,
            [
                (6.0, curves[0].y[5].unwrap(), curves[0].color, "stopped: early stopping, epoch 6"),
                (11.0, curves[2].y[10].unwrap(), curves[2].color, "plain: lowest robust test loss, epoch 11"),
            ]
        );
        let [whose, what] = figure.legend();
        let names = |entries: &[basin::plot::Entry<'_>]| -> Vec<String> {
            entries.iter().map(|entry| entry.name.to_owned()).collect()
        };
        assert_eq!(names(&whose), ["stopped", "plain"]);
        assert_eq!(names(&what), ["test", "training", "early stopping", "lowest robust test loss"]);
    }
    // While it runs, what early stopping would pick now; before it has looked, nothing.
    let running = |epochs: u64| {
        record(|folder| {
            sample::begin(folder, &held_out);
            (0..epochs).for_each(|epoch| sample::epoch(folder, &held_out, epoch));
        })
    };
    assert_eq!(line(&drawn(&[("AT", &running(3))], &options(Quantity::Loss))).0, 1.0);
    assert_eq!(line(&drawn(&[("AT", &running(9))], &options(Quantity::Loss))).0, 6.0);
}

#[test]
fn learning_rates_that_change_between_epochs_go_in_steps() {
    let options = Options { quantity: Quantity::LearningRate, ..Options::default() };
    let steps = whole();
    let figure = drawn(&[("AT", &steps)], &options);
    let points = series(&figure)[0].points();
    let drop: Vec<_> = points.windows(2).filter(|ends| ends[0].1 != ends[1].1).collect();
    assert_eq!(drop, [[(10.0, Some(0.05)), (10.0, Some(0.005))]], "straight down when epoch 10 has ended");
    assert_eq!(series(&figure)[0].x.len(), 15, "the data have no corners");
    let cyclic = Schedule::Cyclic { low: 0.0, high: 0.2, up: 6, down: 9 };
    let cyclic = record(|folder| sample::whole(folder, &Train { schedule: cyclic, ..sample::job() }));
    let figure = drawn(&[("AT", &cyclic)], &options);
    assert_eq!(series(&figure)[0].points().len(), 15, "a rate of every step is a line");
}

#[test]
fn learning_rates_that_are_the_same_are_one_curve() {
    let options = Options { quantity: Quantity::LearningRate, ..Options::default() };
    let cyclic = Schedule::Cyclic { low: 0.0, high: 0.2, up: 6, down: 9 };
    let cyclic = record(|folder| sample::whole(folder, &Train { schedule: cyclic, ..sample::job() }));
    let (one, two) = (whole(), other());
    let few = [("AT", &one), ("cyclic", &cyclic), ("AWP", &two)];
    let names = |figure: &Plot| {
        let entries = figure.legend().into_iter().flatten();
        entries.map(|entry| (entry.name.to_owned(), entry.items)).collect::<Vec<_>>()
    };
    let figure = drawn(&few, &options);
    assert_eq!(names(&figure), [("AT, AWP".to_owned(), vec![0, 2]), ("cyclic".to_owned(), vec![1])]);
    let colors: Vec<_> = series(&figure).iter().map(|curve| curve.color).collect();
    assert!(colors[0] == colors[2] && colors[0] != colors[1]);
    assert!(figure.notes.is_empty(), "the legend names all");
    let many = [("a", &one), ("b", &two), ("c", &one), ("d", &two), ("cyclic", &cyclic)];
    let figure = drawn(&many, &options);
    assert_eq!(names(&figure)[0], ("a and 3 others".to_owned(), vec![0, 1, 2, 3]));
    assert_eq!(figure.notes, ["one learning rate, drawn as that of a: a, b, c, d"]);
    // In the window one legend serves all charts, and every training is hidden by its own entry.
    let screen = drawn(&few, &Options { screen: true, ..options });
    assert_eq!(names(&screen).iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["AT", "cyclic", "AWP"]);
    assert_eq!(screen.notes, ["one learning rate, drawn as that of AT: AT, AWP"]);
}

/// Normal training under attack is that far away.
#[test]
fn one_curve_far_above_does_not_flatten_the_others() {
    let (one, two) = (whole(), other());
    let far = record(|folder| {
        sample::begin(folder, &sample::job());
        for epoch in 0..15 {
            for line in sample::lines(&sample::job(), epoch) {
                let mut line = serde_json::to_value(line).expect("plain data");
                if let Some(loss) = line.pointer_mut("/test/robust_loss") {
                    *loss = (2.0 + epoch as f64).into();
                }
                sample::write(folder, &(line.to_string() + "\n"));
            }
        }
    });
    let all = [("AT", &one), ("AWP", &two), ("normal", &far)];
    let figure = drawn(&all, &Options::default());
    assert!((2.0..4.0).contains(&figure.y.range.1), "{:?}", figure.y.range);
    assert_eq!(figure.notes, ["normal, test goes up to 16.0, above the axis"]);
    let whole_curve = Options { clip: Some(20.0), ..Options::default() };
    for options in [whole_curve, Options { log: true, ..Options::default() }] {
        let figure = drawn(&all, &options);
        assert!(figure.y.range.1 > 16.0 && figure.notes.is_empty(), "{:?}", figure.y.range);
    }
}

#[test]
fn the_legend_of_twelve_trainings_is_compact() {
    let twelve = twelve();
    let named: Vec<(&str, &Record)> = twelve.iter().map(|(name, record)| (&**name, record)).collect();
    let figure = drawn(&named, &Options::default());
    for preset in [Preset::Column, Preset::Wide] {
        let scene = export::scene(&figure, &preset.style());
        for name in named.iter().map(|(name, _)| *name).chain(["test", "training", "lowest robust test loss"])
        {
            assert_eq!(scene.texts().filter(|text| text.label == name).count(), 1, "{name}, once");
        }
        let lower = scene.texts().filter(|text| named.iter().any(|(name, _)| *name == text.label));
        let top = lower.map(|text| text.at[1] - text.size).fold(f64::INFINITY, f64::min);
        assert!(top > scene.frame.bottom(), "the legend stands below the axes");
        assert!(scene.height - top < 0.25 * scene.height, "a quarter of the figure at most");
        assert!(scene.texts().all(|text| text.size >= 5.5 && text.at[0] < scene.width));
    }
    let colors: std::collections::BTreeSet<_> =
        series(&figure).iter().map(|curve| curve.color.to_hex()).collect();
    assert_eq!(colors.len(), 12, "a colour for each");
}

/// Twelve trainings with names as long as those of the study.
pub fn twelve() -> Vec<(String, Record)> {
    let names = [
        "at",
        "autoaugment",
        "awp",
        "cyclic",
        "label-noise",
        "label-smoothing",
        "mart",
        "normal",
        "self-supervision",
        "trades",
        "weight-clipping",
        "weight-decay",
    ];
    let job = |seed| Train { seed, ..sample::job() };
    (0..).zip(names).map(|(i, name)| (name.to_owned(), record(|f| sample::whole(f, &job(3 * i))))).collect()
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
    // It does not keep others from being seen.
    let figure = drawn(&[("first", &nothing), ("AT", &whole())], &Options::default());
    assert_eq!(series(&figure).len(), 4);
    assert_eq!(figure.notes, ["first has no finished step yet"]);
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
