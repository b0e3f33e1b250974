//! Single runs from stored starts, as the paper's program computed them, and the schedules against formulas.

use basin_core::attack::InputNorm;
use basin_core::attack::autoattack::Subject;
use basin_core::attack::autoattack::apgd::{self, Apgd, Loss};
use basin_core::attack::autoattack::fab::{self, Fab};
use basin_core::attack::autoattack::projection::onto_hyperplane;
use basin_core::attack::autoattack::square::Square;
use basin_core::checkpoint;
use basin_core::loss::{class_logits, dlr, dlr_targeted};
use basin_core::model::{Evaluator, Network};
use tch::{Device, Kind, Tensor};

use crate::support::{Npz, count, json, max_abs_difference, number, reference};

const MODELS: [&str; 2] = ["lenet_bn_trained", "resnet_rebn_trained"];
const PRECISIONS: [(&str, Kind, f64); 2] = [("f64", Kind::Double, 1e-4), ("f32", Kind::Float, 1e-3)];

pub fn open(name: &str) -> Network {
    checkpoint::open(&reference(&format!("checkpoints/{name}.pth.tar"))).unwrap().network
}

pub fn evaluator(network: &Network, kind: Kind) -> Evaluator {
    Evaluator::new(network, &network.weights, Device::Cpu, kind, false)
}

/// The class with the `rank`-th highest logit, from 1.
fn class_of_rank(model: &Evaluator, images: &Tensor, rank: i64) -> Tensor {
    class_logits(&model.logits(images)).sort(1, true).1.select(1, rank - 1)
}

fn share_beyond(got: &Tensor, expected: &Tensor, tolerance: f64) -> f64 {
    (got - expected).abs().gt(tolerance).to_kind(Kind::Double).mean(Kind::Double).double_value(&[])
}

#[test]
fn apgd_follows_the_reference_from_its_starts() {
    let settings = json("autoattack/deterministic.json");
    let steps = count(&settings, &["iterations_apgd"]);
    for name in MODELS {
        let network = open(name);
        let arrays = Npz::open(&format!("autoattack/deterministic_{name}.npz"));
        let (images, labels) = (arrays.get("images"), arrays.get("labels"));
        for (precision, kind, tolerance) in PRECISIONS {
            let model = evaluator(&network, kind);
            let subject = Subject { model: &model, images, labels, judge: None };
            for (norm, key, radius, draw) in [
                (InputNorm::Linf, "Linf", "eps", arrays.get("uniform_draw") * 2.0 - 1.0),
                (InputNorm::L2, "L2", "l2_eps", arrays.get("normal_draw").copy()),
            ] {
                let epsilon = number(&settings, &[name, radius]);
                let apgd = Apgd { rho: number(&settings, &["rho"]), ..Apgd::new(norm, epsilon, steps) };
                let (second, fifth) = (class_of_rank(&model, images, 2), class_of_rank(&model, images, 5));
                for (what, loss) in [
                    ("ce", Loss::CrossEntropy),
                    ("dlr", Loss::Dlr),
                    ("t2", Loss::DlrTargeted(&second)),
                    ("t5", Loss::DlrTargeted(&fifth)),
                ] {
                    let apgd = Apgd { shared_step: what.starts_with('t'), ..apgd };
                    let found = apgd::run(&apgd, loss, &subject, &draw, &mut || Ok(())).unwrap();
                    let key = format!("apgd_{what}_{key}__{precision}");
                    let difference =
                        max_abs_difference(&found.best_loss, arrays.get(&format!("{key}__best_loss")));
                    assert!(difference <= tolerance, "{name} {key}: best loss differs by {difference:e}");
                    let robust = arrays.get(&format!("{key}__robust"));
                    assert!(found.robust.equal(robust), "{name} {key}: {:?}", found.robust);
                    if let Some(expected) = arrays.find(&format!("{key}__x_best_minus_x")) {
                        // Their losses agree, but rounding, which differs between instruction sets, may lead one image
                        // to another point of this loss.
                        let differs = (&found.best - images - expected).abs().gt(1e-4).to_kind(Kind::Double);
                        let of_image = differs.mean_dim([1i64, 2, 3].as_slice(), false, Kind::Double);
                        let others = of_image.sum(Kind::Double) - of_image.max();
                        let share = others.double_value(&[]) / (of_image.size()[0] - 1) as f64;
                        assert!(
                            share <= 0.01,
                            "{name} {key}: {:.2} % of the perturbation differs",
                            100.0 * share
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn fab_follows_the_reference() {
    let settings = json("autoattack/deterministic.json");
    let steps = count(&settings, &["iterations_fab"]);
    for name in MODELS {
        let network = open(name);
        let arrays = Npz::open(&format!("autoattack/deterministic_{name}.npz"));
        let (images, labels) = (arrays.get("images"), arrays.get("labels"));
        for (precision, kind, tolerance) in PRECISIONS {
            let model = evaluator(&network, kind);
            let subject = Subject { model: &model, images, labels, judge: None };
            for (norm, key) in [(InputNorm::Linf, "Linf"), (InputNorm::L2, "L2")] {
                for (what, rank) in [("fab", None), ("fab_t2", Some(2)), ("fab_t4", Some(4))] {
                    let targets = rank.map(|rank| class_of_rank(&model, images, rank));
                    // Without a random start the radius has no effect.
                    let fab = Fab {
                        alpha_max: number(&settings, &["fab", "alpha_max"]),
                        eta: number(&settings, &["fab", "eta"]),
                        beta: number(&settings, &["fab", "beta"]),
                        ..Fab::new(norm, 0.1, steps)
                    };
                    let found = fab::run(&fab, targets.as_ref(), &subject, None, &mut || Ok(())).unwrap();
                    let key = format!("{what}_{key}__{precision}__delta");
                    let norms: Vec<f64> =
                        serde_json::from_value(settings[name]["norms"][&key].clone()).unwrap();
                    let difference = max_abs_difference(&found.norm, &Tensor::from_slice(&norms));
                    // Norms are of the size of the image for L2; a percent of the entries may be tipped by rounding.
                    assert!(difference <= 10.0 * tolerance, "{name} {key}: norm differs by {difference:e}");
                    if let Some(expected) = arrays.find(&key) {
                        let share = share_beyond(&(&found.point - images), expected, 1e-3);
                        assert!(
                            share <= 0.01,
                            "{name} {key}: {:.2} % of the perturbation differs",
                            100.0 * share
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn projections_onto_hyperplanes_are_those_of_the_reference() {
    let arrays = Npz::open("autoattack/fab_projection.npz");
    let [points, normals, offsets] = ["points", "w", "b"].map(|name| arrays.get(name));
    for (norm, name) in [(InputNorm::Linf, "linf"), (InputNorm::L2, "l2"), (InputNorm::L1, "l1")] {
        let got = onto_hyperplane(norm, points, normals, offsets);
        let difference = max_abs_difference(&got, arrays.get(name));
        assert!(difference <= 2e-5, "{name} differs by {difference:e}");
    }
}

#[test]
fn ratio_losses_are_those_of_the_reference() {
    let arrays = Npz::open("autoattack/arrays.npz");
    let [logits, labels, targets] = ["dlr_logits", "dlr_labels", "dlr_targets"].map(|name| arrays.get(name));
    assert!(max_abs_difference(&dlr(logits, labels), arrays.get("dlr_loss")) <= 1e-6);
    let targeted = dlr_targeted(logits, labels, targets);
    assert!(max_abs_difference(&targeted, arrays.get("dlr_loss_targeted")) <= 1e-6);
}

#[test]
fn squares_shrink_by_the_schedule() {
    let schedule = &json("autoattack/deterministic.json")["square_p"];
    let (linf, l2) = (Square::new(InputNorm::Linf, 0.1, 5000), Square::new(InputNorm::L2, 0.1, 5000));
    let values = |key: &str| -> Vec<f64> { serde_json::from_value(schedule[key].clone()).unwrap() };
    for (query, expected) in values("iterations").into_iter().zip(values("p")) {
        assert_eq!(linf.share(query as usize), expected, "query {query}");
    }
    let sides = [(0, 29), (11, 20), (51, 14), (201, 10), (501, 7), (1001, 5), (4000, 4), (4001, 3)];
    for (query, side) in sides {
        assert_eq!(linf.side(query, 32, 32), side, "query {query}");
    }
    // Odd and at least 3 for L2, never wider than the image.
    assert_eq!(l2.side(11, 32, 32), 21);
    assert_eq!(l2.side(9000, 32, 32), 3);
    assert_eq!(linf.side(0, 4, 100), 4);
    // Fitted to 100 queries, the schedule of 10,000 passes a hundred times as fast; the first squares may be smaller.
    let short = Square { queries: 100, rescale_schedule: true, ..linf };
    let whole = Square { queries: 10_000, ..linf };
    assert!((0..100).all(|query| short.share(query) == whole.share(100 * query)));
    assert_eq!(Square { p_init: 0.3, ..linf }.share(11), 0.15);
}
