//! Tests of basin_core: pgd.
