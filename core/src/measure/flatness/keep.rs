//! Perturbed networks that are kept beside the numbers.

use tch::{Kind, Tensor};

use super::draws::Place;
use super::outcome::KeptNetwork;
use super::settings::{Case, Flatness, FlatnessLoss};
use crate::error::Result;
use crate::measure::context::{Context, NetworkStore, size_of_kept};
use crate::model::Weights;

/// Keeps the perturbed networks of a job.
pub struct Keeper<'a> {
    job: &'a Flatness,
    context: &'a Context,
    /// Names of the tensors that take part.
    names: Vec<String>,
    network_store: &'a dyn NetworkStore,
}

impl<'a> Keeper<'a> {
    /// None if the job keeps no networks, or there is no place for them.
    pub fn new(job: &'a Flatness, context: &'a Context, names: Vec<String>) -> Option<Self> {
        let network_store = context.network_store.as_deref().filter(|_| job.keep_networks)?;
        Some(Self { job, context, names, network_store })
    }

    /// A sentence about the size of `count` networks, if they are large.
    pub fn size(&self, count: usize) -> Option<String> {
        let weights = 4 * self.context.checkpoint.network.layout().len as u64;
        let pixels: i64 = self.context.dataset.image_shape().iter().product();
        let images =
            if self.keeps_examples() { 8 * pixels as u64 * self.context.examples() as u64 } else { 0 };
        size_of_kept("networks", count, weights + images, self.network_store)
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
        let file = |ending: &str| self.network_store.file(&format!("{stem}.{ending}"));
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
        let kept = self.of(place);
        std::iter::once(&kept.network).chain(&kept.examples).all(|file| self.network_store.has(file))
    }

    /// Keeps a network and, where they are kept, the perturbations of all images in their order.
    ///
    /// # Errors
    /// They cannot be written, e.g. because the disk is full.
    pub fn save(&self, place: &Place, weights: &Weights, perturbations: Option<&Tensor>) -> Result<()> {
        let kept = self.of(place);
        self.network_store.keep_network(&kept.network, weights, self.context)?;
        let Some(file) = &kept.examples else { return Ok(()) };
        let perturbations = match perturbations {
            Some(given) => {
                let flat = given.to_device(tch::Device::Cpu).to_kind(Kind::Float).contiguous().view([-1]);
                Vec::try_from(flat)?
            }
            None => vec![0.0; self.context.dataset.images.numel()],
        };
        self.network_store.keep_examples(file, perturbations, self.context)
    }
}
