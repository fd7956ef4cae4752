//! Trees: what a document says once its anchors, aliases and merge keys are resolved.

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
mod tests {
    use super::*;

    /// A tree in one line: names in their order, `~` for nothing.
    fn show(node: &Node) -> String {
        match &node.value {
            _ if node.is_nothing() => "~".to_owned(),
            Value::Scalar(scalar) => scalar.text.clone(),
            Value::List(items) => format!("[{}]", items.iter().map(|item| show(item)).collect::<Vec<_>>().join(" ")),
            Value::Map(entries) => {
                let entry = |entry: &Entry| format!("{}={}", entry.name, show(&entry.node));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
            }
        }
    }

    fn read(text: &str) -> String {
        match parse(text) {
            Ok(root) => root.map_or_else(|| "nothing".to_owned(), |root| show(&root)),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn anchors_aliases_and_merge_keys_are_resolved() {
        for (text, tree) in [
            ("", "nothing"),
            ("a: &x {p: 1, q: 2}\nb: *x\n", "{a={p=1 q=2} b={p=1 q=2}}"),
            ("a: &x {p: 1, q: 2}\nb:\n  q: 3\n  <<: *x\n", "{a={p=1 q=2} b={q=3 p=1}}"),
            ("a: &x {p: 1}\nb: &y {p: 2, r: 4}\nc: {<<: [*x, *y]}\n", "{a={p=1} b={p=2 r=4} c={p=1 r=4}}"),
            ("a: &x one\nb: *x\nc: [*x, \"~\", ~]\n", "{a=one b=one c=[one ~ ~]}"),
            ("\"<<\": 1\n", "{<<=1}"),
            ("&k a: 1\nb: *k\n", "{a=1 b=a}"),
        ] {
            assert_eq!(read(text), tree, "{text}");
        }
    }

    #[test]
    fn what_is_not_accepted_is_refused_where_it_stands() {
        for (text, error) in [
            ("a: 1\na: 2\n", "2:1: `a` is given twice"),
            ("a: &x\n  b: *x\n", "2:6: an alias inside of what it stands for"),
            ("a: 1\n---\nb: 1\n", "2:1: a second document"),
            ("a: !!str 1\n", "1:4: a type is written out: leave it away"),
            ("? [a]\n: 1\n", "1:3: a name must be a single value"),
            ("<<: 3\n", "1:5: `<<` merges names and values, or a list of such"),
        ] {
            assert_eq!(read(text), error, "{text}");
        }
        assert!(read("a: *nobody\n").starts_with("1:"));
        assert!(read(&"[".repeat(MAX_DEPTH + 1)).contains("levels"));
    }

    /// As YAML counts, and editors that know files of all systems: each of the three ways to end a line is one line.
    #[test]
    fn lines_end_with_a_line_feed_a_carriage_return_or_both() {
        for end in ["\n", "\r", "\r\n"] {
            let text = ["a: 1", "# b", "\"c\": \"d", "  e\"", "a: 2", ""].join(end);
            assert_eq!(read(&text), "5:1: `a` is given twice", "{text:?}");
        }
    }

    #[test]
    fn no_fault_is_beyond_the_end() {
        assert_eq!(read("a: 1\nsim"), "2:4: simple key expected");
        assert_eq!(read("a: 1\nsim\n"), "3:1: simple key expect ':'");
    }

    #[test]
    fn a_bomb_of_aliases_does_not_go_off() {
        let mut text = "a0: &a0 {k: v}\n".to_owned();
        for n in 1..100 {
            let before = n - 1;
            text += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{before}"); 50].join(", "));
        }
        assert!(parse(&text).is_ok(), "shared, not copied");

        let mut text = "a0: &a0 {k: v}\n".to_owned();
        for n in 1..400 {
            text += &format!("a{n}: &a{n}\n  k{n}: v\n  <<: *a{}\n", n - 1);
        }
        assert!(read(&text).contains("too large"));
    }
}
