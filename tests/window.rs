//! Tests of basin: window.
