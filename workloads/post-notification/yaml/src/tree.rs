//! Trees: the contents of a document once its anchors, aliases and merge keys are resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::event::{Event, Position, Scalar, YamlError, events};

/// How deep lists and maps may stand in each other.
pub const MAX_DEPTH: usize = 32;

/// How many entries merge keys may add to all maps together: no text grows beyond that while it is read. Aliases share
/// what they stand for.
pub const MAX_ENTRIES: usize = 10_000;

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it is written.
    pub place: Position,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A single one.
    Scalar(Scalar),
    /// A list.
    List(Vec<Rc<Node>>),
    /// Names and values: those written there in their order, then those that merge keys add.
    Map(Vec<Entry>),
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// Where the name is written.
    pub place: Position,
    /// The value.
    pub node: Rc<Node>,
}

impl Node {
    /// The single value, unless it is nothing (empty, `~` or `null`), a list or a map.
    #[must_use]
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) if !self.is_nothing() => Some(scalar),
            _ => None,
        }
    }

    /// The names and values, if it has such.
    #[must_use]
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Whether nothing is written there: an empty plain value, `~` or `null`.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let Value::Scalar(Scalar { text, plain: true }) = &self.value else { return false };
        matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

/// The tree of the one document in a text, or nothing if there is none.
///
/// # Errors
/// When the text is no YAML, or has what is not accepted: a second document, a type written out, a name that is no single
/// value, a name twice, an alias inside of what it stands for, or more than [`MAX_DEPTH`] and [`MAX_ENTRIES`] allow.
pub fn parse(text: &str) -> Result<Option<Rc<Node>>, YamlError> {
    let mut builder = Builder::default();
    let mut documents = 0;
    for event in events(text) {
        let (event, place) = event?;
        if event == Event::Document {
            documents += 1;
            if documents > 1 {
                return refuse(place, "a second document");
            }
        } else {
            builder.take(event, place)?;
        }
    }
    Ok(builder.root)
}

fn refuse<T>(place: Position, what: impl Into<String>) -> Result<T, YamlError> {
    Err(YamlError { place, what: what.into() })
}

/// A list or a map that is being read.
struct Open {
    anchor: usize,
    place: Position,
    inside: Inside,
}

enum Inside {
    List(Vec<Rc<Node>>),
    Map { entries: Vec<Entry>, names: BTreeSet<String>, merges: Vec<Rc<Node>>, name: Option<Name> },
}

/// A name whose value comes next.
enum Name {
    Of(String, Position),
    Merge,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Rc<Node>>,
    merged: usize,
    root: Option<Rc<Node>>,
}

impl Builder {
    fn take(&mut self, event: Event, place: Position) -> Result<(), YamlError> {
        match event {
            Event::Document => Ok(()),
            Event::Scalar { typed: true, .. } | Event::List { typed: true, .. } | Event::Map { typed: true, .. } => {
                refuse(place, "a type is written out: leave it away")
            }
            Event::Scalar { scalar, anchor, .. } => {
                if self.expects_name() {
                    return self.name(scalar, anchor, place);
                }
                self.value(Node { value: Value::Scalar(scalar), place }, anchor)
            }
            Event::Alias(anchor) => {
                if self.expects_name() {
                    return refuse(place, "an alias is no name");
                }
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return refuse(place, "an alias inside of what it stands for");
                };
                self.put(node)
            }
            Event::List { anchor, .. } => self.begin(anchor, place, Inside::List(Vec::new())),
            Event::Map { anchor, .. } => {
                let (entries, names, merges) = (Vec::new(), BTreeSet::new(), Vec::new());
                self.begin(anchor, place, Inside::Map { entries, names, merges, name: None })
            }
            Event::ListEnd | Event::MapEnd => self.end(),
        }
    }

    fn expects_name(&self) -> bool {
        matches!(self.open.last(), Some(Open { inside: Inside::Map { name: None, .. }, .. }))
    }

    fn name(&mut self, scalar: Scalar, anchor: usize, place: Position) -> Result<(), YamlError> {
        let Some(Open { inside: Inside::Map { names, name, .. }, .. }) = self.open.last_mut() else { return Ok(()) };
        *name = Some(if scalar.plain && scalar.text == "<<" {
            Name::Merge
        } else {
            if !names.insert(scalar.text.clone()) {
                return refuse(place, format!("`{}` is given twice", scalar.text));
            }
            Name::Of(scalar.text.clone(), place)
        });
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::new(Node { value: Value::Scalar(scalar), place }));
        }
        Ok(())
    }

    fn begin(&mut self, anchor: usize, place: Position, inside: Inside) -> Result<(), YamlError> {
        if self.expects_name() {
            return refuse(place, "a name must be a single value");
        }
        if self.open.len() >= MAX_DEPTH {
            return refuse(place, format!("more than {MAX_DEPTH} levels"));
        }
        self.open.push(Open { anchor, place, inside });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let Some(Open { anchor, place, inside }) = self.open.pop() else { return Ok(()) };
        let value = match inside {
            Inside::List(items) => Value::List(items),
            Inside::Map { mut entries, mut names, merges, .. } => {
                for merge in merges {
                    self.merge(&merge, &mut entries, &mut names)?;
                }
                Value::Map(entries)
            }
        };
        self.value(Node { value, place }, anchor)
    }

    /// Adds what a map has not yet. What is written in the map itself wins, then what is merged first.
    fn merge(&mut self, from: &Node, entries: &mut Vec<Entry>, names: &mut BTreeSet<String>) -> Result<(), YamlError> {
        match &from.value {
            Value::Map(others) => {
                for entry in others {
                    if names.insert(entry.name.clone()) {
                        self.merged += 1;
                        entries.push(entry.clone());
                    }
                    if self.merged > MAX_ENTRIES {
                        return refuse(from.place, "merge keys make the text too large");
                    }
                }
                Ok(())
            }
            Value::List(items) if items.iter().all(|item| item.entries().is_some()) => {
                items.iter().try_for_each(|item| self.merge(item, entries, names))
            }
            Value::List(_) | Value::Scalar(_) => refuse(from.place, "`<<` merges names and values, or a list of such"),
        }
    }

    fn value(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.put(node)
    }

    /// Puts a value where it belongs.
    fn put(&mut self, node: Rc<Node>) -> Result<(), YamlError> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { inside: Inside::List(items), .. }) => items.push(node),
            Some(Open { inside: Inside::Map { entries, merges, name, .. }, .. }) => match name.take() {
                Some(Name::Of(name, place)) => entries.push(Entry { name, place, node }),
                Some(Name::Merge) => merges.push(node),
                None => return refuse(node.place, "a name must be a single value"),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
