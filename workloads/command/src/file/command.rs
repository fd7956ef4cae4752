//! `[command]`: the program that is measured.

use std::collections::BTreeMap;

use matrix_core::Problem;
use matrix_core::placeholder::{Names, Template};
use matrix_core::printable;
use matrix_core::read::{self, Table};
use toml::de::DeValue;

use super::service::{self, Hosts, Service};
use super::strings::{Amount, Strings};

pub(super) const KEYS: &[&str] = &[
    "run",
    "setup",
    "teardown",
    "dir",
    "inputs",
    "env",
    "pass",
    "version",
    "timeout_s",
    "warmup",
    "retries",
    "rows",
    "service",
    "as",
];

/// Time that a program has, where nothing else is said, in seconds.
const TIMEOUT_S: &str = "3600";

/// Variables of the environment that every program is given.
pub const PASSED: [&str; 4] = ["PATH", "HOME", "TMPDIR", "LANG"];

/// The program that is measured, and what is around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The program and its arguments.
    pub run: Vec<Template>,
    /// What runs before each attempt, not measured.
    pub setup: Vec<Vec<Template>>,
    /// What runs after each attempt, whatever came of it.
    pub teardown: Vec<Vec<Template>>,
    /// The folder that it runs in, relative to the experiment's file.
    pub dir: Template,
    /// Files and globs below `dir` that are part of the key.
    pub inputs: Vec<Template>,
    /// Variables of its environment.
    pub env: BTreeMap<String, Template>,
    /// Names of variables that are passed as they are.
    pub pass: Vec<String>,
    /// What prints the program's version.
    pub version: Option<Vec<Template>>,
    /// Seconds that it may take.
    pub timeout_s: Template,
    /// Runs before each attempt that are not recorded.
    pub warmup: u32,
    /// Attempts more after a failure.
    pub retries: u32,
    /// Servers that it needs.
    pub services: Vec<Service>,
    /// Whether the program, its setup and its teardown run as root.
    pub as_root: bool,
}

/// The names that placeholders may use, as far as they can be read before anything else.
pub(super) fn names(root: &Table<'_>, site: &BTreeMap<String, String>) -> Names {
    let mut services = Vec::new();
    if let Some(DeValue::Table(command)) = root.get("command").map(|value| value.get_ref())
        && let Some(DeValue::Array(tables)) = command.get("service").map(|value| value.get_ref())
    {
        for table in tables.iter() {
            if let DeValue::Table(table) = table.get_ref()
                && let Some(DeValue::String(name)) = table.get("name").map(|value| value.get_ref())
            {
                services.push(name.to_string());
            }
        }
    }
    let mut site: Vec<String> = site.keys().cloned().collect();
    if !site.iter().any(|name| name == "scratch") {
        site.push("scratch".to_owned());
    }
    Names { services, prepared: super::prepare::names(root), site, preparing: false }
}

/// Reads `[command]`.
pub(super) fn command(
    root: &Table<'_>,
    strings: &Strings<'_>,
    hosts: &Hosts,
    problems: &mut Vec<Problem>,
) -> Option<Command> {
    let value = root.require("command", "[command]\nrun = [\"./bench\"]", problems)?;
    let table = Table::open(value, "[command]", KEYS, problems)?;
    let as_root = as_root(&table, problems);
    let run = table.require("run", "run = [\"./bench\", \"--threads\", \"{threads}\"]", problems);
    let run = run.and_then(|value| strings.arguments(value, "`run`", problems));
    let setup = several(&table, "setup", strings, problems);
    let teardown = several(&table, "teardown", strings, problems);
    let literal = |text: &str| Template::parse(text, strings.axes, &strings.names).ok();
    let dir = match table.get("dir") {
        Some(value) => strings.template(value, "`dir`", problems),
        None => literal("."),
    };
    let inputs = match table.get("inputs") {
        None => Some(Vec::new()),
        Some(value) => read::items(value, "`inputs`", problems)
            .and_then(|items| items.iter().map(|item| strings.template(item, "an input", problems)).collect()),
    };
    let env = environment(&table, strings, problems);
    let pass = passed(&table, problems);
    let version = table.get("version").map(|value| strings.arguments(value, "`version`", problems));
    let timeout_s = match table.get("timeout_s") {
        None => literal(TIMEOUT_S),
        Some(value) => match value.get_ref() {
            DeValue::String(_) => strings.template(value, "`timeout_s`", problems),
            _ => read::number(value, "`timeout_s`", |seconds| seconds > 0.0, "must be above 0", problems)
                .and_then(|seconds| literal(&matrix_core::value::canonical_number(seconds))),
        },
    };
    if let Some((value, template)) = table.get("timeout_s").zip(timeout_s.as_ref()) {
        let is_one = |text: &str| seconds(text).is_some();
        let amount = Amount { what: "`timeout_s`", is_one, help: "write seconds: timeout_s = 120", only: None };
        strings.check(template, value.span(), &amount, problems);
    }
    let mut count = |key: &str| match table.get(key) {
        None => Some(0),
        Some(value) => {
            let count = read::integer(value, &format!("`{key}`"), 0..=1000, problems);
            count.and_then(|count| u32::try_from(count).ok())
        }
    };
    let (warmup, retries) = (count("warmup"), count("retries"));
    let services = service::services(&table, strings, hosts, problems);
    Some(Command {
        run: run?,
        setup: setup?,
        teardown: teardown?,
        dir: dir?,
        inputs: inputs?,
        env: env?,
        pass: pass?,
        version: version.map_or(Some(None), |version| version.map(Some))?,
        timeout_s: timeout_s?,
        warmup: warmup?,
        retries: retries?,
        services: services?,
        as_root,
    })
}

/// The seconds that a program may take; none where a text is no such number.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    text.parse().ok().filter(|seconds: &f64| *seconds > 0.0 && seconds.is_finite())
}

/// Reads `as`: whether something runs as root.
pub(super) fn as_root(table: &Table<'_>, problems: &mut Vec<Problem>) -> bool {
    let Some(value) = table.get("as") else { return false };
    read::one_of(value, "`as`", "user", &["root"], problems).is_some()
}

/// A list of argument lists.
fn several(
    table: &Table<'_>,
    key: &str,
    strings: &Strings<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Vec<Vec<Template>>> {
    let Some(value) = table.get(key) else { return Some(Vec::new()) };
    let what = format!("`{key}`");
    let items = read::items(value, &what, problems)?;
    if let Some(item) = items.iter().find(|item| item.get_ref().as_str().is_some()) {
        let problem = Problem::new(format!("{what} is a list of argument lists")).at(item.span());
        problems.push(problem.label("expected a list").help(format!("write {key} = [[\"./load\", \"{{scratch}}\"]]")));
        return None;
    }
    let lists: Vec<_> = items.iter().map(|item| strings.arguments(item, &what, problems)).collect();
    lists.into_iter().collect()
}

pub(super) fn environment(
    table: &Table<'_>,
    strings: &Strings<'_>,
    problems: &mut Vec<Problem>,
) -> Option<BTreeMap<String, Template>> {
    let Some(value) = table.get("env") else { return Some(BTreeMap::new()) };
    let entries = read::any_table(value, "`env`", problems)?;
    let mut env = BTreeMap::new();
    for (name, place, value) in read::entries(entries) {
        variable(name, place, problems)?;
        env.insert(name.to_owned(), strings.template(value, "a value of `env`", problems)?);
    }
    Some(env)
}

/// Reads `pass`: names of variables.
fn passed(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<Vec<String>> {
    let Some(value) = table.get("pass") else { return Some(Vec::new()) };
    let names = read::texts(value, "`pass`", problems)?;
    names.into_iter().map(|(name, place)| variable(&name, place, problems).map(|()| name)).collect()
}

/// Checks the name of a variable of the environment.
fn variable(name: &str, place: std::ops::Range<usize>, problems: &mut Vec<Problem>) -> Option<()> {
    if !name.is_empty() && !name.contains(|letter: char| letter == '=' || letter.is_control()) {
        return Some(());
    }
    let problem = Problem::new(format!("`{}` is no name of a variable", printable::one_line(name))).at(place);
    let help = "a name has at least one character, no `=` and no control characters";
    problems.push(problem.label("not a name").help(help));
    None
}

#[cfg(test)]
mod tests {
    use matrix_core::read::Reading;

    use crate::file::{Experiment, parse_site};

    /// What is wrong with lines of `[command]`, each with the text at its place.
    fn wrong(lines: &str) -> Vec<(String, String)> {
        let text = format!(
            "schema = 2\nname = \"t\"\nworkload = \"command\"\n[axes]\na = {{ values = [1], args = {{ 1 = [\"-x\"] }} }}\n\
             [columns]\nt = {{ unit = \"us\", type = \"integer\" }}\n[command]\nrows = \"csv:stdout\"\n{lines}\n"
        );
        let Err(problems) = Experiment::parse(&text) else { return Vec::new() };
        problems.0.iter().map(|p| (p.message.clone(), text[p.span.clone().unwrap()].to_owned())).collect()
    }

    #[test]
    fn what_is_no_amount_at_some_point_is_told_with_it_unless_a_run_saved_it() {
        let text = |axes: &str, more: &str| {
            format!(
                "schema = 2\nname = \"t\"\nworkload = \"command\"\n[site]\nlimit = \"2m\"\n[axes]\n{axes}\n[command]\nrun = [\"x\"]\n{more}\n"
            )
        };
        let require = |line: &str| format!("[[require]]\nelse = \"needs it\"\nwhere = \"k > 1\"\n{line}");
        let cases = [
            ("timeout_s = \"2m\"".to_owned(), "`timeout_s` cannot be `2m` at \"2m\": here"),
            ("timeout_s = \"{k}\"".to_owned(), "`timeout_s` cannot be `0` at \"{k}\": at k=0"),
            (require("cpus = \"{k}x\""), "`cpus` of a [[require]] cannot be `2x` at \"{k}x\": at k=2"),
            (require("memory = \"{k} Gib\""), "`memory` of a [[require]] cannot be `2 Gib` at \"{k} Gib\": at k=2"),
            (require("disk = \"much\""), "`disk` of a [[require]] cannot be `much` at \"much\": here"),
        ];
        for (more, told) in cases {
            let text = text("k = [0, 2]", &more);
            let problems = Experiment::parse(&text).unwrap_err().0;
            let shown = |p: &matrix_core::Problem| {
                format!("{} at {}: {}", p.message, &text[p.span.clone().unwrap()], p.label.clone().unwrap())
            };
            assert_eq!(problems.iter().map(shown).collect::<Vec<_>>(), [told]);
            assert!(Experiment::read(&text, Reading::Saved).is_ok(), "{more}");
        }
        for more in [
            "timeout_s = \"{site.limit}\"",
            "timeout_s = \"1{k}\"",
            &require("cpus = 2\nmemory = \"{k} GiB\"\ndisk = 5"),
        ] {
            assert!(Experiment::parse(&text("k = [0, 2]", more)).is_ok(), "{more}");
        }
        let none = text("k = [1, 2]", "[[matrix]]\nexclude = [{ k = 1 }, { k = 2 }]");
        let problem = Experiment::parse(&none).unwrap_err().0.remove(0);
        assert_eq!(problem.message, "`exclude` leaves no point: the experiment has no cell");
        assert_eq!(&none[problem.span.unwrap()], "[{ k = 1 }, { k = 2 }]");
    }

    #[test]
    fn what_no_program_can_be_given_is_told_before_anything_runs() {
        let nul = r#""a\u0000b""#;
        for lines in [
            format!("run = [\"x\", {nul}]"),
            format!("run = [\"x\"]\nenv = {{ A = {nul} }}"),
            format!("run = [\"x\"]\nsetup = [[\"x\", {nul}]]"),
            format!("run = [\"x\"]\ndir = {nul}"),
        ] {
            let told = wrong(&lines);
            assert!(told.len() == 1 && told[0].0.contains("number 0") && told[0].1 == nul, "{lines}: {told:?}");
        }
        assert_eq!(wrong("run = [\"\", \"a\"]"), [("the program of `run` has no name".to_owned(), "\"\"".to_owned())]);
        assert_eq!(wrong("run = [\"x\", \"\"]\npass = [\"A_b.1\"]\nenv = { \"A-B\" = \"\" }"), []);
        for (name, shown) in [("A=B", "A=B"), ("", ""), (r"\u001b[31m", r"\u{1b}[31m"), (r"a\u0000", r"\u{0}")] {
            for lines in [
                format!("run = [\"x\"]\npass = [\"OK\", \"{name}\"]"),
                format!("run = [\"x\"]\nenv = {{ \"{name}\" = \"1\" }}"),
            ] {
                let told = wrong(&lines);
                assert!(told.len() == 1 && told[0].0.ends_with("` is no name of a variable"), "{lines}: {told:?}");
                assert!(told[0].0.contains(shown) && told[0].1 == format!("\"{name}\""), "{lines}: {told:?}");
            }
        }
        assert!(parse_site("a = \"b\\u0000\"").unwrap_err().to_string().contains("number 0"));
    }
}
