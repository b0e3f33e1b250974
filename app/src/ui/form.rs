//! What the forms say: text as typed. What job that is, see [`Form::job`].

use basin_core::job::{
    Case, FlatnessLoss, JointSearch, LandscapeLoss, Precision, Sampling, Scope, WeightNorm,
};
use serde::{Deserialize, Serialize};

use crate::state::Measure;
pub use crate::ui::form_field::Field;
pub use crate::ui::form_parts::{
    BenchmarkText, EnsembleText, PaperNames, PgdText, TuningText, VersionChoice,
};

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

/// What an evaluation looks at besides the images as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Inputs {
    /// Nothing.
    Clean,
    /// PGD on this network.
    #[default]
    Pgd,
    /// Adversarial examples that an earlier record kept.
    Stored,
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

/// Everything the forms say. Each form has its own attack; images and computing are the same for all.
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
    /// How perturbations of the weights are measured.
    pub weight_norm: WeightNorm,
    /// Where in the ball random perturbations are.
    pub sampling: Sampling,
    /// Which tensors are perturbed.
    pub tensors: TensorChoice,
    /// Their names, for [`TensorChoice::Named`].
    pub tensor_names: String,
    /// One tensor at a time, too.
    pub per_layer: bool,
    /// Average robust loss: a multilevel estimate.
    pub levels: bool,
    /// Average case: standard error to reach; empty: as many draws as asked for.
    pub until: String,
    /// Starts of the attack on the unperturbed network; empty: as many as on perturbed ones. (Another name than before
    /// that was the default, so that a 10 that nobody typed is forgotten.)
    #[serde(rename = "restarts_of_reference")]
    pub reference_restarts: String,
    /// Random perturbations of which the worst is a draw.
    pub worst_of: String,
    /// Where the search for the worst weights starts; none: at the unperturbed ones.
    pub weight_start: Option<Sampling>,
    /// How weights and inputs are searched.
    pub joint: JointSearch,
    /// Loss beyond which the search takes no more steps; empty: none.
    pub loss_bound: String,
    /// Refuse steps beyond that loss.
    pub early_stopping: bool,
    /// Keep perturbed networks beside the record.
    pub keep_networks: bool,
    /// Passes of the search for the worst weights.
    pub epochs: String,
    /// Relative change of the weights per update of that search.
    pub weight_step: String,
    /// AutoAttack.
    pub ensemble: EnsembleText,
    /// A benchmark.
    pub benchmark: BenchmarkText,
    /// Names of the paper.
    pub names: PaperNames,
    /// Keep adversarial examples beside the record.
    pub keep_examples: bool,
    /// Keep those of every restart there, too.
    pub keep_attempts: bool,
    /// Keep the probabilities of all classes beside the record.
    pub keep_probabilities: bool,
    /// Note loss and error at every iteration of the attack.
    pub log_steps: bool,
    /// What an evaluation looks at besides the images.
    pub inputs: Inputs,
    /// Further attacks of an evaluation, separated by semicolons.
    pub more_attacks: String,
    /// Adversarial examples for [`Inputs::Stored`].
    pub stored: String,
    /// PGD of landscapes.
    pub landscape_attack: PgdText,
    /// PGD of flatness measures.
    pub flatness_attack: PgdText,
    /// PGD of evaluations.
    pub evaluate_attack: PgdText,
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
            weight_norm: WeightNorm::default(),
            sampling: Sampling::default(),
            tensors: TensorChoice::default(),
            tensor_names: String::new(),
            per_layer: false,
            levels: true,
            until: String::new(),
            reference_restarts: String::new(),
            worst_of: text("1"),
            weight_start: Some(Sampling::UniformNorm),
            joint: JointSearch::default(),
            loss_bound: String::new(),
            early_stopping: false,
            keep_networks: false,
            epochs: text("20"),
            weight_step: text("0.01"),
            ensemble: EnsembleText::default(),
            benchmark: BenchmarkText::default(),
            names: PaperNames::default(),
            keep_examples: true,
            keep_attempts: false,
            keep_probabilities: false,
            log_steps: false,
            inputs: Inputs::default(),
            more_attacks: String::new(),
            stored: String::new(),
            landscape_attack: PgdText::default(),
            flatness_attack: PgdText::default(),
            evaluate_attack: PgdText::default(),
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
    /// What the form for `measure` says of PGD; forms without it share that of evaluations.
    pub fn pgd_mut(&mut self, measure: Measure) -> &mut PgdText {
        match measure {
            Measure::Landscape => &mut self.landscape_attack,
            Measure::Flatness => &mut self.flatness_attack,
            _ => &mut self.evaluate_attack,
        }
    }

    /// The paper's name in the form for `measure`; none where a form takes none.
    pub fn paper_name(&self, measure: Measure) -> Option<&str> {
        let name = match measure {
            Measure::Evaluate => &self.names.evaluate,
            Measure::Flatness => &self.names.flatness,
            Measure::Attack => &self.names.attack,
            _ => return None,
        };
        Some(name.trim()).filter(|name| !name.is_empty())
    }

    /// What is typed in a field of the form for `measure`.
    pub fn text_mut(&mut self, measure: Measure, field: Field) -> &mut String {
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
            Field::Until => &mut self.until,
            Field::ReferenceRestarts => &mut self.reference_restarts,
            Field::WorstOf => &mut self.worst_of,
            Field::LossBound => &mut self.loss_bound,
            Field::Epochs => &mut self.epochs,
            Field::WeightStep => &mut self.weight_step,
            Field::Attacks => &mut self.ensemble.attacks,
            Field::EnsembleSteps => &mut self.ensemble.steps,
            Field::EnsembleRestarts => &mut self.ensemble.restarts,
            Field::Targets => &mut self.ensemble.targets,
            Field::Queries => &mut self.ensemble.queries,
            Field::Eot => &mut self.ensemble.tuning.eot,
            Field::Rho => &mut self.ensemble.tuning.rho,
            Field::Alpha => &mut self.ensemble.tuning.alpha,
            Field::Eta => &mut self.ensemble.tuning.eta,
            Field::Beta => &mut self.ensemble.tuning.beta,
            Field::AlphaMax => &mut self.ensemble.tuning.alpha_max,
            Field::PInit => &mut self.ensemble.tuning.p_init,
            Field::Name => match measure {
                Measure::Flatness => &mut self.names.flatness,
                Measure::Attack => &mut self.names.attack,
                _ => &mut self.names.evaluate,
            },
            Field::Names => &mut self.benchmark.names,
            Field::MoreAttacks => &mut self.more_attacks,
            Field::Stored => &mut self.stored,
            Field::Data => &mut self.data,
            Field::Examples if measure == Measure::Benchmark => &mut self.benchmark.examples,
            Field::Examples => &mut self.examples,
            Field::Epsilon if measure == Measure::Attack => &mut self.ensemble.epsilon,
            Field::Epsilon => &mut self.pgd_mut(measure).epsilon,
            Field::AttackSteps => &mut self.pgd_mut(measure).steps,
            Field::StepSize => &mut self.pgd_mut(measure).step_size,
            Field::Restarts => &mut self.pgd_mut(measure).restarts,
            Field::Seed => &mut self.seed,
            Field::BatchSize => &mut self.batch_size,
        }
    }

    /// Whether the search for the worst weights is gradient descent on the weights alone.
    pub fn searches_weights_alone(&self) -> bool {
        self.case == Case::Worst
            && (self.flatness_loss == FlatnessLoss::Clean || self.joint == JointSearch::Sequential)
    }

    /// Name of the data set, chosen or fitting.
    pub fn data_name(&self, resolution: [usize; 3]) -> String {
        if self.data.is_empty() { fitting_data(resolution).0.to_owned() } else { self.data.clone() }
    }
}
