//! Which container a file is, or what else.

use std::io::Read as _;
use std::path::Path;

use super::raw::Raw;
use super::{native, pytorch};
use crate::error::{Error, Result};
use crate::files::is_web_page;

/// Reads the directory of any container. Never runs code from a file.
///
/// # Errors
/// The file is missing, empty, truncated, or not a checkpoint at all; the message says what it looks like.
pub fn read(path: &Path) -> Result<Raw> {
    if path.is_dir() {
        return Err(Error::file(path, "is a folder; give a checkpoint file such as classifier.pth.tar"));
    }
    let mut file = std::fs::File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::file(path, "does not exist; check the path"),
        _ => Error::io("cannot read", path, e),
    })?;
    let mut head = Vec::new();
    file.by_ref().take(512).read_to_end(&mut head).map_err(|e| Error::io("cannot read", path, e))?;
    // First, as the length at its start can be any byte, that of a brace or an angle bracket, too.
    if native::looks_like_safetensors(&head) {
        return native::read(path);
    }
    if let Some(reason) = not_a_checkpoint(&head) {
        return Err(Error::file(path, reason));
    }
    pytorch::read(path, &head)
}

/// First bytes of files that are no checkpoints, and the end of a sentence about them.
const OTHERS: [(&[u8], &str); 14] = [
    (
        b"version https://git-lfs",
        "is a Git LFS pointer, not the checkpoint itself; run `git lfs pull` in its folder",
    ),
    (b"\x89HDF", "is an HDF5 file with results or data, not a checkpoint; open classifier.pth.tar beside it"),
    (
        b"\x93NUMPY",
        "is a NumPy array (.npy), not a checkpoint; save the tensors with torch.save or as safetensors",
    ),
    (b"\x1f\x8b", "is compressed with gzip; unpack it first (gunzip)"),
    (b"BZh", "is compressed with bzip2; unpack it first (bunzip2)"),
    (b"\xfd7zXZ", "is compressed with xz; unpack it first (unxz)"),
    (b"\x28\xb5\x2f\xfd", "is compressed with Zstandard; unpack it first (unzstd)"),
    (b"7z\xbc\xaf", "is a 7-Zip archive; unpack it first"),
    (b"Rar!", "is a RAR archive; unpack it first"),
    (
        b"GGUF",
        "is a GGUF file of a language model; give an image classifier saved with torch.save or as safetensors",
    ),
    (b"\x89PNG", "is an image, not a checkpoint; give a file written by torch.save or by Basin"),
    (b"\xff\xd8\xff", "is an image, not a checkpoint; give a file written by torch.save or by Basin"),
    (b"%PDF", "is a PDF file, not a checkpoint; give a file written by torch.save or by Basin"),
    (b"\x08\x07\x12", "looks like an ONNX model; save model.state_dict() with torch.save instead"),
];

/// What files that are no checkpoints usually are.
fn not_a_checkpoint(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if head.is_empty() {
        return Some("is empty; fetch or save it again".into());
    }
    if is_web_page(head) {
        return Some(
            "is a web page (HTML), not a checkpoint; the download failed or needs a confirmation, fetch it again"
                .into(),
        );
    }
    if start.starts_with('{') {
        return Some("is JSON, not a checkpoint; a record goes to `basin plot`, a job to `basin run`".into());
    }
    let begins = |magic: &[u8]| head.starts_with(magic) || start.as_bytes().starts_with(magic);
    OTHERS.iter().find(|(magic, _)| begins(magic)).map(|(_, reason)| (*reason).to_owned())
}
