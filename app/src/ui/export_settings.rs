//! What the export dialog says: text as typed, and what it means or what is wrong with it.

use serde::{Deserialize, Serialize};

use crate::plot::export::{FigureStyle, FontFamily, Preset, parse_length};
use basin_core::settings::number;

/// A field that cannot be used, and what it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub field: &'static str,
    pub allowed: &'static str,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.allowed)
    }
}

impl std::error::Error for Wrong {}

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum What {
    /// A chart in paper style.
    #[default]
    Figure,
    /// The surface as it is seen.
    View,
    /// The numbers.
    Data,
}

/// File format of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Format {
    /// Vector graphics.
    #[default]
    Pdf,
    /// Vector graphics.
    Svg,
    /// Pixels.
    Png,
    /// LaTeX with TikZ.
    Tex,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Tex => "tex",
        }
    }
}

/// File format of the numbers of a landscape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DataFormat {
    /// A table of what is shown.
    #[default]
    Csv,
    /// NumPy arrays.
    Npz,
    /// HDF5 of loss-landscape.
    Hdf5,
    /// A mesh.
    Obj,
    /// A mesh.
    Ply,
    /// A mesh.
    Stl,
    /// A mesh.
    Vtp,
    /// A mesh.
    Glb,
}

impl DataFormat {
    /// Each with its name; meshes last.
    pub(crate) const ALL: [(Self, &str); 8] = [
        (Self::Csv, "CSV table"),
        (Self::Npz, "NumPy arrays (.npz)"),
        (Self::Hdf5, "HDF5 of loss-landscape"),
        (Self::Obj, "OBJ mesh"),
        (Self::Ply, "PLY mesh"),
        (Self::Stl, "STL mesh"),
        (Self::Vtp, "VTP mesh (ParaView)"),
        (Self::Glb, "glTF mesh (.glb)"),
    ];

    /// How many of them a curve can be.
    pub(crate) const OF_CURVES: usize = 3;

    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Npz => "npz",
            Self::Hdf5 => "h5",
            Self::Obj => "obj",
            Self::Ply => "ply",
            Self::Stl => "stl",
            Self::Vtp => "vtp",
            Self::Glb => "glb",
        }
    }
}

/// What the export dialog says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportSettings {
    /// What is exported.
    pub what: What,
    /// File format of a figure.
    pub format: Format,
    /// File format of the numbers of a landscape.
    pub data: DataFormat,
    /// Serif or sans serif.
    pub serif: bool,
    /// Outer width of a figure, as typed.
    pub width: String,
    /// Outer height of a figure, as typed; empty: what suits the plot.
    pub height: String,
    /// Size of axis labels in points, as typed.
    pub font_size: String,
    /// Pixels per inch of raster figures, as typed.
    pub dpi: String,
    /// Width of the 3-D picture in pixels, as typed.
    pub view_width: String,
    /// Height of the 3-D picture in pixels, as typed.
    pub view_height: String,
    /// Pixels per point of the 3-D picture, as typed.
    pub view_scale: String,
    /// The 3-D picture turns around once: an animated PNG.
    pub turning: bool,
    /// The 3-D picture has no background.
    pub transparent: bool,
    /// The 3-D picture is dark.
    pub dark: bool,
}

impl Default for ExportSettings {
    fn default() -> Self {
        let text = |t: &str| t.to_owned();
        Self {
            what: What::Figure,
            format: Format::Pdf,
            data: DataFormat::Csv,
            serif: true,
            width: text("4in"),
            height: String::new(),
            font_size: text("14"),
            dpi: text("300"),
            view_width: text("2400"),
            view_height: text("1800"),
            view_scale: text("4"),
            turning: false,
            transparent: false,
            dark: false,
        }
    }
}

impl ExportSettings {
    /// Ending of the file; `landscape`: whether one is exported.
    pub(crate) fn ending(&self, landscape: bool) -> &'static str {
        match self.what {
            What::Data if landscape => self.data.ending(),
            What::Figure => self.format.ending(),
            What::View => "png",
            What::Data => "csv",
        }
    }

    /// The look of the figure, or the field that is wrong with what is allowed.
    pub(crate) fn style(&self) -> Result<FigureStyle, Wrong> {
        let length = |text: &str, name| {
            parse_length(text).map_err(|_| Wrong { field: name, allowed: "use e.g. 3.25in, 84mm or 234pt" })
        };
        let positive = |text: &str, name, range: std::ops::RangeInclusive<f64>, allowed| {
            number(text).ok().filter(|v| range.contains(v)).ok_or(Wrong { field: name, allowed })
        };
        let width_in = length(&self.width, "Width")?;
        let height = self.height.trim();
        let height_in = if height.is_empty() { None } else { Some(length(height, "Height")?) };
        let size = positive(&self.font_size, "Font size", 4.0..=72.0, "use 4 to 72 points")?;
        let dpi = positive(&self.dpi, "Resolution", 30.0..=2400.0, "use 30 to 2400 pixels per inch")?;
        let family = self.family();
        let base = Preset::Paper.style().with_label_size(size);
        Ok(FigureStyle { width_in, height_in, family, dpi, ..base })
    }

    /// The typeface.
    pub(crate) fn family(&self) -> FontFamily {
        if self.serif { FontFamily::Serif } else { FontFamily::Sans }
    }

    /// Size in pixels and pixels per point of the 3-D picture, or the field that is wrong.
    pub(crate) fn picture(&self) -> Result<([u32; 2], f32), Wrong> {
        let pixels = |text: &str, name| {
            let side = text.trim().parse::<u32>().ok().filter(|v| (64..=16384).contains(v));
            side.ok_or(Wrong { field: name, allowed: "use 64 to 16384 pixels" })
        };
        let scale = number(&self.view_scale).ok().filter(|v| (0.25..=16.0).contains(v));
        let scale = scale.ok_or(Wrong { field: "Scale", allowed: "use 0.25 to 16" })?;
        Ok(([pixels(&self.view_width, "Width")?, pixels(&self.view_height, "Height")?], scale as f32))
    }

    pub(crate) fn problem(&self) -> Option<Wrong> {
        match self.what {
            What::Figure => self.style().err(),
            What::View => self.picture().err(),
            What::Data => None,
        }
    }
}
