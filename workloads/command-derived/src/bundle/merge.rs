//! One bundle of several.

use std::path::{Path, PathBuf};

use matrix_bundle::temporary::Folder;
use matrix_bundle::{BundleError, GenericOptions, Limits};
use matrix_store::Store;

use super::{Made, extras, is_program_bundle};
use crate::chosen::{Chosen, Texts, newest, runs_of};
use crate::error::DerivedError;
use crate::plans::must_follow;
use crate::shards::Shards;

/// Makes one bundle of several, at `out`, whole or not at all. Which comes first makes no difference.
///
/// # Errors
/// When one is no bundle of programs' results, or is not what it should be; when results of one cell and origin differ; when cells
/// are missing, unless that is allowed.
pub fn merge(files: &[PathBuf], limits: Limits, allow_incomplete: bool, out: &Path) -> Result<Made, DerivedError> {
    if let Some(file) = files.iter().find(|file| !is_program_bundle(file, limits)) {
        return Err(DerivedError::OtherBundle { file: file.clone() });
    }
    let folder = Folder::new()?;
    let union = folder.path().join("store");
    matrix_bundle::unite_generic(files, limits, &union)?;
    let store = Store::open(&union)?;
    let experiments = Chosen::of_runs(&store, &newest(&store, &Texts::new())?)?;
    let runs = runs_of(&store, &experiments)?;
    must_follow(&store, &runs)?;
    let shards = Shards::of(&store, &runs)?;
    if let Some(missing) = shards.missing().filter(|_| !allow_incomplete) {
        return Err(BundleError::MissingShards(missing).into());
    }
    let extras = extras(&store, &experiments, None)?;
    let options = GenericOptions { allow_incomplete, only: shards.only().cloned(), ..GenericOptions::default() };
    let info = matrix_bundle::create_generic(&store, &runs, &extras, &options, out)?;
    Ok(Made { info, left_out: shards.left_out(), missing_shards: shards.missing() })
}
