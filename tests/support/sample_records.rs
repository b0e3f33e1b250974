//! Made-up records for tests of figures: plausible shapes, no measured numbers.
#![allow(dead_code, reason = "each test program uses a part")]

use basin_core::job::{Compute, DataSelection, DirectionKind, Evaluate, Hessian, Job, Landscape, Pgd, Range};
use basin_core::record::{
    Density, Eigenvalue, Evaluated, Evaluation, FORMAT, Grid, HessianOutcome, LandscapeOutcome, Outcome,
    PerExample, Point, Provenance, Record,
};

fn provenance() -> Provenance {
    Provenance {
        version: "0.0.0".into(),
        device: "none: made-up numbers for tests".into(),
        search_precision: "f32".into(),
        measure_precision: "f32".into(),
        batch_size: 100,
        data: "made-up".into(),
        data_fingerprint: "0000000000000000".into(),
        model: "made-up model".into(),
        started: "2000-01-01T00:00:00Z".into(),
        complete: true,
        ..Provenance::default()
    }
}

fn steps(n: usize) -> Vec<f64> {
    (0..n).map(|i| (1000.0 * (2.0 * i as f64 / (n - 1) as f64 - 1.0)).round() / 1000.0).collect()
}

fn round(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}

fn job(second: Option<DirectionKind>, steps: usize) -> Job {
    Job::Landscape(Landscape {
        checkpoint: "made-up.safetensors".into(),
        data: DataSelection::default(),
        direction: DirectionKind::Random(0),
        second,
        range: Range::symmetric(1.0),
        steps,
        ..Landscape::default()
    })
}

/// A curve; `sharpness` bends it.
pub fn curve(sharpness: f64) -> Record {
    let x = steps(21);
    let (mut clean, mut robust) = (Grid::empty(21, None), Grid::empty(21, None));
    for (i, s) in x.iter().enumerate() {
        let bend = sharpness * s * s * (1.0 + 0.25 * s + 0.5 * s * s);
        clean.set(
            i,
            0,
            Point {
                loss: round(0.42 + 1.1 * bend),
                error: round((0.16 + 0.5 * bend / (1.0 + bend)).min(1.0)),
            },
        );
        robust.set(
            i,
            0,
            Point {
                loss: round(1.38 + 2.0 * bend),
                error: round((0.5 + 0.45 * bend / (1.0 + bend)).min(1.0)),
            },
        );
    }
    Record {
        examples: None,
        format: FORMAT,
        job: job(None, 21),
        provenance: provenance(),
        outcome: Outcome::Landscape(LandscapeOutcome {
            x,
            y: None,
            clean: Some(clean),
            robust: Some(robust),
            ..LandscapeOutcome::default()
        }),
    }
}

/// A tilted valley.
pub fn plane() -> Record {
    let (x, y) = (steps(21), steps(21));
    let mut robust = Grid::empty(21, Some(21));
    for (iy, t) in y.iter().enumerate() {
        for (ix, s) in x.iter().enumerate() {
            let (u, v) = (0.8 * s + 0.6 * t, 0.8 * t - 0.6 * s);
            let r = 1.9 * u * u * (1.0 + 0.3 * u) + 0.7 * v * v + 0.9 * u * u * v * v;
            let bump = 0.5 * (-12.0 * ((s - 0.55).powi(2) + (t + 0.6).powi(2))).exp();
            let loss = 1.38 + 2.4 * r + bump;
            robust.set(ix, iy, Point { loss: round(loss), error: round(0.5 + 0.42 * (1.0 - (-r).exp())) });
        }
    }
    Record {
        examples: None,
        format: FORMAT,
        job: job(Some(DirectionKind::Random(1)), 21),
        provenance: provenance(),
        outcome: Outcome::Landscape(LandscapeOutcome {
            x,
            y: Some(y),
            robust: Some(robust),
            cosine: Some(0.01),
            ..LandscapeOutcome::default()
        }),
    }
}

/// A Hessian with three outlying eigenvalues above a bulk; with or without its density.
pub fn hessian(sharpness: f64, with_density: bool) -> Record {
    let found = |values: &[f64]| -> Vec<Eigenvalue> {
        values.iter().map(|value| Eigenvalue { value: sharpness * value, residual: 1e-3 }).collect()
    };
    let (largest, smallest) = (found(&[24.0, 15.0, 8.0]), found(&[-2.0, -1.5]));
    let x: Vec<f64> = (0..200).map(|at| sharpness * (-4.0 + 30.0 * f64::from(at) / 199.0)).collect();
    let width = 0.3 * sharpness;
    let bump = |x: f64, at: f64, width: f64| (-0.5 * ((x - at) / width).powi(2)).exp() / width;
    let peaks = |x: f64| largest.iter().map(|found| 1e-5 * bump(x, found.value, width)).sum::<f64>();
    let y: Vec<f64> = x.iter().map(|x| 0.4 * bump(*x, 0.2 * sharpness, 2.0 * width) + peaks(*x)).collect();
    let scaled = |factor: f64| y.iter().map(|y| y * factor).collect();
    let (low, high) = (scaled(0.7), scaled(1.3));
    let density = with_density.then(|| Density { low, high, x, y, width, vectors: Vec::new() });
    let clean = Some(Point { loss: 1.2, error: 0.4 });
    let outcome = HessianOutcome {
        clean,
        weights: 175_192,
        convexity_ratio: Some(2.0 / 24.0),
        largest,
        smallest,
        density,
        ..HessianOutcome::default()
    };
    Record {
        examples: None,
        format: FORMAT,
        job: Job::Hessian(Hessian {
            checkpoint: "made-up.safetensors".into(),
            top: 3,
            bottom: 2,
            density: with_density,
            ..Hessian::default()
        }),
        provenance: provenance(),
        outcome: Outcome::Hessian(outcome),
    }
}

/// Clean and robust evaluation of 100 examples.
pub fn evaluation() -> Record {
    let evaluated = |skew: f64, error: f64| {
        let n = 100;
        let at = |i: usize| (i as f64 + 0.5) / n as f64;
        let confidence: Vec<f32> = (0..n).map(|i| round(0.12 + 0.88 * at(i).powf(skew)) as f32).collect();
        let wrong = |i: usize| at(i * 37 % n) < error;
        let label: Vec<i64> = (0..n as i64).map(|i| i % 10).collect();
        let loss: Vec<f32> = (0..n)
            .map(|i| {
                let p = f64::from(confidence[i]);
                round(-(if wrong(i) { (1.0 - p).max(1e-3) / 2.0 } else { p }).ln()) as f32
            })
            .collect();
        Evaluated {
            loss: round(loss.iter().map(|l| f64::from(*l)).sum::<f64>() / n as f64),
            error: (0..n).filter(|i| wrong(*i)).count() as f64 / n as f64,
            per_example: PerExample {
                index: (0..n).collect(),
                predicted: (0..n).map(|i| if wrong(i) { (label[i] + 1) % 10 } else { label[i] }).collect(),
                label,
                loss,
                confidence,
                ..PerExample::default()
            },
            metrics: None,
        }
    };
    Record {
        examples: None,
        format: FORMAT,
        job: Job::Evaluate(Evaluate {
            checkpoint: "made-up.safetensors".into(),
            data: DataSelection::default(),
            attack: Some(Pgd::default()),
            compute: Compute::default(),
            ..Evaluate::default()
        }),
        provenance: provenance(),
        outcome: Outcome::Evaluate(Evaluation {
            clean: evaluated(0.35, 0.18),
            robust: Some(evaluated(1.4, 0.52)),
            ..Evaluation::default()
        }),
    }
}
