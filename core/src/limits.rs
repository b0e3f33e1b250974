//! How large a whole number of a setting may be: what is more was meant otherwise, and would never end.

use crate::error::{Error, Result};

/// Most steps, restarts, queries, draws or epochs.
pub const MOST: usize = 1_000_000;

/// Checks that a count is from 1 to [`MOST`]; `what` is its plural, such as `restarts`.
///
/// # Errors
/// It is not; one sentence says what is allowed.
pub fn count(what: &str, value: usize) -> Result<()> {
    if value == 0 {
        return Err(Error::invalid(format!("0 {what} are not possible; use 1 or more")));
    }
    at_most(what, value)
}

/// Checks that a count, which may be 0, is not above [`MOST`].
///
/// # Errors
/// It is.
pub fn at_most(what: &str, value: usize) -> Result<()> {
    if value <= MOST {
        return Ok(());
    }
    Err(Error::invalid(format!("{value} {what} are too many; use at most {MOST}")))
}
