//! `matrix aws`: setting up, examining and cleaning an account.

mod access;
mod ask;
mod clean;
mod doctor;
mod endpoints;
mod request;
mod setup;

use crate::cli::aws::{AwsArgs, AwsCommand};
use crate::exit::Outcome;

/// Does what was asked.
pub(crate) fn aws(args: AwsArgs) -> Outcome {
    match args.command {
        AwsCommand::Setup(args) => setup::setup(&args),
        AwsCommand::Doctor(args) => doctor::doctor(&args),
        AwsCommand::Clean(args) => clean::clean(&args),
    }
}
