//! What to do about a fault of a store: by the file that has it.

use matrix_traces::Record;
use std::path::{Component, Path};

use matrix_store::{Digest, Store};

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
            let cells = digest.map(|digest| filters(store, &digest)).unwrap_or_default();
            match cells.as_slice() {
                [] => format!("no record names it: {} (or `matrix gc`)", remove()),
                [cell] => format!(
                    "take it from a copy, or run its cell again: {}",
                    run(&format!(" --fresh --filter '{cell}'"))
                ),
                _ => format!("take it from a copy, or run its cells again: {} && {}", remove(), run("")),
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

/// The cells whose result is an object, each as a filter.
fn filters(store: &Store, digest: &Digest) -> Vec<String> {
    // Records that cannot be read are faults of their own.
    let records = store.records::<Record>().into_iter().flatten().flatten();
    let of_object = records.filter(|record| record.object.sha256 == *digest);
    of_object
        .map(|record| {
            let (axes, round) = (&record.inputs.axes, record.inputs.round);
            let matrix_plan::Combination { post_storage, notification_storage, regions } = &axes.combination;
            format!(
                "post_storage={post_storage} and notification_storage={notification_storage} and regions=\"{regions}\" \
                 and delay_ms={} and antipode={} and round={round}",
                axes.delay_ms, axes.antipode
            )
        })
        .collect()
}
