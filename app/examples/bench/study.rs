//! A study of 1,000 models with 100 records each: to its first table, scrolling, memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use basin::jobs::Core;
use basin::ui::App;
use basin_core::study::{Entries, Study, index_file, status};
use eframe::egui::{Event, Modifiers, MouseWheelSource, MouseWheelUnit, TouchPhase, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::Results;
use super::pairs::median;
use super::sample_study::{Sample, write};
use super::window;

const SAMPLE: Sample = Sample { models: 1000, records: 100, lacking: 10, snapshots: 40 };
/// A study is waited for as long at most.
const PATIENCE: Duration = Duration::from_secs(300);

pub fn run(results: &mut Results) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    write(folder.path(), SAMPLE);
    let measured = measure(results, folder.path());
    // The folder is gone afterwards, and its index of no use.
    index_file(folder.path()).map(std::fs::remove_file);
    measured
}

fn measure(results: &mut Results, folder: &Path) -> anyhow::Result<()> {
    let study = Study::load(folder)?;
    let read = || -> anyhow::Result<(f64, Entries<_>)> {
        let begun = Instant::now();
        let entries = Entries::digests(folder, &study)?;
        std::hint::black_box(status(&study, &entries));
        Ok((begun.elapsed().as_secs_f64(), entries))
    };
    let (first, entries) = read()?;
    results.figure("study of 100,000 records: read for the first time", first, "s");
    let mut again = Vec::new();
    for _ in 0..5 {
        again.push(read()?.0);
    }
    results.figure("study of 100,000 records: read again (status)", median(again), "s");
    if let Some(bytes) = index_file(folder).and_then(|path| std::fs::metadata(path).ok()) {
        results.figure("study of 100,000 records: its index", bytes.len() as f64 / 1e6, "MB");
    }
    let count = entries.records();
    drop(entries);
    window(results, folder, count)?;
    window::start(results, "study of 100,000 records: start to first frame", Some(folder))
}

/// The window without a screen: what the processor does for each frame.
fn window(results: &mut Results, folder: &Path, records: usize) -> anyhow::Result<()> {
    let before = resident();
    let begun = Instant::now();
    let paths: Vec<PathBuf> = vec![folder.to_owned()];
    let mut harness = Harness::builder()
        .with_size([1600.0, 1000.0])
        .with_max_steps(8)
        .wgpu()
        .build_eframe(|cc| App::new(cc, Arc::new(Core), paths));
    let mut longest: f64 = 0.0;
    let mut until = |harness: &mut Harness<'_, App>, words: &str| -> anyhow::Result<f64> {
        while harness.query_all_by_label_contains(words).next().is_none() {
            if begun.elapsed() > PATIENCE {
                bail!("the window did not show {words:?} in {} s", PATIENCE.as_secs());
            }
            let frame = Instant::now();
            harness.step();
            longest = longest.max(frame.elapsed().as_secs_f64());
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(begun.elapsed().as_secs_f64())
    };
    let table = until(&mut harness, "1,000 models")?;
    results.figure("study of 100,000 records: window to first table", table, "s");
    while harness.state().is_busy() && begun.elapsed() < PATIENCE {
        harness.step();
        std::thread::sleep(Duration::from_millis(5));
    }
    results.figure("study of 100,000 records: window to checked table", begun.elapsed().as_secs_f64(), "s");
    results.figure("study of 100,000 records: longest frame while reading", 1e3 * longest, "ms");
    if let (Some(before), Some(after)) = (before, resident()) {
        results.figure("study of 100,000 records: memory of the window", after - before, "MB");
    }
    let mut scroll = |frames: usize| -> (f64, f64) {
        let mut layout = Vec::new();
        let mut whole = Vec::new();
        for frame in 0..frames {
            harness.event(Event::PointerMoved(pos2(600.0, 500.0)));
            harness.event(Event::MouseWheel {
                unit: MouseWheelUnit::Point,
                delta: vec2(0.0, if frame < frames / 2 { -90.0 } else { 90.0 }),
                phase: TouchPhase::Move,
                source: MouseWheelSource::Wheel,
                modifiers: Modifiers::NONE,
            });
            let begun = Instant::now();
            harness.step();
            layout.push(begun.elapsed().as_secs_f64());
            let shapes = harness.output().shapes.clone();
            std::hint::black_box(harness.ctx.tessellate(shapes, 1.0));
            whole.push(begun.elapsed().as_secs_f64());
        }
        whole.sort_by(f64::total_cmp);
        (1e3 * median(layout), 1e3 * whole[whole.len() * 99 / 100])
    };
    let (layout, slowest) = scroll(200);
    results.figure("study of 100,000 records: frame while scrolling", layout, "ms");
    results.figure("study of 100,000 records: 99 of 100 such frames, tessellated, within", slowest, "ms");
    anyhow::ensure!(records > 90_000, "the study has {records} records");
    Ok(())
}

/// Memory of this process in MB, where that is known.
fn resident() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? / 1e3)
}
