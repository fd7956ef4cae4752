//! The items of a profile, and how each is judged.

use std::path::PathBuf;

use matrix_bundle::Limits;
use matrix_run::results::{self, Opened};
use matrix_store::Store;
use serde::Serialize;

use super::{documents, evidence, runnable, workspace};
use crate::exit::Failure;

/// What is looked at.
pub(crate) struct Subject {
    /// The project's folder.
    pub(crate) project: PathBuf,
    /// The results as the user named them.
    pub(crate) results_path: PathBuf,
    results: Option<Opened>,
}

impl Subject {
    /// A project and its results, a store or bundle that need not be there.
    pub(crate) fn open(project: PathBuf, results_path: PathBuf, limits: Limits) -> Result<Self, Failure> {
        let results = results::open_if_present(&results_path, limits)?;
        Ok(Self { project, results_path, results })
    }

    pub(super) fn read(&self, name: &str) -> Result<String, Finding> {
        std::fs::read_to_string(self.project.join(name))
            .map_err(|error| Finding::fail(format!("{name}: {error}"), format!("write {name}")))
    }

    pub(super) fn results(&self) -> Result<&Store, Finding> {
        let missing = || {
            Finding::fail(
                format!("there are no results at {}", self.results_path.display()),
                "run the experiment, or name its results with --results",
            )
        };
        self.results.as_deref().ok_or_else(missing)
    }
}

/// What was found for an item.
#[derive(Debug)]
pub(crate) enum Finding {
    /// It is as asked; what was seen.
    Pass(String),
    /// It is not as asked.
    Fail {
        /// What was seen.
        seen: String,
        /// What to do about it.
        mend: String,
    },
    /// A person has to judge it; where to look.
    Person(String),
}

impl Finding {
    pub(super) fn fail(seen: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Fail { seen: seen.into(), mend: mend.into() }
    }
}

/// What a check gives: passing with what was seen, or another finding.
pub(super) type Check = Result<String, Finding>;

/// Whether an item is as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// A machine says that it is.
    Pass,
    /// A machine says that it is not.
    Fail,
    /// Only a person can tell.
    Person,
}

/// An item of a badge, judged.
#[derive(Debug, Serialize)]
pub(crate) struct Item {
    /// Its name: the badge, the number in its checklist, and a letter where a number asks several things.
    pub(crate) id: &'static str,
    /// What the badge asks.
    pub(crate) asks: &'static str,
    /// Whether it is as asked.
    pub(crate) status: Status,
    /// What is looked at.
    pub(crate) looks_at: &'static str,
    /// What was seen there, or what a person has to judge.
    pub(crate) seen: String,
    /// What to do where it is not as asked.
    pub(crate) mend: Option<String>,
}

/// How an item is judged.
enum By {
    Machine(fn(&Subject) -> Check),
    Person(&'static str),
}

/// The items of the badges of SOSP'26, in the order of their checklists.
const SOSP26: &[(&str, &str, &str, By)] = &[
    (
        "available.1a",
        "in an archive with irrevocable versions and long-term storage",
        "the archive",
        By::Person("deposit the release and the bundle; a code host is no archive"),
    ),
    ("available.1b", "what the archive's entry is made of", "CITATION.cff", By::Machine(documents::citation)),
    ("available.2", "a licence that permits comparison and extension", "LICENSE*", By::Machine(documents::licence)),
    ("available.3", "a README that cites the paper", "README.md", By::Machine(documents::readme)),
    ("functional.1a", "each component is named", "ARCHITECTURE.md", By::Machine(documents::components)),
    ("functional.1b", "the authors' exact environment", "attempts of the results", By::Machine(evidence::environment)),
    (
        "functional.1c",
        "each component's relation to the paper; warnings if anything is destructive",
        "README.md, the bundle's README.md",
        By::Person("the bundle's README relates its parts to the paper; matrix removes nothing but by `gc`"),
    ),
    ("functional.2a", "all relevant code", "Cargo.toml and the crates' sources", By::Machine(workspace::code)),
    ("functional.2b", "all relevant data", "objects and records of the results", By::Machine(evidence::data)),
    ("functional.2c", "quantifiable claims are output", "experiments with sources", By::Machine(runnable::claims)),
    ("functional.2d", "a script for all checks", "scripts/test", By::Machine(runnable::tests)),
    (
        "functional.2e",
        "nothing obsolete; modified third-party parts kept apart",
        "the tree",
        By::Person("vendored: the fonts in crates/figures/fonts, unmodified, with their licence"),
    ),
    ("functional.3", "changes to raw data are documented", "docs/formats.md", By::Machine(documents::formats)),
    ("functional.4a", "configuration; run and extend an example", "docs/guide.md", By::Machine(documents::guide)),
    ("functional.4b", "build with prerequisites", "CONTRIBUTING.md", By::Machine(documents::building)),
    (
        "functional.4c",
        "resource use per kind of experiment; oddities to expect",
        "the bundle's README.md, docs/model.md",
        By::Person("`bundle create` writes the measured times into the bundle's README"),
    ),
    ("functional.5a", "dependencies exact", "Cargo.lock", By::Machine(workspace::lock_file)),
    (
        "functional.5b",
        "system-level dependencies automated",
        "scripts/install-test-needs",
        By::Machine(runnable::system_needs),
    ),
    (
        "functional.5c",
        "system-level dependencies in a VM or container; proprietary ones with instructions and mocks",
        "the scripts",
        By::Person("AWS is the proprietary one; the simulator stands in for it"),
    ),
    (
        "functional.6a",
        "example input for each kind of experiment",
        "experiments/*.toml",
        By::Machine(runnable::example),
    ),
    ("functional.6b", "its configuration", "models of the experiments", By::Machine(runnable::models)),
    ("functional.7a", "works in other environments", ".ci/run or .github/workflows", By::Machine(runnable::ci)),
    (
        "functional.7b",
        "little manual work, no value written twice",
        "the tree",
        By::Person("from a fresh clone on another machine"),
    ),
    (
        "reproduced.1",
        "one script per experiment, tolerating being run twice",
        "runs and records of the results",
        By::Machine(evidence::complete),
    ),
    ("reproduced.2a", "a script turns each result into a figure", "plots/", By::Machine(runnable::figures)),
    (
        "reproduced.2b",
        "nearly the paper's presentation",
        "plots/, the paper",
        By::Person("compare the figures with the paper's"),
    ),
    (
        "reproduced.3",
        "a handful of install commands, one command per experiment, minutes of a person's time",
        "README.md",
        By::Person("follow the README with a clock"),
    ),
    ("reproduced.4", "the central claims hold", "claims and results", By::Machine(evidence::verdicts)),
];

/// Judges every item.
pub(crate) fn sosp26(subject: &Subject) -> Vec<Item> {
    let judge = |(id, asks, looks_at, by): &(&'static str, &'static str, &'static str, By)| {
        let finding = match by {
            By::Machine(check) => check(subject).map_or_else(|finding| finding, Finding::Pass),
            By::Person(whither) => Finding::Person((*whither).to_owned()),
        };
        let (status, seen, mend) = match finding {
            Finding::Pass(seen) => (Status::Pass, seen, None),
            Finding::Fail { seen, mend } => (Status::Fail, seen, Some(mend)),
            Finding::Person(whither) => (Status::Person, whither, None),
        };
        Item { id, asks, status, looks_at, seen, mend }
    };
    SOSP26.iter().map(judge).collect()
}
