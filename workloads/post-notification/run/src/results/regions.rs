//! The regions that saved experiments declare.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use matrix_plan::{Experiment, Regions, cell_experiment};
use matrix_store::Store;

use crate::error::{FailureKind, RunError};

/// The regions that a store's results may be about: those that need no declaration, and those that the experiments of its
/// runs declare. Where two of them give one name to different regions, the newest run's counts.
pub fn regions(store: &Store) -> Result<Regions, RunError> {
    let built_in = Regions::built_in();
    // By name at AWS, and by short name: an experiment has each of either once.
    let (mut declared, mut taken) = (BTreeMap::new(), Vec::new());
    for id in store.runs()?.iter().rev() {
        let bytes = store.run_documents(id.as_str())?.experiment()?;
        // An experiment of another version that cannot be read is a matter of those who read it.
        let Ok(experiment) = Experiment::parse_saved(&String::from_utf8_lossy(&bytes)) else { continue };
        for (region, aws) in experiment.regions.iter().filter(|(region, _)| built_in.aws_name(region).is_none()) {
            if !taken.contains(&aws.to_owned()) && !declared.contains_key(region.as_str()) {
                taken.push(aws.to_owned());
                declared.insert(region.as_str().to_owned(), aws.to_owned());
            }
        }
    }
    // Only an experiment declares regions: the smallest one that declares these.
    let failed = |problems: matrix_plan::Problems| RunError::new(FailureKind::Internal, problems.to_string());
    let mut text = cell_experiment("post_storage=mysql,notification_storage=sns,regions=eu->us").map_err(failed)?;
    text += "\n[regions]\n";
    for (region, aws) in declared {
        let _ = writeln!(text, "{region} = \"{aws}\"");
    }
    Ok(Experiment::parse(&text).map_err(failed)?.regions)
}
