//! `basin plot --figure surface`: a 2-D landscape as a picture in 3-D, drawn by wgpu without a window.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Error, Result, bail};
use basin_core::files::write_atomically;
use basin_core::record::Outcome;

use crate::gpu::{Offscreen, SurfaceStyle, SurfaceView};
use crate::plot::export::FigureStyle;
use crate::plot::landscape::{Named, Options, Which, check_clip, note_gaps, values};
use crate::plot::text;
use crate::surface::{self, layers};

/// A picture is at least so many font sizes wide.
const EMS: f64 = 30.0;

/// Draws one 2-D landscape; clean below robust if both are there and neither is singled out.
///
/// What the reader must know comes back.
///
/// # Errors
/// The record is no 2-D landscape or lacks what is asked for, there is no graphics adapter, or the file
/// cannot be written.
pub fn write(named: Named<'_>, options: &Options, style: &FigureStyle, path: &Path) -> Result<Vec<String>> {
    let name = text::plain(named.name);
    let Outcome::Landscape(landscape) = &named.record.outcome else {
        bail!("{name} is not a landscape, and only a 2-D landscape is a surface; leave out --figure surface");
    };
    if landscape.y.is_none() {
        bail!("{name} is a 1-D landscape, and only a 2-D one is a surface; use --figure landscape");
    }
    let layers = layers(landscape, options.which);
    if layers.len() < if options.which == Which::Both { 2 } else { 1 } {
        bail!("{name} does not have the values asked for; choose others with --which");
    }
    let mut notes = Vec::new();
    let mut all = Vec::new();
    for (robust, grid) in layers {
        let values: Vec<_> = values(grid, options.quantity).iter().collect();
        note_gaps(&mut notes, named, robust, &values, options);
        all.extend(values);
    }
    check_clip(all.into_iter().flatten(), options).map_err(Error::msg)?;
    let surfaces = surface::surfaces(named.record, options.quantity, options.which);
    if !surfaces.iter().any(|s| s.height.iter().flatten().any(|v| v.is_finite())) {
        bail!("{name} has no values yet; the job was stopped before its first grid point");
    }
    let scale = (style.dpi / 72.0) as f32;
    let height_in = style.height_in.unwrap_or(0.75 * style.width_in);
    let pixels = [style.width_in, height_in].map(|inches| (inches * style.dpi).round() as u32);
    let mut view = SurfaceView::new(pixels[0], pixels[1], scale);
    // Words and numbers leave room for the box in a narrow picture, too.
    let font_size = (0.8 * style.tick_pt).min(72.0 * style.width_in.min(4.0 / 3.0 * height_in) / EMS) as f32;
    view.style = SurfaceStyle { font_size, ..surface::style(named.record, options) };
    let image = Offscreen::new()?.picture(&surfaces, &view, style.family)?;
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png)?;
    write_atomically(path, bytes.get_ref())?;
    Ok(notes.iter().map(|note| text::plain(note)).collect())
}
