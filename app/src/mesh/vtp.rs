//! VTK's XML of polygons, as ParaView opens it: x, y and value as they are, the value and a colour at each point.

use super::triangles::Mesh;

/// The mesh as VTP.
pub(super) fn vtp(mesh: &Mesh, value: &str, about: &[String]) -> String {
    // Two hyphens would end a comment.
    let comments: String =
        about.iter().map(|line| format!("<!-- {} -->\n", line.replace("--", "- -"))).collect();
    let name = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let (points, faces) = (mesh.steps.len(), mesh.triangles.len());
    let values = array("Float64", &name, 1, mesh.steps.iter().map(|[.., value]| value.to_string()));
    let colors = array("UInt8", "color", 3, mesh.colors.iter().map(|[r, g, b]| format!("{r} {g} {b}")));
    let places = mesh.steps.iter().map(|[x, y, value]| format!("{x} {y} {value}"));
    let places = array("Float64", "Points", 3, places);
    let corners = mesh.triangles.iter().map(|[a, b, c]| format!("{a} {b} {c}"));
    let corners = array("Int64", "connectivity", 1, corners);
    let ends = array("Int64", "offsets", 1, (1..=faces).map(|face| (3 * face).to_string()));
    format!(
        "<?xml version=\"1.0\"?>\n{comments}\
         <VTKFile type=\"PolyData\" version=\"1.0\" byte_order=\"LittleEndian\" header_type=\"UInt64\">\n\
         <PolyData>\n<Piece NumberOfPoints=\"{points}\" NumberOfVerts=\"0\" NumberOfLines=\"0\" \
         NumberOfStrips=\"0\" NumberOfPolys=\"{faces}\">\n\
         <PointData Scalars=\"{name}\">\n{values}{colors}</PointData>\n\
         <Points>\n{places}</Points>\n<Polys>\n{corners}{ends}</Polys>\n</Piece>\n</PolyData>\n</VTKFile>\n"
    )
}

fn array(kind: &str, name: &str, components: usize, rows: impl Iterator<Item = String>) -> String {
    let rows: String = rows.map(|row| row + "\n").collect();
    format!(
        "<DataArray type=\"{kind}\" Name=\"{name}\" NumberOfComponents=\"{components}\" \
         format=\"ascii\">\n{rows}</DataArray>\n"
    )
}
