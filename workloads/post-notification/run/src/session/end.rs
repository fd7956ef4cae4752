//! The end of a session: what is said of it, and what the journal keeps.

use matrix_plan::printable::one_line;
use matrix_plan::{Cell, CellKey};
use matrix_store::{Division, ErrorKind, Event};

use super::Session;
use crate::error::{FailureKind, RunError};
use crate::execute::Report;
use crate::observer::Observer;
use crate::wording;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// Every cell has a result.
    Complete,
    /// Every cell was executed, and some failed.
    Failed,
    /// What is left is being executed by other runners.
    Pending,
    /// It was asked to stop before every cell was executed; what was done is saved.
    Interrupted,
}

impl Session {
    pub(super) fn conclude(
        self,
        report: Report,
        division: Option<Division>,
        observer: &dyn Observer,
    ) -> Result<SessionEnd, RunError> {
        let resume = wording::resume(self.run.id().as_str(), self.store.path());
        let name = |cell: &Cell| format!("{} ({} round {})", cell.key.short(), cell.axes(), cell.inputs.round);
        let because = |reasons: &[matrix_driver::Reason]| {
            for matrix_driver::Reason { count, text } in reasons {
                observer.note(format_args!("  {count} x {}", one_line(text)));
            }
        };
        for (cell, broken) in &report.failed {
            observer.note(format_args!("failed: {}: {}", name(cell), one_line(&broken.error)));
            because(&broken.reasons);
        }
        for (cell, reasons) in &report.troubled {
            let failed: u64 = reasons.iter().map(|reason| reason.count).sum();
            observer.note(format_args!("{failed} of {} requests failed: {}", cell.inputs.requests, name(cell)));
            because(reasons);
        }
        if report.throttled > 0 {
            observer.note(format_args!(
                "throttled: services turned away {} invocations, which were made again; the attempts' notes say of which cells",
                report.throttled
            ));
        }
        if report.disturbed > 0 {
            observer.note(format_args!(
                "{} cells are disturbed: the host did other work, or was slowed down, while they ran; `matrix show CELL` says how. \
                 To run them again: matrix run FILE --rerun-disturbed",
                report.disturbed
            ));
        }
        if let Some(error) = report.broken {
            let kind =
                if error.kind() == ErrorKind::Integrity { FailureKind::Integrity } else { FailureKind::Unfinished };
            let partial = report.partial;
            observer.note(format_args!(
                "the run stopped: {partial} cells are partial, what was done is kept. When the cause is fixed: {resume}"
            ));
            return Err(RunError::from(error).of_kind(kind));
        }
        let done = usize::try_from(report.done).unwrap_or(usize::MAX);
        let mut counts = (self.cells.len() - report.failed.len() - done, report.failed.len());
        if division.is_some() {
            let keys: Vec<CellKey> = self.cells.iter().map(|cell| cell.key).collect();
            let by_all = self.store.left_and_failed(&self.run, &keys)?;
            let others = (counts.0 + counts.1).saturating_sub(by_all.0 + by_all.1);
            if others > 0 {
                observer.note(format_args!("{others} cells were done by other runners"));
            }
            counts = by_all;
        }
        let (end, event) = match counts {
            (left, failed) if left > 0 && !report.pending.is_empty() => {
                let pending = wording::pending(left, failed, &report.pending);
                observer.note(format_args!("{pending}. To wait for them: {resume}"));
                (SessionEnd::Pending, None)
            }
            (0, 0) => (SessionEnd::Complete, Some(Event::Finished)),
            (0, failed) => {
                observer.note(format_args!("{failed} cells failed. To try them again: {resume}"));
                (SessionEnd::Failed, None)
            }
            (left, _) => {
                observer.note(format_args!(
                    "interrupted with {left} cells left; what was done is saved. To go on: {resume}"
                ));
                (SessionEnd::Interrupted, Some(Event::Interrupted))
            }
        };
        if let Some(event) = event {
            self.journal.append(&event)?;
        }
        drop(self.journal);
        if let Some(division) = division
            && end == SessionEnd::Complete
        {
            division.remove()?;
        }
        self.store.close()?;
        Ok(end)
    }
}
