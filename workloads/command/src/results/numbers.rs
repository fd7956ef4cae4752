//! The numbers of one cell, computed of its rows.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use matrix_core::Value;
use matrix_core::claims::Statement;
use matrix_core::figure::{Across, FigureKind};
use matrix_core::metric::{Function, Metric, Term};
use matrix_core::series::{Counts, Number};
use matrix_frame::{Column, Distribution, FrameError, Request, Summary};
use matrix_store::generic::Costs;
use matrix_store::{GenericRecord, Store, StoreError};

use crate::file::{self, Experiment};

/// What is to be computed of every cell: it follows from the metrics, claims and figures of an experiment.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The sources that anything is asked of.
    sources: BTreeSet<usize>,
    /// Boolean columns, by source and column.
    pub(super) checks: BTreeSet<(usize, usize)>,
    /// Metrics of the rows with each value of a column: metric, source, column.
    pub(super) by: BTreeSet<(usize, usize, usize)>,
    /// Columns whose distribution is shown, by source and column.
    pub(super) distributions: BTreeSet<(usize, usize)>,
}

/// What was computed of a cell.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// The metrics; none where there is nothing to compute one of.
    pub(super) metrics: Vec<Option<Number>>,
    /// Rows with a value in a boolean column, and those in which it is false.
    pub(super) checks: BTreeMap<(usize, usize), (u64, u64)>,
    pub(super) by: BTreeMap<(usize, usize, usize), BTreeMap<Value, Number>>,
    pub(super) distributions: BTreeMap<(usize, usize), Distribution>,
    /// What could not be computed, in words.
    pub(super) remarks: BTreeSet<String>,
}

impl Wanted {
    pub(super) fn of(experiment: &Experiment) -> Self {
        let mut wanted = Self {
            sources: experiment.metrics.iter().map(|metric| metric.source).collect(),
            checks: BTreeSet::new(),
            by: BTreeSet::new(),
            distributions: BTreeSet::new(),
        };
        for claim in &experiment.claims {
            if let Statement::EveryRow { source, column } = claim.statement {
                wanted.checks.insert((source, column));
            }
        }
        for figure in &experiment.figures {
            match (figure.x, figure.y) {
                (Across::Column { source, column }, None) if figure.kind == FigureKind::Ecdf => {
                    wanted.distributions.insert((source, column));
                }
                (Across::Column { source, column }, Some(metric)) => drop(wanted.by.insert((metric, source, column))),
                _ => {}
            }
        }
        wanted.sources.extend(wanted.checks.iter().chain(&wanted.distributions).map(|(source, _)| *source));
        wanted
    }
}

/// The columns of a source as frames know them.
pub(super) fn columns(source: &file::Source) -> Vec<Column> {
    let column = |column: &file::Column| {
        let weight = column.weight.as_ref();
        Column {
            field: matrix_core::Field { name: column.name.clone(), kind: column.kind() },
            weight: weight.and_then(|weight| source.columns.iter().position(|other| other.name == *weight)),
        }
    };
    source.columns.iter().map(column).collect()
}

/// What a run cost, by the name that metrics use.
fn cost(costs: &Costs, name: &str) -> Option<f64> {
    if let Some(micros) = name.strip_suffix("_s").and_then(|name| costs.get(&format!("{name}_us"))) {
        return Some(*micros as f64 / 1e6);
    }
    costs.get(name).map(|value| *value as f64)
}

/// The terms of a metric that are computed of rows, each once, with the metric's filter.
fn requests<'m>(metrics: impl Iterator<Item = &'m Metric>) -> Vec<Request<'m>> {
    let mut requests: Vec<Request<'m>> = Vec::new();
    for metric in metrics {
        for term in std::iter::once(&metric.numerator).chain(&metric.denominator) {
            let Term::Aggregate(function, column) = term else { continue };
            let percentile = match function {
                Function::Percentile(percentile) => Some(*percentile),
                _ => None,
            };
            let filter = metric.filter.as_ref();
            let place = requests.iter().position(|known| known.column == *column && known.filter == filter);
            let place = place.unwrap_or_else(|| {
                requests.push(Request { column: *column, filter, percentiles: Vec::new() });
                requests.len() - 1
            });
            let percentiles = &mut requests[place].percentiles;
            percentiles.extend(percentile.filter(|percentile| !percentiles.contains(percentile)));
        }
    }
    requests
}

fn value(metric: &Metric, requests: &[Request<'_>], summaries: &[Summary], costs: &Costs) -> Option<Number> {
    let summary = |column: &Option<usize>| {
        let filter = metric.filter.as_ref();
        let place = requests.iter().position(|known| known.column == *column && known.filter == filter)?;
        summaries.get(place)
    };
    let value = metric.value(&|term| match term {
        Term::Aggregate(function, column) => summary(column)?.value(*function),
        Term::Run(name) => cost(costs, name),
        Term::Number(number) => Some(*number),
    })?;
    let counts = match (&metric.numerator, &metric.denominator) {
        (Term::Aggregate(Function::Share, column), None) => {
            summary(column).map(|summary| Counts { trues: summary.trues, all: summary.count })
        }
        _ => None,
    };
    Some(Number { value, counts })
}

/// Computes the numbers of a cell from its result, whose rows were read as the experiment says; all are none without one.
pub(super) fn numbers(
    store: &Store,
    experiment: &Experiment,
    wanted: &Wanted,
    record: Option<&GenericRecord>,
) -> Result<Numbers, StoreError> {
    let mut numbers = Numbers { metrics: vec![None; experiment.metrics.len()], ..Numbers::default() };
    let Some(record) = record else { return Ok(numbers) };
    for (number, source) in experiment.sources.iter().enumerate().filter(|(number, _)| wanted.sources.contains(number))
    {
        let Some(rows) = record.rows.get(&source.name) else { continue };
        let open = || {
            let object = store.open_object(&rows.sha256).map_err(std::io::Error::other)?;
            Ok(Box::new(object.with_max_bytes(rows.bytes)) as Box<dyn Read>)
        };
        let columns = columns(source);
        let of_rows = matrix_frame::Source::new(&columns, &open);
        match of_source(&mut numbers, number, &of_rows, experiment, wanted, record) {
            // Rows that are not those of the declared columns have no numbers.
            Ok(()) => {}
            Err(error) if error.is_of_rows() => {}
            Err(FrameError::Read(error) | FrameError::Write(error)) => return Err(StoreError::from_read(error)),
            Err(FrameError::Polars(error)) => {
                let path = store.layout().object(&rows.sha256);
                return Err(StoreError::damaged(&path, not_as_declared(&source.name, &error.to_string())));
            }
            Err(error) => return Err(StoreError::from_read(std::io::Error::other(error))),
        }
    }
    Ok(numbers)
}

/// What to say of rows that do not have values of the declared types. Of what Polars says, the lines after the first are advice to
/// who calls it.
fn not_as_declared(source: &str, why: &str) -> String {
    let why = matrix_core::printable::one_line(why.lines().next().unwrap_or_default());
    format!("its rows are not those that `{source}` declares: {why}")
}

fn of_source(
    numbers: &mut Numbers,
    source: usize,
    rows: &matrix_frame::Source<'_>,
    experiment: &Experiment,
    wanted: &Wanted,
    record: &GenericRecord,
) -> Result<(), FrameError> {
    let metrics = || experiment.metrics.iter().enumerate().filter(|(_, metric)| metric.source == source);
    let mut all = requests(metrics().map(|(_, metric)| metric));
    let checks: Vec<usize> = wanted.checks.iter().filter(|(of, _)| *of == source).map(|(_, column)| *column).collect();
    let first_check = all.len();
    all.extend(checks.iter().map(|column| Request { column: Some(*column), filter: None, percentiles: Vec::new() }));
    let summaries = rows.aggregate(&all)?;
    for (place, metric) in metrics() {
        numbers.metrics[place] = value(metric, &all[..first_check], &summaries, &record.costs);
    }
    for (column, summary) in checks.into_iter().zip(&summaries[first_check..]) {
        numbers.checks.insert((source, column), (summary.count, summary.count - summary.trues));
    }
    for &(place, of, column) in wanted.by.iter().filter(|(_, of, _)| *of == source) {
        let Some(metric) = experiment.metrics.get(place) else { continue };
        let requests = requests(std::iter::once(metric));
        match rows.aggregate_by(column, &requests) {
            Ok(groups) => {
                let number = |(key, summaries): (Value, Vec<Summary>)| {
                    Some((key, value(metric, &requests, &summaries, &record.costs)?))
                };
                numbers.by.insert((place, of, column), groups.into_iter().filter_map(number).collect());
            }
            Err(error) if error.is_of_rows() => drop(numbers.remarks.insert(error.to_string())),
            Err(error) => return Err(error),
        }
    }
    for &(of, column) in wanted.distributions.iter().filter(|(of, _)| *of == source) {
        let Some(kind) = rows.columns().get(column).map(|column| column.field.kind) else { continue };
        let mut distribution = Distribution::new(kind);
        distribution.add(rows, column, None)?;
        numbers.distributions.insert((of, column), distribution);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use matrix_core::{Field, Kind};

    use super::*;

    #[test]
    fn a_share_brings_the_rows_that_it_is_of() {
        let columns = [Column { field: Field { name: "ok".to_owned(), kind: Kind::Boolean }, weight: None }];
        let open = || Ok(Box::new(&b"ok\ntrue\ntrue\nfalse\n"[..]) as Box<dyn Read>);
        let rows = matrix_frame::Source::new(&columns, &open);
        for (denominator, value_of_it, counts) in
            [(None, 2.0 / 3.0, Some(Counts { trues: 2, all: 3 })), (Some(Term::Number(0.01)), 2.0 / 3.0 / 0.01, None)]
        {
            let metric = Metric {
                name: "success".to_owned(),
                text: String::new(),
                numerator: Term::Aggregate(Function::Share, Some(0)),
                denominator,
                source: 0,
                filter: None,
                higher_is_better: None,
                unit: None,
            };
            let requests = requests(std::iter::once(&metric));
            let summaries = rows.aggregate(&requests).unwrap();
            let found = value(&metric, &requests, &summaries, &Costs::new());
            assert_eq!(found, Some(Number { value: value_of_it, counts }));
        }
    }
}
