//! Scene to a LaTeX document with TikZ: the same drawing, with the text in the fonts of the document.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::scene::{Anchor, Outline, Scene, Shape, Stroke, Text};
use super::style::FontFamily;
use crate::plot::{Color, Dash, text};

/// A document that compiles by itself; its `tikzpicture` can be moved into a paper.
pub fn tex(scene: &Scene) -> String {
    let mut out = String::new();
    for line in std::iter::once(&scene.title).chain(&scene.description) {
        let _ = writeln!(out, "% {line}");
    }
    out.push_str(
        "\\documentclass[tikz,border=0pt]{standalone}\n\\usepackage[T1]{fontenc}\n\\usepackage{textcomp}\n\\usepackage{lmodern}\n\\usepackage{amssymb}\n",
    );
    if scene.family == FontFamily::Sans {
        out.push_str("\\usepackage{tgheros}\n\\renewcommand{\\familydefault}{\\sfdefault}\n");
    }
    // So that it compiles all the same; engines for Unicode take them as they are.
    let unknown: BTreeSet<char> = scene.texts().flat_map(|t| text::unknown_to_latex(&t.label)).collect();
    for c in unknown {
        let _ = writeln!(
            out,
            "\\ifdefined\\DeclareUnicodeCharacter\\DeclareUnicodeCharacter{{{:04X}}}{{?}}\\fi % {c}",
            c as u32
        );
    }
    out.push_str("\\begin{document}\n");
    // TikZ counts y upwards; 1 bp is the point of PDF and of this scene.
    out.push_str("\\begin{tikzpicture}[x=1bp,y=-1bp,line join=round,inner sep=0pt]\n");
    let mut colors = Vec::new();
    let mut body = String::new();
    for shape in &scene.shapes {
        write_shape(&mut body, shape, &mut colors);
    }
    for color in colors {
        let _ =
            writeln!(out, "\\definecolor{{{}}}{{RGB}}{{{},{},{}}}", name(color), color.r, color.g, color.b);
    }
    let _ = writeln!(out, "\\useasboundingbox (0,0) rectangle ({:.2},{:.2});", scene.width, scene.height);
    out.push_str(&body);
    out.push_str("\\end{tikzpicture}\n\\end{document}\n");
    out
}

fn write_shape(out: &mut String, shape: &Shape, colors: &mut Vec<Color>) {
    match shape {
        Shape::Path { outlines, fill, stroke, clip } => {
            let mut options = Vec::new();
            if let Some(fill) = fill {
                options.push(format!("fill={}", use_color(*fill, colors)));
                options.push("even odd rule".to_owned());
                if fill.a < 255 {
                    options.push(format!("fill opacity={:.2}", fill.alpha()));
                }
            }
            options.extend(stroke.iter().flat_map(|s| stroke_options(s, colors)));
            let path = format!("\\path[{}]{};", options.join(","), path_data(outlines));
            if let Some(f) = clip {
                let (l, t, r, b) = (f.left, f.top, f.right(), f.bottom());
                let _ = writeln!(
                    out,
                    "\\begin{{scope}}\\clip ({l:.2},{t:.2}) rectangle ({r:.2},{b:.2});{path}\\end{{scope}}"
                );
            } else {
                let _ = writeln!(out, "{path}");
            }
        }
        Shape::Discs { centres, radius, fill, stroke } => {
            let mut options = vec![format!("fill={}", use_color(*fill, colors))];
            options.extend(stroke.iter().flat_map(|s| stroke_options(s, colors)));
            let _ = write!(out, "\\path[{}]", options.join(","));
            for [x, y] in centres {
                let _ = write!(out, " ({x:.2},{y:.2}) circle[radius={radius:.2}bp]");
            }
            out.push_str(";\n");
        }
        Shape::Text(text) => write_text(out, text, colors),
    }
}

fn write_text(out: &mut String, label: &Text, colors: &mut Vec<Color>) {
    let anchor = match label.anchor {
        Anchor::Start => "base west",
        Anchor::Middle => "base",
        Anchor::End => "base east",
    };
    let mut options = vec![format!("anchor={anchor}")];
    if label.angle != 0.0 {
        options.push(format!("rotate={:.1}", label.angle));
    }
    if label.color != Color::BLACK {
        options.push(format!("text={}", use_color(label.color, colors)));
    }
    let [x, y] = label.at;
    let bold = if label.bold { "\\bfseries" } else { "" };
    let _ = writeln!(
        out,
        "\\node[{}] at ({x:.2},{y:.2}) {{\\fontsize{{{:.1}}}{{{:.1}}}\\selectfont{bold} {}}};",
        options.join(","),
        label.size,
        1.2 * label.size,
        text::latex(&label.label)
    );
}

fn stroke_options(stroke: &Stroke, colors: &mut Vec<Color>) -> Vec<String> {
    let mut options = vec![
        format!("draw={}", use_color(stroke.color, colors)),
        format!("line width={:.2}bp", stroke.width),
    ];
    if stroke.color.a < 255 {
        options.push(format!("draw opacity={:.2}", stroke.color.alpha()));
    }
    let w = stroke.width;
    match stroke.dash {
        Dash::Solid => {}
        Dash::Dashed => options.push(format!("dash pattern=on {:.2}bp off {:.2}bp", 3.5 * w, 2.0 * w)),
        Dash::Dotted => options.push(format!("line cap=round,dash pattern=on 0bp off {:.2}bp", 2.0 * w)),
    }
    options
}

fn path_data(outlines: &[Outline]) -> String {
    let mut out = String::new();
    for outline in outlines {
        for (i, [x, y]) in outline.points.iter().enumerate() {
            let _ = write!(out, "{}({x:.2},{y:.2})", if i == 0 { " " } else { "--" });
        }
        if outline.closed {
            out.push_str("--cycle");
        }
    }
    out
}

fn use_color(color: Color, colors: &mut Vec<Color>) -> String {
    let opaque = color.with_alpha(1.0);
    if !colors.contains(&opaque) {
        colors.push(opaque);
    }
    name(opaque)
}

fn name(color: Color) -> String {
    format!("c{:02x}{:02x}{:02x}", color.r, color.g, color.b)
}
