//! The report: one HTML page of results, which opens from disk and needs nothing else.
//!
//! [`Page`] is the contents of the page, free of any workload, which fills it; [`Page::render`] writes it. Every text reaches the
//! page through a template that escapes it; the page's own policy forbids everything from outside.

mod again;
mod attempts;
mod comparison;
mod conclude;
mod figure;
mod gantt;
mod kinds;
mod model;
mod paper;
mod render;
mod states;
mod text;

pub use again::{filter_of, run_again};
pub use attempts::{Timed, environment, over_time, seconds_between, status_word};
pub use comparison::comparison;
pub use conclude::{KICK_THE_TIRES, ReportOptions, records_digest};
pub use figure::{figure_view, inline, rows_of};
pub use kinds::{Times, kinds};
pub use model::{
    AttemptView, Axis, ClaimView, Commands, Failed, FigureView, Kind, Label, MOST_FAILED, MOST_POINTS, Metric, Page,
    Point, Section, StateCount,
};
pub use render::PageError;
pub use states::{skipped, state_counts};
pub use text::{anchor, duration, grouped, number, plain};
