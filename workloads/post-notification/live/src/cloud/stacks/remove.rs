//! Removing a stack.

use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use tokio::time::sleep;

use super::{Stacks, Standing};
use crate::cloud::calls::may_pass;
use crate::cloud::{CloudError, patiently};

impl Stacks {
    /// Deletes a stack and waits until it is gone. Says whether it was there.
    pub(crate) async fn delete(&self, name: &str) -> Result<bool, CloudError> {
        let Some(before) = self.settled(name).await? else { return Ok(false) };
        // By its id it is told from a stack of the same name that comes after it.
        self.ask_to_delete(&before.id).await?;
        let began = self.pause.stopwatch();
        let mut asked = self.pause.stopwatch();
        let mut pause = self.patience.pause;
        loop {
            match self.find(&before.id).await? {
                None => return Ok(true),
                Some(found) if found.standing() == Standing::Busy => {}
                // A stack is shown as it was for a while after its deletion was accepted.
                Some(found) if found.may_be_from_before(&before) && asked.elapsed() < self.patience.staleness => {}
                Some(found) if found.status == "DELETE_FAILED" => return Err(self.failed(name, Some(&found)).await),
                Some(_) => {
                    self.ask_to_delete(&before.id).await?;
                    asked.restart();
                }
            }
            if began.elapsed() > self.patience.stack {
                return Err(self.late(name));
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(self.patience.pause_max);
        }
    }

    async fn ask_to_delete(&self, id: &str) -> Result<(), CloudError> {
        let call = async || self.client.delete_stack().stack_name(id).set_role_arn(self.role.clone()).send().await;
        match patiently(self.patience.call, call).await {
            Ok(_) => Ok(()),
            // Somebody else is changing it; the loop sees the result.
            Err(error) if error.message().is_some_and(|text| text.contains("_IN_PROGRESS")) => Ok(()),
            Err(error) if may_pass(&error) => Ok(()),
            Err(error) => Err(CloudError::call(format_args!("deleting stack {id}"), &error)),
        }
    }
}
