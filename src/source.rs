//! The program's own source, as it was compiled.

use std::collections::BTreeMap;

/// Every file that the program is built from, by its path in the workspace.
static FILES: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/source.rs"));

/// The source and its lock file, by path: what `bundle create --with-source` puts in.
pub(crate) fn tree() -> BTreeMap<String, Vec<u8>> {
    FILES.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect()
}
