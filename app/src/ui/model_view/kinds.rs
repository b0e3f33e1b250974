//! Blocks of a network in words.

use basin_core::model::{Block, BlockKind};

use crate::ui::widgets::count_words;

/// `layer1.0`, of several `layer1.0 … 1`; of pooling what it does.
pub(super) fn names(blocks: &[Block]) -> String {
    match blocks {
        [] => String::new(),
        [one] if one.kind == BlockKind::Pooling => one.layers.first().cloned().unwrap_or_default(),
        [one] => one.name.clone(),
        [first, .., last] => {
            // What is alike up to the last dot is said once.
            let shared = last.name.rfind('.').map_or(0, |dot| dot + 1);
            let end = match last.name.split_at(shared) {
                (prefix, end) if first.name.starts_with(prefix) => end,
                _ => &last.name,
            };
            format!("{} … {end}", first.name)
        }
    }
}

/// Words for a kind.
pub(super) fn kind_words(kind: BlockKind) -> &'static str {
    match kind {
        BlockKind::Preprocessing => "Preprocessing",
        BlockKind::Convolution => "Convolution",
        BlockKind::Residual => "Residual block",
        BlockKind::Dense => "Dense block",
        BlockKind::Normalization => "Normalization",
        BlockKind::Pooling => "Pooling",
        BlockKind::Linear => "Linear",
    }
}

/// `32 × 32 × 64`; of a vector `512`.
pub(super) fn output_words(block: &Block) -> String {
    let [channels, height, width] = block.output;
    match block.kind {
        BlockKind::Linear => count_words(channels),
        _ => format!("{width} × {height} × {}", count_words(channels)),
    }
}
