//! Drawing: one frame of a 201 x 201 surface with contour lines, and from start to the first frame.

use basin::gpu::{Offscreen, Surface, SurfaceData, SurfaceView, Target};

use super::Results;
use super::pairs::{interleave, median};

pub fn run(results: &mut Results) -> anyhow::Result<()> {
    let offscreen = match Offscreen::new() {
        Ok(offscreen) => offscreen,
        Err(error) => {
            results.note("frame of a surface", &format!("not measured: {error}"));
            return Ok(());
        }
    };
    let axis: Vec<f32> = (0..201).map(|i| i as f32 / 100.0 - 1.0).collect();
    let bowl = SurfaceData::from_fn(axis.clone(), axis, |x, y| {
        1.2 + 6.0 * (x * x + 0.5 * y * y) + 0.2 * (9.0 * x).sin() * (7.0 * y).cos()
    });
    let surfaces = offscreen.upload(&[bowl]);
    let view = SurfaceView::new(1280, 800, 1.0);
    let target = Target::new(&offscreen.device, [1280, 800]);
    let mut frame = || draw(&offscreen, &surfaces, &view, &target);
    let times = interleave(20, &mut [&mut frame]);
    results.figure("frame, 201 x 201 with contours, 1280 x 800", 1e3 * median(times[0].clone()), "ms");
    Ok(())
}

fn draw(offscreen: &Offscreen, surfaces: &[Surface], view: &SurfaceView, target: &Target) {
    offscreen.renderer.render(&offscreen.device, &offscreen.queue, target, surfaces, view);
    offscreen.device.poll(wgpu::PollType::wait_indefinitely()).expect("the device works");
}
