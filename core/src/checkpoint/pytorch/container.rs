//! What a container of `torch.save` holds, and what is said of one that is damaged.

use std::collections::HashMap;

use super::element::Element;
use crate::checkpoint::source::Storage;
use crate::pickle::Fault;

/// A container: its pickle, and what the pickle refers to.
pub struct Container {
    /// `PyTorch zip`, …
    pub name: &'static str,
    pub pickle: Vec<u8>,
    pub storages: HashMap<String, Storage>,
    /// Tensors outside of the pickle, as the oldest files have them.
    pub tensors: HashMap<String, Piece>,
}

/// A tensor as part of a storage.
#[derive(Clone)]
pub struct Piece {
    pub storage: Storage,
    pub element: Element,
    pub offset: i64,
    pub shape: Vec<i64>,
    pub strides: Vec<i64>,
}

/// The end of a sentence about a file whose pickle cannot be read.
pub fn damaged(fault: Fault) -> String {
    if fault.ends_early {
        return ENDS_EARLY.into();
    }
    format!("is damaged ({}); fetch it again", fault.reason)
}

/// The end of a sentence about a file that should be longer.
pub const ENDS_EARLY: &str = "ends early: the download or copy is incomplete; fetch it again";
/// The end of a sentence about a file with numbers in the other order of bytes.
pub const BIG_ENDIAN: &str = "was written on a big-endian machine; load and save it again on a usual one";
