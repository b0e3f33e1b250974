//! The digests of a study's records, kept between runs so that unchanged files are not read again.
//!
//! A file in the user's cache folder, in postcard. One that is damaged, of another study or of another version counts as
//! none: everything in it can be computed again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::digest::{Digest, Kind, fnv};
use super::find::{Stamp, is_record};
use super::quantities::{Number, Value};
use super::thumbnail::Thumbnail;
use crate::error::Result;
use crate::files::{cache_folder, write_atomically};
use crate::measure::statistics::Interval;
use crate::record::Record;

/// The source of what is kept: an index of other code may have other digests of the same records.
const SOURCES: [&str; 5] = [
    include_str!("index.rs"),
    include_str!("digest.rs"),
    include_str!("quantities.rs"),
    include_str!("thumbnail.rs"),
    include_str!("../record/attacks.rs"),
];

fn version() -> u64 {
    SOURCES.iter().fold(0, |version, source| version ^ fnv(source.as_bytes()))
}

/// What a file is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Record(Arc<Digest>),
    /// Looks like a record and cannot be used, for this reason.
    Broken(String),
    /// No record.
    Other,
}

impl Content {
    /// Reads a file or the folder of a training; `must` it be a record, another file is a broken one.
    pub fn of(path: &Path, must: bool) -> Self {
        if !must && !path.is_dir() && !is_record(path) {
            return Self::Other;
        }
        match Record::load(path) {
            Ok(record) => Self::Record(Arc::new(Digest::of(&record))),
            Err(error) => Self::Broken(error.to_string()),
        }
    }
}

/// Contents of a study's files by their paths relative to it, each as of its size and time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Index {
    pub files: HashMap<PathBuf, (Stamp, Content)>,
}

impl Index {
    /// Where the index of a study is kept; none: there is no cache folder.
    pub fn place(study: &Path) -> Option<PathBuf> {
        let study = study.canonicalize().ok()?;
        let key = fnv(study.as_os_str().as_encoded_bytes());
        Some(cache_folder()?.join("studies").join(format!("{key:016x}.index")))
    }

    /// The index that is kept in a file; empty if it is none.
    pub fn load(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_default();
        let kept = postcard::from_bytes::<Kept>(&bytes).ok();
        kept.filter(|kept| kept.version == version()).and_then(Kept::index).unwrap_or_default()
    }

    /// Keeps the index in a file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        if let Some(parent) = path.parent() {
            let failed = |e| crate::Error::io("cannot create", parent, e);
            std::fs::create_dir_all(parent).map_err(failed)?;
            forget_old(parent);
        }
        let bytes = postcard::to_stdvec(&Kept::of(self)).expect("an index is plain data");
        write_atomically(path, &bytes)
    }
}

/// Removes indexes that no one has written for long: their studies are gone, or never change.
fn forget_old(folder: &Path) {
    const LONG: Duration = Duration::from_secs(90 * 24 * 3600);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|found| found.modified()).map(|time| time.elapsed());
        if entry.path().extension().is_some_and(|end| end == "index")
            && age.is_ok_and(|age| age.is_ok_and(|age| age > LONG))
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The file. Words that many records share are written once; digests have their numbers in `strings`.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u64,
    strings: Vec<String>,
    files: Vec<(String, Stamp, KeptContent)>,
}

#[derive(Serialize, Deserialize)]
enum KeptContent {
    Record(KeptDigest),
    Broken(String),
    Other,
}

#[derive(Serialize, Deserialize)]
struct KeptDigest {
    kind: u8,
    title: u32,
    complete: bool,
    checkpoint: Option<u32>,
    hash: u32,
    thumbnail: Option<(u8, u8, [f32; 2], Vec<u8>)>,
    asked: u64,
    /// Key, weight, value, ends of the interval.
    numbers: Vec<(u32, u64, f64, Option<[f64; 2]>)>,
}

/// Strings by number.
#[derive(Default)]
struct Strings {
    numbers: HashMap<String, u32>,
    all: Vec<String>,
}

impl Strings {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        let number = self.all.len() as u32;
        self.numbers.insert(text.to_owned(), number);
        self.all.push(text.to_owned());
        number
    }
}

impl Kept {
    fn of(index: &Index) -> Self {
        let mut strings = Strings::default();
        // Paths that are not Unicode are read again.
        let files = index.files.iter().filter_map(|(path, (stamp, content))| {
            let content = match content {
                Content::Record(digest) => KeptContent::Record(kept(digest, &mut strings)?),
                Content::Broken(reason) => KeptContent::Broken(reason.clone()),
                Content::Other => KeptContent::Other,
            };
            Some((path.to_str()?.to_owned(), *stamp, content))
        });
        let files = files.collect();
        Self { version: version(), strings: strings.all, files }
    }

    fn index(self) -> Option<Index> {
        let strings: Vec<Arc<str>> = self.strings.into_iter().map(Arc::from).collect();
        let mut files = HashMap::with_capacity(self.files.len());
        for (path, stamp, content) in self.files {
            let content = match content {
                KeptContent::Record(digest) => Content::Record(Arc::new(whole(digest, &strings)?)),
                KeptContent::Broken(reason) => Content::Broken(reason),
                KeptContent::Other => Content::Other,
            };
            files.insert(PathBuf::from(path), (stamp, content));
        }
        Some(Index { files })
    }
}

fn kept(digest: &Digest, strings: &mut Strings) -> Option<KeptDigest> {
    let checkpoint = match &digest.checkpoint {
        Some(path) => Some(strings.number(path.to_str()?)),
        None => None,
    };
    let ends = |value: &Value| value.interval.map(|interval| [interval.low, interval.high]);
    let number = |number: &Number, strings: &mut Strings| {
        (strings.number(&number.key), number.weight as u64, number.value.value, ends(&number.value))
    };
    let picture = |t: &Thumbnail| (t.width as u8, t.height as u8, t.range, t.levels.clone());
    Some(KeptDigest {
        kind: Kind::ALL.iter().position(|kind| *kind == digest.kind)? as u8,
        title: strings.number(&digest.title),
        complete: digest.complete,
        checkpoint,
        hash: strings.number(&digest.hash),
        thumbnail: digest.thumbnail.as_ref().map(picture),
        asked: digest.asked,
        numbers: digest.numbers.iter().map(|of| number(of, strings)).collect(),
    })
}

fn whole(digest: KeptDigest, strings: &[Arc<str>]) -> Option<Digest> {
    let string = |number: u32| strings.get(number as usize).cloned();
    let number = |(key, weight, value, ends): (u32, u64, f64, Option<[f64; 2]>)| {
        let interval = ends.map(|[low, high]| Interval { low, high });
        Some(Number { key: string(key)?, weight: weight as usize, value: Value { value, interval } })
    };
    let picture = |(width, height, range, levels)| Thumbnail {
        width: usize::from(width),
        height: usize::from(height),
        range,
        levels,
    };
    Some(Digest {
        kind: *Kind::ALL.get(usize::from(digest.kind))?,
        title: string(digest.title)?,
        complete: digest.complete,
        checkpoint: match digest.checkpoint {
            Some(number) => Some(PathBuf::from(&*string(number)?)),
            None => None,
        },
        hash: string(digest.hash)?,
        thumbnail: digest.thumbnail.map(picture),
        asked: digest.asked,
        numbers: digest.numbers.into_iter().map(number).collect::<Option<_>>()?,
    })
}
