//! Models: the parameters of the simulated services, read from TOML.

mod anchor;
mod error;
mod law;
mod link;
mod parameters;
mod raw;

pub use anchor::Anchor;
pub use error::ModelError;
pub use law::Law;
pub use link::{Link, NotificationLink};
pub use parameters::{FunctionModel, Model, NotificationModel, PairData, PostModel, Replication, Transfer};
