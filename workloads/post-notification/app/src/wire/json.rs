//! JSON written by hand, byte for byte as `serde_json` writes it. Messages are quoted within messages, and every simulated
//! request makes half a dozen of them: this is where its time goes.

use std::borrow::Cow;

use crate::row::Outcome;
use crate::time::Micros;
use crate::wire::WireError;

/// The value of a field.
pub(super) trait Value {
    /// Appends it.
    fn append(&self, out: &mut Vec<u8>) -> Result<(), WireError>;
}

/// A whole number.
impl Value for u64 {
    fn append(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        number(out, *self);
        Ok(())
    }
}

/// A flag as `true` or `false`.
impl Value for bool {
    fn append(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
        Ok(())
    }
}

/// An instant as float seconds.
impl Value for Micros {
    fn append(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        decimal::<1_000_000>(out, self.0, || self.as_seconds())
    }
}

/// Milliseconds that are mostly whole microseconds.
impl Value for f64 {
    fn append(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let us = (self * 1e3).round();
        let exact = us.abs() < 1e15 && us / 1e3 == *self;
        decimal::<1000>(out, if exact { us as i64 } else { 0 }, || *self)
    }
}

impl Value for Cow<'_, str> {
    fn append(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        text(out, self);
        Ok(())
    }
}

impl Value for Outcome {
    fn append(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        text(out, self.as_str());
        Ok(())
    }
}

/// Appends `,"name":` and the value, for each of these fields; of optional ones, for those that are there.
macro_rules! fields {
    ($out:ident, $of:ident: $($name:ident)*) => { $(
        $out.extend_from_slice(concat!(",\"", stringify!($name), "\":").as_bytes());
        json::Value::append(&$of.$name, &mut $out)?;
    )* };
    ($out:ident, $of:ident, optional: $($name:ident)*) => { $(if let Some(value) = &$of.$name {
        $out.extend_from_slice(concat!(",\"", stringify!($name), "\":").as_bytes());
        json::Value::append(value, &mut $out)?;
    })* };
}
pub(super) use fields;

/// Appends a whole number.
pub(super) fn number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Values that [`decimal`] writes, and `scan` reads, without floating-point numbers: in this many parts, neighbouring
/// doubles are less than a part apart.
pub(super) const EXACT: u64 = 4_000_000_000_000_000;

/// Appends `parts / UNIT`, the value of `float`. From 1 up, and as long as neighbouring doubles are less than a part
/// apart, the shortest text that reads back as that double is the plain decimal fraction; what is outside is left to
/// `serde_json`.
fn decimal<const UNIT: u64>(out: &mut Vec<u8>, parts: i64, float: impl Fn() -> f64) -> Result<(), WireError> {
    match u64::try_from(parts) {
        Ok(parts) if (UNIT..EXACT).contains(&parts) => {
            number(out, parts / UNIT);
            out.push(b'.');
            let mut fraction = parts % UNIT;
            let mut unit = UNIT / 10;
            loop {
                out.push(b'0' + (fraction / unit) as u8);
                fraction %= unit;
                if fraction == 0 {
                    return Ok(());
                }
                unit /= 10;
            }
        }
        _ => Ok(serde_json::to_writer(out, &float())?),
    }
}

/// Appends a text in quotes.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    quoted(out, text.as_bytes());
    out.push(b'"');
}

/// Appends what stands between the quotes. Quotes come every few characters, so pieces are copied eight bytes at a time,
/// and what was too much is cut off again: that is quicker than copying each piece at its length.
fn quoted(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some((word, rest)) = text.split_first_chunk() {
        out.extend_from_slice(word);
        match first_special(*word) {
            None => text = rest,
            Some(at) => {
                out.truncate(out.len() - 8 + at);
                escape(out, word[at]);
                text = &text[at + 1..];
            }
        }
    }
    for byte in text {
        if is_special(*byte) {
            escape(out, *byte);
        } else {
            out.push(*byte);
        }
    }
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        0x08 => out.extend_from_slice(b"\\b"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\n' => out.extend_from_slice(b"\\n"),
        0x0c => out.extend_from_slice(b"\\f"),
        b'\r' => out.extend_from_slice(b"\\r"),
        control => {
            let low = b"0123456789abcdef"[usize::from(control & 15)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + (control >> 4), low]);
        }
    }
}

/// A text in quotes, between what stands around it.
pub(super) fn envelope((before, after): (&str, &str), text: &[u8]) -> Vec<u8> {
    // Quotes within the text are quoted twice: about one character in eight.
    let mut out = Vec::with_capacity(before.len() + after.len() + text.len() * 5 / 4 + 8);
    out.extend_from_slice(before.as_bytes());
    quoted(&mut out, text);
    out.extend_from_slice(after.as_bytes());
    out
}

/// The text that [`envelope`] put between `before` and `after`, as UTF-8 if the message is. `None` when the message is not quite
/// of that form, which does not mean that it is bad.
pub(super) fn enclosed((before, after): (&str, &str), message: &[u8]) -> Option<Vec<u8>> {
    let quoted = message.strip_prefix(before.as_bytes())?.strip_suffix(after.as_bytes())?;
    let (text, end) = unquoted(quoted)?;
    (end == quoted.len()).then_some(text)
}

/// What stands between the quotes, taken out of them, up to the closing quote or the end; and how far that is. `None` when
/// there is a control character or an escape by number: that is for `serde_json` to refuse or to read.
pub(super) fn unquoted(quoted: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut out = Vec::with_capacity(quoted.len() + 8);
    let mut from = 0;
    loop {
        let rest = quoted.get(from..)?;
        let at = match rest.first_chunk() {
            Some(word) => {
                out.extend_from_slice(word);
                let Some(at) = first_special(*word) else {
                    from += 8;
                    continue;
                };
                out.truncate(out.len() - 8 + at);
                at
            }
            None => {
                let at = rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len());
                out.extend_from_slice(&rest[..at]);
                at
            }
        };
        match rest.get(at) {
            None | Some(b'"') => return Some((out, from + at)),
            Some(b'\\') => out.push(match rest.get(at + 1)? {
                plain @ (b'"' | b'\\' | b'/') => *plain,
                b'b' => 0x08,
                b'f' => 0x0c,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                _ => return None,
            }),
            Some(_) => return None,
        }
        from += at + 2;
    }
}

/// Whether a byte cannot stand in quotes as it is: a quote, a backslash or a control character.
pub(super) fn is_special(byte: u8) -> bool {
    matches!(byte, 0..0x20 | b'"' | b'\\')
}

/// The first such byte of a word. A byte may be marked wrongly, but only above one that is marked rightly.
fn first_special(word: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let word = u64::from_le_bytes(word);
    let below = |x: u64, limit: u64| x.wrapping_sub(ONES * limit) & !x;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let marks = (below(word, 0x20) | is(b'"') | is(b'\\')) & HIGH;
    (marks != 0).then_some((marks.trailing_zeros() / 8) as usize)
}
