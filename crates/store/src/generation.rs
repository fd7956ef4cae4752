//! Generations of a record.
//!
//! Several runners may replace a result at the same time, so nobody writes over a record: what replaces it is a file of its own, of the next
//! *generation*, which is created if it is not there yet. The highest generation counts. The others are superseded: they stay until
//! garbage is collected, and nothing reads them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use matrix_core::CellKey;

use crate::error::StoreError;
use crate::layout::SHARED_SCHEMA;
use crate::listing::{Item, list};
use crate::names::Origin;
use crate::sealed::read_small;
use crate::store::{Store, schema_of};

/// The file of a record: `<origin>.json`, and `<origin>.<generation>.json` after the first.
pub(crate) fn file_name(origin: &str, generation: u32) -> String {
    let mut name = String::new();
    push_file_name(origin, generation, &mut name);
    name
}

/// Appends it.
pub(crate) fn push_file_name(origin: &str, generation: u32, out: &mut String) {
    out.push_str(origin);
    if generation > 0 {
        out.push('.');
        out.push_str(&generation.to_string());
    }
    out.push_str(".json");
}

/// The origin and the generation that the name of a record's file says.
pub(crate) fn of_file_name(name: &str) -> Option<(Origin, u32)> {
    let stem = name.strip_suffix(".json")?;
    let (origin, generation) = stem.split_once('.').unwrap_or((stem, "0"));
    let (origin, generation) = (origin.parse::<Origin>().ok()?, generation.parse().ok()?);
    (file_name(origin.as_str(), generation) == name).then_some((origin, generation))
}

/// The generation that a new result gets: at least `least`, and more than that of a result that cannot be used. None where there is a result
/// already, which stays.
pub(crate) fn next(highest: Option<u32>, least: u32, is_usable: bool) -> Option<u32> {
    match highest {
        Some(highest) if highest >= least && is_usable => None,
        Some(highest) if highest >= least => highest.checked_add(1),
        _ => Some(least),
    }
}

impl Store {
    /// Whether records of the store may have generations.
    pub(crate) fn has_generations(&self) -> bool {
        self.generations.load(Ordering::Relaxed)
    }

    /// Looks whether others have made records of later generations since the store was opened.
    pub(crate) fn look_for_generations(&self) -> Result<(), StoreError> {
        if !self.has_generations() && schema_of(&self.layout)?.is_some_and(|schema| schema >= SHARED_SCHEMA) {
            self.generations.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// All records of a cell by origin: the generations in order.
    pub(crate) fn generations(&self, key: &CellKey) -> Result<BTreeMap<Origin, Vec<u32>>, StoreError> {
        Ok(self.generations_of(&list(&self.layout.cell(key))?))
    }

    /// The same of what is in a cell's folder.
    pub(crate) fn generations_of(&self, items: &[Item]) -> BTreeMap<Origin, Vec<u32>> {
        let mut found: BTreeMap<Origin, Vec<u32>> = BTreeMap::new();
        for item in items {
            if let Some((origin, generation)) = item.file().and_then(of_file_name)
                && (generation == 0 || self.has_generations())
            {
                found.entry(origin).or_default().push(generation);
            }
        }
        found.values_mut().for_each(|generations| generations.sort_unstable());
        found
    }

    /// The generation of the record that counts, if there is one. Where no record has several, whether there is one is not looked at.
    pub(crate) fn generation(&self, key: &CellKey, origin: &Origin) -> Result<Option<u32>, StoreError> {
        if !self.has_generations() {
            return Ok(Some(0));
        }
        Ok(self.generations(key)?.get(origin).and_then(|generations| generations.last().copied()))
    }

    /// Whether a record, of whatever generation, has these bytes.
    pub(crate) fn has_record(&self, key: &CellKey, origin: &Origin, bytes: &[u8]) -> Result<bool, StoreError> {
        for generation in self.generations(key)?.remove(origin).unwrap_or_default() {
            if read_small(&self.layout.record_at(key, origin, generation))?.as_deref() == Some(bytes) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The file of the record that counts, whether or not there is one.
    ///
    /// # Errors
    /// When the cell's directory cannot be read.
    pub fn record_path(&self, key: &CellKey, origin: &Origin) -> Result<PathBuf, StoreError> {
        Ok(self.layout.record_at(key, origin, self.generation(key, origin)?.unwrap_or_default()))
    }

    /// The generation that replaces every result of these cells that was measured here.
    pub(crate) fn generation_after(&self, keys: &[CellKey]) -> Result<u32, StoreError> {
        let origin = Origin::default();
        let mut highest = 0;
        for key in keys {
            highest = highest.max(self.generation(key, &origin)?.unwrap_or_default());
        }
        Ok(highest.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_its_origin_and_generation_in_one_way() {
        for (origin, generation, name) in [("local", 0, "local.json"), ("a-1", 12, "a-1.12.json")] {
            assert_eq!(file_name(origin, generation), name);
            assert_eq!(of_file_name(name), Some((origin.parse().unwrap(), generation)));
        }
        for other in
            ["local", "local.0.json", "local.01.json", "local.+1.json", "local.1.2.json", ".1.json", "local.x.json"]
        {
            assert_eq!(of_file_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_result_is_replaced_once_and_what_cannot_be_used_is_followed_by_another() {
        for (highest, least, is_usable, then) in [
            (None, 0, false, Some(0)),
            (None, 3, false, Some(3)),
            (Some(0), 0, true, None),
            (Some(0), 0, false, Some(1)),
            (Some(2), 3, true, Some(3)),
            (Some(3), 3, true, None),
            (Some(4), 3, true, None),
            (Some(4), 3, false, Some(5)),
        ] {
            assert_eq!(next(highest, least, is_usable), then, "{highest:?} {least} {is_usable}");
        }
    }
}
