//! The textures a picture is rendered into.

/// Format of finished pictures: display colours (gamma, not linear), opacity premultiplied. It is what
/// egui takes for a texture of the user's.
pub const COLOR_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
pub(super) const DEPTH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;
/// Samples per pixel. `below_cut` in `shaders/surface.wgsl` counts on it.
pub(super) const SAMPLES: u32 = 4;

/// Colour and depth of one size; made anew when the size changes.
#[derive(Debug)]
pub struct Target {
    /// The finished picture.
    pub texture: wgpu::Texture,
    /// View of the finished picture.
    pub view: wgpu::TextureView,
    pub(super) samples: wgpu::TextureView,
    pub(super) depth: wgpu::TextureView,
}

impl Target {
    /// Of a size in pixels; sides beyond what the device can do are cut.
    pub fn new(device: &wgpu::Device, size: [u32; 2]) -> Self {
        let most = device.limits().max_texture_dimension_2d;
        let [width, height] = size.map(|side| side.clamp(1, most));
        let make = |label, format, samples, usage| {
            device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: samples,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage,
                view_formats: &[],
            })
        };
        let attachment = wgpu::TextureUsages::RENDER_ATTACHMENT;
        let shown = attachment | wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_SRC;
        let texture = make("surface picture", COLOR_FORMAT, 1, shown);
        let view_of = |texture: &wgpu::Texture| texture.create_view(&wgpu::TextureViewDescriptor::default());
        Self {
            view: view_of(&texture),
            samples: view_of(&make("surface samples", COLOR_FORMAT, SAMPLES, attachment)),
            depth: view_of(&make("surface depth", DEPTH_FORMAT, SAMPLES, attachment)),
            texture,
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.texture.width(), self.texture.height()]
    }
}
