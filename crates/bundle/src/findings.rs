//! What is found out when a store or a bundle is checked.

use std::path::Path;

use matrix_store::verify::{Fault, Note};

use crate::bag::{AGENT, REPORT};
use crate::deriver::Deriver;
use crate::difference;

/// What was checked of a store or a bundle, and found.
#[derive(Debug, Default)]
pub struct Findings {
    /// What was checked, and of how many.
    pub checked: Vec<(String, u64)>,
    /// What is not as it should be.
    pub faults: Vec<Fault>,
    /// What is remarkable, and no fault.
    pub notes: Vec<Note>,
    /// The claims, judged.
    pub claims: Vec<String>,
    /// What made a bundle, as it says.
    pub made_by: String,
    /// By which version of the rules a bundle's derived files were made.
    pub deriver: Option<u32>,
    /// Whether that is another version than this program's.
    pub another_version: bool,
    /// Its files of another version that are not what this program derives: nothing is known of them but their digests.
    pub not_verified: Vec<Note>,
}

impl Findings {
    /// Notes a derived file that is not what this program derives: a fault, or not verified where another version derived it.
    pub fn differs(&mut self, file: &Path, deriver: &Deriver, what: impl FnOnce() -> String) {
        match self.deriver {
            Some(theirs) if theirs != deriver.version => {
                // The notice before a README is looked at with what the bundle's files say of each other.
                if self.not_verified.iter().all(|known| known.file != file) {
                    self.not_verified.push(Note { file: file.to_owned(), what: deriver.not_verified(theirs) });
                }
            }
            _ => self.faults.push(Fault { file: file.to_owned(), what: what() }),
        }
    }

    /// Compares a bundle's page with the one that follows from its results. Another version makes another page: then nothing
    /// is known of theirs but its digest.
    pub fn page(&mut self, theirs: &[u8], ours: &[u8]) {
        let made_here = !self.another_version && self.made_by == AGENT;
        let fault = |what: String| Fault { file: Path::new(REPORT).to_owned(), what };
        if theirs == ours {
            self.checked.push(("report.html: derived again, same bytes".to_owned(), 1));
        } else if theirs.is_empty() {
            // Earlier versions made none.
            if made_here {
                self.faults.push(fault("it is missing".to_owned()));
            }
        } else if made_here {
            self.faults.push(fault(format!("it does not follow from the results: {}", difference(theirs, ours))));
        } else {
            let what = format!("NOT VERIFIED: made by {}, and {AGENT} makes another page", self.made_by);
            self.not_verified.push(Note { file: Path::new(REPORT).to_owned(), what });
        }
    }
}
