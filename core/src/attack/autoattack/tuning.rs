//! Parameters inside of AutoAttack's attacks, whose published values are rarely changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attack::InputNorm;
use crate::error::{Error, Result};
use crate::limits;

/// Parameters of single attacks; what is `None` is as published.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Tuning {
    /// APGD: average each gradient over this many passes, for networks that answer randomly (expectation over
    /// transformation); none: 1, version `rand` 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-label" = "EOT passes", "x-flag" = "eot", "x-hint" = "1; version rand 20", "x-advanced" = true))]
    pub eot: Option<usize>,
    /// APGD: keep a step size if more than this share of its steps raised the loss; none: 0.75. Not for L1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-label" = "APGD rho", "x-flag" = "rho", "x-hint" = "0.75", "x-advanced" = true))]
    pub rho: Option<f64>,
    /// APGD: first step size divided by epsilon; none: 2, for L1 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-label" = "APGD alpha", "x-flag" = "alpha", "x-hint" = "2; for L1 1", "x-advanced" = true))]
    pub alpha: Option<f64>,
    /// APGD in L1: all steps in the ball of radius epsilon, not first in balls of radius 3 and 2 epsilon.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-label" = "APGD: single radius", "x-flag" = "single-radius", "x-advanced" = true))]
    pub single_radius: bool,
    /// FAB: length of a step relative to the distance of the linearized boundary; none: 1.05.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-label" = "FAB eta", "x-flag" = "eta", "x-hint" = "1.05", "x-advanced" = true))]
    pub eta: Option<f64>,
    /// FAB: resume at this share of the way from the image to the point found; none: 0.9.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-label" = "FAB beta", "x-flag" = "beta", "x-hint" = "0.9", "x-advanced" = true))]
    pub beta: Option<f64>,
    /// FAB: largest weight of the step that starts at the image; none: 0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-label" = "FAB alpha max", "x-flag" = "alpha-max", "x-hint" = "0.1", "x-advanced" = true))]
    pub alpha_max: Option<f64>,
    /// Square: share of the image that the first squares cover; none: 0.8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-label" = "Square p init", "x-flag" = "p-init", "x-hint" = "0.8", "x-advanced" = true))]
    pub p_init: Option<f64>,
    /// Square: the schedule of sizes, made for 10,000 queries, is stretched or shrunk to the number of queries.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-label" = "Square: rescale schedule", "x-flag" = "rescale-schedule", "x-advanced" = true))]
    pub rescale_schedule: bool,
}

impl Tuning {
    /// Checks the parameters for attacks in `norm`.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the parameter and what is allowed.
    pub fn check(&self, norm: InputNorm) -> Result<()> {
        if let Some(eot) = self.eot {
            limits::count("EOT passes", eot).map_err(|error| error.about("eot"))?;
        }
        for (name, value, least, most) in [
            ("rho", self.rho, 0.0, 1.0),
            ("alpha", self.alpha, 1e-6, 1e3),
            ("eta", self.eta, 1e-6, 1e3),
            ("beta", self.beta, 0.0, 1.0),
            ("alpha-max", self.alpha_max, 0.0, 1.0),
            ("p-init", self.p_init, 1e-6, 1.0),
        ] {
            if let Some(value) = value
                && !(least..=most).contains(&value)
            {
                return Err(Error::invalid(format!(
                    "{name} {value} is not possible; use a number from {least} to {most}"
                ))
                .about(&name.replace('-', "_")));
            }
        }
        let only = |name: &str, reason: &str| {
            Err(Error::invalid(format!("{name} {reason}; leave it out")).about(&name.replace('-', "_")))
        };
        if self.rho.is_some() && norm == InputNorm::L1 {
            return only("rho", "has no effect in L1, where sparsity decides about step sizes");
        }
        if self.single_radius && norm != InputNorm::L1 {
            return only("single-radius", "is for L1, in other norms APGD has but one radius");
        }
        Ok(())
    }
}

impl std::fmt::Display for Tuning {
    /// What is not as published, each after a comma: `, rho 0.9, 5 EOT passes`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(eot) = self.eot {
            write!(f, ", {eot} EOT {}", if eot == 1 { "pass" } else { "passes" })?;
        }
        for (name, value) in [
            ("rho", self.rho),
            ("alpha", self.alpha),
            ("eta", self.eta),
            ("beta", self.beta),
            ("alpha_max", self.alpha_max),
            ("p_init", self.p_init),
        ] {
            if let Some(value) = value {
                write!(f, ", {name} {value}")?;
            }
        }
        f.write_str(if self.single_radius { ", single radius" } else { "" })?;
        f.write_str(if self.rescale_schedule { ", rescaled schedule" } else { "" })
    }
}
