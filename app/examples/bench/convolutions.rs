//! What libtorch's convolutions can do: every convolution of a network by itself, forward and gradient of
//! its input, channels-last.

use basin_core::model::{Layer, Topology, channels_last};
use tch::{Device, Kind, Tensor};

use super::pairs::seconds;

/// Time and work of all convolutions of one step.
pub struct Rate {
    /// Forward and input gradient.
    pub seconds: f64,
    /// Floating point operations, two a multiply-add.
    pub flop: f64,
}

impl Rate {
    /// Billions of operations per second.
    pub fn gflops(&self) -> f64 {
        self.flop / self.seconds / 1e9
    }
}

/// Measures every convolution once. The first one's input gradient counts: it is the image's.
pub fn rate(topology: &Topology, batch: i64, kind: Kind) -> Rate {
    let mut shapes = Vec::new();
    collect(&topology.layers, topology.resolution[1], &mut shapes);
    let mut total = Rate { seconds: 0.0, flop: 0.0 };
    for shape in shapes {
        let one = measure(&shape, batch, kind);
        total.seconds += one.seconds;
        total.flop += one.flop;
    }
    total
}

struct Shape {
    input: i64,
    output: i64,
    kernel: i64,
    stride: i64,
    side: i64,
}

/// Every convolution with the side of its input; gives the side after the layers.
fn collect(layers: &[Layer], mut side: i64, shapes: &mut Vec<Shape>) -> i64 {
    for layer in layers {
        match layer {
            Layer::Conv { input, output, kernel, stride, .. } => {
                shapes.push(Shape { input: *input, output: *output, kernel: *kernel, stride: *stride, side });
                side /= stride;
            }
            Layer::Residual { body, shortcut, .. } => {
                collect(shortcut, side, shapes);
                side = collect(body, side, shapes);
            }
            _ => {}
        }
    }
    side
}

fn measure(shape: &Shape, batch: i64, kind: Kind) -> Rate {
    let Shape { input, output, kernel, stride, side } = *shape;
    let options = (Kind::Float, Device::Cpu);
    let random = |size: &[i64]| channels_last(&Tensor::rand(size, options).to_kind(kind));
    let x = random(&[batch, input, side, side]).set_requires_grad(true);
    let weight = random(&[output, input, kernel, kernel]);
    let out_side = side / stride;
    let gradient = random(&[batch, output, out_side, out_side]);
    // What multiplying by the incoming gradient costs is not the convolution's.
    let stand_in = random(&[batch, output, out_side, out_side]).set_requires_grad(true);
    let bare = seconds(&mut || {
        let y = &stand_in * &gradient;
        Tensor::run_backward(&[y.sum(Kind::Float)], &[&stand_in], false, false);
    });
    let with = seconds(&mut || {
        let y = x.conv2d(&weight, None::<&Tensor>, [stride, stride], [kernel / 2, kernel / 2], [1, 1], 1);
        Tensor::run_backward(&[(y * &gradient).sum(Kind::Float)], &[&x], false, false);
    });
    let multiplies = batch * output * input * kernel * kernel * out_side * out_side;
    Rate { seconds: (with - bare).max(1e-9), flop: 2.0 * 2.0 * multiplies as f64 }
}
