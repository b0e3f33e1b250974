//! Moving pixels: crops, flips, shears, translations, rotations, cutouts. Images are `N x C x H x W`; every
//! function takes one setting per image and moves all images at once.

use tch::{Kind, Tensor};

use super::shapes::{per_channel, per_image};

/// Pixels added at the top, right, bottom and left.
pub type Pads = [i64; 4];

/// Pads all sides by `padding` in a colour, takes the part that begins at `(y, x)`, and mirrors it where
/// wanted.
pub fn crop_flip(
    images: &Tensor,
    padding: i64,
    fill: &[f64],
    corners: &[(i64, i64)],
    flips: &[bool],
) -> Tensor {
    let size = images.size();
    let (height, width) = (size[2], size[3]);
    let start =
        |pick: fn(&(i64, i64)) -> i64| -> Vec<i64> { corners.iter().map(|c| pick(c) - padding).collect() };
    let rows = along(height, &start(|c| c.0), images);
    let columns = along(width, &start(|c| c.1), images);
    let flipped = Tensor::from_slice(flips).to_device(images.device()).view([-1, 1]);
    let columns = columns.flip([1]).where_self(&flipped, &columns);
    take(images, &rows, &columns, fill)
}

/// `0..count` shifted by each start: `N x count`.
fn along(count: i64, starts: &[i64], like: &Tensor) -> Tensor {
    Tensor::arange(count, (Kind::Int64, like.device()))
        + Tensor::from_slice(starts).to_device(like.device()).unsqueeze(1)
}

/// Pixel `(rows[n, y], columns[n, x])` of each image; `fill` where that is outside.
fn take(images: &Tensor, rows: &Tensor, columns: &Tensor, fill: &[f64]) -> Tensor {
    let size = images.size();
    let (rows, columns) = (rows.unsqueeze(2), columns.unsqueeze(1));
    take_at(
        images,
        &rows.expand([size[0], size[2], size[3]], false),
        &columns.expand([size[0], size[2], size[3]], false),
        fill,
    )
}

/// Pixel `(rows[n, y, x], columns[n, y, x])` of each image; `fill` where that is outside.
fn take_at(images: &Tensor, rows: &Tensor, columns: &Tensor, fill: &[f64]) -> Tensor {
    let size = images.size();
    let (height, width) = (size[2], size[3]);
    let within = |index: &Tensor, end: i64| index.ge(0).logical_and(&index.lt(end));
    let inside = within(rows, height).logical_and(&within(columns, width)).unsqueeze(1);
    let flat = rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1);
    let flat = flat.view([size[0], 1, height * width]).expand([size[0], size[1], height * width], false);
    let taken =
        images.reshape([size[0], size[1], height * width]).gather(2, &flat, false).view(size.as_slice());
    taken.where_self(&inside, &per_channel(fill, images).to_kind(images.kind()))
}

/// Pads the sides with black, resizes back to the original size (bilinear, pixel centres at halves, no
/// smoothing), and mirrors where wanted. A resize is linear, so it is two products of matrices.
pub fn pad_resize(images: &Tensor, pads: &[Pads], flips: &[bool]) -> Tensor {
    let size = images.size();
    let rows: Vec<f32> =
        pads.iter().flat_map(|[top, _, bottom, _]| resize_matrix(size[2], *top, *bottom, false)).collect();
    let columns: Vec<f32> = pads
        .iter()
        .zip(flips)
        .flat_map(|([_, right, _, left], flip)| resize_matrix(size[3], *left, *right, *flip))
        .collect();
    let matrix = |values: &[f32], side: i64| {
        Tensor::from_slice(values).to_device(images.device()).view([-1, 1, side, side])
    };
    matrix(&rows, size[2]).matmul(images).matmul(&matrix(&columns, size[3]).transpose(2, 3))
}

/// Row `o`: how much each of the `side` pixels contributes to pixel `o` of the padded and resized line.
fn resize_matrix(side: i64, before: i64, after: i64, flip: bool) -> Vec<f32> {
    let padded = side + before + after;
    let mut matrix = vec![0.0; (side * side) as usize];
    for out in 0..side {
        let source = (out as f64 + 0.5) * padded as f64 / side as f64 - 0.5;
        let first = source.floor();
        let share = source - first;
        let row = if flip { side - 1 - out } else { out };
        for (tap, weight) in [(first, 1.0 - share), (first + 1.0, share)] {
            let pixel = (tap as i64).clamp(0, padded - 1) - before;
            if (0..side).contains(&pixel) {
                matrix[(row * side + pixel) as usize] += weight as f32;
            }
        }
    }
    matrix
}

/// Replaces a square of `side` pixels around each centre `(y, x)`, as far as it is inside, by a colour.
pub fn cutout(images: &Tensor, side: i64, fill: &[f64], centres: &[(i64, i64)]) -> Tensor {
    let size = images.size();
    let covered = |length: i64, centres: Vec<i64>| {
        let from = along(length, &centres.iter().map(|c| side / 2 - c).collect::<Vec<_>>(), images);
        from.ge(0).logical_and(&from.lt(side))
    };
    let rows = covered(size[2], centres.iter().map(|c| c.0).collect()).view([-1, 1, size[2], 1]);
    let columns = covered(size[3], centres.iter().map(|c| c.1).collect()).view([-1, 1, 1, size[3]]);
    per_channel(fill, images).to_kind(images.kind()).where_self(&rows.logical_and(&columns), images)
}

/// Shears along x by `amounts` (source `x + amount y`), bicubic; bytes in, bytes out.
pub(super) fn shear_x(images: &Tensor, amounts: &[f64], fill: &[f64]) -> Tensor {
    let size = images.size();
    let (height, width) = (size[2], size[3]);
    let centres = |count| Tensor::arange(count, (Kind::Double, images.device())) + 0.5;
    let amounts = per_image(amounts, images);
    let source = centres(width).view([1, 1, 1, -1]) + amounts * centres(height).view([1, 1, -1, 1]);
    let inside = source.ge(0.0).logical_and(&source.lt(width as f64));
    let source = source - 0.5;
    let first = source.floor();
    let d = &source - &first;
    let tap = |offset: i64| {
        let index = (first.to_kind(Kind::Int64) + offset).clamp(0, width - 1);
        images.gather(3, &index.expand(size.as_slice(), false), false).to_kind(Kind::Double)
    };
    let [v1, v2, v3, v4] = [-1, 0, 1, 2].map(tap);
    let cubic = -&v1 + &v2 - &v3 + &v4;
    let square = (&v1 - &v2) * 2.0 + &v3 - &v4;
    let value = &v2 + &d * ((&v3 - &v1) + &d * (square + &d * cubic));
    let value = value.clamp(0.0, 255.0).floor().to_kind(images.kind());
    value.where_self(&inside, &per_channel(fill, images).to_kind(images.kind()))
}

/// Moves images along x by `amounts` pixels (source `x + amount`), nearest.
pub(super) fn translate_x(images: &Tensor, amounts: &[f64], fill: &[f64]) -> Tensor {
    let size = images.size();
    let amounts = Tensor::from_slice(amounts).to_device(images.device()).unsqueeze(1);
    let columns = Tensor::arange(size[3], (Kind::Double, images.device())) + 0.5 + amounts;
    let rows = along(size[2], &vec![0; size[0] as usize], images);
    take(images, &rows, &columns.floor().to_kind(Kind::Int64), fill)
}

/// Rotates counter-clockwise by `degrees` about the centre, nearest, in the 16.16 fixed-point arithmetic of
/// Pillow; outside is grey.
pub(super) fn rotate(images: &Tensor, degrees: &[f64]) -> Tensor {
    let size = images.size();
    let (height, width) = (size[2] as f64, size[3] as f64);
    let fixed = |value: f64| (65536.0 * value + 0.5).floor() as i64;
    let rounded = |value: f64| (value * 1e15).round() / 1e15;
    let (mut rows, mut columns) = (Vec::new(), Vec::new());
    for angle in degrees {
        let radians = -angle.to_radians();
        let (a, b) = (rounded(radians.cos()), rounded(radians.sin()));
        let (cx, cy) = (width / 2.0, height / 2.0);
        let (x0, y0) = (cx - cx * a - cy * b, cy + cx * b - cy * a);
        columns.extend([fixed(a), fixed(b), fixed(x0 + 0.5 * a + 0.5 * b)]);
        rows.extend([fixed(-b), fixed(a), fixed(y0 - 0.5 * b + 0.5 * a)]);
    }
    let counted = |count, shape: [i64; 3]| Tensor::arange(count, (Kind::Int64, images.device())).view(shape);
    let (x, y) = (counted(size[3], [1, 1, -1]), counted(size[2], [1, -1, 1]));
    let source = |coefficients: &[i64]| {
        let all = Tensor::from_slice(coefficients).to_device(images.device()).view([-1, 3, 1, 1]);
        let [along_x, along_y, offset] = [0, 1, 2].map(|i| all.select(1, i));
        (offset + along_x * &x + along_y * &y).divide_scalar_mode(65536, "floor")
    };
    let grey = vec![128.0; size[1] as usize];
    take_at(images, &source(&rows), &source(&columns), &grey)
}
