//! What a person, another program or another machine left in a store, and where a store is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::workbench::{SMALL, Workbench, ended};

#[test]
fn foreign_files_and_folders_in_any_folder_of_a_store_are_notes() {
    let bench = Workbench::ran();
    let files = bench.files("results");
    let folder_of = |top: &str| {
        let path = files.keys().find(|path| path.starts_with(top)).unwrap();
        path.parent().unwrap().to_owned()
    };
    let folders = [
        Path::new("").to_owned(),
        "cells".into(),
        folder_of("cells"),
        "objects".into(),
        folder_of("objects"),
        "attempts".into(),
        "runs".into(),
        folder_of("runs"),
    ];
    let mut expected = 0;
    for folder in &folders {
        let place = bench.path("results").join(folder);
        for name in ["notes.txt", "notes.json", ".DS_Store"] {
            std::fs::write(place.join(name), "a person's notes").unwrap();
        }
        std::fs::write(place.join("empty.json"), "").unwrap();
        std::fs::write(place.join(OsStr::from_bytes(b"r\xe9sum\xe9")), "").unwrap();
        std::fs::create_dir(place.join("old")).unwrap();
        std::fs::write(place.join("old/local.json"), "{}").unwrap();
        std::fs::create_dir(place.join("folder.json")).unwrap();
        expected += 7;
    }
    // A shard of objects may have any name; what is in it is noted.
    expected -= 1;
    let report = bench.json(&["verify"]);
    let notes = report["notes"].as_array().unwrap();
    assert!(notes.iter().all(|note| note["what"] == "not part of a store"), "{notes:?}");
    assert!(notes.len() >= expected, "{} of {expected}: {notes:?}", notes.len());
    for args in [
        &["status"][..],
        &["gc", "--dry-run", "--format", "json"],
        &["gc"],
        &["check"],
        &["plot", "--format", "svg"],
        &["export", "--as", "gather", "original"],
        &["bundle", "create", "-o", "b.tar.zst"],
        &["run", "small.toml"],
        &["run", "small.toml", "--set", "seed=8"],
        &["bundle", "create", "-o", "c.tar.zst"],
        &["bundle", "merge", "b.tar.zst", "c.tar.zst", "-o", "d.tar.zst"],
        &["diff", "results", "b.tar.zst"],
        &["verify"],
        &["verify", "d.tar.zst"],
    ] {
        bench.matrix(args).code(0);
    }
    assert!(bench.path("results/runs/notes.txt").is_file() && bench.path("results/attempts/notes.json").is_file());
}

#[test]
fn names_that_are_not_utf_8_work() {
    let bench = Workbench::small();
    let name = |bytes: &'static [u8]| OsStr::from_bytes(bytes).to_owned();
    let matrix = |code, args: &[&OsStr]| {
        let printed = ended(bench.command(&[]).args(args));
        assert_eq!(printed.code, code, "{args:?}: {printed:?}");
        printed
    };
    std::fs::copy(bench.path("small.toml"), bench.path("").join(name(b"sm\xe9ll.toml"))).unwrap();
    let (store, bundle, experiment) = (name(b"r\xe9s"), name(b"b\xff.tar.zst"), name(b"sm\xe9ll.toml"));
    let word = OsStr::new;
    let printed = matrix(
        0,
        &[word("run"), &experiment, word("--results"), &store, word("--format"), word("json"), word("--plot")],
    );
    assert_eq!(printed.json()["ran"], 12);
    assert!(bench.path("").join(&store).join("store.toml").is_file());
    matrix(
        0,
        &[
            word("bundle"),
            word("create"),
            word("--results"),
            &store,
            word("-o"),
            &bundle,
            word("--format"),
            word("json"),
        ],
    );
    matrix(0, &[word("verify"), &bundle]);
    matrix(0, &[word("verify"), &store, word("--format"), word("json")]);
    matrix(0, &[word("diff"), &store, &bundle, word("--format"), word("json")]);
    matrix(
        0,
        &[word("bundle"), word("extract"), &bundle, word("-o"), &name(b"bag\xe9"), word("--format"), word("json")],
    );
    matrix(0, &[word("verify"), &name(b"bag\xe9")]);
    matrix(0, &[word("plot"), word("-o"), &name(b"pl\xe9ts"), word("--results"), &store]);
    matrix(
        0,
        &[
            word("export"),
            word("--as"),
            word("gather"),
            &name(b"\xe9x"),
            word("--results"),
            &store,
            word("--format"),
            word("json"),
        ],
    );
    let printed = matrix(2, &[word("plan"), &name(b"n\xf6.toml")]);
    printed.err_has("n\u{fffd}.toml");
    matrix(2, &[word("status"), word("--run"), &name(b"\xe9")]);
    matrix(2, &[word("model"), word("fit"), &name(b"m\xe9.toml")]);
}

#[test]
fn links_to_nothing_and_other_file_systems_are_named_before_anything_runs() {
    let bench = Workbench::small();
    let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, bench.path(name)).unwrap();
    link(Path::new("gone"), "results");
    for args in [&["run", "small.toml"][..], &["plan", "small.toml"], &["status"], &["verify"]] {
        let printed = bench.matrix(args).code(2);
        assert!(printed.err.contains("results is a link to gone, which is not there"), "{args:?}: {}", printed.err);
    }
    let printed = bench.matrix(&["run", "small.toml", "--results", "results/below"]).code(2);
    printed.err_has("is a link to gone, which is not there");
    link(Path::new("gone"), "plots");
    std::fs::create_dir(bench.path("gone")).unwrap();
    bench.matrix(&["run", "small.toml"]).code(0);
    std::fs::rename(bench.path("gone"), bench.path("there")).unwrap();
    link(Path::new("nowhere"), "folder");
    bench.matrix(&["plot", "--results", "there"]).code(2).err_has("is a link to gone, which is not there");
    let printed = bench.matrix(&["bundle", "create", "--results", "there", "-o", "folder/b.tar.zst"]).code(2);
    printed.err_has("folder/b.tar.zst");

    // Where the machine has another file system to write to.
    use std::os::unix::fs::MetadataExt as _;
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else { return };
    if elsewhere.path().metadata().unwrap().dev() == bench.path("").metadata().unwrap().dev() {
        return;
    }
    let before = bench.files("there");
    for folder in ["objects", "cells", "attempts", "runs"] {
        std::fs::rename(bench.path("there").join(folder), bench.path("aside")).unwrap();
        link(elsewhere.path(), &format!("there/{folder}"));
        let printed = bench.matrix(&["run", "small.toml", "--set", "seed=9", "--results", "there"]).code(2);
        printed.err_has(&format!("there/{folder} is on another mount or file system"));
        std::fs::remove_file(bench.path("there").join(folder)).unwrap();
        std::fs::rename(bench.path("aside"), bench.path("there").join(folder)).unwrap();
    }
    assert_eq!(bench.files("there"), before);
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_is_mounted_from_elsewhere_is_named_before_anything_runs() {
    let bench = Workbench::ran();
    std::fs::create_dir(bench.path("elsewhere")).unwrap();
    // The same file system, in a name space of mounts of the test's own: a rename would be refused all the same.
    let script = "mount --bind elsewhere results/objects && exec \"$0\" run small.toml --set seed=9";
    let mut command = std::process::Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_matrix")]);
    let printed = ended(command.current_dir(bench.path(""))).code(2);
    printed.err_has("results/objects is on another mount or file system");
    assert_eq!(std::fs::read_dir(bench.path("elsewhere")).unwrap().count(), 0);
}

#[test]
fn parents_of_what_is_written_are_made() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml", "--results", "new/a/results"]).code(0);
    let on = ["--results", "new/a/results"];
    for args in [
        &["bundle", "create", "-o", "new/b/x.tar.zst", on[0], on[1]][..],
        &["bundle", "extract", "new/b/x.tar.zst", "-o", "new/c/d"],
        &["bundle", "extract", "new/b/x.tar.zst", "--as-store", "-o", "new/e/f"],
        &["bundle", "merge", "new/b/x.tar.zst", "-o", "new/g/h.tar.zst"],
        &["plot", "-o", "new/i/j", on[0], on[1]],
        &["export", "--as", "gather", "new/k/l", on[0], on[1]],
        &["man", "-o", "new/m/n"],
        &["init", "new/o/p.toml"],
    ] {
        bench.matrix(args).code(0);
    }
}

#[test]
fn figures_of_earlier_results_go_and_what_a_person_put_there_stays() {
    let bench = Workbench::small();
    bench.matrix(&["run", "small.toml", "--plot"]).code(0);
    let names = || bench.files("plots/small").into_keys().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let all = names();
    assert!(all.contains(&"inconsistencies.svg".to_owned()), "{all:?}");
    bench.write("plots/small/mine.svg", "mine");
    bench.write("plots/small/storage_overhead.csv", "edited");
    // Another format of the same results leaves the first one there.
    bench.matrix(&["plot", "--format", "svg", "--figure", "inconsistencies"]).code(0);
    assert!(names().contains(&"inconsistencies.png".to_owned()));
    bench.write("small.toml", &SMALL.replace("delay_ms = [0]", "delay_ms = [100]"));
    let printed = bench.matrix(&["run", "small.toml", "--plot"]).code(0);
    let left = names();
    assert!(!left.contains(&"inconsistencies.svg".to_owned()) && !left.contains(&"inconsistencies.png".to_owned()));
    assert!(left.contains(&"delay_vs_per_inconsistencies.svg".to_owned()), "{left:?}");
    assert!(left.contains(&"mine.svg".to_owned()) && left.contains(&"storage_overhead.csv".to_owned()), "{left:?}");
    printed.err_has("storage_overhead.csv");
}

#[test]
fn a_damaged_record_of_another_origin_is_a_fault_and_no_foreign_file() {
    let bench = Workbench::ran();
    bench.matrix(&["bundle", "create", "--origin", "alice", "-o", "b.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "b.tar.zst", "--as-store", "-o", "store"]).code(0);
    let record = bench.files("store").into_keys().find(|path| path.ends_with("alice.json")).unwrap();
    let path = bench.path("store").join(record);
    let whole = std::fs::read(&path).unwrap();
    for bytes in [&whole[..0], &whole[..100], &whole[1..]] {
        std::fs::write(&path, bytes).unwrap();
        bench.matrix(&["verify", "store"]).code(5);
        bench.matrix(&["status", "--results", "store"]).code(5);
    }
}
