//! What a reader of a scatter must know when its numbers are not measured alike.

use basin_core::data::Split;
use basin_core::job::{Case, FlatnessLoss, Job};
use basin_core::record::{Outcome, Record, attacks};

use super::models::Quantity;

/// Models whose numbers do not quite fit together, their own two or those of one to another's.
#[derive(Default)]
pub struct Mixed {
    /// Without an evaluation: the robust loss is the reference of a flatness record.
    references: Vec<String>,
    /// Measured on different images.
    images: Vec<String>,
    /// The attack of the robust loss, that of the flatness, and the model.
    attacks: Vec<([String; 2], String)>,
    /// Differences between splits under different attacks.
    gaps: Vec<String>,
    /// The attacks of the robust losses, and the model.
    robust: Vec<(String, String)>,
    /// The attack of the flatness, and the model.
    flatness: Vec<(String, String)>,
    /// Restarts on the unperturbed and on the perturbed networks, where they are not the same, and the model.
    unequal: Vec<([usize; 2], String)>,
    /// Worst-case flatness below 0.
    weak: Vec<String>,
}

impl Mixed {
    /// Compares the record of a model's flatness, if that is shown, with those of its robust loss.
    pub fn look_at(&mut self, name: &str, flatness: Option<&Record>, robust: &[&Record], y: Quantity) {
        let mut under: Vec<String> = robust.iter().filter_map(|record| attacks::words(record)).collect();
        under.dedup();
        if under.len() > 1 {
            self.gaps.push(name.to_owned());
        }
        self.robust.push((under.join(" and "), name.to_owned()));
        let Some(flatness) = flatness else { return };
        if robust.iter().any(|record| matches!(record.outcome, Outcome::Flatness(_))) {
            self.references.push(name.to_owned());
        }
        let split = |record: &Record| record.job.data().examples.split;
        // Of a difference between splits only one can have the images of the flatness.
        let mut compared = robust.iter().filter(|r| y != Quantity::Gap || split(r) == split(flatness));
        if compared.any(|record| !same_images(record, flatness)) {
            self.images.push(name.to_owned());
        }
        for record in robust {
            let differ = attacks::difference(record, flatness).map(|words| (words, name.to_owned()));
            self.attacks.extend(differ.filter(|new| !self.attacks.contains(new)));
        }
        self.flatness.extend(attacks::words(flatness).map(|words| (words, name.to_owned())));
        let (Job::Flatness(job), Outcome::Flatness(outcome)) = (&flatness.job, &flatness.outcome) else {
            return;
        };
        let restarts = [job.restarts_of_reference(), job.restarts_of_draws()];
        if job.loss == FlatnessLoss::Robust && restarts[0] != restarts[1] {
            self.unequal.push((restarts, name.to_owned()));
        }
        if job.case == Case::Worst && outcome.radii.iter().any(|at| at.flatness < 0.0) {
            self.weak.push(name.to_owned());
        }
    }

    /// In words, a sentence each.
    pub fn notes(self, y: Quantity) -> Vec<String> {
        let number = if y == Quantity::Error { "robust error" } else { "robust loss" };
        let mut notes = Vec::new();
        if !self.references.is_empty() {
            let of = named(&self.references);
            notes.push(format!(
                "{number} of {of}: the reference of the flatness record, as there is no evaluation under attack"
            ));
        }
        if !self.images.is_empty() {
            let of = named(&self.images);
            notes.push(format!("flatness and {number} of {of} are of different images"));
        }
        for ([robust, flatness], names) in by_first(self.attacks) {
            let its = if names.len() == 1 { "its" } else { "their" };
            let of = named(&names);
            notes.push(format!("{number} of {of} is from {robust}, {its} flatness from {flatness}"));
        }
        for ([reference, draws], names) in by_first(self.unequal) {
            notes.push(format!(
                "flatness of {}: {reference} restarts on the unperturbed network, {draws} on perturbed ones",
                named(&names)
            ));
        }
        if !self.weak.is_empty() {
            notes.push(format!("worst case of {} below 0: the search is too weak", named(&self.weak)));
        }
        if !self.gaps.is_empty() {
            notes.push(format!("test and train of {} are under different attacks", named(&self.gaps)));
        }
        let numbers = if y == Quantity::Error {
            "robust errors of the points are"
        } else {
            "robust losses of the points are"
        };
        for (what, of) in [(numbers, self.robust), ("flatness of the points is", self.flatness)] {
            let groups = by_first(of);
            if groups.len() > 1 {
                let words = |(attack, names): &(String, Vec<String>)| format!("{attack} ({})", named(names));
                let groups: Vec<String> = groups.iter().map(words).collect();
                notes.push(format!("{what} under different attacks: {}", groups.join("; ")));
            }
        }
        notes
    }
}

/// The names that belong to each key, keys in the order of their first.
fn by_first<K: PartialEq>(pairs: Vec<(K, String)>) -> Vec<(K, Vec<String>)> {
    let mut groups: Vec<(K, Vec<String>)> = Vec::new();
    for (key, name) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, names)) => names.push(name),
            None => groups.push((key, vec![name])),
        }
    }
    groups
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
    let settings: [(&str, bool); 4] = [
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
                    "{:?} {:?} {:?} {:?} {:?} {:?} {} {} {:?} {} {}",
                    job.sampling,
                    job.scope,
                    job.weight_norm,
                    job.tensors,
                    job.weight_box,
                    job.descent,
                    job.absolute,
                    job.worst_of,
                    job.joint,
                    job.restarts_of_reference(),
                    job.restarts_of_draws()
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
