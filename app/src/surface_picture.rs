//! 2-D landscapes as pictures in 3-D, drawn by wgpu without a window: `basin plot --figure surface`, `surfaces-overlaid`
//! and `turntable`, and what the window exports.

use std::io::Cursor;

use anyhow::{Context as _, Result};
use basin_core::Error;
use basin_core::progress::{Event, Progress};
use basin_core::record::Outcome;
use image::{GenericImage as _, Rgba, RgbaImage};

use crate::gpu::{Camera, Offscreen, SurfaceView};
use crate::plot::export::{FigureStyle, FontFamily};
use crate::plot::figure::{Drawn, Figure, Input, Named, Options, Page, Takes, Which};
use crate::plot::landscape::{check_clip, is_plane, note_gaps, values};
use crate::surface::{Arrangement, Scene, layers, scenes};

/// Surfaces in 3-D.
pub const FIGURE: Figure = Figure {
    name: "surface",
    help: "2-D landscapes as surfaces in 3-D, several beside each other on one scale (PNG)",
    takes: Takes::Records(is_plane),
    is_usual: false,
    ignores: |_| ("a surface", IGNORED),
    draw: |input| picture(input, Kind::Still(Arrangement::Beside)).map(Drawn::from),
};

/// Surfaces in one box.
pub const OVERLAID: Figure = Figure {
    name: "surfaces-overlaid",
    help: "Several 2-D landscapes as surfaces in one box, told apart by their colours (PNG)",
    draw: |input| picture(input, Kind::Still(Arrangement::Overlaid)).map(Drawn::from),
    ..FIGURE
};

/// A turning surface.
pub const TURNTABLE: Figure = Figure {
    name: "turntable",
    help: "2-D landscapes as surfaces that turn around once (animated PNG; browsers and slides play it)",
    draw: |input| picture(input, Kind::Turning).map(Drawn::from),
    ..FIGURE
};

const IGNORED: &[&str] = &["--title", "--no-grid"];

/// Whether a figure is made of surfaces.
pub fn makes(figure: &Figure) -> bool {
    [FIGURE.name, OVERLAID.name, TURNTABLE.name].contains(&figure.name)
}

/// What becomes of scenes.
#[derive(Clone, Copy)]
enum Kind {
    Still(Arrangement),
    Turning,
}

/// A picture is at least so many font sizes wide.
const EMS: f64 = 30.0;
/// Pictures of a turn, and how many are shown in a second.
pub const FRAMES: u32 = 72;
const PER_SECOND: u16 = 15;

/// Draws 2-D landscapes; clean below robust if both are there and neither is singled out.
fn picture(input: &Input<'_>, kind: Kind) -> Result<Page, String> {
    let options = input.options;
    let mut notes = Vec::new();
    for named in input.named {
        check(*named, options, &mut notes)?;
    }
    if input.named.is_empty() {
        return Err("no record given; give at least one 2-D landscape".into());
    }
    let arrangement = match kind {
        Kind::Still(arrangement) => arrangement,
        Kind::Turning => Arrangement::Beside,
    };
    if arrangement == Arrangement::Overlaid && input.named.len() > Scene::MOST {
        notes.push(format!("only the first {} landscapes are drawn", Scene::MOST));
    }
    let scenes = scenes(input.named, &|_| options.clone(), arrangement, true);
    let draw = move |style: &FigureStyle, progress: &mut dyn Progress| {
        // Of a turn every picture counts.
        let dpi = if matches!(kind, Kind::Turning) { 0.5 * style.dpi } else { style.dpi };
        let height_in = style.height_in.unwrap_or(0.75 * style.width_in);
        let size = [style.width_in, height_in].map(|inches| (inches * dpi).round() as u32);
        // Small pictures have small words and thin lines; these leave room for the box in a narrow picture, too.
        let part = f64::from(tiles(scenes.len(), size)[0].size[0]) / f64::from(size[0].max(1));
        let scale = (part * dpi / 72.0) as f32;
        let room = 72.0 * style.width_in.min(4.0 / 3.0 * height_in) / EMS;
        let font_size = (0.8 * style.tick_pt / part).min(room) as f32;
        let mut scenes = scenes.clone();
        scenes.iter_mut().for_each(|scene| scene.style.font_size = font_size);
        let look = Look { camera: Camera::default(), size, scale, family: style.family };
        match kind {
            Kind::Still(_) => png(&drawn(&Offscreen::new()?, &scenes, &look)?),
            Kind::Turning => turning(&scenes, &look, progress),
        }
    };
    Ok(Page::Picture(Box::new(draw), notes))
}

/// Checks that a record has what is to be drawn.
fn check(named: Named<'_>, options: &Options, notes: &mut Vec<String>) -> Result<(), String> {
    let name = named.name;
    let Outcome::Landscape(landscape) = &named.record.outcome else {
        return Err(format!(
            "{name} is not a landscape, and only a 2-D landscape is a surface; leave out --figure surface"
        ));
    };
    if landscape.y.is_none() {
        return Err(format!(
            "{name} is a 1-D landscape, and only a 2-D one is a surface; use --figure landscape"
        ));
    }
    let layers = layers(landscape, options.which);
    if layers.len() < if options.which == Which::Both { 2 } else { 1 } {
        return Err(format!("{name} does not have the values asked for; choose others with --which"));
    }
    let mut all = Vec::new();
    for (robust, grid) in layers {
        let values: Vec<_> = values(grid, options.quantity).iter().collect();
        note_gaps(notes, named, robust, &values, options);
        all.extend(values);
    }
    if !all.iter().flatten().any(|value| value.is_finite()) {
        return Err(format!("{name} has no values yet; the job was stopped before its first grid point"));
    }
    check_clip(all.into_iter().flatten(), options)
}

/// From where, how large and in which type scenes are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// From where all are seen.
    pub camera: Camera,
    /// Width and height of the whole in pixels.
    pub size: [u32; 2],
    /// Pixels per point.
    pub scale: f32,
    /// Typeface.
    pub family: FontFamily,
}

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Its upper left corner.
    pub corner: [u32; 2],
    /// Width and height.
    pub size: [u32; 2],
}

/// Places for so many pictures, row by row: nearly as wide as they like to be, all of one size.
pub fn tiles(count: usize, [width, height]: [u32; 2]) -> Vec<Tile> {
    let badness = |columns: usize| {
        let rows = count.div_ceil(columns);
        let aspect = (f64::from(width) / columns as f64) / (f64::from(height) / rows as f64);
        let empty = (columns * rows - count) as f64 / count as f64;
        (aspect / (4.0 / 3.0)).ln().abs() + 0.5 * empty
    };
    let columns = (1..=count.max(1)).min_by(|a, b| badness(*a).total_cmp(&badness(*b))).unwrap_or(1);
    let rows = count.max(1).div_ceil(columns);
    let size = [(width / columns as u32).max(1), (height / rows as u32).max(1)];
    let at = |number: usize| [(number % columns) as u32 * size[0], (number / columns) as u32 * size[1]];
    (0..count.max(1)).map(|number| Tile { corner: at(number), size }).collect()
}

/// Scenes beside each other.
///
/// # Errors
/// A side is too long, or the device is lost.
pub fn drawn(offscreen: &Offscreen, scenes: &[Scene], look: &Look) -> Result<RgbaImage> {
    let first = scenes.first().context("there is nothing to draw")?;
    let [width, height] = look.size;
    let background = match first.style.transparent_background {
        true => Rgba([0; 4]),
        false => {
            let [r, g, b] = first.style.theme.background().map(|v| (v * 255.0).round() as u8);
            Rgba([r, g, b, 255])
        }
    };
    let mut whole = RgbaImage::from_pixel(width, height, background);
    for (scene, tile) in scenes.iter().zip(tiles(scenes.len(), look.size)) {
        let [width, height] = tile.size;
        let view = SurfaceView {
            camera: look.camera,
            style: scene.style.clone(),
            ..SurfaceView::new(width, height, look.scale)
        };
        let image = offscreen.picture(&scene.surfaces, &view, look.family)?;
        whole.copy_from(&image, tile.corner[0], tile.corner[1])?;
    }
    Ok(whole)
}

/// A PNG file.
///
/// # Errors
/// The picture cannot be encoded.
pub fn png(image: &RgbaImage) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

/// An animated PNG file of scenes that turn around once, for ever.
///
/// # Errors
/// As [`drawn`]; or the user stops it.
pub fn turning(scenes: &[Scene], look: &Look, progress: &mut dyn Progress) -> Result<Vec<u8>> {
    let offscreen = Offscreen::new()?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, look.size[0], look.size[1]);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_animated(FRAMES, 0)?;
    encoder.set_frame_delay(1, PER_SECOND)?;
    let mut writer = encoder.write_header()?;
    let total = u64::from(FRAMES);
    progress.report(Event::Started { label: "turning".into(), done: 0, total }).map_err(Error::from)?;
    for frame in 0..FRAMES {
        let mut camera = look.camera;
        camera.azimuth += std::f32::consts::TAU * frame as f32 / FRAMES as f32;
        let image = drawn(&offscreen, scenes, &Look { camera, ..*look })?;
        writer.write_image_data(image.as_raw())?;
        progress.report(Event::Step { done: u64::from(frame) + 1, total }).map_err(Error::from)?;
    }
    writer.finish()?;
    Ok(bytes)
}
