//! One file over HTTP: goes on where an earlier try stopped, and is there under its name only when its SHA-256
//! is right.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use ureq::http::StatusCode;
use ureq::http::header::{CONTENT_RANGE, RANGE};

use super::catalogue::RemoteFile;
use super::check::impostor;
use crate::error::{Error, Result};
use crate::progress::Cancelled;

/// A server that says nothing for so long has been lost.
const SILENCE: Duration = Duration::from_secs(30);
/// Connections in a row that may bring nothing.
const FUTILE: u32 = 3;

/// Told how many bytes of the file are there; may stop the download.
pub(super) type Told<'a> = &'a mut dyn FnMut(u64) -> Result<(), Cancelled>;

/// Why a file did not come.
enum Failure {
    /// This mirror is of no use; another may be.
    Mirror(String),
    /// Nothing is of use: cancelled, no room, no right to write.
    End(Error),
}

impl From<Cancelled> for Failure {
    fn from(cancelled: Cancelled) -> Self {
        Self::End(cancelled.into())
    }
}

/// Bytes of the file that an earlier try left.
pub(super) fn begun(file: &RemoteFile, folder: &Path) -> u64 {
    std::fs::metadata(folder.join(part_name(file))).map_or(0, |found| found.len().min(file.bytes))
}

fn part_name(file: &RemoteFile) -> String {
    format!("{}.part", file.name)
}

/// Downloads `file` into `folder` from the first mirror that has it; while it is incomplete its name ends in
/// `.part`.
pub(super) fn download(file: &RemoteFile, mirrors: &[String], folder: &Path, told: Told) -> Result<()> {
    let path = folder.join(part_name(file));
    let cannot = |error| Error::io("cannot write", &path, error);
    let mut options = OpenOptions::new();
    let part = options.create(true).read(true).write(true).truncate(false).open(&path).map_err(cannot)?;
    if let Err(TryLockError::WouldBlock) = part.try_lock() {
        return Err(Error::file(&path, "is being downloaded by another basin; wait for it"));
    }
    let mut transfer = Transfer { file, part, path: &path, agent: agent(), told };
    let mut reasons = Vec::new();
    for mirror in mirrors {
        match transfer.from(&format!("{mirror}{}", file.name)) {
            Ok(()) => {
                transfer.part.sync_all().map_err(cannot)?;
                let name = folder.join(&file.name);
                return std::fs::rename(&path, &name).map_err(|e| Error::io("cannot write", &name, e));
            }
            Err(Failure::Mirror(reason)) => reasons.push(reason),
            Err(Failure::End(error)) => return Err(error),
        }
    }
    if transfer.part.metadata().is_ok_and(|found| found.len() == 0) {
        let _ = std::fs::remove_file(&path);
    }
    Err(Error::file(
        &folder.join(&file.name),
        format!(
            "could not be fetched: {}; try again later, or get it by another way (name {}, {} bytes, SHA-256 {}), put \
             it into {}, and run the same command",
            reasons.join("; "),
            file.name,
            file.bytes,
            file.sha256,
            folder.display()
        ),
    ))
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .http_status_as_error(false)
        .user_agent(concat!("basin/", env!("CARGO_PKG_VERSION")));
    config.build().new_agent()
}

struct Transfer<'a> {
    file: &'a RemoteFile,
    part: File,
    path: &'a Path,
    agent: ureq::Agent,
    told: Told<'a>,
}

impl Transfer<'_> {
    /// Downloads what is missing from one address, over as many connections as it takes, and checks the whole.
    fn from(&mut self, url: &str) -> Result<(), Failure> {
        // What an earlier try left may be of another file; then there is a second try from the beginning.
        let mut resumed = self.length()? > 0;
        let mut futile = 0;
        loop {
            let have = self.length()?;
            if have < self.file.bytes {
                let broken = self.connection(url, have)?;
                let gained = self.length()? > have;
                futile = if gained { 0 } else { futile + 1 };
                if let Some(reason) = broken
                    && futile == FUTILE
                {
                    return Err(Failure::Mirror(format!("{url} {reason}")));
                }
                if !gained {
                    self.pause(have, futile)?;
                }
                continue;
            }
            let found = self.checksum()?;
            if have == self.file.bytes && found == self.file.sha256 {
                return Ok(());
            }
            self.clear()?;
            if !std::mem::take(&mut resumed) {
                return Err(Failure::Mirror(format!("{url} is another file (its SHA-256 is {found})")));
            }
        }
    }

    /// One request, for everything from byte `have` on; the reason if the connection broke.
    fn connection(&mut self, url: &str, have: u64) -> Result<Option<String>, Failure> {
        let wrong = |reason: String| Failure::Mirror(format!("{url} {reason}"));
        let mut request = self.agent.get(url);
        if have > 0 {
            request = request.header(RANGE, format!("bytes={have}-"));
        }
        let mut response = match request.call() {
            Ok(response) => response,
            Err(ureq::Error::HostNotFound) => {
                return Err(wrong("cannot be reached (no such host, or no network)".into()));
            }
            Err(error) => return Ok(Some(format!("cannot be reached ({error})"))),
        };
        let start = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT => {
                let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
                if !range.is_some_and(|range| range.starts_with(&format!("bytes {have}-"))) {
                    return Err(wrong("sends another part of the file than was asked for".into()));
                }
                have
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                self.clear()?;
                return Ok(Some("does not have as much of the file as is here already".into()));
            }
            status if status.is_server_error() => return Ok(Some(format!("answers {status}"))),
            status => return Err(wrong(format!("answers {status}"))),
        };
        let body = response.body_mut();
        if body.mime_type() == Some("text/html") {
            return Err(wrong("answers with a web page (perhaps the log-in page of the network)".into()));
        }
        if let Some(length) = body.content_length()
            && start + length != self.file.bytes
        {
            let (found, expected) = (start + length, self.file.bytes);
            return Err(wrong(format!("has {found} bytes, but the file has {expected}")));
        }
        if start == 0 {
            self.clear()?;
        }
        self.receive(&mut body.as_reader(), start).map_err(|failure| match failure {
            Failure::Mirror(reason) => wrong(reason),
            end @ Failure::End(_) => end,
        })
    }

    /// Writes what comes; the reason if it ends early.
    fn receive(&mut self, body: &mut dyn Read, start: u64) -> Result<Option<String>, Failure> {
        let mut have = start;
        let mut buffer = vec![0; 1 << 16];
        self.part.seek(SeekFrom::Start(have)).map_err(|error| self.cannot_write(error))?;
        loop {
            (self.told)(have)?;
            let count = match body.read(&mut buffer) {
                Ok(0) if have == self.file.bytes => return Ok(None),
                Ok(0) => return Ok(Some("ends early".into())),
                Ok(count) => count,
                Err(error) => return Ok(Some(format!("broke off ({error})"))),
            };
            if have == 0
                && let Some(reason) = impostor(&buffer[..count])
            {
                return Err(Failure::Mirror(reason));
            }
            if have + count as u64 > self.file.bytes {
                self.clear()?;
                return Err(Failure::Mirror("sends more than the file has".into()));
            }
            self.part.write_all(&buffer[..count]).map_err(|error| self.cannot_write(error))?;
            have += count as u64;
        }
    }

    /// Half a second and more, in which one can still stop.
    fn pause(&mut self, have: u64, futile: u32) -> Result<(), Failure> {
        for _ in 0..5 * futile {
            std::thread::sleep(Duration::from_millis(100));
            (self.told)(have)?;
        }
        Ok(())
    }

    fn length(&self) -> Result<u64, Failure> {
        self.part.metadata().map(|found| found.len()).map_err(|error| self.cannot_write(error))
    }

    fn clear(&self) -> Result<(), Failure> {
        self.part.set_len(0).map_err(|error| self.cannot_write(error))
    }

    fn checksum(&mut self) -> Result<String, Failure> {
        let cannot = |error| Failure::End(Error::io("cannot read", self.path, error));
        self.part.seek(SeekFrom::Start(0)).map_err(cannot)?;
        let length = self.file.bytes;
        checksum(&mut BufReader::new(&self.part), &mut || (self.told)(length)).map_err(|error| match error {
            Broken::Read(error) => cannot(error),
            Broken::Cancelled(cancelled) => cancelled.into(),
        })
    }

    fn cannot_write(&self, error: std::io::Error) -> Failure {
        Failure::End(Error::io("cannot write", self.path, error))
    }
}

/// Why no checksum could be had.
pub(super) enum Broken {
    /// The file cannot be read.
    Read(std::io::Error),
    /// The user stopped.
    Cancelled(Cancelled),
}

/// SHA-256, lower-case hexadecimal, of everything that can be read.
pub(super) fn checksum(
    from: &mut dyn Read,
    cancel_check: &mut dyn FnMut() -> Result<(), Cancelled>,
) -> Result<String, Broken> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        cancel_check().map_err(Broken::Cancelled)?;
        match from.read(&mut buffer).map_err(Broken::Read)? {
            0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => hash.update(&buffer[..count]),
        }
    }
}
