//! What results show, of whatever workload they are.

use std::collections::BTreeSet;

use super::Subject;
use super::documents::readme;
use super::profile::{Finding, fail};

/// How a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Results support it.
    Holds,
    /// Results contradict it.
    Contradicted,
    /// Results are missing, or too few.
    Open,
    /// The author says that nothing covers it.
    Uncovered,
}

/// How far an experiment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The experiment.
    pub name: String,
    /// Cells planned.
    pub planned: u64,
    /// Cells with a result.
    pub done: u64,
}

/// What is known of some results.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// What attempts ran on, each once.
    pub environments: BTreeSet<String>,
    /// Results of which nobody knows on what they were measured, and all.
    pub unknown: (u64, u64),
    /// Records and objects that were checked.
    pub checked: (u64, u64),
    /// What is damaged.
    pub faults: Vec<String>,
    /// Experiments.
    pub experiments: Vec<Progress>,
    /// Claims, each with its name.
    pub claims: Vec<(String, Stand)>,
    /// Whether any of it is simulated.
    pub simulated: bool,
}

fn results(subject: &Subject) -> Result<&Results, Finding> {
    subject
        .results
        .as_ref()
        .map_err(|why| fail(why.clone(), "run the experiments with `matrix run`, or name their results with --results"))
}

/// Turns a check that may end early into a finding.
fn judged(check: Result<Finding, Finding>) -> Finding {
    check.unwrap_or_else(|finding| finding)
}

/// Words by which documents say what they were measured on.
const MACHINE: &str = r"(?i)\b(ubuntu|debian|fedora|centos|rhel|arch linux|nixos|windows \d+|macos|linux kernel|kernel (version )?\d|xeon|epyc|ryzen|core i\d|apple m\d|graviton|c\d+g?\.\w*xlarge|cloudlab|\d+ ?(gb|gib) (of )?(ram|memory)|\d+[- ]cores?)\b";

pub(crate) fn environment(subject: &Subject) -> Finding {
    if let Ok(results) = &subject.results
        && results.unknown.0 == 0
        && !results.environments.is_empty()
    {
        let environments: Vec<&str> = results.environments.iter().map(String::as_str).collect();
        return Finding::Pass(format!("of all {} results: {}", results.unknown.1, environments.join(" | ")));
    }
    let text = readme(subject).map(|(_, text)| text).unwrap_or_default();
    let words: BTreeSet<String> = regex_lite::Regex::new(MACHINE)
        .map(|pattern| pattern.find_iter(&text).map(|found| found.as_str().to_owned()).collect())
        .unwrap_or_default();
    if words.is_empty() {
        let seen = match &subject.results {
            Ok(results) => {
                format!("{} of {} results do not say what they were measured on", results.unknown.0, results.unknown.1)
            }
            Err(why) => format!("README names no system, processor or memory; {why}"),
        };
        return fail(seen, "say in README which system, processors and memory you measured on");
    }
    Finding::Pass(format!("README names {}", words.into_iter().take(6).collect::<Vec<_>>().join(", ")))
}

pub(crate) fn data(subject: &Subject) -> Finding {
    judged(results(subject).map(|results| match results.faults.first() {
        Some(first) => {
            let seen = format!("{} faults, the first: {first}", results.faults.len());
            fail(seen, "`matrix verify` lists them; `matrix run` makes results anew")
        }
        None if results.checked.0 == 0 => fail("the results have no record", "run the experiment"),
        None => {
            let (records, objects) = results.checked;
            Finding::Pass(format!("{records} records and {objects} objects, every digest matches"))
        }
    }))
}

pub(crate) fn claims(subject: &Subject) -> Finding {
    if let Ok(results) = &subject.results
        && !results.claims.is_empty()
    {
        let names: Vec<&str> = results.claims.iter().map(|(name, _)| name.as_str()).take(12).collect();
        return Finding::Pass(format!("{} claims are judged by a machine: {}", results.claims.len(), names.join(", ")));
    }
    fail("no claim is judged by a machine", "write each as [[claim]] in an experiment: `matrix check` judges them")
}

pub(crate) fn complete(subject: &Subject) -> Finding {
    judged(results(subject).map(|results| {
        let open = results.experiments.iter().find(|experiment| experiment.done < experiment.planned);
        if let Some(Progress { name, planned, done }) = open {
            let seen = format!("{name}: {} of {planned} planned cells have no result", planned - done);
            return fail(seen, "`matrix run` the experiment again: it goes on with what is left");
        }
        let said =
            results.experiments.iter().map(|one| format!("{}: all {} planned cells are done", one.name, one.planned));
        match said.collect::<Vec<_>>() {
            none if none.is_empty() => fail("the results have no run", "`matrix run` an experiment"),
            said => Finding::Pass(format!("{}; running again has nothing to do", said.join(", "))),
        }
    }))
}

pub(crate) fn verdicts(subject: &Subject) -> Finding {
    judged(results(subject).map(|results| {
        let of = |stand: Stand| -> Vec<&str> {
            results.claims.iter().filter(|(_, of)| *of == stand).map(|(name, _)| name.as_str()).collect()
        };
        let simulated = if results.simulated { " (simulated)" } else { "" };
        let (holds, against, open, uncovered) =
            (of(Stand::Holds), of(Stand::Contradicted), of(Stand::Open), of(Stand::Uncovered));
        if !against.is_empty() {
            let seen = format!("contradicted{simulated}: {}", against.join(", "));
            return fail(seen, "`matrix check` says by what: change the claim, or find what differs");
        }
        if holds.is_empty() {
            return fail("no claim has a result that supports it", "`matrix check` says what is missing");
        }
        let mut seen = format!("{} claims hold{simulated}", holds.len());
        if !open.is_empty() {
            seen.push_str(&format!(", {} are open: {}", open.len(), open.join(", ")));
        }
        if !uncovered.is_empty() {
            seen.push_str(&format!(", {} are not covered: {}", uncovered.len(), uncovered.join(", ")));
        }
        Finding::Pass(seen)
    }))
}
