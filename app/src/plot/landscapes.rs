//! Landscapes of several networks side by side, with the same axes and one colour scale.

use super::figure::{Drawn, Figure, Named, Options, Page, Takes};
use super::landscape::{self, is_landscape, is_plane};
use super::panels::Panels;
use super::text;

/// Small multiples.
pub const FIGURE: Figure = Figure {
    name: "landscapes",
    help: "Landscapes side by side, a panel for each, with the same axes and one colour scale",
    takes: Takes::Records(is_landscape),
    is_usual: false,
    ignores: |first| match first.is_some_and(is_plane) {
        true => ("maps", &["--no-grid"]),
        false => ("curves side by side", &["--colors"]),
    },
    draw: |input| plot(input.named, input.options).map(|panels| Drawn::from(Page::Panels(panels))),
};

/// A panel for each record, maps where some are maps.
///
/// # Errors
/// A sentence saying which record cannot be part of the figure.
pub fn plot(records: &[Named<'_>], options: &Options) -> Result<Panels, String> {
    if records.is_empty() {
        return Err("there are no landscapes; measure some with `basin landscape`".into());
    }
    let is_map = records.iter().any(|named| is_plane(named.record));
    let (shown, left_out): (Vec<_>, Vec<_>) =
        records.iter().partition(|named| is_plane(named.record) == is_map || !is_landscape(named.record));
    let panel = |named: &&Named<'_>| {
        let options = Options { title: Some(named.name.to_owned()), ..options.clone() };
        landscape::plot(&[**named], &options)
    };
    let mut plots = shown.iter().map(panel).collect::<Result<Vec<_>, _>>()?;
    if let (Some(first), false) = (plots.first_mut(), left_out.is_empty()) {
        let names: Vec<&str> = left_out.iter().map(|named| named.name).collect();
        first.notes.push(text::literal("1-D landscapes are left out beside maps: ") + &names.join(", "));
    }
    Panels::alike(options.title.clone(), plots)
}
