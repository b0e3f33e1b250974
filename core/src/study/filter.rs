//! Filtering the models of a table by an expression.
//!
//! ```text
//! label noise                                    name or group contains each of these words
//! group = "AT" and robust error < 60 %           comparisons: = != < <= > >=, and ~ for "contains"
//! has worst flatness and not (AT or records < 3)
//! ```
//!
//! What can be compared: every column by its name, with spaces or underscores, a radius after `@` or `at`, and `name`,
//! `group`, `training`, `records`, `missing` (measures without a record). `has COLUMN` and `no COLUMN` ask whether a number
//! is there, `broken` whether a file of the model cannot be used.

use std::fmt;
use std::ops::Range;

use super::entries::OfModel;
use super::status::{Row, State};
use super::table::{ModelRow, Table};

/// An expression that is true of a model or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Test);

/// What an expression can ask of a model besides its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Records that belong to it.
    pub records: usize,
    /// Measures that it has no record of.
    pub missing: usize,
    /// Whether a file of it cannot be used.
    pub broken: bool,
}

impl Facts {
    /// Those of a model.
    pub fn of<R>(row: &Row, of: &OfModel<R>) -> Self {
        let is_missing = |state: &&State| !matches!(state, State::Measured { .. } | State::NoCheckpoint);
        Self {
            records: of.records.len(),
            missing: row.measures.iter().filter(is_missing).count(),
            broken: !of.problems.is_empty(),
        }
    }
}

/// Why an expression cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// The part of the text that is wrong, in bytes; empty at its end if something is missing.
    pub at: Range<usize>,
    /// One sentence without its full stop.
    pub reason: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for FilterError {}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// Lowercase words, each of which is in the name or the group.
    Words(Vec<String>),
    Text {
        field: TextField,
        relation: Relation,
        value: String,
    },
    Number {
        field: NumberField,
        relation: Relation,
        value: f64,
    },
    Has(usize),
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum TextField {
    Name,
    Group,
    Training,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum NumberField {
    Column(usize),
    Records,
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Relation {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Contains,
}

impl Filter {
    /// Understands an expression about a table; an empty one is true of every model.
    ///
    /// # Errors
    /// It has a column that the table has not, a comparison without its value, or parentheses that do not match.
    pub fn parse(text: &str, table: &Table) -> Result<Self, FilterError> {
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Ok(Self(Test::All(Vec::new())));
        }
        let mut parser = Parser { tokens: &tokens, next: 0, end: text.len(), table };
        let test = parser.any()?;
        match parser.peek() {
            None => Ok(Self(test)),
            Some(token) => Err(token.error("this parenthesis closes nothing")),
        }
    }

    /// Whether it is true of a model.
    pub fn accepts(&self, row: &ModelRow, facts: Facts) -> bool {
        accepts(&self.0, row, facts)
    }
}

fn accepts(test: &Test, row: &ModelRow, facts: Facts) -> bool {
    match test {
        Test::All(tests) => tests.iter().all(|test| accepts(test, row, facts)),
        Test::Any(tests) => tests.iter().any(|test| accepts(test, row, facts)),
        Test::Not(test) => !accepts(test, row, facts),
        Test::Words(words) => {
            let text = format!("{} {}", row.name, row.group.as_deref().unwrap_or_default()).to_lowercase();
            words.iter().all(|word| text.contains(word))
        }
        Test::Text { field, relation, value } => {
            let text = match field {
                TextField::Name => &row.name,
                TextField::Group => row.group.as_deref().unwrap_or_default(),
                TextField::Training => row.training.as_deref().unwrap_or_default(),
            };
            let text = text.to_lowercase();
            match relation {
                Relation::Unequal => text != *value,
                Relation::Contains => text.contains(value),
                _ => text == *value,
            }
        }
        Test::Number { field, relation, value } => {
            let number = match field {
                NumberField::Column(column) => match row.values.get(*column).copied().flatten() {
                    Some(value) => value.value,
                    // What is not there is neither smaller nor larger.
                    None => return false,
                },
                NumberField::Records => facts.records as f64,
                NumberField::Missing => facts.missing as f64,
            };
            match relation {
                Relation::Equal | Relation::Contains => (number - value).abs() <= 1e-9 * value.abs(),
                Relation::Unequal => (number - value).abs() > 1e-9 * value.abs(),
                Relation::Less => number < *value,
                Relation::AtMost => number <= *value,
                Relation::Greater => number > *value,
                Relation::AtLeast => number >= *value,
            }
        }
        Test::Has(column) => row.values.get(*column).is_some_and(Option::is_some),
        Test::Broken => facts.broken,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum TokenKind {
    Word(String),
    Quoted(String),
    Relation(Relation),
    And,
    Or,
    Not,
    Open,
    Close,
}

#[derive(Debug, Clone, PartialEq)]
struct Token {
    kind: TokenKind,
    at: Range<usize>,
}

impl Token {
    fn error(&self, reason: impl Into<String>) -> FilterError {
        FilterError { at: self.at.clone(), reason: reason.into() }
    }
}

/// Signs that end a word; longer ones first.
const SIGNS: [(&str, TokenKind); 16] = [
    ("&&", TokenKind::And),
    ("||", TokenKind::Or),
    ("<=", TokenKind::Relation(Relation::AtMost)),
    (">=", TokenKind::Relation(Relation::AtLeast)),
    ("==", TokenKind::Relation(Relation::Equal)),
    ("!=", TokenKind::Relation(Relation::Unequal)),
    ("<>", TokenKind::Relation(Relation::Unequal)),
    ("≤", TokenKind::Relation(Relation::AtMost)),
    ("≥", TokenKind::Relation(Relation::AtLeast)),
    ("≠", TokenKind::Relation(Relation::Unequal)),
    ("<", TokenKind::Relation(Relation::Less)),
    (">", TokenKind::Relation(Relation::Greater)),
    ("=", TokenKind::Relation(Relation::Equal)),
    ("~", TokenKind::Relation(Relation::Contains)),
    ("(", TokenKind::Open),
    (")", TokenKind::Close),
];

fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = if let Some((sign, kind)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign))
        {
            (kind.clone(), sign.len())
        } else if matches!(first, '"' | '\'') {
            let Some(length) = rest[1..].find(first) else {
                let reason = format!("the quotation mark {first} has no end");
                return Err(FilterError { at: at..text.len(), reason });
            };
            (TokenKind::Quoted(rest[1..=length].to_owned()), length + 2)
        } else {
            let ends = |(i, c): (usize, char)| {
                let ends = c.is_whitespace()
                    || matches!(c, '"' | '\'')
                    || SIGNS.iter().any(|(sign, _)| rest[i..].starts_with(sign));
                ends.then_some(i)
            };
            let length = rest.char_indices().find_map(ends).unwrap_or(rest.len());
            let word = &rest[..length];
            let kind = match word.to_lowercase().as_str() {
                "and" => TokenKind::And,
                "or" => TokenKind::Or,
                "not" => TokenKind::Not,
                _ => TokenKind::Word(word.to_owned()),
            };
            (kind, length)
        };
        tokens.push(Token { kind, at: at..at + length });
        at += length;
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    /// Length of the text.
    end: usize,
    table: &'a Table,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self, kind: &TokenKind) -> Option<&'a Token> {
        let token = self.peek().filter(|token| token.kind == *kind)?;
        self.next += 1;
        Some(token)
    }

    fn ends(&self, reason: impl Into<String>) -> FilterError {
        let at = self.peek().map_or(self.end..self.end, |token| token.at.clone());
        FilterError { at, reason: reason.into() }
    }

    fn any(&mut self) -> Result<Test, FilterError> {
        let mut tests = vec![self.all()?];
        while self.take(&TokenKind::Or).is_some() {
            tests.push(self.all()?);
        }
        Ok(if tests.len() == 1 { tests.remove(0) } else { Test::Any(tests) })
    }

    fn all(&mut self) -> Result<Test, FilterError> {
        let mut tests = vec![self.one()?];
        while self.take(&TokenKind::And).is_some() {
            tests.push(self.one()?);
        }
        Ok(if tests.len() == 1 { tests.remove(0) } else { Test::All(tests) })
    }

    fn one(&mut self) -> Result<Test, FilterError> {
        if self.take(&TokenKind::Not).is_some() {
            return Ok(Test::Not(Box::new(self.one()?)));
        }
        if let Some(open) = self.take(&TokenKind::Open) {
            let test = self.any()?;
            return match self.take(&TokenKind::Close) {
                Some(_) => Ok(test),
                None => Err(open.error("this parenthesis is not closed")),
            };
        }
        let words = self.words();
        let relation = match self.peek() {
            Some(Token { kind: TokenKind::Relation(relation), .. }) => Some(*relation),
            _ => None,
        };
        match (words, relation) {
            ([], Some(_)) => Err(self.ends("a comparison begins with the name of a column")),
            ([], None) => Err(self.ends("a name or a comparison is missing here")),
            (words, Some(relation)) => {
                self.next += 1;
                self.comparison(words, relation)
            }
            (words, None) => Ok(self.plain(words)),
        }
    }

    /// Words and quotations up to the next sign.
    fn words(&mut self) -> &'a [Token] {
        let rest = &self.tokens[self.next..];
        let is_word = |token: &&Token| matches!(token.kind, TokenKind::Word(_) | TokenKind::Quoted(_));
        let count = rest.iter().take_while(is_word).count();
        self.next += count;
        &rest[..count]
    }

    fn comparison(&mut self, words: &[Token], relation: Relation) -> Result<Test, FilterError> {
        let at = words[0].at.start..words[words.len() - 1].at.end;
        let name = joined(words);
        let wrong = |reason: String| FilterError { at: at.clone(), reason };
        let value = self.words();
        let Some(first) = value.first() else {
            return Err(self.ends(format!("{name} is compared with nothing")));
        };
        let value_at = first.at.start..value[value.len() - 1].at.end;
        let value = joined(value);
        if let Some(Token { kind: TokenKind::Relation(_), .. }) = self.peek() {
            return Err(self.ends("one comparison after the other; put `and` between them"));
        }
        let text = match key(&name).as_str() {
            "name" | "model" => Some(TextField::Name),
            "group" => Some(TextField::Group),
            "training" => Some(TextField::Training),
            _ => None,
        };
        if let Some(field) = text {
            if !matches!(relation, Relation::Equal | Relation::Unequal | Relation::Contains) {
                return Err(wrong(format!("{name} is a text; compare it with =, != or ~ (contains)")));
            }
            return Ok(Test::Text { field, relation, value: value.to_lowercase() });
        }
        let field = match key(&name).as_str() {
            "records" => NumberField::Records,
            "missing" => NumberField::Missing,
            key => NumberField::Column(self.table.column(key).map_err(|e| wrong(e.to_string()))?),
        };
        if relation == Relation::Contains {
            return Err(wrong(format!("{name} is a number; compare it with =, !=, <, <=, > or >=")));
        }
        let of_value = |reason: String| FilterError { at: value_at, reason };
        let share = value.strip_suffix('%').map(str::trim_end);
        let Ok(number) = share.unwrap_or(&value).parse::<f64>() else {
            return Err(of_value(format!("{value:?} is no number")));
        };
        let is_share = matches!(field, NumberField::Column(column) if self.table.columns[column].is_share);
        if is_share && share.is_none() && number.abs() > 1.0 {
            return Err(of_value(format!("{name} is a share; write {number} % or {}", number / 100.0)));
        }
        let value = if share.is_some() { number / 100.0 } else { number };
        Ok(Test::Number { field, relation, value })
    }

    /// Words that are compared with nothing.
    fn plain(&self, words: &[Token]) -> Test {
        let all: Vec<&str> = words.iter().map(text).collect();
        let unquoted = matches!(words[0].kind, TokenKind::Word(_));
        if let ([first, rest @ ..], true) = (all.as_slice(), unquoted) {
            let column = || self.table.column(&key(&rest.join(" "))).ok();
            match (first.to_lowercase().as_str(), rest) {
                ("broken", []) => return Test::Broken,
                ("has", [_, ..]) if column().is_some() => return Test::Has(column().unwrap_or_default()),
                ("no", [_, ..]) if column().is_some() => {
                    return Test::Not(Box::new(Test::Has(column().unwrap_or_default())));
                }
                _ => {}
            }
        }
        Test::Words(all.iter().map(|word| word.to_lowercase()).collect())
    }
}

fn text(token: &Token) -> &str {
    match &token.kind {
        TokenKind::Word(text) | TokenKind::Quoted(text) => text,
        _ => "",
    }
}

fn joined(words: &[Token]) -> String {
    words.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// The name of a column as it may be written: `Average flatness at radius 0.5` is `average_flatness@0.5`.
fn key(name: &str) -> String {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split([' ', '_']).filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        [name @ .., "at", "radius", radius] | [name @ .., "at", radius] if !name.is_empty() => {
            format!("{}@{radius}", name.join("_"))
        }
        words => words.join("_"),
    }
}
