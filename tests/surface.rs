//! Tests of basin: surface.
