//! The lambda driver on the local testbed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use matrix_app::Row;
use matrix_driver::{AttemptDetails, Cancel, Driver, DriverError, RowSink};
use matrix_host::{Watch, ticks_of_trees};
use matrix_live::lambda::{LambdaDriver, Services};
use matrix_live::testbed::{
    Endpoints, Lease, LocalConfig, PartStatus, StateDir, SupervisorCommand, Testbed, TestbedError, up,
};
use matrix_plan::{Cell, Platform};
use matrix_run::Input;

use super::driver::{RealServices, Task, settings};
use super::quarantine::WithQuarantine;
use crate::exit::Failure;
use crate::output;

/// Time in which a request to stop reaches an attempt.
const CANCELLED_WITHIN: Duration = Duration::from_millis(50);

/// Time between two looks at the testbed, during an attempt: seldom enough not to be seen in its times.
const LOOKED_EVERY: Duration = Duration::from_secs(2);

/// The lambda driver on the local testbed, which runs as long as this is there.
pub(super) struct Local {
    // Dropped first: its leases end while the services are still there.
    lambda: WithQuarantine,
    testbed: Leased,
    /// How often servers that had ended were started again.
    revived: Mutex<u64>,
}

/// A testbed that ends with this, unless others hold it.
struct Leased {
    testbed: Testbed,
    lease: Option<Lease>,
}

impl std::ops::Deref for Leased {
    type Target = Testbed;

    fn deref(&self) -> &Testbed {
        &self.testbed
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            self.testbed.release(lease);
        }
    }
}

impl Local {
    /// Brings the testbed up, or finds it, and checks that it is what the experiment means.
    pub(super) fn open(input: &Input, state: &StateDir, task: Task) -> Result<Self, Failure> {
        if input.experiment.platform != Platform::Local {
            let platform = input.experiment.platform;
            return Err(Failure::usage(
                format!("platform `{platform}` has no testbed on this machine"),
                "this needs platform = \"local\" or \"aws\", or --platform local",
            ));
        }
        let mut settings = settings(input, task)?;
        let (testbed, lease) = bring_up(state, &input.experiment.local.config)?;
        let testbed = Leased { testbed, lease: Some(lease) };
        check_versions(input, testbed.endpoints())?;
        settings.instance = Some(testbed.endpoints().instance.clone());
        let lambda = WithQuarantine(LambdaDriver::new(Services::local(testbed.endpoints())?, settings)?);
        Ok(Self { lambda, testbed, revived: Mutex::default() })
    }

    fn revived(&self) -> MutexGuard<'_, u64> {
        self.revived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work`, which is asked to stop when `cancel` is or when a server has ended, and tells which: nothing that came
    /// after would count, and waiting for it takes as long as the longest deadline. And whether other work than that and
    /// the testbed's disturbed the host meanwhile.
    fn watched<T>(&self, cancel: &Cancel, work: impl FnOnce(&Cancel) -> T) -> (T, Result<String, TestbedError>) {
        let stop = &Cancel::default();
        let (working, over) = mpsc::channel::<()>();
        let mut host = Watch::begin(|| {
            // Functions come and go: their time is their parent's when they have ended.
            let testbed: Vec<u32> = self.testbed.processes().iter().map(|process| process.pid).collect();
            ticks_of_trees(&testbed)
        });
        std::thread::scope(|scope| {
            let watch = scope.spawn(move || {
                let mut looked = Instant::now();
                while over.recv_timeout(CANCELLED_WITHIN) == Err(mpsc::RecvTimeoutError::Timeout) {
                    if cancel.is_cancelled() {
                        stop.cancel();
                    }
                    host.look();
                    if looked.elapsed() >= LOOKED_EVERY {
                        if let Err(ended @ (TestbedError::Unhealthy { .. } | TestbedError::Gone)) = self.testbed.check()
                        {
                            stop.cancel();
                            return Err(ended);
                        }
                        looked = Instant::now();
                    }
                }
                Ok(host.verdict())
            });
            let told = work(stop);
            drop(working);
            (told, watch.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    /// Starts what has ended of the testbed again, and tells how often that was done: a cell would fail slowly without it.
    fn made_well(&self) -> Result<u64, TestbedError> {
        // Held meanwhile: another worker that comes waits until all is well.
        let mut revived = self.revived();
        match self.testbed.check() {
            Err(TestbedError::Unhealthy { .. }) => {
                tell_started_again(&self.testbed.revive()?);
                *revived += 1;
            }
            other => other?,
        }
        Ok(*revived)
    }
}

/// Brings a testbed up, or finds the one that runs, and says which.
pub(crate) fn bring_up(state: &StateDir, config: &LocalConfig) -> Result<(Testbed, Lease), Failure> {
    let mut ended = Vec::new();
    match Testbed::find(state).and_then(|found| found.status()) {
        Ok(status) => ended.extend(status.parts.into_iter().filter(|part| part.pid.is_none())),
        // One that is ending is waited for.
        Err(TestbedError::NotRunning | TestbedError::Supervisor { .. } | TestbedError::Ending) => {
            output::note("starting the local testbed");
        }
        Err(error) => output::note(format_args!("the local testbed: {error}")),
    }
    let up = up(state, config, &SupervisorCommand::this_program()?)?;
    tell_started_again(&ended);
    Ok(up)
}

fn tell_started_again(ended: &[PartStatus]) {
    for part in ended {
        output::note(format_args!("{part}: started again"));
    }
}

/// A result of another major version would be another result: the experiment says which versions it means.
fn check_versions(input: &Input, endpoints: &Endpoints) -> Result<(), Failure> {
    for (server, meant) in input.experiment.local.servers.each() {
        let found = endpoints.versions.get(server);
        let major = found.map(|version| version.split('.').next().unwrap_or_default());
        if major != Some(meant) {
            let found = found.map_or("of an unknown version", String::as_str);
            let fix = major.map_or_else(
                || format!("see the server's log; `matrix testbed status` names its place ({server})"),
                |major| format!("if that is meant, set `{server} = \"{major}\"` in [local.servers]: cells of another major version are other cells"),
            );
            return Err(Failure::usage(
                format!("the testbed's {server} is {found}, and the experiment means major version {meant}"),
                fix,
            ));
        }
    }
    Ok(())
}

impl RealServices for Local {
    fn lambda(&self) -> &LambdaDriver {
        &self.lambda
    }

    fn well(&self) -> Result<(), DriverError> {
        self.testbed.check().map_err(|error| environment_changed(&error))
    }

    fn keep(&self) -> Result<(), Failure> {
        Ok(self.testbed.keep()?)
    }
}

impl Driver<Cell, Row> for Local {
    fn attempt(
        &self,
        cell: &Cell,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, DriverError> {
        let revived = self.made_well().map_err(DriverError::failed)?;
        let (told, host) = self.watched(cancel, |stop| self.lambda.attempt(cell, rows, stop));
        if cancel.is_cancelled() || matches!(told, Err(DriverError::Sink(_))) {
            return told;
        }
        // Where a server ended meanwhile, what is missing is no finding, and what broke is no fault of the cell.
        let host = host.map_err(|ended| environment_changed(&what_ended(&ended)))?;
        self.testbed.check().map_err(|ended| environment_changed(&what_ended(&ended)))?;
        if *self.revived() != revived {
            return Err(environment_changed(&"a server of the testbed ended meanwhile, and was started again"));
        }
        told.map(|details| AttemptDetails { host: Some(host), ..details })
    }

    fn resources(&self, cell: &Cell) -> Vec<String> {
        self.lambda.resources(cell)
    }

    fn services(&self) -> BTreeMap<String, String> {
        let mut services = self.lambda.versions();
        services.extend(self.testbed.endpoints().versions.clone());
        services
    }

    fn needs_exclusive_host(&self) -> bool {
        true
    }
}

/// What ended, without the advice that the next try follows or gives.
fn what_ended(error: &TestbedError) -> String {
    match error {
        TestbedError::Unhealthy { why, .. } => why.clone(),
        other => other.to_string(),
    }
}

/// The failure of an attempt that its testbed did not outlive.
fn environment_changed(why: &dyn std::fmt::Display) -> DriverError {
    DriverError::EnvironmentChanged(format!("the results of this attempt are not kept: {why}").into())
}
