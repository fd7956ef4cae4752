//! The report: one HTML page of results, which opens from disk and needs nothing else.
//!
//! [`Page`] is what the page says, free of any workload; [`of_results`] fills it from results, and [`Page::render`] writes it.
//! Every text reaches the page through a template that escapes it; the page's own policy forbids everything from outside.

mod against;
pub(crate) mod attempts;
pub(crate) mod claims;
mod conclude;
mod gantt;
mod model;
mod points;
mod render;
mod results;
mod text;

pub use against::Authors;
pub use attempts::{Timed, over_time, status_word};
pub use conclude::records_digest;
pub use model::{
    AttemptView, Axis, ClaimView, Commands, Failed, FigureView, Kind, Label, Metric, Page, Point, Section, StateCount,
};
pub use results::{MOST_FAILED, MOST_POINTS, ReportOptions, figure_view, of_results, state_counts};
pub use text::{anchor, duration, number, plain};
