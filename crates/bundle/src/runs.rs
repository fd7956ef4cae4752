//! Journals of runs, on their way into bundles.

use matrix_store::Run;

use crate::error::BundleError;
use crate::packed::Packed;

/// The journal of a run, as one file.
///
/// # Errors
/// When it cannot be read.
pub fn packed_journal(run: &Run) -> Result<Packed, BundleError> {
    let mut read = Ok(());
    let packed = Packed::written(|out| {
        read = run.write_journal(out);
        Ok(())
    });
    let packed = packed.map_err(BundleError::io("compressing a journal"))?;
    read?;
    Ok(packed)
}
