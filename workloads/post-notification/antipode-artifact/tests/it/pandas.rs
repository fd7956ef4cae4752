//! Read with the tools of the original's own scripts.

use std::path::PathBuf;
use std::process::Command;

use matrix_antipode_artifact::{ExportOptions, export};

use crate::bench::{experiment, export_store, golden, here, import_into, tempdir};

/// The interpreter of the environment that `scripts/install-test-needs` makes, or the one that `MATRIX_PYTHON` names.
fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("MATRIX_PYTHON") {
        return python.into();
    }
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    let python = cache.join("matrix-test-tools/gather/bin/python");
    assert!(python.exists(), "pandas is not installed for the tests: run scripts/install-test-needs");
    python
}

#[test]
fn pandas_reads_what_is_exported() {
    let dir = tempdir();
    let [simulated, imported, store] = ["simulated", "imported", "results"].map(|name| dir.path().join(name));
    export(&experiment(), &simulated, &ExportOptions::default()).unwrap();
    // Without the folder that lacks values: it is not what the original writes.
    import_into(&store, &golden().join("gather/cache-sns")).unwrap();
    export_store(&store, &imported);
    let script = here().join("../../../scripts/check-gather-with-pandas");
    let output = Command::new(python()).arg(script).args([&simulated, &imported]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("51 folders and 1 plot configurations read"), "{told}");
}
