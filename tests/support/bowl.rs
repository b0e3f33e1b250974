//! A stand-in for the computation: a bowl, at once, or stopping halfway.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use basin::jobs::Engine;
use basin_core::checkpoint::{Role, Summary, TensorSummary};
use basin_core::job::{Flatness, Job, Landscape};
use basin_core::progress::Event;
use basin_core::record::{
    AtRadius, DirectionSummary, Draw, Evaluated, Evaluation, FORMAT, FlatnessOutcome, Grid, LandscapeOutcome,
    LayerFlatness, Outcome, PerExample, Point, Provenance, Record,
};
use basin_core::run::{Estimate, Observer, RunOptions};
use basin_core::{Error, Result};

/// Computes a bowl, coarse to fine; stops halfway and waits when it is told to.
#[derive(Default)]
pub struct Fake {
    pub held: Arc<Mutex<bool>>,
    pub fails: bool,
    /// Stops before the first point, not halfway.
    pub at_first: bool,
}

impl Engine for Fake {
    fn inspect(&self, path: &Path) -> Result<Summary> {
        if path.to_string_lossy().contains("broken") {
            return Err(Error::file(path, "is empty; download it again"));
        }
        Ok(summary(path))
    }

    fn estimate(&self, _: &Job) -> Result<Estimate> {
        Ok(Estimate { units: 625, seconds: 40.0, tests: 0.0 })
    }

    fn run(&self, job: &Job, _: &RunOptions, observer: &mut dyn Observer) -> Result<Record> {
        match job {
            Job::Evaluate(_) | Job::Attack(_) => Ok(evaluation(job)),
            Job::Landscape(_) if self.fails => {
                Err(Error::invalid("the loss became NaN at step 3; the checkpoint is damaged"))
            }
            Job::Flatness(flatness) => self.flatness(job, flatness, observer),
            Job::Landscape(landscape) => self.landscape(job, landscape, observer),
            _ => Err(Error::invalid("this stand-in only measures, one thing at a time")),
        }
    }
}

impl Fake {
    /// Stops there until the lock says false.
    pub fn hold(&self) -> Arc<Mutex<bool>> {
        *self.held.lock().expect("not poisoned") = true;
        self.held.clone()
    }

    /// Every draw rises with the square of the radius; stops halfway as landscapes do.
    fn flatness(&self, job: &Job, asked: &Flatness, observer: &mut dyn Observer) -> Result<Record> {
        let reference = Point { loss: 1.5, error: 0.5 };
        let layers = ["conv1.weight", "logits.weight"];
        let layers = if asked.per_layer { &layers[..] } else { &[] };
        let total = ((1 + layers.len()) * asked.radii.len() * asked.draws) as u64;
        observer.report(Event::Started { label: asked.label().into(), done: 0, total })?;
        let (mut done, mut complete, mut rows) = (0, true, Vec::new());
        for layer in 0..=layers.len() {
            let mut radii = Vec::new();
            for radius in &asked.radii {
                let mut draws = Vec::new();
                for draw in 0..asked.draws {
                    while done > total / 2 && *self.held.lock().expect("no test panics while it holds this") {
                        std::thread::sleep(Duration::from_millis(2));
                        if observer.report(Event::Step { done, total }).is_err() {
                            complete = false;
                            break;
                        }
                    }
                    if !complete {
                        break;
                    }
                    let rise = radius * radius * (1.0 + 0.1 * draw as f64) / (1.0 + layer as f64);
                    draws.push(Draw { seed: draw as u64, loss: reference.loss + rise, error: 0.5 });
                    done += 1;
                    let mut so_far: Vec<Vec<AtRadius>> = rows.clone();
                    let now = at_radius(*radius, reference.loss, draws.clone());
                    so_far.push([radii.as_slice(), &[now]].concat());
                    observer.so_far(Outcome::Flatness(flatness(reference, layers, so_far)));
                    observer.report(Event::Step { done, total })?;
                }
                if !draws.is_empty() {
                    radii.push(at_radius(*radius, reference.loss, draws));
                }
            }
            rows.push(radii);
        }
        let outcome = flatness(reference, layers, rows);
        Ok(record(job, Outcome::Flatness(outcome), complete))
    }

    fn landscape(&self, job: &Job, landscape: &Landscape, observer: &mut dyn Observer) -> Result<Record> {
        let n = landscape.steps;
        let axis: Vec<f64> =
            (0..n).map(|i| landscape.range * (2.0 * i as f64 / (n - 1) as f64 - 1.0)).collect();
        let rows = if landscape.second.is_some() { n } else { 1 };
        let total = (n * rows) as u64;
        let (mut clean, mut robust) = (Grid::empty(n, None), Grid::empty(n, None));
        if landscape.second.is_some() {
            (clean, robust) = (Grid::empty(n, Some(n)), Grid::empty(n, Some(n)));
        }
        let mut complete = true;
        observer.report(Event::Started { label: "robust landscape".into(), done: 0, total })?;
        let mut points: Vec<(usize, usize)> = (0..rows).flat_map(|y| (0..n).map(move |x| (x, y))).collect();
        points.sort_by_key(|(x, y)| (x % 4 + y % 4 != 0, x % 2 + y % 2 != 0));
        for (done, (x, y)) in points.into_iter().enumerate() {
            while (self.at_first || done as u64 > total / 2)
                && *self.held.lock().expect("no test panics while it holds this")
            {
                std::thread::sleep(Duration::from_millis(2));
                if observer.report(Event::Step { done: done as u64, total }).is_err() {
                    complete = false;
                    break;
                }
            }
            if !complete {
                break;
            }
            let (u, v) = (axis[x], if rows > 1 { axis[y] } else { 0.0 });
            let bowl =
                0.8 + 4.0 * (u * u + 0.6 * v * v) + 0.8 * u * v + 0.25 * (5.0 * u).sin() * (4.0 * v).cos();
            let point = |loss: f64| Point { loss, error: 1.0 - (-0.4 * loss).exp() };
            clean.set(x, y, point(0.45 * bowl));
            robust.set(x, y, point(bowl));
            let so_far = surface(landscape, &axis, (clean.clone(), robust.clone()));
            observer.so_far(Outcome::Landscape(so_far));
            if observer.report(Event::Step { done: done as u64 + 1, total }).is_err() {
                complete = false;
                break;
            }
        }
        let outcome = surface(landscape, &axis, (clean, robust));
        Ok(record(job, Outcome::Landscape(outcome), complete))
    }
}

/// Flatness of these rows: all tensors together, then one at a time.
fn flatness(reference: Point, layers: &[&str], rows: Vec<Vec<AtRadius>>) -> FlatnessOutcome {
    let mut rows = rows.into_iter();
    FlatnessOutcome {
        reference_loss: reference.loss,
        reference_error: reference.error,
        radii: rows.next().unwrap_or_default(),
        layers: layers
            .iter()
            .zip(rows)
            .map(|(name, radii)| LayerFlatness { name: (*name).to_owned(), radii })
            .collect(),
        resamples: 0,
        networks: Vec::new(),
        losses: None,
    }
}

/// A landscape of these grids, clean and robust.
fn surface(asked: &Landscape, axis: &[f64], (clean, robust): (Grid, Grid)) -> LandscapeOutcome {
    LandscapeOutcome {
        y: asked.second.is_some().then(|| axis.to_vec()),
        x: axis.to_vec(),
        clean: Some(clean),
        robust: Some(robust),
        directions: vec![direction(), direction()],
        cosine: Some(0.01),
    }
}

/// What a measure makes of draws.
pub fn at_radius(radius: f64, reference: f64, draws: Vec<Draw>) -> AtRadius {
    let losses: Vec<f64> = draws.iter().map(|draw| draw.loss).collect();
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    let worst = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let flatness = mean - reference;
    let interval = Some([0.8 * flatness, 1.3 * flatness]);
    let standard_error = Some(0.01);
    AtRadius {
        radius,
        loss: mean,
        flatness,
        standard_error,
        interval,
        spread: None,
        levels: None,
        mean,
        worst,
        draws,
    }
}

fn direction() -> DirectionSummary {
    DirectionSummary { name: "random".into(), norm: 4.2, relative_norm: 0.5, layers: Vec::new() }
}

pub fn record(job: &Job, outcome: Outcome, complete: bool) -> Record {
    let provenance = Provenance {
        version: "0.1.0".into(),
        seed: job.compute().seed,
        device: "cpu (2 threads)".into(),
        search_precision: "bf16".into(),
        measure_precision: "f32".into(),
        data: "bundled CIFAR-10".into(),
        data_fingerprint: "9f86d081884c7d65".into(),
        checkpoint_hash: "ab".repeat(32),
        model: "ResNet-18, 8 channels, rebn".into(),
        started: "2026-11-22T17:33:00Z".into(),
        duration_s: 38.2,
        complete,
        ..Provenance::default()
    };
    Record { format: FORMAT, job: job.clone(), provenance, outcome, examples: None }
}

pub fn evaluation(job: &Job) -> Record {
    let n = 8;
    let evaluated = |error: f64| Evaluated {
        loss: 1.2,
        error,
        per_example: PerExample {
            index: (0..n).collect(),
            label: vec![0; n],
            loss: vec![1.2; n],
            predicted: vec![0; n],
            confidence: vec![0.5; n],
            ..PerExample::default()
        },
        metrics: None,
    };
    let robust = matches!(job, Job::Evaluate(job) if job.attack.is_some()).then(|| evaluated(0.625));
    record(
        job,
        Outcome::Evaluate(Evaluation { clean: evaluated(0.25), robust, ..Evaluation::default() }),
        true,
    )
}

pub fn summary(path: &Path) -> Summary {
    let tensor = |name: &str, shape: &[i64], role| TensorSummary {
        name: name.into(),
        shape: shape.into(),
        role,
        l2_norm: 1.5,
    };
    Summary {
        path: path.to_owned(),
        hash: "ab".repeat(32),
        bytes: 733_154,
        container: "PyTorch legacy".into(),
        family: "ResNet".into(),
        model: "ResNet-18, 8 channels, rebn".into(),
        normalization: "rebn".into(),
        activation: "relu".into(),
        classes: 10,
        resolution: [3, 32, 32],
        epoch: Some(4),
        parameters: 175_258,
        preprocessing: "clamp to [0, 1], whiten".into(),
        topology: vec![
            "conv1 3 × 3, 3 → 8".into(),
            "block0".into(),
            "  conv1 3 × 3, 8 → 8".into(),
            "logits 64 → 10".into(),
        ],
        tensors: vec![
            tensor("conv1.weight", &[8, 3, 3, 3], Role::Weight),
            tensor("norm1.weight", &[8], Role::Normalization),
        ],
        notices: Vec::new(),
        networks: Vec::new(),
        set_aside: Vec::new(),
        assumed: String::new(),
        ambiguous: false,
        probe: None,
        stored: Vec::new(),
    }
}
