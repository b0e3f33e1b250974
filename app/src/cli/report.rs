//! Results as text for people.

use std::fmt::Write as _;

use basin_core::checkpoint::{Probe, Role, Summary};
use basin_core::job::{AutoAttack, Evaluate, Job, Pgd};
use basin_core::record::{
    AttackOutcome, AttemptAverage, Eigenvalue, Evaluated, Evaluation, ExampleSource, Headline,
    HessianOutcome, LandscapeOutcome, Outcome, Point, Provenance, Record, Trace, TrainingOutcome, Values,
    names,
};
use basin_core::shape::ShapeOptions;
use basin_core::train::{Epoch, Scores, Train};

use crate::headline;
use crate::plot::landscape::{Named, Quantity, Which, main_grid, quantity_label};
use crate::shape::{self, Fact};

/// A duration in words.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "less than a second".into(),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s if s < 48.0 * 3600.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86400.0),
    }
}

/// A size on disk.
pub fn size(bytes: u64) -> String {
    let kb = bytes as f64 / 1e3;
    if kb < 1e3 { format!("{kb:.1} kB") } else { format!("{:.1} MB", kb / 1e3) }
}

/// What a checkpoint is.
pub fn summary(s: &Summary) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<15}{value}");
    };
    line("file", format!("{} ({}, {})", s.path.display(), s.container, size(s.bytes)));
    line("network", s.model.clone());
    let [c, h, w] = s.resolution;
    line("input", format!("{c} x {h} x {w}; {}", s.preprocessing));
    line("classes", s.classes.to_string());
    line("normalization", s.normalization.clone());
    line("activation", s.activation.clone());
    line("parameters", grouped(s.parameters));
    if let Some(epoch) = s.epoch {
        line("epoch", epoch.to_string());
    }
    line("sha-256", s.hash.clone());
    if !s.assumed.is_empty() {
        let open =
            if s.ambiguous && s.probe.is_none() { " (left open by the file; --probe tries it)" } else { "" };
        line("assumed", format!("{}{open}", s.assumed));
    }
    for (name, value) in &s.stored {
        line("stored", format!("{name} {value} (as stored, not measured)"));
    }
    if let [used, others @ ..] = s.networks.as_slice() {
        line("networks", format!("{used} (used), {}", others.join(", ")));
    }
    if !s.set_aside.is_empty() {
        line("set aside", s.set_aside.join(", "));
    }
    text.push('\n');
    for layer in &s.topology {
        let _ = writeln!(text, "  {layer}");
    }
    text.push('\n');
    let width = s.tensors.iter().map(|t| t.name.len()).max().unwrap_or(0);
    let _ =
        writeln!(text, "  {:<width$}  {:>9}  {:>10}  {:<13}  shape", "tensor", "numbers", "L2 norm", "role");
    for t in &s.tensors {
        let role = match t.role {
            Role::Weight => "weight",
            Role::Normalization => "normalization",
            Role::Frozen => "fixed",
            Role::Buffer => "buffer",
        };
        let shape: Vec<String> = t.shape.iter().map(ToString::to_string).collect();
        let numbers = grouped(t.shape.iter().product::<i64>() as usize);
        let _ = writeln!(
            text,
            "  {:<width$}  {numbers:>9}  {:>10.4}  {role:<13}  {}",
            t.name,
            t.l2_norm,
            shape.join(" x ")
        );
    }
    if let Some(probe) = s.probe.as_ref().filter(|probe| !probe.tried.is_empty()) {
        text.push('\n');
        text += &readings(probe);
    }
    if !s.notices.is_empty() {
        text.push('\n');
        for notice in &s.notices {
            let kind = if notice.starts_with("warning: ") { "" } else { "note: " };
            let _ = writeln!(text, "{kind}{notice}");
        }
    }
    text
}

/// The readings of a file that were tried, the best first.
fn readings(probe: &Probe) -> String {
    let width = probe.tried.iter().map(|tried| tried.assumed.len()).max().unwrap_or(0);
    let mut text = format!("  {:<width$}  accuracy  images  mismatch of batch statistics\n", "reading");
    for tried in &probe.tried {
        let mismatch = tried.mismatch.map_or_else(String::new, |mismatch| format!("{mismatch:.2e}"));
        let line = format!(
            "  {:<width$}  {:>6.1} %  {:>6}  {mismatch}",
            tried.assumed,
            100.0 * tried.accuracy,
            tried.images
        );
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// What came out of a job.
pub fn record(record: &Record) -> String {
    let p = &record.provenance;
    let mut text = if p.model.is_empty() { String::new() } else { format!("{}\n", p.model) };
    let _ = match &p.imported {
        Some(imported) => writeln!(text, "imported from {} ({})", imported.file, imported.layout),
        None => writeln!(text, "{}; {}", names::images(record), computed(p)),
    };
    if !p.complete && !matches!(record.outcome, Outcome::Train(_)) {
        let _ = writeln!(text, "partial: cancelled{}", so_far(&record.outcome));
    }
    text.push('\n');
    match (&record.outcome, &record.job) {
        (Outcome::Evaluate(e), Job::Evaluate(job)) => evaluation(&mut text, e, job),
        (Outcome::Flatness(f), _) => super::flatness::report(&mut text, f, &record.job),
        (Outcome::Attack(a), Job::Attack(job)) => attacked(&mut text, a, Some(&job.attack)),
        (Outcome::Landscape(l), _) => landscape(&mut text, l, record),
        (Outcome::Train(t), _) => trained(&mut text, t),
        (Outcome::Benchmark(b), _) => super::benchmark::report(&mut text, b),
        (Outcome::Hessian(h), _) => curvature(&mut text, h, &record.headline()),
        _ => numbers(&mut text, &record.headline()),
    }
    if let Some(cost) = &p.search_cost {
        let error = cost.standard_error.map_or_else(String::new, |error| format!(" ± {error:.4}"));
        let _ = writeln!(
            text,
            "\nSearched in {}. On {} of the examples a search in {} finds a mean loss that differs by {:+.4}{error}.",
            p.search_precision, cost.examples, p.measure_precision, cost.value
        );
    }
    text
}

/// Curvature: all eigenvalues with their residuals, tensor by tensor where that was asked for.
fn curvature(text: &mut String, outcome: &HessianOutcome, headline: &Headline) {
    numbers(text, &Headline { numbers: Vec::new(), ..headline.clone() });
    let weights = grouped(outcome.weights);
    let _ = writeln!(text, "{weights} weights; {} products of the matrix with a vector\n", outcome.products);
    let _ = writeln!(text, "{:<10}{:>14}{:>12}", "", "eigenvalue", "residual");
    for (name, found) in [("largest", &outcome.largest), ("smallest", &outcome.smallest)] {
        for (at, Eigenvalue { value, residual }) in found.iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            let _ = writeln!(text, "{name:<10}{value:>14.4}{residual:>12.1e}");
        }
    }
    if let Some(ratio) = outcome.convexity_ratio {
        let _ = writeln!(text, "\n|smallest| / largest {ratio:.4}");
    }
    if let Some(Trace { value, standard_error }) = outcome.trace {
        let _ = writeln!(text, "trace {value:.4} ± {standard_error:.4}");
    }
    let width = outcome.per_layer.iter().map(|layer| layer.name.len()).max().unwrap_or(0);
    for (at, layer) in outcome.per_layer.iter().enumerate() {
        if at == 0 {
            let _ =
                writeln!(text, "\n{:<width$}{:>12}{:>14}{:>14}", "tensor", "elements", "largest", "smallest");
        }
        let end = |found: &[Eigenvalue]| {
            found.first().map_or_else(String::new, |found| format!("{:.4}", found.value))
        };
        let (largest, smallest) = (end(&layer.largest), end(&layer.smallest));
        let elements = grouped(layer.weights);
        let _ = writeln!(text, "{:<width$}{elements:>12}{largest:>14}{smallest:>14}", layer.name);
    }
}

/// The first numbers of a measure, one in a line.
fn numbers(text: &mut String, headline: &Headline) {
    for (name, point) in [("clean", headline.clean), ("robust", headline.robust)] {
        if let Some(Point { loss, error }) = point {
            let _ = writeln!(text, "{name} loss {loss:.4}, error {:.1} %", 100.0 * error);
        }
    }
    for number in &headline.numbers {
        let only = Headline { numbers: vec![number.clone()], ..Headline::default() };
        let _ = writeln!(text, "{}", headline::long(&only));
    }
}

/// Where and how it was computed, as far as that is known.
fn computed(p: &Provenance) -> String {
    let search = if p.search_precision.is_empty() {
        String::new()
    } else {
        format!("search in {}", p.search_precision)
    };
    let known = [p.device.clone(), search, format!("seed {}", p.seed)];
    known.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The images of a training: what is learned from, and what is tested on under which attack.
pub fn images(job: &Train) -> String {
    let data = &job.data;
    let mut text = format!("trains on {} of {}", data.train.in_words(), data.name);
    if let Some(extra) = &data.extra {
        let _ = write!(text, " and {} of {}", extra.examples.in_words(), extra.name);
    }
    let _ = write!(text, "\ntests after each epoch on {}", data.test.in_words());
    if let Some(train) = job.tested_training_images() {
        let _ = write!(text, " and {}", train.in_words());
    }
    let _ = write!(text, " under {}", job.test_attack());
    if job.early_stopping {
        let (restarts, held_out) = (job.held_out_attack().restarts_in_words(), data.held_out.in_words());
        let _ = write!(text, ", stops early by {held_out} under {restarts}");
    }
    text
}

fn evaluation(text: &mut String, e: &Evaluation, job: &Evaluate) {
    let _ = writeln!(text, "{:<8}  {:>8}  {:>8}  {:>10}  {:>6}", "", "loss", "error", "confidence", "AUC");
    let attacks: Vec<String> = job.attacks().map(Pgd::to_string).collect();
    let how = match (attacks.as_slice(), &e.source) {
        ([], Some(_)) => "stored adversarial examples".to_owned(),
        ([one], _) => one.clone(),
        ([], None) => String::new(),
        (several, _) => format!("the worst of {} attacks per example", several.len()),
    };
    evaluated(text, "clean", &e.clean, "");
    let Some(robust) = &e.robust else { return rejecting(text, e) };
    evaluated(text, "robust", robust, &how);
    for (words, point) in attacks.iter().zip(&e.per_attack) {
        let _ = writeln!(
            text,
            "{:<8}  {:>8.4}  {:>6.1} %  {:>18}   {words}",
            "",
            point.loss,
            100.0 * point.error,
            ""
        );
    }
    if let Some(source) = &e.source {
        let _ = writeln!(text, "\n{}", source_words(source));
    }
    if let Some(average) = &e.average {
        let AttemptAverage { loss, error } = average;
        let attempts = e.attempts.len();
        let _ = writeln!(
            text,
            "\nOne of the {attempts} attempts alone, on average: robust loss {:.4} (standard deviation {:.4}), robust error {:.1} % ({:.1}).",
            loss.mean,
            loss.deviation,
            100.0 * error.mean,
            100.0 * error.deviation
        );
    }
    if let Some(metrics) = &robust.metrics {
        text.push('\n');
        if let Some(rate) = metrics.success_rate {
            let _ = writeln!(text, "The attack succeeds on {:.1} % of the correct examples.", 100.0 * rate);
        }
        if let (Some(correct), Some(wrong)) = (metrics.correct_loss, metrics.wrong_loss) {
            let _ =
                writeln!(text, "Robust loss {correct:.4} on the correct examples, {wrong:.4} on the others.");
        }
    }
    rejecting(text, e);
}

/// Where stored adversarial examples come from.
fn source_words(source: &ExampleSource) -> String {
    let by = source.attack.as_ref().map_or(String::new(), |attack| format!(" by {attack}"));
    let of = match &source.checkpoint {
        Some(checkpoint) => format!("were made for {}{by}", checkpoint.display()),
        None => "come from a file that does not say for which network".to_owned(),
    };
    let attempts = match source.attempts {
        1 => String::new(),
        several => format!(", {several} attempts"),
    };
    let hash: String = source.hash.chars().take(12).collect();
    format!("The adversarial examples {of}{attempts} (SHA-256 {hash}…).")
}

/// A row of the table.
fn evaluated(text: &mut String, name: &str, e: &Evaluated, how: &str) {
    let _ = write!(text, "{name:<8}  {:>8.4}  {:>6.1} %", e.loss, 100.0 * e.error);
    if let Some(m) = &e.metrics {
        let _ = write!(text, "  {:>10.4}  {:>6.4}", m.confidence, m.area_under_curve);
    }
    let _ = writeln!(text, "{}{how}", if how.is_empty() { "" } else { "   " });
}

/// Errors with rejection, clean beside robust; nothing where too few examples tell the thresholds apart.
fn rejecting(text: &mut String, e: &Evaluation) {
    let rows = |e: &Evaluated| e.metrics.as_ref().map(|m| m.rejecting.clone()).unwrap_or_default();
    let (clean, robust) = (rows(&e.clean), e.robust.as_ref().map(rows).unwrap_or_default());
    let (Some(first), Some(last)) = (clean.first(), clean.last()) else { return };
    if first.confidence == last.confidence {
        return;
    }
    let _ = writeln!(
        text,
        "\nIf the network abstains below a confidence (the last tenth of the examples chooses it):"
    );
    for (number, row) in clean.iter().enumerate() {
        let _ = write!(
            text,
            "  below {:.4}, keeping {:.0} % of the correct: error {:.1} %",
            row.confidence,
            100.0 * row.true_positive_rate,
            100.0 * row.error
        );
        let _ = match robust.get(number) {
            Some(robust) => writeln!(text, ", robust {:.1} %", 100.0 * robust.error),
            None => writeln!(text),
        };
    }
}

fn attacked(text: &mut String, a: &AttackOutcome, settings: Option<&AutoAttack>) {
    if let Some(settings) = settings {
        let _ = writeln!(text, "{settings}\n");
    }
    let individual = settings.is_some_and(|settings| settings.individual);
    let _ =
        writeln!(text, "{:<10}  {:>8}  {:>8}  {:>12}  {:>14}", "", "given", "broken", "robust error", "time");
    let _ = writeln!(text, "{:<10}  {:>8}  {:>8}  {:>10.1} %", "clean", "", "", 100.0 * a.clean_error);
    for row in &a.per_attack {
        if !row.finished {
            let _ = writeln!(text, "{:<10}  {:>8}  {:>8}  {:>12}", row.name, "", "", "not finished");
            continue;
        }
        let _ = writeln!(
            text,
            "{:<10}  {:>8}  {:>8}  {:>10.1} %  {:>14}",
            row.name,
            row.attacked,
            row.broken,
            100.0 * row.robust_error,
            if row.seconds < 90.0 { format!("{:.1} s", row.seconds) } else { duration(row.seconds) }
        );
    }
    if individual {
        let _ =
            writeln!(text, "{:<10}  {:>8}  {:>8}  {:>10.1} %", "together", "", "", 100.0 * a.robust_error);
    }
    if let (Some(norm), Some(settings)) = (a.per_example.largest_norm(), settings) {
        let _ = writeln!(text, "\nLargest {} norm of an adversarial example: {norm:.7}", settings.norm);
    }
    let (repeated, recovered) =
        a.per_attack.iter().fold((0, 0), |sum, row| (sum.0 + row.repeated, sum.1 + row.recovered));
    if repeated > 0 {
        let _ = writeln!(
            text,
            "\n{repeated} doubtful results of the low-precision search were attacked again in float32; {recovered} more were broken."
        );
    }
}

/// What the numbers of a job that was cancelled can still become, where that is known.
fn so_far(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Attack(AttackOutcome { robust_error: least, robust_error_at_most: Some(most), .. }) => {
            format!("; the robust error is between {:.1} and {:.1} %", 100.0 * least, 100.0 * most)
        }
        _ => ", so not all of it is there".to_owned(),
    }
}

/// Between what the robust accuracy of AutoAttack is known to be, 0 to 1.
pub fn bounds(outcome: &Outcome) -> Option<(f64, f64)> {
    let Outcome::Attack(AttackOutcome { robust_error, robust_error_at_most, .. }) = outcome else {
        return None;
    };
    Some((1.0 - robust_error_at_most.unwrap_or(*robust_error), 1.0 - robust_error))
}

fn landscape(text: &mut String, l: &LandscapeOutcome, record: &Record) {
    for d in &l.directions {
        let norm = significant(d.relative_norm);
        let _ = writeln!(text, "direction {}: relative L2 norm {norm} at step 1", d.name);
    }
    for d in &l.directions {
        if let Some(found) = d.eigenvalue {
            let (value, residual) = (significant(found.value), significant(found.residual));
            let _ = writeln!(text, "direction {}: eigenvalue {value}, residual {residual}", d.name);
        }
        if let Some(slope) = d.gradient {
            let _ = writeln!(text, "direction {}: norm of the gradient {}", d.name, significant(slope));
        }
        if let Some(share) = d.variance {
            let _ =
                writeln!(text, "direction {}: {:.1} % of the variance of the path", d.name, 100.0 * share);
        }
    }
    if let Some(cosine) = l.cosine {
        let _ = writeln!(text, "cosine between the directions {cosine:.4}");
    }
    if let Some(barrier) = l.barrier {
        let robust = barrier.robust.map_or(String::new(), |robust| format!(", robust {robust:.4}"));
        let _ = writeln!(text, "barrier between the networks: clean {:.4}{robust}", barrier.clean);
    }
    if l.interpolated > 0 {
        let _ = writeln!(text, "{} points are interpolated, where the surface is smooth", l.interpolated);
    }
    if let Some(curvature) = &l.curvature {
        let named = [("largest", curvature.largest.first()), ("smallest", curvature.smallest.first())];
        for (name, values) in named {
            let known: Vec<f64> = values.into_iter().flat_map(Values::iter).flatten().collect();
            let lowest = known.iter().copied().reduce(f64::min);
            let Some((low, high)) = lowest.zip(known.iter().copied().reduce(f64::max)) else { continue };
            let _ = writeln!(text, "{name} eigenvalue {} to {}", significant(low), significant(high));
        }
    }
    if let Some(reduced) = &l.reduced {
        for (name, correction) in [("clean", reduced.clean), ("robust", reduced.robust)] {
            let Some(found) = correction else { continue };
            let left =
                found.error.map_or(String::new(), |error| format!(", ± {error:.5} are left at a point"));
            let _ = writeln!(
                text,
                "{name} loss in {}: corrected by {:+.5} in the mean of {} points measured in float32{left}",
                reduced.precision, found.value, found.points
            );
        }
    }
    if let Some(gap) = l.warm {
        let error = gap.standard_error.map_or(String::new(), |error| format!(" ± {error:.4}"));
        let _ = writeln!(
            text,
            "warm attacks miss {:.4}{error} of a robust loss of {:.4} (at {} points attacked in full; {:.4} at most)",
            gap.value, gap.loss, gap.points, gap.largest
        );
    }
    landmarks(text, l);
    text.push('\n');
    let _ = writeln!(text, "{:<8}  {:>9}  {:>9}  {:>9}  points", "loss", "origin", "lowest", "highest");
    for (name, grid) in [("clean", &l.clean), ("robust", &l.robust)] {
        let Some(grid) = grid else { continue };
        let known: Vec<f64> = grid.loss.iter().flatten().collect();
        let written = |loss: Option<f64>| loss.map_or("-".to_owned(), loss_text);
        let origin = written(l.origin(name == "robust").map(|point| point.loss));
        let low = written(known.iter().copied().reduce(f64::min));
        let high = written(known.iter().copied().reduce(f64::max));
        let all = match &grid.loss {
            Values::Line(line) => line.len(),
            Values::Plane(rows) => rows.iter().map(Vec::len).sum(),
        };
        let _ = writeln!(text, "{name:<8}  {origin:>9}  {low:>9}  {high:>9}  {} of {all}", known.len());
    }
    let named = Named { name: "", record };
    if let Ok(grid) = main_grid(named, Which::Auto)
        && let Some(found) = shape::of(&grid, Quantity::Loss, &ShapeOptions::default())
    {
        text.push('\n');
        *text += &shape_text(
            &quantity_label(Quantity::Loss, grid.robust),
            &shape::facts(&found, l, Quantity::Loss),
        );
    }
}

/// The shape of a landscape in numbers.
pub fn shape_text(of: &str, facts: &[Fact]) -> String {
    let mut text = format!("shape of the {}\n", of.to_lowercase());
    let width = facts.iter().map(|fact| fact.name.len()).max().unwrap_or(0);
    for Fact { name, value, .. } in facts {
        let _ = writeln!(text, "  {:<width$}  {value}", name.to_lowercase());
    }
    text
}

/// Networks measured by themselves.
fn landmarks(text: &mut String, l: &LandscapeOutcome) {
    if l.landmarks.is_empty() {
        return;
    }
    text.push('\n');
    let width = l.landmarks.iter().map(|landmark| landmark.name.chars().count()).max().unwrap_or(0).max(7);
    let _ = writeln!(
        text,
        "{:<width$}  {:>8}  {:>8}  {:>9}  {:>9}  outside the plane",
        "network", "x", "y", "clean", "robust"
    );
    for landmark in &l.landmarks {
        let loss = |point: Option<Point>| point.map_or("-".to_owned(), |point| loss_text(point.loss));
        let y = landmark.y.map_or("-".to_owned(), |y| format!("{y:.3}"));
        let (x, clean, robust) = (format!("{:.3}", landmark.x), loss(landmark.clean), loss(landmark.robust));
        let outside = 100.0 * landmark.outside;
        let name = &landmark.name;
        let _ = writeln!(text, "{name:<width$}  {x:>8}  {y:>8}  {clean:>9}  {robust:>9}  {outside:.0} %");
    }
}

/// Four digits after the point; of what is too large for that, four in all.
fn loss_text(loss: f64) -> String {
    if loss.abs() < 1e4 { format!("{loss:.4}") } else { format!("{loss:.3e}") }
}

/// Three significant digits: `0.500`, `0.00123`, `1.25e-7`.
fn significant(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e4).contains(&value.abs()) {
        return format!("{value:.2e}");
    }
    let before = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    format!("{value:.*}", (2 - before).max(0) as usize)
}

/// Thousands separated by thin groups: `11,174,922`.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The end of an epoch in one line; epochs count from 1 for people.
pub fn epoch(epoch: &Epoch) -> String {
    let train = epoch.train.get("loss").map_or(String::new(), |loss| format!("training loss {loss:.4}, "));
    let mut text = format!("epoch {}: {train}test {}", epoch.epoch + 1, in_words(&epoch.test));
    if let Some(train) = &epoch.train_scores {
        let (loss, error) = (train.robust_loss, 100.0 * train.robust_error);
        let _ = write!(text, "; on training images robust loss {loss:.4}, robust error {error:.1} %");
    }
    if let Some(average) = &epoch.average {
        let _ = write!(text, "; average {}", in_words(average));
    }
    if let Some(held_out) = &epoch.held_out {
        let _ = write!(text, "; held-out robust error {:.1} %", 100.0 * held_out.robust_error);
    }
    text
}

fn in_words(scores: &Scores) -> String {
    format!(
        "loss {:.4}, error {:.1} %, robust loss {:.4}, robust error {:.1} %",
        scores.loss,
        100.0 * scores.error,
        scores.robust_loss,
        100.0 * scores.robust_error
    )
}

/// What a training ended with.
fn trained(text: &mut String, outcome: &TrainingOutcome) {
    let Some(trained) = &outcome.result else {
        let _ = writeln!(text, "{} epochs are finished", outcome.epochs.len());
        return;
    };
    let mut line = |file: &str, what: &str, scores: &Scores| {
        let _ = writeln!(text, "{file} ({what})\n  {}", in_words(scores));
    };
    line("final.safetensors", "last epoch", &trained.last);
    if let Some(scores) = &trained.train {
        line("final.safetensors", &format!("last epoch, on {} training images", scores.examples), scores);
    }
    if let Some(scores) = &trained.average {
        line("average.safetensors", "running average", scores);
    }
    if let Some(scores) = &trained.calibrated {
        line("average-calibrated.safetensors", "running average, calibrated statistics", scores);
    }
    if let Some((epoch, scores)) = &trained.best {
        line("best.safetensors", &format!("early stopping: epoch {}", epoch + 1), scores);
    }
    let attack = trained.attack.as_ref().map_or("the training's own attack".to_owned(), Pgd::to_string);
    let _ = writeln!(
        text,
        "{} test images under {attack}; trained in {}",
        trained.last.examples,
        duration(trained.seconds)
    );
}

#[cfg(test)]
mod tests {
    use basin_core::record::{AttackFlags, AttackRow, AttackedExamples};

    use super::*;

    #[test]
    fn what_was_cancelled_does_not_look_finished() {
        let row = |name: &str, finished| AttackRow {
            name: name.to_owned(),
            robust_error: 0.734,
            attacked: 17,
            broken: 3,
            repeated: 0,
            recovered: 0,
            seconds: 1.25,
            finished,
        };
        let outcome = AttackOutcome {
            robust_error: 0.734,
            robust_error_at_most: Some(0.95),
            clean_error: 0.5,
            robust_loss: 2.0,
            clean_loss: 1.0,
            per_attack: vec![row("apgd-ce", true), row("apgd-t", false)],
            per_example: AttackedExamples::default(),
            flags: AttackFlags::default(),
        };
        let mut text = String::new();
        attacked(&mut text, &outcome, None);
        let line = |name: &str| text.lines().find(|line| line.starts_with(name)).map(str::split_whitespace);
        let words = |name: &str| line(name).map(Iterator::collect::<Vec<_>>);
        assert_eq!(words("apgd-ce"), Some(vec!["apgd-ce", "17", "3", "73.4", "%", "1.2", "s"]));
        assert_eq!(words("apgd-t"), Some(vec!["apgd-t", "not", "finished"]));
        let between = so_far(&Outcome::Attack(outcome));
        assert_eq!(between, "; the robust error is between 73.4 and 95.0 %");
    }

    #[test]
    fn numbers_have_as_many_digits_as_they_deserve() {
        for (value, text) in [
            (0.0, "0.00"),
            (0.5, "0.500"),
            (0.001234, "0.00123"),
            (12.34, "12.3"),
            (1234.5, "1234"),
            (1.25e-7, "1.25e-7"),
            (5e29, "5.00e29"),
        ] {
            assert_eq!(significant(value), text);
        }
        assert_eq!([loss_text(2.34567), loss_text(1.5e30)], ["2.3457", "1.500e30"]);
    }
}
