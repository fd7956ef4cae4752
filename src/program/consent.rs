//! What came in a bundle asks before it runs anything: its programs, downloads and rights are listed first.

use std::collections::BTreeSet;

use matrix_command::Experiment;
use matrix_command_derived::consent::wants;
use matrix_core::printable::one_line;

use crate::exit::{Exit, Failure};
use crate::output;

/// Asks whether what came in a bundle may run here; `yes` answers for the person.
pub(super) fn ask(experiments: &[&Experiment], dir: &std::path::Path, yes: bool) -> Result<(), Failure> {
    let wants: BTreeSet<String> = experiments.iter().flat_map(|experiment| wants(experiment)).collect();
    output::note(format_args!("what came in the bundle would, as you, in {}:", output::path(dir)));
    for what in &wants {
        output::note(format_args!("  {}", one_line(what)));
    }
    match crate::cli::ask::go_on("Run this?", yes)? {
        true => Ok(()),
        false => Err(Failure::new(Exit::Usage, "nothing was run")),
    }
}
