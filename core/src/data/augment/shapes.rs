//! Values shaped to combine with images, `N x C x H x W`.

use tch::{Kind, Tensor};

/// Mean colour of CIFAR-10 in bytes, rounded down, with which AutoAugment's operations fill.
pub const FILL: [f64; 3] = [125.0, 122.0, 113.0];

/// One value per image, shaped to combine with images.
pub fn per_image(values: &[f64], like: &Tensor) -> Tensor {
    Tensor::from_slice(values).to_device(like.device()).view([-1, 1, 1, 1])
}

/// One value per channel, shaped to combine with images.
pub fn per_channel(values: &[f64], like: &Tensor) -> Tensor {
    Tensor::from_slice(values).to_kind(Kind::Float).to_device(like.device()).view([1, -1, 1, 1])
}
