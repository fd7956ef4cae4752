//! The points of the matrix, each with its attempts.

use std::collections::BTreeMap;

use matrix_command::Experiment;
use matrix_command::results::{LoadedCell, notes_now, summary};
use matrix_core::series::Range;
use matrix_core::{CellState, Point as Values};
use matrix_report::page::{AttemptView, MOST_POINTS, Point, duration, grouped, plain, run_again, status_word};
use matrix_store::{GenericAttempt, Store};

use super::cells::States;
use super::part::PartResults;
use super::times::took;
use crate::attempts::{Tried, why};
use crate::error::DerivedError;

/// The points of the matrix, and how many more there are than a page lists.
pub(super) fn points(ours: &PartResults<'_>, states: &States) -> Result<(Vec<Point>, usize), DerivedError> {
    let PartResults { store, loaded, tried, .. } = ours;
    let experiment = loaded.experiment;
    let axes = &experiment.axes;
    let (_, lines) = summary(loaded);
    let count = axes.axes.len();
    let texts: BTreeMap<Vec<String>, Vec<String>> = lines
        .into_iter()
        .map(|line| (line[..count].to_vec(), line[count + 1..].iter().map(|text| grouped(text)).collect()))
        .collect();
    let value = |series: matrix_core::Series| {
        let value = series.estimate(Range::Any, 0.05)?.value;
        Some((series.point, value))
    };
    let series: Vec<BTreeMap<Values, f64>> = (0..experiment.metrics.len())
        .map(|metric| loaded.series(metric).into_iter().filter_map(value).collect())
        .collect();
    let mut grouped: BTreeMap<Vec<usize>, Vec<&LoadedCell>> = BTreeMap::new();
    for cell in &loaded.cells {
        grouped.entry(axes.ranks(&cell.cell.point)).or_default().push(cell);
    }
    let point = |(at, mut cells): (Vec<usize>, Vec<&LoadedCell>)| {
        cells.sort_by_key(|cell| cell.cell.round);
        let values: Vec<String> =
            cells.first().map(|cell| cell.cell.point.iter().map(ToString::to_string).collect()).unwrap_or_default();
        let of_state =
            |state: CellState| cells.iter().filter(|cell| states.get(&cell.cell.key) == Some(&state)).count();
        let counts: Vec<(CellState, usize)> =
            CellState::ALL.into_iter().map(|state| (state, of_state(state))).filter(|(_, count)| *count > 0).collect();
        let number = |values: &BTreeMap<Values, f64>| values.get(&cells.first()?.cell.point).copied();
        let of_cell = |cell: &&LoadedCell| {
            let round = cell.cell.round;
            tried.get(&cell.cell.key).into_iter().flatten().map(move |attempt| view(store, experiment, attempt, round))
        };
        let named = experiment.axes.names().into_iter().zip(values.iter().map(String::as_str));
        Ok(Point {
            at,
            state: match counts.as_slice() {
                [(state, _)] => state.to_string(),
                several => {
                    several.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
                }
            },
            numbers: series.iter().map(number).collect(),
            texts: texts.get(&values).cloned().unwrap_or_else(|| vec!["–".to_owned(); series.len()]),
            command: cells.iter().find_map(|cell| command(cell, tried)),
            again: run_again(&experiment.name, named),
            attempts: cells.iter().flat_map(of_cell).collect::<Result<_, DerivedError>>()?,
            values: values.iter().map(|value| plain(value)).collect(),
        })
    };
    let more = grouped.len().saturating_sub(MOST_POINTS);
    let points: Result<_, DerivedError> = grouped.into_iter().take(MOST_POINTS).map(point).collect();
    Ok((points?, more))
}

/// The program and its arguments as the cell's key has them: placeholders of the machine stay, as `{out}`.
fn command(cell: &LoadedCell, tried: &Tried) -> Option<String> {
    let of_attempts = || tried.get(&cell.cell.key)?.iter().find_map(|attempt| attempt.inputs.as_ref());
    let inputs = cell.record.as_ref().map(|record| &record.inputs).or_else(of_attempts)?;
    let words: Option<Vec<&str>> = inputs["command"]["run"].as_array()?.iter().map(serde_json::Value::as_str).collect();
    Some(plain(&shlex::try_join(words?).unwrap_or_default())).filter(|command| !command.is_empty())
}

fn view(
    store: &Store,
    experiment: &Experiment,
    attempt: &GenericAttempt,
    round: u32,
) -> Result<AttemptView, DerivedError> {
    let columns = |name: &str| {
        let source = experiment.sources.iter().filter(|source| source.name == name);
        source.flat_map(|source| &source.columns).map(|column| column.name.clone()).collect()
    };
    Ok(AttemptView {
        id: attempt.id.to_string(),
        key: attempt.key.short(),
        round,
        status: status_word(attempt.status),
        started: plain(&attempt.started),
        took: took(attempt).map_or_else(|| "–".to_owned(), duration),
        notes: notes_now(attempt, &columns).map(|(name, note)| plain(&format!("{name}: {note}"))).collect(),
        why: plain(&why(store, attempt)?),
    })
}
