//! A report as one HTML file: figures are drawings inside of it, fonts included.

use std::fmt::Write as _;

use super::{Block, Document, Table};
use crate::plot::export::{FigureStyle, Scene, escape, font_faces, svg_inside};

/// Few rules, that print well.
const STYLE: &str = "
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff;
  font: 15px/1.5 system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid #ddd; }
.about { color: #666; margin: 0; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; width: 100%; }
thead th { border-top: 1.5px solid #1a1a1a; border-bottom: 1px solid #1a1a1a; text-align: left; font-weight: 600;
  vertical-align: bottom; }
tbody tr:last-child td { border-bottom: 1.5px solid #1a1a1a; }
th, td { padding: .18rem .5rem .18rem 0; }
th.n, td.n { text-align: right; }
figure { margin: 1.4rem 0; }
figure svg, figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { color: #444; font-size: .88rem; margin-top: .5rem; }
pre { background: #f5f5f5; padding: .5rem .7rem; border-radius: 4px; font-size: .82rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
.warning { border-left: 3px solid #d55e00; padding-left: .7rem; }
@media print { body { max-width: none; margin: 0; font-size: 10pt; } figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; } .scroll { overflow: visible; } a { color: inherit; } }
";

/// The document as HTML.
pub fn html(document: &Document, style: &FigureStyle) -> String {
    let scenes: Vec<Option<Scene>> = document
        .blocks
        .iter()
        .map(|block| match block {
            Block::Figure(figure) => figure.scene(style),
            _ => None,
        })
        .collect();
    let title = escape(&document.title);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{STYLE}{}</style>\n</head>\n\
         <body>\n<h1>{title}</h1>\n",
        font_faces(scenes.iter().flatten())
    );
    for line in &document.about {
        let _ = writeln!(out, "<p class=\"about\">{}</p>", escape(line));
    }
    for (number, (block, scene)) in document.blocks.iter().zip(&scenes).enumerate() {
        match block {
            Block::Heading(words) => element(&mut out, "h2", words),
            Block::Text(words) => element(&mut out, "p", words),
            Block::Command(words) => element(&mut out, "pre", words),
            Block::Warning(words) => {
                let _ = writeln!(out, "<p class=\"warning\">{}</p>", escape(words));
            }
            Block::List(sentences) => {
                out.push_str("<ul>\n");
                sentences.iter().for_each(|words| element(&mut out, "li", words));
                out.push_str("</ul>\n");
            }
            Block::Table(table) => write_table(&mut out, table),
            Block::Figure(figure) => {
                out.push_str("<figure>\n");
                if let Some(scene) = scene {
                    out.push_str(&svg_inside(scene, &format!("figure-{number}-")));
                }
                element(&mut out, "figcaption", &figure.caption);
                out.push_str("</figure>\n");
            }
        }
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn element(out: &mut String, tag: &str, words: &str) {
    let _ = writeln!(out, "<{tag}>{}</{tag}>", escape(words));
}

fn write_table(out: &mut String, table: &Table) {
    let class = |column: usize| if table.is_number(column) { " class=\"n\"" } else { "" };
    let row = |out: &mut String, tag: &str, cells: &[String]| {
        out.push_str("<tr>");
        for (column, cell) in cells.iter().enumerate() {
            let _ = write!(out, "<{tag}{}>{}</{tag}>", class(column), escape(cell));
        }
        out.push_str("</tr>\n");
    };
    out.push_str("<div class=\"scroll\"><table>\n<thead>\n");
    row(out, "th", &table.header);
    out.push_str("</thead>\n<tbody>\n");
    table.rows.iter().for_each(|cells| row(out, "td", cells));
    out.push_str("</tbody>\n</table></div>\n");
}
