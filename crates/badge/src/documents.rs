//! What documents have to contain.

use std::collections::BTreeSet;

use regex_lite::Regex;

use super::Subject;
use super::code::source_folders;
use super::profile::{Finding, fail};
use super::tree::{ending, name};

/// Licences by words of their texts.
const LICENCES: [(&str, &[&str]); 14] = [
    ("MIT", &["Permission is hereby granted, free of charge", "to deal in the Software without restriction"]),
    ("Apache-2.0", &["Apache License", "Version 2.0"]),
    ("BSD-3-Clause", &["Redistribution and use in source and binary forms", "Neither the name"]),
    ("BSD-2-Clause", &["Redistribution and use in source and binary forms", "THIS SOFTWARE IS PROVIDED"]),
    ("MPL-2.0", &["Mozilla Public License", "2.0"]),
    ("AGPL-3.0", &["GNU AFFERO GENERAL PUBLIC LICENSE", "Version 3"]),
    ("LGPL", &["GNU LESSER GENERAL PUBLIC LICENSE"]),
    ("GPL-3.0", &["GNU GENERAL PUBLIC LICENSE", "Version 3"]),
    ("GPL-2.0", &["GNU GENERAL PUBLIC LICENSE", "Version 2"]),
    ("ISC", &["Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"]),
    ("Zlib", &["This software is provided 'as-is', without any express or implied warranty"]),
    ("Unlicense", &["This is free and unencumbered software released into the public domain"]),
    ("CC0-1.0", &["CC0 1.0 Universal"]),
    ("CC-BY-4.0", &["Creative Commons Attribution 4.0"]),
];

/// Files of the top whose name begins so, whatever its case.
fn at_top<'a>(subject: &'a Subject, starts: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let is = move |path: &&str| starts.iter().any(|start| path.to_lowercase().starts_with(start));
    subject.tree.top().filter(is)
}

/// The README and its text; an empty one counts as none.
pub(crate) fn readme(subject: &Subject) -> Result<(&str, String), Finding> {
    let found = at_top(subject, &["readme"]).map(|path| (path, subject.tree.text(path)));
    let found = found.filter(|(_, text)| !text.trim().is_empty()).max_by_key(|(path, _)| ending(path) == "md");
    found.ok_or_else(|| fail("there is no README", "write a README.md"))
}

/// Places of a pattern, each once, in order.
fn found(text: &str, pattern: &str) -> Vec<String> {
    let pattern = Regex::new(pattern);
    let all: BTreeSet<String> =
        pattern.iter().flat_map(|pattern| pattern.find_iter(text)).map(|found| found.as_str().to_owned()).collect();
    all.into_iter().collect()
}

/// Passes with what was found of a pattern in README, or fails.
fn in_readme(subject: &Subject, pattern: &str, what: &str, missing: &str, fix: &str) -> Finding {
    let (file, text) = match readme(subject) {
        Ok(readme) => readme,
        Err(finding) => return finding,
    };
    match found(&text, pattern) {
        none if none.is_empty() => fail(format!("{file} {missing}"), fix),
        all => {
            let shown: Vec<String> =
                all.iter().take(6).map(|words| words.trim().trim_start_matches('#').trim().to_owned()).collect();
            Finding::Pass(format!("{file} {what}: {}", shown.join(", ")))
        }
    }
}

const DOI: &str = r"10\.[0-9]{4,9}/[-._;/:A-Za-z0-9]*[A-Za-z0-9]";

pub(crate) fn archive(subject: &Subject) -> Finding {
    let files = at_top(subject, &["readme", "citation", ".zenodo", "codemeta"]);
    let dois: BTreeSet<String> = files.flat_map(|path| found(&subject.tree.text(path), DOI)).collect();
    Finding::Person(if dois.is_empty() {
        "no DOI is named: deposit the release in an archive such as Zenodo; a code host is none".to_owned()
    } else {
        let dois = dois.into_iter().take(4).collect::<Vec<_>>().join(", ");
        format!("DOIs that are named: {dois}. Is one of them the archive's, and the deposit what is here?")
    })
}

pub(crate) fn citation(subject: &Subject) -> Finding {
    let forms: [(&str, &[&str]); 3] = [
        ("citation.cff", &["cff-version:", "title:", "message:", "authors:"]),
        (".zenodo.json", &["\"title\"", "\"creators\""]),
        ("codemeta.json", &["\"name\"", "\"author\""]),
    ];
    for (form, keys) in forms {
        if let Some(path) = subject.tree.top().find(|path| path.to_lowercase() == form) {
            let text = subject.tree.text(path);
            let has = |key: &&&str| text.lines().any(|line| line.trim_start().starts_with(**key));
            let missing: Vec<&str> = keys.iter().filter(|key| !has(key)).copied().collect();
            if missing.is_empty() {
                return Finding::Pass(format!("{path} has title and authors"));
            }
            return fail(format!("{path} has no {}", missing.join(" ")), "add it");
        }
    }
    fail("there is no CITATION.cff, .zenodo.json or codemeta.json", "write one: archives and code hosts read it")
}

pub(crate) fn licence(subject: &Subject) -> Finding {
    let mut files: Vec<&str> = at_top(subject, &["license", "licence", "copying", "unlicense"]).collect();
    files.extend(subject.tree.files().filter(|path| path.to_uppercase().starts_with("LICENSES/")));
    let mut known = Vec::new();
    for path in &files {
        let text = subject.tree.text(path).split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((licence, _)) = LICENCES.iter().find(|(_, words)| words.iter().all(|word| text.contains(word))) {
            known.push(format!("{path} is {licence}"));
        }
    }
    match (files.first(), known.is_empty()) {
        (None, _) => fail("there is no licence", "add a file LICENSE with a licence's own text"),
        (Some(first), true) => fail(format!("{first} is no licence that is known"), "use the licence's own text"),
        _ => Finding::Pass(known.join(", ")),
    }
}

pub(crate) fn paper(subject: &Subject) -> Finding {
    let pattern = format!(
        r"@(?:inproceedings|article|misc|conference)\s*\{{\s*[\w:.-]+|arxiv\.org/abs/[\w./-]+|(?:doi\.org/|(?i:doi)[: ]+){DOI}|In Proceedings of [^.\n]{{5,80}}"
    );
    in_readme(
        subject,
        &pattern,
        "cites",
        "cites no paper",
        "name title, authors and venue of the paper, with its DOI or BibTeX",
    )
}

pub(crate) fn components(subject: &Subject) -> Finding {
    let (file, text) = match readme(subject) {
        Ok(readme) => readme,
        Err(finding) => return finding,
    };
    let folders = source_folders(&subject.tree);
    let missing: Vec<&str> =
        folders.iter().filter(|folder| !text.contains(folder.as_str())).map(String::as_str).collect();
    if missing.is_empty() {
        let all: Vec<&str> = folders.iter().map(String::as_str).collect();
        return Finding::Pass(if all.is_empty() {
            format!("{file}; sources have no folders")
        } else {
            format!("{file} names {}", all.join(", "))
        });
    }
    fail(
        format!("{file} does not name these folders: {}", missing.join(", ")),
        "say what each is, and which part of the paper it belongs to",
    )
}

pub(crate) fn raw_data(subject: &Subject) -> Finding {
    let data: Vec<&str> = ["data", "dataset", "datasets", "traces", "raw"]
        .into_iter()
        .filter(|folder| subject.tree.has_folder(folder))
        .collect();
    Finding::Person(if data.is_empty() {
        "there is no folder of data: is all data made by the experiments?".to_owned()
    } else {
        format!("is it documented how {} came about, and what was changed?", data.join(", "))
    })
}

/// A heading of Markdown, reStructuredText or plain text that names one of these words.
fn heading(words: &str) -> String {
    format!(r"(?im)^(?:#+|=+|\d+[.)])\s*[^\n]*\b(?:{words})\b[^\n]*|^[^\n]*\b(?:{words})\b[^\n]*\n(?:===|---)")
}

pub(crate) fn example(subject: &Subject) -> Finding {
    let (file, text) = match readme(subject) {
        Ok(readme) => readme,
        Err(finding) => return finding,
    };
    if commands_of(&text).is_empty() {
        return fail(format!("{file} has no command to type"), "show a minimal example in a code block");
    }
    in_readme(
        subject,
        &heading(
            "quick ?start|quickstart|getting started|example|kick[- ]the[- ]tires|try it|usage|running|run|tutorial|minimal",
        ),
        "has commands under",
        "has commands, and no heading under which an example would be looked for",
        "call a section Getting Started",
    )
}

pub(crate) fn building(subject: &Subject) -> Finding {
    if let Some(file) = at_top(subject, &["install", "building", "contributing", "hacking"]).next() {
        return Finding::Pass(format!("{file} is there"));
    }
    in_readme(
        subject,
        &heading(
            "install|installation|installing|build|building|compile|prerequisites?|requirements?|set-?up|dependencies",
        ),
        "has",
        "says nowhere how to build",
        "add a section with prerequisites and commands to build",
    )
}

pub(crate) fn times(subject: &Subject) -> Finding {
    in_readme(
        subject,
        r"(?i)\b\d+(?:\.\d+)?[ -]?(?:compute-|human-)?(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?)\b",
        "states",
        "states no time",
        "say how long each experiment takes, and what memory and disk it needs",
    )
}

pub(crate) fn oddities(_: &Subject) -> Finding {
    Finding::Person("does README say what looks wrong and is not?".to_owned())
}

/// Commands in code blocks.
fn commands_of(text: &str) -> Vec<&str> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        inside ^= fence;
        let is_indented = line.starts_with("    ") || line.starts_with('\t');
        let line = line.trim().trim_start_matches("$ ");
        if !fence
            && (inside || is_indented)
            && line.starts_with(|c: char| c.is_ascii_lowercase() || c == '.' || c == '/')
        {
            commands.push(line);
        }
    }
    commands
}

pub(crate) fn scripts(subject: &Subject) -> Finding {
    let (file, text) = match readme(subject) {
        Ok(readme) => readme,
        Err(finding) => return finding,
    };
    let commands = commands_of(&text);
    let is_script = |path: &&str| {
        let lower = name(path).to_lowercase();
        let runs =
            ["run", "reproduce", "repro", "eval", "bench", "experiment", "all"].iter().any(|word| lower.contains(word));
        let in_folder = path
            .split('/')
            .rev()
            .skip(1)
            .any(|part| matches!(part, "experiments" | "scripts" | "eval" | "evaluation" | "bench" | "benchmarks"));
        (runs && matches!(ending(&lower), "sh" | "py" | "toml" | "pl" | "rb" | "js" | ""))
            || (in_folder && matches!(ending(&lower), "sh" | "toml"))
    };
    let named: Vec<&str> = subject
        .tree
        .files()
        .filter(is_script)
        .filter(|path| commands.iter().any(|line| line.contains(*path)))
        .take(6)
        .collect();
    let makes: Vec<&str> = commands
        .iter()
        .copied()
        .filter(|line| line.starts_with("make ") || line.starts_with("just "))
        .take(4)
        .collect();
    if named.is_empty() && makes.is_empty() {
        return fail(
            format!("{file} has no command that runs a script or an experiment of this folder"),
            "show the command of each experiment in a code block",
        );
    }
    Finding::Pass(format!("{file} runs {}", named.into_iter().chain(makes).collect::<Vec<_>>().join(", ")))
}

pub(crate) fn figures(subject: &Subject) -> Finding {
    in_readme(
        subject,
        r"(?:Figures?|Figs?\.|Tables?) ?[0-9]+[a-z]?",
        "maps",
        "names no figure or table of the paper",
        "list each figure and table with the command that makes it",
    )
}

pub(crate) fn presentation(_: &Subject) -> Finding {
    Finding::Person("compare the figures with the paper's".to_owned())
}

pub(crate) fn commands(subject: &Subject) -> Finding {
    let count = readme(subject).map(|(_, text)| commands_of(&text).len()).unwrap_or(0);
    Finding::Person(format!("README has {count} lines to type: follow it with a clock"))
}
