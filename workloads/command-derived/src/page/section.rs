//! The section of one experiment.

use std::collections::BTreeSet;

use matrix_command::results;
use matrix_core::Tally;
use matrix_report::page::{
    Axis, KICK_THE_TIRES, MOST_FAILED, Metric, Section, Timed, anchor, duration, over_time, plain, state_counts,
    status_word,
};
use matrix_store::RecordFile;

use matrix_store::RunId;

use super::cells::{failed, states};
use super::claims::claims;
use super::figures::figures;
use super::part::PartResults;
use super::points::points;
use super::times::{KIND_AXES, kinds, took};
use crate::appendix;
use crate::error::DerivedError;

pub(super) fn section(ours: &PartResults<'_>, their: Option<&PartResults<'_>>) -> Result<Section, DerivedError> {
    let PartResults { loaded, tried, .. } = ours;
    let experiment = loaded.experiment;
    let states = states(ours);
    let tally: Tally = states.values().copied().collect();
    let id = anchor(&experiment.name);
    let records = || loaded.cells.iter().filter_map(|cell| cell.record.as_ref());
    let origins: BTreeSet<&str> = records().map(|record| record.origin.as_str()).collect();
    let seconds: f64 = tried.values().flatten().filter_map(took).sum();
    let failed = failed(ours, &states)?;
    let (points, points_more) = points(ours, &states)?;
    let axis = |axis: &matrix_core::Axis| Axis {
        name: axis.name.clone(),
        values: axis.values.iter().map(|value| plain(&value.to_string())).collect(),
    };
    Ok(Section {
        name: plain(&experiment.name),
        experiment: plain(&experiment.name),
        has_kick_the_tires: experiment.subsets.contains_key(KICK_THE_TIRES),
        origin: if origins.is_empty() { "local".to_owned() } else { origins.into_iter().collect::<Vec<_>>().join("+") },
        nature: "measured".to_owned(),
        states: state_counts(tally),
        planned: tally.planned(),
        rows: records().map(RecordFile::rows).fold(0, u64::saturating_add),
        time: duration(seconds),
        requires: appendix::requires(experiment).into_iter().map(|(requirement, _)| plain(&requirement)).collect(),
        failed_more: failed.len().saturating_sub(MOST_FAILED) as u64,
        failed: failed.into_iter().take(MOST_FAILED).collect(),
        claims: claims(loaded, their.map(|their| &their.loaded)),
        figures: figures(&id, loaded, their.map(|their| &their.loaded))?,
        axes: experiment.axes.axes.iter().map(axis).collect(),
        metrics: results::summary(loaded)
            .0
            .into_iter()
            .skip(experiment.axes.axes.len() + 1)
            .map(|name| Metric { name: plain(&name) })
            .collect(),
        points,
        points_more: points_more as u64,
        kind_heads: experiment.axes.names().into_iter().take(KIND_AXES).map(str::to_owned).collect(),
        kinds: kinds(ours, their),
        expected: their.is_some(),
        // Nothing estimates what a program takes.
        estimated: false,
        gantt: over_time(tried.values().flatten().map(|attempt| Timed {
            run: attempt.run.as_ref().map(RunId::as_str),
            key: attempt.key,
            status: status_word(attempt.status),
            started: &attempt.started,
            ended: &attempt.ended,
        })),
        id,
    })
}
