//! What the parts must never know of each other and of the world.

use std::path::{Path, PathBuf};

use crate::workbench::here;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a crate without its tests and comments.
fn code(krate: &str) -> Vec<(PathBuf, String)> {
    let top = here().join("crates").join(krate).join("src");
    let files: Vec<_> = sources(&top)
        .into_iter()
        .filter(|path| !path.file_stem().unwrap().to_str().unwrap().ends_with("tests"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap()).collect();
            (path, code.join("\n"))
        })
        .collect();
    assert!(files.len() > 5, "{krate} has sources");
    files
}

fn assert_pure(krate: &str) {
    let worldly = [
        "std::time",
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::thread",
        "env!(",
        "tokio",
        "rand::",
        "SystemTime",
        "Instant::now",
        "HashMap",
        "HashSet",
        "println!",
    ];
    for (path, code) in code(krate) {
        for word in worldly {
            assert!(!code.contains(word), "{} mentions `{word}`", path.display());
        }
    }
}

#[test]
fn the_application_reads_no_clock_file_or_environment() {
    assert_pure("app");
}

#[test]
fn the_plan_reads_no_clock_file_or_environment() {
    assert_pure("plan");
}

#[test]
fn the_dependency_graph_is_the_documented_one() {
    let top = here().join("crates");
    let allowed: &[(&str, &[&str])] = &[
        ("app", &[]),
        ("stomp", &[]),
        ("yaml", &[]),
        ("plan", &[]),
        ("driver", &["app", "plan"]),
        ("sim", &["app", "plan", "driver"]),
        ("store", &["app", "plan", "driver"]),
        ("bundle", &["app", "plan", "driver", "store"]),
        ("gather", &["app", "plan", "driver", "store", "yaml"]),
        ("aws", &["plan", "yaml"]),
        ("analysis", &["app", "plan"]),
        ("figures", &["analysis", "plan"]),
    ];
    for (krate, allowed) in allowed {
        let manifest = std::fs::read_to_string(top.join(krate).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
        let ours = dependencies.lines().filter_map(|line| line.strip_prefix("matrix-")?.split('.').next());
        for seen in ours {
            assert!(allowed.contains(&seen), "crates/{krate} must not see crates/{seen}");
        }
    }
}
