//! Which experiment of a store a command means.

use std::collections::BTreeMap;
use std::path::PathBuf;

use matrix_command::run::Input;
pub(super) use matrix_command_derived::Chosen;
use matrix_command_derived::{Texts, Version, newest, unsaved, versions};
use matrix_core::read::Reading;
use matrix_run::Overrides;
use matrix_run::results::Select;
use matrix_store::{RunId, Store};

use crate::exit::Failure;
use crate::output;

/// The experiment of schema 2 that a command means, if it means one: the file or run that it names, or the newest run of
/// the only experiment in the store.
pub(crate) fn chosen(store: &Store, select: &Select) -> Result<Option<Chosen>, Failure> {
    if let Some(file) = &select.file {
        let Some(text) = super::text_of(file, &Overrides::default())? else { return Ok(None) };
        let input = Input::from_file(file, text, None, Reading::Given)?;
        return Ok(Some(Chosen { run: None, experiment: input.experiment, cells: input.cells }));
    }
    if let Some(name) = &select.run {
        return Ok(Chosen::of_run(store, &store.run(name)?)?);
    }
    let only = Chosen::only(store)?;
    if let Some(run) = only.as_ref().and_then(|chosen| chosen.run.as_ref()) {
        note_versions(store, run)?;
    }
    Ok(only)
}

/// Most versions of an experiment that are named.
const MOST_VERSIONS: usize = 3;

/// Says which version of an experiment is read, where runs saved several, and how the others differ from it.
fn note_versions(store: &Store, run: &RunId) -> Result<(), Failure> {
    let others = versions(store, run)?;
    if others.is_empty() {
        return Ok(());
    }
    output::note(format_args!(
        "note: runs of {} versions of this experiment are here; read is the newest, of run {run} (FILE or --run NAME reads another)",
        others.len() + 1,
    ));
    for Version { run, differs } in others.iter().take(MOST_VERSIONS) {
        output::note(format_args!("  since run {run}: {}", differs.join("; ")));
    }
    if others.len() > MOST_VERSIONS {
        output::note(format_args!("  and {} earlier versions", others.len() - MOST_VERSIONS));
    }
    Ok(())
}

/// The texts of experiments' files, by which the results of a store are read. Says what is read instead of a text that no run
/// saved, and, where no file is named, of which versions the newest is read.
pub(crate) fn texts(store: &Store, files: &[PathBuf]) -> Result<Texts, Failure> {
    let (mut texts, mut named) = (Texts::new(), BTreeMap::new());
    if files.is_empty() {
        newest(store, &texts)?.iter().try_for_each(|run| note_versions(store, run))?;
    }
    for file in files {
        let Some(text) = super::text_of(file, &Overrides::default())? else { continue };
        let (text, experiment) = Input::without_files(&file.display().to_string(), text, Reading::Given)?;
        named.insert(experiment.name.clone(), file);
        texts.insert(experiment.name, text);
    }
    for (name, run) in unsaved(store, &texts)? {
        let Some(file) = named.get(&name) else { continue };
        let file = output::path(file);
        output::note(format_args!(
            "note: no run saved {file} as it is now; its results are read as run {run} saved it. `matrix run {file}` saves it, and executes \
             only what is not done"
        ));
    }
    Ok(texts)
}
