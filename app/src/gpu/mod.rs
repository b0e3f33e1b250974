//! Drawing loss surfaces with wgpu. Knows neither records nor panels; of the rest of the program it uses
//! what it shares with flat figures: colour maps, ticks and type of [`crate::plot`].
//!
//! Numbers come in as a [`SurfaceData`], are uploaded once as a [`Surface`], and are drawn by the one
//! [`SurfaceRenderer`] as a [`SurfaceView`] says: camera, style and size. The same call feeds the window,
//! exported pictures and tests.
//!
//! ```text
//! SurfaceData ─┬─► Surface (GPU) ──────────┐
//!              └─► Frame (data to world) ──┼─► SurfaceRenderer ─► Target (texture) ─► window | image
//! Camera, SurfaceStyle ─► SurfaceView ─────┘
//!                              └─► labels, colour bar (pure) ─► egui text | SVG overlay
//! ```
//!
//! World space: the data box spans -1..1 along x and y, z points up, the box's centre is the origin.

mod axes;
mod camera;
mod color_bar;
mod data;
mod frame;
mod mesh;
mod offscreen;
mod overlay;
mod pick;
mod pipelines;
mod renderer;
mod style;
mod surface;
mod target;
mod uniforms;
mod view;

pub use crate::plot::colormap::ColorMap;
pub use crate::plot::export::FontFamily;
pub use axes::{Anchor, Label, LabelKind};
pub use camera::{Camera, Projection, Ray, Viewport};
pub use color_bar::{ColorBar, Legend, LegendEntry};
pub use data::{Extent, SurfaceData};
pub use frame::Frame;
pub use offscreen::Offscreen;
pub use pick::{Pick, pick};
pub use pipelines::{LINES_WGSL, SURFACE_WGSL};
pub use renderer::SurfaceRenderer;
pub use style::{Contours, Fill, HeightScale, LayerStyle, SurfaceStyle, Theme};
pub use surface::Surface;
pub use target::{COLOR_FORMAT, Target};
pub use view::{Room, SurfaceView};
