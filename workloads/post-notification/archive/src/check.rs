//! What the files of a bundle say of each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use matrix_bundle::bag::{AGENT_FIELD, BAG_INFO, FORMAT_FIELD};
use matrix_bundle::check::{WrongInfo, wrong_info, wrong_trees};
use matrix_bundle::layout::BundlePath;
use matrix_bundle::{BundleError, BundleReader, Packed, difference, digest_of, json};
use matrix_plan::CellKey;
use matrix_store::{AttemptId, Digest, Origin, RunId, parallel};
use serde::de::IgnoredAny;

use crate::contents::{Contents, OnFault};
use crate::create::{Maker, bag_info};
use crate::deriver::{self, DERIVER, DERIVER_VERSION};
use crate::inventory::{Facts, Inventory, MissingAttempt};
use crate::{cells, metadata};

/// What made a bundle, as it says.
pub(crate) fn made_by(reader: &BundleReader) -> Option<&str> {
    reader.info().get(AGENT_FIELD).map(String::as_str)
}

/// What follows from the files of a bundle.
pub(crate) struct Followed {
    pub(crate) facts: Arc<Facts>,
    /// Files of another deriver that are not what this program derives: by path in the bag, and what is said of each.
    pub(crate) not_verified: Vec<(String, String)>,
}

/// A derived file that differs from what this program derives: a fault where it is of this program's deriver, and otherwise
/// not verified.
struct Derived {
    theirs: u32,
    faults: Vec<(String, String)>,
    not_verified: Vec<(String, String)>,
}

impl Derived {
    fn differs(&mut self, path: String, what: impl FnOnce() -> String) {
        if self.theirs == DERIVER_VERSION {
            self.faults.push((path, what()));
        } else {
            self.not_verified.push((path, DERIVER.not_verified(self.theirs)));
        }
    }
}

impl Contents {
    /// Checks what files say of each other, when each is sound by itself; returns what follows from them.
    pub(crate) fn check(
        &self,
        reader: &BundleReader,
        on_fault: &mut OnFault<'_>,
    ) -> Result<Option<Followed>, BundleError> {
        let facts = match self.inventory.facts() {
            Ok(facts) => facts,
            Err(error) if error.is_of_one_file() => {
                on_fault(error)?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let (references, derived) = parallel::beside(|| self.references(&facts), || self.derived(reader, &facts));
        let Derived { faults, not_verified, .. } = derived?;
        for (path, what) in references.into_iter().chain(faults) {
            on_fault(BundleError::contents(&path, what))?;
        }
        Ok(Some(Followed { facts, not_verified }))
    }

    /// What is wrong with the references between files.
    fn references(&self, facts: &Facts) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |place: &BundlePath, what: String| faults.push((place.to_string(), what));
        let inventory = &self.inventory;
        let known = |key: &CellKey| inventory.cells.contains(key);
        let not_listed = || "its cell is not listed in cells.csv".to_owned();
        for ((key, origin), record) in &inventory.records {
            let place = BundlePath::Record(*key, origin.clone());
            let object = &record.object;
            let path = BundlePath::Object(object.sha256).to_string();
            match self.files.get(&path) {
                None => fault(&place, format!("its object {} is missing", object.sha256.short())),
                Some((size, _)) if size != object.bytes => {
                    fault(&place, format!("it says that its object has {} bytes; it has {size}", object.bytes));
                }
                Some(_) => {}
            }
            if !known(key) {
                fault(&place, not_listed());
            }
        }
        for (id, attempt) in &inventory.attempts {
            if !known(&attempt.key) {
                fault(&BundlePath::Attempt(id.clone()), not_listed());
            }
        }
        faults.extend(self.attempts(facts));
        let mut fault = |place: &BundlePath, what: String| faults.push((place.to_string(), what));
        let named: BTreeSet<Digest> = facts.runs.values().flat_map(|files| files.values().copied()).collect();
        let objects = inventory.objects();
        for (path, ..) in self.files.iter() {
            let Some(place) = BundlePath::of(path) else { continue };
            match &place {
                BundlePath::Experiment(digest) | BundlePath::Plan(digest) | BundlePath::Model(digest)
                    if !named.contains(digest) =>
                {
                    fault(&place, "no run names it".to_owned());
                }
                BundlePath::Object(digest) if !objects.contains_key(digest) => {
                    fault(&place, "no record names it".to_owned());
                }
                _ => {}
            }
        }
        for ((run, digest), files) in &facts.runs {
            for name in ["experiment.toml", "plan.json"] {
                if !files.contains_key(name) {
                    fault(&BundlePath::Journal(run.clone(), *digest), format!("its first line does not name {name}"));
                }
            }
        }
        for place in
            [BundlePath::Readme, BundlePath::License, BundlePath::Citation, BundlePath::Cells, BundlePath::Metadata]
        {
            if self.files.get(&place.to_string()).is_none() {
                fault(&place, "it is missing".to_owned());
            }
        }
        faults
    }

    /// What is wrong with files that follow from others.
    fn derived(&self, reader: &BundleReader, facts: &Facts) -> Result<Derived, BundleError> {
        let mut derived = Derived { theirs: self.deriver(), faults: Vec::new(), not_verified: Vec::new() };
        let made = |place: &BundlePath| self.made.get(&place.to_string());
        let is = |place: &BundlePath, digest: Digest| made(place).is_some_and(|text| text.digest() == digest);
        let unpacked = |place: &BundlePath| made(place).map_or_else(|| Ok(Vec::new()), Packed::bytes);
        let unpacked = |place: &BundlePath| unpacked(place).map_err(BundleError::io("unpacking what was read"));
        let rendering = || BundleError::io("making the metadata again");
        let others = metadata::files(self.files.iter().map(|(path, size, _)| (path, size)));
        let (rendered, metadata) = parallel::beside(
            || cells::render(&self.inventory, facts),
            || digest_of(|out| metadata::render(&self.inventory, facts, &others, out)),
        );
        let (metadata, _) = metadata.map_err(rendering())?;
        if !is(&BundlePath::Cells, Digest::of(rendered.as_bytes())) {
            let what = difference(&unpacked(&BundlePath::Cells)?, rendered.as_bytes());
            derived.differs(BundlePath::Cells.to_string(), || {
                format!("it is not what follows from the records and plans: {what}")
            });
        }
        if reader.folder() != facts.folder() {
            derived.faults.push((reader.folder().to_owned(), format!("the bag's folder should be {}", facts.folder())));
        }
        let notice = facts.notice().unwrap_or_default();
        if !self.extras.readme.starts_with(notice.as_bytes()) {
            derived.differs(BundlePath::Readme.to_string(), || "it does not say that cells are missing".to_owned());
        }
        let format = reader.info().get(FORMAT_FIELD).map(String::as_str).unwrap_or_default();
        derived.faults.extend(self.wrong_deriver(format).map(|what| (deriver::file(), what.to_owned())));
        derived.faults.extend(wrong_trees(&self.files));
        self.bag_info(reader, facts, format, &mut derived);
        if !is(&BundlePath::Metadata, metadata) {
            let mut rendered = Vec::new();
            metadata::render(&self.inventory, facts, &others, &mut rendered).map_err(rendering())?;
            let found = unpacked(&BundlePath::Metadata)?;
            let what = difference(&found, &rendered);
            match json::parse::<IgnoredAny>(&found) {
                Err(what) if made(&BundlePath::Metadata).is_some() => {
                    derived.faults.push((BundlePath::Metadata.to_string(), what));
                }
                _ => derived.differs(BundlePath::Metadata.to_string(), || {
                    format!("it is not what follows from the records and attempts: {what}")
                }),
            }
        }
        Ok(derived)
    }

    /// What is wrong with what is said of the bag.
    fn bag_info(&self, reader: &BundleReader, facts: &Facts, format: &str, derived: &mut Derived) {
        let agent = made_by(reader).unwrap_or_default();
        let maker = Maker { agent, format };
        let info = bag_info(&self.inventory, facts, self.payload_bytes, self.files.count(), &maker);
        let found = reader.tags().get(BAG_INFO).map(Vec::as_slice).unwrap_or_default();
        match wrong_info(found, agent, &info, self.deriver() != DERIVER_VERSION) {
            Some(WrongInfo::Fault(what)) => derived.faults.push((BAG_INFO.to_owned(), what)),
            Some(WrongInfo::Derived(what)) => derived.differs(BAG_INFO.to_owned(), || what),
            None => {}
        }
    }

    /// Attempts that others name, and that are missing: those that results come from, and those that journals tell the
    /// end of.
    fn attempts(&self, facts: &Facts) -> Vec<(String, String)> {
        let Inventory { records, attempts, left_out, .. } = &self.inventory;
        let made: BTreeSet<(&CellKey, &Origin, Digest)> =
            attempts.values().filter_map(|attempt| Some((&attempt.key, &attempt.origin, attempt.object?))).collect();
        let mut faults = Vec::new();
        for ((key, origin), record) in records {
            if !made.contains(&(key, origin, record.object.sha256)) {
                let what = "the attempt that it comes from is missing".to_owned();
                faults.push((BundlePath::Record(*key, origin.clone()).to_string(), what));
            }
        }
        for MissingAttempt { id, journal: (run, digest), .. } in &facts.missing_attempts {
            if !left_out.contains(id) {
                let place = BundlePath::Journal(run.clone(), *digest).to_string();
                faults.push((place, format!("its attempt {id} is missing")));
            }
        }
        let named: BTreeSet<&AttemptId> = facts.missing_attempts.iter().map(|missing| &missing.id).collect();
        for id in left_out.iter().filter(|id| !named.contains(id)) {
            let what = format!("it names {id}, which is there, or which no journal names");
            faults.push((BundlePath::LeftOut.to_string(), what));
        }
        faults
    }

    /// What is worth knowing and harms nobody: files by path in the bag, and what there is to say of them.
    pub(crate) fn notes(&self, facts: &Facts) -> Vec<(String, String)> {
        let Inventory { attempts, journals, .. } = &self.inventory;
        let objects = self.inventory.objects();
        let runs: BTreeSet<&RunId> = journals.keys().map(|(run, _)| run).collect();
        let mut notes = Vec::new();
        if !self.inventory.left_out.is_empty() {
            let what = format!("{} attempts that journals name were left out", self.inventory.left_out.len());
            notes.push((BundlePath::LeftOut.to_string(), what));
        }
        for (id, attempt) in attempts {
            let place = || BundlePath::Attempt(id.clone()).to_string();
            if let Some(run) = &attempt.run
                && runs.contains(run)
                && facts.unnamed_attempts.contains(id)
            {
                notes.push((place(), format!("the journal of its run {run} says nothing of it")));
            }
            if let Some(object) = attempt.object.filter(|object| !objects.contains_key(object)) {
                let what = format!("its object {} was replaced by a later attempt's", object.short());
                notes.push((place(), what));
            }
        }
        notes
    }
}
