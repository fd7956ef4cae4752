//! A page of results of post-notification: what [`Page`](matrix_report::page::Page) says of them.

mod against;
pub(crate) mod attempts;
pub(crate) mod claims;
mod points;
mod results;

pub use against::Authors;
pub(crate) use results::Pages;
pub use results::of_results;
