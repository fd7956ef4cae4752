//! `as = "root"`: through a sudo that asks for no password, tried before anything starts.

use super::{EXPERIMENT, executable, executions, with};
use crate::workbench::{Workbench, ended};

const ROOT: &str = "as = \"root\"\ninputs =";

/// The experiment as root, with a sudo of this text on the path.
fn bench(sudo: &str) -> (Workbench, String) {
    let bench = with(&EXPERIMENT.replace("inputs =", ROOT), super::BENCH);
    std::fs::create_dir(bench.path("bin")).unwrap();
    executable(&bench, "bin/sudo", sudo);
    let path = format!("{}:{}", bench.path("bin").display(), std::env::var("PATH").unwrap());
    (bench, path)
}

#[test]
fn a_program_runs_as_root_with_its_own_environment_and_another_key() {
    let (bench, path) =
        bench("#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$(dirname \"$0\")/calls\"\nshift 2\nexec \"$@\"\n");
    ended(bench.command(&["run", "kv.toml", "--subset", "small"]).env("PATH", path)).code(0);
    assert_eq!(executions(&bench), 2);
    let calls = bench.read("bin/calls");
    assert_eq!(calls.lines().next(), Some("-n -- true"), "tried before anything starts");
    assert!(
        calls.lines().skip(1).all(|call| call.starts_with("-n -- env -i ") && call.contains(" ./bench 1 ")),
        "{calls}"
    );
    let key = |bench: &Workbench| bench.json(&["plan", "kv.toml"])["cells"][0]["key"].clone();
    let root = key(&bench);
    bench.write("kv.toml", EXPERIMENT);
    assert_ne!(key(&bench), root);
}

#[test]
fn a_sudo_that_asks_for_a_password_is_told_before_anything_runs() {
    let (bench, path) = bench("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n");
    let printed = ended(bench.command(&["run", "kv.toml"]).env("PATH", path)).code(2);
    let said = "needs a sudo that asks for no password: it ended with exit code 1\n    sudo: a password is required";
    assert!(
        printed.err.replace("  |", "").contains("sudo: a password is required") && printed.err.contains(&said[..40]),
        "{}",
        printed.err
    );
    assert_eq!(executions(&bench), 0);
}
