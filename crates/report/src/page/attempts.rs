//! Attempts: how each ended, how long it took, and when.

use std::collections::{BTreeMap, BTreeSet};

use matrix_bundle::Inventory;
use matrix_plan::CellKey;
use matrix_store::{Attempt, AttemptStatus, Origin};

use super::gantt::{Bar, gantt};
use super::model::AttemptView;
use super::text::{duration, plain};

/// The attempts of some cells by one origin, the oldest first.
pub(super) fn attempts_of<'a>(
    inventory: &'a Inventory,
    origin: &Origin,
    is_of: impl Fn(&CellKey) -> bool,
) -> BTreeMap<CellKey, Vec<&'a Attempt>> {
    let mut of_cells: BTreeMap<CellKey, Vec<&Attempt>> = BTreeMap::new();
    for attempt in inventory.attempts.values() {
        if attempt.origin == *origin && is_of(&attempt.key) {
            of_cells.entry(attempt.key).or_default().push(attempt);
        }
    }
    for attempts in of_cells.values_mut() {
        attempts.sort_by(|a, b| (&a.started, &a.id).cmp(&(&b.started, &b.id)));
    }
    of_cells
}

/// An attempt's status in one word.
pub(super) fn status(attempt: &Attempt) -> &'static str {
    match attempt.status {
        AttemptStatus::Done => "done",
        AttemptStatus::Failed => "failed",
        AttemptStatus::Partial => "partial",
    }
}

fn milliseconds(time: &str) -> Option<i64> {
    time.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond())
}

/// How long an attempt took, in seconds.
pub(crate) fn seconds(attempt: &Attempt) -> Option<f64> {
    Some((milliseconds(&attempt.ended)? - milliseconds(&attempt.started)?) as f64 / 1e3)
}

/// An attempt as the page shows it.
pub(super) fn view(attempt: &Attempt, round: u32) -> AttemptView {
    let mut notes: Vec<String> = attempt.notes.iter().map(|(what, count)| plain(&format!("{what}: {count}"))).collect();
    notes.extend(attempt.error.as_deref().map(plain));
    notes.extend(attempt.reasons.iter().map(|reason| plain(&format!("{} x {}", reason.count, reason.text))));
    AttemptView {
        id: attempt.id.to_string(),
        key: attempt.key.short(),
        round,
        status: status(attempt),
        started: plain(&attempt.started),
        took: seconds(attempt).map_or_else(|| "–".to_owned(), duration),
        notes,
    }
}

/// Attempts over time: a picture for each run.
pub(super) fn over_time<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Vec<(String, String)> {
    let mut runs: BTreeMap<String, Vec<Bar>> = BTreeMap::new();
    for attempt in attempts {
        let Some((start_ms, end_ms)) = milliseconds(&attempt.started).zip(milliseconds(&attempt.ended)) else {
            continue;
        };
        let title = format!("cell {}: {}, {}", attempt.key.short(), status(attempt), attempt.started);
        let run = attempt.run.as_ref().map_or_else(|| "without a run".to_owned(), ToString::to_string);
        runs.entry(run).or_default().push(Bar { start_ms, end_ms, status: status(attempt), title: plain(&title) });
    }
    runs.into_iter().map(|(run, bars)| (run, gantt(bars))).collect()
}

/// What attempts ran on, each once: no names of users, hosts or paths.
pub(super) fn environments<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> BTreeSet<String> {
    let environment = |attempt: &Attempt| {
        let provenance = &attempt.provenance;
        let mut parts = vec![format!("matrix {}", provenance.matrix)];
        parts.extend(
            provenance.commit.as_ref().map(|commit| format!("commit {}", &commit.chars().take(12).collect::<String>())),
        );
        parts.extend((provenance.dirty == Some(true)).then(|| "with changes".to_owned()));
        parts.extend(provenance.toolchain.clone());
        parts.extend(provenance.kernel.clone());
        parts.extend(provenance.cpu_model.clone());
        parts.extend(provenance.cpus.map(|cpus| format!("{cpus} processors")));
        parts.extend(provenance.services.iter().map(|(name, version)| format!("{name} {version}")));
        plain(&parts.join("; "))
    };
    attempts.map(environment).collect()
}
