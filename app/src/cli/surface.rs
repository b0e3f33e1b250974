//! `basin plot --figure surface`: a 2-D landscape as a picture in 3-D, drawn by wgpu without a window.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Result, bail};
use basin_core::files::write_atomically;
use basin_core::record::{Grid, LandscapeOutcome, Outcome};

use crate::gpu::{HeightScale, LayerStyle, Offscreen, SurfaceData, SurfaceStyle, SurfaceView};
use crate::plot::export::FigureStyle;
use crate::plot::landscape::{Named, Options, Quantity, Which, direction_label};

/// Draws one 2-D landscape; clean below robust if both are there and neither is singled out.
///
/// # Errors
/// The record is no 2-D landscape or lacks what is asked for, there is no graphics adapter, or the file
/// cannot be written.
pub fn write(named: Named<'_>, options: &Options, style: &FigureStyle, path: &Path) -> Result<()> {
    let name = named.name;
    let Outcome::Landscape(landscape) = &named.record.outcome else {
        bail!("{name} is not a landscape, and only a 2-D landscape is a surface; leave out --figure surface");
    };
    let Some(y) = &landscape.y else {
        bail!("{name} is a 1-D landscape, and only a 2-D one is a surface; use --figure landscape");
    };
    let grids = grids(landscape, options.which);
    if grids.is_empty() {
        bail!("{name} does not have the values asked for; choose others with --which");
    }
    let percent = options.quantity == Quantity::Error;
    let factor = if percent { 100.0 } else { 1.0 };
    let axis = |steps: &[f64]| steps.iter().map(|v| *v as f32).collect::<Vec<_>>();
    let surfaces: Vec<SurfaceData> = grids
        .iter()
        .map(|(_, grid)| {
            let values = if percent { &grid.error } else { &grid.loss };
            let height = values.iter().map(|v| v.map(|v| (v * factor) as f32)).collect();
            SurfaceData {
                x: axis(&landscape.x),
                y: axis(y),
                height,
                filling: !named.record.provenance.complete,
            }
        })
        .collect();
    if !surfaces.iter().any(|s| s.height.iter().flatten().any(|v| v.is_finite())) {
        bail!("{name} has no values yet; the job was stopped before its first grid point");
    }
    let scale = (style.dpi / 72.0) as f32;
    let height_in = style.height_in.unwrap_or(0.75 * style.width_in);
    let pixels = [style.width_in, height_in].map(|inches| (inches * style.dpi).round() as u32);
    let mut view = SurfaceView::new(pixels[0], pixels[1], scale);
    view.style = look(&named, options, style, &grids);
    let image = Offscreen::new()?.picture(&surfaces, &view, style.family)?;
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png)?;
    write_atomically(path, bytes.get_ref())?;
    Ok(())
}

/// The grids to draw with their names, the main one first.
fn grids(landscape: &LandscapeOutcome, which: Which) -> Vec<(&'static str, &Grid)> {
    let robust = landscape.robust.as_ref().filter(|_| which != Which::Clean).map(|grid| ("robust", grid));
    let clean = landscape.clean.as_ref().filter(|_| which != Which::Robust).map(|grid| ("clean", grid));
    robust.into_iter().chain(clean).collect()
}

fn look(named: &Named<'_>, options: &Options, style: &FigureStyle, grids: &[(&str, &Grid)]) -> SurfaceStyle {
    let two = grids.len() > 1;
    let main = LayerStyle {
        name: grids[0].0.into(),
        opacity: if two { 0.85 } else { 1.0 },
        ..LayerStyle::default()
    };
    let quantity = if options.quantity == Quantity::Error { "error (%)" } else { "loss" };
    let height = match (two, grids[0].0) {
        (true, _) => quantity.to_owned(),
        (false, which) => format!("{which} {quantity}"),
    };
    let factor = if options.quantity == Quantity::Error { 100.0 } else { 1.0 };
    let title = |number| direction_label(named.record, number).to_lowercase();
    SurfaceStyle {
        colormap: options.map,
        scale: if options.log { HeightScale::Log } else { HeightScale::Linear },
        clip: options.clip.map(|clip| (clip * factor) as f32),
        layers: vec![main, LayerStyle::second()],
        titles: [title(1), title(2), height],
        font_size: style.tick_pt as f32 * 0.8,
        ..SurfaceStyle::default()
    }
}
