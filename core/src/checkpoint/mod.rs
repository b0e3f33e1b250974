//! Opening and writing checkpoints.
//!
//! A file of any container (`container`) becomes tensors by name and plain values (`raw`): one of `torch.save`
//! (`pytorch`) or of safetensors (`native`, which writes Basin's own). Of its networks one is meant (`networks`,
//! `reference`), which is recognized (`recognize`, `paper`, `mixed`), prepared (`standardize`), checked (`fit`) and built
//! (`build`). `convert` writes one with the names of the program it comes from.

mod alternatives;
mod build;
mod container;
mod convert;
mod distribution;
mod ensemble;
mod fit;
mod mixed;
mod native;
mod networks;
mod open_choices;
mod opened;
mod paper;
mod probe;
mod pytorch;
mod raw;
mod recognize;
mod reference;
mod reparametrized;
mod source;
mod standardize;
mod stored;
mod summary;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::model::Network;
pub use crate::model::Role;
pub use alternatives::Alternative;
use build::build;
pub use convert::{Converted, ElementType, Format, convert};
pub use distribution::{BINS, Distribution, distributions};
pub(crate) use native::{read_tensors, write_tensors};
pub use open_choices::OpenChoices;
pub use opened::{Checkpoint, check_alike};
pub use probe::{probe, settle};
use recognize::recognize;
pub use reference::{Assumptions, BUNDLED, assuming, is_bundled, is_there, split};
use summary::summarize;
pub use summary::{Probe, Summary, TensorSummary, Tried};

/// Opens a checkpoint; [`BUNDLED`] is the one that comes with Basin. Never runs code from the file.
///
/// What follows the path, `file.pt::weights=ema`, says which of several networks is meant ([`assuming`]).
///
/// # Errors
/// The file is missing, empty, truncated or no checkpoint; of a network Basin does not know; tensors are
/// missing, left over, of the wrong shape, or hold NaN or infinity. One sentence with path and remedy.
pub fn open(path: &Path) -> Result<Checkpoint> {
    let whole = &match split(path)? {
        (file, assumed) if is_bundled(&file) => assuming(&bundled_path()?, &assumed),
        _ => path.to_owned(),
    };
    let (path, assumed) = &split(whole)?;
    let named = path.to_owned();
    let hashing = std::thread::Builder::new().name("basin-hash".into()).spawn(move || hash_file(&named));
    let raw = container::read(path)?;
    let container = raw.container;
    let mut found = recognize(path, raw, assumed)?;
    let built = build(path, found.alternatives[0].topology.clone(), &found.tensors, &mut found.notices)?;
    let hash = match hashing {
        Ok(thread) => thread.join().map_err(|_| Error::file(path, "cannot be hashed"))??,
        Err(_) => hash_file(path)?,
    };
    let bytes = std::fs::metadata(path).map_err(|e| Error::io("cannot read", path, e))?.len();
    let alternatives = std::mem::take(&mut found.alternatives);
    // Another network of the same file is another checkpoint, and so is another reading.
    let hash = hash + &alternatives[0].assumed.suffix();
    let file = summary::File { path: whole, hash, bytes, container };
    let summary = summarize(file, &built, found, &alternatives);
    Ok(Checkpoint { network: built.network, summary, alternatives })
}

/// As [`open`]; what the file leaves open is tried on labelled images ([`settle`]). `step` hears how far that is, from 0
/// to 1.
///
/// # Errors
/// As [`open`] and [`probe`].
pub fn open_probed(path: &Path, step: &mut dyn FnMut(f64) -> Result<()>) -> Result<Checkpoint> {
    settle(open(path)?, step)
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
