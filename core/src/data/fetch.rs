//! Downloading a data set: only what is missing, checked, unpacked, and in place at once.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::catalogue::{RemoteFile, Source};
use super::check::{check_rest, gunzip, unpacking};
use super::download::{Broken, begun, checksum, download};
use crate::error::{Error, Result};
use crate::progress::{Event, Progress};

/// A fetched data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its folder.
    pub folder: PathBuf,
    /// Bytes that were downloaded now; 0: everything was there.
    pub downloaded: u64,
}

/// What is at the place of a file.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Missing,
    Official,
    Other(PathBuf),
}

/// Brings a data set into its folder below `into`, which is made if need be. Files that are there already and are
/// the official ones stay; one that is another stops everything, unless `replace`. An interrupted download goes on
/// where it stopped. Progress counts bytes.
///
/// # Errors
/// No mirror has a file (the sentence says which file to put where by hand), a file there is another one, the
/// folder cannot be written; [`Error::Cancelled`], with what was downloaded kept for the next time.
pub fn fetch(source: &Source, into: &Path, replace: bool, progress: &mut dyn Progress) -> Result<Fetched> {
    let folder = into.join(&source.folder);
    let mut missing = Vec::new();
    for file in &source.files {
        let states = states(file, &folder, progress)?;
        if let Some(other) =
            states.iter().find_map(|state| if let State::Other(p) = state { Some(p) } else { None })
            && !replace
        {
            let reason = format!(
                "is not the official file of {}, or damaged; move it away, or replace it with --force",
                source.title
            );
            return Err(Error::file(other, reason));
        }
        if states.iter().any(|state| *state != State::Official) {
            missing.push(file);
        }
    }
    if missing.is_empty() {
        return Ok(Fetched { folder, downloaded: 0 });
    }
    let archives = missing.iter().any(|file| is_archive(file));
    let place = if archives { into } else { &folder };
    std::fs::create_dir_all(place).map_err(|error| Error::io("cannot create", place, error))?;

    let total = missing.iter().map(|file| file.bytes).sum();
    let mut done = missing.iter().map(|file| begun(file, place)).sum();
    progress.report(Event::Started { label: source.title.clone(), done, total })?;
    let earlier = done;
    for file in missing {
        let before = done - begun(file, place);
        if is_archive(file) {
            let archive = place.join(&file.name);
            if !is_official(file, &archive, progress)? {
                download(file, &source.mirrors, place, &mut |have| {
                    progress.report(Event::Step { done: before + have, total })
                })?;
            }
            unpack(&archive, file, &folder)?;
            std::fs::remove_file(&archive).map_err(|error| Error::io("cannot remove", &archive, error))?;
        } else {
            remove_others(file, &folder)?;
            download(file, &source.mirrors, place, &mut |have| {
                progress.report(Event::Step { done: before + have, total })
            })?;
        }
        done = before + file.bytes;
    }
    Ok(Fetched { folder, downloaded: total.saturating_sub(earlier) })
}

fn is_archive(file: &RemoteFile) -> bool {
    file.name.ends_with(".tar.gz")
}

/// Whether an archive, put there by hand, is what it should be.
fn is_official(file: &RemoteFile, path: &Path, progress: &mut dyn Progress) -> Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    if hash(path, false, progress)?.as_ref() == Some(&file.sha256) {
        return Ok(true);
    }
    Err(Error::file(
        path,
        "is damaged (its SHA-256 is not that of the official file); remove it, and run the command again",
    ))
}

/// The state of each thing that a file holds.
fn states(file: &RemoteFile, folder: &Path, progress: &mut dyn Progress) -> Result<Vec<State>> {
    let state = |(name, expected): &(String, String)| {
        let Some((path, zipped)) = candidates(name, folder).into_iter().find(|(path, _)| path.is_file())
        else {
            return Ok(State::Missing);
        };
        let found = hash(&path, zipped, progress)?;
        Ok(if found.as_ref() == Some(expected) { State::Official } else { State::Other(path) })
    };
    file.holds.iter().map(state).collect()
}

/// Where the content `name` may be, and whether gzipped there.
fn candidates(name: &str, folder: &Path) -> [(PathBuf, bool); 2] {
    [(folder.join(name), false), (folder.join(format!("{name}.gz")), true)]
}

fn remove_others(file: &RemoteFile, folder: &Path) -> Result<()> {
    for (path, _) in file.holds.iter().flat_map(|(name, _)| candidates(name, folder)) {
        if path.is_file() {
            std::fs::remove_file(&path).map_err(|error| Error::io("cannot remove", &path, error))?;
        }
    }
    Ok(())
}

/// SHA-256 of a file's content; none: it is damaged so that it cannot be unpacked.
fn hash(path: &Path, zipped: bool, progress: &mut dyn Progress) -> Result<Option<String>> {
    let file = File::open(path).map_err(|error| Error::io("cannot read", path, error))?;
    let mut content: Box<dyn Read> =
        if zipped { Box::new(gunzip(file)) } else { Box::new(BufReader::new(file)) };
    match checksum(&mut content, &mut || progress.report(Event::Alive)) {
        Ok(found) => Ok(Some(found)),
        Err(Broken::Read(_)) if zipped => Ok(None),
        Err(Broken::Read(error)) => Err(Error::io("cannot read", path, error)),
        Err(Broken::Cancelled(cancelled)) => Err(cancelled.into()),
    }
}

/// Unpacks what an archive should hold into a new folder, which then takes the place of `folder`.
fn unpack(archive: &Path, file: &RemoteFile, folder: &Path) -> Result<()> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    let cannot = |error| Error::io("cannot write", folder, error);
    let fresh = tempfile::Builder::new().prefix(".basin-").tempdir_in(parent).map_err(cannot)?;
    let opened = File::open(archive).map_err(|error| Error::io("cannot read", archive, error))?;
    let mut tar = tar::Archive::new(gunzip(opened));
    let mut wanted: BTreeSet<&str> = file.holds.iter().map(|(name, _)| name.as_str()).collect();
    for entry in tar.entries().map_err(|error| unpacking(archive, error))? {
        let mut entry = entry.map_err(|error| unpacking(archive, error))?;
        let name = entry.path().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
        if let Some(name) = name
            && wanted.remove(name.as_str())
        {
            let mut out = File::create_new(fresh.path().join(name)).map_err(cannot)?;
            std::io::copy(&mut entry, &mut out).map_err(cannot)?;
            out.sync_all().map_err(cannot)?;
        }
    }
    check_rest(archive, &mut tar.into_inner())?;
    if let Some(name) = wanted.first() {
        return Err(Error::file(archive, format!("has no {name} in it")));
    }
    // Into a folder that is there already, file by file: something of the user's may be beside them.
    if folder.is_dir() {
        for (name, _) in &file.holds {
            std::fs::rename(fresh.path().join(name), folder.join(name)).map_err(cannot)?;
        }
        return Ok(());
    }
    std::fs::rename(fresh.keep(), folder).map_err(cannot)?;
    readable(folder).map_err(cannot)
}

/// Temporary folders are private; the finished one should be as readable as any other.
#[cfg(unix)]
fn readable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn readable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
