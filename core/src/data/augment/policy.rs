//! AutoAugment's policy for CIFAR-10: 25 pairs of operations, each with a probability and a magnitude.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::shapes::FILL;
use super::{color, geometry};

/// An operation on images as bytes (float tensors, `N x 3 x H x W`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the AutoAugment paper")]
pub enum Operation {
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Color,
    Contrast,
    Brightness,
    Sharpness,
    Posterize,
    Solarize,
    Autocontrast,
    Equalize,
    Invert,
}

use Operation::*;

/// An operation, its probability and the index (0 to 9) of its magnitude.
type Step = (Operation, f64, u8);

/// The 25 pairs.
#[rustfmt::skip]
pub const CIFAR10_POLICY: [[Step; 2]; 25] = [
    [(Invert, 0.1, 7), (Contrast, 0.2, 6)],
    [(Rotate, 0.7, 2), (TranslateX, 0.3, 9)],
    [(Sharpness, 0.8, 1), (Sharpness, 0.9, 3)],
    [(ShearY, 0.5, 8), (TranslateY, 0.7, 9)],
    [(Autocontrast, 0.5, 8), (Equalize, 0.9, 2)],
    [(ShearY, 0.2, 7), (Posterize, 0.3, 7)],
    [(Color, 0.4, 3), (Brightness, 0.6, 7)],
    [(Sharpness, 0.3, 9), (Brightness, 0.7, 9)],
    [(Equalize, 0.6, 5), (Equalize, 0.5, 1)],
    [(Contrast, 0.6, 7), (Sharpness, 0.6, 5)],
    [(Color, 0.7, 7), (TranslateX, 0.5, 8)],
    [(Equalize, 0.3, 7), (Autocontrast, 0.4, 8)],
    [(TranslateY, 0.4, 3), (Sharpness, 0.2, 6)],
    [(Brightness, 0.9, 6), (Color, 0.2, 8)],
    [(Solarize, 0.5, 2), (Invert, 0.0, 3)],
    [(Equalize, 0.2, 0), (Autocontrast, 0.6, 0)],
    [(Equalize, 0.2, 8), (Equalize, 0.6, 4)],
    [(Color, 0.9, 9), (Equalize, 0.6, 6)],
    [(Autocontrast, 0.8, 4), (Solarize, 0.2, 8)],
    [(Brightness, 0.1, 3), (Color, 0.7, 0)],
    [(Solarize, 0.4, 5), (Autocontrast, 0.9, 3)],
    [(TranslateY, 0.9, 9), (TranslateY, 0.7, 9)],
    [(Autocontrast, 0.9, 2), (Solarize, 0.8, 3)],
    [(Equalize, 0.8, 8), (Invert, 0.1, 3)],
    [(TranslateY, 0.7, 9), (Autocontrast, 0.9, 1)],
];

impl Operation {
    /// All of them.
    pub const ALL: [Self; 14] = [
        ShearX,
        ShearY,
        TranslateX,
        TranslateY,
        Rotate,
        Color,
        Contrast,
        Brightness,
        Sharpness,
        Posterize,
        Solarize,
        Autocontrast,
        Equalize,
        Invert,
    ];

    /// What a magnitude index means: a slope, a share of the side, degrees, a change of a blending factor,
    /// bits, a threshold; 0 where there is nothing to set.
    pub fn magnitude(self, index: u8) -> f64 {
        let share = f64::from(index) / 9.0;
        match self {
            ShearX | ShearY => 0.3 * share,
            TranslateX | TranslateY => 150.0 / 331.0 * share,
            Rotate => 30.0 * share,
            Color | Contrast | Brightness | Sharpness => 0.1 * f64::from(index),
            Posterize => [8.0, 8.0, 7.0, 7.0, 6.0, 6.0, 5.0, 5.0, 4.0, 4.0][usize::from(index)],
            Solarize => 256.0 - 256.0 * share,
            Autocontrast | Equalize | Invert => 0.0,
        }
    }
}

/// Does one operation to every image, with a magnitude index and a sign (plus or minus 1) for each; the sign
/// matters for shears, translations and blends.
pub fn apply(operation: Operation, images: &Tensor, settings: &[(u8, f64)]) -> Tensor {
    let magnitudes = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        settings.iter().map(|(index, sign)| f(operation.magnitude(*index), *sign)).collect()
    };
    let signed = || magnitudes(&|magnitude, sign| sign * magnitude);
    let factors = || magnitudes(&|magnitude, sign| 1.0 + sign * magnitude);
    let plain = || magnitudes(&|magnitude, _| magnitude);
    let pixels = |side: i64| magnitudes(&|magnitude, sign| sign * magnitude * side as f64);
    let turned = |f: &dyn Fn(&Tensor) -> Tensor| f(&images.transpose(2, 3)).transpose(2, 3);
    match operation {
        ShearX => geometry::shear_x(images, &signed(), &FILL),
        ShearY => turned(&|images| geometry::shear_x(images, &signed(), &FILL)),
        TranslateX => geometry::translate_x(images, &pixels(images.size()[3]), &FILL),
        TranslateY => turned(&|images| geometry::translate_x(images, &pixels(images.size()[3]), &FILL)),
        Rotate => geometry::rotate(images, &plain()),
        Color => color::saturation(images, &factors()),
        Contrast => color::contrast(images, &factors()),
        Brightness => color::brightness(images, &factors()),
        Sharpness => color::sharpness(images, &factors()),
        Posterize => color::posterize(images, &plain()),
        Solarize => color::solarize(images, &plain()),
        Autocontrast => color::autocontrast(images),
        Equalize => color::equalize(images),
        Invert => color::invert(images),
    }
}

/// Draws one of the 25 pairs for each image and does its operations. Images with the same operation are done
/// together.
pub(super) fn apply_policy(mut images: Tensor, draws: &mut [ChaCha8Rng]) -> Tensor {
    let drawn: Vec<[Option<(Operation, u8, f64)>; 2]> = draws
        .iter_mut()
        .map(|rng| {
            let pair = CIFAR10_POLICY[rng.random_range(0..CIFAR10_POLICY.len())];
            pair.map(|(operation, probability, index)| {
                let (used, positive) = (rng.random::<f64>() < probability, rng.random::<bool>());
                used.then_some((operation, index, if positive { 1.0 } else { -1.0 }))
            })
        })
        .collect();
    for turn in 0..2 {
        for operation in Operation::ALL {
            let (mut chosen, mut settings) = (Vec::new(), Vec::new());
            for (position, steps) in drawn.iter().enumerate() {
                if let Some((found, index, sign)) = steps[turn]
                    && found == operation
                {
                    chosen.push(position as i64);
                    settings.push((index, sign));
                }
            }
            if !chosen.is_empty() {
                let chosen = Tensor::from_slice(&chosen).to_device(images.device());
                let done = apply(operation, &images.index_select(0, &chosen), &settings);
                let _ = images.index_copy_(0, &chosen, &done.contiguous());
            }
        }
    }
    images
}
