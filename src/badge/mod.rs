//! Badges of artifact evaluation: what each asks, checked by machine where a machine can tell.
//!
//! Each item that is checked looks at files of its own: where one of them is missing, that item fails and no other.

mod documents;
mod evidence;
mod modules;
mod profile;
mod runnable;
mod workspace;

use profile::{Check, Finding};
pub(crate) use profile::{Item, Status, Subject, sosp26};
