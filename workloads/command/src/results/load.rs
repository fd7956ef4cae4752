//! Reading the results of an experiment: one cell at a time, so that memory holds the rows of one.

use matrix_store::GenericAttempt;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use matrix_core::judge::RowCheck;
use matrix_core::placeholder::Segment;
use matrix_core::relation::Context;
use matrix_core::series::{Measured, Number, Range, Series, by_point};
use matrix_core::{CellKey, Point, Value};
use matrix_frame::Distribution;
use matrix_store::attempt::AttemptStatus;
use matrix_store::{Digest, GenericRecord, Origin, Store, StoreError};

use super::numbers::{Wanted, numbers};
use crate::cells::{self, Cell};
use crate::file::Experiment;

/// A cell and its result, if it has one.
#[derive(Clone, Debug)]
pub struct LoadedCell {
    /// The cell.
    pub cell: Cell,
    /// Its result.
    pub record: Option<GenericRecord>,
    /// What is worth knowing of the attempt that gave it.
    pub notes: BTreeMap<String, String>,
    /// Whether an attempt at it failed, and none gave a result.
    pub failed: bool,
}

impl LoadedCell {
    /// Whether it has a result, or failed.
    #[must_use]
    pub fn is_tried(&self) -> bool {
        self.record.is_some() || self.failed
    }
}

/// The results of an experiment.
#[derive(Clone, Debug)]
pub struct Loaded<'e> {
    /// The experiment.
    pub experiment: &'e Experiment,
    /// Its cells, in the order in which they run.
    pub cells: Vec<LoadedCell>,
    /// The number of each metric, by metric and cell.
    pub metrics: Vec<Vec<Option<Number>>>,
    /// What boolean columns were that claims ask for, by source and column.
    checks: BTreeMap<(usize, usize), Vec<RowCheck>>,
    /// The number of a metric of the rows with each value of a column, by metric, source and column, and by cell.
    pub(super) by: BTreeMap<(usize, usize, usize), Vec<BTreeMap<Value, Number>>>,
    /// The distributions that figures show, by source and column, and by cell.
    pub(super) distributions: BTreeMap<(usize, usize), Vec<Option<Distribution>>>,
    /// What could not be computed, in words.
    pub remarks: BTreeSet<String>,
    /// How the experiment says that rows are read.
    reading: Digest,
}

/// Reads the results of an experiment's cells: of each what was measured here, or else what the first of the other
/// origins measured; or only what one origin measured. Rows that were read in another way than the experiment says give no
/// numbers: see [`Loaded::read_otherwise`].
///
/// # Errors
/// When the store cannot be read, or what it holds is not what its records say.
pub fn load<'e>(
    store: &Store,
    experiment: &'e Experiment,
    cells: &[Cell],
    only: Option<&Origin>,
) -> Result<Loaded<'e>, StoreError> {
    let mut loaded = notes_of_origin(store, experiment, cells, only)?;
    loaded.compute(store)?;
    Ok(loaded)
}

/// The cells with what is known of their attempts, without any rows: no metric has a number.
///
/// # Errors
/// When the store cannot be read, or what it holds is not what its records say.
pub fn notes_of<'e>(store: &Store, experiment: &'e Experiment, cells: &[Cell]) -> Result<Loaded<'e>, StoreError> {
    notes_of_origin(store, experiment, cells, None)
}

fn notes_of_origin<'e>(
    store: &Store,
    experiment: &'e Experiment,
    cells: &[Cell],
    only: Option<&Origin>,
) -> Result<Loaded<'e>, StoreError> {
    let (notes, failed) = notes(store, cells)?;
    let mut loaded = Loaded {
        experiment,
        cells: Vec::with_capacity(cells.len()),
        metrics: Vec::new(),
        checks: BTreeMap::new(),
        by: BTreeMap::new(),
        distributions: BTreeMap::new(),
        remarks: BTreeSet::new(),
        reading: cells::reading(experiment)?,
    };
    for cell in cells {
        let record = record_of(store, &cell.key, only)?;
        let notes = record.as_ref().and_then(|record| notes.get(&(cell.key, record.origin.clone())));
        let failed = record.is_none() && failed.contains(&cell.key);
        loaded.cells.push(LoadedCell { cell: cell.clone(), record, notes: notes.cloned().unwrap_or_default(), failed });
    }
    Ok(loaded)
}

/// The note that holds the model of the processor.
pub(super) const CPU_MODEL: &str = "cpu_model";

type Notes = BTreeMap<(CellKey, Origin), BTreeMap<String, String>>;

/// What is worth knowing of attempts that gave results, and the cells at which one failed.
fn notes(store: &Store, cells: &[Cell]) -> Result<(Notes, BTreeSet<CellKey>), StoreError> {
    let mut failed = BTreeSet::new();
    let wanted: BTreeSet<&CellKey> = cells.iter().map(|cell| &cell.key).collect();
    let mut notes = Notes::new();
    for id in store.attempts()? {
        if let Some(attempt) = store.attempt::<GenericAttempt>(&id)?
            && wanted.contains(&attempt.key)
        {
            match attempt.status {
                AttemptStatus::Done => {}
                AttemptStatus::Failed => {
                    failed.insert(attempt.key);
                    continue;
                }
                AttemptStatus::Partial => continue,
            }
            // The last one is the one that the record is of.
            let mut known = attempt.notes;
            known.extend(attempt.provenance.cpu_model.map(|model| (CPU_MODEL.to_owned(), model)));
            notes.insert((attempt.key, attempt.origin), known);
        }
    }
    Ok((notes, failed))
}

fn record_of(store: &Store, key: &CellKey, only: Option<&Origin>) -> Result<Option<GenericRecord>, StoreError> {
    if let Some(origin) = only {
        return store.record::<GenericRecord>(key, origin);
    }
    if let Some(record) = store.record::<GenericRecord>(key, &Origin::default())? {
        return Ok(Some(record));
    }
    for origin in store.origins(key)? {
        if let Some(record) = store.record::<GenericRecord>(key, &origin)? {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

impl Loaded<'_> {
    /// Computes the numbers of all cells, several at a time. They do not depend on how many.
    fn compute(&mut self, store: &Store) -> Result<(), StoreError> {
        let wanted = Wanted::of(self.experiment);
        let jobs = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(self.cells.len());
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(cell) = self.cells.get(place) else { break };
                // In rows that were read in another way, numbers may have another unit.
                let record = cell.record.as_ref().filter(|record| record.reading == self.reading);
                let computed = numbers(store, self.experiment, &wanted, record);
                let failed = computed.is_err();
                done.push((place, computed));
                if failed {
                    break;
                }
            }
            done
        };
        let mut done: Vec<_> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
            let joined = workers.into_iter().map(|worker| worker.join());
            joined.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        done.sort_by_key(|(place, _)| *place);
        self.metrics = vec![Vec::with_capacity(done.len()); self.experiment.metrics.len()];
        self.checks = wanted.checks.iter().map(|check| (*check, Vec::new())).collect();
        for (place, computed) in done {
            let mut computed = computed?;
            for (numbers, number) in self.metrics.iter_mut().zip(computed.metrics) {
                numbers.push(number);
            }
            for (check, rows) in &mut self.checks {
                let point = self.cells[place].cell.point.clone();
                rows.push(RowCheck { point, rows: computed.checks.get(check).copied() });
            }
            for by in &wanted.by {
                self.by.entry(*by).or_default().push(computed.by.remove(by).unwrap_or_default());
            }
            for column in &wanted.distributions {
                self.distributions.entry(*column).or_default().push(computed.distributions.remove(column));
            }
            self.remarks.append(&mut computed.remarks);
        }
        Ok(())
    }

    /// The numbers of a metric, by point.
    #[must_use]
    pub fn series(&self, metric: usize) -> Vec<Series> {
        let numbers = self.metrics.get(metric).map(Vec::as_slice).unwrap_or_default();
        let mut measured: Vec<Measured> = self
            .cells
            .iter()
            .zip(numbers)
            .map(|(loaded, value)| Measured {
                point: loaded.cell.point.clone(),
                round: loaded.cell.round,
                value: *value,
            })
            .collect();
        let axes = &self.experiment.axes;
        measured.sort_by_cached_key(|cell| (axes.ranks(&cell.point), cell.round));
        by_point(&measured)
    }

    /// The numbers of a metric, by point, of points that were tried: those that only failed have no number.
    #[must_use]
    pub fn tried(&self, metric: usize) -> Vec<Series> {
        let failed: BTreeSet<&[Value]> =
            self.cells.iter().filter(|cell| cell.failed).map(|cell| cell.cell.point.as_slice()).collect();
        let mut series = self.series(metric);
        series.retain(|series| !series.rounds.is_empty() || failed.contains(series.point.as_slice()));
        series
    }

    /// The points of which a cell was tried.
    #[must_use]
    pub fn points_tried(&self) -> BTreeSet<&Point> {
        self.cells.iter().filter(|cell| cell.is_tried()).map(|cell| &cell.cell.point).collect()
    }

    /// The name of a column, and its unit.
    #[must_use]
    pub fn column(&self, source: usize, column: usize) -> Option<(&str, &str)> {
        let column = self.experiment.sources.get(source)?.columns.get(column)?;
        Some((&column.name, &column.unit))
    }

    /// What relations of a metric need to know.
    #[must_use]
    pub fn context(&self, metric: Option<usize>) -> Context<'_> {
        let metric = metric.and_then(|metric| self.experiment.metrics.get(metric));
        Context {
            axes: &self.experiment.axes,
            paired: self.experiment.design.paired,
            higher_is_better: metric.and_then(|metric| metric.higher_is_better),
            range: metric.map_or(Range::Any, matrix_core::Metric::range),
            alpha: 0.05,
        }
    }

    /// What boolean columns were in every cell.
    #[must_use]
    pub fn checks(&self, source: usize, column: usize) -> &[RowCheck] {
        self.checks.get(&(source, column)).map(Vec::as_slice).unwrap_or_default()
    }

    /// How many cells have a result.
    #[must_use]
    pub fn done(&self) -> usize {
        self.cells.iter().filter(|cell| cell.record.is_some()).count()
    }

    /// How many results have rows that were read in another way than the experiment says: a run reads them again.
    #[must_use]
    pub fn read_otherwise(&self) -> usize {
        let records = self.cells.iter().filter_map(|cell| cell.record.as_ref());
        records.filter(|record| record.reading != self.reading).count()
    }

    /// What to say of results that give no numbers because their rows were read in another way; nothing if there are none.
    #[must_use]
    pub fn of_reading(&self) -> Option<String> {
        let cells = self.read_otherwise();
        let text = format!(
            "rows of {cells} cells were read in another way than the experiment says, and give no numbers: `matrix run FILE` reads \
             them again, and executes nothing"
        );
        (cells > 0).then_some(text)
    }

    /// Cells whose host was disturbed.
    pub fn disturbed(&self) -> impl Iterator<Item = &LoadedCell> {
        self.cells
            .iter()
            .filter(|cell| cell.notes.get(matrix_host::HOST).is_some_and(|note| matrix_host::is_disturbed(note)))
    }

    /// Cells with a result of which nobody knows whether their host was disturbed.
    pub fn unwatched(&self) -> impl Iterator<Item = &LoadedCell> {
        let unwatched = |cell: &&LoadedCell| {
            cell.record.is_some()
                && cell.notes.get(matrix_host::HOST).is_none_or(|note| matrix_host::is_unwatched(note))
        };
        self.cells.iter().filter(unwatched)
    }

    /// The machines that gave the results of cells whose points are selected, in order: processor, number of processors
    /// and memory. More than one, and their numbers compare only if `[host] mixed = true` says so.
    #[must_use]
    pub fn machines(&self, selected: &dyn Fn(&[Value]) -> bool) -> Vec<&str> {
        let chosen = self.cells.iter().filter(|cell| cell.record.is_some() && selected(&cell.cell.point));
        let mut machines: Vec<&str> =
            chosen.filter_map(|cell| cell.notes.get(matrix_host::MACHINE)).map(String::as_str).collect();
        machines.sort_unstable();
        machines.dedup();
        machines
    }

    /// Versions of one program, where there are several: by the values of axes that choose the program.
    #[must_use]
    pub fn mixed_versions(&self) -> Vec<&str> {
        let templates = self.experiment.command.version.iter().flatten();
        let axes: BTreeSet<usize> = templates
            .flat_map(|template| template.segments())
            .filter_map(|segment| match segment {
                Segment::Axis(axis) | Segment::AxisArgs(axis) => Some(*axis),
                _ => None,
            })
            .collect();
        let mut by_program: BTreeMap<Vec<&Value>, BTreeSet<&str>> = BTreeMap::new();
        for cell in &self.cells {
            if let Some(version) = cell.notes.get("version") {
                let program = axes.iter().filter_map(|axis| cell.cell.point.get(*axis)).collect();
                by_program.entry(program).or_default().insert(version);
            }
        }
        by_program.into_values().filter(|versions| versions.len() > 1).flatten().collect()
    }

    /// The versions that programs told, in order.
    #[must_use]
    pub fn versions(&self) -> Vec<&str> {
        let mut versions: Vec<&str> =
            self.cells.iter().filter_map(|cell| Some(cell.notes.get("version")?.as_str())).collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }
}
