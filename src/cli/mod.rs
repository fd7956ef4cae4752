//! What the user types: one file per command.

mod appendix;
mod arguments;
pub(crate) mod ask;
mod aws;
mod badge;
mod budget;
mod bundle;
mod check;
mod command;
mod completions;
mod diff;
mod export;
mod gc;
mod import;
mod init;
mod live;
mod man;
mod model;
mod plan;
mod plot;
mod replay;
mod report;
mod resume;
mod run;
pub(crate) mod runs;
mod show;
mod status;
mod store;
mod submit;
mod table;
mod testbed;
mod verify;
mod why;

pub(crate) use arguments::{
    FilterArgs, Format, FormatArgs, OverrideArgs, ReadArgs, ResultsArgs, SelectArgs, ShardArgs, SizeArgs,
};
#[cfg(test)]
pub(crate) use command::run_words;
pub(crate) use command::{definition, main};
pub(crate) use diff::of_other_workloads;
pub(crate) use export::RowFiles;
pub(crate) use plan::TallyJson;
pub(crate) use plot::PictureFormat;
pub(crate) use table::TableFormat;
pub(crate) use why::Answer;
