//! `matrix table` of programs: what `matrix run` prints at its end.

use matrix_command::results::{self, Loaded, MetricRow};
use matrix_store::{Origin, Store};
use serde::Serialize;

use super::choose::Chosen;
use super::print::summary;
use super::read::{load, matching};
use crate::cli::TableFormat;
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

#[derive(Serialize)]
struct TableJson<'a> {
    experiment: &'a str,
    cells_planned: usize,
    cells_done: usize,
    metrics: Vec<MetricJson<'a>>,
}

#[derive(Serialize)]
struct MetricJson<'a> {
    axes: serde_json::Map<String, serde_json::Value>,
    metric: &'a str,
    unit: Option<&'a str>,
    rounds: usize,
    missing: u32,
    /// The mean over rounds; the interval's ends are none where the rounds do not bound it.
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

pub(crate) fn table(
    store: &Store,
    chosen: &Chosen,
    filter: Option<&str>,
    origin: Option<&Origin>,
    format: TableFormat,
) -> CommandResult {
    let cells = matching(chosen, filter)?;
    let loaded = load(store, chosen, &cells, origin)?;
    if loaded.done() == 0 {
        let none = format!("{}: none of the {} cells is done", chosen.experiment.name, cells.len());
        return Err(Failure::usage(none, "`matrix run` executes them; `matrix plan` says what is missing"));
    }
    match format {
        TableFormat::Table => summary(&loaded)?,
        TableFormat::Csv => output::bytes(results::metrics_csv(&loaded).as_bytes())?,
        TableFormat::Json => output::json(&json(&loaded))?,
    }
    Ok(Exit::Ok)
}

fn json<'a>(loaded: &Loaded<'a>) -> TableJson<'a> {
    let row = |MetricRow { point, metric, rounds, missing, estimate }: MetricRow<'a>| {
        let end = |end: f64| end.is_finite().then_some(end);
        MetricJson {
            axes: loaded.experiment.axes.to_json(&point),
            metric: &metric.name,
            unit: metric.unit.as_deref(),
            rounds,
            missing,
            value: estimate.map(|found| found.value),
            low: estimate.and_then(|found| end(found.low)),
            high: estimate.and_then(|found| end(found.high)),
        }
    };
    TableJson {
        experiment: &loaded.experiment.name,
        cells_planned: loaded.cells.len(),
        cells_done: loaded.done(),
        metrics: results::metrics(loaded).into_iter().map(row).collect(),
    }
}
