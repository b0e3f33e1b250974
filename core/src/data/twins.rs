//! The same image in two data sets.

use std::collections::HashSet;

use super::Dataset;

/// Images whose pixels are looked at at a time.
const BLOCK: i64 = 256;

impl Dataset {
    /// How many of these images are, pixel by pixel, also among those of `others`. Takes about half a second for
    /// CIFAR-10.
    pub fn count_in(&self, others: &[&Self]) -> usize {
        let own = self.image_hashes();
        let mut missing: HashSet<u64> = own.iter().copied().collect();
        for other in others.iter().filter(|other| other.image_shape() == self.image_shape()) {
            for hash in other.image_hashes() {
                missing.remove(&hash);
            }
        }
        own.iter().filter(|hash| !missing.contains(hash)).count()
    }

    /// A number for each image, the same for the same pixels.
    fn image_hashes(&self) -> Vec<u64> {
        let size = self.image_shape().iter().product::<i64>() as usize;
        let mut pixels = Vec::new();
        let mut hashes = Vec::with_capacity(self.len());
        for from in (0..self.len() as i64).step_by(BLOCK as usize) {
            let count = BLOCK.min(self.len() as i64 - from);
            pixels.resize(count as usize * size, 0f32);
            self.images
                .narrow(0, from, count)
                .contiguous()
                .view([-1])
                .copy_data(&mut pixels, count as usize * size);
            hashes.extend(pixels.chunks_exact(size).map(hash));
        }
        hashes
    }
}

/// Multiply and mix, two pixels at a time: quick, and 64 bits tell images apart.
fn hash(pixels: &[f32]) -> u64 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    pixels.chunks(2).fold(0, |hash, pair| {
        let word = pair.iter().fold(0, |word, pixel| (word << 32) | u64::from(pixel.to_bits()));
        mix(hash, word)
    })
}
