//! What a broker sends.

use crate::frames::{Frame, FrameError, Parsed, parse};

/// Frames as a broker sends them, as many as there are. Whatever the pieces in which the bytes come, the frames are the
/// same; a frame that was read is written so that it is read again.
pub fn stomp(data: &[u8]) {
    let (whole, end) = frames(data, data.len());
    for piece in [1, 7] {
        assert_eq!(frames(data, piece), (whole.clone(), end), "in pieces of {piece}");
    }
    // With all the headers that a frame may have there is no room for its length.
    for frame in whole.into_iter().filter(|frame| frame.headers.len() < 256) {
        let bytes = frame.encode();
        let Ok(Parsed::Frame(again, used)) = parse(&bytes) else { panic!("{frame:?} is not read again") };
        assert_eq!((used, without_length(again)), (bytes.len(), written(frame)));
    }
}

/// The frames in the bytes as they come in pieces, and what ended them, if they are no frames.
fn frames(data: &[u8], piece: usize) -> (Vec<Frame>, Option<FrameError>) {
    let (mut received, mut found) = (Vec::new(), Vec::new());
    for piece in data.chunks(piece.max(1)) {
        received.extend_from_slice(piece);
        loop {
            match parse(&received) {
                Ok(Parsed::Frame(frame, used)) => {
                    assert_eq!(received[used - 1], 0, "a frame ends with a zero");
                    received.drain(..used);
                    found.push(frame);
                }
                Ok(Parsed::Incomplete(beats)) => {
                    received.drain(..beats);
                    break;
                }
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}

fn without_length(mut frame: Frame) -> Frame {
    frame.headers.retain(|(name, _)| name != "content-length");
    frame
}

/// A frame as far as it can be written: a zero has no place in a head, and a line end none where nothing is escaped.
fn written(frame: Frame) -> Frame {
    let escaped = !matches!(frame.command.as_str(), "CONNECT" | "CONNECTED");
    let plain = |text: &str| text.chars().filter(|c| *c != '\0' && (escaped || !matches!(c, '\n' | '\r'))).collect();
    let mut frame = frame;
    for (name, value) in &mut frame.headers {
        (*name, *value) = (plain(name), plain(value));
    }
    without_length(frame)
}
