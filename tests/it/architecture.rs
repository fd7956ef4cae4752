//! What the parts must never know of each other and of the world.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use toml_edit::DocumentMut;

use crate::workbench::{ended, here, walk};

fn sources(folder: &Path) -> Vec<PathBuf> {
    walk(folder).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect()
}

/// The code of a library without its tests and comments.
fn code(folder: &str) -> Vec<(PathBuf, String)> {
    let top = here().join(folder).join("src");
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
    assert!(files.len() > 5, "{folder} has sources");
    files
}

fn assert_pure(folder: &str) {
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
        "spawn(",
        "select!",
    ];
    for (path, code) in code(folder) {
        for word in worldly {
            assert!(!code.contains(word), "{} mentions `{word}`", path.display());
        }
    }
}

#[test]
fn the_application_reads_no_clock_file_or_environment() {
    assert_pure("workloads/post-notification/app");
}

#[test]
fn the_plan_reads_no_clock_file_or_environment() {
    assert_pure("workloads/post-notification/plan");
}

#[test]
fn the_core_reads_no_clock_file_or_environment() {
    assert_pure("crates/core");
}

/// The crates of ours that a package names as dependencies, by their folders' names.
fn ours(manifest: &DocumentMut) -> BTreeSet<String> {
    let dependencies = manifest["dependencies"].as_table().unwrap();
    dependencies.iter().filter_map(|(name, _)| Some(name.strip_prefix("matrix-")?.to_owned())).collect()
}

fn manifest(folder: &str) -> DocumentMut {
    std::fs::read_to_string(here().join(folder).join("Cargo.toml")).unwrap().parse().unwrap()
}

/// What could bring a clock in by the back door.
#[test]
fn the_application_depends_on_data_formats_alone() {
    let manifest = manifest("workloads/post-notification/app");
    let names: Vec<&str> = manifest["dependencies"].as_table().unwrap().iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["base64", "itoa", "serde", "serde_json", "thiserror"]);
}

/// The folders of the workspace's libraries.
fn libraries() -> BTreeSet<String> {
    let below = |folder: &'static str| {
        let entries = std::fs::read_dir(here().join(folder)).unwrap();
        entries.map(move |entry| format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap()))
    };
    let all = ["crates", "workloads", "workloads/post-notification"].into_iter().flat_map(below);
    all.chain(["lambdas".to_owned()]).filter(|folder| here().join(folder).join("Cargo.toml").exists()).collect()
}

fn architecture() -> String {
    std::fs::read_to_string(here().join("ARCHITECTURE.md")).unwrap()
}

/// The code map of ARCHITECTURE.md: what each library sees.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let text = architecture();
    let map = text.split("## Code map").nth(1).unwrap().split("\n## ").next().unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ").collect();
        let folder = cells[0].trim_end_matches('`').trim_end_matches('/').to_owned();
        let sees = cells.last()?.split(", ").filter(|name| *name != "nobody").map(str::to_owned).collect();
        (folder == "lambdas" || folder.starts_with("crates/") || folder.starts_with("workloads/"))
            .then_some((folder, sees))
    };
    map.lines().filter_map(row).collect()
}

#[test]
fn the_dependency_graph_is_the_documented_one() {
    let graph: BTreeMap<String, BTreeSet<String>> =
        libraries().into_iter().map(|folder| (folder.clone(), ours(&manifest(&folder)))).collect();
    assert_eq!(graph, documented(), "the manifests, and the code map of ARCHITECTURE.md");
    for pure in ["workloads/post-notification/app", "crates/core"] {
        assert!(graph[pure].is_empty(), "{pure} sees no other crate of ours");
    }
}

/// The files of the project, by their paths below its folder.
fn files() -> Vec<String> {
    let list = ["-c", "git ls-files -z 2>/dev/null || scripts/sources"];
    let listed = ended(Command::new("sh").args(list).current_dir(here())).code(0).out;
    listed.split_terminator('\0').map(str::to_owned).collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_folder_and_script_is_in_the_map() {
    let text = architecture();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let places: Vec<&str> = rows.iter().flat_map(|row| quoted(row.split(" | ").next().unwrap())).collect();
    // Of these folders, the rows name what is in them: files, and folders by themselves or by the file that leads into one.
    let named = |folder: &str| {
        let own = rows.iter().filter(|row| row.starts_with(&format!("| `{folder}/")));
        own.flat_map(|row| quoted(row))
            .map(|name| name.trim_start_matches(&format!("{folder}/")))
            .collect::<BTreeSet<_>>()
    };
    let inside = ["scripts", "src", "experiments"].map(|folder| (folder, named(folder)));
    for file in files() {
        let Some((folder, path)) = file.split_once('/') else { continue };
        assert!(places.iter().any(|place| place.split('/').next() == Some(folder)), "{folder}/ has no row");
        let Some((_, named)) = inside.iter().find(|(other, _)| *other == folder) else { continue };
        let is_named = match path.split_once('/') {
            None => named.contains(path) || folder == "src" && ["main.rs", "tests.rs"].contains(&path),
            Some((below, _)) => [format!("{below}/"), format!("{below}.rs")].iter().any(|name| named.contains(&**name)),
        };
        assert!(is_named, "the row of {folder}/ lacks `{path}`");
    }
}

#[test]
fn the_files_and_tests_that_architecture_names_exist() {
    let (text, files) = (architecture(), files());
    let code: String = files
        .iter()
        .filter(|file| file.ends_with(".rs"))
        .filter_map(|file| std::fs::read_to_string(here().join(file)).ok())
        .collect();
    let in_a_store = ["model.toml", "tmp/"];
    let endings = ["/", ".rs", ".toml", ".html"];
    let (mut paths, mut tests) = (0, 0);
    for name in quoted(&text).filter(|name| !name.contains(char::is_whitespace) && !in_a_store.contains(name)) {
        let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        let folder = name.split_once('/').map(|(folder, _)| format!("{folder}/"));
        let is_below = folder.is_some_and(|folder| files.iter().any(|file| file.starts_with(&folder)));
        if is_below || endings.iter().any(|ending| name.ends_with(ending)) {
            paths += 1;
            let is_it = |file: &String| format!("/{file}/").contains(&format!("/{}/", name.trim_end_matches('/')));
            assert!(files.iter().any(is_it), "there is no `{name}`");
        } else if is_name && name.contains('_') && !name.ends_with("_us") {
            tests += 1;
            assert!(code.contains(&format!("fn {name}(")), "there is no test `{name}`");
        }
    }
    assert!(paths > 80 && tests > 30, "{paths} paths, {tests} tests");
}

/// Whether a text file below a folder has one of the words.
fn mentions(folder: &Path, words: &[&str]) -> bool {
    // A font is no text, and a folder has none.
    let texts = walk(folder).into_iter().filter_map(|path| std::fs::read_to_string(path).ok());
    texts.into_iter().any(|text| words.iter().any(|word| text.contains(word)))
}

#[test]
fn the_generic_crates_know_no_word_of_post_notification() {
    let words = ["post_storage", "notification_storage", "antipode", "delay_ms", "barrier", "lineage"];
    let workloads: Vec<String> = libraries()
        .iter()
        .filter(|folder| folder.starts_with("workloads"))
        .map(|folder| manifest(folder)["package"]["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(workloads.len() > 10, "{workloads:?}");
    for entry in std::fs::read_dir(here().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        assert!(!mentions(&folder, &words), "{} knows a word of post-notification", folder.display());
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        for workload in &workloads {
            assert!(!manifest.contains(&format!("{workload}.")), "{} depends on {workload}", folder.display());
        }
    }
}

#[test]
fn no_library_knows_a_command_line_or_a_terminal() {
    for folder in libraries() {
        let manifest = manifest(&folder);
        let dependencies = manifest["dependencies"].as_table().unwrap();
        for of_the_command in ["clap", "indicatif", "miette", "signal-hook"] {
            assert!(!dependencies.contains_key(of_the_command), "{folder} depends on {of_the_command}");
        }
    }
}
