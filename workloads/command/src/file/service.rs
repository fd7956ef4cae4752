//! `[[command.service]]`: a server that the program needs, fresh for each attempt.

use std::collections::BTreeMap;

use matrix_core::Filter;
use matrix_core::Problem;
use matrix_core::placeholder::Template;
use matrix_core::read::{self, Table};
use toml::de::DeValue;

use super::strings::Strings;
use crate::remote::Destination;

pub(super) const KEYS: &[&str] =
    &["name", "where", "run", "ready", "ready_s", "stop", "until", "on", "as", "dir", "env"];

/// When a service can be used.
#[derive(Clone, Debug, PartialEq)]
pub enum Ready {
    /// As soon as it has started.
    Started,
    /// When this port takes a connection: `host:port`.
    Tcp(Template),
    /// When a GET of this address is answered with 2xx.
    Http(Template),
    /// When it has printed a line with this text.
    Line(Template),
}

/// How a service is ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// By a signal, and by KILL if that does not do.
    Signal(&'static str),
    /// By a command.
    Command(Vec<Template>),
}

/// A server that the program needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The points that need it; all without one.
    pub only: Option<Filter>,
    /// The program and its arguments.
    pub run: Vec<Template>,
    /// When it can be used.
    pub ready: Ready,
    /// Seconds that it has to become ready.
    pub ready_s: f64,
    /// How it is ended.
    pub stop: Stop,
    /// Whether the attempt ends when this service does, and not before.
    pub until_exit: bool,
    /// Whether it runs as root.
    pub as_root: bool,
    /// The host that it runs on, by its name in `[site]`; this one without it.
    pub on: Option<String>,
    /// The folder that it runs in: that of the program without it, and on another host that of its user.
    pub dir: Option<Template>,
    /// Variables of its environment, besides those of the program.
    pub env: BTreeMap<String, Template>,
}

/// Hosts that services may run on, by name.
pub(super) type Hosts = BTreeMap<String, Option<Destination>>;

/// Signals that end a service.
const SIGNALS: [&str; 5] = ["TERM", "INT", "QUIT", "HUP", "KILL"];

/// Reads every `[[command.service]]`.
pub(super) fn services(
    command: &Table<'_>,
    strings: &Strings<'_>,
    hosts: &Hosts,
    problems: &mut Vec<Problem>,
) -> Option<Vec<Service>> {
    let tables = read::tables(command, "service", "[[command.service]]", KEYS, problems);
    let mut services: Vec<Service> = Vec::new();
    for table in &tables {
        let service = service(table, strings, hosts, problems)?;
        if services.iter().any(|other| other.name == service.name) {
            let problem = Problem::new(format!("two services are called `{}`", service.name)).at(table.span());
            problems.push(problem.label("taken by an earlier one"));
        }
        services.push(service);
    }
    Some(services)
}

fn service(table: &Table<'_>, strings: &Strings<'_>, hosts: &Hosts, problems: &mut Vec<Problem>) -> Option<Service> {
    let name = table.require("name", "name = \"db\"", problems).and_then(|value| {
        let name = read::text(value, "a service's name", problems)?;
        if !read::is_identifier(name) {
            let problem = Problem::new(format!("`{name}` is no name of a service")).at(value.span());
            problems.push(problem.label("a small letter, then small letters, digits and `_`"));
            return None;
        }
        Some(name.to_owned())
    });
    let only = table.get("where").map(|value| strings.filter(value, "`where`", problems));
    let run = table.require("run", "run = [\"./server\", \"--port\", \"{port:db}\"]", problems);
    let run = run.and_then(|value| strings.arguments(value, "`run`", problems));
    let ready = table.get("ready").map_or(Some(Ready::Started), |value| ready(value, strings, problems));
    let ready_s = table.get("ready_s").map_or(Some(30.0), |value| {
        read::number(value, "`ready_s`", |seconds| seconds > 0.0, "must be above 0", problems)
    });
    let stop = table.get("stop").map_or(Some(Stop::Signal("TERM")), |value| match value.get_ref() {
        DeValue::String(_) => read::one_of(value, "`stop`", "signal", &SIGNALS, problems).map(Stop::Signal),
        _ => strings.arguments(value, "`stop`", problems).map(Stop::Command),
    });
    let until_exit = table
        .get("until")
        .map_or(Some(false), |value| read::one_of(value, "`until`", "end", &["exit"], problems).map(|_| true));
    let as_root = super::command::as_root(table, problems);
    let on = table.get("on").map_or(Some(None), |value| on(value, hosts, problems).map(Some));
    let dir = table.get("dir").map_or(Some(None), |value| strings.template(value, "`dir`", problems).map(Some));
    let env = super::command::environment(table, strings, problems);
    Some(Service {
        name: name?,
        only: only.map_or(Some(None), |only| only.map(Some))?,
        run: run?,
        ready: ready?,
        ready_s: ready_s?,
        stop: stop?,
        until_exit: until_exit?,
        as_root,
        on: on?,
        dir: dir?,
        env: env?,
    })
}

/// Reads `on`: a name of `hosts` of `[site]`.
fn on(value: &read::Value<'_>, hosts: &Hosts, problems: &mut Vec<Problem>) -> Option<String> {
    let name = read::text(value, "`on`", problems)?;
    if hosts.contains_key(name) {
        return Some(name.to_owned());
    }
    let known: Vec<&str> = hosts.keys().map(String::as_str).collect();
    let problem = read::unknown("host", name, value.span(), &known);
    problems.push(match known.is_empty() {
        true => problem.help(format!("name it in [site]: hosts = {{ {name} = [\"user@10.0.0.2\"] }}")),
        false => problem,
    });
    None
}

fn ready(value: &read::Value<'_>, strings: &Strings<'_>, problems: &mut Vec<Problem>) -> Option<Ready> {
    let text = read::text(value, "`ready`", problems)?;
    if let Some(line) = text.strip_prefix("line:") {
        return strings.parse(line, &value.span(), problems).map(Ready::Line);
    }
    if let Some(port) = text.strip_prefix("tcp:") {
        return strings.parse(port, &value.span(), problems).map(Ready::Tcp);
    }
    if text.starts_with("http://") {
        return strings.parse(text, &value.span(), problems).map(Ready::Http);
    }
    let problem = Problem::new(format!("`ready` cannot be `{text}`")).at(value.span());
    problems.push(
        problem
            .label("not a way to be ready")
            .help("write tcp:{port:db}, http://127.0.0.1:{port:db}/health or line:WORDS"),
    );
    None
}
