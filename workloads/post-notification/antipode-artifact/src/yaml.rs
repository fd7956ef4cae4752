//! Flat YAML: one mapping of names to plain values, which is all that `tags.yml` is. Nothing here nests, and aliases are
//! refused, so that no input grows while it is read.

use matrix_yaml::{Event, Position, Scalar, events};

use crate::error::{ParseError, Problem};

/// A scalar and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) text: String,
    /// Written without quotes: what it means depends on how it looks.
    pub(crate) plain: bool,
    place: Position,
}

impl Node {
    pub(crate) fn error(&self, problem: Problem) -> ParseError {
        ParseError { place: self.place, problem }
    }
}

/// The names and values of a mapping, in order.
pub(crate) fn parse_flat(text: &str) -> Result<Vec<(Node, Node)>, ParseError> {
    let mut pairs = Vec::new();
    let mut name: Option<Node> = None;
    let (mut documents, mut inside) = (0, false);
    for event in events(text) {
        let (event, place) =
            event.map_err(|error| ParseError { place: error.place, problem: Problem::Yaml(error.what) })?;
        let refuse = |what| Err(ParseError { place, problem: Problem::NotFlat(what) });
        match event {
            Event::Document => {
                documents += 1;
                if documents > 1 {
                    return refuse("a second document");
                }
            }
            Event::Map { typed: false, .. } if !inside && pairs.is_empty() => inside = true,
            Event::MapEnd => inside = false,
            Event::Scalar { scalar: Scalar { text, plain }, anchor, typed: false } if inside => {
                if anchor != 0 {
                    return refuse("an anchor");
                }
                let node = Node { text, plain, place };
                match name.take() {
                    None => name = Some(node),
                    Some(name) => pairs.push((name, node)),
                }
            }
            Event::Scalar { typed: true, .. } | Event::Map { typed: true, .. } | Event::List { typed: true, .. } => {
                return refuse("a value with an explicit type");
            }
            Event::Scalar { .. } => return refuse("a single value instead of names and values"),
            Event::List { .. } => return refuse("a list"),
            Event::Map { .. } => return refuse("names and values inside a value"),
            Event::ListEnd => {}
            Event::Alias(_) => return refuse("an alias"),
        }
    }
    if pairs.is_empty() {
        return Err(ParseError::new(1, 1, Problem::Empty));
    }
    Ok(pairs)
}
