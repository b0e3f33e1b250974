//! From a pickle to tensors by their dotted names, through dictionaries, lists and objects of any class.

use std::collections::{BTreeMap, HashMap, HashSet};

use tch::Kind;

use super::container::{Container, Piece};
use super::element::Element;
use super::key::key;
use super::legacy;
use crate::checkpoint::raw::RawTensor;
use crate::checkpoint::source::Storage;
use crate::pickle::{Array, Id, Pickle, Value};

/// Most values that are looked at, and most levels of them.
const MOST_VALUES: usize = 1_000_000;
const MOST_LEVELS: usize = 100;
/// Where a `torch.nn.Module` keeps what is in its state dictionary.
const MODULE_TABLES: [&str; 3] = ["_parameters", "_buffers", "_modules"];

/// The values of a pickle, looked at one after the other.
pub struct Walk<'p> {
    pickle: &'p Pickle<'p>,
    container: &'p Container,
    /// Tensors by name.
    pub tensors: BTreeMap<String, RawTensor>,
    /// Values that the one in hand is part of.
    around: Vec<Id>,
    /// Objects that were looked at: whatever refers to each other may do so in many ways.
    seen: HashSet<Id>,
    /// Storages that are pickled within the pickle.
    inner: HashMap<Id, Option<(Storage, Element)>>,
    left: usize,
}

impl<'p> Walk<'p> {
    /// A walk that has not begun.
    pub fn new(pickle: &'p Pickle<'p>, container: &'p Container) -> Self {
        let (tensors, around, seen, inner) = (BTreeMap::new(), Vec::new(), HashSet::new(), HashMap::new());
        Self { pickle, container, tensors, around, seen, inner, left: MOST_VALUES }
    }

    /// Collects the tensors of a value and of all within it.
    pub fn visit(&mut self, id: Id, name: &str) {
        if matches!(self.pickle.get(id), Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Bytes(_)) {
            return;
        }
        if self.left == 0 || self.around.len() == MOST_LEVELS || self.around.contains(&id) {
            return;
        }
        self.left = self.left.saturating_sub(1 + name.len() / 64);
        if let Some(tensor) = self.tensor(id, MOST_LEVELS) {
            self.tensors.insert(name.to_owned(), tensor);
            return;
        }
        let is_opaque = matches!(self.pickle.get(id), Value::Object(object) if object.entries.is_empty());
        let module = is_opaque.then(|| module(self.pickle, id)).flatten();
        if is_opaque && module.is_none() && !self.seen.insert(id) {
            return;
        }
        let parts = module.unwrap_or_else(|| own_entries(self.pickle, id));
        self.left = self.left.saturating_sub(parts.len() / 8);
        self.around.push(id);
        for (part, value) in parts {
            let name = match (name.is_empty(), part.is_empty()) {
                (true, _) => part,
                (_, true) => name.to_owned(),
                _ => format!("{name}.{part}"),
            };
            self.visit(value, &name);
        }
        self.around.pop();
    }

    /// The tensor that a value is; none: it is something else.
    fn tensor(&mut self, id: Id, levels: usize) -> Option<RawTensor> {
        if let Value::Persistent(name) = self.pickle.get(id) {
            let piece = self.container.tensors.get(&key(self.pickle, *name)?)?;
            return Some(readable(piece.clone()));
        }
        let (function, arguments, _) = self.pickle.call(id)?;
        self.rebuilt(id, function, arguments, levels.checked_sub(1)?)
    }

    /// The tensor that a function makes of its arguments.
    fn rebuilt(&mut self, id: Id, function: &str, arguments: &[Id], levels: usize) -> Option<RawTensor> {
        let pickle = self.pickle;
        let unreadable = |reason: &str| Some(RawTensor::unreadable(reason.to_owned()));
        match (function, arguments) {
            ("_rebuild_tensor" | "_rebuild_tensor_v2", &[storage, offset, shape, strides, ..]) => {
                Some(self.piece(storage, offset, shape, strides, None))
            }
            ("_rebuild_tensor_v3", &[storage, offset, shape, strides, _, _, kind, ..]) => {
                Some(self.piece(storage, offset, shape, strides, Some(kind)))
            }
            (
                "_rebuild_parameter" | "_rebuild_parameter_with_state" | "Parameter" | "Buffer",
                &[tensor, ..],
            ) => self.tensor(tensor, levels),
            ("_rebuild_from_type" | "_rebuild_from_type_v2", &[function, _, arguments, ..]) => {
                let (function, arguments) = (pickle.global(function)?, pickle.items(arguments)?);
                self.rebuilt(id, &function.name, arguments, levels.checked_sub(1)?)
            }
            ("_rebuild_device_tensor_from_numpy" | "_rebuild_xla_tensor", &[array, ..]) => {
                pickle.array(array).map(from_numpy)
            }
            ("_reconstruct" | "_frombuffer", _) => pickle.array(id).map(from_numpy),
            ("_rebuild_qtensor", _) => unreadable(
                "is quantized, which Basin does not read; save the state dictionary before quantization, or \
                 tensor.dequantize()",
            ),
            ("_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor", _) => {
                unreadable("is a sparse tensor, which Basin does not read; save tensor.to_dense()")
            }
            ("_rebuild_meta_tensor_no_storage", _) => {
                unreadable("has no values (device \"meta\"); save the network after its weights are loaded")
            }
            (other, _) if other.starts_with("_rebuild") => {
                let reason = format!(
                    "is a tensor of a form that Basin does not read ({other}); save tensor.data.clone()"
                );
                Some(RawTensor::unreadable(reason))
            }
            _ => None,
        }
    }

    fn piece(&mut self, storage: Id, offset: Id, shape: Id, strides: Id, kind: Option<Id>) -> RawTensor {
        let pickle = self.pickle;
        let numbers =
            |id: Id| pickle.items(id)?.iter().map(|&n| pickle.number_of(n)).collect::<Option<Vec<_>>>();
        let (Some(offset), Some(shape), Some(strides)) =
            (pickle.integer(offset), numbers(shape), numbers(strides))
        else {
            return RawTensor::unreadable(
                "has a shape that is no list of numbers; fetch the file again".into(),
            );
        };
        let Some((storage, mut element)) = self.storage(storage) else {
            let reason = "has no stored numbers: the file is damaged or incomplete; fetch it again";
            return RawTensor::unreadable(reason.into());
        };
        if let Some(kind) = kind.and_then(|kind| pickle.global(kind)) {
            let Some(known) = Element::of_type(&kind.name) else {
                return RawTensor::unreadable(format!(
                    "has elements of type {}, which Basin does not know",
                    kind.name
                ));
            };
            element = known;
        }
        readable(Piece { storage, element, offset, shape, strides })
    }

    /// The storage that a value stands for.
    fn storage(&mut self, id: Id) -> Option<(Storage, Element)> {
        if let Some(found) = self.inner.get(&id) {
            return found.clone();
        }
        if let Some(("_load_from_bytes", &[bytes], _)) = self.pickle.call(id) {
            let found = self.pickle.content(bytes).and_then(|bytes| within(bytes.into_owned()));
            self.inner.insert(id, found.clone());
            return found;
        }
        referred(self.pickle, id, &self.container.storages)
    }
}

/// A storage that a pickle refers to by `("storage", class, key, device, count, view)`.
fn referred(pickle: &Pickle, id: Id, storages: &HashMap<String, Storage>) -> Option<(Storage, Element)> {
    let Value::Persistent(name) = pickle.get(id) else { return None };
    let (class, name, rest) = match pickle.items(*name)? {
        [_, class, name, rest @ ..] => (*class, *name, rest),
        _ => return None,
    };
    let element = Element::of_storage(&pickle.global(class)?.name)?;
    let storage = storages.get(&key(pickle, name)?)?;
    let view = rest.get(2).and_then(|view| pickle.items(*view));
    let Some(&[_, offset, count]) = view else { return Some((storage.clone(), element)) };
    let bytes = |id| u64::try_from(pickle.integer(id)?).ok()?.checked_mul(element.size);
    let (start, length) = (bytes(offset)?, bytes(count)?);
    let end = start.checked_add(length).filter(|&end| end <= storage.len)?;
    Some((storage.part(start..end), element))
}

/// The storage that is pickled in bytes of their own, as `pickle.dump` does.
fn within(bytes: Vec<u8>) -> Option<(Storage, Element)> {
    let container = legacy::open(&Storage::of(bytes)).ok()?;
    let pickle = Pickle::parse(&container.pickle).ok()?;
    referred(&pickle, pickle.root(), &container.storages)
}

/// The tensor of a piece, if Basin knows its type.
fn readable(piece: Piece) -> RawTensor {
    let Piece { storage, element, offset, shape, strides } = piece;
    match element.kind {
        Some(kind) => RawTensor::strided(storage, kind, offset, shape, &strides),
        None => {
            RawTensor::unreadable(format!("has elements of type {}, which Basin cannot use", element.name))
        }
    }
}

fn from_numpy(array: Array) -> RawTensor {
    let kind = match array.kind.as_str() {
        "f8" => Kind::Double,
        "f4" => Kind::Float,
        "f2" => Kind::Half,
        "i8" => Kind::Int64,
        "i4" => Kind::Int,
        "i2" => Kind::Int16,
        "i1" => Kind::Int8,
        "u1" => Kind::Uint8,
        "b1" => Kind::Bool,
        other => {
            let reason = format!("is a numpy array with elements of type {other}, which Basin cannot use");
            return RawTensor::unreadable(reason);
        }
    };
    let shape: Vec<i64> = array.shape.iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)).collect();
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = shape[axis].saturating_mul(strides[axis]);
    }
    RawTensor::strided(Storage::of(array.bytes.into_owned()), kind, 0, shape, &strides)
}

/// Parts of a `torch.nn.Module` by the names of its state dictionary; none: it is something else.
fn module(pickle: &Pickle, id: Id) -> Option<Vec<(String, Id)>> {
    let Value::Object(object) = pickle.get(id) else { return None };
    let state = object.state?;
    let tables = MODULE_TABLES.map(|table| pickle.lookup(state, table));
    tables[0]?;
    Some(tables.into_iter().flatten().flat_map(|table| own_entries(pickle, table)).collect())
}

/// Names and values within a dictionary, list or object of any class; none in anything else.
pub fn own_entries(pickle: &Pickle, id: Id) -> Vec<(String, Id)> {
    let named = |entries: Vec<(Id, Id)>| {
        let entries = entries.into_iter();
        entries.filter_map(|(name, value)| Some((key(pickle, name)?, value))).collect::<Vec<_>>()
    };
    if let Some(entries) = pickle.entries(id) {
        return named(entries);
    }
    if let Some(items) = pickle.items(id) {
        return items.iter().enumerate().map(|(at, &item)| (at.to_string(), item)).collect();
    }
    match pickle.get(id) {
        // ("module", object, file, source): an object whose source code lies beside it.
        Value::Persistent(name) => match pickle.items(*name) {
            Some([kind, object, ..]) if pickle.text(*kind) == Some(b"module") => {
                vec![(String::new(), *object)]
            }
            _ => Vec::new(),
        },
        Value::Object(object) => {
            let Some(state) = object.state else { return Vec::new() };
            // Objects with slots have a pair: what is in their dictionary, and what is in their slots.
            let states = match pickle.items(state) {
                Some(&[first, second]) => vec![first, second],
                _ => vec![state],
            };
            states.into_iter().filter_map(|state| pickle.entries(state)).flat_map(named).collect()
        }
        _ => Vec::new(),
    }
}
