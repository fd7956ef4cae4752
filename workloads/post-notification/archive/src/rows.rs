//! What the rows of objects come to, against what records say of them.

use std::collections::BTreeMap;

use matrix_bundle::BundleError;
use matrix_bundle::layout::BundlePath;
use matrix_store::{Digest, Store, StoreError, Traces, parallel};
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

/// Bytes of small objects whose rows are read together.
const TOGETHER: usize = 4 << 20;

/// The rows of small objects, which come one by one. Of the smallest there are many, which several threads read.
#[derive(Default)]
pub(crate) struct Small {
    unread: Vec<(Digest, Vec<u8>)>,
    bytes: usize,
    read: Vec<(Digest, TraceRead)>,
    faults: Vec<BundleError>,
}

impl Small {
    /// Takes an object.
    pub(crate) fn add(&mut self, digest: Digest, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        self.unread.push((digest, bytes));
        if self.bytes > TOGETHER {
            self.read();
        }
    }

    fn read(&mut self) {
        self.bytes = 0;
        let rows = |(digest, bytes): (Digest, Vec<u8>)| {
            Ok((digest, read_rows(&BundlePath::Object(digest).to_string(), bytes.as_slice())?))
        };
        for read in parallel::each(std::mem::take(&mut self.unread), rows) {
            match read {
                Ok(read) => self.read.push(read),
                Err(error) => self.faults.push(error),
            }
        }
    }

    /// Counts and totals of each object's rows.
    pub(crate) fn finish(mut self, on_fault: &mut OnFault<'_>) -> Result<Vec<(Digest, TraceRead)>, BundleError> {
        self.read();
        self.faults.into_iter().try_for_each(on_fault)?;
        Ok(self.read)
    }
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
