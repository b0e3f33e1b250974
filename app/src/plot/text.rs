//! Labels with a little mathematics: `Relative radius $\xi$`, `$10^{-2}$`.
//!
//! Between dollar signs letters are italic, `_` and `^` lower and raise, `-` is a minus sign and `\name` is a
//! Greek letter or a symbol. Everything else is taken as it is, so file names need no care; `\$` is a dollar.
//! Control characters, line ends among them, are spaces: a label is one line everywhere.

mod latex;
mod symbols;

pub use latex::{latex, unknown_to_latex};

use symbols::{SPACES, STYLES, SYMBOLS, UPRIGHT};

/// Height of a piece of text relative to its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Script {
    /// On the line.
    #[default]
    Normal,
    /// Raised and small.
    Super,
    /// Lowered and small.
    Sub,
}

/// A piece of text in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The characters.
    pub text: String,
    /// Slanted, as mathematics writes variables.
    pub italic: bool,
    /// Raised or lowered.
    pub script: Script,
    /// Mathematics; with a LaTeX command for its letters, such as `mathcal`, or an empty one.
    pub math: Option<&'static str>,
}

/// Splits a label into pieces of one style each.
pub fn spans(label: &str) -> Vec<Span> {
    let mut out = Vec::new();
    for (i, part) in split_math(label).into_iter().enumerate() {
        if i % 2 == 0 {
            push(&mut out, &part, Pen { italic: false, script: Script::Normal, math: None });
        } else {
            let pen = Pen { italic: true, script: Script::Normal, math: Some("") };
            math(&mut part.chars().peekable(), pen, false, &mut out);
        }
    }
    out
}

/// Text outside and inside dollar signs, alternating; a lone dollar sign is just text.
fn split_math(label: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = label.chars().map(|c| if c.is_control() { ' ' } else { c }).peekable();
    while let Some(c) = chars.next() {
        let part = parts.last_mut().expect("never empty");
        match c {
            '\\' if chars.peek() == Some(&'$') => part.extend(chars.next()),
            '$' => parts.push(String::new()),
            c => part.push(c),
        }
    }
    if parts.len().is_multiple_of(2) {
        let rest = parts.pop().unwrap_or_default();
        let text = parts.last_mut().expect("never empty");
        text.push('$');
        text.push_str(&rest);
    }
    parts
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// How the next characters are written.
#[derive(Debug, Clone, Copy)]
struct Pen {
    /// Whether letters are italic.
    italic: bool,
    script: Script,
    math: Option<&'static str>,
}

/// Mathematics up to its end, or to that of its group.
fn math(chars: &mut Chars<'_>, pen: Pen, grouped: bool, out: &mut Vec<Span>) {
    while let Some(c) = chars.next() {
        match c {
            '}' if grouped => return,
            '{' => math(chars, pen, true, out),
            '_' | '^' if pen.script == Script::Normal => {
                let script = if c == '_' { Script::Sub } else { Script::Super };
                argument(chars, Pen { script, ..pen }, out);
            }
            c => symbol(c, chars, pen, out),
        }
    }
}

/// What follows a `_`, a `^` or the name of a style: a group or a single symbol.
fn argument(chars: &mut Chars<'_>, pen: Pen, out: &mut Vec<Span>) {
    match chars.next() {
        Some('{') => math(chars, pen, true, out),
        Some(c) => symbol(c, chars, pen, out),
        None => {}
    }
}

fn symbol(c: char, chars: &mut Chars<'_>, pen: Pen, out: &mut Vec<Span>) {
    let mut write = |c: char, italic: bool| push(out, c.encode_utf8(&mut [0; 4]), Pen { italic, ..pen });
    match c {
        '\\' => {
            let mut name = String::new();
            while let Some(c) = chars.next_if(char::is_ascii_alphabetic) {
                name.push(c);
            }
            let named = |(known, _): &&(&str, char)| *known == name;
            if name.is_empty() {
                match chars.next() {
                    Some('!') | None => {}
                    Some(',' | ':' | ';' | ' ' | '\\') => write(' ', false),
                    Some('|') => write('‖', false),
                    Some(c) => write(c, false),
                }
            } else if let Some((_, c)) = SYMBOLS.iter().find(named) {
                write(*c, pen.italic && c.is_lowercase());
            } else if let Some((_, c)) = SPACES.iter().find(|(known, _)| *known == name) {
                c.iter().for_each(|c| write(*c, false));
            } else if let Some(style) = STYLES.iter().find(|style| **style == name) {
                argument(chars, Pen { math: Some(style), ..pen }, out);
            } else if UPRIGHT.contains(&&*name) {
                argument(chars, Pen { italic: false, ..pen }, out);
            } else {
                push(out, &name, Pen { italic: false, ..pen });
            }
        }
        ' ' if pen.italic => {}
        '}' => {}
        '-' => write('−', false),
        c => write(c, pen.italic && c.is_alphabetic()),
    }
}

fn push(out: &mut Vec<Span>, text: &str, pen: Pen) {
    let Pen { italic, script, math } = pen;
    if text.is_empty() {
        return;
    }
    match out.last_mut() {
        Some(last) if (last.italic, last.script, last.math) == (italic, script, math) => {
            last.text.push_str(text)
        }
        _ => out.push(Span { text: text.to_owned(), italic, script, math }),
    }
}

/// The label cut into the smallest pieces that are labels themselves: single characters with their accents, and whole
/// mathematics.
pub fn atoms(label: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (i, part) in split_math(label).into_iter().enumerate() {
        if i % 2 == 1 {
            out.push(format!("${}$", literal(&part)));
            continue;
        }
        for c in part.chars() {
            match out.last_mut() {
                Some(last) if joins(c) => last.push(c),
                _ => out.push(literal(c.encode_utf8(&mut [0; 4]))),
            }
        }
    }
    out
}

/// Whether a character is part of the one before it.
pub fn joins(c: char) -> bool {
    matches!(c as u32, 0x0300..=0x036F | 0x200B..=0x200F | 0x20D0..=0x20FF | 0xFE00..=0xFE0F | 0x1F3FB..=0x1F3FF)
}

/// The label in plain Unicode, for the screen and for CSV headers: `10⁻²`.
pub fn plain(label: &str) -> String {
    let mut out = String::new();
    for span in spans(label) {
        for c in span.text.chars() {
            out.push(match (span.script, c) {
                (Script::Super, '0'..='9' | '−') => raised(c),
                (Script::Sub, '0'..='9') => char::from_u32(0x2080 + (c as u32 - '0' as u32)).unwrap_or(c),
                (_, 'ϵ') => 'ε',
                (_, 'ϕ') => 'φ',
                _ => c,
            });
        }
    }
    out
}

fn raised(c: char) -> char {
    match c {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '−' => '⁻',
        c => char::from_u32(0x2070 + (c as u32 - '0' as u32)).unwrap_or(c),
    }
}

/// Text in which dollar signs are just that, e.g. a file name put into a label.
pub fn literal(text: &str) -> String {
    text.replace('$', "\\$")
}
