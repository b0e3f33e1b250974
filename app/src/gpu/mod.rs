//! Drawing with wgpu. Knows neither panels nor records.
