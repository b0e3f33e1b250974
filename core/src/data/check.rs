//! What is wrong with a data file, in words: the checks that all loaders share.

use std::io::{BufReader, ErrorKind, Read, copy, sink};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::Examples;
use crate::error::{Error, Result};

/// The remedy for every damaged file.
pub(super) const AGAIN: &str = "download it again";

/// Refuses a selection that goes beyond what a file has.
pub(super) fn check_range(path: &Path, examples: &Examples, available: usize) -> Result<()> {
    match beyond(examples, available) {
        None => Ok(()),
        Some(reason) => Err(Error::file(path, reason)),
    }
}

/// What is wrong with a selection that goes beyond the images there are, with the remedy.
pub(super) fn beyond(examples: &Examples, available: usize) -> Option<String> {
    let split = examples.split;
    let remedy = if available == 0 {
        format!("choose images of another split than {split}")
    } else {
        format!("select within {split}:0..{available}")
    };
    (examples.range().end > available).then(|| {
        format!("has {available} {split} images, so {} is not possible; {remedy}", examples.in_words())
    })
}

/// What a file really is, if its first bytes give away that it is no data set at all.
pub(super) fn impostor(bytes: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).trim_start().to_lowercase();
    if bytes.is_empty() {
        Some(format!("is empty; {AGAIN}"))
    } else if start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<?xml") {
        Some(format!("is a web page, not data (perhaps an error message of the server); {AGAIN}"))
    } else if start.starts_with("version https://git-lfs") {
        Some("is a git-lfs pointer, not the data itself; run git lfs pull in its folder".into())
    } else {
        None
    }
}

/// The sentence for a file that ends too early.
pub(super) fn truncated(path: &Path, expected: u64, found: u64) -> Error {
    Error::file(path, format!("is truncated: {expected} bytes expected, {found} found; {AGAIN}"))
}

/// The sentence for a compressed file that cannot be decompressed, or another failure to read it.
pub(super) fn unpacking(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            Error::file(path, format!("is truncated: the compressed data ends early; {AGAIN}"))
        }
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::Other => {
            // Messages about archives may quote what is no text.
            let text = error.to_string();
            let text = if text.contains(char::is_control) { "it holds no archive" } else { &text };
            Error::file(path, format!("is damaged: {text}; {AGAIN}"))
        }
        _ => Error::io("cannot read", path, error),
    }
}

/// Reads a whole file.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => missing(path),
        _ => Error::io("cannot read", path, error),
    })?;
    match impostor(&bytes) {
        Some(reason) => Err(Error::file(path, reason)),
        None => Ok(bytes),
    }
}

/// The sentence for a file that should be beside others.
pub(super) fn missing(path: &Path) -> Error {
    Error::file(path, "is missing from its data set; download or unpack the data set again")
}

/// Unpacks gzip, of several members, too.
pub(super) fn gunzip<R: Read>(packed: R) -> MultiGzDecoder<BufReader<R>> {
    MultiGzDecoder::new(BufReader::new(packed))
}

/// Reads compressed data to its end, where its checksum is; returns how many bytes were left.
///
/// # Errors
/// The checksum is another one, or something else follows the data.
pub(super) fn check_rest(path: &Path, unpacked: &mut impl Read) -> Result<u64> {
    copy(unpacked, &mut sink()).map_err(|error| unpacking(path, error))
}
