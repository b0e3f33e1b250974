//! Pictures without a window: for export and for tests.

use anyhow::{Context as _, Result, bail};
use image::{GenericImage as _, GenericImageView as _, Rgba, RgbaImage};

use super::data::SurfaceData;
use super::overlay;
use super::renderer::SurfaceRenderer;
use super::surface::Surface;
use super::target::Target;
use super::view::SurfaceView;
use crate::plot::export::FontFamily;

/// Longest side of a picture in pixels.
pub const LARGEST_SIDE: u32 = 16_384;
/// Longest side of what is drawn at once.
const TILE: u32 = 2048;

/// A renderer with its own device, or with the window's.
#[derive(Debug)]
pub struct Offscreen {
    /// The device pictures are made on.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// The renderer.
    pub renderer: SurfaceRenderer,
}

impl Offscreen {
    /// On the best adapter there is; one that computes on the CPU will do.
    ///
    /// # Errors
    /// When there is no adapter at all.
    pub fn new() -> Result<Self> {
        let descriptor = wgpu::InstanceDescriptor {
            backends: wgpu::Backends::PRIMARY,
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        };
        let instance = wgpu::Instance::new(descriptor.with_env());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        };
        let Ok(adapter) = pollster::block_on(instance.request_adapter(&options)) else {
            bail!(
                "no graphics adapter was found to draw a surface with; install a Vulkan driver, for \
                 example Mesa's software one (Debian and Ubuntu: mesa-vulkan-drivers)"
            );
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("basin offscreen"),
            required_limits: wgpu::Limits::default().using_resolution(adapter.limits()),
            ..wgpu::DeviceDescriptor::default()
        };
        let name = adapter.get_info().name;
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .with_context(|| format!("the graphics adapter {name} could not be opened"))?;
        Ok(Self::with_device(device, queue))
    }

    /// On a device that is there already, such as the window's.
    pub fn with_device(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let renderer = SurfaceRenderer::new(&device);
        Self { device, queue, renderer }
    }

    /// Puts surfaces on the GPU.
    pub fn upload(&self, surfaces: &[SurfaceData]) -> Vec<Surface> {
        surfaces.iter().map(|data| self.renderer.upload(&self.device, data)).collect()
    }

    /// The finished picture: surfaces, labels, colour bar and legend.
    ///
    /// # Errors
    /// See [`Offscreen::render`].
    pub fn picture(
        &self,
        surfaces: &[SurfaceData],
        view: &SurfaceView,
        family: FontFamily,
    ) -> Result<RgbaImage> {
        let uploaded = self.upload(surfaces);
        let frame = SurfaceRenderer::frame(&uploaded, view);
        let view = &view.with_room_for(&frame);
        let mut image = self.render(&uploaded, view)?;
        overlay::composite(&mut image, view, &frame, surfaces.len(), family)
            .context("the labels could not be drawn")?;
        Ok(image)
    }

    /// The surfaces alone, without text.
    ///
    /// Drawn tile by tile, so that the memory of the device does not limit the size.
    ///
    /// # Errors
    /// When a side is zero or beyond `LARGEST_SIDE`, or the device is lost.
    pub fn render(&self, surfaces: &[Surface], view: &SurfaceView) -> Result<RgbaImage> {
        let [width, height] = view.size;
        if !(1..=LARGEST_SIDE).contains(&width) || !(1..=LARGEST_SIDE).contains(&height) {
            bail!(
                "a picture of {width} x {height} pixels cannot be drawn: each side must be 1 to {LARGEST_SIDE}"
            );
        }
        let mut image = RgbaImage::new(width, height);
        let target = Target::new(&self.device, [width.min(TILE), height.min(TILE)]);
        for y in (0..height).step_by(TILE as usize) {
            for x in (0..width).step_by(TILE as usize) {
                let corner = [x, y];
                self.renderer.render_part(&self.device, &self.queue, &target, surfaces, view, corner);
                let tile = self.read(&target)?;
                image.copy_from(
                    &*tile.view(0, 0, tile.width().min(width - x), tile.height().min(height - y)),
                    x,
                    y,
                )?;
            }
        }
        if view.style.transparent_background {
            image.pixels_mut().for_each(divide_by_opacity);
        }
        Ok(image)
    }

    /// Copies a drawn picture from the device, with opacity premultiplied.
    ///
    /// # Errors
    /// When the device is lost.
    pub fn read(&self, target: &Target) -> Result<RgbaImage> {
        let [width, height] = target.size();
        let row = (4 * width).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("surface pixels"),
            size: u64::from(row) * u64::from(height),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_texture_to_buffer(
            target.texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(row),
                    rows_per_image: None,
                },
            },
            wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        );
        self.queue.submit([encoder.finish()]);
        buffer.map_async(wgpu::MapMode::Read, .., |_| {});
        self.device.poll(wgpu::PollType::wait_indefinitely()).context("the graphics device was lost")?;
        let mapped = buffer.get_mapped_range(..).context("the picture could not be read back")?;
        let rows = mapped.chunks_exact(row as usize).map(|line| &line[..4 * width as usize]);
        let pixels: Vec<u8> = rows.flatten().copied().collect();
        RgbaImage::from_raw(width, height, pixels).context("the picture is incomplete")
    }
}

/// The GPU's colours are premultiplied, those of an image file are not.
fn divide_by_opacity(pixel: &mut Rgba<u8>) {
    let alpha = u16::from(pixel[3]).max(1);
    for c in 0..3 {
        pixel[c] = (u16::from(pixel[c]) * 255 / alpha).min(255) as u8;
    }
}
