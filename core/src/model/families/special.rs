//! Architectures of the field that Basin knows by their keys and does not build.

use super::keys::Keys;

/// What a network is, by parts of names that all have to be there, and what it would need.
const SPECIAL: [(&str, &[&str], &str); 11] = [
    ("an XCiT", &["cls_attn_blocks.", "patch_embed."], "cross-covariance attention"),
    ("a Swin Transformer", &["relative_position_bias_table"], "windowed attention"),
    ("a Vision Transformer", &["blocks.0.attn.qkv.", "patch_embed."], "attention"),
    ("a Vision Transformer", &["encoder.layers.encoder_layer_0.", "class_token"], "attention"),
    ("a ConvNeXt", &["stages.0.blocks.0.", "gamma"], "depthwise convolutions and layer normalization"),
    ("a ConvNeXt", &["stages.0.0.dwconv.", "gamma"], "depthwise convolutions and layer normalization"),
    ("a RaWRN (Peng et al. 2023)", &["stem_conv.", "se_block"], "squeeze-and-excitation blocks"),
    ("a RaWRN (Peng et al. 2023)", &["stem_conv.", ".se."], "squeeze-and-excitation blocks"),
    ("a WideResNet of Huang et al. 2022", &["stem_conv.", "blocks.0."], "its own order of stages"),
    ("a torchvision DenseNet", &["denseblock1.denselayer1."], "its own names of dense layers"),
    ("a MobileNet or EfficientNet", &["features.1.conv.0."], "depthwise convolutions"),
];

/// The end of a sentence about a network that Basin knows by name and cannot build; none: it is none of these.
pub fn special(keys: &Keys) -> Option<String> {
    let has = |part: &str| keys.names().any(|name| name.contains(part));
    let (what, _, needs) = SPECIAL.iter().find(|(_, parts, _)| parts.iter().all(|part| has(part)))?;
    Some(format!("holds {what}, which Basin does not build yet (it would need {needs})"))
}
