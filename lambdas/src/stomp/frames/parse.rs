//! Reading frames from bytes as they come, from a peer that is not trusted.

use super::Frame;
use super::frame::escapes;

/// Longest command and headers together, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;

/// Most headers of one frame.
const HEADERS_LIMIT: usize = 256;

/// Longest body of a stated length, in bytes.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Longest body that ends at the first zero, in bytes. It is searched anew as bytes come, hence shorter.
const TEXT_LIMIT: usize = 1024 * 1024;

/// What was found at the front of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A frame, and how many bytes it took, those of heart-beats before it included.
    Frame(Frame, usize),
    /// No whole frame yet. So many bytes at the front are heart-beats and can go.
    Incomplete(usize),
}

/// Bytes that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Too much of something.
    #[error("the {0} of a frame exceeds {1}")]
    TooLong(&'static str, usize),
    /// A header line without a colon.
    #[error("a header of a frame has no colon")]
    Header,
    /// An escape that there is none.
    #[error("a header of a frame has an undefined escape")]
    Escape,
    /// The command or a header is not UTF-8.
    #[error("the head of a frame is not UTF-8")]
    Text,
    /// The command is empty or not in capitals.
    #[error("a frame has no command")]
    Command,
    /// `content-length` is no number, or the body does not end where it says.
    #[error("the content-length of a frame is wrong")]
    Length,
}

/// Looks for a frame at the front of `bytes`.
///
/// # Errors
/// When no bytes that may follow make it a frame.
pub fn parse(bytes: &[u8]) -> Result<Parsed, FrameError> {
    let skipped = bytes.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    let rest = &bytes[skipped..];
    let mut lines = Lines { bytes: &rest[..rest.len().min(HEAD_LIMIT)], at: 0 };
    let Some(command) = lines.next()? else {
        return unfinished_head(rest, skipped);
    };
    if command.is_empty() || !command.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(FrameError::Command);
    }
    let mut frame = Frame::new(command);
    loop {
        let Some(line) = lines.next()? else {
            return unfinished_head(rest, skipped);
        };
        if line.is_empty() {
            break;
        }
        if frame.headers.len() == HEADERS_LIMIT {
            return Err(FrameError::TooLong("number of headers", HEADERS_LIMIT));
        }
        let (name, value) = line.split_once(':').ok_or(FrameError::Header)?;
        let text = |text| if escapes(command) { unescape(text) } else { Ok(str::to_owned(text)) };
        frame.headers.push((text(name)?, text(value)?));
    }
    let (head, tail) = rest.split_at(lines.at);
    let body = match frame.header("content-length") {
        Some(length) => stated_body(tail, length)?,
        None => text_body(tail)?,
    };
    let Some(body) = body else {
        return Ok(Parsed::Incomplete(skipped));
    };
    frame.body = body.to_vec();
    Ok(Parsed::Frame(frame, skipped + head.len() + body.len() + 1))
}

fn unfinished_head(rest: &[u8], skipped: usize) -> Result<Parsed, FrameError> {
    if rest.len() >= HEAD_LIMIT {
        return Err(FrameError::TooLong("head", HEAD_LIMIT));
    }
    Ok(Parsed::Incomplete(skipped))
}

/// The body of the given length, if it is all there.
fn stated_body<'a>(tail: &'a [u8], length: &str) -> Result<Option<&'a [u8]>, FrameError> {
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let length = if digits { length.parse::<usize>().ok() } else { None }.ok_or(FrameError::Length)?;
    if length > BODY_LIMIT {
        return Err(FrameError::TooLong("body", BODY_LIMIT));
    }
    match tail.get(length) {
        None => Ok(None),
        Some(0) => Ok(Some(&tail[..length])),
        Some(_) => Err(FrameError::Length),
    }
}

/// The body up to the first zero, if it is all there.
fn text_body(tail: &[u8]) -> Result<Option<&[u8]>, FrameError> {
    match tail.iter().take(TEXT_LIMIT + 1).position(|byte| *byte == 0) {
        Some(length) => Ok(Some(&tail[..length])),
        None if tail.len() > TEXT_LIMIT => Err(FrameError::TooLong("body", TEXT_LIMIT)),
        None => Ok(None),
    }
}

/// Lines that end with `\n` or `\r\n`.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its end, if it is all there.
    fn next(&mut self) -> Result<Option<&'a str>, FrameError> {
        let rest = &self.bytes[self.at..];
        let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
            return Ok(None);
        };
        self.at += length + 1;
        let line = &rest[..length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        std::str::from_utf8(line).map(Some).map_err(|_| FrameError::Text)
    }
}

fn unescape(text: &str) -> Result<String, FrameError> {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('c') => ':',
                Some('\\') => '\\',
                _ => return Err(FrameError::Escape),
            },
            _ => letter,
        });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Frames of any content that this side may have to write or read.
    fn frames() -> impl Strategy<Value = Frame> {
        let text = "[^\0]{0,12}";
        let headers = proptest::collection::vec((text, text), 0..5);
        ("[A-Z]{1,9}", headers, proptest::collection::vec(any::<u8>(), 0..64)).prop_map(|(command, headers, body)| {
            let plain = |text: String| if escapes(&command) { text } else { text.replace(['\n', '\r', ':'], "") };
            let mut headers: Vec<_> = headers.into_iter().map(|(name, value)| (plain(name), plain(value))).collect();
            headers.retain(|(name, _)| name != "content-length");
            Frame { headers, body, command }
        })
    }

    fn without_length(mut frame: Frame) -> Frame {
        frame.headers.retain(|(name, _)| name != "content-length");
        frame
    }

    proptest! {
        #[test]
        fn frames_are_read_as_they_are_written(frame in frames(), beats in "\n{0,3}", after: Vec<u8>) {
            let mut bytes = beats.clone().into_bytes();
            bytes.extend(frame.encode());
            let length = bytes.len();
            bytes.extend(after);
            let Parsed::Frame(read, used) = parse(&bytes).unwrap() else { panic!("incomplete") };
            prop_assert_eq!(used, length);
            prop_assert_eq!(without_length(read), frame);
        }

        #[test]
        fn a_part_of_a_frame_is_incomplete(frame in frames(), cut: proptest::sample::Index) {
            let bytes = frame.encode();
            let part = &bytes[..cut.index(bytes.len())];
            prop_assert_eq!(parse(part), Ok(Parsed::Incomplete(0)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b':'), Just(0), Just(b'A'), any::<u8>()], 0..200)) {
            if let Ok(Parsed::Frame(_, used)) = parse(&bytes) {
                prop_assert!(used <= bytes.len());
                prop_assert_eq!(bytes[used - 1], 0);
            }
        }
    }

    #[test]
    fn a_frame_of_a_broker_is_read() {
        let bytes = b"\r\n\nMESSAGE\r\nsubscription:0\r\nmessage-id:ID\\c1\nfoo:a:b\nfoo:later\n\n{\"i\":1}\0\n";
        let Ok(Parsed::Frame(frame, used)) = parse(bytes) else { panic!("no frame") };
        assert_eq!(used, bytes.len() - 1);
        assert_eq!(frame.header("message-id"), Some("ID:1"));
        assert_eq!(frame.header("foo"), Some("a:b"));
        assert_eq!(frame.body, b"{\"i\":1}");
    }

    #[test]
    fn a_length_is_written_once_whatever_a_header_says() {
        for name in ["content-length", "content\0-length", "content-length\r"] {
            let frame = Frame::new("CONNECTED").with(name, "7").with_body("ab");
            let Ok(Parsed::Frame(read, _)) = parse(&frame.encode()) else { panic!("{name:?}") };
            assert_eq!(
                (read.header("content-length"), read.headers.len(), read.body.as_slice()),
                (Some("2"), 1, &b"ab"[..])
            );
        }
    }

    #[test]
    fn hostile_frames_are_refused() {
        let long = |head: &str| [head.as_bytes(), &vec![b'x'; HEAD_LIMIT]].concat();
        let many = format!("SEND\n{}", "a:b\n".repeat(HEADERS_LIMIT + 1));
        let endless = [b"SEND\n\n".as_slice(), &vec![b'x'; TEXT_LIMIT + 1]].concat();
        for (bytes, error) in [
            (long(""), FrameError::TooLong("head", HEAD_LIMIT)),
            (long("SEND\na:"), FrameError::TooLong("head", HEAD_LIMIT)),
            (many.into_bytes(), FrameError::TooLong("number of headers", HEADERS_LIMIT)),
            (endless, FrameError::TooLong("body", TEXT_LIMIT)),
            (b"SEND\ncontent-length:99999999\n\n".to_vec(), FrameError::TooLong("body", BODY_LIMIT)),
            (b"SEND\ncontent-length:18446744073709551616\n\n".to_vec(), FrameError::Length),
            (b"SEND\ncontent-length:+1\n\na\0".to_vec(), FrameError::Length),
            (b"SEND\ncontent-length:1\n\nab\0".to_vec(), FrameError::Length),
            (b"SEND\nno colon\n\n\0".to_vec(), FrameError::Header),
            (b"SEND\na:\\t\n\n\0".to_vec(), FrameError::Escape),
            (b"SEND\n\xff:\n\n\0".to_vec(), FrameError::Text),
            (b"send\n\n\0".to_vec(), FrameError::Command),
            (b"\0\n\n\0".to_vec(), FrameError::Command),
        ] {
            assert_eq!(parse(&bytes), Err(error), "{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(40)]));
        }
    }
}
