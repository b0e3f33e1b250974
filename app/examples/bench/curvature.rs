//! A product of the Hessian with a vector against gradients, and against differentiating the plain network twice, as a
//! PyTorch loop does.

use basin_core::data::{Examples, Split, load};
use basin_core::loss::cross_entropy;
use basin_core::measure::hessian::lanczos::random;
use basin_core::measure::hessian::{Curvature, Matrix, Wanted};
use basin_core::model::{Mode, Network, logits};
use tch::{Kind, Tensor};

use super::pairs::{compare, interleave, median};
use super::{Results, widened};

/// Images of a batch.
const IMAGES: i64 = 50;

pub fn run(results: &mut Results) -> anyhow::Result<()> {
    let network = widened::network()?;
    let examples = Examples { split: Split::Test, start: 0, end: IMAGES as isize };
    let dataset = load("bundled", &examples)?;
    let batches = vec![(dataset.images.narrow(0, 0, IMAGES), dataset.labels.narrow(0, 0, IMAGES))];
    let which: Vec<usize> = network.layout().movable();
    let curvature =
        Curvature::new(&network, network.weights.copy(), which.clone(), &batches, Matrix::Hessian);
    let vector = random(0, "bench", 0, curvature.size(), curvature.like());
    // The graph of the gradient is kept from the first product on.
    let mut product = || drop(curvature.times(&vector, &mut || Ok(())).expect("it is not stopped"));
    let mut gradient = || drop(curvature.gradient());
    let direction = curvature.expand(&vector);
    let mut plain = || drop(twice(&network, &which, &batches[0], &direction));
    let times = interleave(5, &mut [&mut product, &mut gradient, &mut plain]);
    let [ours, gradient, plain] = times.as_slice() else { unreachable!("three ways") };
    let ratio = median(ours.clone()) / median(gradient.clone());
    results.figure("Hessian-vector product, in gradients", ratio, "times");
    results.compare("Hessian-vector product, ResNet-18", &compare(ours, plain));
    largest(results)
}

/// The four largest eigenvalues, with residuals of a thousandth, by Lanczos and by power iteration with deflation, of the
/// narrow network.
fn largest(results: &mut Results) -> anyhow::Result<()> {
    const WANTED: usize = 4;
    const TOLERANCE: f64 = 1e-3;
    /// Products for one eigenvalue.
    const MOST: usize = 150;
    let path = basin_core::checkpoint::bundled_path()?;
    let network = basin_core::checkpoint::open(&path)?.network;
    let examples = Examples { split: Split::Test, start: 0, end: IMAGES as isize };
    let dataset = load("bundled", &examples)?;
    let batches = vec![(dataset.images.shallow_clone(), dataset.labels.shallow_clone())];
    let which = network.layout().movable();
    let curvature = Curvature::new(&network, network.weights.copy(), which, &batches, Matrix::Hessian);
    let wanted = Wanted { top: WANTED, bottom: 0, tolerance: TOLERANCE, products: MOST * WANTED };
    let (mut lanczos_products, mut power_products, mut settled) = (0, 0, 0);
    let mut lanczos = || {
        let found = curvature.extremes(wanted, 0, &mut |_| Ok(())).expect("it is not stopped");
        lanczos_products = found.products;
    };
    let mut power = || {
        let mut vectors: Vec<Tensor> = Vec::new();
        (power_products, settled) = (0, 0);
        for number in 0..WANTED {
            let mut vector = random(0, "power", number as u64, curvature.size(), curvature.like());
            for _ in 0..MOST {
                for other in &vectors {
                    vector = &vector - other * vector.dot(other);
                }
                vector = &vector / vector.norm();
                let mut product = curvature.times(&vector, &mut || Ok(())).expect("it is not stopped");
                power_products += 1;
                for other in &vectors {
                    product = &product - other * product.dot(other);
                }
                let value = vector.dot(&product).double_value(&[]);
                let residual = (&product - &vector * value).norm().double_value(&[]);
                if residual <= TOLERANCE * value.abs() {
                    settled += 1;
                    break;
                }
                vector = product;
            }
            vectors.push(&vector / vector.norm());
        }
    };
    let times = interleave(1, &mut [&mut lanczos, &mut power]);
    results.compare("four largest eigenvalues", &compare(&times[0], &times[1]));
    results.figure("  products of Lanczos", lanczos_products as f64, "");
    results.figure("  products of power iteration", power_products as f64, "");
    results.figure("  eigenvalues that it settled", settled as f64, "of 4");
    Ok(())
}

/// The plain network differentiated twice, tensor by tensor.
fn twice(
    network: &Network,
    which: &[usize],
    (images, labels): &(Tensor, Tensor),
    flat: &Tensor,
) -> Vec<Tensor> {
    tch::with_grad(|| {
        let (params, leaves) = network.leaves(&network.weights, which);
        let logits = logits(&network.topology, &params, images, Mode::Evaluate);
        let loss = cross_entropy(&logits, labels).mean(Kind::Float);
        let gradients = Tensor::run_backward(&[loss], &leaves, true, true);
        let entries = &network.layout().entries;
        let parts = gradients.iter().zip(which).map(|(gradient, index)| {
            let entry = &entries[*index];
            (gradient * flat.narrow(0, entry.offset, entry.len).view_as(gradient)).sum(Kind::Float)
        });
        let slope = parts.reduce(|sum, part| sum + part).expect("there are tensors");
        Tensor::run_backward(&[slope], &leaves, false, false)
    })
}
