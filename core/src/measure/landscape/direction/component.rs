//! Principal components of the networks of a training (Li et al. 2018, section 7.2).

use tch::{Device, Kind, Tensor};

use crate::error::{Error, Result};
use crate::model::{Network, Weights};

/// Principal components as combinations of differences of networks.
#[derive(Debug)]
pub struct Components {
    /// Of each component, the factor of every network's difference from the weights.
    pub factors: Vec<Vec<f64>>,
    /// Share of the variance that each explains.
    pub shares: Vec<f64>,
}

/// Elements whose products are summed in float64 at a time.
const CHUNK: i64 = 1 << 20;

/// The components of `networks` and of `weights` itself, largest variance first, each scaled so that the network that is
/// farthest from `weights` along it is one step away; the first of these lies on the positive side.
///
/// # Errors
/// There are fewer than two networks that differ, or as many components as are asked for do not exist.
pub fn components(networks: &[&Network], weights: &Weights, wanted: usize) -> Result<Components> {
    let _guard = tch::no_grad_guard();
    let count = networks.len() as i64;
    if count == 0 {
        return Err(Error::invalid(
            "there are no networks to find principal components of; give a training with snapshots",
        ));
    }
    let products = differences(networks, weights);
    // The weights themselves are a network of the path, with difference 0.
    let all = products.constant_pad_nd([0, 1, 0, 1]);
    let size = count + 1;
    let center = Tensor::eye(size, (Kind::Double, Device::Cpu)) - 1.0 / size as f64;
    let (values, vectors) = center.matmul(&all).matmul(&center).linalg_eigh("L");
    let values: Vec<f64> = Vec::try_from(&values)?;
    let total: f64 = values.iter().map(|value| value.max(0.0)).sum();
    let largest = values.last().copied().unwrap_or_default();
    let there = values.iter().filter(|value| **value > largest * 1e-10 && **value > 0.0).count();
    if wanted > there {
        return Err(Error::invalid(match there {
            0 => "the networks of the trajectory are all the same, or there is only one; give a training with snapshots".to_owned(),
            1 => "the networks of the trajectory lie on a line: there is one principal component".to_owned(),
            there => format!("component:{wanted} does not exist: the networks of the trajectory span {there} dimensions"),
        }));
    }
    let mut found = Components { factors: Vec::new(), shares: Vec::new() };
    for number in 0..wanted as i64 {
        let at = size - 1 - number;
        // The component is a combination of the differences; that of the weights themselves is 0.
        let factors = vectors.select(1, at).narrow(0, 0, count);
        let length = factors.dot(&products.mv(&factors)).double_value(&[]).max(0.0).sqrt();
        let places: Vec<f64> = Vec::try_from(products.mv(&factors) / length)?;
        let farthest = places
            .iter()
            .copied()
            .fold(0.0_f64, |most, place| if place.abs() > most.abs() { place } else { most });
        let factors: Vec<f64> = Vec::try_from(factors * (farthest / length))?;
        found.factors.push(factors);
        found.shares.push(values[at as usize] / total);
    }
    Ok(found)
}

/// Products of the differences of networks from `weights` with each other, in float64.
fn differences(networks: &[&Network], weights: &Weights) -> Tensor {
    let count = networks.len() as i64;
    let mut products = Tensor::zeros([count, count], (Kind::Double, Device::Cpu));
    let length = weights.layout().len;
    let part = |weights: &Weights, from: i64| {
        weights.flat().narrow(0, from, CHUNK.min(length - from)).to_device(Device::Cpu).to_kind(Kind::Double)
    };
    for from in (0..length).step_by(CHUNK as usize) {
        let origin = part(weights, from);
        let rows: Vec<Tensor> =
            networks.iter().map(|network| part(&network.weights, from) - &origin).collect();
        let rows = Tensor::stack(&rows, 0);
        products += rows.matmul(&rows.tr());
    }
    products
}
