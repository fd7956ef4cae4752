//! Making a stack as it should be.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::Capability;
use tokio::time::sleep;

use super::{Found, Stacks, Standing, Wanted};
use crate::cloud::CloudError;
use crate::cloud::calls::may_pass;

/// Longest template that is taken in a call (CloudFormation quotas), in bytes.
const TEMPLATE_MAX: usize = 51_200;

/// The result of creating a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ensured {
    /// Whether there was anything to do.
    pub(crate) changed: bool,
    pub(crate) outputs: BTreeMap<String, String>,
}

/// The result of requesting a change.
enum Asked {
    Accepted,
    /// It was as asked for.
    Nothing,
    /// It may have been accepted, or will be another time.
    Unclear(CloudError),
}

impl Stacks {
    /// Makes or changes a stack until it is as wanted. What is in progress is waited for; what can only be deleted is made
    /// anew. A stack of this name that is somebody else's is left alone.
    pub(crate) async fn ensure(&self, wanted: &Wanted<'_>) -> Result<Ensured, CloudError> {
        let name = wanted.name;
        let digest = wanted.digest();
        let length = wanted.template.to_string().len();
        if length > TEMPLATE_MAX {
            let why = format!("the template has {length} bytes, and CloudFormation takes {TEMPLATE_MAX}");
            return Err(CloudError::unbuildable(format_args!("stack {name}"), why));
        }
        let began = self.pause.stopwatch();
        let mut pause = self.patience.pause;
        let mut asked = false;
        let mut deleted = BTreeSet::new();
        loop {
            if began.elapsed() > self.patience.stack {
                return Err(self.late(name));
            }
            let before = self.settled(name).await?.filter(|found| !deleted.contains(&found.id));
            let (tag, owner) = (wanted.owner.0, wanted.owner.1.as_str());
            match &before {
                Some(found) if !found.belongs_to((tag, owner)) => {
                    return Err(CloudError::Foreign { stack: name.to_owned(), tag, owner: owner.to_owned() });
                }
                Some(found) if found.is_made_from(&digest) => {
                    return Ok(Ensured { changed: asked, outputs: found.outputs.clone() });
                }
                // Not made anew for ever: a second failure is one.
                Some(found) if found.standing() == Standing::Dead && (!deleted.is_empty() || asked) => {
                    return Err(self.failed(name, before.as_ref()).await);
                }
                Some(found) if found.standing() == Standing::Dead => {
                    deleted.insert(found.id.clone());
                    self.delete(name).await?;
                    continue;
                }
                _ => {}
            }
            match self.ask(wanted, before.is_some()).await? {
                Asked::Nothing => {
                    let outputs = before.map(|found| found.outputs).unwrap_or_default();
                    return Ok(Ensured { changed: asked, outputs });
                }
                Asked::Accepted => {
                    asked = true;
                    let found = self.became(name, before.as_ref(), &deleted, &digest).await?;
                    if found.is_made_from(&digest) {
                        return Ok(Ensured { changed: true, outputs: found.outputs });
                    }
                    if found.standing() != Standing::Complete {
                        return Err(self.failed(name, Some(&found)).await);
                    }
                    // Another made something else of it: this one is asked for again.
                }
                Asked::Unclear(error) => {
                    asked = true;
                    if began.elapsed() > self.patience.stack {
                        return Err(error);
                    }
                }
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(self.patience.pause_max);
        }
    }

    /// Asks for a stack, or for a change of it.
    async fn ask(&self, wanted: &Wanted<'_>, change: bool) -> Result<Asked, CloudError> {
        let (name, body) = (wanted.name, wanted.template.to_string());
        let capabilities = Some(vec![Capability::CapabilityNamedIam]);
        let (tags, parameters) = (Some(wanted.tags()), Some(wanted.parameters()));
        if change {
            let call = self.client.update_stack().stack_name(name).template_body(body).set_role_arn(self.role.clone());
            let call = call.set_capabilities(capabilities).set_tags(tags).set_parameters(parameters);
            let Err(error) = call.send().await else { return Ok(Asked::Accepted) };
            let said = |text: &str| error.message().is_some_and(|message| message.contains(text));
            if said("No updates") {
                return Ok(Asked::Nothing);
            }
            let failure = CloudError::call(format_args!("changing stack {name}"), &error);
            // It changed, or went, since it was looked at.
            let moved = said("_IN_PROGRESS") || said("does not exist");
            if may_pass(&error) || moved { Ok(Asked::Unclear(failure)) } else { Err(failure) }
        } else {
            let call = self.client.create_stack().stack_name(name).template_body(body).set_role_arn(self.role.clone());
            let call = call.set_capabilities(capabilities).set_tags(tags).set_parameters(parameters);
            let Err(error) = call.send().await else { return Ok(Asked::Accepted) };
            // An answer was lost on the way, and the call was made again.
            if error.code() == Some("AlreadyExistsException") {
                return Ok(Asked::Accepted);
            }
            let failure = CloudError::call(format_args!("making stack {name}"), &error);
            if may_pass(&error) { Ok(Asked::Unclear(failure)) } else { Err(failure) }
        }
    }

    /// The stack once what was asked for was done, or has failed.
    async fn became(
        &self,
        name: &str,
        before: Option<&Found>,
        deleted: &BTreeSet<String>,
        digest: &str,
    ) -> Result<Found, CloudError> {
        let began = self.pause.stopwatch();
        let mut pause = self.patience.pause;
        loop {
            let found = self.find(name).await?.filter(|found| !deleted.contains(&found.id));
            // What was there before may be shown for a while after a change was accepted.
            let stale = began.elapsed() < self.patience.staleness;
            match found {
                Some(found) if found.is_made_from(digest) => return Ok(found),
                Some(found) if found.standing() == Standing::Busy => {}
                Some(found) if stale && before.is_some_and(|before| found.may_be_from_before(before)) => {}
                Some(found) => return Ok(found),
                None if stale => {}
                None => return Err(self.failed(name, None).await),
            }
            if began.elapsed() > self.patience.stack {
                return Err(self.late(name));
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(self.patience.pause_max);
        }
    }
}
