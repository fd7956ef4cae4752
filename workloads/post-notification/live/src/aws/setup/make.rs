//! Making stacks: each when those that it needs are complete, several at a time.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use matrix_aws::setup::{Outputs, StackId};
use matrix_aws::{SetupRequest, StackSpec};

use super::order::ranks;
use super::wanted::wanted;
use crate::aws::{Failed, Operator, ProvisionError};

/// Stacks that are made at a time. CloudFormation makes them by itself; each costs a question every few seconds.
const AT_A_TIME: usize = 8;

/// What happens, for a person who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A stack is looked at, and made or changed if need be.
    Begun(StackId),
    /// A stack is as it should be.
    Done {
        /// The stack.
        stack: StackId,
        /// Whether there was anything to do.
        changed: bool,
    },
    /// A stack failed. What does not need it goes on.
    Failed(Failed),
    /// A stack is gone.
    Removed(StackId),
    /// Something else that was done.
    Note(String),
}

/// Who is told what happens.
pub type Tell<'a> = &'a (dyn Fn(Progress) + Sync);

/// What making stacks gave.
pub(super) struct Made {
    pub(super) outputs: Outputs,
    /// The stacks that were made or changed.
    pub(super) changed: usize,
}

impl Operator {
    pub(super) async fn make(
        &self,
        request: &SetupRequest,
        specs: &[StackSpec],
        tell: Tell<'_>,
    ) -> Result<Made, ProvisionError> {
        let ranks = ranks(specs);
        let mut waiting: Vec<&StackSpec> = specs.iter().collect();
        let mut running = FuturesUnordered::new();
        let mut made = Made { outputs: Outputs::new(), changed: 0 };
        let mut failures: Vec<Failed> = Vec::new();
        loop {
            let failed = |id: &StackId| failures.iter().any(|failed| failed.stack == *id);
            let at_rest = |id: &StackId| made.outputs.contains_key(id) || failed(id);
            let ready = |spec: &&StackSpec| {
                spec.needs().all(|id| made.outputs.contains_key(id))
                    && spec.after.iter().all(|id| at_rest(id) || is_blocked(specs, id, &failures))
            };
            while running.len() < AT_A_TIME
                && let Some(next) = waiting.iter().position(ready)
            {
                let spec = waiting.remove(next);
                let rank = ranks.get(&spec.id).copied().unwrap_or(0);
                let wanted = wanted(spec, &request.name, rank, &made.outputs)?;
                tell(Progress::Begun(spec.id.clone()));
                running.push(async move { (spec, self.stacks(&spec.id.region).ensure(&wanted).await) });
            }
            let Some((spec, result)) = running.next().await else { break };
            let stack = spec.id.clone();
            match result {
                Ok(ensured) => {
                    made.changed += usize::from(ensured.changed);
                    made.outputs.insert(stack.clone(), ensured.outputs);
                    tell(Progress::Done { stack, changed: ensured.changed });
                }
                Err(error) => {
                    let failed = Failed { stack, why: error.to_string() };
                    tell(Progress::Failed(failed.clone()));
                    failures.push(failed);
                }
            }
        }
        if failures.is_empty() && waiting.is_empty() {
            return Ok(made);
        }
        failures.sort_by(|a, b| a.stack.cmp(&b.stack));
        Err(ProvisionError::Stacks { failures, blocked: waiting.into_iter().map(|spec| spec.id.clone()).collect() })
    }
}

/// Whether a stack will not be begun because one that it needs failed, or will not be begun either.
fn is_blocked(specs: &[StackSpec], id: &StackId, failures: &[Failed]) -> bool {
    let spec = specs.iter().find(|spec| spec.id == *id);
    spec.is_some_and(|spec| {
        spec.needs()
            .any(|needed| failures.iter().any(|failed| failed.stack == *needed) || is_blocked(specs, needed, failures))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use matrix_aws::setup::stacks;
    use matrix_aws::{Datastore, SetupRequest};
    use matrix_plan::{Region, Regions};

    use super::*;

    fn request() -> SetupRequest {
        let region = |name: &str| Region::new(name).unwrap();
        SetupRequest {
            name: "matrix".into(),
            writer: region("eu"),
            readers: vec![region("us"), region("sg")],
            regions: Regions::built_in(),
            stores: BTreeSet::from([Datastore::Mysql, Datastore::Redis]),
            services: matrix_plan::aws::AwsServices::default(),
            write_units: None,
        }
    }

    #[test]
    fn members_of_a_global_store_are_made_one_after_the_other_and_none_waits_for_what_never_begins() {
        let specs = stacks(&request()).unwrap();
        for store in ["redis", "mysql"] {
            let id = |region: &str| StackId { region: region.into(), name: format!("matrix-{store}") };
            let find = |id: &StackId| specs.iter().find(|spec| spec.id == *id).unwrap();
            let (writer, us, sg) = (id("eu-central-1"), id("us-east-1"), id("ap-southeast-1"));
            assert_eq!(find(&writer).after, []);
            assert_eq!(find(&us).after, []);
            assert_eq!(find(&sg).after, std::slice::from_ref(&us));
            // Removal goes the other way round.
            let ranks = ranks(&specs);
            assert!(ranks[&sg] > ranks[&us], "{ranks:?}");
            // What the first needs failed: the second does not wait for it.
            let network = find(&us).needs().find(|id| id.region == us.region).unwrap().clone();
            let failed = Failed { stack: network, why: String::new() };
            let blocked = |id: &StackId| is_blocked(&specs, id, std::slice::from_ref(&failed));
            assert!(blocked(&us));
            assert!(!blocked(&sg));
        }
    }
}
