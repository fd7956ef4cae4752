//! The command as its first build makes it, without the drivers of real services.
#![cfg(not(feature = "live"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "it/workbench.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod workbench;

use workbench::Workbench;

#[test]
fn real_services_need_a_binary_that_has_them() {
    let bench = Workbench::small();
    for args in [
        &["run", "small.toml", "--platform", "local"][..],
        &["testbed", "up"],
        &["live", "build", "small.toml", "--platform", "local"],
    ] {
        let printed = bench.matrix(args).code(2);
        assert!(printed.err.contains("--features live"), "{}", printed.err);
        assert!(!bench.path("results").exists(), "nothing was written");
    }
    // What is planned can be seen all the same.
    bench.matrix(&["plan", "small.toml", "--platform", "local"]).code(0);
}
