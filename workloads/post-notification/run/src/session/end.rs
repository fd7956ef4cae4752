//! What is said at the end of a session.

use matrix_driver::Reason;
use matrix_plan::Cell;
use matrix_plan::printable::one_line;
use matrix_session::{Report, SessionEnd};
use matrix_store::ErrorKind;

use crate::error::{FailureKind, RunError};
use crate::execute::Results;
use crate::observer::Observer;
use crate::wording;

/// Tells how a session ended; `resume` is the command that goes on with its run.
pub(super) fn conclude(
    mut report: Report,
    results: &Results,
    resume: &str,
    observer: &dyn Observer,
) -> Result<SessionEnd, RunError> {
    let name = |cell: &Cell| format!("{} ({} round {})", cell.key.short(), cell.axes(), cell.inputs.round);
    let because = |reasons: &[Reason]| {
        for Reason { count, text } in reasons {
            observer.note(format_args!("  {count} x {}", one_line(text)));
        }
    };
    for (cell, broken) in &results.failed {
        observer.note(format_args!("failed: {}: {}", name(cell), one_line(&broken.error)));
        because(&broken.reasons);
    }
    for (cell, reasons) in &results.troubled {
        let failed: u64 = reasons.iter().map(|reason| reason.count).sum();
        observer.note(format_args!("{failed} of {} requests failed: {}", cell.inputs.requests, name(cell)));
        because(reasons);
    }
    if results.throttled > 0 {
        observer.note(format_args!(
                "throttled: services turned away {} invocations, which were made again; the attempts' notes say of which cells",
                results.throttled
            ));
    }
    if results.disturbed > 0 {
        observer.note(format_args!("{}", wording::disturbed(results.disturbed)));
    }
    if let Some(error) = report.broken.take() {
        let kind = if error.kind() == ErrorKind::Integrity { FailureKind::Integrity } else { FailureKind::Unfinished };
        let partial = report.partial;
        observer.note(format_args!(
            "the run stopped: {partial} cells are partial, what was done is kept. When the cause is fixed: {resume}"
        ));
        return Err(RunError::from(error).of_kind(kind));
    }
    if report.others > 0 {
        observer.note(format_args!("{} cells were done by other runners", report.others));
    }
    if let Some(ended) = wording::ended(&report, resume) {
        observer.note(format_args!("{ended}"));
    }
    Ok(report.end())
}
