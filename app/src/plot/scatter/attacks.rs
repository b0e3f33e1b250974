//! The attacks behind the numbers of a model: which of them measure robust loss, and how two differ in words.

use basin_core::attack::{Objective, Pgd, Projection, fraction};
use basin_core::job::{Flatness, FlatnessLoss, Job};
use basin_core::record::Record;

/// The attack on the unperturbed network in a record of flatness: it has restarts of its own.
fn reference(job: &Flatness) -> Pgd {
    Pgd { restarts: job.restarts_of_reference(), ..job.attack.clone() }
}

/// The PGD that a record's robust loss is from; none on clean images or under AutoAttack.
pub fn pgd(record: &Record) -> Option<Pgd> {
    match &record.job {
        Job::Evaluate(job) => job.attack.clone(),
        Job::Flatness(job) if job.loss == FlatnessLoss::Robust => Some(reference(job)),
        _ => None,
    }
}

/// The attack that a record's robust loss or error is from, in words that equal attacks share.
pub fn words(record: &Record) -> Option<String> {
    match &record.job {
        Job::Attack(job) => Some(job.attack.to_string()),
        _ => pgd(record).map(|attack| attack.to_string()),
    }
}

/// Why the loss under the attack of a record is no robust loss, which is the largest that is found within the ball:
/// `PGD-5, L-inf 8/255, towards class 3 is targeted`; none if it is one.
pub fn unfit(record: &Record) -> Option<String> {
    let attack = pgd(record)?;
    let why = match (attack.objective, attack.projection) {
        (Objective::Targeted(_), _) => "is targeted",
        (_, Projection::None | Projection::Box) => "may leave the ball",
        _ => return None,
    };
    Some(format!("{attack} {why}"))
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
    let of_robust = pgd(robust)?;
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
