//! A landscape over two directions as the surfaces that [`crate::gpu`] draws, for the window and `basin plot`
//! alike.

use basin_core::record::{Grid, LandscapeOutcome, Outcome, Record};

use serde::{Deserialize, Serialize};

use crate::gpu::{Extent, Fill, HeightScale, LayerStyle, SurfaceData, SurfaceStyle};
use crate::plot::Color;
use crate::plot::color::series_color;
use crate::plot::fill::filled;
use crate::plot::landscape::{
    Named, Options, Quantity, Which, direction_label, images, kind_label, quantity_label, unit, values,
};

/// Opacity of the upper of two surfaces.
pub const VEIL: f32 = 0.85;

/// The grids to draw, the main one first, each with whether it is the robust one.
pub fn layers(landscape: &LandscapeOutcome, which: Which) -> Vec<(bool, &Grid)> {
    let robust = landscape.robust.as_ref().filter(|_| which != Which::Clean).map(|grid| (true, grid));
    let clean = landscape.clean.as_ref().filter(|_| which != Which::Robust).map(|grid| (false, grid));
    robust.into_iter().chain(clean).collect()
}

/// The surfaces of a 2-D landscape, the main one first; none in 1-D. Errors are in per cent. While the record is
/// not complete, what lies between computed points is interpolated.
pub fn surfaces(record: &Record, quantity: Quantity, which: Which) -> Vec<SurfaceData> {
    let Outcome::Landscape(landscape) = &record.outcome else { return Vec::new() };
    let Some(y) = &landscape.y else { return Vec::new() };
    let axis = |steps: &[f64]| steps.iter().map(|v| *v as f32).collect::<Vec<_>>();
    let factor = unit(quantity).factor();
    let surface = |grid: &Grid| {
        let mut heights: Vec<Option<f64>> = values(grid, quantity).iter().collect();
        if !record.provenance.complete {
            heights = filled(&heights, landscape.x.len());
        }
        let height = heights.into_iter().map(|v| v.map(|v| (v * factor) as f32)).collect();
        let steps = landscape.landmarks.iter().filter(|landmark| landmark.path);
        let path = steps.filter_map(|step| Some([step.x as f32, step.y? as f32])).collect();
        SurfaceData { x: axis(&landscape.x), y: axis(y), height, path }
    };
    layers(landscape, which).into_iter().map(|(_, grid)| surface(grid)).collect()
}

/// How several landscapes are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Arrangement {
    /// Each in a box of its own, beside the others.
    #[default]
    Beside,
    /// All in one box, told apart by their colours.
    Overlaid,
}

/// One picture: surfaces in a box, and how they look.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// The main one first.
    pub surfaces: Vec<SurfaceData>,
    /// Colours, scale, names and titles.
    pub style: SurfaceStyle,
}

impl Scene {
    /// Surfaces are drawn in one box up to this number.
    pub const MOST: usize = 8;

    /// Of one landscape.
    pub fn of(record: &Record, options: &Options) -> Self {
        let surfaces = surfaces(record, options.quantity, options.which);
        Self { surfaces, style: style(record, options) }
    }

    /// The main surfaces of landscapes in one box.
    fn overlaid(named: &[Named<'_>], options: &dyn Fn(&Record) -> Options) -> Option<Self> {
        let first = named.first()?.record;
        let first = Self::of(first, &options(first));
        let main = |of: &Named<'_>| Self::of(of.record, &options(of.record)).surfaces.into_iter().next();
        let drawn: Vec<(&Named<'_>, SurfaceData)> =
            named.iter().take(Self::MOST).filter_map(|of| Some((of, main(of)?))).collect();
        let layer = |(at, (of, _)): (usize, &(&Named<'_>, SurfaceData))| {
            let Color { r, g, b, .. } = series_color(at);
            LayerStyle {
                name: of.name.to_owned(),
                opacity: VEIL,
                fill: Fill::Solid([r, g, b]),
                ..LayerStyle::default()
            }
        };
        let layers = drawn.iter().enumerate().map(layer).collect();
        let style = SurfaceStyle { layers, color_bar: false, ..first.style };
        Some(Self { surfaces: drawn.into_iter().map(|(_, data)| data).collect(), style })
    }
}

/// The pictures of 2-D landscapes, each record with its options. `same_scale`: with one scale of heights and colours, if
/// they stand beside each other.
pub fn scenes(
    named: &[Named<'_>],
    options: &dyn Fn(&Record) -> Options,
    arrangement: Arrangement,
    same_scale: bool,
) -> Vec<Scene> {
    if let [only] = named {
        return vec![Scene::of(only.record, &options(only.record))];
    }
    if arrangement == Arrangement::Overlaid {
        return Scene::overlaid(named, options).into_iter().collect();
    }
    let mut scenes: Vec<Scene> = named.iter().map(|of| Scene::of(of.record, &options(of.record))).collect();
    for (scene, of) in scenes.iter_mut().zip(named) {
        scene.style.title = of.name.to_owned();
    }
    if same_scale {
        let all = scenes.iter().flat_map(|scene| &scene.surfaces);
        let extent = all.map(SurfaceData::extent).fold(Extent::EMPTY, Extent::union);
        let log = scenes.iter().any(|scene| scene.style.scale == HeightScale::Log);
        let lowest = if log { extent.smallest_positive } else { extent.height[0] };
        scenes.iter_mut().for_each(|scene| scene.style.heights = Some([lowest, extent.height[1]]));
    }
    scenes
}

/// The look of these surfaces: colours, scale, names and titles as in the other figures.
pub fn style(record: &Record, options: &Options) -> SurfaceStyle {
    let drawn = match &record.outcome {
        Outcome::Landscape(landscape) => layers(landscape, options.which),
        _ => Vec::new(),
    };
    let kinds: Vec<bool> = drawn.into_iter().map(|(robust, _)| robust).collect();
    let name =
        |i: usize| kinds.get(i).map_or_else(String::new, |robust| kind_label(record, *robust).to_owned());
    let main = LayerStyle {
        name: name(0),
        opacity: if kinds.len() > 1 { VEIL } else { 1.0 },
        ..LayerStyle::default()
    };
    let only = kinds.first().copied().filter(|_| kinds.len() == 1);
    SurfaceStyle {
        colormap: options.map,
        scale: if options.log { HeightScale::Log } else { HeightScale::Linear },
        clip: options.clip.map(|clip| (clip * unit(options.quantity).factor()) as f32),
        layers: vec![main, LayerStyle { name: name(1), ..LayerStyle::second() }],
        titles: [
            direction_label(record, 1),
            direction_label(record, 2),
            quantity_label(options.quantity, only.and_then(|robust| images(record, robust))),
        ],
        ..SurfaceStyle::default()
    }
}
