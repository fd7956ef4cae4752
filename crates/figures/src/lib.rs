//! Numbers to figures: SVG drawn with plotters, PNG by resvg.
//!
//! A [`Chart`] draws any numbers; [`draw`] is what it is made with, for figures of another kind. A
//! [`Drawing`] is 6 in wide, every letter an outline, so that no viewer needs a font, and the same bytes for the same rows.

mod chart;
mod declared;
pub mod draw;
mod drawing;
mod error;
mod latex;
mod picture;

pub use chart::{Chart, ChartLine, ChartMark, ChartPanel, Estimate, Kind, Title};
pub use declared::{About, MetricAbout};
pub use drawing::{Drawing, WIDTH_IN};
pub use error::FigureError;
pub use picture::{Picture, picture};
