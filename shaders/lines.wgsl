// Lines and dots of constant width in pixels, with round ends and smooth edges. Needs scene.wgsl.

// Twin of `LineInstance` in `gpu/uniforms.rs`. A line without length is a dot.
struct Line {
    // End in world space, and the width in pixels.
    @location(0) from_width: vec4f,
    @location(1) to: vec4f,
    // sRGB and opacity.
    @location(2) color: vec4f,
}

struct Varying {
    @builtin(position) position: vec4f,
    // The two ends in pixels.
    @location(0) @interpolate(flat) ends: vec4f,
    @location(1) @interpolate(flat) color: vec4f,
    @location(2) @interpolate(flat) half_width: f32,
}

fn pixel(clip: vec4f) -> vec2f {
    return (clip.xy / clip.w * vec2f(0.5, -0.5) + 0.5) * scene.picture.xy;
}

@vertex
fn vs_line(@builtin(vertex_index) corner: u32, line: Line) -> Varying {
    let from_clip = scene.matrix * vec4f(line.from_width.xyz, 1.0);
    let to_clip = scene.matrix * vec4f(line.to.xyz, 1.0);
    let a = pixel(from_clip);
    let b = pixel(to_clip);
    let span = b - a;
    let along = select(vec2f(1.0, 0.0), normalize(span), dot(span, span) > 1e-6);
    let across = vec2f(-along.y, along.x);
    let reach = 0.5 * line.from_width.w + 1.0;
    let at_end = (corner & 1u) == 1u;
    let side = select(-reach, reach, (corner & 2u) == 2u);
    let place = select(a - along * reach, b + along * reach, at_end) + across * side;
    let clip = select(from_clip, to_clip, at_end);
    let ndc = (place / scene.picture.xy - 0.5) * vec2f(2.0, -2.0);
    var out: Varying;
    out.position = vec4f(ndc * clip.w, clip.z, clip.w);
    out.ends = vec4f(a, b);
    out.color = line.color;
    out.half_width = 0.5 * line.from_width.w;
    return out;
}

@fragment
fn fs_line(in: Varying) -> @location(0) vec4f {
    let a = in.ends.xy;
    let span = in.ends.zw - a;
    let from_a = in.position.xy - a;
    let t = clamp(dot(from_a, span) / max(dot(span, span), 1e-6), 0.0, 1.0);
    let distance = length(from_a - span * t);
    let alpha = in.color.a * clamp(in.half_width + 0.5 - distance, 0.0, 1.0);
    return vec4f(in.color.rgb * alpha, alpha);
}
