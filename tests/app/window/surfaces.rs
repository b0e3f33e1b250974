//! Several surfaces in 3-D, and a section through them.

use basin::command::Command;
use basin_core::record::{Outcome, Record, Values};
use eframe::egui::{Modifiers, pos2};
use egui_kittest::kittest::Queryable as _;

use crate::support::bowl::Fake;
use crate::support::sample_records::plane;
use crate::support::window::Window;

/// A plane with all losses and errors multiplied.
pub fn steeper(factor: f64) -> Record {
    let mut record = plane();
    let Outcome::Landscape(outcome) = &mut record.outcome else { unreachable!("a landscape") };
    let grid = outcome.robust.as_mut().expect("a robust grid");
    if let Values::Plane(rows) = &mut grid.loss {
        rows.iter_mut().flatten().flatten().for_each(|value| *value = 1.38 + factor * (*value - 1.38));
    }
    if let basin_core::job::Job::Landscape(job) = &mut record.job {
        job.checkpoint = format!("model-{factor}.pth.tar").into();
    }
    record.provenance.checkpoint_hash = format!("{factor}");
    record
}

#[test]
fn several_surfaces_stand_beside_each_other_or_in_one_box() {
    let mut window = Window::new(Fake::default());
    let folder = window.folder.path().to_owned();
    let paths = [1.0, 0.4, 1.8].map(|factor| {
        let path = folder.join(format!("plane-{factor}.json"));
        steeper(factor).save(&path).expect("a writable folder");
        path
    });
    window.harness.state_mut().open_paths(paths.to_vec());
    window.settle();
    window.click("Surface");
    window.settle();
    // The last is shown; the others come beside it.
    for at in 0..2 {
        let lines: Vec<_> = window.harness.get_all_by_label_contains("2-D robust loss").collect();
        lines[at].click_modifiers(Modifiers::COMMAND);
        window.settle();
    }
    assert!(window.harness.query_by_label("3 landscapes").is_some());
    window.click("Display");
    window.until_label("Several surfaces");
    window.compare("surfaces-beside");

    window.click("Section");
    window.settle();
    window.picture("surfaces-section");
    // The right end of the first line goes to another corner, and the curves below are others.
    window.harness.drag_at(pos2(454.0, 207.0));
    window.harness.run_steps(2);
    window.harness.hover_at(pos2(400.0, 230.0));
    window.harness.run_steps(2);
    window.harness.drop_at(pos2(400.0, 236.0));
    window.settle();
    window.compare("surfaces-section-dragged");

    window.click("Overlaid");
    window.settle();
    window.harness.state_mut().command(Command::ThemeLight);
    window.settle();
    window.compare("surfaces-overlaid-light");
    window.click("Section");
    window.click("Beside");
    window.settle();
    window.picture("surfaces-light");

    window.click("Export…");
    window.settle();
    window.picture("surfaces-export");
    let out = folder.join("three.png");
    window.retype("Width", "300");
    window.retype("Height", "240");
    window.retype("File", &out.display().to_string());
    window.click("Export");
    window.settle();
    let exported = image::open(out).expect("a picture");
    assert_eq!((exported.width(), exported.height()), (300, 240));
}
