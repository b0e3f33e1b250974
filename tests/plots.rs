//! Tests of basin: plots.
