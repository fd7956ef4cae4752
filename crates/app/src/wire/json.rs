//! JSON written by hand, byte for byte as `serde_json` writes it. Messages are quoted within messages, and every simulated
//! request makes half a dozen of them: this is where its time goes.

use crate::time::Micros;
use crate::wire::WireError;

/// Appends `,"name":` to a text.
macro_rules! name {
    ($out:expr, $name:literal) => {
        $out.push_str(concat!(",\"", $name, "\":"))
    };
}
pub(super) use name;

/// Appends a whole number.
pub(crate) fn number(out: &mut String, number: u64) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// Appends a flag as `true` or `false`.
pub(super) fn flag(out: &mut String, flag: bool) {
    out.push_str(if flag { "true" } else { "false" });
}

/// Appends an instant as float seconds.
pub(super) fn time(out: &mut String, at: Micros) -> Result<(), WireError> {
    decimal::<1_000_000>(out, at.0, || at.as_seconds())
}

/// Appends milliseconds that are mostly whole microseconds.
pub(super) fn milliseconds(out: &mut String, ms: f64) -> Result<(), WireError> {
    let us = (ms * 1e3).round();
    let exact = us.abs() < 1e15 && us / 1e3 == ms;
    decimal::<1000>(out, if exact { us as i64 } else { 0 }, || ms)
}

/// Appends `parts / UNIT`, the value of `float`. From 1 up, and as long as neighbouring doubles are less than a part
/// apart, the shortest text that reads back as that double is the plain decimal fraction; what is outside is left to
/// `serde_json`.
fn decimal<const UNIT: u64>(out: &mut String, parts: i64, float: impl Fn() -> f64) -> Result<(), WireError> {
    match u64::try_from(parts) {
        Ok(parts) if (UNIT..4_000_000_000_000_000).contains(&parts) => {
            number(out, parts / UNIT);
            out.push('.');
            let mut fraction = parts % UNIT;
            let mut unit = UNIT / 10;
            loop {
                out.push(char::from(b'0' + (fraction / unit) as u8));
                fraction %= unit;
                if fraction == 0 {
                    return Ok(());
                }
                unit /= 10;
            }
        }
        _ => {
            out.push_str(&serde_json::to_string(&float())?);
            Ok(())
        }
    }
}

/// Appends a text in quotes.
pub(crate) fn text(out: &mut String, text: &str) {
    out.push('"');
    quoted(out, text);
    out.push('"');
}

/// Appends what stands between the quotes.
fn quoted(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let mut start = 0;
    while let Some(found) = special(bytes, start) {
        out.push_str(&text[start..found]);
        match bytes[found] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x08 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            0x0c => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            control => {
                out.push_str("\\u00");
                out.push(char::from(b'0' + (control >> 4)));
                out.push(char::from(b"0123456789abcdef"[usize::from(control & 15)]));
            }
        }
        start = found + 1;
    }
    out.push_str(&text[start..]);
}

/// A text in quotes, between what stands around it.
pub(super) fn envelope((before, after): (&str, &str), text: &str) -> String {
    // Quotes within the text are quoted twice: about one character in eight.
    let mut out = String::with_capacity(before.len() + after.len() + text.len() * 5 / 4);
    out.push_str(before);
    quoted(&mut out, text);
    out.push_str(after);
    out
}

/// The text that [`envelope`] put between `before` and `after`. `None` when the message is not quite of that form, which
/// does not mean that it is bad.
pub(super) fn enclosed((before, after): (&str, &str), message: &[u8]) -> Option<String> {
    unquoted(std::str::from_utf8(message).ok()?.strip_prefix(before)?.strip_suffix(after)?)
}

/// What stood between the quotes, taken out of them. `None` when the text is not properly quoted or has an escape by number:
/// then it is for `serde_json` to read or to refuse.
fn unquoted(quoted: &str) -> Option<String> {
    let bytes = quoted.as_bytes();
    let mut out = String::with_capacity(bytes.len());
    let mut start = 0;
    while let Some(found) = special(bytes, start) {
        if bytes[found] != b'\\' {
            return None;
        }
        out.push_str(&quoted[start..found]);
        out.push(match bytes.get(found + 1)? {
            plain @ (b'"' | b'\\' | b'/') => char::from(*plain),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => return None,
        });
        start = found + 2;
    }
    out.push_str(&quoted[start..]);
    Some(out)
}

/// The first byte from `from` on that cannot stand in quotes as it is: a quote, a backslash or a control character.
/// Eight bytes at a time: within a word, a byte is marked wrongly only above one that is marked rightly.
fn special(bytes: &[u8], mut from: usize) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    while let Some(word) = bytes.get(from..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*word);
        let below = |x: u64, limit: u64| x.wrapping_sub(ONES * limit) & !x;
        let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
        let marks = (below(word, 0x20) | is(b'"') | is(b'\\')) & HIGH;
        if marks != 0 {
            return Some(from + (marks.trailing_zeros() / 8) as usize);
        }
        from += 8;
    }
    let rest = bytes.get(from..)?;
    rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')).map(|found| from + found)
}
