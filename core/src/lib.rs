//! Basin core.
