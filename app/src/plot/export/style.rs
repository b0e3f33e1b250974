//! How a figure looks on paper: size, fonts, text sizes and line widths.

/// Typeface family of a figure; both are bundled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FontFamily {
    /// Latin Modern Roman, as LaTeX documents.
    #[default]
    Serif,
    /// TeX Gyre Heros, a Helvetica.
    Sans,
}

impl std::str::FromStr for FontFamily {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "serif" => Ok(Self::Serif),
            "sans" => Ok(Self::Sans),
            _ => Err(format!("{text:?} is not a font; use serif or sans")),
        }
    }
}

/// Colours of curves and groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// Dark hues of ColorBrewer's *Paired*, then others.
    #[default]
    Basin,
    /// The same, and methods in a scatter have the colours of the paper's figures.
    Paper,
    /// Told apart with any kind of colour vision: Okabe and Ito's, then others.
    Safe,
}

impl std::str::FromStr for Palette {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "basin" => Ok(Self::Basin),
            "paper" => Ok(Self::Paper),
            "safe" => Ok(Self::Safe),
            _ => Err(format!("{text:?} is not a palette; use basin, paper or safe")),
        }
    }
}

/// Size and look of an exported figure. Lengths are those of the printed figure.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureStyle {
    /// Outer width in inches.
    pub width_in: f64,
    /// Outer height in inches; none: what suits the plot.
    pub height_in: Option<f64>,
    /// Typeface.
    pub family: FontFamily,
    /// Title, in points.
    pub title_pt: f64,
    /// Axis labels, in points.
    pub label_pt: f64,
    /// Legend, in points.
    pub legend_pt: f64,
    /// Numbers at ticks and in contour lines, in points.
    pub tick_pt: f64,
    /// Curves, in points.
    pub line_pt: f64,
    /// Frame, ticks and grid, in points.
    pub frame_pt: f64,
    /// Diameter of scatter symbols, in points.
    pub symbol_pt: f64,
    /// Whether lines run from the ticks through the axes.
    pub grid: bool,
    /// Colours of curves and groups.
    pub palette: Palette,
    /// Pixels per inch of raster files.
    pub dpi: f64,
}

/// Named styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// 4 in wide, large text, to be set smaller: the look of the paper's own figures.
    #[default]
    Paper,
    /// 3.25 in wide: one column of a two-column paper at its final size.
    Column,
    /// 6.75 in wide: both columns, or the full text width.
    Wide,
    /// 8 in wide, sans serif, bold lines: for slides and posters.
    Slide,
    /// One column of CVPR, ICCV and WACV, 3.25 in.
    Cvpr,
    /// Both columns of these, 6.875 in.
    CvprWide,
    /// One column of ICML, 3.25 in.
    Icml,
    /// Both columns of ICML, 6.75 in.
    IcmlWide,
    /// The text width of NeurIPS and ICLR, 5.5 in.
    Neurips,
}

impl Preset {
    /// Every preset, in the order menus show them.
    pub const ALL: [Self; 9] = [
        Self::Paper,
        Self::Column,
        Self::Wide,
        Self::Slide,
        Self::Cvpr,
        Self::CvprWide,
        Self::Icml,
        Self::IcmlWide,
        Self::Neurips,
    ];

    /// The name shown and accepted on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Column => "column",
            Self::Wide => "wide",
            Self::Slide => "slide",
            Self::Cvpr => "cvpr",
            Self::CvprWide => "cvpr-wide",
            Self::Icml => "icml",
            Self::IcmlWide => "icml-wide",
            Self::Neurips => "neurips",
        }
    }

    /// The style.
    pub fn style(self) -> FigureStyle {
        let paper = FigureStyle {
            width_in: 4.0,
            height_in: None,
            family: FontFamily::Serif,
            title_pt: 15.0,
            label_pt: 14.0,
            legend_pt: 12.0,
            tick_pt: 11.0,
            line_pt: 2.0,
            frame_pt: 0.8,
            symbol_pt: 8.0,
            grid: true,
            palette: Palette::Basin,
            dpi: 300.0,
        };
        match self {
            Self::Paper => paper,
            Self::Cvpr | Self::Icml => FigureStyle { width_in: 3.25, ..paper.with_label_size(8.0) },
            Self::CvprWide => FigureStyle { width_in: 6.875, ..paper.with_label_size(9.0) },
            Self::IcmlWide => FigureStyle { width_in: 6.75, ..paper.with_label_size(9.0) },
            Self::Neurips => FigureStyle { width_in: 5.5, ..paper.with_label_size(9.0) },
            Self::Column => FigureStyle { width_in: 3.25, ..paper.with_label_size(9.0) },
            Self::Wide => FigureStyle { width_in: 6.75, ..paper.with_label_size(10.0) },
            Self::Slide => FigureStyle {
                width_in: 8.0,
                family: FontFamily::Sans,
                line_pt: 3.0,
                symbol_pt: 11.0,
                ..paper.with_label_size(20.0)
            },
        }
    }
}

impl std::str::FromStr for Preset {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        // Conferences that share their style files.
        let name = match text {
            "iccv" | "wacv" => "cvpr",
            "iccv-wide" | "wacv-wide" => "cvpr-wide",
            "iclr" => "neurips",
            other => other,
        };
        Self::ALL
            .into_iter()
            .find(|p| p.name() == name)
            .ok_or_else(|| format!("{text:?} is not a style; use {}", Self::ALL.map(Self::name).join(", ")))
    }
}

impl Default for FigureStyle {
    fn default() -> Self {
        Preset::default().style()
    }
}

impl FigureStyle {
    /// The style with axis labels of `points`; other text, lines and symbols keep their proportion to them.
    #[must_use]
    pub fn with_label_size(&self, points: f64) -> Self {
        let factor = points / self.label_pt;
        Self {
            title_pt: (self.title_pt * factor * 2.0).round() / 2.0,
            label_pt: points,
            legend_pt: (self.legend_pt * factor * 2.0).round() / 2.0,
            tick_pt: (self.tick_pt * factor * 2.0).round() / 2.0,
            line_pt: self.line_pt * factor.sqrt(),
            frame_pt: self.frame_pt * factor.sqrt(),
            symbol_pt: self.symbol_pt * factor.sqrt(),
            ..self.clone()
        }
    }
}

/// Reads a length with its unit as inches: `4in`, `84mm`, `8.4cm`, `234pt`; a bare number is inches.
///
/// # Errors
/// A sentence that says what to write.
pub fn parse_length(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let wrong = || format!("{text:?} is not a length; write e.g. 3.25in, 84mm or 234pt");
    let value: f64 = text[..split].trim().parse().map_err(|_| wrong())?;
    let inches = match &text[split..] {
        "" | "in" => value,
        "mm" => value / 25.4,
        "cm" => value / 2.54,
        "pt" => value / 72.0,
        _ => return Err(wrong()),
    };
    if (0.5..=60.0).contains(&inches) {
        Ok(inches)
    } else {
        Err(format!("{text:?} is outside of what a figure can be; use 0.5in to 60in"))
    }
}
