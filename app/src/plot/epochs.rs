//! Robust loss and flatness throughout trainings, from the measures of their snapshots.

use basin_core::job::Job;
use basin_core::record::{Outcome, TrainingOutcome};
use basin_core::study::{ModelRow, Table};

use super::color::{PAIRED, series_color};
use super::figure::{Drawn, Figure, Input, Takes, Which};
use super::scatter::stage::Stage;
use super::{
    Axis, Color, Dash, Group, Guide, GuideLine, Item, Key, Plot, Scale, Scatter, ScatterPoint, Series, Shape,
    Unit, padded_range, text,
};

/// Flatness along training.
pub const FIGURE: Figure = Figure {
    name: "epochs",
    help: "Loss and flatness throughout the trainings of a study, from the measures of their snapshots",
    takes: Takes::Snapshots,
    is_usual: false,
    ignores: |_| ("a figure of epochs", &["--loss", "--error", "--colors"]),
    draw: |input| plot(input).map(Drawn::from),
};

/// A number over epochs: its name in a study on robust and on clean images, its words, and its looks.
struct Curve {
    keys: [&'static str; 2],
    words: [&'static str; 2],
    color: usize,
    dash: Dash,
    shape: Shape,
}

/// In the paper's colours.
const CURVES: [Curve; 4] = [
    Curve {
        keys: ["train_robust_loss", "train_clean_loss"],
        words: ["Train RLoss", "Train loss"],
        color: 0,
        dash: Dash::Dashed,
        shape: Shape::Square,
    },
    Curve {
        keys: ["robust_loss", "clean_loss"],
        words: ["Test RLoss", "Test loss"],
        color: 1,
        dash: Dash::Solid,
        shape: Shape::Circle,
    },
    Curve {
        keys: ["average_flatness", "average_clean_flatness"],
        words: ["Average-case flatness", "Average-case flatness"],
        color: 5,
        dash: Dash::Solid,
        shape: Shape::Diamond,
    },
    Curve {
        keys: ["worst_flatness", "worst_clean_flatness"],
        words: ["Worst-case flatness", "Worst-case flatness"],
        color: 6,
        dash: Dash::Solid,
        shape: Shape::Triangle,
    },
];

/// A training with the epochs of its measured states.
struct Training<'a> {
    name: String,
    states: Vec<(f64, &'a ModelRow)>,
    /// The early-stopped epoch.
    stopped: Option<f64>,
}

/// Numbers of the snapshots of trainings over epochs: one training in the paper's colours, several in a colour each.
fn plot(input: &Input<'_>) -> Result<Plot, String> {
    let Some((study, entries)) = input.study else {
        return Err("a figure of epochs shows a study with snapshots; give its folder".into());
    };
    let table = Table::of(study, entries);
    let clean = usize::from(input.options.which == Which::Clean);
    let columns: Vec<(usize, &Curve)> =
        CURVES.iter().filter_map(|curve| Some((table.column(curve.keys[clean]).ok()?, curve))).collect();
    let trainings = trainings(input, &table);
    let several = trainings.len() > 1;
    let (mut items, mut whose, mut what) = (Vec::new(), Vec::new(), Vec::<Group>::new());
    for (number, training) in trainings.iter().enumerate() {
        let first = items.len();
        for (column, curve) in &columns {
            let color = if several { series_color(number) } else { PAIRED[curve.color] };
            let Some(drawn) = points(training, *column, curve, clean, color) else { continue };
            let sample = |color| Item::Scatter(Scatter { points: Vec::new(), color, ..drawn.1.clone() });
            let numbers = [items.len(), items.len() + 1];
            let name = Some(curve.words[clean].to_owned());
            match what.iter_mut().find(|group| group.sample.name() == name.as_deref()) {
                Some(group) => group.items.extend(numbers),
                None => {
                    let sample = if several { sample(Color::rgb(90, 90, 90)) } else { sample(color) };
                    what.push(Group { sample, items: numbers.to_vec() });
                }
            }
            items.extend([Item::Series(drawn.0), Item::Scatter(drawn.1)]);
        }
        if let (Some(epoch), true) = (training.stopped, items.len() > first) {
            let color = if several { series_color(number) } else { Color::BLACK };
            let name = (!several).then(|| "early stopping".to_owned());
            let line = GuideLine::Vertical(epoch);
            let guide = Item::Guide(Guide { name, line, color, dash: Dash::Dotted });
            what.extend((!several).then(|| Group { sample: guide.clone(), items: vec![items.len()] }));
            items.push(guide);
        }
        if several && items.len() > first {
            let line = Series {
                name: Some(training.name.clone()),
                x: Vec::new(),
                y: Vec::new(),
                band: Vec::new(),
                color: series_color(number),
                dash: Dash::Solid,
                dots: false,
                steps: false,
            };
            whose.push(Group { sample: Item::Series(line), items: (first..items.len()).collect() });
        }
    }
    let all = || trainings.iter().flat_map(|training| &training.states);
    let values = all().flat_map(|(_, row)| columns.iter().filter_map(|(column, _)| row.values[*column]));
    let scale = if input.options.log { Scale::Log } else { Scale::Linear };
    let y = padded_range(values.map(|value| value.value), scale);
    let x = padded_range(all().map(|(epoch, _)| *epoch), Scale::Linear);
    let (Some(x), Some(mut y)) = (x.filter(|_| !items.is_empty()), y) else {
        return Err(
            "no training has two measured states, such as snapshots of two epochs; make the study with \
             `basin study init --snapshots` and measure them"
                .into(),
        );
    };
    y.1 = input.options.clip.filter(|clip| *clip > y.0).map_or(y.1, |clip| clip.min(y.1));
    let label = ["RLoss / Flatness", "Loss / Flatness"][clean];
    Ok(Plot {
        title: input.options.title.clone(),
        x: Axis::new("Epoch", (0.0, x.1), Scale::Linear, Unit::One),
        y: Axis::new(label, y, scale, Unit::One),
        items,
        key: Some(Key { whose, what }),
        equal_aspect: false,
        notes: Vec::new(),
        provenance: columns.iter().map(|(column, curve)| described(&table, *column, curve, clean)).collect(),
    })
}

/// Which number of the study a curve is.
fn described(table: &Table, column: usize, curve: &Curve, clean: usize) -> String {
    format!("{}: {} of the study", curve.words[clean], text::literal(&table.columns[column].key))
}

/// The trainings with at least two measured states, in the order of the study.
fn trainings<'a>(input: &Input<'_>, table: &'a Table) -> Vec<Training<'a>> {
    let Some((study, _)) = input.study else { return Vec::new() };
    let mut all: Vec<(&std::path::Path, Training<'a>)> = Vec::new();
    for (model, row) in study.models.iter().zip(&table.rows) {
        let (Some(folder), Some(checkpoint)) = (&model.training, &model.checkpoint) else { continue };
        let log = input.named.iter().find_map(|named| match (&named.record.job, &named.record.outcome) {
            (Job::Train(job), Outcome::Train(outcome)) if outcome.folder.ends_with(folder) => {
                Some((named.name, job, outcome))
            }
            _ => None,
        });
        let last = |outcome: &TrainingOutcome| outcome.epochs.last().map(|epoch| epoch.epoch + 1);
        let epoch = match Stage::of(checkpoint) {
            Stage::Epoch(epoch) => Some(epoch),
            Stage::Final => log.and_then(|(_, _, outcome)| last(outcome)),
            Stage::Best | Stage::Unknown => None,
        };
        let Some(epoch) = epoch else { continue };
        let place = all.iter().position(|(known, _)| *known == folder).unwrap_or_else(|| {
            let name = log
                .map_or_else(|| text::literal(&folder.display().to_string()), |(name, ..)| name.to_owned());
            let stopped = log.and_then(|(_, job, outcome)| Some((outcome.chosen(job)?.0 + 1) as f64));
            all.push((folder, Training { name, states: Vec::new(), stopped }));
            all.len() - 1
        });
        all[place].1.states.push((epoch as f64, row));
    }
    let mut trainings: Vec<Training<'a>> = all.into_iter().map(|(_, training)| training).collect();
    trainings.iter_mut().for_each(|training| training.states.sort_by(|a, b| a.0.total_cmp(&b.0)));
    // The last snapshot of a training is its last network.
    trainings.iter_mut().for_each(|training| training.states.dedup_by_key(|(epoch, _)| *epoch));
    trainings.retain(|training| training.states.len() > 1);
    trainings
}

/// The line of a number and its points with their intervals; none if fewer than two states have it.
fn points(
    training: &Training<'_>,
    column: usize,
    curve: &Curve,
    clean: usize,
    color: Color,
) -> Option<(Series, Scatter)> {
    let known = training.states.iter().filter_map(|(epoch, row)| Some((*epoch, row.values[column]?, row)));
    let points: Vec<ScatterPoint> = known
        .map(|(x, value, row)| ScatterPoint {
            x,
            y: value.value,
            x_interval: None,
            y_interval: value.interval.map(|i| (i.low, i.high)),
            name: text::literal(&row.name),
            label: None,
        })
        .collect();
    if points.len() < 2 {
        return None;
    }
    let (x, y) = points.iter().map(|point| (point.x, Some(point.y))).unzip();
    let band = Vec::new();
    let line = Series { name: None, x, y, band, color, dash: curve.dash, dots: false, steps: false };
    let name = Some(curve.words[clean].to_owned());
    Some((line, Scatter { name, points, color, shape: curve.shape, size: 0.7 * curve.shape.fair_size() }))
}
