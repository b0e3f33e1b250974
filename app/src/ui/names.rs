//! What records are called beside each other: by what tells them apart, and nothing else.

use basin_core::job::{Job, LandscapeLoss, Normalization};
use basin_core::record::Record;

use crate::ui::session::when;
use basin_core::record::names;

/// One name for each record. What all of them share is left out; a record by itself is called by its checkpoint.
pub fn distinct(records: &[&Record]) -> Vec<String> {
    let checkpoints = names::of_records(records);
    let traits: Vec<Vec<String>> =
        records.iter().zip(checkpoints).map(|(record, checkpoint)| traits(record, checkpoint)).collect();
    let shared = |i: usize| traits.iter().all(|other| other[i] == traits[0][i]);
    let names = traits.iter().map(|of| {
        let own: Vec<&str> = (0..of.len()).filter(|i| !shared(*i)).map(|i| &*of[i]).collect();
        if own.is_empty() { of[0].clone() } else { own.join(", ") }
    });
    names::numbered(names.collect())
}

/// Properties in the order in which a reader asks for them; the same number for every record.
fn traits(record: &Record, checkpoint: String) -> Vec<String> {
    let job = &record.job;
    let landscape = match job {
        Job::Landscape(job) => {
            let scale = match &job.normalize {
                Normalization::Paper(_) => job.normalize.to_string(),
                scale => format!("{scale} {}", job.radius),
            };
            let loss = match job.loss {
                LandscapeLoss::Clean | LandscapeLoss::Robust => "",
                LandscapeLoss::RobustFixed => "fixed examples",
            };
            let attack = format!("PGD-{} {:.4}", job.attack.steps, job.attack.epsilon);
            [
                job.direction.to_string(),
                scale,
                loss.to_owned(),
                if job.loss == LandscapeLoss::Clean { String::new() } else { attack },
                format!("{} points", job.steps),
            ]
        }
        Job::Flatness(job) => {
            let radii: Vec<String> = job.radii.iter().map(f64::to_string).collect();
            let words = [
                job.label(),
                &format!("radius {}", radii.join(", ")),
                &format!("{} draws", job.draws),
                "",
                "",
            ];
            words.map(str::to_owned)
        }
        Job::Attack(job) => {
            let (version, ball) =
                (job.attack.version.to_string(), format!("{} {:.4}", job.attack.norm, job.attack.epsilon));
            [version, ball, String::new(), String::new(), String::new()]
        }
        _ => Default::default(),
    };
    // The folder of a training is its name.
    if matches!(job, Job::Train(_)) {
        let nothing = std::iter::repeat_n(String::new(), landscape.len() + 3);
        return std::iter::once(checkpoint).chain(nothing).collect();
    }
    let rest =
        [names::images(record), format!("seed {}", record.provenance.seed), when(&record.provenance.started)];
    std::iter::once(checkpoint).chain(landscape).chain(rest).collect()
}
