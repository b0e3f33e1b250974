//! Where and how exactly to compute: CPU or CUDA, float32 or faster.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind};

use crate::error::{Error, Result};
use crate::model::{Layer, Topology};

/// Precision of the search for perturbations. Losses are always measured in float32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// The fastest that the device supports well: bf16 where the hardware has it, else f32; f32 for worst-case weights.
    #[default]
    #[schemars(title = "automatic")]
    Auto,
    /// 32-bit floats throughout.
    F32,
    /// TensorFloat-32 in convolutions and products (CUDA).
    Tf32,
    /// bfloat16 networks, float32 perturbations.
    Bf16,
    /// 64-bit floats throughout: for checks, slow.
    F64,
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
            Self::F64 => "f64",
        })
    }
}

impl std::str::FromStr for Precision {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "f32" => Ok(Self::F32),
            "tf32" => Ok(Self::Tf32),
            "bf16" => Ok(Self::Bf16),
            "f64" => Ok(Self::F64),
            _ => Err(format!("unknown precision {text:?}; use auto, f32, tf32, bf16 or f64")),
        }
    }
}

/// Narrowest width at which bf16 convolutions are faster than float32 ones on a CPU that has them.
const BF16_WIDTH: i64 = 32;

impl Precision {
    /// What `auto` means for a network on a device; everything else stays.
    ///
    /// # Errors
    /// TF32 without a GPU.
    pub fn resolve(self, device: Device, topology: &Topology) -> Result<Self> {
        match self {
            Self::Tf32 if !device.is_cuda() => {
                Err(Error::invalid("tf32 exists on NVIDIA GPUs only; use precision f32 or bf16 on the CPU"))
            }
            Self::Auto if device.is_cuda() => Ok(Self::Bf16),
            Self::Auto if cpu_has_bf16() && widest_convolution(topology) >= BF16_WIDTH => Ok(Self::Bf16),
            Self::Auto => Ok(Self::F32),
            other => Ok(other),
        }
    }

    /// The same for a search, of `weights` or of inputs: `auto` means f32 for weights on every device, because gradient
    /// ascent on weights amplifies rounding and can find much less in bf16.
    ///
    /// # Errors
    /// As [`Precision::resolve`].
    pub fn resolve_search(self, weights: bool, device: Device, topology: &Topology) -> Result<Self> {
        match self {
            Self::Auto if weights => Ok(Self::F32),
            other => other.resolve(device, topology),
        }
    }

    /// Element type of the searching network.
    pub fn search_kind(self) -> Kind {
        match self {
            Self::Bf16 => Kind::BFloat16,
            Self::F64 => Kind::Double,
            _ => Kind::Float,
        }
    }

    /// Whether a search in it is less exact than the measuring.
    pub fn is_low(self) -> bool {
        matches!(self, Self::Bf16 | Self::Tf32)
    }

    /// Whether TensorFloat-32 may be used in the search.
    pub fn allows_tf32(self) -> bool {
        self == Self::Tf32
    }

    /// Element type of the measuring network.
    pub fn measure_kind(self) -> Kind {
        if self == Self::F64 { Kind::Double } else { Kind::Float }
    }
}

/// The width of most convolutions: that of the first, which the later ones multiply.
fn widest_convolution(topology: &Topology) -> i64 {
    let mut width = 0;
    topology.visit(&mut |layer| {
        if let Layer::Conv { output, .. } = layer
            && width == 0
        {
            width = *output;
        }
    });
    width
}

/// Whether the processor has instructions for bf16; without them it is far slower than float32.
#[cfg(target_arch = "x86_64")]
pub fn cpu_has_bf16() -> bool {
    std::arch::is_x86_feature_detected!("avx512bf16")
}

/// Whether the processor has instructions for bf16; without them it is far slower than float32.
#[cfg(not(target_arch = "x86_64"))]
pub fn cpu_has_bf16() -> bool {
    false
}

/// The device a job names.
///
/// # Errors
/// An unknown name, or a GPU that is not there.
pub fn parse(name: &str) -> Result<Device> {
    match read(name)? {
        Named::Cpu => Ok(Device::Cpu),
        Named::Auto => Ok(if cuda_devices() > 0 { Device::Cuda(0) } else { Device::Cpu }),
        Named::Cuda(number) => match cuda_devices() {
            0 => Err(Error::invalid(format!(
                "there is no {name}: libtorch sees no NVIDIA GPU (is the driver installed, and was `cargo xtask setup` run with it?); use device cpu"
            ))),
            n if number >= n as usize => Err(Error::invalid(format!(
                "there is no {name}: this machine has {n} GPU(s), cuda:0 to cuda:{}",
                n - 1
            ))),
            _ => Ok(Device::Cuda(number)),
        },
    }
}

/// Checks that a text names a device, on whatever machine.
///
/// # Errors
/// It does not.
pub fn check_name(name: &str) -> Result<()> {
    read(name).map(drop)
}

enum Named {
    Auto,
    Cpu,
    Cuda(usize),
}

fn read(name: &str) -> Result<Named> {
    let unknown = || Error::invalid(format!("unknown device {name:?}; use auto, cpu or cuda:0"));
    match name {
        "cpu" => Ok(Named::Cpu),
        "auto" => Ok(Named::Auto),
        "cuda" => Ok(Named::Cuda(0)),
        _ => {
            let number = name.strip_prefix("cuda:").and_then(|number| number.parse().ok());
            number.map(Named::Cuda).ok_or_else(unknown)
        }
    }
}

/// How a device is called in records.
pub fn describe(device: Device) -> String {
    match device {
        Device::Cuda(number) => format!("cuda:{number}"),
        _ => match threads() {
            1 => "cpu (1 thread)".to_owned(),
            threads => format!("cpu ({threads} threads)"),
        },
    }
}

fn cuda_devices() -> i64 {
    static LOADED: std::sync::Once = std::sync::Once::new();
    LOADED.call_once(load_cuda);
    if tch::Cuda::is_available() { tch::Cuda::device_count() } else { 0 }
}

/// Loads libtorch's CUDA half from the folder of the CPU half, if it is there. The binary is linked against
/// the CPU half alone, so one binary serves machines with and without a GPU.
fn load_cuda() {
    let Some(folder) = libtorch_folder() else { return };
    let library = folder.join(if cfg!(windows) { "torch_cuda.dll" } else { "libtorch_cuda.so" });
    if library.is_file() {
        load_globally(&library);
    }
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "loading a library runs its initializers; it is libtorch's own other half")]
fn load_globally(library: &Path) {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY};
    if let Ok(library) = unsafe { Library::open(Some(library), RTLD_LAZY | RTLD_GLOBAL) } {
        std::mem::forget(library);
    }
}

#[cfg(not(unix))]
#[expect(unsafe_code, reason = "loading a library runs its initializers; it is libtorch's own other half")]
fn load_globally(library: &Path) {
    if let Ok(library) = unsafe { libloading::Library::new(library) } {
        std::mem::forget(library);
    }
}

/// Where the running process has libtorch from.
fn libtorch_folder() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let loaded = maps.lines().filter_map(|line| line.find('/').map(|at| Path::new(&line[at..])));
    let running =
        loaded.filter(|p| p.file_name().is_some_and(|n| n == "libtorch_cpu.so")).find_map(Path::parent);
    running.map(Path::to_owned).or_else(|| option_env!("BASIN_LIBTORCH_LIB").map(PathBuf::from))
}

/// CPU threads inside operations.
pub fn threads() -> u16 {
    u16::try_from(tch::get_num_threads()).unwrap_or(u16::MAX)
}

/// A number of CPU threads inside operations, for as long as this lives.
#[derive(Debug)]
pub struct Threads {
    before: i32,
}

impl Threads {
    /// Uses so many from now on; none: as many as before.
    pub fn of(threads: Option<u16>) -> Self {
        let before = tch::get_num_threads();
        if let Some(threads) = threads {
            tch::set_num_threads(i32::from(threads));
        }
        Self { before }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if tch::get_num_threads() != self.before {
            tch::set_num_threads(self.before);
        }
    }
}

/// Where, how exactly and with which seed to compute.
///
/// Reported losses are those of float32 (or float64) networks on every device, and device and batch size change them by
/// rounding only; but gradient ascent on weights amplifies rounding, to about 1e-4 of a worst-case loss. The precision of
/// the search is more than rounding: it may find other perturbations. Of inputs they are about equally strong
/// (`search_cost` in the provenance says how much is missed); of weights they may be much weaker: at relative radius 0.05
/// the worst weights of a LeNet have loss 10.95 searched in float32, 9.89 in bf16. So `auto` searches worst-case weights
/// in float32 on every device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Compute {
    /// Where to compute: `auto` (the GPU if there is one), `cpu` or `cuda:0`.
    #[schemars(extend(
        "x-flag" = "device",
        "x-suggestions" = [["auto", "The GPU if there is one."], ["cpu", "The CPU."], ["cuda:0", "The first GPU."], ["cuda:1", "The second GPU."]]
    ))]
    pub device: String,
    /// Precision in which attacks search; losses are measured in float32. `auto`: bf16 where the hardware is faster at
    /// it, but float32 for worst-case weights, of which bf16 finds much less.
    #[schemars(extend("x-label" = "Search precision", "x-flag" = "precision"))]
    pub precision: Precision,
    /// Seed of every random number of the job.
    #[schemars(extend("x-flag" = "seed"))]
    pub seed: u64,
    /// Images at a time; auto: chosen for the device. It changes results by rounding only, like the number of threads:
    /// losses, average-case flatness and the verdicts of AutoAttack agree to about 1e-7, worst-case flatness to about
    /// 1e-4 of its value.
    #[schemars(range(min = 1), extend("x-flag" = "batch-size", "x-hint" = "auto", "x-wanted" = "auto or a whole number of at least 1"))]
    pub batch_size: Option<usize>,
}

impl Default for Compute {
    fn default() -> Self {
        Self { device: "auto".into(), precision: Precision::Auto, seed: 0, batch_size: None }
    }
}
