//! Surfaces as triangle meshes, for programs that show, print or measure them: OBJ, PLY, STL, VTP, glTF.
//!
//! In OBJ, PLY, STL and glTF the longer side of the grid is 2 long and the range of heights 1, as in the 3-D view, with
//! the lowest height at 0; PLY has every value as well. VTP has x, y and value as they are, for ParaView to scale.

mod gltf;
mod obj;
mod ply;
mod stl;
mod triangles;
mod vtp;

use std::path::Path;

pub use triangles::{Heights, Mesh};

/// A file format of meshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshKind {
    /// Wavefront OBJ, a colour per vertex after its coordinates.
    Obj,
    /// Stanford PLY, binary, a colour and the value per vertex.
    Ply,
    /// STL, binary; it knows no colours.
    Stl,
    /// VTK's XML of polygons.
    Vtp,
    /// glTF 2.0, all in one JSON file.
    Gltf,
    /// glTF 2.0, binary.
    Glb,
}

impl MeshKind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Obj, Self::Ply, Self::Stl, Self::Vtp, Self::Gltf, Self::Glb];

    /// Ending of its files, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Obj => "obj",
            Self::Ply => "ply",
            Self::Stl => "stl",
            Self::Vtp => "vtp",
            Self::Gltf => "gltf",
            Self::Glb => "glb",
        }
    }

    /// The kind a file name asks for, if it is one.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| kind.ending() == ending)
    }

    /// The bytes of a file; `value` names what the heights are, `about` says where they come from, a line each.
    pub fn write(self, mesh: &Mesh, value: &str, about: &[String]) -> Vec<u8> {
        match self {
            Self::Obj => obj::obj(mesh, about).into_bytes(),
            Self::Ply => ply::ply(mesh, about),
            Self::Stl => stl::stl(mesh),
            Self::Vtp => vtp::vtp(mesh, value, about).into_bytes(),
            Self::Gltf => gltf::gltf(mesh, value, about).into_bytes(),
            Self::Glb => gltf::glb(mesh, value, about),
        }
    }
}
