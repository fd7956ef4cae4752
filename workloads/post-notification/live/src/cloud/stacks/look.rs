//! Looking at stacks.

use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use tokio::time::sleep;

use super::{Found, Part, Stacks, Standing};
use crate::cloud::{CloudError, patiently};

/// What stands in the reason of a resource that failed only because another did.
const CANCELLED: &str = "cancelled";

impl Stacks {
    /// The stack of this name or id, unless it was deleted.
    pub(crate) async fn find(&self, name: &str) -> Result<Option<Found>, CloudError> {
        let call = async || self.client.describe_stacks().stack_name(name).send().await;
        match patiently(self.patience.call, call).await {
            Ok(answer) => {
                let stack = answer.stacks.unwrap_or_default().into_iter().next().map(Found::new);
                Ok(stack.filter(|stack| stack.standing() != Standing::Gone))
            }
            Err(error) if error.message().is_some_and(|text| text.contains("does not exist")) => Ok(None),
            Err(error) => Err(CloudError::call(format_args!("looking at stack {name}"), &error)),
        }
    }

    /// The region's stacks that have this tag, the deleted ones left out.
    pub(crate) async fn tagged(&self, key: &str, value: Option<&str>) -> Result<Vec<Found>, CloudError> {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let call = async || self.client.describe_stacks().set_next_token(token.clone()).send().await;
            let page = patiently(self.patience.call, call).await;
            let page = page.map_err(|error| CloudError::call("looking for stacks", &error))?;
            let stacks = page.stacks.unwrap_or_default().into_iter().map(Found::new);
            let fits = |stack: &Found| match value {
                Some(value) => stack.tag(key) == Some(value),
                None => stack.tag(key).is_some(),
            };
            found.extend(stacks.filter(|stack| stack.standing() != Standing::Gone && fits(stack)));
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Whether the stack is there as a whole.
    pub(crate) async fn is_complete(&self, name: &str) -> Result<bool, CloudError> {
        let stack = self.settled(name).await?;
        Ok(stack.is_some_and(|stack| matches!(stack.standing(), Standing::Complete | Standing::RolledBack)))
    }

    /// The stack, once nothing is being done to it.
    pub(crate) async fn settled(&self, name: &str) -> Result<Option<Found>, CloudError> {
        let began = self.pause.stopwatch();
        let mut pause = self.patience.pause;
        loop {
            match self.find(name).await? {
                Some(found) if found.standing() == Standing::Busy => {}
                stack => return Ok(stack),
            }
            if began.elapsed() > self.patience.stack {
                return Err(self.late(name));
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(self.patience.pause_max);
        }
    }

    pub(super) fn late(&self, name: &str) -> CloudError {
        CloudError::Deadline { what: format!("stack {name}"), waited: self.patience.stack }
    }

    /// What the stack consists of; what was deleted is left out.
    pub(crate) async fn parts(&self, name: &str) -> Result<Vec<Part>, CloudError> {
        let mut parts = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let call =
                async || self.client.list_stack_resources().stack_name(name).set_next_token(token.clone()).send().await;
            let page = patiently(self.patience.call, call).await;
            let page = page.map_err(|error| CloudError::call(format_args!("listing stack {name}"), &error))?;
            for part in page.stack_resource_summaries.unwrap_or_default() {
                if part.resource_status.is_some_and(|status| status.as_str() == "DELETE_COMPLETE") {
                    continue;
                }
                parts.push(Part {
                    logical: part.logical_resource_id.unwrap_or_default(),
                    kind: part.resource_type.unwrap_or_default(),
                    physical: part.physical_resource_id.filter(|id| !id.is_empty()),
                });
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(parts);
            }
        }
    }

    /// The first failure of the last thing that was done to a stack, as its events tell it.
    pub(crate) async fn reason(&self, name: &str) -> Option<String> {
        let mut reason = None;
        let mut token: Option<String> = None;
        loop {
            let call = async || {
                self.client.describe_stack_events().stack_name(name).set_next_token(token.clone()).send().await
            };
            // Without it the failure itself still stands.
            let Ok(page) = patiently(self.patience.call, call).await else { return reason };
            // The newest come first.
            for event in page.stack_events.unwrap_or_default() {
                let status = event.resource_status.map(|status| status.as_str().to_owned()).unwrap_or_default();
                let why = event.resource_status_reason.unwrap_or_default();
                let is_the_stack = event.physical_resource_id.is_some() && event.physical_resource_id == event.stack_id;
                if is_the_stack && why == "User Initiated" {
                    return reason;
                }
                let consequence = why.to_lowercase().contains(CANCELLED);
                if status.ends_with("_FAILED") && !why.is_empty() && !consequence && !is_the_stack {
                    reason = Some(format!("{}: {why}", event.logical_resource_id.unwrap_or_default()));
                }
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return reason;
            }
        }
    }

    /// The failure of a stack that was found so, or not found.
    pub(super) async fn failed(&self, name: &str, found: Option<&Found>) -> CloudError {
        let by = found.map_or(name, |found| &found.id);
        CloudError::Stack {
            stack: name.to_owned(),
            status: found.map_or("gone", |found| &found.status).to_owned(),
            reason: self.reason(by).await,
        }
    }
}
