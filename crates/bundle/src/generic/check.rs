//! What the files of a bundle of format 3 say of each other.

use std::collections::BTreeMap;
use std::path::Path;

use matrix_core::{CellState, Tally};
use matrix_store::Store;
use matrix_store::verify::Fault;

use super::create::{bag_info, folder_of};
use super::metadata::{identified, metadata};
use super::payload::Payload;
use super::restore::GenericRestored;
use crate::bag::{AGENT_FIELD, BAG_INFO};
use crate::check::{WrongInfo, wrong_info, wrong_trees};
use crate::deriver::Deriver;
use crate::difference;
use crate::error::BundleError;
use crate::findings::Findings;
use crate::json;
use crate::layout::BundlePath;

/// Checks what the files of a bundle say of each other, when each is sound by itself: that something names each of them, and that the
/// metadata, what is said of the bag, its folder and its source's name follow from the rest. `store` was made of the bundle.
///
/// # Errors
/// When the store cannot be read.
pub fn check_generic(
    store: &Store,
    restored: &GenericRestored,
    deriver: &Deriver,
    findings: &mut Findings,
) -> Result<(), BundleError> {
    let files = &restored.payload;
    let mut faults = wrong_trees(files);
    for place in
        [BundlePath::Readme, BundlePath::License, BundlePath::Citation, BundlePath::Cells, BundlePath::Metadata]
    {
        if files.get(&place.to_string()).is_none() {
            faults.push((place.to_string(), "it is missing".to_owned()));
        }
    }
    let payload = match Payload::gather(store, &store.all_runs()?, None, None) {
        Ok(payload) => payload,
        Err(error @ BundleError::Empty) => {
            faults.push((".".to_owned(), error.to_string()));
            findings.faults.extend(faults.into_iter().map(|(file, what)| Fault { file: file.into(), what }));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for (path, _, digest) in files.iter() {
        match payload.items.get(path) {
            Some(item) if item.digest != digest => {
                faults.push((path.to_owned(), "it is not what follows from journals, records and attempts".to_owned()));
            }
            None if BundlePath::of(path).is_some_and(|place| place.is_of_results()) => {
                faults.push((path.to_owned(), "nothing in the bundle names it".to_owned()));
            }
            _ => {}
        }
    }
    let missing = payload.items.keys().filter(|path| files.get(path).is_none());
    faults.extend(missing.map(|path| (path.clone(), "it is missing".to_owned())));
    let folder = folder_of(&payload.experiments);
    if restored.folder != folder {
        faults.push((restored.folder.clone(), format!("the bag's folder should be {folder}")));
    }
    let mut follow = 0;
    let agent = restored.info.get(AGENT_FIELD).map(String::as_str).unwrap_or_default();
    let cells = cells(&restored.info, &payload);
    let info = bag_info(&payload, &cells, agent, (restored.payload_bytes, files.count()));
    match wrong_info(&restored.bag_info, agent, &info, findings.another_version) {
        Some(WrongInfo::Fault(what)) => faults.push((BAG_INFO.to_owned(), what)),
        Some(WrongInfo::Derived(what)) => findings.differs(Path::new(BAG_INFO), deriver, || what),
        None => follow += 1,
    }
    let place = BundlePath::Metadata.to_string();
    match json::parse::<serde_json::Value>(&restored.metadata) {
        Ok(found) => {
            let others = files.iter().filter(|(path, ..)| *path != place).map(|(path, size, _)| (path, size));
            let again = metadata(&payload.experiments, &payload.date, others, identified(&found));
            if again == restored.metadata {
                follow += 1;
            } else {
                let what =
                    || format!("it is not what follows from the rest: {}", difference(&restored.metadata, &again));
                findings.differs(Path::new(&place), deriver, what);
            }
        }
        // That it is missing was said.
        Err(what) if files.get(&place).is_some() => faults.push((place, what)),
        Err(_) => {}
    }
    findings.checked.push(("bag-info.txt, ro-crate-metadata.json: follow from the rest".to_owned(), follow));
    findings.faults.extend(faults.into_iter().map(|(file, what)| Fault { file: file.into(), what }));
    Ok(())
}

/// The cells that a bundle is about. One that holds a selection is about fewer than its runs planned, and only what is said of the bag
/// tells how many of those that have no result: that has to be possible.
fn cells(info: &BTreeMap<String, String>, payload: &Payload) -> Tally {
    let number = |name: &str| info.get(&format!("Matrix-Cells-{name}"))?.parse::<u64>().ok();
    let told = || {
        let (done, failed, pending) = (number("Done")?, number("Failed")?, number("Pending")?);
        let tried = done.checked_add(failed)?.checked_add(pending)?;
        Some(Tally { done, failed, pending, skipped: number("Planned")?.checked_sub(tried)?, ..Tally::default() })
    };
    let (most, least) = (&payload.tally, &payload.tried);
    let is_possible = |told: &Tally| {
        CellState::ALL.iter().all(|state| (least.count(*state)..=most.count(*state)).contains(&told.count(*state)))
    };
    told().filter(is_possible).unwrap_or(payload.tally)
}
