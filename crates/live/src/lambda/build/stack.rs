//! Stacks of CloudFormation: making them as they should be.

use std::time::{Duration, Instant};

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::{Capability, Stack, Tag};
use serde_json::Value;
use tokio::time::sleep;

use crate::lambda::LambdaError;
use crate::lambda::names::hex;

/// Tag of a stack that says which template it was made from.
const TEMPLATE_TAG: &str = "matrix:template";

/// Tag of a stack that says whose it is.
const RUN_TAG: &str = "matrix:run";

/// The stacks of a region.
#[derive(Clone, Debug)]
pub(crate) struct Stacks {
    pub(crate) client: Client,
    pub(crate) run: String,
    pub(crate) deadline: Duration,
}

/// What a stack's status calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It is as its template says.
    Complete,
    /// Something is being done to it.
    Busy,
    /// It can only be deleted.
    Dead,
    /// A change failed and was undone; it can be changed again.
    RolledBack,
    Gone,
}

impl Standing {
    fn of(status: &str) -> Self {
        match status {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => Self::Complete,
            "UPDATE_ROLLBACK_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => Self::RolledBack,
            "DELETE_COMPLETE" => Self::Gone,
            busy if busy.ends_with("_IN_PROGRESS") => Self::Busy,
            // CREATE_FAILED, ROLLBACK_COMPLETE, ROLLBACK_FAILED, UPDATE_FAILED, DELETE_FAILED and what may be invented.
            _ => Self::Dead,
        }
    }
}

impl Stacks {
    /// Makes or changes a stack until it is what `template` says. Says whether there was anything to do.
    pub(crate) async fn ensure(&self, name: &str, template: &Value) -> Result<bool, LambdaError> {
        let body = template.to_string();
        let digest = hex(&body);
        let mut standing = self.settled(name).await?;
        if let Some(stack) = &standing {
            match Standing::of(status(stack)) {
                Standing::Complete if tag(stack, TEMPLATE_TAG) == Some(&digest) => return Ok(false),
                Standing::Dead => {
                    self.delete(name).await?;
                    standing = None;
                }
                _ => {}
            }
        }
        let tags = [(TEMPLATE_TAG, digest.as_str()), (RUN_TAG, self.run.as_str())];
        let tags: Vec<_> = tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).into();
        let capabilities = vec![Capability::CapabilityNamedIam];
        if standing.is_some() {
            let update = self.client.update_stack().stack_name(name).template_body(&body);
            match update.set_capabilities(Some(capabilities)).set_tags(Some(tags)).send().await {
                Ok(_) => {}
                Err(error) if error.message().is_some_and(|text| text.contains("No updates")) => return Ok(false),
                Err(error) => return Err(LambdaError::aws(format_args!("changing stack {name}"), error)),
            }
        } else {
            let creation = self.client.create_stack().stack_name(name).template_body(&body);
            match creation.set_capabilities(Some(capabilities)).set_tags(Some(tags)).send().await {
                Ok(_) => {}
                // An answer was lost on the way, and the call was repeated.
                Err(error) if error.code() == Some("AlreadyExistsException") => {}
                Err(error) => return Err(LambdaError::aws(format_args!("making stack {name}"), error)),
            }
        }
        match self.settled(name).await? {
            Some(stack) if Standing::of(status(&stack)) == Standing::Complete => Ok(true),
            stack => Err(self.failed(name, stack.as_ref().map_or("gone", status)).await),
        }
    }

    /// Whether the stack is there as a whole.
    pub(crate) async fn is_complete(&self, name: &str) -> Result<bool, LambdaError> {
        let stack = self.settled(name).await?;
        let whole = |stack: &Stack| matches!(Standing::of(status(stack)), Standing::Complete | Standing::RolledBack);
        Ok(stack.as_ref().is_some_and(whole))
    }

    /// Whether the region has any stack of the run.
    pub(crate) async fn any_of_the_run(&self) -> Result<bool, LambdaError> {
        let mut pages = self.client.describe_stacks().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| LambdaError::aws("looking for stacks", error))?;
            let mut left = page.stacks().iter().filter(|stack| Standing::of(status(stack)) != Standing::Gone);
            if left.any(|stack| tag(stack, RUN_TAG) == Some(&self.run)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Deletes a stack and waits until it is gone.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), LambdaError> {
        if self.settled(name).await?.is_none() {
            return Ok(());
        }
        let deleted = self.client.delete_stack().stack_name(name).send().await;
        deleted.map_err(|error| LambdaError::aws(format_args!("deleting stack {name}"), error))?;
        match self.settled(name).await? {
            None => Ok(()),
            Some(stack) => Err(self.failed(name, status(&stack)).await),
        }
    }

    /// The stack, once nothing is being done to it.
    async fn settled(&self, name: &str) -> Result<Option<Stack>, LambdaError> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let stack = self.find(name).await?;
            match &stack {
                Some(found) if Standing::of(status(found)) == Standing::Busy => {}
                _ => return Ok(stack),
            }
            if began.elapsed() > self.deadline {
                return Err(LambdaError::Deadline { what: format!("stack {name}"), waited: self.deadline });
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(Duration::from_secs(3));
        }
    }

    async fn find(&self, name: &str) -> Result<Option<Stack>, LambdaError> {
        match self.client.describe_stacks().stack_name(name).send().await {
            Ok(answer) => {
                let stack = answer.stacks.unwrap_or_default().into_iter().next();
                Ok(stack.filter(|stack| Standing::of(status(stack)) != Standing::Gone))
            }
            Err(error) if error.message().is_some_and(|text| text.contains("does not exist")) => Ok(None),
            Err(error) => Err(LambdaError::aws(format_args!("looking at stack {name}"), error)),
        }
    }

    /// The failure of a stack, with the first reason in its history.
    async fn failed(&self, name: &str, status: &str) -> LambdaError {
        let events = self.client.describe_stack_events().stack_name(name).send().await;
        let reason = events.ok().and_then(|answer| {
            // The newest come first.
            let mut oldest_first = answer.stack_events.unwrap_or_default().into_iter().rev();
            oldest_first.find_map(|event| {
                let failed = event.resource_status.is_some_and(|status| status.as_str().ends_with("_FAILED"));
                let resource = event.logical_resource_id.unwrap_or_default();
                failed.then(|| format!("{resource}: {}", event.resource_status_reason.unwrap_or_default()))
            })
        });
        let why = reason.map_or_else(|| status.to_owned(), |reason| format!("{status}: {reason}"));
        LambdaError::Stack { stack: name.to_owned(), why }
    }
}

fn status(stack: &Stack) -> &str {
    stack.stack_status.as_ref().map_or("", |status| status.as_str())
}

fn tag<'a>(stack: &'a Stack, key: &str) -> Option<&'a str> {
    stack.tags().iter().find(|tag| tag.key() == Some(key)).and_then(Tag::value)
}
