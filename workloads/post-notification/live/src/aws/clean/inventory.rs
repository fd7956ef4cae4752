//! What there is of a set-up, and of runs: asked of CloudFormation and of the tagging service, region by region.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_resourcegroupstagging::types::TagFilter;
use futures_util::{StreamExt as _, TryStreamExt as _};
use matrix_aws::setup::{SETUP_TAG, StackId};
use matrix_driver::Cancel;
use serde::Serialize;

use super::super::setup::RANK_TAG;
use crate::aws::{Operator, ProvisionError};
use crate::cloud::{CloudError, RUN_TAG, patiently};

/// Regions that are asked at a time.
pub(super) const AT_A_TIME: usize = 8;

/// Something that exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Thing {
    /// AWS name of its region.
    pub region: String,
    /// Its ARN, or `stack NAME (STATUS)`.
    pub what: String,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.what, self.region)
    }
}

/// A stack that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) id: StackId,
    pub(super) status: String,
    /// The higher, the earlier it goes.
    pub(super) rank: usize,
    /// Name of the run whose functions it holds.
    pub(super) run: Option<String>,
}

/// What there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    pub(super) stacks: Vec<Standing>,
    pub(super) runs: Vec<Standing>,
    /// Everything else that bears the tag, by ARN.
    pub(super) resources: BTreeSet<Thing>,
    /// Regions that are not enabled for the account: there is nothing in them.
    pub not_enabled: Vec<String>,
}

impl Inventory {
    /// The set-up's stacks.
    pub fn stacks(&self) -> impl Iterator<Item = &StackId> {
        self.stacks.iter().map(|stack| &stack.id)
    }

    /// The stacks of runs' functions.
    pub fn runs(&self) -> impl Iterator<Item = &StackId> {
        self.runs.iter().map(|stack| &stack.id)
    }

    /// Everything of the set-up: its stacks, and what bears its tag.
    #[must_use]
    pub fn things(&self) -> Vec<Thing> {
        let stack = |stack: &Standing| Thing {
            region: stack.id.region.clone(),
            what: format!("stack {} ({})", stack.id.name, stack.status),
        };
        self.stacks.iter().map(stack).chain(self.resources.iter().cloned()).collect()
    }
}

impl Operator {
    /// What there is of the set-up `name` in these regions, by their AWS names, and what there is of runs.
    ///
    /// # Errors
    /// When a service refuses, or it was asked to stop.
    pub fn survey(&self, name: &str, regions: &[String], cancel: &Cancel) -> Result<Inventory, ProvisionError> {
        self.block_on(cancel, self.inventory(name, regions))
    }

    pub(super) async fn inventory(&self, name: &str, regions: &[String]) -> Result<Inventory, ProvisionError> {
        let asked = regions.iter().map(|region| async move { (region, self.inventory_of(name, region).await) });
        let mut asked = futures_util::stream::iter(asked).buffered(AT_A_TIME).map(|(region, found)| match found {
            Ok(found) => Ok(found),
            Err(CloudError::Call { why, .. }) if is_not_enabled(&why) => {
                Ok(Inventory { not_enabled: vec![region.clone()], ..Inventory::default() })
            }
            Err(error) => Err(ProvisionError::from(error)),
        });
        let mut all = Inventory::default();
        while let Some(found) = asked.try_next().await? {
            all.stacks.extend(found.stacks);
            all.runs.extend(found.runs);
            all.not_enabled.extend(found.not_enabled);
            for thing in found.resources {
                // An emulator shows what knows no region in every one.
                if all.resources.iter().all(|known| known.what != thing.what) {
                    all.resources.insert(thing);
                }
            }
        }
        Ok(all)
    }

    async fn inventory_of(&self, name: &str, region: &str) -> Result<Inventory, CloudError> {
        let stacks = self.stacks(region);
        let mut inventory = Inventory::default();
        let standing = |found: crate::cloud::Found| Standing {
            rank: found.tag(RANK_TAG).and_then(|rank| rank.parse().ok()).unwrap_or(0),
            run: found.tag(RUN_TAG).map(str::to_owned),
            id: StackId { region: region.to_owned(), name: found.name },
            status: found.status,
        };
        inventory.runs = stacks.tagged(RUN_TAG, None).await?.into_iter().map(standing).collect();
        let all = stacks.tagged(SETUP_TAG, Some(name)).await?.into_iter().map(standing);
        // The functions of a run that say which set-up they use are a run's all the same.
        inventory.stacks = all.filter(|stack| stack.run.is_none()).collect();
        inventory.resources = self.tagged(name, region).await?;
        Ok(inventory)
    }

    /// What bears the set-up's tag, other than stacks.
    async fn tagged(&self, name: &str, region: &str) -> Result<BTreeSet<Thing>, CloudError> {
        let client = aws_sdk_resourcegroupstagging::Client::new(&self.config(region));
        let filter = TagFilter::builder().key(SETUP_TAG).values(name).build();
        let mut things = BTreeSet::new();
        let mut token: Option<String> = None;
        loop {
            let call = async || {
                client.get_resources().tag_filters(filter.clone()).set_pagination_token(token.clone()).send().await
            };
            let page = patiently(self.patience.call, call).await;
            let page = page.map_err(|error| CloudError::call(format_args!("asking for tags in {region}"), &error))?;
            let arns = page.resource_tag_mapping_list.unwrap_or_default().into_iter().filter_map(|it| it.resource_arn);
            let others = arns.filter(|arn| !arn.starts_with("arn:aws:cloudformation:"));
            things.extend(others.map(|what| Thing { region: region.to_owned(), what }));
            token = page.pagination_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(things);
            }
        }
    }
}

/// Whether an answer says that the region is not enabled for the account.
pub(crate) fn is_not_enabled(why: &str) -> bool {
    ["InvalidClientTokenId", "UnrecognizedClientException", "OptInRequired", "AuthFailure", "InvalidToken"]
        .iter()
        .any(|code| why.starts_with(code))
}
