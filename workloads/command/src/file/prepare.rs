//! `[[prepare]]`: what is made once, before any cell runs, and shared by cells.

use std::collections::BTreeMap;

use matrix_core::Problem;
use matrix_core::axes::AxisSet;
use matrix_core::placeholder::{Names, Segment, Template};
use matrix_core::read::{self, Table};
use matrix_store::Digest;
use toml::de::DeValue;

use super::strings::Strings;

pub(super) const KEYS: &[&str] = &["name", "each", "run", "fetch", "inputs"];

/// How something is made.
#[derive(Clone, Debug, PartialEq)]
pub enum Making {
    /// By a program, which writes into `{prepared}`.
    Run(Vec<Template>),
    /// By a download of a file that is known by its digest.
    Fetch {
        /// Where it is.
        url: String,
        /// The SHA-256 of its bytes.
        sha256: Digest,
    },
}

/// Something that is made once for each combination of values of some axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepare {
    /// Its name: `{prepared:NAME}` is its folder.
    pub name: String,
    /// The axes whose values it is made for, by position.
    pub each: Vec<usize>,
    /// How it is made.
    pub making: Making,
    /// Files and globs that it is made of; when they change, it is made again.
    pub inputs: Vec<Template>,
}

/// The names that `[[prepare]]` declares, as far as they can be read before anything else.
pub(super) fn names(root: &Table<'_>) -> Vec<String> {
    let Some(DeValue::Array(tables)) = root.get("prepare").map(|value| value.get_ref()) else { return Vec::new() };
    let name = |table: &read::Value<'_>| Some(table.get_ref().as_table()?.get("name")?.get_ref().as_str()?.to_owned());
    tables.iter().filter_map(name).collect()
}

/// Reads every `[[prepare]]`. Each may use what those before it made.
pub(super) fn prepares(
    root: &Table<'_>,
    strings: &Strings<'_>,
    args: &BTreeMap<(usize, String), Vec<Template>>,
    problems: &mut Vec<Problem>,
) -> Vec<Prepare> {
    let mut found: Vec<Prepare> = Vec::new();
    for table in read::tables(root, "prepare", "[[prepare]]", KEYS, problems) {
        let known = found.iter().map(|prepare| prepare.name.clone()).collect();
        let names = Names { prepared: known, services: Vec::new(), preparing: true, ..strings.names.clone() };
        let strings = Strings { names, ..*strings };
        let Some(prepare) = prepare(&table, &strings, problems) else { continue };
        if found.iter().any(|other| other.name == prepare.name) {
            let problem = Problem::new(format!("two prepares are called `{}`", prepare.name)).at(table.span());
            problems.push(problem.label("taken by an earlier one"));
        }
        if let Some(why) = foreign(&prepare, strings.axes, args, &found) {
            problems.push(Problem::new(format!("prepare `{}` {why}", prepare.name)).at(table.span()).label("here"));
        }
        found.push(prepare);
    }
    found
}

fn prepare(table: &Table<'_>, strings: &Strings<'_>, problems: &mut Vec<Problem>) -> Option<Prepare> {
    let name = table.require("name", "name = \"trace\"", problems).and_then(|value| {
        let name = read::text(value, "a prepare's name", problems)?;
        if read::is_identifier(name) {
            return Some(name.to_owned());
        }
        let problem = Problem::new(format!("`{name}` is no name of a prepare")).at(value.span());
        problems.push(problem.label("a small letter, then small letters, digits and `_`"));
        None
    });
    let mut each = Vec::new();
    for (axis, place) in table.get("each").and_then(|value| read::texts(value, "`each`", problems)).unwrap_or_default()
    {
        each.extend(read::position(&axis, place, "axis", &strings.axes.names(), problems));
    }
    let inputs = match table.get("inputs") {
        None => Some(Vec::new()),
        Some(value) => read::items(value, "`inputs`", problems)
            .and_then(|items| items.iter().map(|item| strings.template(item, "an input", problems)).collect()),
    };
    let making = match (table.get("run"), table.get("fetch")) {
        (Some(value), None) => strings.arguments(value, "`run`", problems).map(Making::Run),
        (None, Some(value)) => fetch(value, problems),
        (run, _) => {
            let both = if run.is_some() { "both `run` and `fetch`" } else { "neither `run` nor `fetch`" };
            let problem = Problem::new(format!("a [[prepare]] has {both}")).at(table.span());
            let help = "write run = [\"./make-trace\", \"--out\", \"{prepared}\"], or \
                        fetch = { url = \"https://...\", sha256 = \"...\" }";
            problems.push(problem.label("it needs one of them").help(help));
            None
        }
    };
    Some(Prepare { name: name?, each, making: making?, inputs: inputs? })
}

fn fetch(value: &read::Value<'_>, problems: &mut Vec<Problem>) -> Option<Making> {
    let table = Table::open(value, "`fetch`", &["url", "sha256"], problems)?;
    let address = table.require("url", "url = \"https://example.org/trace.bin\"", problems);
    let url = address.and_then(|value| read::text(value, "`url`", problems));
    if let (Some(value), Some(url)) = (address, url)
        && !["https://", "http://", "file:///"].iter().any(|start| url.starts_with(start))
    {
        let problem = Problem::new(format!("`url` cannot be `{url}`")).at(value.span());
        problems.push(problem.label("begins with https://, http:// or file:///"));
        return None;
    }
    let digest = table.require("sha256", "sha256 = \"...\"", problems)?;
    let sha256 = read::text(digest, "`sha256`", problems)?.parse().ok();
    if sha256.is_none() {
        let problem = Problem::new("`sha256` is no SHA-256").at(digest.span());
        problems.push(problem.label("64 digits of 0-9 and a-f, as `sha256sum FILE` prints them"));
    }
    Some(Making::Fetch { url: url?.to_owned(), sha256: sha256? })
}

/// What a prepare depends on that is not the same for all the cells that share it, in words.
fn foreign(
    prepare: &Prepare,
    axes: &AxisSet,
    args: &BTreeMap<(usize, String), Vec<Template>>,
    earlier: &[Prepare],
) -> Option<String> {
    let name = |axis: usize| axes.axes.get(axis).map(|axis| axis.name.clone()).unwrap_or_default();
    let run: &[Template] = if let Making::Run(run) = &prepare.making { run } else { &[] };
    let templates: Vec<&Template> = run.iter().chain(&prepare.inputs).collect();
    let of_args = |template: &&Template| template.args_of();
    let expanded = templates
        .iter()
        .filter_map(of_args)
        .flat_map(|axis| args.iter().filter(move |((of, _), _)| *of == axis).flat_map(|(_, templates)| templates));
    let segments = expanded.chain(templates.iter().copied()).flat_map(Template::segments);
    segments.into_iter().find_map(|segment| match segment {
        Segment::Axis(axis) | Segment::AxisArgs(axis) if !prepare.each.contains(axis) => {
            Some(format!("uses axis `{0}`, which is not in its `each`: write each = [\"{0}\"]", name(*axis)))
        }
        Segment::Prepared(Some(other)) => {
            let other = earlier.iter().find(|earlier| earlier.name == *other)?;
            let missing = other.each.iter().find(|axis| !prepare.each.contains(axis))?;
            Some(format!("uses `{}`, which is made for each `{}`: add that to its `each`", other.name, name(*missing)))
        }
        Segment::Round | Segment::Seed | Segment::Out | Segment::Scratch | Segment::Port(_) | Segment::Addr(_) => {
            Some("uses arguments of an axis that belong to a run".to_owned())
        }
        _ => None,
    })
}
