//! One execution of a cell: setup, services, the program, and what it left.

mod left;
mod outputs;
mod place;
mod services;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use matrix_core::placeholder::Template;
use matrix_driver::Cancel;
use matrix_host::{Watch, ticks_of, ticks_of_trees};
use matrix_store::generic::Costs;

use crate::cells::{self, Cell, Here};
use crate::file::{Experiment, Service, Stop};
use crate::inputs::{InputFile, Stamp};
use crate::probe::environment;
use crate::remote;
use crate::supervise::{Ended, Job, Supervisors};
use left::Folder;
use outputs::Collected;
pub(crate) use outputs::name_of;
pub use outputs::{Kept, MAX_ROWS, last_lines};
use place::{Folders, Workplace};
use services::Services;

/// Most bytes that a program may print: a program that prints without end is to fill no disk.
const MAX_PRINTED: u64 = 8 << 30;

/// Why an attempt has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// A stop was asked for.
    #[error("interrupted")]
    Cancelled,
    /// It failed; why, in words.
    #[error("{0}")]
    Failed(String),
}

impl Trouble {
    fn failed(what: impl Into<String>) -> Self {
        Self::Failed(what.into())
    }
}

/// What an attempt left.
#[derive(Debug)]
pub struct Attempted {
    /// Whether it went well.
    pub result: Result<(), Trouble>,
    /// What it cost, as far as it came.
    pub costs: Costs,
    /// Whether the host was disturbed, as far as it was watched.
    pub host: Option<String>,
    /// What it left, by name.
    pub outputs: BTreeMap<String, Kept>,
    /// Files that it left besides, and that are not kept.
    pub left_out: u64,
    /// The folder that holds it all until it is in the store.
    pub workplace: PathBuf,
    _folder: Option<Folder>,
}

/// Removes what attempts of killed runners of this user left on this machine, where the folders of attempts are now.
pub(crate) fn remove_orphans(here: &Here) {
    left::remove_orphans(&place::base(here));
}

/// Executes cells.
#[derive(Debug)]
pub struct Attempts<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// This machine.
    pub here: &'a Here,
    /// What runs programs.
    pub supervisors: &'a Supervisors,
    /// Whether a stop was asked for.
    pub cancel: &'a Cancel,
    /// Whether folders and services stay for looking.
    pub keep: bool,
    /// Whether the host is watched: nothing else that this process started may run beside the attempt.
    pub watch: bool,
}

/// What is found out on the way.
#[derive(Default)]
struct Found {
    costs: Costs,
    host: Option<String>,
}

/// A program that an attempt runs.
struct Program<'t> {
    arguments: &'t [Template],
    /// The name of its output.
    log: &'t str,
    /// The service that it is, or that it stops; `[command]`'s own without it.
    of: Option<&'t Service>,
}

impl Attempts<'_> {
    /// Executes a cell once.
    ///
    /// # Errors
    /// When there is no place to do it in. What goes wrong later is in the result.
    pub fn attempt(&self, cell: &Cell, inputs: &[InputFile]) -> std::io::Result<Attempted> {
        let workplace = Workplace::new(self.experiment, self.here, cell, self.keep)?;
        let mut found = Found::default();
        let mut result = self.whole(cell, &workplace, &mut found);
        for arguments in &self.experiment.command.teardown {
            let aside = Program { arguments, log: "teardown", of: None };
            // The teardown runs whatever came of the rest, also after a stop was asked for.
            let ended = self.aside(cell, &workplace, &aside, &Cancel::default());
            if result.is_ok() {
                result = ended;
            }
        }
        if result.is_ok() {
            result = unchanged(inputs, "input");
        }
        for (name, product) in self.here.products.of_point(self.experiment, &cell.point) {
            result = result.and_then(|()| unchanged(&product.files, &format!("prepared `{name}`: its file")));
        }
        let Collected { kept: outputs, left_out, fault } = outputs::collect(&workplace, self.experiment, &cell.point);
        if let Some(fault) = fault {
            result = result.and(Err(Trouble::Failed(fault)));
        }
        let root = workplace.root.clone();
        let folder = if self.keep {
            workplace.folder.keep();
            None
        } else {
            Some(workplace.folder)
        };
        let Found { costs, host } = found;
        Ok(Attempted { result, costs, host, outputs, left_out, workplace: root, _folder: folder })
    }

    fn whole(&self, cell: &Cell, workplace: &Workplace, found: &mut Found) -> Result<(), Trouble> {
        let command = &self.experiment.command;
        for arguments in &command.setup {
            self.aside(cell, workplace, &Program { arguments, log: "setup", of: None }, self.cancel)?;
        }
        let mut services = Services::start(self, cell, workplace)?;
        let measured = self.measured(cell, workplace, &mut services, found);
        let stopped = services.stop(measured.is_ok(), self, cell, workplace, &mut found.costs);
        measured.and(stopped)
    }

    fn measured(
        &self,
        cell: &Cell,
        workplace: &Workplace,
        services: &mut Services<'_>,
        found: &mut Found,
    ) -> Result<(), Trouble> {
        for number in 0..self.experiment.command.warmup {
            let ended = self.run(cell, workplace, &workplace.warmup(number), "warmup", services, &mut || ())?;
            self.must_succeed("warmup", &ended, &workplace.log("warmup", "stderr"))?;
        }
        let has_services = !services.is_empty();
        // Where nothing else of the attempt lives, only supervisors have to be asked.
        let own = move || {
            let supervisors = crate::supervise::living();
            if has_services { ticks_of_trees(&supervisors) } else { ticks_of(&supervisors) }
        };
        let mut watch = self.watch.then(|| Watch::begin(own));
        let ended = self.run(cell, workplace, &workplace.out, "run", services, &mut || {
            watch.iter_mut().for_each(Watch::look);
        });
        found.host = watch.map(|watch| services.unwatched(watch.verdict()));
        let ended = ended?;
        put_costs(&mut found.costs, "run", &ended, true);
        self.must_succeed("the program", &ended, &workplace.log("run", "stderr"))
    }

    /// Runs the measured program.
    fn run(
        &self,
        cell: &Cell,
        workplace: &Workplace,
        out: &Path,
        log: &str,
        services: &mut Services<'_>,
        look: &mut dyn FnMut(),
    ) -> Result<Ended, Trouble> {
        let program = Program { arguments: &self.experiment.command.run, log, of: None };
        let job = self.job(cell, workplace, out, &program)?;
        let mut running = self.start(&job)?;
        let mut trouble = None;
        let ended = running.wait(self.cancel, &mut || {
            look();
            trouble = services.dead().map(Trouble::Failed).or_else(|| too_much(&job));
            trouble.is_some()
        });
        if self.cancel.is_cancelled() && !ended.is_success() {
            return Err(Trouble::Cancelled);
        }
        // A program that ends at once may have had another server than it thought.
        match trouble.or_else(|| services.dead().map(Trouble::Failed)) {
            Some(trouble) => Err(trouble),
            None => Ok(ended),
        }
    }

    /// Runs a program beside the measured one.
    fn aside(&self, cell: &Cell, workplace: &Workplace, aside: &Program<'_>, cancel: &Cancel) -> Result<(), Trouble> {
        let job = self.job(cell, workplace, &workplace.out, aside)?;
        let ended = self.start(&job)?.wait(cancel, &mut || too_much(&job).is_some());
        if cancel.is_cancelled() && !ended.is_success() {
            return Err(Trouble::Cancelled);
        }
        self.must_succeed(aside.log, &ended, &job.stderr)
    }

    fn start(&self, job: &Job) -> Result<crate::supervise::Running, Trouble> {
        self.supervisors.start(job).map_err(|error| Trouble::failed(format!("no process can be started: {error}")))
    }

    fn must_succeed(&self, what: &str, ended: &Ended, stderr: &Path) -> Result<(), Trouble> {
        if ended.is_success() {
            return Ok(());
        }
        let said = last_lines(stderr).map(|lines| format!("\n{lines}")).unwrap_or_default();
        Err(Trouble::failed(format!("{what}: {}{said}", ended.words())))
    }

    /// A program with everything in its place.
    fn job(&self, cell: &Cell, workplace: &Workplace, out: &Path, program: &Program<'_>) -> Result<Job, Trouble> {
        let command = &self.experiment.command;
        let on = program.of.and_then(|service| Some((service, service.on.as_deref()?)));
        let scratch = on.map(|(service, _)| remote::scratch(self.here, &workplace.root, &service.name));
        let folders = Folders { out, scratch: scratch.as_deref().unwrap_or(&workplace.scratch) };
        let text = |template: &Template| {
            workplace.text(self.experiment, template, cell, self.here, folders).map_err(Trouble::Failed)
        };
        let flat = cells::flat(self.experiment, &cell.point, program.arguments);
        let arguments = flat.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
        // Another host has a PATH and a HOME of its own.
        let passed = crate::file::PASSED.into_iter().filter(|_| on.is_none());
        let mut env = environment(passed.chain(command.pass.iter().map(String::as_str)));
        for (name, template) in command.env.iter().chain(program.of.into_iter().flat_map(|service| &service.env)) {
            env.insert(name.clone(), text(template)?);
        }
        let limit = text(&command.timeout_s)?;
        let seconds = crate::file::seconds(&limit)
            .ok_or_else(|| Trouble::failed(format!("`timeout_s` is `{limit}`: no number of seconds")))?;
        let as_root = program.of.map_or(command.as_root, |service| service.as_root);
        let dir = program.of.and_then(|service| service.dir.as_ref()).map(text).transpose()?;
        let mut job = Job {
            arguments,
            env,
            dir: self.here.dir(self.experiment, &cell.point),
            stdout: workplace.log(program.log, "stdout"),
            stderr: workplace.log(program.log, "stderr"),
            timeout_ms: Some(millis(seconds)),
            holds_input: false,
        };
        let Some((service, host)) = on else {
            if as_root {
                job.arguments = crate::root::arguments(job.arguments, &job.env);
            }
            job.dir = dir.map_or(job.dir, |dir| self.here.folder.join(dir));
            return Ok(job);
        };
        let destination = self.here.hosts.get(host);
        let destination =
            destination.ok_or_else(|| Trouble::failed(format!("where the host `{host}` is is not known")))?;
        let is_service = std::ptr::eq(program.arguments, service.run.as_slice());
        let scratch = folders.scratch.display().to_string();
        let token = workplace.root.file_name().unwrap_or_default().to_string_lossy();
        let signal = if let Stop::Signal(signal) = service.stop { signal } else { "TERM" };
        let there = remote::Program {
            arguments: &job.arguments,
            env: &job.env,
            dir: dir.as_deref().unwrap_or_default(),
            // What stops a service leaves its folder, and what it finds there, to the service's own end.
            scratch: if is_service { &scratch } else { "" },
            token: if is_service { &token } else { "" },
            signal,
            as_root,
        };
        let arguments = remote::arguments(self.here, destination, &there);
        Ok(Job { arguments, env: remote::environment(), dir: self.here.folder.clone(), holds_input: true, ..job })
    }
}

fn millis(seconds: f64) -> u64 {
    u64::try_from(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).as_millis()).unwrap_or(u64::MAX).max(1)
}

fn too_much(job: &Job) -> Option<Trouble> {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    (size(&job.stdout) + size(&job.stderr) > MAX_PRINTED)
        .then(|| Trouble::failed(format!("it printed more than {} GiB", MAX_PRINTED >> 30)))
}

/// Notes what a program cost; of one on another host (not `here`) only what is known of it.
fn put_costs(costs: &mut Costs, name: &str, ended: &Ended, here: bool) {
    let exit = ended.code.or_else(|| ended.signal.map(|signal| 128 + signal)).unwrap_or(-1);
    for (part, value) in [
        ("wall_us", ended.wall_us),
        ("user_us", ended.user_us),
        ("system_us", ended.system_us),
        ("max_rss_bytes", ended.max_rss_bytes),
        ("exit", i64::from(exit)),
    ] {
        if here || ["wall_us", "exit"].contains(&part) {
            costs.insert(format!("{name}.{part}"), value);
        }
    }
}

/// A file that is part of the key and changed while the cell ran makes its result that of nothing.
fn unchanged(files: &[InputFile], what: &str) -> Result<(), Trouble> {
    let changed = files.iter().find(|file| Stamp::of(&file.path).map_or(true, |stamp| stamp != file.stamp));
    match changed {
        Some(file) => Err(Trouble::failed(format!(
            "its {what} `{}` changed while the cell ran: the result is refused",
            file.name
        ))),
        None => Ok(()),
    }
}
