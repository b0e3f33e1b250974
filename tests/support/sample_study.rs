//! Made-up studies: models with records whose numbers go together, for tests and benchmarks of many.
#![allow(dead_code, reason = "each program uses a part")]

use std::fs;
use std::path::Path;

use basin_core::data::{DataSelection, Examples, Split};
use basin_core::job::{DirectionKind, Evaluate, Job, Landscape, Pgd};
use basin_core::record::{
    AtRadius, Draw, Evaluated, Evaluation, FORMAT, FlatnessOutcome, Grid, LandscapeOutcome, Outcome,
    PerExample, Point, Provenance, Record,
};
use basin_core::study::{MEASURES, Model, PlannedMeasure, Study, usual_measures};

const GROUPS: [&str; 6] = ["AT", "TRADES", "MART", "AWP", "Label noise", "Weight decay"];
/// Images of an evaluation.
const IMAGES: usize = 8;

/// Between 0 and 1, by a number; the same each time.
fn noise(seed: usize) -> f64 {
    let mixed = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A network that is measured, by its number.
#[derive(Clone, Copy)]
struct Network {
    flatness: f64,
    loss: f64,
    error: f64,
}

impl Network {
    fn of(number: usize) -> Self {
        let flatness = 0.15 + 0.1 * (number % GROUPS.len()) as f64 + 0.2 * noise(number);
        let loss = 1.2 + 0.9 * flatness + 0.12 * noise(number + 7919);
        Self { flatness, loss, error: 0.35 + 0.2 * loss / 1.5 * (0.9 + 0.2 * noise(number + 104_729)) }
    }
}

/// Which records a model of a made-up study has.
#[derive(Clone, Copy)]
pub struct Sample {
    /// Models.
    pub models: usize,
    /// Records of each, four of them measures of the study, at least six.
    pub records: usize,
    /// The last model of every so many lacks two measures; 0: none lacks any.
    pub lacking: usize,
    /// The first so many models are snapshots of one training.
    pub snapshots: usize,
}

/// Writes a study with its checkpoints, which are texts, and records.
pub fn write(folder: &Path, sample: Sample) -> Study {
    let examples = Examples { split: Split::Test, start: 0, end: IMAGES as isize };
    let measures = usual_measures(&DataSelection { name: "bundled".into(), examples });
    let mut study = Study { format: 1, measures, ..Study::default() };
    for number in 0..sample.models {
        let is_snapshot = number < sample.snapshots;
        let group = if is_snapshot { GROUPS[0] } else { GROUPS[number % GROUPS.len()] };
        let (name, checkpoint) = if is_snapshot {
            (format!("AT epoch {}", 5 * number), format!("runs/at/snapshots/epoch-{:04}.pt", 5 * number))
        } else {
            (format!("{group} {number}"), format!("models/{number:04}.pt"))
        };
        let model = Model {
            name,
            group: Some(group.into()),
            checkpoint: Some(checkpoint.into()),
            training: is_snapshot.then(|| "runs/at".into()),
            ..Model::default()
        };
        write_model(folder, &study.measures, &model, number, sample);
        study.models.push(model);
    }
    study.save(folder).expect("a writable folder");
    study
}

fn write_model(folder: &Path, measures: &[PlannedMeasure], model: &Model, number: usize, sample: Sample) {
    let file = folder.join(model.checkpoint.as_ref().expect("each has one"));
    fs::create_dir_all(file.parent().expect("in a folder")).expect("a writable folder");
    fs::write(&file, format!("weights of {}", model.name)).expect("a writable folder");
    let hash = basin_core::checkpoint::hash_file(&file).expect("just written");
    let here = folder.join(MEASURES).join(basin_core::study::file_name(&model.name));
    fs::create_dir_all(&here).expect("a writable folder");
    let network = Network::of(number);
    let save = |name: &str, job: &Job, outcome: Outcome| {
        let record = Record {
            format: FORMAT,
            job: job.clone().on(&file),
            provenance: Provenance {
                version: "0.0.0".into(),
                device: "none: made-up numbers".into(),
                model: "made-up model".into(),
                started: "2000-01-01T00:00:00Z".into(),
                checkpoint_hash: hash.clone(),
                complete: true,
                ..Provenance::default()
            },
            outcome,
            examples: None,
        };
        let text = serde_json::to_string(&record).expect("a record is plain data");
        fs::write(here.join(format!("{name}.json")), text).expect("a writable folder");
    };
    let lacks = sample.lacking > 0 && number % sample.lacking == sample.lacking - 1;
    for (at, measure) in measures.iter().enumerate().take(if lacks { 2 } else { measures.len() }) {
        let worse = if at == 3 { 3.0 } else { 1.0 };
        let outcome = match &measure.job {
            Job::Flatness(job) => flatness(&job.radii, network, worse),
            _ => evaluation(network, if at == 1 { 0.8 } else { 1.0 }),
        };
        save(&measure.name, &measure.job, outcome);
    }
    save("curve", &landscape_job(false), landscape(network, false));
    if number.is_multiple_of(2) {
        save("map", &landscape_job(true), landscape(network, true));
    }
    for other in 6..sample.records {
        let attack = Pgd { steps: other, ..Pgd::default() };
        let job = Job::Evaluate(Evaluate { attack: Some(attack), ..Evaluate::default() });
        save(&format!("pgd-{other}"), &job, evaluation(network, 1.0 - 0.001 * other as f64));
    }
}

fn evaluation(network: Network, factor: f64) -> Outcome {
    let of = |loss: f64, error: f64| {
        let spread = |i: usize| (loss * (0.5 + i as f64 / (IMAGES - 1) as f64)) as f32;
        Evaluated {
            loss,
            error,
            metrics: None,
            per_example: PerExample {
                index: (0..IMAGES).collect(),
                label: (0..IMAGES as i64).collect(),
                loss: (0..IMAGES).map(spread).collect(),
                predicted: vec![0; IMAGES],
                confidence: vec![0.5; IMAGES],
                ..PerExample::default()
            },
        }
    };
    let clean = of(0.3 * network.loss * factor, 0.4 * network.error);
    Outcome::Evaluate(Evaluation {
        clean,
        robust: Some(of(network.loss * factor, network.error)),
        ..Evaluation::default()
    })
}

fn flatness(radii: &[f64], network: Network, worse: f64) -> Outcome {
    let at = |radius: &f64| {
        let flatness = worse * network.flatness * radius / 0.5;
        AtRadius {
            radius: *radius,
            loss: network.loss + flatness,
            flatness,
            standard_error: Some(0.03 * flatness),
            interval: Some([0.94 * flatness, 1.06 * flatness]),
            spread: None,
            levels: None,
            mean: network.loss + flatness,
            worst: network.loss + 1.2 * flatness,
            draws: vec![Draw { seed: 0, loss: network.loss + flatness, error: 0.5 }],
        }
    };
    Outcome::Flatness(FlatnessOutcome {
        reference_loss: network.loss,
        reference_error: network.error,
        radii: radii.iter().map(at).collect(),
        layers: Vec::new(),
        resamples: 0,
        networks: Vec::new(),
        losses: None,
    })
}

fn landscape_job(plane: bool) -> Job {
    let second = plane.then_some(DirectionKind::Random(1));
    Job::Landscape(Landscape { steps: 11, second, ..Landscape::default() })
}

fn landscape(network: Network, plane: bool) -> Outcome {
    let axis: Vec<f64> = (0..11).map(|i| f64::from(i) / 5.0 - 1.0).collect();
    let rows = if plane { axis.len() } else { 1 };
    let mut robust = Grid::empty(axis.len(), plane.then_some(rows));
    for y in 0..rows {
        for (x, s) in axis.iter().enumerate() {
            let t = if plane { axis[y] } else { 0.0 };
            let rise = s * s * (1.0 + 0.3 * s) + 0.6 * t * t + 0.4 * s * t;
            let loss = network.loss + 6.0 * network.flatness * rise;
            robust.set(x, y, Point { loss, error: network.error });
        }
    }
    let y = plane.then(|| axis.clone());
    Outcome::Landscape(LandscapeOutcome { x: axis, y, robust: Some(robust), ..LandscapeOutcome::default() })
}
