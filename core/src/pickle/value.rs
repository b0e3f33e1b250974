//! Values of a pickle, and why one cannot be read.

use std::ops::Range;

/// Position of a value in a pickle.
pub(crate) type Id = usize;

/// A value as the pickle has it.
#[derive(Debug)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Bytes or text: where they are in the file.
    Bytes(Range<usize>),
    /// Bytes or text that the file spells otherwise.
    Spelled(Box<[u8]>),
    Tuple(Vec<Id>),
    /// A list or a set.
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Box<Global>),
    Object(Box<Object>),
    /// What the program that wrote the file keeps outside of the pickle, by this name.
    Persistent(Id),
    /// Numbers beyond 64 bits, extensions, buffers.
    Opaque,
}

/// A class or function by its name.
#[derive(Debug)]
pub(crate) struct Global {
    pub(crate) module: String,
    pub(crate) name: String,
}

/// What a call would have made.
#[derive(Debug)]
pub(crate) struct Object {
    /// The class or function.
    pub(crate) made_by: Id,
    /// A tuple of arguments.
    pub(crate) arguments: Id,
    /// What was set afterwards.
    pub(crate) state: Option<Id>,
    /// What was appended, if it is a kind of list.
    pub(crate) items: Vec<Id>,
    /// What was set by key, if it is a kind of dictionary.
    pub(crate) entries: Vec<(Id, Id)>,
}

/// Why a pickle cannot be read.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Whether the bytes end before the pickle does.
    pub(crate) ends_early: bool,
    /// The end of a sentence about the file.
    pub(crate) reason: String,
}

impl From<&str> for Fault {
    fn from(reason: &str) -> Self {
        Self { ends_early: false, reason: reason.into() }
    }
}
