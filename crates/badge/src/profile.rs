//! The items of a profile, and how each is judged.

use serde::Serialize;

use super::{Results, Tree, code, documents, evidence};

/// What is judged.
pub struct Subject {
    /// The project.
    pub tree: Tree,
    /// Its results, or why there are none.
    pub results: Result<Results, String>,
}

/// What was found for an item.
#[derive(Debug)]
pub(crate) enum Finding {
    /// The requirement is met; what was seen.
    Pass(String),
    /// It is not: what was seen, and what to do about it.
    Fail(String, String),
    /// A person has to judge it: what was seen, or where to look.
    Person(String),
}

pub(crate) fn fail(seen: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding::Fail(seen.into(), fix.into())
}

/// Whether an item is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A machine can see that it is.
    Pass,
    /// A machine can see that it is not.
    Fail,
    /// Only a person can judge.
    Person,
}

/// An item of a badge, judged.
#[derive(Debug, Serialize)]
pub struct Item {
    /// Its name: the badge, the number in its checklist, and a letter where a number requires several things.
    pub id: &'static str,
    /// What the badge requires.
    pub asks: &'static str,
    /// Whether it is met.
    pub status: Status,
    /// What is looked at.
    pub looks_at: &'static str,
    /// What was seen there, or what a person has to judge.
    pub seen: String,
    /// What to do where it is not met.
    pub fix: Option<String>,
}

type Row = (&'static str, &'static str, &'static str, fn(&Subject) -> Finding);

/// The items of the badges of SOSP'26, in the order of their checklists.
const SOSP26: &[Row] = &[
    ("available.1a", "in an archive with irrevocable versions and long-term storage", "DOIs", documents::archive),
    (
        "available.1b",
        "what the archive's entry is made of",
        "CITATION.cff, .zenodo.json, codemeta.json",
        documents::citation,
    ),
    ("available.2", "a licence that permits comparison and extension", "LICENSE*, COPYING*", documents::licence),
    ("available.3", "a README that cites the paper", "README*", documents::paper),
    ("functional.1a", "each component is named", "README*, source folders", documents::components),
    ("functional.1b", "the authors' exact environment", "results, README*", evidence::environment),
    ("functional.1c", "warnings if anything is destructive", "scripts", code::destructive),
    ("functional.2a", "all relevant code", "sources, submodules, large files, links", code::complete),
    ("functional.2b", "all relevant data", "objects and records of the results", evidence::data),
    ("functional.2c", "quantifiable claims are output", "claims of the results, README*", evidence::claims),
    ("functional.2d", "a script for all checks", "tests, Makefile, scripts", code::tests),
    ("functional.2e", "nothing obsolete; modified third-party parts kept apart", "the tree", code::third_party),
    ("functional.3", "changes to raw data are documented", "documents", documents::raw_data),
    ("functional.4a", "run and extend a minimal example", "README*", documents::example),
    ("functional.4b", "build with prerequisites", "README*, INSTALL*", documents::building),
    ("functional.4c", "resource use per kind of experiment", "README*: stated times", documents::times),
    ("functional.4d", "oddities to expect", "README*", documents::oddities),
    ("functional.5a", "dependencies exact", "lock files, images", code::locked),
    ("functional.5b", "system-level dependencies automated", "Dockerfiles, Nix, install scripts", code::system),
    ("functional.5c", "proprietary dependencies with instructions and mocks", "the tree", code::proprietary),
    (
        "functional.6",
        "example input and configuration for each kind of experiment",
        "experiments, configurations",
        code::inputs,
    ),
    ("functional.7a", "works in other environments", "continuous integration", code::ci),
    ("functional.7b", "no value that is one machine's", "sources and scripts", code::home_paths),
    ("reproduced.1a", "one documented script per experiment", "scripts that README* names", documents::scripts),
    ("reproduced.1b", "every experiment ran to its end", "runs and records of the results", evidence::complete),
    ("reproduced.2a", "each figure and table with what makes it", "README*: a map of figures", documents::figures),
    ("reproduced.2b", "nearly the paper's presentation", "the figures, the paper", documents::presentation),
    ("reproduced.3", "a handful of commands, minutes of a person's time", "README*", documents::commands),
    ("reproduced.4", "the central claims hold", "claims and results", evidence::verdicts),
];

/// Judges every item.
#[must_use]
pub fn sosp26(subject: &Subject) -> Vec<Item> {
    let judge = |(id, asks, looks_at, check): &Row| {
        let (status, seen, fix) = match check(subject) {
            Finding::Pass(seen) => (Status::Pass, seen, None),
            Finding::Fail(seen, fix) => (Status::Fail, seen, Some(fix)),
            Finding::Person(seen) => (Status::Person, seen, None),
        };
        Item { id, asks, status, looks_at, seen, fix }
    };
    SOSP26.iter().map(judge).collect()
}
