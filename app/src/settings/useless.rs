//! Settings that have no effect on a job, as others decide otherwise.

use basin_core::attack::autoattack::Attack;
use basin_core::job::{
    AutoAttack, Case, DirectionKind, Evaluate, Flatness, FlatnessLoss, Hessian, HessianLoss, InputNorm, Job,
    Landscape, LandscapeLoss, Normalization, Pgd, RunningStatistics,
};

/// Why a setting has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Useless {
    /// Given as an option it is refused: what is said behind its name.
    Refused(String),
    /// The check of the job says what is wrong if it is given.
    Hidden,
}

/// Whether the setting at `path` has no effect on a job, of which an evaluation looks at `inputs`.
pub fn useless(job: &Job, inputs: &str, path: &str) -> Option<Useless> {
    match job {
        Job::Evaluate(job) => evaluate(job, inputs, path),
        Job::Flatness(job) => flatness(job, path),
        Job::Attack(job) => autoattack(&job.attack, path),
        Job::Landscape(job) => landscape(job, path),
        Job::Hessian(job) => hessian(job, path),
        job => pgd(job.input_attack().as_ref(), path),
    }
}

fn refused(reason: impl Into<String>) -> Option<Useless> {
    Some(Useless::Refused(reason.into()))
}

fn evaluate(job: &Evaluate, inputs: &str, path: &str) -> Option<Useless> {
    if path.starts_with("attack.") && inputs != "pgd" {
        return refused("has no effect: attack options are given, but no attack; add --attack pgd");
    }
    match (path, inputs) {
        ("keep_examples" | "keep_attempts", "none") => refused(
            "is given, but without an attack there are no adversarial examples to keep; add --attack pgd",
        ),
        ("log_steps", "none") => {
            refused("is given, but without an attack there are no iterations to log; add --attack pgd")
        }
        ("more_attacks" | "keep_attempts" | "log_steps", "stored") => Some(Useless::Hidden),
        ("keep_attempts", _) if !job.keep_examples => Some(Useless::Hidden),
        ("more_attacks", "none") => Some(Useless::Hidden),
        ("adversarial", "none" | "pgd") => Some(Useless::Hidden),
        _ => pgd(job.attack.as_ref(), path),
    }
}

/// Settings of PGD that depend on others of it.
fn pgd(attack: Option<&Pgd>, path: &str) -> Option<Useless> {
    match path {
        "attack.step_divisor" if attack.is_some_and(|attack| !attack.backtrack) => {
            refused("is for refused steps; add --backtrack, or leave it out")
        }
        _ => None,
    }
}

fn hessian(job: &Hessian, path: &str) -> Option<Useless> {
    match path {
        _ if path.starts_with("attack.") && job.loss == HessianLoss::Clean => {
            refused("is for the robust loss; leave it out, or use --loss robust")
        }
        "trace_products" if !job.trace => refused("is for the trace; leave it out, or add --trace"),
        "density_vectors" | "density_steps" if !job.density => {
            refused("is for the spectral density; leave it out, or add --density")
        }
        "tolerance" | "products" if job.top + job.bottom == 0 => {
            refused("is for eigenvalues; leave it out, or ask for some with --top or --bottom")
        }
        _ => pgd(Some(&job.attack), path),
    }
}

fn flatness(job: &Flatness, path: &str) -> Option<Useless> {
    let average = job.case == Case::Average;
    let robust = job.loss == FlatnessLoss::Robust;
    let refuses = job.descent.backtrack || job.descent.loss_bound.is_some();
    match path {
        "joint" if !robust => refused("is for the robust loss; leave it out, or use --loss robust"),
        "descent.search_batch" | "search_data.examples" if job.worst_of > 1 => None,
        "joint"
        | "search_data.examples"
        | "descent.epochs"
        | "descent.step_size"
        | "descent.gradient"
        | "descent.start"
        | "descent.search_batch"
        | "descent.momentum"
        | "descent.backtrack"
        | "descent.loss_bound"
        | "descent.early_stopping"
        | "descent.step_divisor"
        | "descent.bookkeeping"
            if average =>
        {
            refused("is for the worst case, whose weights are searched; leave it out, or add --case worst")
        }
        "worst_of" if !average => refused(
            "is for the average case, whose perturbations are random; leave it out, or use more --draws",
        ),
        "sampling" if !average => refused(
            "is for the average case; leave it out, or use --weight-start for where the search of the worst case starts",
        ),
        "descent.step_divisor" if !refuses => {
            refused("is for refused steps; add --weight-backtrack or --loss-bound, or leave it out")
        }
        "until" if !average => Some(Useless::Hidden),
        "levels" if job.usual_levels().is_none() => refused(
            "is for the average case of the robust loss, without --worst-of and with at least 2 attack steps; leave it out",
        ),
        "reference_restarts" if !robust => {
            refused("is for the robust loss; leave it out, or use --loss robust")
        }
        "descent.early_stopping" if job.descent.loss_bound.is_none() => {
            refused("stops before a loss; add --loss-bound, or leave it out")
        }
        // The joint search takes plain steps.
        "descent.momentum"
        | "descent.backtrack"
        | "descent.loss_bound"
        | "descent.early_stopping"
        | "descent.step_divisor"
        | "descent.bookkeeping"
            if job.is_simultaneous() =>
        {
            Some(Useless::Hidden)
        }
        path if path.starts_with("attack.") && !robust => clean(),
        path => pgd(Some(&job.attack), path),
    }
}

fn landscape(job: &Landscape, path: &str) -> Option<Useless> {
    let has = |is: fn(&DirectionKind) -> bool| job.kinds().any(is);
    match path {
        "normalize" | "radius" | "tensors" if job.kinds().all(DirectionKind::has_length) => refused(
            "has no effect: directions to networks, and those of images, keep their length; leave it out",
        ),
        "second_range" | "orthogonal" if job.second.is_none() => {
            refused("is for two directions; add --second, or leave it out")
        }
        "statistics_data.examples" if job.statistics != RunningStatistics::Estimated => {
            refused("has no effect: statistics are estimated only with --statistics estimated; leave it out")
        }
        "warm" if job.loss != LandscapeLoss::Robust => {
            refused("has no effect: only --loss robust attacks at every point; leave it out")
        }
        "draws" if !job.kinds().all(DirectionKind::is_drawn) => {
            refused("is for directions that are drawn, such as random and worst; leave it out")
        }
        path if (path.starts_with("search.") || path == "search_radius")
            && !has(DirectionKind::is_searched) =>
        {
            refused("is for --direction worst or joint; leave it out")
        }
        "radius" if matches!(job.normalize, Normalization::Paper(_)) => refused(format!(
            "has no effect: --normalize {} says itself how large step 1 is; leave out --radius, or use layer, filter or global",
            job.normalize
        )),
        path if path.starts_with("attack.") && !job.attacks() => clean(),
        path => pgd(Some(&job.attack), path),
    }
}

fn clean() -> Option<Useless> {
    refused("has no effect: --loss clean has no attack; leave the attack options out, or use --loss robust")
}

fn autoattack(attack: &AutoAttack, path: &str) -> Option<Useless> {
    let attacks = attack.version.attacks();
    let lacks = |whose: &str| {
        refused(format!("is for {whose}, which --version {} lacks; leave it out", attack.version))
    };
    let has = |is: fn(&Attack) -> bool| attacks.iter().any(is);
    let l1 = attack.norm == InputNorm::L1;
    match path.strip_prefix("attack.")? {
        "targets" if !has(|attack| attack.is_targeted()) => lacks("apgd-t and fab-t"),
        "queries" if !has(|attack| *attack == Attack::Square) => lacks("square"),
        "steps" if attacks == [Attack::Square] => lacks("apgd and fab (square has --queries)"),
        "eot" | "rho" | "alpha" | "single_radius" if !has(|attack| attack.is_apgd()) => lacks("apgd"),
        "eta" | "beta" | "alpha_max" if !has(|attack| attack.is_fab()) => lacks("fab"),
        "p_init" | "rescale_schedule" if !has(|attack| *attack == Attack::Square) => lacks("square"),
        "rho" if l1 => Some(Useless::Hidden),
        "single_radius" if !l1 => Some(Useless::Hidden),
        _ => None,
    }
}
