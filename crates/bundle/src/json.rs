//! Untrusted JSON.

use std::io::{self, BufReader, Read, Write};

use serde::de::{DeserializeOwned, IgnoredAny};

/// Deepest nesting of brackets. Ours is below ten.
const MAX_DEPTH: usize = 32;

/// How deep brackets are nested so far.
#[derive(Default)]
struct Depth {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Depth {
    fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        for &byte in bytes {
            if self.in_text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_text = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(format!("its JSON is nested more than {MAX_DEPTH} deep"));
                    }
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Checks that brackets are not nested too deep, without recursion.
pub fn check_depth(bytes: &[u8]) -> Result<(), String> {
    Depth::default().take(bytes)
}

/// Why JSON was not copied.
#[derive(Debug)]
pub enum NotCopied {
    /// It is none, or nested too deep.
    Json(String),
    /// It could not be read or written.
    Io(io::Error),
}

/// Copies JSON that is not nested too deep, of which only a part is held at a time.
///
/// # Errors
/// When it is not that, or cannot be copied.
pub fn copy(input: impl Read, out: impl Write) -> Result<(), NotCopied> {
    let mut watched = Watched { input, out, depth: Depth::default(), failed: None };
    let read = serde_json::from_reader::<_, IgnoredAny>(BufReader::with_capacity(64 << 10, &mut watched));
    match (read, watched.failed) {
        (_, Some(failed)) => Err(failed),
        (Err(error), None) => Err(NotCopied::Json(error.to_string())),
        (Ok(_), None) => Ok(()),
    }
}

/// Passes on what is read, and watches it.
struct Watched<R, W> {
    input: R,
    out: W,
    depth: Depth,
    failed: Option<NotCopied>,
}

impl<R: Read, W: Write> Read for Watched<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let passed = self.input.read(buffer).map_err(NotCopied::Io).and_then(|count| {
            let bytes = &buffer[..count];
            self.depth.take(bytes).map_err(NotCopied::Json)?;
            self.out.write_all(bytes).map_err(NotCopied::Io)?;
            Ok(count)
        });
        passed.map_err(|failed| {
            self.failed = Some(failed);
            io::ErrorKind::InvalidData.into()
        })
    }
}

/// Reads JSON that is not nested too deep.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    check_depth(bytes)?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn deep_json_is_refused_and_brackets_in_texts_are_not_counted() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse::<serde_json::Value>(nested(32).as_bytes()).is_ok());
        for depth in [33, 100, 1_000_000] {
            let error = parse::<serde_json::Value>(nested(depth).as_bytes()).unwrap_err();
            assert_eq!(error, "its JSON is nested more than 32 deep");
        }
        let text = format!("\"\\\"{}\\\\\"", "[".repeat(100));
        assert!(parse::<serde_json::Value>(text.as_bytes()).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_part_at_a_time_the_same_is_refused(text in "[\\[\\]{}\":, \\\\a1]{0,12}|\\[{30,34}1?\\]{30,34}", at_once in 1usize..5) {
            struct Slow<'a>(&'a [u8], usize);
            impl Read for Slow<'_> {
                fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                    let count = self.1.min(buffer.len());
                    self.0.read(&mut buffer[..count])
                }
            }
            let mut copied = Vec::new();
            let by_parts = copy(Slow(text.as_bytes(), at_once), &mut copied);
            match parse::<IgnoredAny>(text.as_bytes()) {
                Ok(_) => {
                    prop_assert!(by_parts.is_ok());
                    prop_assert_eq!(copied, text.as_bytes());
                }
                Err(_) => prop_assert!(matches!(by_parts, Err(NotCopied::Json(_))), "{:?}", by_parts),
            }
        }
    }
}
