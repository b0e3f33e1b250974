//! The names worth knowing, grouped and explained, for epsilon 0.0314 (8/255) and 7 steps.

/// Names of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub title: &'static str,
    /// How they differ, in a sentence.
    pub explanation: &'static str,
    /// Some or all of them.
    pub names: Vec<String>,
}

const PGD: &str = "linf_gd_normalized_lr0007_mom0_i7_e00314";

/// All groups.
pub fn groups() -> Vec<Group> {
    let plain = format!("at_{PGD}_f100");
    let variants = |title, explanation, variants: &[&str]| Group {
        title,
        explanation,
        names: variants.iter().map(|variant| format!("{plain}_{variant}")).collect(),
    };
    let methods = |title, explanation, prefixes: &[&str]| Group {
        title,
        explanation,
        names: prefixes.iter().map(|prefix| format!("{prefix}{PGD}_f100")).collect(),
    };
    vec![
        Group {
            title: "Plain",
            explanation: "normal training; adversarial training on half of each batch, and on all of it; with other attacks: i is the number of steps, e is epsilon (00235, 00275, 00314, 00352 in the paper)",
            names: vec![
                "normal_training".into(),
                format!("at_{PGD}"),
                plain.clone(),
                plain.replace("i7", "i14"),
                plain.replace("e00314", "e00352"),
            ],
        },
        methods(
            "Adversarial training, modified",
            "pll attacks the prediction instead of the label, ii leaves misclassified images alone, tau stops recording once an image is fooled often enough",
            &["at_pll_", "at_ii_", "at_tau0_", "at_tau1_", "at_tau2_", "at_tau3_", "at_tau4_"],
        ),
        methods("TRADES", "the number is lambda", &["trades1_", "trades3_", "trades6_", "trades9_"]),
        methods("MART", "the number is lambda", &["mart1_", "mart3_", "mart6_", "mart9_"]),
        Group {
            title: "Self-supervision",
            explanation: "a second task predicts rotations; the number is its weight (05 is 0.5); on clean images where the name begins with normal_training, which is not in the paper",
            names: ["05", "1", "2", "4", "8"]
                .iter()
                .map(|weight| format!("at_ssl{weight}_{PGD}_f100"))
                .chain(["normal_training_ssl1".into()])
                .collect(),
        },
        variants(
            "Labels",
            "ls smooths labels, ln replaces this share of them by random ones",
            &[
                "ls001", "ls005", "ls01", "ls02", "ls03", "ls04", "ls05", "ln005", "ln01", "ln02", "ln03",
                "ln04", "ln05",
            ],
        ),
        methods(
            "Weight clipping",
            "all weights stay within this bound (0005p is 0.005)",
            &["0005p_at_", "001p_at_", "0015p_at_", "002p_at_"],
        ),
        Group {
            title: "Weight perturbation",
            explanation: "training against perturbed weights: gradient ascent (lr step size, i steps, e relative radius), one step (fgsm), random; pop perturbations per step, once the loss is below 2.1 (threshold) or one always (simple)",
            names: [
                "threshold_awit_nonb_l2_gd_lwrl2normalized_lr001_mom0_i1_e0005",
                "threshold_awit_nonb_l2_gd_lwrl2normalized_lr001_mom0_i3_e0005",
                "threshold_awit_nonb_l2_gd_fgsm_lwrl2normalized_e0005",
                "threshold_awit_nonb_l2_random_e05",
                "simple_awit_nonb_l2_gd_lwrl2normalized_lr001_mom0_i3_e0005",
                "simple_awit_nonb_l2_random_e05",
            ]
            .iter()
            .map(|weights| format!("{weights}_{PGD}_pop1"))
            .collect(),
        },
        variants(
            "Averaging",
            "a running average of the weights; ema also averages the statistics and forgets the first weights soon (warm-up); not in the paper",
            &["wa", "ema0999"],
        ),
        variants(
            "Sharpness-aware",
            "SAM and adaptive SAM on the robust loss; not in the paper",
            &["sam005", "asam05"],
        ),
        variants(
            "Entropy-SGD",
            "the number is the length of the walk",
            &["esgd1", "esgd2", "esgd3", "esgd5"],
        ),
        variants(
            "Optimizer and schedule",
            "Adam; late milestones; milestones times 0.316; other learning rates; constant ones; one cycle of 30 epochs; weight decay 0 and 0.001",
            &[
                "adam",
                "late",
                "lrf0316",
                "lr02",
                "lr01",
                "lr001",
                "const01",
                "const001",
                "const0005",
                "cyc",
                "nowd",
                "wd0001",
            ],
        ),
        variants(
            "Batch size",
            "at the same learning rate",
            &["b4", "b8", "b16", "b32", "b64", "b256", "b512"],
        ),
    ]
}
