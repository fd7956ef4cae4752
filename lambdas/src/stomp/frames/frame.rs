//! Frames, and how they are written.

/// A frame: a command, headers and a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The command, for example `SEND`.
    pub command: String,
    /// Headers in their order. Of a name that is repeated, the first counts.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Frame {
    /// A frame without headers and body.
    #[must_use]
    pub fn new(command: &str) -> Self {
        Self { command: command.to_owned(), ..Self::default() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The frame's bytes, with a `content-length` for what is in the body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let escaped = escapes(&self.command);
        let mut bytes = Vec::with_capacity(self.body.len() + 256);
        bytes.extend_from_slice(self.command.as_bytes());
        bytes.push(b'\n');
        for (name, value) in &self.headers {
            let start = bytes.len();
            write_text(&mut bytes, name, escaped);
            // It is written below, as it is. What a name loses in writing does not make it another.
            if bytes[start..] == *b"content-length" {
                bytes.truncate(start);
                continue;
            }
            bytes.push(b':');
            write_text(&mut bytes, value, escaped);
            bytes.push(b'\n');
        }
        if !self.body.is_empty() {
            bytes.extend_from_slice(format!("content-length:{}\n", self.body.len()).as_bytes());
        }
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes.push(0);
        bytes
    }
}

/// Whether a command's headers are escaped. The first frames of both sides are not, for the sake of STOMP 1.0.
pub(super) fn escapes(command: &str) -> bool {
    !matches!(command, "CONNECT" | "CONNECTED")
}

/// Writes a header's name or value. Where nothing can be escaped, what would break the frame is left out.
fn write_text(bytes: &mut Vec<u8>, text: &str, escaped: bool) {
    for byte in text.bytes() {
        match (byte, escaped) {
            (b'\n', true) => bytes.extend_from_slice(b"\\n"),
            (b'\r', true) => bytes.extend_from_slice(b"\\r"),
            (b':', true) => bytes.extend_from_slice(b"\\c"),
            (b'\\', true) => bytes.extend_from_slice(b"\\\\"),
            (b'\n' | b'\r', false) | (0, _) => {}
            _ => bytes.push(byte),
        }
    }
}
