//! Wavefront OBJ: text, with the colour of each vertex behind its coordinates as most programs read it.

use std::fmt::Write as _;

use super::triangles::Mesh;

/// The mesh as OBJ.
pub(super) fn obj(mesh: &Mesh, about: &[String]) -> String {
    let mut out = String::new();
    for line in about {
        let _ = writeln!(out, "# {line}");
    }
    out.push_str("o surface\n");
    for (point, color) in mesh.points.iter().zip(&mesh.colors) {
        let [x, y, z] = point;
        let [r, g, b] = color.map(|level| f32::from(level) / 255.0);
        let _ = writeln!(out, "v {x} {y} {z} {r:.4} {g:.4} {b:.4}");
    }
    for [x, y, z] in &mesh.normals {
        let _ = writeln!(out, "vn {x:.5} {y:.5} {z:.5}");
    }
    for [a, b, c] in mesh.triangles.iter().map(|corners| corners.map(|corner| corner + 1)) {
        let _ = writeln!(out, "f {a}//{a} {b}//{b} {c}//{c}");
    }
    out
}
