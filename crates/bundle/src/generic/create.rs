//! Making a bundle of format 3.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use matrix_core::{CellKey, Tally};
use matrix_store::{Origin, RunId, Store};

use super::FORMAT;
use super::payload::Payload;
use crate::bag::{AGENT, About};
use crate::container::Container;
use crate::error::{BundleError, Refusal};
use crate::extras::Extras;
use crate::info::BundleInfo;
use crate::layout::BundlePath;
use crate::limits::Limits;
use crate::new_file::whole_file;

/// What of a store goes into a bundle, and how.
#[derive(Clone, Debug, Default)]
pub struct GenericOptions {
    /// Under which origin to publish what was measured here; `local` stays if there is none.
    pub origin: Option<Origin>,
    /// Whether cells that were planned may be missing.
    pub allow_incomplete: bool,
    /// Who measured, if the bundle is to say so.
    pub identify: Option<String>,
    /// Only these cells; all that the runs planned without it.
    pub only: Option<BTreeSet<CellKey>>,
}

/// Makes a bundle of these runs, whole or not at all. The same results and extras give the same bytes.
///
/// # Errors
/// When cells are missing and that was not allowed, the store is damaged, or the file cannot be written.
pub fn create_generic(
    store: &Store,
    runs: &[RunId],
    extras: &Extras,
    options: &GenericOptions,
    file: &Path,
) -> Result<BundleInfo, BundleError> {
    let mut payload = Payload::gather(store, runs, options.origin.as_ref(), options.only.as_ref())?;
    if payload.tally.done < payload.tally.planned() && !options.allow_incomplete {
        return Err(BundleError::Incomplete(payload.tally));
    }
    payload.extras(extras, options.identify.as_deref());
    for (path, item) in &payload.items {
        let max = BundlePath::of(path).and_then(|place| place.max_bytes_of_programs(&Limits::of_ours()));
        if let Some(max) = max.filter(|max| item.size > *max) {
            return Err(BundleError::Unfit {
                path: path.clone(),
                why: Refusal::FileTooLarge { bytes: item.size, max },
            });
        }
    }
    whole_file(file, |out| write(store, payload, out))
}

fn write(store: &Store, mut payload: Payload, out: impl Write) -> Result<BundleInfo, BundleError> {
    let folder = folder_of(&payload.experiments);
    let bytes = payload.items.values().fold(0, |all: u64, item| all.saturating_add(item.size));
    let info = bag_info(&payload, &payload.tally, AGENT, (bytes, payload.items.len() as u64));
    let Payload { items, .. } = &mut payload;
    let container = Container::new(folder, &info, std::mem::take(items))?;
    let (sha256, size) = container.write(store, None, out)?;
    Ok(BundleInfo {
        sha256,
        bytes: size,
        folder: container.folder().to_owned(),
        files: container.files(),
        payload_bytes: container.payload_bytes(),
        experiments: payload.experiments.iter().cloned().collect(),
        origins: payload.origins.iter().map(ToString::to_string).collect(),
        cells: payload.tally,
        records: payload.records,
        attempts: payload.attempts,
        objects: payload.objects,
    })
}

/// The folder of a bag with results of these experiments.
pub(super) fn folder_of(experiments: &BTreeSet<String>) -> String {
    match experiments.iter().collect::<Vec<_>>()[..] {
        [name] => format!("{name}-bundle"),
        _ => "matrix-bundle".to_owned(),
    }
}

/// What is said of a bag with these results of these cells, made by `agent`, with so many bytes and files.
pub(super) fn bag_info(
    payload: &Payload,
    cells: &Tally,
    agent: &str,
    (payload_bytes, files): (u64, u64),
) -> BTreeMap<&'static str, String> {
    let about = About {
        agent,
        format: FORMAT,
        date: if payload.date.is_empty() { "1970-01-01" } else { &payload.date },
        description: "Results of programs run over a matrix of values (measured)".to_owned(),
        cells,
        experiments: &payload.experiments,
        origins: &payload.origins,
        payload_bytes,
        files,
    };
    about.fields()
}
