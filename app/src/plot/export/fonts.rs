//! The bundled fonts: which face writes which character, and how wide text is.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use resvg::usvg;
use ttf_parser::Face as Parsed;

use super::style::FontFamily;
use crate::plot::text::{Script, joins, spans};

/// Size of raised and lowered text relative to its line.
pub const SCRIPT_SIZE: f64 = 0.7;

/// A bundled font.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Face {
    /// Latin Modern Roman.
    Serif,
    /// Latin Modern Roman bold.
    SerifBold,
    /// Latin Modern Roman italic.
    SerifItalic,
    /// Greek (italic) and symbols of Latin Modern Math.
    Math,
    /// TeX Gyre Heros.
    Sans,
    /// TeX Gyre Heros bold.
    SansBold,
    /// TeX Gyre Heros italic.
    SansItalic,
}

impl Face {
    /// Every bundled font.
    pub const ALL: [Self; 7] = [
        Self::Serif,
        Self::SerifBold,
        Self::SerifItalic,
        Self::Math,
        Self::Sans,
        Self::SansBold,
        Self::SansItalic,
    ];

    /// The OpenType file.
    pub fn data(self) -> &'static [u8] {
        match self {
            Self::Serif => include_bytes!("../../../../resources/fonts/serif-regular.otf"),
            Self::SerifBold => include_bytes!("../../../../resources/fonts/serif-bold.otf"),
            Self::SerifItalic => include_bytes!("../../../../resources/fonts/serif-italic.otf"),
            Self::Math => include_bytes!("../../../../resources/fonts/serif-math.otf"),
            Self::Sans => include_bytes!("../../../../resources/fonts/sans-regular.otf"),
            Self::SansBold => include_bytes!("../../../../resources/fonts/sans-bold.otf"),
            Self::SansItalic => include_bytes!("../../../../resources/fonts/sans-italic.otf"),
        }
    }

    /// Family name inside the file.
    pub fn family(self) -> &'static str {
        match self {
            Self::Serif | Self::SerifBold | Self::SerifItalic => "Basin Serif",
            Self::Math => "Basin Math",
            Self::Sans | Self::SansBold | Self::SansItalic => "Basin Sans",
        }
    }

    /// Whether it is the bold cut.
    pub fn bold(self) -> bool {
        matches!(self, Self::SerifBold | Self::SansBold)
    }

    /// Whether it is the italic cut.
    pub fn italic(self) -> bool {
        matches!(self, Self::SerifItalic | Self::SansItalic)
    }

    fn parsed(self) -> &'static Parsed<'static> {
        static FACES: OnceLock<Vec<Parsed<'static>>> = OnceLock::new();
        let faces = FACES.get_or_init(|| {
            Self::ALL.map(|face| Parsed::parse(face.data(), 0).expect("bundled fonts are sound")).into()
        });
        &faces[self as usize]
    }

    fn covers(self, c: char) -> bool {
        self.parsed().glyph_index(c).is_some()
    }

    /// Width of a character as a share of the font size.
    fn advance(self, c: char) -> f64 {
        let face = self.parsed();
        let glyph = face.glyph_index(c).and_then(|g| face.glyph_hor_advance(g));
        glyph.map_or_else(|| foreign(c), |w| f64::from(w) / f64::from(face.units_per_em()))
    }
}

/// About the width of a character that some font of the system writes, rather too wide.
fn foreign(c: char) -> f64 {
    match c as u32 {
        _ if joins(c) => 0.0,
        0x1100..=0x115F | 0x2E80..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 => 1.0,
        0x1F000..=0x1FFFF => 1.3,
        0x20000.. => 1.0,
        _ => 0.75,
    }
}

/// Text in one font.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The characters.
    pub text: String,
    /// The font.
    pub face: Face,
    /// Raised or lowered.
    pub script: Script,
}

/// A label as pieces of one font each.
pub fn runs(label: &str, family: FontFamily, bold: bool) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for span in spans(label) {
        let wanted = match (family, span.italic, bold) {
            (FontFamily::Serif, true, _) => Face::SerifItalic,
            (FontFamily::Serif, false, true) => Face::SerifBold,
            (FontFamily::Serif, false, false) => Face::Serif,
            (FontFamily::Sans, true, _) => Face::SansItalic,
            (FontFamily::Sans, false, true) => Face::SansBold,
            (FontFamily::Sans, false, false) => Face::Sans,
        };
        for c in span.text.chars() {
            let face = if !wanted.covers(c) && Face::Math.covers(c) { Face::Math } else { wanted };
            match runs.last_mut() {
                Some(last) if last.face == face && last.script == span.script => last.text.push(c),
                _ => runs.push(Run { text: c.to_string(), face, script: span.script }),
            }
        }
    }
    runs
}

/// Width of a label in the unit of `size`.
pub fn width(label: &str, family: FontFamily, bold: bool, size: f64) -> f64 {
    runs(label, family, bold)
        .iter()
        .map(|run| {
            let scale = if run.script == Script::Normal { 1.0 } else { SCRIPT_SIZE };
            run.text.chars().map(|c| run.face.advance(c)).sum::<f64>() * scale * size
        })
        .sum()
}

/// Characters of a label that the bundled fonts cannot write.
pub fn lacking(label: &str, family: FontFamily) -> impl Iterator<Item = char> {
    let lacking = |run: Run| run.text.chars().filter(|c| !run.face.covers(*c)).collect::<Vec<_>>();
    runs(label, family, false).into_iter().flat_map(lacking)
}

/// Those of these characters that no font of a collection has.
pub fn without_font(fonts: &usvg::fontdb::Database, mut characters: BTreeSet<char>) -> BTreeSet<char> {
    for face in fonts.faces() {
        if characters.is_empty() {
            break;
        }
        fonts.with_face_data(face.id, |data, index| {
            if let Ok(face) = Parsed::parse(data, index) {
                characters.retain(|c| face.glyph_index(*c).is_none());
            }
        });
    }
    characters
}
