// A grid of heights as a lit surface, and flat on the floor as a contour map.
// Needs scene.wgsl, colormap.wgsl and contour.wgsl.

// Twin of `LayerUniform` in `gpu/uniforms.rs`.
struct Layer {
    // Its one colour; w = 1: use it, w = 0: use the colour map.
    solid: vec4f,
    // Opacity, strength of lighting, of contour lines, of grid lines.
    look: vec4f,
    // Nodes between grid lines along x and y; opacity of the floor's colours, of the floor's lines.
    grid: vec4f,
}

@group(1) @binding(0) var<uniform> layer: Layer;
@group(2) @binding(0) var heights: texture_2d<f32>;
// Row 0: values along x, row 1: values along y.
@group(2) @binding(1) var axes: texture_2d<f32>;

// Heights beyond this are holes. Twin of `HOLE` in `gpu/surface.rs`.
const KNOWN: f32 = 1e37;

struct Varying {
    @invariant @builtin(position) position: vec4f,
    @location(0) world: vec3f,
    @location(1) normal: vec3f,
    // Transformed height.
    @location(2) height: f32,
    // Column and row.
    @location(3) grid: vec2f,
}

fn transform(height: f32) -> f32 {
    if scene.height.w > 0.5 {
        return log2(max(height, scene.color.w)) * 0.30102999566;
    }
    return height;
}

// World position of a node and its transformed height; `known` is false for holes and beyond the grid.
struct Node {
    world: vec3f,
    height: f32,
    known: bool,
}

fn node(i: vec2i) -> Node {
    let size = vec2i(textureDimensions(heights));
    let inside = all(i >= vec2i(0)) && all(i < size);
    let at = clamp(i, vec2i(0), size - 1);
    let raw = textureLoad(heights, at, 0).r;
    let x = textureLoad(axes, vec2i(at.x, 0), 0).r;
    let y = textureLoad(axes, vec2i(at.y, 1), 0).r;
    let height = transform(raw);
    let world = vec3f(
        (x - scene.plane.y) * scene.plane.x,
        (y - scene.plane.w) * scene.plane.z,
        scene.height.z + (height - scene.height.y) * scene.height.x,
    );
    return Node(world, height, inside && raw < KNOWN);
}

// The nearest known node in a direction, or the node itself: grids fill in coarse to fine.
fn neighbour(here: Node, i: vec2i, direction: vec2i) -> vec3f {
    for (var step = 1; step <= 64; step *= 2) {
        let there = node(i + direction * step);
        if there.known {
            return there.world;
        }
    }
    return here.world;
}

@vertex
fn vs_surface(@builtin(vertex_index) index: u32) -> Varying {
    let columns = textureDimensions(heights).x;
    let i = vec2i(i32(index % columns), i32(index / columns));
    let here = node(i);
    let along_x = neighbour(here, i, vec2i(1, 0)) - neighbour(here, i, vec2i(-1, 0));
    let along_y = neighbour(here, i, vec2i(0, 1)) - neighbour(here, i, vec2i(0, -1));
    let normal = cross(along_x, along_y);
    var out: Varying;
    out.position = scene.matrix * vec4f(here.world, 1.0);
    out.world = here.world;
    out.normal = select(vec3f(0.0, 0.0, 1.0), normalize(normal), dot(normal, normal) > 1e-20);
    out.height = here.height;
    out.grid = vec2f(i);
    return out;
}

@vertex
fn vs_floor(@builtin(vertex_index) index: u32) -> Varying {
    let columns = textureDimensions(heights).x;
    let i = vec2i(i32(index % columns), i32(index / columns));
    let here = node(i);
    var out: Varying;
    out.world = vec3f(here.world.xy, scene.floor.x);
    out.position = scene.matrix * vec4f(out.world, 1.0);
    out.normal = vec3f(0.0, 0.0, 1.0);
    out.height = here.height;
    out.grid = vec2f(i);
    return out;
}

// Samples of the pixel that lie below the cut: a smooth edge at any size. `width` is the change of height
// across the pixel.
fn below_cut(height: f32, width: f32) -> u32 {
    let above = (height - scene.color.z) / max(width, 1e-20);
    return (1u << u32(round(clamp(0.5 - above, 0.0, 1.0) * 4.0))) - 1u;
}

fn map_position(height: f32) -> f32 {
    return (height - scene.color.x) * scene.color.y;
}

fn to_linear(color: vec3f) -> vec3f {
    return pow(color, vec3f(2.2));
}

fn to_display(color: vec3f) -> vec3f {
    return pow(max(color, vec3f(0.0)), vec3f(1.0 / 2.2));
}

// Sky light, one lamp over the viewer's shoulder, and a dull highlight.
fn lit(color: vec3f, normal: vec3f, world: vec3f) -> vec3f {
    let eye = normalize(scene.eye.xyz - world * scene.eye.w);
    let outside = dot(normal, eye) >= 0.0;
    let n = select(-normal, normal, outside);
    let lamp = max(dot(n, scene.light.xyz), 0.0);
    let sky = 0.5 + 0.5 * n.z;
    let glance = pow(max(dot(n, normalize(scene.light.xyz + eye)), 0.0), 24.0);
    let light = (0.22 + 0.20 * sky + 0.68 * lamp) * select(0.75, 1.0, outside);
    let base = to_linear(color);
    return to_display(base * light + (0.02 + 0.15 * base) * glance);
}

// How much of the pixel lines along the grid cover.
fn wire(grid: vec2f, change: vec2f, width: f32) -> f32 {
    let line = grid / layer.grid.xy;
    let pixel = max(change / layer.grid.xy, vec2f(1e-6));
    let distance = abs(line - round(line)) / pixel;
    let cover = clamp(vec2f(0.5 * width + 0.5) - distance, vec2f(0.0), vec2f(1.0));
    let faded = cover * smoothstep(vec2f(3.0), vec2f(8.0), 1.0 / pixel);
    return max(faded.x, faded.y);
}

struct Fragment {
    @location(0) color: vec4f,
    @builtin(sample_mask) mask: u32,
}

@fragment
fn fs_surface(in: Varying) -> Fragment {
    let slope = vec2f(dpdx(in.height), dpdy(in.height));
    let change = fwidth(in.grid);
    let points = scene.picture.z;
    let map = colormap(map_position(in.height));
    var color = mix(map, layer.solid.rgb, layer.solid.w);
    let ink = contour_ink(color);
    if layer.look.y > 0.0 {
        color = mix(color, lit(color, normalize(in.normal), in.world), layer.look.y);
    }
    color = mix(color, ink, layer.look.w * wire(in.grid, change, 0.6 * points));
    color = mix(color, ink, layer.look.z * contour(in.height, length(slope), 0.9 * points, 0.2));
    let alpha = layer.look.x;
    return Fragment(vec4f(color * alpha, alpha), below_cut(in.height, length(slope)));
}

// Depth only, so that a transparent surface hides its own far side.
@fragment
fn fs_depth(in: Varying) -> @builtin(sample_mask) u32 {
    let slope = vec2f(dpdx(in.height), dpdy(in.height));
    return below_cut(in.height, length(slope));
}

@fragment
fn fs_floor(in: Varying) -> Fragment {
    let slope = vec2f(dpdx(in.height), dpdy(in.height));
    let map = colormap(map_position(in.height));
    let line = contour(in.height, length(slope), 1.1 * scene.picture.z, 0.7) * layer.grid.w;
    let fill = layer.grid.z;
    // Lines alone carry the colour; on a filled floor they are ink. On white, the map's light end darkens.
    let luminance = dot(map, vec3f(0.299, 0.587, 0.114));
    let alone = mix(map * 0.88, mix(map, vec3f(1.0), 0.35 * (1.0 - luminance)), scene.floor.y);
    let ink = mix(alone, contour_ink(map), step(0.01, fill));
    let strength = mix(line, 0.6 * line, step(0.01, fill));
    let alpha = fill + strength * (1.0 - fill);
    let color = map * fill * (1.0 - strength) + ink * strength;
    return Fragment(vec4f(color, alpha), below_cut(in.height, length(slope)));
}
