//! Augmentation against the paper's program (and through it Pillow's): every operation on the same images.

use basin_core::data::Augmentation;
use basin_core::data::augment::{CIFAR10_POLICY, Operation, apply, crop_flip, cutout, pad_resize};
use tch::{Device, Kind, Tensor};

use crate::support::{Npz, json, max_abs_difference, number};

fn nchw(images: &Tensor) -> Tensor {
    images.permute([0, 3, 1, 2]).contiguous().to_kind(Kind::Float)
}

const NAMES: [(&str, Operation); 14] = [
    ("shearX", Operation::ShearX),
    ("shearY", Operation::ShearY),
    ("translateX", Operation::TranslateX),
    ("translateY", Operation::TranslateY),
    ("rotate", Operation::Rotate),
    ("color", Operation::Color),
    ("contrast", Operation::Contrast),
    ("brightness", Operation::Brightness),
    ("sharpness", Operation::Sharpness),
    ("posterize", Operation::Posterize),
    ("solarize", Operation::Solarize),
    ("autocontrast", Operation::Autocontrast),
    ("equalize", Operation::Equalize),
    ("invert", Operation::Invert),
];

/// All 14 operations give the oracle's bytes, interpolated ones included.
#[test]
fn every_operation_gives_the_oracles_bytes() {
    let file = Npz::open("augmentation/operations.npz");
    let images = nchw(file.get("images"));
    let count = images.size()[0] as usize;
    let mut compared = 0;
    for (name, operation) in NAMES {
        let before = compared;
        for key in file.behind(&format!("{name}_m")) {
            let (index, suffix) = key.split_once('_').unwrap();
            let sign = if suffix == "pos" { 1.0 } else { -1.0 };
            let got = apply(operation, &images, &vec![(index.parse().unwrap(), sign); count]);
            let expected = nchw(file.get(&format!("{name}_m{key}")));
            let difference = max_abs_difference(&got, &expected);
            assert_eq!(difference, 0.0, "{name}, magnitude {index}, {suffix}");
            compared += 1;
        }
        assert!(compared >= before + 4, "only {} comparisons of {name}", compared - before);
    }
    let (mut chained, mut key) = (images, "chain".to_owned());
    for step in json("augmentation/index.json")["chain"].as_array().unwrap() {
        let (name, index) = (step[0].as_str().unwrap(), number(&step[1], &[]) as u8);
        let (_, operation) = NAMES.into_iter().find(|(known, _)| *known == name).unwrap();
        chained = apply(operation, &chained, &vec![(index, 1.0); count]);
        key += &format!("_{name}{index}");
    }
    assert_eq!(max_abs_difference(&chained, &nchw(file.get(&(key + "_pos")))), 0.0);
}

#[test]
fn images_of_a_batch_are_independent() {
    let images = nchw(Npz::open("augmentation/operations.npz").get("images"));
    for operation in Operation::ALL {
        let settings = [(3, 1.0), (9, -1.0), (0, 1.0), (6, -1.0)];
        let together = apply(operation, &images, &settings);
        for (number, setting) in settings.iter().enumerate() {
            let alone = apply(operation, &images.narrow(0, number as i64, 1), &[*setting]);
            let difference = max_abs_difference(&together.narrow(0, number as i64, 1), &alone);
            assert_eq!(difference, 0.0, "{operation:?} of image {number}");
        }
    }
}

#[test]
fn cutouts_and_padded_images_agree() {
    let file = Npz::open("augmentation/operations.npz");
    let images = nchw(file.get("images_f32"));
    let centres: Vec<i64> = Vec::try_from(file.get("cutout_centres_yx").reshape([-1])).unwrap();
    let centres: Vec<(i64, i64)> = centres.chunks(2).map(|c| (c[0], c[1])).collect();
    let settings = &json("augmentation/index.json")["cutout"];
    let mean: [f64; 3] = serde_json::from_value(settings["fill"].clone()).unwrap();
    let got = cutout(&images, number(settings, &["size"]) as i64, &mean, &centres);
    assert!(max_abs_difference(&got, file.get("cutout_outputs_chw_f32")) < 1e-7);
    // Bilinear in floating point: equal up to the rounding of products.
    let all = file.behind("crop_and_pad_");
    assert!(!all.is_empty());
    for key in all {
        let pads: Vec<i64> = key.split('_').filter_map(|pad| pad.parse().ok()).collect();
        let pads: [i64; 4] = pads.try_into().unwrap();
        let expected = nchw(file.get(&format!("crop_and_pad_{key}")));
        let got = pad_resize(&images, &[pads; 4], &[false; 4]);
        let difference = max_abs_difference(&got, &expected);
        assert!(difference < 1e-6, "pads {pads:?} differ by {difference:e}");
        let flipped = pad_resize(&images, &[pads; 4], &[true, false, true, false]);
        assert_eq!(max_abs_difference(&flipped.get(0), &got.get(0).flip([2])), 0.0);
        assert_eq!(max_abs_difference(&flipped.get(1), &got.get(1)), 0.0);
    }
}

#[test]
fn crops_move_and_mirror() {
    let images = Tensor::arange(2 * 3 * 4 * 4, (Kind::Float, Device::Cpu)).view([2, 3, 4, 4]);
    let fill = [-1.0, -2.0, -3.0];
    // The middle of the padding is the image itself.
    let same = crop_flip(&images, 2, &fill, &[(2, 2), (2, 2)], &[false, true]);
    assert_eq!(same.get(0), images.get(0));
    assert_eq!(same.get(1), images.get(1).flip([2]));
    let corner = crop_flip(&images, 2, &fill, &[(0, 1), (4, 4)], &[false, false]);
    assert_eq!(corner.double_value(&[0, 1, 0, 0]), -2.0);
    assert_eq!(corner.double_value(&[0, 1, 2, 1]), images.double_value(&[0, 1, 0, 0]));
    assert_eq!(corner.double_value(&[1, 2, 1, 1]), images.double_value(&[1, 2, 3, 3]));
    assert_eq!(corner.double_value(&[1, 2, 1, 2]), -3.0);
}

#[test]
fn augmentation_depends_on_epoch_and_key_not_on_the_batch() {
    let file = Npz::open("augmentation/operations.npz");
    let images = nchw(file.get("images_f32"));
    let all = [Augmentation::CropFlip, Augmentation::PadResizeFlip, Augmentation::AutoAugment];
    for augmentation in all {
        let together = augmentation.apply(&images, 5, 3, &[10, 11, 12, 13]);
        let parts = Tensor::cat(
            &[
                augmentation.apply(&images.narrow(0, 0, 1), 5, 3, &[10]),
                augmentation.apply(&images.narrow(0, 1, 3), 5, 3, &[11, 12, 13]),
            ],
            0,
        );
        assert_eq!(max_abs_difference(&together, &parts), 0.0, "{augmentation:?}");
        let other = augmentation.apply(&images, 5, 4, &[10, 11, 12, 13]);
        assert!(max_abs_difference(&together, &other) > 0.1, "{augmentation:?} is the same in every epoch");
        assert!(together.min().double_value(&[]) >= 0.0 && together.max().double_value(&[]) <= 1.0);
    }
    assert_eq!(max_abs_difference(&Augmentation::None.apply(&images, 5, 3, &[0, 1, 2, 3]), &images), 0.0);
    assert!(
        CIFAR10_POLICY
            .iter()
            .flatten()
            .all(|(_, probability, index)| (0.0..=1.0).contains(probability) && *index < 10)
    );
}
