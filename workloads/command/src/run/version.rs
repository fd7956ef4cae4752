//! What the program says its version is.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use matrix_core::placeholder::Segment;
use matrix_driver::Cancel;

use crate::cells::{Cell, Here, flat};
use crate::file::{Experiment, PASSED};
use crate::probe::{self, Probe};
use crate::supervise::Supervisors;

/// How long a program may take to tell its version, in milliseconds.
const LIMIT_MS: u64 = 30_000;

/// Versions that were asked for, by the arguments that ask.
#[derive(Debug, Default)]
pub(super) struct Versions(BTreeMap<Vec<String>, String>);

impl Versions {
    /// The first line that the program of a cell prints when it is asked for its version; none where nobody asks.
    pub(super) fn of(
        &mut self,
        experiment: &Experiment,
        here: &Here,
        cell: &Cell,
        supervisors: &Supervisors,
        cancel: &Cancel,
    ) -> Option<String> {
        let templates = experiment.command.version.as_ref()?;
        let text = |segment: &Segment| {
            Ok::<_, std::convert::Infallible>(here.text_for(experiment, &cell.point, segment).unwrap_or_default())
        };
        let arguments: Vec<String> = flat(experiment, &cell.point, templates)
            .into_iter()
            .map(|template| match template.render(&cell.point, &text) {
                Ok(text) => text,
                Err(never) => match never {},
            })
            .collect();
        if let Some(known) = self.0.get(&arguments) {
            return Some(known.clone());
        }
        let dir = here.dir(experiment, &cell.point);
        let version = ask(arguments.clone(), &dir, supervisors, cancel).unwrap_or_else(|why| format!("unknown: {why}"));
        self.0.insert(arguments, version.clone());
        Some(version)
    }
}

fn ask(arguments: Vec<String>, dir: &Path, supervisors: &Supervisors, cancel: &Cancel) -> Result<String, String> {
    let probe = Probe::run(supervisors, arguments, probe::environment(PASSED), dir, LIMIT_MS, cancel)?;
    // Some programs print their version to standard error, or end with another code than 0.
    let line = first_line(&probe.stdout).or_else(|| first_line(&probe.stderr));
    line.ok_or_else(|| probe.ended.words())
}

fn first_line(path: &Path) -> Option<String> {
    let file = std::fs::File::open(path).ok()?;
    let mut lines = BufReader::new(file).lines();
    let line = lines.find_map(|line| line.ok().filter(|line| !line.trim().is_empty()))?;
    Some(line.trim().chars().filter(|c| !c.is_control()).take(200).collect())
}
