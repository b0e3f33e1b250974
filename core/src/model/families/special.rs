//! Architectures of the field that Basin knows by their keys and does not build.

use super::keys::Keys;

/// A network that is known by name.
struct Special {
    /// What it is.
    what: &'static str,
    /// Parts of names that all have to be there.
    has: &'static [&'static str],
    /// Parts of names none of which is there.
    lacks: &'static [&'static str],
    /// What it would need.
    needs: &'static str,
}

const fn known(what: &'static str, has: &'static [&'static str], needs: &'static str) -> Special {
    Special { what, has, lacks: &[], needs }
}

const ATTENTION: &str = "attention";
const DEPTHWISE: &str = "depthwise convolutions and layer normalization";
const SQUEEZE: &str = "squeeze-and-excitation blocks";
const MOBILE: &str = "depthwise convolutions and squeeze-and-excitation blocks";

/// Networks by parts of their names: of RobustBench, torchvision, timm, Transformers and kuangliu.
const SPECIAL: [Special; 43] = [
    known("an XCiT", &["cls_attn_blocks.", "patch_embed."], "cross-covariance attention"),
    known("a Swin Transformer", &["relative_position_bias_table"], "windowed attention"),
    known("a Vision Transformer", &["blocks.0.attn.qkv.", "patch_embed."], ATTENTION),
    known("a Vision Transformer", &["encoder.layers.encoder_layer_0.", "class_token"], ATTENTION),
    known("a Vision Transformer", &["encoder.layer.0.attention.", "embeddings.cls_token"], ATTENTION),
    known("a Vision Transformer", &["visual.transformer.resblocks.0."], ATTENTION),
    known("a Vision Transformer", &["transformer.layers.0.0.", "pos_embedding"], ATTENTION),
    known("an MLP-Mixer", &["blocks.0.mlp_tokens."], "layers that mix patches"),
    known("a ConvMixer", &["0.fn.0.weight", "0.fn.2.weight"], "depthwise convolutions with biases"),
    known("a ConvNeXt V2", &["stages.0.", ".grn."], DEPTHWISE),
    known("a ConvNeXt", &["stages.0.blocks.0.", "gamma"], DEPTHWISE),
    known("a ConvNeXt", &["stages.0.0.dwconv.", "gamma"], DEPTHWISE),
    known("a ConvNeXt", &["features.1.0.layer_scale"], DEPTHWISE),
    known("a ConvNeXt", &["convnext.encoder.stages.0."], DEPTHWISE),
    known("a RaWRN (Peng et al. 2023)", &["stem_conv.", "se_block"], SQUEEZE),
    known("a RaWRN (Peng et al. 2023)", &["stem_conv.", ".se."], SQUEEZE),
    known("a RaWRN (Peng et al. 2023)", &["init_conv.weight", ".block.0.se."], SQUEEZE),
    known("a WideResNet of Huang et al. 2022", &["stem_conv.", "blocks.0."], "its own order of stages"),
    known(
        "a ResNet-50 of the ensemble of Chen et al. 2020",
        &["layer1.0.bn0.weight", "layer1.0.conv3.weight"],
        "its own order of normalization and convolution, and the mean of three networks' probabilities",
    ),
    Special {
        what: "a binary CARD (Diffenderfer et al. 2021)",
        has: &["layer1.0.bn1.running_mean", "fc.weight"],
        lacks: &["layer1.0.bn1.weight"],
        needs: "normalization without scale and shift before each convolution",
    },
    known(
        "a mixture of networks (Bai et al. 2023)",
        &["comp_model."],
        "several networks and what mixes them",
    ),
    known(
        "a network with learned masks (edge-popup)",
        &["layer1.0.conv1.scores"],
        "the masks that scores select",
    ),
    known("a network with learned masks (HYDRA)", &[".popup_scores"], "the masks that scores select"),
    known("a ResNeSt", &["layer1.0.conv2.fc1.weight"], "split attention"),
    known("a ResNet with squeeze-and-excitation", &["layer1.0.se."], SQUEEZE),
    known("a ResNet with squeeze-and-excitation", &["layer1.0.fc1.weight", "layer1.0.fc2.weight"], SQUEEZE),
    known(
        "a ResNet V2 (BiT)",
        &["stages.0.blocks.0.norm1.", "stem.conv."],
        "weight standardization and group normalization",
    ),
    known("a ResNet of Transformers", &["embedder.embedder.convolution."], "its own names of layers"),
    known("a torchvision DenseNet", &["denseblock1.denselayer1."], "its own names of dense layers"),
    known(
        "a torchvision VGG",
        &["features.0.weight", "classifier.0.weight", "classifier.6.weight"],
        "three linear layers",
    ),
    Special {
        what: "an AlexNet",
        has: &["features.0.weight", "features.10.weight", "classifier.1.weight"],
        lacks: &["features.11.", "classifier.0."],
        needs: "its own sizes of convolutions",
    },
    known("a SqueezeNet", &["features.3.squeeze."], "fire modules"),
    known("a MobileNet or EfficientNet", &["features.1.conv.0."], MOBILE),
    known("a MobileNet or EfficientNet", &["features.1.block.0.0."], MOBILE),
    known("a MobileNet or EfficientNet", &["features.1.0.block.0.0."], MOBILE),
    known("a MobileNet or EfficientNet", &["conv_stem.", "blocks.0.0.conv_dw."], MOBILE),
    known("a ShuffleNet", &["stage2.0.branch2.0."], "channel shuffles"),
    known("a GoogLeNet", &["inception3a."], "branches of convolutions that are concatenated"),
    known("a GoogLeNet", &["a3.b1.0."], "branches of convolutions that are concatenated"),
    known("an Inception", &["Mixed_5b."], "branches of convolutions that are concatenated"),
    known("a RegNet", &["trunk_output.block1."], "its own widths and groups"),
    known("a RegNet", &["s1.b1.conv1.conv."], "its own widths and groups"),
    known("a torchvision or timm MaxViT", &["blocks.0.layers.0.layers.MBconv."], ATTENTION),
];

/// The end of a sentence about a network that Basin knows by name and cannot build; none: it is none of these.
pub fn special(keys: &Keys) -> Option<String> {
    let has = |part: &&str| keys.names().any(|name| name.contains(part));
    let fits = |known: &&Special| known.has.iter().all(has) && !known.lacks.iter().any(has);
    let Special { what, needs, .. } = SPECIAL.iter().find(fits)?;
    Some(format!("holds {what}, which Basin does not build yet (it would need {needs})"))
}
