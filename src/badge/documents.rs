//! What documents have to say.

use matrix_app::row::HEADER;
use matrix_plan::experiment_schema;

use super::{Check, Finding, Subject};

/// The paper whose experiment this is.
const PAPER: &str = "Antipode: Enforcing Cross-Service Causal Consistency in Distributed Applications";
const AUTHORS: [&str; 5] = ["Loff", "Porto", "Garcia", "Mace", "Rodrigues"];

/// Licences by words of their texts, with their names in manifests.
const LICENCES: [(&str, &[&str]); 7] = [
    ("MIT", &["Permission is hereby granted, free of charge", "to deal in the Software without restriction"]),
    ("Apache-2.0", &["Apache License", "Version 2.0", "Grant of Copyright License"]),
    ("BSD-3-Clause", &["Redistribution and use in source and binary forms", "Neither the name"]),
    ("BSD-2-Clause", &["Redistribution and use in source and binary forms", "THIS SOFTWARE IS PROVIDED"]),
    ("MPL-2.0", &["Mozilla Public License Version 2.0"]),
    ("GPL-3.0", &["GNU GENERAL PUBLIC LICENSE", "Version 3"]),
    ("CC-BY-4.0", &["Creative Commons Attribution 4.0 International"]),
];

/// A text with every white space as one blank.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fails unless a text has all of these words.
fn must_have(name: &str, text: &str, words: impl IntoIterator<Item = String>, what: &str) -> Result<(), Finding> {
    let missing: Vec<String> = words.into_iter().filter(|word| !text.contains(word.as_str())).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(", ");
    Err(Finding::fail(format!("{name} does not name {what}: {missing}"), format!("add it to {name}")))
}

/// What `Cargo.toml` sets for all packages, if it is there.
fn of_workspace(subject: &Subject, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(subject.project.join("Cargo.toml")).ok()?;
    let document: toml_edit::DocumentMut = text.parse().ok()?;
    Some(document.get("workspace")?.get("package")?.get(key)?.as_str()?.to_owned())
}

pub(super) fn readme(subject: &Subject) -> Check {
    let text = flat(&subject.read("README.md")?);
    must_have("README.md", &text, [PAPER.to_owned()], "the paper")?;
    must_have("README.md", &text, AUTHORS.map(str::to_owned), "its authors")?;
    Ok("it names the paper's title and authors".to_owned())
}

pub(super) fn citation(subject: &Subject) -> Check {
    let text = subject.read("CITATION.cff")?;
    let keys = ["cff-version:", "title:", "message:", "authors:", "version:", "license:", "date-released:"];
    let lines: Vec<&str> = text.lines().collect();
    let missing: Vec<&str> = keys.into_iter().filter(|key| !lines.iter().any(|line| line.starts_with(key))).collect();
    if !missing.is_empty() {
        let missing = missing.join(" ");
        return Err(Finding::fail(
            format!("CITATION.cff has no {missing}"),
            "add it; `cffconvert --validate` checks the form",
        ));
    }
    must_have("CITATION.cff", &flat(&text), [PAPER.to_owned()], "the paper")?;
    let version = lines.iter().find_map(|line| line.strip_prefix("version:")).map(|text| text.trim().trim_matches('"'));
    if let (Some(ours), Some(package)) = (version, of_workspace(subject, "version"))
        && ours != package
    {
        let seen = format!("CITATION.cff has version {ours}, Cargo.toml {package}");
        return Err(Finding::fail(seen, "let them agree"));
    }
    Ok(format!("title, authors, licence, version {} and the paper", version.unwrap_or_default()))
}

pub(super) fn licence(subject: &Subject) -> Check {
    let unreadable =
        |error: std::io::Error| Finding::fail(error.to_string(), "name the project's folder with --project");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&subject.project).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
        if ["LICENSE", "LICENCE", "COPYING"].iter().any(|start| name.starts_with(start)) {
            let text = flat(&subject.read(&name)?);
            let known = LICENCES.iter().find(|(_, words)| words.iter().all(|word| text.contains(word)));
            let Some((licence, _)) = known else {
                return Err(Finding::fail(format!("{name} is no licence that is known"), "use the licence's own text"));
            };
            found.push((*licence, name));
        }
    }
    found.sort_unstable();
    let declared = of_workspace(subject, "license").unwrap_or_default();
    let wanted = declared.split([' ', '/', '(', ')']).filter(|word| !matches!(*word, "" | "OR" | "AND" | "WITH"));
    let missing: Vec<&str> = wanted.filter(|word| !found.iter().any(|(licence, _)| licence == word)).collect();
    if found.is_empty() || !missing.is_empty() {
        let seen =
            if missing.is_empty() { "no licence".to_owned() } else { format!("no text of {}", missing.join(", ")) };
        return Err(Finding::fail(seen, "add a file LICENSE with the licence's own text"));
    }
    let found: Vec<String> = found.into_iter().map(|(licence, name)| format!("{name} is {licence}")).collect();
    Ok(found.join(", "))
}

pub(super) fn components(subject: &Subject) -> Check {
    let text = subject.read("ARCHITECTURE.md")?;
    let libraries = super::runnable::libraries(subject)?;
    must_have("ARCHITECTURE.md", &text, libraries.iter().cloned(), "these components")?;
    Ok(format!("it names all {} libraries", libraries.len()))
}

pub(super) fn formats(subject: &Subject) -> Check {
    let text = subject.read("docs/formats.md")?;
    let columns = || HEADER.split(',').map(|column| format!("`{column}`"));
    must_have("docs/formats.md", &text, columns(), "these columns of a trace")?;
    must_have("docs/formats.md", &text, ["## Trace".to_owned(), "## Store".to_owned()], "the raw data")?;
    Ok(format!("it explains all {} columns of a trace", columns().count()))
}

pub(super) fn guide(subject: &Subject) -> Check {
    let text = subject.read("docs/guide.md")?;
    let schema = experiment_schema().and_then(|schema| serde_json::from_str::<serde_json::Value>(&schema));
    let schema = schema.map_err(|error| Finding::fail(error.to_string(), "report this"))?;
    let keys: Vec<&String> = schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key).collect();
    let named =
        |key: &str| ["`KEY`", "`[KEY]`", "`[[KEY]]`"].iter().any(|form| text.contains(&form.replace("KEY", key)));
    let missing: Vec<&str> = keys.iter().map(|key| key.as_str()).filter(|key| !named(key)).collect();
    if !missing.is_empty() {
        let seen = format!("docs/guide.md does not explain these keys of an experiment: {}", missing.join(", "));
        return Err(Finding::fail(seen, "explain them"));
    }
    must_have("docs/guide.md", &text, ["`matrix init`", "`matrix run"].map(str::to_owned), "how to begin")?;
    Ok(format!("it explains all {} keys of an experiment, and how to begin one", keys.len()))
}

pub(super) fn building(subject: &Subject) -> Check {
    let text = subject.read("CONTRIBUTING.md")?;
    let version = of_workspace(subject, "rust-version").unwrap_or_default();
    let words = ["Rust toolchain".to_owned(), version.clone(), "C compiler".to_owned()];
    must_have("CONTRIBUTING.md", &text, words, "what a build needs")?;
    Ok(format!("a Rust toolchain {version} and a C compiler, as Cargo.toml has it"))
}
