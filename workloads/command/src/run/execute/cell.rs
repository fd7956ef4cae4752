//! Executing one cell: an attempt, the rows that are read of it, and what is kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read};
use std::num::NonZeroUsize;
use std::sync::PoisonError;

use matrix_frame::FrameError;
use matrix_host::HostLock;
use matrix_session::{Ended, Session};
use matrix_store::attempt::{AttemptStatus, Execution};
use matrix_store::generic::{Costs, Outputs};
use matrix_store::{
    Event, GenericAttempt, GenericEnd, GenericRecord, Group, NewRecord, Origin, OutputRef, RowsRef, StoreError,
    WritableStore,
};

use super::Executor;
use crate::attempt::{Attempted, Attempts, Kept, MAX_ROWS, Trouble, name_of};
use crate::cells::{self, Cell, input_files};
use crate::file::{Format, Source};
use crate::inputs::digest_of;
use crate::results::PASSED_OVER;
use crate::rows;

impl Executor<'_> {
    /// Executes a cell, again after a failure where the experiment says so. Every attempt is kept.
    pub(super) fn tried(&self, session: &Session, cell: &Cell) -> Result<Ended<bool, String>, StoreError> {
        for _ in 0..self.input.experiment.command.retries {
            match self.one(session, cell)? {
                Ended::Failed(error) => (self.say)(&format!("tried again: {}: {error}", cell.key.short())),
                ended => return Ok(ended),
            }
        }
        self.one(session, cell)
    }

    /// Executes one cell once. What it gave, or that it failed, is in the store when this returns.
    fn one(&self, session: &Session, cell: &Cell) -> Result<Ended<bool, String>, StoreError> {
        let (store, journal) = (session.store(), session.journal());
        let is_alone = self.jobs == NonZeroUsize::MIN;
        let waiting = || (self.say)("waiting: another run measures on this host");
        let _host = if is_alone {
            match HostLock::take(self.cancel, self.deadline, &waiting)
                .map_err(|error| StoreError::host_lock(std::path::Path::new(matrix_host::LOCK), error))?
            {
                Some(lock) => Some(lock),
                None => return Ok(Ended::Partial),
            }
        } else {
            None
        };
        let own = || matrix_host::ticks_of(&crate::supervise::living());
        let idle =
            !self.input.experiment.host.idle || matrix_host::wait_until_idle(own, self.cancel, self.deadline, self.say);
        if !idle {
            return Ok(Ended::Partial);
        }
        let version = {
            let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
            versions.of(&self.input.experiment, &self.input.here, cell, self.supervisors, self.cancel)
        };
        let execution = Execution::begin(cell.key, session.run().id(), self.provenance.clone().into())?;
        let id = execution.id.clone();
        journal.append(&Event::Started { attempt: id.clone(), cell: cell.key })?;
        let attempted = self.attempt(cell, is_alone);
        let mut notes: BTreeMap<String, String> = BTreeMap::new();
        notes.extend(version.map(|version| ("version".to_owned(), version)));
        let (result, costs, kept, attempted) = match attempted {
            Ok(attempted) => {
                let unwatched =
                    if is_alone { "not watched".to_owned() } else { format!("not watched: {} at a time", self.jobs) };
                notes.insert(matrix_host::HOST.to_owned(), attempted.host.clone().unwrap_or(unwatched));
                notes.insert(matrix_host::MACHINE.to_owned(), self.machines(cell));
                if attempted.left_out > 0 {
                    notes.insert("files not kept".to_owned(), attempted.left_out.to_string());
                }
                (attempted.result.clone(), attempted.costs.clone(), attempted.outputs.clone(), Some(attempted))
            }
            Err(why) => (Err(Trouble::Failed(why)), Costs::new(), BTreeMap::new(), None),
        };
        let result = result.and_then(|()| self.rows(cell, attempted.as_ref(), &kept, &costs, &mut notes));
        let (mut outputs, mut group) = (Outputs::new(), store.group());
        for (name, kept) in &kept {
            outputs.insert(name.clone(), keep_output(store, kept, result.is_ok().then_some(&mut group))?);
        }
        let execution = execution.end();
        let without =
            |status, error: &str| GenericEnd::Without { status, inputs: cell.inputs.clone(), error: error.to_owned() };
        match result {
            Ok(rows) => {
                let mut refs = BTreeMap::new();
                for (name, (path, written)) in rows {
                    let mut file = File::open(&path).map_err(|error| StoreError::io("reading", &path, error))?;
                    group.keep_object(&written.sha256, &mut file)?;
                    if !written.passed_over.is_empty() {
                        let names = written.passed_over.join(", ");
                        if self.progress().told.insert(name.clone()) {
                            (self.say)(&format!("note: columns that nobody declared are passed over: {names}"));
                        }
                    }
                    refs.insert(name, RowsRef { bytes: written.bytes, rows: written.rows, sha256: written.sha256 });
                }
                let disturbed = notes.get(matrix_host::HOST).is_some_and(|host| matrix_host::is_disturbed(host));
                let attempt = GenericAttempt::new(execution, GenericEnd::Done, outputs.clone(), notes)?;
                let reading = cells::reading(&self.input.experiment)?;
                let new = NewRecord {
                    workload: crate::WORKLOAD.to_owned(),
                    inputs: cell.inputs.clone(),
                    key: cell.key,
                    costs,
                    outputs,
                    reading,
                    rows: refs,
                };
                let record = GenericRecord::new(new, Origin::default())?;
                group.add(&attempt, &record, Event::Done { attempt: id, cell: cell.key })?;
                store.commit(group, journal)?;
                Ok(Ended::Done(disturbed))
            }
            Err(Trouble::Cancelled) => {
                let end = without(AttemptStatus::Partial, "interrupted");
                store.write_attempt(&GenericAttempt::new(execution, end, outputs, notes)?)?;
                journal.append(&Event::Partial { attempt: id, cell: cell.key })?;
                Ok(Ended::Partial)
            }
            Err(Trouble::Failed(error)) => {
                let end = without(AttemptStatus::Failed, &error);
                store.write_attempt(&GenericAttempt::new(execution, end, outputs, notes)?)?;
                journal.append(&Event::Failed { attempt: id, cell: cell.key, error: error.clone() })?;
                Ok(Ended::Failed(error))
            }
        }
    }

    /// What machines a cell runs on: this one, and those of its services.
    fn machines(&self, cell: &Cell) -> String {
        let hosts = cells::services_of(&self.input.experiment, &cell.point).filter_map(|service| service.on.as_ref());
        let hosts: std::collections::BTreeSet<&String> = hosts.collect();
        let others =
            hosts.into_iter().filter_map(|host| Some(format!("{host}: {}", self.input.here.machines.get(host)?)));
        std::iter::once(self.machine.clone()).chain(others).collect::<Vec<_>>().join("; ")
    }

    fn attempt(&self, cell: &Cell, watch: bool) -> Result<Attempted, String> {
        let input = self.input;
        // Looked at again: a file that changed since the plan is no longer what the key says.
        let files = {
            let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
            digests.look_again();
            input_files(&input.experiment, &input.here, &mut digests, &cell.point)
        };
        let files = files.map_err(|error| error.to_string())?;
        let planned = cell.inputs.pointer("/command/inputs").and_then(serde_json::Value::as_object);
        let same = planned.is_some_and(|planned| {
            planned.len() == files.len()
                && files.iter().all(|file| {
                    planned.get(&file.name).and_then(|file| file["sha256"].as_str()) == Some(&file.sha256.to_string())
                })
        });
        if !same {
            return Err("a file of `inputs` changed after the run was planned: run it anew".to_owned());
        }
        let attempts = Attempts {
            experiment: &input.experiment,
            here: &input.here,
            supervisors: self.supervisors,
            cancel: self.cancel,
            keep: self.keep,
            watch,
        };
        let attempted = attempts.attempt(cell, &files).map_err(|error| format!("no place to run it in: {error}"))?;
        if self.keep {
            (self.say)(&format!("kept: {}", attempted.workplace.display()));
        }
        Ok(attempted)
    }

    /// Reads the rows of an attempt.
    fn rows(
        &self,
        cell: &Cell,
        attempted: Option<&Attempted>,
        kept: &BTreeMap<String, Kept>,
        costs: &Costs,
        notes: &mut BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, (std::path::PathBuf, rows::Written)>, Trouble> {
        let failed = |what: String| Trouble::Failed(what);
        let Some(attempted) = attempted else { return Err(failed("there was no attempt".to_owned())) };
        let mut found = BTreeMap::new();
        for source in &self.input.experiment.sources {
            let path = attempted.workplace.join(format!("rows-{}", source.name));
            let out = File::create(&path).map_err(|error| failed(error.to_string()))?;
            let written = if source.format == Format::Run {
                rows::costs_into(source, &cost_fields(source, costs), BufWriter::new(out))
            } else {
                let name = name_of(source, &cell.point);
                let Some(kept) = kept.get(&name) else {
                    return Err(failed(format!("rows: the program left no `{name}`")));
                };
                if let Some(bytes) = kept.of {
                    let most = MAX_ROWS >> 30;
                    return Err(failed(format!("rows: `{name}` has {bytes} bytes: more than {most} GiB are not read")));
                }
                let input = File::open(&kept.path).map_err(|error| failed(format!("{name}: {error}")))?;
                rows::read_into(source, input, BufWriter::new(out))
                    .map_err(|error| FrameError::Bad(format!("{name}: {error}")))
            };
            let written = written.map_err(|error| failed(format!("rows: {error}")))?;
            if !written.passed_over.is_empty() {
                notes.insert(format!("{PASSED_OVER}{}", source.name), written.passed_over.join(", "));
            }
            found.insert(source.name.clone(), (path, written));
        }
        Ok(found)
    }
}

/// Keeps something that an attempt left: in a group, or in the store at once.
fn keep_output(store: &WritableStore, kept: &Kept, group: Option<&mut Group>) -> Result<OutputRef, StoreError> {
    let fail = |error| StoreError::io("reading", &kept.path, error);
    let open = || File::open(&kept.path).map(|file| BufReader::new(file.take(kept.bytes))).map_err(fail);
    let (sha256, bytes) = digest_of(open()?).map_err(fail)?;
    match group {
        Some(group) => group.keep_object(&sha256, &mut open()?)?,
        None => store.keep_object(&sha256, &mut open()?)?,
    }
    Ok(OutputRef { bytes, of: kept.of, sha256 })
}

/// The one row of what a run cost.
pub(in crate::run) fn cost_fields(source: &Source, costs: &Costs) -> Vec<String> {
    let cost = |name: &str| costs.get(&format!("run.{name}")).copied().unwrap_or_default().to_string();
    source.columns.iter().map(|column| cost(&column.name)).collect()
}
