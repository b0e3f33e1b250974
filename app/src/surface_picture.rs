//! `basin plot --figure surface`: a 2-D landscape as a picture in 3-D, drawn by wgpu without a window.

use std::io::Cursor;

use basin_core::record::Outcome;

use crate::gpu::{Offscreen, SurfaceStyle, SurfaceView};
use crate::plot::export::FigureStyle;
use crate::plot::figure::{Drawn, Figure, Named, Options, Page, Takes, Which};
use crate::plot::landscape::{check_clip, is_landscape, note_gaps, values};
use crate::surface::{self, layers};

/// A surface in 3-D.
pub const FIGURE: Figure = Figure {
    name: "surface",
    help: "A 2-D landscape as a surface in 3-D (PNG)",
    takes: Takes::Records(is_landscape),
    is_usual: false,
    ignores: |_| ("a surface", &["--title", "--no-grid"]),
    draw: |input| picture(input.only("a surface figure")?, input.options).map(Drawn::from),
};

/// A picture is at least so many font sizes wide.
const EMS: f64 = 30.0;

/// Draws one 2-D landscape; clean below robust if both are there and neither is singled out.
fn picture(named: Named<'_>, options: &Options) -> Result<Page, String> {
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
    let mut notes = Vec::new();
    let mut all = Vec::new();
    for (robust, grid) in layers {
        let values: Vec<_> = values(grid, options.quantity).iter().collect();
        note_gaps(&mut notes, named, robust, &values, options);
        all.extend(values);
    }
    check_clip(all.into_iter().flatten(), options)?;
    let surfaces = surface::surfaces(named.record, options.quantity, options.which);
    if !surfaces.iter().any(|s| s.height.iter().flatten().any(|v| v.is_finite())) {
        return Err(format!("{name} has no values yet; the job was stopped before its first grid point"));
    }
    let look = surface::style(named.record, options);
    let draw = move |style: &FigureStyle| {
        let scale = (style.dpi / 72.0) as f32;
        let height_in = style.height_in.unwrap_or(0.75 * style.width_in);
        let pixels = [style.width_in, height_in].map(|inches| (inches * style.dpi).round() as u32);
        let mut view = SurfaceView::new(pixels[0], pixels[1], scale);
        // Words and numbers leave room for the box in a narrow picture, too.
        let font_size =
            (0.8 * style.tick_pt).min(72.0 * style.width_in.min(4.0 / 3.0 * height_in) / EMS) as f32;
        view.style = SurfaceStyle { font_size, ..look.clone() };
        let image = Offscreen::new()?.picture(&surfaces, &view, style.family)?;
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Png)?;
        Ok(bytes.into_inner())
    };
    Ok(Page::Picture(Box::new(draw), notes))
}
