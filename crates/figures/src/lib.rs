//! Tables to figures: SVG drawn with plotters, PNG by resvg.
//!
//! A figure is a function from the rows of one table and their [`Source`](matrix_analysis::tables::Source) to a
//! [`Drawing`]: 6 in wide, every letter an outline, so that no viewer needs a font, and the same bytes for the same rows.

mod chart;
mod declared;
mod draw;
mod drawing;
mod error;
mod figure;
mod figures;
mod latex;

pub use chart::{Chart, ChartLine, ChartMark, ChartPanel, Estimate, Kind, Title};
pub use declared::{About, MetricAbout};
pub use drawing::{Drawing, WIDTH_IN};
pub use error::FigureError;
pub use figure::{Figure, UnknownFigure};
pub use figures::{
    consistency_window, delay_vs_per_inconsistencies, inconsistencies, storage_overhead, visibility_latency,
};
pub use latex::latex;
