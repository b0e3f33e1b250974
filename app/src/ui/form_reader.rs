//! From what a form says to the job it describes, or to everything that is wrong with it.

use std::path::{Path, PathBuf};

use basin_core::checkpoint::Summary;
use basin_core::job::{
    Attack, AutoAttack, Case, Compute, DataSelection, DirectionKind, Evaluate, Examples, Flatness,
    FlatnessLoss, Job, Landscape, LandscapeLoss, Normalization, Pgd, Tensors, Version,
};

use crate::state::Measure;
use crate::ui::form::{Field, Form, Problem, Scaling, TensorChoice, VersionChoice, number};

impl Form {
    /// The job that the form for `measure` describes for a model.
    ///
    /// # Errors
    /// Every field that is wrong, with the remedy.
    pub fn job(&self, measure: Measure, checkpoint: &Path, model: &Summary) -> Result<Job, Vec<Problem>> {
        let mut reader = Reader::default();
        let data = reader.data(self, model.resolution);
        let compute = reader.compute(self);
        let attacked = match measure {
            Measure::Landscape => self.loss != LandscapeLoss::Clean,
            Measure::Flatness => self.flatness_loss == FlatnessLoss::Robust,
            Measure::Evaluate => self.attacked,
            Measure::Attack => false,
        };
        let attack = reader.attack(self, attacked);
        let checkpoint: PathBuf = checkpoint.to_owned();
        let job = match measure {
            Measure::Evaluate => {
                let attack = self.attacked.then_some(attack);
                let keep_examples = self.attacked && self.keep_examples;
                Job::Evaluate(Evaluate { checkpoint, data, attack, keep_examples, compute })
            }
            Measure::Attack => Job::Attack(Attack {
                checkpoint,
                data,
                attack: reader.autoattack(self),
                keep_examples: self.keep_examples,
                compute,
            }),
            Measure::Flatness => {
                let job = Flatness::new(checkpoint, self.flatness_loss, self.case);
                Job::Flatness(reader.flatness(self, Flatness { data, attack, compute, ..job }))
            }
            Measure::Landscape => Job::Landscape(reader.landscape(
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
            )),
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
        ("0 draws", Field::Draws),
        ("draws", Field::Draws),
        ("0 reference restarts", Field::ReferenceRestarts),
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

    fn attack(&mut self, form: &Form, used: bool) -> Pgd {
        let mut attack = Pgd { norm: form.norm, ..Pgd::default() };
        if used {
            attack.epsilon =
                self.real(Field::Epsilon, &form.epsilon, "a number or a fraction, such as 8/255");
            attack.steps = self.whole(Field::AttackSteps, &form.attack_steps, "a whole number, such as 20");
            attack.step_size = self.real(Field::StepSize, &form.step_size, "a number, such as 0.007");
            attack.restarts = self.whole(Field::Restarts, &form.restarts, "a whole number of at least 1");
        }
        attack
    }

    fn autoattack(&mut self, form: &Form) -> AutoAttack {
        let version = match form.version {
            VersionChoice::Standard => Version::Standard,
            VersionChoice::Paper => Version::Paper,
            VersionChoice::Plus => Version::Plus,
            VersionChoice::Rand => Version::Rand,
            VersionChoice::Es => Version::Es,
            VersionChoice::Own => form.attacks.replace(' ', "").parse().unwrap_or_else(|text: String| {
                self.wrong(Field::Attacks, text);
                Version::Standard
            }),
        };
        let epsilon = self.real(Field::Epsilon, &form.epsilon, "a number or a fraction, such as 8/255");
        AutoAttack { version, norm: form.norm, epsilon, ..AutoAttack::default() }
    }

    fn flatness(&mut self, form: &Form, mut job: Flatness) -> Flatness {
        let radii = match form.case {
            Case::Average => &form.average_radii,
            Case::Worst => &form.worst_radii,
        };
        let allowed = "one number or several with commas, such as 0.25, 0.5, 1";
        job.radii = radii.split(',').map(|radius| self.real(Field::Radii, radius, allowed)).collect();
        job.draws = self.whole(Field::Draws, &form.draws, "a whole number of at least 1");
        (job.scope, job.per_layer) = (form.scope, form.per_layer);
        job.tensors = match form.tensors {
            TensorChoice::NoNormalization => Tensors::NoNormalization,
            TensorChoice::All => Tensors::All,
            TensorChoice::NoBias => Tensors::NoBias,
            TensorChoice::Named => {
                let names = form.tensor_names.split(',').map(|name| name.trim().to_owned());
                Tensors::Named(names.filter(|name| !name.is_empty()).collect())
            }
        };
        if job.tensors == Tensors::Named(Vec::new()) {
            self.wrong(Field::Tensors, "give the names of tensors, such as *.weight");
        }
        if form.case == Case::Average {
            job.sampling = form.sampling;
        } else {
            job.descent.epochs = self.whole(Field::Epochs, &form.epochs, "a whole number, such as 20");
            job.descent.step_size = self.real(Field::WeightStep, &form.weight_step, "a number, such as 0.01");
        }
        if form.flatness_loss == FlatnessLoss::Robust {
            let allowed = "a whole number of at least 1, such as 10";
            job.reference_restarts = self.whole(Field::ReferenceRestarts, &form.reference_restarts, allowed);
        }
        job
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
