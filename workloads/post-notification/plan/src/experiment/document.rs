//! The experiment as a whole: the document's top level.

use toml::de::{DeTable, DeValue};

use super::matrix::Matrix;
use super::payload::Payload;
use super::sim::Sim;
use super::{aws, barrier, declared, expand, load, local, matrix, payload, sim};
use crate::aws::Aws;
use crate::axes::Platform;
use crate::cell::{Arrival, Barrier, Invocation};
use crate::claims::{self, Claim};
use crate::local::Local;
use crate::point::Axes;
use crate::problem::{Problem, Problems};
use crate::regions::Regions;
use matrix_core::read::Reading;
use matrix_core::walk::{Table, integer, name, slug};

/// Version of the format that this parser reads.
pub const SCHEMA: u64 = 1;

/// The version of the form that any workload has. Of this one it has the keys of schema 1, and those below.
const SCHEMA_OF_WORKLOADS: u64 = 2;

/// The name of this workload there.
const WORKLOAD: &str = "post-notification";

/// Keys of the top level in schema 2: those of schema 1, then the workload and `[[figure]]`, which belongs to whoever draws.
pub const KEYS_OF_WORKLOADS: &[&str] = &[
    "schema",
    "name",
    "platform",
    "requests",
    "rounds",
    "seed",
    "payload",
    "concurrency",
    "rate",
    "invocation",
    "barrier",
    "sim",
    "local",
    "aws",
    "regions",
    "matrix",
    "claim",
    "workload",
    "figure",
];

/// Keys of the top level in schema 1: all but the last two.
pub(crate) const KEYS: &[&str] = KEYS_OF_WORKLOADS.split_at(KEYS_OF_WORKLOADS.len() - 2).0;

/// Most requests of one cell.
const MAX_REQUESTS: u64 = 1_000_000_000;

/// An experiment, as one file describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Its name: lower-case letters, digits, `_` and `-`.
    pub name: String,
    /// What it runs on.
    pub platform: Platform,
    /// Requests per cell.
    pub requests: u64,
    /// Rounds: every point is measured so often.
    pub rounds: u32,
    /// Seed of all randomness.
    pub seed: u64,
    /// Length of the posts' content.
    pub payload: Payload,
    /// When requests are sent.
    pub arrival: Arrival,
    /// How the client invokes the writer.
    pub invocation: Invocation,
    /// How the barrier polls.
    pub barrier: Barrier,
    /// Settings of the simulator.
    pub sim: Sim,
    /// Settings of the testbed on this machine.
    pub local: Local,
    /// Settings of the testbed at Amazon.
    pub aws: Aws,
    /// Regions: the built-in ones and those that the experiment declares.
    pub regions: Regions,
    /// Its matrices.
    pub matrices: Vec<Matrix>,
    /// The points that its matrices name, each once, in ascending order.
    pub points: Vec<Axes>,
    /// What it claims about its results.
    pub claims: Vec<Claim>,
}

impl Experiment {
    /// Reads an experiment's file.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places in `text`.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        Self::read(text, Reading::Given)
    }

    /// Reads the file of an experiment that an earlier version may have saved: what was allowed then is allowed, and means
    /// what it meant.
    ///
    /// # Errors
    /// As for [`Experiment::parse`].
    pub fn parse_saved(text: &str) -> Result<Self, Problems> {
        Self::read(text, Reading::Saved)
    }

    fn read(text: &str, reading: Reading) -> Result<Self, Problems> {
        let (document, errors) = DeTable::parse_recoverable(text);
        if let Some(error) = errors.first() {
            // What follows the first syntax error is guesswork: it comes alone.
            let place = error.span().filter(|span| text.get(span.clone()).is_some());
            let found = place.clone().and_then(|span| text.get(span)).filter(|found| !found.trim().is_empty());
            let problem = Problem::new(match found.filter(|found| found.len() < 50 && !found.contains('\n')) {
                Some(found) => format!("{}: `{found}`", error.message()),
                None => error.message().to_owned(),
            });
            return Err(match place {
                Some(span) => problem.at(span).label("TOML does not allow this").into(),
                None => problem.into(),
            });
        }
        let mut problems = Vec::new();
        schema(document.get_ref(), &mut problems)?;
        let keys = if is_of_workloads(document.get_ref()) { KEYS_OF_WORKLOADS } else { KEYS };
        let root = Table::of(document.get_ref(), 0..0, matrix_core::walk::DOCUMENT, keys, &mut problems);
        let experiment = experiment(&root, reading, &mut problems);
        Problems::unless_none(problems, experiment)
    }
}

/// Whether the document is of schema 2 and of this workload.
fn is_of_workloads(document: &DeTable<'_>) -> bool {
    let schema = document.get("schema").and_then(|value| match value.get_ref() {
        DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix()).ok(),
        _ => None,
    });
    let workload = document.get("workload").and_then(|value| value.get_ref().as_str());
    schema == Some(SCHEMA_OF_WORKLOADS) && workload == Some(WORKLOAD)
}

/// Checks the version first: nothing else of a newer form can be checked.
fn schema(document: &DeTable<'_>, problems: &mut Vec<Problem>) -> Result<(), Problem> {
    let Some(value) = document.get("schema") else {
        problems.push(Problem::new("the experiment lacks `schema`").help(format!("write `schema = {SCHEMA}`")));
        return Ok(());
    };
    match integer(value, "`schema`", 1..=u64::MAX, problems) {
        Some(newer) if newer > SCHEMA && !is_of_workloads(document) => {
            let help = match newer {
                SCHEMA_OF_WORKLOADS => {
                    "this is read of post-notification only, which is schema 1, or schema 2 with `workload = \"post-notification\"`"
                }
                _ => "a newer version of the program wrote or needs this file: update it",
            };
            Err(Problem::new(format!("the experiment is of schema {newer}"))
                .at(value.span())
                .label(format!("this program reads schema {SCHEMA}, and schema 2 for programs"))
                .help(help))
        }
        _ => Ok(()),
    }
}

fn experiment(root: &Table<'_>, reading: Reading, problems: &mut Vec<Problem>) -> Option<Experiment> {
    let name_of = root.require("name", "name = \"my-experiment\"", problems);
    let name_of = name_of.and_then(|value| slug(value, "the experiment's name", problems));
    let platform = root.get("platform").map_or(Some(Platform::Sim), |value| name(value, "a platform", problems));
    let requests = root.require("requests", "requests = 1000", problems);
    let requests = requests.and_then(|value| integer(value, "`requests`", 1..=MAX_REQUESTS, problems));
    let mut or = |key: &str, default: u64, least: u64, most: u64| match root.get(key) {
        Some(value) => integer(value, &format!("`{key}`"), least..=most, problems),
        None => Some(default),
    };
    let rounds = or("rounds", 1, 1, expand::MAX_CELLS).and_then(|rounds| u32::try_from(rounds).ok());
    let seed = or("seed", 0, 0, u64::MAX);
    let payload = root.get("payload").map_or(Some(Payload::Original), |value| payload::payload(value, problems));
    let (arrival, invocation) = load::load(root, problems);
    let barrier = barrier::barrier(root, problems);
    let sim = sim::sim(root, problems);
    let mut local = local::local(root, problems);
    let aws = aws::aws(root, problems);
    let regions = declared::regions(root, problems);
    let matrices = matrices(root, &regions, problems);
    let points =
        if matrices.is_empty() { Vec::new() } else { expand::points(&matrices, rounds.unwrap_or(1), problems) };
    local::settle(root, platform, &points, &mut local, problems);
    if let (Some(payload), Some(value)) = (payload, root.get("payload")) {
        payload::check(payload, value, &points, problems);
    }
    let claims = claims::parse::claims(root, &regions, &points, reading, problems);
    Some(Experiment {
        name: name_of?,
        platform: platform?,
        requests: requests?,
        rounds: rounds?,
        seed: seed?,
        payload: payload?,
        arrival,
        invocation,
        barrier,
        sim,
        local,
        aws,
        regions,
        matrices,
        points,
        claims,
    })
}

/// All matrices; none when something is wrong with any of them.
fn matrices(root: &Table<'_>, regions: &Regions, problems: &mut Vec<Problem>) -> Vec<Matrix> {
    let before = problems.len();
    let matrices = matrix::matrices(root, regions, problems);
    if problems.len() > before {
        return Vec::new();
    }
    if matrices.is_empty() {
        let help = "a [[matrix]] names the values of each axis; `matrix init` writes an example";
        problems.push(Problem::new("the experiment lacks a [[matrix]]").help(help));
    }
    matrices
}
