//! The `lambda` driver: executes cells on deployed functions, on the local testbed as on AWS.
//!
//! An attempt goes through the phases build, clean, run, gather and clean, each of which can be done by hand and done
//! again. Running and gathering go on at the same time; an evaluation is joined with what its client saw as soon as both
//! are there.

mod attempt;
mod bridging;
mod build;
mod clean;
mod clients;
mod connection;
mod deployment;
mod driver;
mod error;
mod exchange;
mod gather;
mod invoke;
mod join;
mod lease;
mod names;
mod probe;
mod receive;
mod remove;
mod resources;
mod saved;
mod send;
mod services;
mod settings;
mod spec;
mod template;
mod turns;
mod unserved;
mod visible;

pub use driver::{Built, LambdaDriver};
pub use error::LambdaError;
pub use exchange::Route;
pub(crate) use invoke::{Answer, invoke};
pub(crate) use lease::TABLE as LEASES_TABLE;
pub(crate) use names::hex;
pub(crate) use probe::clock_bound;
pub(crate) use remove::code_of as remove_code_of;
pub use services::{BrokerSource, Brokers, MysqlServers, Servers, Services, Site};
pub use settings::Settings;
pub use spec::DeploymentSpec;
pub use unserved::Unserved;
