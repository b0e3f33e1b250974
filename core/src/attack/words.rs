//! Attacks in words: everything that changes their strength and is not as usual.

use std::fmt::{Display, Formatter, Result};

use super::autoattack::AutoAttack;
use super::objective::TargetClass;
use super::weights::{Bookkeeping, Descent, Sampling, WeightGradient};
use super::{GradientRule, Objective, Pgd, Projection, Selection, Start, fraction};

impl Pgd {
    /// Everything that changes its strength and is not as usual, part by part; steps and ball come first.
    pub fn parts(&self) -> Vec<String> {
        let usual = Self::default();
        let mut parts =
            vec![format!("PGD-{}", self.steps), format!("{} {}", self.norm, fraction(self.epsilon))];
        let mut add = |differs: bool, words: &dyn Fn() -> String| {
            if differs {
                parts.push(words());
            }
        };
        let step_size = Self::usual_step_size(self.norm, self.epsilon, self.steps);
        add(self.step_size != step_size, &|| format!("step size {}", fraction(self.step_size)));
        add(self.restarts != 1, &|| self.restarts_in_words());
        add(self.objective != usual.objective, &|| self.objective.to_string());
        let gradient = match self.gradient {
            GradientRule::Normalized => "",
            GradientRule::Scaled => "scaled gradients",
            GradientRule::Raw => "raw gradients",
        };
        add(!gradient.is_empty(), &|| gradient.to_owned());
        let start = match self.start {
            Start::UniformNorm => String::new(),
            Start::Zero => "from the image".to_owned(),
            Start::UniformSphere => "from the sphere".to_owned(),
            Start::UniformBall => "from the ball".to_owned(),
            Start::Uniform => "from uniform pixels".to_owned(),
            Start::UniformIn(min, max) => format!("from uniform pixels in {min} to {max}"),
        };
        add(!start.is_empty(), &|| start.clone());
        let projection = match self.projection {
            Projection::BoxThenBall => "",
            Projection::BallThenBox => "ball before box",
            Projection::Ball => "not kept in the range of pixels",
            Projection::Box => "not kept in the ball",
            Projection::None => "unbounded (no projection)",
        };
        add(!projection.is_empty(), &|| projection.to_owned());
        add(self.momentum != usual.momentum, &|| format!("momentum {}", self.momentum));
        add(self.backtrack, &|| format!("backtracking by {}", self.step_divisor));
        add(self.norm_penalty != usual.norm_penalty, &|| format!("norm penalty {}", self.norm_penalty));
        parts.extend(self.tau.map(|tau| format!("tau {tau}")));
        parts
    }

    /// How many restarts, and how the best of several is chosen if not by the loss.
    pub fn restarts_in_words(&self) -> String {
        match (self.restarts, self.selection) {
            (1, _) => "1 restart".to_owned(),
            (many, Selection::Loss) => format!("{many} restarts"),
            (many, Selection::WrongClassConfidence) => format!("{many} restarts by wrong-class confidence"),
        }
    }
}

impl Display for Pgd {
    /// e.g. `PGD-20, L-inf 8/255, 10 restarts, momentum 0.9`; what is as usual is left out.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.parts().join(", "))
    }
}

impl Display for Descent {
    /// e.g. `20 epochs in batches of 128, step size 0.01, momentum 0.9`; what is as usual is left out.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let usual = Self::default();
        let epochs = if self.epochs == 1 { "epoch" } else { "epochs" };
        write!(
            f,
            "{} {epochs} in batches of {}, step size {}",
            self.epochs, self.search_batch, self.step_size
        )?;
        if self.gradient != usual.gradient {
            write!(f, ", {} gradients", self.gradient)?;
        }
        f.write_str(match self.start {
            Some(Sampling::UniformNorm) => "",
            Some(Sampling::Sphere) => ", from the sphere",
            Some(Sampling::Ball) => ", from the ball",
            None => ", from the unperturbed weights",
        })?;
        if self.momentum != usual.momentum {
            write!(f, ", momentum {}", self.momentum)?;
        }
        if self.backtrack {
            write!(f, ", backtracking by {}", self.step_divisor)?;
        }
        if let Some(bound) = self.loss_bound {
            let how = if self.early_stopping { "early stopping" } else { "no steps" };
            write!(f, ", {how} beyond loss {bound}")?;
        }
        f.write_str(match self.bookkeeping {
            Bookkeeping::Exact => "",
            Bookkeeping::Paper => ", weights chosen as the paper's program did",
        })
    }
}

impl Display for WeightGradient {
    /// Its name in jobs.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::LayerRelativeL2 => "layer-relative-l2",
            Self::L2 => "l2",
            Self::RelativeL2 => "relative-l2",
            Self::Sign => "sign",
            Self::Linf => "linf",
            Self::RelativeLinf => "relative-linf",
            Self::LayerRelativeLinf => "layer-relative-linf",
            Self::Raw => "raw",
        })
    }
}

impl Display for AutoAttack {
    /// e.g. `AutoAttack standard, L-inf 8/255, 50 steps, 1000 queries`; what is as the version says is left out.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "AutoAttack {}, {} {}", self.version, self.norm, fraction(self.epsilon))?;
        for (count, one, many) in [
            (self.steps, "step", "steps"),
            (self.restarts, "restart", "restarts"),
            (self.targets, "target class", "target classes"),
            (self.queries, "query", "queries"),
        ] {
            if let Some(count) = count {
                write!(f, ", {count} {}", if count == 1 { one } else { many })?;
            }
        }
        f.write_str(if self.individual { ", each attack alone" } else { "" })?;
        self.tuning.fmt(f)
    }
}

impl Display for Objective {
    /// What is maximized, in a few words.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::CrossEntropy => f.write_str("cross-entropy"),
            Self::SmoothedCrossEntropy(smoothing) => write!(f, "cross-entropy smoothed by {smoothing}"),
            Self::Kl => f.write_str("KL divergence"),
            Self::BatchKl => f.write_str("KL divergence of the batch"),
            Self::Dlr => f.write_str("DLR"),
            Self::Targeted(TargetClass::Class(class)) => write!(f, "towards class {class}"),
            Self::Targeted(TargetClass::LeastLikely) => f.write_str("towards the least likely class"),
            Self::Targeted(TargetClass::Rank(rank)) => write!(f, "towards the wrong class of rank {rank}"),
        }
    }
}
