//! How intervals, durations, paths and commands are written for a person.

use std::path::Path;

use matrix_plan::{Tally, printable};
use matrix_session::{Report, SessionEnd};
use matrix_store::Pending;

/// What stands for an end of an interval that the data cannot bound.
pub const UNBOUNDED: &str = "unbounded";

/// An interval as a person reads it. An end that the data cannot bound is infinite.
pub fn interval(low: f64, high: f64, number: impl Fn(f64) -> String) -> String {
    let [low, high] = [low, high].map(|end| if end.is_finite() { number(end) } else { UNBOUNDED.to_owned() });
    format!("[{low}, {high}]")
}

/// A duration as a person says it.
#[must_use]
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 100.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// A path for people: what is not UTF-8 is replaced, and what a terminal would act on is escaped.
#[must_use]
pub fn path(path: &Path) -> String {
    printable::one_line(&path.to_string_lossy()).into_owned()
}

/// A path as a word of a shell's command line.
#[must_use]
pub fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    shlex::try_quote(&text).map_or_else(|_| text.to_string(), std::borrow::Cow::into_owned)
}

/// The store of results that commands read and write, if no other is named.
pub const RESULTS: &str = "results";

/// A command on the store at `results`, as a shell's command line.
#[must_use]
pub fn on_store(command: &str, results: &Path) -> String {
    if results == Path::new(RESULTS) { command.to_owned() } else { format!("{command} --results {}", word(results)) }
}

/// The command that goes on with a run of the store at `results`. A bundle is made a store first, as nothing runs in it.
#[must_use]
pub fn resume(run: &str, results: &Path) -> String {
    let resume = format!("matrix resume --run {run}");
    if results.is_file() {
        return format!("matrix bundle extract {} --as-store -o store && {resume} --results store", word(results));
    }
    on_store(&resume, results)
}

/// Why a run executes nothing: every cell that it planned is done, or skipped because of the filter or the shard.
#[must_use]
pub fn nothing_to_do(tally: Tally, is_of_shard: bool) -> String {
    let skipped = match tally.skipped {
        0 => String::new(),
        skipped if is_of_shard => format!(" ({skipped} more are other shards' or left out by the filter)"),
        skipped => format!(" ({skipped} more are left out by the filter)"),
    };
    format!("nothing to do: {} of {} cells are done{skipped}", tally.done, tally.planned())
}

/// What is said of a run that executes nothing and saves a text that has changed.
#[must_use]
pub fn text_saved(run: &str) -> String {
    format!(
        "the experiment's text has changed: run {run} saved it, by which reports, bundles and commands without FILE read the results"
    )
}

/// What is said of a run that replaces results and had begun when its command was given once more.
#[must_use]
pub fn goes_on(run: &str) -> String {
    format!(
        "goes on with run {run}, which had begun: what it has replaced is not replaced again. After Ctrl-C, the command begins anew"
    )
}

/// What is said of cells on whose host others worked meanwhile.
#[must_use]
pub fn disturbed(cells: usize) -> String {
    format!(
        "{cells} cells are disturbed: the host did other work, or was slowed down, while they ran; `matrix show CELL` says how. \
         To run them again: matrix run FILE --rerun-disturbed"
    )
}

/// What is said of a session's end, unless every cell is done; `resume` is the command that goes on.
#[must_use]
pub fn ended(report: &Report, resume: &str) -> Option<String> {
    let Report { left, failed, .. } = report;
    match report.end() {
        SessionEnd::Complete => None,
        SessionEnd::Failed => Some(format!("{failed} cells failed. To try them again: {resume}")),
        SessionEnd::Pending => Some(format!("{}. To wait for them: {resume}", pending(report))),
        SessionEnd::Interrupted => {
            Some(format!("interrupted with {left} cells left; what was done is saved. To go on: {resume}"))
        }
    }
}

/// Most claims that are named one by one.
const MOST_NAMED: usize = 5;

/// What is said of cells that other runners execute, when nobody waits for them.
fn pending(Report { left, failed, pending, .. }: &Report) -> String {
    let mut named: Vec<String> = pending
        .iter()
        .take(MOST_NAMED)
        .map(|Pending { block, runner }| match runner.as_str() {
            "" => format!("claim {block}"),
            runner => format!("claim {block} ({runner})"),
        })
        .collect();
    if pending.len() > MOST_NAMED {
        named.push(format!("and {} more", pending.len() - MOST_NAMED));
    }
    let failed = if *failed > 0 { format!("; {failed} cells failed") } else { String::new() };
    format!("pending: {left} cells in {} claims of other runners: {}{failed}", pending.len(), named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_what_is_pending_are_named_and_the_others_are_counted() {
        let claim =
            |block: u32| Pending { block, runner: if block == 1 { String::new() } else { format!("r{block}") } };
        let report =
            |claims: u32| Report { left: 9, failed: 1, pending: (0..claims).map(claim).collect(), ..Report::default() };
        assert_eq!(
            pending(&report(2)),
            "pending: 9 cells in 2 claims of other runners: claim 0 (r0), claim 1; 1 cells failed"
        );
        let named = "claim 0 (r0), claim 1, claim 2 (r2), claim 3 (r3), claim 4 (r4)";
        assert_eq!(
            pending(&report(8)),
            format!("pending: 9 cells in 8 claims of other runners: {named}, and 3 more; 1 cells failed")
        );
    }
}
