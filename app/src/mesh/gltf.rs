//! glTF 2.0: y points up, colours are linear; binary data within the file.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::triangles::Mesh;

/// The mesh as one JSON file.
pub(super) fn gltf(mesh: &Mesh, value: &str, about: &[String]) -> String {
    let buffer = buffer(mesh);
    let uri = format!("data:application/octet-stream;base64,{}", BASE64_STANDARD.encode(&buffer));
    format!("{:#}\n", document(mesh, value, about, &json!({ "byteLength": buffer.len(), "uri": uri })))
}

/// The mesh as a binary file.
pub(super) fn glb(mesh: &Mesh, value: &str, about: &[String]) -> Vec<u8> {
    let mut buffer = buffer(mesh);
    let mut json =
        document(mesh, value, about, &json!({ "byteLength": buffer.len() })).to_string().into_bytes();
    json.resize(json.len().next_multiple_of(4), b' ');
    buffer.resize(buffer.len().next_multiple_of(4), 0);
    let mut out = b"glTF".to_vec();
    let size = 12 + 8 + json.len() + 8 + buffer.len();
    out.extend([2, size as u32].into_iter().flat_map(u32::to_le_bytes));
    for (kind, chunk) in [(b"JSON", json), (b"BIN\0", buffer)] {
        out.extend((chunk.len() as u32).to_le_bytes());
        out.extend(kind);
        out.extend(chunk);
    }
    out
}

/// From z up to y up.
fn upright([x, y, z]: [f32; 3]) -> [f32; 3] {
    [x, z, -y]
}

/// Linear intensity of an sRGB level.
fn linear(level: u8) -> f32 {
    let level = f32::from(level) / 255.0;
    if level <= 0.04045 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
}

/// Positions, normals and colours, twelve bytes a vertex each, then the triangles.
fn buffer(mesh: &Mesh) -> Vec<u8> {
    let positions = mesh.points.iter().map(|point| upright(*point));
    let normals = mesh.normals.iter().map(|normal| upright(*normal));
    let colors = mesh.colors.iter().map(|color| color.map(linear));
    let floats = positions.chain(normals).chain(colors).flatten().flat_map(f32::to_le_bytes);
    floats.chain(mesh.triangles.iter().flatten().flat_map(|corner| corner.to_le_bytes())).collect()
}

fn document(mesh: &Mesh, value: &str, about: &[String], buffer: &Value) -> Value {
    const FLOAT: u32 = 5126;
    const UNSIGNED: u32 = 5125;
    const VERTICES: u32 = 34962;
    const INDICES: u32 = 34963;
    let (count, corners) = (mesh.points.len(), 3 * mesh.triangles.len());
    let ends = |pick: fn(f32, f32) -> f32| {
        mesh.points.iter().map(|point| upright(*point)).reduce(|a, b| [0, 1, 2].map(|i| pick(a[i], b[i])))
    };
    let part = 12 * count;
    let view =
        |at: usize| json!({ "buffer": 0, "byteOffset": at * part, "byteLength": part, "target": VERTICES });
    let vectors =
        |view: usize| json!({ "bufferView": view, "componentType": FLOAT, "count": count, "type": "VEC3" });
    let mut positions = vectors(0);
    (positions["min"], positions["max"]) = (json!(ends(f32::min)), json!(ends(f32::max)));
    json!({
        "asset": { "version": "2.0", "generator": "Basin", "extras": { "source": about } },
        "scene": 0,
        "scenes": [{ "nodes": [0] }],
        "nodes": [{ "mesh": 0, "name": value }],
        "meshes": [{ "name": value, "primitives": [{
            "attributes": { "POSITION": 0, "NORMAL": 1, "COLOR_0": 2 }, "indices": 3, "material": 0, "mode": 4,
        }] }],
        "materials": [{
            "name": "surface",
            "doubleSided": true,
            "pbrMetallicRoughness": { "metallicFactor": 0.0, "roughnessFactor": 0.9 },
        }],
        "accessors": [
            positions,
            vectors(1),
            vectors(2),
            { "bufferView": 3, "componentType": UNSIGNED, "count": corners, "type": "SCALAR" },
        ],
        "bufferViews": [
            view(0),
            view(1),
            view(2),
            { "buffer": 0, "byteOffset": 3 * part, "byteLength": 4 * corners, "target": INDICES },
        ],
        "buffers": [buffer],
    })
}
