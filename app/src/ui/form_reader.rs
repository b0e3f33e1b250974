//! From what a form says to the job it describes, or to everything that is wrong with it.

use std::path::{Path, PathBuf};

use basin_core::checkpoint::Summary;
use basin_core::job::{
    Attack, AutoAttack, Benchmark, Case, Compute, DataSelection, DirectionKind, Evaluate, Examples, Flatness,
    FlatnessLoss, InputNorm, Job, Landscape, LandscapeLoss, Normalization, Pgd, Tensors, Tuning, Version,
};

use crate::cli::pgd_variant;
use crate::state::Measure;
use crate::ui::form::{EnsembleText, Field, Form, Inputs, PgdText, Problem, Scaling, TensorChoice, number};
use crate::ui::form_fill::named_job;

impl Form {
    /// The job that the form for `measure` describes for a model.
    ///
    /// # Errors
    /// Every field that is wrong, with the remedy.
    pub fn job(&self, measure: Measure, checkpoint: &Path, model: &Summary) -> Result<Job, Vec<Problem>> {
        let mut reader = Reader::default();
        let data = reader.data(self, measure, model.resolution);
        let compute = reader.compute(self);
        let checkpoint: PathBuf = checkpoint.to_owned();
        let job = match self.paper_name(measure) {
            Some(name) => reader.named(self, measure, name, checkpoint, data, compute),
            None => reader.described(self, measure, checkpoint, data, compute),
        };
        if reader.problems.is_empty()
            && let Err(error) = job.check()
        {
            let text = error.to_string();
            reader.problems.push(Problem { field: field_of(measure, &text), text });
        }
        if reader.problems.is_empty() { Ok(job) } else { Err(reader.problems) }
    }
}

/// Which field of the form for `measure` a message of [`Job::check`] is about.
fn field_of(measure: Measure, message: &str) -> Option<Field> {
    let ensemble = measure == Measure::Attack;
    let known = [
        ("0 steps", if ensemble { Field::EnsembleSteps } else { Field::Steps }),
        ("steps", Field::Steps),
        ("radius", Field::Radius),
        ("range", Field::Range),
        ("epsilon", Field::Epsilon),
        ("step size", Field::StepSize),
        ("0 restarts", if ensemble { Field::EnsembleRestarts } else { Field::Restarts }),
        ("restarts", Field::Restarts),
        ("0 targets", Field::Targets),
        ("0 queries", Field::Queries),
        ("0 EOT passes", Field::Eot),
        ("rho", Field::Rho),
        ("alpha-max", Field::AlphaMax),
        ("alpha", Field::Alpha),
        ("eta", Field::Eta),
        ("beta", Field::Beta),
        ("p-init", Field::PInit),
        ("batch size", Field::BatchSize),
        ("0 draws", Field::Draws),
        ("draws", Field::Draws),
        ("standard error", Field::Until),
        ("0 reference restarts", Field::ReferenceRestarts),
        ("the worst of", Field::WorstOf),
        ("loss bound", Field::LossBound),
        ("normalization", Field::Token),
        ("no attack of the paper", Field::Names),
        ("a benchmark needs", Field::Names),
        ("the attacks choose", Field::MoreAttacks),
        ("examples", Field::Examples),
    ];
    known.iter().find(|(start, _)| message.starts_with(start)).map(|(_, field)| *field)
}

/// Texts separated by commas.
fn list(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Whether an optional setting has an effect on some attack of a version.
pub fn takes(version: &Version, field: Field) -> bool {
    use basin_core::attack::autoattack::Attack;
    let attacks = version.attacks();
    match field {
        Field::EnsembleSteps => attacks != [Attack::Square],
        Field::Targets => attacks.iter().any(|attack| attack.is_targeted()),
        Field::Queries | Field::PInit => attacks.contains(&Attack::Square),
        Field::Eot | Field::Rho | Field::Alpha => attacks.iter().any(|attack| attack.is_apgd()),
        Field::Eta | Field::Beta | Field::AlphaMax => attacks.iter().any(|attack| attack.is_fab()),
        _ => true,
    }
}

/// What an evaluation keeps.
fn kept(form: &Form, inputs: Inputs) -> Evaluate {
    let keep_examples = form.keep_examples && inputs != Inputs::Clean;
    Evaluate {
        keep_examples,
        keep_attempts: keep_examples && form.keep_attempts && inputs == Inputs::Pgd,
        keep_probabilities: form.keep_probabilities,
        log_steps: form.log_steps && inputs == Inputs::Pgd,
        ..Evaluate::default()
    }
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

    fn data(&mut self, form: &Form, measure: Measure, resolution: [usize; 3]) -> DataSelection {
        let examples = if measure == Measure::Benchmark { &form.benchmark.examples } else { &form.examples };
        let examples = examples.trim().parse::<Examples>().unwrap_or_else(|text| {
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

    /// What a name of the paper stands for, on the images of the form.
    fn named(
        &mut self,
        form: &Form,
        measure: Measure,
        name: &str,
        checkpoint: PathBuf,
        data: DataSelection,
        compute: Compute,
    ) -> Job {
        let job = named_job(measure, name).unwrap_or_else(|text| {
            self.wrong(Field::Name, text);
            Job::Benchmark(Benchmark::new(checkpoint.clone()))
        });
        let keep_examples = form.keep_examples;
        match job {
            Job::Evaluate(job) => {
                let attack = job.attack;
                Job::Evaluate(Evaluate { checkpoint, data, attack, compute, ..kept(form, Inputs::Pgd) })
            }
            Job::Attack(job) => Job::Attack(Attack { checkpoint, data, keep_examples, compute, ..job }),
            Job::Flatness(job) => {
                let search_data = job
                    .search_data
                    .map(|searched| DataSelection { name: data.name.clone(), examples: searched.examples });
                let (per_layer, keep_networks) = (form.per_layer, form.keep_networks);
                Job::Flatness(Flatness {
                    checkpoint,
                    data,
                    search_data,
                    per_layer,
                    keep_networks,
                    compute,
                    ..job
                })
            }
            job => job,
        }
    }

    /// What the fields say.
    fn described(
        &mut self,
        form: &Form,
        measure: Measure,
        checkpoint: PathBuf,
        data: DataSelection,
        compute: Compute,
    ) -> Job {
        let keep_examples = form.keep_examples;
        match measure {
            Measure::Evaluate => {
                let job = Evaluate { checkpoint, data, compute, ..kept(form, form.inputs) };
                Job::Evaluate(self.inputs(form, job))
            }
            Measure::Attack => {
                let attack = self.autoattack(&form.ensemble);
                Job::Attack(Attack { checkpoint, data, attack, keep_examples, compute })
            }
            Measure::Benchmark => {
                let attacks = match &*form.benchmark.group {
                    "" => list(&form.benchmark.names),
                    group => vec![group.to_owned()],
                };
                Job::Benchmark(Benchmark { checkpoint, data, attacks, compute })
            }
            Measure::Flatness => {
                let attack = match form.flatness_loss {
                    FlatnessLoss::Robust => self.pgd(&form.flatness_attack),
                    FlatnessLoss::Clean => Pgd::default(),
                };
                let job = Flatness::new(checkpoint, form.flatness_loss, form.case);
                Job::Flatness(self.flatness(form, Flatness { data, attack, compute, ..job }))
            }
            Measure::Landscape => {
                let attack = match form.loss {
                    LandscapeLoss::Clean => Pgd::default(),
                    _ => self.pgd(&form.landscape_attack),
                };
                Job::Landscape(self.landscape(
                    form,
                    Landscape {
                        checkpoint,
                        data,
                        direction: DirectionKind::Random(0),
                        second: None,
                        normalize: Normalization::Layer,
                        radius: 0.5,
                        range: 1.0,
                        steps: 51,
                        loss: form.loss,
                        attack,
                        compute,
                    },
                ))
            }
        }
    }

    /// The attacks of an evaluation, or its stored adversarial examples.
    fn inputs(&mut self, form: &Form, mut job: Evaluate) -> Evaluate {
        match form.inputs {
            Inputs::Clean => {}
            Inputs::Pgd => {
                let first = self.pgd(&form.evaluate_attack);
                let others = form.more_attacks.split(';').map(str::trim).filter(|text| !text.is_empty());
                for text in others {
                    match pgd_variant(&first, text.trim_start_matches("pgd:")) {
                        Ok(attack) => job.more_attacks.push(attack),
                        Err(sentence) => self.wrong(Field::MoreAttacks, sentence),
                    }
                }
                job.attack = Some(first);
            }
            Inputs::Stored if form.stored.trim().is_empty() => {
                self.wrong(Field::Stored, "give a record that kept its adversarial examples");
            }
            Inputs::Stored => job.adversarial = Some(form.stored.trim().into()),
        }
        job
    }

    fn pgd(&mut self, text: &PgdText) -> Pgd {
        Pgd {
            norm: text.norm,
            epsilon: self.real(Field::Epsilon, &text.epsilon, "a number or a fraction, such as 8/255"),
            steps: self.whole(Field::AttackSteps, &text.steps, "a whole number, such as 20"),
            step_size: self.real(Field::StepSize, &text.step_size, "a number, such as 0.007"),
            restarts: self.whole(Field::Restarts, &text.restarts, "a whole number of at least 1"),
            ..Pgd::default()
        }
    }

    fn autoattack(&mut self, text: &EnsembleText) -> AutoAttack {
        let version = text.version().unwrap_or_else(|why| {
            self.wrong(Field::Attacks, why);
            Version::Standard
        });
        let allowed = "a whole number of at least 1, or nothing";
        let mut optional = |field, text: &str| {
            let used = !text.trim().is_empty() && takes(&version, field);
            used.then(|| self.whole(field, text, allowed))
        };
        let steps = optional(Field::EnsembleSteps, &text.steps);
        let restarts = optional(Field::EnsembleRestarts, &text.restarts);
        let targets = optional(Field::Targets, &text.targets);
        let queries = optional(Field::Queries, &text.queries);
        let epsilon = self.real(Field::Epsilon, &text.epsilon, "a number or a fraction, such as 8/255");
        let tuning = self.tuning(&version, text);
        let individual = text.individual;
        AutoAttack {
            version,
            norm: text.norm,
            epsilon,
            steps,
            restarts,
            targets,
            queries,
            individual,
            tuning,
        }
    }

    fn tuning(&mut self, version: &Version, text: &EnsembleText) -> Tuning {
        let l1 = text.norm == InputNorm::L1;
        let text = &text.tuning;
        let used = |field, text: &str| !text.trim().is_empty() && takes(version, field);
        let eot = used(Field::Eot, &text.eot)
            .then(|| self.whole(Field::Eot, &text.eot, "a whole number of at least 1, or nothing"));
        let mut real =
            |field, text: &str| used(field, text).then(|| self.real(field, text, "a number, or nothing"));
        Tuning {
            eot,
            rho: real(Field::Rho, &text.rho).filter(|_| !l1),
            alpha: real(Field::Alpha, &text.alpha),
            single_radius: text.single_radius && l1 && takes(version, Field::Alpha),
            eta: real(Field::Eta, &text.eta),
            beta: real(Field::Beta, &text.beta),
            alpha_max: real(Field::AlphaMax, &text.alpha_max),
            p_init: real(Field::PInit, &text.p_init),
            rescale_schedule: text.rescale_schedule && takes(version, Field::PInit),
        }
    }

    fn flatness(&mut self, form: &Form, mut job: Flatness) -> Flatness {
        let radii = match form.case {
            Case::Average => &form.average_radii,
            Case::Worst => &form.worst_radii,
        };
        let allowed = "one number or several with commas, such as 0.25, 0.5, 1";
        job.radii = radii.split(',').map(|radius| self.real(Field::Radii, radius, allowed)).collect();
        job.draws = self.whole(Field::Draws, &form.draws, "a whole number of at least 1");
        (job.scope, job.weight_norm, job.per_layer) = (form.scope, form.weight_norm, form.per_layer);
        job.tensors = match form.tensors {
            TensorChoice::NoNormalization => Tensors::NoNormalization,
            TensorChoice::All => Tensors::All,
            TensorChoice::NoBias => Tensors::NoBias,
            TensorChoice::Named => Tensors::Named(list(&form.tensor_names)),
        };
        if job.tensors == Tensors::Named(Vec::new()) {
            self.wrong(Field::Tensors, "give the names of tensors, such as *.weight");
        }
        if form.case == Case::Average {
            job.sampling = form.sampling;
            job.worst_of = self.whole(Field::WorstOf, &form.worst_of, "a whole number of at least 1");
        } else {
            job.descent.start = form.weight_start;
            if form.flatness_loss == FlatnessLoss::Robust {
                job.joint = form.joint;
            }
            let bound = form.loss_bound.trim();
            if form.searches_weights_alone() && !bound.is_empty() {
                job.descent.loss_bound = Some(self.real(Field::LossBound, bound, "a number, or nothing"));
                job.descent.early_stopping = form.early_stopping;
            }
            job.descent.epochs = self.whole(Field::Epochs, &form.epochs, "a whole number, such as 20");
            job.descent.step_size = self.real(Field::WeightStep, &form.weight_step, "a number, such as 0.01");
        }
        if form.flatness_loss == FlatnessLoss::Robust {
            let allowed = "a whole number of at least 1, such as 10, or nothing";
            let text = form.reference_restarts.trim();
            job.reference_restarts =
                (!text.is_empty()).then(|| self.whole(Field::ReferenceRestarts, text, allowed));
        }
        job.keep_networks = form.keep_networks;
        if form.case == Case::Average && !form.until.trim().is_empty() {
            job.until =
                Some(self.real(Field::Until, &form.until, "a positive number, such as 0.01, or nothing"));
        }
        job.levels = form.levels.then(|| job.usual_levels()).flatten();
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
