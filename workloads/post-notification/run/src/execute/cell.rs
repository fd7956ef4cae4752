//! Executing one cell: its attempt, its rows on their way to the store, and how that ended.

use std::sync::Arc;

use matrix_app::{Outcome, Row};
use matrix_driver::{DriverError, Reasons, RowSink, SinkError};
use matrix_plan::printable::one_line;
use matrix_plan::{Cell, ConfiguredLag};
use matrix_session::{Ended, Session};
use matrix_store::attempt::Execution;
use matrix_store::{Event, Group, Origin, StoreError};
use matrix_traces::{Attempt, Counts, Record, TraceSink};

use super::{Broken, Done, Executor};
use crate::observer::Observer;

/// Rows between two looks at the progress.
const ROWS_PER_LOOK: u64 = 4096;

/// How often a cell is executed at most in one run, if a service restarts during its attempts.
const TRIES: usize = 3;

impl Executor<'_> {
    /// Executes one cell, and again if a service restarted during the attempt.
    pub(super) fn tried(
        &self,
        session: &Session,
        cell: &Cell,
        group: &mut Group,
    ) -> Result<Ended<Done, Broken>, StoreError> {
        for _ in 1..TRIES {
            match self.one(session, cell, group)? {
                Ended::Failed(Broken { error, environment_changed: true, .. }) if !self.cancel.is_cancelled() => {
                    let (key, axes, round) = (cell.key.short(), cell.axes(), cell.inputs.round);
                    let error = one_line(&error);
                    self.observer.note(format_args!("tried again: {key} ({axes} round {round}): {error}"));
                }
                ended => return Ok(ended),
            }
        }
        self.one(session, cell, group)
    }

    /// Executes one cell once. The object comes first, then the attempt, then the record, and last the journal's word. What was measured is
    /// in the store when this returns; what was computed, which is cheap to compute again, is in the group.
    fn one(&self, session: &Session, cell: &Cell, group: &mut Group) -> Result<Ended<Done, Broken>, StoreError> {
        let (store, journal) = (session.store(), session.journal());
        let execution = Execution::begin(cell.key, session.run().id(), Arc::clone(&self.provenance))?;
        let id = execution.id.clone();
        journal.append(&Event::Started { attempt: id.clone(), cell: cell.key })?;
        let mut rows = Counted { sink: TraceSink::new(store, cell.inputs.requests)?, observer: self.observer, rows: 0 };
        let result = self.driver.attempt(cell, &mut rows, self.cancel);
        self.observer.requests(rows.rows % ROWS_PER_LOOK);
        match result {
            // Nothing half-done counts, and nothing undone either.
            Ok(told) if rows.sink.counts().observed() == 0 => {
                let error = nothing_observed(rows.sink.counts());
                drop(rows);
                failed(session, execution.end(), cell, error, &told.reasons).map(Ended::Failed)
            }
            Ok(mut told) => {
                // Those that run beside it are work of others, which no watch tells from its own.
                if let Some(host) = told.host.as_mut().filter(|_| self.jobs.get() > 1) {
                    *host = format!("not watched: {} at a time", self.jobs);
                }
                let measured = self.driver.needs_exclusive_host();
                let object = if measured { rows.sink.finish()? } else { rows.sink.finish_in(group)? };
                let attempt = Attempt::done(execution.end(), &told, object.digest)?;
                let record = Record::new(cell, Origin::default(), &object, ConfiguredLag::of(&cell.inputs).post)?;
                let done = Event::Done { attempt: id, cell: cell.key };
                if measured {
                    store.write_attempt(&attempt)?;
                    store.write_record(&record)?;
                    journal.append(&done)?;
                } else {
                    group.add(&attempt, &record, done)?;
                }
                let throttled = told.notes.get("throttled").copied().unwrap_or(0);
                let disturbed = told.host.as_deref().is_some_and(matrix_host::is_disturbed);
                Ok(Ended::Done(Done { reasons: told.reasons.as_slice().to_vec(), throttled, disturbed }))
            }
            Err(DriverError::Cancelled) => {
                drop(rows);
                store.write_attempt(&Attempt::partial(execution.end(), &cell.inputs, "interrupted".to_owned())?)?;
                journal.append(&Event::Partial { attempt: id, cell: cell.key })?;
                Ok(Ended::Partial)
            }
            Err(DriverError::Failed(error)) => {
                drop(rows);
                failed(session, execution.end(), cell, error.to_string(), &Reasons::default()).map(Ended::Failed)
            }
            Err(DriverError::Hopeless { error, reasons }) => {
                drop(rows);
                failed(session, execution.end(), cell, error, &reasons).map(Ended::Failed)
            }
            Err(DriverError::EnvironmentChanged(error)) => {
                drop(rows);
                let broken = failed(session, execution.end(), cell, error.to_string(), &Reasons::default())?;
                Ok(Ended::Failed(Broken { environment_changed: true, ..broken }))
            }
            Err(DriverError::Sink(error)) => Err(StoreError::from_sink(error)),
        }
    }
}

/// Keeps that an attempt failed, and why.
fn failed(
    session: &Session,
    execution: Execution,
    cell: &Cell,
    error: String,
    reasons: &Reasons,
) -> Result<Broken, StoreError> {
    let id = execution.id.clone();
    let attempt = Attempt::failed(execution, &cell.inputs, error.clone())?.with_reasons(reasons)?;
    session.store().write_attempt(&attempt)?;
    session.journal().append(&Event::Failed { attempt: id, cell: cell.key, error: error.clone() })?;
    Ok(Broken { error, environment_changed: false, reasons: reasons.as_slice().to_vec() })
}

/// What is said of an attempt in which every request failed or was lost.
fn nothing_observed(counts: &Counts) -> String {
    let outcomes = Outcome::ALL.into_iter().filter(|outcome| counts.of(*outcome) > 0);
    let outcomes: Vec<String> = outcomes.map(|outcome| format!("{} {outcome}", counts.of(outcome))).collect();
    format!("nothing was observed: of {} requests {}", counts.planned, outcomes.join(", "))
}

/// Counts rows on their way to the store.
struct Counted<'a> {
    sink: TraceSink,
    observer: &'a dyn Observer,
    rows: u64,
}

impl RowSink<Row> for Counted<'_> {
    fn push(&mut self, row: Row) -> Result<(), SinkError> {
        self.sink.push(row)?;
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_PER_LOOK) {
            self.observer.requests(ROWS_PER_LOOK);
        }
        Ok(())
    }
}
