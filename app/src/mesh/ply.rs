//! Stanford PLY, binary: coordinates, normal, colour and value of each vertex.

use super::triangles::Mesh;

/// The mesh as PLY.
pub(super) fn ply(mesh: &Mesh, about: &[String]) -> Vec<u8> {
    let comments: String = about.iter().map(|line| format!("comment {line}\n")).collect();
    let properties: String = ["x", "y", "z", "nx", "ny", "nz"]
        .map(|name| format!("property float {name}\n"))
        .into_iter()
        .chain(["red", "green", "blue"].map(|name| format!("property uchar {name}\n")))
        .chain(["property double value\n".to_owned()])
        .collect();
    let (vertices, faces) = (mesh.points.len(), mesh.triangles.len());
    let header = format!(
        "ply\nformat binary_little_endian 1.0\n{comments}element vertex {vertices}\n{properties}\
         element face {faces}\nproperty list uchar int vertex_indices\nend_header\n"
    );
    let mut out = header.into_bytes();
    for (at, point) in mesh.points.iter().enumerate() {
        out.extend(point.iter().chain(&mesh.normals[at]).flat_map(|v| v.to_le_bytes()));
        out.extend(mesh.colors[at]);
        out.extend(mesh.steps[at][2].to_le_bytes());
    }
    for triangle in &mesh.triangles {
        out.push(3);
        out.extend(triangle.iter().flat_map(|corner| (*corner as i32).to_le_bytes()));
    }
    out
}
