//! Network families: each file has a family's settings, builds its layers, and recognizes it by the names and shapes of a
//! state dictionary.
//!
//! An [`Architecture`] describes any of them. What a state dictionary cannot tell (shortcut, activation, pooling) is
//! given back as alternatives, of which [`crate::checkpoint`] chooses.

mod architecture;
mod choices;
mod deepmind;
mod densenet;
mod keys;
mod named;
mod paper;
mod preact_resnet;
mod resnet;
mod resnext;
mod small_cnn;
mod special;
mod stack;
mod vgg;
mod wide_resnet;

pub use architecture::{Architecture, Family, Recognized, anchors, recognize};
pub use choices::{Choices, Pooling, Shortcut};
pub use deepmind::{DeepMindPreActResNet, DeepMindWideResNet};
pub use densenet::DenseNet;
pub use keys::Keys;
pub use named::NAMES;
pub use paper::{LeNet, Mlp, ResNet};
pub use preact_resnet::PreActResNet;
pub use resnet::{PostActResNet, Stem};
pub use resnext::ResNeXt;
pub use small_cnn::SmallCnn;
pub use special::special;
pub use stack::groups;
pub use vgg::Vgg;
pub use wide_resnet::WideResNet;
