//! What must be told about a figure because of how its words fit.

use std::collections::BTreeSet;

use super::{FigureStyle, FileKind, Scene, fonts, options, scene};
use crate::plot::{Plot, text, ticks};

/// So many names and characters stand in a note.
const NAMED: usize = 3;
const CHARACTERS: usize = 12;

/// What was done to make the words of a figure fit, and which characters it lacks; a sentence each, as plain text.
pub fn notes(plot: &Plot, style: &FigureStyle, kind: FileKind) -> Vec<String> {
    notes_of(&scene(plot, style), style, kind)
}

/// The same of a scene.
pub fn notes_of(scene: &Scene, style: &FigureStyle, kind: FileKind) -> Vec<String> {
    if kind == FileKind::Csv {
        return Vec::new();
    }
    let mut notes: Vec<String> = shortened(scene).into_iter().collect();
    let size = ticks::readable;
    if scene.label_pt < style.label_pt - 0.01 {
        let (now, asked) = (size(scene.label_pt), size(style.label_pt));
        notes.push(format!("axis labels are {now} pt high instead of {asked} pt: beside wider words there is no room for the axes"));
    }
    if let Some(asked) = style.height_in.filter(|asked| scene.height > 72.0 * asked + 0.5) {
        let (now, asked) = (size(scene.height / 72.0), size(asked));
        notes.push(format!("the figure is {now} in high instead of {asked} in: its words need the room"));
    }
    let texts = || scene.texts().map(|text| text.label.as_str());
    notes.extend(match kind {
        FileKind::Tex => {
            let unknown: BTreeSet<char> = texts().flat_map(text::unknown_to_latex).collect();
            listed(unknown).map(|list| {
                format!("LaTeX has no {list} in its usual fonts: pdflatex writes ? there; use XeLaTeX or LuaLaTeX with a font that has them")
            })
        }
        FileKind::Pdf | FileKind::Png => {
            let lacking: BTreeSet<char> = texts().flat_map(|label| fonts::lacking(label, scene.family)).collect();
            let without = if lacking.is_empty() { lacking } else { fonts::without_font(&options(scene).fontdb, lacking) };
            listed(without).map(|list| format!("no font on this machine has {list}: install one that does"))
        }
        FileKind::Svg | FileKind::Csv => None,
    });
    notes
}

/// Words that are not there in full.
fn shortened(scene: &Scene) -> Option<String> {
    let mut all = scene.shortened.clone();
    all.sort();
    all.dedup();
    let more = all.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!all.is_empty())
        .then(|| format!("shortened to fit the figure: {}{rest}", all[..all.len() - more].join("; ")))
}

/// Characters as words.
fn listed(characters: BTreeSet<char>) -> Option<String> {
    let visible: Vec<String> = characters.iter().filter(|c| !text::joins(**c)).map(char::to_string).collect();
    let more = visible.len().saturating_sub(CHARACTERS);
    let rest = if more > 0 { format!(" and {more} more characters") } else { String::new() };
    (!visible.is_empty()).then(|| visible[..visible.len() - more].join(" ") + &rest)
}
