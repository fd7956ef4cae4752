//! Figures as an experiment declares them, and the numbers that they show.

mod csv;
mod panels;
mod parse;
mod spec;

pub use csv::csv;
pub use panels::{Line, Mark, Numbers, Panel};
pub use parse::parse;
pub use spec::{Across, FigureKind, FigureSpec, KEYS, KINDS};

#[cfg(test)]
mod tests;
