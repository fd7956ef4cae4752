//! Attempts: how each ended, how long it took, and when.

use std::collections::BTreeMap;

use matrix_core::CellKey;
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
#[derive(Clone, Copy, Debug)]
pub struct Timed<'a> {
    /// Its run.
    pub run: Option<&'a str>,
    /// Its cell.
    pub key: CellKey,
    /// How it ended.
    pub status: &'static str,
    /// When it started, in UTC.
    pub started: &'a str,
    /// When it ended, in UTC.
    pub ended: &'a str,
}

impl Timed<'_> {
    fn title(&self) -> String {
        plain(&format!("cell {}: {}, {}", self.key.short(), self.status, self.started))
    }
}

/// Attempts over time: an SVG for each run, with its name.
pub fn over_time<'a>(attempts: impl Iterator<Item = Timed<'a>>) -> Vec<(String, String)> {
    let mut runs: BTreeMap<&str, Vec<Bar<Timed<'_>>>> = BTreeMap::new();
    for attempt in attempts {
        let Some((start_ms, end_ms)) = milliseconds(attempt.started).zip(milliseconds(attempt.ended)) else {
            continue;
        };
        let run = attempt.run.unwrap_or("without a run");
        runs.entry(run).or_default().push(Bar { start_ms, end_ms, status: attempt.status, of: attempt });
    }
    runs.into_iter().map(|(run, bars)| (run.to_owned(), gantt(bars, Timed::title))).collect()
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
