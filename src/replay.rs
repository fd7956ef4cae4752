//! Replay: the simulated cells of a bundle run again, and their traces are compared byte for byte.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use matrix_bundle::{BundleReader, Limits, Restored};
use matrix_driver::{Cancel, Driver};
use matrix_plan::Cell;
use matrix_sim::{Model, SimDriver};
use matrix_store::{Digest, Record, Store, StoreError, WritableStore};

use crate::exit::{Exit, Failure, Outcome};
use crate::output;

/// Runs the simulated cells of a bundle again and says of each whether its trace is the same.
pub(crate) fn replay(file: &Path, limits: Limits, jobs: Option<NonZeroUsize>) -> Outcome {
    let folder = tempfile::tempdir()?;
    let reader = BundleReader::open(file, limits)?;
    let Restored { inventory, .. } = matrix_bundle::to_store(reader, &folder.path().join("bundle"))?;
    let models = inventory.models.values().map(|bytes| model(bytes)).collect::<Result<Vec<_>, _>>()?;
    let (simulated, measured): (Vec<&Record>, Vec<&Record>) =
        inventory.records.values().partition(|record| record.simulated);

    let store = Store::create_or_open_for_writing(&folder.path().join("replay"), "matrix bundle replay")?;
    let found = run(&store, &simulated, &models, jobs)?;
    let mut different = 0;
    for (record, again) in simulated.iter().zip(&found) {
        let name = format!("{} {} round {}", record.key.short(), record.inputs.axes, record.inputs.round);
        match again {
            Again::Trace(digest) if *digest == record.object.sha256 => {}
            Again::Trace(digest) => {
                different += 1;
                let old = record.object.sha256.short();
                output::line(format_args!("different: {name}: {old} in the bundle, {} now", digest.short()))?;
            }
            Again::Impossible(why) => {
                different += 1;
                output::line(format_args!("not replayed: {name}: {why}"))?;
            }
        }
    }
    let same = simulated.len() - different;
    output::line(format_args!("{same} of {} simulated cells are identical, {different} are not", simulated.len()))?;
    if !measured.is_empty() {
        output::line(format_args!(
            "{} cells were measured on real services: a measurement cannot be replayed",
            measured.len()
        ))?;
    }
    Ok(if different == 0 { Exit::Ok } else { Exit::Integrity })
}

/// What came of running a cell again.
enum Again {
    Trace(Digest),
    Impossible(String),
}

fn model(bytes: &[u8]) -> Result<Model, Failure> {
    let damaged = |what: String| Failure::new(Exit::Integrity, format!("a model of the bundle cannot be read: {what}"));
    let text = std::str::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
    Model::parse(text).map_err(|error| damaged(error.to_string()))
}

fn run(
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
    let mut sink = store.sink(record.inputs.requests)?;
    match SimDriver::new(model.clone()).attempt(&cell, &mut sink, &Cancel::default()) {
        Ok(_) => Ok(Again::Trace(sink.finish()?.digest)),
        Err(matrix_driver::DriverError::Sink(error)) => Err(StoreError::from_sink(error)),
        Err(error) => Ok(Again::Impossible(error.to_string())),
    }
}
