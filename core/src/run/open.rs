//! What every job begins with: its checkpoint and its data, opened and checked.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::fellows;
use super::network_folder::NetworkFolder;
use super::stored;
use crate::checkpoint::{self, Checkpoint};
use crate::data::{self, DataSelection, Dataset, Known};
use crate::device::{self, Precision};
use crate::error::{Error, Result};
use crate::job::Outcome;
use crate::job::{Job, Visitor};
use crate::measure::evaluate::stored::Stored;
use crate::measure::{Context, Measure, NetworkStore, cut};

/// How a job is computed, once that is decided: what units of work depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// Images at a time.
    pub batch_size: usize,
    /// Whether a GPU computes.
    #[serde(rename = "device")]
    pub gpu: bool,
    /// Precision of searches.
    pub precision: Precision,
}

impl Manner {
    /// That of a context.
    pub fn of(context: &Context) -> Self {
        Self { batch_size: context.batch_size, gpu: context.gpu, precision: context.precision }
    }
}

/// What else a measure looks at.
struct Also;

impl Visitor for Also {
    type Output = (Option<DataSelection>, Option<PathBuf>);

    fn visit<M: Measure>(self, job: &M) -> Self::Output
    where
        M::Outcome: Into<Outcome>,
    {
        (job.search_data().cloned(), job.stored().map(Path::to_owned))
    }
}

/// Opens everything a job names and checks that it fits together. `record`: beside it is kept what the job keeps;
/// `manner`: that of others who computed it, to assemble what they did.
///
/// # Errors
/// A file cannot be read, or does not fit the others; the device is not there.
pub fn open(job: &Job, record: Option<&Path>, manner: Option<Manner>) -> Result<Context> {
    open_telling(job, record, manner, &mut |_| Ok(()))
}

/// As [`open`]. `probing` hears how far trying the readings of an ambiguous checkpoint is, from 0 to 1.
///
/// # Errors
/// As [`open`].
pub fn open_telling(
    job: &Job,
    record: Option<&Path>,
    manner: Option<Manner>,
    probing: &mut dyn FnMut(f64) -> Result<()>,
) -> Result<Context> {
    let compute = job.compute();
    let device = match manner {
        // Units that are there need no GPU.
        Some(_) => device::parse(&compute.device).unwrap_or(tch::Device::Cpu),
        None => device::parse(&compute.device)?,
    };
    let checkpoint = checkpoint::open_probed(job.checkpoint().ok_or_else(no_measure)?, probing)?;
    job.check_classes(checkpoint.summary.classes)?;
    let fellows = fellows::open(job, &checkpoint, probing)?;
    let selected = |selection: &DataSelection| -> Result<Dataset> {
        let dataset = data::load(&selection.name, &selection.examples)?;
        check_fit(&checkpoint, &dataset)?;
        Ok(dataset)
    };
    let dataset = selected(&job.data())?;
    let topology = &checkpoint.network.topology;
    let manner = match manner {
        Some(manner) => manner,
        None => Manner {
            batch_size: compute
                .batch_size
                .unwrap_or(if device.is_cuda() { 500 } else { 100 })
                .min(dataset.len()),
            gpu: device.is_cuda(),
            precision: compute.precision.resolve_search(job.searches_weights(), device, topology)?,
        },
    };
    let (search_data, path) = job.visit(Also).unwrap_or_default();
    let searched = search_data.as_ref().map(selected).transpose()?;
    let stored = path.map(|path: PathBuf| {
        let (kept, source) = stored::read(&path)?;
        Stored::new(&path, kept, source, &dataset)
    });
    let stored = stored.transpose()?;
    let fingerprint = dataset.fingerprint();
    let batches = cut(&dataset, device, manner.batch_size);
    let network_store = record.map(|record| Box::new(NetworkFolder::beside(record)) as Box<dyn NetworkStore>);
    let network = checkpoint.network.in_topology(job.measured(checkpoint.network.topology.clone()));
    Ok(Context {
        checkpoint,
        network,
        dataset,
        fingerprint,
        batches,
        searched,
        stored,
        fellows,
        device,
        gpu: manner.gpu,
        precision: manner.precision,
        batch_size: manner.batch_size,
        network_store,
    })
}

/// A training or an import where a measure of a checkpoint belongs.
pub fn no_measure() -> Error {
    Error::invalid("this job measures no checkpoint; run it by itself")
}

/// Checks that images have the shape and the classes of a network.
pub(super) fn check_fit(checkpoint: &Checkpoint, dataset: &Dataset) -> Result<()> {
    let summary = &checkpoint.summary;
    let [c, h, w] = dataset.image_shape();
    let wanted = checkpoint.network.topology.resolution;
    if [c, h, w] != wanted {
        return Err(Error::file(
            &summary.path,
            format!(
                "expects images of {} x {} x {}, but {} has {c} x {h} x {w}; choose other data",
                wanted[0], wanted[1], wanted[2], dataset.name
            ),
        ));
    }
    // A folder shows only the classes that its images are of; a set known by name has all of them.
    let known = dataset.name == "bundled" || Known::from_name(&dataset.name).is_some();
    if dataset.classes > summary.classes || (known && dataset.classes != summary.classes) {
        return Err(Error::file(
            &summary.path,
            format!(
                "tells {} classes apart, but {} has {}; choose other data",
                summary.classes, dataset.name, dataset.classes
            ),
        ));
    }
    Ok(())
}
