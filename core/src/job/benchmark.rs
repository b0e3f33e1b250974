//! Asking for many measures of one checkpoint at once, by the paper's names.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Job, Outcome};
use crate::attack::names::{GROUPS, PaperAttack, group};
use crate::data::{DataSelection, Examples, Split};
use crate::device::Compute;
use crate::error::{Error, Result};
use crate::measure::{Headline, SearchCost, Summary, Target};

/// Every attack of a list of the paper's names on one checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Benchmark {
    /// The checkpoint file.
    #[serde(with = "crate::files::as_text")]
    #[schemars(with = "String")]
    pub checkpoint: PathBuf,
    /// The data set, and the images that stand for the paper's first thousand test images. Entries on training images
    /// take those of the same range; entries on the last images take as many as these are, if that is fewer.
    #[serde(default = "thousand")]
    #[schemars(extend("x-group" = "Images"))]
    pub data: DataSelection,
    /// Attack names of the paper and names of its groups, separated by commas.
    #[serde(default = "everything")]
    #[schemars(extend("x-flag" = "attacks", "x-hint" = "weight_l2_random_…"))]
    pub attacks: Vec<String>,
    /// Device, precision, seed, batch size.
    #[serde(default)]
    #[schemars(extend("x-group" = "Computing"))]
    pub compute: Compute,
}

fn thousand() -> DataSelection {
    DataSelection { examples: Benchmark::USUAL, ..DataSelection::default() }
}

fn everything() -> Vec<String> {
    vec![GROUPS[0].0.to_owned()]
}

impl Benchmark {
    /// The paper's first thousand test images.
    pub const USUAL: Examples = Examples { split: Split::Test, start: 0, end: 1000 };

    /// The benchmark of the paper: every measure on its first thousand images.
    pub fn new(checkpoint: PathBuf) -> Self {
        Self { checkpoint, data: thousand(), attacks: everything(), compute: Compute::default() }
    }

    /// Name and job of every entry, in order; a name that comes twice is one entry.
    ///
    /// # Errors
    /// A name that the paper does not have, or a selection of images that cannot stand for its test images.
    pub fn entries(&self) -> Result<Vec<(String, Job)>> {
        let given = self.data.examples;
        if given.split != Split::Test || given.descending() {
            return Err(Error::invalid(format!(
                "examples {given} cannot stand for the paper's test images; use an ascending range such as test:0..1000"
            ))
            .about("data.examples"));
        }
        let mut names: Vec<String> = Vec::new();
        for name in self.attacks.iter().flat_map(|name| group(name).unwrap_or_else(|| vec![name.clone()])) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            let error = Error::invalid("a benchmark needs at least one name, such as cifar10_benchmark");
            return Err(error.about("attacks"));
        }
        let entry = |name: String| {
            let attack: PaperAttack = name.parse().map_err(|error: Error| error.about("attacks"))?;
            let job = attack.job(self.checkpoint.clone(), &self.data.name, self.compute.clone());
            Ok((name, on(job, given)))
        };
        names.into_iter().map(entry).collect()
    }

    /// What it is, in words.
    pub fn summary(&self) -> Summary {
        let details = match &*self.attacks {
            [only] => only.clone(),
            several => format!("{} names", several.len()),
        };
        Summary { title: "Benchmark".into(), details: vec![details], stem: "benchmark".into() }
    }

    /// Checkpoint, images and computing of all entries.
    pub fn target(&self) -> Target<'_> {
        Target { checkpoint: &self.checkpoint, data: &self.data, compute: &self.compute }
    }

    pub(super) fn check(&self) -> Result<()> {
        self.entries()?.iter().try_for_each(|(_, job)| job.check())
    }
}

/// The job on other images in place of the paper's.
fn on(mut job: Job, given: Examples) -> Job {
    let replace = |data: DataSelection| {
        let old = data.examples;
        let examples = if old.descending() {
            Examples { end: old.start as isize - old.len().min(given.len()) as isize, ..old }
        } else {
            Examples { split: old.split, ..given }
        };
        DataSelection { examples, ..data }
    };
    if let Some((_, data, _)) = job.target_mut() {
        *data = replace(data.clone());
    }
    if let Job::Flatness(flatness) = &mut job {
        flatness.search_data = flatness.search_data.take().map(replace);
    }
    job
}

/// One outcome per entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchmarkOutcome {
    /// In the order of the names; a cancelled benchmark has those that are finished.
    pub entries: Vec<Entry>,
}

impl BenchmarkOutcome {
    /// Those of its evaluation on test images.
    pub fn headline(&self) -> Headline {
        let test = |entry: &&Entry| {
            matches!(entry.outcome, Outcome::Evaluate(_)) && entry.job.data().examples.split == Split::Test
        };
        let of = self.entries.iter().find(test).map(|entry| entry.outcome.headline(&entry.job));
        Headline { numbers: Vec::new(), ..of.unwrap_or_default() }
    }
}

/// One attack of a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// The paper's name.
    pub name: String,
    /// What it stands for, ready to be run by itself.
    pub job: Job,
    /// What came out.
    pub outcome: Outcome,
    /// As in the provenance of a record of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_cost: Option<SearchCost>,
    /// What the user should know about these numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
