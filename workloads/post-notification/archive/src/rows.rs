//! What the rows of objects come to, against what records say of them.

use std::collections::BTreeMap;

use matrix_bundle::BundleError;
use matrix_bundle::layout::BundlePath;
use matrix_store::{Digest, Store, StoreError, Traces};
use matrix_traces::rows::{self, TraceRead};
use matrix_traces::{PostNotification, Record};

use crate::contents::OnFault;
use crate::inventory::Inventory;

/// Reads the rows of objects in a store: what they come to.
pub(crate) fn rows_of(
    store: &Store,
    objects: Vec<Digest>,
    on_fault: &mut OnFault<'_>,
) -> Result<BTreeMap<Digest, Option<TraceRead>>, BundleError> {
    let mut seen = BTreeMap::new();
    for digest in objects {
        let place = BundlePath::Object(digest).to_string();
        match read_rows(&place, store.open_object(&digest)?) {
            Ok(rows) => drop(seen.insert(digest, Some(rows))),
            Err(error) => on_fault(error)?,
        }
    }
    Ok(seen)
}

/// Reads an object's rows: what they come to.
pub(crate) fn read_rows(place: &str, object: impl std::io::Read) -> Result<TraceRead, BundleError> {
    rows::read(place.as_ref(), object).map_err(|error| match error {
        StoreError::Io { source, .. } => BundleError::from_read(source),
        other => BundleError::of_file(place, other),
    })
}

/// What records say of their objects, and is not so: records by path in the bag.
pub(crate) fn recount(inventory: &Inventory, seen: &BTreeMap<Digest, Option<TraceRead>>) -> Vec<(String, String)> {
    let wrong = |record: &Record| {
        let rows = seen.get(&record.object.sha256).and_then(Option::as_ref);
        rows.is_some_and(|rows| rows.sums != PostNotification::sums(record))
    };
    let what = || "its counts and totals are not those of its object's rows".to_owned();
    let records = inventory.records.iter().filter(|(_, record)| wrong(record));
    records.map(|((key, origin), _)| (BundlePath::Record(*key, origin.clone()).to_string(), what())).collect()
}

/// The same where the first fault ends it.
pub(crate) fn must_count(inventory: &Inventory, seen: &BTreeMap<Digest, Option<TraceRead>>) -> Result<(), BundleError> {
    let first = recount(inventory, seen).into_iter().next();
    first.map_or(Ok(()), |(place, what)| Err(BundleError::contents(&place, what)))
}
