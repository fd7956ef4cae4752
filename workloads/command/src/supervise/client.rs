//! The runner's side: starting supervisors, and waiting for them.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use matrix_driver::Cancel;

use super::WORD;
use super::protocol::{Ended, Job, KILL, SIGNALS};
use super::tree::end_all_but;

/// Time between two looks at whether a stop was asked for.
const LOOK: Duration = Duration::from_millis(50);

/// The supervisors of this process that live.
static LIVING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Starts supervisors.
#[derive(Clone, Debug)]
pub struct Supervisors {
    executable: PathBuf,
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
        Ok(Self::of(executable))
    }

    /// Supervisors of another executable, which does the same.
    #[must_use]
    pub fn of(executable: PathBuf) -> Self {
        Self { executable }
    }

    /// Starts a program.
    ///
    /// # Errors
    /// When the supervisor cannot be started. That the program cannot be is told when it is waited for.
    pub fn start(&self, job: &Job) -> std::io::Result<Running> {
        // Held while it is not known yet: what is unknown is ended.
        let mut living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = Command::new(&self.executable)
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
        let mut stdin = stdin.ok_or(std::io::ErrorKind::BrokenPipe)?;
        let stdout = stdout.ok_or(std::io::ErrorKind::BrokenPipe)?;
        let mut line = serde_json::to_vec(job)?;
        line.push(b'\n');
        stdin.write_all(&line)?;
        let (send, ended) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            let parsed = read.and_then(|_| serde_json::from_str(&line).map_err(std::io::Error::from));
            // Nobody waits for what was dropped.
            let _ = send.send(parsed);
        });
        Ok(Running { child, stdin: Some(stdin), ended, known: None })
    }
}

/// A program that runs. Dropped, it is killed with everything that it started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    ended: Receiver<std::io::Result<Ended>>,
    known: Option<Ended>,
}

impl Running {
    /// Sends the program a signal by its name, `TERM` for example; any that is not known kills it.
    pub fn signal(&mut self, name: &str) {
        self.ask(SIGNALS.iter().find(|(_, known, _)| *known == name).map_or(KILL, |(letter, ..)| *letter));
    }

    /// Ends the program and everything that it started.
    pub fn kill(&mut self) {
        self.ask(KILL);
    }

    fn ask(&mut self, what: u8) {
        if let Some(stdin) = &mut self.stdin {
            // It may have ended meanwhile.
            let _ = stdin.write_all(&[what]).and_then(|()| stdin.flush());
        }
    }

    /// How it ended, if it has, waiting at most so long.
    pub fn ended_within(&mut self, limit: Duration) -> Option<Ended> {
        if self.known.is_none() {
            let found = match self.ended.recv_timeout(limit) {
                Err(RecvTimeoutError::Timeout) => return None,
                Ok(Ok(ended)) => ended,
                Ok(Err(error)) => lost(&error.to_string()),
                Err(RecvTimeoutError::Disconnected) => lost("its supervisor is gone"),
            };
            // The supervisor ends when it has told.
            let _ = self.child.wait();
            let mut living = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
            living.remove(&self.child.id());
            if found.is_lost {
                end_all_but(&living);
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
        if self.known.is_none() {
            self.kill();
            // The end of the pipe says the same, should the request not have come through.
            self.stdin = None;
            let _ = self.ended_within(Duration::from_secs(10));
            let _ = self.child.wait();
        }
    }
}
