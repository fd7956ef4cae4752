//! A running testbed, as its users see it.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use matrix_plan::RegionPair;

use super::control::{Command, CutKind, EmulatorFault, PartName, Reply};
use super::error::Doing as _;
use super::{Endpoints, StateDir, Status, Survivor, TestbedError, survivors};

/// How long an answer may take: starting servers is the slowest thing asked for.
fn answers_within(command: &Command) -> Duration {
    let starts = matches!(command, Command::Ready | Command::Lease | Command::Start { .. });
    Duration::from_secs(if starts { 120 } else { 30 })
}

/// A running testbed. Holding it does not keep it running: a [`Lease`] does.
#[derive(Clone, Debug)]
pub struct Testbed {
    state: StateDir,
    endpoints: Endpoints,
}

/// Keeps a testbed running until it is dropped, or this process ends in whatever way.
#[derive(Debug)]
pub struct Lease {
    _connection: UnixStream,
}

impl Testbed {
    /// The testbed that runs in a state directory.
    ///
    /// # Errors
    /// [`TestbedError::NotRunning`] when none does.
    pub fn find(state: &StateDir) -> Result<Self, TestbedError> {
        ask(state, &Command::Ready)?;
        Ok(Self { endpoints: StateDir::read_json(&state.endpoints())?, state: state.clone() })
    }

    /// Every process of the testbed that lives: its supervisor, servers and functions.
    #[must_use]
    pub fn processes(&self) -> Vec<Survivor> {
        survivors(&self.state)
    }

    /// The testbed that runs in a state directory, which then does not end before the lease does.
    pub(crate) fn leased(state: &StateDir) -> Result<(Self, Lease), TestbedError> {
        let lease = lease(state)?;
        Ok((Self { endpoints: StateDir::read_json(&state.endpoints())?, state: state.clone() }, lease))
    }

    /// Where its servers listen.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Its state directory.
    #[must_use]
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// Keeps the testbed running as long as the lease is held.
    ///
    /// # Errors
    /// When it does not run any more.
    pub fn lease(&self) -> Result<Lease, TestbedError> {
        lease(&self.state)
    }

    /// Makes it stay until [`down`](super::down).
    ///
    /// # Errors
    /// When it does not run any more.
    pub fn keep(&self) -> Result<(), TestbedError> {
        ask(&self.state, &Command::Keep)
    }

    /// How it is.
    ///
    /// # Errors
    /// When it does not run any more.
    pub fn status(&self) -> Result<Status, TestbedError> {
        status_of(&self.state)
    }

    /// Cuts the link between two regions, in both directions, for some time or until it is restored. The emulator's
    /// replication between them stops too.
    ///
    /// # Errors
    /// When there is no such link, or the testbed does not run any more.
    pub fn cut(&self, link: &RegionPair, kind: CutKind, time: Option<Duration>) -> Result<(), TestbedError> {
        let for_ms = time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        ask(&self.state, &Command::Cut { link: link.clone(), kind, for_ms })
    }

    /// Restores a link that was cut.
    ///
    /// # Errors
    /// As of [`Self::cut`].
    pub fn restore(&self, link: &RegionPair) -> Result<(), TestbedError> {
        ask(&self.state, &Command::Restore { link: link.clone() })
    }

    /// Ends a server and waits until it is gone: in good order, or as in a crash.
    ///
    /// # Errors
    /// When there is no such part, it does not run, or the testbed does not run any more.
    pub fn stop(&self, part: &PartName, crash: bool) -> Result<(), TestbedError> {
        ask(&self.state, &Command::Stop { part: part.clone(), crash })
    }

    /// Starts a stopped server again, with the data and the ports that it had, and waits until it serves.
    ///
    /// # Errors
    /// When there is no such part, it runs already, it does not come up, or the testbed does not run any more.
    pub fn start(&self, part: &PartName) -> Result<(), TestbedError> {
        ask(&self.state, &Command::Start { part: part.clone() })
    }

    /// Has the emulator fail requests.
    ///
    /// # Errors
    /// When the testbed does not run any more.
    pub fn fault(&self, fault: &EmulatorFault) -> Result<(), TestbedError> {
        ask(&self.state, &Command::Fault { fault: fault.clone() })
    }

    /// Ends every fault of the emulator.
    ///
    /// # Errors
    /// When the testbed does not run any more.
    pub fn clear_faults(&self) -> Result<(), TestbedError> {
        ask(&self.state, &Command::ClearFaults)
    }
}

fn lease(state: &StateDir) -> Result<Lease, TestbedError> {
    let (reply, connection) = exchange(state, &Command::Lease)?;
    refuse(reply).map(|()| Lease { _connection: connection })
}

/// Asks the supervisor in `state` to do something.
pub(crate) fn ask(state: &StateDir, command: &Command) -> Result<(), TestbedError> {
    refuse(exchange(state, command)?.0)
}

fn refuse(reply: Reply) -> Result<(), TestbedError> {
    match reply {
        Reply::Failed { why } => Err(TestbedError::Refused(why)),
        Reply::Ending => Err(TestbedError::Ending),
        Reply::Done | Reply::Status { .. } => Ok(()),
    }
}

/// Asks the supervisor in `state` how it is.
pub(crate) fn status_of(state: &StateDir) -> Result<Status, TestbedError> {
    match exchange(state, &Command::Status)?.0 {
        Reply::Status { status } => Ok(status),
        Reply::Failed { why } => Err(TestbedError::Refused(why)),
        Reply::Ending => Err(TestbedError::Ending),
        Reply::Done => Err(TestbedError::Supervisor {
            what: "did not answer what it was asked".into(),
            log: state.log_of("supervisor"),
        }),
    }
}

fn exchange(state: &StateDir, command: &Command) -> Result<(Reply, UnixStream), TestbedError> {
    // Without a supervisor there is no socket, or one that nobody listens to any more.
    let connection = UnixStream::connect(state.socket()).map_err(|_| TestbedError::NotRunning)?;
    let mut line = serde_json::to_vec(command).map_err(|source| malformed("a request", source))?;
    line.push(b'\n');
    let mut answer = String::new();
    let within = answers_within(command);
    let mut talk = || {
        connection.set_read_timeout(Some(within))?;
        connection.set_write_timeout(Some(within))?;
        (&connection).write_all(&line)?;
        BufReader::new(&connection).read_line(&mut answer)
    };
    let told = match talk() {
        // It ended before it took what was written, or with it unread.
        Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => 0,
        // What a socket says whose time is over.
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            return Err(TestbedError::Silent { within, log: state.log_of("supervisor") });
        }
        told => told.doing(|| "asking the testbed's supervisor".to_owned())?,
    };
    if told == 0 {
        return Err(TestbedError::Supervisor { what: "ended".into(), log: state.log_of("supervisor") });
    }
    let reply = serde_json::from_str(&answer).map_err(|source| malformed("the supervisor's answer", source))?;
    Ok((reply, connection))
}

fn malformed(what: &str, source: serde_json::Error) -> TestbedError {
    TestbedError::Malformed { what: what.to_owned(), source }
}
