//! NumPy's arrays and scalars in pickles.

use std::borrow::Cow;

use super::{Id, Pickle, Value, little_endian};

/// A numpy array in C order, little-endian.
pub(crate) struct Array<'a> {
    pub(crate) shape: Vec<usize>,
    /// Its type, such as `u1` or `f4`.
    pub(crate) kind: String,
    pub(crate) bytes: Cow<'a, [u8]>,
}

impl Pickle<'_> {
    /// The list, or numpy array, of integers under a name at the root; the error is the end of a sentence.
    pub(crate) fn integers(&self, name: &str) -> Result<Vec<i64>, String> {
        let entry = self.entry(name).ok_or_else(|| format!("it has no entry named {name}"))?;
        if let Some(items) = self.items(entry) {
            let number = |(at, &item): (usize, &Id)| {
                self.number_of(item).ok_or_else(|| format!("entry {at} of its {name} is no whole number"))
            };
            return items.iter().enumerate().map(number).collect();
        }
        let array =
            self.array(entry).ok_or_else(|| format!("its {name} is neither a list nor a numpy array"))?;
        array
            .integers()
            .ok_or_else(|| format!("its {name} has elements of type {}, not integers", array.kind))
    }

    /// The numpy array of bytes under a name at the root; the error is the end of a sentence.
    pub(crate) fn byte_array(&self, name: &str) -> Result<(Vec<usize>, Cow<'_, [u8]>), String> {
        let entry = self.entry(name).ok_or_else(|| format!("it has no entry named {name}"))?;
        let array = self.array(entry).ok_or_else(|| format!("its {name} is not a numpy array of numbers"))?;
        match array.kind.as_str() {
            "u1" => Ok((array.shape, array.bytes)),
            other => {
                Err(format!("its {name} has elements of type {other}; convert it with .astype(numpy.uint8)"))
            }
        }
    }

    /// A whole number, Python's or numpy's.
    pub(crate) fn number_of(&self, id: Id) -> Option<i64> {
        if let Some(number) = self.integer(id) {
            return Some(number);
        }
        let (arguments, _) = self.made_by(id, "scalar")?;
        let &[kind, content] = arguments else { return None };
        let (kind, big) = self.kind(kind)?;
        let array = Array { shape: Vec::new(), bytes: ordered(self.content(content)?, &kind, big), kind };
        array.integers()?.first().copied()
    }

    /// A number, Python's or numpy's.
    pub(crate) fn float_of(&self, id: Id) -> Option<f64> {
        if let Value::Float(value) = self.values[id] {
            return Some(value);
        }
        if let Some((&[kind, content], _)) = self.made_by(id, "scalar")
            && let Some((kind, big)) = self.kind(kind)
            && kind.starts_with('f')
        {
            let array = Array { shape: Vec::new(), bytes: ordered(self.content(content)?, &kind, big), kind };
            return array.floats()?.first().copied();
        }
        self.number_of(id).map(|number| number as f64)
    }

    /// A numpy array; none: something else, or an array of objects.
    pub(crate) fn array(&self, array: Id) -> Option<Array<'_>> {
        let (shape, kind, fortran, content) = if let Some((_, state)) = self.made_by(array, "_reconstruct") {
            let &[_version, shape, kind, fortran, content] = self.items(state?)? else { return None };
            (shape, kind, matches!(self.values[fortran], Value::Bool(true)), content)
        } else {
            let (arguments, _) = self.made_by(array, "_frombuffer")?;
            let &[content, kind, shape, order] = arguments else { return None };
            (shape, kind, self.text(order)? == b"F", content)
        };
        let (kind, big) = self.kind(kind)?;
        let size = |&size: &Id| usize::try_from(self.integer(size)?).ok();
        let shape = self.items(shape)?.iter().map(size).collect::<Option<Vec<_>>>()?;
        let mut bytes = ordered(self.content(content)?, &kind, big);
        let whole = shape.iter().try_fold(width(&kind)?, |bytes: usize, &size| bytes.checked_mul(size));
        if fortran && shape.len() > 1 && !bytes.is_empty() && whole == Some(bytes.len()) {
            bytes = Cow::Owned(c_order(&bytes, &shape, width(&kind)?));
        }
        Some(Array { shape, kind, bytes })
    }

    /// A type such as `f4`, and whether it is big-endian.
    fn kind(&self, dtype: Id) -> Option<(String, bool)> {
        let (arguments, state) = self.made_by(dtype, "dtype")?;
        let kind = String::from_utf8(self.content(*arguments.first()?)?.into_owned()).ok()?;
        let order = state.and_then(|state| self.items(state)).and_then(|state| self.text(*state.get(1)?));
        Some((
            kind.trim_start_matches(['<', '>', '|', '=']).to_owned(),
            order == Some(b">") || kind.starts_with('>'),
        ))
    }
}

impl Array<'_> {
    /// The elements of an array of floating-point numbers; none: of others.
    pub(crate) fn floats(&self) -> Option<Vec<f64>> {
        match self.kind.as_str() {
            "f4" => {
                Some(self.bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect())
            }
            "f8" => Some(self.bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()),
            _ => None,
        }
    }

    fn integers(&self) -> Option<Vec<i64>> {
        let (signed, width) = (self.kind.starts_with('i'), width(&self.kind)?);
        if !self.kind.starts_with(['i', 'u']) || !matches!(width, 1 | 2 | 4 | 8) {
            return None;
        }
        let unused = 64 - 8 * width as u32;
        let number = |bytes: &[u8]| {
            let value = little_endian(bytes);
            if signed { (value << unused).cast_signed() >> unused } else { value.cast_signed() }
        };
        Some(self.bytes.chunks_exact(width).map(number).collect())
    }
}

/// Bytes of an element.
fn width(kind: &str) -> Option<usize> {
    kind.get(1..)?.parse().ok().filter(|&width| (1..=64).contains(&width))
}

/// Little-endian bytes.
fn ordered<'a>(bytes: Cow<'a, [u8]>, kind: &str, big: bool) -> Cow<'a, [u8]> {
    let Some(width) = width(kind).filter(|&width| big && width > 1) else { return bytes };
    let mut bytes = bytes.into_owned();
    bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    Cow::Owned(bytes)
}

/// The elements of an array whose first axis is stored fastest, with the last axis fastest.
fn c_order(bytes: &[u8], shape: &[usize], width: usize) -> Vec<u8> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = width;
    for &size in shape {
        strides.push(stride);
        stride *= size;
    }
    let mut result = Vec::with_capacity(bytes.len());
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    while result.len() < bytes.len() {
        result.extend_from_slice(&bytes[at..at + width]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fortran_order_is_turned() {
        // numpy.arange(6).reshape(2, 3).tobytes("F") is 0 3 1 4 2 5.
        assert_eq!(c_order(&[0, 3, 1, 4, 2, 5], &[2, 3], 1), [0, 1, 2, 3, 4, 5]);
        let (shape, kind) = (vec![2], "i2".to_owned());
        let array = Array { shape, bytes: ordered(Cow::Borrowed(&[0xff, 0xfe, 0, 7]), &kind, true), kind };
        assert_eq!(array.integers(), Some(vec![-2, 7]));
    }
}
