//! Known heights at known pixels: the surface renderer on whatever adapter there is, Mesa's software one
//! included.

use std::sync::OnceLock;

use basin::gpu::{
    Camera, ColorMap, Contours, Fill, FontFamily, Frame, HeightScale, LayerStyle, Offscreen, Pick,
    SurfaceData, SurfaceStyle, SurfaceView, Target, pick,
};
use basin::ui::surface_texture::SurfaceTexture;
use eframe::egui::{Pos2, vec2};
use eframe::egui_wgpu;
use egui_kittest::Harness;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state};
use glam::Vec2;
use image::{Rgba, RgbaImage};

const RED: [u8; 3] = [200, 20, 10];
const BLUE: [u8; 3] = [10, 40, 220];
const WHITE: [u8; 3] = [255; 3];

/// One device for all tests. Without an adapter the tests fail and say what to install.
fn gpu() -> &'static Offscreen {
    static GPU: OnceLock<Offscreen> = OnceLock::new();
    GPU.get_or_init(|| Offscreen::new().unwrap_or_else(|error| panic!("{error:#}")))
}

fn axis(nodes: usize) -> Vec<f32> {
    (0..nodes).map(|i| -1.0 + 2.0 * i as f32 / (nodes - 1) as f32).collect()
}

fn surface(nodes: usize, height: impl Fn(f32, f32) -> f32) -> SurfaceData {
    SurfaceData::from_fn(axis(nodes), axis(nodes), height)
}

/// Nothing but unlit surfaces on white, in a picture of 300 x 260 pixels.
fn bare(camera: Camera) -> SurfaceView {
    let mut view = SurfaceView::new(300, 260, 1.0);
    view.camera = camera;
    view.style = SurfaceStyle {
        lighting: false,
        contours: Contours { on_surface: false, on_floor: false, ..Contours::default() },
        axes: false,
        origin: false,
        color_bar: false,
        ..SurfaceStyle::default()
    };
    view
}

fn solid(color: [u8; 3], opacity: f32) -> LayerStyle {
    LayerStyle { fill: Fill::Solid(color), opacity, ..LayerStyle::default() }
}

fn draw(surfaces: &[SurfaceData], view: &SurfaceView) -> RgbaImage {
    gpu().render(&gpu().upload(surfaces), view).expect("a picture")
}

/// The pixel at which a point of the data is seen.
fn seen(image: &RgbaImage, view: &SurfaceView, frame: &Frame, point: [f32; 3]) -> [u8; 3] {
    let at = view.project(frame, point[0], point[1], point[2]);
    let Rgba([r, g, b, _]) = *image.get_pixel(at.x as u32, at.y as u32);
    [r, g, b]
}

#[track_caller]
fn assert_color(found: [u8; 3], expected: [u8; 3], within: u8) {
    let near = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= within);
    assert!(near, "colour {found:?}, expected {expected:?} within {within}");
}

fn mapped(map: ColorMap, t: f64) -> [u8; 3] {
    let color = map.at(t);
    [color.r, color.g, color.b]
}

#[test]
fn a_height_has_its_colour_at_its_pixel() {
    let data = surface(9, |_, _| 3.0);
    for camera in [Camera::default(), Camera::top()] {
        let mut view = bare(camera);
        view.style.range = Some([2.0, 6.0]);
        let frame = Frame::new([&data], &view.style);
        let image = draw(std::slice::from_ref(&data), &view);
        for [x, y] in [[0.0, 0.0], [-0.9, -0.9], [0.9, 0.9], [0.3, -0.7]] {
            assert_color(seen(&image, &view, &frame, [x, y, 3.0]), mapped(ColorMap::Viridis, 0.25), 1);
        }
        assert_color(seen(&image, &view, &frame, [-1.02, -1.02, 3.0]), WHITE, 0);
    }
}

#[test]
fn the_shader_has_the_same_colour_maps() {
    let data = surface(2, |x, _| x);
    for map in ColorMap::ALL {
        let mut view = bare(Camera::top());
        view.style.colormap = map;
        let frame = Frame::new([&data], &view.style);
        let image = draw(std::slice::from_ref(&data), &view);
        for i in -24..=24 {
            let at = view.project(&frame, i as f32 / 25.0, 0.0, 0.0).floor() + 0.5;
            let ray = view.camera.ray(at, &view.viewport());
            let t = f64::from(0.5 + 0.5 * ray.origin.x);
            let Rgba([r, g, b, _]) = *image.get_pixel(at.x as u32, at.y as u32);
            assert_color([r, g, b], mapped(map, t), 2);
        }
    }
}

#[test]
fn a_logarithmic_height_is_mapped_by_its_ratio() {
    let data = surface(41, |x, _| 10.0_f32.powf(1.0 + x));
    let mut view = bare(Camera::default());
    let linear = Frame::new([&data], &view.style);
    view.style.scale = HeightScale::Log;
    let frame = Frame::new([&data], &view.style);
    assert!((frame.color_position(10.0) - 0.5).abs() < 1e-6);
    let halfway = 0.5 * (frame.elevation(1.0) + frame.elevation(100.0));
    assert!((frame.elevation(10.0) - halfway).abs() < 1e-6);
    assert!(frame.elevation(10.0) > linear.elevation(10.0) + 0.1);
    let image = draw(std::slice::from_ref(&data), &view);
    assert_color(seen(&image, &view, &frame, [0.0, -0.5, 10.0]), mapped(ColorMap::Viridis, 0.5), 5);
    assert_color(
        seen(&image, &view, &frame, [-0.5, 0.2, 10.0_f32.sqrt()]),
        mapped(ColorMap::Viridis, 0.25),
        5,
    );
}

#[test]
fn what_is_nearer_hides_what_is_farther() {
    let ridge = |at: f32, height: f32| surface(41, move |_, y| height * (-40.0 * (y - at) * (y - at)).exp());
    let (near, far) = (ridge(-0.5, 2.0), ridge(0.5, 1.0));
    let mut view = bare(Camera { elevation: 0.1, ..Camera::front() });
    let frame = Frame::new([&near, &far], &view.style);
    for swap in [false, true] {
        let mut surfaces = [near.clone(), far.clone()];
        view.style.layers = vec![solid(RED, 1.0), solid(BLUE, 1.0)];
        if swap {
            surfaces.reverse();
            view.style.layers.reverse();
        }
        let image = draw(&surfaces, &view);
        assert_color(seen(&image, &view, &frame, [0.0, 0.5, 1.0]), RED, 0);
        view.camera.azimuth += std::f32::consts::PI;
        let image = draw(&surfaces, &view);
        assert_color(seen(&image, &view, &frame, [0.0, 0.5, 0.95]), BLUE, 0);
        view.camera.azimuth -= std::f32::consts::PI;
    }
}

#[test]
fn a_transparent_surface_shows_what_is_below_it_once() {
    let upper = surface(5, |_, _| 2.0);
    let lower = surface(5, |x, _| if x > 0.2 { 1.0 } else { f32::NAN });
    let mut view = bare(Camera::top());
    view.style.layers = vec![solid(RED, 0.5), solid(BLUE, 1.0)];
    let half = |a: [u8; 3], b: [u8; 3]| [0, 1, 2].map(|c| ((u16::from(a[c]) + u16::from(b[c])) / 2) as u8);
    let surfaces = [upper, lower];
    let frame = Frame::new(&surfaces, &view.style);
    let image = draw(&surfaces, &view);
    assert_color(seen(&image, &view, &frame, [0.7, 0.1, 2.0]), half(RED, BLUE), 2);
    assert_color(seen(&image, &view, &frame, [-0.7, 0.1, 2.0]), half(RED, WHITE), 2);

    // Both below a transparent one: the lower one first, whatever the order they are given in.
    view.style.layers = vec![solid(BLUE, 0.5), solid(RED, 0.5)];
    let surfaces = [surfaces[1].clone(), surfaces[0].clone()];
    let image = draw(&surfaces, &view);
    assert_color(seen(&image, &view, &frame, [0.7, 0.1, 2.0]), half(RED, half(BLUE, WHITE)), 3);

    // A line of sight that meets the same surface three times sees its nearest part only.
    let wave = surface(61, |_, y| (6.0 * y).sin());
    let mut view = bare(Camera { elevation: 0.12, ..Camera::front() });
    view.style.layers = vec![solid(RED, 0.5)];
    let frame = Frame::new([&wave], &view.style);
    let image = draw(std::slice::from_ref(&wave), &view);
    assert_color(seen(&image, &view, &frame, [0.0, 0.0, 0.0]), half(RED, WHITE), 2);
}

#[test]
fn a_hole_is_a_hole_until_coarse_nodes_stand_in() {
    let mut data = surface(9, |_, _| 1.0);
    for node in [4 * 9 + 4, 4 * 9 + 5] {
        data.height[node] = None;
    }
    let mut view = bare(Camera::top());
    view.style.layers = vec![solid(RED, 1.0)];
    let frame = Frame::new([&data], &view.style);
    let image = draw(std::slice::from_ref(&data), &view);
    assert_color(seen(&image, &view, &frame, [0.02, 0.02, 1.0]), WHITE, 0);
    assert_color(seen(&image, &view, &frame, [0.5, -0.5, 1.0]), RED, 0);
}

#[test]
fn a_contour_line_is_where_the_height_is() {
    let data = surface(33, |x, _| x);
    let mut view = bare(Camera::top());
    view.scale = 2.0;
    view.style.layers = vec![solid([230; 3], 1.0)];
    view.style.contours.on_surface = true;
    view.style.contours.levels = Some(vec![0.3]);
    let frame = Frame::new([&data], &view.style);
    let image = draw(std::slice::from_ref(&data), &view);
    for y in [-0.8, 0.0, 0.55] {
        let line = seen(&image, &view, &frame, [0.3, y, 0.3]);
        assert!(line[0] < 180, "no line at its height: {line:?}");
        for beside in [0.25, 0.35] {
            assert_color(seen(&image, &view, &frame, [beside, y, beside]), [230; 3], 0);
        }
    }
}

#[test]
fn the_floor_carries_the_contour_map() {
    let data = surface(33, |x, y| 2.0 + x + 0.1 * y);
    let mut view = bare(Camera::default());
    view.style.contours.fill_floor = true;
    let frame = Frame::new([&data], &view.style);
    let image = draw(std::slice::from_ref(&data), &view);
    // In front, where the surface does not cover the floor: colour at 0.85 opacity on white.
    let floor = frame.world(0.9, -0.9, 2.0).with_z(-frame.half.z);
    let at = view.camera.project(floor, &view.viewport());
    let Rgba([r, g, b, _]) = *image.get_pixel(at.x as u32, at.y as u32);
    let map = mapped(ColorMap::Viridis, f64::from(frame.color_position(2.0 + 0.9 - 0.09)));
    assert_color([r, g, b], map.map(|v| (0.85 * f32::from(v) + 0.15 * 255.0) as u8), 4);
}

#[test]
fn above_the_cut_nothing_is_drawn() {
    let data = surface(33, |x, _| 5.0 * x.abs());
    let mut view = bare(Camera::top());
    view.style.layers = vec![solid(RED, 1.0)];
    view.style.clip = Some(3.0);
    let frame = Frame::new([&data], &view.style);
    assert_eq!(frame.height, [0.0, 3.0]);
    let image = draw(std::slice::from_ref(&data), &view);
    assert_color(seen(&image, &view, &frame, [0.55, 0.0, 2.75]), RED, 0);
    assert_color(seen(&image, &view, &frame, [0.66, 0.0, 3.0]), WHITE, 0);
}

#[test]
fn the_pointer_finds_the_node_that_is_seen_there() {
    let mut data = surface(21, |x, y| 1.0 + 3.0 * (x * x + 0.5 * y * y));
    data.height[5 * 21 + 7] = None;
    let find = |data: &SurfaceData, view: &SurfaceView, at: Vec2| -> Option<Pick> {
        let frame = Frame::new([data], &view.style);
        pick(data, &frame, &view.camera, &view.viewport(), at)
    };
    let mut found = 0;
    for camera in
        [Camera::default(), Camera::top(), Camera { azimuth: 2.2, elevation: 0.9, ..Camera::default() }]
    {
        let view = bare(camera);
        let frame = Frame::new([&data], &view.style);
        for iy in 0..21 {
            for ix in 0..21 {
                let (x, y) = (data.x[ix], data.y[iy]);
                let Some(value) = data.at(ix, iy) else { continue };
                let world = frame.world(x, y, value);
                let hit = find(&data, &view, view.camera.project(world, &view.viewport()));
                let away = (world - camera.ray(Vec2::ZERO, &view.viewport()).origin).length();
                // Elsewhere another part of the bowl is in front.
                let Some(hit) = hit.filter(|hit| hit.distance > away - 1.0) else { continue };
                if (hit.ix, hit.iy) == (ix, iy) {
                    assert_eq!((hit.x, hit.y, hit.value), (x, y, value));
                    found += 1;
                } else {
                    assert!(hit.distance < away, "({ix}, {iy}) hidden by nothing: {hit:?}");
                }
            }
        }
    }
    assert!(found > 2 * 440, "only {found} nodes found");

    let view = bare(Camera::top());
    let frame = Frame::new([&data], &view.style);
    let hole = view.project(&frame, data.x[7], data.y[5], 2.0);
    assert_eq!(find(&data, &view, hole), None);
    assert_eq!(find(&data, &view, Vec2::new(1.0, 1.0)), None);
    assert_eq!(find(&SurfaceData::default(), &view, hole), None);
}

#[test]
fn labels_stay_in_the_picture_and_out_of_the_box() {
    let data = surface(21, |x, y| 1.0 + 3.0 * (x * x + 0.5 * y * y));
    for step in 0..48 {
        let elevation = (step / 12) as f32 * 0.5;
        let azimuth = step as f32 * 0.55;
        let mut view = SurfaceView::new(640, 480, 1.0);
        view.camera = Camera { azimuth, elevation, ..Camera::default() };
        let frame = Frame::new([&data], &view.style);
        let labels = view.labels(&frame);
        assert!(labels.len() >= 5, "{} labels at {azimuth} {elevation}", labels.len());
        for label in labels {
            let inside =
                label.position.cmpge(Vec2::ZERO).all() && label.position.cmple(Vec2::new(640.0, 480.0)).all();
            assert!(inside, "{label:?} at {azimuth} {elevation}");
        }
    }
}

#[test]
fn a_finished_picture_has_text_and_a_colour_bar() {
    let data = surface(21, |x, y| 1.0 + 3.0 * (x * x + 0.5 * y * y));
    let mut view = SurfaceView::new(400, 300, 1.0);
    view.style.titles = ["one".into(), "two & three".into(), "loss <robust>".into()];
    let image = gpu().picture(std::slice::from_ref(&data), &view, FontFamily::Serif).expect("a picture");
    let frame = Frame::new([&data], &view.style);
    let bar = view.color_bar(&frame).expect("a colour bar");
    let foot = image.get_pixel(bar.min.x as u32 + 4, bar.max.y as u32 - 2);
    assert_color([foot[0], foot[1], foot[2]], mapped(ColorMap::Viridis, 0.0), 12);
    assert_eq!(image.dimensions(), (400, 300));
    assert!(image.pixels().all(|pixel| pixel[3] == 255));
}

#[test]
fn the_window_shows_the_same_picture() {
    let data = vec![surface(21, |x, y| 1.0 + 3.0 * (x * x + 0.5 * y * y))];
    let mut view = bare(Camera::default());
    view.style.lighting = true;
    let expected = draw(&data, &view);
    let options = egui_wgpu::RendererOptions::PREDICTABLE;
    let state = create_render_state(egui_kittest::wgpu::default_wgpu_setup(), options);
    let renderer = WgpuTestRenderer::from_render_state(state.clone());
    let corner = std::cell::Cell::new(Pos2::ZERO);
    let mut texture = SurfaceTexture::default();
    let mut harness = Harness::builder().with_size([340.0, 300.0]).renderer(renderer).build_ui(|ui| {
        let id = texture.show(&state, &view, 1, || data.clone());
        let response = ui.image((id, vec2(300.0, 260.0)));
        corner.set(response.rect.min);
    });
    harness.run();
    let window = harness.render().expect("a picture of the window");
    let (left, top) = (corner.get().x as u32, corner.get().y as u32);
    for (x, y, pixel) in expected.enumerate_pixels() {
        let Rgba([r, g, b, _]) = *window.get_pixel(left + x, top + y);
        assert_color([r, g, b], [pixel[0], pixel[1], pixel[2]], 2);
    }
}

#[test]
fn a_large_picture_has_no_seams() {
    let data = [surface(21, |x, y| 1.0 + 3.0 * (x * x + 0.5 * y * y))];
    // Wide enough for two tiles; the surface lies across their border.
    let mut view = SurfaceView::new(2900, 500, 2.0);
    view.style.color_bar = false;
    view.camera.zoom = 3.0;
    let tiled = draw(&data, &view);
    let target = Target::new(&gpu().device, view.size);
    gpu().renderer.render(&gpu().device, &gpu().queue, &target, &gpu().upload(&data), &view);
    let whole = gpu().read(&target).expect("pixels");
    let differs = |a: &Rgba<u8>, b: &Rgba<u8>| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 16);
    let differing = tiled.pixels().zip(whole.pixels()).filter(|(a, b)| differs(a, b)).count();
    assert!(differing < 20, "{differing} pixels differ");
    let drawn = |x: u32| (0..500).any(|y| tiled.get_pixel(x, y) != &Rgba([255; 4]));
    assert!(drawn(2047) && drawn(2048));
}

#[test]
fn impossible_pictures_are_refused_and_empty_ones_are_empty() {
    let data = surface(3, |_, _| 1.0);
    let mut view = bare(Camera::default());
    view.size = [100_000, 20];
    let error = gpu().render(&gpu().upload(&[data]), &view).expect_err("too wide").to_string();
    assert!(error.contains("100000 x 20"), "{error}");
    view.size = [40, 30];
    let holes = SurfaceData { height: vec![None; 9], ..surface(3, |_, _| 0.0) };
    for nothing in [SurfaceData::default(), holes] {
        let image = draw(&[nothing], &view);
        assert!(image.pixels().all(|pixel| *pixel == Rgba([255; 4])));
    }
}

/// How far two turned boxes overlap in the direction in which they overlap least; negative if they do not.
fn overlap(a: &[Vec2; 4], b: &[Vec2; 4]) -> f32 {
    let shadow = |of: &[Vec2; 4], axis: Vec2| {
        let along = of.map(|corner| corner.dot(axis));
        (along.into_iter().fold(f32::MAX, f32::min), along.into_iter().fold(f32::MIN, f32::max))
    };
    let sides = [a[1] - a[0], a[3] - a[0], b[1] - b[0], b[3] - b[0]];
    let shared = sides.map(|side| {
        let axis = side.normalize_or(Vec2::X);
        let ((low, high), (from, to)) = (shadow(a, axis), shadow(b, axis));
        high.min(to) - low.max(from)
    });
    shared.into_iter().fold(f32::MAX, f32::min)
}

/// What is wrong with the words of a finished picture.
fn faults(view: &SurfaceView, frame: &Frame, surfaces: usize) -> Vec<String> {
    let view = view.with_room_for(frame);
    let bar = view.color_bar(frame).expect("a colour bar");
    let mut labels = view.labels(frame);
    let mut faults: Vec<String> = (view.style.titles.iter())
        .filter(|title| !labels.iter().any(|label| label.text.starts_with(&***title)))
        .map(|title| format!("{title:?} is not there"))
        .collect();
    if labels.len() < 9 || bar.labels.len() < 2 {
        faults.push(format!("{} labels, {} at the bar", labels.len(), bar.labels.len()));
    }
    labels.extend(bar.labels);
    labels.extend(
        view.legend(surfaces).into_iter().flat_map(|legend| legend.entries.into_iter().map(|e| e.label)),
    );
    let size = Vec2::new(view.size[0] as f32, view.size[1] as f32);
    let of_bar = [bar.min, Vec2::new(bar.max.x, bar.min.y), bar.max, Vec2::new(bar.min.x, bar.max.y)];
    for (i, label) in labels.iter().enumerate() {
        let corners = label.corners();
        let inside = |corner: &Vec2| corner.cmpge(Vec2::splat(-1.0)).all() && corner.cmple(size + 1.0).all();
        if !corners.iter().all(inside) {
            faults.push(format!("{:?} is outside: {corners:?}", label.text));
        }
        if overlap(&corners, &of_bar) > 0.5 {
            faults.push(format!("{:?} is on the colour bar", label.text));
        }
        for other in &labels[..i] {
            // The boxes have some room above and below the letters.
            if overlap(&corners, &other.corners()) > 0.25 * label.size {
                faults.push(format!("{:?} and {:?} overlap", label.text, other.text));
            }
        }
    }
    faults
}

#[test]
fn words_of_every_range_are_in_the_picture_and_apart() {
    let mut all = Vec::new();
    for power in -6..=6 {
        let range = 10f32.powi(power);
        for base in [0.0, 0.1, 2.305, 1000.0] {
            let bowl = |x: f32, y: f32| base + range * (0.5 * x * x + 0.3 * y * y + 0.2 * x * y);
            let data = SurfaceData::from_fn(axis(21), axis(21), bowl);
            for scale in [HeightScale::Linear, HeightScale::Log] {
                for (width, height, points) in
                    [(400, 300, 8.8), (300, 225, 8.8), (900, 400, 11.0), (330, 247, 5.6)]
                {
                    let mut view = SurfaceView::new(width, height, 1.0);
                    view.style.font_size = points;
                    view.style.scale = scale;
                    view.style.titles =
                        ["Random direction 1", "Random direction 2", "Robust error (%)"].map(Into::into);
                    let frame = Frame::new([&data, &data], &view.style);
                    let of = faults(&view, &frame, 2);
                    if !of.is_empty() {
                        all.push(format!("{base} + {range} {scale:?} {width}x{height}: {}", of.join("; ")));
                    }
                }
            }
        }
    }
    assert!(all.is_empty(), "{} pictures:\n{}", all.len(), all[..all.len().min(30)].join("\n"));
}

/// 21: with a range of 0.003, one title was under the colour bar and one was not there at all.
#[test]
fn a_surface_of_a_small_range_has_all_of_its_words() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/field-reports/21-surface-labels/surface.json");
    let record = basin_core::record::Record::load(&path).expect("a record");
    let options = basin::plot::landscape::Options::default();
    let surfaces = basin::surface::surfaces(&record, options.quantity, options.which);
    let mut view = SurfaceView::new(440, 330, 110.0 / 72.0);
    view.style = SurfaceStyle { font_size: 8.8, ..basin::surface::style(&record, &options) };
    let frame = Frame::new(&surfaces, &view.style);
    assert_eq!(faults(&view, &frame, surfaces.len()), [""; 0]);
    let labels = view.with_room_for(&frame).labels(&frame);
    for title in ["Random direction 1", "Random direction 2", "Clean loss"] {
        assert!(labels.iter().any(|label| label.text.starts_with(title)), "{title}");
    }
}

#[test]
fn places_of_several_pictures_fill_the_page_without_meeting() {
    for (count, size) in
        [(1, [640, 480]), (2, [640, 240]), (3, [700, 420]), (7, [1920, 1080]), (12, [300, 900])]
    {
        let tiles = basin::surface_picture::tiles(count, size);
        assert_eq!(tiles.len(), count);
        for (at, tile) in tiles.iter().enumerate() {
            let ends = [0, 1].map(|axis| tile.corner[axis] + tile.size[axis]);
            assert!(ends[0] <= size[0] && ends[1] <= size[1], "{count} of {size:?}: {tile:?}");
            let meets = |other: &basin::surface_picture::Tile| {
                (0..2).all(|axis| tile.corner[axis].abs_diff(other.corner[axis]) < tile.size[axis])
            };
            assert!(!tiles[..at].iter().any(meets), "{count} of {size:?}: {tile:?}");
        }
        let covered: u32 = tiles.iter().map(|tile| tile.size[0] * tile.size[1]).sum();
        assert!(2 * covered > size[0] * size[1], "{count} of {size:?}");
    }
}

#[test]
fn a_place_of_the_box_is_found_again_from_its_point_in_space() {
    let data = SurfaceData::from_fn(vec![-2.0, 0.0, 1.0], vec![0.5, 4.0], |x, y| x * y);
    let frame = Frame::new([&data], &SurfaceStyle::default());
    for [x, y] in [[-2.0, 0.5], [0.25, 3.0], [1.0, 4.0]] {
        let [found_x, found_y] = frame.place(frame.world(x, y, 0.3));
        assert!((found_x - x).abs() < 1e-5 && (found_y - y).abs() < 1e-5, "{found_x} {found_y}");
    }
    let outside = frame.place(frame.world(9.0, -9.0, 0.0));
    assert_eq!(outside, [1.0, 0.5], "within the axes");
}

#[test]
fn pictures_that_share_heights_have_one_frame() {
    let data = SurfaceData::from_fn(vec![-1.0, 1.0], vec![-1.0, 1.0], |x, _| x);
    let style = SurfaceStyle { heights: Some([-3.0, 5.0]), ..SurfaceStyle::default() };
    let frame = Frame::new([&data], &style);
    assert_eq!((frame.height, frame.colors), ([-3.0, 5.0], [-3.0, 5.0]));
    let clipped = Frame::new([&data], &SurfaceStyle { clip: Some(2.0), ..style });
    assert_eq!(clipped.height, [-3.0, 2.0]);
}
