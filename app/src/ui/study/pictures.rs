//! Thumbnails of landscapes: maps as small textures, curves as lines.

use std::collections::HashMap;

use basin_core::study::Thumbnail;
use eframe::egui::{
    Color32, ColorImage, Context, Pos2, Rect, Shape, Stroke, TextureHandle, TextureOptions, Ui, pos2,
};

use crate::plot::colormap::ColorMap;
use crate::ui::widgets::palette;

/// Textures that are kept; more are made again when they are seen.
const KEPT: usize = 512;

/// Textures of maps, made when they are first seen.
#[derive(Default)]
pub(crate) struct Pictures {
    textures: HashMap<(String, [u32; 2]), TextureHandle>,
}

impl Pictures {
    /// Draws a thumbnail in a rectangle, its colours or heights over a range of losses.
    pub fn paint(&mut self, ui: &Ui, rect: Rect, name: &str, thumbnail: &Thumbnail, range: [f32; 2]) {
        if thumbnail.height == 1 {
            return curve(ui, rect, thumbnail, range);
        }
        let key = (name.to_owned(), range.map(f32::to_bits));
        if self.textures.len() > KEPT && !self.textures.contains_key(&key) {
            self.textures.clear();
        }
        let texture = self.textures.entry(key).or_insert_with(|| texture(ui.ctx(), name, thumbnail, range));
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().image(texture.id(), rect, whole, Color32::WHITE);
    }
}

/// Where a loss lies in a range, 0 to 1.
fn share(loss: f32, [low, high]: [f32; 2]) -> f32 {
    if high > low { ((loss - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 }
}

fn texture(ctx: &Context, name: &str, thumbnail: &Thumbnail, range: [f32; 2]) -> TextureHandle {
    // As charts draw them, y grows upwards.
    let rows = (0..thumbnail.height).rev();
    let points = rows.flat_map(|y| (0..thumbnail.width).map(move |x| (x, y)));
    let color = |(x, y): (usize, usize)| match thumbnail.loss(x, y) {
        Some(loss) => {
            let color = ColorMap::Viridis.at(f64::from(share(loss, range)));
            Color32::from_rgb(color.r, color.g, color.b)
        }
        None => Color32::TRANSPARENT,
    };
    let pixels = points.map(color).collect();
    let image = ColorImage::new([thumbnail.width, thumbnail.height], pixels);
    ctx.load_texture(format!("thumbnail of {name}"), image, TextureOptions::LINEAR)
}

fn curve(ui: &Ui, rect: Rect, thumbnail: &Thumbnail, range: [f32; 2]) {
    let inner = rect.shrink(2.0);
    let last = thumbnail.width.saturating_sub(1).max(1) as f32;
    let point = |x: usize| -> Option<Pos2> {
        let height = share(thumbnail.loss(x, 0)?, range);
        Some(pos2(inner.left() + inner.width() * x as f32 / last, inner.bottom() - inner.height() * height))
    };
    let points: Vec<Option<Pos2>> = (0..thumbnail.width).map(point).collect();
    for piece in points.split(Option::is_none).filter(|piece| piece.len() > 1) {
        let piece: Vec<Pos2> = piece.iter().flatten().copied().collect();
        ui.painter().add(Shape::line(piece, Stroke::new(1.5, palette(ui).accent)));
    }
}
