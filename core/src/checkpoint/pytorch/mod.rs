//! Files of `torch.save`: which container, where its numbers lie, its pickle as tensors and values; and writing one.
//!
//! Nothing in a pickle is ever called. What is not needed may be of any class; a tensor of a form that cannot be
//! read is kept with the reason, for the case that it is needed.

mod container;
mod element;
mod key;
mod legacy;
mod tar;
mod tensors;
mod values;
mod write;
mod zip;

use std::path::Path;
use std::sync::Arc;

use super::raw::Raw;
use super::source::{Source, Storage};
use crate::error::{Error, Result};
use crate::pickle::Pickle;
use container::{Container, damaged};
pub use element::element_name;
use tensors::Walk;
pub use write::write;

/// Reads the directory of a file written by `torch.save`.
///
/// # Errors
/// The file is something else, ends early, or is damaged; the message says which.
pub fn read(path: &Path, head: &[u8]) -> Result<Raw> {
    let source = Arc::new(Source::open(path).map_err(|e| Error::io("cannot read", path, e))?);
    let container = if head.starts_with(b"PK") {
        zip::open(path, &source)
    } else if head.get(257..262) == Some(b"ustar") {
        tar::open(path, &source)
    } else {
        legacy::open(&Storage::within(&source, 0..source.len()))
    };
    container.and_then(|container| unpack(&container)).map_err(|reason| Error::file(path, reason))
}

/// The tensors and values of a pickle; the error is the end of a sentence about the file.
fn unpack(container: &Container) -> Result<Raw, String> {
    let pickle = Pickle::parse(&container.pickle).map_err(damaged)?;
    let mut walk = Walk::new(&pickle, container);
    walk.visit(pickle.root(), "");
    let tensors = walk.tensors;
    let (values, mut objects) = values::of(&pickle);
    // Attributes of a pickled module are no contents of the file.
    let is_module = values.get("_modules").is_some();
    objects.retain(|(name, _)| !is_module && !tensors.contains_key(name));
    Ok(Raw { container: container.name, tensors, values, objects })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// A file that PyTorch wrote, or one made as the reader of its oldest files expects.
    fn raw(name: &str) -> Raw {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reference/torch").join(name);
        let bytes = std::fs::read(&path).unwrap();
        read(&path, &bytes[..512]).unwrap()
    }

    fn floats(raw: &Raw, name: &str) -> Vec<f32> {
        raw.tensors[name].floats().unwrap()
    }

    #[test]
    fn views_are_read_element_by_element() {
        let file = raw("non_contiguous.pt");
        // Of 0, 1, 2, …: [5..29] as 2 x 3 x 4 with the last two axes exchanged, and [1..4] repeated.
        let permuted = &file.tensors["permuted"];
        assert_eq!(permuted.shape, [2, 4, 3]);
        let at = |i: usize| (5 + 12 * (i / 12) + i % 12 / 3 + 4 * (i % 3)) as f32;
        assert_eq!(permuted.floats().unwrap(), (0..24).map(at).collect::<Vec<_>>());
        assert_eq!(floats(&file, "expanded"), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn every_container_of_pytorch_is_read() {
        let file = raw("tar_storage_view.tar");
        assert_eq!(file.container, "PyTorch tar");
        assert_eq!(file.tensors["window"].shape, [2, 2]);
        assert_eq!(floats(&file, "window"), [2.0, 3.0, 4.0, 5.0]);
        assert_eq!(floats(&raw("tar_multi_dtype.tar"), "int_tensor"), [10.0, 20.0, 30.0, 40.0]);
        let file = raw("legacy_with_offsets.pt");
        assert_eq!(file.container, "PyTorch legacy");
        assert_eq!(floats(&file, "tensor3"), [3.0, 3.1, 3.2, 3.3, 3.4]);
        let views = floats(&raw("legacy_uncloned_views.pt"), "tensor1");
        assert_eq!(views, (10..20).map(|n| n as f32).collect::<Vec<_>>());
        assert_eq!(floats(&raw("no_crc32.pt"), "tensor").len(), 4);
        assert_eq!(floats(&raw("bfloat16.pt"), "tensor"), [1.5, -2.5, 3.5]);
        assert_eq!(floats(&raw("protocol4.pt"), "weight"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn a_whole_module_has_the_names_of_its_state_dictionary() {
        let (whole, dict) = (raw("full_model_checkpoint.pt"), raw("full_model_state_dict.pt"));
        assert_eq!(whole.values["epoch"], 3);
        for name in dict.tensors.keys() {
            let of_module = format!("model.{name}");
            assert_eq!(floats(&whole, &of_module), floats(&dict, name), "{name}");
        }
    }

    #[test]
    fn pickles_that_refer_to_themselves_end() {
        // A list that holds itself and a dictionary that holds itself, and a tensor made of a tensor of a tensor …
        let looped = b"\x80\x02}q\0(X\x01\0\0\0a]q\x01h\x01aX\x01\0\0\0bh\0u.".to_vec();
        let mut nested = b"\x80\x02".to_vec();
        nested.extend(b"ctorch._utils\n_rebuild_parameter\nq\0");
        nested.extend(b"0N\x85q\x010N");
        for _ in 0..100_000 {
            nested.extend(b"q\x02h\0h\x02\x85R");
        }
        nested.push(b'.');
        // Each list holds the one before it ten times.
        let mut wide = b"\x80\x02]q\0".to_vec();
        for level in 1..=60u8 {
            wide.extend([b']', b'q', level, b'(']);
            wide.extend([b'h', level - 1].repeat(10));
            wide.extend(b"e");
        }
        wide.push(b'.');
        for pickle in [looped, nested, wide] {
            let (storages, tensors) = (HashMap::new(), HashMap::new());
            let container = Container { name: "pickle", pickle, storages, tensors };
            assert!(unpack(&container).unwrap().tensors.is_empty());
        }
    }
}
