//! Servers that a program needs: started before it, watched while it runs, stopped after it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use matrix_driver::Cancel;
use matrix_store::generic::Costs;

use super::place::{Folders, Workplace};
use super::{Attempts, MAX_PRINTED, Program, Trouble, last_lines, put_costs};
use crate::cells::{self, Cell};
use crate::file::{Ready, Service, Stop};
use crate::supervise::Running;

/// Time between two looks at whether a service is ready.
const LOOK: Duration = Duration::from_millis(10);

/// How long a service has to end by itself when it is asked to.
const GRACE: Duration = Duration::from_secs(20);

/// Most bytes of a service's output that are looked at at once for the words that say that it is ready.
const LOOKED_AT_ONCE: u64 = 1 << 20;

struct Started<'e> {
    service: &'e Service,
    running: Running,
    stdout: PathBuf,
    stderr: PathBuf,
    /// How much of each was looked at for the words that say that it is ready, in bytes.
    looked: [u64; 2],
    /// How long one that ends by itself is waited for once the program has ended well.
    limit: Option<Duration>,
}

/// The servers of an attempt. Dropped, they are killed.
pub(super) struct Services<'e> {
    started: Vec<Started<'e>>,
}

impl<'e> Services<'e> {
    /// Starts what the cell needs, each when the one before is ready.
    pub(super) fn start(attempts: &'e Attempts<'_>, cell: &Cell, workplace: &Workplace) -> Result<Self, Trouble> {
        let mut this = Self { started: Vec::new() };
        for service in cells::services_of(attempts.experiment, &cell.point) {
            let log = format!("service.{}", service.name);
            let program = Program { arguments: &service.run, log: &log, of: Some(service) };
            let mut job = attempts.job(cell, workplace, &workplace.out, &program)?;
            let limit = job.timeout_ms.take().map(Duration::from_millis);
            let (stdout, stderr) = (job.stdout.clone(), job.stderr.clone());
            let ready = match &service.ready {
                Ready::Started => Check::Nothing,
                Ready::Tcp(template) => {
                    let address = text(attempts, template, cell, workplace)?;
                    Check::Tcp(on_its_host(&address, &attempts.here.address(attempts.experiment, &service.name)))
                }
                Ready::Http(template) => Check::Http(text(attempts, template, cell, workplace)?),
                Ready::Line(template) => Check::Line(text(attempts, template, cell, workplace)?),
            };
            if let Some(address) = ready.taken() {
                let name = &service.name;
                return Err(Trouble::failed(format!(
                    "service `{name}`: {address} is taken: something else listens there"
                )));
            }
            let running = attempts.start(&job)?;
            this.started.push(Started { service, running, stdout, stderr, looked: [0; 2], limit });
            if let Some(started) = this.started.last_mut() {
                started.wait_until_ready(&ready, attempts.cancel)?;
            }
        }
        Ok(this)
    }

    /// What the watch on this host found, and which other hosts nobody watched.
    pub(super) fn unwatched(&self, found: String) -> String {
        let mut others: Vec<&str> = self.started.iter().filter_map(|started| started.service.on.as_deref()).collect();
        others.dedup();
        match (others.is_empty(), found.contains("not watched")) {
            (true, _) => found,
            (false, true) => format!("{found}, the host {}", others.join(", the host ")),
            (false, false) => format!("{found}; not watched: the host {}", others.join(", the host ")),
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.started.is_empty()
    }

    /// What is wrong, if a service has ended that the program still needs, or prints without end.
    pub(super) fn dead(&mut self) -> Option<String> {
        if let Some(too_much) = self.started.iter().find_map(Started::too_much) {
            return Some(too_much);
        }
        self.started.iter_mut().filter(|started| !started.service.until_exit).find_map(|started| {
            let ended = started.running.ended_within(Duration::ZERO)?;
            let said = last_lines(&started.stderr).map(|lines| format!("\n{lines}")).unwrap_or_default();
            Some(format!("service `{}` ended while the program ran: {}{said}", started.service.name, ended.words()))
        })
    }

    /// Ends them, the last one first. What each cost is told. `went_well`: whether the program did, so that those that end by themselves will.
    pub(super) fn stop(
        mut self,
        went_well: bool,
        attempts: &Attempts<'_>,
        cell: &Cell,
        workplace: &Workplace,
        costs: &mut Costs,
    ) -> Result<(), Trouble> {
        let mut result = Ok(());
        while let Some(mut started) = self.started.pop() {
            let ended = started.stop(went_well, attempts, cell, workplace);
            match ended {
                Ok(ended) => {
                    put_costs(
                        costs,
                        &format!("service.{}", started.service.name),
                        &ended,
                        started.service.on.is_none(),
                    );
                }
                Err(trouble) => result = result.and(Err(trouble)),
            }
        }
        result
    }
}

fn text(
    attempts: &Attempts<'_>,
    template: &matrix_core::Template,
    cell: &Cell,
    workplace: &Workplace,
) -> Result<String, Trouble> {
    let folders = Folders { out: &workplace.out, scratch: &workplace.scratch };
    workplace.text(attempts.experiment, template, cell, attempts.here, folders).map_err(Trouble::Failed)
}

/// What to look at to know whether a service is ready.
enum Check {
    Nothing,
    Tcp(String),
    Http(String),
    Line(String),
}

impl Check {
    /// The address that says that a service is ready, if somebody answers there before it was started.
    fn taken(&self) -> Option<&str> {
        let address = match self {
            Self::Tcp(address) => address.as_str(),
            Self::Http(address) => host_of(address)?.0,
            Self::Nothing | Self::Line(_) => return None,
        };
        connect(address).ok().map(|_| address)
    }
}

impl Started<'_> {
    fn wait_until_ready(&mut self, check: &Check, cancel: &Cancel) -> Result<(), Trouble> {
        let name = &self.service.name;
        let limit = Duration::try_from_secs_f64(self.service.ready_s).unwrap_or(Duration::MAX);
        let start = Instant::now();
        loop {
            if cancel.is_cancelled() {
                return Err(Trouble::Cancelled);
            }
            // One that has ended is not ready, even if something else listens on its port.
            let ended = self.running.ended_within(if matches!(check, Check::Nothing) { Duration::ZERO } else { LOOK });
            if let Some(ended) = ended {
                let said = last_lines(&self.stderr).or_else(|| last_lines(&self.stdout));
                let said = said.map(|lines| format!("\n{lines}")).unwrap_or_default();
                return Err(Trouble::failed(format!(
                    "service `{name}` ended before it was ready: {}{said}",
                    ended.words()
                )));
            }
            if self.is_ready(check) {
                return Ok(());
            }
            if let Some(trouble) = self.too_much() {
                return Err(Trouble::failed(trouble));
            }
            if start.elapsed() > limit {
                let said = last_lines(&self.stderr).map(|lines| format!("\n{lines}")).unwrap_or_default();
                let seconds = self.service.ready_s;
                let why = match check {
                    Check::Tcp(address) => connect(address).err().map(|error| format!(": {address}: {error}")),
                    _ => None,
                };
                let why = why.unwrap_or_default();
                return Err(Trouble::failed(format!("service `{name}` was not ready after {seconds} s{why}{said}")));
            }
        }
    }

    /// That it printed more than is kept of it, if it did.
    fn too_much(&self) -> Option<String> {
        let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        (size(&self.stdout) + size(&self.stderr) > MAX_PRINTED)
            .then(|| format!("service `{}` printed more than {} GiB", self.service.name, MAX_PRINTED >> 30))
    }

    fn is_ready(&mut self, check: &Check) -> bool {
        match check {
            Check::Nothing => true,
            Check::Tcp(address) => connect(address).is_ok(),
            Check::Http(address) => answers(address).unwrap_or(false),
            Check::Line(words) => {
                let [out, err] = &mut self.looked;
                // What cannot be read yet is looked at again.
                says(&self.stdout, words, out).unwrap_or(false) || says(&self.stderr, words, err).unwrap_or(false)
            }
        }
    }

    fn stop(
        &mut self,
        went_well: bool,
        attempts: &Attempts<'_>,
        cell: &Cell,
        workplace: &Workplace,
    ) -> Result<crate::supervise::Ended, Trouble> {
        let name = self.service.name.clone();
        if self.service.until_exit && went_well {
            let (since, mut is_late) = (Instant::now(), false);
            let ended = self.running.wait(attempts.cancel, &mut || {
                is_late = self.limit.is_some_and(|limit| since.elapsed() > limit);
                is_late
            });
            if is_late {
                return Err(Trouble::failed(format!(
                    "service `{name}` did not end within `timeout_s` of the program, as `until = \"exit\"` says"
                )));
            }
            return attempts.must_succeed(&format!("service `{name}`"), &ended, &self.stderr).map(|()| ended);
        }
        // What it waits for may never come when the program failed.
        if self.service.until_exit
            && let Some(ended) = self.running.ended_within(self.limit.map_or(GRACE, |limit| limit.min(GRACE)))
        {
            return Ok(ended);
        }
        match &self.service.stop {
            // The signal is sent where it runs.
            Stop::Signal(_) if self.service.on.is_some() => self.running.close_input(),
            Stop::Signal(name) => self.running.signal(name),
            Stop::Command(arguments) => {
                let aside = Program { arguments, log: "stop", of: Some(self.service) };
                attempts.aside(cell, workplace, &aside, &Cancel::default())?;
            }
        }
        if let Some(ended) = self.running.ended_within(GRACE) {
            return Ok(ended);
        }
        if self.service.on.is_some() {
            self.running.close_input();
            if let Some(ended) = self.running.ended_within(GRACE) {
                return Ok(ended);
            }
        }
        self.running.kill();
        self.running
            .ended_within(GRACE)
            .ok_or_else(|| Trouble::failed(format!("service `{name}` does not end, not even when it is killed")))
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        if self.service.on.is_some() && self.running.ended_within(Duration::ZERO).is_none() {
            // Its end over there is waited for; when this connection is cut, it comes as well, but nobody knows when.
            self.running.close_input();
            let _ = self.running.ended_within(GRACE);
        }
    }
}

/// Whether a file says some words behind what was `looked` at, a piece at a time: it may be long, and grow.
fn says(path: &Path, words: &str, looked: &mut u64) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(*looked))?;
    // The end of one piece may be the beginning of the words.
    let mut piece = Vec::new();
    while (&file).take(LOOKED_AT_ONCE).read_to_end(&mut piece)? > 0 {
        if piece.windows(words.len().max(1)).any(|found| found == words.as_bytes()) {
            return Ok(true);
        }
        let kept = piece.len().min(words.len().saturating_sub(1));
        *looked += (piece.len() - kept) as u64;
        piece.drain(..piece.len() - kept);
    }
    Ok(words.is_empty())
}

/// An address that is a port alone, on the host of its service.
fn on_its_host(address: &str, host: &str) -> String {
    match (address.trim_start_matches(':'), host.contains(':')) {
        (port, _) if port.contains(':') => address.to_owned(),
        (port, true) => format!("[{host}]:{port}"),
        (port, false) => format!("{host}:{port}"),
    }
}

/// The address of `port`, `:port` or `host:port`.
fn connect(address: &str) -> std::io::Result<TcpStream> {
    let address =
        if address.contains(':') { address.trim_start_matches(':').to_owned() } else { format!("127.0.0.1:{address}") };
    let address = if address.contains(':') { address } else { format!("127.0.0.1:{address}") };
    let address = address.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    TcpStream::connect_timeout(&address, Duration::from_secs(1))
}

/// Host, with its port, and path of `http://host:port/path`.
fn host_of(address: &str) -> Option<(&str, &str)> {
    let rest = address.strip_prefix("http://")?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

/// Whether a GET of `http://host:port/path` is answered with 2xx.
fn answers(address: &str) -> Option<bool> {
    let (host, path) = host_of(address)?;
    let full = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let mut stream = connect(&full).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n").ok()?;
    let mut start = [0; 12];
    stream.read_exact(&mut start).ok()?;
    Some(start.starts_with(b"HTTP/1.") && start[9] == b'2')
}
