//! Words in a given room: in several lines, in smaller type, and as the last resort shortened in their middle.

use super::fonts;
use super::style::FontFamily;
use crate::plot::text::{atoms, literal, plain};

/// Distance of lines, relative to the font size.
pub const LINE: f64 = 1.2;

/// A little more than measured: TeX has wider letters for small sizes.
pub const SAFE: f64 = 1.03;

/// So many characters of a label are looked at; nobody reads more.
const LONGEST: usize = 2000;

/// Sizes relative to the wanted one, and how many lines there may be of each; the first that is enough is taken.
pub type Steps = &'static [(f64, usize)];

/// Words that fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Line by line.
    pub lines: Vec<String>,
    /// Size of the type in points.
    pub size: f64,
    /// Width of the widest line.
    pub width: f64,
    /// All of the words, where something is missing in their middle.
    pub shortened: Option<String>,
}

impl Fitted {
    /// Distance from the first baseline to the last.
    pub fn depth(&self) -> f64 {
        LINE * self.size * (self.lines.len().max(1) - 1) as f64
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(String::is_empty)
    }
}

/// A typeface and what may be done with it.
#[derive(Debug, Clone, Copy)]
pub struct Type {
    /// The typeface.
    pub family: FontFamily,
    /// Bold.
    pub bold: bool,
    /// Wanted size in points.
    pub size: f64,
    /// What is tried.
    pub steps: Steps,
}

/// A label in lines of at most `width` points.
pub fn fit(label: &str, of: Type, width: f64) -> Fitted {
    let mut fitted = fit_alike(&[label], of, width);
    fitted.pop().expect("one for each")
}

/// Labels in lines of at most `width` points, all in the same size.
pub fn fit_alike(labels: &[&str], of: Type, width: f64) -> Vec<Fitted> {
    let words: Vec<Words> = labels.iter().map(|label| Words::new(label, of, width)).collect();
    let fits = |(share, lines): &(f64, usize), whole: bool| {
        let limit = width / (share * of.size);
        let few = |words: &Words| words.wrapped(limit).is_some_and(|found| found.len() <= *lines);
        words.iter().all(|words| few(words) && (!whole || words.widest() <= limit))
    };
    // Rather smaller than with a broken word.
    let first = |whole: bool| of.steps.iter().find(|step| fits(step, whole));
    let found = first(true).or_else(|| first(false)).or(of.steps.last());
    let (share, lines) = found.copied().unwrap_or((1.0, 1));
    let (size, limit) = (share * of.size, width / (share * of.size));
    let fitted = |(words, label): (Words, &&str)| {
        let (lines, shortened) = words.fitted(limit, lines);
        let shortened = shortened.then(|| plain(label));
        let widest =
            lines.iter().map(|line| fonts::width(line, of.family, of.bold, size)).fold(0.0, f64::max);
        Fitted { lines, size, width: SAFE * widest, shortened }
    };
    words.into_iter().zip(labels).map(fitted).collect()
}

/// A label in as many lines as it needs, each as full as can be; a word that is wider than all of it is broken.
pub fn filled(label: &str, of: Type, width: f64) -> Vec<String> {
    let words = Words::new(label, of, width);
    let lines =
        words.wrapped(width / of.size).unwrap_or_else(|| std::iter::once(0..words.atoms.len()).collect());
    words.lines(lines)
}

/// A label in its smallest pieces.
#[derive(Debug, Clone)]
struct Words {
    atoms: Vec<String>,
    /// Widths at size 1.
    widths: Vec<f64>,
    of: Type,
}

impl Words {
    /// Mathematics that is wider than `width` at the smallest size is taken as plain text, which can be cut.
    fn new(label: &str, of: Type, width: f64) -> Self {
        let smallest = of.steps.last().map_or(1.0, |(share, _)| *share) * of.size;
        let words = Self::of(atoms(label), of);
        if words.widths.iter().any(|w| w * smallest > width) {
            return Self::of(atoms(&literal(&plain(label))), of);
        }
        words
    }

    fn of(mut atoms: Vec<String>, of: Type) -> Self {
        atoms.truncate(LONGEST);
        let widths = atoms.iter().map(|atom| SAFE * fonts::width(atom, of.family, of.bold, 1.0)).collect();
        Self { atoms, widths, of }
    }

    /// Lines within a width at size 1, as ranges; none if a single piece is wider.
    fn wrapped(&self, limit: f64) -> Option<Vec<std::ops::Range<usize>>> {
        let is_space = |i: usize| self.atoms[i] == " ";
        let mut lines = Vec::new();
        let (mut start, mut at, mut width) = (0, 0, 0.0);
        let (mut space, mut soft) = (None, None);
        while at < self.atoms.len() {
            if width + self.widths[at] > limit && !is_space(at) {
                // Rather between words than after a punctuation mark, rather there than within a word.
                let after_mark = soft.filter(|end| 2 * (end - start) >= at - start);
                let (end, next) = match (space, after_mark) {
                    (Some(space), _) => (space, space + 1),
                    (None, Some(end)) => (end, end),
                    (None, None) => (at, at),
                };
                if end == start {
                    return None;
                }
                lines.push(start..end);
                start = (next..at).find(|i| !is_space(*i)).unwrap_or(at);
                (at, width) = (start, 0.0);
                (space, soft) = (None, None);
                continue;
            }
            if is_space(at) && at > start {
                space = Some(at);
            } else if matches!(&*self.atoms[at], "_" | "-" | "/" | "." | "," | "=" | "+" | ":") {
                soft = Some(at + 1);
            }
            width += self.widths[at];
            at += 1;
        }
        lines.push(start..at);
        Some(lines)
    }

    /// At most so many lines, shortened if need be.
    fn fitted(self, limit: f64, most: usize) -> (Vec<String>, bool) {
        let enough = |words: &Self| words.wrapped(limit).filter(|lines| lines.len() <= most);
        if let Some(lines) = enough(&self) {
            return (self.lines(self.balanced(limit, lines)), false);
        }
        // The beginning and the end tell names apart.
        let kept = |count: usize| {
            let (head, tail) = (count.div_ceil(2), count / 2);
            let mut atoms = self.atoms[..head].to_vec();
            atoms.push("…".into());
            atoms.extend_from_slice(&self.atoms[self.atoms.len() - tail..]);
            Self::of(atoms, self.of)
        };
        let (mut fits, mut too_many) = (0, self.atoms.len());
        while too_many - fits > 1 {
            let middle = usize::midpoint(fits, too_many);
            if enough(&kept(middle)).is_some() { fits = middle } else { too_many = middle }
        }
        let words = kept(fits);
        let lines = enough(&words).unwrap_or_default();
        (words.lines(lines), true)
    }

    /// Width of the widest word.
    fn widest(&self) -> f64 {
        let word = |word: &[usize]| word.iter().map(|i| self.widths[*i]).sum::<f64>();
        let all: Vec<usize> = (0..self.atoms.len()).collect();
        all.split(|i| self.atoms[*i] == " ").map(word).fold(0.0, f64::max)
    }

    /// The same number of lines, of more equal lengths where that breaks no word.
    fn balanced(&self, limit: f64, lines: Vec<std::ops::Range<usize>>) -> Vec<std::ops::Range<usize>> {
        let widest = self.widest();
        if lines.len() == 1 {
            return lines;
        }
        let tighter = (5..10).map(|tenth| 0.1 * f64::from(tenth) * limit).filter(|limit| *limit >= widest);
        let same = |limit: f64| self.wrapped(limit).filter(|found| found.len() == lines.len());
        tighter.into_iter().find_map(same).unwrap_or(lines)
    }

    fn lines(&self, lines: Vec<std::ops::Range<usize>>) -> Vec<String> {
        lines.into_iter().map(|range| self.atoms[range].concat().trim().to_owned()).collect()
    }
}
