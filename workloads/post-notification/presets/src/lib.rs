//! The five figures of post-notification: each is a function from the rows of one table and their
//! [`Source`](matrix_analysis::tables::Source) to a [`Drawing`]. Those of curves and dots can show the authors' rows as well.

mod consistency_window;
mod delay_vs_per_inconsistencies;
mod figure;
mod inconsistencies;
mod shared;
mod storage_overhead;
mod visibility_latency;

pub use consistency_window::consistency_window;
pub use delay_vs_per_inconsistencies::delay_vs_per_inconsistencies;
pub use figure::{Figure, UnknownFigure};
pub use inconsistencies::inconsistencies;
pub use matrix_figures::{Drawing, FigureError};
pub use storage_overhead::storage_overhead;
pub use visibility_latency::visibility_latency;
