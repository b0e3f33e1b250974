//! Where the numbers of a figure come from, in lines of text: for the head of data files and for metadata.

use std::path::Path;

use basin_core::exchange::Imported;
use basin_core::job::{
    Attack, AutoAttack, DirectionKind, Evaluate, Flatness, FlatnessLoss, Hessian, HessianLoss, Landscape,
    LandscapeLoss, Matrix, Normalization, Train,
};
use basin_core::record::{Evaluation, FlatnessOutcome, LandscapeOutcome, Outcome, Record};

use super::text::literal;

/// Of a landscape: model, loss, scale of the steps, data, program.
pub fn landscape(name: &str, record: &Record, job: &Landscape) -> Vec<String> {
    let step = match &job.normalize {
        Normalization::Layer => format!("relative L2 norm {} in every tensor", job.radius),
        Normalization::Filter => format!("relative L2 norm {} in every filter", job.radius),
        Normalization::Global => format!("relative L2 norm {} over the whole model", job.radius),
        Normalization::Weight => format!("every entry {} times as large as its weight", job.radius),
        Normalization::None => format!("the direction times {}", job.radius),
        token @ Normalization::Paper(_) => format!("the paper's {token}"),
    };
    let step = match job.kinds().all(DirectionKind::has_length) {
        true if job.kinds().any(DirectionKind::moves_images) => {
            format!("images at the end of the ball of {}", job.attack)
        }
        true => "a network".to_owned(),
        false => step,
    };
    let loss = match job.loss {
        LandscapeLoss::Clean => "clean images".to_owned(),
        LandscapeLoss::Robust if job.warm.is_some() => {
            format!("{}, warm from point to point in {} steps", job.attack, job.warm.unwrap_or_default())
        }
        LandscapeLoss::Robust => format!("{} at every grid point", job.attack),
        LandscapeLoss::RobustFixed => format!("{} on the trained weights, then fixed", job.attack),
    };
    let mut what =
        vec![format!("loss: mean -log(p + 1e-12) (natural logarithm); {loss}"), format!("step 1: {step}")];
    if let Outcome::Landscape(LandscapeOutcome { reduced: Some(reduced), .. }) = &record.outcome {
        let left = [reduced.clean, reduced.robust].into_iter().flatten().filter_map(|found| found.error);
        let left = left.reduce(f64::max).map_or(String::new(), |error| format!(", to {error:.2e}"));
        what.push(format!("evaluated in {}, corrected by points in float32{left}", reduced.precision));
    }
    if job.draws > 1 || !job.kinds().all(|kind| matches!(kind, DirectionKind::Random(_))) {
        let titles: Vec<String> = job.kinds().map(DirectionKind::title).collect();
        let draws = if job.draws > 1 { format!(", mean of {} draws", job.draws) } else { String::new() };
        what.push(format!("directions: {}{draws}", titles.join(", ")));
    }
    lines(name, record, what)
}

/// Of an evaluation: model, attack, data, program.
pub fn evaluation(name: &str, record: &Record, job: &Evaluate) -> Vec<String> {
    let mut what = vec!["loss: mean -log(p + 1e-12) (natural logarithm)".to_owned()];
    let attacks: Vec<String> = job.attacks().map(ToString::to_string).collect();
    if !attacks.is_empty() {
        what.push(format!("robust: {}", attacks.join("; or ")));
    } else if let Outcome::Evaluate(Evaluation { source: Some(source), .. }) = &record.outcome {
        let attack = source.attack.as_deref().unwrap_or("an attack that is not known");
        what.push(format!("robust: adversarial examples of another network, {attack} ({})", source.hash));
    }
    lines(name, record, what)
}

/// Of AutoAttack: model, version, ball, data, program.
pub fn autoattack(name: &str, record: &Record, job: &Attack) -> Vec<String> {
    let AutoAttack { version, norm, epsilon, individual, tuning, .. } = &job.attack;
    let alone = if *individual { ", each attack alone" } else { "" };
    let what =
        format!("robust accuracy under AutoAttack {version}, {norm}, epsilon {epsilon:.5}{alone}{tuning}");
    lines(name, record, vec![what])
}

/// Of a Hessian: model, loss, matrix, tensors, data, program.
pub fn hessian(name: &str, record: &Record, job: &Hessian) -> Vec<String> {
    let matrix = match job.matrix {
        Matrix::Hessian => "Hessian",
        Matrix::GaussNewton => "Gauss-Newton matrix",
    };
    let loss = match job.loss {
        HessianLoss::Clean => "clean images".to_owned(),
        HessianLoss::Robust => format!("{}, then fixed", job.attack),
    };
    let what = format!("{matrix} of the mean cross-entropy on {loss}; tensors: {}", job.tensors);
    lines(name, record, vec![what])
}

/// Of a flatness measure: model, case, ball, attack, draws, data, program.
pub fn flatness(name: &str, record: &Record, job: &Flatness, outcome: &FlatnessOutcome) -> Vec<String> {
    let mut what = vec![
        format!("{}, {}; {}", job.label(), job.perturbations(), outcome.certainty(job.case)),
        format!("loss: mean -log(p + 1e-12) (natural logarithm); perturbed tensors: {}", job.tensors),
    ];
    if job.loss == FlatnessLoss::Robust {
        let (reference, draws) = (job.restarts_of_reference(), job.restarts_of_draws());
        let unequal = if reference == draws { "" } else { ", as in the paper" };
        what.push(format!(
            "robust: {}; restarts: reference {reference}, perturbed networks {draws}{unequal}",
            job.attack
        ));
    }
    lines(name, record, what)
}

/// Of a training: model, method, attacks, test images, data, program.
pub fn training(name: &str, record: &Record, job: &Train) -> Vec<String> {
    let (attack, is_older) = match &record.outcome {
        Outcome::Train(outcome) => (outcome.test_attack(job), outcome.is_older(job)),
        _ => (job.test_attack(), false),
    };
    let training = match job.method.attacks() {
        true => format!("under {}", job.attack),
        false => "without attack".to_owned(),
    };
    let images = job.tested_training_images().filter(|_| !is_older);
    let images = images.map_or(String::new(), |images| format!(" and {images}"));
    let what = vec![
        format!("{}, {} epochs of batches of {}", job.method.title(), job.epochs, job.batch_size),
        "loss: mean -log(p + 1e-12) (natural logarithm)".to_owned(),
        format!("training {training}; tests under {attack} on {}{images}", job.data.test),
    ];
    lines(name, record, what)
}

/// Of an imported landscape: its file.
pub fn imported(name: &str, imported: &Imported) -> Vec<String> {
    let Imported { file, layout, hash } = imported;
    let from = literal(&format!("imported from {file} ({layout}, SHA-256 {hash})"));
    vec![format!("{name}: {from}"), literal(&format!("basin {}", env!("CARGO_PKG_VERSION")))]
}

fn lines(name: &str, record: &Record, what: Vec<String>) -> Vec<String> {
    let p = &record.provenance;
    let model = format!("{}, {}", p.model, last_part(record.job.subject()));
    let images = last_part(Path::new(&p.data));
    let data = format!("data: {images} {} ({})", record.job.data().examples, p.data_fingerprint);
    let parts = [
        format!("basin {}", p.version),
        p.device.clone(),
        format!("seed {}", p.seed),
        format!("search {}", p.search_precision),
        format!("measured in {}", p.measure_precision),
        p.started.clone(),
    ];
    // Of the trainings that come with Basin nobody noted when they began.
    let known: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let program = known.join(", ");
    let rest = what.into_iter().chain([data, program]).map(|line| literal(&line));
    std::iter::once(format!("{name}: {}", literal(&model))).chain(rest).collect()
}

/// A file's name: where it lies on one machine is of no use to readers elsewhere.
fn last_part(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
