//! Tests of basin: shaders.
