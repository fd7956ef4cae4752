//! `matrix live`: the phases of the lambda driver, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use matrix_app::Row;
use matrix_derived::summary;
use matrix_driver::{AttemptDetails, Cancel, Driver, DriverError, RowSink};
use matrix_live::lambda::{DeploymentSpec, LambdaError};
use matrix_live::testbed::{StateDir, Testbed, TestbedError};
use matrix_plan::{Cell, CellKey, Filter, NotificationStorage, Part, Platform, PostStorage};
use matrix_run::results::Results;
use matrix_run::{Input, Overrides, Session, plan};
use matrix_store::{Origin, Store};

use super::pending_sends::{PendingSends, Versions, forget_gone, remove};
use crate::cli::live::{CleanArgs, LiveArgs, Phase, WhatArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::live::driver::{RealServices, Task, open};
use crate::output;
use crate::{runner, signals};

/// Does a phase.
pub(in crate::cli) fn phase(args: LiveArgs) -> CommandResult {
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
    fn part(&self) -> Part {
        Part { filter: self.filter.clone(), shard: None }
    }

    fn new(what: &WhatArgs) -> Result<Self, Failure> {
        let input = Input::named(what.file.as_deref(), what.cell.as_deref(), &Overrides::from(what.overrides.clone()))?;
        let filter = input.filter(what.filter.filter.as_deref())?;
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
        let services = open(&self.input, &self.cells, &self.state, task)?;
        services.keep()?;
        Ok(services)
    }

    fn deployments(&self) -> Vec<DeploymentSpec> {
        self.cells.iter().map(DeploymentSpec::of).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What the clients saw of cells on services that are there. What was sent to a testbed that is gone is forgotten.
    fn pending_sends(&self, instance: Option<&str>) -> Result<PendingSends, Failure> {
        if self.input.experiment.platform != Platform::Aws {
            let cells = forget_gone(&self.state, instance)?;
            if cells > 0 {
                output::note(format_args!(
                    "what was sent to a testbed that has ended, and not gathered, is discarded: {cells} cells"
                ));
            }
        }
        Ok(PendingSends::new(&self.state, instance, &self.input.experiment.name, &self.results))
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

fn listen() -> Result<Cancel, Failure> {
    let cancel = Cancel::default();
    signals::listen(&cancel)?;
    Ok(cancel)
}

fn build(job: &Job) -> CommandResult {
    let services = job.open(Task::Build)?;
    // Until then an interruption ends the command at once.
    let cancel = listen()?;
    for built in services.lambda().build(&job.deployments(), &cancel)? {
        let state = if built.changed { "built" } else { "unchanged" };
        output::line(format_args!("{:<24} {state}", built.spec.to_string()))?;
    }
    Ok(Exit::Ok)
}

fn run(job: &Job) -> CommandResult {
    let store = Store::open_if_present(&job.results)?;
    let plan = plan(store.as_ref(), &job.input, &job.part(), &matrix_plan::Again::None)?;
    let pending: BTreeSet<CellKey> = plan.to_run().map(|cell| cell.key).collect();
    let cells: Vec<&Cell> = job.cells.iter().filter(|cell| pending.contains(&cell.key)).collect();
    if cells.is_empty() {
        output::line("nothing to run: every cell has a result")?;
        return Ok(Exit::Ok);
    }
    let services = job.open(Task::Build)?;
    let cancel = listen()?;
    let pending = job.pending_sends(services.lambda().settings().instance.as_deref())?;
    services.lambda().build(&job.deployments(), &cancel)?;
    let (mut ran, mut failed) = (0, 0);
    let mut fail = |cell: &Cell, error: &dyn std::fmt::Display| {
        failed += 1;
        output::note(format_args!("failed: {} ({}): {error}", cell.key.short(), cell.axes()));
    };
    for cell in &cells {
        pending.begin(cell, &services.services())?;
        collect_others(&pending, cell, &*services, &cancel)?;
        match services.lambda().run(cell, &pending.file(&cell.key), &cancel) {
            Ok(true) => match services.well() {
                Ok(()) => {
                    ran += 1;
                    output::line(format_args!("ran {}", named(cell)))?;
                }
                Err(error) => {
                    remove(&pending.folder(&cell.key))?;
                    fail(cell, &error);
                }
            },
            Ok(false) => output::line(format_args!("kept {}: sent before, and not gathered yet", named(cell)))?,
            Err(error @ LambdaError::Cancelled) => return Err(error.into()),
            Err(error) => fail(cell, &error),
        }
    }
    let kept = match cells.len() - ran - failed {
        0 => String::new(),
        kept => format!(", {kept} ran before"),
    };
    output::note(format_args!(
        "{ran} of {} cells ran{kept}; next: matrix live gather, with the same arguments",
        cells.len()
    ));
    Ok(if failed == 0 { Exit::Ok } else { Exit::Cells })
}

fn named(cell: &Cell) -> String {
    format!("{} {} round {}", cell.key.short(), cell.axes(), cell.inputs.round)
}

/// Takes from the queues what belongs to cells that ran before on something that this cell uses, which cleans it first.
fn collect_others(
    pending: &PendingSends,
    cell: &Cell,
    services: &dyn RealServices,
    cancel: &Cancel,
) -> Result<(), Failure> {
    if pending.file(&cell.key).is_file() {
        // It ran before, and is not run again.
        return Ok(());
    }
    let used = services.resources(cell);
    for other in pending.all()? {
        if services.resources(&other.cell).iter().any(|resource| used.contains(resource)) {
            services.lambda().collect(&other.cell, &other.file(), cancel)?;
        }
    }
    Ok(())
}

fn gather(job: &Job) -> CommandResult {
    // What is to be gathered was sent to a testbed that runs: none is started for it.
    let (instance, is_there) = match job.input.experiment.platform {
        Platform::Aws => (None, true),
        Platform::Local | Platform::Sim => match Testbed::find(&job.state) {
            Ok(testbed) => (Some(testbed.endpoints().instance.clone()), true),
            Err(TestbedError::NotRunning | TestbedError::Ending | TestbedError::Supervisor { .. }) => (None, false),
            Err(error) => return Err(error.into()),
        },
    };
    let pending = &job.pending_sends(instance.as_deref())?;
    let ready: BTreeSet<CellKey> =
        job.cells.iter().map(|cell| cell.key).filter(|key| is_there && pending.file(key).is_file()).collect();
    if ready.is_empty() {
        output::line("nothing to gather: no cell was run by `matrix live run`")?;
        return Ok(Exit::Ok);
    }
    let drivers = |_: &Input, _: &[Cell]| -> Result<Box<dyn Driver<Cell, Row>>, Failure> {
        let services = job.open(Task::UseWhatIsBuilt)?;
        let ran_on = pending.services(&ready)?;
        let files = ready.iter().map(|key| (*key, pending.file(key))).collect();
        Ok(Box::new(Gathering { services, files, ran_on }))
    };
    let begun = Session::begin(
        &runner::store_access(&job.results)?,
        &job.input,
        &job.part(),
        &matrix_plan::Again::None,
        &drivers,
    )?;
    let exit = match begun.session {
        None => Exit::Ok,
        Some(mut session) => {
            session.retain(|key| ready.contains(key));
            runner::execute(session, None, true)?
        }
    };
    let store = Store::open(&job.results)?;
    let ready: Vec<CellKey> = ready.into_iter().collect();
    for (key, found) in ready.iter().zip(store.lookup(&ready, &Origin::default())?) {
        // What is in the store is kept there; the rest can be gathered again.
        if found.is_done() {
            remove(&pending.folder(key))?;
        }
    }
    let results = Results::of(&store, &job.input, &output::Terminal)?;
    output::line(summary::text(&summary::rows(&results.traced)?, &results.source(), output::width()))?;
    Ok(exit)
}

fn clean(job: &Job, strong: bool) -> CommandResult {
    let deployments = job.deployments();
    let services = job.open(Task::UseWhatIsBuilt)?;
    let cancel = listen()?;
    let pending = job.pending_sends(services.lambda().settings().instance.as_deref())?;
    let cleaned = services.lambda().clean(&deployments, strong, &cancel);
    // Where another run has a deployment nothing was touched; else what was on its way may be gone.
    if !matches!(cleaned, Err(LambdaError::Leased { .. } | LambdaError::LeaseLost { .. } | LambdaError::Unserved(_))) {
        for sent in pending.all()?.iter().filter(|sent| deployments.contains(&DeploymentSpec::of(&sent.cell))) {
            remove(&sent.folder)?;
            output::note(format_args!("{}: what was sent and not gathered is discarded", named(&sent.cell)));
        }
    }
    cleaned?;
    let what = if strong { "are removed" } else { "are empty in both regions" };
    output::line(format_args!("{} deployments {what}", deployments.len()))?;
    Ok(Exit::Ok)
}

/// The driver of `matrix live gather`: a cell's attempt is to collect what was run before.
struct Gathering {
    services: Box<dyn RealServices>,
    /// What the client saw of each cell.
    files: BTreeMap<CellKey, PathBuf>,
    /// Versions of what the cells ran on.
    ran_on: Versions,
}

impl Driver<Cell, Row> for Gathering {
    fn attempt(
        &self,
        cell: &Cell,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, DriverError> {
        let file = self.files.get(&cell.key).ok_or_else(|| DriverError::failed("it was not run"))?;
        let told = self.services.lambda().gather(cell, file, rows, cancel)?;
        // What is gone is not gathered by another try.
        self.services.well().map_err(DriverError::failed)?;
        Ok(told)
    }

    fn resources(&self, cell: &Cell) -> Vec<String> {
        self.services.resources(cell)
    }

    fn services(&self) -> Versions {
        self.ran_on.clone()
    }

    fn needs_exclusive_host(&self) -> bool {
        self.services.needs_exclusive_host()
    }
}
