//! Figures: from made-up records to plots, and from plots to widgets and files.
//!
//! With `BASIN_FIGURES=1` the figures are left in `target/figures` to be looked at.

mod gallery;
mod geometry;
mod labels;
mod latex;
mod layout;
mod reports;
mod screen;
mod trainings;

use std::path::{Path, PathBuf};

use basin::cli::plot::{PlotArgs, run};
use basin::plot::contour::{area, region};
use basin::plot::export::{self, FigureStyle, FileKind};
use basin::plot::landscape::{self, Named, Options, Quantity, Which};
use basin::plot::{ColorMap, Item, Plot, Scale, Unit, text};
use basin::plot::{attack, attack_steps, flatness, landscapes};
use basin::surface_picture;
use basin_core::job::{Attack, AutoAttack, Case, Compute, DataSelection, Flatness, FlatnessLoss, Job};
use basin_core::record::{
    AtRadius, AttackFlags, AttackOutcome, AttackRow, AttackSteps, AttackedExamples, Attempt, Draw,
    FlatnessOutcome, LayerFlatness, Outcome, Record, Values,
};
use clap::Parser as _;
use gallery::{damaged_plane, gallery, scatter, unfinished_curve, unfinished_plane};

use crate::support::sample_records;

fn records() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reference/records")
}

fn sample(name: &str) -> Record {
    Record::load(&records().join(name)).expect("the sample records are readable")
}

fn named<'a>(name: &'a str, record: &'a Record) -> [Named<'a>; 1] {
    [Named { name, record }]
}

/// Leaves a figure to be looked at, if that is wanted.
fn show(plot: &Plot, style: &FigureStyle, name: &str) {
    if std::env::var_os("BASIN_FIGURES").is_some() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/figures");
        std::fs::create_dir_all(&folder).expect("target is writable");
        for ending in ["svg", "pdf", "png", "tex", "csv"] {
            export::write(plot, style, &folder.join(format!("{name}.{ending}")))
                .expect("the figure is written");
        }
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
            record.save(&records().join(name)).expect("the folder exists");
        }
        assert_eq!(sample(name), record, "{name}");
    }
}

/// Every text of a drawing with its place on the page.
fn texts(group: &resvg::usvg::Group) -> Vec<(String, resvg::usvg::Rect)> {
    let of = |node: &resvg::usvg::Node| match node {
        resvg::usvg::Node::Group(group) => texts(group),
        resvg::usvg::Node::Text(text) => {
            let words = text.chunks().iter().map(|chunk| chunk.text()).collect();
            let place = text.flattened().bounding_box().transform(text.abs_transform());
            place.map(|place| (words, place)).into_iter().collect()
        }
        _ => Vec::new(),
    };
    group.children().iter().flat_map(of).collect()
}

#[test]
fn every_figure_is_sound_svg_with_text_as_text_inside_the_page() {
    for (name, plot, style) in gallery() {
        show(&plot, &style, name);
    }
    for (name, plot, style) in gallery() {
        let svg = export::to_svg(&plot, &style);
        let mut options = resvg::usvg::Options::default();
        options.fontdb_mut().load_fonts_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../resources/fonts"));
        let tree = resvg::usvg::Tree::from_str(&svg, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
        let width = f64::from(tree.size().width()) / 96.0;
        assert!((width - style.width_in).abs() < 1e-3, "{name} is {width} in wide");
        assert!(svg.contains("@font-face") && svg.contains("<text"), "{name} has fonts and text");
        // No label, legend or title sticks out of the page.
        let page = tree.size().to_non_zero_rect(0.0, 0.0);
        let texts = texts(tree.root());
        assert!(texts.len() >= 8, "{name} has {} texts", texts.len());
        for (words, place) in texts {
            let inside = place.left() >= page.left() - 0.5
                && place.top() >= page.top() - 0.5
                && place.right() <= page.right() + 0.5
                && place.bottom() <= page.bottom() + 0.5;
            assert!(inside, "{name}: {words:?} at {place:?} on {page:?}");
        }
    }
}

#[test]
fn pdf_has_text_and_embedded_fonts() {
    let record = sample("landscape-2d.json");
    let plot = landscape::plot(&named("AT", &record), &Options::default()).expect("a map");
    let pdf = export::to_pdf(&plot, &FigureStyle::default()).expect("a PDF");
    let has = |needle: &[u8]| pdf.windows(needle.len()).any(|w| w == needle);
    assert!(has(b"%PDF-"));
    assert!(has(b"/FontFile3"), "the font program is inside");
    assert!(has(b"+BasinSerif-Regular"), "as a subset of the serif face");
    assert!(has(b"/ToUnicode"), "so that text can be searched and copied");
    assert!(!has(b"/Subtype/Image") && !has(b"/Subtype /Image"), "nothing is pixels");
    // 4 in wide.
    assert!(has(b"/MediaBox [0 0 288 ") || has(b"/MediaBox[0 0 288 "), "the page has the asked width");
}

#[test]
fn png_has_the_asked_pixels_and_says_its_resolution() {
    let record = sample("landscape-1d.json");
    let plot = landscape::plot(&named("AT", &record), &Options::default()).expect("curves");
    let style = FigureStyle { dpi: 150.0, height_in: Some(3.0), ..FigureStyle::default() };
    let png = export::to_png(&plot, &style).expect("a PNG");
    let image = image::load_from_memory(&png).expect("a sound PNG");
    assert_eq!((image.width(), image.height()), (600, 450));
    let at = png.windows(4).position(|w| w == b"pHYs").expect("resolution") + 4;
    assert_eq!(u32::from_be_bytes(png[at..at + 4].try_into().expect("4 bytes")), 5906);
    let too_large = FigureStyle { dpi: 2400.0, width_in: 60.0, ..style };
    let error = export::to_png(&plot, &too_large).expect_err("too large").to_string();
    assert!(error.contains("--dpi"), "{error}");
}

#[test]
fn csv_gives_every_number_back_exactly() {
    let mut record = sample("landscape-1d.json");
    let Outcome::Landscape(outcome) = &mut record.outcome else { panic!("a landscape") };
    let robust = outcome.robust.as_mut().expect("robust");
    robust.loss.set(3, 0, 0.1 + 0.2);
    robust.loss.set(4, 0, 1e-17);
    let Values::Line(line) = &mut robust.loss else { panic!("1-D") };
    line[5] = None;
    let line = line.clone();
    let plot = landscape::plot(&named("a, b", &record), &Options { clip: Some(2.0), ..Options::default() });
    let csv = export::csv(&plot.expect("curves"));
    assert!(csv.lines().any(|l| l.starts_with("# step 1: relative L2 norm 0.5 in every tensor")), "{csv}");
    let rows: Vec<Vec<&str>> =
        csv.lines().filter(|l| !l.starts_with('#')).map(|l| l.split(',').collect()).collect();
    assert_eq!(rows[0], ["x", "Clean", "Robust"]);
    assert_eq!(rows.len(), 22);
    for (row, value) in rows[1..].iter().zip(line) {
        assert_eq!(row[2].parse::<f64>().ok(), value, "{row:?}");
    }

    let record = sample("landscape-2d.json");
    let plot =
        landscape::plot(&named("AT", &record), &Options { quantity: Quantity::Error, ..Options::default() });
    let csv = export::csv(&plot.expect("a map"));
    let Outcome::Landscape(outcome) = &record.outcome else { panic!("a landscape") };
    let expected = &outcome.robust.as_ref().expect("robust").error;
    let rows: Vec<&str> = csv.lines().filter(|l| !l.starts_with('#')).skip(1).collect();
    assert_eq!(rows.len(), 441);
    for (row, value) in rows.iter().zip(expected.iter()) {
        assert_eq!(row.split(',').nth(2).and_then(|v| v.parse().ok()), value, "{row}");
    }
    assert!(export::csv(&scatter()).contains("AT,AT 0,1.22,1.16,1.3,3.9,"), "{}", export::csv(&scatter()));
}

#[test]
fn heads_of_files_name_files_without_their_folders() {
    let mut record = sample("landscape-1d.json");
    let Job::Landscape(job) = &mut record.job else { panic!("a landscape") };
    job.checkpoint = "/home/someone/models/net.pth.tar".into();
    record.provenance.data = "/home/someone/data/digits".into();
    let plot = landscape::plot(&named("AT", &record), &Options::default()).expect("curves");
    for text in [export::csv(&plot), export::to_svg(&plot, &FigureStyle::default())] {
        assert!(
            text.contains("net.pth.tar") && text.contains("digits") && !text.contains("someone"),
            "{text}"
        );
    }
}

#[test]
fn non_positive_values_on_a_log_scale_are_left_out_and_said() {
    let mut record = sample("landscape-1d.json");
    let Outcome::Landscape(outcome) = &mut record.outcome else { panic!("a landscape") };
    outcome.clean.as_mut().expect("clean").loss.set(10, 0, 0.0);
    let plot =
        landscape::plot(&named("AT", &record), &Options { log: true, ..Options::default() }).expect("curves");
    assert_eq!(plot.notes, ["AT: 1 clean value is not positive and cannot be shown on a logarithmic axis"]);
    let scene = export::to_svg(&plot, &FigureStyle::default());
    // The clean curve is two pieces now.
    assert!(
        scene.lines().any(|l| l.starts_with("<path") && l.matches('M').count() == 2 && l.contains("#1f78b4"))
    );

    let Outcome::Landscape(outcome) = &mut record.outcome else { panic!("a landscape") };
    for i in 0..21 {
        outcome.clean.as_mut().expect("clean").error.set(i, 0, 0.0);
    }
    let options = Options { log: true, quantity: Quantity::Error, which: Which::Clean, ..Options::default() };
    let error = landscape::plot(&named("AT", &record), &options).expect_err("nothing to show");
    assert_eq!(error, "AT has no positive values, and a logarithmic axis shows only those; leave out --log");
}

#[test]
fn holes_stay_holes_and_are_said() {
    let record = damaged_plane();
    let plot = landscape::plot(&named("AT", &record), &Options::default()).expect("a map");
    assert_eq!(plot.notes, ["AT: 16 of 441 robust values are not finite"]);
    let field = plot.field().expect("a field");
    // 4 x 4 missing values take 5 x 5 cells of 0.1 x 0.1 with them.
    assert!((area(&region(&field.grid(), f64::NEG_INFINITY)) - (4.0 - 0.25)).abs() < 1e-9);
    assert_eq!(field.nearest(0.5, 0.5), None);
    assert_eq!(field.nearest(0.04, -0.04).map(|v| (v.0, v.1)), Some((0.0, 0.0)));
    assert_eq!(field.nearest(1.2, 0.0), None);
}

#[test]
fn what_is_unfinished_is_drawn_as_far_as_it_is_known() {
    let record = unfinished_plane();
    let plot = landscape::plot(&named("AT", &record), &Options::default()).expect("a map");
    let known = "68 of 441 robust values are computed,";
    assert!(
        plot.notes[0].starts_with("AT is partial: ") && plot.notes[0].contains(known),
        "{:?}",
        plot.notes
    );
    let field = plot.field().expect("a field");
    assert!((area(&region(&field.grid(), f64::NEG_INFINITY)) - 4.0).abs() < 1e-9, "no cell is blank");
    assert_eq!(field.dots().len(), 68);
    assert_eq!(field.nearest(0.1, 0.1), None, "nothing was computed there");
    let rows =
        export::csv(&plot).lines().filter(|line| !line.starts_with('#') && !line.ends_with(',')).count();
    assert_eq!(rows, 1 + 68, "a table has computed values only");

    let record = unfinished_curve();
    let plot = landscape::plot(&named("AT", &record), &Options::default()).expect("curves");
    let Some(Item::Series(series)) = plot.items.first() else { panic!("a curve") };
    assert!(series.x.len() == 11 && series.y.iter().all(Option::is_some), "one unbroken line");
    assert_eq!(plot.x.range, (-1.0, 1.0));

    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    unfinished_plane().save(Path::new(&path("partial.json"))).expect("written");
    let (record, out) = (path("partial.json"), path("surface.png"));
    command(&[&record, "--figure", "surface", "--out", &out, "--dpi", "60"]).expect("a surface");
}

#[test]
fn any_magnitude_and_any_spread_is_a_figure() {
    let (line, plane) = (sample("landscape-1d.json"), sample("landscape-2d.json"));
    for base in [0.0, 1e-300, 1e-12, 0.003, 0.97, 1.0, 3.0, 9.99, 1e5, 3e17, 1e300] {
        for spread in [0.0, 1e-14, 1e-3, 1.0, 1e4, 1e9] {
            for record in [&line, &plane] {
                let mut record = record.clone();
                let Outcome::Landscape(outcome) = &mut record.outcome else { panic!("a landscape") };
                let rows = outcome.y.as_ref().map_or(1, Vec::len);
                let robust = outcome.robust.as_mut().expect("robust");
                for iy in 0..rows {
                    for ix in 0..21 {
                        robust.loss.set(
                            ix,
                            iy,
                            base * (1.0 + spread * ((ix * 7 + iy * 3) % 20) as f64 / 19.0),
                        );
                    }
                }
                for (log, clip) in [(false, None), (true, None), (false, Some(1.5)), (true, Some(1.5))] {
                    let clip = clip.map(|clip| clip * base).filter(|clip| *clip > 0.0);
                    let options = Options { log, clip, which: Which::Robust, ..Options::default() };
                    match landscape::plot(&named("AT", &record), &options) {
                        Ok(plot) => {
                            let svg = export::to_svg(&plot, &FigureStyle::default());
                            assert!(
                                !svg.contains("NaN") && !svg.contains("inf\""),
                                "{base} {spread} {options:?}"
                            );
                            let svg = svg.split_once("</style>").expect("fonts").1;
                            let ticks = svg.matches("<text").count();
                            assert!((5..60).contains(&ticks), "{base} {spread} {options:?}: {ticks} texts");
                            basin::plot::screen::ScreenPlot::new(plot);
                        }
                        Err(error) => assert!(base == 0.0 && log, "{base} {spread} {options:?}: {error}"),
                    }
                }
            }
        }
    }
}

#[test]
fn a_clipped_error_is_said_in_percent() {
    let record = sample("landscape-2d.json");
    let options = Options { quantity: Quantity::Error, clip: Some(0.8), ..Options::default() };
    let plot = landscape::plot(&named("AT", &record), &options).expect("a map");
    assert_eq!(plot.notes, ["values above 80% share one colour"]);
    let record = sample("landscape-1d.json");
    let options = Options { quantity: Quantity::Error, clip: Some(0.1), ..Options::default() };
    let error = landscape::plot(&named("AT", &record), &options).expect_err("nothing below");
    assert_eq!(error, "nothing is below the clip value 10%; use more than 16%");
}

#[test]
fn clipping_never_hides_in_silence() {
    let record = sample("landscape-1d.json");
    let plot =
        |clip| landscape::plot(&named("AT", &record), &Options { clip: Some(clip), ..Options::default() });
    let notes = plot(1.0).expect("the clean curve").notes;
    assert_eq!(notes, ["AT: the robust curve is above the clip value 1 and is not shown"]);
    assert_eq!(plot(1.5).expect("both curves, in part").notes, [""; 0]);
    let plane = sample("landscape-2d.json");
    let options = Options { clip: Some(1.0), ..Options::default() };
    let error = landscape::plot(&named("AT", &plane), &options).expect_err("nothing below");
    assert!(error.starts_with("nothing is below the clip value 1; use more than 1.3"), "{error}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    plane.save(Path::new(&path("plane.json"))).expect("written");
    let (record, out) = (path("plane.json"), path("surface.png"));
    let error = command(&[&record, "--figure", "surface", "--clip", "1", "--out", &out]).expect_err("none");
    assert!(error.starts_with("nothing is below the clip value 1"), "{error}");
}

#[test]
fn colour_bands_cover_the_values_and_use_the_whole_map() {
    let record = sample("landscape-2d.json");
    for options in [
        Options::default(),
        Options { log: true, ..Options::default() },
        Options { clip: Some(4.0), ..Options::default() },
        Options { clip: Some(4.0), log: true, ..Options::default() },
        Options { quantity: Quantity::Error, ..Options::default() },
    ] {
        let plot = landscape::plot(&named("AT", &record), &options).expect("a map");
        let field = plot.field().expect("a field");
        let colors = &field.colors;
        assert!((8..=32).contains(&colors.bands()), "{options:?}: {:?}", colors.levels);
        let known = field.values.iter().flatten().copied();
        let (low, high) = known.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let range = colors.range();
        assert!(range.0 <= low && (range.1 >= high || colors.over), "{options:?}");
        assert_eq!(colors.over, options.clip.is_some());
        assert_eq!(colors.band_color(0), ColorMap::Viridis.at(0.0));
        assert_eq!(colors.band_color(colors.bands() - 1), ColorMap::Viridis.at(1.0));
        for contour in &field.contours {
            assert!(
                colors.levels.contains(&contour.level),
                "the line {} is a limit between bands",
                contour.label
            );
        }
    }
    // A constant function still is a figure.
    let flat = vec![Some(2.3); 9];
    let steps = vec![-1.0, 0.0, 1.0];
    let look = (ColorMap::Viridis, Scale::Linear, Unit::One);
    let field = basin::plot::Field::new("Loss", (steps.clone(), steps, flat), look, None).expect("a field");
    assert!(field.colors.range().0 <= 2.3 && field.colors.range().1 >= 2.3 && field.colors.bands() >= 1);
}

#[derive(clap::Parser)]
struct Command {
    #[command(flatten)]
    plot: PlotArgs,
}

fn command(arguments: &[&str]) -> Result<(), String> {
    let arguments = std::iter::once("plot").chain(arguments.iter().copied());
    let command = Command::try_parse_from(arguments).map_err(|e| e.to_string())?;
    run(&command.plot).map_err(|e| format!("{e:#}"))
}

#[test]
fn the_command_writes_every_kind_of_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (line, plane) = (records().join("landscape-1d.json"), records().join("landscape-2d.json"));
    let (line, plane) = (line.to_str().expect("UTF-8"), plane.to_str().expect("UTF-8"));
    let evaluation = records().join("evaluation.json");
    let starts: [(&str, &[u8]); 5] =
        [("svg", b"<svg"), ("pdf", b"%PDF"), ("png", b"\x89PNG"), ("tex", b"% "), ("csv", b"# ")];
    for (ending, start) in starts {
        let out = folder.path().join(format!("figure.{ending}"));
        let out = out.to_str().expect("UTF-8");
        command(&[line, "--out", out, "--error", "--which", "robust", "--width", "84mm", "--dpi", "100"])
            .expect("1-D");
        assert!(std::fs::read(out).expect("written").starts_with(start), "{ending}");
        command(&[plane, "--out", out, "--figure", "landscape", "--log", "--clip", "8", "--colors", "magma"])
            .expect("2-D");
        command(&[evaluation.to_str().expect("UTF-8"), "--out", out, "--style", "column", "--font", "sans"])
            .expect("evaluation");
    }
    let surface = folder.path().join("surface.png");
    let out = surface.to_str().expect("UTF-8");
    command(&[plane, "--figure", "surface", "--out", out, "--log", "--dpi", "100"]).expect("a surface");
    let picture = image::open(&surface).expect("a picture");
    assert_eq!((picture.width(), picture.height()), (400, 300));
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("readable").collect();
    assert_eq!(left.len(), 6, "no temporary files stay behind");
}

#[test]
fn wrong_input_is_one_sentence_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let at = |name: &str| records().join(name).to_str().expect("UTF-8").to_owned();
    let (line, plane, evaluation) = (at("landscape-1d.json"), at("landscape-2d.json"), at("evaluation.json"));
    std::fs::write(path("not.json"), "<html>").expect("written");
    let (out, png) = (path("figure.svg"), path("figure.png"));
    let none = path("none.json");
    let (html, gif, nowhere) = (path("not.json"), path("figure.gif"), path("no/figure.svg"));
    for (arguments, words) in [
        (vec![&*line, "--out", &*gif], vec!["figure.gif", ".svg, .pdf, .png, .tex or .csv"]),
        (vec![&*none, "--out", &*out], vec!["none.json", "check the path"]),
        (vec![&*html, "--out", &*out], vec!["not.json", "not a Basin record"]),
        (vec![&*line, &*plane, "--out", &*out], vec!["1-D", "2-D", "separate figures"]),
        (vec![&*plane, &*plane, "--out", &*out], vec!["one record at a time"]),
        (vec![&*line, &*evaluation, "--out", &*out], vec!["evaluation is a record of `basin evaluate`"]),
        (
            vec![&*line, "--figure", "evaluation", "--out", &*out],
            vec!["landscape-1d is a record of `basin landscape`"],
        ),
        (vec![&*plane, "--which", "clean", "--out", &*out], vec!["has no clean values", "--loss clean"]),
        (vec![&*plane, "--which", "both", "--out", &*out], vec!["choose one"]),
        (vec![&*line, "--out", &*nowhere], vec!["figure.svg", "does not exist; create it first"]),
        (vec![&*plane, "--figure", "surface", "--out", &*out], vec!["write it to a .png"]),
        (vec![&*line, "--figure", "surface", "--out", &*png], vec!["1-D", "--figure landscape"]),
        (vec![&*line, "--clip", "-1", "--out", &*out], vec!["-1"]),
        (vec![&*line, "--clip", "0.01", "--out", &*out], vec!["0.01", "use more than 0.42"]),
        (vec![&*line, "--width", "3 miles", "--out", &*out], vec!["3.25in, 84mm or 234pt"]),
        (vec![&*line, "--name", "a", "--name", "b", "--out", &*out], vec!["2 names for 1 record;"]),
    ] {
        let error = command(&arguments).expect_err(&format!("{arguments:?}"));
        for word in words {
            assert!(error.contains(word), "{arguments:?}: {error}");
        }
        assert!(!Path::new(&out).exists(), "{arguments:?} leaves no file");
    }
    assert_eq!(FileKind::of(Path::new("a.PDF")).ok(), Some(FileKind::Pdf));
}

#[test]
fn every_figure_comes_to_rest_on_the_screen() {
    use eframe::egui;
    use egui_kittest::kittest::Queryable as _;

    for (name, plot, _) in gallery() {
        let note = plot.notes.first().cloned();
        let screen = basin::plot::screen::ScreenPlot::new(plot);
        let picture = std::env::var_os("BASIN_FIGURES").is_some();
        for dark in [true, false] {
            let builder = egui_kittest::Harness::builder().with_size([640.0, 480.0]);
            let builder = if picture { builder.wgpu() } else { builder };
            let mut harness = builder.build_ui(|ui| {
                let visuals = if dark { egui::Visuals::dark() } else { egui::Visuals::light() };
                ui.ctx().set_visuals(visuals);
                ui.ctx().set_fonts(basin::plot::screen::fonts());
                egui::Frame::central_panel(ui.style()).show(ui, |ui| screen.ui(ui, name));
            });
            harness.run();
            if let Some(note) = &note {
                harness.get_by_label(&text::plain(note));
            }
            // Over the data, and zoomed.
            harness.hover_at(egui::pos2(330.0, 240.0));
            harness.run();
            if picture {
                let theme = if dark { "dark" } else { "light" };
                let path = format!("../target/figures/screen-{name}-{theme}.png");
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("target is writable");
                harness.render().expect("a picture").save(path).expect("target is writable");
            }
            harness.event(egui::Event::Zoom(1.5));
            harness.run();
        }
    }
}

#[test]
fn flatness_is_drawn_over_radii_and_by_layer() {
    let record = flatness_record();
    let plot = flatness::plot(&named("model", &record), None).expect("radii");
    show(&plot, &FigureStyle::default(), "flatness");
    assert_eq!((plot.x.scale, plot.y.label.as_str()), (Scale::Log, "Average-case clean flatness"));
    let means = plot.items.iter().find_map(|item| match item {
        Item::Scatter(scatter) if scatter.points.iter().all(|p| p.y_interval.is_some()) => Some(scatter),
        _ => None,
    });
    let points: Vec<_> = means.expect("means with intervals").points.iter().map(|p| (p.x, p.y)).collect();
    assert_eq!(points, [(0.05, 0.01), (0.5, 0.4), (1.0, 1.9)], "in the order of the radii");

    let layers = flatness::layers(named("model", &record)[0], None).expect("layers");
    show(&layers, &FigureStyle::default(), "layers");
    let names: Vec<&str> = layers.y.ticks.iter().map(|tick| tick.label.as_str()).collect();
    assert_eq!(names, ["conv1.weight", "logits.weight"]);
    assert!(layers.y.ticks[0].value > layers.y.ticks[1].value, "the first layer is at the top");

    let landscape = sample("landscape-1d.json");
    let refusal = flatness::plot(&named("other", &landscape), None).expect_err("no flatness");
    assert_eq!(refusal, "other is a record of `basin landscape`, not of flatness");
    let mut plain = record;
    if let Outcome::Flatness(outcome) = &mut plain.outcome {
        outcome.layers.clear();
    }
    let refusal = flatness::layers(named("plain", &plain)[0], None).expect_err("no layers");
    assert!(refusal.contains("--per-layer"), "{refusal}");
}

#[test]
fn columns_and_draws_of_several_flatness_records_say_whose_they_are() {
    let (clean, mut robust) = (flatness_record(), flatness_record());
    let two = [Named { name: "at", record: &clean }, Named { name: "awp", record: &clean }];
    let csv = export::csv(&flatness::plot(&two, None).expect("a figure"));
    assert!(csv.contains("\nx,at,awp\n") && csv.contains("\n# y: Average-case clean flatness\n"), "{csv}");
    assert!(csv.contains("\n,\"at, draw 0\",") && csv.contains("\n,\"awp, draw 2\","), "{csv}");
    // Which flatness it is stands in the name where it is not the same for all.
    if let Job::Flatness(job) = &mut robust.job {
        (job.loss, job.case) = (FlatnessLoss::Robust, Case::Worst);
    }
    let two = [Named { name: "at", record: &clean }, Named { name: "at", record: &robust }];
    let mixed = flatness::plot(&two, None).expect("a figure");
    let legend: Vec<&str> = mixed.legend()[0].iter().map(|entry| entry.name).collect();
    assert_eq!(legend, ["at, average-case clean flatness", "at, worst-case robust flatness"]);
    let csv = export::csv(&mixed);
    let head = "\nx,\"at, average-case clean flatness\",\"at, worst-case robust flatness\"\n";
    assert!(csv.contains(head), "{csv}");
    let one = export::csv(&flatness::plot(&named("at", &clean), None).expect("a figure"));
    assert!(one.contains("\nx,Average-case clean flatness\n") && one.contains("\n,draw 0,"), "{one}");
}

/// Three radii, not in order, and two layers.
fn flatness_record() -> Record {
    let mut job = Flatness::new("made-up.pth".into(), FlatnessLoss::Clean, Case::Average);
    job.radii = vec![0.5, 0.05, 1.0];
    job.per_layer = true;
    let at = |radius: f64, flatness: f64| AtRadius {
        radius,
        loss: 1.0 + flatness,
        flatness,
        standard_error: Some(0.1 * flatness),
        interval: Some([0.7 * flatness, 1.4 * flatness]),
        spread: None,
        levels: None,
        mean: 1.0 + flatness,
        worst: 1.0 + 1.5 * flatness,
        draws: [0.5, 1.0, 1.5]
            .iter()
            .map(|share| Draw { seed: 0, loss: 1.0 + share * flatness, error: 0.5 })
            .collect(),
    };
    let layer = |name: &str, share: f64| LayerFlatness {
        name: name.into(),
        radii: vec![at(0.5, 0.4 * share), at(0.05, 0.01 * share), at(1.0, 1.9 * share)],
    };
    let outcome = FlatnessOutcome {
        reference_loss: 1.0,
        reference_error: 0.3,
        radii: layer("", 1.0).radii,
        layers: vec![layer("conv1.weight", 0.2), layer("logits.weight", 0.5)],
        resamples: 0,
        networks: Vec::new(),
        losses: None,
    };
    Record { job: Job::Flatness(job), outcome: Outcome::Flatness(outcome), ..sample("landscape-1d.json") }
}

/// AutoAttack's record of two attacks.
fn attack_record() -> Record {
    let row = |name: &str, robust_error: f64| AttackRow {
        name: name.into(),
        robust_error,
        attacked: 10,
        broken: 1,
        repeated: 0,
        recovered: 0,
        seconds: 1.0,
        finished: true,
    };
    let outcome = AttackOutcome {
        robust_error: 0.625,
        robust_error_at_most: None,
        clean_error: 0.25,
        robust_loss: 2.0,
        clean_loss: 1.0,
        per_attack: vec![row("apgd-ce", 0.5), row("square", 0.625)],
        per_example: AttackedExamples::default(),
        flags: AttackFlags::default(),
    };
    let job = Job::Attack(Attack {
        checkpoint: "made-up.pth".into(),
        data: DataSelection::default(),
        attack: AutoAttack::default(),
        keep_examples: false,
        compute: Compute::default(),
    });
    Record { job, outcome: Outcome::Attack(outcome), ..sample("landscape-1d.json") }
}

#[test]
fn attacks_are_drawn_by_what_each_left() {
    let record = attack_record();
    let plot = attack::plot(&named("model", &record), None).expect("attacks");
    show(&plot, &FigureStyle::default(), "attack");
    let Item::Series(series) = &plot.items[0] else { panic!("a curve") };
    assert_eq!(series.y, [Some(0.75), Some(0.5), Some(0.375)]);
    let names: Vec<&str> = plot.x.ticks.iter().map(|tick| tick.label.as_str()).collect();
    assert_eq!(names, ["clean", "apgd-ce", "square"]);
    let mut other = record.clone();
    if let Outcome::Attack(outcome) = &mut other.outcome {
        outcome.per_attack.pop();
    }
    let both = [Named { name: "one", record: &record }, Named { name: "two", record: &other }];
    let refusal = attack::plot(&both, None).expect_err("different attacks");
    assert_eq!(refusal, "one and two ran different attacks; draw them in separate figures");
}

/// An evaluation with a log of its attack, of two restarts.
fn logged() -> Record {
    let mut record = sample_records::evaluation();
    let log = |offset: f64| AttackSteps {
        objective: Vec::new(),
        loss: (0..6).map(|step| 1.0 + offset + 0.5 * f64::from(step)).collect(),
        error: (0..6).map(|step| 0.4 + 0.05 * f64::from(step)).collect(),
    };
    let attempt = |restart, offset| Attempt {
        attack: 0,
        restart,
        loss: 3.5 + offset,
        error: 0.65,
        steps: Some(log(offset)),
    };
    if let Outcome::Evaluate(evaluation) = &mut record.outcome {
        evaluation.attempts = vec![attempt(0, -0.1), attempt(1, 0.3)];
    }
    record
}

#[test]
fn landscapes_side_by_side_share_axes_and_colors() {
    let (low, mut high) = (sample("landscape-2d.json"), sample("landscape-2d.json"));
    let Outcome::Landscape(outcome) = &mut high.outcome else { panic!("a landscape") };
    let Some(Values::Plane(rows)) = outcome.robust.as_mut().map(|grid| &mut grid.loss) else { panic!("2-D") };
    rows.iter_mut().flatten().for_each(|value| *value = value.map(|value| 3.0 * value));
    let line = sample("landscape-1d.json");
    let of = |name, record| Named { name, record };
    let records = [of("AT", &low), of("$\\xi$", &high), of("curve", &line)];
    let panels = landscapes::plot(&records, &Options::default()).expect("two maps");
    let fields: Vec<_> = panels.plots.iter().filter_map(Plot::field).collect();
    assert_eq!((panels.plots.len(), fields.len()), (2, 2), "the curve is left out");
    assert_eq!(fields[0].colors, fields[1].colors);
    let top = fields[1].values.iter().flatten().copied().fold(0.0, f64::max);
    assert!(fields[0].colors.range().1 >= top && fields[0].colors.range().0 <= 1.4, "all values have a band");
    assert_eq!(panels.notes(), ["1-D landscapes are left out beside maps: curve"]);
    // Of a study with both the surfaces are those of the maps.
    let surfaces = [surface_picture::FIGURE, surface_picture::OVERLAID, surface_picture::TURNTABLE];
    assert!(surfaces.iter().all(|figure| figure.takes(&low) && !figure.takes(&line)));
    let sharp = sample_records::curve(2.2);
    let curves = [of("a", &line), of("b", &sharp)];
    let panels = landscapes::plot(&curves, &Options::default()).expect("two curves");
    assert_eq!(panels.plots[0].y, panels.plots[1].y);
    let refusal = landscapes::plot(&[], &Options::default()).expect_err("nothing");
    assert!(refusal.contains("basin landscape"), "{refusal}");
}

#[test]
fn the_log_of_an_attack_is_a_curve_over_its_iterations() {
    let record = sample_records::evaluation();
    let options = Options::default();
    let refusal = attack_steps::plot(&named("model", &record), &options).expect_err("no log");
    assert!(refusal.contains("--log-steps"), "{refusal}");
    let record = logged();
    let plot = attack_steps::plot(&named("model", &record), &options).expect("a log");
    show(&plot, &FigureStyle::default(), "attack-steps");
    let Item::Series(series) = &plot.items[0] else { panic!("a curve") };
    assert_eq!((series.x.len(), series.x[5]), (6, 5.0), "the start and five updates");
    // The mean of two restarts, between them.
    assert!((series.y[2].unwrap() - 2.1).abs() < 1e-12);
    let (low, high) = series.band[2].unwrap();
    assert!((low - 1.9).abs() < 1e-12 && (high - 2.3).abs() < 1e-12);
    let errors = Options { quantity: Quantity::Error, ..options };
    let both = [Named { name: "one", record: &record }, Named { name: "two", record: &record }];
    let plot = attack_steps::plot(&both, &errors).expect("two logs");
    show(&plot, &FigureStyle::default(), "attack-steps-error");
    let names = plot.items.iter().map(|item| match item {
        Item::Series(series) => series.name.clone().unwrap(),
        _ => panic!("curves"),
    });
    assert_eq!(names.collect::<Vec<_>>(), ["one", "two"]);
    assert!(plot.y.range.1 <= 1.0 && plot.y.unit == Unit::Percent);
}

#[test]
fn surfaces_are_compared_and_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (plane, still, turning) = (path("plane.json"), path("still.png"), path("turning.png"));
    sample("landscape-2d.json").save(Path::new(&plane)).expect("written");
    for figure in ["surface", "surfaces-overlaid"] {
        command(&[&plane, &plane, "--figure", figure, "--out", &still, "--dpi", "50"]).expect("surfaces");
        assert_eq!(image::open(&still).expect("a picture").width(), 200);
    }
    command(&[&plane, "--figure", "turntable", "--out", &turning, "--dpi", "40"]).expect("a turn");
    let reader = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&turning).expect("it")));
    let mut reader = reader.read_info().expect("a PNG file");
    let animation = *reader.info().animation_control().expect("an animated one");
    assert_eq!((animation.num_frames, animation.num_plays), (72, 0));
    let mut frame = |_| {
        let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
        reader.next_frame(&mut pixels).expect("a picture");
        pixels
    };
    let [first, second] = [0, 1].map(&mut frame);
    assert_ne!(first, second, "it turns");
}
