//! Several trainings in one figure: the colour says whose a curve is, its line what it is.

use std::collections::BTreeSet;

use basin_core::record::training::Choice;
use basin_core::train::Epoch;

use super::curves::{Place, Shown, chosen_shape, quantities};
use super::options::Options;
use crate::plot::color::series_color;
use crate::plot::figure::Which;
use crate::plot::{Color, Dash, Group, Item, Key, Mark, Series};

/// From so many trainings on, the curves of training are pale: those of the test are what is compared.
const MANY: usize = 4;

/// What an item of several trainings is, whosever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Over test images; of the second quantity shown or of the first.
    Test(bool),
    /// Over training images.
    Training(bool),
    /// The epoch that stands out.
    Chosen(Choice),
    /// A kept network, or anything else that needs no words.
    Other,
}

/// Curves of several trainings with their key: the colour says which training, the line which images.
pub fn together(several: &[Shown<'_>], options: &Options) -> (Vec<Item>, Option<Key>) {
    let mut tagged: Vec<(usize, Kind, Item)> = Vec::new();
    for (number, shown) in several.iter().enumerate() {
        let own = among(shown, number, several.len(), options);
        tagged.extend(own.into_iter().map(|(kind, item)| (number, kind, item)));
    }
    // Symbols lie on all curves.
    tagged.sort_by_key(|(_, _, item)| matches!(item, Item::Scatter(_) | Item::Mark(_)));
    let numbers = |is: &dyn Fn(usize, Kind) -> bool| -> Vec<usize> {
        let fitting = tagged.iter().enumerate().filter(|(_, (number, kind, _))| is(*number, *kind));
        fitting.map(|(index, _)| index).collect()
    };
    let whose = several.iter().enumerate().map(|(number, shown)| Group {
        sample: Item::Series(named_sample(shown.name.to_owned(), series_color(number), Dash::Solid)),
        items: numbers(&|of, _| of == number),
    });
    let kinds: BTreeSet<Kind> = tagged.iter().map(|(_, kind, _)| *kind).collect();
    let what = kinds.into_iter().filter_map(|kind| {
        Some(Group { sample: sample(kind, options)?, items: numbers(&|_, other| other == kind) })
    });
    let key = Key { whose: whose.collect(), what: what.collect() };
    (tagged.into_iter().map(|(_, _, item)| item).collect(), Some(key))
}

/// One of several trainings: test solid, training broken, in the colour of the training.
fn among(shown: &Shown<'_>, number: usize, of: usize, options: &Options) -> Vec<(Kind, Item)> {
    let color = series_color(number);
    let name = shown.name;
    let mut items = Vec::new();
    for (second, (quantity, word)) in several(options).into_iter().enumerate() {
        let second = second > 0;
        let color = if second { pale(color) } else { color };
        let test = |epoch: &Epoch| Some((quantity.test)(&epoch.test));
        let test = shown.curve(Some(format!("{name},{word} test")), color, Dash::Solid, &test);
        items.extend(test.map(|curve| (Kind::Test(second), Item::Series(curve))));
        let faint = if of >= MANY { color.with_alpha(0.6) } else { color };
        let training = shown.training(Some(format!("{name},{word} training")), faint, &quantity);
        items.extend(training.into_iter().map(|item| (Kind::Training(second), item)));
        if !second {
            let kept = options.screen.then(|| shown.kept(quantity.test, color)).flatten();
            items.extend(kept.map(|kept| (Kind::Other, kept)));
            let mark = shown.chosen_mark(quantity.test, color);
            items.extend(mark.map(|(choice, mark)| (Kind::Chosen(choice), mark)));
        }
    }
    items
}

/// How an item of a kind looks, whosever it is, with its name.
fn sample(kind: Kind, options: &Options) -> Option<Item> {
    let line = |second: bool, dash: Dash, what: &str| {
        let word = several(options).get(usize::from(second)).map_or("", |(_, word)| word);
        let grey = Color::rgb(90, 90, 90);
        let color = if second { pale(grey) } else { grey };
        Item::Series(named_sample(format!("{word} {what}").trim().to_owned(), color, dash))
    };
    match kind {
        Kind::Test(second) => Some(line(second, Dash::Solid, "test")),
        Kind::Training(second) => Some(line(second, Dash::Dashed, "training")),
        Kind::Chosen(choice) => Some(Item::Mark(Mark {
            x: 0.0,
            y: 0.0,
            shape: chosen_shape(choice),
            color: Color::GREY,
            name: choice.words().into(),
        })),
        Kind::Other => None,
    }
}

/// A piece of a curve that only a legend shows.
fn named_sample(name: String, color: Color, dash: Dash) -> Series {
    let (x, y, band) = (Vec::new(), Vec::new(), Vec::new());
    Series { name: Some(name), x, y, band, color, dash, dots: false, steps: false }
}

/// The quantities that are shown of several trainings, each with the word that tells it from the other.
fn several(options: &Options) -> Vec<(Place, &'static str)> {
    let (clean, robust) = quantities(options.quantity);
    match options.which {
        Which::Clean => vec![(clean, "")],
        Which::Both => vec![(robust, " robust"), (clean, " clean")],
        Which::Auto | Which::Robust => vec![(robust, "")],
    }
}

fn pale(color: Color) -> Color {
    color.mix(Color::WHITE, 0.45)
}
