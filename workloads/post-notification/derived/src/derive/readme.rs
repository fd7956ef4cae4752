//! The README of a bundle: what an evaluator asks first.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use matrix_analysis::{ClaimResult, Traces};
use matrix_antipode_artifact::Imported;
use matrix_archive::Inventory;
use matrix_bundle::about_binary;
use matrix_plan::printable::is_unprintable;
use matrix_plan::{CellInputs, CellKey};
use matrix_run::RunError;
use matrix_run::edits::{self, Edit};
use matrix_store::{AttemptStatus, Digest};
use matrix_traces::Attempt;

use super::Part;
use crate::page::attempts::seconds;
use crate::summary::labels;

/// The text. It follows from the inventory, and from the source trees and the program that the bundle has.
pub(super) fn readme(
    parts: &[Part<'_>],
    inventory: &Inventory,
    sources: &BTreeSet<Digest>,
    binary: Option<Digest>,
) -> Result<String, RunError> {
    let names: BTreeSet<&str> = parts.iter().map(|part| part.source.experiment.as_str()).collect();
    let mut names = names.into_iter().collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        // Of an experiment that was begun, and nothing measured.
        names = origins(inventory);
    }
    let mut text = format!("# Results of {names}\n\n{INTRODUCTION}\n## Results\n\n");
    for part in parts {
        let _ = writeln!(
            text,
            "- `{}`{}: `tables/{}/`, `figures/{}/`",
            part.name,
            labels(&part.source),
            part.name,
            part.name
        );
    }
    text += &versions(parts)?;
    text += "\nNothing in this bundle destroys or changes anything on the machine it is read on.\n";
    text += &binary.map(about_binary).unwrap_or_default();
    text += &building(sources);
    text += &environment(inventory);
    text += &resources(parts, inventory);
    text += &claims(parts);
    Ok(text)
}

/// Where there are several versions of an experiment: which is the newest, and how the others differ from it.
fn versions(parts: &[Part<'_>]) -> Result<String, RunError> {
    let mut by_name: BTreeMap<&str, Vec<&Part<'_>>> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.run.is_some()) {
        by_name.entry(part.source.experiment.as_str()).or_default().push(part);
    }
    let mut text = String::new();
    for (experiment, mut versions) in by_name {
        versions.sort_by(|a, b| b.run.cmp(&a.run));
        versions.dedup_by(|a, b| a.run == b.run);
        let [newest, older @ ..] = versions.as_slice() else { continue };
        if older.is_empty() {
            continue;
        }
        let _ =
            writeln!(text, "\n{experiment} was run in {} versions. The newest is `{}`.", versions.len(), newest.name);
        let here: Vec<&CellInputs> = newest.traced.cells().iter().map(|cell| &cell.inputs).collect();
        for part in older {
            let inputs: Vec<&CellInputs> = part.traced.cells().iter().map(|cell| &cell.inputs).collect();
            let mut differs: Vec<String> = edits::compare(&inputs, &here)?.iter().map(Edit::parts).collect();
            if inputs.len() != here.len() {
                differs.push(format!("done cells {} -> {}", inputs.len(), here.len()));
            }
            if differs.is_empty() {
                differs.push("nothing that gives a cell its meaning".to_owned());
            }
            let _ = writeln!(text, "- since `{}`: {}", part.name, cell(&differs.join("; ")));
        }
    }
    Ok(text)
}

/// Words of an experiment as a table's cell shows them.
fn cell(words: &str) -> String {
    matrix_report::cell(words, is_unprintable)
}

const INTRODUCTION: &str = "\
This is a result bundle of `matrix`, a declarative experiment-matrix runner for geo-replication experiments. The workload is the
post-notification application of the paper *Antipode: Enforcing Cross-Service Causal Consistency in Distributed Applications*
(SOSP 2023): a writer in one region stores a post and publishes a notification; a reader in another region, triggered by the
notification, reads the post from its own replica. A missing post is an inconsistency. With antipode on, the reader first waits in
a barrier until the post's lineage is visible.

## Components, and their relation to the paper

| path | what it is | in the paper |
|---|---|---|
| `experiments/`, `plans/` | the declared matrix and the cells it expands to | the evaluation's set-up |
| `objects/` | traces: one row per request, CSV, named by their SHA-256 | the raw measurements |
| `records/`, `attempts/`, `runs/` | which trace belongs to which cell, and how it came to be | |
| `models/` | parameters of the simulated services, each with its source | stand-in for AWS where results say *simulated* |
| `tables/`, `figures/` | derived from the traces, byte for byte | consistency window, delay against inconsistencies, storage overhead |
| `report.html` | the results as one page, to be opened in a browser; it loads nothing from elsewhere | |
| `ro-crate-metadata.json`, `cells.csv` | the same for other tools (RO-Crate 1.1, Process Run Crate 0.5) | |

## Getting started

With stock tools alone, in the unpacked folder: `sha256sum -c manifest-sha256.txt` checks every byte.

With `matrix`:

```console
$ matrix verify FILE.tar.zst           # digests, keys, references, rows; tables derived again and compared
$ matrix bundle replay FILE.tar.zst    # runs the simulated cells again and compares the traces byte for byte
$ matrix check --results FILE.tar.zst  # judges the claims below
```

A minimal example of one's own: `matrix init`, then `matrix run experiment.toml --plot`. To go on in these results:
`matrix bundle extract FILE.tar.zst --as-store -o results`, change an axis in the experiment, `matrix run` it: only new cells run.
";

/// Who measured, where no experiment is there to be named.
fn origins(inventory: &Inventory) -> String {
    let origins: BTreeSet<&str> = inventory.records.keys().map(|(_, origin)| origin.as_str()).collect();
    format!("no experiment (origin {})", origins.into_iter().collect::<Vec<_>>().join(", "))
}

/// How to build the runner from the source in the bundle.
fn building(sources: &BTreeSet<Digest>) -> String {
    let mut text = String::new();
    if let Some(first) = sources.first() {
        text += "\n## Building the runner from this bundle\n\n";
        for digest in sources {
            let _ = writeln!(text, "- `source/{digest}/` is a runner's source, as it was compiled, with its lock file");
        }
        let _ = write!(
            text,
            "\nIt needs a Rust toolchain (the version is in its `Cargo.toml`) and a C compiler. Cargo fetches the dependencies, at the \
             versions\nand digests that `Cargo.lock` names. In the unpacked folder:\n\n\
             ```console\n\
             $ cp -r data/source/{first} ../matrix-source && cd ../matrix-source\n\
             $ cargo build --locked\n\
             $ target/debug/matrix bundle replay FILE.tar.zst\n\
             ```\n"
        );
    }
    text
}

fn environment(inventory: &Inventory) -> String {
    let mut text = "\n## Environment\n\n".to_owned();
    let mut seen = BTreeSet::new();
    let records = inventory.records.values().filter(|record| Imported::of(&record.inputs).is_some());
    let imported: BTreeSet<CellKey> = records.map(|record| record.key).collect();
    let mut known = HashSet::new();
    for attempt in inventory.attempts.values() {
        let provenance = &attempt.provenance;
        let is_imported = imported.contains(&attempt.key);
        // Those of one process share theirs.
        if !known.insert((Arc::as_ptr(provenance), is_imported)) {
            continue;
        }
        if is_imported {
            seen.insert(format!(
                "imported by matrix {}; where and with what it was measured is not told",
                provenance.matrix
            ));
            continue;
        }
        let unknown = || "unknown".to_owned();
        let mut lines = vec![format!("matrix {}", provenance.matrix)];
        lines.push(provenance.commit.as_ref().map_or_else(unknown, |commit| format!("commit {commit}")));
        if provenance.dirty == Some(true) {
            lines.push("with changes".to_owned());
        }
        lines.push(provenance.toolchain.clone().unwrap_or_else(unknown));
        lines.push(provenance.kernel.clone().unwrap_or_else(unknown));
        lines.push(provenance.cpu_model.clone().unwrap_or_else(unknown));
        seen.insert(lines.join("; "));
    }
    for line in seen {
        let line: String = line.chars().map(|letter| if is_unprintable(letter) { ' ' } else { letter }).collect();
        let _ = writeln!(text, "- {line}");
    }
    text
}

/// Time that attempts took, by experiment.
fn resources(parts: &[Part<'_>], inventory: &Inventory) -> String {
    let mut text = "\n## Measured resource use\n\n".to_owned();
    text += "| experiment | attempts | requests | wall-clock time of all attempts, s | longest attempt, s | traces, bytes |\n|---|---|---|---|---|---|\n";
    for part in parts {
        let keys: BTreeMap<_, u64> = part.traced.cells().iter().map(|cell| (cell.key, cell.inputs.requests)).collect();
        let attempts: Vec<&Attempt> =
            inventory.attempts.values().filter(|a| keys.contains_key(&a.key) && a.origin == part.origin).collect();
        let times: Vec<f64> = attempts.iter().filter_map(|attempt| seconds(attempt)).collect();
        let (all, longest) =
            (times.iter().sum::<f64>(), times.iter().fold(0.0_f64, |longest, time| longest.max(*time)));
        let done = attempts.iter().filter(|attempt| attempt.status == AttemptStatus::Done);
        let requests: u64 = done.filter_map(|attempt| keys.get(&attempt.key)).sum();
        let records = inventory.records.values().filter(|r| keys.contains_key(&r.key) && r.origin == part.origin);
        let bytes: u64 = records.map(|record| record.object.bytes).sum();
        let _ =
            writeln!(text, "| {} | {} | {requests} | {all:.1} | {longest:.1} | {bytes} |", part.name, attempts.len());
    }
    text
}

fn claims(parts: &[Part<'_>]) -> String {
    let mut text = "\n## Claims, and published against ours\n\n".to_owned();
    text += "| results | claim | says | source | verdict | found |\n|---|---|---|---|---|---|\n";
    for part in parts {
        for claim in &part.claims {
            let ClaimResult { id, says, source, findings, .. } = claim;
            let found = match findings.as_slice() {
                [finding] => finding.text.clone(),
                several => format!("{} findings", several.len()),
            };
            let (says, source, found) = (cell(says), cell(source.as_deref().unwrap_or("-")), cell(&found));
            let verdict = claim.verdict_and_nature();
            let _ = writeln!(text, "| {} | {id} | {says} | {source} | {verdict} | {found} |", part.name);
        }
    }
    text
}
