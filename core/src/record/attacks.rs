//! The attacks behind the numbers of a model: which of them measure robust loss, and how two differ in words.

use crate::attack::{Objective, Pgd, Projection, fraction};
use crate::job::{Evaluate, Flatness, FlatnessLoss, Job, Logits};
use crate::record::Record;

/// The attack on the unperturbed network in a record of flatness: it has restarts of its own.
fn reference(job: &Flatness) -> Pgd {
    Pgd { restarts: job.restarts_of_reference(), ..job.attack.clone() }
}

/// The PGD that a record's robust loss is from, the first of several; none on clean images or under AutoAttack.
pub fn pgd(record: &Record) -> Option<Pgd> {
    pooled(record).into_iter().next()
}

/// Every PGD that a record's robust loss is from, the worst of all per example.
fn pooled(record: &Record) -> Vec<Pgd> {
    match &record.job {
        Job::Evaluate(job) => job.attacks().cloned().collect(),
        Job::Flatness(job) if job.loss == FlatnessLoss::Robust => vec![reference(job)],
        _ => Vec::new(),
    }
}

/// The attack that a record's robust loss or error is from, in words that equal attacks share.
pub fn words(record: &Record) -> Option<String> {
    match &record.job {
        Job::Attack(job) => Some(job.attack.to_string()),
        Job::Evaluate(job) if job.adversarial.is_some() => Some("stored adversarial examples".to_owned()),
        _ => {
            let attacks: Vec<String> = pooled(record).iter().map(ToString::to_string).collect();
            (!attacks.is_empty()).then(|| attacks.join(" and "))
        }
    }
}

/// Why the loss under the attack of a record is no robust loss, which is the largest that is found within the ball:
/// `PGD-5, L-inf 8/255, towards class 3 is targeted`; none if it is one.
pub fn unfit(record: &Record) -> Option<String> {
    if let Job::Evaluate(Evaluate { adversarial: Some(stored), .. }) = &record.job {
        let name = stored.file_name().unwrap_or(stored.as_os_str()).to_string_lossy();
        return Some(format!("its adversarial examples are those of {name}"));
    }
    if let Job::Flatness(Flatness { logits: Logits::Normalized, .. }) = &record.job {
        return Some("its losses are of normalized logits".to_owned());
    }
    let attacks = pooled(record);
    let leaves = |attack: &&Pgd| matches!(attack.projection, Projection::None | Projection::Box);
    let is_targeted = |attack: &Pgd| matches!(attack.objective, Objective::Targeted(_));
    match attacks.iter().find(leaves) {
        Some(attack) => Some(format!("{attack} may leave the ball")),
        None if attacks.iter().all(is_targeted) => Some(format!("{} is targeted", attacks.first()?)),
        None => None,
    }
}

/// The attack of a robust loss and that of the flatness beside it, with what tells them apart:
/// `PGD-1 with 1 restart` and `PGD-5 with 10 restarts`; none if they are the same, or one of them is on clean images.
pub fn difference(robust: &Record, flatness: &Record) -> Option<[String; 2]> {
    let of_flatness = pgd(flatness)?;
    if let Job::Attack(job) = &robust.job {
        let ball = |norm, epsilon| format!("{norm} {}", fraction(epsilon));
        let (one, other) =
            (ball(job.attack.norm, job.attack.epsilon), ball(of_flatness.norm, of_flatness.epsilon));
        return (one != other).then(|| [format!("AutoAttack in {one}"), format!("PGD in {other}")]);
    }
    let of_robust = match pooled(robust).as_slice() {
        [] => return None,
        [one] => one.clone(),
        several => {
            return Some([
                format!("the worst of {} attacks", several.len()),
                format!("{} alone", of_flatness.parts()[0]),
            ]);
        }
    };
    let other = told(&of_flatness, &of_robust);
    (of_robust.parts() != of_flatness.parts()).then(|| [told(&of_robust, &of_flatness), other])
}

/// Of an attack its steps, its restarts if they differ, and what the other has not.
fn told(own: &Pgd, other: &Pgd) -> String {
    let differs = own.restarts != other.restarts;
    let restarts = if differs { format!(" with {}", own.restarts_in_words()) } else { String::new() };
    let without =
        |attack: &Pgd| Pgd { restarts: if differs { 1 } else { attack.restarts }, ..attack.clone() };
    let [own, other] = [own, other].map(|attack| without(attack).parts());
    let rest = own[1..].iter().filter(|part| !other.contains(part)).map(|part| format!(", {part}"));
    own[0].clone() + &restarts + &rest.collect::<String>()
}
