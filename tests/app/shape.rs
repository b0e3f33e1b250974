//! The shape of a landscape in numbers: on the command line and in the window.

use basin::command::Command;
use basin_core::record::{DirectionSummary, Outcome};

use crate::support::bowl::Fake;
use crate::support::program::Basin;
use crate::support::sample_records::{curve, plane};
use crate::support::window::Window;

#[test]
fn plot_prints_the_shape_and_draws_the_merge_tree() {
    let basin = Basin::new();
    plane().save(&basin.path("plane.json")).unwrap();
    let text = basin.ok(&["plot", "plane.json", "--shape"]).out;
    for line in
        ["shape of the robust loss", "origin     1.38", "minima     1", "smad", "mean rise", "curvature"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(text.contains("below 1.88"), "{text}");
    assert_eq!(basin.files().len(), 1, "no figure was asked for");
    let options = [
        "--shape",
        "--level",
        "3",
        "--rise-radius",
        "0.5",
        "--json",
        "--figure",
        "merge-tree",
        "--out",
        "tree.svg",
    ];
    let done = basin.ok(&[&["plot", "plane.json"], &options[..]].concat());
    let told: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let shape = &told["shape"];
    assert_eq!((&told["kind"], &shape["of"]), (&"merge-tree".into(), &"Robust loss".into()));
    assert_eq!((&shape["level_set"]["level"], &shape["rise"]["radius"]), (&3.0.into(), &0.5.into()));
    assert!(basin.read("tree.svg").contains("Minimum"));
}

#[test]
fn only_curvature_along_weights_is_compared_with_the_hessian() {
    let basin = Basin::new();
    let mut record = curve(1.0);
    for (name, is_of_weights) in [("random", true), ("worst-input", false), ("joint", false)] {
        let Outcome::Landscape(landscape) = &mut record.outcome else { panic!("a landscape") };
        landscape.directions =
            vec![DirectionSummary { name: name.into(), norm: 2.0, ..DirectionSummary::default() }];
        record.save(&basin.path("curve.json")).unwrap();
        let text = basin.ok(&["plot", "curve.json", "--shape"]).out;
        assert_eq!(text.contains("in weights"), is_of_weights, "{name}: {text}");
    }
}

#[test]
fn what_has_no_shape_is_refused() {
    let basin = Basin::new();
    curve(1.0).save(&basin.path("curve.json")).unwrap();
    for (arguments, part) in [
        (&["curve.json", "--shape", "--rise-radius", "3"][..], "out of the grid"),
        (&["curve.json", "curve.json", "--shape"], "takes one landscape"),
        (&["curve.json", "--shape", "--figure", "flatness"], "--shape is for landscapes"),
        (&["curve.json", "--figure", "merge-tree", "--clip", "2", "--out", "x.svg"], "--clip has no effect"),
        (&["curve.json"], "--out"),
    ] {
        basin.misused(&[&["plot"], arguments].concat(), &[part]);
    }
}

#[test]
fn the_window_tells_the_shape_beside_the_chart() {
    let mut window = Window::new(Fake::default());
    let path = window.folder.path().join("plane.json");
    plane().save(&path).expect("a writable folder");
    window.harness.state_mut().open_paths(vec![path]);
    window.settle();
    window.click("Contours");
    window.click("Display");
    window.until_label("Shape of the robust loss");
    window.until_label("below 1.88");
    window.click("Merge tree");
    window.settle();
    window.compare("merge-tree");
    window.harness.state_mut().command(Command::ThemeLight);
    window.settle();
    window.picture("merge-tree-light");
}
