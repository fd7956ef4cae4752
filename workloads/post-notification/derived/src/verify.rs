//! What stands beside a bundle's results, derived again and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_archive::deriver::DERIVER;
use matrix_archive::{Inventory, Restored};
use matrix_bundle::{Findings, difference};
use matrix_plan::{Experiment, Filter};
use matrix_run::{RunError, results};
use matrix_store::verify::{Fault, Note};
use matrix_store::{Store, parallel};

use crate::derive::{self, Besides, RENDERER, RENDERER_FILE};

/// Files of a folder, by path in it.
type Files = BTreeMap<String, Vec<u8>>;

/// What a line of the table says of plans.
pub const PLANS: &str = "plans: follow from experiment and model";

/// Derives tables, figures and the README again and compares; judges the claims.
pub fn compare(store: &Store, restored: Restored, findings: &mut Findings) -> Result<(), RunError> {
    let Restored { inventory, extras, binary } = restored;
    let unreadable = experiments(&inventory);
    if !unreadable.is_empty() {
        findings.faults.extend(unreadable);
        return Ok(());
    }
    let plans = inventory.plans.len() as u64;
    let (wrong, derived) = parallel::beside(
        || derive::wrong_plans_of(store, &inventory),
        || {
            let parts = derive::parts(store, &inventory)?;
            let again = derive::extras(&parts, &inventory, Besides { binary, ..Besides::default() })?;
            Ok::<_, RunError>((parts, again))
        },
    );
    for (digest, _, what) in wrong? {
        findings.faults.push(fault(Path::new(&format!("data/plans/{digest}.json")), what));
    }
    findings.checked.push((PLANS.to_owned(), plans));
    let (parts, mut again) = derived?;
    files("tables", &extras.tables, &again.tables, false, findings);
    let theirs = extras.figures.get(RENDERER_FILE).map(Vec::as_slice);
    let redrawn = !findings.another_version
        && again.figures.contains_key(RENDERER_FILE)
        && theirs.is_some_and(is_another_renderer);
    files("figures", &extras.figures, &again.figures, redrawn, findings);
    for (file, theirs, ours) in
        [("data/LICENSE", &extras.license, &again.license), ("data/CITATION.cff", &extras.citation, &again.citation)]
    {
        if theirs != ours {
            differs(file, || format!("it is not what is written there: {}", difference(theirs, ours)), findings);
        }
    }
    findings.page(&extras.report, &again.report);
    let notice = inventory.notice()?.unwrap_or_default();
    let text = extras.readme.strip_prefix(notice.as_bytes()).unwrap_or(&extras.readme);
    if let Some(filter) = filter_of(text) {
        findings.faults.extend(wrong_filter(store, &inventory, filter)?);
        derive::name_filter(&mut again, filter);
    }
    let same = *text == again.readme;
    findings.checked.push(("README.md: derived again, same bytes".to_owned(), u64::from(same)));
    if !same {
        let what = || format!("it does not follow from the results: {}", difference(text, &again.readme));
        differs("data/README.md", what, findings);
    }
    for part in parts {
        for claim in &part.claims {
            findings.claims.push(format!("{}: {}: {}", part.name, claim.id, claim.verdict_and_nature()));
        }
    }
    Ok(())
}

fn fault(file: &Path, what: impl Into<String>) -> Fault {
    Fault { file: file.to_owned(), what: what.into() }
}

/// Notes a derived file that is not what this program derives.
fn differs(file: impl AsRef<Path>, what: impl FnOnce() -> String, findings: &mut Findings) {
    findings.differs(file.as_ref(), &DERIVER, what);
}

/// Experiments that cannot be read.
fn experiments(inventory: &Inventory) -> Vec<Fault> {
    let wrong = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => Experiment::parse_saved(text).err().map(|problems| problems.to_string()),
        Err(error) => Some(error.to_string()),
    };
    let fault = |(digest, bytes): (&matrix_store::Digest, &Vec<u8>)| {
        Some(fault(Path::new(&format!("data/experiments/{digest}.toml")), wrong(bytes)?))
    };
    inventory.experiments.iter().filter_map(fault).collect()
}

/// The filter that a README names: the text that stands there follows from nothing else.
fn filter_of(readme: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(readme).ok()?.lines().next()?;
    line.strip_prefix("> Only cells that match `")?.strip_suffix("` are in this bundle.")
}

/// What is wrong with the filter that a README names: it is not that of the results in the bundle.
fn wrong_filter(store: &Store, inventory: &Inventory, filter: &str) -> Result<Option<Fault>, RunError> {
    let readme = Path::new("data/README.md");
    let Ok(parsed) = Filter::parse(filter, &results::regions(store)?) else {
        return Ok(Some(fault(readme, "the filter that it names cannot be read")));
    };
    let other = inventory.records.values().find(|record| !parsed.matches(&record.inputs.axes, record.inputs.round));
    Ok(other
        .map(|record| fault(readme, format!("cell {} does not match the filter that it names", record.key.short()))))
}

/// Compares the files of a folder. Pictures may have been drawn by another renderer; which ones there are may not differ.
fn files(kind: &str, theirs: &Files, ours: &Files, redrawn: bool, findings: &mut Findings) {
    let (mut same, mut drawn) = (0, 0);
    let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    for name in names {
        let file = PathBuf::from("data").join(kind).join(name);
        let mut note = |what: &str| findings.notes.push(Note { file: file.clone(), what: what.to_owned() });
        match (theirs.get(name), ours.get(name)) {
            (Some(theirs), Some(ours)) if theirs == ours => same += 1,
            (Some(_), Some(_)) if redrawn && name.ends_with(".svg") => {
                drawn += 1;
                note("redrawn: another renderer drew it");
            }
            (Some(theirs), Some(_)) if redrawn && name == RENDERER_FILE => {
                note(&format!("another renderer: {}", String::from_utf8_lossy(theirs).trim()));
            }
            (Some(theirs), Some(ours)) => {
                let what = || format!("it does not follow from the results: {}", difference(theirs, ours));
                differs(&file, what, findings);
            }
            (Some(_), None) => differs(&file, || "nothing in the results leads to it".to_owned(), findings),
            // Another version may have derived no such file.
            (None, _) if findings.another_version => {}
            (None, _) => findings.faults.push(fault(&file, "it is missing")),
        }
    }
    findings.checked.push((format!("{kind}: derived again, same bytes"), same));
    if drawn > 0 {
        findings.checked.push((format!("  {kind}: not compared: drawn by another renderer"), drawn));
    }
}

/// Whether this names our renderer's parts with other versions, of which at least one differs.
fn is_another_renderer(theirs: &[u8]) -> bool {
    let Some((ours, theirs)) = versions(RENDERER).zip(std::str::from_utf8(theirs).ok().and_then(versions)) else {
        return false;
    };
    let names = |parts: &[(&str, &str)]| parts.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
    names(&ours) == names(&theirs) && ours != theirs
}

/// The parts of a renderer, each with its version.
fn versions(text: &str) -> Option<Vec<(&str, &str)>> {
    let is_version = |version: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        version.starts_with(|c: char| c.is_ascii_digit()) && version.len() <= 40 && version.chars().all(good)
    };
    let part = |part: &'_ str| part.split_once(' ').filter(|(_, version)| is_version(version)).is_some();
    let parts: Vec<&str> = text.strip_suffix('\n')?.split(", ").collect();
    parts.iter().all(|text| part(text)).then(|| parts.iter().filter_map(|part| part.split_once(' ')).collect())
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
