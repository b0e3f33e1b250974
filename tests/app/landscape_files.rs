//! Landscapes of other programs, opened and written: by the command line and in the window.

use basin::mesh::{Heights, Mesh, MeshKind};
use basin::plot::ColorMap;
use basin_core::record::{Grid, Outcome, Record, Values};

use crate::support::bowl::Fake;
use crate::support::program::{Basin, reference};
use crate::support::sample_records::{curve, plane};
use crate::support::window::Window;

/// A surface of 3 x 3 points; without the middle one, every cell has three corners.
fn small(middle: Option<f64>) -> Mesh {
    let values = [2.0, 1.0, 2.0, 1.0, 0.0, 1.0, 2.0, 1.0, 2.0].map(Some);
    let values: Vec<_> =
        values.into_iter().enumerate().map(|(at, v)| if at == 4 { middle } else { v }).collect();
    let (x, y) = ([-1.0, 0.0, 1.0], [0.0, 1.0, 2.0]);
    let heights = Heights { x: &x, y: &y, values: &values, log: false, clip: None, map: ColorMap::Viridis };
    Mesh::of(&heights).unwrap()
}

#[test]
fn a_mesh_has_two_triangles_a_cell_and_looks_up() {
    let mesh = small(Some(0.0));
    assert_eq!((mesh.points.len(), mesh.triangles.len()), (9, 8));
    assert_eq!((mesh.points[0], mesh.points[4]), ([-1.0, -1.0, 1.0], [0.0, 0.0, 0.0]));
    assert_eq!(mesh.steps[8], [1.0, 2.0, 2.0]);
    assert!(mesh.normals.iter().all(|normal| normal[2] > 0.0), "counterclockwise from above");
    let (low, high) = (ColorMap::Viridis.at(0.0), ColorMap::Viridis.at(1.0));
    assert_eq!((mesh.colors[4], mesh.colors[0]), ([low.r, low.g, low.b], [high.r, high.g, high.b]));
}

#[test]
fn holes_stay_holes() {
    let mesh = small(None);
    assert_eq!((mesh.points.len(), mesh.triangles.len()), (8, 4));
    let none = Heights {
        x: &[0.0, 1.0],
        y: &[0.0, 1.0],
        values: &[None, Some(1.0), Some(1.0), None],
        log: false,
        clip: None,
        map: ColorMap::Grey,
    };
    assert!(Mesh::of(&none).unwrap_err().contains("no three neighbouring points"));
    // Logarithms: what is not positive has none. Clipped: what is higher.
    let values = [0.0, 1.0, 10.0, 100.0].map(Some);
    let heights = Heights { values: &values, log: true, ..none };
    let mesh = Mesh::of(&heights).unwrap();
    assert_eq!(mesh.points.iter().map(|point| point[2]).collect::<Vec<_>>(), [0.0, 0.5, 1.0]);
    let clipped = Mesh::of(&Heights { log: false, clip: Some(50.0), ..heights }).unwrap();
    assert_eq!(clipped.steps.len(), 3);
}

#[test]
fn meshes_are_written_as_their_formats_say() {
    let mesh = small(Some(0.0));
    let about = ["made -- up".to_owned()];
    let bytes = |kind: MeshKind| kind.write(&mesh, "Loss <1>", &about);
    let text = |kind| String::from_utf8(bytes(kind)).unwrap();
    let obj = text(MeshKind::Obj);
    assert!(obj.starts_with("# made -- up\n") && obj.contains("\nv -1 -1 1 0.9922 0.9059 0.1451\n"), "{obj}");
    assert_eq!(obj.matches("\nf ").count(), 8);
    assert_eq!(bytes(MeshKind::Stl).len(), 84 + 8 * 50);
    let ply = bytes(MeshKind::Ply);
    let end = ply.windows(11).position(|part| part == b"end_header\n").unwrap() + 11;
    assert_eq!(ply.len() - end, 9 * (6 * 4 + 3 + 8) + 8 * 13);
    let vtp = text(MeshKind::Vtp);
    assert!(vtp.contains("NumberOfPoints=\"9\"") && vtp.contains("Name=\"Loss &lt;1>\""), "{vtp}");
    assert!(!vtp.contains("made -- up"), "two hyphens end a comment");
    let gltf: serde_json::Value = serde_json::from_str(&text(MeshKind::Gltf)).unwrap();
    assert_eq!(gltf["accessors"][3]["count"], 24);
    assert_eq!(gltf["accessors"][0]["max"], serde_json::json!([1.0, 1.0, 1.0]));
    let glb = bytes(MeshKind::Glb);
    assert_eq!(&glb[..4], b"glTF");
    assert_eq!(u32::from_le_bytes(glb[8..12].try_into().unwrap()) as usize, glb.len());
}

#[test]
fn plot_writes_landscapes_and_reads_them_again() {
    let basin = Basin::new();
    let mut record = plane();
    let Outcome::Landscape(outcome) = &mut record.outcome else { panic!("a landscape") };
    if let Some(Grid { loss: Values::Plane(rows), .. }) = &mut outcome.robust {
        rows[5][6] = None;
    }
    record.save(&basin.path("plane.json")).unwrap();
    for name in ["s.obj", "s.ply", "s.stl", "s.vtp", "s.gltf", "s.glb", "s.npz", "s.h5", "s.csv"] {
        basin.ok(&["plot", "plane.json", "--out", name]);
        assert!(std::fs::metadata(basin.path(name)).unwrap().len() > 1000, "{name}");
    }
    let whole = Record::load(&basin.path("plane.json")).unwrap();
    let losses = |record: &Record| match &record.outcome {
        Outcome::Landscape(outcome) => outcome.robust.as_ref().map(|grid| grid.loss.clone()),
        _ => None,
    };
    for name in ["s.npz", "s.h5", "s.csv"] {
        let read = Record::load(&basin.path(name)).unwrap();
        assert_eq!(losses(&read), losses(&whole), "{name}");
        let done = basin.ok(&["plot", name, "--out", "map.svg"]);
        assert!(done.err.contains("1 of 441 grid points has no loss in the file"), "{}", done.err);
        let map = basin.read("map.svg");
        assert!(map.contains("Robust loss") && map.contains("Direction 1"), "{name}");
    }
    let shape = basin.ok(&["plot", "s.h5", "--shape"]).out;
    assert!(shape.contains("shape of the robust loss"), "{shape}");
    basin.ok(&["plot", "s.h5", "--figure", "surface", "--out", "surface.png"]);
}

#[test]
fn surfaces_of_other_programs_are_drawn() {
    let basin = Basin::new();
    let unfinished = reference("exchange/goldstein-unfinished.h5");
    let done = basin.ok(&["plot", &unfinished, "--out", "map.csv"]);
    assert!(done.err.contains("3 of 25 grid points have no loss in the file"), "{}", done.err);
    let table = basin.read("map.csv");
    assert!(
        table.contains("imported from goldstein-unfinished.h5 (HDF5 of loss-landscape, SHA-256 "),
        "{table}"
    );
    assert!(table.contains("x,y,Loss\n"), "{table}");
    let curve = reference("exchange/paper-curve.h5");
    basin.ok(&["plot", &curve, "--error", "--out", "curve.svg"]);
    let plane = reference("exchange/paper-plane.h5");
    let done = basin.ok(&["plot", &plane, "--out", "plane.pdf"]);
    assert!(done.err.contains("the mean over 2 attempts"), "{}", done.err);
}

#[test]
fn what_cannot_be_written_or_read_is_one_sentence() {
    let basin = Basin::new();
    curve(1.0).save(&basin.path("curve.json")).unwrap();
    plane().save(&basin.path("plane.json")).unwrap();
    basin.write("weights.h5", "no").write("bad.csv", "a,b\n1,2\n");
    basin.ok(&["plot", "curve.json", "--out", "curve.npz"]);
    basin.refused(&["plot", "curve.json", "--out", "x.obj"], &["curve is a 1-D landscape", ".npz"]);
    basin.refused(&["plot", "plane.json", "curve.json", "--out", "x.ply"], &["holds one landscape"]);
    basin.refused(&["plot", "plane.json", "--which", "clean", "--out", "x.stl"], &["has no clean values"]);
    basin.refused(
        &["plot", "plane.json", "--clip", "0.1", "--out", "x.stl"],
        &["no three neighbouring points"],
    );
    basin.refused(&["plot", "weights.h5", "--out", "x.svg"], &["weights.h5: ", "no HDF5 file"]);
    basin.refused(&["plot", "bad.csv", "--out", "x.svg"], &["bad.csv: has the columns a, b"]);
    basin.refused(&["plot", "nowhere.npz", "--out", "x.svg"], &["nowhere.npz: does not exist"]);
    basin.refused(
        &["plot", "curve.npz", "--figure", "flatness", "--out", "x.svg"],
        &["record of `basin import`"],
    );
    basin.misused(
        &["plot", "plane.json", "--error", "--out", "x.npz"],
        &["--error has no effect on a .npz file"],
    );
    basin.misused(&["plot", "plane.json", "--figure", "merge-tree", "--out", "x.obj"], &["not a figure"]);
    basin.misused(&["plot", "curve.npz", "--out", "curve.npz"], &["choose another file"]);
}

#[test]
fn a_surface_of_another_program_opens_in_the_window() {
    let mut window = Window::new(Fake::default());
    let path = reference("exchange/goldstein-unfinished.h5");
    window.harness.state_mut().open_paths(vec![path.into()]);
    window.settle();
    window.until_label("Imported landscape");
    window.picture("imported-surface");
    window.click("Contours");
    window.click("Display");
    window.until_label("Shape of the loss");
    window.settle();
    window.compare("imported");
    window.click("Export…");
    window.click("Data");
    window.choose("Format", "NumPy arrays (.npz)");
    window.until_label("for numpy.load");
    window.choose("Format", "OBJ mesh");
    window.until_label("as wide as 2");
    window.picture("export-mesh");
    let out = window.folder.path().join("surface.obj");
    window.retype("File", &out.display().to_string());
    window.click("Export");
    window.settle();
    assert!(std::fs::read_to_string(out).unwrap().contains("imported from goldstein-unfinished.h5"));
}

#[test]
fn what_is_no_landscape_says_so_in_the_window() {
    let mut window = Window::new(Fake::default());
    let path = window.folder.path().join("weights.h5");
    std::fs::write(&path, "no").expect("a writable folder");
    window.harness.state_mut().open_paths(vec![path]);
    window.until_label("no HDF5 file");
}
