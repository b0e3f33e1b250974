//! Points by group with their colours and symbols.

use super::lines;
use super::models::{ColorBy, Lines, Look, Measured, Model, Models, group_look};
use super::stage::Stage;
use crate::plot::color::{PAIRED, seismic, series_color};
use crate::plot::{Color, ColorMap, Item, Scatter, ScatterPoint, Shape};

/// So many epochs are named in the legend.
const EPOCHS: usize = 8;
/// The methods of the paper's figures in the order of its colours.
const METHODS: [&[&str]; 12] = [
    &["at", "at (baseline)"],
    &["weight clipping"],
    &["label noise"],
    &["cyclic"],
    &["weight decay"],
    &["self-supervision"],
    &["entropy-sgd"],
    &["trades"],
    &["mart"],
    &["at-awp", "awp"],
    &["autoaugment"],
    &["+unlabeled", "unlabeled"],
];

/// The colour that the paper gives a method.
fn of_method(group: &str) -> Option<Color> {
    let group = group.to_lowercase().replace(['_', '$'], " ");
    METHODS.iter().position(|names| names.contains(&group.trim())).map(|at| PAIRED[at])
}

/// Points with the lines of their groups: grey ones first, at the back; then groups in the order of their first model.
pub fn points(models: &Models, look: &Look) -> Vec<Item> {
    if look.color == ColorBy::Epoch {
        return by_epoch(models, look);
    }
    let mut names: Vec<&str> = Vec::new();
    for (model, ..) in models.points() {
        if let Some(group) = model.group.as_deref()
            && !names.contains(&group)
        {
            names.push(group);
        }
    }
    let members = |group: Option<&str>| -> Vec<ScatterPoint> {
        let of_group = models.points().filter(|(model, ..)| model.group.as_deref() == group);
        of_group.map(|found| point(found, look.labels)).collect()
    };
    // A single group needs no legend.
    let named = |name: &str, others: bool| others.then(|| name.to_owned());
    let other = members(None);
    let several = names.len() + usize::from(!other.is_empty()) > 1;
    let grey = (!other.is_empty()).then(|| Scatter {
        name: named("Other", several),
        points: other,
        color: if several { Color::GREY } else { series_color(0) },
        shape: Shape::Circle,
        size: if several { 0.8 } else { 1.0 },
    });
    let mut items: Vec<Item> = grey.into_iter().map(Item::Scatter).collect();
    for (i, name) in names.iter().enumerate() {
        let (color, own) = models.looks.get(*name).copied().unwrap_or_default();
        let of_paper = of_method(name).filter(|_| look.as_paper);
        let (next, shape) = group_look(i);
        let usual = if of_paper.is_some() { Shape::Circle } else { shape };
        let (shape, color) = (own.unwrap_or(usual), color.or(of_paper).unwrap_or(next));
        if look.lines == Lines::Groups {
            items.extend(lines::of_group(models, name, color));
        }
        let group = Scatter {
            name: named(name, several),
            points: members(Some(name)),
            color,
            shape,
            size: shape.fair_size(),
        };
        match look.color {
            ColorBy::Model => items.extend(shades(group)),
            _ => items.push(Item::Scatter(group)),
        }
    }
    items
}

fn point((model, x, y): (&Model, Measured, Measured), labels: bool) -> ScatterPoint {
    ScatterPoint {
        x: x.value,
        y: y.value,
        x_interval: x.interval,
        y_interval: y.interval,
        name: model.name.clone(),
        label: (labels && !model.label.is_empty()).then(|| model.label.clone()),
    }
}

/// Each model of a group by itself, darker from one to the next; the legend has them all.
fn shades(group: Scatter) -> Vec<Item> {
    let last = group.points.len().saturating_sub(1).max(1) as f64;
    let count = group.points.len();
    let shade = |i: usize| {
        let share = if count == 1 { 0.5 } else { i as f64 / last };
        match share {
            light if light < 0.5 => group.color.mix(Color::WHITE, 0.9 * (0.5 - light)),
            dark => group.color.mix(Color::BLACK, 0.9 * (dark - 0.5)),
        }
    };
    let own = group.points.iter().enumerate().map(|(i, point)| {
        let (name, color) = (Some(point.name.clone()), shade(i));
        Item::Scatter(Scatter {
            name,
            points: vec![ScatterPoint { label: None, ..point.clone() }],
            color,
            ..group.clone()
        })
    });
    own.collect()
}

/// Points in the colour of their epoch, with evenly spaced ones in the legend.
fn by_epoch(models: &Models, look: &Look) -> Vec<Item> {
    let mut stages: Vec<Stage> = models.points().map(|(model, ..)| model.stage).collect();
    stages.sort();
    stages.dedup();
    let known: Vec<Stage> =
        stages.iter().copied().filter(|s| matches!(s, Stage::Epoch(_) | Stage::Final)).collect();
    let last = known.len().saturating_sub(1).max(1);
    let every = known.len().div_ceil(EPOCHS).max(1);
    let color = |stage: Stage| {
        let Some(at) = known.iter().position(|other| *other == stage) else { return Color::GREY };
        let share = at as f64 / last as f64;
        if look.as_paper { seismic(share) } else { ColorMap::Viridis.at(share) }
    };
    let name = |stage: Stage| match stage {
        Stage::Epoch(epoch) => Some(format!("epoch {epoch}")),
        Stage::Final => Some("final".into()),
        Stage::Best => Some("early stopping".into()),
        Stage::Unknown => Some("Other".into()),
    };
    let is_named = |stage: Stage| {
        let at = known.iter().position(|other| *other == stage);
        at.is_none_or(|at| at + 1 == known.len() || at.is_multiple_of(every))
    };
    let of = |stage: &Stage| {
        let own = models.points().filter(|(model, ..)| model.stage == *stage);
        let shape = if *stage == Stage::Best { Shape::Star } else { Shape::Circle };
        Item::Scatter(Scatter {
            name: name(*stage).filter(|_| is_named(*stage)),
            points: own.map(|found| ScatterPoint { label: None, ..point(found, look.labels) }).collect(),
            color: color(*stage),
            shape,
            size: shape.fair_size(),
        })
    };
    stages.iter().map(of).collect()
}
