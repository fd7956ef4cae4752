//! Calibration: fits a model to its anchors by simulating the conditions in which they were measured, or to traces.

mod conditions;
mod report;
mod solve;
pub mod traces;
mod write;

pub use conditions::{FitError, FitOptions, Progress, Watch, evaluate};
pub use report::{AnchorResult, FitReport, HoldOut, ParameterChange, Results};
pub use solve::{fit, hold_out};
