//! AutoAttack (its four attacks, shortened) on ResNet-18 with 64 channels: ours against the same attacks
//! without compaction, folding and low-precision search, on images that the network classifies correctly.

use basin_core::attack::autoattack::apgd::{self, Apgd, Loss};
use basin_core::attack::autoattack::fab::{self, Fab};
use basin_core::attack::autoattack::square::{self, Square};
use basin_core::attack::autoattack::{Attack, AutoAttack, Forgetful, Judge, Plan, Run, Subject};
use basin_core::device::Precision;
use basin_core::loss::predictions;
use basin_core::measure::autoattack::{Search, attack_block, tolerance};
use basin_core::measure::evaluation::{Batch, SearchAndMeasure};
use basin_core::model::{Evaluator, channels_last};
use basin_core::seed::generator;
use tch::{Device, Kind};

use super::pairs::{compare, interleave};
use super::{Results, widened};

const EXAMPLES: usize = 64;
const CLASSES: usize = 10;
const ROUNDS: usize = 2;

pub fn run(results: &mut Results) -> anyhow::Result<()> {
    let network = widened::network()?;
    let plain = Evaluator::plain(&network, &network.weights, Device::Cpu);
    let evaluator = |kind| Evaluator::new(&network, &network.weights, Device::Cpu, kind, false);
    let kind = Precision::Auto.resolve(Device::Cpu, &network.topology)?.search_kind();
    let pair = SearchAndMeasure {
        search: (kind != Kind::Float).then(|| evaluator(kind)),
        measure: evaluator(Kind::Float),
    };
    let data = basin_core::data::load("bundled", &"test:0..300".parse().map_err(anyhow::Error::msg)?)?;
    let given = Batch { images: channels_last(&data.images), labels: data.labels, indices: data.indices };
    let predicted = tch::no_grad(|| predictions(&pair.measure.logits(&given.images)));
    let right = Vec::<bool>::try_from(predicted.eq_tensor(&given.labels))?;
    let right: Vec<usize> = (0..given.len()).filter(|at| right[*at]).take(EXAMPLES).collect();
    let all = given.select(&right);
    let settings =
        AutoAttack { steps: Some(20), targets: Some(1), queries: Some(110), ..AutoAttack::default() };
    let plans = settings.plans(CLASSES)?;
    let (mut broken, mut naively_broken) = (0, 0);
    let mut naive = || {
        naively_broken =
            ensemble(&plans, &all, |plan, run, block| naive_block(&plain, &settings, plan, run, block));
    };
    let tolerance = tolerance(&pair, [all.select(&(0..all.len()).collect::<Vec<_>>())]);
    let measured = Judge { model: &pair.measure, tolerance: 0.0 };
    let mut ours = || {
        broken = ensemble(&plans, &all, |plan, run, block| {
            let (settings, judge) = (&settings, Judge { tolerance, ..measured });
            let search = Search { settings, plan, run, seed: 0, model: pair.searcher(), judge };
            let attack = |search: &Search, block: &Batch| {
                attack_block(search, block, &mut Forgetful, &mut || Ok(())).expect("the losses are finite")
            };
            let mut verdicts = attack(&search, block);
            let doubtful: Vec<usize> = (0..block.len()).filter(|at| verdicts.doubtful[*at]).collect();
            if !doubtful.is_empty() {
                let exact = Search { model: &pair.measure, judge: measured, ..search };
                let again = attack(&exact, &block.select(&doubtful));
                doubtful.iter().zip(again.broken).for_each(|(at, broken)| verdicts.broken[*at] = broken);
            }
            verdicts.broken
        });
    };
    let times = interleave(ROUNDS, &mut [&mut naive, &mut ours]);
    results.compare("AutoAttack, 64 examples, shortened", &compare(&times[1], &times[0]));
    let words = format!("{broken} of {EXAMPLES}, naively {naively_broken}");
    results.note("examples that AutoAttack broke", &words);
    Ok(())
}

/// Every run of every attack on what is still robust; the number of broken examples.
fn ensemble(plans: &[Plan], all: &Batch, mut attack: impl FnMut(&Plan, Run, &Batch) -> Vec<bool>) -> usize {
    let mut robust: Vec<usize> = (0..all.len()).collect();
    for plan in plans {
        for run in plan.runs() {
            if robust.is_empty() {
                break;
            }
            let broken = attack(plan, run, &all.select(&robust));
            robust = robust.into_iter().zip(broken).filter(|(_, broken)| !broken).map(|(at, _)| at).collect();
        }
    }
    all.len() - robust.len()
}

/// One run as a plain program does it: every example to the end, in the network as it is.
fn naive_block(model: &Evaluator, settings: &AutoAttack, plan: &Plan, run: Run, block: &Batch) -> Vec<bool> {
    let (norm, epsilon, steps) = (settings.norm, settings.epsilon, plan.steps);
    let images = &block.images;
    let subject = Subject { model, images, labels: &block.labels, judge: None };
    let targets = run.rank.map(|rank| {
        let (_, order) = tch::no_grad(|| model.logits(images)).sort(1, true);
        order.select(1, rank as i64 - 1)
    });
    let pulse = &mut || Ok(());
    let robust = match plan.attack {
        Attack::ApgdCe | Attack::ApgdDlr | Attack::ApgdT => {
            let loss = targets.as_ref().map_or(Loss::CrossEntropy, Loss::DlrTargeted);
            let apgd = Apgd::new(norm, epsilon, steps);
            let draw = images.zeros_like().uniform(-1.0, 1.0);
            apgd::run(&apgd, loss, &subject, &draw, pulse).map(|found| found.robust)
        }
        Attack::Fab | Attack::FabT => {
            let fab = Fab::new(norm, epsilon, steps);
            fab::run(&fab, targets.as_ref(), &subject, None, pulse).map(|found| found.robust)
        }
        Attack::Square => {
            let square = Square::new(norm, epsilon, steps);
            let draws = block.indices.iter().map(|at| generator(0, "bench-square", &[*at as u64])).collect();
            square::run(&square, &subject, draws, &mut Forgetful, pulse).map(|found| found.robust)
        }
    };
    let robust = Vec::<bool>::try_from(robust.expect("the losses are finite")).expect("a mask");
    robust.into_iter().map(|robust| !robust).collect()
}
