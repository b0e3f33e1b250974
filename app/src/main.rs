//! The `basin` program.

fn main() {}
