//! From opening a 146 MB checkpoint to its summary.

use basin_core::checkpoint;
use basin_core::model::{Architecture, Family, Network, ResNet};

use super::Results;
use super::pairs::{interleave, median};

#[path = "../../../tests/support/torch_zip.rs"]
mod torch_zip;

pub fn run(results: &mut Results) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let family = Family::ResNet(ResNet { blocks: vec![2, 2, 2, 2], bottleneck: false, channels: 116 });
    let network = Network::fresh(Architecture { family, ..Architecture::default() }.topology()?, 1);
    let native = folder.path().join("large.safetensors");
    checkpoint::save(&native, &network, None)?;
    let zip = folder.path().join("large.pth");
    torch_zip::write(&zip, &network)?;
    let bytes = std::fs::metadata(&zip)?.len() as f64 / 1e6;
    let open = |path: &std::path::Path| {
        let summary = checkpoint::inspect(path).expect("it was just written");
        assert!(summary.parameters > 36_000_000);
    };
    let times = interleave(5, &mut [&mut || open(&zip), &mut || open(&native)]);
    results.figure("size of the checkpoint", bytes, "MB");
    results.figure("opening it to its summary, PyTorch zip", median(times[0].clone()), "s");
    results.figure("opening it to its summary, safetensors", median(times[1].clone()), "s");
    Ok(())
}
