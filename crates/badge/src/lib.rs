//! What artifact badges require of a project and its results, checked where a machine can.
//!
//! The project may be of any language and use any code host: files are looked for under the names that people give them.
//! [`Tree`] is what is in the project's folder, [`Results`] what is known of its results, and [`sosp26`] judges both by the
//! checklists of a conference. Nothing in the project is run.

mod code;
mod documents;
mod evidence;
mod profile;
#[cfg(test)]
mod tests;
mod tree;

pub use evidence::{Progress, Results, Stand};
pub use profile::{Item, Status, Subject, sosp26};
pub use tree::Tree;
