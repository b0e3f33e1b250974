//! Tests of basin_core: checkpoints.
