//! An examination from beginning to end.

use std::collections::BTreeSet;

use futures_util::future::LocalBoxFuture;
use futures_util::{StreamExt as _, stream};
use matrix_aws::connection::Password;
use matrix_aws::{ConnectionInfo, Datastore};
use matrix_driver::Cancel;
use matrix_plan::Regions;

use super::Finding;
use super::connectors::connectors;
use crate::aws::{Operator, ProvisionError};
use crate::lambda::{Brokers, LambdaError, Services};

/// Parts that are examined at a time.
const AT_A_TIME: usize = 8;

/// What is examined.
#[derive(Clone, Debug)]
pub struct Examination {
    /// Name of the set-up whose stacks are looked at.
    pub name: String,
    /// AWS names of the regions.
    pub regions: BTreeSet<String>,
    /// Where the services are, if that is known.
    pub info: Option<ConnectionInfo>,
    /// Datastores whose passwords are needed.
    pub stores: BTreeSet<Datastore>,
}

impl Operator {
    /// Looks at everything, several things at a time, and reports each finding as soon as it is there. The credentials were
    /// tried when access was opened.
    ///
    /// # Errors
    /// When it was asked to stop; whatever else fails is a finding.
    pub fn examine(&self, what: &Examination, cancel: &Cancel, report: &dyn Fn(Finding)) -> Result<(), ProvisionError> {
        let brokers = what.info.as_ref().map(|info| self.brokers(info));
        let passwords = what.info.as_ref().map(|info| self.passwords(info, &what.stores)).unwrap_or_default();
        passwords.into_iter().for_each(report);
        self.block_on(cancel, async {
            let mut parts: Vec<LocalBoxFuture<'_, Vec<Finding>>> = Vec::new();
            for region in &what.regions {
                parts.push(Box::pin(self.account(region)));
            }
            for region in &what.regions {
                parts.push(Box::pin(self.managed(&what.name, region)));
            }
            if let Some(info) = &what.info {
                parts.push(Box::pin(self.presence(info)));
                parts.push(Box::pin(self.roles(info)));
                parts.push(Box::pin(self.bucket_replication(info)));
                parts.push(Box::pin(self.table_replication(info, &what.regions)));
                if let Some(brokers) = &brokers {
                    parts.push(Box::pin(connectors(info, brokers)));
                }
                parts.push(Box::pin(async move {
                    let functions = self.functions(&what.regions).await;
                    let mut findings = self.reach(info, &functions).await;
                    findings.extend(self.function_clocks(&functions).await);
                    findings
                }));
            }
            let mut parts = stream::iter(parts).buffer_unordered(AT_A_TIME);
            while let Some(findings) = parts.next().await {
                findings.into_iter().for_each(report);
            }
            Ok(())
        })
    }

    /// Whether the passwords that are elsewhere are there.
    fn passwords(&self, info: &ConnectionInfo, stores: &BTreeSet<Datastore>) -> Vec<Finding> {
        let elsewhere =
            |store: &&Datastore| info.password(**store).is_some_and(|password| !matches!(password, Password::Plain(_)));
        let finding = |store: &Datastore| {
            let about = format!("password of {store}");
            let needed = BTreeSet::from([*store]);
            match Services::aws(&self.access, info, &Regions::built_in(), &needed) {
                Ok(_) => Finding::ok(about, "it is where the file says"),
                Err(LambdaError::Entry(problem)) => Finding::problem(about, problem.to_string(), problem.fix()),
                Err(error) => Finding::not_checked(about, error.to_string(), "see docs/aws.md#security"),
            }
        };
        stores.iter().filter(elsewhere).map(finding).collect()
    }

    /// The brokers of the file with their password, which may be elsewhere; or why it is not known.
    fn brokers(&self, info: &ConnectionInfo) -> Result<Option<Brokers>, String> {
        let only = ConnectionInfo { mq: info.mq.clone(), ..ConnectionInfo::default() };
        let needed = BTreeSet::from([Datastore::Amq]);
        let services = Services::aws(&self.access, &only, &Regions::built_in(), &needed);
        services.map(|services| services.brokers).map_err(|error| error.to_string())
    }
}
