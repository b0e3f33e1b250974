//! Plot to file: SVG, PDF, PNG, LaTeX and CSV, all from the same laid-out drawing.
//!
//! `plot -> layout -> scene -> writer`. Text stays text everywhere but in PNG; PDF and SVG carry their fonts.

mod caption;
mod color_bar;
mod contour_labels;
mod csv;
mod draw;
mod fit;
mod fonts;
mod layout;
mod legend;
mod notes;
mod page;
mod palette;
mod panels;
mod point_labels;
mod sample;
mod scene;
mod style;
mod svg;
mod table;
mod tikz;
mod transform;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result, bail};
use pdf_writer::{Content, Finish as _, Name, Pdf, Ref, TextStr};
use resvg::{tiny_skia, usvg};

pub use csv::csv;
pub(crate) use csv::{column, head};
pub(crate) use fonts::width;
pub use notes::{notes, notes_of};
pub use scene::{Anchor, Rect, Scene, Stroke, Text};
pub use style::{FigureStyle, FontFamily, Palette, Preset, parse_length};
pub(crate) use svg::{escape, families, font_faces, svg_inside, write_text};

use super::Plot;

/// What a figure file can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Vector graphics with fonts inside.
    Svg,
    /// Vector graphics with fonts inside.
    Pdf,
    /// Pixels.
    Png,
    /// LaTeX with TikZ.
    Tex,
    /// The numbers.
    Csv,
}

impl FileKind {
    /// The kind a file name asks for.
    ///
    /// # Errors
    /// Another ending, or none.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
        Ok(match ending.as_str() {
            "svg" => Self::Svg,
            "pdf" => Self::Pdf,
            "png" => Self::Png,
            "tex" => Self::Tex,
            "csv" => Self::Csv,
            _ => bail!(
                "{}: cannot tell what kind of figure to write; end the name with .svg, .pdf, .png, .tex or .csv (or, for a \
                 landscape itself, with .obj, .ply, .stl, .vtp, .gltf, .glb, .npz or .h5)",
                path.display()
            ),
        })
    }
}

/// Width of a label in points.
pub fn text_width(label: &str, family: FontFamily, size: f64) -> f64 {
    fonts::width(label, family, false, size)
}

/// Words in lines of at most `width` points.
pub fn wrapped(label: &str, family: FontFamily, bold: bool, size: f64, width: f64) -> Vec<String> {
    fit::filled(label, fit::Type { family, bold, size, steps: &[(1.0, 1)] }, width)
}

/// The plot laid out on paper.
pub fn scene(plot: &Plot, style: &FigureStyle) -> Scene {
    draw::scene(plot, style)
}

/// The plot as an SVG document with its fonts inside.
pub fn to_svg(plot: &Plot, style: &FigureStyle) -> String {
    svg_of(&scene(plot, style))
}

/// A scene as an SVG document with its fonts inside.
pub fn svg_of(scene: &Scene) -> String {
    svg::svg(scene, svg::Embed::Fonts)
}

/// The plot as a LaTeX document.
pub fn to_tex(plot: &Plot, style: &FigureStyle) -> String {
    tikz::tex(&scene(plot, style))
}

/// The plot as a PDF page with text as text.
///
/// # Errors
/// The drawing cannot be converted: a bug, not something a user can cause.
pub fn to_pdf(plot: &Plot, style: &FigureStyle) -> Result<Vec<u8>> {
    pdf_of(&scene(plot, style))
}

/// A scene as a PDF page with text as text.
///
/// # Errors
/// The drawing cannot be converted: a bug, not something a user can cause.
pub fn pdf_of(scene: &Scene) -> Result<Vec<u8>> {
    let tree = tree(scene)?;
    let page = svg2pdf::PageOptions { dpi: 96.0 };
    svg2pdf::to_pdf(&tree, svg2pdf::ConversionOptions::default(), page)
        .map_err(|e| anyhow::anyhow!("cannot make a PDF of this figure ({e}); try .svg"))
}

/// Pages of one size as a PDF file with text as text.
///
/// # Errors
/// A drawing cannot be converted: a bug, not something a user can cause.
pub fn pdf_of_pages(scenes: &[Scene]) -> Result<Vec<u8>> {
    let mut next = Ref::new(1);
    let mut pdf = Pdf::new();
    let (catalog, tree_of_pages) = (next.bump(), next.bump());
    let mut kids = Vec::new();
    for scene in scenes {
        let options = svg2pdf::ConversionOptions::default();
        let (chunk, drawing) = svg2pdf::to_chunk(&tree(scene)?, options)
            .map_err(|e| anyhow::anyhow!("cannot make a PDF of this page ({e}); try .html"))?;
        let mut new = HashMap::new();
        let chunk = chunk.renumber(|old| *new.entry(old).or_insert_with(|| next.bump()));
        let (page, content) = (next.bump(), next.bump());
        let (width, height) = (scene.width as f32, scene.height as f32);
        let mut of_page = pdf.page(page);
        of_page.parent(tree_of_pages).contents(content);
        of_page.media_box(pdf_writer::Rect::new(0.0, 0.0, width, height));
        of_page.resources().x_objects().pair(Name(b"P"), new[&drawing]);
        of_page.finish();
        let mut drawn = Content::new();
        // The drawing is one unit wide and high.
        drawn.transform([width, 0.0, 0.0, height, 0.0, 0.0]).x_object(Name(b"P"));
        pdf.stream(content, &drawn.finish());
        pdf.extend(&chunk);
        kids.push(page);
    }
    pdf.catalog(catalog).pages(tree_of_pages);
    pdf.pages(tree_of_pages).count(kids.len() as i32).kids(kids);
    if let Some(first) = scenes.first() {
        pdf.document_info(next.bump()).title(TextStr(&first.title));
    }
    Ok(pdf.finish())
}

/// The plot as a PNG image at the style's resolution.
///
/// # Errors
/// The image would be larger than 20000 pixels on a side.
pub fn to_png(plot: &Plot, style: &FigureStyle) -> Result<Vec<u8>> {
    png_of(&scene(plot, style), style.dpi)
}

/// A scene as a PNG image of so many pixels per inch.
///
/// # Errors
/// The image would be larger than 20000 pixels on a side.
pub fn png_of(scene: &Scene, dpi: f64) -> Result<Vec<u8>> {
    let scale = dpi / 72.0;
    let (width, height) = ((scene.width * scale).round(), (scene.height * scale).round());
    if !(1.0..=20_000.0).contains(&width) || !(1.0..=20_000.0).contains(&height) {
        bail!(
            "a figure of {width:.0} x {height:.0} pixels is not possible; use at most 20000 a side, with a lower --dpi"
        );
    }
    let mut pixels =
        tiny_skia::Pixmap::new(width as u32, height as u32).context("not enough memory for the image")?;
    let tree = tree(scene)?;
    let size = tree.size();
    let fit = tiny_skia::Transform::from_scale(width as f32 / size.width(), height as f32 / size.height());
    resvg::render(&tree, fit, &mut pixels.as_mut());
    Ok(with_resolution(&pixels.encode_png()?, dpi))
}

/// Adds the resolution (a `pHYs` chunk) after the header of a PNG, so that programs know the printed size.
fn with_resolution(png: &[u8], dpi: f64) -> Vec<u8> {
    const HEADER: usize = 8 + 25;
    let per_metre = ((dpi / 0.0254).round() as u32).to_be_bytes();
    let mut chunk = b"pHYs".to_vec();
    chunk.extend(per_metre);
    chunk.extend(per_metre);
    chunk.push(1);
    let crc = !chunk.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 })
    });
    let mut out = png[..HEADER].to_vec();
    out.extend(9u32.to_be_bytes());
    out.extend(chunk);
    out.extend(crc.to_be_bytes());
    out.extend(&png[HEADER..]);
    out
}

/// The scene for our own renderers.
fn tree(scene: &Scene) -> Result<usvg::Tree> {
    Ok(usvg::Tree::from_str(&svg::svg(scene, svg::Embed::Nothing), &options(scene))?)
}

fn options(scene: &Scene) -> usvg::Options<'static> {
    svg_options(scene.texts().map(|text| text.label.as_str()), scene.family)
}

/// How our own renderers read an SVG document: with the bundled fonts, and the system's for letters of these
/// labels that the bundled ones lack.
pub(crate) fn svg_options<'a>(
    labels: impl IntoIterator<Item = &'a str>,
    family: FontFamily,
) -> usvg::Options<'static> {
    static BUNDLED: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    let bundled = BUNDLED.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        for face in fonts::Face::ALL {
            fonts.load_font_data(face.data().to_vec());
        }
        Arc::new(fonts)
    });
    let mut options = usvg::Options { fontdb: bundled.clone(), ..usvg::Options::default() };
    if labels.into_iter().any(|label| fonts::lacking(label, family).next().is_some()) {
        options.fontdb_mut().load_system_fonts();
    }
    options
}

/// The bytes of a figure file of one kind.
///
/// # Errors
/// See [`pdf_of`] and [`png_of`].
pub fn to_bytes(plot: &Plot, style: &FigureStyle, kind: FileKind) -> Result<Vec<u8>> {
    if kind == FileKind::Csv {
        Ok(csv(plot).into_bytes())
    } else {
        bytes_of(&scene(plot, style), style, kind)
    }
}

/// The same of a scene, which has no numbers.
fn bytes_of(scene: &Scene, style: &FigureStyle, kind: FileKind) -> Result<Vec<u8>> {
    Ok(match kind {
        FileKind::Svg => svg_of(scene).into_bytes(),
        FileKind::Pdf => pdf_of(scene)?,
        FileKind::Png => png_of(scene, style.dpi)?,
        FileKind::Tex => tikz::tex(scene).into_bytes(),
        FileKind::Csv => Vec::new(),
    })
}

/// Writes a figure; the ending of the name says what kind. Never leaves half a file. What the user must know about how
/// its words came out comes back, see [`notes`].
///
/// # Errors
/// Unknown ending, or the file cannot be written.
pub fn write(plot: &Plot, style: &FigureStyle, path: &Path) -> Result<Vec<String>> {
    let kind = FileKind::of(path)?;
    let bytes = to_bytes(plot, style, kind)?;
    basin_core::files::write_atomically(path, &bytes)?;
    Ok(notes(plot, style, kind))
}
