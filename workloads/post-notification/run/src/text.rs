//! Files that people write, as text: what is not UTF-8 is told with its place.

use std::path::Path;

use matrix_plan::Problem;

use crate::error::RunError;
use crate::wording;

/// Where bytes stop being UTF-8, and what they look like instead.
pub struct NotUtf8 {
    /// The text, as far as it can be shown.
    shown: String,
    /// The first byte in it that is not UTF-8.
    at: std::ops::Range<usize>,
    label: String,
    /// What is wrong.
    what: &'static str,
}

/// What to do about it.
const SAVE: &str = "save as UTF-8: an editor's \"save as\" has it";

impl NotUtf8 {
    /// Looks at bytes that should be UTF-8 text, and at their encoding otherwise.
    fn of(bytes: &[u8]) -> Option<Self> {
        let utf16 = |units: Vec<u16>| {
            let shown = String::from_utf16_lossy(&units).trim_start_matches('\u{feff}').to_owned();
            let at = 0..shown.chars().next().map_or(0, char::len_utf8);
            let label = "the file's first bytes are those of UTF-16".to_owned();
            Self { shown, at, label, what: "the file is UTF-16, not UTF-8" }
        };
        match bytes {
            [0xff, 0xfe, ..] | [1..=0x7f, 0, ..] => {
                return Some(utf16(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()));
            }
            [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] => {
                return Some(utf16(bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()));
            }
            _ => {}
        }
        let error = std::str::from_utf8(bytes).err()?;
        let start = error.valid_up_to();
        let byte = bytes.get(start).copied().unwrap_or_default();
        Some(Self {
            shown: String::from_utf8_lossy(bytes).into_owned(),
            at: start..start + '\u{fffd}'.len_utf8(),
            label: format!("byte {byte:#04x} is not UTF-8; in Latin-1 it is `{}`", char::from(byte)),
            what: "the file is not UTF-8",
        })
    }

    /// The failure, with the place in the text.
    fn failure(self, name: &str) -> RunError {
        let problem = Problem::new(self.what).at(self.at).label(self.label).help(SAVE);
        RunError::in_text(name, &self.shown, problem.into())
    }

    /// The same for a text that is not to be shown, because there are secrets in it.
    fn failure_without_text(&self, name: &str) -> RunError {
        let before = self.shown.get(..self.at.start).unwrap_or_default();
        let (line, start) = (before.matches('\n').count() + 1, before.rfind('\n').map_or(0, |end| end + 1));
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        RunError::usage(format!("{name}: line {line}, column {column}: {}", self.what), SAVE)
    }
}

/// The text of bytes that were read from `name`. A mark of UTF-8 at the beginning is no part of it.
pub fn decode(name: &str, bytes: Vec<u8>) -> Result<String, RunError> {
    checked(bytes).map_err(|wrong| wrong.failure(name))
}

/// The same for a text that is never to be shown.
pub fn decode_secret(name: &str, bytes: Vec<u8>) -> Result<String, RunError> {
    checked(bytes).map_err(|wrong| wrong.failure_without_text(name))
}

fn checked(bytes: Vec<u8>) -> Result<String, NotUtf8> {
    if let Some(wrong) = NotUtf8::of(&bytes) {
        return Err(wrong);
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

/// Reads a file as text; `help` says what to do where it cannot be read.
pub fn read(file: &Path, help: impl FnOnce() -> String) -> Result<String, RunError> {
    let name = wording::path(file);
    let bytes = std::fs::read(file).map_err(|error| RunError::usage(format!("{name}: {error}"), help()))?;
    decode(&name, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> String {
        decode_secret("f", bytes.to_vec()).unwrap_or_else(|failure| failure.to_string())
    }

    #[test]
    fn other_encodings_are_told_with_their_place() {
        assert_eq!(said(b"a = 1\n"), "a = 1\n");
        assert_eq!(said(b"\xef\xbb\xbfa = 1\n"), "a = 1\n");
        assert_eq!(said(b""), "");
        assert_eq!(said(b"\xff\xfea\0"), "f: line 1, column 1: the file is UTF-16, not UTF-8");
        assert_eq!(said(b"\xfe\xff\0a"), "f: line 1, column 1: the file is UTF-16, not UTF-8");
        assert_eq!(said(b"a\0=\0"), "f: line 1, column 1: the file is UTF-16, not UTF-8");
        assert_eq!(said(b"a = 1\nsays = \"caf\xe9\"\n"), "f: line 2, column 12: the file is not UTF-8");
        assert_eq!(said("é\nü".as_bytes()), "é\nü");
        assert_eq!(said(b"\xc3\xa9\xff"), "f: line 1, column 2: the file is not UTF-8");
    }
}
