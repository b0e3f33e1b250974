//! Tests of basin_core: records.
