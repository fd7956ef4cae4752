//! What documents refer to: other documents and their sections, and numbers of the code.

use std::path::Path;

use crate::workbench::{here, walk};

/// The names by which links lead to a document's headings.
fn anchors(document: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(document).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | ' ');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let is_document = |path: &Path| path.extension().is_some_and(|ending| ending == "md");
    let documents = walk(&here().join("docs")).into_iter().filter(|path| is_document(path));
    let others = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "results/README.md"];
    let (mut followed, mut wrong) = (0, Vec::new());
    for document in documents.chain(others.map(|name| here().join(name))) {
        let text = std::fs::read_to_string(&document).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("http")) {
            followed += 1;
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            if !file.exists() || !(heading.is_empty() || anchors(&file).iter().any(|anchor| anchor == heading)) {
                wrong.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(followed > 80 && wrong.is_empty(), "of {followed} links these lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn the_derivers_of_both_workloads_end_with_this_version() {
    let formats = std::fs::read_to_string(here().join("docs/formats.md")).unwrap();
    let table = formats.split("| deriver | program | format |\n").nth(1).unwrap();
    let last = table.lines().take_while(|line| line.starts_with('|')).last().unwrap();
    assert!(last.starts_with(&format!("| {} |", matrix_archive::DERIVER_VERSION)), "docs/formats.md: {last}");
    let programs = formats.split("Versions of their deriver, `matrix-command N`").nth(1).unwrap();
    let programs = programs.split("\n\n").next().unwrap();
    let last = programs.rsplit("\nSince ").next().unwrap();
    assert!(last.starts_with(&format!("{}, ", matrix_command_derived::DERIVER_VERSION)), "docs/formats.md: {last}");
}
