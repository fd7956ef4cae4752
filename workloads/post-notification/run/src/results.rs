//! Reading results: which experiment is meant, which of its cells are done, and their traces.

mod hosts;
mod origins;
mod regions;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use matrix_analysis::tables::Source;
use matrix_analysis::{CellMeta, LoadError, LoadErrorKind, StatedBytes, Traces};
use matrix_antipode_artifact::Imported;
use matrix_app::Outcome;
use matrix_bundle::temporary::Folder;
use matrix_bundle::{BundleReader, Limits, Unpacked};
use matrix_plan::printable::one_line;
use matrix_plan::{CellInputs, Plan};
use matrix_store::{Digest, ErrorKind, Origin, Run, Store, StoreError};
use matrix_traces::Record;

use crate::edits::{self, Edit};
use crate::error::{FailureKind, RunError, with_causes};
use crate::input::{Input, Overrides};
use crate::observer::Observer;
use crate::wording;
pub use hosts::Hosts;
pub use origins::Origins;
pub use regions::regions;

/// Which experiment's results to read.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// The file of the experiment; without it and without a run, the only experiment in the store is meant.
    pub file: Option<PathBuf>,
    /// A run in the store, whose saved experiment is meant.
    pub run: Option<String>,
    /// Whose results only; without it, of each cell what was measured here, else what the first origin did.
    pub origin: Option<Origin>,
}

/// A store open for reading: a directory, or what a bundle holds.
pub struct Opened {
    store: Store,
    /// Where a bundle was unpacked; removed at the end.
    unpacked: Option<Folder>,
}

impl Deref for Opened {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

/// Opens a store, or a bundle as if it were one.
pub fn open(results: &Path) -> Result<Opened, RunError> {
    open_within(results, Limits::default())
}

/// Whether a path leads to a file or a pipe: a bundle, if it is anything of ours.
pub fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_dir())
}

/// Whether a path leads to an unpacked bundle.
pub fn is_unpacked(path: &Path) -> bool {
    matrix_bundle::is_unpacked(path) && !is_store(path)
}

fn is_store(path: &Path) -> bool {
    path.join("store.toml").is_file()
}

/// Opens the store in a folder. Where there is none, the message names what there is instead.
pub fn store_at(path: &Path) -> Result<Store, RunError> {
    let error = match Store::open(path) {
        Ok(store) => return Ok(store),
        Err(error) => error,
    };
    if !matches!(error, StoreError::Absent { .. }) {
        return Err(error.into());
    }
    let name = wording::path(path);
    if !path.exists() {
        let help = "`matrix run FILE` makes a store; `--results PATH` names another, or a bundle";
        return Err(RunError::usage(format!("there is no store at {name}: there is no such file or folder"), help));
    }
    let Ok(entries) = std::fs::read_dir(path) else { return Err(error.into()) };
    let is_ours = |path: &Path| {
        is_store(path) || matrix_bundle::is_unpacked(path) || path.to_string_lossy().ends_with(".tar.zst")
    };
    let found: BTreeSet<_> = entries.flatten().map(|entry| entry.path()).filter(|path| is_ours(path)).collect();
    let found: Vec<String> = found.iter().take(5).map(|path| wording::word(path)).collect();
    if found.is_empty() {
        return Err(error.into());
    }
    Err(RunError::usage(
        format!("{name} is a folder, and no store or unpacked bundle"),
        format!("did you mean {}?", found.join(" or ")),
    ))
}

/// Opens a store or a bundle, if there is one.
pub fn open_if_present(results: &Path, limits: Limits) -> Result<Option<Opened>, RunError> {
    if is_file(results) || is_unpacked(results) {
        return open_within(results, limits).map(Some);
    }
    Ok(Store::open_if_present(results)?.map(|store| Opened { store, unpacked: None }))
}

/// Opens a store, or a bundle that unpacks to no more than it may.
pub fn open_within(results: &Path, limits: Limits) -> Result<Opened, RunError> {
    let reader = if is_file(results) {
        BundleReader::open(results, limits)
    } else if is_unpacked(results) {
        Unpacked::open(results).and_then(|folder| BundleReader::new(folder, limits))
    } else {
        return Ok(Opened { store: store_at(results)?, unpacked: None });
    };
    let folder = Folder::new()?;
    let place = folder.path().join("store");
    // What is no bundle at all is reported by its name below.
    if is_file(results) && matrix_bundle::is_generic_bundle(results, limits).unwrap_or(false) {
        matrix_bundle::restore_generic(reader?, &place)?;
        return Ok(Opened { store: Store::open(&place)?, unpacked: Some(folder) });
    }
    let read = reader.and_then(|reader| matrix_archive::to_store(reader, &place));
    read.map_err(|error| RunError::of_bundle(&wording::path(results), error))?;
    Ok(Opened { store: Store::open(&place)?, unpacked: Some(folder) })
}

/// The experiment that is meant: the file, the run, or the only experiment there is.
pub fn selected(store: &Opened, select: &Select, observer: &dyn Observer) -> Result<Input, RunError> {
    let run = match (&select.file, &select.run) {
        (Some(file), _) => return Input::from_file(file, &Overrides::default()),
        (None, Some(name)) => store.run(name)?,
        (None, None) => only_experiment(store, observer)?,
    };
    Input::from_run(&run).map_err(|failure| match failure.kind {
        // Nobody here wrote it: a bundle whose experiment cannot be planned is not what it should be.
        FailureKind::Input if store.unpacked.is_some() => failure.of_kind(FailureKind::Integrity),
        _ => failure,
    })
}

/// The results of a store without any run, such as one that folders were imported into, where no experiment is named.
pub fn without_run(store: &Store, select: &Select) -> Result<Option<Vec<Record>>, RunError> {
    if select.file.is_some() || select.run.is_some() || !store.runs()?.is_empty() {
        return Ok(None);
    }
    let records = store.records::<Record>()?.collect::<Result<Vec<_>, _>>()?;
    let wanted = |record: &Record| select.origin.as_ref().is_none_or(|origin| record.origin == *origin);
    let records: Vec<Record> = records.into_iter().filter(wanted).collect();
    Ok(Some(records).filter(|records| !records.is_empty()))
}

/// What results without an experiment are called: whose they are.
pub fn origins_of(records: &[Record]) -> String {
    let origins: BTreeSet<&str> = records.iter().map(|record| record.origin.as_str()).collect();
    origins.into_iter().collect::<Vec<_>>().join("+")
}

/// The newest run of the only experiment in the store.
fn only_experiment(store: &Store, observer: &dyn Observer) -> Result<Run, RunError> {
    let mut experiments: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for id in store.runs()? {
        let run = store.run(id.as_str())?;
        experiments.entry(plan_of(&run)?.experiment).or_default().push(run);
    }
    if experiments.len() > 1 {
        let names: Vec<String> = experiments
            .iter()
            .filter_map(|(name, runs)| Some(format!("  {}: --run {}", one_line(name), runs.last()?.id())))
            .collect();
        return Err(RunError::usage(
            format!("the store has {} experiments", experiments.len()),
            format!("name the experiment's file, or a run of it:\n{}", names.join("\n")),
        ));
    }
    let mut runs = experiments.into_values().next().unwrap_or_default();
    let newest = runs.pop().ok_or_else(|| RunError::usage("the store has no run", "name an experiment's file"))?;
    versions(&newest, &runs, observer)?;
    Ok(newest)
}

/// Says which version of an experiment is read, where runs had several, and how the others differ from it.
fn versions(newest: &Run, older: &[Run], observer: &dyn Observer) -> Result<(), RunError> {
    // Of each version the newest run.
    let (mut texts, mut others) = (vec![newest.experiment()?], Vec::new());
    for run in older.iter().rev() {
        let text = run.experiment()?;
        if !texts.contains(&text) {
            texts.push(text);
            others.push(run);
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    observer.note(format_args!(
        "note: runs of {} versions of this experiment are here; read is the newest, of run {} (--run NAME reads another)",
        texts.len(),
        newest.id()
    ));
    let here = Input::from_run(newest)?;
    let cells: Vec<&CellInputs> = here.cells.iter().map(|(_, cell)| &cell.inputs).collect();
    for run in others {
        // A version that cannot be planned any more is no reason not to read the newest.
        let Ok(input) = Input::from_run(run) else {
            observer.note(format_args!("  run {}: cannot be planned by this version of matrix", run.id()));
            continue;
        };
        let inputs: Vec<&CellInputs> = input.cells.iter().map(|(_, cell)| &cell.inputs).collect();
        let mut differs: Vec<String> = edits::compare(&inputs, &cells)?.iter().map(Edit::parts).collect();
        differs.truncate(3);
        if inputs.len() != cells.len() {
            differs.push(format!("cells {} -> {}", inputs.len(), cells.len()));
        }
        if differs.is_empty() {
            differs.push("nothing that gives a cell its meaning".to_owned());
        }
        observer.note(format_args!("  since run {}: {}", run.id(), differs.join("; ")));
    }
    Ok(())
}

/// The plan that a run saved.
pub fn plan_of(run: &Run) -> Result<Plan, RunError> {
    Plan::parse(&run.plan()?)
        .map_err(|error| RunError::new(FailureKind::Integrity, format!("plan.json of run {}: {error}", run.id())))
}

/// Done cells, in order of axes and rounds, and where their traces are.
pub struct Traced<'a> {
    store: &'a Store,
    cells: Vec<Arc<CellMeta>>,
    objects: Vec<Digest>,
}

impl<'a> Traced<'a> {
    /// The cells of these records.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(store: &'a Store, records: Vec<Record>) -> Result<Self, StoreError> {
        let hosts = Hosts::of(store, &records)?;
        Ok(Self::on_hosts(store, records, &hosts))
    }

    /// The cells of these records, measured on these hosts.
    #[must_use]
    pub fn on_hosts(store: &'a Store, mut records: Vec<Record>, hosts: &Hosts) -> Self {
        let order = |record: &Record| (record.inputs.axes.clone(), record.inputs.round, record.origin.clone());
        records.sort_by_cached_key(order);
        Self::of(store, records, hosts)
    }

    /// The cells of these records, in their order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn in_order(store: &'a Store, records: Vec<Record>) -> Result<Self, StoreError> {
        let hosts = Hosts::of(store, &records)?;
        Ok(Self::of(store, records, &hosts))
    }

    fn of(store: &'a Store, records: Vec<Record>, hosts: &Hosts) -> Self {
        let objects = records.iter().map(|record| record.object.sha256).collect();
        Self { store, cells: records.into_iter().map(|record| Arc::new(meta(record, hosts))).collect(), objects }
    }

    /// Keeps the cells that are wanted.
    pub fn retain(&mut self, wanted: impl Fn(&CellMeta) -> bool) {
        let cells = std::mem::take(&mut self.cells).into_iter().zip(std::mem::take(&mut self.objects));
        (self.cells, self.objects) = cells.filter(|(cell, _)| wanted(cell)).unzip();
    }
}

impl Traces for Traced<'_> {
    fn cells(&self) -> &[Arc<CellMeta>] {
        &self.cells
    }

    fn open(&self, n: usize) -> io::Result<Box<dyn Read + Send + '_>> {
        let digest = self.objects.get(n).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(self.store.open_object(digest).map_err(io::Error::other)?))
    }
}

/// The results of an experiment.
pub struct Results<'a> {
    /// The experiment.
    pub input: &'a Input,
    /// Its done cells.
    pub traced: Traced<'a>,
    /// Whose results these are.
    pub origins: Origins,
}

impl<'a> Results<'a> {
    /// The results of an experiment in a store: of each cell what was measured here, or else what the first of the other
    /// origins measured. Where that leaves out results, it is said.
    pub fn of(store: &'a Store, input: &'a Input, observer: &dyn Observer) -> Result<Self, RunError> {
        Self::of_origin(store, input, None, observer)
    }

    /// The same, or only what one origin measured.
    pub fn of_origin(
        store: &'a Store,
        input: &'a Input,
        only: Option<&Origin>,
        observer: &dyn Observer,
    ) -> Result<Self, RunError> {
        let origins = Origins::of(store, input, only, observer)?;
        let mut records = Vec::new();
        for (key, origin) in &origins.chosen {
            records.extend(store.record::<Record>(key, origin)?);
        }
        let all = records.len();
        records.retain(|record| record.counts.observed() > 0);
        if records.len() < all {
            observer.note(format_args!(
                "note: nothing observed in {} cells, whose requests all failed or were lost: they are not done, and `matrix run` \
                 tries them again",
                all - records.len()
            ));
        }
        Ok(Self { input, traced: Traced::new(store, records)?, origins })
    }

    /// Where the numbers come from.
    pub fn source(&self) -> Source {
        Source::new(&self.input.experiment.name, self.input.cells.len() as u64, self.traced.cells())
    }
}

/// A trace that could not be read: what is stored is not what was stored, or it could not be read at all.
pub fn unreadable(error: LoadError) -> RunError {
    if let LoadErrorKind::Open(source) | LoadErrorKind::Read { source, .. } = &error.kind {
        let damaged = source.get_ref().and_then(|inner| inner.downcast_ref::<StoreError>());
        if damaged.is_none_or(|error| error.kind() != ErrorKind::Integrity) {
            return RunError::new(FailureKind::Internal, with_causes(&error));
        }
    }
    RunError::with_help(
        FailureKind::Integrity,
        one_line(&with_causes(&error)),
        "`matrix verify` lists everything that is damaged, and what to do about it",
    )
}

fn meta(record: Record, hosts: &Hosts) -> CellMeta {
    let imported = Imported::of(&record.inputs);
    let stated = imported
        .map(|imported| StatedBytes { posts: imported.post_bytes(), notifications: imported.notification_bytes() });
    CellMeta {
        stated: stated.unwrap_or_default(),
        outcomes: Outcome::ALL.into_iter().map(|outcome| (outcome, record.counts.of(outcome))).collect(),
        disturbed: hosts.is_disturbed(&record),
        key: record.key,
        origin: record.origin.to_string(),
        simulated: record.simulated,
        configured_lag: record.configured_lag,
        inputs: record.inputs,
    }
}

#[cfg(test)]
mod tests {
    use matrix_archive::{CreateOptions, Selection, create_file};
    use matrix_bundle::Extras;
    use matrix_plan::Part;
    use matrix_store::NewRun;

    use super::*;
    use crate::observer::Unobserved;

    #[test]
    fn a_bundle_whose_experiment_cannot_be_planned_is_not_what_it_should_be() {
        // With the model that is built in.
        let text = include_str!("../../../../experiments/quick.toml").replacen("model = ", "# ", 1);
        let text = text.as_str();
        let input = Input::from_text(text).unwrap();
        let plan = serde_json::to_vec(&crate::plan(None, &input, &Part::default(), &matrix_plan::Again::None).unwrap())
            .unwrap();
        let model = input.model.as_ref().map(|(_, text)| text.as_bytes());
        let folder = tempfile::tempdir().unwrap();
        let read = |experiment: &str, name: &str| {
            let (place, bundle) = (folder.path().join(name), folder.path().join(format!("{name}.tar.zst")));
            let store = Store::create_or_open_for_writing(&place, "test").unwrap();
            let experiment = experiment.as_bytes();
            let new = NewRun { time: "20261122T130000Z", name: "quick", experiment, model, plan: &plan };
            drop(store.create_run(&new).unwrap());
            store.close().unwrap();
            let options = CreateOptions { allow_incomplete: true, ..CreateOptions::default() };
            create_file(&Store::open(&place).unwrap(), &Selection::default(), &Extras::default(), &options, &bundle)
                .unwrap();
            let select = Select::default();
            let failure = |results: &Path| {
                selected(&open(results).unwrap(), &select, &Unobserved).err().map(|failure| failure.kind)
            };
            (failure(&place), failure(&bundle))
        };
        assert_eq!(read(text, "good"), (None, None));
        // In a store of one's own it is what the person wrote.
        let forged = text.replacen("requests = 50", "requests = 0", 1);
        assert_ne!(forged, text);
        assert_eq!(read(&forged, "forged"), (Some(FailureKind::Input), Some(FailureKind::Integrity)));
    }
}
