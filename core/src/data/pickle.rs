//! The part of Python's pickle format that CIFAR-10's batches and pseudo-labelled images use, read as data.
//!
//! Nothing is ever called: a global is its name, a call is the name with its arguments. Values lie in
//! one list and refer to each other by position, so no file can make reading or dropping them recurse.

use std::borrow::Cow;
use std::ops::Range;

/// More instructions than any batch needs (about 60,000).
const MAX_INSTRUCTIONS: usize = 1_000_000;

/// Position of a value in [`Pickle::values`].
type Id = usize;

#[derive(Debug)]
enum Value {
    /// None, True, a float: nothing a batch is made of.
    Other,
    False,
    Int(i64),
    /// Bytes or text: where they are in the file.
    Bytes(Range<usize>),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// Name without its module: numpy moved its functions more than once.
    Global(String),
    /// What a call would have made: function, arguments, the state set afterwards.
    Object(Id, Id, Option<Id>),
}

/// A numpy array in C order.
struct Array<'a> {
    shape: Vec<usize>,
    /// Its type, such as `u1`.
    kind: &'a [u8],
    bytes: Cow<'a, [u8]>,
}

/// A pickle with a dictionary at its root.
pub(super) struct Pickle<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: Vec<Id>,
}

impl<'a> Pickle<'a> {
    /// Reads a pickle; the error is the end of a sentence about the file.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let mut pickle =
            Self { bytes, at: 0, values: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: Vec::new() };
        for _ in 0..MAX_INSTRUCTIONS {
            if pickle.step()? {
                return Ok(pickle);
            }
        }
        Err("its pickle is too long".into())
    }

    /// The list, or little-endian numpy array, of integers under a name.
    pub(super) fn integers(&self, name: &str) -> Option<Vec<i64>> {
        let entry = self.entry(name)?;
        if let Value::List(items) = &self.values[entry] {
            return items.iter().map(|&item| self.integer(item)).collect();
        }
        let Array { kind, bytes, .. } = self.array(entry)?;
        let (signed, width) = (kind.starts_with(b"i"), usize::from(kind.get(1)?.checked_sub(b'0')?));
        if kind.len() != 2 || !matches!(kind[0], b'i' | b'u') || !matches!(width, 1 | 2 | 4 | 8) {
            return None;
        }
        let unused = 64 - 8 * width as u32;
        let number = |bytes: &[u8]| {
            let value = bytes.iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
            if signed { (value << unused).cast_signed() >> unused } else { value.cast_signed() }
        };
        Some(bytes.chunks_exact(width).map(number).collect())
    }

    /// The numpy array of bytes, in C order, under a name: its shape and values.
    pub(super) fn byte_array(&self, name: &str) -> Option<(Vec<usize>, Cow<'a, [u8]>)> {
        let Array { shape, kind, bytes } = self.array(self.entry(name)?)?;
        (kind == b"u1").then_some((shape, bytes))
    }

    fn array(&self, array: Id) -> Option<Array<'a>> {
        let (shape, kind, content) = if let Some((_, state)) = self.made_by(array, "_reconstruct") {
            let &[_version, shape, kind, fortran, content] = self.tuple(state?)? else { return None };
            matches!(self.values[fortran], Value::False).then_some((shape, kind, content))?
        } else {
            let (arguments, _) = self.made_by(array, "_frombuffer")?;
            let &[content, kind, shape, order] = self.tuple(arguments)? else { return None };
            (self.text(order)? == b"C").then_some((shape, kind, content))?
        };
        let (kind, _) = self.made_by(kind, "dtype")?;
        let kind = self.text(*self.tuple(kind)?.first()?)?;
        let shape = self
            .tuple(shape)?
            .iter()
            .map(|&size| usize::try_from(self.integer(size)?).ok())
            .collect::<Option<_>>()?;
        Some(Array { shape, kind, bytes: self.content(content)? })
    }

    /// Bytes, however they were pickled.
    fn content(&self, id: Id) -> Option<Cow<'a, [u8]>> {
        let first = |arguments: Id| self.text(*self.tuple(arguments)?.first()?);
        if let Some((arguments, _)) = self.made_by(id, "encode") {
            // Python 3 writes bytes in protocol 2 as text with the same code points.
            let text = std::str::from_utf8(first(arguments)?).ok()?;
            text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<_>>().map(Cow::Owned)
        } else if let Some((arguments, _)) = self.made_by(id, "bytearray") {
            first(arguments).map(Cow::Borrowed)
        } else {
            self.text(id).map(Cow::Borrowed)
        }
    }

    fn entry(&self, name: &str) -> Option<Id> {
        let Value::Dict(entries) = &self.values[*self.stack.last()?] else { return None };
        entries
            .iter()
            .find(|(key, _)| self.content(*key).as_deref() == Some(name.as_bytes()))
            .map(|&(_, value)| value)
    }

    fn integer(&self, id: Id) -> Option<i64> {
        if let Value::Int(value) = self.values[id] { Some(value) } else { None }
    }

    fn tuple(&self, id: Id) -> Option<&[Id]> {
        if let Value::Tuple(items) = &self.values[id] { Some(items) } else { None }
    }

    fn text(&self, id: Id) -> Option<&'a [u8]> {
        if let Value::Bytes(range) = &self.values[id] { Some(&self.bytes[range.clone()]) } else { None }
    }

    /// Arguments and state of what a function would have made.
    fn made_by(&self, id: Id, function: &str) -> Option<(Id, Option<Id>)> {
        let Value::Object(global, arguments, state) = self.values[id] else { return None };
        matches!(&self.values[global], Value::Global(name) if name == function).then_some((arguments, state))
    }

    /// Carries out one instruction; true at the end.
    fn step(&mut self) -> Result<bool, String> {
        let code = self.number(1)? as u8;
        match code {
            0x80 => drop(self.number(1)?),
            0x95 => drop(self.number(8)?),
            b'.' => return Ok(true),
            b'(' => self.marks.push(self.stack.len()),
            b'N' | 0x88 => self.push(Value::Other),
            0x89 => self.push(Value::False),
            b'K' => self.push_integer(1)?,
            b'M' => self.push_integer(2)?,
            b'J' => {
                let value = self.number(4)? as u32;
                self.push(Value::Int(i64::from(value.cast_signed())));
            }
            b'G' => {
                self.number(8)?;
                self.push(Value::Other);
            }
            b'U' | b'C' | 0x8c => self.push_bytes(1)?,
            b'T' | b'B' | b'X' => self.push_bytes(4)?,
            0x8d | 0x8e | 0x96 => self.push_bytes(8)?,
            b')' => self.push(Value::Tuple(Vec::new())),
            b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(code - 0x84))?;
                self.push(Value::Tuple(items));
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Tuple(items));
            }
            b'a' => {
                let items = self.pop_many(1)?;
                self.extend(items)?;
            }
            b's' => {
                let items = self.pop_many(2)?;
                self.extend(items)?;
            }
            b'e' | b'u' => {
                let items = self.pop_to_mark()?;
                self.extend(items)?;
            }
            b'c' => {
                let _module = self.line()?;
                let name = self.line()?;
                self.push(Value::Global(name));
            }
            0x93 => {
                let names = self.pop_many(2)?;
                let name = self.text(names[1]).ok_or("its pickle has a name that is no text")?;
                self.push(Value::Global(String::from_utf8_lossy(name).into_owned()));
            }
            b'R' => {
                let call = self.pop_many(2)?;
                self.push(Value::Object(call[0], call[1], None));
            }
            b'b' => {
                let state = self.pop_many(1)?[0];
                let object = self.top()?;
                match &mut self.values[object] {
                    Value::Object(_, _, slot) => *slot = Some(state),
                    _ => return Err("its pickle sets the state of something that has none".into()),
                }
            }
            b'q' => self.remember(1)?,
            b'r' => self.remember(4)?,
            0x94 => self.memo.push(self.top()?),
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            other => {
                return Err(format!("its pickle has an instruction, 0x{other:02x}, that no batch needs"));
            }
        }
        Ok(false)
    }

    fn take(&mut self, length: u64) -> Result<Range<usize>, String> {
        let left = self.bytes.len() - self.at;
        let length = usize::try_from(length).ok().filter(|&length| length <= left).ok_or_else(|| {
            format!("it is truncated: {length} more bytes expected at byte {}, {left} found", self.at)
        })?;
        self.at += length;
        Ok(self.at - length..self.at)
    }

    fn number(&mut self, length: u64) -> Result<u64, String> {
        let range = self.take(length)?;
        Ok(self.bytes[range].iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or("it is truncated within a name")?;
        let range = self.take(length as u64 + 1)?;
        Ok(String::from_utf8_lossy(&self.bytes[range.start..range.end - 1]).into_owned())
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn push_integer(&mut self, length: u64) -> Result<(), String> {
        let value = self.number(length)?;
        self.push(Value::Int(value.cast_signed()));
        Ok(())
    }

    fn push_bytes(&mut self, length_of_length: u64) -> Result<(), String> {
        let length = self.number(length_of_length)?;
        let range = self.take(length)?;
        self.push(Value::Bytes(range));
        Ok(())
    }

    fn top(&self) -> Result<Id, String> {
        self.stack.last().copied().ok_or_else(|| "its pickle uses a value that is not there".into())
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>, String> {
        let start = self.stack.len().checked_sub(count).ok_or("its pickle uses a value that is not there")?;
        Ok(self.stack.split_off(start))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or("its pickle has an end without a beginning")?))
    }

    /// Adds items to the list, or pairs to the dictionary, on top of the stack.
    fn extend(&mut self, items: Vec<Id>) -> Result<(), String> {
        let container = self.top()?;
        match &mut self.values[container] {
            Value::List(list) => list.extend(items),
            Value::Dict(dict) => dict.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
            _ => return Err("its pickle adds items to something that has none".into()),
        }
        Ok(())
    }

    fn remember(&mut self, length: u64) -> Result<(), String> {
        let index = self.number(length)? as usize;
        let value = self.top()?;
        // Python numbers what it remembers from 0 (or 1) on without gaps.
        if index > self.memo.len() + 1 {
            return Err("its pickle remembers a value under a number out of order".into());
        }
        if index >= self.memo.len() {
            self.memo.resize(index + 1, value);
        }
        self.memo[index] = value;
        Ok(())
    }

    fn recall(&mut self, length: u64) -> Result<(), String> {
        let index = self.number(length)? as usize;
        self.stack.push(*self.memo.get(index).ok_or("its pickle recalls a value it did not remember")?);
        Ok(())
    }
}
