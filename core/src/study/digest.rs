//! What tables, states and thumbnails need of a record: a few hundred bytes in place of its whole file.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use super::quantities::{Number, measured};
use super::thumbnail::Thumbnail;
use crate::job::Job;
use crate::record::{Outcome, Record};

/// A record in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// What it is.
    pub kind: Kind,
    /// What was measured, in words.
    pub title: Arc<str>,
    /// Whether every unit of work was finished.
    pub complete: bool,
    /// The checkpoint that its job names.
    pub checkpoint: Option<PathBuf>,
    /// SHA-256 of the checkpoint's file; empty if unknown.
    pub hash: Arc<str>,
    /// A small picture of its landscape, if it is one.
    pub thumbnail: Option<Thumbnail>,
    /// What its job asks for, see [`asked`].
    pub(super) asked: u64,
    /// Its numbers by the names of columns.
    pub(super) numbers: Vec<Number>,
}

/// Kinds of records: those of one kind can be drawn together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Flatness over radii.
    Flatness,
    /// A landscape along one direction.
    Curve,
    /// A landscape over two directions.
    Plane,
    /// Loss and error of the network as it is.
    Evaluation,
    /// An ensemble of attacks.
    Attack,
    /// Eigenvalues.
    Hessian,
    /// A training.
    Training,
    /// Anything else.
    Other,
}

impl Kind {
    /// All of them, in the order of menus.
    pub const ALL: [Self; 8] = [
        Self::Flatness,
        Self::Curve,
        Self::Plane,
        Self::Hessian,
        Self::Attack,
        Self::Evaluation,
        Self::Training,
        Self::Other,
    ];
}

/// Something of which a digest is known: a record, or the digest itself.
pub trait Digested {
    /// The digest.
    fn digest(&self) -> Cow<'_, Digest>;
}

impl Digested for Record {
    fn digest(&self) -> Cow<'_, Digest> {
        Cow::Owned(Digest::of(self))
    }
}

impl Digested for Arc<Digest> {
    fn digest(&self) -> Cow<'_, Digest> {
        Cow::Borrowed(self)
    }
}

impl Digest {
    /// The same number for equal jobs, whatever the checkpoint, the device and the batch size.
    pub fn job(&self) -> u64 {
        self.asked
    }

    /// The digest of a record.
    pub fn of(record: &Record) -> Self {
        let mut numbers = Vec::new();
        record.parts().iter().for_each(|part| measured(&mut numbers, part));
        let kind = match &record.outcome {
            Outcome::Flatness(_) => Kind::Flatness,
            Outcome::Landscape(landscape) if landscape.y.is_none() => Kind::Curve,
            Outcome::Landscape(_) => Kind::Plane,
            Outcome::Evaluate(_) => Kind::Evaluation,
            Outcome::Attack(_) => Kind::Attack,
            Outcome::Hessian(_) => Kind::Hessian,
            Outcome::Train(_) => Kind::Training,
            _ => Kind::Other,
        };
        let thumbnail = match &record.outcome {
            Outcome::Landscape(landscape) => Thumbnail::of(landscape),
            _ => None,
        };
        Self {
            kind,
            title: record.job.summary().title.into(),
            complete: record.provenance.complete,
            checkpoint: record.job.checkpoint().map(ToOwned::to_owned),
            hash: base(&record.provenance.checkpoint_hash).into(),
            thumbnail,
            asked: asked(&record.job),
            numbers,
        }
    }
}

/// The hash of the file itself, without what was assumed of it.
fn base(hash: &str) -> &str {
    hash.get(..64).unwrap_or(hash)
}

/// What a job asks for, whatever the checkpoint's path, the device and the batch size: equal for equal jobs.
pub(super) fn asked(job: &Job) -> u64 {
    let mut value = serde_json::to_value(job).expect("a job is plain data");
    value["checkpoint"] = serde_json::Value::Null;
    if let Some(compute) = value.get_mut("compute").and_then(serde_json::Value::as_object_mut) {
        compute.remove("device");
        compute.remove("batch_size");
    }
    fnv(value.to_string().as_bytes())
}

/// FNV-1a: stable between versions.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
