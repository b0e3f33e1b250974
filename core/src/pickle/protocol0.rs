//! Values that old pickles spell as lines of text.

use super::value::{Fault, Value};

/// The value that an instruction has on its line.
pub(super) fn value(code: u8, line: Vec<u8>) -> Value {
    let text = std::str::from_utf8(&line).unwrap_or_default().trim();
    let opaque = Value::Opaque;
    match code {
        b'I' if text == "01" => Value::Bool(true),
        b'I' if text == "00" => Value::Bool(false),
        b'I' | b'L' => text.trim_end_matches('L').parse().map_or(opaque, Value::Int),
        b'F' => text.parse().map_or(opaque, Value::Float),
        b'S' => Value::Spelled(unescaped(quoted(&line)).into()),
        _ => Value::Spelled(unescaped(&line).into()),
    }
}

/// The number of a remembered value.
pub(super) fn index(line: &[u8]) -> Result<u64, Fault> {
    let number = std::str::from_utf8(line).ok().and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| "its pickle remembers a value under a name that is no number".into())
}

/// What stands between quotation marks.
fn quoted(line: &[u8]) -> &[u8] {
    match line.trim_ascii() {
        [first, inner @ .., last] if first == last && matches!(first, b'\'' | b'"') => inner,
        other => other,
    }
}

/// Bytes with Python's escapes replaced; text with code points above 127 as UTF-8.
fn unescaped(line: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let Some((&kind, after)) = rest.split_first().filter(|_| byte == b'\\') else {
            result.push(byte);
            continue;
        };
        rest = after;
        let digits = match kind {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let code = rest.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match (kind, code) {
            (b'x', Some(code)) => result.push(code as u8),
            (b'u' | b'U', Some(code)) => {
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                result.extend(character.encode_utf8(&mut [0; 4]).bytes());
            }
            (b'n', _) => result.push(b'\n'),
            (b't', _) => result.push(b'\t'),
            (b'r', _) => result.push(b'\r'),
            (other, _) => result.push(other),
        }
        rest = if code.is_some() { &rest[digits..] } else { rest };
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_replaced() {
        assert_eq!(unescaped(br"a\x41\u00fc\\\n\'"), "aA\u{fc}\\\n'".as_bytes());
        assert_eq!(quoted(b"'it''"), b"it'");
        assert!(matches!(value(b'L', b"-12L".to_vec()), Value::Int(-12)));
        assert!(matches!(value(b'I', b"01".to_vec()), Value::Bool(true)));
    }
}
