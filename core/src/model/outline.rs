//! A network as a list of blocks, for drawing: output, parameters, stride and receptive field of each.

use serde::{Deserialize, Serialize};

use super::topology::{Layer, Role, Topology};

/// Kind of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// What is done to images before the first trained layer.
    Preprocessing,
    /// A convolution, with its normalization and activation.
    Convolution,
    /// Two branches that are added.
    Residual,
    /// Its output is concatenated with its input.
    Dense,
    /// Normalization and activation between blocks.
    Normalization,
    /// Maximum or mean over windows or over all pixels.
    Pooling,
    /// A fully connected layer, with its normalization and activation.
    Linear,
}

/// What the shortcut of a residual block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bypass {
    /// The input itself.
    Identity,
    /// Layers of its own, such as a 1×1 convolution.
    Layers,
}

/// A block of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Prefix of its tensors, e.g. `layer1.0`; empty: it has none.
    pub name: String,
    /// Kind.
    pub kind: BlockKind,
    /// Channels, height and width of its output; of a vector the number of features, 1 and 1.
    pub output: [usize; 3],
    /// Number of trainable parameters.
    pub parameters: usize,
    /// By how much its output is smaller than its input; 1 where it stays or becomes a vector.
    pub stride: usize,
    /// Side in pixels of the square of the image that one element of its output depends on, padding included.
    pub receptive_field: usize,
    /// The shortcut of a residual block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypass: Option<Bypass>,
    /// Its layers, one a line; those of branches are indented.
    pub layers: Vec<String>,
}

impl Block {
    /// Whether another block behind this one is of the same size and kind, so that both can be drawn as one.
    ///
    /// Blocks of a dense stage become wider and still count as alike.
    pub fn is_like(&self, next: &Self) -> bool {
        let [_, height, width] = self.output;
        match (self.kind, next.kind) {
            (BlockKind::Dense, BlockKind::Dense) => next.output[1..] == [height, width],
            (BlockKind::Convolution | BlockKind::Residual, kind) => {
                kind == self.kind
                    && (self.output, self.parameters, self.stride, self.bypass)
                        == (next.output, next.parameters, next.stride, next.bypass)
            }
            _ => false,
        }
    }
}

/// Numbers of blocks that are alike and follow each other; their sum is the number of blocks.
pub fn runs(blocks: &[Block]) -> Vec<usize> {
    blocks.chunk_by(Block::is_like).map(<[Block]>::len).collect()
}

impl Topology {
    /// The blocks of the network in order.
    pub fn outline(&self) -> Vec<Block> {
        let mut place = Place::of_images(self.resolution);
        pieces(&self.layers).into_iter().map(|(kind, layers)| block(kind, &layers, &mut place)).collect()
    }
}

/// What passes between two layers.
#[derive(Debug, Clone, Copy)]
struct Place {
    channels: i64,
    /// Height and width.
    size: (i64, i64),
    /// Side of the receptive field.
    field: i64,
    /// Pixels of the image from one element to the next.
    jump: i64,
}

impl Place {
    fn of_images([channels, height, width]: [i64; 3]) -> Self {
        Self { channels, size: (height, width), field: 1, jump: 1 }
    }

    /// Each element depends on a window of `kernel` elements, `stride` apart.
    fn see(&mut self, kernel: i64, stride: i64) {
        self.field += (kernel - 1).max(0) * self.jump;
        self.jump *= stride.max(1);
    }

    fn pass(&mut self, layer: &Layer) {
        let side = self.size.0.max(self.size.1);
        match layer {
            Layer::Conv { output, kernel, stride, .. } => {
                self.channels = *output;
                self.see(*kernel, *stride);
            }
            Layer::MaxPool { kernel, stride, .. } => self.see(*kernel, *stride),
            Layer::AveragePool { kernel } => self.see(*kernel, *kernel),
            Layer::Subsample { stride, channels } => {
                self.channels += 2 * channels;
                self.see(1, *stride);
            }
            Layer::GlobalAveragePool => self.see(side, 1),
            Layer::Flatten => {
                self.see(side, 1);
                self.channels *= self.size.0 * self.size.1;
            }
            Layer::Linear { output, .. } => self.channels = *output,
            Layer::Residual { body, shortcut, .. } => {
                let through = |layers: &[Layer]| {
                    let mut place = *self;
                    layers.iter().for_each(|layer| place.pass(layer));
                    place
                };
                let (main, other) = (through(body), through(shortcut));
                *self = Self { field: main.field.max(other.field), ..main };
                return;
            }
            Layer::Concatenate { body, .. } => {
                let before = self.channels;
                body.iter().for_each(|layer| self.pass(layer));
                self.channels += before;
                return;
            }
            _ => {}
        }
        self.size = layer.size(self.size, &mut None);
    }
}

/// Layers that are drawn as one block.
type Piece<'a> = (BlockKind, Vec<&'a Layer>);

/// Cuts layers into blocks. Normalizations and activations go with the layer before them, except between residual or
/// dense blocks: there they go with the layer behind them.
fn pieces(layers: &[Layer]) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece> = Vec::new();
    // Layers without a block yet.
    let mut pending: Vec<&Layer> = Vec::new();
    for layer in layers {
        let last = pieces.last_mut();
        let kind = match layer {
            Layer::Conv { .. } => BlockKind::Convolution,
            Layer::Residual { .. } => BlockKind::Residual,
            Layer::Concatenate { .. } => BlockKind::Dense,
            Layer::MaxPool { .. } | Layer::AveragePool { .. } | Layer::GlobalAveragePool => {
                BlockKind::Pooling
            }
            Layer::Linear { .. } => BlockKind::Linear,
            Layer::Clamp
            | Layer::Standardize { .. }
            | Layer::StandardizeEach
            | Layer::StandardizeBy { .. }
            | Layer::Rescale { .. } => BlockKind::Preprocessing,
            Layer::Pad { .. } | Layer::Subsample { .. } | Layer::Flatten => {
                pending.push(layer);
                continue;
            }
            Layer::Normalize { .. } | Layer::Affine { .. } => match last {
                Some((kind, of))
                    if !matches!(kind, BlockKind::Residual | BlockKind::Dense | BlockKind::Preprocessing) =>
                {
                    of.push(layer);
                    continue;
                }
                _ => BlockKind::Normalization,
            },
            Layer::Activate { .. } | Layer::Dropout { .. } | Layer::Scale { .. } | Layer::NormalizeLogits => {
                match last {
                    Some((kind, of)) if *kind != BlockKind::Preprocessing => {
                        of.push(layer);
                        continue;
                    }
                    _ => BlockKind::Normalization,
                }
            }
        };
        let mut own = match (kind, pieces.last_mut()) {
            (BlockKind::Preprocessing, Some((BlockKind::Preprocessing, of))) => {
                of.push(layer);
                continue;
            }
            // A convolution behind a normalization of its own: the transitions of a DenseNet.
            (BlockKind::Convolution, Some((BlockKind::Normalization, _))) => {
                pieces.pop().map(|(_, before)| before).unwrap_or_default()
            }
            (BlockKind::Residual, Some((_, of))) => {
                let own = begins_next(of, layer);
                if of.is_empty() {
                    pieces.pop();
                }
                own
            }
            _ => Vec::new(),
        };
        own.append(&mut pending);
        own.push(layer);
        pieces.push((kind, own));
    }
    if let Some((_, of)) = pieces.last_mut() {
        of.append(&mut pending);
    }
    pieces
}

/// Takes what is named as a part of a residual block off the end of the block before it: normalization and activation
/// that its two branches share.
fn begins_next<'a>(before: &mut Vec<&'a Layer>, residual: &Layer) -> Vec<&'a Layer> {
    let Layer::Residual { name: of, .. } = residual else { return Vec::new() };
    let is_part = |layer: &&Layer| match layer {
        Layer::Normalize { name, .. } | Layer::Affine { name, .. } => {
            name.strip_prefix(of.as_str()).is_some_and(|rest| rest.starts_with('.'))
        }
        _ => false,
    };
    let at = before.iter().position(is_part).unwrap_or(before.len());
    before.split_off(at)
}

fn block(kind: BlockKind, layers: &[&Layer], place: &mut Place) -> Block {
    let jump = place.jump;
    let (mut lines, mut specs, mut bypass) = (Vec::new(), Vec::new(), None);
    for layer in layers {
        place.pass(layer);
        layer.describe(0, &mut lines);
        layer.collect(&mut specs);
        if let Layer::Residual { shortcut, .. } = layer {
            bypass = Some(if shortcut.is_empty() { Bypass::Identity } else { Bypass::Layers });
        }
    }
    let is_trained = |role: Role| matches!(role, Role::Weight | Role::Normalization);
    let trained = specs.iter().filter(|spec| is_trained(spec.role));
    let parameters: i64 = trained.map(|spec| spec.shape.iter().product::<i64>()).sum();
    let name = layers.iter().find_map(|layer| match layer {
        Layer::Conv { name, .. }
        | Layer::Linear { name, .. }
        | Layer::Residual { name, .. }
        | Layer::Concatenate { name, .. } => Some(name.clone()),
        _ => None,
    });
    let first = layers.iter().find_map(|layer| match layer {
        Layer::Normalize { name, .. } | Layer::Affine { name, .. } | Layer::Standardize { name, .. } => {
            Some(name.clone())
        }
        _ => None,
    });
    let whole = |number: i64| usize::try_from(number).unwrap_or(0);
    let (height, width) = place.size;
    Block {
        name: name.or(first).unwrap_or_default(),
        kind,
        output: [whole(place.channels), whole(height), whole(width)],
        parameters: whole(parameters),
        stride: whole(place.jump / jump),
        receptive_field: whole(place.field),
        bypass,
        layers: lines,
    }
}
