//! `basin plot --figure scatter`.

use super::program::Basin;
use super::records::{flatness, on_training_images, three};
use basin_core::job::Case;

#[test]
fn records_become_a_scatter_in_every_format() {
    let basin = Basin::new();
    let names: Vec<String> = three()
        .iter()
        .enumerate()
        .map(|(i, record)| {
            let name = format!("{i}.json");
            basin.write(&name, record.to_json());
            name
        })
        .collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let plot = [&["plot", "--figure", "scatter"], &names[..]].concat();
    for file in ["f.svg", "f.pdf", "f.png", "f.tex", "f.csv"] {
        basin.ok(&[&plot[..], &["--out", file, "--y", "gap"]].concat());
        assert!(basin.path(file).metadata().unwrap().len() > 300, "{file}");
    }
    let csv = basin.read("f.csv");
    assert!(csv.contains(",c,0.6,"), "{csv}");
    assert!(csv.contains("Spearman 1.000"), "{csv}");
    // Names and groups are those of models, in the order of their first record.
    let named = ["--name", "first", "--group", "AT", "--group", "TRADES", "--group", "AT", "--out", "g.csv"];
    basin.ok(&[&plot[..], &named].concat());
    assert!(basin.read("g.csv").contains("AT,first,0.2,") && basin.read("g.csv").contains("TRADES,b,0.4,"));
    basin.refused(
        &[&plot[..], &["--case", "worst", "--out", "h.svg"]].concat(),
        &["no model has both numbers", "a, b, c have no worst-case robust flatness"],
    );
}

#[test]
fn the_example_needs_no_records() {
    let basin = Basin::new();
    basin.ok(&["plot", "--example", "paper", "--figure", "scatter", "--case", "worst", "--out", "f.csv"]);
    let csv = basin.read("f.csv");
    assert!(csv.contains("Pearson 0.887") && csv.contains("n = 29"), "{csv}");
    basin.refused(
        &["plot", "--example", "paper", "--flatness", "clean", "--out", "f.svg"],
        &["published models", "robust"],
    );
    let alone = on_training_images(flatness("x", Case::Average, &[(0.5, 0.1)]));
    basin.write("x.json", alone.to_json());
    basin.misused(&["plot", "--out", "f.svg"], &["RECORD"]);
    basin.misused(&["plot", "x.json", "--example", "paper", "--out", "f.svg"], &["--example"]);
    basin.refused(
        &["plot", "x.json", "--figure", "scatter", "--out", "f.svg"],
        &["x has no evaluation under attack", "give its record"],
    );
}
