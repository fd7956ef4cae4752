//! The supervisor.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, set_child_subreaper, wait};
use wait4::{ResUse, Wait4};

use super::group;
use super::protocol::{CLOSE, Ended, Job, SIGNALS};
use super::tree::{below, signal};

enum Message {
    /// What is to be run; or why that cannot be read.
    Job(Result<Box<Job>, String>),
    /// The program has ended.
    Ended(std::io::Result<ResUse>),
    Signal(Signal),
    CloseInput,
    Kill,
    /// The runner is.
    Gone,
}

/// What the executable does when it is begun as a supervisor: runs one job after the other, and tells how each ended.
#[must_use]
pub fn supervise() -> ExitCode {
    if set_child_subreaper(Some(rustix::process::getpid())).is_err() {
        return ExitCode::FAILURE;
    }
    group::enter();
    let (send, messages) = channel();
    let listener = send.clone();
    std::thread::spawn(move || listen(BufReader::new(std::io::stdin()), &listener));
    loop {
        let (ended, is_gone) = match messages.recv() {
            Ok(Message::Job(Ok(job))) => run(&job, &send, &messages),
            Ok(Message::Job(Err(why))) => (not_started(format!("the supervisor was given no job: {why}")), false),
            Ok(Message::Gone) | Err(_) => return ExitCode::SUCCESS,
            // About a program that has ended meanwhile.
            Ok(Message::Signal(_) | Message::CloseInput | Message::Kill | Message::Ended(_)) => continue,
        };
        let Ok(mut text) = serde_json::to_string(&ended) else { return ExitCode::FAILURE };
        text.push('\n');
        let mut out = std::io::stdout();
        if is_gone || out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            return ExitCode::SUCCESS;
        }
    }
}

fn not_started(why: String) -> Ended {
    Ended { not_started: Some(why), ..Ended::default() }
}

/// Runs a program to its end, and ends what it leaves; and whether the runner is gone.
fn run(job: &Job, send: &Sender<Message>, messages: &Receiver<Message>) -> (Ended, bool) {
    let start = Instant::now();
    let (child, mut input) = match start_program(job) {
        Ok(mut child) => {
            let input = child.stdin.take();
            (child, input)
        }
        Err(why) => return (not_started(why), false),
    };
    let pid = Pid::from_child(&child);
    let waiter = send.clone();
    std::thread::spawn(move || {
        let result = child.wait4();
        // The receiver lives as long as this process.
        let _ = waiter.send(Message::Ended(result));
    });
    let mut is_gone = false;
    let limit = job.timeout_ms.map(Duration::from_millis);
    let mut ended = Ended::default();
    loop {
        let left = limit.map(|limit| limit.saturating_sub(start.elapsed()));
        let message = match left {
            Some(left) if !ended.timed_out => match messages.recv_timeout(left) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => {
                    ended.timed_out = true;
                    kill_below(Some(pid));
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            },
            _ => match messages.recv() {
                Ok(message) => message,
                Err(_) => break,
            },
        };
        match message {
            Message::Signal(which) => {
                ended.stopped = true;
                signal([pid], which);
            }
            Message::CloseInput => {
                ended.stopped = true;
                input = None;
            }
            Message::Kill => {
                ended.stopped = true;
                kill_below(Some(pid));
            }
            Message::Gone => {
                (ended.stopped, is_gone) = (true, true);
                kill_below(Some(pid));
            }
            // The runner waits for this one first.
            Message::Job(_) => {}
            Message::Ended(result) => {
                ended.wall_us = micros(start.elapsed());
                match result {
                    Ok(used) => account(&mut ended, &used),
                    Err(error) => ended.not_started = Some(format!("it could not be waited for: {error}")),
                }
                break;
            }
        }
    }
    drop(input);
    ended.left = reap();
    (ended, is_gone)
}

fn account(ended: &mut Ended, used: &ResUse) {
    ended.code = used.status.code();
    ended.signal = used.status.signal();
    ended.user_us = micros(used.rusage.utime);
    ended.system_us = micros(used.rusage.stime);
    ended.max_rss_bytes = i64::try_from(used.rusage.maxrss).unwrap_or(i64::MAX);
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn start_program(job: &Job) -> Result<Child, String> {
    let open = |path: &std::path::Path| {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.map_err(|error| format!("{}: {error}", path.display()))
    };
    let (stdout, stderr) = (open(&job.stdout)?, open(&job.stderr)?);
    let Some((program, arguments)) = job.arguments.split_first() else { return Err("there is no program".to_owned()) };
    // A path is relative to the folder that it runs in; a name is looked for in PATH.
    let path = if program.contains('/') { job.dir.join(program) } else { program.into() };
    let mut command = Command::new(&path);
    command.args(arguments).env_clear().envs(&job.env).current_dir(&job.dir);
    command.stdin(if job.holds_input { Stdio::piped() } else { Stdio::null() }).stdout(stdout).stderr(stderr);
    // With a group to set, even its own, the child is forked. Without, it would be spawned in this process's memory, and
    // Linux counts what the memory of a process held before its program began among the most that it had.
    command.gid(rustix::process::getgid().as_raw());
    command.spawn().map_err(|error| match error.raw_os_error() {
        Some(7) => format!("`{program}`: the list of its arguments is too long for the system"),
        _ if !job.dir.is_dir() => format!("there is no folder {}", job.dir.display()),
        _ => format!("`{program}` cannot be started: {error}"),
    })
}

/// Passes on what the runner asks for: a line of JSON is a job, a letter a signal. That it is gone is told last.
fn listen(mut input: impl BufRead, send: &Sender<Message>) {
    loop {
        let first = match input.fill_buf() {
            Ok(bytes) if !bytes.is_empty() => bytes[0],
            _ => break,
        };
        let message = if first == b'{' {
            let mut line = Vec::new();
            if input.read_until(b'\n', &mut line).is_err() {
                break;
            }
            Message::Job(serde_json::from_slice(&line).map_err(|error| error.to_string()))
        } else {
            input.consume(1);
            match SIGNALS.iter().find(|(letter, ..)| *letter == first) {
                Some((.., signal)) => Message::Signal(*signal),
                None if first == CLOSE => Message::CloseInput,
                None => Message::Kill,
            }
        };
        if send.send(message).is_err() {
            return;
        }
    }
    // The receiver lives as long as this process.
    let _ = send.send(Message::Gone);
}

/// Kills every process below this one, `first` first.
fn kill_below(first: Option<Pid>) {
    signal(first.into_iter().chain(below()), Signal::KILL);
}

/// Kills and reaps what is left below this process; how many there were. What starts others faster than they are found
/// is found in the next round: its parent is dead by then.
fn reap() -> u32 {
    let mut killed = 0;
    loop {
        // Not `waitpid` of none: that is about the process group, which what called `setsid` has left.
        match wait(WaitOptions::NOHANG) {
            // Nothing is left.
            Err(_) => return killed,
            Ok(Some(_)) => continue,
            Ok(None) => {}
        }
        let found = below();
        killed = killed.max(u32::try_from(found.len()).unwrap_or(u32::MAX));
        signal(found, Signal::KILL);
        // Until one of them has ended.
        let _ = wait(WaitOptions::empty());
    }
}
