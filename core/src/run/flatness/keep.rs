//! Perturbed networks on their way to files beside the record.

use std::path::{Path, PathBuf};

use tch::Tensor;

use super::draws::Place;
use crate::checkpoint;
use crate::error::{Error, Result};
use crate::job::{Case, Flatness, FlatnessLoss};
use crate::model::{Network, Weights};
use crate::record::{KeptExamples, KeptNetwork};
use crate::run::kept::kept;
use crate::run::setup::Setup;

/// Bytes above which the user is told before the work begins.
const LARGE: u64 = 1 << 30;

/// Writes the perturbed networks of a job.
pub struct Keeper<'a> {
    job: &'a Flatness,
    setup: &'a Setup,
    /// Names of the tensors that take part.
    names: &'a [String],
    /// The record.
    out: PathBuf,
}

impl<'a> Keeper<'a> {
    /// Beside the record at `out`; none if the job keeps no networks.
    pub fn new(job: &'a Flatness, setup: &'a Setup, names: &'a [String], out: Option<&Path>) -> Option<Self> {
        let out = out.filter(|_| job.keep_networks)?.to_owned();
        Some(Self { job, setup, names, out })
    }

    /// A sentence about the size of `count` networks, if they are large.
    pub fn size(&self, count: usize) -> Option<String> {
        let weights = 4 * self.setup.checkpoint.network.layout().len as u64;
        let pixels: i64 = self.setup.dataset.image_shape().iter().product();
        let images = if self.keeps_examples() { 8 * pixels as u64 * self.setup.examples() as u64 } else { 0 };
        let bytes = count as u64 * (weights + images);
        (bytes >= LARGE).then(|| {
            format!(
                "keeps {count} networks, {:.1} GB in all, in {}",
                bytes as f64 / 1e9,
                KeptNetwork::folder_beside(&self.out).display()
            )
        })
    }

    fn keeps_examples(&self) -> bool {
        self.job.case == Case::Worst && self.job.loss == FlatnessLoss::Robust
    }

    /// What is kept of a draw.
    pub fn of(&self, place: &Place) -> KeptNetwork {
        let layer = place.layer.map(|layer| &self.names[layer]);
        let radius = self.job.radii[place.radius];
        let stem = match (place.layer, layer) {
            (Some(number), Some(name)) => {
                let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
                let name: String = name.chars().map(plain).collect();
                format!("{number:03}-{name}-radius-{radius}-draw-{}", place.draw)
            }
            _ => format!("radius-{radius}-draw-{}", place.draw),
        };
        let folder = KeptNetwork::folder_beside(&self.out);
        let folder = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = |ending: &str| format!("{folder}/{stem}.{ending}");
        KeptNetwork {
            layer: layer.cloned(),
            radius,
            draw: place.draw,
            network: file("safetensors"),
            examples: self.keeps_examples().then(|| file("examples.safetensors")),
        }
    }

    /// Whether everything of a draw is there.
    pub fn has(&self, place: &Place) -> bool {
        self.of(place).paths(&self.out).iter().all(|path| path.is_file())
    }

    /// Writes a network and, where they are kept, the perturbations of all images in their order; each file as a whole.
    ///
    /// # Errors
    /// They cannot be written, e.g. because the disk is full.
    pub fn save(&self, place: &Place, weights: &Weights, perturbations: Option<&Tensor>) -> Result<()> {
        let folder = KeptNetwork::folder_beside(&self.out);
        std::fs::create_dir_all(&folder).map_err(|e| Error::io("cannot create", &folder, e))?;
        let checkpoint = &self.setup.checkpoint;
        let network =
            Network { weights: weights.to(tch::Device::Cpu, tch::Kind::Float), ..checkpoint.network.copy() };
        let paths = self.of(place).paths(&self.out);
        checkpoint::save(&paths[0], &network, checkpoint.summary.epoch)?;
        if let Some(path) = paths.get(1) {
            let flat = match perturbations {
                Some(given) => given.to_kind(tch::Kind::Float).contiguous().view([-1]),
                None => self.setup.dataset.images.zeros_like().view([-1]),
            };
            let examples: KeptExamples =
                kept(&self.setup.dataset, Vec::try_from(flat.to_device(tch::Device::Cpu))?, Vec::new())?;
            examples.save(path)?;
        }
        Ok(())
    }
}
