//! What a set-up would do.

use matrix_aws::SetupRequest;
use matrix_aws::setup::{Outputs, SETUP_TAG, StackId, stacks};
use matrix_driver::Cancel;

use super::order::ranks;
use super::wanted::wanted;
use crate::aws::clean::is_not_enabled;
use crate::aws::{Operator, ProvisionError};
use crate::cloud::{CloudError, Found, Standing};

/// A stack of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The stack.
    pub stack: StackId,
    /// What it is for.
    pub purpose: String,
    /// What is to be done.
    pub action: Action,
}

/// What is to be done with a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is not there.
    Make,
    /// It is there as it should be.
    Keep,
    /// It is there and differs, or may differ because a stack that it needs will.
    Change,
    /// Something is being done to it.
    Wait {
        /// Its status.
        status: String,
    },
    /// It can only be deleted, and is made anew.
    Again {
        /// Its status, and the first failure in its events.
        why: String,
    },
    /// It is of this set-up, but nothing that was asked for needs it: it stays.
    Stay,
}

impl Operator {
    /// The request together with what the set-up has already, which a set-up with less would take away.
    ///
    /// # Errors
    /// When the request cannot be met, the set-up writes elsewhere, a service refuses, or it was asked to stop.
    pub fn with_standing(&self, request: &SetupRequest, cancel: &Cancel) -> Result<SetupRequest, ProvisionError> {
        self.block_on(cancel, async {
            let mut standing = Outputs::new();
            for (_, region) in request.regions.iter() {
                match self.stacks(region).tagged(SETUP_TAG, Some(&request.name)).await {
                    Ok(found) => {
                        let stack =
                            |found: Found| (StackId { region: region.to_owned(), name: found.name }, found.outputs);
                        standing.extend(found.into_iter().map(stack));
                    }
                    Err(CloudError::Call { why, .. }) if is_not_enabled(&why) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(request.with_standing(&standing)?)
        })
    }

    /// What a set-up would do, in the order in which it would begin. Nothing is changed.
    ///
    /// # Errors
    /// When the request cannot be met, a service refuses, or it was asked to stop.
    pub fn plan(&self, request: &SetupRequest, cancel: &Cancel) -> Result<Vec<Planned>, ProvisionError> {
        let specs = stacks(request)?;
        let ranks = ranks(&specs);
        self.block_on(cancel, async {
            let mut plan = Vec::new();
            let mut foreign = Vec::new();
            let mut outputs = Outputs::new();
            for spec in &specs {
                let stacks = self.stacks(&spec.id.region);
                let found = stacks.find(&spec.id.name).await?;
                if found.as_ref().is_some_and(|found| !found.belongs_to((SETUP_TAG, &request.name))) {
                    foreign.push(spec.id.clone());
                }
                let known = spec.needs().all(|id| outputs.contains_key(id));
                let digest = if known {
                    let rank = ranks.get(&spec.id).copied().unwrap_or(0);
                    Some(wanted(spec, &request.name, rank, &outputs)?.digest())
                } else {
                    None
                };
                let action = match &found {
                    None => Action::Make,
                    Some(found) => match found.standing() {
                        Standing::Gone => Action::Make,
                        Standing::Busy => Action::Wait { status: found.status.clone() },
                        Standing::Dead => Action::Again { why: self.why(found, &spec.id).await },
                        Standing::Complete if digest.is_some_and(|digest| found.is_made_from(&digest)) => Action::Keep,
                        Standing::Complete | Standing::RolledBack => Action::Change,
                    },
                };
                if let (Action::Keep, Some(found)) = (&action, found) {
                    outputs.insert(spec.id.clone(), found.outputs);
                }
                plan.push(Planned { stack: spec.id.clone(), purpose: spec.purpose.to_owned(), action });
            }
            if !foreign.is_empty() {
                return Err(ProvisionError::Foreign { name: request.name.clone(), stacks: foreign });
            }
            let mut regions: Vec<&str> = specs.iter().map(|spec| spec.id.region.as_str()).collect();
            regions.sort_unstable();
            regions.dedup();
            for region in regions {
                for found in self.stacks(region).tagged(SETUP_TAG, Some(&request.name)).await? {
                    let stack = StackId { region: region.to_owned(), name: found.name };
                    if specs.iter().all(|spec| spec.id != stack) {
                        plan.push(Planned {
                            stack,
                            purpose: "nothing that was asked for".into(),
                            action: Action::Stay,
                        });
                    }
                }
            }
            Ok(plan)
        })
    }

    async fn why(&self, found: &Found, stack: &StackId) -> String {
        match self.stacks(&stack.region).reason(&found.id).await {
            Some(reason) => format!("{}: {reason}", found.status),
            None => found.status.clone(),
        }
    }
}
