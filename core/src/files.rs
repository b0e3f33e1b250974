//! Reading and writing files so that a crash, a full disk or a wrong path costs nothing but a sentence.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes `bytes` to a temporary file beside `path`, syncs it, and renames it to `path`.
///
/// A link keeps pointing where it points: the file it names is replaced. What is no plain file (`/dev/stdout`,
/// a named pipe) is written to as it is.
///
/// # Errors
/// The folder does not exist or cannot be written, or the disk is full; `path` is then untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |e| Error::io("cannot write", path, e);
    check_destination(path)?;
    if is_special(path) {
        let mut file = std::fs::OpenOptions::new().write(true).open(path).map_err(failed)?;
        return file.write_all(bytes).map_err(failed);
    }
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut file = tempfile::Builder::new()
        .prefix(".basin-")
        .suffix(".tmp")
        .tempfile_in(folder_of(&target))
        .map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    set_default_permissions(file.path()).map_err(failed)?;
    file.persist(&target).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Checks, before any work is done, that a file can have this path.
///
/// # Errors
/// The path is a folder, or its folder is not there.
pub fn check_destination(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    if path.is_dir() {
        Err(Error::file(path, "cannot write, because it is a folder; add the name of a file"))
    } else if folder.is_dir() {
        Ok(())
    } else if folder.exists() {
        let reason = format!("cannot write, because {} is no folder; choose another place", folder.display());
        Err(Error::file(path, reason))
    } else {
        let reason =
            format!("cannot write, because the folder {} does not exist; create it first", folder.display());
        Err(Error::file(path, reason))
    }
}

/// Whether something is there that is neither file nor folder: a device, a named pipe.
pub fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Reads a text file that should be `what`, e.g. `a record`.
///
/// # Errors
/// It is missing, a folder, cannot be read, or is no text.
pub fn read_text(path: &Path, what: &str) -> Result<String> {
    if path.is_dir() {
        return Err(Error::file(path, format!("is a folder, not {what}; give a file")));
    }
    std::fs::read_to_string(path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => Error::file(path, "does not exist; check the path"),
        ErrorKind::InvalidData => Error::file(
            path,
            format!("is not {what} but binary data; a checkpoint goes to inspect, evaluate or landscape"),
        ),
        _ => Error::io("cannot read", path, e),
    })
}

/// Whether a file that begins like this is a web page: a download that brought an error message.
pub fn is_web_page(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&start[..start.len().min(256)]);
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

/// What a text that should be JSON is instead, as the end of a sentence that begins with `it`.
pub fn not_json(text: &str, error: &serde_json::Error) -> String {
    let start = text.trim_start();
    let lines = start.lines().filter(|line| !line.trim().is_empty());
    let each_is_json =
        |line: &str| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).is_ok();
    match () {
        () if start.is_empty() => "is empty".into(),
        () if is_web_page(start.as_bytes()) => "is a web page (HTML)".into(),
        () if !start.starts_with(['{', '[']) => "is another kind of text".into(),
        () if error.is_eof() => "ends early, so part of it is missing".into(),
        () if lines.clone().count() > 1 && lines.take(2).all(each_is_json) => {
            "has a JSON object in every line, as the log of a training".into()
        }
        () => format!("is damaged JSON (line {}, column {})", error.line(), error.column()),
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Temporary files are private; the finished file should be as readable as any other.
#[cfg(unix)]
pub(crate) fn set_default_permissions(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
pub(crate) fn set_default_permissions(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Whether a folder is there and has nothing in it.
pub fn is_empty_folder(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}
