// Twin of `Colormap::at` in `gpu/colormap.rs`. Needs scene.wgsl.

fn colormap(t: f32) -> vec3f {
    let position = clamp(t, 0.0, 1.0) * 32.0;
    let i = min(u32(position), 31u);
    return mix(scene.colors[i].rgb, scene.colors[i + 1u].rgb, position - f32(i));
}
