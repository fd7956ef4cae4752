//! The executor of virtual time: one thread, whole microseconds, and an agenda of what happens when.

mod agenda;
mod tasks;

pub(crate) use agenda::{Agenda, Next, TaskId};
pub(crate) use tasks::Tasks;
