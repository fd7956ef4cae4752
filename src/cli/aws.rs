//! `matrix aws`: setting up, examining and cleaning an account.

#[cfg(feature = "live")]
mod access;
#[cfg(feature = "live")]
mod clean;
#[cfg(feature = "live")]
mod doctor;
#[cfg(feature = "live")]
mod endpoints;
#[cfg(feature = "live")]
mod request;
#[cfg(feature = "live")]
mod setup;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::FormatArgs;
use crate::exit::CommandResult;

/// An account of AWS: make what experiments need, look whether it works, and remove it again
///
/// What is made bears the tag `matrix:setup=NAME`. Every command can be interrupted at any moment, and the same command
/// then goes on from there: what exists is found at AWS. Needs a build with the feature `live`; docs/aws.md tells the whole
/// way.
#[derive(Debug, Args)]
pub(crate) struct AwsArgs {
    #[command(subcommand)]
    pub(crate) command: AwsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AwsCommand {
    /// Make the datastores, networks and roles, and write connection_info.yaml
    ///
    /// Prints the stacks and what they cost an hour, and asks. What is there already stays; stacks in progress are waited
    /// for; what was rolled back is made again.
    Setup(SetupArgs),
    /// Ask the account and the services whether everything is there and works
    ///
    /// Ends with 3 when there is a problem.
    Doctor(DoctorArgs),
    /// Remove everything that bears the set-up's tag, and list what is left
    ///
    /// Ends with 3 when something is left.
    Clean(CleanArgs),
}

/// What to set up.
#[derive(Debug, Args)]
pub(crate) struct SetupArgs {
    /// Make what this experiment needs
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Regions, the writer's first [default: those of FILE, else eu,us,sg]
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub(crate) regions: Vec<String>,
    /// Datastores: mysql, dynamo, s3, redis, sns, amq [default: those of FILE, else all]
    #[arg(long, value_name = "STORES", value_delimiter = ',', conflicts_with = "file")]
    pub(crate) stores: Vec<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Do not ask
    #[arg(long, conflicts_with = "plan")]
    pub(crate) yes: bool,
    /// Only print what would be done
    #[arg(long)]
    pub(crate) plan: bool,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

/// Which set-up, and where its endpoints are written.
#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// Name of the set-up, which all names in it begin with
    #[arg(long, value_name = "NAME", default_value = "matrix")]
    pub(crate) name: String,
    /// The file of endpoints [default: the one that FILE names, else connection_info.yaml]
    #[arg(long, value_name = "PATH")]
    pub(crate) connection_info: Option<PathBuf>,
}

/// What to examine.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Examine what this experiment needs
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Regions [default: those of the file of endpoints, of FILE, else eu,us,sg]
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub(crate) regions: Vec<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

/// What to remove.
#[derive(Debug, Args)]
pub(crate) struct CleanArgs {
    /// Remove the set-up of this experiment's regions
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Regions to look in [default: those of the file of endpoints and of FILE, and all of every account]
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub(crate) regions: Vec<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Remove the functions of runs in these regions, too, whatever set-up they use
    #[arg(long)]
    pub(crate) runs: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[cfg(feature = "live")]
pub(super) fn aws(args: AwsArgs) -> CommandResult {
    match args.command {
        AwsCommand::Setup(args) => setup::setup(&args),
        AwsCommand::Doctor(args) => doctor::doctor(&args),
        AwsCommand::Clean(args) => clean::clean(&args),
    }
}

#[cfg(not(feature = "live"))]
pub(super) fn aws(_: AwsArgs) -> CommandResult {
    Err(crate::live::not_built_in("`matrix aws` handles real services"))
}
