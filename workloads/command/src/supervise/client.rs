//! The runner's side: starting supervisors, and waiting for them.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use matrix_driver::Cancel;

use super::protocol::{CLOSE, Ended, Job, KILL, SIGNALS};
use super::tree::end_all_but;
use super::{WORD, group};

/// Time between two looks at whether a stop was asked for.
const LOOK: Duration = Duration::from_millis(50);

/// The supervisors of this process that live.
static LIVING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// The processes of the supervisors that live.
pub(crate) fn living() -> Vec<u32> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
}

/// Runs programs below supervisors. One that has nothing to do waits for the next program: to begin one takes longer than
/// most programs' own start.
#[derive(Clone, Debug)]
pub struct Supervisors {
    executable: PathBuf,
    idle: Arc<Mutex<Vec<Supervisor>>>,
}

/// A supervisor's process. Dropped, it ends, with whatever it still supervises.
#[derive(Debug)]
struct Supervisor {
    child: Child,
    stdin: Option<ChildStdin>,
    ended: Receiver<std::io::Result<Ended>>,
}

impl Supervisor {
    fn begin(executable: &Path) -> std::io::Result<Self> {
        // Held while it is not known yet: what is unknown is ended.
        let mut living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = Command::new(executable)
            .arg(WORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A Ctrl-C is the runner's to act upon.
            .process_group(0)
            .spawn()?;
        living.insert(child.id());
        drop(living);
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (send, ended) = channel();
        if let Some(stdout) = stdout {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines() {
                    let parsed = line.and_then(|line| serde_json::from_str(&line).map_err(std::io::Error::from));
                    // Nobody waits for what was dropped.
                    if send.send(parsed).is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self { child, stdin, ended })
    }

    fn tell(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or(std::io::ErrorKind::BrokenPipe)?;
        stdin.write_all(bytes)?;
        stdin.flush()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // The end of the pipe ends what it supervises, and then itself.
        self.stdin = None;
        let _ = self.child.wait();
        group::end(self.child.id());
        LIVING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.child.id());
    }
}

impl Supervisors {
    /// Supervisors of this executable, which has to call [`supervise`](super::supervise) when its first argument is
    /// [`WORD`].
    ///
    /// # Errors
    /// When the system does not say what this executable is.
    pub fn new() -> std::io::Result<Self> {
        // What was started, also if its file has been replaced since.
        let executable = Path::new("/proc/self/exe");
        let executable = if executable.exists() { executable.to_owned() } else { std::env::current_exe()? };
        // Without, only what a supervisor leaves that is killed itself would go on.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        group::end_orphans();
        Ok(Self { executable, idle: Arc::default() })
    }

    /// Starts a program.
    ///
    /// # Errors
    /// When no supervisor can be started. That the program cannot be is told when it is waited for.
    pub fn start(&self, job: &Job) -> std::io::Result<Running> {
        let mut line = serde_json::to_vec(job)?;
        line.push(b'\n');
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some(mut supervisor) = idle() {
            // One that was killed meanwhile takes no job.
            if supervisor.tell(&line).is_ok() {
                return Ok(self.running(supervisor));
            }
        }
        let mut supervisor = Supervisor::begin(&self.executable)?;
        supervisor.tell(&line)?;
        Ok(self.running(supervisor))
    }

    fn running(&self, supervisor: Supervisor) -> Running {
        Running { supervisor: Some(supervisor), idle: Arc::clone(&self.idle), known: None }
    }
}

/// A program that runs. Dropped, it is killed with everything that it started.
#[derive(Debug)]
pub struct Running {
    supervisor: Option<Supervisor>,
    idle: Arc<Mutex<Vec<Supervisor>>>,
    known: Option<Ended>,
}

impl Running {
    /// Sends the program a signal by its name, `TERM` for example; any that is not known kills it.
    pub fn signal(&mut self, name: &str) {
        self.ask(SIGNALS.iter().find(|(_, known, _)| *known == name).map_or(KILL, |(letter, ..)| *letter));
    }

    /// Closes the program's standard input.
    pub fn close_input(&mut self) {
        self.ask(CLOSE);
    }

    /// Ends the program and everything that it started.
    pub fn kill(&mut self) {
        self.ask(KILL);
    }

    fn ask(&mut self, what: u8) {
        if let Some(supervisor) = &mut self.supervisor {
            // It may have ended meanwhile.
            let _ = supervisor.tell(&[what]);
        }
    }

    /// How it ended, if it has, waiting at most so long.
    pub fn ended_within(&mut self, limit: Duration) -> Option<Ended> {
        if let Some(supervisor) = &self.supervisor {
            let found = match supervisor.ended.recv_timeout(limit) {
                Err(RecvTimeoutError::Timeout) => return None,
                Ok(Ok(ended)) => ended,
                Ok(Err(error)) => lost(&error.to_string()),
                Err(RecvTimeoutError::Disconnected) => lost("its supervisor is gone"),
            };
            let supervisor = self.supervisor.take();
            if found.is_lost {
                drop(supervisor);
                end_all_but(&LIVING.lock().unwrap_or_else(PoisonError::into_inner));
            } else {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(supervisor);
            }
            self.known = Some(found);
        }
        self.known.clone()
    }

    /// Waits until it has ended; has it killed when a stop is asked for, or `look` says so.
    pub fn wait(&mut self, cancel: &Cancel, look: &mut dyn FnMut() -> bool) -> Ended {
        let mut asked = false;
        loop {
            if let Some(ended) = self.ended_within(LOOK) {
                return ended;
            }
            if !asked && (cancel.is_cancelled() || look()) {
                asked = true;
                self.kill();
            }
        }
    }
}

fn lost(why: &str) -> Ended {
    Ended { not_started: Some(format!("how it ended is not known: {why}")), is_lost: true, ..Ended::default() }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.supervisor.is_some() {
            self.kill();
            // What does not end is ended by the end of the pipe, when its supervisor is dropped.
            let _ = self.ended_within(Duration::from_secs(10));
        }
    }
}
