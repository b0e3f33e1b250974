//! Python's pickle format, read as data: for checkpoints, CIFAR-10's batches and pseudo-labelled images.
//!
//! Nothing is ever called: a global is its name, a call is the name with its arguments, and what is not
//! understood stays opaque. Values lie in one list and refer to each other by position, so no file can make
//! reading or dropping them recurse.

mod numpy;
mod protocol0;
mod value;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

pub(crate) use numpy::Array;
pub(crate) use value::{Fault, Global, Id, Object, Value};

/// Most instructions of a pickle that is believed: a batch has about 60,000, a checkpoint a few more.
const MAX_INSTRUCTIONS: usize = 10_000_000;

/// A pickle that was read.
pub(crate) struct Pickle<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl<'a> Pickle<'a> {
    /// Reads the pickle at the start of `bytes`.
    ///
    /// # Errors
    /// The bytes end early or are no pickle.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let (values, stack, marks) = (Vec::new(), Vec::new(), Vec::new());
        let mut pickle = Self { bytes, at: 0, values, stack, marks, memo: HashMap::new() };
        for _ in 0..MAX_INSTRUCTIONS {
            if pickle.step()? {
                pickle.top()?;
                return Ok(pickle);
            }
        }
        Err("its pickle is too long".into())
    }

    /// Number of bytes up to its end.
    pub(crate) fn len(&self) -> usize {
        self.at
    }

    /// The pickled value.
    pub(crate) fn root(&self) -> Id {
        self.stack.last().copied().unwrap_or_default()
    }

    /// A value.
    pub(crate) fn get(&self, id: Id) -> &Value {
        &self.values[id]
    }

    /// All values, in no order that matters.
    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value under a name in the dictionary at the root.
    pub(crate) fn entry(&self, name: &str) -> Option<Id> {
        self.lookup(self.root(), name)
    }

    /// The value under a name in a dictionary.
    pub(crate) fn lookup(&self, dict: Id, name: &str) -> Option<Id> {
        let entries = self.entries(dict)?;
        let found =
            entries.into_iter().rev().find(|(key, _)| self.content(*key).as_deref() == Some(name.as_bytes()));
        found.map(|(_, value)| value)
    }

    /// Keys and values of any kind of dictionary.
    pub(crate) fn entries(&self, id: Id) -> Option<Vec<(Id, Id)>> {
        match &self.values[id] {
            Value::Dict(entries) => Some(entries.clone()),
            Value::Object(object) if !object.entries.is_empty() => Some(object.entries.clone()),
            Value::Object(object) if self.global(object.made_by)?.name == "OrderedDict" => {
                // Python 2 gives the pairs as an argument.
                let pairs = self.items(*self.items(object.arguments)?.first()?)?;
                let pair = |&pair: &Id| {
                    if let &[key, value] = self.items(pair)? { Some((key, value)) } else { None }
                };
                pairs.iter().map(pair).collect()
            }
            _ => None,
        }
    }

    /// Items of a tuple or of any kind of list.
    pub(crate) fn items(&self, id: Id) -> Option<&[Id]> {
        match &self.values[id] {
            Value::Tuple(items) | Value::List(items) => Some(items),
            Value::Object(object) if !object.items.is_empty() => Some(&object.items),
            _ => None,
        }
    }

    /// A whole number.
    pub(crate) fn integer(&self, id: Id) -> Option<i64> {
        if let Value::Int(value) = self.values[id] { Some(value) } else { None }
    }

    /// Bytes or text as pickled.
    pub(crate) fn text(&self, id: Id) -> Option<&[u8]> {
        match &self.values[id] {
            Value::Bytes(range) => Some(&self.bytes[range.clone()]),
            Value::Spelled(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A class or function.
    pub(crate) fn global(&self, id: Id) -> Option<&Global> {
        if let Value::Global(global) = &self.values[id] { Some(global) } else { None }
    }

    /// An object with the name of what made it; module names change too often to ask for.
    pub(crate) fn call(&self, id: Id) -> Option<(&str, &[Id], &Object)> {
        let Value::Object(object) = &self.values[id] else { return None };
        let name = &self.global(object.made_by)?.name;
        let arguments = self.items(object.arguments).unwrap_or_default();
        Some((name, arguments, object))
    }

    /// The class of an object, `collections.defaultdict`; none: not told.
    pub(crate) fn class(&self, object: &Object) -> Option<&Global> {
        let global = self.global(object.made_by)?;
        let is_helper = matches!(global.name.as_str(), "_reconstructor" | "__newobj__" | "__newobj_ex__");
        match self.items(object.arguments) {
            Some([class, ..]) if is_helper => self.global(*class),
            _ => Some(global),
        }
    }

    /// Arguments and state of what this function would have made.
    fn made_by(&self, id: Id, function: &str) -> Option<(&[Id], Option<Id>)> {
        let (name, arguments, object) = self.call(id)?;
        (name == function).then_some((arguments, object.state))
    }

    /// Bytes or text, however they were pickled.
    pub(crate) fn content(&self, id: Id) -> Option<Cow<'_, [u8]>> {
        if let Some((arguments, _)) = self.made_by(id, "encode") {
            // Python 3 writes bytes in protocol 2 as text with the same code points.
            let text = std::str::from_utf8(self.text(*arguments.first()?)?).ok()?;
            text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<_>>().map(Cow::Owned)
        } else if let Some((arguments, _)) = self.made_by(id, "bytearray") {
            self.text(*arguments.first()?).map(Cow::Borrowed)
        } else {
            self.text(id).map(Cow::Borrowed)
        }
    }

    /// Carries out one instruction; true at the end.
    fn step(&mut self) -> Result<bool, Fault> {
        let code = self.number(1)? as u8;
        match code {
            0x80 => drop(self.number(1)?),
            0x95 => drop(self.number(8)?),
            b'.' => return Ok(true),
            b'(' => self.marks.push(self.stack.len()),
            b'0' if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => self.stack.push(self.top()?),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'K' => self.push_integer(1)?,
            b'M' => self.push_integer(2)?,
            b'J' => {
                let value = self.number(4)? as u32;
                self.push(Value::Int(i64::from(value.cast_signed())));
            }
            0x8a => self.push_long(1)?,
            0x8b => self.push_long(4)?,
            b'G' => {
                let value = self.number(8)?.swap_bytes();
                self.push(Value::Float(f64::from_bits(value)));
            }
            b'I' | b'L' | b'F' | b'S' | b'V' => {
                let line = self.line()?;
                self.push(protocol0::value(code, line));
            }
            b'U' | b'C' | 0x8c => self.push_bytes(1)?,
            b'T' | b'B' | b'X' => self.push_bytes(4)?,
            0x8d | 0x8e | 0x96 => self.push_bytes(8)?,
            b')' => self.push(Value::Tuple(Vec::new())),
            b']' | 0x8f => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(code - 0x84))?;
                self.push(Value::Tuple(items));
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Tuple(items));
            }
            b'l' | 0x91 => {
                let items = self.pop_to_mark()?;
                self.push(Value::List(items));
            }
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Dict(pairs(&items)));
            }
            b'a' => {
                let items = self.pop_many(1)?;
                self.append(items)?;
            }
            b'e' | 0x90 => {
                let items = self.pop_to_mark()?;
                self.append(items)?;
            }
            b's' => {
                let items = self.pop_many(2)?;
                self.set(&items)?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set(&items)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push_global(&module, &name);
            }
            0x93 => {
                let names = self.pop_many(2)?;
                let name = |id: Id| self.text(id).unwrap_or_default().to_vec();
                let (module, name) = (name(names[0]), name(names[1]));
                self.push_global(&module, &name);
            }
            b'R' | 0x81 => {
                let call = self.pop_many(2)?;
                self.push_object(call[0], call[1]);
            }
            0x92 => {
                let call = self.pop_many(3)?;
                self.push_object(call[0], call[1]);
            }
            b'o' => {
                let parts = self.pop_to_mark()?;
                let (&class, arguments) =
                    parts.split_first().ok_or("its pickle makes an object of no class")?;
                self.push(Value::Tuple(arguments.to_vec()));
                let arguments = self.pop()?;
                self.push_object(class, arguments);
            }
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                let arguments = self.pop_to_mark()?;
                self.push_global(&module, &name);
                self.push(Value::Tuple(arguments));
                let call = self.pop_many(2)?;
                self.push_object(call[0], call[1]);
            }
            b'b' => {
                let state = self.pop()?;
                let object = self.top()?;
                if let Value::Object(object) = &mut self.values[object] {
                    object.state = Some(state);
                }
            }
            b'Q' => {
                let name = self.pop()?;
                self.push(Value::Persistent(name));
            }
            b'P' => {
                let name = self.line()?;
                self.push(Value::Spelled(name.into()));
                let name = self.pop()?;
                self.push(Value::Persistent(name));
            }
            b'q' => self.remember(1)?,
            b'r' => self.remember(4)?,
            b'p' => {
                let index = protocol0::index(&self.line()?)?;
                self.memo.insert(index, self.top()?);
            }
            0x94 => {
                let value = self.top()?;
                self.memo.insert(self.memo.len() as u64, value);
            }
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            b'g' => {
                let index = protocol0::index(&self.line()?)?;
                self.push_remembered(index)?;
            }
            0x82 => self.skip(1)?,
            0x83 => self.skip(2)?,
            0x84 => self.skip(4)?,
            0x97 => self.push(Value::Opaque),
            0x98 => {}
            other => {
                return Err(Fault::from(&*format!("its pickle has an unknown instruction, 0x{other:02x}")));
            }
        }
        Ok(false)
    }

    fn take(&mut self, length: u64) -> Result<Range<usize>, Fault> {
        let left = self.bytes.len() - self.at;
        let length = usize::try_from(length).ok().filter(|&length| length <= left).ok_or_else(|| Fault {
            ends_early: true,
            reason: format!(
                "it is truncated: {length} more bytes expected at byte {}, {left} found",
                self.at
            ),
        })?;
        self.at += length;
        Ok(self.at - length..self.at)
    }

    fn number(&mut self, length: u64) -> Result<u64, Fault> {
        let range = self.take(length)?;
        Ok(little_endian(&self.bytes[range]))
    }

    fn line(&mut self) -> Result<Vec<u8>, Fault> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n');
        let length = length
            .ok_or_else(|| Fault { ends_early: true, reason: "it is truncated within a name".into() })?;
        let range = self.take(length as u64 + 1)?;
        Ok(self.bytes[range.start..range.end - 1].to_vec())
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn push_integer(&mut self, length: u64) -> Result<(), Fault> {
        let value = self.number(length)?;
        self.push(Value::Int(value.cast_signed()));
        Ok(())
    }

    /// A number of any length, little-endian, in two's complement.
    fn push_long(&mut self, length_of_length: u64) -> Result<(), Fault> {
        let length = self.number(length_of_length)?;
        let range = self.take(length)?;
        let bytes = &self.bytes[range];
        let unused = 64 - 8 * bytes.len().min(8) as u32;
        self.push(match bytes.len() {
            0 => Value::Int(0),
            1..=8 => Value::Int((little_endian(bytes) << unused).cast_signed() >> unused),
            _ => Value::Opaque,
        });
        Ok(())
    }

    fn push_bytes(&mut self, length_of_length: u64) -> Result<(), Fault> {
        let length = self.number(length_of_length)?;
        let range = self.take(length)?;
        self.push(Value::Bytes(range));
        Ok(())
    }

    fn push_global(&mut self, module: &[u8], name: &[u8]) {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        self.push(Value::Global(Box::new(Global { module: text(module), name: text(name) })));
    }

    fn push_object(&mut self, made_by: Id, arguments: Id) {
        let (items, entries) = (Vec::new(), Vec::new());
        self.push(Value::Object(Box::new(Object { made_by, arguments, state: None, items, entries })));
    }

    fn skip(&mut self, length: u64) -> Result<(), Fault> {
        self.take(length)?;
        self.push(Value::Opaque);
        Ok(())
    }

    fn top(&self) -> Result<Id, Fault> {
        self.stack.last().copied().ok_or_else(|| "its pickle uses a value that is not there".into())
    }

    fn pop(&mut self) -> Result<Id, Fault> {
        self.stack.pop().ok_or_else(|| "its pickle uses a value that is not there".into())
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>, Fault> {
        let start = self.stack.len().checked_sub(count).ok_or("its pickle uses a value that is not there")?;
        Ok(self.stack.split_off(start))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, Fault> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or("its pickle has an end without a beginning")?))
    }

    /// Adds items to what is on top of the stack; what is opaque stays so.
    fn append(&mut self, items: Vec<Id>) -> Result<(), Fault> {
        let container = self.top()?;
        match &mut self.values[container] {
            Value::List(list) => list.extend(items),
            Value::Object(object) => object.items.extend(items),
            _ => {}
        }
        Ok(())
    }

    /// Adds pairs of keys and values to what is on top of the stack.
    fn set(&mut self, items: &[Id]) -> Result<(), Fault> {
        let container = self.top()?;
        match &mut self.values[container] {
            Value::Dict(entries) => entries.extend(pairs(items)),
            Value::Object(object) => object.entries.extend(pairs(items)),
            _ => {}
        }
        Ok(())
    }

    fn remember(&mut self, length: u64) -> Result<(), Fault> {
        let index = self.number(length)?;
        self.memo.insert(index, self.top()?);
        Ok(())
    }

    fn recall(&mut self, length: u64) -> Result<(), Fault> {
        let index = self.number(length)?;
        self.push_remembered(index)
    }

    fn push_remembered(&mut self, index: u64) -> Result<(), Fault> {
        self.stack.push(*self.memo.get(&index).ok_or("its pickle recalls a value it did not remember")?);
        Ok(())
    }
}

fn pairs(items: &[Id]) -> Vec<(Id, Id)> {
    items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}
