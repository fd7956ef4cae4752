//! Reading results: which experiment is meant, which of its cells are done, and their traces.

mod hosts;
mod open;
mod origins;
mod regions;
mod select;
mod traced;

use matrix_analysis::tables::Source;
use matrix_analysis::{LoadError, LoadErrorKind, Traces as _};
use matrix_plan::printable::one_line;
use matrix_store::{ErrorKind, Origin, Store, StoreError, parallel};
use matrix_traces::Record;

pub use self::hosts::Hosts;
pub use self::open::{Opened, is_file, is_unpacked, open, open_if_present, open_within, store_at};
pub use self::origins::Origins;
pub use self::regions::regions;
pub use self::select::{Select, origins_of, plan_of, selected, without_run};
pub use self::traced::Traced;
use crate::error::{FailureKind, RunError, with_causes};
use crate::input::Input;
use crate::observer::Observer;

/// Records that are read at a time.
const AT_A_TIME: usize = 8192;

/// The results of an experiment.
pub struct Results<'a> {
    /// The experiment.
    pub input: &'a Input,
    /// Its done cells.
    pub traced: Traced<'a>,
    /// Whose results these are.
    pub origins: Origins,
}

impl<'a> Results<'a> {
    /// The results of an experiment in a store: of each cell what was measured here, or else what the first of the other
    /// origins measured. Where that leaves out results, it is said.
    pub fn of(store: &'a Store, input: &'a Input, observer: &dyn Observer) -> Result<Self, RunError> {
        Self::of_origin(store, input, None, observer)
    }

    /// The same, or only what one origin measured.
    pub fn of_origin(
        store: &'a Store,
        input: &'a Input,
        only: Option<&Origin>,
        observer: &dyn Observer,
    ) -> Result<Self, RunError> {
        let origins = Origins::of(store, input, only, observer)?;
        let mut records = Vec::new();
        for some in origins.chosen.chunks(AT_A_TIME) {
            for record in parallel::each(some, |(key, origin)| store.record::<Record>(key, origin)) {
                records.extend(record?);
            }
        }
        let all = records.len();
        records.retain(|record| record.counts.observed() > 0);
        if records.len() < all {
            observer.note(format_args!(
                "note: nothing observed in {} cells, whose requests all failed or were lost: they are not done, and `matrix run` \
                 tries them again",
                all - records.len()
            ));
        }
        Ok(Self { input, traced: Traced::new(store, records)?, origins })
    }

    /// Where the numbers come from.
    pub fn source(&self) -> Source {
        Source::new(&self.input.experiment.name, self.input.cells.len() as u64, self.traced.cells())
    }
}

/// A trace that could not be read: what is stored is not what was stored, or it could not be read at all.
pub fn unreadable(error: LoadError) -> RunError {
    if let LoadErrorKind::Open(source) | LoadErrorKind::Read { source, .. } = &error.kind {
        let damaged = source.get_ref().and_then(|inner| inner.downcast_ref::<StoreError>());
        if damaged.is_none_or(|error| error.kind() != ErrorKind::Integrity) {
            return RunError::new(FailureKind::Internal, with_causes(&error));
        }
    }
    RunError::with_help(
        FailureKind::Integrity,
        one_line(&with_causes(&error)),
        "`matrix verify` lists everything that is damaged, and what to do about it",
    )
}
