//! Bringing a testbed up, finding it, and ending it.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use super::client::{ask, status_of};
use super::control::Command;
use super::differences::Difference;
use super::error::Doing as _;
use super::state::{SUPERVISOR_LOCK, append_private, remove_dir, remove_file};
use super::tree::{MARK, kill_survivors};
use super::{Endpoints, Lease, LocalConfig, Needs, StateDir, Status, Testbed, TestbedError};

/// How the program is run again as a supervisor. The state directory follows as the last argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupervisorCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments before the state directory.
    pub arguments: Vec<OsString>,
}

impl SupervisorCommand {
    /// This very program, as `testbed supervise --state DIR`.
    ///
    /// # Errors
    /// When the program's own file cannot be found.
    pub fn this_program() -> Result<Self, TestbedError> {
        let program = std::env::current_exe().doing(|| "finding this program's file".into())?;
        Ok(Self { program, arguments: ["testbed", "supervise", "--state"].map(Into::into).into() })
    }
}

/// What [`down`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Down {
    /// Whether a supervisor answered; without one, only leftovers were looked for.
    pub was_running: bool,
    /// Processes that had to be killed because no supervisor did it.
    pub killed: usize,
}

/// How long a testbed that is ending may take, before what is left of it is killed.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// The lock of whoever begins a testbed or removes what is left of one.
const STARTING_LOCK: &str = "starting.lock";

/// How long another process may take to bring a testbed up.
const STARTS_WITHIN: Duration = Duration::from_secs(150);

/// Brings a testbed up, or finds the one that runs; servers of it that have ended are started again. It ends when the last [`Lease`] is dropped or its holder ends;
/// [`Testbed::keep`] makes it stay.
///
/// # Errors
/// [`TestbedError::Missing`] names what is not installed; [`TestbedError::OtherConfig`] when one with other settings
/// runs; [`TestbedError::Unhealthy`] when it is not well; [`TestbedError::Start`] or [`TestbedError::Refused`] when a server did not come up.
pub fn up(
    state: &StateDir,
    config: &LocalConfig,
    supervisor: &SupervisorCommand,
) -> Result<(Testbed, Lease), TestbedError> {
    config.check()?;
    Needs::find()?;
    state.create()?;
    // Two that come at once: the second waits here, and then finds the first's.
    let starting = lock_starting(state)?;
    let found = match Testbed::leased(state) {
        Err(TestbedError::NotRunning | TestbedError::Supervisor { .. }) => start(state, config, supervisor),
        Err(TestbedError::Ending) => {
            await_end(state, ENDS_WITHIN)?;
            start(state, config, supervisor)
        }
        Err(other) => Err(other),
        Ok((testbed, lease)) => fits(&testbed, config).map(|()| (testbed, lease)),
    };
    drop(starting);
    found
}

/// Checks that a testbed that runs is what is wanted, and brings back what has ended.
fn fits(testbed: &Testbed, config: &LocalConfig) -> Result<(), TestbedError> {
    let differences = Difference::between(&testbed.endpoints().config, config)?;
    if differences.is_empty() { testbed.revive().map(drop) } else { Err(TestbedError::OtherConfig(differences)) }
}

impl Testbed {
    /// Ends a lease of the testbed. If nothing else holds it, it ends, and that is waited for.
    pub fn release(&self, lease: Lease) {
        let is_last = self.status().is_ok_and(|status| !status.kept && status.leases <= 1);
        drop(lease);
        if is_last {
            // What takes longer, or cannot be seen, ends by itself.
            let _ = await_end(self.state(), ENDS_WITHIN);
        }
    }
}

/// Waits until the supervisor in `state`, if any, has ended. What takes longer is not waited for.
fn await_end(state: &StateDir, within: Duration) -> Result<(), TestbedError> {
    let deadline = Instant::now() + within;
    while state.try_lock(SUPERVISOR_LOCK)?.is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Takes the lock of whoever begins a testbed or removes what is left of one.
fn lock_starting(state: &StateDir) -> Result<std::fs::File, TestbedError> {
    let deadline = Instant::now() + STARTS_WITHIN;
    loop {
        match state.try_lock(STARTING_LOCK)? {
            Some(lock) => return Ok(lock),
            None if Instant::now() > deadline => {
                return Err(TestbedError::StateDir(format!(
                    "another process has held {} for {} s",
                    state.path().join(STARTING_LOCK).display(),
                    STARTS_WITHIN.as_secs()
                )));
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn start(
    state: &StateDir,
    config: &LocalConfig,
    supervisor: &SupervisorCommand,
) -> Result<(Testbed, Lease), TestbedError> {
    clear(state)?;
    // One that was killed holds its lock for a little longer than it can be seen.
    await_end(state, Duration::from_secs(5))?;
    state.rotate_logs()?;
    StateDir::write_json(&state.config(), config)?;
    let doing = || "starting the testbed's supervisor".to_owned();
    let log = append_private(&state.log_of("supervisor"))?;
    let mut child = Process::new(&supervisor.program)
        .args(&supervisor.arguments)
        .arg(state.path())
        .env(MARK, state.marker())
        // The first lease: it breaks when this process ends before it could take a real one.
        .stdin(Stdio::piped())
        .stdout(log.try_clone().doing(doing)?)
        .stderr(log)
        .spawn()
        .doing(doing)?;
    let result = wait_for(state, &mut child);
    if result.is_err() {
        // What failed to start is ended here and now, not left to notice the broken pipe. Its own failure is the news.
        drop(child.stdin.take());
        let _ = child.kill();
        let _ = child.wait();
        kill_survivors(state, Duration::from_secs(10))?;
    }
    result
}

fn wait_for(state: &StateDir, child: &mut Child) -> Result<(Testbed, Lease), TestbedError> {
    loop {
        match Testbed::leased(state) {
            Err(TestbedError::NotRunning) => {}
            found => return found,
        }
        if let Some(status) = child.try_wait().doing(|| "watching the testbed's supervisor".into())? {
            let what = format!("ended ({status}) before it was ready");
            return Err(TestbedError::Supervisor { what, log: state.log_of("supervisor") });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Ends what an earlier testbed left here, and removes its data. Logs stay.
fn clear(state: &StateDir) -> Result<usize, TestbedError> {
    let killed = kill_survivors(state, Duration::from_secs(10))?;
    remove_file(&state.endpoints())?;
    remove_file(&state.socket())?;
    remove_dir(&state.data())?;
    Ok(killed)
}

/// How the testbed in `state` is.
///
/// # Errors
/// [`TestbedError::Missing`] names what is not installed; [`TestbedError::NotRunning`] when none runs,
/// [`TestbedError::Starting`] when it is not up yet, and [`TestbedError::Ending`] when it is not any more.
pub fn status(state: &StateDir) -> Result<(Endpoints, Status), TestbedError> {
    let status = seen(state)?;
    match StateDir::read_json(&state.endpoints()) {
        // They are written when all is up, and go when it ends: then it says so itself by now.
        Err(TestbedError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            seen(state).and(Err(TestbedError::Starting))
        }
        endpoints => Ok((endpoints?, status)),
    }
}

fn seen(state: &StateDir) -> Result<Status, TestbedError> {
    match status_of(state) {
        Err(TestbedError::NotRunning) => Needs::find().and(Err(TestbedError::NotRunning)),
        // It ended while it was asked.
        Err(TestbedError::Supervisor { .. }) => Err(TestbedError::Ending),
        answer => answer,
    }
}

/// Ends the testbed in `state`, whoever uses it, and verifies that no process of it is left.
///
/// # Errors
/// [`TestbedError::Survivors`] names processes that could not be ended.
pub fn down(state: &StateDir) -> Result<Down, TestbedError> {
    if !state.path().exists() {
        return Ok(Down { was_running: false, killed: 0 });
    }
    let mut was_running = tell_to_end(state)?;
    // From here on nobody begins another one, whose processes would carry the same mark.
    let _starting = lock_starting(state)?;
    if status_of(state).is_ok() {
        if was_running {
            // Somebody who waited for the end has begun one already: that one stays.
            return Ok(Down { was_running, killed: 0 });
        }
        // It was only about to begin before.
        was_running = tell_to_end(state)?;
    }
    if was_running {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline && !super::survivors(state).is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(Down { was_running, killed: clear(state)? })
}

/// Tells the supervisor in `state` to end everything; whether there is one that does.
fn tell_to_end(state: &StateDir) -> Result<bool, TestbedError> {
    match ask(state, &Command::Down) {
        Ok(()) | Err(TestbedError::Ending) => Ok(true),
        // No supervisor, or one that does not answer any more: what carries its mark is killed.
        Err(
            TestbedError::NotRunning
            | TestbedError::Supervisor { .. }
            | TestbedError::Silent { .. }
            | TestbedError::Io { .. },
        ) => Ok(false),
        Err(other) => Err(other),
    }
}
