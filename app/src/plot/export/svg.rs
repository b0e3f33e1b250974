//! Scene to SVG: text stays text, in fonts that travel inside the file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::prelude::*;

use super::fonts::{Face, SCRIPT_SIZE, runs};
use super::scene::{Anchor, Outline, Rect, Scene, Shape, Stroke, Text};
use super::style::FontFamily;
use crate::plot::text::Script;
use crate::plot::{Color, Dash};

/// Whether the fonts are put into the file (for browsers) or left to a font database (for our own rendering).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Embed {
    /// Put into the file.
    Fonts,
    /// Left out.
    Nothing,
}

/// The scene as an SVG document.
pub fn svg(scene: &Scene, embed: Embed) -> String {
    written(scene, embed, "")
}

/// The scene as an SVG element of an HTML document, which has the fonts; names in it begin with `prefix`.
pub fn svg_inside(scene: &Scene, prefix: &str) -> String {
    written(scene, Embed::Nothing, prefix)
}

fn written(scene: &Scene, embed: Embed, prefix: &str) -> String {
    let mut out = String::new();
    let (w, h) = (scene.width, scene.height);
    let _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{}in" height="{}in" viewBox="0 0 {} {}" font-family="{}">"#,
        num(w / 72.0),
        num(h / 72.0),
        num(w),
        num(h),
        families(scene.family)
    );
    let _ = writeln!(out, "<title>{}</title>", escape(&scene.title));
    if !scene.description.is_empty() {
        let _ = writeln!(out, "<desc>{}</desc>", escape(&scene.description.join("\n")));
    }
    if embed == Embed::Fonts {
        let _ = writeln!(out, "<style>\n{}</style>", font_faces([scene]));
    }
    let frames = frames(scene);
    for (number, Rect { left, top, width, height }) in frames.iter().enumerate() {
        let _ = writeln!(
            out,
            r#"<clipPath id="{prefix}{}"><rect x="{}" y="{}" width="{}" height="{}"/></clipPath>"#,
            frame_id(number),
            num(*left),
            num(*top),
            num(*width),
            num(*height)
        );
    }
    let _ = writeln!(out, r#"<rect width="{}" height="{}" fill="white"/>"#, num(w), num(h));
    write_shapes(&mut out, &scene.shapes, scene.family, &frames, prefix);
    out.push_str("</svg>\n");
    out
}

/// The frames at which shapes end, each once.
fn frames(scene: &Scene) -> Vec<Rect> {
    let mut frames = Vec::new();
    for shape in &scene.shapes {
        if let Shape::Path { clip: Some(clip), .. } = shape
            && !frames.contains(clip)
        {
            frames.push(*clip);
        }
    }
    frames
}

/// `frame`, `frame-2`, …
fn frame_id(number: usize) -> String {
    if number == 0 { "frame".to_owned() } else { format!("frame-{}", number + 1) }
}

/// Writes shapes; those that follow each other and look alike share their looks.
fn write_shapes(out: &mut String, shapes: &[Shape], family: FontFamily, frames: &[Rect], prefix: &str) {
    let looks: Vec<Option<String>> = shapes.iter().map(|shape| looks(shape, frames, prefix)).collect();
    let mut at = 0;
    while at < shapes.len() {
        let alike = looks[at..].iter().take_while(|other| other.is_some() && **other == looks[at]).count();
        match (&looks[at], &shapes[at]) {
            (Some(looks), Shape::Path { outlines, .. }) if alike == 1 => {
                let _ = writeln!(out, r#"<path d="{}"{looks}/>"#, path_data(outlines));
            }
            (Some(looks), _) => {
                let _ = writeln!(out, "<g{looks}>");
                shapes[at..at + alike].iter().for_each(|shape| write_plain(out, shape));
                out.push_str("</g>\n");
            }
            (None, Shape::Text(text)) => write_text(out, text, family),
            (None, _) => {}
        }
        at += alike.max(1);
    }
}

/// Attributes of how a shape looks; none of words.
fn looks(shape: &Shape, frames: &[Rect], prefix: &str) -> Option<String> {
    let mut out = String::new();
    match shape {
        Shape::Path { fill, stroke, clip, .. } => {
            match fill {
                Some(fill) => {
                    paint(&mut out, "fill", *fill);
                    out.push_str(r#" fill-rule="evenodd""#);
                }
                None => out.push_str(r#" fill="none""#),
            }
            write_stroke(&mut out, stroke.as_ref());
            let frame = clip.and_then(|clip| frames.iter().position(|frame| *frame == clip));
            if let Some(number) = frame {
                let _ = write!(out, r#" clip-path="url(#{prefix}{})""#, frame_id(number));
            }
        }
        Shape::Discs { fill, stroke, .. } => {
            paint(&mut out, "fill", *fill);
            write_stroke(&mut out, stroke.as_ref());
        }
        Shape::Text(_) => return None,
    }
    Some(out)
}

/// Writes where a shape is.
fn write_plain(out: &mut String, shape: &Shape) {
    match shape {
        Shape::Path { outlines, .. } => {
            let _ = writeln!(out, r#"<path d="{}"/>"#, path_data(outlines));
        }
        Shape::Discs { centres, radius, .. } => {
            for [x, y] in centres {
                let _ = writeln!(out, r#"<circle cx="{}" cy="{}" r="{}"/>"#, num(*x), num(*y), num(*radius));
            }
        }
        Shape::Text(_) => {}
    }
}

fn write_stroke(out: &mut String, stroke: Option<&Stroke>) {
    let Some(stroke) = stroke else { return };
    paint(out, "stroke", stroke.color);
    let _ = write!(out, r#" stroke-width="{}" stroke-linejoin="round""#, num(stroke.width));
    let w = stroke.width;
    match stroke.dash {
        Dash::Solid => {}
        Dash::Dashed => {
            let _ = write!(out, r#" stroke-dasharray="{} {}""#, num(3.5 * w), num(2.0 * w));
        }
        Dash::Dotted => {
            let _ = write!(out, r#" stroke-dasharray="0 {}" stroke-linecap="round""#, num(2.0 * w));
        }
    }
}

fn paint(out: &mut String, what: &str, color: Color) {
    let _ = write!(out, r#" {what}="{}""#, color.to_hex());
    if color.a < 255 {
        let _ = write!(out, r#" {what}-opacity="{}""#, num(color.alpha()));
    }
}

/// Writes words as one `<text>` element.
pub fn write_text(out: &mut String, text: &Text, family: FontFamily) {
    let of_scene = family;
    let family = text.family.unwrap_or(of_scene);
    let [x, y] = text.at;
    let _ = write!(out, r#"<text x="{}" y="{}" font-size="{}""#, num(x), num(y), num(text.size));
    match text.anchor {
        Anchor::Start => {}
        Anchor::Middle => out.push_str(r#" text-anchor="middle""#),
        Anchor::End => out.push_str(r#" text-anchor="end""#),
    }
    if text.bold {
        out.push_str(r#" font-weight="bold""#);
    }
    if family != of_scene {
        let _ = write!(out, r#" font-family="{}""#, families(family));
    }
    if text.color != Color::BLACK {
        paint(out, "fill", text.color);
    }
    if text.angle != 0.0 {
        let _ = write!(out, r#" transform="rotate({} {} {})""#, num(-text.angle), num(x), num(y));
    }
    out.push('>');
    let mut raised = 0.0;
    for run in runs(&text.label, family, text.bold) {
        let shift = match run.script {
            Script::Normal => 0.0,
            Script::Super => 0.38 * text.size,
            Script::Sub => -0.18 * text.size,
        };
        let plain =
            run.script == Script::Normal && shift == raised && !run.face.italic() && run.face != Face::Math;
        if plain {
            out.push_str(&escape(&run.text));
            continue;
        }
        out.push_str("<tspan");
        if run.face == Face::Math {
            out.push_str(r#" font-family="'Basin Math', 'Latin Modern Math', 'STIX Two Math', serif""#);
        }
        if run.face.italic() {
            out.push_str(r#" font-style="italic""#);
        }
        if text.bold && !run.face.bold() {
            out.push_str(r#" font-weight="normal""#);
        }
        if run.script != Script::Normal {
            let _ = write!(out, r#" font-size="{}""#, num(text.size * SCRIPT_SIZE));
        }
        if shift != raised {
            let _ = write!(out, r#" dy="{}""#, num(raised - shift));
            raised = shift;
        }
        let _ = write!(out, ">{}</tspan>", escape(&run.text));
    }
    out.push_str("</text>\n");
}

/// Path data with two decimals, a hundredth of a point.
fn path_data(outlines: &[Outline]) -> String {
    let mut out = String::new();
    for outline in outlines {
        for (i, [x, y]) in outline.points.iter().enumerate() {
            out.push(if i == 0 { 'M' } else { 'L' });
            let _ = write!(out, "{} {}", num(*x), num(*y));
        }
        if outline.closed {
            out.push('Z');
        }
    }
    out
}

/// At most three decimals, none that are not needed.
fn num(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The families a typeface may be found under, for `font-family`.
pub fn families(family: FontFamily) -> &'static str {
    match family {
        FontFamily::Serif => {
            "'Basin Serif', 'Latin Modern Roman', 'LM Roman 10', 'CMU Serif', 'Times New Roman', serif"
        }
        FontFamily::Sans => "'Basin Sans', 'TeX Gyre Heros', Helvetica, Arial, sans-serif",
    }
}

/// `@font-face` rules for the fonts that scenes use.
pub fn font_faces<'a>(scenes: impl IntoIterator<Item = &'a Scene>) -> String {
    let of = |scene: &'a Scene| {
        scene.texts().flat_map(|text| runs(&text.label, text.family.unwrap_or(scene.family), text.bold))
    };
    let faces: BTreeSet<Face> = scenes.into_iter().flat_map(of).map(|run| run.face).collect();
    let mut out = String::new();
    for face in faces {
        let _ = writeln!(
            out,
            "@font-face{{font-family:\"{}\";font-weight:{};font-style:{};src:url(data:font/otf;base64,{})}}",
            face.family(),
            if face.bold() { "bold" } else { "normal" },
            if face.italic() { "italic" } else { "normal" },
            BASE64_STANDARD.encode(face.data())
        );
    }
    out
}

/// Text for XML: markup escaped, control characters left out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && c != '\n' => {}
            c => out.push(c),
        }
    }
    out
}
