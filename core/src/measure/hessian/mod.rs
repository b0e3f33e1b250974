//! Curvature: eigenvalues, trace and spectral density of the Hessian of the loss, or of its Gauss-Newton matrix.
//!
//! The loss is the mean cross-entropy over all examples (the paper's program adds batches, so its eigenvalues are larger
//! by the number of batches). The matrix is never built: a product with a vector differentiates twice. Units of work are
//! the eigenvalues, the trace, the quadrature of a random vector, and the eigenvalues of a tensor's block.

mod density;
mod keep;
pub mod lanczos;
mod outcome;
mod products;
mod settings;
pub mod trace;

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::context::{Context, Cost};
use super::evaluation::{append, attack, error_rate, mean, measure, robust_error_rate};
use super::rows::{PerExample, Point};
use super::statistics::student_quantile;
use super::summary::{Headline, Number, Summary};
use super::units::{Group, Plan, UnitRunner, Units, cancel_check, unit};
use super::work::{Assembled, Keeps, Measure, Work, target_fields};
use crate::attack::Pgd;
use crate::error::{Error, Result};
use keep::Keeper;
pub use lanczos::{Eigenpairs, Wanted, eigenpairs, random};
use lanczos::{Times, quadrature};
pub use outcome::{Density, Eigenvalue, HessianOutcome, LayerCurvature, Quadrature, Trace};
pub use products::Curvature;
use products::finite;
pub use settings::{Hessian, HessianLoss, Matrix};

/// Images of a batch that is differentiated twice on a CPU: its intermediate results are kept.
const BATCH: usize = 50;

impl Measure for Hessian {
    const KIND: &'static str = "hessian";
    const TITLE: &'static str = "Hessian";
    type Outcome = HessianOutcome;
    type Work<'a> = Curving<'a>;

    fn usual() -> Self {
        Self::default()
    }

    fn input_attack(&self) -> Option<&Pgd> {
        Some(&self.attack)
    }

    target_fields!();

    fn check(&self) -> Result<()> {
        self.check()
    }

    fn check_classes(&self, classes: usize) -> Result<()> {
        match self.loss {
            HessianLoss::Clean => Ok(()),
            HessianLoss::Robust => self.attack.objective.check_classes(classes),
        }
    }

    fn searches_weights(&self) -> bool {
        true
    }

    fn keeps(&self) -> Option<Keeps> {
        self.keep_eigenvectors.then_some(Keeps::Eigenvectors)
    }

    fn label(&self) -> String {
        format!("curvature of the {} loss", self.loss_words())
    }

    fn summary(&self) -> Summary {
        let mut details = Vec::new();
        if self.matrix == Matrix::GaussNewton {
            details.push("Gauss-Newton".into());
        }
        if self.loss == HessianLoss::Robust {
            details.push(self.attack.to_string());
        }
        Summary {
            title: format!("Hessian of the {} loss", self.loss_words()),
            details,
            stem: format!("hessian-{}", self.loss_words()),
        }
    }

    fn headline(&self, outcome: &HessianOutcome) -> Headline {
        let mut numbers = Vec::new();
        numbers.extend(outcome.largest.first().map(|found| Number::loss("largest eigenvalue", found.value)));
        numbers
            .extend(outcome.smallest.first().map(|found| Number::loss("smallest eigenvalue", found.value)));
        let freedom = self.trace_products - 2 * (self.trace_products / 3) - 1;
        numbers.extend(outcome.trace.map(|Trace { value, standard_error }| {
            Number {
                interval: student_quantile(freedom)
                    .map(|quantile| [value - quantile * standard_error, value + quantile * standard_error]),
                ..Number::loss("trace", value)
            }
        }));
        Headline { numbers, clean: outcome.clean, robust: outcome.robust }
    }

    fn begin<'a>(&'a self, context: &'a Context) -> Result<Curving<'a>> {
        let network = &context.checkpoint.network;
        let which = self.tensors.select(network.layout())?;
        let size: i64 = which.iter().map(|index| network.layout().entries[*index].len).sum();
        if (self.top + self.bottom) as i64 > size {
            return Err(Error::invalid(format!(
                "{} eigenvalues of a matrix of {size} rows are not possible; ask for fewer with top and bottom",
                self.top + self.bottom
            )));
        }
        let keeper = Keeper::new(self, context);
        Ok(Curving { job: self, context, which, keeper, examples: OnceCell::new() })
    }
}

impl Hessian {
    fn loss_words(&self) -> &'static str {
        match self.loss {
            HessianLoss::Clean => "clean",
            HessianLoss::Robust => "robust",
        }
    }
}

/// The work on one checkpoint.
pub struct Curving<'a> {
    job: &'a Hessian,
    context: &'a Context,
    which: Vec<usize>,
    /// Where eigenvectors are kept, if they are.
    keeper: Option<Keeper<'a>>,
    examples: OnceCell<Examples>,
}

/// What the loss is measured on: found once by every process.
struct Examples {
    /// Images and labels.
    batches: Vec<(Tensor, Tensor)>,
    points: Points,
}

/// Loss and error of the network.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Points {
    clean: Point,
    robust: Option<Point>,
}

/// Finished eigenvalues.
#[derive(Serialize, Deserialize)]
struct Ends {
    largest: Vec<Eigenvalue>,
    smallest: Vec<Eigenvalue>,
    products: usize,
    converged: bool,
}

/// A finished quadrature.
#[derive(Serialize, Deserialize)]
struct Vector {
    quadrature: Quadrature,
    products: usize,
}

/// Unit of loss and error.
const POINTS: &str = "loss";
/// Unit of the eigenvalues.
const ENDS: &str = "eigenvalues";
/// Unit of the trace.
const TRACE: &str = "trace";

fn vector(number: usize) -> String {
    format!("vector {number}")
}

fn block(tensor: &str) -> String {
    format!("tensor {tensor}")
}

impl Curving<'_> {
    /// Images, attacked where the loss is robust.
    fn examples(&self, runner: &mut dyn UnitRunner) -> Result<&Examples> {
        if let Some(examples) = self.examples.get() {
            return Ok(examples);
        }
        let weights = &self.context.checkpoint.network.weights;
        let pair = self.context.pair(weights);
        let (mut clean, mut robust) = (PerExample::default(), PerExample::default());
        let mut batches = Vec::new();
        let size = batch_size(self.context);
        for batch in &self.context.batches {
            append(&mut clean, measure(&pair.measure, batch, None)?);
            let images = match self.job.loss {
                HessianLoss::Clean => batch.images.shallow_clone(),
                HessianLoss::Robust => {
                    let (settings, seed) = (&self.job.attack, self.job.compute.seed);
                    let found = attack(&pair, settings, batch, seed, &mut cancel_check(runner))?;
                    append(&mut robust, found.per_example);
                    &batch.images + &found.perturbation
                }
            };
            let pieces = images.split(size as i64, 0).into_iter().zip(batch.labels.split(size as i64, 0));
            batches.extend(pieces);
            runner.alive()?;
        }
        let clean_point = Point { loss: mean(&clean.loss), error: error_rate(&clean) };
        let robust_point = (self.job.loss == HessianLoss::Robust)
            .then(|| Point { loss: mean(&robust.loss), error: robust_error_rate(&clean, &robust) });
        let points = Points { clean: clean_point, robust: robust_point };
        Ok(self.examples.get_or_init(|| Examples { batches, points }))
    }

    /// Works with the matrix of some tensors.
    fn with_curvature<T>(
        &self,
        which: &[usize],
        runner: &mut dyn UnitRunner,
        work: impl FnOnce(&Curvature, &mut dyn UnitRunner) -> Result<T>,
    ) -> Result<T> {
        let examples = self.examples(runner)?;
        let network = &self.context.checkpoint.network;
        let kind = self.context.exact_precision().measure_kind();
        let weights = network.weights.to(self.context.device, kind);
        let curvature = Curvature::new(network, weights, which.to_vec(), &examples.batches, self.job.matrix);
        work(&curvature, runner)
    }

    /// Works with products of the whole matrix, of which about `most` are expected.
    fn with_products<T>(
        &self,
        runner: &mut dyn UnitRunner,
        most: u64,
        work: impl FnOnce(Times, &Curvature) -> Result<T>,
    ) -> Result<T> {
        self.with_curvature(&self.which, runner, |curvature, runner| {
            let mut done = 0;
            let mut times = |vector: &Tensor| {
                let product = curvature.times(vector, &mut || Ok(runner.alive()?))?;
                done += 1;
                runner.within(done.min(most - 1))?;
                finite(product)
            };
            work(&mut times, curvature)
        })
    }

    /// Eigenvalues of the block of some tensors; `keeper`: where eigenvectors are kept.
    fn ends(&self, which: &[usize], keeper: Option<&Keeper>, runner: &mut dyn UnitRunner) -> Result<Ends> {
        let most = self.usual_products();
        self.with_curvature(which, runner, |curvature, runner| {
            let Hessian { top, bottom, tolerance, products, .. } = *self.job;
            let wanted = Wanted { top, bottom, tolerance, products };
            let found = extremes(curvature, wanted, self.job.compute.seed, most, runner)?;
            if let Some(keeper) = keeper {
                keeper.save(curvature, &found)?;
            }
            let Eigenpairs { largest, smallest, products, converged, .. } = found;
            Ok(Ends { largest, smallest, products, converged })
        })
    }

    /// About how many products eigenvalues take.
    fn usual_products(&self) -> u64 {
        (4 * (self.job.top + self.job.bottom) as u64 + 24).min(self.job.products as u64).max(2)
    }

    fn trace(&self, runner: &mut dyn UnitRunner) -> Result<Trace> {
        let (products, seed) = (self.job.trace_products, self.job.compute.seed);
        self.with_products(runner, products as u64, |times, curvature| {
            trace::hutch_plus_plus(times, curvature.size(), products, seed, curvature.like())
        })
    }

    fn vector(&self, number: usize, runner: &mut dyn UnitRunner) -> Result<Vector> {
        let (steps, seed) = (self.job.density_steps, self.job.compute.seed);
        self.with_products(runner, steps as u64, |times, curvature| {
            let start = random(seed, "density-start", number as u64, curvature.size(), curvature.like());
            let (quadrature, products) = quadrature(times, &start, steps, seed)?;
            Ok(Vector { quadrature, products })
        })
    }

    /// Whether eigenvectors are to be kept, were found and are not there.
    fn lacks_vectors(&self, units: &Units) -> bool {
        let found: Option<Ends> = units.get(ENDS);
        self.keeper.as_ref().zip(found).is_some_and(|(keeper, found)| {
            !keeper.files(found.largest.len(), found.smallest.len()).iter().all(|file| keeper.has(file))
        })
    }

    /// Tensors whose blocks are looked at by themselves.
    fn layers(&self) -> impl Iterator<Item = (usize, &str)> {
        let which = if self.job.per_layer { &self.which[..] } else { &[] };
        let entries = &self.context.checkpoint.network.layout().entries;
        which.iter().map(|index| (*index, entries[*index].name.as_str()))
    }
}

/// Eigenpairs at both ends of a matrix as a part of a unit, of about `most` products.
///
/// # Errors
/// As [`Curvature::extremes`]; or the runner wants to stop.
pub fn extremes(
    curvature: &Curvature,
    wanted: Wanted,
    seed: u64,
    most: u64,
    runner: &mut dyn UnitRunner,
) -> Result<Eigenpairs> {
    curvature.extremes(wanted, seed, &mut |done| {
        match done {
            Some(done) => runner.within(done.min(most - 1))?,
            None => runner.alive()?,
        }
        Ok(())
    })
}

/// Images of a batch that is differentiated twice.
pub fn batch_size(context: &Context) -> usize {
    if context.gpu { context.batch_size } else { BATCH }
}

impl Work for Curving<'_> {
    type Outcome = HessianOutcome;

    fn plan(&self, units: &Units) -> Result<Plan> {
        let mut groups = vec![Group::single(POINTS, 1, units)];
        if self.job.top + self.job.bottom > 0 {
            let mut ends = Group::single(ENDS, self.usual_products(), units);
            // What was found is to be kept, and is not there any more.
            if self.lacks_vectors(units) {
                (ends.left, ends.done) = (ends.weight, 0);
            }
            groups.push(ends);
        }
        if self.job.trace {
            groups.push(Group::single(TRACE, self.job.trace_products as u64, units));
        }
        if self.job.density {
            let steps = self.job.density_steps as u64;
            groups.extend((0..self.job.density_vectors).map(|at| Group::single(vector(at), steps, units)));
        }
        groups
            .extend(self.layers().map(|(_, name)| Group::single(block(name), self.usual_products(), units)));
        Ok(Plan { groups, later: 0 })
    }

    fn compute(&self, group: &str, runner: &mut dyn UnitRunner) -> Result<()> {
        let usual = self.usual_products();
        if let Some(number) = group.strip_prefix("vector ").and_then(|number| number.parse().ok()) {
            let steps = self.job.density_steps as u64;
            return unit(runner, group, steps, |runner| self.vector(number, runner)).map(drop);
        }
        if let Some(name) = group.strip_prefix("tensor ") {
            let Some((index, _)) = self.layers().find(|(_, layer)| *layer == name) else { return Ok(()) };
            return unit(runner, group, usual, |runner| self.ends(&[index], None, runner)).map(drop);
        }
        match group {
            POINTS => unit(runner, group, 1, |runner| Ok(self.examples(runner)?.points)).map(drop),
            TRACE => {
                let products = self.job.trace_products as u64;
                unit(runner, group, products, |runner| self.trace(runner)).map(drop)
            }
            _ => {
                if self.lacks_vectors(runner.units()) {
                    runner.forget(group);
                }
                unit(runner, group, usual, |runner| self.ends(&self.which, self.keeper.as_ref(), runner))
                    .map(drop)
            }
        }
    }

    fn assemble(&self, units: &Units) -> Result<Option<Assembled<HessianOutcome>>> {
        let points: Option<Points> = units.get(POINTS);
        let ends: Option<Ends> = units.get(ENDS);
        let trace: Option<Trace> = units.get(TRACE);
        let vectors: Vec<Vector> =
            (0..self.job.density_vectors).filter_map(|number| units.get(&vector(number))).collect();
        let entries = &self.context.checkpoint.network.layout().entries;
        let layers: Vec<(usize, Ends)> =
            self.layers().filter_map(|(index, name)| Some((index, units.get(&block(name))?))).collect();
        if points.is_none() && ends.is_none() && trace.is_none() && vectors.is_empty() && layers.is_empty() {
            return Ok(None);
        }
        let mut warnings = Vec::new();
        let all = ends.iter().map(|ends| ("the matrix", ends));
        let layered = layers.iter().map(|(index, ends)| (entries[*index].name.as_str(), ends));
        for (what, _) in all.chain(layered).filter(|(_, ends)| !ends.converged) {
            warnings.push(format!(
                "eigenvalues of {what} have larger residuals than the tolerance {} after {} products; more products (products) make them exact",
                self.job.tolerance, self.job.products
            ));
        }
        let products = ends.as_ref().map_or(0, |ends| ends.products)
            + trace.map_or(0, |_| self.job.trace_products)
            + vectors.iter().map(|vector| vector.products).sum::<usize>()
            + layers.iter().map(|(_, ends)| ends.products).sum::<usize>();
        let per_layer = layers.into_iter().map(|(index, ends)| LayerCurvature {
            name: entries[index].name.clone(),
            weights: entries[index].len as usize,
            largest: ends.largest,
            smallest: ends.smallest,
        });
        let per_layer = per_layer.collect();
        let (largest, smallest) = ends.map_or_else(Default::default, |ends| (ends.largest, ends.smallest));
        let files = self.keeper.as_ref().map(|keeper| {
            let files = keeper.files(largest.len(), smallest.len());
            files.into_iter().filter(|file| keeper.has(file)).collect()
        });
        let outcome = HessianOutcome {
            clean: points.map(|points| points.clean),
            robust: points.and_then(|points| points.robust),
            weights: self.which.iter().map(|index| entries[*index].len as usize).sum(),
            convexity_ratio: convexity_ratio(&largest, &smallest),
            largest,
            smallest,
            eigenvectors: files.unwrap_or_default(),
            trace,
            density: density::density(vectors.into_iter().map(|vector| vector.quadrature).collect()),
            per_layer,
            products,
        };
        Ok(Some(Assembled { outcome, search_cost: None, warnings }))
    }

    fn notices(&self) -> Vec<String> {
        self.keeper.as_ref().and_then(Keeper::size).into_iter().collect()
    }

    fn seconds(&self, cost: &Cost) -> Result<(u64, f64)> {
        let mut products = 0;
        let usual = self.usual_products();
        if self.job.top + self.job.bottom > 0 {
            products += usual;
        }
        if self.job.trace {
            products += self.job.trace_products as u64;
        }
        if self.job.density {
            products += (self.job.density_vectors * self.job.density_steps) as u64;
        }
        products += usual * self.layers().count() as u64;
        let examples = self.context.examples() as f64;
        let attacked = match self.job.loss {
            HessianLoss::Clean => 0.0,
            HessianLoss::Robust => cost.attack(&self.job.attack),
        };
        // A product costs some four attack steps: forward, back for the weights, and both once more.
        let seconds = examples * (cost.forward + attacked + 4.0 * cost.step * products as f64);
        Ok((products.max(1), seconds + cost.preparation))
    }
}

/// How far the loss is from convex; none without both ends, or where nothing curves.
fn convexity_ratio(largest: &[Eigenvalue], smallest: &[Eigenvalue]) -> Option<f64> {
    let (largest, smallest) = (largest.first()?.value, smallest.first()?.value);
    (largest > 0.0).then(|| (-smallest).max(0.0) / largest)
}
