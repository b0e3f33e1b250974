//! Symbols of points: the same on paper, on the screen and in both legends.

/// Shape of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// Circle.
    #[default]
    Circle,
    /// Square.
    Square,
    /// Diamond.
    Diamond,
    /// Triangle.
    Triangle,
    /// Pentagon.
    Pentagon,
    /// Five-pointed star.
    Star,
    /// Diagonal cross.
    Cross,
}

impl Shape {
    /// The symbol of a name that studies give groups; none: another name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "circle" => Self::Circle,
            "square" => Self::Square,
            "diamond" => Self::Diamond,
            "triangle" => Self::Triangle,
            "pentagon" => Self::Pentagon,
            "star" => Self::Star,
            _ => return None,
        })
    }

    /// Corners of the outline in a circle of radius 1, y downwards; none of a circle and of a cross.
    pub fn corners(self) -> Vec<[f64; 2]> {
        let (corners, inner, turn) = match self {
            Self::Circle | Self::Cross => return Vec::new(),
            Self::Square => (4, 1.0, 45.0_f64),
            Self::Diamond => (4, 1.0, 0.0),
            Self::Triangle => (3, 1.0, 0.0),
            Self::Pentagon => (5, 1.0, 0.0),
            Self::Star => (10, 0.45, 0.0),
        };
        (0..corners)
            .map(|i| {
                let angle = std::f64::consts::TAU * f64::from(i) / f64::from(corners) + turn.to_radians();
                let radius = if i % 2 == 1 { inner } else { 1.0 };
                [radius * angle.sin(), -radius * angle.cos()]
            })
            .collect()
    }

    /// Diameter at which it looks as large as a circle of diameter 1.
    pub fn fair_size(self) -> f64 {
        match self {
            Self::Circle | Self::Cross => 1.0,
            Self::Square => 1.15,
            Self::Diamond => 1.2,
            Self::Triangle => 1.25,
            Self::Pentagon => 1.1,
            Self::Star => 1.35,
        }
    }
}
