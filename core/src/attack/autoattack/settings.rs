//! Settings of AutoAttack, and what they make of each attack.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::apgd::Apgd;
use super::fab::Fab;
use super::square::Square;
use super::{Attack, Plan, Tuning, Version};
use crate::attack::InputNorm;
use crate::error::{Error, Result};
use crate::limits;

/// The ensemble and its settings. What is `None` is as the version says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AutoAttack {
    /// Which attacks: `standard`, `paper` (as the flatness paper ran it: fab-t, apgd-ce, apgd-t), `plus`, `rand`, `es`,
    /// or a list of `apgd-ce`, `apgd-dlr`, `apgd-t`, `fab`, `fab-t` and `square` in their order.
    #[schemars(extend("x-flag" = "version"))]
    pub version: Version,
    /// Geometry of the ball: L-inf, L2 or L1.
    #[schemars(extend("x-flag" = "norm"))]
    pub norm: InputNorm,
    /// Radius of the ball, in pixel values from 0 to 1; fractions such as 8/255 are accepted.
    #[schemars(extend("x-usual" = "8/255 for linf, 0.5 for l2, 12 for l1", "x-flag" = "epsilon", "x-unit" = "pixel value"))]
    pub epsilon: f64,
    /// Updates of APGD and FAB; none: as the version says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-label" = "Iterations", "x-flag" = "steps", "x-hint" = "as the version says", "x-advanced" = true))]
    pub steps: Option<usize>,
    /// Independent starts of every attack; none: as the version says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-flag" = "restarts", "x-hint" = "as the version says", "x-advanced" = true))]
    pub restarts: Option<usize>,
    /// Target classes of APGD-T and FAB-T, the most likely first; none: 9 or as many as there are (in L1, APGD-T 5).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-label" = "Target classes", "x-flag" = "targets", "x-hint" = "as the version says", "x-advanced" = true))]
    pub targets: Option<usize>,
    /// Queries of Square; none: 5000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-flag" = "queries", "x-hint" = "5000", "x-advanced" = true))]
    pub queries: Option<usize>,
    /// Every attack gets all correctly classified examples, not only those that survived the attacks before it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-label" = "Each attack on all examples", "x-flag" = "individual", "x-advanced" = true))]
    pub individual: bool,
    /// Parameters inside of the attacks.
    #[serde(flatten)]
    pub tuning: Tuning,
}

impl Default for AutoAttack {
    fn default() -> Self {
        Self {
            version: Version::Standard,
            norm: InputNorm::Linf,
            epsilon: 8.0 / 255.0,
            steps: None,
            restarts: None,
            targets: None,
            queries: None,
            individual: false,
            tuning: Tuning::default(),
        }
    }
}

impl AutoAttack {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting and what is allowed.
    pub fn check(&self) -> Result<()> {
        self.norm.check_epsilon(self.epsilon).map_err(|error| error.about("epsilon"))?;
        if self.norm == InputNorm::L0 {
            return Err(Error::invalid(
                "AutoAttack knows the norms linf, l2 and l1, not l0; use pgd for that",
            )
            .about("norm"));
        }
        self.tuning.check(self.norm)?;
        for (name, value) in [
            ("steps", self.steps),
            ("restarts", self.restarts),
            ("targets", self.targets),
            ("queries", self.queries),
        ] {
            if let Some(value) = value {
                limits::count(name, value).map_err(|error| error.about(name))?;
            }
        }
        Ok(())
    }

    /// The attacks in their order for a network with this many classes.
    ///
    /// # Errors
    /// An attack needs more classes, or more target classes are asked for than there are wrong ones: equal work is
    /// asked for in one way.
    pub fn plans(&self, classes: usize) -> Result<Vec<Plan>> {
        let attacks = self.version.attacks();
        if let Some(attack) = attacks.iter().find(|attack| attack.least_classes() > classes) {
            let fitting: Vec<&str> =
                attacks.iter().filter(|a| a.least_classes() <= classes).map(|a| a.name()).collect();
            let fitting = if fitting.is_empty() { "apgd-ce,fab,square".into() } else { fitting.join(",") };
            return Err(Error::invalid(format!(
                "{} needs at least {} classes, this network has {classes}; use version {fitting}",
                attack.name(),
                attack.least_classes()
            )));
        }
        if let Some(targets) = self.targets
            && targets >= classes
        {
            let wrong = classes - 1;
            return Err(Error::invalid(format!(
                "targets {targets} is not possible: this network has {classes} classes, so {wrong} wrong ones per image; use 1 to {wrong}"
            )));
        }
        Ok(attacks.into_iter().map(|attack| self.plan(attack, classes)).collect())
    }

    fn plan(&self, attack: Attack, classes: usize) -> Plan {
        use Attack::{ApgdCe, ApgdDlr, ApgdT, Fab, FabT, Square};
        let (es, plus) = (self.version == Version::Es, self.version == Version::Plus);
        let l1 = self.norm == InputNorm::L1;
        let usual_steps = match attack {
            Square => 5000,
            _ if es => 50,
            _ => 100,
        };
        let usual_restarts = match attack {
            ApgdCe | ApgdDlr | Fab if plus => 5,
            ApgdCe | ApgdT if es => 5,
            ApgdCe if l1 && self.version == Version::Standard => 5,
            _ => 1,
        };
        let usual_targets = if es || (l1 && attack == ApgdT) { 5 } else { 9 };
        let given_steps = if attack == Square { self.queries } else { self.steps };
        let usual_passes = if self.version == Version::Rand { 20 } else { 1 };
        Plan {
            attack,
            steps: given_steps.unwrap_or(usual_steps),
            // Without random start, a further restart of FAB-T would be the same run.
            restarts: if attack == FabT && self.restarts.is_none() {
                1
            } else {
                self.restarts.unwrap_or(usual_restarts)
            },
            targets: if attack.is_targeted() {
                self.targets.unwrap_or(usual_targets.min(classes - 1))
            } else {
                1
            },
            passes: self.tuning.eot.unwrap_or(usual_passes),
        }
    }

    /// APGD by a plan.
    pub fn apgd(&self, plan: &Plan) -> Apgd {
        let Tuning { rho, alpha, single_radius, .. } = self.tuning;
        let usual = Apgd::new(self.norm, self.epsilon, plan.steps);
        Apgd {
            passes: plan.passes,
            rho: rho.unwrap_or(usual.rho),
            alpha: alpha.unwrap_or(usual.alpha),
            single_radius,
            ..usual
        }
    }

    /// FAB by a plan.
    pub fn fab(&self, plan: &Plan) -> Fab {
        let Tuning { eta, beta, alpha_max, .. } = self.tuning;
        let usual = Fab::new(self.norm, self.epsilon, plan.steps);
        Fab {
            eta: eta.unwrap_or(usual.eta),
            beta: beta.unwrap_or(usual.beta),
            alpha_max: alpha_max.unwrap_or(usual.alpha_max),
            ..usual
        }
    }

    /// Square by a plan.
    pub fn square(&self, plan: &Plan) -> Square {
        let Tuning { p_init, rescale_schedule, .. } = self.tuning;
        let usual = Square::new(self.norm, self.epsilon, plan.steps);
        Square { p_init: p_init.unwrap_or(usual.p_init), rescale_schedule, ..usual }
    }
}
