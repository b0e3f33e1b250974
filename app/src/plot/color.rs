//! Colours of figures: one small type, and the qualitative palette for series.

/// An sRGB colour with opacity, all from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Color {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
    /// Opacity.
    pub a: u8,
}

impl Color {
    /// Black.
    pub const BLACK: Self = Self::rgb(0, 0, 0);
    /// White.
    pub const WHITE: Self = Self::rgb(255, 255, 255);
    /// The grey of grids and of unnamed points.
    pub const GREY: Self = Self::rgb(155, 155, 155);

    /// An opaque colour.
    pub const fn rgb(r: u8, g: u8, b: u8) -> Self {
        Self { r, g, b, a: 255 }
    }

    /// An opaque colour from `0xRRGGBB`.
    pub const fn hex(value: u32) -> Self {
        Self::rgb((value >> 16) as u8, (value >> 8) as u8, value as u8)
    }

    /// The colour that a text `#rrggbb` says; none: another text.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        u32::from_str_radix(digits, 16).ok().map(Self::hex)
    }

    /// The same colour with opacity `alpha`, 0 to 1.
    pub fn with_alpha(self, alpha: f64) -> Self {
        Self { a: (alpha.clamp(0.0, 1.0) * 255.0).round() as u8, ..self }
    }

    /// Opacity from 0 to 1.
    pub fn alpha(self) -> f64 {
        f64::from(self.a) / 255.0
    }

    /// The colour a share `t` of the way to `other`.
    pub fn mix(self, other: Self, t: f64) -> Self {
        let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * t).round() as u8;
        Self {
            r: mix(self.r, other.r),
            g: mix(self.g, other.g),
            b: mix(self.b, other.b),
            a: mix(self.a, other.a),
        }
    }

    /// Perceived lightness from 0 (black) to 1 (white), opacity ignored.
    pub fn lightness(self) -> f64 {
        (0.299 * f64::from(self.r) + 0.587 * f64::from(self.g) + 0.114 * f64::from(self.b)) / 255.0
    }

    /// `#rrggbb`, opacity left out.
    pub fn to_hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.r, self.g, self.b)
    }
}

/// ColorBrewer *Paired* as the paper uses it (its yellow darkened): light and dark of six hues.
pub const PAIRED: [Color; 12] = [
    Color::rgb(166, 206, 227),
    Color::rgb(31, 120, 180),
    Color::rgb(251, 154, 153),
    Color::rgb(178, 223, 138),
    Color::rgb(51, 160, 44),
    Color::rgb(227, 26, 28),
    Color::rgb(253, 191, 111),
    Color::rgb(255, 127, 0),
    Color::rgb(202, 178, 214),
    Color::rgb(106, 61, 154),
    Color::rgb(245, 245, 145),
    Color::rgb(177, 89, 40),
];

/// Further colours that can be told from the dark ones of [`PAIRED`], on white and, lightened, on black: differences of
/// CIEDE2000 are 11 or more.
const FURTHER: [Color; 6] = [
    Color::rgb(0, 165, 155),
    Color::rgb(225, 90, 175),
    Color::rgb(175, 150, 0),
    Color::rgb(135, 185, 25),
    Color::rgb(120, 120, 120),
    Color::rgb(150, 30, 85),
];

/// Colour of series number `index`: the dark hues of [`PAIRED`], then others that lines can have, too; repeats after
/// [`SERIES_COLORS`].
pub fn series_color(index: usize) -> Color {
    const DARK: [usize; 6] = [1, 5, 4, 7, 9, 11];
    match index % SERIES_COLORS {
        dark if dark < DARK.len() => PAIRED[DARK[dark]],
        further => FURTHER[further - DARK.len()],
    }
}

/// The diverging colours of the paper's epochs at a share from 0 to 1: dark blue, blue, white, red, dark red.
pub fn seismic(share: f64) -> Color {
    const AT: [Color; 5] = [
        Color::rgb(0, 0, 77),
        Color::rgb(0, 0, 255),
        Color::rgb(255, 255, 255),
        Color::rgb(255, 0, 0),
        Color::rgb(128, 0, 0),
    ];
    let place = share.clamp(0.0, 1.0) * 4.0;
    let from = (place.floor() as usize).min(3);
    AT[from].mix(AT[from + 1], place - from as f64)
}

/// How many series have a colour of their own.
pub const SERIES_COLORS: usize = 12;
