//! Servers that a program needs: started before it, watched while it runs, stopped after it.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use matrix_driver::Cancel;
use matrix_store::generic::Costs;

use super::place::Workplace;
use super::{Attempts, Trouble, last_lines, put_costs};
use crate::cells::{self, Cell};
use crate::file::{Ready, Service, Stop};
use crate::supervise::Running;

/// Time between two looks at whether a service is ready.
const LOOK: Duration = Duration::from_millis(10);

/// How long a service has to end by itself when it is asked to.
const GRACE: Duration = Duration::from_secs(20);

struct Started<'e> {
    service: &'e Service,
    running: Running,
    stdout: PathBuf,
    stderr: PathBuf,
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
            let mut job = attempts.job(cell, workplace, &workplace.out, &service.run, &log, service.as_root)?;
            job.timeout_ms = None;
            let (stdout, stderr) = (job.stdout.clone(), job.stderr.clone());
            let ready = match &service.ready {
                Ready::Started => Check::Nothing,
                Ready::Tcp(template) => Check::Tcp(text(attempts, template, cell, workplace)?),
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
            this.started.push(Started { service, running, stdout, stderr });
            if let Some(started) = this.started.last_mut() {
                started.wait_until_ready(&ready, attempts.cancel)?;
            }
        }
        Ok(this)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.started.is_empty()
    }

    /// What is wrong, if a service has ended that the program still needs.
    pub(super) fn dead(&mut self) -> Option<String> {
        self.started.iter_mut().filter(|started| !started.service.until_exit).find_map(|started| {
            let ended = started.running.ended_within(Duration::ZERO)?;
            let said = last_lines(&started.stderr).map(|lines| format!("\n{lines}")).unwrap_or_default();
            Some(format!("service `{}` ended while the program ran: {}{said}", started.service.name, ended.words()))
        })
    }

    /// Ends them, the last one first. What each cost is told.
    pub(super) fn stop(
        mut self,
        attempts: &Attempts<'_>,
        cell: &Cell,
        workplace: &Workplace,
        costs: &mut Costs,
    ) -> Result<(), Trouble> {
        let mut result = Ok(());
        while let Some(mut started) = self.started.pop() {
            let ended = started.stop(attempts, cell, workplace);
            match ended {
                Ok(ended) => put_costs(costs, &format!("service.{}", started.service.name), &ended),
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
    workplace.text(attempts.experiment, template, cell, attempts.here, &workplace.out).map_err(Trouble::Failed)
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
        connect(address).map(|_| address)
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
            if start.elapsed() > limit {
                let said = last_lines(&self.stderr).map(|lines| format!("\n{lines}")).unwrap_or_default();
                let seconds = self.service.ready_s;
                return Err(Trouble::failed(format!("service `{name}` was not ready after {seconds} s{said}")));
            }
        }
    }

    fn is_ready(&self, check: &Check) -> bool {
        match check {
            Check::Nothing => true,
            Check::Tcp(address) => connect(address).is_some(),
            Check::Http(address) => answers(address).unwrap_or(false),
            Check::Line(words) => [&self.stdout, &self.stderr].into_iter().any(|path| {
                std::fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(words.as_str()))
            }),
        }
    }

    fn stop(
        &mut self,
        attempts: &Attempts<'_>,
        cell: &Cell,
        workplace: &Workplace,
    ) -> Result<crate::supervise::Ended, Trouble> {
        let name = self.service.name.clone();
        if self.service.until_exit {
            let ended = self.running.wait(attempts.cancel, &mut || false);
            let code = ended.clone();
            return attempts.must_succeed(&format!("service `{name}`"), &ended, &self.stderr).map(|()| code);
        }
        match &self.service.stop {
            Stop::Signal(name) => self.running.signal(name),
            Stop::Command(arguments) => {
                let aside = super::Aside { what: "stop", arguments, log: "stop" };
                attempts.aside(cell, workplace, &aside, &Cancel::default())?;
            }
        }
        if let Some(ended) = self.running.ended_within(GRACE) {
            return Ok(ended);
        }
        self.running.kill();
        self.running
            .ended_within(GRACE)
            .ok_or_else(|| Trouble::failed(format!("service `{name}` does not end, not even when it is killed")))
    }
}

/// The address of `port`, `:port` or `host:port`.
fn connect(address: &str) -> Option<TcpStream> {
    let address =
        if address.contains(':') { address.trim_start_matches(':').to_owned() } else { format!("127.0.0.1:{address}") };
    let address = if address.contains(':') { address } else { format!("127.0.0.1:{address}") };
    let address = address.to_socket_addrs().ok()?.next()?;
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()
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
    let mut stream = connect(&full)?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n").ok()?;
    let mut start = [0; 12];
    stream.read_exact(&mut start).ok()?;
    Some(start.starts_with(b"HTTP/1.") && start[9] == b'2')
}
