//! The time of day.

use jiff::Timestamp;

/// Now, as RFC 3339 in UTC, to the second.
pub fn now() -> String {
    Timestamp::from_second(Timestamp::now().as_second()).expect("the present is in range").to_string()
}
