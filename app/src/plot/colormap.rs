//! Sequential colour maps: perceptually uniform, readable in print and by colour-blind readers.
//!
//! Each map is 33 colours, equally spaced, joined linearly in sRGB-encoded values (within 2/255 of the
//! published 256-entry tables; cividis within 6/255 at its kink near the dark end). The shaders use the very
//! same nodes.

use serde::{Deserialize, Serialize};

use super::color::Color;

/// Number of colours a map is made of.
pub const NODES: usize = 33;

/// A sequential colour map, dark for low values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorMap {
    /// Blue to green to yellow (matplotlib's default).
    #[default]
    Viridis,
    /// Blue to yellow, made for colour-blind readers.
    Cividis,
    /// Black to purple to light yellow.
    Magma,
    /// Dark grey to nearly white, for print without colour.
    Grey,
}

impl ColorMap {
    /// Every map, in the order menus show them.
    pub const ALL: [Self; 4] = [Self::Viridis, Self::Cividis, Self::Magma, Self::Grey];

    /// The name shown and accepted on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viridis => "viridis",
            Self::Cividis => "cividis",
            Self::Magma => "magma",
            Self::Grey => "grey",
        }
    }

    /// The colours at `0, 1/32, …, 1`.
    pub fn nodes(self) -> [Color; NODES] {
        std::array::from_fn(|i| match self {
            Self::Viridis => Color::hex(VIRIDIS[i]),
            Self::Cividis => Color::hex(CIVIDIS[i]),
            Self::Magma => Color::hex(MAGMA[i]),
            Self::Grey => {
                let level = (20.0 + 230.0 * i as f64 / (NODES - 1) as f64).round() as u8;
                Color::rgb(level, level, level)
            }
        })
    }

    /// The colour at `t`, clamped to `0..=1`; NaN gives the lowest colour.
    pub fn at(self, t: f64) -> Color {
        let nodes = self.nodes();
        let position = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) } * (NODES - 1) as f64;
        let low = (position as usize).min(NODES - 2);
        nodes[low].mix(nodes[low + 1], position - low as f64)
    }
}

impl std::fmt::Display for ColorMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for ColorMap {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|map| map.name() == text).ok_or_else(|| {
            format!("{text:?} is not a colour map; use {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

const VIRIDIS: [u32; NODES] = [
    0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453681, 0x424086, 0x3f4989, 0x3b528b, 0x375a8d,
    0x33638d, 0x2f6a8e, 0x2c728e, 0x297a8e, 0x26818e, 0x23898e, 0x21908c, 0x1f988b, 0x1f9f88, 0x21a685,
    0x28ae80, 0x31b57b, 0x3ebc74, 0x4cc26c, 0x5dc963, 0x6ece58, 0x82d34c, 0x96d83f, 0xabdc32, 0xc0df24,
    0xd5e21a, 0xeae51a, 0xfde725,
];
const CIVIDIS: [u32; NODES] = [
    0x00224e, 0x00285b, 0x002e6a, 0x043371, 0x1a386f, 0x273e6e, 0x32436d, 0x3b496c, 0x434e6c, 0x4b546c,
    0x52596d, 0x5a5f6e, 0x61656f, 0x686a71, 0x6f7073, 0x757676, 0x7c7b78, 0x848179, 0x8b8778, 0x938d78,
    0x9b9376, 0xa39a75, 0xaba072, 0xb3a670, 0xbbad6c, 0xc3b469, 0xccba64, 0xd4c15f, 0xddc958, 0xe6d051,
    0xefd748, 0xf8df3c, 0xfee838,
];
const MAGMA: [u32; NODES] = [
    0x000004, 0x030311, 0x0a0822, 0x130d33, 0x1d1146, 0x28115a, 0x36106a, 0x430f76, 0x50127c, 0x5d177f,
    0x691c81, 0x762181, 0x822681, 0x8f2a81, 0x9c2e7f, 0xa9327d, 0xb63779, 0xc33b75, 0xcf4170, 0xdb486a,
    0xe65163, 0xee5c5e, 0xf5695c, 0xf9785d, 0xfb8761, 0xfd9668, 0xfea571, 0xfeb47b, 0xfec387, 0xfed194,
    0xfde0a2, 0xfceeb0, 0xfcfdbf,
];
