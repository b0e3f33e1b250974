//! Writes `resources/cifar10`, the images that come with the program, from the full CIFAR-10:
//!
//! ```text
//! cargo run -p basin_core --example bundle_cifar10 -- FOLDER_WITH_CIFAR10
//! ```
//!
//! 500 images a mosaic, 25 a row, in the official order; `labels.txt` has the test labels in its first
//! and the training labels in its second line, one digit an image.

use std::path::Path;

use basin_core::data::{self, Examples, Split};

const COLUMNS: usize = 25;
const PER_MOSAIC: usize = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let source = std::env::args().nth(1).ok_or("give the folder with the full CIFAR-10")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../resources/cifar10");
    let mut labels = String::new();
    for (split, count) in [(Split::Test, 1000), (Split::Train, 2000)] {
        for start in (0..count).step_by(PER_MOSAIC) {
            let set = data::load(&source, &Examples { split, start, end: (start + PER_MOSAIC) as isize })?;
            for label in Vec::<i64>::try_from(&set.labels)? {
                labels.push_str(&label.to_string());
            }
            // rows of images x columns x 3 x 32 x 32  ->  pixel rows x pixel columns x 3
            let rows = (PER_MOSAIC / COLUMNS) as i64;
            let mosaic = (set.images * 255.0).round().view([rows, COLUMNS as i64, 3, 32, 32]);
            let mosaic = mosaic.permute([0, 3, 1, 4, 2]).contiguous().to_kind(tch::Kind::Uint8);
            let bytes = Vec::<u8>::try_from(mosaic.view([-1]))?;
            write_png(&folder.join(format!("{split}-{start}.png")), &bytes)?;
        }
        labels.push('\n');
    }
    std::fs::write(folder.join("labels.txt"), labels)?;
    Ok(())
}

fn write_png(path: &Path, bytes: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let width = COLUMNS * 32;
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut encoder = png::Encoder::new(file, width as u32, (bytes.len() / width / 3) as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::Adaptive);
    encoder.write_header()?.write_image_data(bytes)?;
    println!("{}", path.display());
    Ok(())
}
