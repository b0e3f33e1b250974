//! How results are drawn: plain settings, remembered, shared by the views and the export.

use std::sync::Arc;

use basin_core::job::Job;
use basin_core::record::{Grid, Outcome, Record, Values};
use serde::{Deserialize, Serialize};

use crate::gpu::{Contours, SurfaceStyle};
use crate::landscape_file::LandscapeFile;
use crate::plot::colormap::ColorMap;
use crate::plot::figure::Input;
use crate::plot::landscape::{self, Named, Options, Quantity as PlotQuantity, Which};
use crate::plot::scatter::ModelOptions;
use crate::plot::text::{literal, plain};
use crate::plot::{Plot, attack_steps, curvature, figures, flatness, merge_tree, training};
use crate::surface::{self, Arrangement, Scene};
use crate::ui::names;

/// Which number is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Quantity {
    /// Mean cross-entropy.
    #[default]
    Loss,
    /// Share of wrong examples.
    Error,
}

/// What is drawn of a landscape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum LandscapeChart {
    /// Loss or error: curves, or a map.
    #[default]
    Values,
    /// Its merge tree.
    MergeTree,
    /// Eigenvalues of the Hessian, where it has them.
    Curvature,
}

/// Settings of the views.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Display {
    /// Loss or error.
    pub quantity: Quantity,
    /// Logarithmic height and colour.
    pub logarithmic: bool,
    /// Cut heights off above `clip_at` or `clip_error_at`.
    pub clip: bool,
    /// Largest loss drawn when `clip` is on.
    pub clip_at: f64,
    /// Largest error drawn when `clip` is on, in per cent.
    pub clip_error_at: f64,
    /// Colours of heights.
    pub colormap: ColorMap,
    /// Contour lines on the surface.
    pub surface_contours: bool,
    /// Contour lines on the floor.
    pub floor_contours: bool,
    /// About how many contour levels.
    pub levels: usize,
    /// The floor is coloured, too.
    pub floor_colors: bool,
    /// Draw the clean surface below the robust one.
    pub overlay_clean: bool,
    /// Opacity of the upper surface while another is below it.
    pub opacity: f32,
    /// How several surfaces are compared.
    pub arrangement: Arrangement,
    /// Surfaces beside each other share one scale of heights and colours.
    pub same_scale: bool,
    /// Grid lines on the surface.
    pub wireframe: bool,
    /// Light and shadow.
    pub lighting: bool,
    /// Height of the box relative to its default.
    pub height: f32,
    /// Radius at which the mean rise of a landscape is taken, in steps.
    pub rise_radius: f64,
    /// Level of the level set of losses above the origin.
    pub level_rise: f64,
    /// Level of the level set of errors above the origin, in points of per cent.
    pub level_rise_error: f64,
    /// What is drawn of a landscape.
    pub chart: LandscapeChart,
    /// Flatness layer by layer instead of over radii.
    pub per_layer: bool,
    /// What of a training is exported.
    pub training: training::Quantity,
    /// Clean or robust values of trainings; automatic: both of one, robust of several.
    pub training_images: Which,
}

impl Default for Display {
    fn default() -> Self {
        Self {
            quantity: Quantity::Loss,
            logarithmic: false,
            clip: false,
            clip_at: 5.0,
            clip_error_at: 80.0,
            colormap: ColorMap::Viridis,
            surface_contours: true,
            floor_contours: true,
            levels: 12,
            floor_colors: false,
            overlay_clean: true,
            opacity: 0.85,
            arrangement: Arrangement::Beside,
            same_scale: true,
            wireframe: false,
            lighting: true,
            height: 1.0,
            rise_radius: 1.0,
            level_rise: 0.5,
            level_rise_error: 10.0,
            chart: LandscapeChart::Values,
            per_layer: false,
            training: training::Quantity::default(),
            training_images: Which::Auto,
        }
    }
}

impl Display {
    /// The settings as charts take them.
    pub fn plot_options(&self) -> Options {
        let (quantity, clip) = match self.quantity {
            Quantity::Loss => (PlotQuantity::Loss, self.clip_at),
            Quantity::Error => (PlotQuantity::Error, 0.01 * self.clip_error_at),
        };
        Options {
            quantity,
            which: Which::Auto,
            log: self.logarithmic,
            clip: self.clip.then_some(clip),
            map: self.colormap,
            title: None,
        }
    }

    /// The chart of records: curves, filled contours, flatness, or of evaluations the log of their attack, else their
    /// confidences.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub fn figure(&self, records: &[Arc<Record>]) -> Result<Plot, String> {
        if records.first().is_some_and(|record| matches!(record.outcome, Outcome::Train(_))) {
            return self.history(records, self.training, false);
        }
        // Of 2-D landscapes a map shows one.
        let is_plane =
            |record: &Arc<Record>| matches!(&record.outcome, Outcome::Landscape(of) if of.y.is_some());
        let records = if records.first().is_some_and(is_plane) { &records[..1] } else { records };
        let records: Vec<&Record> = records.iter().map(AsRef::as_ref).collect();
        let names = names(&records);
        let named: Vec<Named<'_>> =
            names.iter().zip(records).map(|(name, record)| Named { name, record }).collect();
        let Some(first) = named.first().map(|named| named.record) else {
            return Err("no record given; give at least one".into());
        };
        let mut shown = &*named;
        let figure = if named.iter().all(|named| attack_steps::FIGURE.takes(named.record)) {
            &attack_steps::FIGURE
        } else if self.per_layer && flatness::LAYERS.takes(first) {
            shown = &named[..1];
            &flatness::LAYERS
        } else if self.chart == LandscapeChart::MergeTree && merge_tree::FIGURE.takes(first) {
            &merge_tree::FIGURE
        } else if self.chart == LandscapeChart::Curvature && curvature::FIGURE.takes(first) {
            &curvature::FIGURE
        } else {
            figures::of_record(first)
        };
        let (options, models) = (self.plot_options(), ModelOptions::default());
        let input = Input { named: shown, study: None, options: &options, models: &models };
        let drawn = (figure.draw)(&input).map_err(|why| plain(&why))?;
        drawn.plot().ok_or_else(|| "there is no chart of these records".to_owned())
    }

    /// The chart of trainings: a quantity over epochs. `screen`: with a point for every network that was kept.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub fn history(
        &self,
        records: &[Arc<Record>],
        quantity: training::Quantity,
        screen: bool,
    ) -> Result<Plot, String> {
        let records: Vec<&Record> = records.iter().map(AsRef::as_ref).collect();
        let names = names(&records);
        let named: Vec<Named<'_>> =
            names.iter().zip(records).map(|(name, record)| Named { name, record }).collect();
        let which = self.training_images;
        let log = self.logarithmic;
        // Of the other quantity, the largest value is another.
        let clipped = matches!(
            (quantity, self.quantity),
            (training::Quantity::Loss, Quantity::Loss) | (training::Quantity::Error, Quantity::Error)
        );
        let clip = self.plot_options().clip.filter(|_| clipped);
        let options = training::Options { quantity, which, log, clip, screen, title: None };
        training::plot(&named, &options).map_err(|why| plain(&why))
    }

    /// The CSV table of trainings that is more than what their figure draws: all statistics of weights and gradients.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub fn training_table(&self, records: &[Arc<Record>], figure: &Plot) -> Option<Result<String, String>> {
        let is_training = |record: &Arc<Record>| matches!(record.outcome, Outcome::Train(_));
        if self.training != training::Quantity::Norms || !records.first().is_some_and(is_training) {
            return None;
        }
        let records: Vec<&Record> = records.iter().map(AsRef::as_ref).collect();
        let names = names(&records);
        let named: Vec<Named<'_>> =
            names.iter().zip(records).map(|(name, record)| Named { name, record }).collect();
        Some(training::table(&named, figure))
    }

    /// The landscape of a record itself, as a file.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub fn landscape_file(&self, record: &Record, format: LandscapeFile) -> Result<Vec<u8>, String> {
        let names = names(&[record]);
        format.bytes(Named { name: &names[0], record }, &self.plot_options()).map_err(|why| plain(&why))
    }

    /// The sections of a 2-D landscape along its two directions through the checkpoint, as curves.
    ///
    /// # Errors
    /// A sentence that says why there are none.
    pub fn sections(&self, record: &Record) -> Result<Plot, String> {
        let names = [direction(record, false), direction(record, true)];
        let [x, y] = [false, true].map(|along_y| section(record, along_y));
        let named = [Named { name: &names[0], record: &x }, Named { name: &names[1], record: &y }];
        let mut plot = landscape::plot(&named, &self.plot_options())?;
        plot.x.label = "Step through the checkpoint".into();
        Ok(plot)
    }

    /// The pictures of 2-D landscapes in 3-D.
    pub fn scenes(&self, records: &[Arc<Record>]) -> Vec<Scene> {
        let records: Vec<&Record> = records.iter().map(AsRef::as_ref).collect();
        let names = names(&records);
        let named: Vec<Named<'_>> =
            names.iter().zip(records).map(|(name, record)| Named { name, record }).collect();
        let options = |record: &Record| self.surface_options(record);
        let mut scenes = surface::scenes(&named, &options, self.arrangement, self.same_scale);
        scenes.iter_mut().for_each(|scene| self.look(&mut scene.style));
        scenes
    }

    /// What each surface is, as a word: `robust`, `clean`.
    pub fn surface_name(&self, record: &Record, index: usize) -> &'static str {
        let Outcome::Landscape(landscape) = &record.outcome else { return "" };
        let layers = surface::layers(landscape, self.surface_options(record).which);
        layers.get(index).map_or("", |(robust, _)| match landscape::images(record, *robust) {
            Some(true) => "robust",
            Some(false) => "clean",
            None => "",
        })
    }

    fn surface_options(&self, record: &Record) -> Options {
        let robust = matches!(&record.outcome, Outcome::Landscape(landscape) if landscape.robust.is_some());
        let which = if robust && !self.overlay_clean { Which::Robust } else { Which::Auto };
        Options { which, ..self.plot_options() }
    }

    /// Sets what of the look of surfaces is chosen here.
    fn look(&self, style: &mut SurfaceStyle) {
        style.layers.iter_mut().for_each(|layer| layer.wireframe = self.wireframe);
        for layer in style.layers.iter_mut().filter(|layer| layer.opacity < 1.0) {
            layer.opacity = self.opacity;
        }
        style.exaggeration = self.height;
        style.lighting = self.lighting;
        style.contours = Contours {
            levels: None,
            count: self.levels,
            on_surface: self.surface_contours,
            on_floor: self.floor_contours,
            fill_floor: self.floor_colors,
        };
    }
}

/// One name for each record, as a label.
fn names(records: &[&Record]) -> Vec<String> {
    names::distinct(records).iter().map(|name| literal(name)).collect()
}

/// A 2-D landscape cut along one direction through the checkpoint: a 1-D one.
fn section(record: &Record, along_y: bool) -> Record {
    let mut record = record.clone();
    let Outcome::Landscape(outcome) = &mut record.outcome else { return record };
    let Some(y) = outcome.y.take() else { return record };
    let nearest = |steps: &[f64]| {
        let by_distance = |a: &usize, b: &usize| steps[*a].abs().total_cmp(&steps[*b].abs());
        (0..steps.len()).min_by(by_distance).unwrap_or_default()
    };
    let (middle_x, middle_y) = (nearest(&outcome.x), nearest(&y));
    let cut = |values: &Values| {
        let at = |i| if along_y { values.get(middle_x, i) } else { values.get(i, middle_y) };
        Values::Line((0..if along_y { y.len() } else { outcome.x.len() }).map(at).collect())
    };
    let cut_grid = |grid: &Grid| Grid { loss: cut(&grid.loss), error: cut(&grid.error) };
    (outcome.clean, outcome.robust) =
        (outcome.clean.as_ref().map(cut_grid), outcome.robust.as_ref().map(cut_grid));
    if along_y {
        outcome.x = y;
    }
    outcome.landmarks.clear();
    outcome.draws.clear();
    if let Job::Landscape(job) = &mut record.job
        && let (second, true) = (job.second.take(), along_y)
        && let Some(second) = second
    {
        job.direction = second;
    }
    record
}

/// `random direction 2`.
fn direction(record: &Record, second: bool) -> String {
    let Job::Landscape(job) = &record.job else {
        return if second { "direction 2" } else { "direction 1" }.into();
    };
    let kind = if second { job.second.as_ref().unwrap_or(&job.direction) } else { &job.direction };
    let number = if kind.is_drawn() { if second { " 2" } else { " 1" } } else { "" };
    format!("{}{number}", literal(&kind.title()))
}
