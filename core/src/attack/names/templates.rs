//! The templates of the paper's attack names.

use super::WeightShape;
use super::grammar::Template;

/// Which family a template belongs to. The flag: without the tensors of normalization layers.
#[derive(Debug, Clone, Copy)]
pub enum Meaning {
    Pgd,
    AutoAttack,
    Random(WeightShape, bool),
    Gradient(WeightShape, bool),
    Sequential(WeightShape),
    Joint(WeightShape, bool),
}

const EPSILONS: &[&str] = &["00235", "00275", "00314", "00352"];
const ITERATIONS: &[&str] = &["7", "10", "20"];
const MOMENTA: &[&str] = &["0", "09"];
const ATTEMPTS: &[&str] = &["1", "3", "5", "10", "25"];
const RANDOM_ATTEMPTS: &[&str] = &["1", "3", "5", "10", "25", "50"];
const RANDOM_RADII: &[&str] = &["1", "075", "05", "04", "03", "025", "02", "01", "005"];
const GRADIENT_RADII: &[&str] = &[
    "005", "001", "00075", "0005", "0004", "0003", "00025", "0002", "0001", "000075", "00005", "000025",
    "00001",
];
const ABSOLUTE_RADII: &[&str] = &["001", "0025", "005", "025", "05", "1", "5"];
const LEARNING_RATES: &[&str] = &["00001", "0001", "001", "01", "1", "10"];
const NORMALIZATIONS: &[&str] = &["_l2normalized", "_rl2normalized", "_lwrl2normalized", ""];

/// All templates, about two dozen.
pub fn templates() -> Vec<Template<Meaning>> {
    use WeightShape::{Absolute, Filter, Layer, Relative};
    let mut all = vec![
        Template {
            meaning: Meaning::Pgd,
            parts: parts(&[
                &["input_linf_gd_normalized_lr0007_mom"],
                MOMENTA,
                &["_i"],
                ITERATIONS,
                &["_e"],
                EPSILONS,
                &["_at"],
                ATTEMPTS,
                &["", "_es", "_train"],
            ]),
        },
        Template {
            meaning: Meaning::AutoAttack,
            parts: parts(&[&["input_linf_aa_standard_e"], EPSILONS, &["", "_train"]]),
        },
    ];
    for (start, shape, nonorm, suffixes) in [
        ("weight_l2_random_e", Layer, false, &["", "_train"][..]),
        ("weight_l2_random_nonorm2_e", Layer, true, &["", "_test", "_es", "_train", "_set", "_train_set"]),
        ("weight_l2_random_nonorm2_filter_e", Filter, true, &["", "_test", "_train"]),
        ("weight_l2_random_nonorm2_relative_e", Relative, true, &["", "_train"]),
    ] {
        all.push(Template {
            meaning: Meaning::Random(shape, nonorm),
            parts: parts(&[&[start], RANDOM_RADII, &["_at"], RANDOM_ATTEMPTS, suffixes]),
        });
    }
    let both = &["_test", "_train_test"][..];
    let every = &["_test_test", "_es", "_test", "_train_test", "_test_set", "_train_test_set"];
    for (start, shape, nonorm, suffixes) in [
        ("weight_l2_gd", Layer, false, both),
        ("weight_l2_gd_nonorm2", Layer, true, every),
        ("weight_l2_gd_filter", Filter, false, both),
        ("weight_l2_gd_nonorm2_filter", Filter, true, &["_test_test", "_test", "_train_test"]),
        ("weight_l2_gd_relative", Relative, false, both),
        ("weight_l2_gd_nonorm2_relative", Relative, true, both),
        ("weight_l2_gd_absolute", Absolute, false, both),
        ("weight_l2_gd_nonorm2_absolute", Absolute, true, both),
    ] {
        let radii = if shape == Absolute { ABSOLUTE_RADII } else { GRADIENT_RADII };
        all.push(Template {
            meaning: Meaning::Gradient(shape, nonorm),
            parts: parts(&[
                &[start],
                NORMALIZATIONS,
                &["_backtrack", ""],
                &["_i"],
                ITERATIONS,
                &["_lr"],
                LEARNING_RATES,
                &["_mom"],
                MOMENTA,
                &["_e"],
                radii,
                &["_at"],
                ATTEMPTS,
                suffixes,
            ]),
        });
    }
    for (start, shape) in [
        ("sequential2_weight_input_l2_random_nonorm2_e", Layer),
        ("sequential2_weight_input_l2_random_nonorm2_filter_e", Filter),
    ] {
        all.push(Template {
            meaning: Meaning::Sequential(shape),
            parts: parts(&[
                &[start],
                RANDOM_RADII,
                &["_linf_gd_normalized_lr0007_e"],
                EPSILONS,
                &["_i"],
                ITERATIONS,
                &["_at10"],
                both,
            ]),
        });
    }
    for (start, shape, nonorm, suffixes) in [
        ("joint_weight_input_l2_gd_lwrl2normalized_lr", Layer, false, both),
        (
            "joint_weight_input_l2_gd_nonorm2_lwrl2normalized_lr",
            Layer,
            true,
            &["_test", "_train_test", "_test_batch"],
        ),
        ("joint_weight_input_l2_gd_filter_lwrl2normalized_lr", Filter, false, both),
        ("joint_weight_input_l2_gd_nonorm2_filter_lwrl2normalized_lr", Filter, true, both),
        ("joint_weight_input_l2_gd_relative_lwrl2normalized_lr", Relative, false, both),
        ("joint_weight_input_l2_gd_nonorm2_relative_lwrl2normalized_lr", Relative, true, both),
    ] {
        all.push(Template {
            meaning: Meaning::Joint(shape, nonorm),
            parts: parts(&[
                &[start],
                &["0001", "001"],
                &["_e"],
                GRADIENT_RADII,
                &["_linf_gd_normalized_lr0007_e"],
                EPSILONS,
                &["_i"],
                ITERATIONS,
                &["_at10"],
                suffixes,
            ]),
        });
    }
    all
}

fn parts(parts: &[&[&'static str]]) -> Vec<Vec<&'static str>> {
    parts.iter().map(|part| part.to_vec()).collect()
}
