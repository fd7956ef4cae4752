//! A program's results as sections of a page: what [`Page`](matrix_report::page::Page) says of them.

mod cells;
mod claims;
mod figures;
mod part;
mod points;
mod results;
mod section;
mod times;

pub use part::{experiments, records};
pub use results::{add_to, of_bundle};
