//! An evaluation record as one compact figure: how confident the model is, clean and under attack.
//!
//! Two overlaid histograms of the confidence in the predicted class; the legend carries loss and error.

use basin_core::job::Job;
use basin_core::record::{Evaluated, Outcome, Record};

use super::color::series_color;
use super::figure::{Drawn, Figure, Named, OF_LANDSCAPES, Takes};
use super::{Axis, Histogram, Item, Plot, Scale, Unit, provenance, ticks};

const BINS: usize = 20;

/// Confidences.
pub const FIGURE: Figure = Figure {
    name: "evaluation",
    help: "Confidence, loss and error of an evaluation",
    takes: Takes::Records(|record| matches!(record.outcome, Outcome::Evaluate(_))),
    is_usual: true,
    ignores: |_| ("an evaluation figure", OF_LANDSCAPES),
    draw: |input| {
        let Named { name, record } = input.only("an evaluation figure")?;
        plot(name, record, input.options.title.clone()).map(Drawn::from)
    },
};

/// The figure of an evaluation.
///
/// # Errors
/// The record is of another kind, or has no examples.
pub fn plot(name: &str, record: &Record, title: Option<String>) -> Result<Plot, String> {
    let (Job::Evaluate(job), Outcome::Evaluate(evaluation)) = (&record.job, &record.outcome) else {
        return Err(format!("{name} is a record of `basin {}`, not of an evaluation", record.job.kind()));
    };
    let edges: Vec<f64> = (0..=BINS).map(|i| i as f64 / BINS as f64).collect();
    let (mut items, mut notes) = (Vec::new(), Vec::new());
    let mut provenance = provenance::evaluation(name, record, job);
    let shown = [("Clean", Some(&evaluation.clean)), ("Robust", evaluation.robust.as_ref())];
    for (i, (kind, evaluated)) in shown.into_iter().enumerate() {
        let Some(evaluated) = evaluated else { continue };
        let values = shares(evaluated);
        if values.is_empty() {
            return Err(format!("{name} has no confidences per example; compute it again"));
        }
        let wrong = evaluated.per_example.confidence.iter().filter(|c| !c.is_finite()).count();
        if wrong > 0 {
            let (of, are) = (evaluated.per_example.confidence.len(), if wrong == 1 { "is" } else { "are" });
            notes.push(format!("{kind}: {wrong} of {of} confidences {are} not finite and in no bin"));
        }
        provenance.push(format!("{kind}: loss {}, error {}", evaluated.loss, evaluated.error));
        items.push(Item::Histogram(Histogram {
            name: Some(format!(
                "{kind}: loss {}, error {}%",
                ticks::number(evaluated.loss, 2),
                ticks::number(100.0 * evaluated.error, 1)
            )),
            edges: edges.clone(),
            values,
            color: series_color(i),
        }));
    }
    let highest = items.iter().flat_map(|item| match item {
        Item::Histogram(histogram) => histogram.values.clone(),
        _ => Vec::new(),
    });
    let highest = highest.fold(0.0, f64::max);
    Ok(Plot {
        title,
        x: Axis::new("Confidence in the predicted class", (0.0, 1.0), Scale::Linear, Unit::One),
        y: Axis::new("Examples (%)", (0.0, 1.08 * highest), Scale::Linear, Unit::Percent),
        items,
        key: None,
        equal_aspect: false,
        notes,
        provenance,
    })
}

/// Share of the examples in each bin of confidence.
fn shares(evaluated: &Evaluated) -> Vec<f64> {
    let confidence = &evaluated.per_example.confidence;
    if confidence.is_empty() {
        return Vec::new();
    }
    let mut counts = vec![0usize; BINS];
    for c in confidence.iter().filter(|c| c.is_finite()) {
        let bin = (f64::from(*c) * BINS as f64) as usize;
        counts[bin.min(BINS - 1)] += 1;
    }
    counts.into_iter().map(|n| n as f64 / confidence.len() as f64).collect()
}
