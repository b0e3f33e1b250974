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

// Twin of `Node` in `gpu/surface.rs`: a point of the grid, or the middle of a cell.
struct Node {
    @location(0) place: vec2f,
    // The height and its decimal logarithm.
    @location(1) height: vec2f,
    // Change of the height per unit of x and of y, and that of its logarithm.
    @location(2) slope: vec2f,
    @location(3) log_slope: vec2f,
    // Column and row.
    @location(4) grid: vec2f,
}

struct Varying {
    @invariant @builtin(position) position: vec4f,
    @location(0) world: vec3f,
    @location(1) normal: vec3f,
    // Transformed height.
    @location(2) height: f32,
    @location(3) grid: vec2f,
}

fn is_log() -> bool {
    return scene.height.w > 0.5;
}

fn transformed(node: Node) -> f32 {
    return select(node.height.x, node.height.y, is_log());
}

fn corner(node: Node, world: vec3f, height: f32, normal: vec3f) -> Varying {
    return Varying(scene.matrix * vec4f(world, 1.0), world, normal, height, node.grid);
}

@vertex
fn vs_surface(node: Node) -> Varying {
    let height = transformed(node);
    let plane = (node.place - scene.plane.yw) * scene.plane.xz;
    let world = vec3f(plane, scene.height.z + (height - scene.height.y) * scene.height.x);
    let slope = select(node.slope, node.log_slope, is_log()) * scene.height.x / scene.plane.xz;
    return corner(node, world, height, normalize(vec3f(-slope, 1.0)));
}

@vertex
fn vs_floor(node: Node) -> Varying {
    let plane = (node.place - scene.plane.yw) * scene.plane.xz;
    return corner(node, vec3f(plane, scene.floor.x), transformed(node), vec3f(0.0, 0.0, 1.0));
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

// Sky light, one lamp over the viewer's shoulder, and a dull highlight. Squares stand for linear light.
fn lit(color: vec3f, normal: vec3f, world: vec3f) -> vec3f {
    let eye = normalize(scene.eye.xyz - world * scene.eye.w);
    let outside = dot(normal, eye) >= 0.0;
    let n = select(-normal, normal, outside);
    let lamp = max(dot(n, scene.light.xyz), 0.0);
    let sky = 0.5 + 0.5 * n.z;
    let glance = pow(max(dot(n, normalize(scene.light.xyz + eye)), 0.0), 24.0);
    let light = (0.34 + 0.16 * sky + 0.58 * lamp) * select(0.8, 1.0, outside);
    let base = color * color;
    return sqrt(base * light + (0.02 + 0.15 * base) * glance);
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
