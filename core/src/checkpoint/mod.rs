//! Opening and writing checkpoints: any container (`container`), any network of the paper's program
//! (`paper`), Basin's own files (`native`).

mod container;
mod fit;
mod native;
mod paper;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tch::{Device, Kind, Tensor};

use crate::error::{Error, Result};
pub use crate::model::Role;
use crate::model::{Activation, Layer, Layout, Network, TensorSpec, Topology, Weights};
use container::{Raw, RawTensor};

/// What a checkpoint is, in words and numbers: what `basin inspect` prints and the window shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, hex.
    pub hash: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// `PyTorch zip`, `PyTorch legacy`, `safetensors`, …
    pub container: String,
    /// `ResNet`, `LeNet`, `MLP`.
    pub family: String,
    /// Short name, e.g. `ResNet-18, 8 channels, rebn`.
    pub model: String,
    /// `bn`, `rebn`, `fixedbn`, `gn`, `fixedgn` or `none`.
    pub normalization: String,
    /// `relu`, `silu`, …
    pub activation: String,
    /// Number of classes.
    pub classes: usize,
    /// Channels, height, width of an input image.
    pub resolution: [usize; 3],
    /// Epoch the checkpoint says it is from.
    pub epoch: Option<i64>,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// How inputs are prepared, e.g. `clamp to [0, 1], whiten`.
    pub preprocessing: String,
    /// One line per layer of the topology, indented, for reading.
    pub topology: Vec<String>,
    /// Every tensor of the network, in order.
    pub tensors: Vec<TensorSummary>,
    /// What the user should know: what was ignored, guessed or repaired.
    pub notices: Vec<String>,
}

/// One tensor of a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TensorSummary {
    /// Name in the state dictionary.
    pub name: String,
    /// Shape.
    pub shape: Vec<i64>,
    /// Role.
    pub role: Role,
    /// L2 norm.
    pub l2_norm: f64,
}

/// An opened checkpoint.
#[derive(Debug)]
pub struct Checkpoint {
    /// The network, on the CPU in float32.
    pub network: Network,
    /// What it is.
    pub summary: Summary,
}

/// Opens a checkpoint. Never runs code from the file.
///
/// # Errors
/// The file is missing, empty, truncated or no checkpoint; of a network Basin does not know; tensors are
/// missing, left over, of the wrong shape, or hold NaN or infinity. One sentence with path and remedy.
pub fn open(path: &Path) -> Result<Checkpoint> {
    let named = path.to_owned();
    let hashing = std::thread::Builder::new().name("basin-hash".into()).spawn(move || hash_file(&named));
    let raw = container::read(path)?;
    let (topology, tensors, mut notices, epoch) = recognize(path, &raw)?;
    let network = build(path, topology, &tensors, &mut notices)?;
    let hash = match hashing {
        Ok(thread) => thread.join().map_err(|_| Error::file(path, "cannot be hashed"))??,
        Err(_) => hash_file(path)?,
    };
    let summary = summarize(path, hash, raw.container, &network, epoch, notices)?;
    Ok(Checkpoint { network, summary })
}

/// Reads a checkpoint far enough to say what it is.
///
/// # Errors
/// As [`open`].
pub fn inspect(path: &Path) -> Result<Summary> {
    open(path).map(|checkpoint| checkpoint.summary)
}

/// Writes a network as `.safetensors` with its topology; reading it back gives the same bits.
///
/// # Errors
/// The file cannot be written; nothing is then left behind.
pub fn save(path: &Path, network: &Network, epoch: Option<i64>) -> Result<()> {
    native::write(path, network, epoch)
}

/// The bundled checkpoint: a ResNet-18 with 8 channels, adversarially trained on CIFAR-10.
const BUNDLED: (&str, &[u8]) = (
    "cifar10-resnet18-8-at.pth.tar",
    include_bytes!("../../../resources/checkpoints/cifar10-resnet18-8-at.pth.tar"),
);

/// A file with the bundled checkpoint, in a folder of the user's cache.
///
/// # Errors
/// It cannot be written there.
pub fn bundled_path() -> Result<PathBuf> {
    let (name, bytes) = BUNDLED;
    let folder = crate::data::search_folders().pop().unwrap_or_else(std::env::temp_dir).join("checkpoints");
    let path = folder.join(name);
    if std::fs::metadata(&path).is_ok_and(|m| m.len() == bytes.len() as u64) {
        return Ok(path);
    }
    let written = std::fs::create_dir_all(&folder)
        .map_err(|e| Error::io("cannot create", &folder, e))
        .and_then(|()| crate::files::write_atomically(&path, bytes));
    if written.is_err() {
        // No home folder, or one that cannot be written: any place will do.
        let path = std::env::temp_dir().join(name);
        crate::files::write_atomically(&path, bytes)?;
        return Ok(path);
    }
    Ok(path)
}

/// SHA-256 of a file, hex.
///
/// # Errors
/// The file cannot be read.
pub fn hash_file(path: &Path) -> Result<String> {
    let failed = |e| Error::io("cannot read", path, e);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

type Named<'a> = BTreeMap<String, &'a RawTensor>;

fn recognize<'a>(path: &Path, raw: &'a Raw) -> Result<(Topology, Named<'a>, Vec<String>, Option<i64>)> {
    if let Some(value) = raw.values.get("basin") {
        let metadata: native::Metadata = serde_json::from_value(value.clone()).map_err(|e| {
            Error::file(path, format!("was written by another version of Basin ({e}); save it again"))
        })?;
        if metadata.format > native::FORMAT {
            let reason = format!(
                "was written by a newer Basin (checkpoint format {}, this one reads up to {}); update Basin",
                metadata.format,
                native::FORMAT
            );
            return Err(Error::file(path, reason));
        }
        fit::check(&metadata.topology).map_err(|reason| Error::file(path, reason))?;
        let tensors = raw.tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
        return Ok((metadata.topology, tensors, Vec::new(), metadata.epoch));
    }
    let mut notices = Vec::new();
    let prefix = prefix(path, raw, &mut notices)?;
    let mut tensors: Named = BTreeMap::new();
    let mut auxiliary = 0;
    for (name, tensor) in &raw.tensors {
        let Some(key) = name.strip_prefix(&prefix) else { continue };
        if key.starts_with("auxiliary.") {
            auxiliary += 1;
        } else {
            tensors.insert(key.to_owned(), tensor);
        }
    }
    if auxiliary > 0 {
        notices.push(format!("an auxiliary head ({auxiliary} tensors) is ignored"));
    }
    let recognized = paper::from_arguments(&raw.values, &tensors)
        .unwrap_or_else(|| paper::from_keys(&tensors))
        .map_err(|reason| Error::file(path, reason))?;
    notices.extend(recognized.notices);
    fit::believable(&recognized.architecture).map_err(|reason| Error::file(path, reason))?;
    let topology = recognized
        .architecture
        .topology()
        .map_err(|e| Error::file(path, format!("describes an impossible network: {e}")))?;
    fit::check(&topology).map_err(|reason| Error::file(path, reason))?;
    let epoch = raw.values.get("epoch").and_then(serde_json::Value::as_i64);
    Ok((topology, tensors, notices, epoch))
}

/// What stands before the names of the network's own tensors: `model.`, `module.`, `state_dict.module.`, …
fn prefix(path: &Path, raw: &Raw, notices: &mut Vec<String>) -> Result<String> {
    const ANCHOR: &str = "logits.weight";
    let mut prefixes: Vec<&str> = raw
        .tensors
        .keys()
        .filter_map(|name| name.strip_suffix(ANCHOR))
        .filter(|p| !p.contains("auxiliary."))
        .collect();
    prefixes.sort_by_key(|p| p.len());
    let Some(prefix) = prefixes.first() else {
        let reason = if raw.tensors.is_empty() {
            "holds no tensors; save model.state_dict()".to_owned()
        } else {
            let first: Vec<&str> = raw.tensors.keys().take(3).map(String::as_str).collect();
            format!(
                "holds a network that Basin does not recognize (no {ANCHOR} among its {} tensors, which begin with {}); it knows ResNet, LeNet and MLP of the paper's program",
                raw.tensors.len(),
                first.join(", ")
            )
        };
        return Err(Error::file(path, reason));
    };
    if prefixes.len() > 1 {
        notices.push(format!("the file holds {} networks; the one under {prefix:?} is used", prefixes.len()));
    }
    if prefix.contains("module.") {
        notices.push("the prefix \"module.\" of a data-parallel model is removed".into());
    }
    Ok((*prefix).to_owned())
}

fn build(path: &Path, topology: Topology, tensors: &Named, notices: &mut Vec<String>) -> Result<Network> {
    let specs = topology.tensors();
    check_keys(path, &topology, &specs, tensors)?;
    let layout = Arc::new(Layout::of(&topology));
    let weights = Weights::zeros(layout.clone());
    let mut buffers = Vec::new();
    let mut position = 0;
    let mut kinds: Vec<Kind> = Vec::new();
    for spec in specs {
        let Some(raw) = tensors.get(&spec.name) else {
            // Files from PyTorch before 0.4.1 have no batch counts.
            buffers.push((spec.name, Tensor::zeros([0i64; 0].as_slice(), (Kind::Int64, Device::Cpu))));
            continue;
        };
        let value = raw.load().map_err(|reason| Error::file(path, reason))?;
        let value = if spec.is_count { value } else { value.to_kind(Kind::Float) };
        if !kinds.contains(&raw.kind) && !spec.is_count {
            kinds.push(raw.kind);
        }
        if !spec.is_count && value.isfinite().all().int64_value(&[]) == 0 {
            let bad = value.numel() as i64 - value.isfinite().sum(Kind::Int64).int64_value(&[]);
            return Err(Error::file(
                path,
                format!(
                    "{} holds {bad} of {} values that are NaN or infinite: training diverged; use an earlier checkpoint",
                    spec.name,
                    value.numel()
                ),
            ));
        }
        if spec.role == Role::Buffer {
            let value = if spec.is_count { value.to_kind(Kind::Int64) } else { value };
            buffers.push((spec.name, value));
        } else {
            weights.view(position).copy_(&value);
            position += 1;
        }
    }
    if let Some(kind) = kinds.iter().find(|kind| **kind != Kind::Float) {
        notices.push(format!("tensors are stored as {kind:?} and used as float32"));
    }
    Ok(Network { topology, weights, buffers })
}

fn check_keys(path: &Path, topology: &Topology, specs: &[TensorSpec], tensors: &Named) -> Result<()> {
    let list = |names: Vec<&str>| {
        let shown = names.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        if names.len() > 3 { format!("{shown} and {} more", names.len() - 3) } else { shown }
    };
    let missing: Vec<&str> = specs
        .iter()
        .filter(|s| !s.is_count && !tensors.contains_key(&s.name))
        .map(|s| s.name.as_str())
        .collect();
    let extra: Vec<&str> =
        tensors.keys().filter(|key| !specs.iter().any(|s| s.name == **key)).map(String::as_str).collect();
    let title = &topology.title;
    match (missing.is_empty(), extra.is_empty()) {
        (false, true) => {
            return Err(Error::file(
                path,
                format!("looks like {title} but lacks {}; save the whole state dictionary", list(missing)),
            ));
        }
        (true, false) => {
            return Err(Error::file(
                path,
                format!(
                    "looks like {title} but also has {}, which that network does not use; check which program wrote it",
                    list(extra)
                ),
            ));
        }
        (false, false) => {
            return Err(Error::file(
                path,
                format!(
                    "looks like {title} but lacks {} and has {} instead; check which program wrote it",
                    list(missing),
                    list(extra)
                ),
            ));
        }
        (true, true) => {}
    }
    for spec in specs {
        if let Some(raw) = tensors.get(&spec.name)
            && raw.shape != spec.shape
        {
            return Err(Error::file(
                path,
                format!(
                    "{} has shape {:?}, but {title} needs {:?}; check which program wrote it",
                    spec.name, raw.shape, spec.shape
                ),
            ));
        }
    }
    Ok(())
}

fn summarize(
    path: &Path,
    hash: String,
    container: &str,
    network: &Network,
    epoch: Option<i64>,
    notices: Vec<String>,
) -> Result<Summary> {
    let topology = &network.topology;
    let (mut norm, mut activation, mut preparation) = (None, None, Vec::new());
    topology.visit(&mut |layer| match layer {
        Layer::Normalize { norm: which, .. } => norm = norm.or(Some(which.name())),
        Layer::Activate { activation: which } => activation = activation.or(Some(which.name())),
        Layer::Clamp => preparation.push("clamp to [0, 1]"),
        Layer::Standardize { .. } => preparation.push("subtract mean, divide by deviation (whiten)"),
        Layer::Rescale { .. } => preparation.push("rescale to [-1, 1]"),
        _ => {}
    });
    let params = network.params(&network.weights);
    let tensors = topology
        .tensors()
        .into_iter()
        .map(|spec| TensorSummary {
            l2_norm: params.get(&spec.name).to_kind(Kind::Double).norm().double_value(&[]),
            name: spec.name,
            shape: spec.shape,
            role: spec.role,
        })
        .collect();
    Ok(Summary {
        path: path.to_owned(),
        hash,
        bytes: std::fs::metadata(path).map_err(|e| Error::io("cannot read", path, e))?.len(),
        container: container.to_owned(),
        family: topology.family.clone(),
        model: topology.title.clone(),
        normalization: norm.unwrap_or("none").to_owned(),
        activation: activation.unwrap_or(Activation::Relu.name()).to_owned(),
        classes: topology.classes as usize,
        resolution: topology.resolution.map(|n| n as usize),
        epoch,
        parameters: network.parameters() as usize,
        preprocessing: if preparation.is_empty() { "none".into() } else { preparation.join(", ") },
        topology: topology.describe(),
        tensors,
        notices,
    })
}
