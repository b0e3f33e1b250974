//! Learning rates over epochs: of one training, or of several, which often share theirs.

use basin_core::train::Schedule;

use super::curves::Shown;
use super::options::Options;
use crate::plot::color::series_color;
use crate::plot::{Color, Dash, Group, Item, Key, Series};

/// So many names stand in one entry of the legend.
const NAMED: usize = 3;

/// The learning rate; a rate that changes between epochs only goes in steps.
pub fn rates(shown: &Shown<'_>, color: Color, single: bool) -> Vec<Item> {
    let epochs = shown.outcome.epochs.iter().map(|epoch| ((epoch.epoch + 1) as f64, epoch.learning_rate));
    let per_epoch = shown.job.steps_in_epoch() as f64;
    let in_hand = shown.outcome.steps.iter().map(|g| (g.step as f64 / per_epoch, Some(g.learning_rate)));
    let points: Vec<_> = if shown.outcome.epochs.is_empty() { in_hand.collect() } else { epochs.collect() };
    let (x, y): (Vec<f64>, Vec<Option<f64>>) = points.into_iter().unzip();
    let rates = Item::Series(Series {
        name: (!single).then(|| shown.name.to_owned()),
        dots: x.len() == 1,
        x,
        y: y.into_iter().map(|rate| rate.filter(|rate| *rate > 0.0 && rate.is_finite())).collect(),
        band: Vec::new(),
        color,
        dash: Dash::Solid,
        steps: !matches!(shown.job.schedule, Schedule::Cyclic { .. }),
    });
    [rates].into_iter().chain(shown.chosen_line().filter(|_| single)).collect()
}

/// Rates of several trainings. Those that are the same have the colour of the first of them and one entry in the legend;
/// with sentences that say which these are.
pub fn rates_together(several: &[Shown<'_>], options: &Options) -> (Vec<Item>, Key, Vec<String>) {
    let mut items: Vec<Item> = Vec::new();
    // The first training of each rate, and all of them.
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (number, shown) in several.iter().enumerate() {
        let mut own = rates(shown, series_color(number), false);
        let same = |group: &&mut Vec<usize>| coincide(&items[group[0]], &own[0]);
        match groups.iter_mut().find(same) {
            Some(group) => {
                if let Item::Series(series) = &mut own[0] {
                    series.color = series_color(group[0]);
                }
                group.push(number);
            }
            None => groups.push(vec![number]),
        }
        items.extend(own);
    }
    let name = |number: &usize| several[*number].name;
    let names = |group: &[usize]| group.iter().map(name).collect::<Vec<_>>().join(", ");
    let entry = |group: &Vec<usize>| {
        let words = match &**group {
            few if few.len() <= NAMED => names(few),
            many => format!("{} and {} others", name(&many[0]), many.len() - 1),
        };
        let mut sample = items[group[0]].clone();
        if let Item::Series(series) = &mut sample {
            series.name = Some(words);
        }
        Group { sample, items: group.clone() }
    };
    // On the screen every training is switched on and off by its own entry of the legend of all charts.
    let shared = groups.iter().filter(|group| group.len() > if options.screen { 1 } else { NAMED });
    let words = |group: &Vec<usize>| match group.len() == several.len() {
        true => "all have the same learning rate".to_owned(),
        false => format!("one learning rate, drawn as that of {}: {}", name(&group[0]), names(group)),
    };
    let notes = shared.map(words).collect();
    let whose = if options.screen {
        let own = |(number, item): (usize, &Item)| Group { sample: item.clone(), items: vec![number] };
        items.iter().enumerate().map(own).collect()
    } else {
        groups.iter().map(entry).collect()
    };
    (items, Key { whose, what: Vec::new() }, notes)
}

/// Whether two curves go through the same points in the same way.
fn coincide(one: &Item, other: &Item) -> bool {
    match (one, other) {
        (Item::Series(one), Item::Series(other)) => {
            one.x == other.x && one.y == other.y && one.steps == other.steps
        }
        _ => false,
    }
}
