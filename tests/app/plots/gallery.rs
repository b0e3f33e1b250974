//! Every kind of figure there is, from made-up records.

use basin::plot::export::{FigureStyle, FontFamily, Preset};
use basin::plot::landscape::{self, Named, Options, Quantity, Which};
use basin::plot::{
    Axis, Color, ColorMap, Dash, Guide, GuideLine, Item, Plot, Scale, Scatter, ScatterPoint, Shape, Unit,
    curvature, evaluation, merge_tree, spectrum, training,
};
use basin_core::record::{CurvatureGrid, Outcome, Record, Values};

use super::{named, sample, sample_records, trainings};

/// A landscape with a hole in the middle of one quarter and values of zero in another.
pub fn damaged_plane() -> Record {
    let mut record = sample("landscape-2d.json");
    let Outcome::Landscape(outcome) = &mut record.outcome else { panic!("a landscape") };
    let Some(robust) = &mut outcome.robust else { panic!("robust") };
    let Values::Plane(rows) = &mut robust.loss else { panic!("2-D") };
    for row in rows.iter_mut().take(17).skip(13) {
        row[13..17].fill(None);
    }
    rows[4][4] = Some(0.0);
    record
}

/// A landscape stopped before its grid was finished: every fourth node is there, and one corner is finer.
pub fn unfinished_plane() -> Record {
    let mut record = sample("landscape-2d.json");
    record.provenance.complete = false;
    let Outcome::Landscape(outcome) = &mut record.outcome else { panic!("a landscape") };
    let Some(robust) = &mut outcome.robust else { panic!("robust") };
    for values in [&mut robust.loss, &mut robust.error] {
        let Values::Plane(rows) = values else { panic!("2-D") };
        for (iy, row) in rows.iter_mut().enumerate() {
            for (ix, value) in row.iter_mut().enumerate() {
                let coarse = ix % 4 == 0 && iy % 4 == 0;
                let fine = iy <= 6 && ix % 2 == 0 && iy % 2 == 0;
                *value = value.filter(|_| coarse || fine);
            }
        }
    }
    record
}

/// A curve stopped before it was finished: every second point is there.
pub fn unfinished_curve() -> Record {
    let mut record = sample("landscape-1d.json");
    record.provenance.complete = false;
    let Outcome::Landscape(outcome) = &mut record.outcome else { panic!("a landscape") };
    for grid in [&mut outcome.clean, &mut outcome.robust].into_iter().flatten() {
        for values in [&mut grid.loss, &mut grid.error] {
            let Values::Line(line) = values else { panic!("1-D") };
            line.iter_mut().skip(1).step_by(2).for_each(|value| *value = None);
        }
    }
    record
}

/// A landscape with two eigenvalues at each end.
pub fn curved(record: &Record) -> Record {
    let mut record = record.clone();
    let Outcome::Landscape(outcome) = &mut record.outcome else { panic!("a landscape") };
    let at = |factor: f64| {
        let of = |x: f64, y: f64| Some(factor * (1.0 + x * x + 0.5 * y * y - 0.4 * x));
        match &outcome.y {
            None => Values::Line(outcome.x.iter().map(|x| of(*x, 0.0)).collect()),
            Some(steps) => {
                Values::Plane(steps.iter().map(|y| outcome.x.iter().map(|x| of(*x, *y)).collect()).collect())
            }
        }
    };
    outcome.curvature =
        Some(CurvatureGrid { largest: vec![at(24.0), at(11.0)], smallest: vec![at(-3.0), at(-1.2)] });
    record
}

/// A landscape with many minima of different depths.
pub fn rough_plane() -> Record {
    rough(sample("landscape-2d.json"), |x, y| 1.6 * (7.0 * x).sin() * (8.0 * y + 2.0 * x).cos())
}

/// A curve with few minima.
pub fn rough_curve() -> Record {
    rough(sample("landscape-1d.json"), |x, _| 0.8 * (11.0 * x + 0.7).sin())
}

fn rough(mut record: Record, waves: impl Fn(f64, f64) -> f64) -> Record {
    let Outcome::Landscape(outcome) = &mut record.outcome else { panic!("a landscape") };
    let (x, y) = (outcome.x.clone(), outcome.y.clone().unwrap_or_else(|| vec![0.0]));
    let Some(robust) = &mut outcome.robust else { panic!("robust") };
    for (iy, y) in y.iter().enumerate() {
        for (ix, x) in x.iter().enumerate() {
            let loss = robust.loss.get(ix, iy).expect("a complete landscape");
            robust.loss.set(ix, iy, loss + waves(*x, *y));
        }
    }
    record
}

/// Flatness against robust loss, as the scatter of many models will be.
pub fn scatter() -> Plot {
    let group = |name: &str, index: usize, shape, points: &[(f64, f64)]| {
        Item::Scatter(Scatter {
            name: Some(name.into()),
            points: points
                .iter()
                .enumerate()
                .map(|(i, (x, y))| ScatterPoint {
                    x: *x,
                    y: *y,
                    x_interval: Some((x - 0.06, x + 0.08)),
                    y_interval: Some((y - 0.15, y + 0.15)),
                    name: format!("{name} {i}"),
                    label: (i == 0).then(|| format!("{name} {i}")),
                })
                .collect(),
            color: basin::plot::color::series_color(index),
            shape,
            size: 1.0,
        })
    };
    Plot {
        title: None,
        x: Axis::new("Average-case flatness ($\\xi=0.5$)", (0.0, 1.5), Scale::Linear, Unit::One),
        y: Axis::new("Robust loss ($L_\\infty$, $\\epsilon=8/255$)", (1.0, 4.5), Scale::Linear, Unit::One),
        items: vec![
            Item::Guide(Guide {
                name: None,
                line: GuideLine::Sloped { slope: 1.48, intercept: 1.25 },
                color: Color::rgb(227, 26, 28),
                dash: Dash::Dotted,
            }),
            group("AT", 0, Shape::Circle, &[(1.22, 3.9), (1.02, 2.9), (1.1, 3.4)]),
            group("TRADES", 1, Shape::Diamond, &[(0.62, 2.1), (0.5, 1.9)]),
            group("AT-AWP", 2, Shape::Star, &[(0.35, 1.32), (0.28, 1.5)]),
        ],
        key: None,
        equal_aspect: false,
        notes: Vec::new(),
        provenance: vec!["made-up points".into()],
    }
}

/// Every figure there is, by name.
pub fn gallery() -> Vec<(&'static str, Plot, FigureStyle)> {
    let (one, two, sharp) =
        (sample("landscape-1d.json"), sample("landscape-2d.json"), sample_records::curve(2.2));
    let damaged = damaged_plane();
    let (unfinished, part) = (unfinished_plane(), unfinished_curve());
    let pair = [Named { name: "AT", record: &sharp }, Named { name: "AT-AWP", record: &one }];
    let long = [
        Named { name: "resnet18_at_linf_gd_normalized_lr0007_f100_$5", record: &sharp },
        Named { name: "resnet18_at_awp", record: &one },
    ];
    let curve =
        |records: &[Named<'_>], options: Options| landscape::plot(records, &options).expect("a 1-D figure");
    let map =
        |record: &Record, options: Options| landscape::plot(&named("AT", record), &options).expect("a map");
    let tree =
        |record: &Record| merge_tree::plot(&named("AT", record), &Options::default()).expect("a merge tree");
    let bends = |record: &Record| {
        curvature::plot(&named("AT", record), &Options::default()).expect("a figure of eigenvalues")
    };
    let title = Some("Random direction, $\\xi=0.5$".to_owned());
    let paper = FigureStyle::default();
    let evaluated = evaluation::plot("AT", &sample("evaluation.json"), None).expect("an evaluation");
    let (whole, other) = (trainings::whole(), trainings::other());
    let trained = |records: &[(&str, &Record)], options: training::Options| {
        let named: Vec<Named<'_>> = records.iter().map(|(name, record)| Named { name, record }).collect();
        training::plot(&named, &options).expect("a figure of trainings")
    };
    let error_of_training =
        training::Options { quantity: training::Quantity::Error, ..training::Options::default() };
    let (sharp, flat) = (sample_records::hessian(1.0, true), sample_records::hessian(0.4, true));
    let pair_of_spectra = [("AT", &sharp), ("AWP", &flat)];
    let spectrum = |records: &[(&str, &Record)]| {
        let named: Vec<Named<'_>> = records.iter().map(|(name, record)| Named { name, record }).collect();
        spectrum::plot(&named, None).expect("a figure of spectra")
    };
    let error = Options { quantity: Quantity::Error, which: Which::Robust, ..Options::default() };
    let cividis = Options { clip: Some(5.0), map: ColorMap::Cividis, ..Options::default() };
    let magma = Options { quantity: Quantity::Error, map: ColorMap::Magma, ..Options::default() };
    vec![
        ("curve", curve(&named("AT", &one), Options::default()), paper.clone()),
        ("curve-column", curve(&named("AT", &one), Options::default()), Preset::Column.style()),
        ("curves", curve(&pair, Options { title, ..Options::default() }), paper.clone()),
        ("curves-log-error", curve(&pair, Options { log: true, ..error }), paper.clone()),
        ("curves-clip", curve(&pair, Options { clip: Some(2.5), ..Options::default() }), paper.clone()),
        ("curves-long-names", curve(&long, Options::default()), Preset::Column.style()),
        ("map", map(&two, Options::default()), paper.clone()),
        ("map-unfinished", map(&unfinished, Options::default()), paper.clone()),
        ("curve-unfinished", curve(&named("AT", &part), Options::default()), paper.clone()),
        ("map-column", map(&two, Options::default()), Preset::Column.style()),
        ("map-slide", map(&two, Options { log: true, ..Options::default() }), Preset::Slide.style()),
        ("map-clip", map(&two, cividis), paper.clone()),
        ("map-error", map(&two, magma), paper.clone()),
        ("map-holes", map(&damaged, Options { log: true, ..Options::default() }), paper.clone()),
        (
            "map-grey-wide",
            map(&two, Options { map: ColorMap::Grey, ..Options::default() }),
            FigureStyle { height_in: Some(3.0), ..Preset::Wide.style() },
        ),
        ("curvature", bends(&curved(&one)), paper.clone()),
        ("curvature-map", bends(&curved(&sample("landscape-2d.json"))), paper.clone()),
        ("merge-tree", tree(&rough_plane()), paper.clone()),
        ("merge-tree-curve", tree(&rough_curve()), Preset::Column.style()),
        ("evaluation", evaluated.clone(), paper.clone()),
        ("evaluation-slide", evaluated, Preset::Slide.style()),
        ("training", trained(&[("AT", &whole)], training::Options::default()), paper.clone()),
        ("trainings", trained(&[("AT", &whole), ("AWP", &other)], error_of_training), paper.clone()),
        ("spectrum", spectrum(&[("AT", &sample_records::hessian(1.0, true))]), paper.clone()),
        ("spectra", spectrum(&pair_of_spectra), paper.clone()),
        ("eigenvalues", spectrum(&[("AT", &sample_records::hessian(1.0, false))]), Preset::Column.style()),
        ("scatter", scatter(), paper.clone()),
        ("scatter-sans", scatter(), FigureStyle { family: FontFamily::Sans, ..paper }),
    ]
}
