//! The numbers of AutoAttack.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which examples an ensemble of attacks broke, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttackOutcome {
    /// Share of examples that are wrong on the image or broken by an attack, 0 to 1.
    pub robust_error: f64,
    /// Of a job that was cancelled: what `robust_error` can still become, if everything is broken that has not gone
    /// through every attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust_error_at_most: Option<f64>,
    /// Share of examples that are wrong on the image.
    pub clean_error: f64,
    /// Mean of `-log(p + 1e-12)` (at most 27.631) at the point of each example that `per_example` is about: a lower
    /// bound of the robust loss, as attacks end where an example is broken.
    pub robust_loss: f64,
    /// The same on the images.
    pub clean_loss: f64,
    /// One row per attack, in their order.
    pub per_attack: Vec<AttackRow>,
    /// One entry per example, in the order of the selection.
    pub per_example: AttackedExamples,
    /// Signs that the attacks were misled.
    pub flags: AttackFlags,
}

/// What one attack did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttackRow {
    /// e.g. `apgd-ce`.
    pub name: String,
    /// Robust error after it; of individual attacks, under it alone.
    pub robust_error: f64,
    /// Examples it was given: those that no attack before it broke; of individual attacks, all that are right.
    pub attacked: usize,
    /// Of those, how many it broke.
    pub broken: usize,
    /// Examples searched in low precision that were attacked a second time in the measuring one.
    #[serde(default)]
    pub repeated: usize,
    /// Of those, how many only the second time broke.
    #[serde(default)]
    pub recovered: usize,
    /// Seconds of computing.
    pub seconds: f64,
    /// Whether it was given all of its examples; of a job that was cancelled perhaps not.
    #[serde(default = "finished")]
    pub finished: bool,
}

fn finished() -> bool {
    true
}

/// Columns, one entry per example.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AttackedExamples {
    /// Index in the split.
    pub index: Vec<usize>,
    /// True class.
    pub label: Vec<i64>,
    /// Predicted class on the image.
    #[serde(default)]
    pub clean_predicted: Vec<i64>,
    /// Probability of that class.
    #[serde(default)]
    pub clean_confidence: Vec<f32>,
    /// Right on the image, and no attack broke it.
    pub robust: Vec<bool>,
    /// What broke it: the name of an attack, `clean` if it was wrong without, or nothing.
    pub broken_by: Vec<Option<String>>,
    /// `-log(p + 1e-12)` where it was broken; else the highest that an attack ended at.
    pub loss: Vec<f32>,
    /// Predicted class there.
    pub predicted: Vec<i64>,
    /// Probability of the predicted class there.
    pub confidence: Vec<f32>,
    /// Norm of the perturbation there, in the attack's norm; 0 on the image. Empty in older records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub norm: Vec<f64>,
    /// Of individual attacks: the names of all that broke it, `clean` if it was wrong without. Else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken_by_each: Vec<Vec<String>>,
}

impl AttackedExamples {
    /// The largest norm of an adversarial example, where norms are known and one was found.
    pub fn largest_norm(&self) -> Option<f64> {
        let attacked = |by: &Option<String>| by.as_deref().is_some_and(|by| by != "clean");
        let norms = self.norm.iter().zip(&self.broken_by).filter(|(_, by)| attacked(by));
        norms.map(|(norm, _)| *norm).reduce(f64::max)
    }
}

/// Signs that the network misleads attacks, so that it may be less robust than measured.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AttackFlags {
    /// Share of the correctly classified examples whose input gradient (of the margin) is exactly 0.
    pub zero_gradients: f64,
    /// The outputs look like probabilities, not logits: gradients vanish where they saturate.
    pub probabilities: bool,
    /// Two passes of the same images differ.
    pub random: bool,
    /// Square, which needs no gradient, broke examples that the other attacks could not.
    pub square_stronger: bool,
    /// Starts of APGD-DLR and APGD-T where the gradient of their loss was exactly 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub zero_gradient_starts: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl AttackFlags {
    /// What they mean, in sentences; none: nothing is suspicious.
    pub fn sentences(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.zero_gradients > 0.0 {
            found.push(format!(
                "{:.1} % of the examples have a zero gradient, so attacks by gradient may be misled; compare with square",
                100.0 * self.zero_gradients
            ));
        }
        if self.zero_gradient_starts > 0 {
            let starts = if self.zero_gradient_starts == 1 { "start" } else { "starts" };
            found.push(format!(
                "the gradient was exactly 0 at {} {starts} of APGD, so it may be misled; compare with square",
                self.zero_gradient_starts
            ));
        }
        if self.probabilities {
            found.push("the outputs look like probabilities; attacks need logits, so robustness may be overestimated".into());
        }
        if self.random {
            found.push("the network answers randomly; use version rand".into());
        }
        if self.square_stronger {
            found.push("square broke what attacks by gradient could not, so gradients may be masked; try more queries and restarts".into());
        }
        found
    }
}
