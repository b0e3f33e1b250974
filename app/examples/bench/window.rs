//! Drawing: one frame of a 201 x 201 surface with contour lines, and from start to the first frame.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use basin::gpu::{Offscreen, Surface, SurfaceData, SurfaceView, Target};
use basin::ui::FIRST_FRAME;

use super::Results;
use super::pairs::{interleave, median};

pub fn run(results: &mut Results) -> anyhow::Result<()> {
    start(results, "start to first frame", None)?;
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

    // What the window's own thread does for a frame: the rest is the graphics device's work.
    let axis: Vec<f32> = (0..512).map(|i| i as f32 / 255.5 - 1.0).collect();
    let two = [0.0, 0.7].map(|lift| {
        SurfaceData::from_fn(axis.clone(), axis.clone(), |x, y| 1.2 + lift + 6.0 * (x * x + 0.5 * y * y))
    });
    let surfaces = offscreen.upload(&two);
    let mut submitted = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        offscreen.renderer.render(&offscreen.device, &offscreen.queue, &target, &surfaces, &view);
        submitted.push(begun.elapsed().as_secs_f64());
        offscreen.device.poll(wgpu::PollType::wait_indefinitely()).expect("the device works");
    }
    results.figure("CPU of a frame, two surfaces of 512 x 512", 1e3 * median(submitted), "ms");
    Ok(())
}

/// From starting the program, on a file or folder, to its first frame on the screen, where there is one.
pub fn start(results: &mut Results, name: &str, open: Option<&Path>) -> anyhow::Result<()> {
    let program = std::env::current_exe()?
        .parent()
        .and_then(Path::parent)
        .map(|folder| folder.join(format!("basin{}", std::env::consts::EXE_SUFFIX)))
        .filter(|program| program.is_file());
    let Some(program) = program else {
        results.note(name, "not measured: build the program first");
        return Ok(());
    };
    let once = || -> Option<f64> {
        let begun = Instant::now();
        let mut child = Command::new(&program)
            .args(open)
            .env(FIRST_FRAME, "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
        let elapsed = begun.elapsed().as_secs_f64();
        child.wait().ok()?;
        (line.trim() == "first frame").then_some(elapsed)
    };
    let times: Option<Vec<f64>> = (0..5).map(|_| once()).collect();
    match times {
        Some(times) => results.figure(name, median(times), "s"),
        None => results.note(name, "not measured: the window did not open (is there a display?)"),
    }
    Ok(())
}

fn draw(offscreen: &Offscreen, surfaces: &[Surface], view: &SurfaceView, target: &Target) {
    offscreen.renderer.render(&offscreen.device, &offscreen.queue, target, surfaces, view);
    offscreen.device.poll(wgpu::PollType::wait_indefinitely()).expect("the device works");
}
