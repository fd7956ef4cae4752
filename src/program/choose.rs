//! Which experiment of a store a command means.

pub(super) use matrix_command_derived::Chosen;

use matrix_command::run::Input;
use matrix_run::Overrides;
use matrix_run::results::Select;
use matrix_store::Store;

use crate::exit::Failure;

/// The experiment of schema 2 that a command means, if it means one: the file or run that it names, or the newest run of
/// the only experiment in the store.
pub(crate) fn chosen(store: &Store, select: &Select) -> Result<Option<Chosen>, Failure> {
    if let Some(file) = &select.file {
        let Some(text) = super::text_of(file, &Overrides::default())? else { return Ok(None) };
        let input = Input::from_file(file, text, None)?;
        return Ok(Some(Chosen { experiment: input.experiment, cells: input.cells }));
    }
    Ok(match &select.run {
        Some(name) => Chosen::of_run(store, &store.run(name)?)?,
        None => Chosen::only(store)?,
    })
}
