//! What a command is given instead of what it expects, and what it says.

use std::process::{Command, Stdio};

use crate::workbench::{SMALL, Workbench, ended};

#[test]
fn verify_says_what_it_got_and_what_to_do() {
    let bench = Workbench::new();
    let given: [(&str, &[u8], &str, &str); 6] = [
        ("artifact.zip", b"PK\x03\x04rest", "zip archive", "unzip"),
        ("results.tar.gz", b"\x1f\x8b\x08\0rest", "gzip", "gunzip"),
        ("b.tar.zst", b"<!DOCTYPE html><title>Log in</title>", "HTML", "again"),
        ("empty.tar.zst", b"", "empty", "fetch the file again"),
        ("notes.txt", b"just notes", "text", "name a bundle"),
        ("b.sig", b"-----BEGIN SSH SIGNATURE-----\n", "signature", "without `.sig`"),
    ];
    for (name, bytes, what, cure) in given {
        std::fs::write(bench.path(name), bytes).unwrap();
        let printed = bench.matrix(&["verify", name]).code(5);
        printed.out_has(name).out_has(what).out_has(cure);
        assert!(!printed.out.contains("checked"), "no table of zeros: {}", printed.out);
        let json = bench.matrix(&["verify", name, "--format", "json"]).code(5).json();
        assert!(json["faults"][0]["cure"].as_str().unwrap().contains(cure), "{json}");
        bench.matrix(&["status", "--results", name]).code(5).err_has(what).err_has(cure);
    }
    for args in [
        &["diff", "notes.txt", "b.sig"][..],
        &["bundle", "merge", "notes.txt", "-o", "m"],
        &["bundle", "extract", "notes.txt", "-o", "m"],
    ] {
        bench.matrix(args).code(5).err_has("notes.txt: it is text");
    }
    std::fs::create_dir_all(bench.path("project/results")).unwrap();
    bench.write("project/results/store.toml", "schema = 1\n");
    bench.matrix(&["verify", "project"]).code(2).err_has("did you mean project/results?");
    bench.matrix(&["verify", "nothing-here"]).code(2);
}

#[test]
fn a_pipe_and_an_unpacked_bundle_are_verified_like_the_file() {
    let bench = Workbench::ran();
    bench.matrix(&["bundle", "create", "-o", "b.tar.zst"]).code(0);
    bench.matrix(&["bundle", "extract", "b.tar.zst", "-o", "bag"]).code(0);
    let whole = bench.json(&["verify", "b.tar.zst"]);
    assert_eq!(bench.json(&["verify", "bag"]), whole);
    let piped = |args: &[&str]| {
        let input = std::fs::File::open(bench.path("b.tar.zst")).unwrap();
        ended(bench.command(args).stdin(Stdio::from(input)))
    };
    assert_eq!(piped(&["verify", "-", "--format", "json"]).code(0).json(), whole);
    piped(&["verify", "-", "--quick"]).code(0);
    piped(&["verify", "/dev/stdin"]).code(0);
    piped(&["verify", "-", "--signer", "key.pub"]).code(2);
    let binary = env!("CARGO_BIN_EXE_matrix");
    let script =
        format!("{binary} verify <(cat b.tar.zst) && tar --zstd -xf b.tar.zst && {binary} verify small-bundle");
    ended(Command::new("bash").args(["-c", &script]).current_dir(bench.path(""))).code(0);

    // It can be read as results, too.
    let status = bench.json(&["status", "--results", "bag"]);
    assert_eq!(status["experiment"]["tally"]["done"], 12);
    // Beside the payload anything may stand; in it nothing else, and every byte counts.
    bench.write("bag/.DS_Store", "");
    bench.matrix(&["verify", "bag"]).code(0).out_has("note: .DS_Store: not part of the bundle");
    let object = bench.files("bag/data/objects").into_keys().next().unwrap();
    let path = bench.path("bag/data/objects").join(object);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&bytes[..bytes.len() - 2], b"7\n"].concat()).unwrap();
    bench.matrix(&["verify", "bag"]).code(5);
    bench.matrix(&["status", "--results", "bag"]).code(5);
    std::fs::remove_file(&path).unwrap();
    bench.matrix(&["verify", "bag"]).code(5);
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    let printed = bench.matrix(&["verify", "bag"]);
    assert!(printed.code == 5 && format!("{printed:?}").contains("symbolic link"), "{printed:?}");
}

#[test]
fn a_pipe_in_the_place_of_a_file_of_a_store_is_named_and_nobody_waits_for_it() {
    let bench = Workbench::ran();
    let run = bench.files("results/runs").into_keys().next().unwrap();
    let run = std::path::Path::new("results/runs").join(run.parent().unwrap());
    for file in [run.join("journal.jsonl"), run.join("plan.json"), "results/store.toml".into()] {
        let (file, aside) = (bench.path(file.to_str().unwrap()), bench.path("aside"));
        std::fs::rename(&file, &aside).unwrap();
        assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
        for command in ["status", "verify"] {
            let printed = bench.matrix(&[command]).code(5);
            assert!(format!("{printed:?}").contains("it is no plain file"), "{printed:?}");
        }
        std::fs::remove_file(&file).unwrap();
        std::fs::rename(&aside, &file).unwrap();
    }
    bench.matrix(&["verify"]).code(0);
}

#[test]
fn a_place_for_temporary_files_that_is_not_there_is_named() {
    let mut bench = Workbench::ran();
    bench.matrix(&["bundle", "create", "-o", "b.tar.zst"]).code(0);
    bench.set("TMPDIR", "nowhere");
    for args in [
        &["verify", "b.tar.zst"][..],
        &["status", "--results", "b.tar.zst"],
        &["bundle", "replay", "b.tar.zst"],
        &["bundle", "extract", "b.tar.zst", "-o", "bag"],
        &["bundle", "merge", "b.tar.zst", "-o", "m.tar.zst"],
    ] {
        let printed = bench.matrix(args).code(2);
        printed.err_has("TMPDIR names nowhere, which is not there").err_has("let TMPDIR name another place");
    }
    let input = std::fs::File::open(bench.path("b.tar.zst")).unwrap();
    ended(bench.command(&["verify", "-"]).stdin(Stdio::from(input))).code(2).err_has("TMPDIR names nowhere");
    assert!(["nowhere", "bag", "m.tar.zst"].iter().all(|made| !bench.path(made).exists()));
}

#[test]
fn other_encodings_are_shown_with_their_place() {
    let bench = Workbench::small();
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(SMALL.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let latin1 = SMALL.replace("no reader", "n\u{e9}ver a reader");
    let latin1: Vec<u8> = latin1.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let line = SMALL.lines().position(|line| line.contains("no reader")).unwrap() + 1;
    for (bytes, place) in [(utf16, "bad.toml:1:1".to_owned()), (latin1, format!("bad.toml:{line}:28"))] {
        std::fs::write(bench.path("bad.toml"), bytes).unwrap();
        let printed = bench.matrix(&["plan", "bad.toml"]).code(2);
        assert!(printed.err.contains(&place) && printed.err.contains("save as UTF-8"), "{place}: {}", printed.err);
        let printed = bench.matrix(&["run", "small.toml", "--set", "sim.model=\"bad.toml\""]).code(2);
        assert!(printed.err.contains(&place) && printed.err.contains("save as UTF-8"), "{place}: {}", printed.err);
    }
    let marked = [b"\xef\xbb\xbf", SMALL.as_bytes()].concat();
    std::fs::write(bench.path("marked.toml"), marked).unwrap();
    bench.matrix(&["plan", "marked.toml"]).code(0);
}

#[test]
fn hints_name_what_is_meant() {
    let bench = Workbench::with(&format!("{SMALL}\n[sim]\nmodel = \"nowhere.toml\"\n"));
    let printed = bench.matrix(&["plan", "small.toml"]).code(2);
    let line = bench.read("small.toml").lines().count();
    printed.err_has(&format!("small.toml:{line}:9"));
    printed.err_has("nowhere.toml: No such file");
    std::fs::create_dir(bench.path("experiments")).unwrap();
    bench.write("experiments/quick.toml", SMALL);
    for (args, hint) in [
        (&["plan", "quick.toml"][..], "name experiments/quick.toml"),
        (&["plan", "smal.toml"], "did you mean small.toml?"),
        (&["run", "experiments/quick.toml", "--rounds", "3"], "--set rounds=VALUE"),
        (&["run", "--cell", "post_storage=mysql,notification_storage=sns,regions=eu-"], "the shell took `>`"),
        (&["plan", "experiments/quick.toml", "--filter", "regions=eu-"], "the shell took `>`"),
    ] {
        let printed = bench.matrix(args).code(2);
        assert!(printed.err.contains(hint), "{args:?}: {}", printed.err);
    }
}

#[test]
fn every_cure_of_a_damaged_store_works() {
    let bench = Workbench::ran();
    let first = |top: &str| {
        let files = bench.files("results");
        bench.path("results").join(files.into_keys().find(|path| path.starts_with(top)).unwrap())
    };
    // Cut short, whether the index knows its size or not: it is run again.
    for with_index in [true, false] {
        let object = first("objects");
        let bytes = std::fs::read(&object).unwrap();
        std::fs::write(&object, &bytes[..bytes.len() - 7]).unwrap();
        if !with_index {
            std::fs::remove_file(bench.path("results/index")).unwrap();
        }
        bench.matrix(&["verify"]).code(5);
        bench.matrix(&["check", "small.toml"]).code(0);
        let plan = bench.json(&["plan", "small.toml"]);
        assert_eq!(plan["tally"]["done"], 11, "with an index: {with_index}");
        let status = bench.json(&["status"]);
        assert_eq!(status["experiment"]["tally"]["done"], 11);
        bench.matrix(&["run", "small.toml"]).code(0);
        bench.matrix(&["verify"]).code(0);
        assert_eq!(std::fs::read(&object).unwrap(), bytes);
    }
    // A bit of an object, and of a record: what `verify` says puts it right.
    for top in ["objects", "cells"] {
        let file = first(top);
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        let report = bench.matrix(&["verify", "--format", "json"]).code(5).json();
        let cure = report["faults"][0]["cure"].as_str().unwrap().to_owned();
        let commands = cure.rsplit_once(": ").unwrap().1;
        let commands =
            commands.replace("FILE", "small.toml").replace("matrix ", &format!("{} ", env!("CARGO_BIN_EXE_matrix")));
        ended(Command::new("bash").args(["-c", &commands]).current_dir(bench.path(""))).code(0);
        bench.matrix(&["verify"]).code(0);
    }
    // One cause, one code.
    let object = first("objects");
    std::fs::remove_file(&object).unwrap();
    std::fs::create_dir(&object).unwrap();
    let codes = ["verify", "check", "plot"].map(|command| bench.matrix(&[command]).code);
    assert_eq!(codes, [5, 0, 0], "an object that is not there is not done");
}
