//! The first numbers of records in a line.

use basin_core::record::{Headline, Number, Quantity, Record};

use crate::plot::{text, ticks};

/// For lists: `flatness 0.317 at radius 0.5`, `robust error 82.4 %`; of losses and shares the shares alone; empty if
/// there are none.
pub fn short(headline: &Headline) -> String {
    let shares = headline.numbers.iter().filter(|number| number.quantity == Quantity::Share);
    let shares: Vec<&Number> = shares.collect();
    let shown = if shares.is_empty() { headline.numbers.iter().collect() } else { shares };
    let digits = |value: f64| text::plain(&ticks::readable((value * 1e4).round() / 1e4));
    line(&shown, digits, false)
}

/// For reports: `robust loss 2.3056, robust error 82.4 %`, with intervals.
pub fn long(headline: &Headline) -> String {
    line(&headline.numbers.iter().collect::<Vec<_>>(), |value| format!("{value:.4}"), true)
}

/// What a measure gives besides loss and error of the network as it is, e.g. its flatness; empty if nothing.
pub fn beyond_the_checkpoint(record: &Record) -> String {
    let Headline { mut numbers, .. } = record.headline();
    numbers.retain(|number| !number.of_checkpoint);
    short(&Headline { numbers, ..Headline::default() })
}

/// A name that the number before has as well is not repeated.
fn line(numbers: &[&Number], digits: impl Fn(f64) -> String, intervals: bool) -> String {
    let mut parts = Vec::new();
    let mut name = "";
    for number in numbers {
        let value = match number.quantity {
            Quantity::Loss => digits(number.value),
            Quantity::Share => format!("{:.1} %", 100.0 * number.value),
        };
        let mut part = if number.name == name { value } else { format!("{} {value}", number.name) };
        if let (Some([low, high]), true) = (number.interval, intervals) {
            part += &format!(" [{}, {}]", digits(low), digits(high));
        }
        if let Some(at) = &number.at {
            part += &format!(" at {at}");
        }
        name = number.name;
        parts.push(part);
    }
    parts.join(", ")
}
