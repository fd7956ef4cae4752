//! Attempts: how each ended, how long it took, and when.

use std::collections::{BTreeMap, BTreeSet};

use matrix_bundle::Inventory;
use matrix_plan::CellKey;
use matrix_store::attempt::Provenance;
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
    status_word(attempt.status)
}

/// A status in one word.
#[must_use]
pub fn status_word(status: AttemptStatus) -> &'static str {
    match status {
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
    seconds_between(&attempt.started, &attempt.ended)
}

/// Seconds between two times in UTC, as attempts have them; none where either is no time.
#[must_use]
pub fn seconds_between(started: &str, ended: &str) -> Option<f64> {
    Some((milliseconds(ended)? - milliseconds(started)?) as f64 / 1e3)
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

/// When an attempt ran.
#[derive(Clone, Debug)]
pub struct Timed {
    /// Its run.
    pub run: Option<String>,
    /// The beginning of its cell's key.
    pub key: String,
    /// How it ended.
    pub status: &'static str,
    /// When it started, in UTC.
    pub started: String,
    /// When it ended, in UTC.
    pub ended: String,
}

/// When an attempt of the built-in workload ran.
pub(super) fn timed(attempt: &Attempt) -> Timed {
    Timed {
        run: attempt.run.as_ref().map(ToString::to_string),
        key: attempt.key.short(),
        status: status(attempt),
        started: attempt.started.clone(),
        ended: attempt.ended.clone(),
    }
}

/// Attempts over time: an SVG for each run, with its name.
pub fn over_time(attempts: impl Iterator<Item = Timed>) -> Vec<(String, String)> {
    let mut runs: BTreeMap<String, Vec<Bar>> = BTreeMap::new();
    for attempt in attempts {
        let Some((start_ms, end_ms)) = milliseconds(&attempt.started).zip(milliseconds(&attempt.ended)) else {
            continue;
        };
        let title = plain(&format!("cell {}: {}, {}", attempt.key, attempt.status, attempt.started));
        let run = attempt.run.unwrap_or_else(|| "without a run".to_owned());
        runs.entry(run).or_default().push(Bar { start_ms, end_ms, status: attempt.status, title });
    }
    runs.into_iter().map(|(run, bars)| (run, gantt(bars))).collect()
}

/// What attempts ran on, each once: no names of users, hosts or paths.
pub(crate) fn environments<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> BTreeSet<String> {
    attempts.map(|attempt| environment(&attempt.provenance)).collect()
}

/// What an attempt ran on, as a line: no name of a user, a host or a path.
#[must_use]
pub fn environment(provenance: &Provenance) -> String {
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
}
