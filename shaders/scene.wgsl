// What all shaders share: the uniforms of a picture. Twin of `SceneUniform` in `gpu/uniforms.rs`.

struct Scene {
    // World space to clip space.
    matrix: mat4x4f,
    // Towards the eye: its place (w = 1), or its direction where rays are parallel (w = 0).
    eye: vec4f,
    // Direction towards the light.
    light: vec4f,
    // World units per unit of x, x of the box's centre; the same for y.
    plane: vec4f,
    // World units per unit of transformed height, transformed height at `base`, `base`, 1 if logarithmic.
    height: vec4f,
    // Transformed height at the start of the colour map, 1 / length of the colour map, transformed height
    // of the cut.
    color: vec4f,
    // Width and height in pixels, pixels per point, number of contour levels.
    picture: vec4f,
    // World height of the floor, 1 for a dark theme.
    floor: vec4f,
    // Transformed heights of contour lines, ascending, four to a vector.
    levels: array<vec4f, 16>,
    // The colour map, evenly spaced, sRGB.
    colors: array<vec4f, 33>,
}

@group(0) @binding(0) var<uniform> scene: Scene;
