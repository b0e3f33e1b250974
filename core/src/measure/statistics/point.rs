//! A model as statistics see it.

/// Two numbers of one model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Point {
    /// The model.
    pub name: String,
    /// Its method family; none: unknown.
    pub group: Option<String>,
    /// The training that it is a snapshot of; none: one of its own.
    pub training: Option<String>,
    /// What explains, e.g. flatness.
    pub x: f64,
    /// What is explained, e.g. robust loss.
    pub y: f64,
    /// Standard error of the measurement of x; none: unknown.
    pub x_error: Option<f64>,
    /// Standard error of the measurement of y; none: unknown.
    pub y_error: Option<f64>,
}
