//! What is written of results, whatever their workload: the page, the artifact appendix, and tables as text. A workload
//! says what is on them.

pub mod appendix;
mod markdown;
pub mod page;
mod table;

pub use markdown::cell;
pub use page::{environment, seconds_between};
pub use table::{Column, fitted, table};
