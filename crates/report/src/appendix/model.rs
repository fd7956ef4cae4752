//! The contents of an appendix, whatever the workload.

use super::{Prose, document, latex, markdown};

/// An artifact appendix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Appendix {
    /// The author's own text.
    pub prose: Prose,
    /// Facts about the artifact, each with its name: title, DOI, commit.
    pub facts: Vec<(String, String)>,
    /// What experiments require of the machine, each with the experiments that do, as places in `experiments`.
    pub requires: Vec<(String, Vec<usize>)>,
    /// What the authors measured on, a line each.
    pub environments: Vec<String>,
    /// The claims, in the order of the files.
    pub claims: Vec<Claim>,
    /// The experiments, in the order of the files.
    pub experiments: Vec<Experiment>,
}

/// A claim of the paper.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claim {
    /// Its name in the experiment's file.
    pub id: String,
    /// What it says.
    pub says: String,
    /// Where the paper makes it.
    pub paper: Option<String>,
    /// The experiments that it is judged by, as places in [`Appendix::experiments`].
    pub backed_by: Vec<usize>,
    /// The verdict on the authors' results.
    pub verdict: Option<String>,
    /// What was found, with intervals, a line each.
    pub found: Vec<String>,
    /// Why nothing here covers it, if nothing does.
    pub uncovered: Option<String>,
}

/// An experiment: a matrix of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Experiment {
    /// Its name.
    pub name: String,
    /// The origin of the numbers, where that has to be stated: simulated, configured lag.
    pub nature: String,
    /// Cells that it has.
    pub cells: usize,
    /// How often each point is measured.
    pub rounds: u32,
    /// Minutes that a person is busy with it, where the author states them.
    pub human_minutes: Option<f64>,
    /// What the authors' attempts took.
    pub measured: Measured,
    /// Commands before it: what checks quickly that it works.
    pub prepare: Vec<String>,
    /// Commands that run it.
    pub run: Vec<String>,
}

/// What attempts took, over the cells that have a result.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Cells with a result whose attempt is known.
    pub cells: usize,
    /// Seconds that their attempts took, one after the other.
    pub seconds: f64,
    /// Bytes of what they left, uncompressed.
    pub bytes: u64,
}

impl Measured {
    /// Adds a cell.
    pub fn add(&mut self, seconds: f64, bytes: u64) {
        self.cells += 1;
        self.seconds += seconds;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl Appendix {
    /// Adds another file's appendix behind this one's claims and experiments.
    pub fn extend(&mut self, other: Self) {
        self.prose.extend(other.prose);
        let first = self.experiments.len();
        let moved = |places: Vec<usize>| places.into_iter().map(|place| place + first).collect::<Vec<_>>();
        for (requirement, places) in other.requires {
            let places = moved(places);
            match self.requires.iter_mut().find(|(known, _)| *known == requirement) {
                Some((_, known)) => known.extend(places),
                None => self.requires.push((requirement, places)),
            }
        }
        for fact in other.facts {
            if !self.facts.contains(&fact) {
                self.facts.push(fact);
            }
        }
        for environment in other.environments {
            if !self.environments.contains(&environment) {
                self.environments.push(environment);
            }
        }
        let claims = other.claims.into_iter().map(|claim| Claim { backed_by: moved(claim.backed_by), ..claim });
        self.claims.extend(claims);
        self.experiments.extend(other.experiments);
    }

    /// What the claims are called: their own names where each is of the form `C1`, else numbers in order.
    pub(super) fn claim_names(&self) -> Vec<String> {
        let is_number = |id: &str| {
            id.strip_prefix('C').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let mut ids: Vec<&str> = self.claims.iter().map(|claim| claim.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() == self.claims.len() && ids.iter().all(|id| is_number(id)) {
            return self.claims.iter().map(|claim| claim.id.clone()).collect();
        }
        (1..=self.claims.len()).map(|number| format!("C{number}")).collect()
    }

    /// The appendix as LaTeX: a section to be included, which needs no package.
    #[must_use]
    pub fn latex(&self) -> String {
        latex::write(&document::of(self))
    }

    /// The appendix as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::write(&document::of(self))
    }
}
