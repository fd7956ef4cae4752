//! What belongs where in a bundle's payload.

use std::fmt;

use matrix_core::CellKey;
use matrix_store::{AttemptId, Digest, Origin, RunId};

use crate::bag::PAYLOAD;
use crate::limits::{Limits, MAX_OF_PROGRAMS, MAX_SMALL};

/// Name of the table that says what derived the files.
pub const DERIVER: &str = "deriver.txt";

/// A file of the payload, by what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundlePath {
    /// `ro-crate-metadata.json`
    Metadata,
    /// `README.md`
    Readme,
    /// `LICENSE`
    License,
    /// `CITATION.cff`
    Citation,
    /// `report.html`: the results as one page.
    Report,
    /// `bin/matrix`: the program that made the bundle, where it was put in.
    Binary,
    /// `agents.json`: who the origins are, if they want that known.
    Agents,
    /// `left-out.json`: the attempts that journals name and that are not in the bundle, if there are any.
    LeftOut,
    /// `cells.csv`: the cells that the bundle is about.
    Cells,
    /// `experiments/<sha256>.toml`
    Experiment(Digest),
    /// `plans/<sha256>.json`
    Plan(Digest),
    /// `models/<sha256>.toml`
    Model(Digest),
    /// `objects/<sha256>.csv`
    Object(Digest),
    /// `outputs/<sha256>`: what a program left.
    Output(Digest),
    /// `records/<key>/<origin>.json`
    Record(CellKey, Origin),
    /// `attempts/<id>.json`
    Attempt(AttemptId),
    /// `runs/<id>/<sha256>.jsonl`: a run's journal. Journals of two runs that have the same name can stand side by side.
    Journal(RunId, Digest),
    /// `tables/deriver.txt`: by which version of the rules the derived files were made.
    Deriver,
    /// `tables/<name>`
    Table(String),
    /// `figures/<name>`
    Figure(String),
    /// `source/<digest of the tree>/<path>`
    Source(Digest, String),
}

impl BundlePath {
    /// Reads a path, which begins with `data/`.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let path = path.strip_prefix(PAYLOAD)?;
        let Some((folder, name)) = path.split_once('/') else {
            return Some(match path {
                "ro-crate-metadata.json" => Self::Metadata,
                "README.md" => Self::Readme,
                "LICENSE" => Self::License,
                "CITATION.cff" => Self::Citation,
                "report.html" => Self::Report,
                "agents.json" => Self::Agents,
                "left-out.json" => Self::LeftOut,
                "cells.csv" => Self::Cells,
                _ => return None,
            });
        };
        let digest = |end: &str| name.strip_suffix(end)?.parse::<Digest>().ok();
        Some(match folder {
            "experiments" => Self::Experiment(digest(".toml")?),
            "plans" => Self::Plan(digest(".json")?),
            "models" => Self::Model(digest(".toml")?),
            "objects" => Self::Object(digest(".csv")?),
            "outputs" => Self::Output(digest("")?),
            "records" => {
                let (key, origin) = name.strip_suffix(".json")?.split_once('/')?;
                Self::Record(key.parse().ok()?, origin.parse().ok()?)
            }
            "attempts" => Self::Attempt(name.strip_suffix(".json")?.parse().ok()?),
            "runs" => {
                let (run, digest) = name.strip_suffix(".jsonl")?.split_once('/')?;
                Self::Journal(run.parse().ok()?, digest.parse().ok()?)
            }
            "bin" if name == "matrix" => Self::Binary,
            "tables" if name == DERIVER => Self::Deriver,
            "tables" => Self::Table(name.to_owned()),
            "figures" => Self::Figure(name.to_owned()),
            "source" => {
                let (tree, path) = name.split_once('/')?;
                Self::Source(tree.parse().ok()?, path.to_owned())
            }
            _ => return None,
        })
    }

    /// Whether bundles of programs (format 3) have such a file.
    #[must_use]
    pub fn is_of_programs(&self) -> bool {
        !matches!(self, Self::Agents | Self::Model(_))
    }

    /// Whether it is one of the results and what they were made of, in bundles of programs: all but what is derived, what was put in
    /// besides, and the metadata.
    #[must_use]
    pub fn is_of_results(&self) -> bool {
        matches!(
            self,
            Self::LeftOut
                | Self::Experiment(_)
                | Self::Plan(_)
                | Self::Object(_)
                | Self::Output(_)
                | Self::Record(..)
                | Self::Attempt(_)
                | Self::Journal(..)
        )
    }

    /// Whether bundles of traces (formats 1 and 2) have such a file.
    #[must_use]
    pub fn is_of_traces(&self) -> bool {
        !matches!(self, Self::Output(_))
    }

    /// Most bytes that such a file may have, if there is a bound of its own on them.
    #[must_use]
    pub fn max_bytes(&self, limits: &Limits) -> Option<u64> {
        match self {
            Self::Record(..)
            | Self::Attempt(_)
            | Self::Experiment(_)
            | Self::Model(_)
            | Self::Agents
            | Self::Deriver => Some(MAX_SMALL),
            Self::Plan(_) => Some(limits.max_plan()),
            _ => None,
        }
    }

    /// The same in a bundle of programs.
    #[must_use]
    pub fn max_bytes_of_programs(&self, limits: &Limits) -> Option<u64> {
        match self {
            Self::Record(..) | Self::Attempt(_) => Some(MAX_OF_PROGRAMS),
            _ => self.max_bytes(limits),
        }
    }

    /// The digest that the name promises, if it does.
    #[must_use]
    pub fn promised(&self) -> Option<Digest> {
        match self {
            Self::Experiment(digest)
            | Self::Plan(digest)
            | Self::Model(digest)
            | Self::Object(digest)
            | Self::Output(digest)
            | Self::Journal(_, digest) => Some(*digest),
            _ => None,
        }
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PAYLOAD)?;
        match self {
            Self::Metadata => f.write_str("ro-crate-metadata.json"),
            Self::Readme => f.write_str("README.md"),
            Self::License => f.write_str("LICENSE"),
            Self::Citation => f.write_str("CITATION.cff"),
            Self::Report => f.write_str("report.html"),
            Self::Binary => f.write_str("bin/matrix"),
            Self::Agents => f.write_str("agents.json"),
            Self::LeftOut => f.write_str("left-out.json"),
            Self::Cells => f.write_str("cells.csv"),
            Self::Experiment(digest) => write!(f, "experiments/{digest}.toml"),
            Self::Plan(digest) => write!(f, "plans/{digest}.json"),
            Self::Model(digest) => write!(f, "models/{digest}.toml"),
            Self::Object(digest) => write!(f, "objects/{digest}.csv"),
            Self::Output(digest) => write!(f, "outputs/{digest}"),
            Self::Record(key, origin) => write!(f, "records/{key}/{origin}.json"),
            Self::Attempt(id) => write!(f, "attempts/{id}.json"),
            Self::Journal(run, digest) => write!(f, "runs/{run}/{digest}.jsonl"),
            Self::Deriver => write!(f, "tables/{DERIVER}"),
            Self::Table(name) => write!(f, "tables/{name}"),
            Self::Figure(name) => write!(f, "figures/{name}"),
            Self::Source(tree, path) => write!(f, "source/{tree}/{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_one_path() {
        let digest = Digest::of(b"");
        let key = CellKey::of(b"");
        let places = [
            BundlePath::Metadata,
            BundlePath::Agents,
            BundlePath::Report,
            BundlePath::Binary,
            BundlePath::LeftOut,
            BundlePath::Plan(digest),
            BundlePath::Record(key, Origin::default()),
            BundlePath::Attempt("a.b".parse().unwrap()),
            BundlePath::Journal("r".parse().unwrap(), digest),
            BundlePath::Table("a/b.csv".to_owned()),
            BundlePath::Deriver,
            BundlePath::Output(digest),
            BundlePath::Source(digest, "src/main.rs".to_owned()),
        ];
        for place in places {
            assert_eq!(BundlePath::of(&place.to_string()), Some(place));
        }
        for none in [
            "data/x",
            "data/objects/x.csv",
            "data/records/x",
            "README.md",
            "data/runs/r.jsonl",
            "data/plans/a",
            "data/bin/x",
        ] {
            assert_eq!(BundlePath::of(none), None, "{none}");
        }
    }
}
