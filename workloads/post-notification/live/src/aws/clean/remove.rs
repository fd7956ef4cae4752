//! Removing stacks: what keeps one from going is removed first, and what failed is tried again after the others.

use futures_util::{StreamExt as _, stream};
use matrix_aws::setup::StackId;
use tokio::time::sleep;

use super::super::setup::LAST;
use super::inventory::Standing;
use crate::aws::{Failed, Operator, Progress, ProvisionError, Tell};
use crate::cloud::{CloudError, empty};

/// Stacks that are removed at a time.
const AT_A_TIME: usize = 8;

/// Rounds in which nothing went before it is given up. What a service lets go of late (the network interfaces of
/// functions) goes in the second.
const IDLE_ROUNDS: u32 = 2;

impl Operator {
    /// Removes stacks, those with the highest rank first, and those that failed again as long as others go. Those that are
    /// to be the last wait until no other is left.
    pub(super) async fn remove(&self, stacks: &[Standing], tell: Tell<'_>) -> Result<(), ProvisionError> {
        let mut left: Vec<&Standing> = stacks.iter().collect();
        left.sort_by(|a, b| b.rank.cmp(&a.rank).then_with(|| a.id.cmp(&b.id)));
        let mut idle = 0;
        loop {
            let before = left.len();
            let mut failures = Vec::new();
            let mut remaining: Vec<&Standing> = Vec::new();
            for same in left.chunk_by(|a, b| a.rank == b.rank) {
                if same.iter().all(|stack| stack.rank == LAST) && !remaining.is_empty() {
                    remaining.extend(same);
                    continue;
                }
                let removals = same.iter().map(|stack| async move { (*stack, self.remove_one(&stack.id).await) });
                let mut removals = stream::iter(removals).buffer_unordered(AT_A_TIME);
                while let Some((stack, removed)) = removals.next().await {
                    match removed {
                        Ok(()) => tell(Progress::Removed(stack.id.clone())),
                        Err(error) => {
                            let failed = Failed { stack: stack.id.clone(), why: error.to_string() };
                            tell(Progress::Failed(failed.clone()));
                            failures.push(failed);
                            remaining.push(stack);
                        }
                    }
                }
            }
            left = remaining;
            left.sort_by(|a, b| b.rank.cmp(&a.rank).then_with(|| a.id.cmp(&b.id)));
            if left.is_empty() {
                return Ok(());
            }
            idle = if left.len() < before { 0 } else { idle + 1 };
            if idle == IDLE_ROUNDS {
                failures.sort_by(|a, b| a.stack.cmp(&b.stack));
                return Err(ProvisionError::Stacks { failures, blocked: Vec::new() });
            }
            tell(Progress::Note(format!("{} stacks are left: they are tried again", left.len())));
            sleep(self.patience.pause_max).await;
        }
    }

    async fn remove_one(&self, id: &StackId) -> Result<(), CloudError> {
        let stacks = self.stacks(&id.region);
        let parts = match stacks.settled(&id.name).await? {
            Some(_) => stacks.parts(&id.name).await?,
            None => return Ok(()),
        };
        for part in parts {
            let Some(name) = &part.physical else { continue };
            match part.kind.as_str() {
                "AWS::S3::Bucket" => empty(&self.s3(&id.region), name, "").await?,
                "AWS::DynamoDB::GlobalTable" => self.remove_replicas(name, &id.region).await?,
                _ => {}
            }
        }
        stacks.delete(&id.name).await.map(drop)
    }

    /// A table goes after its replicas.
    async fn remove_replicas(&self, name: &str, home: &str) -> Result<(), CloudError> {
        for replica in self.table(name, home, home).replicas().await? {
            self.table(name, home, &replica).remove_replica().await?;
        }
        Ok(())
    }
}
