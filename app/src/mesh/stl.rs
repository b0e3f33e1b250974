//! STL, binary: triangles alone.

use super::triangles::{Mesh, across};

/// The mesh as STL.
pub(super) fn stl(mesh: &Mesh) -> Vec<u8> {
    let mut out = b"Basin: a loss surface, z up".to_vec();
    out.resize(80, b' ');
    out.extend((mesh.triangles.len() as u32).to_le_bytes());
    for triangle in &mesh.triangles {
        let corners = mesh.corners(triangle);
        let normal = across(corners).normalize_or(glam::Vec3::Z).to_array();
        out.extend(normal.iter().chain(corners.iter().flatten()).flat_map(|v| v.to_le_bytes()));
        out.extend([0, 0]);
    }
    out
}
