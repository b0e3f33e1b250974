//! The trace of a matrix that is known by its products with vectors.

use tch::{Device, Kind, Tensor};

use super::lanczos::Times;
use super::outcome::Trace;
use crate::error::Result;
use crate::seed::generator;

/// Hutch++ (Meyer, Musco, Musco and Woodruff 2021): the trace within the range of a third of the products exactly, of the
/// rest by random signs. The standard error is that of the rest.
///
/// # Errors
/// As `times`.
pub fn hutch_plus_plus(
    times: Times,
    size: i64,
    products: usize,
    seed: u64,
    (kind, device): (Kind, Device),
) -> Result<Trace> {
    let rank = (products as i64 / 3).min(size);
    let signs = |index: i64| signs(seed, index as u64, size).to_kind(kind).to_device(device);
    let sketch: Result<Vec<Tensor>> = (0..rank).map(|index| times(&signs(index))).collect();
    let (range, _) = Tensor::linalg_qr(&Tensor::stack(&sketch?, 1), "reduced");
    let double = |tensor: &Tensor| tensor.to_kind(Kind::Double);
    let mut within = 0.0;
    for index in 0..range.size()[1] {
        let vector = range.select(1, index);
        within += double(&vector).dot(&double(&times(&vector)?)).double_value(&[]);
    }
    if rank == size {
        return Ok(Trace { value: within, standard_error: 0.0 });
    }
    let mut rest = Vec::new();
    for index in rank..rank + (products as i64 - 2 * rank) {
        let vector = signs(index);
        let outside = &vector - range.mv(&range.tr().mv(&vector));
        rest.push(double(&outside).dot(&double(&times(&outside)?)).double_value(&[]));
    }
    let count = rest.len() as f64;
    let mean = rest.iter().sum::<f64>() / count;
    let variance = rest.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    Ok(Trace { value: within + mean, standard_error: (variance / count).sqrt() })
}

/// A vector of random signs.
fn signs(seed: u64, index: u64, size: i64) -> Tensor {
    use rand::Rng as _;
    let mut rng = generator(seed, "trace-signs", &[index]);
    let values: Vec<f32> = (0..size).map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 }).collect();
    Tensor::from_slice(&values)
}
