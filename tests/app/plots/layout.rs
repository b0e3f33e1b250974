//! Nothing leaves the page and no two texts overlap, whatever the figure, its style and the words in it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use basin::plot::export::{self, FigureStyle, FileKind, Preset};
use basin::plot::figure::{Drawn, Input, Named, Options, Quantity, Which};
use basin::plot::figures as registry;
use basin::plot::scatter::stage::Stage;
use basin::plot::scatter::{self, Choice, Look, Measured, Model, ModelOptions, Models, published};
use basin::plot::text::plain;
use basin_core::record::{Outcome, Record};
use basin_core::study::{Entries, Model as StudyModel, Study};
use resvg::usvg;

use super::{attack_record, flatness_record, gallery, logged, sample, sample_records, trainings};

/// Names and titles that people give.
fn labels() -> Vec<(&'static str, String)> {
    let sentence = "Robust loss landscape of AT-AWP, TRADES, MART and early stopping on CIFAR-10, ";
    vec![
        ("short", "AT".to_owned()),
        ("60", sentence[..60].to_owned()),
        ("200", sentence.repeat(3)[..200].to_owned()),
        (
            "200 without spaces",
            "resnet18_at_linf_gd_normalized_lr0007_mom0_i7_f100_ls01_".repeat(4)[..200].to_owned(),
        ),
        ("no place to break", "x".repeat(200)),
        ("Unicode", "AT ε=8/255 ≤ ∞, Größe naïve “σ²”, адверсариальное обучение".to_owned()),
        ("CJK", "对抗训练的鲁棒损失景观与平坦最小值".repeat(4)),
        (
            "mathematics",
            "AT with $\\epsilon=8/255$, $\\xi_{0.5}^2$ and $L_\\infty$ at 100% $\\alpha\\beta\\gamma\\delta$"
                .to_owned(),
        ),
        ("long mathematics", format!("${}$", "\\alpha+\\beta_{12}^{-3}".repeat(20))),
        ("control characters", "AT\n\"a,b\"\t; c\r\u{7}d".to_owned()),
    ]
}

fn styles() -> Vec<(&'static str, FigureStyle)> {
    let paper = Preset::Paper.style();
    // Those of conferences are of sizes in between.
    let mut styles: Vec<_> = Preset::ALL[..4].iter().map(|preset| (preset.name(), preset.style())).collect();
    styles.push(("2 in", FigureStyle { width_in: 2.0, ..Preset::Column.style() }));
    styles.push(("2 in, large type", FigureStyle { width_in: 2.0, ..paper.clone() }));
    styles.push(("flat", FigureStyle { height_in: Some(1.6), ..paper }));
    styles
}

/// A figure by its kind in the registry and what is special about it.
struct Example {
    kind: &'static str,
    about: &'static str,
    drawn: Drawn,
}

/// A study of three trainings with two snapshots each.
fn snapshots(names: &[String]) -> (Study, Entries) {
    let model = |i: usize| StudyModel {
        name: names[i].clone(),
        training: Some(format!("t{}", i / 3).into()),
        checkpoint: Some(format!("t{}/snapshots/epoch-{:04}.safetensors", i / 3, 5 * (i % 3)).into()),
        numbers: [("robust_loss", 1.5 + 0.1 * i as f64), ("average_flatness@0.5", 0.1 * i as f64)]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        ..StudyModel::default()
    };
    let study = Study { format: 1, models: (0..9).map(model).collect(), ..Study::default() };
    let models = study.models.iter().map(|_| Default::default()).collect();
    (study, Entries { models, ..Entries::default() })
}

/// Every kind of figure with this title and these names.
fn figures(label: &str) -> Vec<Example> {
    let (line, plane, sharp) =
        (sample("landscape-1d.json"), sample("landscape-2d.json"), sample_records::curve(2.2));
    let title = Some(label.to_owned());
    let names: Vec<String> = (1..=9).map(|number| format!("{label} {number}")).collect();
    let (whole, other) = (trainings::whole(), trainings::other());
    let with_tensors = trainings::with_tensors();
    let (flat, attacked, evaluated) = (flatness_record(), attack_record(), sample("evaluation.json"));
    let mut tensors = flatness_record();
    if let Outcome::Flatness(outcome) = &mut tensors.outcome {
        outcome.layers.iter_mut().for_each(|layer| layer.name = format!("{label}.{}", layer.name));
    }
    let mut attacks = attack_record();
    if let Outcome::Attack(outcome) = &mut attacks.outcome {
        outcome.per_attack.iter_mut().for_each(|row| row.name = format!("{label} {}", row.name));
    }
    let (dense, sparse) = (sample_records::hessian(1.0, true), sample_records::hessian(0.4, false));
    let (tree, logged) = (gallery::rough_plane(), logged());
    let draw = |kind: &'static str, about: &'static str, records: &[&Record], options: Options| {
        let options = Options { title: title.clone(), ..options };
        let named: Vec<Named<'_>> =
            records.iter().zip(&names).map(|(record, name)| Named { name, record }).collect();
        let input = Input { named: &named, study: None, options: &options, models: &ModelOptions::default() };
        let figure = registry::named(kind).unwrap_or_else(|| panic!("there is no figure {kind}"));
        let drawn = (figure.draw)(&input).unwrap_or_else(|why| panic!("{kind}: {why}"));
        Example { kind, about, drawn }
    };
    let usual = Options::default;
    let error = Options { quantity: Quantity::Error, log: true, which: Which::Robust, ..usual() };
    let measured = |value: f64| Ok(Measured { value, interval: Some((0.8 * value, 1.3 * value)) });
    let model = |i: usize| Model {
        name: names[i].clone(),
        label: names[i].clone(),
        group: Some(format!("{label}, group {}", i % 3)),
        training: None,
        stage: Stage::Unknown,
        hash: String::new(),
        x: measured(0.2 + 0.1 * i as f64),
        y: measured(1.0 + 0.3 * ((i * 4) % 9) as f64),
    };
    let words = || label.to_owned();
    let models = Models {
        models: (0..9).map(model).collect(),
        x_label: words(),
        y_label: words(),
        ..Models::default()
    };
    let look = Look { title: title.clone(), ..Look::default() };
    let log = Look { log_x: true, log_y: true, ..look.clone() };
    let paper = published::models(&Choice::default()).expect("the published models");
    let scatter = |about: &'static str, models: &Models, look: &Look| {
        let drawn = scatter::plot(models, look).expect("a scatter").into();
        Example { kind: "scatter", about, drawn }
    };
    let (study, entries) = snapshots(&names);
    let options = Options { title: title.clone(), ..usual() };
    let input = Input {
        named: &[],
        study: Some((&study, &entries)),
        options: &options,
        models: &ModelOptions::default(),
    };
    let epochs = (registry::named("epochs").expect("a figure").draw)(&input).expect("epochs");
    vec![
        Example { kind: "epochs", about: "", drawn: epochs },
        draw("landscape", "curve", &[&line], usual()),
        draw("landscape", "curves", &[&line, &sharp, &line], usual()),
        draw("landscape", "curves of errors", &[&line, &sharp], error.clone()),
        draw("landscape", "map", &[&plane], usual()),
        draw("landscape", "map, logarithmic", &[&plane], Options { log: true, clip: Some(8.0), ..usual() }),
        draw("landscapes", "maps", &[&plane; 5], usual()),
        draw("landscapes", "curves", &[&line, &sharp, &line, &sharp], usual()),
        draw("merge-tree", "", &[&tree], usual()),
        draw("curvature", "curve", &[&gallery::curved(&line)], usual()),
        draw("curvature", "curves", &[&gallery::curved(&line), &gallery::curved(&sharp)], usual()),
        draw("curvature", "map", &[&gallery::curved(&plane)], usual()),
        draw("evaluation", "", &[&evaluated], usual()),
        draw("attack", "one", &[&attacked], usual()),
        draw("attack", "several", &[&attacks, &attacks], usual()),
        draw("attack-steps", "", &[&logged], usual()),
        draw("spectrum", "densities", &[&dense, &dense], usual()),
        draw("spectrum", "eigenvalues", &[&sparse], usual()),
        draw("flatness", "one", &[&flat], usual()),
        draw("flatness", "several", &[&flat, &flat, &flat], usual()),
        draw("layers", "", &[&tensors], usual()),
        draw("training", "one", &[&whole], usual()),
        draw("training", "several", &[&whole, &other, &whole], usual()),
        draw("learning-rate", "one", &[&whole], usual()),
        draw("learning-rate", "several", &[&whole, &other], usual()),
        draw("norms", "", &[&with_tensors, &with_tensors], usual()),
        scatter("linear", &models, &look),
        scatter("logarithmic", &models, &log),
        scatter("published", &paper, &look),
    ]
}

#[test]
fn every_figure_of_the_registry_is_looked_at() {
    let seen: BTreeSet<&str> = figures("AT").iter().map(|example| example.kind).collect();
    let all: BTreeSet<&str> = registry::ALL.iter().map(|figure| figure.name).collect();
    assert_eq!(all.len(), registry::ALL.len(), "two figures have one name");
    // Pixels have no words to be laid out.
    let pixels = ["surface", "surfaces-overlaid", "turntable"];
    assert_eq!(all.difference(&seen).copied().collect::<Vec<_>>(), pixels);
    for figure in registry::ALL {
        assert!(figure.help.len() > 20 && !figure.help.ends_with('.'), "{}: {}", figure.name, figure.help);
    }
}

/// A text with the corners of what it covers, in points.
struct Word {
    text: String,
    corners: [[f32; 2]; 4],
}

/// Bundled fonts, and those of the system for what these lack, as for our own PDF and PNG.
fn fonts() -> Arc<usvg::fontdb::Database> {
    static FONTS: std::sync::OnceLock<Arc<usvg::fontdb::Database>> = std::sync::OnceLock::new();
    let load = || {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_fonts_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../resources/fonts"));
        fonts.load_system_fonts();
        Arc::new(fonts)
    };
    FONTS.get_or_init(load).clone()
}

fn words(group: &usvg::Group, out: &mut Vec<Word>) {
    for node in group.children() {
        match node {
            usvg::Node::Group(group) => words(group, out),
            usvg::Node::Text(text) => {
                let drawn = text.flattened().bounding_box();
                let to = text.abs_transform();
                let corners = [
                    [drawn.left(), drawn.top()],
                    [drawn.right(), drawn.top()],
                    [drawn.right(), drawn.bottom()],
                    [drawn.left(), drawn.bottom()],
                ];
                // 96 pixels of SVG are 72 points.
                let at = |[x, y]: [f32; 2]| {
                    let mut point = resvg::tiny_skia::Point::from_xy(x, y);
                    to.map_point(&mut point);
                    [point.x, point.y].map(|pixels| 0.75 * pixels)
                };
                let text = text.chunks().iter().map(|chunk| chunk.text()).collect();
                out.push(Word { text, corners: corners.map(at) });
            }
            _ => {}
        }
    }
}

/// How far two turned boxes overlap in the direction in which they overlap least; negative if they do not.
fn overlap(a: &Word, b: &Word) -> f32 {
    let along = |word: &Word, axis: [f32; 2]| {
        let shadow = word.corners.map(|[x, y]| x * axis[0] + y * axis[1]);
        (shadow.into_iter().fold(f32::MAX, f32::min), shadow.into_iter().fold(f32::MIN, f32::max))
    };
    let axes = [a, b].into_iter().flat_map(|word| {
        [1, 3].map(|i| {
            let side = [0, 1].map(|k| word.corners[i][k] - word.corners[0][k]);
            let length = side[0].hypot(side[1]).max(1e-6);
            side.map(|v| v / length)
        })
    });
    let shared = axes.map(|axis| {
        let ((low, high), (from, to)) = (along(a, axis), along(b, axis));
        high.min(to) - low.max(from)
    });
    shared.fold(f32::MAX, f32::min)
}

/// What is wrong with where the words of a figure stand.
fn faults(drawn: &Drawn, style: &FigureStyle) -> Vec<String> {
    let options = usvg::Options { fontdb: fonts(), ..usvg::Options::default() };
    let svg = export::svg_of(&drawn.scene(style).expect("a figure of lines and words"));
    // Without the fonts inside, which are not needed here and take long to read.
    let (head, rest) = svg.split_once("<style>").expect("fonts");
    let (_, rest) = rest.split_once("</style>").expect("fonts");
    let tree = usvg::Tree::from_str(&format!("{head}{rest}"), &options).expect("sound SVG");
    let page = [tree.size().width(), tree.size().height()].map(|pixels| 0.75 * pixels);
    let mut all = Vec::new();
    words(tree.root(), &mut all);
    assert!(all.len() >= 6, "{} words", all.len());
    let mut faults = Vec::new();
    for (i, word) in all.iter().enumerate() {
        let out =
            word.corners.iter().flat_map(|corner| [0, 1].map(|k| (-corner[k]).max(corner[k] - page[k])));
        let out = out.fold(f32::MIN, f32::max);
        if out > 0.3 {
            faults.push(format!("{:?} is {out:.1} pt outside of the page", word.text));
        }
        for other in &all[..i] {
            let by = overlap(word, other);
            if by > 0.3 {
                faults.push(format!("{:?} and {:?} overlap by {by:.1} pt", word.text, other.text));
            }
        }
    }
    faults
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Every figure with every label; in every style with the longest usual one, in one of them with the others.
fn check(mut look_at: impl FnMut(&str, &str, &Drawn, &FigureStyle)) {
    for (i, (length, label)) in labels().into_iter().enumerate() {
        for (j, Example { kind, about, drawn }) in figures(&label).into_iter().enumerate() {
            let styles = styles();
            let count = styles.len();
            let chosen = |k: &usize| length == "200" || *k == (i + j) % count;
            for (_, (look, style)) in styles.into_iter().enumerate().filter(|(k, _)| chosen(k)) {
                look_at(&format!("{kind} {about}, {look}, {length}"), &label, &drawn, &style);
            }
        }
    }
}

#[test]
fn nothing_leaves_the_page_and_no_words_overlap() {
    let mut all = Vec::new();
    let mut count = 0;
    check(|name, _, drawn, style| {
        count += 1;
        let of = faults(drawn, style);
        let more = of.len().saturating_sub(2);
        let told = of.into_iter().take(2).collect::<Vec<_>>().join("; ");
        if !told.is_empty() {
            all.push(format!("{name}: {told} and {more} more"));
        }
    });
    assert!(all.is_empty(), "{} of {count} figures:\n{}", all.len(), all[..all.len().min(60)].join("\n"));
}

#[test]
fn words_are_there_in_full_or_a_note_says_which_are_not() {
    check(|name, label, drawn, style| {
        let scene = drawn.scene(style).expect("a figure of lines and words");
        let words: String = scene.texts().map(|text| plain(&text.label)).collect();
        let title = plain(label);
        let is_there = squeezed(&words).contains(&squeezed(&title));
        let notes = export::notes_of(&scene, style, FileKind::Svg);
        let told = notes.iter().any(|note| note.contains("shortened") && note.contains(&title));
        assert!(is_there || told, "{name}: {notes:?}");
        let usual = label.len() == 60 && !name.contains("large type") && !name.contains("flat,");
        assert!(is_there || !usual, "{name}: 60 characters are shortened");
    });
}
