//! Training: every variant of the paper as plain data ([`Train`]) over one step ([`Trainer`]).
//!
//! A step is: attack the batch in evaluation mode (`prepare`), take the gradient of the method's loss (`step`) in
//! training mode, perhaps at perturbed weights (`sharpness`, `weight_attack`), and let the optimizer move the
//! flat weights (`optimizer`, `entropy`). Sources: Stutz et al. 2021 for the variants; the papers named at
//! each method.

mod average;
mod batch;
mod change;
mod entropy;
mod evaluation;
mod learner;
mod log;
pub mod loss;
pub mod optimizer;
mod order;
mod outcome;
mod prepare;
pub mod preset;
mod schedule;
mod separate;
mod settings;
mod sharpness;
mod smallest;
mod source;
mod state;
mod statistics;
mod step;
mod trainer;
mod weight_attack;

pub use average::{Average, RunningAverage, Statistics};
pub use batch::TrainBatch;
pub use evaluation::EvaluationSettings;
pub use learner::{Head, Learner, auxiliary_head};
pub use log::{Epoch, LogLine, Scores, Steps, means};
pub use loss::Labels;
pub use optimizer::{EntropySgd, Memory, Optimizer};
pub use order::{Order, Pick};
pub use outcome::{Choice, Snapshot, Trained, TrainingOutcome};
pub use schedule::{Rate, Schedule};
pub use settings::{Extra, Method, Train, TrainData};
pub use sharpness::{Awp, Curriculum, Sharpness, WeightAttack};
pub use source::Source;
pub use state::{Counters, Tensors};
pub use statistics::{Summary, TensorStatistics};
pub use step::Values;
pub use trainer::{IN_PERTURBATION, PERTURBED_LOSS, StepReport, Trainer};
