//! The sections of a store's experiments, and the page that a bundle carries.

use matrix_report::page::{Label, Page, ReportOptions, records_digest};
use matrix_store::Store;

use super::part::{PartResults, parts, records};
use super::section::section;
use crate::chosen::Texts;
use crate::error::DerivedError;

/// Adds a store's experiments of programs to a page: those that are `wanted` by their names. With `authors`, each is compared
/// with the experiment of the same name there. `texts` says which version of them, as for [`newest`](crate::newest).
///
/// # Errors
/// When a store cannot be read, what it holds is not what its records say, or a figure cannot be drawn.
pub fn add_to(
    page: &mut Page,
    store: &Store,
    authors: Option<&Store>,
    texts: &Texts,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(), DerivedError> {
    let theirs = authors.map(|authors| parts(authors, &Texts::new())).transpose()?.unwrap_or_default();
    for part in parts(store, texts)?.iter().filter(|part| wanted(&part.plan.experiment)) {
        let ours = PartResults::of(store, part)?;
        let other = theirs.iter().find(|other| other.plan.experiment == part.plan.experiment);
        let their = authors.zip(other).map(|(authors, other)| PartResults::of(authors, other)).transpose()?;
        let environments = ours.environments();
        if let Some(theirs) = &their {
            let others = theirs.environments().into_iter().filter(|line| !environments.contains(line));
            page.environment_authors.extend(others);
        }
        page.environment.extend(environments);
        page.environment.sort();
        page.environment.dedup();
        if ours.loaded.done() > 0 {
            page.labels.push(Label { kind: "measured", text: "measured: programs that were run".to_owned() });
        }
        let disturbed = ours.loaded.disturbed().count();
        if disturbed > 0 {
            let cells = if disturbed == 1 { "1 cell".to_owned() } else { format!("{disturbed} cells") };
            let text = format!("disturbed: other work ran beside {cells}");
            page.labels.push(Label { kind: "disturbed", text });
        }
        if let Some(text) = ours.loaded.of_reading() {
            page.labels.push(Label { kind: "disturbed", text });
        }
        page.sections.push(section(&ours, their.as_ref())?);
    }
    Ok(())
}

/// The page that a bundle of these experiments carries.
///
/// # Errors
/// As for [`add_to`].
pub fn of_bundle(store: &Store, names: &[&str]) -> Result<Vec<u8>, DerivedError> {
    let mut page = Page::default();
    add_to(&mut page, store, None, &Texts::new(), &|name| names.contains(&name))?;
    let records = records(store, &Texts::new())?;
    page.records = records_digest(records.iter().map(|(key, origin, digest)| (*key, origin, *digest)));
    page.conclude(&ReportOptions::in_bundle());
    Ok(page.render()?.into_bytes())
}
