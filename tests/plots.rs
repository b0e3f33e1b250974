//! Figures: from made-up records to plots, and from plots to files.
//!
//! The figures are left in `target/figures` to be looked at.

#[path = "support/sample_records.rs"]
mod sample_records;

use std::path::{Path, PathBuf};

use basin::plot::export::{self, FigureStyle, FileKind, Preset};
use basin::plot::landscape::{self, Named, Options, Quantity, Which};
use basin::plot::{Plot, evaluation};
use basin_core::record::Record;

fn sample(name: &str) -> Record {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reference/records").join(name);
    Record::load(&path).expect("the sample records are readable")
}

fn show(plot: &Plot, style: &FigureStyle, name: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/figures");
    std::fs::create_dir_all(&folder).expect("target is writable");
    for ending in ["svg", "pdf", "png", "tex", "csv"] {
        export::write(plot, style, &folder.join(format!("{name}.{ending}"))).expect("the figure is written");
    }
}

/// `BASIN_REWRITE=1` writes the sample records anew.
#[test]
fn sample_records_are_what_their_generator_makes() {
    for (name, record) in [
        ("landscape-1d.json", sample_records::curve(1.0)),
        ("landscape-2d.json", sample_records::plane()),
        ("evaluation.json", sample_records::evaluation()),
    ] {
        if std::env::var_os("BASIN_REWRITE").is_some() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reference/records").join(name);
            record.save(&path).expect("the folder exists");
        }
        assert_eq!(sample(name), record, "{name}");
    }
}

#[test]
fn figures_to_look_at() {
    let (one, two, sharp) =
        (sample("landscape-1d.json"), sample("landscape-2d.json"), sample_records::curve(2.2));
    let only = [Named { name: "AT", record: &one }];
    let styles = [
        ("paper", Preset::Paper),
        ("column", Preset::Column),
        ("wide", Preset::Wide),
        ("slide", Preset::Slide),
    ];
    for (style_name, preset) in styles {
        let style = preset.style();
        let plot = landscape::plot(&only, &Options::default()).expect("1-D");
        show(&plot, &style, &format!("curve-{style_name}"));
        let plot = landscape::plot(&[Named { name: "AT", record: &two }], &Options::default()).expect("2-D");
        show(&plot, &style, &format!("map-{style_name}"));
        let plot = evaluation::plot("AT", &sample("evaluation.json"), None).expect("evaluation");
        show(&plot, &style, &format!("evaluation-{style_name}"));
    }
    let pair = [Named { name: "AT", record: &sharp }, Named { name: "AT-AWP", record: &one }];
    let options = Options { title: Some("Random direction, $\\xi=0.5$".into()), ..Options::default() };
    show(&landscape::plot(&pair, &options).expect("two models"), &FigureStyle::default(), "curves-two");
    let options =
        Options { log: true, quantity: Quantity::Error, which: Which::Robust, ..Options::default() };
    show(&landscape::plot(&pair, &options).expect("log error"), &FigureStyle::default(), "curves-log-error");
    let options = Options { log: true, title: Some("Log scale".into()), ..Options::default() };
    let map = [Named { name: "AT", record: &two }];
    show(&landscape::plot(&map, &options).expect("log map"), &FigureStyle::default(), "map-log");
    let options = Options { clip: Some(5.0), map: basin::plot::ColorMap::Cividis, ..Options::default() };
    show(&landscape::plot(&map, &options).expect("clipped"), &FigureStyle::default(), "map-clip");
    let _ = FileKind::Svg;
}
