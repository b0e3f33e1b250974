//! Tests of basin_core: landscape.
