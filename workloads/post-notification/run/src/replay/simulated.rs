//! The simulated cells of a bundle run again: their traces have to be the same, byte for byte.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use matrix_driver::{Cancel, Driver};
use matrix_plan::Cell;
use matrix_sim::{Model, SimDriver};
use matrix_store::{Digest, StoreError, WritableStore};
use matrix_traces::{Record, TraceSink};

use crate::error::{FailureKind, RunError};

/// The result of running a cell again.
pub(super) enum Again {
    Trace(Digest),
    Impossible(String),
}

/// Reads a model of a bundle.
pub(super) fn model(bytes: &[u8]) -> Result<Model, RunError> {
    let damaged =
        |what: String| RunError::new(FailureKind::Integrity, format!("a model of the bundle cannot be read: {what}"));
    let text = std::str::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
    Model::parse(text).map_err(|error| damaged(error.to_string()))
}

/// Runs cells again, several at a time. Returns their results in the same order.
pub(super) fn run(
    store: &WritableStore,
    records: &[&Record],
    models: &[Model],
    jobs: Option<NonZeroUsize>,
) -> Result<Vec<Again>, StoreError> {
    let jobs = jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(usize, Again)>> = Mutex::new(Vec::new());
    let work = || -> Result<(), StoreError> {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(record) = records.get(place) else { return Ok(()) };
            let again = one(store, record, models)?;
            found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((place, again));
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let ended =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.fold(Ok(()), Result::and)
    })?;
    let mut found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, again)| again).collect())
}

fn one(store: &WritableStore, record: &Record, models: &[Model]) -> Result<Again, StoreError> {
    let combination = &record.inputs.axes.combination;
    let fits = |model: &&Model| model.fingerprint(combination).is_ok_and(|print| print == record.inputs.fingerprint);
    let Some(model) = models.iter().find(fits) else {
        return Ok(Again::Impossible(
            "no model of the bundle has its fingerprint in this version of matrix".to_owned(),
        ));
    };
    let cell = Cell { key: record.key, inputs: record.inputs.clone() };
    let mut sink = TraceSink::new(store, record.inputs.requests)?;
    match SimDriver::new(model.clone()).attempt(&cell, &mut sink, &Cancel::default()) {
        Ok(_) => Ok(Again::Trace(sink.finish()?.digest)),
        Err(matrix_driver::DriverError::Sink(error)) => Err(StoreError::from_sink(error)),
        Err(error) => Ok(Again::Impossible(error.to_string())),
    }
}
