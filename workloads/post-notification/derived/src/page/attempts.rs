//! Attempts: how each ended, how long it took, and when.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use matrix_archive::Inventory;
use matrix_plan::CellKey;
use matrix_report::page::{AttemptView, Timed, duration, plain, status_word};
use matrix_report::{environment, seconds_between};
use matrix_store::{Origin, RunId};
use matrix_traces::Attempt;

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

/// How long an attempt took, in seconds.
pub(crate) fn seconds(attempt: &Attempt) -> Option<f64> {
    seconds_between(&attempt.started, &attempt.ended)
}

/// An attempt as the page shows it.
pub(super) fn view(attempt: &Attempt, round: u32) -> AttemptView {
    let mut notes: Vec<String> = attempt.notes.iter().map(|(what, count)| plain(&format!("{what}: {count}"))).collect();
    notes.extend(attempt.host.as_deref().map(|host| plain(&format!("host: {host}"))));
    AttemptView {
        id: attempt.id.to_string(),
        key: attempt.key.short(),
        round,
        status: status(attempt),
        started: plain(&attempt.started),
        took: seconds(attempt).map_or_else(|| "–".to_owned(), duration),
        notes,
        why: plain(&why(attempt)),
    }
}

/// Why an attempt has no result: its error, and why requests failed. Of a done one, why some requests failed.
pub(super) fn why(attempt: &Attempt) -> String {
    let mut lines: Vec<String> = attempt.error.clone().into_iter().collect();
    lines.extend(attempt.reasons.iter().map(|reason| format!("{} x {}", reason.count, reason.text)));
    lines.join("\n")
}

/// When an attempt of the built-in workload ran.
pub(super) fn timed(attempt: &Attempt) -> Timed<'_> {
    Timed {
        run: attempt.run.as_ref().map(RunId::as_str),
        key: attempt.key,
        status: status(attempt),
        started: &attempt.started,
        ended: &attempt.ended,
    }
}

/// What attempts ran on, each once: no names of users, hosts or paths.
pub(crate) fn environments<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> BTreeSet<String> {
    // Those of one process share theirs.
    let mut seen = HashSet::new();
    let each = attempts.filter(|attempt| seen.insert(Arc::as_ptr(&attempt.provenance)));
    each.map(|attempt| environment(&attempt.provenance)).collect()
}
