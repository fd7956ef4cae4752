//! `matrix live`.

#[cfg(feature = "live")]
mod pending_sends;
#[cfg(feature = "live")]
mod phases;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{FilterArgs, OverrideArgs, ResultsArgs};
#[cfg(not(feature = "live"))]
use crate::exit::CommandResult;

/// The phases of a run on real services, one by one: build, run, gather, clean
///
/// `matrix run` does them all for every cell. By hand, each can be done again: what is there already stays, and what was
/// interrupted is taken up. On platform `local` the testbed is started if need be, and stays until `matrix testbed down`. Needs
/// a build with the feature `live`.
#[derive(Debug, Args)]
pub(crate) struct LiveArgs {
    #[command(subcommand)]
    pub(crate) phase: Phase,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Phase {
    /// Deploy the functions, queues, topics, tables and buckets of every combination
    Build(WhatArgs),
    /// Send the requests of the cells that have no result yet, and keep what the client sees
    Run(WhatArgs),
    /// Collect the evaluations of what was run, and put the traces into the store
    Gather(WhatArgs),
    /// Empty stores and queues, and wait until they are seen to be empty in both regions
    Clean(CleanArgs),
}

/// What a phase is about.
#[derive(Debug, Args)]
pub(crate) struct WhatArgs {
    /// The experiment
    #[arg(value_name = "FILE", required_unless_present = "cell", conflicts_with = "cell")]
    pub(crate) file: Option<PathBuf>,
    /// One combination from flags, quoted, as in 'post_storage=mysql,notification_storage=sns,regions=eu->us'
    #[arg(long, value_name = "AXES")]
    pub(crate) cell: Option<String>,
    /// Only combinations with this post or notification storage
    #[arg(long, value_name = "STORAGE")]
    pub(crate) only: Option<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) overrides: OverrideArgs,
    #[command(flatten)]
    pub(crate) results: ResultsArgs,
}

/// What to clean, and how far.
#[derive(Debug, Args)]
pub(crate) struct CleanArgs {
    /// Remove the deployments, too
    #[arg(long)]
    pub(crate) strong: bool,
    #[command(flatten)]
    pub(crate) what: WhatArgs,
}

#[cfg(feature = "live")]
pub(super) use phases::phase as live;

#[cfg(not(feature = "live"))]
pub(super) fn live(_: LiveArgs) -> CommandResult {
    Err(crate::live::not_built_in("`matrix live` handles real services"))
}
