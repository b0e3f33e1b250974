//! Curvature against the paper's program, dense matrices, known spectra and closed forms.

use std::path::PathBuf;

use basin_core::checkpoint;
use basin_core::data::load;
use basin_core::device::Precision;
use basin_core::job::{Compute, DataSelection, Hessian, HessianLoss, Job, Matrix, Pgd};
use basin_core::measure::hessian::lanczos::{Wanted, eigenpairs, quadrature, random};
use basin_core::measure::hessian::trace::hutch_plus_plus;
use basin_core::measure::hessian::{Curvature, HessianOutcome};
use basin_core::model::{Architecture, Family, Layout, Mlp, Network, Role, Weights};
use basin_core::progress::Silent;
use basin_core::record::{Outcome, Record};
use basin_core::run::{RunOptions, run};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use crate::support::{Npz, images, json, reference};

/// The images that the reference names: of MNIST, the test images 500 to 600 are all there are beside it.
fn data(name: &str, range: &Value) -> DataSelection {
    if name == "resnet_rebn_trained" {
        return DataSelection { name: "bundled".into(), examples: images(range).parse().unwrap() };
    }
    let name = reference("hessian/mnist").display().to_string();
    DataSelection { name, examples: "test:0..100".parse().unwrap() }
}

fn file(name: &str) -> PathBuf {
    reference(&format!("checkpoints/{name}.pth.tar"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn measured(job: &Hessian) -> (HessianOutcome, Record) {
    let record = run(&Job::Hessian(job.clone()), &RunOptions::default(), &mut Silent).unwrap();
    match record.outcome.clone() {
        Outcome::Hessian(outcome) => (outcome, record),
        _ => unreachable!("a Hessian job"),
    }
}

fn exact(precision: Precision) -> Compute {
    Compute { precision, ..Compute::default() }
}

#[test]
fn eigenvalues_are_those_of_the_papers_program() {
    let all = json("hessian/eigenvalues.json");
    for (name, ends) in [
        ("lenet_tiny", "exact_dense_f64"),
        ("lenet_bn_trained", "exact_lanczos_f64"),
        ("resnet_rebn_trained", "exact_lanczos_f64"),
    ] {
        let expected = &all[name];
        let (found, record) = measured(&Hessian {
            checkpoint: file(name),
            data: data(name, &expected["test_indices"]),
            ..Hessian::default()
        });
        let (top, bottom) = if name == "lenet_tiny" { ("top8", "bottom8") } else { ("top4", "bottom4") };
        let pairs = |found: &[basin_core::measure::hessian::Eigenvalue], key: &str| {
            for (found, expected) in found.iter().zip(numbers(&expected[ends][key])) {
                let off = (found.value - expected).abs() / expected.abs();
                assert!(off < 1e-4, "{name}: {} for {expected}", found.value);
            }
        };
        assert_eq!((found.largest.len(), found.smallest.len()), (4, 4));
        pairs(&found.largest, top);
        pairs(&found.smallest, bottom);
        assert_eq!(found.weights as u64, expected["N"].as_u64().unwrap(), "{name}");
        let loss = found.clean.unwrap().loss;
        assert!((loss - expected["loss_f64"].as_f64().unwrap()).abs() < 1e-5, "{name}: {loss}");
        assert!(record.provenance.warnings.iter().all(|warning| !warning.contains("residuals")), "{name}");
        let ratio = found.convexity_ratio.unwrap();
        assert!((ratio + found.smallest[0].value / found.largest[0].value).abs() < 1e-12);
    }
}

/// A network with its images, in float64.
struct Exact {
    network: Network,
    batches: Vec<(Tensor, Tensor)>,
}

impl Exact {
    fn of(name: &str) -> Self {
        let network = checkpoint::open(&file(name)).unwrap().network.to(Device::Cpu, Kind::Double);
        let selection = data(name, &json("hessian/eigenvalues.json")[name]["test_indices"]);
        let dataset = load(&selection.name, &selection.examples).unwrap();
        // Unequal batches, whose mean is not the mean of their means.
        let sizes = [20, dataset.len() as i64 - 20];
        let images = dataset.images.to_kind(Kind::Double).split_with_sizes(sizes.as_slice(), 0);
        let labels = dataset.labels.split_with_sizes(sizes.as_slice(), 0);
        Self { network, batches: images.into_iter().zip(labels).collect() }
    }

    fn curvature(&self, matrix: Matrix) -> Curvature<'_> {
        let which = matrices(self.network.layout());
        Curvature::new(&self.network, self.network.weights.copy(), which, &self.batches, matrix)
    }
}

/// Tensors with more than one axis.
fn matrices(layout: &Layout) -> Vec<usize> {
    let entries = layout.entries.iter().enumerate();
    let chosen = entries.filter(|(_, entry)| entry.role == Role::Weight && entry.shape.len() > 1);
    chosen.map(|(index, _)| index).collect()
}

#[test]
fn products_are_those_of_the_papers_program() {
    for (name, every) in [("lenet_tiny", 1), ("lenet_bn_trained", 1), ("resnet_rebn_trained", 50)] {
        let exact = Exact::of(name);
        let curvature = exact.curvature(Matrix::Hessian);
        let vector = ((Tensor::arange(curvature.size(), (Kind::Double, Device::Cpu)) + 1.0) * 0.7).sin();
        let vector = &vector / vector.norm();
        let product = curvature.times(&vector, &mut || Ok(())).unwrap();
        let stored = Npz::open(&format!("hessian/{name}_hvp.npz"));
        let key = if every == 1 { "Hv" } else { "Hv_every_50th" };
        let expected = stored.get(key).to_kind(Kind::Double);
        let found = product.slice(0, None, None, every);
        let off = ((&found - &expected).norm() / expected.norm()).double_value(&[]);
        assert!(off < 1e-7, "{name}: {off:e}");
    }
}

#[test]
fn lanczos_agrees_with_the_dense_matrix_of_a_tiny_network() {
    let exact = Exact::of("lenet_tiny");
    let curvature = exact.curvature(Matrix::Hessian);
    let mut times = |vector: &Tensor| curvature.times(vector, &mut || Ok(()));
    let start = random(7, "test", 0, curvature.size(), curvature.like());
    let wanted = Wanted { top: 5, bottom: 5, tolerance: 1e-9, products: 1000 };
    let found = eigenpairs(&mut times, &start, wanted, 7).unwrap();
    assert!(found.converged, "{} products", found.products);
    let spectrum = Npz::open("hessian/lenet_tiny_hvp.npz");
    let mut spectrum: Vec<f64> = Vec::try_from(spectrum.get("eigenvalues").to_kind(Kind::Double)).unwrap();
    spectrum.sort_by(f64::total_cmp);
    for at in 0..5 {
        let (largest, smallest) = (spectrum[spectrum.len() - 1 - at], spectrum[at]);
        assert!(
            (found.largest[at].value - largest).abs() < 1e-8,
            "{} for {largest}",
            found.largest[at].value
        );
        assert!((found.smallest[at].value - smallest).abs() < 1e-8, "{}", found.smallest[at].value);
    }
    // Eigenvectors have unit length, are orthogonal, and satisfy the residual that is reported.
    let gram = found.vectors.matmul(&found.vectors.tr());
    let off = (gram - Tensor::eye(10, (Kind::Double, Device::Cpu))).abs().max().double_value(&[]);
    assert!(off < 1e-10, "{off:e}");
    for (at, pair) in found.largest.iter().chain(&found.smallest).enumerate() {
        let vector = found.vectors.get(at as i64);
        let residual = (times(&vector).unwrap() - &vector * pair.value).norm().double_value(&[]);
        assert!(
            (residual - pair.residual).abs() < 1e-8 * found.largest[0].value,
            "{residual:e} for {:e}",
            pair.residual
        );
    }
}

/// A symmetric matrix with this spectrum.
fn with_spectrum(values: &[f64]) -> Tensor {
    let size = values.len() as i64;
    let mixed = random(3, "mix", 0, size * size, (Kind::Double, Device::Cpu)).view([size, size]);
    let (rotation, _) = Tensor::linalg_qr(&mixed, "reduced");
    (&rotation * Tensor::from_slice(values)).matmul(&rotation.tr())
}

#[test]
fn known_spectra_are_found() {
    // Ends that stand out, multiple eigenvalues, nothing at all, and fewer rows than a basis has.
    let bulk: Vec<f64> = (0..300).map(|at| f64::from(at) / 300.0).collect();
    let spectra = [
        [&bulk[..], &[50.0, 20.0, 20.0, -3.0, -3.0, -1.0]].concat(),
        vec![2.0; 40],
        vec![0.0; 30],
        vec![1.0, 2.0, 3.0],
    ];
    for mut values in spectra {
        let matrix = with_spectrum(&values);
        let mut times = |vector: &Tensor| Ok(matrix.mv(vector));
        let start = random(1, "start", 0, values.len() as i64, (Kind::Double, Device::Cpu));
        let wanted = Wanted { top: 3, bottom: 3.min(values.len()), tolerance: 1e-9, products: 600 };
        let found = eigenpairs(&mut times, &start, wanted, 1).unwrap();
        values.sort_by(f64::total_cmp);
        let scale = values.iter().fold(1.0_f64, |most, value| most.max(value.abs()));
        for (at, pair) in found.largest.iter().enumerate() {
            let expected = values[values.len() - 1 - at];
            assert!((pair.value - expected).abs() < 1e-8 * scale, "{} for {expected}", pair.value);
        }
        for (at, pair) in found.smallest.iter().enumerate() {
            assert!((pair.value - values[at]).abs() < 1e-8 * scale, "{} for {}", pair.value, values[at]);
        }
        assert!(found.converged);
    }
}

#[test]
fn trace_and_density_of_known_spectra() {
    let mut values: Vec<f64> = (0..400).map(|at| (f64::from(at) * 0.37).sin()).collect();
    values.extend([100.0, 60.0, 30.0]);
    let sum: f64 = values.iter().sum();
    let matrix = with_spectrum(&values);
    let mut times = |vector: &Tensor| Ok(matrix.mv(vector));
    let like = (Kind::Double, Device::Cpu);
    let size = values.len() as i64;
    // Over seeds, the truth is within two standard errors about as often as it should be.
    let mut within = 0;
    for seed in 0..40 {
        let trace = hutch_plus_plus(&mut times, size, 60, seed, like).unwrap();
        assert!(trace.standard_error < 0.1 * sum.abs(), "{trace:?}");
        within += usize::from((trace.value - sum).abs() < 2.1 * trace.standard_error);
    }
    assert!(within >= 34, "{within} of 40");
    let exact = hutch_plus_plus(&mut times, size, 3 * values.len(), 0, like).unwrap();
    assert!((exact.value - sum).abs() < 1e-8 && exact.standard_error == 0.0, "{exact:?}");
    // Quadrature has the moments of the spectrum, on average over vectors.
    let (mut mean, mut weight_above) = (0.0, 0.0);
    for number in 0..20 {
        let start = random(5, "quadrature", number, size, like);
        let (found, _) = quadrature(&mut times, &start, 40, 5).unwrap();
        assert!((found.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        mean +=
            found.nodes.iter().zip(&found.weights).map(|(node, weight)| node * weight).sum::<f64>() / 20.0;
        let above = found.nodes.iter().zip(&found.weights).filter(|(node, _)| **node > 10.0);
        weight_above += above.map(|(_, weight)| weight).sum::<f64>() / 20.0;
    }
    assert!((mean - sum / size as f64).abs() < 0.15, "{mean} for {}", sum / size as f64);
    assert!((weight_above - 3.0 / size as f64).abs() < 0.003, "{weight_above}");
}

/// Of softmax regression Hessian and Gauss-Newton are the same: `(diag p - p p^T) x x^T`, averaged.
#[test]
fn softmax_regression_has_its_closed_form() {
    let architecture = Architecture {
        family: Family::Mlp(Mlp { units: vec![] }),
        classes: 3,
        resolution: [1, 1, 4],
        normalization: None,
        whiten: false,
        ..Architecture::default()
    };
    let network = Network::fresh(architecture.topology().unwrap(), 2).to(Device::Cpu, Kind::Double);
    let inputs = random(9, "inputs", 0, 24, (Kind::Double, Device::Cpu)).sigmoid().view([6, 1, 1, 4]);
    let labels = Tensor::from_slice(&[0i64, 1, 2, 0, 1, 2]);
    let params = network.params(&network.weights);
    let logits = inputs.view([6, 4]).matmul(&params.get("logits.weight").tr()) + params.get("logits.bias");
    let p = logits.softmax(1, Kind::Double);
    let mut dense = Tensor::zeros([12, 12], (Kind::Double, Device::Cpu));
    for example in 0..6 {
        let (p, x) = (p.get(example), inputs.get(example).view([4]));
        let block = Tensor::diag(&p, 0) - p.outer(&p);
        dense += Tensor::kron(&block, &x.outer(&x)) / 6.0;
    }
    let batches = vec![
        (inputs.narrow(0, 0, 2), labels.narrow(0, 0, 2)),
        (inputs.narrow(0, 2, 4), labels.narrow(0, 2, 4)),
    ];
    let which = matrices(network.layout());
    for matrix in [Matrix::Hessian, Matrix::GaussNewton] {
        let curvature = Curvature::new(&network, network.weights.copy(), which.clone(), &batches, matrix);
        for at in 0..12 {
            let unit = Tensor::zeros([12], (Kind::Double, Device::Cpu));
            let _ = unit.get(at).fill_(1.0);
            let off = (curvature.times(&unit, &mut || Ok(())).unwrap() - dense.get(at))
                .abs()
                .max()
                .double_value(&[]);
            assert!(off < 1e-12, "{matrix:?}: {off:e}");
        }
    }
}

#[test]
fn products_are_differences_of_gradients_in_every_family() {
    for name in ["f2_preact18_bn", "f4_dm_wrn16_1", "f5_dm_preact18"] {
        let path = reference(&format!("families/checkpoints/{name}.pt"));
        let network = checkpoint::open(&path).unwrap().network.to(Device::Cpu, Kind::Double);
        let dataset = load("bundled", &"test:0..4".parse().unwrap()).unwrap();
        let batches = vec![(dataset.images.to_kind(Kind::Double), dataset.labels.copy())];
        let which = network.layout().movable();
        let at =
            |weights: Weights| Curvature::new(&network, weights, which.clone(), &batches, Matrix::Hessian);
        let here = at(network.weights.copy());
        let vector = random(4, "direction", 0, here.size(), here.like());
        let vector = &vector / vector.norm();
        let step = 1e-6;
        let moved = |factor: f64| {
            let flat = network.weights.flat() + here.expand(&vector) * factor;
            at(Weights::from_flat(network.layout().clone(), flat)).gradient()
        };
        let difference = (moved(step) - moved(-step)) / (2.0 * step);
        let product = here.times(&vector, &mut || Ok(())).unwrap();
        let off = ((&difference - &product).norm() / product.norm()).double_value(&[]);
        // Of networks with ReLU some units change sides within the step.
        let most = if name.starts_with("f2") { 5e-2 } else { 1e-5 };
        assert!(off < most, "{name}: {off:e}");
    }
}

#[test]
fn everything_at_once_on_the_robust_loss() {
    let job = Hessian {
        checkpoint: file("resnet_rebn_trained"),
        data: DataSelection { name: "bundled".into(), examples: "test:0..24".parse().unwrap() },
        loss: HessianLoss::Robust,
        top: 2,
        bottom: 1,
        trace: true,
        density: true,
        per_layer: true,
        tensors: "block0.0.conv*.weight,logits.weight".into(),
        trace_products: 12,
        density_vectors: 3,
        density_steps: 8,
        attack: Pgd { steps: 3, ..Pgd::default() },
        compute: exact(Precision::F32),
        ..Hessian::default()
    };
    let (found, _) = measured(&job);
    assert!(found.robust.unwrap().loss > found.clean.unwrap().loss);
    assert_eq!((found.largest.len(), found.smallest.len(), found.per_layer.len()), (2, 1, 3));
    // No block has a larger eigenvalue than the whole (Cauchy's interlacing).
    for layer in &found.per_layer {
        assert!(layer.largest[0].value <= found.largest[0].value * 1.001, "{layer:?}");
        assert!(layer.smallest[0].value >= found.smallest[0].value * 1.001, "{layer:?}");
    }
    let density = found.density.unwrap();
    let integral: f64 = density.x.windows(2).zip(&density.y).map(|(x, y)| (x[1] - x[0]) * y).sum();
    assert!((integral - 1.0).abs() < 1e-3, "{integral}");
    assert!(density.low.iter().zip(&density.high).all(|(low, high)| low <= high));
    let trace = found.trace.unwrap();
    assert!(trace.value.is_finite() && trace.standard_error >= 0.0);
    // Gauss-Newton has no negative eigenvalue.
    let (positive, _) = measured(&Hessian {
        matrix: Matrix::GaussNewton,
        per_layer: false,
        trace: false,
        density: false,
        ..job
    });
    assert!(positive.smallest[0].value > -1e-4 * positive.largest[0].value, "{positive:?}");
    assert!(positive.convexity_ratio.unwrap() < 1e-3);
}

#[test]
fn what_cannot_be_is_said_in_one_sentence() {
    let job = Hessian {
        checkpoint: file("lenet_tiny"),
        data: DataSelection { examples: "test:0..1".parse().unwrap(), ..data("lenet_tiny", &Value::Null) },
        ..Hessian::default()
    };
    let refused = |job: &Hessian| {
        run(&Job::Hessian(job.clone()), &RunOptions::default(), &mut Silent).unwrap_err().to_string()
    };
    let few = Hessian { tensors: "logits.bias".into(), top: 8, bottom: 8, ..job.clone() };
    assert!(refused(&few).contains("16 eigenvalues of a matrix of 10 rows"), "{}", refused(&few));
    let nothing = Hessian { top: 0, bottom: 0, ..job.clone() };
    assert!(refused(&nothing).contains("there is nothing to compute"));
    assert!(refused(&Hessian { tolerance: 0.0, ..job.clone() }).contains("tolerance 0"));
    assert!(refused(&Hessian { tensors: "nowhere".into(), ..job.clone() }).contains("nowhere"));
    // One example is enough, and too few products are said.
    let (found, record) = measured(&Hessian { products: 9, top: 3, bottom: 3, tolerance: 1e-6, ..job });
    assert_eq!(found.products, 9);
    assert!(record.provenance.warnings.join("").contains("larger residuals than the tolerance"));
}
