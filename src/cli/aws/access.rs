//! Getting in, and what failures mean to the person.

use matrix_aws::setup::SetupError;
use matrix_driver::Cancel;
use matrix_live::aws::{Access, Failed, Operator, Progress, ProvisionError};
use matrix_live::lambda::Site;

use crate::exit::{Exit, Failure};
use crate::output;
use crate::signals;

/// An operator with the credentials that the profile names.
pub(super) fn operator(profile: Option<&str>) -> Result<Operator, Failure> {
    let access = Access::open(profile)?;
    access.renewal.told_by(|note| output::note(note));
    if matches!(access.site, Site::Emulator(_)) {
        output::note("AWS_ENDPOINT_URL is set: what answers is an emulator, not AWS");
    }
    Ok(Operator::new(access)?)
}

/// Makes interruptions end what goes on cleanly.
pub(super) fn listen() -> Result<Cancel, Failure> {
    let cancel = Cancel::default();
    signals::listen(&cancel)?;
    Ok(cancel)
}

/// Tells the person what happens.
pub(super) fn tell(progress: Progress) {
    match progress {
        // A stack that is as it should be is done at once.
        Progress::Begun(_) | Progress::Done { changed: false, .. } => {}
        Progress::Done { stack, changed: true } => output::note(format_args!("{stack}: complete")),
        Progress::Failed(Failed { stack, why }) => output::note(format_args!("{stack}: {why}")),
        Progress::Removed(stack) => output::note(format_args!("{stack}: removed")),
        Progress::Note(note) => output::note(note),
    }
}

impl From<ProvisionError> for Failure {
    fn from(error: ProvisionError) -> Self {
        let exit = match error {
            ProvisionError::Cancelled => Exit::Interrupted,
            // The request was met, but its result is not what it should be.
            ProvisionError::Setup(SetupError::MissingOutput(_) | SetupError::MalformedOutput { .. }) => Exit::Cells,
            ProvisionError::NotOffered(_) => Exit::Usage,
            ProvisionError::Setup(_) | ProvisionError::Foreign { .. } | ProvisionError::Runs(_) => Exit::Usage,
            ProvisionError::Service(_) | ProvisionError::Gone(_) | ProvisionError::Stacks { .. } => Exit::Cells,
            ProvisionError::Runtime(_) => Exit::Internal,
        };
        Self::with_help(exit, error.to_string(), error.fix())
    }
}
