//! The program in a bundle.

use std::os::unix::fs::PermissionsExt as _;

use matrix_archive::{CreateOptions, Inventory, Selection};
use matrix_bundle::Binary;
use matrix_derived::derive::{self, Besides};
use matrix_store::Store;

use super::{bundled, tool};
use crate::program::{BENCH, EXPERIMENT, with};
use crate::workbench::Workbench;

/// What an evaluator has: no cargo, no toolchain, stock tools.
const PLAIN: &str = "env -i PATH=/usr/bin:/bin HOME=$PWD LANG=C.UTF-8";

/// Unpacks a bundle by stock tools, and uses the program in it.
fn walk(bench: &Workbench, bundle: &str, replay: &str) -> String {
    tool(
        bench,
        &format!(
            "set -e; ! {PLAIN} sh -c 'command -v cargo || command -v matrix'
             mkdir there && zstd -qdc {bundle} | tar -x -C there
             m=$(echo $PWD/there/*/data/bin/matrix)
             grep -q $(sha256sum < $m | cut -c1-64) there/*/data/README.md
             {PLAIN} $m verify {bundle}
             {PLAIN} $m check --results {bundle}
             {PLAIN} $m report --results {bundle} -o there/report.html
             {PLAIN} $m {replay}"
        ),
    )
}

#[test]
fn an_evaluator_without_a_toolchain_needs_nothing_but_the_file() {
    let bench = Workbench::ran();
    bench.matrix(&["bundle", "create", "--with-binary", "-o", "small.tar.zst"]).code(0);
    let printed = walk(&bench, "small.tar.zst", "bundle replay small.tar.zst");
    for words in ["sound: no fault found", "antipode-prevents: held", "12 of 12 simulated cells are identical"] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    assert!(bench.read("there/report.html").contains("12 cells planned = 12 done"));

    let bench = with(EXPERIMENT, BENCH);
    bench.matrix(&["run", "kv.toml"]).code(0);
    bench.matrix(&["bundle", "create", "--with-binary", "-o", "kv.tar.zst"]).code(0);
    let printed = walk(&bench, "kv.tar.zst", "bundle replay kv.tar.zst --yes --results mine");
    for words in ["sound: no fault found", "C1 (Fig. 1): supported"] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    assert!(bench.path("mine").exists(), "the program in the bundle runs programs under its supervisor");
}

#[test]
fn a_program_in_a_bundle_is_checked_and_is_run_by_no_command() {
    let (bench, _) = bundled();
    let ran = bench.path("ran");
    bench.write("hostile", &format!("#!/bin/sh\ntouch '{}'\n", ran.display()));
    let store = Store::open(&bench.path("results")).unwrap();
    let selection = Selection::default();
    let inventory = Inventory::gather(&store, &selection, None).unwrap();
    let binary = Binary::of(&bench.path("hostile")).unwrap();
    let besides = Besides { binary: Some(binary.sha256()), ..Besides::default() };
    let mut extras = derive::extras(&derive::parts(&store, &inventory).unwrap(), &inventory, besides).unwrap();
    extras.binary = Some(binary);
    let file = bench.path("theirs.tar.zst");
    matrix_archive::create_file(&store, &selection, &extras, &CreateOptions::default(), &file).unwrap();

    for words in [
        vec!["verify", "theirs.tar.zst"],
        vec!["check", "--results", "theirs.tar.zst"],
        vec!["report", "--results", "theirs.tar.zst"],
        vec!["bundle", "replay", "theirs.tar.zst"],
        vec!["diff", "results", "theirs.tar.zst"],
        vec!["bundle", "merge", "theirs.tar.zst", "small.tar.zst", "-o", "both.tar.zst"],
        vec!["bundle", "extract", "theirs.tar.zst", "--as-store", "-o", "store"],
        vec!["bundle", "extract", "theirs.tar.zst", "-o", "bag"],
        vec!["verify", "bag"],
    ] {
        bench.matrix(&words).code(0);
    }
    assert!(!ran.exists());
    let mode = std::fs::metadata(bench.path("bag/data/bin/matrix")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755, "it can be run, by whoever trusts it");

    bench.forge("theirs.tar.zst", "forged.tar.zst", &[("data/bin/matrix", "touch", "TOUCH")]);
    let printed = bench.matrix(&["verify", "forged.tar.zst"]).code(5);
    assert!(
        printed.out.contains("FAULT: data/README.md: it does not follow"),
        "the README names its digest: {printed:?}"
    );
}
