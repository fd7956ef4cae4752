//! How each cell stands, and why some have no result.

use std::collections::BTreeMap;

use matrix_command::results::LoadedCell;
use matrix_core::{CellKey, CellState, Point};
use matrix_report::page::{Failed, plain};
use matrix_store::attempt::AttemptStatus;

use super::part::PartResults;
use crate::attempts;
use crate::error::DerivedError;

pub(super) type States = BTreeMap<CellKey, CellState>;

/// How each cell stands: what has no result as its last attempt ended, else as the newest run planned it.
pub(super) fn states(ours: &PartResults<'_>) -> States {
    let planned: BTreeMap<CellKey, CellState> = ours.plan.cells.iter().map(|cell| (cell.key, cell.state)).collect();
    let state = |cell: &LoadedCell| {
        let key = cell.cell.key;
        let last = ours.tried.get(&key).and_then(|attempts| attempts.last()).map(|attempt| attempt.status);
        let state = match (cell.record.is_some(), last, planned.get(&key)) {
            (true, ..) => CellState::Done,
            (false, Some(AttemptStatus::Failed), _) => CellState::Failed,
            (false, Some(AttemptStatus::Partial), _) => CellState::Partial,
            (false, _, Some(CellState::Skipped)) => CellState::Skipped,
            _ => CellState::Pending,
        };
        (key, state)
    };
    ours.loaded.cells.iter().map(state).collect()
}

/// Cells without a result, each with why: the last attempt's error and the last lines of standard error, or what it
/// requires. Failed cells come first.
pub(super) fn failed(ours: &PartResults<'_>, states: &States) -> Result<Vec<Failed>, DerivedError> {
    let PartResults { store, loaded, tried, .. } = ours;
    let (mut failed, mut left_out) = (Vec::new(), Vec::new());
    for cell in &loaded.cells {
        let key = cell.cell.key;
        let state = states.get(&key).copied().unwrap_or(CellState::Pending);
        let values: Vec<String> = loaded
            .experiment
            .axes
            .axes
            .iter()
            .zip(&cell.cell.point)
            .map(|(axis, value)| format!("{}={value}", axis.name))
            .collect();
        let words = format!("{} round {}", values.join(" "), cell.cell.round);
        let why = match state {
            CellState::Done | CellState::Pending => continue,
            CellState::Skipped => {
                left_out.push((words, skipped(ours, &cell.cell.point)));
                continue;
            }
            CellState::Failed | CellState::Partial => {
                let last = tried.get(&key).and_then(|attempts| attempts.last());
                last.map(|attempt| attempts::why(store, attempt)).transpose()?.unwrap_or_default()
            }
        };
        failed.push(Failed { key: key.short(), cell: plain(&words), state: state.as_str(), why: plain(&why) });
    }
    failed.sort_by(|one, other| one.cell.cmp(&other.cell));
    failed.extend(matrix_report::page::skipped(left_out.into_iter()));
    Ok(failed)
}

/// Why a cell was left out: what it requires, or the filter.
fn skipped(ours: &PartResults<'_>, point: &Point) -> String {
    let requires = ours.loaded.experiment.requires.iter();
    let unmet: Vec<&str> = requires
        .filter(|require| require.only.as_ref().is_none_or(|filter| filter.matches(&|axis| point.get(axis))))
        .map(|require| require.otherwise.as_str())
        .collect();
    match (&ours.plan.filter, unmet.is_empty()) {
        (None, true) => "left out of the newest run".to_owned(),
        (None, false) => unmet.join("; "),
        (Some(filter), true) => format!("the filter of the newest run leaves it out: {filter}"),
        (Some(filter), false) => {
            format!("the filter of the newest run leaves it out ({filter}), or {}", unmet.join("; "))
        }
    }
}
