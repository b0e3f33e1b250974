//! Reading and writing files so that a crash, a full disk or a wrong path costs nothing but a sentence.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};

/// Writes `bytes` to a temporary file beside `path`, syncs it, and renames it to `path`.
///
/// A link keeps pointing where it points: the file it names is replaced. What is no plain file (`/dev/stdout`,
/// a named pipe) is written to as it is.
///
/// # Errors
/// The folder does not exist or cannot be written, or the disk is full; `path` is then untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    check_destination(path)?;
    if is_special(path) {
        let failed = |e| Error::io("cannot write", path, e);
        let mut file = std::fs::OpenOptions::new().write(true).open(path).map_err(failed)?;
        return file.write_all(bytes).map_err(failed);
    }
    write_atomically_with(path, &mut |file| file.write_all(bytes))
}

/// As [`write_atomically`], with what `write` puts into the file. The path must be that of a plain file.
///
/// # Errors
/// As [`write_atomically`], and those of `write`.
pub fn write_atomically_with(
    path: &Path,
    write: &mut dyn FnMut(&mut File) -> std::io::Result<()>,
) -> Result<()> {
    let failed = |e| Error::io("cannot write", path, e);
    check_destination(path)?;
    if is_special(path) {
        return Err(Error::file(path, "cannot write, because it is no plain file; choose another place"));
    }
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut file = tempfile::Builder::new()
        .prefix(".basin-")
        .suffix(".tmp")
        .tempfile_in(folder_of(&target))
        .map_err(failed)?;
    write(file.as_file_mut()).map_err(failed)?;
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

/// Reads a text file that should be `what`, e.g. `a record`: UTF-8 or, with a byte order mark, UTF-16.
///
/// # Errors
/// It is missing, a folder, cannot be read, or is no text.
pub fn read_text(path: &Path, what: &str) -> Result<String> {
    if path.is_dir() {
        return Err(Error::file(path, format!("is a folder, not {what}; give a file")));
    }
    let bytes = std::fs::read(path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => Error::file(path, "does not exist; check the path"),
        _ => Error::io("cannot read", path, e),
    })?;
    decoded(bytes).ok_or_else(|| {
        let reason = format!(
            "is not {what} but binary data, or text that is not UTF-8; a checkpoint goes to inspect, evaluate or landscape, and text is saved again as UTF-8"
        );
        Error::file(path, reason)
    })
}

/// Text without its byte order mark; none: it is no Unicode.
fn decoded(bytes: Vec<u8>) -> Option<String> {
    let units = |order: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes[2..].as_chunks();
        let units: Vec<u16> = pairs.iter().copied().map(order).collect();
        String::from_utf16(&units).ok().filter(|_| rest.is_empty())
    };
    match bytes[..] {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, ..] => String::from_utf8(bytes[3..].to_vec()).ok(),
        _ => String::from_utf8(bytes).ok(),
    }
}

/// A path with the home folder in place of a `~` at its start, which shells leave in `--out=~/x`.
///
/// # Errors
/// The home folder is not known.
pub fn expand_home(path: &Path) -> Result<PathBuf> {
    let mut parts = path.components();
    if parts.next() != Some(Component::Normal("~".as_ref())) {
        return Ok(path.to_owned());
    }
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    match std::env::var_os(variable).filter(|home| !home.is_empty()) {
        Some(home) => Ok(PathBuf::from(home).join(parts.as_path())),
        None => {
            Err(Error::file(path, format!("begins with ~, but {variable} is not set; write the whole path")))
        }
    }
}

/// The platform's folder for what Basin can compute again; none: the user has no home.
pub fn cache_folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let platform = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))
    };
    Some(platform?.join("basin"))
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

/// Paths in JSON: as text; those that are not Unicode as `{"text": …, "bytes": …}`, readable and exact.
pub mod as_text {
    use std::path::{Path, PathBuf};

    use serde::de::value::MapAccessDeserializer;
    use serde::de::{Error, MapAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// A path that is not Unicode: what can be shown, and all bytes in hexadecimal.
    #[derive(Serialize, Deserialize)]
    struct Other {
        text: String,
        bytes: String,
    }

    /// Writes a path.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(text) = path.to_str() {
            return serializer.serialize_str(text);
        }
        let bytes = path.as_os_str().as_encoded_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        Other { text: path.to_string_lossy().into_owned(), bytes }.serialize(serializer)
    }

    /// Reads a path.
    ///
    /// # Errors
    /// It is neither text nor the bytes of a path on this machine.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        deserializer.deserialize_any(Reader)
    }

    struct Reader;

    impl<'de> Visitor<'de> for Reader {
        type Value = PathBuf;

        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("a path")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<PathBuf, E> {
            Ok(text.into())
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PathBuf, A::Error> {
            let Other { text, bytes } = Other::deserialize(MapAccessDeserializer::new(map))?;
            let pairs =
                (0..bytes.len()).step_by(2).map(|at| u8::from_str_radix(bytes.get(at..at + 2)?, 16).ok());
            pairs
                .collect::<Option<Vec<u8>>>()
                .and_then(of_bytes)
                .ok_or_else(|| A::Error::custom(format!("the path {text:?} cannot be a path on this system")))
        }
    }

    #[cfg(unix)]
    fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
        use std::os::unix::ffi::OsStringExt as _;
        Some(std::ffi::OsString::from_vec(bytes).into())
    }

    #[cfg(not(unix))]
    fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
        String::from_utf8(bytes).ok().map(PathBuf::from)
    }

    /// The same for paths that may be absent.
    pub mod optional {
        use super::{Deserialize, Deserializer, PathBuf, Serialize, Serializer};

        #[derive(Serialize, Deserialize)]
        struct Wrapped(#[serde(with = "super")] PathBuf);

        /// Writes a path or null.
        ///
        /// # Errors
        /// Those of the serializer.
        pub fn serialize<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
            path.clone().map(Wrapped).serialize(serializer)
        }

        /// Reads a path or null.
        ///
        /// # Errors
        /// As for paths.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
            Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|Wrapped(path)| path))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_loses_its_byte_order_mark() {
        let utf16 = |order: fn(u16) -> [u8; 2]| {
            "\u{feff}{\"ü\": 1}".encode_utf16().flat_map(order).collect::<Vec<u8>>()
        };
        for bytes in [
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
            "\u{feff}{\"ü\": 1}".into(),
            "{\"ü\": 1}".into(),
        ] {
            assert_eq!(decoded(bytes).as_deref(), Some("{\"ü\": 1}"));
        }
        assert_eq!(decoded(vec![b'm', 0xfc]), None);
        assert_eq!(decoded(vec![0xff, 0xfe, 1]), None);
    }

    #[cfg(unix)]
    #[test]
    fn paths_that_are_no_unicode_come_back() {
        use std::os::unix::ffi::OsStrExt as _;

        #[derive(serde::Serialize, serde::Deserialize)]
        struct Holder {
            #[serde(with = "as_text")]
            path: PathBuf,
            #[serde(default, with = "as_text::optional")]
            other: Option<PathBuf>,
        }
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(b"m\xfcnchen.pt"));
        let text = serde_json::to_string(&Holder { path: path.clone(), other: None }).unwrap();
        assert_eq!(
            text,
            "{\"path\":{\"text\":\"m\u{fffd}nchen.pt\",\"bytes\":\"6dfc6e6368656e2e7074\"},\"other\":null}"
        );
        let back: Holder = serde_json::from_str(&text).unwrap();
        assert_eq!((back.path, back.other), (path, None));
        let plain: Holder = serde_json::from_str("{\"path\": \"a/b.pt\", \"other\": \"c\"}").unwrap();
        assert_eq!((plain.path, plain.other), ("a/b.pt".into(), Some("c".into())));
    }

    #[test]
    fn a_tilde_is_the_home_folder() {
        assert_eq!(expand_home(Path::new("a/~/b")).unwrap(), Path::new("a/~/b"));
        assert_eq!(expand_home(Path::new("~other/b")).unwrap(), Path::new("~other/b"));
        if let Some(home) = std::env::var_os("HOME") {
            assert_eq!(expand_home(Path::new("~/b")).unwrap(), Path::new(&home).join("b"));
        }
    }
}
