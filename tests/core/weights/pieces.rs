//! Projections, normalizations and norms of stored vectors, against the reference program.

use basin_core::attack::weights::{
    Ball, Normalizer, Projection, Projector, Sampling, Scope, Tensors, WeightBlocks, WeightGradient,
    WeightNorm,
};
use basin_core::job::Normalization;
use basin_core::measure::landscape::direction::scale;
use basin_core::model::{Entry, Layer, Network, Topology, Weights};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::{close, gather, numbers, open, spread};
use crate::support::{Npz, json, number, relative_difference};

struct Stored {
    arrays: Npz,
    weights: Weights,
    which: Vec<usize>,
    prefix: &'static str,
}

impl Stored {
    fn all() -> [Self; 2] {
        ["all", "nonorm"].map(|prefix| {
            let network = open("lenet_tiny");
            let tensors = if prefix == "all" { Tensors::All } else { Tensors::NoNormalization };
            let which = tensors.select(network.layout()).unwrap();
            let index = json("pieces/weight_space.json");
            let expected: Vec<usize> = serde_json::from_value(index[prefix].clone()).unwrap();
            assert_eq!(which, expected, "tensors {prefix}");
            Self { arrays: Npz::open("pieces/weight_space.npz"), weights: network.weights, which, prefix }
        })
    }

    fn get(&self, key: &str) -> &Tensor {
        self.arrays.get(&format!("{}__{key}", self.prefix))
    }

    fn flat(&self, key: &str) -> Tensor {
        spread(self.weights.layout(), &self.which, self.get(key), Kind::Float)
    }

    /// Weights of the attacked tensors after projecting the stored perturbation.
    fn projected(&self, projections: &[Projection]) -> Tensor {
        let projector = Projector::new(projections, &self.weights, &self.which);
        let moved = projector.project(&self.flat("delta"));
        let twice = projector.project(&moved);
        let size = moved.abs().max().double_value(&[]);
        // Of several, each undoes a little of what the others did.
        assert!(
            projections.len() > 1 || (&twice - &moved).abs().max().double_value(&[]) <= 1e-6 * size,
            "{projections:?} twice"
        );
        gather(self.weights.layout(), &self.which, &(self.weights.flat() + moved))
    }

    fn check(&self, key: &str, projections: &[Projection]) {
        let difference = relative_difference(&self.projected(projections), self.get(key));
        assert!(difference <= 1e-6, "{} {key}: {difference:e}", self.prefix);
    }

    /// There a matrix is one piece; here its rows are.
    fn check_but_matrices(&self, key: &str, projections: &[Projection]) {
        let (found, expected) = (self.projected(projections), self.get(key));
        let mut from = 0;
        for entry in self.which.iter().map(|i| &self.weights.layout().entries[*i]) {
            let part = |flat: &Tensor| flat.narrow(0, from, entry.len);
            let difference = relative_difference(&part(&found), &part(expected));
            assert!(entry.shape.len() == 2 || difference <= 1e-6, "{key} {}: {difference:e}", entry.name);
            from += entry.len;
        }
    }

    /// Values of a formula `a+bk` or `a-bk` at the positions k of the tensors.
    fn by_position(&self, formula: &Value) -> Vec<f64> {
        let formula = formula.as_str().and_then(|text| text.strip_suffix('k')).unwrap();
        let sign = formula.rfind(['+', '-']).unwrap();
        let [constant, factor] =
            [&formula[..sign], &formula[sign..]].map(|part| part.parse::<f64>().unwrap());
        (0..self.which.len()).map(|k| constant + factor * k as f64).collect()
    }
}

fn ball(scope: Scope, radius: f64, relative: bool) -> Projection {
    Projection::Ball(Ball { scope, norm: WeightNorm::L2, radius, relative })
}

#[test]
fn projections_are_those_of_the_reference_program() {
    for stored in Stored::all() {
        assert_eq!(
            numbers(&gather(stored.weights.layout(), &stored.which, stored.weights.flat())),
            numbers(stored.get("reference"))
        );
        let everything = stored.weights.norm();
        let settings = &json("pieces/weight_space.json")["projection_parameters"];
        let rate = number(settings, &["rate"]);
        let clip = |key: &str| {
            let [min, max] = [&settings[key][0], &settings[key][1]].map(Value::as_f64);
            Projection::Box { min, max }
        };
        let layers = ball(Scope::Layer, rate, true);
        stored.check("project_layerwise_l2", std::slice::from_ref(&layers));
        stored.check_but_matrices("project_filterwise_l2", &[ball(Scope::Filter, rate, true)]);
        let absolute = number(settings, &["l2_abs"]);
        stored.check(&format!("project_l2_abs_{absolute}"), &[ball(Scope::Global, absolute, false)]);
        // There a relative radius of the whole model counts every parameter, attacked or not.
        stored.check("project_l2_rel", &[ball(Scope::Global, rate * everything, false)]);
        stored.check("project_box", &[clip("box")]);
        stored.check("project_box_upper_only", &[clip("box_upper_only")]);
        let low = stored.by_position(&settings["layerwise_box_lo"]);
        let bounds = low.into_iter().zip(stored.by_position(&settings["layerwise_box_hi"])).collect();
        stored.check("project_layerwise_box", &[Projection::LayerBox(bounds)]);
        let relative = &settings["relative_layerwise_box"];
        let fractions = stored.by_position(&relative["fractions"]);
        let (min, max) = (number(relative, &["min"]), number(relative, &["max"]));
        stored.check("project_relative_layerwise_box", &[Projection::relative_boxes(min, max, &fractions)]);
        stored.check("project_reference_layerwise_box", &[Projection::ReferenceBox(Scope::Layer)]);
        let reference_box = [Projection::ReferenceBox(Scope::Filter)];
        stored.check_but_matrices("project_reference_filterwise_box", &reference_box);
        stored.check("project_sequential_box_layerwise_l2", &[clip("box"), layers]);
    }
}

#[test]
fn the_reference_box_of_the_whole_model_reaches_below_zero() {
    for stored in Stored::all() {
        let found = stored.projected(&[Projection::ReferenceBox(Scope::Global)]);
        let own = gather(stored.weights.layout(), &stored.which, stored.weights.flat());
        let (low, high) = (own.min().double_value(&[]), own.max().double_value(&[]));
        assert!(low < 0.0 && (found.min().double_value(&[]) - low).abs() < 1e-6);
        assert!(found.max().double_value(&[]) <= high + 1e-6);
        // There the lower bound is the largest of 0 and the minima of all tensors: a box of its own.
        let max = stored.weights.flat().max().double_value(&[]);
        let all = 0..stored.weights.layout().entries.len();
        let min = all.map(|i| stored.weights.view(i).min().double_value(&[])).fold(0.0, f64::max);
        stored.check("project_reference_box", &[Projection::Box { min: Some(min), max: Some(max) }]);
    }
}

#[test]
fn normalizations_are_those_of_the_reference_program() {
    for stored in Stored::all() {
        let (layout, which) = (stored.weights.layout(), &stored.which);
        let normalized = |kind| {
            let normalizer = Normalizer::new(kind, layout, which, stored.weights.flat());
            gather(layout, which, &normalizer.normalize(&stored.flat("grad")))
        };
        for (key, kind) in [
            ("LayerWiseRelativeL2", WeightGradient::LayerRelativeL2),
            ("L2", WeightGradient::L2),
            ("RelativeL2", WeightGradient::RelativeL2),
            ("Sign", WeightGradient::Sign),
            ("LInf", WeightGradient::Linf),
            ("RelativeLInf", WeightGradient::RelativeLinf),
        ] {
            let expected = stored.get(&format!("normalize_{key}Normalization"));
            let difference = relative_difference(&normalized(kind), expected);
            assert!(difference <= 1e-6, "{} {key}: {difference:e}", stored.prefix);
        }
        assert_eq!(numbers(&normalized(WeightGradient::Raw)), numbers(stored.get("grad")));
        // There the scale of the weights divides where it should multiply.
        let found = normalized(WeightGradient::LayerRelativeLinf);
        let divided = stored.get("normalize_LayerWiseRelativeLInfNormalization");
        let mut from = 0;
        for index in which {
            let len = layout.entries[*index].len;
            let scale = stored.weights.view(*index).abs().max().double_value(&[]);
            let part = found.narrow(0, from, len);
            if scale > 0.0 {
                let expected = divided.narrow(0, from, len) * (scale * scale);
                assert!(relative_difference(&part, &expected) <= 1e-5);
                assert!((part.abs().max().double_value(&[]) - scale).abs() <= 1e-5 * scale);
            } else {
                assert_eq!(part.abs().max().double_value(&[]), 0.0, "a tensor of zeros is not moved");
            }
            from += len;
        }
    }
}

#[test]
fn norms_are_those_of_the_reference_program() {
    for stored in Stored::all() {
        let sizes = |scope| {
            let pieces = WeightBlocks::new(stored.weights.layout(), &stored.which, scope, Device::Cpu);
            numbers(&pieces.sizes(&stored.flat("delta"), WeightNorm::L2))
        };
        close("per layer", &sizes(Scope::Layer), &numbers(stored.get("norm_l2_per_layer")), 1e-6);
        close("whole", &sizes(Scope::Global)[..1], &numbers(stored.get("norm_l2")), 1e-5);
    }
}

#[test]
fn tensors_are_chosen_by_role_and_by_name() {
    let network = open("resnet_rebn_trained");
    let layout = network.layout();
    let names = |tensors: Tensors| -> Vec<String> {
        tensors.select(layout).unwrap().iter().map(|i| layout.entries[*i].name.clone()).collect()
    };
    let paper = names(Tensors::NoNormalization);
    let index = json("weights/index.json");
    let expected: Vec<usize> =
        serde_json::from_value(index["resnet_rebn_trained/layerwise_1batch"]["layers"].clone()).unwrap();
    assert_eq!(Tensors::NoNormalization.select(layout).unwrap(), expected);
    assert!(paper.iter().all(|name| !name.contains("whiten") && !name.contains("norm")));
    let unbiased = names(Tensors::NoBias);
    assert_eq!(unbiased, paper.iter().filter(|n| !n.contains("bias")).cloned().collect::<Vec<_>>());
    let all = names(Tensors::All);
    assert!(all.len() > paper.len() && all.iter().all(|name| !name.contains("whiten")));
    let convolutions = names(Tensors::from("block0.*.conv*.weight, logits.weight"));
    assert!(
        convolutions.len() > 2 && convolutions.iter().all(|n| n.ends_with(".weight")),
        "{convolutions:?}"
    );
    assert!(convolutions.contains(&"logits.weight".to_owned()));
    for (wrong, word) in [("nothing.here", "nothing.here"), ("whiten.*", "whiten")] {
        let message = Tensors::from(wrong).select(layout).unwrap_err().to_string();
        assert!(message.contains(word) && message.contains("inspect"), "{message}");
    }
    for tensors in [Tensors::NoNormalization, Tensors::from("a,b*")] {
        let written = serde_json::to_string(&tensors).unwrap();
        assert_eq!(serde_json::from_str::<Tensors>(&written).unwrap(), tensors, "{written}");
        assert_eq!(Tensors::from(tensors.to_string().as_str()), tensors);
    }
}

#[test]
fn filters_of_linear_layers_are_rows_as_in_landscapes() {
    let linear = |name: &str, input, output| Layer::Linear { name: name.into(), input, output, bias: true };
    let topology = Topology {
        family: "MLP".into(),
        title: "two layers".into(),
        classes: 2,
        resolution: [1, 1, 2],
        layers: vec![Layer::Flatten, linear("first", 2, 3), linear("second", 3, 2)],
    };
    let network = Network::fresh(topology, 0);
    let layout = network.layout().clone();
    // Rows of norm 5, 13, 0 and 3, 7; biases of norm 3 and 5.
    let flat = [3.0, 4.0, 5.0, 12.0, 0.0, 0.0, 1.0, 2.0, 2.0, 1.0, 2.0, 2.0, 2.0, 3.0, 6.0, 3.0, 4.0f32];
    let weights = Weights::from_flat(layout.clone(), Tensor::from_slice(&flat));
    let which = [0, 1, 2, 3];
    assert_eq!(layout.entries.iter().map(Entry::filters).collect::<Vec<_>>(), [3, 1, 2, 1]);
    let pieces = WeightBlocks::new(&layout, &which, Scope::Filter, Device::Cpu);
    let sizes = |flat: &Tensor| numbers(&pieces.sizes(flat, WeightNorm::L2));
    let norms = [5.0, 13.0, 0.0, 3.0, 3.0, 7.0, 5.0];
    close("rows", &sizes(weights.flat()), &norms, 1e-6);
    let ball = |scope| Ball { scope, norm: WeightNorm::L2, radius: 0.1, relative: true };
    let tenth: Vec<f64> = norms.iter().map(|norm| 0.1 * norm).collect();
    let draw = |scope| {
        let pieces = WeightBlocks::new(&layout, &which, scope, Device::Cpu);
        ball(scope).sample(&pieces, &weights, &which, Sampling::Sphere, 1)
    };
    close("a draw", &sizes(&draw(Scope::Filter)), &tenth, 1e-6);
    // Ones are longer than a tenth of every row: sqrt 2 and 1.3 at most, sqrt 3 and 0.7.
    let ones = weights.flat().ones_like();
    close("projected", &sizes(&ball(Scope::Filter).project(&pieces, weights.flat(), &ones)), &tenth, 1e-6);
    let inside = ball(Scope::Filter).project(&pieces, weights.flat(), &(&ones * 0.01));
    let hundredth = [0.01 * 2f64.sqrt(), 0.01 * 2f64.sqrt(), 0.0, 0.01 * 3f64.sqrt(), 0.01 * 3f64.sqrt()];
    close("inside", &sizes(&inside)[..5], &hundredth, 1e-6);
    // A landscape scales the same direction to the same perturbation.
    let direction = Weights::from_flat(layout.clone(), draw(Scope::Layer));
    let scaled = scale(&direction, &weights, &which, &Normalization::Filter, 0.1).unwrap();
    close("landscape", &numbers(scaled.flat()), &numbers(&draw(Scope::Filter)), 1e-6);
}
