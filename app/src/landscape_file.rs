//! Files that hold a landscape itself instead of a figure of it: meshes for 3-D programs, arrays for others.

use std::path::Path;

use basin_core::exchange;
use basin_core::record::Outcome;

use crate::mesh::{Heights, Mesh, MeshKind};
use crate::plot::landscape::{Named, Options, main_grid, provenance_of, quantity_label};
use crate::plot::text;

/// A format of such files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LandscapeFile {
    /// A surface of triangles.
    Mesh(MeshKind),
    /// Steps, losses and errors as NumPy arrays.
    Npz,
    /// The same in HDF5, in the layout of loss-landscape.
    Hdf5,
}

impl LandscapeFile {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Mesh(MeshKind::Obj),
        Self::Mesh(MeshKind::Ply),
        Self::Mesh(MeshKind::Stl),
        Self::Mesh(MeshKind::Vtp),
        Self::Mesh(MeshKind::Gltf),
        Self::Mesh(MeshKind::Glb),
        Self::Npz,
        Self::Hdf5,
    ];

    /// Ending of its files, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Mesh(kind) => kind.ending(),
            Self::Npz => "npz",
            Self::Hdf5 => "h5",
        }
    }

    /// The format a file name asks for; none: it is that of a figure, or unknown.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        let ending = if ending == "hdf5" { "h5" } else { &ending };
        Self::ALL.into_iter().find(|format| format.ending() == ending)
    }

    /// Whether it holds one quantity of clean or robust images alone, as options say, and not everything.
    pub fn is_mesh(self) -> bool {
        matches!(self, Self::Mesh(_))
    }

    /// The bytes of the file of a landscape.
    ///
    /// # Errors
    /// A sentence: the record is no landscape; of a mesh, it is 1-D or has no values that could be shown.
    pub fn bytes(self, named: Named<'_>, options: &Options) -> Result<Vec<u8>, String> {
        let name = text::plain(named.name);
        let grid = main_grid(named, options.which)?;
        let Outcome::Landscape(outcome) = &named.record.outcome else { unreachable!("it has a grid") };
        let about: Vec<String> = provenance_of(named).iter().map(|line| text::plain(line)).collect();
        let made = match self {
            Self::Npz => exchange::npz(outcome, &about.join("; ")),
            Self::Hdf5 => exchange::hdf5(outcome, &about.join("; ")),
            Self::Mesh(kind) => {
                let Some(y) = grid.y else {
                    return Err(format!(
                        "{name} is a 1-D landscape, and only a 2-D one is a mesh; write .csv, .npz or .h5"
                    ));
                };
                let values = grid.values(options.quantity);
                let heights = Heights {
                    x: grid.x,
                    y,
                    values: &values,
                    log: options.log,
                    clip: options.clip,
                    map: options.map,
                };
                let label = text::plain(&quantity_label(options.quantity, grid.robust));
                Mesh::of(&heights).map(|mesh| kind.write(&mesh, &label, &about))
            }
        };
        made.map_err(|reason| format!("{name} {reason}"))
    }
}
