//! Flat YAML: one mapping of names to plain values, which is all that `tags.yml` is. Nothing here nests, and aliases are
//! refused, so that no input grows while it is read.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::error::{ParseError, Problem};

/// A scalar and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) text: String,
    /// Written without quotes: what it means depends on how it looks.
    pub(crate) plain: bool,
    line: u64,
    column: u64,
}

impl Node {
    pub(crate) fn error(&self, problem: Problem) -> ParseError {
        ParseError::new(self.line, self.column, problem)
    }
}

/// The names and values of a mapping, in order.
pub(crate) fn parse_flat(text: &str) -> Result<Vec<(Node, Node)>, ParseError> {
    let mut pairs = Vec::new();
    let mut name: Option<Node> = None;
    let (mut documents, mut inside) = (0, false);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| broken(&error))?;
        let refuse = |what| Err(at(&span, Problem::NotFlat(what)));
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return refuse("a second document");
                }
            }
            Event::MappingStart(_, None) if !inside && pairs.is_empty() => inside = true,
            Event::MappingEnd => inside = false,
            Event::Scalar(text, style, anchor, None) if inside => {
                if anchor != 0 {
                    return refuse("an anchor");
                }
                let plain = style == ScalarStyle::Plain;
                let (line, column) = place(&span);
                let node = Node { text: text.into_owned(), plain, line, column };
                match name.take() {
                    None => name = Some(node),
                    Some(name) => pairs.push((name, node)),
                }
            }
            Event::Scalar(_, _, _, Some(_)) | Event::MappingStart(_, Some(_)) | Event::SequenceStart(_, Some(_)) => {
                return refuse("a value with an explicit type");
            }
            Event::Scalar(..) => return refuse("a single value instead of names and values"),
            Event::SequenceStart(..) => return refuse("a list"),
            Event::MappingStart(..) => return refuse("names and values inside a value"),
            Event::SequenceEnd => {}
            Event::Alias(_) => return refuse("an alias"),
        }
    }
    if pairs.is_empty() {
        return Err(ParseError::new(1, 1, Problem::Empty));
    }
    Ok(pairs)
}

fn place(span: &Span) -> (u64, u64) {
    (span.start.line() as u64, span.start.col() as u64 + 1)
}

fn at(span: &Span, problem: Problem) -> ParseError {
    let (line, column) = place(span);
    ParseError::new(line, column, problem)
}

fn broken(error: &ScanError) -> ParseError {
    let marker = error.marker();
    ParseError::new(marker.line() as u64, marker.col() as u64 + 1, Problem::Yaml(error.info().to_owned()))
}
