//! Arguments that several commands have.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use matrix_bundle::Limits;
use matrix_plan::{Filter, Regions, Shard};
use matrix_run::results::{self, Opened, Select};
use matrix_run::{Input, Overrides, RunError};
use matrix_store::Origin;

use crate::exit::Failure;
use crate::output;

/// Where results live.
#[derive(Clone, Debug, Args)]
pub(crate) struct ResultsArgs {
    /// The store of results, or, for commands that only read, a bundle
    #[arg(long, value_name = "PATH", default_value = output::RESULTS)]
    pub(crate) results: PathBuf,
}

/// Where results are read.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    pub(crate) results: ResultsArgs,
    #[command(flatten)]
    pub(crate) size: SizeArgs,
}

impl ReadArgs {
    /// The store or bundle.
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        Ok(results::open_within(&self.results.results, self.size.limits())?)
    }
}

/// Limits on what an untrusted bundle may cost.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct SizeArgs {
    /// Most bytes that a bundle may unpack to, also as 512M or 16GiB
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value_t = Limits::default().max_bytes)]
    max_size: u64,
}

impl SizeArgs {
    pub(crate) fn limits(self) -> Limits {
        Limits::with_max_bytes(self.max_size)
    }
}

/// A number of bytes: digits, and perhaps a unit, of 1024 as often as it says.
fn bytes(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let power = match unit {
        "" | "B" => Some(0),
        "K" | "KiB" => Some(1),
        "M" | "MiB" => Some(2),
        "G" | "GiB" => Some(3),
        "T" | "TiB" => Some(4),
        _ => None,
    };
    let parsed =
        number.parse::<u64>().ok().zip(power).and_then(|(n, power)| n.checked_mul(1024_u64.checked_pow(power)?));
    parsed.ok_or_else(|| "write a number of bytes, as in 1000000, 512M or 16GiB".to_owned())
}

/// How to print.
#[derive(Clone, Debug, Args)]
pub(crate) struct FormatArgs {
    /// How to print: a table for people, or JSON for scripts
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// Forms of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    Table,
    /// JSON for scripts.
    Json,
}

/// Which experiment's results to read.
#[derive(Clone, Debug, Args)]
pub(crate) struct SelectArgs {
    /// The experiment; without it, the only one in the store
    #[arg(value_name = "FILE", conflicts_with = "run")]
    pub(crate) file: Option<PathBuf>,
    /// A run in the store, whose saved experiment is read
    #[arg(long, value_name = "NAME")]
    pub(crate) run: Option<String>,
    /// Only what this origin measured [default: of each cell what was measured here, else what the first origin did]
    #[arg(long, value_name = "NAME")]
    pub(crate) origin: Option<Origin>,
}

impl SelectArgs {
    /// What is meant.
    pub(crate) fn options(&self) -> Select {
        Select { file: self.file.clone(), run: self.run.clone(), origin: self.origin.clone() }
    }

    /// The experiment that is meant.
    pub(crate) fn of(&self, store: &Opened) -> Result<Input, Failure> {
        Ok(results::selected(store, &self.options(), &output::Terminal)?)
    }
}

/// What changes an experiment without editing its file.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OverrideArgs {
    /// Set a value of the experiment, for example `requests=100` or `barrier.deadline_ms=5000` (may be repeated)
    #[arg(long = "set", value_name = "K=V")]
    pub(crate) set: Vec<String>,
    /// Run on another platform than the file says
    #[arg(long, value_name = "P")]
    pub(crate) platform: Option<String>,
}

impl From<OverrideArgs> for Overrides {
    fn from(args: OverrideArgs) -> Self {
        Self { set: args.set, platform: args.platform }
    }
}

/// Which cells to keep.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FilterArgs {
    /// Only the cells that match, for example 'post_storage=s3 and delay_ms<1000 and regions="eu->us"'
    #[arg(long, value_name = "E")]
    pub(crate) filter: Option<String>,
}

impl FilterArgs {
    /// The filter, if there is one; it may name these regions.
    pub(crate) fn parse(&self, regions: &Regions) -> Result<Option<Filter>, Failure> {
        let parse = |text: &String| {
            Filter::parse(text, regions).map_err(|problems| RunError::in_text("--filter", text, problems))
        };
        Ok(self.filter.as_ref().map(parse).transpose()?)
    }
}

/// Which shard of an experiment is meant.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ShardArgs {
    /// Only the K-th of N shards, which `matrix bundle merge` unites; K is `auto` in an array job
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
}

impl ShardArgs {
    /// The shard, if there is one.
    pub(crate) fn shard(&self) -> Result<Option<Shard>, Failure> {
        let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let parse = |text: &String| {
            Shard::parse(text, variable).map_err(|problem| RunError::in_text("--shard", text, problem.into()))
        };
        Ok(self.shard.as_ref().map(parse).transpose()?)
    }
}
