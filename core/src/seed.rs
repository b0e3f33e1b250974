//! Seeds instead of state: every unit of work derives its own random numbers from the job's seed
//! and its own index, so results do not depend on order, batch size, threads or interruptions.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use sha2::{Digest as _, Sha256};

/// The generator of one unit of work: `seed` of the job, a `purpose` (`"pgd-start"`), and indices.
///
/// The same arguments give the same numbers on every machine.
pub fn generator(seed: u64, purpose: &str, indices: &[u64]) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update((purpose.len() as u64).to_le_bytes());
    hash.update(purpose.as_bytes());
    for index in indices {
        hash.update(index.to_le_bytes());
    }
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// `count` independent standard normal numbers.
pub fn normal(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
    let normal: StandardNormal = StandardNormal;
    (0..count).map(|_| normal.sample(rng)).collect()
}

/// Seed of a draw of a weight perturbation: what its direction depends on besides names and shapes of tensors. Below
/// 2^53, so that every reader of JSON gets it right.
pub fn draw_seed(seed: u64, draw: usize) -> u64 {
    use rand::Rng as _;
    generator(seed, "weight-draw", &[draw as u64]).random::<u64>() >> 11
}
