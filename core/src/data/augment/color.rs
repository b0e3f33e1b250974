//! Changing colours, as Pillow does: images are bytes in float tensors, `N x 3 x H x W`. One setting per image.

use tch::{Kind, Tensor};

use super::shapes::per_image;

/// Luminance as a byte, `N x 1 x H x W`.
fn luminance(images: &Tensor) -> Tensor {
    let weights = Tensor::from_slice(&[19595i64, 38470, 7471]).to_device(images.device()).view([1, 3, 1, 1]);
    let sum = (images.to_kind(Kind::Int64) * weights).sum_dim_intlist([1i64].as_slice(), true, Kind::Int64);
    (sum + 32768i64).divide_scalar_mode(65536, "floor").to_kind(images.kind())
}

/// `from + factor (images - from)` as a byte: 0 gives `from`, 1 the images, more exaggerates.
fn blend(from: &Tensor, images: &Tensor, factors: &[f64]) -> Tensor {
    let factors = per_image(factors, images).to_kind(Kind::Float);
    (from + factors * (images - from)).clamp(0.0, 255.0).floor()
}

/// Towards or away from black.
pub(super) fn brightness(images: &Tensor, factors: &[f64]) -> Tensor {
    blend(&images.zeros_like(), images, factors)
}

/// Towards or away from grey values.
pub(super) fn saturation(images: &Tensor, factors: &[f64]) -> Tensor {
    blend(&luminance(images), images, factors)
}

/// Towards or away from the mean grey value.
pub(super) fn contrast(images: &Tensor, factors: &[f64]) -> Tensor {
    let mean = luminance(images).to_kind(Kind::Double).mean_dim([1i64, 2, 3].as_slice(), true, Kind::Double);
    blend(&(mean + 0.5).floor().to_kind(images.kind()), images, factors)
}

/// Towards or away from the smoothed image; the outermost pixels are not smoothed.
pub(super) fn sharpness(images: &Tensor, factors: &[f64]) -> Tensor {
    let size = images.size();
    let (height, width) = (size[2], size[3]);
    let part = |dy: i64, dx: i64| images.narrow(2, dy, height - 2).narrow(3, dx, width - 2);
    let mut sum = part(1, 1) * 4.0;
    for (dy, dx) in (0..3).flat_map(|dy| (0..3).map(move |dx| (dy, dx))) {
        sum += part(dy, dx);
    }
    // Sums of 13 bytes divided by 13, rounded half up; 13 is odd, so there are no halves.
    let inner =
        ((sum * 2.0 + 13.0).to_kind(Kind::Int64)).divide_scalar_mode(26, "floor").to_kind(images.kind());
    let smooth = images.copy();
    smooth.narrow(2, 1, height - 2).narrow(3, 1, width - 2).copy_(&inner);
    blend(&smooth, images, factors)
}

/// Keeps the top `bits` of every byte.
pub(super) fn posterize(images: &Tensor, bits: &[f64]) -> Tensor {
    let steps: Vec<f64> = bits.iter().map(|bits| (8.0 - bits).exp2()).collect();
    let steps = per_image(&steps, images).to_kind(images.kind());
    (images / &steps).floor() * steps
}

/// Inverts bytes that are not below the threshold.
pub(super) fn solarize(images: &Tensor, thresholds: &[f64]) -> Tensor {
    let thresholds = per_image(thresholds, images);
    images.where_self(&images.to_kind(Kind::Double).lt_tensor(&thresholds), &invert(images))
}

/// 255 minus every byte.
pub(super) fn invert(images: &Tensor) -> Tensor {
    255.0f64 - images
}

/// Stretches every channel to 0..255.
pub(super) fn autocontrast(images: &Tensor) -> Tensor {
    let values = images.to_kind(Kind::Double);
    let low = values.amin([2i64, 3].as_slice(), true);
    let high = values.amax([2i64, 3].as_slice(), true);
    let range = &high - &low;
    let scale = range.full_like(255.0) / range.clamp_min(1.0);
    let stretched = (&values * &scale - &low * &scale).trunc().clamp(0.0, 255.0).to_kind(images.kind());
    stretched.where_self(&range.gt(0.0), images)
}

/// Makes the values of every channel about equally frequent.
pub(super) fn equalize(images: &Tensor) -> Tensor {
    let size = images.size();
    let (rows, pixels) = (size[0] * size[1], size[2] * size[3]);
    let values = images.to_kind(Kind::Int64).reshape([rows, pixels]);
    let options = (Kind::Int64, images.device());
    let histogram = Tensor::zeros([rows, 256], options).scatter_add(1, &values, &values.ones_like());
    let largest = values.amax([1i64].as_slice(), true);
    let step = (pixels - histogram.gather(1, &largest, false)).divide_scalar_mode(255, "floor");
    let before = histogram.cumsum(1, Kind::Int64) - &histogram;
    let divisor = step.clamp_min(1);
    let table = (before + divisor.divide_scalar_mode(2, "floor"))
        .divide_tensor_mode(&divisor, "floor")
        .clamp_max(255);
    let equalized = table.gather(1, &values, false).where_self(&step.gt(0), &values);
    equalized.view(size.as_slice()).to_kind(images.kind())
}
