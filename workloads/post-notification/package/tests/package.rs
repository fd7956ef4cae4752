//! The packages as they are deployed: built with their own profile, which takes minutes the first time.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::path::{Path, PathBuf};

use matrix_package::{GLIBC_OF_AL2023, bootstrap_zip, build, check_binary};

/// Most bytes of a package. A cold start loads it.
const MOST: usize = 5_000_000;

#[test]
fn packages_run_on_al2023_and_are_small_and_always_the_same() {
    // Asked for now: what was built for one clone may serve another that shares its target directory.
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let workspace = Path::new(&here).ancestors().nth(3).unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let binaries = build(workspace, target.as_deref()).unwrap();
    for (name, binary) in [("writer", &binaries.writer), ("reader", &binaries.reader)] {
        let glibc = check_binary(binary).unwrap().unwrap();
        let package = bootstrap_zip(binary).unwrap();
        println!("{name}: {} bytes, {} packed, needs GLIBC {glibc}", binary.len(), package.len());
        assert!(glibc <= GLIBC_OF_AL2023);
        assert!(package.len() < MOST, "{name}: {} bytes", package.len());
        assert_eq!(package, bootstrap_zip(binary).unwrap());
    }
}
