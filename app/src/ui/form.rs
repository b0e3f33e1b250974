//! What the forms say: text as typed. What job that is, see [`Form::job`].

use basin_core::job::{Case, FlatnessLoss, InputNorm, LandscapeLoss, Precision, Sampling, Scope};
use serde::{Deserialize, Serialize};

/// A place in a form that can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Number of the first direction's draw.
    Draw,
    /// Number of the second direction's draw.
    SecondDraw,
    /// The paper's normalization token.
    Token,
    /// Relative size of step 1.
    Radius,
    /// Largest step.
    Range,
    /// Grid points per axis.
    Steps,
    /// Relative sizes of the perturbations that flatness is measured for.
    Radii,
    /// Perturbations per radius.
    Draws,
    /// Names of the tensors that are perturbed.
    Tensors,
    /// Starts of the attack on the unperturbed network.
    ReferenceRestarts,
    /// Passes of the search for the worst weights.
    Epochs,
    /// Relative change of the weights per update of that search.
    WeightStep,
    /// Attacks of a list of one's own.
    Attacks,
    /// Data set.
    Data,
    /// Images.
    Examples,
    /// Radius of the attack.
    Epsilon,
    /// Updates of the attack.
    AttackSteps,
    /// Step size of the attack.
    StepSize,
    /// Starts of the attack.
    Restarts,
    /// Seed.
    Seed,
    /// Images at a time.
    BatchSize,
}

impl Field {
    /// Its label, and what it is in a sentence.
    pub fn label_and_tooltip(self) -> (&'static str, &'static str) {
        match self {
            Self::Draw => {
                ("Random draw", "Number of the random direction; another number, another direction")
            }
            Self::SecondDraw => ("Second draw", "Number of the random direction along y"),
            Self::Token => (
                "Token",
                "A normalization of the paper's program, such as layer_l2_05, with the paper's meaning",
            ),
            Self::Radius => ("Radius", "Relative L2 norm of the weight change at step 1"),
            Self::Range => ("Range", "Steps run from minus this to plus this"),
            Self::Steps => {
                ("Steps", "Grid points per axis; odd, so that the checkpoint itself is one of them")
            }
            Self::Radii => (
                "Radii",
                "Relative L2 norms of the weight change, separated by commas; the paper uses 0.5 on average and 0.003 in the worst case",
            ),
            Self::Draws => ("Draws", "Perturbations per radius; every model gets the same ones"),
            Self::Tensors => (
                "Names",
                "Tensors as the Model tab lists them, separated by commas; * stands for any characters",
            ),
            Self::ReferenceRestarts => (
                "Ref. restarts",
                "Starts of the attack on the unperturbed network, the worst per image counts; the paper uses 10",
            ),
            Self::Epochs => ("Epochs", "Passes of the search for the worst weights; the paper uses 20"),
            Self::WeightStep => ("Weight step", "Relative change of the weights per update of that search"),
            Self::Attacks => (
                "Attacks",
                "In their order: apgd-ce, apgd-dlr, apgd-t, fab, fab-t, square; separated by commas",
            ),
            Self::Data => ("Data set", "Where the images come from"),
            Self::Examples => {
                ("Examples", "Split and index range, such as test:0..100; the end is not included")
            }
            Self::Epsilon => (
                "Epsilon",
                "Largest change, in pixel values from 0 to 1; fractions such as 8/255 are accepted",
            ),
            Self::AttackSteps => ("Iterations", "Updates of the attack"),
            Self::StepSize => ("Step size", "Change per update; fractions are accepted"),
            Self::Restarts => ("Restarts", "Independent starts; the worst per image counts"),
            Self::Seed => ("Seed", "Of every random number of the job"),
            Self::BatchSize => ("Batch size", "Images at a time; empty: chosen for the device"),
        }
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where; none: the settings together.
    pub field: Option<Field>,
    /// What, with the remedy.
    pub text: String,
}

/// Choice of the scaling of directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Scaling {
    /// Relative L2 norm in every tensor.
    #[default]
    Layer,
    /// Relative L2 norm in every output filter.
    Filter,
    /// Relative L2 norm over the whole model.
    Global,
    /// A token of the paper's program.
    Paper,
}

/// Choice of the tensors that are perturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TensorChoice {
    /// All that belong to no normalization layer.
    #[default]
    NoNormalization,
    /// All that are trained.
    All,
    /// None of normalization layers, no biases.
    NoBias,
    /// Those named.
    Named,
}

/// Choice of the AutoAttack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum VersionChoice {
    /// APGD-CE, APGD-T, FAB-T, Square.
    #[default]
    Standard,
    /// FAB-T, APGD-CE, APGD-T.
    Paper,
    /// All six.
    Plus,
    /// For networks that answer randomly.
    Rand,
    /// For early stopping.
    Es,
    /// A list of one's own.
    Own,
}

/// Everything the forms say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Form {
    /// Two directions instead of one.
    pub two_dimensional: bool,
    /// Number of the first direction's draw.
    pub draw: String,
    /// Number of the second direction's draw.
    pub second_draw: String,
    /// Scaling of directions.
    pub scaling: Scaling,
    /// The paper's token, for [`Scaling::Paper`].
    pub token: String,
    /// Relative size of step 1.
    pub radius: String,
    /// Largest step.
    pub range: String,
    /// Grid points of a 1-D landscape.
    pub steps_line: String,
    /// Grid points per axis of a 2-D landscape.
    pub steps_plane: String,
    /// Which loss.
    pub loss: LandscapeLoss,
    /// Which loss flatness is measured of.
    pub flatness_loss: FlatnessLoss,
    /// Average or worst case.
    pub case: Case,
    /// Radii of the average case.
    pub average_radii: String,
    /// Radii of the worst case.
    pub worst_radii: String,
    /// Perturbations per radius.
    pub draws: String,
    /// What a radius is relative to.
    pub scope: Scope,
    /// Where in the ball random perturbations are.
    pub sampling: Sampling,
    /// Which tensors are perturbed.
    pub tensors: TensorChoice,
    /// Their names, for [`TensorChoice::Named`].
    pub tensor_names: String,
    /// One tensor at a time, too.
    pub per_layer: bool,
    /// Starts of the attack on the unperturbed network.
    pub reference_restarts: String,
    /// Passes of the search for the worst weights.
    pub epochs: String,
    /// Relative change of the weights per update of that search.
    pub weight_step: String,
    /// Which AutoAttack.
    pub version: VersionChoice,
    /// Its attacks, for [`VersionChoice::Own`].
    pub attacks: String,
    /// Keep adversarial examples beside the record.
    pub keep_examples: bool,
    /// Evaluate under attack too.
    pub attacked: bool,
    /// Geometry of the attack.
    pub norm: InputNorm,
    /// Radius of the attack; fractions are accepted.
    pub epsilon: String,
    /// Updates of the attack.
    pub attack_steps: String,
    /// Step size of the attack; fractions are accepted.
    pub step_size: String,
    /// Starts of the attack.
    pub restarts: String,
    /// Data set name; empty: what fits the model.
    pub data: String,
    /// Images.
    pub examples: String,
    /// Device.
    pub device: String,
    /// Precision of the search.
    pub precision: Precision,
    /// Seed.
    pub seed: String,
    /// Images at a time; empty: automatic.
    pub batch_size: String,
}

impl Default for Form {
    fn default() -> Self {
        let text = |t: &str| t.to_owned();
        Self {
            two_dimensional: true,
            draw: text("0"),
            second_draw: text("1"),
            scaling: Scaling::Layer,
            token: text("layer_l2_05"),
            radius: text("0.5"),
            range: text("1"),
            steps_line: text("51"),
            steps_plane: text("25"),
            loss: LandscapeLoss::Robust,
            flatness_loss: FlatnessLoss::Robust,
            case: Case::Average,
            average_radii: text("0.5"),
            worst_radii: text("0.003"),
            draws: text("10"),
            scope: Scope::default(),
            sampling: Sampling::default(),
            tensors: TensorChoice::default(),
            tensor_names: String::new(),
            per_layer: false,
            reference_restarts: text("10"),
            epochs: text("20"),
            weight_step: text("0.01"),
            version: VersionChoice::default(),
            attacks: text("apgd-ce, apgd-t"),
            keep_examples: true,
            attacked: true,
            norm: InputNorm::Linf,
            epsilon: text("8/255"),
            attack_steps: text("20"),
            step_size: text("0.007"),
            restarts: text("1"),
            data: String::new(),
            examples: text("test:0..100"),
            device: text("auto"),
            precision: Precision::Auto,
            seed: text("0"),
            batch_size: String::new(),
        }
    }
}

/// The data set that fits a model's input: its name and what to call it.
pub fn fitting_data(resolution: [usize; 3]) -> (&'static str, &'static str) {
    match resolution {
        [1, ..] => ("mnist", "MNIST"),
        _ => ("bundled", "CIFAR-10"),
    }
}

/// A number, or a fraction such as `8/255`.
pub fn number(text: &str) -> Option<f64> {
    let parse = |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    match text.split_once('/') {
        None => parse(text),
        Some((above, below)) => Some(parse(above)? / parse(below)?).filter(|v| v.is_finite()),
    }
}

impl Form {
    /// What is typed in a field.
    pub fn text_mut(&mut self, field: Field) -> &mut String {
        match field {
            Field::Draw => &mut self.draw,
            Field::SecondDraw => &mut self.second_draw,
            Field::Token => &mut self.token,
            Field::Radius => &mut self.radius,
            Field::Range => &mut self.range,
            Field::Steps if self.two_dimensional => &mut self.steps_plane,
            Field::Steps => &mut self.steps_line,
            Field::Radii if self.case == Case::Average => &mut self.average_radii,
            Field::Radii => &mut self.worst_radii,
            Field::Draws => &mut self.draws,
            Field::Tensors => &mut self.tensor_names,
            Field::ReferenceRestarts => &mut self.reference_restarts,
            Field::Epochs => &mut self.epochs,
            Field::WeightStep => &mut self.weight_step,
            Field::Attacks => &mut self.attacks,
            Field::Data => &mut self.data,
            Field::Examples => &mut self.examples,
            Field::Epsilon => &mut self.epsilon,
            Field::AttackSteps => &mut self.attack_steps,
            Field::StepSize => &mut self.step_size,
            Field::Restarts => &mut self.restarts,
            Field::Seed => &mut self.seed,
            Field::BatchSize => &mut self.batch_size,
        }
    }

    /// Name of the data set, chosen or fitting.
    pub fn data_name(&self, resolution: [usize; 3]) -> String {
        if self.data.is_empty() { fitting_data(resolution).0.to_owned() } else { self.data.clone() }
    }
}
