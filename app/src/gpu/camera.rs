//! Orbiting camera: pure mathematics, no GPU.
//!
//! The camera circles the box at a fixed distance; zoom is a longer lens. So it never ends up inside the
//! surface, and a marker's perspective does not change with magnification.

use glam::{Mat4, Vec2, Vec3, Vec4};
use serde::{Deserialize, Serialize};

/// Distance from the pivot in world units, where the box's sides are 2: a mild perspective.
const DISTANCE: f32 = 6.5;
const ZOOM_RANGE: [f32; 2] = [0.25, 40.0];

/// From where the box is seen. Always from above its floor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Camera {
    /// Angle around the vertical in radians; at -π/2 the x axis points to the right.
    pub azimuth: f32,
    /// Angle above the floor in radians, 0 to π/2.
    pub elevation: f32,
    /// Magnification; 1 shows the whole box.
    pub zoom: f32,
    /// The point circled around, in world space; the box's centre is the origin.
    pub target: [f32; 3],
    /// Perspective or orthographic.
    pub projection: Projection,
}

/// How depth becomes size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Projection {
    /// What is farther is smaller.
    #[default]
    Perspective,
    /// Parallel lines stay parallel.
    Orthographic,
}

/// The picture a camera projects onto, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewport {
    /// Width and height.
    pub size: [u32; 2],
    /// Pixels per point: text and lines keep their size in points.
    pub scale: f32,
    /// Pixels kept free of the box at zoom 1: left, top, right, bottom.
    pub margins: [f32; 4],
    /// Half the box's height in world units.
    pub half_height: f32,
}

/// A half-line in world space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ray {
    /// Where it begins.
    pub origin: Vec3,
    /// Where it goes, of length 1.
    pub direction: Vec3,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            azimuth: (-58.0_f32).to_radians(),
            elevation: 27.0_f32.to_radians(),
            zoom: 1.0,
            target: [0.0; 3],
            projection: Projection::Perspective,
        }
    }
}

impl Camera {
    /// Straight from above, x to the right and y up, like a map.
    pub fn top() -> Self {
        Self {
            azimuth: -std::f32::consts::FRAC_PI_2,
            elevation: std::f32::consts::FRAC_PI_2,
            projection: Projection::Orthographic,
            zoom: 1.3,
            ..Self::default()
        }
    }

    /// From the front, x to the right and height up.
    pub fn front() -> Self {
        Self { azimuth: -std::f32::consts::FRAC_PI_2, elevation: 0.0, ..Self::default() }
    }

    /// Turns by a drag of so many points.
    pub fn orbit(&mut self, drag: Vec2) {
        let speed = 0.0075;
        self.azimuth = (self.azimuth - drag.x * speed).rem_euclid(std::f32::consts::TAU);
        self.elevation = (self.elevation + drag.y * speed).clamp(0.0, std::f32::consts::FRAC_PI_2);
    }

    /// Moves so that what is under the pointer follows a drag of so many pixels.
    pub fn pan(&mut self, drag: Vec2, viewport: &Viewport) {
        let [right, up, _] = self.basis();
        let unit = 1.0 / self.fit(viewport).unit;
        let target = Vec3::from(self.target) - right * (drag.x * unit) + up * (drag.y * unit);
        self.target = target.clamp(Vec3::splat(-2.0), Vec3::splat(2.0)).into();
    }

    /// Magnifies by `factor` and keeps what is at `pointer` (pixels) where it is.
    pub fn zoom_at(&mut self, factor: f32, pointer: Vec2, viewport: &Viewport) {
        let before = self.zoom;
        self.zoom = (before * factor).clamp(ZOOM_RANGE[0], ZOOM_RANGE[1]);
        let offset = pointer - self.fit(viewport).center;
        self.pan(offset * (1.0 - self.zoom / before), viewport);
    }

    /// The eye's place in world space.
    pub fn eye(&self) -> Vec3 {
        let [_, _, forward] = self.basis();
        Vec3::from(self.target) - forward * DISTANCE
    }

    /// Right, up and forward.
    pub fn basis(&self) -> [Vec3; 3] {
        let (sin_a, cos_a) = self.azimuth.sin_cos();
        let (sin_e, cos_e) = self.elevation.sin_cos();
        let right = Vec3::new(-sin_a, cos_a, 0.0);
        let up = Vec3::new(-sin_e * cos_a, -sin_e * sin_a, cos_e);
        let forward = Vec3::new(-cos_e * cos_a, -cos_e * sin_a, -sin_e);
        [right, up, forward]
    }

    /// World space to clip space (wgpu's: y up, depth 0..1).
    pub fn matrix(&self, viewport: &Viewport) -> Mat4 {
        let [right, up, forward] = self.basis();
        let pivot = Vec3::from(self.target);
        let [width, height] = viewport.size.map(|v| v.max(1) as f32);
        let Fit { unit, center } = self.fit(viewport);
        let row = |axis: Vec3, offset: f32| axis.extend(offset - axis.dot(pivot));
        let (across, upward, depth) = (row(right, 0.0), row(up, 0.0), row(forward, DISTANCE));
        let (near, far) = (0.3 * DISTANCE, 2.0 * DISTANCE);
        let span = far - near;
        let one = Vec4::W;
        let (w, z, grow) = match self.projection {
            Projection::Perspective => (depth, (depth - one * near) * (far / span), DISTANCE),
            Projection::Orthographic => (one, (depth - one * near) / span, 1.0),
        };
        let x = across * (2.0 * unit * grow / width) + w * (2.0 * center.x / width - 1.0);
        let y = upward * (2.0 * unit * grow / height) + w * (1.0 - 2.0 * center.y / height);
        Mat4::from_cols(x, y, z, w).transpose()
    }

    /// Pixel (from the top left) at which a point of world space is seen.
    pub fn project(&self, point: Vec3, viewport: &Viewport) -> Vec2 {
        self.projector(viewport)(point)
    }

    /// [`Camera::project`] for many points.
    pub fn projector(&self, viewport: &Viewport) -> impl Fn(Vec3) -> Vec2 + use<> {
        let matrix = self.matrix(viewport);
        let size = Vec2::new(viewport.size[0] as f32, viewport.size[1] as f32);
        move |point| {
            let ndc = matrix.project_point3(point);
            (Vec2::new(ndc.x, -ndc.y) * 0.5 + 0.5) * size
        }
    }

    /// What is seen at a pixel lies on this ray.
    pub fn ray(&self, pixel: Vec2, viewport: &Viewport) -> Ray {
        let [right, up, forward] = self.basis();
        let Fit { unit, center } = self.fit(viewport);
        let offset = (pixel - center) / unit;
        let through = Vec3::from(self.target) + right * offset.x - up * offset.y;
        match self.projection {
            Projection::Perspective => {
                let origin = self.eye();
                Ray { origin, direction: (through - origin).normalize() }
            }
            Projection::Orthographic => Ray { origin: through - forward * DISTANCE, direction: forward },
        }
    }

    /// Pixels that one world unit at the camera's target covers.
    pub fn pixels_per_unit(&self, viewport: &Viewport) -> f32 {
        self.fit(viewport).unit
    }

    /// At which size and where the box is seen.
    ///
    /// Its size depends on the elevation but not on the azimuth: the cylinder around the box is fitted into
    /// the picture, so that nothing breathes while the box is turned.
    fn fit(&self, viewport: &Viewport) -> Fit {
        let (sin_e, cos_e) = self.elevation.sin_cos();
        let radius = std::f32::consts::SQRT_2;
        let (mut across, mut low, mut high) = (0.0_f32, f32::INFINITY, f32::NEG_INFINITY);
        for i in 0..48 {
            let (sin, cos) = ((i % 24) as f32 * std::f32::consts::TAU / 24.0).sin_cos();
            let (sin, cos) = (radius * sin, radius * cos);
            let z = if i < 24 { viewport.half_height } else { -viewport.half_height };
            let grow = match self.projection {
                Projection::Perspective => DISTANCE / (DISTANCE - cos * cos_e - z * sin_e),
                Projection::Orthographic => 1.0,
            };
            across = across.max(sin.abs() * grow);
            low = low.min((z * cos_e - cos * sin_e) * grow);
            high = high.max((z * cos_e - cos * sin_e) * grow);
        }
        let [width, height] = viewport.size.map(|v| v.max(1) as f32);
        let [left, top, right, bottom] = viewport.margins;
        let room = Vec2::new(width - left - right, height - top - bottom).max(Vec2::splat(8.0));
        let unit = (0.5 * room.x / across).min(room.y / (high - low));
        let middle = Vec2::new(left, top) + 0.5 * room;
        Fit { unit: unit * self.zoom, center: middle + Vec2::Y * (0.5 * (high + low) * unit) }
    }
}

/// Pixels that one world unit at the pivot covers, and the pixel the pivot is seen at.
struct Fit {
    unit: f32,
    center: Vec2,
}

impl Viewport {
    /// A picture of so many pixels with nothing kept free.
    pub fn new(width: u32, height: u32, scale: f32) -> Self {
        Self { size: [width, height], scale, margins: [0.0; 4], half_height: 0.5 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rays_go_through_what_they_project_to() {
        let viewport = Viewport { margins: [0.0, 0.0, 90.0, 0.0], ..Viewport::new(640, 400, 1.0) };
        for projection in [Projection::Perspective, Projection::Orthographic] {
            let mut camera = Camera { projection, zoom: 1.7, ..Camera::default() };
            camera.pan(Vec2::new(13.0, -21.0), &viewport);
            let point = Vec3::new(0.3, -0.7, 0.2);
            let ray = camera.ray(camera.project(point, &viewport), &viewport);
            let miss = (point - ray.origin).cross(ray.direction).length();
            assert!(miss < 1e-4, "{projection:?}: {miss}");
        }
    }

    #[test]
    fn zooming_keeps_the_point_under_the_pointer() {
        let viewport = Viewport::new(500, 500, 1.0);
        let mut camera = Camera::top();
        let pointer = Vec2::new(330.0, 140.0);
        let before = camera.ray(pointer, &viewport);
        camera.zoom_at(2.0, pointer, &viewport);
        let after = camera.ray(pointer, &viewport);
        assert!((before.origin - after.origin).length() < 1e-4);
        assert_eq!(camera.zoom, 2.0 * Camera::top().zoom);
    }

    #[test]
    fn seen_from_the_top_x_is_right_and_y_is_up() {
        let viewport = Viewport::new(300, 300, 1.0);
        let camera = Camera::top();
        let at = |x, y| camera.project(Vec3::new(x, y, 0.0), &viewport);
        assert!(at(0.5, 0.0).x > 150.0 && (at(0.5, 0.0).y - 150.0).abs() < 1e-2);
        assert!(at(0.0, 0.5).y < 150.0);
    }
}
