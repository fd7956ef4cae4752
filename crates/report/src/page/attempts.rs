//! Attempts: how each ended, how long it took, and when.

use std::collections::BTreeMap;

use matrix_store::AttemptStatus;
use matrix_store::attempt::Provenance;

use super::gantt::{Bar, gantt};
use super::text::plain;

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

/// Seconds between two times in UTC, as attempts have them; none where either is no time.
#[must_use]
pub fn seconds_between(started: &str, ended: &str) -> Option<f64> {
    Some((milliseconds(ended)? - milliseconds(started)?) as f64 / 1e3)
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
