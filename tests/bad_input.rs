//! Tests of basin: bad_input.
