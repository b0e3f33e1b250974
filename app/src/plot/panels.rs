//! Several plots side by side, with the same axes and one colour scale, so that they can be compared.

use super::{Axis, ColorScale, Field, Item, Plot};

/// Plots of the same axes in rows and columns; each has its title above.
#[derive(Debug, Clone, PartialEq)]
pub struct Panels {
    /// Above all of them.
    pub title: Option<String>,
    /// The plots, row by row.
    pub plots: Vec<Plot>,
}

impl Panels {
    /// Gives plots the range of all of them on both axes, and one colour scale.
    ///
    /// # Errors
    /// There are none, or some are maps and others are not.
    pub fn alike(title: Option<String>, mut plots: Vec<Plot>) -> Result<Self, String> {
        let Some(first) = plots.first() else { return Err("there is nothing to draw side by side".into()) };
        let is_map = |plot: &Plot| plot.field().is_some();
        if let Some(other) = plots.iter().find(|plot| is_map(plot) != is_map(first)) {
            let name = other.title.as_deref().unwrap_or("one of them");
            return Err(format!(
                "{name} is not of as many dimensions as the first; draw them in separate figures"
            ));
        }
        share(plots.iter_mut().map(|plot| &mut plot.x).collect());
        share(plots.iter_mut().map(|plot| &mut plot.y).collect());
        share_colors(&mut plots);
        Ok(Self { title, plots })
    }

    /// What must be told about the numbers, each sentence once.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        for note in self.plots.iter().flat_map(|plot| &plot.notes) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        notes
    }
}

/// One range for all.
fn share(axes: Vec<&mut Axis>) {
    let range = axes.iter().map(|axis| axis.range).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let Some(range) = range else { return };
    for axis in axes {
        *axis = Axis::new(axis.label.clone(), range, axis.scale, axis.unit);
    }
}

fn fields(plots: &mut [Plot]) -> impl Iterator<Item = &mut Field> {
    plots.iter_mut().flat_map(|plot| &mut plot.items).filter_map(|item| match item {
        Item::Field(field) => Some(field),
        _ => None,
    })
}

/// The bands from the lowest to the highest value of all fields.
fn share_colors(plots: &mut [Plot]) {
    let scales: Vec<ColorScale> = fields(plots).map(|field| field.colors.clone()).collect();
    let Some(first) = scales.first() else { return };
    let range = scales.iter().map(ColorScale::range).fold(first.range(), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let over = scales.iter().any(|scale| scale.over);
    let colors = ColorScale::new(first.map, first.scale, range.0, range.1, over);
    fields(plots).for_each(|field| field.set_colors(colors.clone()));
}
