//! Records to models to figure.

use basin::plot::export::{self, FigureStyle, Preset};
use basin::plot::scatter::{
    Choice, Lines, Look, Measured, Model, Models, Quantity, from_records, plot, plot_with, published,
};
use basin::plot::{GuideLine, Item, Plot, Scale, Unit};
use basin_core::job::{Case, FlatnessLoss, Job};
use basin_core::record::Record;

use super::records::{evaluation, flatness, on_training_images, three};

fn models(records: &[Record], choice: &Choice) -> Models {
    from_records(&records.iter().collect::<Vec<_>>(), choice, &[], &[])
}

fn values(models: &Models) -> Vec<(&str, f64, f64)> {
    let value = |m: &Result<basin::plot::scatter::Measured, String>| m.as_ref().unwrap().value;
    models.models.iter().map(|m| (&*m.name, value(&m.x), value(&m.y))).collect()
}

#[test]
fn records_of_one_checkpoint_are_one_point() {
    let found = models(&three(), &Choice::default());
    assert_eq!(values(&found), [("a", 0.2, 1.25), ("b", 0.4, 2.25), ("c", 0.6, 3.25)]);
    assert!(found.x_label.contains("Average") && found.x_label.contains("0.5"), "{}", found.x_label);
    let a = &found.models[0];
    assert_eq!(a.x.as_ref().unwrap().interval, Some((0.1, 0.4)), "the record's own interval");
    // Standard error of four losses with deviation 1/sqrt(12).
    let (low, high) = a.y.as_ref().unwrap().interval.unwrap();
    let half = 1.959_963_984_540_054 * (1.0f64 / 12.0).sqrt() / 2.0;
    assert!((high - 1.25 - half).abs() < 1e-9 && (1.25 - low - half).abs() < 1e-9);
    let correlation = found.relation().unwrap();
    assert_eq!((correlation.n, correlation.spearman.value), (3, 1.0));

    let gap = models(&three(), &Choice { y: Quantity::Gap, ..Choice::default() });
    assert_eq!(values(&gap), [("a", 0.2, 0.25), ("b", 0.4, 1.25), ("c", 0.6, 2.75)]);
    let error = models(&three(), &Choice { y: Quantity::Error, ..Choice::default() });
    let drawn = plot(&error, &Look::default()).unwrap();
    assert_eq!(drawn.y.unit, Unit::Percent);
    // Wilson's interval of 2 in 4.
    let (low, high) = error.models[0].y.as_ref().unwrap().interval.unwrap();
    assert!((low - 0.15).abs() < 0.001 && (high - 0.85).abs() < 0.001, "{low} {high}");
}

#[test]
fn what_is_missing_is_said_for_each_model() {
    let mut records = three();
    records.push(on_training_images(flatness("d", Case::Average, &[(0.5, 0.3)])));
    records.push(on_training_images(flatness("e", Case::Average, &[(0.25, 0.3)])));
    let found = models(&records, &Choice::default());
    let missing = found.missing().unwrap();
    assert_eq!(
        missing,
        "d has no evaluation under attack on test images; e has no average-case robust flatness at radius 0.5 and \
         evaluation under attack on test images"
    );
    let drawn = plot(&found, &Look::default()).unwrap();
    assert!(drawn.notes.iter().any(|note| note.contains("not shown: d has no")), "{:?}", drawn.notes);
    let none = on_training_images(flatness("d", Case::Average, &[(0.5, 0.3)]));
    let none = models(&[none], &Choice::default());
    let why = plot(&none, &Look::default()).unwrap_err();
    assert!(
        why.starts_with("no model has both numbers: d has no") && why.contains("give its record"),
        "{why}"
    );
    assert!(plot(&models(&[], &Choice::default()), &Look::default()).unwrap_err().contains("no models"));
}

#[test]
fn the_radius_is_the_papers_or_what_most_have() {
    let choice = Choice { case: Case::Worst, ..Choice::default() };
    let mut records = vec![
        evaluation("a", "test:0..4", &[1.0; 4]),
        evaluation("b", "test:0..4", &[2.0; 4]),
        flatness("a", Case::Worst, &[(0.001, 0.1), (0.002, 0.2)]),
        flatness("b", Case::Worst, &[(0.002, 0.4)]),
    ];
    assert_eq!(values(&models(&records, &choice)), [("a", 0.2, 1.0), ("b", 0.4, 2.0)]);
    let one = models(&records, &Choice { radius: Some(0.001), ..choice });
    assert!(one.models[1].x.as_ref().unwrap_err().contains("at radius 0.001"));
    records.push(flatness("b", Case::Worst, &[(0.003, 0.9)]));
    assert_eq!(models(&records, &choice).models[1].x.as_ref().unwrap().value, 0.9, "the paper's radius");
}

#[test]
fn points_that_are_not_measured_alike_are_told() {
    let mut records = three();
    assert_eq!(models(&records, &Choice::default()).notes, Vec::<String>::new());
    records.push(evaluation("d", "test:0..3", &[1.0; 3]));
    records.push(flatness("d", Case::Average, &[(0.5, 0.3)]));
    let notes = models(&records, &Choice::default()).notes;
    let differ = "not all points are measured alike: images of the evaluations differ";
    assert_eq!(notes, ["flatness and robust loss of d are of different images", differ]);
}

#[test]
fn the_two_numbers_of_a_model_are_compared() {
    let mut weaker = evaluation("a", "test:0..4", &[1.0; 4]);
    if let Job::Evaluate(job) = &mut weaker.job {
        job.attack.as_mut().unwrap().epsilon = 4.0 / 255.0;
    }
    let mut records = vec![flatness("a", Case::Average, &[(0.5, 0.2)]), weaker];
    let notes = |records: &[Record]| models(records, &Choice::default()).notes;
    let ball = "robust loss of a is from PGD-20, L-inf 4/255, its flatness from PGD-20, L-inf 8/255";
    assert_eq!(notes(&records), [ball]);
    // The same images from elsewhere are the same images; others are not.
    records[1].provenance.data = "cifar10".into();
    records.iter_mut().for_each(|record| record.provenance.data_fingerprint = "1f".into());
    assert_eq!(notes(&records), [ball]);
    records[1].provenance.data_fingerprint = "2e".into();
    assert_eq!(notes(&records), ["flatness and robust loss of a are of different images", ball]);
}

#[test]
fn without_an_evaluation_the_reference_of_the_flatness_stands_for_it() {
    let mut records = three();
    records.push(flatness("d", Case::Average, &[(0.5, 0.3)]));
    let found = models(&records, &Choice::default());
    assert_eq!(values(&found)[3], ("d", 0.3, 2.0));
    assert_eq!(found.models[3].y.as_ref().unwrap().interval, None);
    assert_eq!(found.notes.len(), 1);
    assert!(found.notes[0].starts_with("robust loss of d: the reference of the flatness record"));
    // An evaluation comes first, and on training images there is none of d.
    assert_eq!(values(&found)[0], ("a", 0.2, 1.25));
    let gap = models(&records, &Choice { y: Quantity::Gap, ..Choice::default() });
    assert!(gap.missing().unwrap().contains("d has no evaluation under attack on training images"));
}

#[test]
fn the_published_models_give_the_published_correlations() {
    for (case, y, n, pearson, spearman) in [
        (Case::Average, Quantity::Loss, 28, 0.959, 0.937),
        (Case::Worst, Quantity::Loss, 29, 0.887, 0.772),
        (Case::Average, Quantity::Gap, 28, 0.962, 0.958),
        (Case::Worst, Quantity::Gap, 28, 0.860, 0.763),
        (Case::Average, Quantity::Error, 28, 0.727, 0.751),
        (Case::Worst, Quantity::Error, 29, 0.531, 0.446),
    ] {
        let models = published::models(&Choice { case, y, ..Choice::default() }).unwrap();
        let found = models.relation().unwrap();
        assert_eq!(found.n, n);
        assert!((found.pearson.value - pearson).abs() < 0.002, "{:?}", found.pearson);
        assert!((found.spearman.value - spearman).abs() < 0.002, "{:?}", found.spearman);
        // The figure says so.
        let svg = export::to_svg(&plot(&models, &Look::default()).unwrap(), &FigureStyle::default());
        for text in
            [format!("Pearson {pearson:.2} ["), format!("Spearman {spearman:.2} ["), format!(" = {n}<")]
        {
            assert!(svg.contains(&text), "{text} is not in the figure");
        }
    }
    let clean = Choice { loss: FlatnessLoss::Clean, ..Choice::default() };
    assert!(published::models(&clean).unwrap_err().contains("robust"));
    let radius = Choice { radius: Some(0.1), ..Choice::default() };
    assert!(published::models(&radius).unwrap_err().contains("0.5"));
}

fn published_plot(look: &Look) -> Plot {
    plot(&published::models(&Choice::default()).unwrap(), look).unwrap()
}

#[test]
fn the_figure_has_groups_a_line_and_correlations() {
    let drawn = published_plot(&Look::default());
    let legend: Vec<&str> = drawn.legend()[0].iter().map(|entry| entry.name).collect();
    assert_eq!(legend[..3], ["Other", "AT", "PGD steps"]);
    assert_eq!(legend.len(), 11);
    let line = drawn.items.iter().find_map(|item| match item {
        Item::Guide(guide) => Some(guide.line),
        _ => None,
    });
    let Some(GuideLine::Sloped { slope, intercept }) = line else { panic!("no line") };
    assert!((slope - 2.048).abs() < 0.002 && (intercept - 0.954).abs() < 0.002);
    let log = published_plot(&Look { log_x: true, log_y: true, lines: Lines::None, ..Look::default() });
    assert_eq!((log.x.scale, log.y.scale), (Scale::Log, Scale::Log));
    assert!(log.items.iter().all(|item| !matches!(item, Item::Guide(_))));
    let csv = export::csv(&drawn);
    assert!(csv.contains("TRADES,TRADES lambda=9,0.435,,,1.499,,"), "{csv}");
    assert!(csv.contains("# Pearson 0.959 (95 % interval 0.91"), "{csv}");
}

#[test]
fn no_label_is_lost_and_labels_cover_neither_each_other_nor_points() {
    for (preset, height_in) in
        [Preset::Paper, Preset::Column, Preset::Wide].into_iter().flat_map(|p| [(p, None), (p, Some(2.4))])
    {
        let style = FigureStyle { height_in, ..preset.style() };
        let drawn = published_plot(&Look::default());
        let with = export::scene(&drawn, &style);
        let size = 0.8 * style.tick_pt;
        let boxes: Vec<[f64; 4]> = with
            .texts()
            .filter(|text| (text.size - size).abs() < 1e-9)
            .map(|text| {
                let width = export::text_width(&text.label, style.family, text.size);
                [text.at[0], text.at[1] - 0.7 * text.size, text.at[0] + width, text.at[1]]
            })
            .collect();
        for (i, a) in boxes.iter().enumerate() {
            for b in &boxes[..i] {
                assert!(a[2] < b[0] || b[2] < a[0] || a[3] < b[1] || b[3] < a[1], "{preset:?}: {a:?} {b:?}");
            }
        }
        // Beside its point, or in the key after a number that is beside the point.
        let texts: Vec<&str> = with.texts().map(|text| &*text.label).collect();
        for label in labels(&drawn) {
            let numbered = |text: &&str| {
                let (number, name) = text.split_once("  ")?;
                (name == label && texts.contains(&number)).then_some(())
            };
            let is_there = texts.contains(&&*label) || texts.iter().any(|text| numbered(text).is_some());
            assert!(is_there, "{preset:?}: {label} is not in {texts:?}");
        }
    }
}

fn labels(plot: &Plot) -> Vec<String> {
    let scatters = plot.items.iter().filter_map(|item| match item {
        Item::Scatter(scatter) => Some(&scatter.points),
        _ => None,
    });
    scatters.flatten().filter_map(|point| point.label.clone()).collect()
}

#[test]
fn the_correlations_cover_neither_points_nor_error_bars() {
    // Long error bars across every corner, and points all over.
    let at = |i: usize| (0.1 * (i % 7) as f64 + 0.013 * i as f64, 1.0 + 0.3 * (i % 5) as f64);
    let measured = |value: f64, half: f64| {
        Ok(basin::plot::scatter::Measured { value, interval: Some((value - half, value + half)) })
    };
    let model = |i: usize| basin::plot::scatter::Model {
        name: format!("a model with a long name, {i}"),
        label: format!("a model with a long name, {i}"),
        group: None,
        training: None,
        stage: basin::plot::scatter::stage::Stage::Unknown,
        hash: String::new(),
        x: measured(at(i).0, 0.2),
        y: measured(at(i).1, 0.4),
    };
    for count in [4, 12, 35] {
        let all = Models { models: (0..count).map(model).collect(), ..Models::default() };
        let drawn = plot(&all, &Look::default()).unwrap();
        let style = FigureStyle::default();
        if let Some(folder) = std::env::var_os("BASIN_PICTURES") {
            let name = format!("crowded-{count}.png");
            export::write(&drawn, &style, &std::path::Path::new(&folder).join(name)).unwrap();
        }
        let scene = export::scene(&drawn, &style);
        let lines: Vec<&export::Text> = scene
            .texts()
            .filter(|text| text.label.contains("earson") || text.label.contains("pearman"))
            .collect();
        assert_eq!(lines.len(), 2);
        for text in lines {
            let width = export::text_width(&text.label, style.family, text.size);
            let left = text.at[0]
                - match text.anchor {
                    export::Anchor::Start => 0.0,
                    export::Anchor::Middle => width / 2.0,
                    export::Anchor::End => width,
                };
            let (top, bottom) = (text.at[1] - 0.7 * text.size, text.at[1]);
            let frame = scene.frame;
            let x = |v: f64| frame.left + drawn.x.position(v).unwrap() * frame.width;
            let y = |v: f64| frame.bottom() - drawn.y.position(v).unwrap() * frame.height;
            for i in 0..count {
                let (px, py) = at(i);
                let level = top < y(py) && y(py) < bottom && x(px - 0.2) < left + width && x(px + 0.2) > left;
                let upright =
                    left < x(px) && x(px) < left + width && y(py + 0.4) < bottom && y(py - 0.4) > top;
                assert!(!level && !upright, "{count} models: {} covers point {i} or its bars", text.label);
            }
        }
    }
}

#[test]
fn a_vector_scatter_of_a_thousand_models_is_small() {
    let at =
        |i: usize, factor: usize| Ok(Measured { value: (i * factor % 1000) as f64 / 500.0, interval: None });
    let model = |i: usize| Model {
        name: format!("m{i}"),
        label: String::new(),
        group: Some(format!("group {}", i % 8)),
        training: None,
        stage: basin::plot::scatter::stage::Stage::Unknown,
        hash: String::new(),
        x: at(i, 37),
        y: at(i, 61),
    };
    let models = Models { models: (0..1000).map(model).collect(), ..Models::default() };
    let plot = plot_with(&models, &Look { lines: Lines::Band, ..Look::default() }, None).expect("a scatter");
    for kind in [export::FileKind::Svg, export::FileKind::Pdf] {
        let size = export::to_bytes(&plot, &FigureStyle::default(), kind).expect("a figure").len();
        assert!(size < 300_000, "{kind:?} has {size} bytes");
        println!("{kind:?}: {size} bytes");
    }
}
