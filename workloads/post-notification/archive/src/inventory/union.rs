//! The union of inventories: commutative, associative and idempotent.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use matrix_bundle::{BundleError, Conflict, Packed, digest_of};
use matrix_store::{Digest, RunId, Sealed, StoreError};

use super::{Inventory, Known};

impl Inventory {
    /// Takes in another inventory.
    ///
    /// Things of one name have to be the same, with one exception: a run that goes on has a longer journal than before, and
    /// the longer one stays.
    ///
    /// # Errors
    /// When two different results, or two different attempts, have one name: all of them.
    pub fn unite(&mut self, other: Self) -> Result<(), BundleError> {
        self.known = Known::default();
        let mut conflicts = Vec::new();
        for (name, record) in other.records {
            match self.records.get(&name) {
                None => {
                    self.records.insert(name, record);
                }
                Some(ours) if *ours == record => {}
                Some(ours) => {
                    let mut objects = vec![ours.object.sha256, record.object.sha256];
                    objects.sort();
                    conflicts.push(Conflict::Results { key: name.0, origin: name.1, objects });
                }
            }
        }
        for (id, attempt) in other.attempts {
            match self.attempts.get(&id) {
                None => {
                    self.attempts.insert(id, attempt);
                }
                Some(ours) if *ours == attempt => {}
                Some(ours) => {
                    let digest = |attempt: &matrix_traces::Attempt| -> Result<Digest, StoreError> {
                        Ok(Digest::of(&attempt.to_bytes()?))
                    };
                    let mut files = vec![digest(ours)?, digest(&attempt)?];
                    files.sort();
                    conflicts.push(Conflict::Attempts { id: id.to_string(), files });
                }
            }
        }
        if !conflicts.is_empty() {
            return Err(BundleError::Conflicts(conflicts));
        }
        self.left_out.extend(other.left_out);
        self.left_out.retain(|id| !self.attempts.contains_key(id));
        self.cells.extend(other.cells);
        self.journals.extend(other.journals);
        keep_longest(&mut self.journals)?;
        self.experiments.extend(other.experiments);
        self.plans.extend(other.plans);
        self.models.extend(other.models);
        self.sources.extend(other.sources);
        for (origin, names) in other.agents {
            self.agents.entry(origin).or_default().extend(names);
        }
        Ok(())
    }
}

/// Of the journals of one run, drops those that another one continues.
fn keep_longest(journals: &mut BTreeMap<(RunId, Digest), Packed>) -> Result<(), BundleError> {
    let mut continued = Vec::new();
    for (name, text) in journals.iter() {
        let of_the_run = journals.range((name.0.clone(), Digest::MIN)..=(name.0.clone(), Digest::MAX));
        for (_, longer) in of_the_run.filter(|(_, other)| other.size() > text.size()) {
            let begin = digest_of(|out| io::copy(&mut longer.open()?.take(text.size()), out).map(drop));
            if begin.map_err(BundleError::io("unpacking a journal"))?.0 == text.digest() {
                continued.push(name.clone());
            }
        }
    }
    continued.iter().for_each(|name| drop(journals.remove(name)));
    Ok(())
}
