//! Reading results: which experiment is meant, which of its cells are done, and their traces.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use matrix_analysis::tables::Source;
use matrix_analysis::{CellMeta, LoadError, LoadErrorKind, Traces};
use matrix_app::Outcome;
use matrix_plan::{Cell, Plan};
use matrix_store::{Digest, ErrorKind, Origin, Record, Run, Store, StoreError};

use crate::cli::{OverrideArgs, SelectArgs};
use crate::exit::{Exit, Failure, with_causes};
use crate::input::Input;
use crate::output;

/// The store and the experiment that a command means: the file it names, the run it names, or the only experiment there
/// is.
pub(crate) fn select(results: &Path, select: &SelectArgs) -> Result<(Store, Input), Failure> {
    let store = Store::open(results)?;
    let input = match (&select.file, &select.run) {
        (Some(file), _) => Input::from_file(file, &OverrideArgs::default())?,
        (None, Some(name)) => Input::from_run(&store.run(name)?)?,
        (None, None) => Input::from_run(&only_experiment(&store)?)?,
    };
    Ok((store, input))
}

/// The newest run of the only experiment in the store.
fn only_experiment(store: &Store) -> Result<Run, Failure> {
    let mut experiments: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for id in store.runs()? {
        let run = store.run(id.as_str())?;
        experiments.entry(plan_of(&run)?.experiment).or_default().push(run);
    }
    if experiments.len() > 1 {
        let names: Vec<String> = experiments
            .iter()
            .filter_map(|(name, runs)| Some(format!("  {name}: --run {}", runs.last()?.id())))
            .collect();
        return Err(Failure::usage(
            format!("the store has {} experiments", experiments.len()),
            format!("name the experiment's file, or a run of it:\n{}", names.join("\n")),
        ));
    }
    let mut runs = experiments.into_values().next().unwrap_or_default();
    let newest = runs.pop().ok_or_else(|| Failure::usage("the store has no run", "name an experiment's file"))?;
    if let Some(older) = runs.last()
        && older.experiment()? != newest.experiment()?
    {
        output::note(format_args!("note: the experiment changed between runs; this is the one of {}", newest.id()));
    }
    Ok(newest)
}

/// The plan that a run saved.
pub(crate) fn plan_of(run: &Run) -> Result<Plan, Failure> {
    serde_json::from_slice(&run.plan()?)
        .map_err(|error| Failure::new(Exit::Integrity, format!("plan.json of run {}: {error}", run.id())))
}

/// The done cells of an experiment, in order of axes and rounds, and where their traces are.
pub(crate) struct Results<'a> {
    /// The experiment.
    pub(crate) input: &'a Input,
    store: Store,
    cells: Vec<CellMeta>,
    objects: Vec<Digest>,
}

impl<'a> Results<'a> {
    /// Opens the results of an experiment.
    pub(crate) fn open(results: &Path, input: &'a Input) -> Result<Self, Failure> {
        Self::of(Store::open(results)?, input)
    }

    /// The results of an experiment in an open store.
    pub(crate) fn of(store: Store, input: &'a Input) -> Result<Self, Failure> {
        let mut planned: Vec<&Cell> = input.cells.iter().map(|(_, cell)| cell).collect();
        planned.sort_by(|one, other| (one.axes(), one.inputs.round).cmp(&(other.axes(), other.inputs.round)));
        let (mut cells, mut objects) = (Vec::new(), Vec::new());
        for cell in planned {
            if let Some(record) = store.record(&cell.key, &Origin::default())? {
                objects.push(record.object.sha256);
                cells.push(meta(record));
            }
        }
        Ok(Self { input, store, cells, objects })
    }

    /// Where the numbers come from.
    pub(crate) fn source(&self) -> Source {
        let planned = self.input.cells.len() as u64;
        Source::new(&self.input.experiment.name, planned, &self.cells)
    }
}

impl Traces for Results<'_> {
    fn cells(&self) -> &[CellMeta] {
        &self.cells
    }

    fn open(&self, n: usize) -> io::Result<Box<dyn Read + Send + '_>> {
        let digest = self.objects.get(n).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(self.store.open_object(digest).map_err(io::Error::other)?))
    }
}

/// A trace that could not be read: what is stored is not what was stored, or it could not be read at all.
pub(crate) fn unreadable(error: LoadError) -> Failure {
    if let LoadErrorKind::Open(source) | LoadErrorKind::Read { source, .. } = &error.kind {
        let damaged = source.get_ref().and_then(|inner| inner.downcast_ref::<StoreError>());
        if damaged.is_none_or(|error| error.kind() != ErrorKind::Integrity) {
            return Failure::new(Exit::Internal, with_causes(&error));
        }
    }
    Failure::with_help(Exit::Integrity, error.to_string(), "`matrix verify` lists everything that is damaged")
}

fn meta(record: Record) -> CellMeta {
    CellMeta {
        outcomes: Outcome::ALL.into_iter().map(|outcome| (outcome, record.counts.of(outcome))).collect(),
        key: record.key,
        origin: record.origin.to_string(),
        simulated: record.simulated,
        configured_lag: record.configured_lag,
        inputs: record.inputs,
    }
}
