//! Tests of basin_core: data.
