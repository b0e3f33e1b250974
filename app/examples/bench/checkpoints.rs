//! From opening a WideResNet-28-10 (146 MB) to its summary, against reading the bytes of its file; also in a file with
//! two averages of it (438 MB).

use std::io::Read as _;
use std::path::Path;

use basin_core::checkpoint::{self, ElementType, Format, convert};
use basin_core::model::{Architecture, Network};

use super::Results;
use super::pairs::{interleave, median};

#[path = "../../../tests/support/torch_zip.rs"]
mod torch_zip;

const ROUNDS: usize = 5;

pub fn run(results: &mut Results) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let network = Network::fresh(Architecture::named("wrn-28-10")?.topology()?, 1);
    let native = folder.path().join("native.safetensors");
    checkpoint::save(&native, &network, None)?;
    let zip = folder.path().join("plain.pt");
    convert(&checkpoint::open(&native)?, &zip, Format::Pytorch, ElementType::Float32)?;
    let large = folder.path().join("with-averages.pt");
    let parts = [("model.", &network), ("ema.", &network), ("swa.", &network)];
    torch_zip::write(&large, &parts)?;
    for (name, path) in [("PyTorch zip", &zip), ("safetensors", &native), ("with two averages", &large)] {
        let mut read = || read(path);
        let mut open = || {
            let summary = checkpoint::inspect(path).expect("it was just written");
            assert_eq!(summary.parameters, 36_479_194);
        };
        let times = interleave(ROUNDS, &mut [&mut read, &mut open]);
        let more = times[1].iter().zip(&times[0]).map(|(open, read)| open - read).collect();
        let bytes = std::fs::metadata(path)?.len() as f64 / 1e6;
        results.figure(&format!("WideResNet-28-10, {name}: size"), bytes, "MB");
        results.figure(&format!("WideResNet-28-10, {name}: reading"), median(times[0].clone()), "s");
        results.figure(&format!("WideResNet-28-10, {name}: opening"), median(times[1].clone()), "s");
        results.figure(&format!("WideResNet-28-10, {name}: more than reading"), median(more), "s");
    }
    Ok(())
}

/// Reads a file as `cat` does.
fn read(path: &Path) {
    let mut file = std::fs::File::open(path).expect("it was just written");
    let mut buffer = vec![0; 1 << 17];
    while file.read(&mut buffer).expect("it can be read") > 0 {}
}
