//! The events of a text.

use std::fmt;

use saphyr_parser::{Event as Raw, Marker, Parser, ScalarStyle};

/// A place in a text: lines and columns, in characters, count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl From<&Marker> for Position {
    fn from(marker: &Marker) -> Self {
        Self { line: marker.line() as u64, column: marker.col() as u64 + 1 }
    }
}

/// A text that is no YAML, or more of it than is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct YamlError {
    /// Where.
    pub place: Position,
    /// What is wrong there.
    pub what: String,
}

/// A single value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// Its text.
    pub text: String,
    /// Written without quotes: what it means depends on how it looks.
    pub plain: bool,
}

/// What a text consists of. Anchors have numbers from 1; 0 is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A document begins.
    Document,
    /// A single value.
    Scalar {
        /// The value.
        scalar: Scalar,
        /// Its anchor.
        anchor: usize,
        /// Whether its type is written out (`!!str`).
        typed: bool,
    },
    /// A list begins.
    List {
        /// Its anchor.
        anchor: usize,
        /// Whether its type is written out.
        typed: bool,
    },
    /// The innermost list ends.
    ListEnd,
    /// Names and values begin.
    Map {
        /// Its anchor.
        anchor: usize,
        /// Whether its type is written out.
        typed: bool,
    },
    /// The innermost names and values end.
    MapEnd,
    /// What has this anchor, once more.
    Alias(usize),
}

/// The events of a text, each with its place, up to the first error.
pub fn events(text: &str) -> impl Iterator<Item = Result<(Event, Position), YamlError>> {
    // The parser ends a last line that nothing ends, and then speaks of the line after it.
    let end = end(text);
    Parser::new_from_str(text).filter_map(move |event| {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let place = Position::from(error.marker()).min(end);
                return Some(Err(YamlError { place, what: error.info().to_owned() }));
            }
        };
        let event = match event {
            Raw::Nothing | Raw::StreamStart | Raw::StreamEnd | Raw::DocumentEnd => return None,
            Raw::DocumentStart(_) => Event::Document,
            Raw::Alias(anchor) => Event::Alias(anchor),
            Raw::Scalar(text, style, anchor, tag) => {
                let scalar = Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                Event::Scalar { scalar, anchor, typed: tag.is_some() }
            }
            Raw::SequenceStart(anchor, tag) => Event::List { anchor, typed: tag.is_some() },
            Raw::SequenceEnd => Event::ListEnd,
            Raw::MappingStart(anchor, tag) => Event::Map { anchor, typed: tag.is_some() },
            Raw::MappingEnd => Event::MapEnd,
        };
        Some(Ok((event, Position::from(&span.start).min(end))))
    })
}

/// The place after the last character. A carriage return ends a line too, alone or before a line feed (YAML 1.2.2, section
/// 5.4).
fn end(text: &str) -> Position {
    let text = text.replace("\r\n", "\n");
    let mut lines = text.rsplit(['\n', '\r']);
    let column = lines.next().map_or(0, |last| last.chars().count()) as u64 + 1;
    Position { line: lines.count() as u64 + 1, column }
}
