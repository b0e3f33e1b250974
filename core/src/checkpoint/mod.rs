//! Opening and writing checkpoints: any container (`container`), any network of the paper's program
//! (`paper`), Basin's own files (`native`).

mod build;
mod container;
mod fit;
mod native;
mod paper;
mod summary;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
pub use crate::model::Role;
use crate::model::{Network, Topology};
use build::build;
use container::{Raw, RawTensor};
pub(crate) use native::{read_tensors, write_tensors};
use summary::summarize;
pub use summary::{Summary, TensorSummary};

/// An opened checkpoint.
#[derive(Debug)]
pub struct Checkpoint {
    /// The network, on the CPU in float32.
    pub network: Network,
    /// What it is.
    pub summary: Summary,
}

/// What the bundled checkpoint is called in jobs and on the command line.
pub const BUNDLED: &str = "bundled";

/// Whether a path means the bundled checkpoint: a file of that name comes first.
pub fn is_bundled(path: &Path) -> bool {
    path.as_os_str() == BUNDLED && !path.exists()
}

/// Opens a checkpoint; [`BUNDLED`] is the one that comes with Basin. Never runs code from the file.
///
/// # Errors
/// The file is missing, empty, truncated or no checkpoint; of a network Basin does not know; tensors are
/// missing, left over, of the wrong shape, or hold NaN or infinity. One sentence with path and remedy.
pub fn open(path: &Path) -> Result<Checkpoint> {
    let path = &if is_bundled(path) { bundled_path()? } else { path.to_owned() };
    let named = path.to_owned();
    let hashing = std::thread::Builder::new().name("basin-hash".into()).spawn(move || hash_file(&named));
    let raw = container::read(path)?;
    let (topology, tensors, mut notices, epoch) = recognize(path, &raw)?;
    let built = build(path, topology, &tensors, &mut notices)?;
    let hash = match hashing {
        Ok(thread) => thread.join().map_err(|_| Error::file(path, "cannot be hashed"))??,
        Err(_) => hash_file(path)?,
    };
    let summary = summarize(path, hash, raw.container, &built, epoch, notices)?;
    Ok(Checkpoint { network: built.network, summary })
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
const BUNDLED_FILE: (&str, &[u8]) = (
    "cifar10-resnet18-8-at.pth.tar",
    include_bytes!("../../../resources/checkpoints/cifar10-resnet18-8-at.pth.tar"),
);

/// A file with the bundled checkpoint, in a folder of the user's cache.
///
/// # Errors
/// It cannot be written there.
pub fn bundled_path() -> Result<PathBuf> {
    let (name, bytes) = BUNDLED_FILE;
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
