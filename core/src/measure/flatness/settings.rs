//! Asking for flatness: how much the loss rises when weights are perturbed.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::multilevel::{Costs, Numbers};
use crate::attack::Pgd;
use crate::attack::weights::{Ball, Descent, Sampling, Scope, Tensors, WeightBox, WeightNorm};
use crate::data::{DataSelection, Examples};
use crate::device::Compute;
use crate::error::{Error, Result};
use crate::limits::{self, MOST};
use crate::model::{Layer, Topology};

/// Which loss is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FlatnessLoss {
    /// On clean images.
    #[schemars(title = "Clean loss")]
    Clean,
    /// On adversarial examples, recomputed for the perturbed weights.
    #[schemars(title = "Robust loss")]
    Robust,
}

/// Which perturbations of the weights count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// Random ones: the mean over draws counts.
    #[schemars(title = "Average")]
    Average,
    /// Those found by gradient descent on the weights (and, for the robust loss, on the inputs at the same time): the
    /// largest over draws counts.
    #[schemars(title = "Worst")]
    Worst,
}

/// Which logits the loss is of.
///
/// Adaptive sharpness does not change when layers are scaled against each other, but does when all logits are scaled.
/// Normalized logits of an example are `z / sqrt(1/K sum_i (z_i - mean z)^2)` over its `K` classes (Andriushchenko et al.
/// 2023, "A modern look at the relationship between sharpness and generalization", ICML); the program published with that
/// paper divides by the norm of the centred logits instead, which is `sqrt(K)` times as large. Basin subtracts the mean,
/// which changes no probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Logits {
    /// The network's own.
    #[default]
    #[schemars(title = "Raw")]
    Raw,
    /// Divided by their standard deviation over the classes, per example.
    #[schemars(title = "Normalized")]
    Normalized,
}

/// How the worst case of the robust loss searches weights and inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JointSearch {
    /// Together: every update moves both by the gradient at the same point. The paper's choice.
    #[default]
    #[schemars(title = "weights with inputs")]
    Simultaneous,
    /// Weights first, by gradient ascent on the clean loss; then the inputs, by the attack on the network found.
    #[schemars(title = "weights, then inputs")]
    Sequential,
}

/// How much the loss rises when the weights of one checkpoint are perturbed (paper, section 3.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flatness {
    /// The checkpoint file.
    #[serde(with = "crate::files::as_text")]
    #[schemars(with = "String")]
    pub checkpoint: PathBuf,
    /// Images that the loss is averaged over.
    #[serde(default)]
    #[schemars(extend("x-group" = "Images"))]
    pub data: DataSelection,
    /// Which loss: clean, or robust (adversarial examples recomputed for the perturbed weights).
    #[schemars(extend("x-flag" = "loss", "x-segmented" = true))]
    pub loss: FlatnessLoss,
    /// Average (random perturbations, their mean) or worst case (found by gradient ascent, their largest).
    #[schemars(extend("x-flag" = "case", "x-segmented" = true))]
    pub case: Case,
    /// Sizes of the perturbation relative to the weights, unless absolute; several separated by commas.
    #[schemars(extend("x-usual" = "0.5 on average, 0.003 in the worst case (0.00075 in the paper's plots)", "x-label" = "Radii", "x-flag" = "radius", "x-wanted" = "one number or several with commas, such as 0.25, 0.5, 1"))]
    pub radii: Vec<f64>,
    /// Perturbations per radius, under the whole attack; with a standard error to reach the most of them. All networks
    /// with tensors of the same name and shape share their directions.
    #[serde(default = "default_draws")]
    #[schemars(range(min = 1), extend("x-usual" = "10, with --until 100", "x-flag" = "draws"))]
    pub draws: usize,
    /// Loss of the network's logits as they are, or divided by their standard deviation over the classes, which makes
    /// flatness independent of their scale (Andriushchenko et al. 2023). Weight searches and input attacks follow the same
    /// loss.
    #[serde(default)]
    #[schemars(extend("x-flag" = "logits", "x-advanced" = true))]
    pub logits: Logits,
    /// What a radius is relative to: every tensor (layer), every output filter, or all of them together (global).
    #[serde(default)]
    #[schemars(extend("x-label" = "Radius relative to", "x-flag" = "scope", "x-group" = "Perturbation"))]
    pub scope: Scope,
    /// The radius is the norm itself and not relative to that of the weights (with scope global).
    #[serde(default)]
    #[schemars(extend("x-label" = "Absolute radius", "x-flag" = "absolute", "x-group" = "Perturbation", "x-advanced" = true))]
    pub absolute: bool,
    /// Norm of the perturbation, and of the weights that it is relative to: L2 (the paper's choice) or the largest
    /// entry (L-inf).
    #[serde(default)]
    #[schemars(extend("x-flag" = "weight-norm", "x-group" = "Perturbation", "x-advanced" = true))]
    pub weight_norm: WeightNorm,
    /// Average case: random perturbations lie on the sphere (the paper's choice), in the ball, or have uniform norm.
    #[serde(default)]
    #[schemars(extend("x-flag" = "sampling", "x-group" = "Perturbation", "x-advanced" = true))]
    pub sampling: Sampling,
    /// Average case: each draw is the worst, by its clean loss, of this many random perturbations; 1 looks at no image
    /// (the paper's choice).
    #[serde(default = "default_worst_of")]
    #[schemars(range(min = 1), extend("x-label" = "Worst of", "x-flag" = "worst-of", "x-group" = "Perturbation", "x-advanced" = true))]
    pub worst_of: usize,
    /// Which tensors are perturbed: `no-normalization`, `all`, `no-bias`, or names separated by commas; `*` stands for
    /// anything.
    #[serde(default)]
    #[schemars(extend("x-flag" = "tensors", "x-group" = "Perturbation"))]
    pub tensors: Tensors,
    /// Keep perturbed weights between bounds, then in their ball, for networks trained with clipped weights:
    /// `MIN..MAX`, one per perturbed tensor separated by commas, or `reference-layer`, `reference-filter`,
    /// `reference-global` (the range of the unperturbed weights). None: the ball alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-label" = "Weight bounds", "x-flag" = "weight-box", "x-hint" = "none", "x-group" = "Perturbation", "x-advanced" = true))]
    pub weight_box: Option<WeightBox>,
    /// Measure every tensor by itself as well, the others left as they are: which layers are sharp.
    #[serde(default)]
    #[schemars(extend("x-group" = "Output", "x-label" = "Also per tensor", "x-flag" = "per-layer"))]
    pub per_layer: bool,
    /// Worst case: how the weights are searched.
    #[serde(default)]
    #[schemars(extend("x-group" = "Search for the worst weights"))]
    pub descent: Descent,
    /// Images whose gradients search the weights in the worst case, or whose loss chooses among random perturbations
    /// (`worst_of`), in batches of `descent.search_batch`; none: those that are measured.
    #[serde(default)]
    #[schemars(with = "Option<SearchImages>", extend("x-group" = "Search for the worst weights"))]
    pub search_data: Option<DataSelection>,
    /// Robust loss: the attack on inputs. In the worst case its ball, step size and start are those of the joint attack.
    #[serde(default)]
    #[schemars(extend("x-group" = "Input attack"))]
    pub attack: Pgd,
    /// Robust loss in the worst case: search weights and inputs by the same steps (simultaneous, the paper's choice),
    /// or weights first, on the clean loss, and then the inputs (sequential).
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = "simultaneous", "x-label" = "Search", "x-flag" = "joint", "x-group" = "Search for the worst weights"))]
    pub joint: JointSearch,
    /// Restarts of the attack on the unperturbed network; the worst per example counts.
    ///
    /// None: all networks are attacked equally, from the same starts, so that flatness vanishes with the radius. With a
    /// number, worst-case losses are those at the inputs that the joint attack found, as in the paper, which has 10
    /// against 1, with which flatness comes out too low.
    #[serde(default)]
    #[schemars(extend("x-usual" = "--restarts, so that all networks are attacked equally", "x-label" = "Reference restarts", "x-flag" = "reference-restarts", "x-hint" = "as for perturbed networks", "x-group" = "Input attack", "x-advanced" = true))]
    pub reference_restarts: Option<usize>,
    /// Keep every perturbed network as a checkpoint in a folder beside the record, in the worst case of the robust loss
    /// with its images and what the attack adds to them.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("x-group" = "Output", "x-label" = "Keep perturbed networks", "x-flag" = "keep-networks", "x-advanced" = true))]
    pub keep_networks: bool,
    /// Average case of the robust loss: `on` measures further draws on clean images and under the first steps of the
    /// attack, which make the mean over draws more certain in at most a third more time; `off` is the plain mean, as in
    /// the paper; `SHORT,CLEAN` says how many draws there are on these levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-usual" = "on", "x-label" = "Multilevel estimate", "x-flag" = "levels", "x-format" = "levels", "x-advanced" = true, "x-suggestions" = [["on", "Chosen for at most a third more time."], ["off", "The plain mean over draws, as in the paper."], ["15,100", "So many draws under the first steps of the attack, and on clean images."]]))]
    pub levels: Option<Levels>,
    /// Average case: draw until the standard error of flatness is at most this at every radius; numbers of draws on all
    /// levels are chosen from a few draws. None: as many draws as asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-label" = "Standard error", "x-flag" = "until", "x-hint" = "none", "x-advanced" = true))]
    pub until: Option<f64>,
    /// Device, precision, seed, batch size.
    #[serde(default)]
    #[schemars(extend("x-group" = "Computing"))]
    pub compute: Compute,
}

/// What is declared of [`Flatness::search_data`]: its data set is that of the measure, unless a job says otherwise.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only declares settings")]
struct SearchImages {
    /// Search the weights, or choose among random perturbations, on these examples of the same data set instead of the
    /// measured ones; none: on those.
    #[schemars(extend(
        "x-label" = "Search examples",
        "x-flag" = "search-examples",
        "x-hint" = "those measured",
        "x-advanced" = true
    ))]
    examples: Option<Examples>,
}

/// Levels of a multilevel estimate: clean images, the first steps of the attack, and the whole attack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Levels {
    /// Steps of the short attack, fewer than those of the whole one.
    pub steps: usize,
    /// Draws under the short attack; none: so many that all cheap levels take at most a third more time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<usize>,
    /// Draws on clean images, at least as many; none: as for `short`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<usize>,
}

impl Levels {
    /// A quarter of the steps of an attack; none for an attack of a single step.
    pub fn usual(attack: &Pgd) -> Option<Self> {
        (attack.steps > 1).then(|| Self { steps: attack.steps.div_ceil(4), short: None, clean: None })
    }
}

/// Draws under the whole attack from which numbers of draws are chosen.
const PILOT: Numbers = Numbers { full: 5, short: 10, clean: 60 };

fn default_draws() -> usize {
    10
}
fn default_worst_of() -> usize {
    1
}
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Case {
    /// Radius of the paper's figures and examples: 0.5 on average, 0.003 in the worst case (the published worst-case
    /// plots use 0.00075).
    pub fn usual_radius(self) -> f64 {
        match self {
            Self::Average => 0.5,
            Self::Worst => 0.003,
        }
    }
}

impl Flatness {
    /// The paper's measure with its usual radius and settings.
    pub fn new(checkpoint: PathBuf, loss: FlatnessLoss, case: Case) -> Self {
        Self {
            checkpoint,
            data: DataSelection::default(),
            loss,
            case,
            radii: vec![case.usual_radius()],
            draws: default_draws(),
            logits: Logits::default(),
            scope: Scope::default(),
            absolute: false,
            weight_norm: WeightNorm::default(),
            sampling: Sampling::default(),
            worst_of: default_worst_of(),
            tensors: Tensors::default(),
            weight_box: None,
            per_layer: false,
            descent: Descent::default(),
            search_data: None,
            attack: Pgd::default(),
            joint: JointSearch::default(),
            reference_restarts: None,
            keep_networks: false,
            levels: None,
            until: None,
            compute: Compute::default(),
        }
    }

    /// The levels of this measure unless they are switched off; none where there are none: the clean loss, the worst
    /// case, perturbations that are chosen among several.
    pub fn usual_levels(&self) -> Option<Levels> {
        let fits = self.loss == FlatnessLoss::Robust && self.case == Case::Average && self.worst_of == 1;
        fits.then(|| Levels::usual(&self.attack)).flatten()
    }

    /// How many draws are measured on each level; with `until` at first.
    pub fn numbers(&self) -> Numbers {
        let full = self.until.map_or(self.draws, |_| self.draws.min(PILOT.full));
        let Some(levels) = &self.levels else { return Numbers::plain(full) };
        if self.until.is_some() {
            return Numbers { full, ..PILOT };
        }
        let usual = self.costs(levels).numbers(full);
        let short = levels.short.unwrap_or(usual.short).max(full);
        Numbers { full, short, clean: levels.clean.unwrap_or(usual.clean).max(short) }
    }

    /// What a draw costs on each level, in passes through the network.
    pub fn costs(&self, levels: &Levels) -> Costs {
        Costs::of_attack(self.attack.steps, levels.steps, self.attack.restarts)
    }

    /// The ball of a radius.
    pub fn ball(&self, radius: f64) -> Ball {
        Ball { scope: self.scope, norm: self.weight_norm, radius, relative: !self.absolute }
    }

    /// e.g. `average-case robust flatness`, `worst-case clean flatness of normalized logits`.
    pub fn label(&self) -> &'static str {
        match (self.case, self.loss, self.logits) {
            (Case::Average, FlatnessLoss::Clean, Logits::Raw) => "average-case clean flatness",
            (Case::Average, FlatnessLoss::Robust, Logits::Raw) => "average-case robust flatness",
            (Case::Worst, FlatnessLoss::Clean, Logits::Raw) => "worst-case clean flatness",
            (Case::Worst, FlatnessLoss::Robust, Logits::Raw) => "worst-case robust flatness",
            (Case::Average, FlatnessLoss::Clean, Logits::Normalized) => {
                "average-case clean flatness of normalized logits"
            }
            (Case::Average, FlatnessLoss::Robust, Logits::Normalized) => {
                "average-case robust flatness of normalized logits"
            }
            (Case::Worst, FlatnessLoss::Clean, Logits::Normalized) => {
                "worst-case clean flatness of normalized logits"
            }
            (Case::Worst, FlatnessLoss::Robust, Logits::Normalized) => {
                "worst-case robust flatness of normalized logits"
            }
        }
    }

    /// The network whose losses count.
    pub fn measured(&self, mut topology: Topology) -> Topology {
        topology.layers.extend((self.logits == Logits::Normalized).then_some(Layer::NormalizeLogits));
        topology
    }

    /// Restarts of the attack on the unperturbed network.
    pub fn restarts_of_reference(&self) -> usize {
        self.reference_restarts.unwrap_or(self.attack.restarts)
    }

    /// Whether weights and inputs are searched together: the worst case of the robust loss, unless sequential.
    pub fn is_simultaneous(&self) -> bool {
        self.case == Case::Worst
            && self.loss == FlatnessLoss::Robust
            && self.joint == JointSearch::Simultaneous
    }

    /// Whether perturbed networks have the losses at inputs found together with their weights, by one start.
    pub fn reports_joint_inputs(&self) -> bool {
        self.is_simultaneous() && self.reference_restarts.is_some() && self.search_data.is_none()
    }

    /// Restarts of the attack on the perturbed networks.
    pub fn restarts_of_draws(&self) -> usize {
        if self.reports_joint_inputs() { 1 } else { self.attack.restarts }
    }

    /// Whether images are looked at to find perturbations, and not only to measure them.
    pub fn searches(&self) -> bool {
        self.case == Case::Worst || self.worst_of > 1
    }

    /// What radius and draws mean, e.g. `10 draws, radius relative per layer`; of what is unusual, everything.
    pub fn perturbations(&self) -> String {
        let plural = |count: usize| if count == 1 { "1 draw".to_owned() } else { format!("{count} draws") };
        let mut words = vec![plural(self.draws)];
        if self.worst_of > 1 {
            words.push(format!("each the worst of {} perturbations on clean images", self.worst_of));
        }
        if self.case == Case::Average {
            words.extend(match self.sampling {
                Sampling::Sphere => None,
                Sampling::Ball => Some("in the ball".to_owned()),
                Sampling::UniformNorm => Some("of uniform norm".to_owned()),
            });
        }
        let norm = match self.weight_norm {
            WeightNorm::L2 => "L2",
            WeightNorm::Linf => "L-inf",
        };
        let relative = match self.scope {
            Scope::Layer => "relative per layer",
            Scope::Filter => "relative per filter",
            Scope::Global => "relative to all tensors together",
        };
        words.push(match (self.absolute, self.weight_norm) {
            (true, _) => format!("radius {norm} norm"),
            (false, WeightNorm::L2) => format!("radius {relative}"),
            (false, WeightNorm::Linf) => format!("radius in {norm}, {relative}"),
        });
        words.extend(self.weight_box.as_ref().map(|bounds| format!("weights kept in {bounds}")));
        words.join(", ")
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting, its value and what is allowed.
    pub fn check(&self) -> Result<()> {
        if self.radii.is_empty() {
            return Err(Error::invalid("a radius is missing; give at least one, such as 0.5").about("radii"));
        }
        for (i, radius) in self.radii.iter().enumerate() {
            self.ball(*radius).check().map_err(|error| error.about("radii"))?;
            if self.radii[..i].contains(radius) {
                return Err(Error::invalid(format!(
                    "radius {radius} is given twice; give every radius once"
                ))
                .about("radii"));
            }
        }
        if self.draws == 0 {
            return Err(Error::invalid("0 draws are not possible; use 1 or more, such as 10").about("draws"));
        }
        if self.worst_of == 0 {
            let error = Error::invalid("the worst of 0 perturbations is not possible; use 1 or more");
            return Err(error.about("worst_of"));
        }
        self.check_levels().map_err(|error| error.about("levels"))?;
        self.check_until().map_err(|error| error.about("until"))?;
        if self.worst_of > 1 && self.case == Case::Worst {
            return Err(Error::invalid(
                "the worst of several random perturbations is for the average case; in the worst case, whose weights are searched, use more draws",
            )
            .about("worst_of"));
        }
        if self.draws.saturating_mul(self.worst_of).saturating_mul(self.radii.len()) > MOST {
            return Err(Error::invalid(format!(
                "draws {} are too many; use at most {MOST} perturbations over all radii",
                self.draws
            ))
            .about("draws"));
        }
        if self.absolute && self.scope != Scope::Global {
            return Err(Error::invalid(
                "an absolute radius is for all tensors together; use scope global with it",
            )
            .about("absolute"));
        }
        if self.search_data.is_some() && !self.searches() {
            return Err(Error::invalid(
                "search data is for the worst case, or the worst of several perturbations: nothing is searched otherwise",
            )
            .about("search_data.examples"));
        }
        if self.searches() {
            self.descent.check().map_err(|error| error.about("descent"))?;
        }
        if self.loss == FlatnessLoss::Robust {
            self.attack.check().map_err(|error| error.about("attack"))?;
            let restarts = limits::count("reference restarts", self.restarts_of_reference());
            restarts.map_err(|error| error.about("reference_restarts"))?;
        }
        if self.is_simultaneous() {
            self.descent.check_joint().map_err(|error| error.about("joint"))?;
        } else if self.joint == JointSearch::Sequential
            && (self.case, self.loss) != (Case::Worst, FlatnessLoss::Robust)
        {
            return Err(Error::invalid(
                "the sequential search is for the worst case of the robust loss; leave it out otherwise",
            )
            .about("joint"));
        }
        Ok(())
    }

    fn check_levels(&self) -> Result<()> {
        if let Some(levels) = &self.levels {
            if self.usual_levels().is_none() {
                return Err(Error::invalid(
                    "levels are for the average case of the robust loss, with attacks of at least 2 steps and random perturbations that no image chooses; leave them out (--levels off)",
                ));
            }
            if levels.steps == 0 || levels.steps >= self.attack.steps {
                return Err(Error::invalid(format!(
                    "a short attack of {} steps is not possible; use 1 to {} (fewer than the {} of the attack)",
                    levels.steps,
                    self.attack.steps - 1,
                    self.attack.steps
                )));
            }
            if self.until.is_some() && (levels.short.is_some() || levels.clean.is_some()) {
                return Err(Error::invalid(
                    "numbers of draws are chosen where a standard error is to be reached; leave them out (--levels on)",
                ));
            }
            for (what, draws) in [("short attack", levels.short), ("clean images", levels.clean)] {
                if draws.is_some_and(|draws| draws < self.draws || draws > MOST) {
                    return Err(Error::invalid(format!(
                        "draws on cheap levels ({what}) are at least those of the whole attack, {}, and at most {MOST}; use more, or leave the numbers out",
                        self.draws
                    )));
                }
            }
        }
        Ok(())
    }

    fn check_until(&self) -> Result<()> {
        match self.until {
            Some(_) if self.case == Case::Worst => Err(Error::invalid(
                "a standard error is for the average case: of the largest draw of the worst case none is known; leave it out (--until), or use the average case",
            )),
            Some(error) if !(error > 0.0 && error.is_finite()) => Err(Error::invalid(format!(
                "standard error {error} is not possible; use a positive number, such as 0.01"
            ))),
            _ => Ok(()),
        }
    }
}
