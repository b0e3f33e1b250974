//! What the forms say: text as typed, and the job it describes or what is wrong with it, field by field.

use std::path::{Path, PathBuf};

use basin_core::checkpoint::Summary;
use basin_core::job::{
    Compute, DataSelection, DirectionKind, Evaluate, Examples, InputNorm, Job, Landscape, LandscapeLoss,
    Normalization, Pgd, Precision,
};
use serde::{Deserialize, Serialize};

use crate::state::Side;

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

    /// The job that the form on `side` describes for a model.
    ///
    /// # Errors
    /// Every field that is wrong, with the remedy.
    pub fn job(&self, side: Side, checkpoint: &Path, model: &Summary) -> Result<Job, Vec<Problem>> {
        let mut reader = Reader::default();
        let data = reader.data(self, model.resolution);
        let compute = reader.compute(self);
        let attack = reader.attack(self, side);
        let checkpoint: PathBuf = checkpoint.to_owned();
        let job = if side == Side::Evaluate {
            Job::Evaluate(Evaluate { checkpoint, data, attack: self.attacked.then_some(attack), compute })
        } else {
            Job::Landscape(reader.landscape(
                self,
                Landscape {
                    checkpoint,
                    data,
                    direction: DirectionKind::Random(0),
                    second: None,
                    normalize: Normalization::Layer,
                    radius: 0.5,
                    range: 1.0,
                    steps: 51,
                    loss: self.loss,
                    attack,
                    compute,
                },
            ))
        };
        if reader.problems.is_empty()
            && let Err(error) = job.check()
        {
            let text = error.to_string();
            reader.problems.push(Problem { field: field_of(&text), text });
        }
        if reader.problems.is_empty() { Ok(job) } else { Err(reader.problems) }
    }
}

/// Which field a message of [`Job::check`] is about.
fn field_of(message: &str) -> Option<Field> {
    let known = [
        ("steps", Field::Steps),
        ("radius", Field::Radius),
        ("range", Field::Range),
        ("epsilon", Field::Epsilon),
        ("step size", Field::StepSize),
        ("0 restarts", Field::Restarts),
        ("restarts", Field::Restarts),
        ("batch size", Field::BatchSize),
        ("normalization", Field::Token),
    ];
    known.iter().find(|(start, _)| message.starts_with(start)).map(|(_, field)| *field)
}

/// Reads fields and collects what is wrong.
#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn wrong(&mut self, field: Field, text: impl Into<String>) {
        self.problems.push(Problem { field: Some(field), text: text.into() });
    }

    fn whole<T: std::str::FromStr + Default>(&mut self, field: Field, text: &str, allowed: &str) -> T {
        text.trim().parse().unwrap_or_else(|_| {
            self.wrong(field, format!("use {allowed}"));
            T::default()
        })
    }

    fn real(&mut self, field: Field, text: &str, allowed: &str) -> f64 {
        number(text).unwrap_or_else(|| {
            self.wrong(field, format!("use {allowed}"));
            0.0
        })
    }

    fn data(&mut self, form: &Form, resolution: [usize; 3]) -> DataSelection {
        let examples = form.examples.trim().parse::<Examples>().unwrap_or_else(|text| {
            self.wrong(Field::Examples, text);
            DataSelection::default().examples
        });
        let name = form.data_name(resolution);
        if name.trim().is_empty() {
            self.wrong(Field::Data, "choose a data set");
        }
        DataSelection { name, examples }
    }

    fn compute(&mut self, form: &Form) -> Compute {
        let seed = self.whole(Field::Seed, &form.seed, "a whole number of at least 0");
        let batch = form.batch_size.trim();
        let batch_size = (!batch.is_empty() && batch != "auto")
            .then(|| self.whole(Field::BatchSize, batch, "a whole number of at least 1, or nothing"));
        Compute { device: form.device.clone(), precision: form.precision, seed, batch_size }
    }

    fn attack(&mut self, form: &Form, side: Side) -> Pgd {
        let mut attack = Pgd { norm: form.norm, ..Pgd::default() };
        let used = if side == Side::Evaluate { form.attacked } else { form.loss != LandscapeLoss::Clean };
        if used {
            attack.epsilon =
                self.real(Field::Epsilon, &form.epsilon, "a number or a fraction, such as 8/255");
            attack.steps = self.whole(Field::AttackSteps, &form.attack_steps, "a whole number, such as 20");
            attack.step_size = self.real(Field::StepSize, &form.step_size, "a number, such as 0.007");
            attack.restarts = self.whole(Field::Restarts, &form.restarts, "a whole number of at least 1");
        }
        attack
    }

    fn landscape(&mut self, form: &Form, job: Landscape) -> Landscape {
        let draws = "a whole number of at least 0";
        let direction = DirectionKind::Random(self.whole(Field::Draw, &form.draw, draws));
        let second = form
            .two_dimensional
            .then(|| DirectionKind::Random(self.whole(Field::SecondDraw, &form.second_draw, draws)));
        if second.as_ref() == Some(&direction) {
            self.wrong(Field::SecondDraw, "use another draw than the first direction's");
        }
        let normalize = match form.scaling {
            Scaling::Layer => Normalization::Layer,
            Scaling::Filter => Normalization::Filter,
            Scaling::Global => Normalization::Global,
            Scaling::Paper => form.token.trim().parse().unwrap_or_else(|text: String| {
                self.wrong(Field::Token, text);
                Normalization::Layer
            }),
        };
        let radius = if form.scaling == Scaling::Paper {
            job.radius
        } else {
            self.real(Field::Radius, &form.radius, "a positive number, such as 0.5")
        };
        let range = self.real(Field::Range, &form.range, "a positive number, such as 1");
        let steps = if form.two_dimensional { &form.steps_plane } else { &form.steps_line };
        let steps = self.whole(Field::Steps, steps, "an odd number of at least 3");
        Landscape { direction, second, normalize, radius, range, steps, ..job }
    }
}
