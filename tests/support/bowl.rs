//! A stand-in for the computation: a bowl, at once, or stopping halfway.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use basin::jobs::Engine;
use basin_core::checkpoint::{BINS, Distribution, OpenChoices, Probe, Summary, TensorSummary, Tried};
use basin_core::job::{Flatness, Job, Landscape};
use basin_core::model::{Activation, Architecture, Family, PostActResNet, Shortcut, TensorSpec, Topology};
use basin_core::progress::{Event, Progress};
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
        // What trying tells comes later.
        Ok(Summary { probe: None, notices: Vec::new(), ..summary(path) })
    }

    fn probe(&self, path: &Path, progress: &mut dyn Progress) -> Result<Summary> {
        progress.report(Event::Step { done: 45, total: 100 })?;
        while *self.held.lock().expect("no test panics while it holds this") {
            std::thread::sleep(Duration::from_millis(2));
            progress.report(Event::Step { done: 45, total: 100 })?;
        }
        Ok(summary(path))
    }

    fn distributions(&self, path: &Path, _: &mut dyn Progress) -> Result<Vec<Distribution>> {
        Ok(distributions(path))
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
        let axis = landscape.axes().remove(0);
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
        ..LandscapeOutcome::default()
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
    DirectionSummary { name: "random".into(), norm: 4.2, relative_norm: 0.5, ..DirectionSummary::default() }
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

/// A summary; `ambiguous`, `undecided` and `wrn-70-16` in the file's name are networks of their own.
pub fn summary(path: &Path) -> Summary {
    let name = path.display().to_string();
    let has = |word: &str| name.contains(word);
    let topology = topology(&name);
    let tensor = |spec: TensorSpec| TensorSummary {
        name: spec.name,
        shape: spec.shape,
        role: spec.role,
        l2_norm: 1.5,
    };
    let mut tensors: Vec<TensorSummary> = topology.tensors().into_iter().map(tensor).collect();
    if known(&name).is_none() {
        // Two are enough, one of each role.
        tensors.truncate(2);
    }
    let outline = topology.outline();
    let is_open = has("ambiguous") || has("undecided");
    let assumed = if is_open { "normalization=cifar10,shortcut=plain" } else { "" };
    let probe = is_open.then(|| probe(has("ambiguous")));
    let open = OpenChoices {
        normalization: ["none", "cifar10", "cifar10-2023", "half", "per-image"].map(str::to_owned).into(),
        shortcut: vec![Shortcut::Plain, Shortcut::Activated],
        activation: vec![Activation::Relu, Activation::Silu],
        pooling: Vec::new(),
    };
    let notices = probe.iter().map(|probe| probe.notice(assumed)).collect();
    let stored = [("test_robust_acc", "0.5163"), ("lr", "0.001")];
    let stored = stored.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Summary {
        path: path.to_owned(),
        // Readings of one file are checkpoints of their own.
        hash: "ab".repeat(32) + name.split_once("::").map_or("", |(_, assumed)| assumed),
        bytes: 733_154,
        container: "PyTorch legacy".into(),
        family: "ResNet".into(),
        model: topology.title.clone(),
        normalization: "rebn".into(),
        activation: "relu".into(),
        classes: 10,
        resolution: [3, 32, 32],
        epoch: Some(4),
        parameters: outline.iter().map(|block| block.parameters).sum(),
        preprocessing: "clamp to [0, 1], whiten".into(),
        topology: topology.describe(),
        outline,
        tensors,
        notices,
        networks: Vec::new(),
        set_aside: Vec::new(),
        assumed: assumed.into(),
        ambiguous: is_open,
        probe,
        stored: if is_open { stored.into() } else { Vec::new() },
        open: if is_open { open } else { OpenChoices::default() },
    }
}

/// The architecture that a file's name names.
fn known(name: &str) -> Option<&'static str> {
    ["wrn-70-16", "densenet121", "lenet", "vgg16", "resnet50"].into_iter().find(|known| name.contains(known))
}

fn topology(name: &str) -> Topology {
    let small = || Architecture {
        family: Family::PostActResNet(PostActResNet { channels: 8, ..PostActResNet::default() }),
        whiten: false,
        ..Architecture::default()
    };
    let architecture =
        known(name).map_or_else(small, |name| Architecture::named(name).expect("a known name"));
    architecture.topology().expect("a possible network")
}

/// Readings that accuracies cannot tell apart, but batch statistics can; or nothing can.
fn probe(told: bool) -> Probe {
    let tried = |assumed: &str, accuracy: f64, images: usize, mismatch: Option<f64>| Tried {
        assumed: assumed.into(),
        accuracy: if told { accuracy } else { 0.1 + 0.01 * accuracy },
        images: if told { images } else { 1000 },
        mismatch,
    };
    Probe {
        data: "CIFAR-10 test images".into(),
        tried: vec![
            tried("normalization=cifar10,shortcut=plain", 0.843, 300, Some(0.011)),
            tried("normalization=cifar10-2023,shortcut=plain", 0.84, 300, Some(0.093)),
            tried("normalization=half,shortcut=plain", 0.62, 100, None),
            tried("normalization=none,shortcut=activated", 0.18, 50, None),
        ],
        told,
        likely: false,
        by_statistics: told,
        margin: 0.0033,
        standard_error: 0.0058,
    }
}

/// Normal distributions of mean 0, as wide as the tensor has few elements; constants for scalars.
fn distributions(path: &Path) -> Vec<Distribution> {
    let of = |tensor: &TensorSummary| {
        let elements = tensor.shape.iter().product::<i64>() as f64;
        let std = 1.5 / elements.sqrt();
        let density = |bin: i32| (1000.0 * (-0.5 * ((f64::from(bin) - 15.5) / 5.2).powi(2)).exp()) as u64;
        let is_constant = tensor.shape.is_empty();
        Distribution {
            name: tensor.name.clone(),
            min: if is_constant { 1.5 } else { -3.5 * std },
            max: if is_constant { 1.5 } else { 3.5 * std },
            mean: if is_constant { 1.5 } else { 0.0 },
            std,
            low: -3.0 * std,
            high: 3.0 * std,
            counts: if is_constant { Vec::new() } else { (0..BINS as i32).map(density).collect() },
        }
    };
    summary(path).tensors.iter().map(of).collect()
}
