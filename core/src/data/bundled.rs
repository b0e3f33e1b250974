//! The images that come with the program: the first 1000 test images of CIFAR-10 (those of the paper's
//! robust evaluations) and the first 2000 training images, in the official order.
//!
//! Stored as PNG mosaics of 500 images, 25 a row (`core/examples/bundle_cifar10.rs` writes them), each
//! unpacked when first needed; `labels.txt` has one digit an image.

use std::sync::OnceLock;

use super::check::beyond;
use super::examples::{Examples, Split};
use super::selection::{Selection, unit};
use crate::error::{Error, Result};

const SIDE: usize = 32;
const COLUMNS: usize = 25;
const PER_MOSAIC: usize = 500;

struct Mosaic {
    png: &'static [u8],
    /// `rows x columns x 3`, once unpacked.
    pixels: OnceLock<Vec<u8>>,
}

macro_rules! mosaic {
    ($name:literal) => {
        Mosaic {
            png: include_bytes!(concat!("../../../resources/cifar10/", $name, ".png")),
            pixels: OnceLock::new(),
        }
    };
}

static TEST: [Mosaic; 2] = [mosaic!("test-0"), mosaic!("test-500")];
static TRAIN: [Mosaic; 4] =
    [mosaic!("train-0"), mosaic!("train-500"), mosaic!("train-1000"), mosaic!("train-1500")];
const LABELS: &str = include_str!("../../../resources/cifar10/labels.txt");

/// Number of images in a split.
pub(super) fn count(split: Split) -> usize {
    match split {
        Split::Test => TEST.len() * PER_MOSAIC,
        Split::Train => TRAIN.len() * PER_MOSAIC,
    }
}

/// The selected images, in ascending order.
pub(super) fn read(examples: &Examples) -> Result<Selection> {
    let (mosaics, line) = match examples.split {
        Split::Test => (&TEST[..], 0),
        Split::Train => (&TRAIN[..], 1),
    };
    let range = examples.range();
    if let Some(reason) = beyond(examples, count(examples.split)) {
        return Err(Error::invalid(format!(
            "the bundled CIFAR-10 subset {reason}, or choose the folder of the full CIFAR-10 as data set"
        )));
    }
    let labels = LABELS.lines().nth(line).unwrap_or_default().as_bytes();
    let mut pixels = Vec::with_capacity(range.len() * 3 * SIDE * SIDE);
    for index in range.clone() {
        let mosaic = mosaics[index / PER_MOSAIC].pixels();
        let (row, column) = (index % PER_MOSAIC / COLUMNS, index % COLUMNS);
        for channel in 0..3 {
            for y in 0..SIDE {
                let start = (row * SIDE + y) * COLUMNS * SIDE * 3 + column * SIDE * 3 + channel;
                pixels.extend(mosaic[start..].iter().step_by(3).take(SIDE).map(|&byte| unit(byte)));
            }
        }
    }
    let labels = labels[range].iter().map(|&digit| i64::from(digit - b'0')).collect();
    Ok(Selection { shape: [3, SIDE, SIDE], pixels, labels, classes: 10 })
}

impl Mosaic {
    fn pixels(&self) -> &[u8] {
        self.pixels.get_or_init(|| {
            let mut reader =
                png::Decoder::new(std::io::Cursor::new(self.png)).read_info().expect("a bundled PNG");
            let mut pixels = vec![0; COLUMNS * SIDE * PER_MOSAIC / COLUMNS * SIDE * 3];
            let frame = reader.next_frame(&mut pixels).expect("a bundled PNG");
            assert_eq!((frame.width as usize, frame.buffer_size()), (COLUMNS * SIDE, pixels.len()));
            pixels
        })
    }
}
