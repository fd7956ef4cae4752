//! The experiment as a whole.

use std::collections::BTreeMap;

use matrix_core::axes::AxisSet;
use matrix_core::claims::{self, Claim, Known, KnownMetric};
use matrix_core::expand::Matrix;
use matrix_core::filter::Field;
use matrix_core::order::Design;
use matrix_core::placeholder::Template;
use matrix_core::read::{self, Reading, Table};
use matrix_core::{FigureSpec, Filter, Kind, Metric, Point, expand, figure};
use matrix_core::{Problem, Problems};
use toml::de::{DeTable, DeValue};

use super::command::Command;
use super::host::Host;
use super::prepare::Prepare;
use super::require::Require;
use super::site::Site;
use super::sources::Source;
use super::strings::Strings;
use super::{command, host, metrics, prepare, require, site, sources};

pub(super) const KEYS: &[&str] = &[
    "schema", "name", "workload", "rounds", "seed", "paired", "outer", "axes", "matrix", "site", "prepare", "require",
    "command", "columns", "metric", "claim", "figure", "subset", "artifact", "host",
];

/// A part of an experiment that `--subset` chooses.
#[derive(Clone, Debug, PartialEq)]
pub struct Subset {
    /// Which cells.
    pub filter: Option<String>,
    /// What is set, as for `--set`.
    pub set: Vec<(String, String)>,
}

/// An experiment whose workload is a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Its name.
    pub name: String,
    /// How often every point is measured.
    pub rounds: u32,
    /// Seed of the order, and of what programs are given.
    pub seed: u64,
    /// What it varies.
    pub axes: AxisSet,
    /// What is paired, and what varies slowest.
    pub design: Design,
    /// Its parts.
    pub matrices: Vec<Matrix>,
    /// The points that it is about: those of its parts, each once.
    pub points: Vec<Point>,
    /// What is this machine's.
    pub site: Site,
    /// What is asked of the machine that measures.
    pub host: Host,
    /// What is made before any cell runs, in the order of the file.
    pub prepares: Vec<Prepare>,
    /// The program.
    pub command: Command,
    /// What `{axis:args}` stands for, by axis and canonical text of the value.
    pub args: BTreeMap<(usize, String), Vec<Template>>,
    /// What cells need of the machine.
    pub requires: Vec<Require>,
    /// Where rows come from; at least one.
    pub sources: Vec<Source>,
    /// Its metrics.
    pub metrics: Vec<Metric>,
    /// What it claims.
    pub claims: Vec<Claim>,
    /// What it draws.
    pub figures: Vec<FigureSpec>,
    /// Its parts by name.
    pub subsets: BTreeMap<String, Subset>,
    /// What is said of the artifact: title, doi and so on.
    pub artifact: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Head {
    schema: Option<i64>,
    workload: Option<String>,
}

fn head(document: &DeTable<'_>) -> Head {
    let schema = document.get("schema").and_then(|value| match value.get_ref() {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok(),
        _ => None,
    });
    let workload = document.get("workload").and_then(|value| value.get_ref().as_str().map(str::to_owned));
    Head { schema, workload }
}

/// Whether a text says that it is an experiment of schema 2, and not that it is of the other workload. A text that is no
/// TOML is not.
#[must_use]
pub fn is_schema_2(text: &str) -> bool {
    let (document, _) = DeTable::parse_recoverable(text);
    let head = head(document.get_ref());
    if head.workload.as_deref() == Some("post-notification") {
        return false;
    }
    head.schema == Some(2) || (head.schema.is_none() && head.workload.is_some())
}

impl Experiment {
    /// Reads an experiment's file.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places in `text`.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        Self::read(text, Reading::Given)
    }

    /// Reads an experiment's text by the rules for files, or for what an earlier version may have saved.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub fn read(text: &str, reading: Reading) -> Result<Self, Problems> {
        let (document, errors) = DeTable::parse_recoverable(text);
        if let Some(error) = errors.first() {
            let problem = Problem::new(error.message().to_owned());
            return Err(match error.span().filter(|span| text.get(span.clone()).is_some()) {
                Some(span) => problem.at(span).label("TOML does not allow this").into(),
                None => problem.into(),
            });
        }
        let document = document.get_ref();
        let mut problems = Vec::new();
        if head(document).schema != Some(2) {
            problems.push(Problem::new("the experiment is not of schema 2").help("write `schema = 2`"));
        }
        let root = Table::of(document, 0..0, "the experiment", KEYS, &mut problems);
        let experiment = experiment(&root, text, reading, &mut problems);
        Problems::unless_none(problems, experiment)
    }

    /// The fields that filters of cells may name: the axes by position, then the round.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = claims::fields(&self.axes);
        fields.push(Field { name: "round".to_owned(), kind: Kind::Whole });
        fields
    }

    /// Reads a filter over axes and round.
    ///
    /// # Errors
    /// What is wrong with it, with its place in `text`.
    pub fn filter(&self, text: &str) -> Result<Filter, Problem> {
        Filter::parse(text, &self.fields())
    }
}

fn experiment(root: &Table<'_>, text: &str, reading: Reading, problems: &mut Vec<Problem>) -> Option<Experiment> {
    let name = root.require("name", "name = \"my-experiment\"", problems);
    let name = name.and_then(|value| read::slug(value, "the experiment's name", problems));
    let workload = root.require("workload", "workload = \"command\"", problems);
    if let Some(value) = workload
        && let Some(name) = read::text(value, "`workload`", problems)
        && name != crate::WORKLOAD
    {
        problems.push(read::unknown("workload", name, value.span(), &["command", "post-notification"]));
    }
    let mut whole = |key: &str, default: u64, least: u64, most: u64| match root.get(key) {
        Some(value) => read::integer(value, &format!("`{key}`"), least..=most, problems),
        None => Some(default),
    };
    let rounds = whole("rounds", 1, 1, 100_000).and_then(|rounds| u32::try_from(rounds).ok());
    let seed = whole("seed", 0, 0, i64::MAX as u64);
    let axes = AxisSet::parse(root, problems);
    let design = design(root, &axes, problems);
    let matrices = expand::matrices(root, &axes, problems);
    let points = expand::points(&matrices, &axes);
    if points.is_empty() && problems.is_empty() {
        problems.extend(excludes_all(root));
    }
    if !problems.is_empty() {
        // Whatever names an axis would be wrong as well: what is wrong first comes alone.
        return None;
    }
    let site = site::site(root, problems);
    let strings =
        Strings { source: text, axes: &axes, names: command::names(root, &site.values), points: &points, reading };
    let args = strings.axis_args(problems);
    let host = host::host(root, problems);
    let prepares = prepare::prepares(root, &strings, &args, problems);
    let command = command::command(root, &strings, &site.hosts, problems);
    let requires = require::requires(root, &strings, problems);
    let sources = sources::sources(root, &strings, command.as_ref(), problems);
    if !problems.is_empty() {
        return None;
    }
    let services = command.as_ref().map(|command| command.services.as_slice()).unwrap_or_default();
    let metrics = metrics::metrics(root, text, &axes, &sources, services, problems);
    let names: Vec<KnownMetric> = metrics
        .iter()
        .map(|metric| KnownMetric {
            name: metric.name.clone(),
            higher_is_better: metric.higher_is_better,
            source: metric.source,
        })
        .collect();
    if !problems.is_empty() {
        return None;
    }
    let columns: Vec<(String, Vec<Field>)> =
        sources.iter().map(|source| (source.name.clone(), source.fields())).collect();
    let known = Known { source: text, axes: &axes, metrics: &names, sources: &columns, points: &points, reading };
    let claims = claims::parse(root, &known, problems);
    let figures = figure::parse(root, &known, problems);
    let subsets = subsets(root, &axes, text, problems);
    let artifact = site::texts(root, "artifact", "[artifact]", problems);
    for claim in claims.iter().filter(|claim| claim.elsewhere.is_some() && !artifact.contains_key("hardware")) {
        let problem = Problem::new(format!("`elsewhere` of claim `{}`: where did the authors measure?", claim.id));
        problems.push(problem.at(claim.place.clone()).label("nothing says which processor is not elsewhere").help(
            "write the model of the authors' processor into `hardware` of [artifact]: hardware = \"AMD EPYC 7763, 256 GiB\"",
        ));
    }
    Some(Experiment {
        name: name?,
        rounds: rounds?,
        seed: seed?,
        axes,
        design,
        matrices,
        points,
        site,
        host,
        prepares,
        command: command?,
        args,
        requires,
        sources,
        metrics,
        claims,
        figures,
        subsets,
        artifact,
    })
}

/// The mistake of a `[[matrix]]` whose `exclude` leaves the experiment without a point.
fn excludes_all(root: &Table<'_>) -> Option<Problem> {
    let tables = read::values(root, "matrix", "write each as [[matrix]]", &mut Vec::new());
    let exclude = tables.iter().find_map(|value| value.get_ref().as_table()?.get("exclude"))?;
    let problem = Problem::new("`exclude` leaves no point: the experiment has no cell").at(exclude.span());
    Some(problem.label("every point matches"))
}

fn design(root: &Table<'_>, axes: &AxisSet, problems: &mut Vec<Problem>) -> Design {
    let paired = claims::axis(root, "paired", axes, problems);
    let mut outer = Vec::new();
    for (name, place) in root.get("outer").and_then(|value| read::texts(value, "`outer`", problems)).unwrap_or_default()
    {
        match axes.position(&name) {
            Some(axis) if Some(axis) == paired => {
                let problem = Problem::new(format!("axis `{name}` cannot be both paired and outer")).at(place);
                problems.push(problem.label("its values are to run next to each other"));
            }
            Some(axis) => outer.push(axis),
            None => problems.push(read::unknown("axis", &name, place, &axes.names())),
        }
    }
    Design { paired, outer }
}

fn subsets(root: &Table<'_>, axes: &AxisSet, text: &str, problems: &mut Vec<Problem>) -> BTreeMap<String, Subset> {
    let mut subsets = BTreeMap::new();
    let Some(value) = root.get("subset") else { return subsets };
    let Some(table) = read::any_table(value, "[subset]", problems) else { return subsets };
    let mut fields = claims::fields(axes);
    fields.push(Field { name: "round".to_owned(), kind: Kind::Whole });
    for (name, _, value) in read::entries(table) {
        let Some(table) = Table::open(value, "a subset", &["filter", "set"], problems) else { continue };
        let filter = table.get("filter").and_then(|value| {
            let filter = read::text(value, "`filter`", problems)?;
            let read = Filter::parse(filter, &fields);
            read::noted(read, filter, text, &value.span(), problems).map(|_| filter.to_owned())
        });
        let mut set = Vec::new();
        if let Some(value) = table.get("set")
            && let Some(entries) = read::any_table(value, "`set`", problems)
        {
            for (key, _, value) in read::entries(entries) {
                match text.get(value.span()) {
                    Some(written) => set.push((key.to_owned(), written.to_owned())),
                    None => problems.push(Problem::new(format!("`{key}` of a subset has no value")).at(value.span())),
                }
            }
        }
        subsets.insert(name.to_owned(), Subset { filter, set });
    }
    subsets
}
