//! The `local` testbed: real servers on this machine, their replication carried by links that delay.
//!
//! [`up`] starts a *supervisor*: the program itself, run again, in a session of its own. It owns every server as its
//! child, carries every replication link through its proxies, and obeys a socket in the state directory. A server dies
//! with the supervisor (the kernel's parent-death signal), and the supervisor ends with whoever leased the testbed,
//! however these ended, or with [`down`].

mod bridge;
mod client;
mod control;
mod differences;
mod endpoints;
mod error;
mod install;
mod lifecycle;
mod revive;
mod state;
mod status;
mod supervisor;
mod tree;

pub use bridge::{Bridge, BridgeCounts, BridgeError, BridgeSettings};
pub use client::{Lease, Testbed};
pub use control::{CutKind, EmulatorFault, FaultKind, PartName};
pub use differences::Difference;
pub use endpoints::{AmqAccess, Endpoints, MysqlAccess, RegionEndpoints};
pub use error::TestbedError;
pub use install::{Missing, Needs, install};
pub use lifecycle::{Down, SupervisorCommand, down, status, up};
pub use state::StateDir;
pub use status::{LinkStatus, PartStatus, ReplicaStatus, Status};
pub use supervisor::supervise;
pub use tree::{Survivor, survivors};

pub use matrix_plan::local::{Lag, Lags, Link, LocalConfig};
