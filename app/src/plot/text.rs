//! Labels with a little mathematics: `Relative radius $\xi$`, `$10^{-2}$`.
//!
//! Between dollar signs letters are italic, `_` and `^` lower and raise, `-` is a minus sign and `\name` is a
//! Greek letter or a symbol. Everything else is taken as it is, so file names need no care; `\$` is a dollar.

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
}

const SYMBOLS: [(&str, char); 40] = [
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("epsilon", 'ϵ'),
    ("varepsilon", 'ε'),
    ("zeta", 'ζ'),
    ("eta", 'η'),
    ("theta", 'θ'),
    ("kappa", 'κ'),
    ("lambda", 'λ'),
    ("mu", 'μ'),
    ("nu", 'ν'),
    ("xi", 'ξ'),
    ("pi", 'π'),
    ("rho", 'ρ'),
    ("sigma", 'σ'),
    ("tau", 'τ'),
    ("phi", 'ϕ'),
    ("chi", 'χ'),
    ("psi", 'ψ'),
    ("omega", 'ω'),
    ("Delta", 'Δ'),
    ("Lambda", 'Λ'),
    ("Sigma", 'Σ'),
    ("Omega", 'Ω'),
    ("infty", '∞'),
    ("ell", 'ℓ'),
    ("nabla", '∇'),
    ("partial", '∂'),
    ("pm", '±'),
    ("times", '×'),
    ("cdot", '·'),
    ("le", '≤'),
    ("ge", '≥'),
    ("ne", '≠'),
    ("approx", '≈'),
    ("in", '∈'),
    ("to", '→'),
    ("sqrt", '√'),
];

/// Splits a label into pieces of one style each.
pub fn spans(label: &str) -> Vec<Span> {
    let mut out = Vec::new();
    for (i, part) in split_math(label).into_iter().enumerate() {
        if i % 2 == 0 {
            push(&mut out, &part, false, Script::Normal);
        } else {
            math(&mut part.chars().peekable(), Script::Normal, &mut out);
        }
    }
    out
}

/// Text outside and inside dollar signs, alternating; a lone dollar sign is just text.
fn split_math(label: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = label.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'$') => parts.last_mut().expect("never empty").extend(chars.next()),
            '$' => parts.push(String::new()),
            c => parts.last_mut().expect("never empty").push(c),
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

fn math(chars: &mut Chars<'_>, script: Script, out: &mut Vec<Span>) {
    while let Some(c) = chars.next() {
        match c {
            '}' if script != Script::Normal => return,
            '_' | '^' if script == Script::Normal => {
                let script = if c == '_' { Script::Sub } else { Script::Super };
                if chars.peek() == Some(&'{') {
                    chars.next();
                    math(chars, script, out);
                } else if let Some(c) = chars.next() {
                    symbol(c, chars, script, out);
                }
            }
            c => symbol(c, chars, script, out),
        }
    }
}

fn symbol(c: char, chars: &mut Chars<'_>, script: Script, out: &mut Vec<Span>) {
    match c {
        '\\' => {
            let mut name = String::new();
            while let Some(c) = chars.next_if(char::is_ascii_alphabetic) {
                name.push(c);
            }
            match SYMBOLS.iter().find(|(known, _)| *known == name) {
                Some((_, c)) => push(out, &c.to_string(), c.is_lowercase(), script),
                None => push(out, &name, false, script),
            }
        }
        ' ' | '{' | '}' => {}
        '-' => push(out, "−", false, script),
        c => push(out, &c.to_string(), c.is_alphabetic(), script),
    }
}

fn push(out: &mut Vec<Span>, text: &str, italic: bool, script: Script) {
    if text.is_empty() {
        return;
    }
    match out.last_mut() {
        Some(last) if last.italic == italic && last.script == script => last.text.push_str(text),
        _ => out.push(Span { text: text.to_owned(), italic, script }),
    }
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

/// The label as LaTeX source; text outside of mathematics is escaped.
pub fn latex(label: &str) -> String {
    let mut out = String::new();
    for (i, part) in split_math(label).into_iter().enumerate() {
        if i % 2 == 1 {
            out.push('$');
            out.push_str(&part.replace('−', "-"));
            out.push('$');
            continue;
        }
        for c in part.chars() {
            match c {
                '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
                '\\' => out.push_str("\\textbackslash{}"),
                '~' => out.push_str("\\textasciitilde{}"),
                '^' => out.push_str("\\textasciicircum{}"),
                '−' => out.push_str("$-$"),
                '–' => out.push_str("--"),
                '×' => out.push_str("$\\times$"),
                c => out.push(c),
            }
        }
    }
    out
}

/// Text in which dollar signs are just that, e.g. a file name put into a label.
pub fn literal(text: &str) -> String {
    text.replace('$', "\\$")
}
