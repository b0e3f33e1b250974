//! The steps of a landscape along one direction.

use serde::{Deserialize, Serialize};

/// From where to where steps go: `1` is from -1 to 1, `-0.5..1.5` is what it says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Range {
    /// The first step.
    pub from: f64,
    /// The last step, larger.
    pub to: f64,
}

/// As it stands in JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

impl Range {
    /// From `from` to `to`; none: that is no range.
    pub fn new(from: f64, to: f64) -> Option<Self> {
        (from.is_finite() && to.is_finite() && from < to && (to - from).is_finite())
            .then_some(Self { from, to })
    }

    /// From minus `to` to `to`.
    pub fn symmetric(to: f64) -> Option<Self> {
        Self::new(-to, to)
    }

    /// So many evenly spaced steps; with an odd number of a symmetric range the middle one is exactly 0, and where 0 is
    /// about a step, it is exactly 0.
    pub fn steps(self, count: usize) -> Vec<f64> {
        let last = count.max(2) - 1;
        if self.from == -self.to && last.is_multiple_of(2) {
            let half = (last / 2) as f64;
            return (0..=last).map(|i| self.to * (i as f64 - half) / half).collect();
        }
        let width = self.to - self.from;
        let step = |i: usize| {
            // From the nearer end, so that both ends are exact.
            let value = if 2 * i <= last {
                self.from + width * i as f64 / last as f64
            } else {
                self.to - width * (last - i) as f64 / last as f64
            };
            // What rounding alone keeps from 0 or 1: there are the networks.
            let near = value.round();
            if (value - near).abs() < 1e-9 * width { near } else { value }
        };
        (0..=last).map(step).collect()
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.from == -self.to { write!(f, "{}", self.to) } else { write!(f, "{}..{}", self.from, self.to) }
    }
}

impl std::str::FromStr for Range {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let range = match text.split_once("..") {
            Some((from, to)) => {
                let bound = |text: &str| crate::settings::number(text.trim()).ok();
                bound(from).zip(bound(to)).and_then(|(from, to)| Self::new(from, to))
            }
            None => crate::settings::number(text.trim()).ok().and_then(Self::symmetric),
        };
        range.ok_or_else(|| {
            format!("{text:?} is no range; write a positive number such as 1 (from -1 to 1), or FROM..TO such as -0.5..1.5")
        })
    }
}

impl TryFrom<Written> for Range {
    type Error = String;
    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Number(to) => Self::symmetric(to).ok_or_else(|| {
                format!("range {to} is not possible; use a positive number such as 1, or FROM..TO such as -0.5..1.5")
            }),
            Written::Text(text) => text.parse(),
        }
    }
}

impl From<Range> for Written {
    fn from(range: Range) -> Self {
        if range.from == -range.to { Self::Number(range.to) } else { Self::Text(range.to_string()) }
    }
}

crate::settings::written_as_text!(Range, "Range" or "number");
