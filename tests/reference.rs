//! Tests of basin_core: reference.
