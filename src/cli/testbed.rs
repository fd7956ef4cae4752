//! `matrix testbed`.

#[cfg(feature = "live")]
mod servers;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::FormatArgs;
#[cfg(not(feature = "live"))]
use crate::exit::CommandResult;

/// Real servers on this machine: three regions of MariaDB, Redis and ActiveMQ, and an emulator of S3, DynamoDB, SNS, SQS and Lambda
///
/// `matrix run` brings the testbed up by itself for `platform = "local"`, and ends it afterwards. Everything listens on
/// loopback addresses only. Needs a build with the feature `live`.
#[derive(Debug, Args)]
pub(crate) struct TestbedArgs {
    #[command(subcommand)]
    pub(crate) command: TestbedCommand,
    /// Where the testbed's files and logs are; `run`, `resume` and `live` use the default place, which $XDG_STATE_HOME moves [default: matrix/testbed below $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TestbedCommand {
    /// Install the servers: Debian packages (needs root), and the emulator in an environment of its own
    Install,
    /// Start the servers, or find the testbed that runs; it stays until `matrix testbed down`
    Up(UpArgs),
    /// Show the servers, the links between regions, and whether the replicas replicate
    ///
    /// Ends with 3 when a server does not run or a replica does not replicate.
    Status(FormatArgs),
    /// End the servers, whoever uses them, and remove their data; the logs stay
    Down,
    /// Own the servers of a testbed: what `up` starts
    #[command(hide = true)]
    Supervise,
}

/// What to start.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Take links and lags from this experiment [default: the built-in ones]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[cfg(feature = "live")]
pub(super) use servers::testbed;

#[cfg(not(feature = "live"))]
pub(super) fn testbed(_: TestbedArgs) -> CommandResult {
    Err(crate::live::not_built_in("`matrix testbed` handles real services"))
}
