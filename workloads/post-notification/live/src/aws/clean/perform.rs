//! Cleaning from beginning to end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use matrix_driver::Cancel;
use tokio::time::sleep;

use super::super::setup::LAST;
use super::inventory::{Inventory, Standing, Thing};
use super::leases::Leases;
use crate::aws::{Operator, Progress, ProvisionError, Tell};
use crate::lambda::{LEASES_TABLE, remove_code_of};

/// How long the tagging service may show what is gone (it is eventually consistent).
const SHOWN_FOR: Duration = Duration::from_secs(120);

impl Operator {
    /// Removes everything of the set-up `name` in these regions, and with `runs` the functions of every run there, too.
    /// Gives what is left. What was removed stays removed when it fails or is interrupted; the same again goes on.
    ///
    /// # Errors
    /// When functions of runs are there and were not to be removed, stacks cannot be removed, a service refuses, or it was
    /// asked to stop.
    pub fn clean(
        &self,
        name: &str,
        regions: &[String],
        runs: bool,
        cancel: &Cancel,
        tell: Tell<'_>,
    ) -> Result<Inventory, ProvisionError> {
        self.block_on(cancel, async {
            let found = self.inventory(name, regions).await?;
            let places: BTreeSet<&str> = found.stacks().map(|id| id.region.as_str()).collect();
            let users: Vec<&Standing> =
                found.runs.iter().filter(|run| places.is_empty() || places.contains(run.id.region.as_str())).collect();
            if runs {
                self.remove_runs(&found.runs, tell).await?;
            } else if !users.is_empty() && !places.is_empty() {
                return Err(ProvisionError::Runs(users.into_iter().map(|run| run.id.clone()).collect()));
            }
            self.remove(&found.stacks, tell).await?;
            let mut held = BTreeSet::new();
            if runs || found.runs.is_empty() {
                for region in regions.iter().filter(|region| !found.not_enabled.contains(region)) {
                    match self.remove_leases(region, tell).await? {
                        Leases::None => {}
                        Leases::Removed => {
                            tell(Progress::Note(format!("the table of leases in {region} is removed")));
                        }
                        Leases::InForce => {
                            let what = format!("table {LEASES_TABLE} (a run that goes on holds a lease)");
                            held.insert(Thing { region: region.clone(), what });
                        }
                    }
                }
            }
            let began = Instant::now();
            let shown_for = if self.is_aws() { SHOWN_FOR } else { self.patience.staleness };
            loop {
                let mut left = self.inventory(name, regions).await?;
                if left.things().is_empty() || began.elapsed() > shown_for {
                    left.resources.append(&mut held);
                    return Ok(left);
                }
                sleep(self.patience.pause_max).await;
            }
        })
    }

    /// Removes the functions of runs: readers, which listen to what writers' stacks hold, before writers.
    async fn remove_runs(&self, runs: &[Standing], tell: Tell<'_>) -> Result<(), ProvisionError> {
        let ranked: Vec<Standing> = runs
            .iter()
            .map(|run| {
                let above = usize::from(run.id.name.ends_with("-reader"));
                Standing { rank: LAST + 1 + above, ..run.clone() }
            })
            .collect();
        self.remove(&ranked, tell).await?;
        let code: BTreeSet<(&str, &str)> =
            runs.iter().filter_map(|run| Some((run.run.as_deref()?, run.id.region.as_str()))).collect();
        for (run, region) in code {
            remove_code_of(run, region, &self.access, &self.s3(region))
                .await
                .map_err(|error| ProvisionError::Service(error.to_string()))?;
        }
        Ok(())
    }
}
