//! Tests of basin: cli.
