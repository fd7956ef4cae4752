//! The application reads no clock, file or environment, and has no runtime or randomness of its own.

use std::path::{Path, PathBuf};

const FORBIDDEN: [&str; 10] = [
    "std::time",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "tokio",
    "rand::",
    "spawn(",
    "select!",
];

/// This package's folder: asked for when the test runs, because what was built for one clone may serve another that shares
/// its target directory.
fn here() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap().into()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Invariant 2, "the pure part stays pure", for this crate.
#[test]
fn the_application_reads_no_clock_file_or_environment() {
    let root = here();
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for forbidden in FORBIDDEN {
                assert!(!line.contains(forbidden), "{}:{}: {line}", file.display(), number + 1);
            }
        }
    }
}

/// What could bring a clock in by the back door.
#[test]
fn the_application_depends_on_data_formats_alone() {
    let manifest = std::fs::read_to_string(here().join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    let names: Vec<&str> = dependencies
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(names, ["base64", "itoa", "serde", "serde_json", "thiserror"]);
}
