//! What is derived from results: the closing summary, and the tables, figures, judged claims and README that stand beside
//! them in a bundle. Everything here is text or bytes: who prints or writes them is the caller's choice.

pub mod appendix;
pub mod derive;
pub mod page;
mod pictures;
pub mod summary;
mod table;
pub mod verify;

pub use page::attempts::{environment, seconds_between};
pub use pictures::picture;
pub use table::{Column, fitted, table};
