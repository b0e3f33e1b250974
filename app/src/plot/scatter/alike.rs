//! What a reader of a scatter must know when its numbers are not measured alike.

use basin_core::attack::fraction;
use basin_core::data::Split;
use basin_core::job::{FlatnessLoss, Job, Pgd};
use basin_core::record::{Outcome, Record};

use super::Quantity;

/// Models whose two numbers do not quite fit together.
#[derive(Default)]
pub struct Mixed {
    /// Without an evaluation: the robust loss is the reference of a flatness record.
    references: Vec<String>,
    /// Measured on different images.
    images: Vec<String>,
    /// Attacked with different radii, and which.
    epsilons: Vec<(String, String)>,
}

impl Mixed {
    /// Compares the record of a model's flatness with those of its robust loss.
    pub fn look_at(&mut self, name: &str, flatness: Option<&Record>, robust: &[&Record], y: Quantity) {
        if robust.iter().any(|record| matches!(record.outcome, Outcome::Flatness(_))) {
            self.references.push(name.to_owned());
        }
        let Some(flatness) = flatness else { return };
        let split = |record: &Record| record.job.data().examples.split;
        // Of a difference between splits only one can have the images of the flatness.
        let compared = || robust.iter().filter(|r| y != Quantity::Gap || split(r) == split(flatness));
        if compared().any(|record| !same_images(record, flatness)) {
            self.images.push(name.to_owned());
        }
        let other = compared().find_map(|record| {
            let (one, other) = (ball(flatness)?, ball(record)?);
            (one != other).then(|| format!("{one} and {other}"))
        });
        self.epsilons.extend(other.map(|words| (words, name.to_owned())));
    }

    /// In words, a sentence each.
    pub fn notes(self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.references.is_empty() {
            let of = named(&self.references);
            notes.push(format!(
                "robust loss of {of}: the reference of the flatness record, as there is no evaluation under attack"
            ));
        }
        if !self.images.is_empty() {
            notes
                .push(format!("flatness and robust loss of {} are of different images", named(&self.images)));
        }
        let mut pairs: Vec<&String> = self.epsilons.iter().map(|(words, _)| words).collect();
        pairs.sort();
        pairs.dedup();
        for pair in pairs {
            let names: Vec<String> = self
                .epsilons
                .iter()
                .filter(|(words, _)| words == pair)
                .map(|(_, name)| name.clone())
                .collect();
            notes.push(format!(
                "flatness and robust loss of {} are under different attacks: {pair}",
                named(&names)
            ));
        }
        notes
    }
}

/// Up to three names, else how many.
fn named(names: &[String]) -> String {
    if names.len() <= 3 { names.join(", ") } else { format!("{} models", names.len()) }
}

/// By their content where that is known, else by where they come from.
fn same_images(one: &Record, other: &Record) -> bool {
    let fingerprints = [one, other].map(|record| &record.provenance.data_fingerprint);
    if fingerprints.iter().all(|f| !f.is_empty()) {
        fingerprints[0] == fingerprints[1]
    } else {
        let images = |record: &Record| (record.provenance.data.clone(), record.job.data().examples);
        images(one) == images(other)
    }
}

/// The neighbourhood of images that was searched, e.g. `L-inf 8/255`; none on clean images.
fn ball(record: &Record) -> Option<String> {
    let (norm, epsilon) = match &record.job {
        Job::Evaluate(job) => job.attack.as_ref().map(|attack| (attack.norm, attack.epsilon))?,
        Job::Attack(job) => (job.attack.norm, job.attack.epsilon),
        Job::Flatness(job) if job.loss == FlatnessLoss::Robust => (job.attack.norm, job.attack.epsilon),
        _ => return None,
    };
    Some(format!("{norm} {}", fraction(epsilon)))
}

/// Notes if the points are not measured alike.
pub fn differences(used: &[&Record]) -> Vec<String> {
    let differ = |setting: fn(&Record) -> Option<String>| {
        let mut values: Vec<String> = used.iter().filter_map(|record| setting(record)).collect();
        values.sort();
        values.dedup();
        values.len() > 1
    };
    let evaluated_on = |record: &Record, split: Split| match &record.job {
        Job::Evaluate(job) if job.data.examples.split == split => Some(images(record)),
        _ => None,
    };
    let settings: [(&str, bool); 5] = [
        ("images of the evaluations", {
            let on = |split| {
                let mut values: Vec<String> = used.iter().filter_map(|r| evaluated_on(r, split)).collect();
                values.sort();
                values.dedup();
                values.len() > 1
            };
            on(Split::Test) || on(Split::Train)
        }),
        (
            "attacks of the evaluations",
            differ(|record| match &record.job {
                Job::Evaluate(job) => job.attack.as_ref().map(Pgd::to_string),
                _ => None,
            }),
        ),
        (
            "images of the flatness",
            differ(|record| match &record.job {
                Job::Flatness(_) => Some(images(record)),
                _ => None,
            }),
        ),
        (
            "numbers of draws",
            differ(|record| match &record.job {
                Job::Flatness(job) => Some(job.draws.to_string()),
                _ => None,
            }),
        ),
        (
            "settings of the flatness",
            differ(|record| match &record.job {
                Job::Flatness(job) => Some(format!(
                    "{} {:?} {:?} {:?} {:?} {}",
                    job.attack, job.scope, job.tensors, job.weight_box, job.descent, job.absolute
                )),
                _ => None,
            }),
        ),
    ];
    let differing: Vec<&str> = settings.iter().filter(|(_, differ)| *differ).map(|(what, _)| *what).collect();
    let alike = (!differing.is_empty())
        .then(|| format!("not all points are measured alike: {} differ", differing.join(", ")));
    let unfinished = used.iter().any(|record| !record.provenance.complete);
    let unfinished = unfinished.then(|| "some records are of unfinished jobs".to_owned());
    alike.into_iter().chain(unfinished).collect()
}

/// Data set, examples and fingerprint.
fn images(record: &Record) -> String {
    let p = &record.provenance;
    format!("{} {} {}", p.data, record.job.data().examples, p.data_fingerprint)
}
