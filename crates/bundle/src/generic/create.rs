//! Making a bundle of format 3.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use matrix_plan::CellKey;
use matrix_store::{Digest, Origin, RunId, Store};

use super::FORMAT;
use super::payload::{Content, GenericExtras, Payload};
use crate::bag::{BAG_INFO, BAGIT, DECLARATION, MANIFEST, TAG_MANIFEST, render_info, render_manifest};
use crate::compress::{compressor, finish};
use crate::create::{AGENT, AGENT_FIELD, tag_manifest, whole_file};
use crate::error::BundleError;
use crate::info::BundleInfo;
use crate::tar::TarWriter;
use crate::{path, tar};

/// What of a store goes into a bundle, and how.
#[derive(Clone, Debug, Default)]
pub struct GenericOptions {
    /// Under which origin to publish what was measured here; `local` stays if there is none.
    pub origin: Option<Origin>,
    /// Whether cells that were planned may be missing.
    pub allow_incomplete: bool,
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
    extras: &GenericExtras,
    options: &GenericOptions,
    file: &Path,
) -> Result<BundleInfo, BundleError> {
    let mut payload = Payload::gather(store, runs, options.origin.as_ref(), options.only.as_ref())?;
    if payload.tally.done < payload.tally.planned() && !options.allow_incomplete {
        return Err(BundleError::Incomplete(payload.tally));
    }
    payload.extras(extras);
    whole_file(file, |out| write(store, &payload, out))
}

fn write(store: &Store, payload: &Payload, out: impl Write) -> Result<BundleInfo, BundleError> {
    let folder = match payload.experiments.iter().collect::<Vec<_>>()[..] {
        [name] => format!("{name}-bundle"),
        _ => "matrix-bundle".to_owned(),
    };
    for (name, item) in &payload.items {
        let full = format!("{folder}/{name}");
        path::parse(full.as_bytes())
            .and_then(|full| tar::fits(full, item.size))
            .map_err(|why| BundleError::Unfit { path: name.clone(), why })?;
    }
    path::collisions(payload.items.keys().map(String::as_str))
        .map_err(|(path, why)| BundleError::Unfit { path: path.to_owned(), why })?;
    let bytes: u64 = payload.items.values().map(|item| item.size).sum();
    let info = render_info(&bag_info(payload, bytes));
    let manifest = render_manifest(payload.items.iter().map(|(path, item)| (path.as_str(), item.digest)));
    let mut tags = vec![
        (BAGIT, DECLARATION.as_bytes().to_vec()),
        (BAG_INFO, info.into_bytes()),
        (MANIFEST, manifest.into_bytes()),
    ];
    let last = tag_manifest(tags.iter().map(|(name, bytes)| (*name, Digest::of(bytes))));
    tags.push((TAG_MANIFEST, last.into_bytes()));

    let writing = || BundleError::io("writing the bundle");
    let workers =
        std::thread::available_parallelism().ok().and_then(|cpus| u32::try_from(cpus.get()).ok()).unwrap_or(1);
    let mut tar = TarWriter::new(compressor(out, workers)?);
    for (name, bytes) in &tags {
        tar.append(&format!("{folder}/{name}"), bytes.len() as u64, bytes.as_slice())?;
    }
    for (name, item) in &payload.items {
        let path = format!("{folder}/{name}");
        match &item.content {
            Content::Bytes(bytes) => tar.append(&path, item.size, bytes.as_slice())?,
            // Its reader compares its digest at the end.
            Content::Object(digest) => {
                tar.append(&path, item.size, store.open_object(digest)?.with_max_bytes(item.size))?
            }
        }
    }
    let (_, sha256, size) = finish(tar.finish().map_err(writing())?).map_err(writing())?;
    Ok(BundleInfo {
        sha256,
        bytes: size,
        folder,
        files: payload.items.len() as u64,
        payload_bytes: bytes,
        experiments: payload.experiments.iter().cloned().collect(),
        origins: payload.origins.iter().map(ToString::to_string).collect(),
        cells: payload.tally,
        records: payload.records,
        attempts: payload.attempts,
        objects: payload.objects,
    })
}

fn bag_info(payload: &Payload, bytes: u64) -> BTreeMap<&'static str, String> {
    let tally = &payload.tally;
    let join = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    BTreeMap::from([
        (AGENT_FIELD, AGENT.to_owned()),
        ("Bagging-Date", if payload.date.is_empty() { "1970-01-01".to_owned() } else { payload.date.clone() }),
        ("External-Description", "Results of programs run over a matrix of values (measured)".to_owned()),
        ("Matrix-Bundle-Format", FORMAT.to_owned()),
        ("Matrix-Cells-Done", tally.done.to_string()),
        ("Matrix-Cells-Failed", tally.failed.to_string()),
        ("Matrix-Cells-Pending", tally.pending.to_string()),
        ("Matrix-Cells-Planned", tally.planned().to_string()),
        ("Matrix-Complete", if tally.done == tally.planned() { "yes" } else { "no" }.to_owned()),
        ("Matrix-Experiments", join(payload.experiments.iter().map(String::as_str).collect())),
        ("Matrix-Origins", join(payload.origins.iter().map(Origin::as_str).collect())),
        ("Payload-Oxum", format!("{bytes}.{}", payload.items.len())),
    ])
}
