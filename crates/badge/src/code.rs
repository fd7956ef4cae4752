//! What the tree has to have: sources, tests, dependencies, inputs.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;

use super::Subject;
use super::profile::{Finding, fail};
use super::tree::{Tree, ending, name};

/// Endings of sources by language, and the files that pin what such sources depend on.
const LANGUAGES: [(&str, &[&str], &[&str]); 8] = [
    ("Rust", &["rs"], &["cargo.lock"]),
    ("Python", &["py", "ipynb"], &["poetry.lock", "uv.lock", "pipfile.lock", "pdm.lock", "conda-lock.yml"]),
    ("JavaScript", &["js", "ts", "jsx", "tsx"], &["package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"]),
    ("Go", &["go"], &["go.sum"]),
    ("Java", &["java", "scala", "kt"], &["pom.xml", "gradle.lockfile", "build.sbt"]),
    ("Julia", &["jl"], &["manifest.toml"]),
    ("Ruby", &["rb"], &["gemfile.lock"]),
    ("C or C++", &["c", "cc", "cpp", "cxx", "h", "hpp", "cu"], &["conan.lock", "vcpkg.json", "spack.lock"]),
];

/// Endings of other sources.
const OTHERS: [&str; 10] = ["sh", "ml", "hs", "swift", "zig", "ex", "erl", "r", "m", "v"];

fn language(path: &str) -> Option<&'static str> {
    let ending = ending(path).to_lowercase();
    let found = LANGUAGES.iter().find(|(_, endings, _)| endings.contains(&ending.as_str()));
    found.map(|(language, ..)| *language)
}

fn is_source(path: &str) -> bool {
    language(path).is_some() || OTHERS.contains(&ending(path).to_lowercase().as_str())
}

/// Folders at the top that have sources.
pub(crate) fn source_folders(tree: &Tree) -> BTreeSet<String> {
    let sources = tree.files().filter(|path| is_source(path));
    let folders = sources.filter_map(|path| path.split_once('/')).map(|(folder, _)| folder);
    folders.filter(|folder| !folder.starts_with('.')).map(str::to_owned).collect()
}

fn listed(paths: &[String]) -> String {
    let shown = paths.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    if paths.len() > 5 { format!("{shown} and {} more", paths.len() - 5) } else { shown }
}

pub(crate) fn complete(subject: &Subject) -> Finding {
    let tree = &subject.tree;
    let sources = tree.files().filter(|path| is_source(path)).count();
    if sources == 0 {
        return fail("there is no source file", "name the project's folder with --project");
    }
    let mut missing: Vec<String> = tree.broken.iter().map(|link| format!("{link} (a link to nothing)")).collect();
    let modules = tree.text(".gitmodules");
    let modules = modules.lines().filter_map(|line| line.trim().strip_prefix("path")?.trim().strip_prefix('='));
    let empty = modules.map(str::trim).filter(|path| !tree.has_folder(path));
    missing.extend(empty.map(|path| format!("{path} (an empty submodule)")));
    let pointer =
        |path: &&str| tree.length(path) < 200 && tree.text(path).starts_with("version https://git-lfs.github.com/spec");
    missing.extend(tree.files().filter(pointer).map(|path| format!("{path} (only a pointer of Git LFS)")));
    if !missing.is_empty() {
        return fail(format!("not there: {}", listed(&missing)), "add what is missing to what you deposit");
    }
    let cut = if tree.is_cut { "; there are more files than were looked at" } else { "" };
    Finding::Pass(format!("{sources} source files; no link, submodule or large file is missing{cut}"))
}

/// Lines of scripts that match, each with its place.
fn lines(tree: &Tree, is: impl Fn(&str) -> bool, pattern: &str) -> Vec<(String, String)> {
    let Ok(pattern) = Regex::new(pattern) else { return Vec::new() };
    let mut found = Vec::new();
    for path in tree.files().filter(|path| is(path)) {
        for (number, line) in tree.text(path).lines().enumerate() {
            if let Some(words) = pattern.captures(line).and_then(|all| all.get(1)) {
                found.push((format!("{path}:{}", number + 1), words.as_str().to_owned()));
            }
        }
    }
    found
}

fn is_script(path: &str) -> bool {
    matches!(ending(path), "sh" | "bash" | "py" | "pl" | "mk") || name(path).to_lowercase().starts_with("makefile")
}

pub(crate) fn destructive(subject: &Subject) -> Finding {
    let found = lines(&subject.tree, is_script, r"\b(sudo|mkfs[.\w]*|dd [^\n]*of=/dev/|sysctl -w|modprobe|rm -rf /)");
    let places: Vec<String> = found.iter().map(|(place, words)| format!("{place} ({words})")).collect();
    Finding::Person(if places.is_empty() {
        "no script uses sudo, mkfs, dd, sysctl or modprobe".to_owned()
    } else {
        format!("does README warn of {}?", listed(&places))
    })
}

pub(crate) fn tests(subject: &Subject) -> Finding {
    let tree = &subject.tree;
    let is_test = |path: &str| {
        let file = name(path).to_lowercase();
        let stem = file.split('.').next().unwrap_or_default();
        path.split('/').any(|part| matches!(part, "test" | "tests" | "testing"))
            || stem == "test"
            || stem.starts_with("test_")
            || stem.ends_with("_test")
            || stem == "check"
    };
    if let Some(path) = tree.files().find(|path| is_test(path)) {
        return Finding::Pass(format!("tests such as {path}"));
    }
    let makefile = |path: &str| matches!(name(path).to_lowercase().as_str(), "makefile" | "gnumakefile" | "justfile");
    if let Some((place, target)) = lines(tree, makefile, r"^(test|check)\b[^:=]*:").into_iter().next() {
        return Finding::Pass(format!("{place}: the target {target}"));
    }
    fail("there is no test, and no target test or check", "add a script that checks that the artifact works")
}

pub(crate) fn third_party(subject: &Subject) -> Finding {
    let names = ["third_party", "third-party", "vendor", "external", "extern", "deps", "submodules"];
    let found: Vec<&str> = names.into_iter().filter(|folder| subject.tree.has_folder(folder)).collect();
    Finding::Person(if found.is_empty() {
        "is anything in the tree obsolete, or somebody else's?".to_owned()
    } else {
        format!("is it said what was changed in {}?", found.join(", "))
    })
}

/// Whether a container's base image is one image for ever, or at least one version.
fn images(tree: &Tree) -> (Vec<String>, Vec<String>) {
    let is_dockerfile = |path: &str| {
        let file = name(path).to_lowercase();
        file.starts_with("dockerfile") || file.starts_with("containerfile") || file.ends_with(".dockerfile")
    };
    let (mut pinned, mut open) = (Vec::new(), Vec::new());
    let mut stages: BTreeSet<String> = BTreeSet::from(["scratch".to_owned()]);
    let Ok(from) = Regex::new(r"(?i)^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?") else { return (pinned, open) };
    for path in tree.files().filter(|path| is_dockerfile(path)) {
        for line in tree.text(path).lines() {
            let Some(words) = from.captures(line) else { continue };
            let image = words.get(1).map_or("", |image| image.as_str());
            if let Some(stage) = words.get(2) {
                stages.insert(stage.as_str().to_owned());
            }
            let tag = name(image).rsplit_once(':').map(|(_, tag)| tag);
            if stages.contains(image) || image.contains('$') {
                continue;
            }
            let is_pinned = image.contains('@') || tag.is_some_and(|tag| tag != "latest" && !tag.is_empty());
            if is_pinned { &mut pinned } else { &mut open }.push(format!("{path}: {image}"));
        }
    }
    (pinned, open)
}

/// Requirements of Python without an exact version.
fn unpinned(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('-') && !line.starts_with("--hash"));
    lines.filter(|line| !line.contains("==") && !line.contains(" @ ")).map(str::to_owned).collect()
}

pub(crate) fn locked(subject: &Subject) -> Finding {
    let tree = &subject.tree;
    let (pinned, open) = images(tree);
    if !open.is_empty() {
        return fail(format!("an image without a version: {}", listed(&open)), "name its tag, or its digest");
    }
    let nix = tree.named(|file| file == "flake.lock").next();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    tree.files().filter_map(language).for_each(|language| *counts.entry(language).or_default() += 1);
    let most = counts.values().copied().max().unwrap_or(0);
    let (mut seen, mut missing): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (language, _, locks) in LANGUAGES {
        // A script or two beside the rest is no project of its own.
        if counts.get(language).is_none_or(|count| 5 * count < most) {
            continue;
        }
        if let Some(lock) = tree.named(|file| locks.contains(&file)).next() {
            seen.push(lock.to_owned());
            continue;
        }
        let requirements: Vec<&str> =
            tree.named(|file| file.starts_with("requirements") && file.ends_with(".txt")).collect();
        match language {
            "Python" if !requirements.is_empty() => {
                let open: Vec<String> = requirements
                    .iter()
                    .flat_map(|path| unpinned(&tree.text(path)).into_iter().map(move |line| format!("{path}: {line}")))
                    .collect();
                if open.is_empty() {
                    seen.extend(requirements.iter().map(|path| (*path).to_owned()));
                } else {
                    missing.push(format!("without an exact version: {}", listed(&open)));
                }
            }
            // What these use comes from the system.
            // Nor do a script or two have more than their interpreter's.
            _ if language == "C or C++" || counts.get(language).is_some_and(|count| *count <= 2) => {
                if pinned.is_empty() && nix.is_none() {
                    missing.push(format!("nothing pins what the {language} sources depend on"));
                }
            }
            language => missing.push(format!("nothing pins what the {language} sources depend on")),
        }
    }
    seen.extend(pinned);
    seen.extend(nix.map(str::to_owned));
    if !missing.is_empty() {
        return fail(missing.join("; "), "commit a lock file, or a container's image with a version");
    }
    if seen.is_empty() {
        return fail("there is no lock file and no image", "commit a lock file, or a container's image with a version");
    }
    Finding::Pass(listed(&seen))
}

pub(crate) fn system(subject: &Subject) -> Finding {
    let is = |file: &str| {
        let stem = file.split('.').next().unwrap_or_default();
        let script = matches!(ending(file), "sh" | "") || file.ends_with(".py");
        file.starts_with("dockerfile")
            || file.starts_with("containerfile")
            || file.starts_with("docker-compose")
            || file.ends_with(".nix")
            || matches!(
                file,
                "vagrantfile"
                    | "environment.yml"
                    | "environment.yaml"
                    | "spack.yaml"
                    | "playbook.yml"
                    | "devcontainer.json"
            )
            || (script && ["install", "setup", "bootstrap", "provision"].iter().any(|word| stem.starts_with(word)))
    };
    let found: Vec<String> =
        subject.tree.named(is).filter(|path| name(path) != "setup.py").map(str::to_owned).collect();
    if found.is_empty() {
        return fail(
            "there is no container, no virtual machine and no install script",
            "write a Dockerfile, or a script that installs what the system has to have",
        );
    }
    Finding::Pass(listed(&found))
}

pub(crate) fn proprietary(_: &Subject) -> Finding {
    Finding::Person("is anything needed that an evaluator cannot have? Give instructions and a mock".to_owned())
}

pub(crate) fn inputs(subject: &Subject) -> Finding {
    let folders =
        ["experiments", "configs", "config", "examples", "inputs", "workloads", "benchmarks", "data", "traces"];
    let is_below = |path: &&str| path.split('/').rev().skip(1).any(|part| folders.contains(&part));
    let found: Vec<String> = subject.tree.files().filter(is_below).map(str::to_owned).collect();
    if found.is_empty() {
        return fail(
            "there is no folder of experiments, configurations, examples or inputs",
            "add an input and a configuration for each kind of experiment",
        );
    }
    Finding::Pass(listed(&found))
}

pub(crate) fn ci(subject: &Subject) -> Finding {
    let starts = [
        ".github/workflows/",
        ".circleci/",
        ".buildkite/",
        ".woodpecker",
        ".forgejo/workflows/",
        ".gitea/workflows/",
        ".builds/",
        ".ci/",
        "ci/",
    ];
    let names = [
        ".gitlab-ci.yml",
        ".travis.yml",
        "jenkinsfile",
        "azure-pipelines.yml",
        ".drone.yml",
        ".cirrus.yml",
        ".build.yml",
        "bitbucket-pipelines.yml",
        "appveyor.yml",
    ];
    let is = |path: &&str| {
        starts.iter().any(|start| path.starts_with(start)) || names.contains(&path.to_lowercase().as_str())
    };
    match subject.tree.files().find(is) {
        Some(path) => Finding::Pass(format!("{path} runs it elsewhere")),
        None => {
            fail("nothing runs it on another machine", "let continuous integration build it and run a small experiment")
        }
    }
}

/// Names of users that images and documents use for anybody.
const ANYBODY: [&str; 14] = [
    "user", "users", "username", "ubuntu", "runner", "vagrant", "app", "builder", "docker", "node", "jovyan", "debian",
    "you", "me",
];

pub(crate) fn home_paths(subject: &Subject) -> Finding {
    let is = |path: &str| {
        is_source(path)
            || is_script(path)
            || matches!(ending(path), "toml" | "yml" | "yaml" | "json" | "cfg" | "ini" | "conf")
    };
    let found = lines(&subject.tree, is, r"(/(?:home|Users)/[A-Za-z][\w.-]*)/");
    let found = found.into_iter().filter(|(_, path)| !ANYBODY.contains(&name(path).to_lowercase().as_str()));
    let places: Vec<String> = found.map(|(place, path)| format!("{place} ({path})")).collect();
    if places.is_empty() {
        return Finding::Pass("no source names somebody's home folder".to_owned());
    }
    fail(format!("somebody's home folder is named: {}", listed(&places)), "take the path from a flag or a variable")
}
