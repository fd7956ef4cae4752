//! Tools of others that `scripts/install-test-needs` puts into environments of their own.

use std::path::{Path, PathBuf};

/// A file of the environment with cfn-lint in a directory of caches.
pub(crate) fn installed(cache: &Path, file: &str) -> Result<PathBuf, String> {
    let file = cache.join("matrix-test-tools/cloudformation").join(file);
    let missing = || format!("{} is missing: run scripts/install-test-needs", file.display());
    if file.exists() { Ok(file) } else { Err(missing()) }
}

/// Where caches are.
pub(crate) fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from)
}
