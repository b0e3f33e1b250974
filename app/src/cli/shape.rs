//! `basin plot --shape`: the shape of a landscape in numbers.

use anyhow::{Result, anyhow};
use basin_core::record::Outcome;
use basin_core::shape::{Level, ShapeOptions};
use clap::Args;
use serde_json::{Value, json};

use super::failure::usage;
use super::report::shape_text;
use crate::plot::landscape::{Named, Options, Quantity, main_grid, quantity_label};
use crate::plot::text;
use crate::shape::{self, facts};

/// What of the shape is printed.
#[derive(Debug, Clone, Args)]
pub struct ShapeArgs {
    /// Print the shape of a landscape in numbers: minima and their persistence, smoothness (SMAD, as in Landscaper), mean
    /// rise and curvature at the origin, level set. Needs no --out. With --json, as JSON.
    #[arg(long)]
    pub shape: bool,

    /// Level of the level set that --shape measures; in percent with --error [default: 0.5 above the origin].
    #[arg(long, value_name = "VALUE", requires = "shape", allow_negative_numbers = true)]
    pub level: Option<f64>,

    /// Radius, in steps, at which --shape takes the mean rise [default: 1, or as far as the grid reaches].
    #[arg(long, value_name = "STEPS", requires = "shape", value_parser = radius)]
    pub rise_radius: Option<f64>,
}

fn radius(text: &str) -> Result<f64, String> {
    let radius = text.parse::<f64>().ok().filter(|radius| radius.is_finite() && *radius > 0.0);
    radius.ok_or_else(|| format!("{text:?} is not a positive number; write e.g. 0.5"))
}

/// The shape of one landscape, as text for people and as JSON.
pub struct Found {
    pub text: String,
    pub json: Value,
}

impl ShapeArgs {
    /// The shape, if it is asked for.
    ///
    /// # Errors
    /// There is more than one record, or it is no landscape with values; the circle of the rise leaves the grid.
    pub fn of(&self, named: &[Named<'_>], options: &Options) -> Result<Option<Found>> {
        if !self.shape {
            return Ok(None);
        }
        let [named] = *named else { return Err(usage("--shape takes one landscape; give one record")) };
        let said = |sentence: String| anyhow!(text::plain(&sentence));
        let grid = main_grid(named, options.which).map_err(said)?;
        let Outcome::Landscape(landscape) = &named.record.outcome else { unreachable!("it has a grid") };
        let percent = if options.quantity == Quantity::Error { 0.01 } else { 1.0 };
        let level = self.level.map_or_else(Level::default, |level| Level::At(level * percent));
        let chosen = ShapeOptions { radius: self.rise_radius, level };
        let found = shape::of(&grid, options.quantity, &chosen)
            .ok_or_else(|| said(format!("{} has no values to measure", named.name)))?;
        if let (Some(radius), None) = (self.rise_radius, found.rise) {
            return Err(usage(format!(
                "--rise-radius {radius} leads out of the grid, or over points without values; use less"
            )));
        }
        let label = quantity_label(options.quantity, grid.robust);
        let mut json = json!(found);
        json["of"] = json!(label);
        Ok(Some(Found { text: shape_text(&label, &facts(&found, landscape, options.quantity)), json }))
    }
}
