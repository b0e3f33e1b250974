//! Where numbers come from: what identifies the units of a job, and what its record says of it.

use serde_json::{Value, json};

use super::open::Manner;
use crate::device::{self, Precision};
use crate::job::Job;
use crate::measure::Context;
use crate::record::Provenance;

/// What the units of a journal depend on.
pub fn identity(job: &Job, context: &Context) -> Value {
    let Manner { batch_size, gpu, precision } = Manner::of(context);
    let mut identity = json!({
        "job": job,
        "version": env!("CARGO_PKG_VERSION"),
        "checkpoint": context.checkpoint.summary.hash,
        "data": context.fingerprint,
        "batch_size": batch_size,
        "device": gpu,
        "precision": precision,
    });
    let fellows: Vec<&str> = fellow_hashes(context).collect();
    if !fellows.is_empty() {
        identity["fellows"] = json!(fellows);
    }
    identity
}

/// What identifies the other networks that a measure looks at.
pub fn fellow_hashes(context: &Context) -> impl Iterator<Item = &str> {
    context.all_fellows().map(|fellow| fellow.checkpoint.summary.hash.as_str())
}

/// Everything about where the numbers come from, except time, and what the measure itself knows.
pub fn provenance(job: &Job, context: &Context) -> Provenance {
    Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: job.compute().seed,
        device: device::describe(context.device),
        search_precision: context.precision.to_string(),
        measure_precision: if context.precision == Precision::F64 { "f64" } else { "f32" }.to_owned(),
        batch_size: context.batch_size,
        data: context.dataset.name.clone(),
        data_fingerprint: context.fingerprint.clone(),
        checkpoint_hash: context.checkpoint.summary.hash.clone(),
        fellows: fellow_hashes(context).map(str::to_owned).collect(),
        model: context.checkpoint.summary.model.clone(),
        assumed: context.checkpoint.summary.assumed.clone(),
        probe: context.checkpoint.summary.probe.clone(),
        complete: true,
        warnings: context.checkpoint.summary.notices.clone(),
        ..Provenance::default()
    }
}
