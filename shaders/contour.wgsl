// Lines of equal height, drawn where the interpolated height crosses a level. Needs scene.wgsl.

fn level(i: u32) -> f32 {
    return scene.levels[i / 4u][i % 4u];
}

// How much of a pixel the lines cover, 0..1. `height` is transformed, `slope` is its change per pixel,
// `width` is in pixels. Where lines would run together they fade to `crowded` of their strength.
fn contour(height: f32, slope: f32, width: f32, crowded: f32) -> f32 {
    let count = u32(scene.picture.w);
    var above = 0u;
    for (var i = 0u; i < count; i++) {
        above += select(0u, 1u, level(i) <= height);
    }
    var distance = 1e30;
    var gap = 1e30;
    if above > 0u {
        distance = height - level(above - 1u);
    }
    if above < count {
        distance = min(distance, level(above) - height);
    }
    if above > 0u && above < count {
        gap = level(above) - level(above - 1u);
    }
    let per_pixel = max(slope, 1e-20);
    let cover = clamp(0.5 * width + 0.5 - distance / per_pixel, 0.0, 1.0);
    return cover * mix(crowded, 1.0, smoothstep(1.0 * width, 4.0 * width, gap / per_pixel));
}

// Ink that can be read on a colour: dark on light, light on dark.
fn contour_ink(color: vec3f) -> vec3f {
    let luminance = dot(color, vec3f(0.299, 0.587, 0.114));
    return mix(vec3f(1.0), vec3f(0.05, 0.06, 0.08), smoothstep(0.18, 0.34, luminance));
}
