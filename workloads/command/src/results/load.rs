//! Reading the results of an experiment: one cell at a time, so that memory holds the rows of one.

use std::collections::{BTreeMap, BTreeSet};

use matrix_core::CellKey;
use matrix_core::Value;
use matrix_core::claims::Statement;
use matrix_core::judge::RowCheck;
use matrix_core::placeholder::Segment;
use matrix_core::relation::Context;
use matrix_core::series::{Measured, Series, by_point};
use matrix_store::attempt::AttemptStatus;
use matrix_store::generic::Costs;
use matrix_store::{GenericRecord, Origin, Store, StoreError};

use crate::cells::Cell;
use crate::file::Experiment;
use crate::host;
use crate::rows::{Rows, RowsError};

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

/// The results of an experiment.
#[derive(Clone, Debug)]
pub struct Loaded<'e> {
    /// The experiment.
    pub experiment: &'e Experiment,
    /// Its cells, in the order in which they run.
    pub cells: Vec<LoadedCell>,
    /// The number of each metric, by metric and cell.
    pub metrics: Vec<Vec<Option<f64>>>,
    /// What boolean columns were that claims ask for, by source and column.
    checks: BTreeMap<(usize, usize), Vec<RowCheck>>,
}

/// Reads the results of an experiment's cells: of each what was measured here, or else what the first of the other
/// origins measured; or only what one origin measured.
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
    loaded.metrics = vec![Vec::with_capacity(cells.len()); experiment.metrics.len()];
    for claim in &experiment.claims {
        if let Statement::EveryRow { source, column } = claim.statement {
            loaded.checks.insert((source, column), Vec::new());
        }
    }
    for (cell, place) in cells.iter().zip(0..) {
        let record = loaded.cells.get(place).and_then(|loaded| loaded.record.clone());
        loaded.read(store, cell, record.as_ref())?;
    }
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
    let mut loaded = Loaded { experiment, cells: Vec::new(), metrics: Vec::new(), checks: BTreeMap::new() };
    for cell in cells {
        let record = record_of(store, &cell.key, only)?;
        let notes = record.as_ref().and_then(|record| notes.get(&(cell.key, record.origin.clone())));
        let failed = record.is_none() && failed.contains(&cell.key);
        loaded.cells.push(LoadedCell { cell: cell.clone(), record, notes: notes.cloned().unwrap_or_default(), failed });
    }
    Ok(loaded)
}

type Notes = BTreeMap<(CellKey, Origin), BTreeMap<String, String>>;

/// What is worth knowing of attempts that gave results, and the cells at which one failed.
fn notes(store: &Store, cells: &[Cell]) -> Result<(Notes, BTreeSet<CellKey>), StoreError> {
    let mut failed = BTreeSet::new();
    let wanted: BTreeSet<&CellKey> = cells.iter().map(|cell| &cell.key).collect();
    let mut notes = Notes::new();
    for id in store.attempts()? {
        if let Some(attempt) = store.generic_attempt(&id)?
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
            notes.insert((attempt.key, attempt.origin), attempt.notes);
        }
    }
    Ok((notes, failed))
}

fn record_of(store: &Store, key: &CellKey, only: Option<&Origin>) -> Result<Option<GenericRecord>, StoreError> {
    if let Some(origin) = only {
        return store.generic_record(key, origin);
    }
    if let Some(record) = store.generic_record(key, &Origin::default())? {
        return Ok(Some(record));
    }
    for origin in store.origins(key)? {
        if let Some(record) = store.generic_record(key, &origin)? {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// What a run cost, by the name that metrics use.
fn cost(costs: &Costs, name: &str) -> Option<f64> {
    if let Some(micros) = name.strip_suffix("_s").and_then(|name| costs.get(&format!("{name}_us"))) {
        return Some(*micros as f64 / 1e6);
    }
    costs.get(name).map(|value| *value as f64)
}

impl Loaded<'_> {
    fn read(&mut self, store: &Store, cell: &Cell, record: Option<&GenericRecord>) -> Result<(), StoreError> {
        let mut tables: BTreeMap<usize, Rows> = BTreeMap::new();
        for (number, source) in self.experiment.sources.iter().enumerate() {
            let asked = self.experiment.metrics.iter().any(|metric| metric.source == number)
                || self.checks.keys().any(|(source, _)| *source == number);
            let rows = record.and_then(|record| record.rows.get(&source.name));
            if let (true, Some(rows)) = (asked, rows) {
                let object = store.open_object(&rows.sha256)?.with_max_bytes(rows.bytes);
                match Rows::read(&source.columns, object) {
                    Ok(table) => drop(tables.insert(number, table)),
                    // Rows that were read in another way than the experiment says now: `run` reads them again.
                    Err(RowsError::Bad(_)) => {}
                    Err(RowsError::Read(error) | RowsError::Write(error)) => {
                        return Err(StoreError::io("reading", std::path::Path::new("rows"), error));
                    }
                }
            }
        }
        for (metric, numbers) in self.experiment.metrics.iter().zip(&mut self.metrics) {
            let value = match (record, tables.get(&metric.source)) {
                (Some(record), Some(rows)) => rows.metric(metric, &|name| cost(&record.costs, name)),
                _ => None,
            };
            numbers.push(value);
        }
        for ((source, column), checks) in &mut self.checks {
            let rows = tables.get(source).and_then(|rows| rows.failures(*column));
            checks.push(RowCheck { point: cell.point.clone(), rows });
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

    /// What relations of a metric need to know.
    #[must_use]
    pub fn context(&self, metric: Option<usize>) -> Context<'_> {
        Context {
            axes: &self.experiment.axes,
            paired: self.experiment.design.paired,
            higher_is_better: metric.and_then(|metric| self.experiment.metrics.get(metric)?.higher_is_better),
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

    /// Cells whose host was disturbed.
    pub fn disturbed(&self) -> impl Iterator<Item = &LoadedCell> {
        self.cells.iter().filter(|cell| cell.notes.get(host::HOST).is_some_and(|note| host::is_disturbed(note)))
    }

    /// Cells with a result of which nobody knows whether their host was disturbed.
    pub fn unwatched(&self) -> impl Iterator<Item = &LoadedCell> {
        let unwatched = |cell: &&LoadedCell| {
            cell.record.is_some() && cell.notes.get(host::HOST).is_none_or(|note| note.starts_with("not watched"))
        };
        self.cells.iter().filter(unwatched)
    }

    /// The machines that gave the results of cells whose points are selected, in order: processor, number of processors
    /// and memory. More than one, and their numbers compare only if `[host] mixed = true` says so.
    #[must_use]
    pub fn machines(&self, selected: &dyn Fn(&[Value]) -> bool) -> Vec<&str> {
        let chosen = self.cells.iter().filter(|cell| cell.record.is_some() && selected(&cell.cell.point));
        let mut machines: Vec<&str> =
            chosen.filter_map(|cell| cell.notes.get(host::MACHINE)).map(String::as_str).collect();
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
