//! Services on another host: `on = "server"`, by ssh.
//!
//! Nothing of ours is installed there. ssh runs a POSIX shell, which starts the service in a session of its own and waits
//! for the end of its own input: that comes when the runner asks for it, and when the connection is lost, `kill -9` of
//! everything here included. It then sends the service its signal, after a while kills it, and with it whatever it started,
//! which is found by a variable of the environment. Its folder `{scratch}` goes with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_core::Point;
use matrix_driver::Cancel;
use matrix_host::machine_of;

use crate::cells::{Here, services_of};
use crate::file::{Experiment, PASSED};
use crate::probe::{self, Probe};
use crate::slurm;

/// Where a host is: `user@address:port`, of which user and port may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// `user@address` or `address`.
    pub login: String,
    /// The address alone: what `{addr:SERVICE}` stands for.
    pub address: String,
    /// The port of ssh, if it is not what ssh's own configuration says.
    pub port: Option<u16>,
}

impl Destination {
    /// Reads `user@address:port`; an IPv6 address with a port stands in brackets. Nothing that ssh would take for one of its
    /// options is a destination.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (user, place) = text.split_once('@').map_or((None, text), |(user, place)| (Some(user), place));
        let (address, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']')?;
                (address, rest.strip_prefix(':').or(if rest.is_empty() { Some("") } else { None })?)
            }
            None => match place.split_once(':') {
                // Several colons are an IPv6 address.
                Some((address, port)) if !port.contains(':') => (address, port),
                _ => (place, ""),
            },
        };
        let port = if port.is_empty() { None } else { Some(port.parse().ok()?) };
        let plain = |word: &str, marks: &[char]| {
            word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':' || c == '_')
                && word.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(&c))
        };
        if !plain(address, &['.', '-', '_', ':', '%']) || !user.is_none_or(|user| plain(user, &['.', '-', '_'])) {
            return None;
        }
        let login = user.map_or_else(|| address.to_owned(), |user| format!("{user}@{address}"));
        Some(Self { login, address: address.to_owned(), port })
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) => write!(f, "{} port {port}", self.login),
            None => f.write_str(&self.login),
        }
    }
}

/// A program on another host.
pub(crate) struct Program<'p> {
    /// It and its arguments.
    pub(crate) arguments: &'p [String],
    /// Variables of its environment, besides the host's own PATH, HOME, TMPDIR and LANG.
    pub(crate) env: &'p BTreeMap<String, String>,
    /// The folder that it runs in; the user's own if it is empty.
    pub(crate) dir: &'p str,
    /// The folder that is made before and removed after it; none if it is empty.
    pub(crate) scratch: &'p str,
    /// The signal that ends it.
    pub(crate) signal: &'p str,
    /// What is in its environment and in that of everything that it starts, so that these are found; empty if they may stay.
    pub(crate) token: &'p str,
    /// Whether it runs as root.
    pub(crate) as_root: bool,
}

/// What runs a program there. One line: there are login shells that take no other. Once the program runs, the shell itself
/// prints nothing: when the connection is lost, that would end it.
const SCRIPT: &str = "\
    token=$1; dir=$2; scratch=$3; signal=$4; root=$5; shift 5; \
    command -v setsid >/dev/null || { echo \"this host has no setsid\" >&2; exit 126; }; \
    cd -- \"${dir:-$HOME}\" || exit 126; \
    if [ -n \"$scratch\" ]; then mkdir -p -- \"$scratch\" || exit 126; fi; \
    end() { kill \"$@\" 2>/dev/null || sudo -n kill \"$@\" 2>/dev/null; }; \
    [ -z \"$LANG\" ] || set -- \"LANG=$LANG\" \"$@\"; \
    [ -z \"$token\" ] || set -- \"MATRIX_ATTEMPT=$token\" \"$@\"; \
    set -- \"PATH=$PATH\" \"HOME=$HOME\" \"TMPDIR=${TMPDIR:-/tmp}\" \"$@\"; \
    if env --default-signal=INT true 2>/dev/null; then set -- --default-signal=INT,QUIT \"$@\"; fi; \
    set -- env -i \"$@\"; \
    if [ \"$root\" = 1 ] && [ \"$(id -u)\" != 0 ]; then set -- sudo -n -- \"$@\"; fi; \
    exec 3<&0; \
    setsid \"$@\" </dev/null 3<&- & \
    pid=$!; \
    exec >/dev/null 2>&1; \
    ( cat <&3; end -s \"$signal\" -- \"-$pid\"; n=0; \
    while end -0 -- \"-$pid\" && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done; \
    end -KILL -- \"-$pid\" ) & \
    watch=$!; \
    wait \"$pid\"; code=$?; \
    end -KILL \"$watch\"; end -KILL -- \"-$pid\"; \
    n=0; while [ -n \"$token\" ] && [ $n -lt 20 ]; do \
    found=$(grep -lsF \"MATRIX_ATTEMPT=$token\" /proc/[0-9]*/environ); [ -n \"$found\" ] || break; \
    for p in $found; do p=${p%/environ}; end -KILL \"${p#/proc/}\"; done; n=$((n + 1)); done; \
    [ -z \"$scratch\" ] || rm -rf -- \"$scratch\"; \
    exit \"$code\"";

/// What says whether a host can run anything, and what machine it is.
const LOOK: &str = "\
    command -v setsid >/dev/null || { echo \"it has no setsid\" >&2; exit 1; }; \
    if [ \"$1\" = 1 ] && [ \"$(id -u)\" != 0 ]; then sudo -n true || exit 1; fi; \
    echo \"cpus $(nproc)\"; grep -m 1 \"model name\" /proc/cpuinfo; grep -m 1 MemTotal: /proc/meminfo; exit 0";

/// The arguments that run a program on another host.
pub(crate) fn arguments(here: &Here, destination: &Destination, program: &Program<'_>) -> Vec<String> {
    let root = if program.as_root { "1" } else { "0" };
    let env = program.env.iter().map(|(name, value)| format!("{name}={value}"));
    let words = [program.token, program.dir, program.scratch, program.signal, root].map(str::to_owned);
    let words: Vec<String> = words.into_iter().chain(env).chain(program.arguments.iter().cloned()).collect();
    ssh(here, destination, SCRIPT, &words)
}

fn ssh(here: &Here, destination: &Destination, script: &str, words: &[String]) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=10"]
            .map(str::to_owned)
            .to_vec();
    if let Some(config) = here.site.get("ssh_config") {
        arguments.extend(["-F".to_owned(), here.folder.join(config).display().to_string()]);
    }
    if let Some(port) = destination.port {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    arguments.extend([destination.login.clone(), format!("exec sh -c {} matrix {}", quoted(script), words.join(" "))]);
    arguments
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The environment of ssh itself.
pub(crate) fn environment() -> BTreeMap<String, String> {
    probe::environment(PASSED.into_iter().chain(["SSH_AUTH_SOCK"]))
}

/// The hosts that services of these points run on, with whether one of them runs as root.
fn needed<'e>(experiment: &'e Experiment, points: &BTreeSet<Point>) -> BTreeMap<&'e str, bool> {
    let mut hosts: BTreeMap<&str, bool> = BTreeMap::new();
    for service in points.iter().flat_map(|point| services_of(experiment, point)) {
        if let Some(host) = &service.on {
            *hosts.entry(host).or_default() |= service.as_root;
        }
    }
    hosts
}

/// Why a host that services run on cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Slurm's job has no node for it; why, in words.
    #[error("{0}")]
    NoNode(String),
    /// It has no place.
    #[error("nothing says where the host `{0}` is, which services run on")]
    Nowhere(String),
    /// It cannot be reached, or lacks something.
    #[error("the host `{host}` ({destination}) cannot be used: {why}")]
    Unusable {
        /// Its name in the experiment.
        host: String,
        /// Its place.
        destination: Destination,
        /// Why, in words.
        why: String,
    },
}

/// Tries every host that these points need, before anything runs; what machines they are is in `here` then, and the
/// nodes of Slurm's job for hosts that have no place.
///
/// # Errors
/// When a host has no place, cannot be reached, or lacks something.
pub fn reach(experiment: &Experiment, here: &mut Here, points: &BTreeSet<Point>) -> Result<(), HostError> {
    let needed = needed(experiment, points);
    let nowhere: Vec<&str> = needed.keys().copied().filter(|host| !here.hosts.contains_key(*host)).collect();
    slurm::take_nodes(&nowhere, here).map_err(HostError::NoNode)?;
    for (host, as_root) in needed {
        let Some(destination) = here.hosts.get(host) else {
            return Err(HostError::Nowhere(host.to_owned()));
        };
        let said = look(here, destination, as_root).map_err(|why| HostError::Unusable {
            host: host.to_owned(),
            destination: destination.clone(),
            why,
        })?;
        here.machines.insert(host.to_owned(), said);
    }
    Ok(())
}

/// What machine a host is; or why it cannot be used.
fn look(here: &Here, destination: &Destination, as_root: bool) -> Result<String, String> {
    let root = if as_root { "1" } else { "0" };
    let arguments = ssh(here, destination, LOOK, &[root.to_owned()]);
    let probe = Probe::run(&probe::supervisors()?, arguments, environment(), &here.folder, 60_000, &Cancel::default())?;
    if !probe.ended.is_success() {
        return Err(probe.words());
    }
    let said = std::fs::read_to_string(&probe.stdout).map_err(|error| error.to_string())?;
    let cpus = said.lines().find_map(|line| line.strip_prefix("cpus ")?.trim().parse().ok()).unwrap_or(1);
    Ok(machine_of(&said, &said, cpus))
}

/// The folder of a service on its host that is removed when it ends; `root` is the attempt's folder here. Not the same, as
/// both may be one machine.
pub(crate) fn scratch(here: &Here, root: &Path, service: &str) -> PathBuf {
    let base = here.site.get("scratch").map(Path::new).filter(|base| base.is_absolute()).unwrap_or(Path::new("/tmp"));
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    base.join(format!("{name}.{service}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_have_a_user_and_a_port_and_are_no_options_of_ssh() {
        let shown = |text: &str| Destination::parse(text).map(|at| format!("{at} ({})", at.address));
        let is = |text: &str, shown_as: &str| assert_eq!(shown(text).as_deref(), Some(shown_as));
        is("user@10.0.0.2", "user@10.0.0.2 (10.0.0.2)");
        is("node-1.lab:2222", "node-1.lab port 2222 (node-1.lab)");
        is("me@[::1]:22", "me@::1 port 22 (::1)");
        is("fe80::1%eth0", "fe80::1%eth0 (fe80::1%eth0)");
        for wrong in ["", "-oProxyCommand=x", "a@-x", "a b", "@x", "a:x", "a:99999", "[::1", "a;b", "a@b@c", "[a]b"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_word_stays_one_word_in_a_shell() {
        for word in ["", "a b", "it's", "$HOME `id` \"x\" \\ *", "a\nb", "'"] {
            let command = format!("printf %s {}", quoted(word));
            let printed = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
            assert_eq!(String::from_utf8(printed.stdout).unwrap(), word);
        }
    }
}
