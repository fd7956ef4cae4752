//! YAML as people write it: the events of a text with their places, and trees with anchors, aliases and merge keys
//! resolved. No input makes a tree grow beyond bounds.

mod event;
mod tree;

pub use event::{Event, Position, Scalar, YamlError, events};
pub use tree::{Entry, MAX_DEPTH, MAX_ENTRIES, Node, Value, parse};
