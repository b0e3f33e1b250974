//! The tab with the spectrum of a Hessian.

use basin::command::Command;
use basin::ui::Pane;

use crate::support::bowl::Fake;
use crate::support::sample_records::hessian;
use crate::support::window::Window;

#[test]
fn a_hessian_shows_its_spectrum_beside_another() {
    let mut window = Window::new(Fake::default());
    let folder = window.folder.path().to_owned();
    let paths = [("at.json", 1.0), ("awp.json", 0.4)].map(|(name, sharpness)| {
        let path = folder.join(name);
        hessian(sharpness, true).save(&path).expect("a writable folder");
        path
    });
    window.harness.state_mut().open_paths(vec![paths[0].clone()]);
    window.settle();
    assert!(window.harness.state().visible_panes().contains(&Pane::Spectrum));
    window.compare("spectrum");
    window.harness.state_mut().command(Command::ThemeLight);
    window.harness.state_mut().open_paths(vec![paths[1].clone()]);
    window.settle();
    window.picture("spectrum-light");
}
