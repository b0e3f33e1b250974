//! What users reported about figures, with what is right; their files are in `field-reports/`.

use std::path::{Path, PathBuf};

use basin::plot::export::{self, FigureStyle};
use basin::plot::landscape::{self, Options};
use basin::plot::scatter::{self, Choice, Look, Models, from_records};
use basin::plot::{Item, Plot};
use basin_core::record::Record;

use super::{command, named};

fn report(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/field-reports").join(name)
}

fn record(path: &str) -> Record {
    Record::load(&report(path)).expect("a record")
}

/// 16: a title wider than the figure lost both of its ends.
#[test]
fn a_long_title_is_there_in_full() {
    let title = "Robust Loss Landscape of AT-AWP, TRADES, and MART";
    let record = record("16-title-cut/la1.json");
    let options = Options { title: Some(title.to_owned()), ..Options::default() };
    let plot = landscape::plot(&named("la1", &record), &options).expect("curves");
    let scene = export::scene(&plot, &FigureStyle::default());
    let lines: Vec<&str> = scene.texts().filter(|text| text.bold).map(|text| &*text.label).collect();
    assert_eq!(lines.join(" "), title);
    assert_eq!(lines.len(), 2);
}

/// The legend of the README's own figure lost its third column.
#[test]
fn the_legend_of_the_published_models_is_inside_of_the_page() {
    let models = scatter::published::models(&Choice::default()).expect("the models");
    let plot = scatter::plot(&models, &Look::default()).expect("a scatter");
    let style = FigureStyle::default();
    let scene = export::scene(&plot, &style);
    let groups: Vec<String> = plot.legend()[0].iter().map(|entry| entry.name.to_owned()).collect();
    for group in groups {
        let text =
            scene.texts().find(|text| text.label == group).unwrap_or_else(|| panic!("{group} is not there"));
        let right = text.at[0] + export::text_width(&text.label, style.family, text.size);
        assert!(right <= scene.width, "{group} ends at {right} of {}", scene.width);
    }
}

/// 18: Greek letters and symbols in names did not compile; names took no mathematics.
#[test]
fn names_in_latex_have_symbols_and_mathematics() {
    let [evaluated, flat] = ["ev1.json", "fl1.json"].map(|name| report("18-tex-unicode").join(name));
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("fig.tex");
    let paths = [&evaluated, &flat, &out].map(|path| path.to_str().expect("UTF-8"));
    for (name, source) in [
        ("AT ε=8/255 ≤ ∞", "AT $\\varepsilon$=8/255 $\\le$ $\\infty$"),
        ("AT $\\epsilon=8/255$", "AT $\\epsilon=8/255$"),
    ] {
        command(&[paths[0], paths[1], "--figure", "scatter", "--name", name, "--out", paths[2]])
            .expect("drawn");
        let tex = std::fs::read_to_string(&out).expect("written");
        assert!(tex.contains(&format!("\\selectfont {source}}};")), "{tex}");
    }
}

/// 19: a percent sign in mathematics ate the rest of its line.
#[test]
fn a_percent_sign_in_mathematics_is_escaped() {
    let record = record("16-title-cut/la1.json");
    let options = Options { title: Some("$100%$ robust".to_owned()), ..Options::default() };
    let plot = landscape::plot(&named("la1", &record), &options).expect("curves");
    let tex = export::to_tex(&plot, &FigureStyle::default());
    assert!(tex.contains("\\bfseries $100\\%$ robust}"), "{tex}");
}

fn zero() -> Models {
    let kinds = ["neg", "pos1", "pos2", "pos3", "zero"];
    let all = kinds
        .iter()
        .flat_map(|of| ["ev", "fl"].map(|kind| record(&format!("20-log-axis-zero/{of}_{kind}.json"))));
    from_records(&all.collect::<Vec<_>>().iter().collect::<Vec<_>>(), &Choice::default(), &[], &[])
}

fn points(plot: &Plot) -> usize {
    plot.items.iter().map(|item| if let Item::Scatter(s) = item { s.points.len() } else { 0 }).sum()
}

/// 20: models vanished from a logarithmic axis without a word, and counted all the same.
#[test]
fn what_a_logarithmic_axis_cannot_show_is_named_and_does_not_count() {
    let models = zero();
    let drawn = scatter::plot(&models, &Look::default()).expect("a scatter");
    assert_eq!((points(&drawn), models.relation().expect("five").n), (5, 5));
    let look = Look { log_x: true, ..Look::default() };
    let drawn = scatter::plot(&models, &look).expect("a scatter");
    let note = "not shown: neg, zero have no flatness above 0, which a logarithmic axis needs";
    assert!(drawn.notes.iter().any(|n| n == note), "{:?}", drawn.notes);
    assert_eq!(points(&drawn), 3);
    let shown = models.on_axes(&look).relation().expect("three");
    assert_eq!(shown.n, 3);
    let caption = drawn.items.iter().find_map(|item| match item {
        Item::Caption(caption) => Some(caption.lines.join(" ")),
        _ => None,
    });
    let caption = caption.expect("statistics");
    assert!(caption.contains("$n$ = 3") && !caption.contains("0.45"), "{caption}");
}

/// 23: values that are not finite were called not computed.
#[test]
fn what_is_not_finite_is_called_so() {
    let record = record("23-not-finite-note/la2nan.json");
    let plot = landscape::plot(&named("la2nan", &record), &Options::default()).expect("a map");
    assert_eq!(plot.notes, ["la2nan: 48 of 49 clean values are not finite"]);
}

/// A name is one cell of one row, whatever is in it.
#[test]
fn names_do_not_break_tables() {
    let record = record("16-title-cut/la1.json");
    let plot = landscape::plot(&named("a\nb,\"c\"\r\u{7};d", &record), &Options::default()).expect("curves");
    let two = [named("a\nb,\"c\"\r\u{7};d", &record)[0], named("#2", &record)[0]];
    let both = landscape::plot(&two, &Options::default()).expect("curves");
    for csv in [export::csv(&plot), export::csv(&both)] {
        assert!(!csv.contains(['\r', '\u{7}']), "{csv}");
        let rows = csv.lines().filter(|line| !line.starts_with('#')).count();
        assert!(csv.lines().all(|line| line.starts_with('#') || line.split(',').count() >= 2), "{csv}");
        assert!(rows > 5, "{csv}");
    }
    assert!(export::csv(&both).contains("\nx,\"a b,\"\"c\"\"  ;d\",\"#2\"\n"), "{}", export::csv(&both));
}
