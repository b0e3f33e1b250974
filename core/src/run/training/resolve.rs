//! The job of a training with everything said that follows from its images, its initial checkpoint and its attack, so
//! that the record states the network that was trained and how it was evaluated.

use super::images::Images;
use crate::checkpoint;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::model::{Architecture, Topology};
use crate::train::Train;

/// The job as it will be trained: classes and resolution are those of the images, with an initial checkpoint the whole
/// architecture is that of its network, and the evaluation has its threat model. Reads the first images only.
///
/// # Errors
/// Files that cannot be used; classes or a resolution that the images do not have.
pub fn resolved(job: &Train) -> Result<Train> {
    with(job, &Images::few(job, 1)?.train)
}

/// What the user should know of a job before it runs: images that are both learned from and tested on, found by their
/// pixels (reads all of them), and an average that ends too soon.
///
/// # Errors
/// Files that cannot be used.
pub fn warnings(job: &Train) -> Result<Vec<String>> {
    Ok(Images::load(job)?.warnings().into_iter().chain(job.average_warning()).collect())
}

/// As [`resolved`], for images that are there already.
pub(super) fn with(job: &Train, train: &Dataset) -> Result<Train> {
    let (classes, resolution) = (train.classes as i64, train.image_shape());
    let mut job = Train { evaluation: job.evaluation.resolved(&job.attack), ..job.clone() };
    if let Some(initial) = &job.initial {
        let topology = checkpoint::open_probed(initial, &mut |_| Ok(()))?.network.topology;
        if (topology.resolution, topology.classes) != (resolution, classes) {
            return Err(Error::file(
                initial,
                format!(
                    "tells {} classes of {:?} images apart, but {} has {classes} classes and images of {resolution:?}; choose other data",
                    topology.classes, topology.resolution, train.name
                ),
            ));
        }
        job.architecture = of_checkpoint(&topology, &job.architecture);
        return Ok(job);
    }
    // What nobody has changed follows the images.
    let usual = Architecture::default();
    let given = &mut job.architecture;
    if ![usual.classes, classes].contains(&given.classes) {
        return Err(Error::invalid(format!(
            "a network of {} classes cannot be trained on {}, which has {classes}; leave architecture.classes out",
            given.classes, train.name
        )));
    }
    if ![usual.resolution, resolution].contains(&given.resolution) {
        return Err(Error::invalid(format!(
            "a network for images of {:?} cannot be trained on {}, whose images are {resolution:?}; leave architecture.resolution out",
            given.resolution, train.name
        )));
    }
    (given.classes, given.resolution) = (classes, resolution);
    Ok(job)
}

/// The architecture of a checkpoint's network; of one that is none of the paper's, what it has in common with them.
fn of_checkpoint(topology: &Topology, given: &Architecture) -> Architecture {
    Architecture::of(topology).unwrap_or_else(|| Architecture {
        classes: topology.classes,
        resolution: topology.resolution,
        ..given.clone()
    })
}
