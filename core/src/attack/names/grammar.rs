//! A grammar as data: each template is a row of parts, each part a choice between texts.
//!
//! The same templates read a name, list all names, and find the name nearest to a misspelt one.

/// Names made by choosing one text of each part.
#[derive(Debug, Clone)]
pub struct Template<T> {
    /// What the names mean.
    pub meaning: T,
    /// Alternatives of each part, at most 16.
    pub parts: Vec<Vec<&'static str>>,
}

impl<T> Template<T> {
    /// The choices that make `name`, if this template can make it.
    pub fn read(&self, name: &str) -> Option<Vec<&'static str>> {
        let mut chosen = Vec::new();
        read(&self.parts, name, &mut chosen).then_some(chosen)
    }

    /// Number of names.
    pub fn count(&self) -> usize {
        self.parts.iter().map(Vec::len).product()
    }

    /// The name with this number, from 0 up to [`Template::count`].
    pub fn name(&self, mut number: usize) -> String {
        let mut chosen = vec![""; self.parts.len()];
        for (text, part) in chosen.iter_mut().zip(&self.parts).rev() {
            *text = part[number % part.len()];
            number /= part.len();
        }
        chosen.concat()
    }
}

fn read(parts: &[Vec<&'static str>], rest: &str, chosen: &mut Vec<&'static str>) -> bool {
    let Some((part, later)) = parts.split_first() else { return rest.is_empty() };
    part.iter().any(|text| {
        rest.strip_prefix(text).is_some_and(|rest| {
            chosen.push(text);
            read(later, rest, chosen) || {
                chosen.pop();
                false
            }
        })
    })
}

/// The name of fewest single-character edits from `text`, and their number.
pub fn nearest<T>(templates: &[Template<T>], text: &str) -> Option<(String, usize)> {
    let text: Vec<char> = text.chars().take(400).collect();
    templates
        .iter()
        .map(|template| {
            let (edits, choices) = edits(&template.parts, &text);
            (edits, template, choices)
        })
        .min_by_key(|(edits, ..)| *edits)
        .map(|(edits, template, choices)| {
            let texts = template.parts.iter().enumerate();
            let name = texts.map(|(i, part)| part[(choices >> (4 * i)) as usize & 15]).collect();
            (name, edits)
        })
}

/// Fewest edits between `text` and any name of the parts, and the choices of that name, four bits each.
fn edits(parts: &[Vec<&'static str>], text: &[char]) -> (usize, u64) {
    // Row of the edit distance: cell j is for the first j characters.
    let mut row: Vec<(usize, u64)> = (0..=text.len()).map(|j| (j, 0)).collect();
    for (position, part) in parts.iter().enumerate() {
        let alternatives = part.iter().enumerate().map(|(choice, alternative)| {
            let mark = (choice as u64) << (4 * position);
            let begin = row.iter().map(|(cost, choices)| (*cost, choices | mark)).collect();
            alternative.chars().fold(begin, |row: Vec<(usize, u64)>, letter| extended(&row, letter, text))
        });
        row = alternatives
            .reduce(|a, b| a.into_iter().zip(b).map(|(a, b)| if b.0 < a.0 { b } else { a }).collect())
            .unwrap_or(row);
    }
    row[text.len()]
}

/// The row after one more letter of the name.
fn extended(row: &[(usize, u64)], letter: char, text: &[char]) -> Vec<(usize, u64)> {
    let mut next = vec![(row[0].0 + 1, row[0].1)];
    for (j, typed) in text.iter().enumerate() {
        let replaced = (row[j].0 + usize::from(*typed != letter), row[j].1);
        let missing = (row[j + 1].0 + 1, row[j + 1].1);
        let superfluous = (next[j].0 + 1, next[j].1);
        next.push([replaced, missing, superfluous].into_iter().min_by_key(|cell| cell.0).unwrap_or(replaced));
    }
    next
}
