//! The simulator: runs the application's own writer and reader in virtual time, on a model of the services.
//!
//! [`Model`] holds the parameters, [`SimDriver`] executes cells, [`fit`](fit()) calibrates. [`cell::Setup`], [`draw`] and
//! [`table`] are public so that the plain event loop of the benchmark and the tests can be built from the same draws.

pub mod cell;
pub mod draw;
mod driver;
mod exec;
pub mod faults;
pub mod fit;
pub mod model;
mod normal;
pub mod table;

pub use driver::SimDriver;
pub use fit::{FitError, FitOptions, FitReport, HoldOut, evaluate, fit, hold_out};
pub use model::{Model, ModelError};

/// Version of the simulator's behaviour. It is part of the key of every simulated cell: raise it when the same model and
/// inputs give other rows.
pub const SIM_VERSION: u32 = 1;

/// Instant at which every simulated cell begins: 2021-10-01T00:00:00Z.
pub const EPOCH: matrix_app::Micros = matrix_app::Micros(1_633_046_400_000_000);
