//! `matrix table`.

use clap::{Args, ValueEnum};
use matrix_analysis::tables::Source;
use matrix_analysis::{Traces, to_csv};

use matrix_derived::summary::{self, SummaryJson};
use matrix_run::results::{self, Results, Traced};

use super::{FilterArgs, ReadArgs, SelectArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::{output, program};

/// Print the summary of results: what readers found, how long it took, and what antipode cost
///
/// It is what `matrix run` prints at its end. The table fits the terminal and says which columns it left out for that; CSV
/// and JSON have all of them. docs/guide.md explains every column.
#[derive(Debug, Args)]
pub(crate) struct TableArgs {
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// How to print: a table for people, CSV with a line for each treatment, or JSON
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    format: TableFormat,
    #[command(flatten)]
    read: ReadArgs,
}

/// Forms of the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// Text for people.
    Table,
    /// CSV, as `run --plot` writes it to `summary.csv`.
    Csv,
    /// JSON for scripts.
    Json,
}

pub(crate) fn table(args: TableArgs) -> CommandResult {
    let store = args.read.open()?;
    if let Some(chosen) = program::chosen(&store, &args.select.options())? {
        let (filter, origin) = (args.filter.filter.as_deref(), args.select.origin.as_ref());
        return program::table(&store, &chosen, filter, origin, args.format);
    }
    if let Some(records) = results::without_run(&store, &args.select.options())? {
        let name = results::origins_of(&records);
        let filter = args.filter.parse(&results::regions(&store)?)?;
        let mut traced = Traced::new(&store, records)?;
        if let Some(filter) = filter {
            traced.retain(|cell| filter.matches(&cell.inputs.axes, cell.inputs.round));
        }
        let source = Source::new(&name, traced.cells().len() as u64, traced.cells());
        return print(&traced, source, args.format, "no result matches the filter");
    }
    let input = args.select.of(&store)?;
    let filter = input.filter(args.filter.filter.as_deref())?;
    let mut results = Results::of_origin(&store, &input, args.select.origin.as_ref(), &output::Terminal)?;
    let mut source = results.source();
    if let Some(filter) = filter {
        results.traced.retain(|cell| filter.matches(&cell.inputs.axes, cell.inputs.round));
        let planned = input.cells.iter().filter(|(_, cell)| filter.matches(cell.axes(), cell.inputs.round)).count();
        source = Source::new(&input.experiment.name, planned as u64, results.traced.cells());
    }
    print(&results.traced, source, args.format, "`matrix run` executes them; `matrix plan` says what is missing")
}

fn print(traced: &Traced<'_>, source: Source, format: TableFormat, help: &str) -> CommandResult {
    if traced.cells().is_empty() {
        let none = format!("{}: none of the {} cells is done", source.experiment, source.planned);
        return Err(Failure::usage(none, help));
    }
    let rows = summary::rows(traced)?;
    match format {
        TableFormat::Table => output::line(summary::text(&rows, &source, output::width()).trim_start())?,
        TableFormat::Csv => output::bytes(to_csv(&rows, &source).as_bytes())?,
        TableFormat::Json => output::json(&SummaryJson::new(rows, source))?,
    }
    Ok(Exit::Ok)
}
