//! A network in training: weights in one flat buffer, seen by autograd through detached views of it, so that
//! an optimizer's step on the buffer is at once what the next forward pass uses.

use std::cell::Cell;
use std::sync::Arc;

use tch::{Device, Kind, Tensor};

use crate::error::{Error, Result};
use crate::model::{
    Architecture, Evaluator, Family, Layer, Layout, Mlp, Mode, Network, Norm, Params, Role, Topology,
    Weights, calibrate, logits,
};

/// Units of the auxiliary head's hidden layer, and what it predicts: rotations by 0, 90, 180, 270 degrees.
const AUXILIARY_UNITS: i64 = 256;
const ROTATIONS: i64 = 4;

/// Which output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// The classes.
    Classes,
    /// The auxiliary head's rotations.
    Rotations,
}

/// Weights at which training passes are made, as tensors that collect gradients.
#[derive(Debug)]
pub struct Place {
    params: Params,
    leaves: Vec<Tensor>,
}

/// A network in training, with an auxiliary head if its method has one.
#[derive(Debug)]
pub struct Learner {
    /// Everything that is trained: the network, then the auxiliary head.
    whole: Network,
    /// The network alone.
    main: Topology,
    /// Up to the representation; the classes' layer; the auxiliary head.
    parts: Option<[Topology; 3]>,
    /// Numbers at the beginning of the buffer that are not trained.
    frozen: i64,
    trainable: Vec<usize>,
    own: Place,
    /// Convolutions and products in bfloat16.
    mixed: bool,
    /// Seed of the next pass's dropout; every pass counts it up.
    dropout: Cell<u64>,
}

impl Learner {
    /// Takes a network to a device, in float32 or float64.
    ///
    /// # Errors
    /// Its frozen tensors are not its first ones, which no known family has; an auxiliary head is asked for
    /// but not there.
    pub fn new(network: &Network, auxiliary: Option<Network>, device: Device, kind: Kind) -> Result<Self> {
        let main = network.topology.clone();
        let mut whole = placed(network, device, kind);
        let mut parts = None;
        if let Some(auxiliary) = auxiliary {
            let auxiliary = placed(&auxiliary, device, kind);
            let at = classes_layer(&main)?;
            let part = |layers: &[Layer]| Topology { layers: layers.to_vec(), ..main.clone() };
            parts = Some([part(&main.layers[..at]), part(&main.layers[at..]), auxiliary.topology.clone()]);
            let mut joined = main.clone();
            joined.layers.extend(auxiliary.topology.layers);
            let flat = Tensor::cat(&[whole.weights.flat(), auxiliary.weights.flat()], 0);
            whole.weights = Weights::from_flat(Arc::new(Layout::of(&joined)), flat);
            whole.buffers.extend(auxiliary.buffers);
            whole.topology = joined;
        }
        let entries = &whole.layout().entries;
        let trainable: Vec<usize> = (0..entries.len()).filter(|i| entries[*i].role != Role::Frozen).collect();
        let frozen = trainable.first().map_or(whole.layout().len, |first| entries[*first].offset);
        if trainable.len() + entries.iter().take_while(|e| e.role == Role::Frozen).count() != entries.len() {
            return Err(Error::invalid(
                "a network whose frozen tensors are not its first ones cannot be trained",
            ));
        }
        let (params, leaves) = whole.leaves(&whole.weights, &trainable);
        Ok(Self {
            whole,
            main,
            parts,
            frozen,
            trainable,
            own: Place { params, leaves },
            mixed: false,
            dropout: Cell::new(0),
        })
    }

    /// Computes convolutions and products of training passes in bfloat16 from now on.
    pub fn use_bf16(&mut self) {
        self.mixed = true;
    }

    /// All weights, the auxiliary head's last.
    pub fn weights(&self) -> &Weights {
        &self.whole.weights
    }

    /// The trainable weights: a view of the buffer, so writing to it trains the network.
    pub fn trainable(&self) -> Tensor {
        self.trainable_part(self.whole.weights.flat())
    }

    /// The trainable part of a vector as long as all weights.
    pub fn trainable_part(&self, flat: &Tensor) -> Tensor {
        flat.narrow(0, self.frozen, flat.size()[0] - self.frozen)
    }

    /// A vector as long as all weights from one as long as the trainable ones.
    pub fn whole_vector(&self, trainable: &Tensor) -> Weights {
        let frozen = Tensor::zeros([self.frozen], (trainable.kind(), trainable.device()));
        Weights::from_flat(self.whole.layout().clone(), Tensor::cat(&[&frozen, trainable], 0))
    }

    /// The trainable weights as they act: a re-parameterized normalization, which stores `w`, scales by `1 + w`.
    pub fn acting(&self) -> Tensor {
        let acting = self.whole.weights.flat().copy();
        self.whole.topology.visit(&mut |layer| {
            if let Layer::Normalize { name, norm: Norm::Reparameterized, .. } = layer {
                let scale = format!("{name}.weight");
                for entry in self.whole.layout().entries.iter().filter(|entry| entry.name == scale) {
                    let _ = acting.narrow(0, entry.offset, entry.len).g_add_scalar_(1.0);
                }
            }
        });
        self.trainable_part(&acting)
    }

    /// Running statistics and counts.
    pub fn buffers(&self) -> &[(String, Tensor)] {
        &self.whole.buffers
    }

    /// Clamps every trainable weight to `[-bound, bound]`.
    pub fn clip(&self, bound: f64) {
        let _ = self.trainable().clamp_(-bound, bound);
    }

    /// The network's own weights: passes there update the running statistics.
    pub fn own(&self) -> &Place {
        &self.own
    }

    /// Other weights, with a copy of the running statistics that nobody looks at.
    pub fn place(&self, weights: &Weights) -> Place {
        let (mut params, leaves) = self.whole.leaves(weights, &self.trainable);
        for (name, buffer) in &self.whole.buffers {
            params.insert(name, buffer.copy());
        }
        Place { params, leaves }
    }

    /// Class logits in training mode (batch statistics, dropout).
    pub fn forward(&self, place: &Place, images: &Tensor) -> Tensor {
        self.run(&self.main, place, images)
    }

    /// Logits of classes and of rotations in training mode, from one pass.
    ///
    /// # Panics
    /// If there is no auxiliary head.
    pub fn forward_both(&self, place: &Place, images: &Tensor) -> (Tensor, Tensor) {
        let [trunk, classes, rotations] = self.parts.as_ref().expect("a method with rotations has the head");
        let representation = self.run(trunk, place, images);
        (self.run(classes, place, &representation), self.run(rotations, place, &representation))
    }

    fn run(&self, topology: &Topology, place: &Place, x: &Tensor) -> Tensor {
        let mode = Mode::Train { seed: self.dropout.replace(self.dropout.get().wrapping_add(1)) };
        if !self.mixed {
            return logits(topology, &place.params, x, mode);
        }
        let mut rounded = place.params.map(Tensor::shallow_clone);
        for entry in self.whole.layout().entries.iter().filter(|entry| entry.role == Role::Weight) {
            rounded.insert(&entry.name, place.params.get(&entry.name).to_kind(Kind::BFloat16));
        }
        logits(topology, &rounded, x, mode).to_kind(Kind::Float)
    }

    /// The gradient of a loss with respect to the trainable weights, flat.
    pub fn gradient(&self, place: &Place, loss: &Tensor) -> Tensor {
        let leaves: Vec<&Tensor> = place.leaves.iter().collect();
        let gradients = Tensor::run_backward(&[loss], &leaves, false, false);
        let flat: Vec<Tensor> = gradients.iter().map(|gradient| gradient.reshape([-1])).collect();
        Tensor::cat(&flat, 0).detach()
    }

    /// The network as attacks and tests see it: evaluation mode, folded.
    pub fn evaluator(&self, head: Head, kind: Kind, allow_tf32: bool) -> Evaluator {
        let network = self.network(head);
        Evaluator::new(&network, &network.weights, self.device(), kind, allow_tf32)
    }

    /// The network up to one of its outputs. Tensors are shared, so it changes as training goes on.
    pub fn network(&self, head: Head) -> Network {
        let topology = match (head, &self.parts) {
            (Head::Rotations, Some([trunk, _, rotations])) => {
                let layers = trunk.layers.iter().chain(&rotations.layers).cloned().collect();
                Topology { layers, ..self.main.clone() }
            }
            _ => self.main.clone(),
        };
        let weights = self.weights();
        Network {
            topology,
            weights: Weights::from_flat(weights.layout().clone(), weights.flat().shallow_clone()),
            buffers: self.whole.buffers.iter().map(|(n, b)| (n.clone(), b.shallow_clone())).collect(),
        }
    }

    /// A copy of the network, without auxiliary head, in float32 on the CPU.
    pub fn export(&self) -> Network {
        self.export_with(self.whole.weights.flat(), &self.whole.buffers)
    }

    /// As [`Learner::export`], with other weights and statistics.
    pub fn export_with(&self, flat: &Tensor, buffers: &[(String, Tensor)]) -> Network {
        let layout = Arc::new(Layout::of(&self.main));
        let flat = flat.narrow(0, 0, layout.len).detach().to_device(Device::Cpu).to_kind(Kind::Float).copy();
        let names: Vec<String> = self.main.tensors().into_iter().map(|spec| spec.name).collect();
        let buffers = buffers.iter().filter(|(name, _)| names.contains(name)).map(|(name, buffer)| {
            let kind = if buffer.is_floating_point() { Kind::Float } else { buffer.kind() };
            (name.clone(), buffer.to_device(Device::Cpu).to_kind(kind).copy())
        });
        Network {
            topology: self.main.clone(),
            weights: Weights::from_flat(layout, flat),
            buffers: buffers.collect(),
        }
    }

    /// Statistics computed anew for `weights` by passes over `batches`, in the order of the buffers: the mean of those
    /// of the batches (in PyTorch momentum `None`), so that few batches will do. `as_in_paper`, the running ones with
    /// momentum 0.1, in which of the neutral values they begin with 0.9 to the power of the number of batches is left.
    pub fn calibrated(
        &self,
        weights: &Weights,
        batches: impl Iterator<Item = Tensor>,
        as_in_paper: bool,
    ) -> Vec<(String, Tensor)> {
        let _guard = tch::no_grad_guard();
        let place = self.place(weights);
        let buffers: Vec<(String, Tensor)> = (self.whole.buffers.iter())
            .map(|(name, _)| (name.clone(), place.params.get(name).shallow_clone()))
            .collect();
        calibrate(&buffers, batches, as_in_paper, |images| {
            let _ = self.forward(&place, images);
        });
        buffers
    }

    /// Device of everything.
    pub fn device(&self) -> Device {
        self.whole.weights.flat().device()
    }

    /// Kind of the weights.
    pub fn kind(&self) -> Kind {
        self.whole.weights.flat().kind()
    }

    /// From this seed on the passes of a step draw what dropout leaves out.
    pub fn seed_dropout(&self, seed: u64) {
        self.dropout.set(seed);
    }
}

/// The paper's auxiliary head for a network: representation, 256 units, batch normalization, four rotations.
/// Like all its networks it clamps what it is given to `[0, 1]`.
///
/// # Errors
/// The network has no linear layer of classes.
pub fn auxiliary_head(network: &Topology, seed: u64) -> Result<Network> {
    let at = classes_layer(network)?;
    let Layer::Linear { input, .. } = &network.layers[at] else { unreachable!("it is one") };
    let architecture = Architecture {
        family: Family::Mlp(Mlp { units: vec![AUXILIARY_UNITS] }),
        classes: ROTATIONS,
        resolution: [*input, 1, 1],
        normalization: Some(Norm::Batch),
        whiten: false,
        ..Architecture::default()
    };
    let mut topology = architecture.topology()?;
    for layer in &mut topology.layers {
        if let Layer::Linear { name, .. } | Layer::Normalize { name, .. } = layer {
            *name = format!("auxiliary.{name}");
        }
    }
    Ok(Network::fresh(topology, seed))
}

fn classes_layer(topology: &Topology) -> Result<usize> {
    let is_linear = |layer: &Layer| matches!(layer, Layer::Linear { .. });
    topology.layers.iter().rposition(is_linear).ok_or_else(|| {
        Error::invalid(
            "the network has no linear layer to put an auxiliary head before; train it without rotations",
        )
    })
}

fn placed(network: &Network, device: Device, kind: Kind) -> Network {
    let copy = network.copy();
    let buffers = copy.buffers.into_iter().map(|(name, buffer)| {
        let kind = if buffer.is_floating_point() { kind } else { buffer.kind() };
        (name, buffer.to_device(device).to_kind(kind))
    });
    Network { topology: copy.topology, weights: copy.weights.to(device, kind), buffers: buffers.collect() }
}
