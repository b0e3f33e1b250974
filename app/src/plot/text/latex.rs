//! Labels as LaTeX source that compiles, whatever they contain.

use super::symbols::{SYMBOLS, TEXT};
use super::{Script, Span, spans};

/// Characters above ASCII that LaTeX takes as they are with T1 fonts: Latin letters and punctuation.
const AS_IT_IS: [std::ops::RangeInclusive<char>; 3] = ['¡'..='ſ', '‘'..='„', '†'..='‡'];
/// Those among them that T1 fonts lack.
const LACKING: [char; 10] = ['‛', 'Ħ', 'ħ', 'ĸ', 'Ŀ', 'ŀ', 'ŉ', 'Ŧ', 'ŧ', 'ſ'];
/// Single ones.
const SINGLE: [char; 6] = ['‰', '‹', '›', '€', '™', '№'];
/// Pairs of these are ligatures, which a name does not mean.
const LIGATURES: [char; 5] = ['-', ',', '<', '>', '\''];

/// The label as LaTeX source; what LaTeX cannot set stays as it is, see [`unknown_to_latex`].
pub fn latex(label: &str) -> String {
    let mut out = String::new();
    let spans = spans(label);
    for piece in spans.chunk_by(|a, b| a.math.is_some() == b.math.is_some()) {
        if piece[0].math.is_some() {
            out.push('$');
            out.push_str(&math(piece));
            out.push('$');
        } else {
            piece.iter().for_each(|span| text(&span.text, &mut out));
        }
    }
    out
}

/// Characters of a label that LaTeX cannot set with its usual fonts, such as Chinese ones.
pub fn unknown_to_latex(label: &str) -> impl Iterator<Item = char> {
    spans(label).into_iter().flat_map(|span| span.text.chars().collect::<Vec<_>>()).filter(|c| !is_known(*c))
}

fn is_known(c: char) -> bool {
    c.is_ascii() || takes(c) || replacement(c).is_some() || symbol(c).is_some()
}

/// Whether LaTeX takes a character above ASCII as it is.
fn takes(c: char) -> bool {
    SINGLE.contains(&c) || AS_IT_IS.iter().any(|range| range.contains(&c)) && !LACKING.contains(&c)
}

fn replacement(c: char) -> Option<&'static str> {
    TEXT.iter().find(|(known, _)| *known == c).map(|(_, source)| *source)
}

fn symbol(c: char) -> Option<&'static str> {
    SYMBOLS.iter().find(|(_, known)| *known == c).map(|(name, _)| *name)
}

fn text(text: &str, out: &mut String) {
    let mut before = None;
    for c in text.chars() {
        if before == Some(c) && LIGATURES.contains(&c) {
            out.push_str("{}");
        }
        match (replacement(c), symbol(c)) {
            (Some(source), _) => out.push_str(source),
            (None, Some(name)) => out.extend(["$\\", name, "$"]),
            (None, None) => out.push(c),
        }
        before = Some(c);
    }
}

/// Mathematics without the dollar signs around it.
fn math(spans: &[Span]) -> String {
    let mut out = String::new();
    // Scripts of what is written last: a second one of a kind would be an error.
    let mut scripts: Vec<Script> = Vec::new();
    for span in spans {
        let inside = atoms(span);
        match span.script {
            Script::Normal => {
                scripts.clear();
                join(&mut out, &inside);
            }
            script => {
                if scripts.contains(&script) {
                    out.push_str("{}");
                    scripts.clear();
                }
                scripts.push(script);
                out.push(if script == Script::Sub { '_' } else { '^' });
                out.extend(["{", &inside, "}"]);
            }
        }
    }
    out
}

fn atoms(span: &Span) -> String {
    let mut out = String::new();
    let chars: Vec<char> = span.text.chars().collect();
    for run in chars.chunk_by(|a, b| a.is_ascii_alphabetic() == b.is_ascii_alphabetic()) {
        if run[0].is_ascii_alphabetic() {
            let letters: String = run.iter().collect();
            let style = match (span.math, span.italic) {
                (Some(style), _) if !style.is_empty() => style,
                (_, false) => "mathrm",
                (_, true) => "",
            };
            join(&mut out, &if style.is_empty() { letters } else { format!("\\{style}{{{letters}}}") });
        } else {
            run.iter().for_each(|c| join(&mut out, &atom(*c)));
        }
    }
    out
}

/// One character that is no letter of the alphabet.
fn atom(c: char) -> String {
    match c {
        '−' => "-".to_owned(),
        ' ' => "\\ ".to_owned(),
        '~' => "\\sim".to_owned(),
        '\\' => "\\backslash".to_owned(),
        // Not a superscript, of which there may be one already.
        '\'' => "{'}".to_owned(),
        c => match (symbol(c), replacement(c)) {
            (Some(name), _) => format!("\\{name}"),
            (None, Some(source)) if c.is_ascii() && source.len() == 2 => source.to_owned(),
            (None, Some(source)) => format!("\\mbox{{{source}}}"),
            (None, None) if c.is_ascii() => c.to_string(),
            (None, None) => format!("\\mbox{{{c}}}"),
        },
    }
}

/// Appends source; a letter after the name of a command needs a space between.
fn join(out: &mut String, source: &str) {
    let word = out.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("").len();
    let ends_with_name = word > 0 && out[..out.len() - word].ends_with('\\');
    if ends_with_name && source.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.push(' ');
    }
    out.push_str(source);
}
