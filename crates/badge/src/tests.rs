//! Trees shaped like real artifacts: each item depends on what is in them, whatever the language.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::path::Path;

use super::{Item, Results, Stand, Status, Subject, Tree, sosp26};

const MIT: &str = "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\n\
of this software, to deal in the Software without restriction, including";

const README: &str = "# Fast

Fast, as in our paper [doi:10.1145/1234567.890](https://doi.org/10.1145/1234567.890). Measured on Ubuntu 22.04, 64 GB RAM.

## Install

SETUP

## Getting started

```sh
RUN
```

| paper | command | time |
|---|---|---|
| Figure 3 | RUN | 20 minutes |

The sources: src, scripts, bench.
";

/// A project of these files.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn judged(folder: &Path) -> Vec<Item> {
    let results = Err("there are no results at results".to_owned());
    sosp26(&Subject { tree: Tree::read(folder).unwrap(), results })
}

fn failing(folder: &Path) -> Vec<&'static str> {
    judged(folder).into_iter().filter(|item| item.status == Status::Fail).map(|item| item.id).collect()
}

/// What only results can show.
const OF_RESULTS: [&str; 4] = ["functional.2b", "functional.2c", "reproduced.1b", "reproduced.4"];

fn rust() -> Vec<(&'static str, String)> {
    vec![
        ("README.md", README.replace("SETUP", "`cargo build`").replace("RUN", "scripts/run_all.sh")),
        ("LICENSE-MIT", MIT.to_owned()),
        ("CITATION.cff", "cff-version: 1.2.0\ntitle: Fast\nmessage: cite\nauthors:\n- name: A\n".to_owned()),
        ("Cargo.toml", String::new()),
        ("Cargo.lock", "version = 4\n".to_owned()),
        ("src/main.rs", "fn main() {}\n".to_owned()),
        ("tests/it.rs", "// README names it not\n".to_owned()),
        ("scripts/run_all.sh", "cargo run\n".to_owned()),
        ("scripts/install-deps.sh", "sudo apt-get install -y liburing-dev\n".to_owned()),
        ("experiments/small.toml", "x = 1\n".to_owned()),
        (".github/workflows/ci.yml", "on: push\n".to_owned()),
    ]
}

fn python() -> Vec<(&'static str, String)> {
    vec![
        (
            "Readme.rst",
            README
                .replace("SETUP", "docker build .")
                .replace("RUN", "python scripts/reproduce.py")
                .replace("src, ", "fast, "),
        ),
        ("COPYING", "GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007".to_owned()),
        (".zenodo.json", "{\n \"title\": \"Fast\",\n \"creators\": []\n}".to_owned()),
        ("requirements.txt", "numpy==2.1.0  # pinned\npandas==2.2.3\n".to_owned()),
        ("Dockerfile", "FROM --platform=linux/amd64 python:3.12.4-slim AS base\nFROM base\n".to_owned()),
        ("fast/__init__.py", "import numpy\n".to_owned()),
        ("fast/test_fast.py", "def test_it(): pass\n".to_owned()),
        ("scripts/reproduce.py", "DATA = '/home/ubuntu/data'\n".to_owned()),
        ("configs/small.yaml", "a: 1\n".to_owned()),
        (".gitlab-ci.yml", "test: {}\n".to_owned()),
    ]
}

fn c() -> Vec<(&'static str, String)> {
    vec![
        ("README", README.replace("SETUP", "make").replace("RUN", "make fig3")),
        ("LICENSE", "Redistribution and use in source and binary forms\nTHIS SOFTWARE IS PROVIDED".to_owned()),
        ("CITATION.cff", "cff-version: 1.2.0\ntitle: Fast\nmessage: cite\nauthors:\n- name: A\n".to_owned()),
        ("Makefile", "CC := gcc\nfast: src/fast.c\n\ncheck: fast\n\t./fast --self-test\n".to_owned()),
        ("src/fast.c", "int main(void) { return 0; }\n".to_owned()),
        ("scripts/plot.py", "print()\n".to_owned()),
        ("bench/inputs/a.txt", "1\n".to_owned()),
        ("Dockerfile", "FROM debian@sha256:0000\n".to_owned()),
        ("Jenkinsfile", "pipeline {}\n".to_owned()),
    ]
}

fn folder_of(files: &[(&str, String)]) -> tempfile::TempDir {
    tree(&files.iter().map(|(path, text)| (*path, text.as_str())).collect::<Vec<_>>())
}

#[test]
fn artifacts_of_three_languages_lack_only_results_and_an_empty_folder_lacks_everything() {
    for (name, files) in [("rust", rust()), ("python", python()), ("c", c())] {
        let folder = folder_of(&files);
        let expected: &[&str] = if name == "rust" { &["functional.1a"] } else { &[] };
        let mut lacks: Vec<&str> = failing(folder.path());
        lacks.retain(|id| !OF_RESULTS.contains(id));
        // The Rust project's README names no tests.
        assert_eq!(lacks, expected, "{name}: {:#?}", judged(folder.path()));
    }
    let empty = tempfile::tempdir().unwrap();
    let items = judged(empty.path());
    let passing: Vec<&str> = items.iter().filter(|item| item.status == Status::Pass).map(|item| item.id).collect();
    assert_eq!(passing, ["functional.7b"], "{items:#?}");
    assert!(items.iter().all(|item| (item.status == Status::Fail) == item.fix.is_some()));
}

#[test]
fn each_change_flips_the_item_that_is_about_it_and_no_other() {
    let changes: &[(&str, &str, &str, &[&str])] = &[
        ("CITATION.cff", "title: Fast\n", "", &["available.1b"]),
        ("LICENSE", "Redistribution", "Distribution", &["available.2"]),
        ("README", "10.1145", "12.1145", &["available.3"]),
        ("README", "scripts, bench", "bench", &["functional.1a"]),
        ("README", "Ubuntu 22.04, 64 GB RAM", "a machine", &["functional.1b"]),
        ("README", "Getting started", "More", &["functional.4a"]),
        ("README", "20 minutes", "a while", &["functional.4c"]),
        ("README", "make fig3\n```", "ls\n```", &["reproduced.1a"]),
        ("README", "Figure 3", "One", &["reproduced.2a"]),
        ("Makefile", "check:", "other:", &["functional.2d"]),
        ("Dockerfile", "@sha256:0000", ":latest", &["functional.5a"]),
        ("src/fast.c", "return 0", "open(\"/home/jane/data/x\")", &["functional.7b"]),
        ("scripts/plot.py", "print()\n", "version https://git-lfs.github.com/spec/v1\n", &["functional.2a"]),
    ];
    for (path, from, to, flipped) in changes {
        let mut files = c();
        let (_, text) = files.iter_mut().find(|(name, _)| name == path).unwrap();
        assert!(text.contains(from), "{from} in {path}");
        *text = text.replace(from, to);
        let mut lacks = failing(folder_of(&files).path());
        lacks.retain(|id| !OF_RESULTS.contains(id));
        assert_eq!(lacks, *flipped, "{path}: {from} -> {to}");
    }
    for (path, flipped) in [
        ("Jenkinsfile", &["functional.7a"][..]),
        ("bench/inputs/a.txt", &["functional.6"]),
        ("Dockerfile", &["functional.5a", "functional.5b"]),
    ] {
        let mut files = c();
        files.retain(|(name, _)| *name != path);
        let mut lacks = failing(folder_of(&files).path());
        lacks.retain(|id| !OF_RESULTS.contains(id));
        assert_eq!(lacks, flipped, "without {path}");
    }
    let mut files = python();
    files.retain(|(name, _)| *name != "requirements.txt");
    files.push(("requirements.txt", "numpy>=2\n".to_owned()));
    assert!(failing(folder_of(&files).path()).contains(&"functional.5a"), "an open range is no exact version");
    let mut files = rust();
    files.retain(|(name, _)| *name != "Cargo.lock");
    assert!(failing(folder_of(&files).path()).contains(&"functional.5a"));
    let folder = folder_of(&c());
    std::os::unix::fs::symlink("nowhere", folder.path().join("data")).unwrap();
    assert!(failing(folder.path()).contains(&"functional.2a"), "a link to nothing");
}

#[test]
fn results_are_judged_by_their_claims_faults_and_cells() {
    let folder = folder_of(&c());
    let judged = |change: &dyn Fn(&mut Results)| {
        let mut results = Results {
            environments: ["Linux 6.1; a processor".to_owned()].into(),
            unknown: (0, 4),
            checked: (4, 4),
            experiments: vec![super::Progress { name: "kv".to_owned(), planned: 4, done: 4 }],
            claims: vec![("C1 of kv".to_owned(), Stand::Holds), ("C2 of kv".to_owned(), Stand::Uncovered)],
            ..Results::default()
        };
        change(&mut results);
        let items = sosp26(&Subject { tree: Tree::read(folder.path()).unwrap(), results: Ok(results) });
        items.into_iter().filter(|item| item.status == Status::Fail).map(|item| item.id).collect::<Vec<_>>()
    };
    assert_eq!(judged(&|_| {}), [""; 0]);
    assert_eq!(judged(&|results| results.faults.push("an object".to_owned())), ["functional.2b"]);
    assert_eq!(judged(&|results| results.experiments[0].done = 3), ["reproduced.1b"]);
    assert_eq!(judged(&|results| results.claims[0].1 = Stand::Contradicted), ["reproduced.4"]);
    assert_eq!(judged(&|results| results.claims[0].1 = Stand::Open), ["reproduced.4"]);
    assert_eq!(judged(&|results| results.claims.clear()), ["functional.2c", "reproduced.4"]);
}

#[test]
fn no_name_of_one_project_is_looked_for() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for name in ["ARCHITECTURE", "ntipode", "crates/", "DejaVu", "Cargo.toml", "lambdas"] {
            assert!(!text.contains(name), "{name} in {}", path.display());
        }
    }
}
