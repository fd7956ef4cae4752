//! Which text of an experiment runs saved.

use matrix_store::{RunDocuments, RunId, Store, StoreError};

/// Whether the newest run of an experiment saved this text of it. `runs` are those to look at, the newest last; `is_of` says of a run with
/// another text whether it is one of the experiment.
///
/// # Errors
/// When the store or a run cannot be read.
pub fn is_saved<E: From<StoreError>>(
    store: &Store,
    runs: &[RunId],
    text: &str,
    is_of: impl Fn(&RunDocuments) -> Result<bool, E>,
) -> Result<bool, E> {
    for id in runs.iter().rev() {
        let run = store.run_documents(id.as_str())?;
        let has_text = run.has_experiment(text.as_bytes())?;
        if has_text || is_of(&run)? {
            return Ok(has_text);
        }
    }
    Ok(false)
}
