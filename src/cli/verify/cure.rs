//! What to do about a fault of a store: by the file that has it.

use std::path::{Component, Path};

use matrix_report::page::filter_of;
use matrix_store::{Digest, GenericAttempt, GenericRecord, RecordFile, Store, StoreError};
use matrix_traces::Record;

use crate::output;

/// What to do about a fault of a bundle.
pub(super) const OF_A_BUNDLE: &str = "fetch the bundle again, and compare its SHA-256 with the published one; a fault that stays is for its maker to fix";

/// What to do about a fault of a file in a store.
pub(super) fn of(store: &Store, file: &Path) -> String {
    let names: Vec<&str> = file.components().filter_map(|part| Component::as_os_str(part).to_str()).collect();
    let run = |options: &str| output::on_store(&format!("matrix run FILE{options}"), store.path());
    let remove = || format!("rm {}", output::word(&store.path().join(file)));
    match names.as_slice() {
        ["objects", _, name] => {
            let digest = name.split('.').next().and_then(|stem| stem.parse::<Digest>().ok());
            // A file of another name is no object: nothing can name it.
            let named = digest.map_or_else(Named::by_nothing, |digest| Named::by(store, &digest));
            // A run replaces an object that is not sound: it need not be removed.
            let again = |options: &str, cells: &str| {
                format!("take it from a copy, or run its {cells} again: {}", run(&format!(" --fresh{options}")))
            };
            let filter = named.filter();
            match (named.cells.len(), filter) {
                (0, _) if named.is_known && !named.by_attempts => {
                    format!("no record names it: {} (or `matrix gc`)", remove())
                }
                (0, _) if named.by_attempts => {
                    "take it from a copy; without one the fault stays, but no result stands on it: an attempt left it"
                        .to_owned()
                }
                (0, _) => "take it from a copy: what names it cannot be read".to_owned(),
                (1, Some(filter)) => again(&format!(" --filter '{filter}'"), "cell"),
                (count, Some(filter)) => again(&format!(" --filter '{filter}'"), &format!("{count} cells")),
                (count, None) => again("", &format!("{count} cells, and the others of their experiment,")),
            }
        }
        ["cells", _, "local.json"] => {
            format!("take it from a copy, or run its cell again: {} && {}", remove(), run(""))
        }
        ["cells", ..] => {
            format!("take it from the bundle that it came with, or run its cell again: {} && {}", remove(), run(""))
        }
        ["attempts"] => format!("run the cell again: {}", run(" --fresh")),
        ["attempts", ..] => format!(
            "take it from a copy; without one, move it and the folder of its run (in runs/) out of the store, and run its cells again: {}",
            run(" --fresh")
        ),
        ["runs", name, ..] => format!(
            "take it from a copy; without one, move {} out of the store: results stay, and {} runs what is missing",
            output::word(&store.path().join("runs").join(name)),
            run("")
        ),
        ["store.toml"] => "take it from another store of this version: it is the same in all of them".to_owned(),
        ["received.json"] => "take it from a copy, or extract the bundle again that the results came with".to_owned(),
        _ => "take it from a copy".to_owned(),
    }
}

/// Most cells that a filter lists.
const MOST: usize = 12;

/// What names an object.
struct Named {
    /// The cells whose records name it, each as a filter; none where its values cannot be written as one.
    cells: Vec<Option<String>>,
    /// Whether an attempt names it, besides.
    by_attempts: bool,
    /// Whether every record and attempt could be read.
    is_known: bool,
}

impl Named {
    fn by_nothing() -> Self {
        Self { cells: Vec::new(), by_attempts: false, is_known: true }
    }

    fn by(store: &Store, digest: &Digest) -> Self {
        let mut named = Self::by_nothing();
        let records = named.readable(store.records::<Record>());
        let of_object = records.iter().filter(|record| record.object.sha256 == *digest);
        named.cells.extend(of_object.map(|record| Some(of_application(record))));
        let records = named.readable(store.records::<GenericRecord>());
        let names = |record: &&GenericRecord| record.objects().iter().any(|object| object.sha256 == *digest);
        named.cells.extend(records.iter().filter(names).map(of_program));
        let ids = store.attempts();
        let attempts = ids.map(|ids| ids.into_iter().filter_map(|id| store.attempt::<GenericAttempt>(&id).transpose()));
        let attempts = named.readable(attempts);
        named.by_attempts = attempts.iter().any(|attempt| attempt.outputs.values().any(|left| left.sha256 == *digest));
        named
    }

    /// Those that can be read: the others are faults of their own, and could name anything.
    fn readable<T>(&mut self, all: Result<impl Iterator<Item = Result<T, StoreError>>, StoreError>) -> Vec<T> {
        let Ok(all) = all else {
            self.is_known = false;
            return Vec::new();
        };
        let all: Vec<_> = all.collect();
        let count = all.len();
        let read: Vec<T> = all.into_iter().flatten().collect();
        self.is_known &= read.len() == count;
        read
    }

    /// A filter for all cells, where they are not too many.
    fn filter(&self) -> Option<String> {
        let filters = self.cells.iter().cloned().collect::<Option<Vec<String>>>()?;
        match filters.as_slice() {
            [filter] => Some(filter.clone()),
            several if several.len() <= MOST => {
                Some(several.iter().map(|filter| format!("({filter})")).collect::<Vec<_>>().join(" or "))
            }
            _ => None,
        }
    }
}

fn of_application(record: &Record) -> String {
    let (axes, round) = (&record.inputs.axes, record.inputs.round);
    let matrix_plan::Combination { post_storage, notification_storage, regions } = &axes.combination;
    format!(
        "post_storage={post_storage} and notification_storage={notification_storage} and regions=\"{regions}\" \
         and delay_ms={} and antipode={} and round={round}",
        axes.delay_ms, axes.antipode
    )
}

fn of_program(record: &GenericRecord) -> Option<String> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let axes = record.inputs["axes"].as_object()?.iter().map(|(name, value)| (name.clone(), text(value)));
    let fields: Vec<(String, String)> = axes.chain([("round".to_owned(), text(&record.inputs["round"]))]).collect();
    filter_of(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}
