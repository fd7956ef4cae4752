//! `matrix live`: the phases of the lambda driver, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_driver::{Attempt, Cancel, Driver, DriverError, RowSink};
use matrix_live::lambda::{DeploymentSpec, LambdaError};
use matrix_live::testbed::StateDir;
use matrix_plan::{Cell, CellKey, Filter, NotificationStorage, PostStorage};
use matrix_store::{Origin, Store};

use super::driver::{RealServices, Task, open};
use crate::cli::live::{CleanArgs, LiveArgs, Phase, WhatArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::input::Input;
use crate::output;
use crate::results::Results;
use crate::runner::{Place, Session, plan, signals};
use crate::summary;

/// Does a phase.
pub(crate) fn phase(args: LiveArgs) -> Outcome {
    match args.phase {
        Phase::Build(what) => build(&Job::new(&what)?),
        Phase::Run(what) => run(&Job::new(&what)?),
        Phase::Gather(what) => gather(&Job::new(&what)?),
        Phase::Clean(CleanArgs { strong, what }) => clean(&Job::new(&what)?, strong),
    }
}

/// What a phase is about.
struct Job {
    input: Input,
    filter: Option<Filter>,
    /// The cells that the flags choose, in their order.
    cells: Vec<Cell>,
    results: PathBuf,
    state: StateDir,
}

impl Job {
    fn new(what: &WhatArgs) -> Result<Self, Failure> {
        let input = Input::named(what.file.as_deref(), what.cell.as_deref(), &what.overrides)?;
        let filter = input.filter(&what.filter)?;
        let only = what.only.as_deref().map(only).transpose()?;
        let chosen = |cell: &Cell| {
            let passes = filter.as_ref().is_none_or(|filter| filter.matches(cell.axes(), cell.inputs.round));
            passes && only.is_none_or(|only| only.is_in(cell))
        };
        let cells: Vec<Cell> = input.cells.iter().map(|(_, cell)| cell).filter(|cell| chosen(cell)).cloned().collect();
        if cells.is_empty() {
            return Err(Failure::usage(
                "the flags choose none of the experiment's cells",
                "`matrix plan FILE` lists the cells",
            ));
        }
        Ok(Self { input, filter, cells, results: what.results.results.clone(), state: StateDir::of_user()? })
    }

    /// The services, which then stay until `matrix testbed down`.
    fn open(&self, task: Task) -> Result<Box<dyn RealServices>, Failure> {
        let services = open(&self.input, &self.state, task)?;
        services.keep()?;
        Ok(services)
    }

    fn deployments(&self) -> Vec<DeploymentSpec> {
        self.cells.iter().map(DeploymentSpec::of).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What the client saw of a cell, between running and gathering.
    fn kept(&self) -> Kept {
        Kept(self.state.path().join("runs").join(&self.input.experiment.name))
    }
}

/// A storage of either kind.
#[derive(Clone, Copy)]
struct Only {
    post: Option<PostStorage>,
    notification: Option<NotificationStorage>,
}

fn only(text: &str) -> Result<Only, Failure> {
    let only = Only { post: text.parse().ok(), notification: text.parse().ok() };
    if only.post.is_none() && only.notification.is_none() {
        let mut known: Vec<&str> = PostStorage::ALL.iter().map(|storage| storage.as_str()).collect();
        known.extend(NotificationStorage::ALL.iter().map(|storage| storage.as_str()).filter(|name| *name != "dynamo"));
        return Err(Failure::usage(
            format!("--only {text}: no storage has this name"),
            format!("storages: {}", known.join(", ")),
        ));
    }
    Ok(only)
}

impl Only {
    fn is_in(self, cell: &Cell) -> bool {
        let combination = &cell.axes().combination;
        self.post == Some(combination.post_storage) || self.notification == Some(combination.notification_storage)
    }
}

/// Where what clients saw is kept: a folder for each cell.
struct Kept(PathBuf);

impl Kept {
    fn folder(&self, key: &CellKey) -> PathBuf {
        self.0.join(key.to_string())
    }

    fn file(&self, key: &CellKey) -> PathBuf {
        self.folder(key).join("client.jsonl")
    }

    /// Keeps the versions of what a cell is about to run on: whoever gathers it may have others.
    fn keep_services(&self, key: &CellKey, versions: &Versions) -> Result<(), Failure> {
        if self.file(key).is_file() {
            // It ran before, and is not run again.
            return Ok(());
        }
        let path = self.folder(key).join(SERVICES);
        let text = serde_json::to_string(versions).map_err(|error| unusable(&path, error))?;
        std::fs::write(&path, text).map_err(|error| unusable(&path, error))
    }

    /// The versions that cells ran on. Where cells differ all are named.
    fn services(&self, keys: &BTreeSet<CellKey>) -> Result<Versions, Failure> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for key in keys {
            let path = self.folder(key).join(SERVICES);
            let text = match std::fs::read_to_string(&path) {
                // An earlier version did not keep them.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                text => text.map_err(|error| unusable(&path, error))?,
            };
            let versions: Versions = serde_json::from_str(&text).map_err(|error| unusable(&path, error))?;
            for (name, version) in versions {
                all.entry(name).or_default().insert(version);
            }
        }
        Ok(all.into_iter().map(|(name, versions)| (name, Vec::from_iter(versions).join(" or "))).collect())
    }
}

/// Versions by the name of what has them.
type Versions = BTreeMap<String, String>;

/// File beside a cell's with the versions of what it ran on.
const SERVICES: &str = "services.json";

fn unusable(path: &Path, error: impl std::fmt::Display) -> Failure {
    let mend = "remove the folder, and run the cell again with `matrix live run`";
    Failure::with_help(Exit::Internal, format!("{}: {error}", path.display()), mend)
}

fn listen() -> Result<Cancel, Failure> {
    let cancel = Cancel::default();
    signals::listen(&cancel)?;
    Ok(cancel)
}

fn build(job: &Job) -> Outcome {
    let cancel = listen()?;
    for built in job.open(Task::Build)?.lambda().build(&job.deployments(), &cancel)? {
        let state = if built.changed { "built" } else { "unchanged" };
        output::line(format_args!("{:<24} {state}", built.spec.to_string()))?;
    }
    Ok(Exit::Ok)
}

fn run(job: &Job) -> Outcome {
    let store = Store::open_if_present(&job.results)?;
    let plan = plan(store.as_ref(), &job.input, job.filter.as_ref(), false)?;
    let pending: BTreeSet<CellKey> = plan.to_run().map(|cell| cell.key).collect();
    let cells: Vec<&Cell> = job.cells.iter().filter(|cell| pending.contains(&cell.key)).collect();
    if cells.is_empty() {
        output::line("nothing to run: every cell has a result")?;
        return Ok(Exit::Ok);
    }
    let cancel = listen()?;
    let (services, kept) = (job.open(Task::Build)?, job.kept());
    services.lambda().build(&job.deployments(), &cancel)?;
    let mut failed = 0;
    for cell in &cells {
        let folder = kept.folder(&cell.key);
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::new(Exit::Internal, format!("{}: {error}", folder.display())))?;
        kept.keep_services(&cell.key, &services.services())?;
        collect_others(job, cell, &*services, &cancel)?;
        match services.lambda().run(cell, &kept.file(&cell.key), &cancel) {
            Ok(()) => {
                output::line(format_args!("ran {} {} round {}", cell.key.short(), cell.axes(), cell.inputs.round))?
            }
            Err(error @ LambdaError::Cancelled) => return Err(error.into()),
            Err(error) => {
                failed += 1;
                output::note(format_args!("failed: {} ({}): {error}", cell.key.short(), cell.axes()));
            }
        }
    }
    output::note(format_args!("{} of {} cells ran; next: matrix live gather", cells.len() - failed, cells.len()));
    Ok(if failed == 0 { Exit::Ok } else { Exit::Cells })
}

/// Takes from the queues what belongs to cells that ran before on something that this cell uses, which cleans it first.
fn collect_others(job: &Job, cell: &Cell, services: &dyn RealServices, cancel: &Cancel) -> Result<(), Failure> {
    let kept = job.kept();
    if kept.file(&cell.key).is_file() {
        // It ran before, and is not run again.
        return Ok(());
    }
    let used = services.resources(cell);
    let ran = job.input.cells.iter().map(|(_, other)| other).filter(|other| other.key != cell.key);
    for other in ran.filter(|other| kept.file(&other.key).is_file()) {
        if services.resources(other).iter().any(|resource| used.contains(resource)) {
            services.lambda().collect(other, &kept.file(&other.key), cancel)?;
        }
    }
    Ok(())
}

fn gather(job: &Job) -> Outcome {
    let kept = job.kept();
    let ready: BTreeSet<CellKey> =
        job.cells.iter().map(|cell| cell.key).filter(|key| kept.file(key).is_file()).collect();
    if ready.is_empty() {
        output::line("nothing to gather: no cell was run by `matrix live run`")?;
        return Ok(Exit::Ok);
    }
    let drivers = |_: &Input| -> Result<Box<dyn Driver>, Failure> {
        let services = job.open(Task::UseWhatIsBuilt)?;
        let ran_on = kept.services(&ready)?;
        Ok(Box::new(Gathering { services, kept: job.kept(), ran_on }))
    };
    let (_, session) = Session::begin(&Place::new(&job.results), &job.input, job.filter.as_ref(), false, &drivers)?;
    let exit = match session {
        None => Exit::Ok,
        Some(mut session) => {
            session.retain(|key| ready.contains(key));
            session.execute(None)?
        }
    };
    let store = Store::open(&job.results)?;
    let ready: Vec<CellKey> = ready.into_iter().collect();
    for (key, found) in ready.iter().zip(store.lookup(&ready, &Origin::default())?) {
        // What is in the store is kept there; the rest can be gathered again.
        if found.is_done() {
            remove(&kept.folder(key))?;
        }
    }
    summary::print(&Results::of(&store, &job.input)?)?;
    Ok(exit)
}

fn remove(folder: &Path) -> Result<(), Failure> {
    std::fs::remove_dir_all(folder)
        .map_err(|error| Failure::new(Exit::Internal, format!("removing {}: {error}", folder.display())))
}

fn clean(job: &Job, strong: bool) -> Outcome {
    let cancel = listen()?;
    let deployments = job.deployments();
    job.open(Task::UseWhatIsBuilt)?.lambda().clean(&deployments, strong, &cancel)?;
    let what = if strong { "are removed" } else { "are empty in both regions" };
    output::line(format_args!("{} deployments {what}", deployments.len()))?;
    Ok(Exit::Ok)
}

/// The driver of `matrix live gather`: a cell's attempt is to collect what was run before.
struct Gathering {
    services: Box<dyn RealServices>,
    kept: Kept,
    /// Versions of what the cells ran on.
    ran_on: Versions,
}

impl Driver for Gathering {
    fn attempt(&self, cell: &Cell, rows: &mut dyn RowSink, cancel: &Cancel) -> Result<Attempt, DriverError> {
        Ok(self.services.lambda().gather(cell, &self.kept.file(&cell.key), rows, cancel)?)
    }

    fn resources(&self, cell: &Cell) -> Vec<String> {
        self.services.resources(cell)
    }

    fn services(&self) -> Versions {
        self.ran_on.clone()
    }

    fn measures(&self) -> bool {
        self.services.measures()
    }
}
