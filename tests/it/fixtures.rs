//! What users of older versions have on their disks: bundles, stores, folders and plans that those versions made. All of
//! it can still be verified, merged, replayed, drawn, judged, unpacked and gone on with, and no key, order, record, object
//! or trace has moved. `tests/fixtures/make` says how each was made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::workbench::{Workbench, ended, here};

/// The folder of a version's fixtures.
fn fixtures() -> PathBuf {
    here().join("tests/fixtures/v0.1.0")
}

/// The path of a fixture, as an argument.
fn fixture(name: &str) -> String {
    fixtures().join(name).display().to_string()
}

/// A folder with the experiment of the fixtures in `small.toml`.
fn bench() -> Workbench {
    Workbench::with(&std::fs::read_to_string(here().join("tests/fixtures/small.toml")).unwrap())
}

/// Unpacks a packed folder.
fn unpack(bench: &Workbench, name: &str, folder: &str) {
    std::fs::create_dir(bench.path(folder)).unwrap();
    let script = format!("zstd -qdc '{}' | tar -x -C {folder}", fixture(name));
    let output = Command::new("bash").args(["-o", "pipefail", "-c", &script]).current_dir(bench.path("")).output();
    Workbench::printed(output.unwrap()).code(0);
}

/// The files of a store, or of a bag, that hold results: records, attempts, and what objects decompress to.
fn results(bench: &Workbench, folder: &str, records: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for (path, bytes) in bench.files(folder) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let top = path.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        if top == records {
            let key = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
            found.insert(format!("record {key} {name}"), bytes);
        } else if top == "attempts" {
            found.insert(format!("attempt {name}"), bytes);
        } else if top == "objects" {
            let compressed = name.ends_with(".zst");
            let bytes = if compressed { zstd::decode_all(bytes.as_slice()).unwrap() } else { bytes };
            found.insert(format!("object {}", name.trim_end_matches(".zst")), bytes);
        }
    }
    found
}

/// Everything that every bundle has to go through, with so many cells that are simulated and done.
fn goes_on_being_read(name: &str, simulated: u64, plot: &[&str]) -> Workbench {
    let bench = bench();
    let bundle = fixture(&format!("{name}.tar.zst"));
    let verified = bench.json(&["verify", &bundle]);
    assert_eq!((&verified["sound"], &verified["deriver"]), (&Value::from(true), &Value::from(1)), "{verified}");
    assert_eq!(verified["another_version"], true);
    let replayed = bench.matrix(&["bundle", "replay", &bundle]).code(0);
    replayed.out_has(&format!("{simulated} of {simulated} simulated cells are identical, 0"));
    bench.matrix(&[&["plot", "--results", &bundle, "--out", "plots"], plot].concat()).code(0);
    let drawn = bench.files("plots");
    assert!(drawn.keys().any(|path| path.ends_with("inconsistencies.svg")), "{:?}", drawn.keys());
    if name != "imported" {
        bench.matrix(&[&["check", "--results", &bundle], plot].concat()).code(0);
    }

    // The bag, and the store that is made of it, hold the same bytes.
    bench.matrix(&["bundle", "extract", &bundle, "-o", "bag"]).code(0);
    bench.matrix(&["bundle", "extract", &bundle, "--as-store", "-o", "results"]).code(0);
    let there = results(&bench, "bag/data", "records");
    // Origins that measured the same share an object.
    assert!(there.len() as u64 >= 2 * simulated && !there.is_empty());
    assert!(there == results(&bench, "results", "cells"), "{name}: what is in the bag is not what is in the store");
    bench.matrix(&["verify"]).code(0);

    // A bundle made of that store today holds them, too.
    bench.matrix(&["bundle", "create", "--allow-incomplete", "-o", "again.tar.zst"]).code(0);
    bench.matrix(&["verify", "again.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "again.tar.zst", "-o", "again"]).code(0);
    assert!(there == results(&bench, "again/data", "records"), "{name}: a new bundle of the same results has others");
    for folder in ["experiments", "models", "plans", "runs"] {
        let of = |bag: &str| {
            let top = format!("{bag}/data/{folder}");
            if bench.path(&top).exists() { bench.files(&top) } else { BTreeMap::new() }
        };
        assert!(of("bag") == of("again"), "{name}: {folder} have changed");
    }
    bench
}

/// Runs what is left of the small experiment in the store: nothing that is done runs again.
fn nothing_runs_again(bench: &Workbench, left: usize) {
    let before = results(bench, "results", "cells");
    bench.matrix(&["run", "small.toml"]).code(0);
    let after = results(bench, "results", "cells");
    let new: Vec<&String> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "what was there stays as it was");
    assert_eq!(new.iter().filter(|name| name.starts_with("attempt")).count(), left, "{new:?}");
}

#[test]
fn the_fixtures_are_those_that_the_old_version_made() {
    let check = ["--check", "--strict", "--quiet", "SHA256SUMS"];
    ended(Command::new("sha256sum").args(check).current_dir(fixtures())).code(0);
}

#[test]
fn a_whole_bundle() {
    nothing_runs_again(&goes_on_being_read("whole", 12, &[]), 0);
}

#[test]
fn a_signed_bundle() {
    let bench = bench();
    bench.matrix(&["verify", "--quick", &fixture("whole.tar.zst"), "--signer", &fixture("signer.pub")]).code(0);
}

#[test]
fn a_selection() {
    nothing_runs_again(&goes_on_being_read("part", 6, &[]), 6);
}

#[test]
fn a_union_of_two_origins() {
    goes_on_being_read("merged", 18, &[]);
}

#[test]
fn an_import_of_the_original_s_folders() {
    let bench = goes_on_being_read("imported", 0, &[]);
    // The same folders give the same cells, records and objects today.
    unpack(&bench, "original.tar.zst", "original");
    bench.matrix(&["import", "original/gather", "--results", "imported"]).code(0);
    bench.matrix(&["bundle", "create", "--results", "imported", "--origin", "authors", "-o", "now.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "now.tar.zst", "-o", "now"]).code(0);
    let kept = |folder: &str| {
        let mut found = results(&bench, folder, "records");
        found.retain(|name, _| !name.starts_with("attempt"));
        found
    };
    assert!(kept("now/data") == kept("bag/data"));
}

#[test]
fn measurements_and_failures() {
    goes_on_being_read("failed", 0, &[]);
    goes_on_being_read("measured", 0, &[]);
}

#[test]
fn an_interrupted_run_and_two_experiments() {
    let bench = goes_on_being_read("interrupted", 14, &["small.toml"]);
    nothing_runs_again(&bench, 0);
}

#[test]
fn a_bundle_with_source() {
    let bench = goes_on_being_read("source", 1, &[]);
    assert!(bench.files("bag/data/source").len() > 300);
}

#[test]
fn all_of_them_merge() {
    let bench = bench();
    let names = ["whole", "part", "failed", "imported", "interrupted"];
    let files = names.map(|name| fixture(&format!("{name}.tar.zst")));
    let files = files.iter().map(String::as_str).collect::<Vec<_>>();
    let args = [&["bundle", "merge", "--allow-incomplete", "-o", "all.tar.zst"], files.as_slice()].concat();
    bench.matrix(&args).code(0);
    bench.matrix(&["verify", "all.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "all.tar.zst", "-o", "all"]).code(0);
    let all = results(&bench, "all/data", "records");
    for name in names {
        let file = fixture(&format!("{name}.tar.zst"));
        bench.matrix(&["bundle", "extract", &file, "-o", name]).code(0);
        for (place, bytes) in results(&bench, &format!("{name}/data"), "records") {
            assert!(all.get(&place) == Some(&bytes), "{name}: {place}");
        }
    }
}

#[test]
fn a_store_with_an_interrupted_and_a_killed_run_is_gone_on_with() {
    let bench = bench();
    unpack(&bench, "store.tar.zst", "results");
    let before = results(&bench, "results", "cells");
    bench.matrix(&["verify"]).code(0);
    let runs = std::fs::read_dir(bench.path("results/runs")).unwrap();
    let mut runs: Vec<String> = runs.map(|run| run.unwrap().file_name().into_string().unwrap()).collect();
    runs.sort();
    let [small, interrupted, killed] = runs.as_slice() else { panic!("{runs:?}") };
    bench.matrix(&["status", "--run", interrupted]).code(0);
    // The bundle of the run that had ended holds what the old version put into it.
    bench.matrix(&["bundle", "create", "--run", small, "-o", "small.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "small.tar.zst", "-o", "small"]).code(0);
    bench.matrix(&["bundle", "extract", &fixture("whole.tar.zst"), "-o", "whole"]).code(0);
    assert!(results(&bench, "small/data", "records") == results(&bench, "whole/data", "records"));

    bench.matrix(&["resume", "--run", interrupted]).code(0);
    bench.matrix(&["resume", "--run", killed]).code(0);
    let after = results(&bench, "results", "cells");
    // What no record named, because the run was killed before, is garbage now or is named.
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    let records = |of: &BTreeMap<String, Vec<u8>>| of.keys().filter(|name| name.starts_with("record")).count();
    assert_eq!((records(&before), records(&after)), (15, 36));
    nothing_runs_again(&bench, 0);
    bench.matrix(&["gc"]).code(0);
    bench.matrix(&["verify"]).code(0);
}

#[test]
fn the_same_experiment_gives_the_same_records_and_traces() {
    let bench = bench();
    bench.matrix(&["run", "small.toml"]).code(0);
    bench.matrix(&["bundle", "extract", &fixture("whole.tar.zst"), "-o", "whole"]).code(0);
    let kept = |folder: &str, records: &str| {
        let mut found = results(&bench, folder, records);
        found.retain(|name, _| !name.starts_with("attempt"));
        found
    };
    assert!(kept("results", "cells") == kept("whole/data", "records"));
}

/// A change of derived files is seen here. It raises `DERIVER_VERSION`, once for each release; the snapshot of the version that
/// is not released yet may be accepted anew.
#[test]
fn derived_files_change_only_with_the_deriver() {
    let bench = bench();
    bench.matrix(&["bundle", "extract", &fixture("merged.tar.zst"), "--as-store", "-o", "results"]).code(0);
    bench.matrix(&["bundle", "create", "--allow-incomplete", "-o", "now.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "now.tar.zst", "-o", "bag"]).code(0);
    let is_derived = |path: &str| {
        let kept = ["attempts/", "experiments/", "models/", "objects/", "plans/", "records/", "runs/"];
        // The renderer's name has the program's version in it.
        !kept.iter().any(|folder| path.starts_with(folder)) && path != "figures/renderer.txt"
    };
    let mut listed = String::new();
    for (path, bytes) in bench.files("bag/data") {
        let path = path.to_str().unwrap();
        if is_derived(path) {
            listed += &format!("{} {path}\n", &matrix_store::Digest::of(&bytes).to_string()[..16]);
        }
    }
    let deriver = bench.read("bag/data/tables/deriver.txt");
    assert_eq!(deriver, format!("matrix {}\n", matrix_archive::DERIVER_VERSION));
    insta::assert_snapshot!(format!("deriver_{}", matrix_archive::DERIVER_VERSION), listed);
}

/// Where old files differ from what is derived now, it is said of each, on the screen too.
#[test]
fn files_of_another_version_are_not_silently_taken_for_verified() {
    let bench = bench();
    let json = bench.json(&["verify", &fixture("whole.tar.zst")]);
    let files = json["not_verified"].as_array().unwrap();
    // Its name has the version in it, so that there is always one.
    assert!(files.iter().any(|file| file["file"] == "data/figures/renderer.txt"), "{json}");
    let printed = bench.matrix(&["verify", &fixture("whole.tar.zst")]).code(0).out;
    for file in files {
        let line = format!("{}: NOT VERIFIED: ", file["file"].as_str().unwrap());
        assert!(printed.contains(&line), "{printed}");
    }
    assert!(printed.contains(&format!("sound but for what is NOT VERIFIED: {} files", files.len())), "{printed}");
    // Derived anew, everything can be verified again.
    bench.matrix(&["bundle", "merge", &fixture("whole.tar.zst"), "-o", "anew.tar.zst"]).code(0);
    bench.matrix(&["verify", "anew.tar.zst"]).code(0).out_has("sound: no fault found").out_lacks("NOT VERIFIED");
}

#[test]
fn plans_have_the_same_cells_in_the_same_order() {
    let bench = bench();
    unpack(&bench, "plans.tar.zst", "plans");
    let cells = |plan: &Value| -> Vec<[Value; 8]> {
        let axes = ["key", "post_storage", "notification_storage", "regions", "delay_ms", "antipode", "round", "block"];
        let cells = plan["cells"].as_array().unwrap();
        cells.iter().map(|cell| axes.map(|name| cell[name].clone())).collect()
    };
    for (name, count) in [("aws", 104), ("local", 68), ("quick", 24), ("sosp", 312)] {
        let old: Value = serde_json::from_str(&bench.read(&format!("plans/{name}.json"))).unwrap();
        let file = Path::new("plans/experiments").join(format!("{name}.toml"));
        let new = bench.json(&["plan", file.to_str().unwrap()]);
        assert_eq!(cells(&old).len(), count, "{name}");
        assert!(!cells(&old).iter().flatten().any(Value::is_null), "{name}");
        assert!(cells(&old) == cells(&new), "{name}");
    }
}
