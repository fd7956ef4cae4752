//! Replication of tables and buckets: what a stack says is looked at, and set where it was not done.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{
    CreateReplicationGroupMemberAction, DeleteReplicationGroupMemberAction, ReplicationGroupUpdate, TableDescription,
    TableStatus,
};
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{
    DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination, ReplicationConfiguration, ReplicationRule,
    ReplicationRuleFilter, ReplicationRuleStatus,
};
use tokio::time::sleep;

use crate::lambda::template::replication_role_name;
use crate::lambda::{LambdaError, Services};

/// Pause before a table is looked at again.
const PAUSE: Duration = Duration::from_millis(100);

/// A global table: in the region that it was made in, and in its replica's.
pub(crate) struct GlobalTable<'a> {
    pub(crate) services: &'a Services,
    pub(crate) name: &'a str,
    pub(crate) home: &'a str,
    pub(crate) replica: &'a str,
    pub(crate) deadline: Duration,
}

impl GlobalTable<'_> {
    fn client(&self, region: &str) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.services.aws_in(region))
    }

    async fn describe(&self, region: &str) -> Result<Option<TableDescription>, LambdaError> {
        match self.client(region).describe_table().table_name(self.name).send().await {
            Ok(answer) => Ok(answer.table),
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_resource_not_found_exception() => Ok(None),
                _ => Err(LambdaError::aws(format_args!("looking at table {} in {region}", self.name), error)),
            },
        }
    }

    async fn change(&self, update: ReplicationGroupUpdate) -> Result<(), LambdaError> {
        let change = self.client(self.home).update_table().table_name(self.name).replica_updates(update);
        let changed = change.send().await;
        changed.map(drop).map_err(|error| LambdaError::aws(format_args!("replicating table {}", self.name), error))
    }

    /// Makes the replica if it is not there, waits until both are active, and gives the ARN of the replica's stream. Says
    /// too whether there was anything to do.
    pub(super) async fn ensure(&self) -> Result<(String, bool), LambdaError> {
        let mut changed = false;
        let began = Instant::now();
        loop {
            let home = self.describe(self.home).await?;
            let active = |table: &TableDescription| table.table_status == Some(TableStatus::Active);
            if let Some(table) = home.filter(active) {
                let replicas = table.replicas();
                if !replicas.iter().any(|replica| replica.region_name() == Some(self.replica)) {
                    let create = CreateReplicationGroupMemberAction::builder().region_name(self.replica).build();
                    let create = create.map_err(|error| LambdaError::aws("a table's replica", error))?;
                    self.change(ReplicationGroupUpdate::builder().create(create).build()).await?;
                    changed = true;
                } else if let Some(replica) = self.describe(self.replica).await?.filter(active)
                    && let Some(stream) = replica.latest_stream_arn
                {
                    return Ok((stream, changed));
                }
            }
            if began.elapsed() > self.deadline {
                return Err(LambdaError::Deadline {
                    what: format!("the replica of table {} in {}", self.name, self.replica),
                    waited: self.deadline,
                });
            }
            sleep(PAUSE).await;
        }
    }

    /// Takes the replica away and waits until it is gone.
    pub(crate) async fn remove_replica(&self) -> Result<(), LambdaError> {
        let began = Instant::now();
        let mut asked = false;
        loop {
            let home = self.describe(self.home).await?;
            let listed = home.is_some_and(|table| {
                table.replicas().iter().any(|replica| replica.region_name() == Some(self.replica))
            });
            if listed && !asked {
                let delete = DeleteReplicationGroupMemberAction::builder().region_name(self.replica).build();
                let delete = delete.map_err(|error| LambdaError::aws("a table's replica", error))?;
                self.change(ReplicationGroupUpdate::builder().delete(delete).build()).await?;
                asked = true;
            } else if self.describe(self.replica).await?.is_none() {
                return Ok(());
            } else if !listed {
                // The emulator forgets the replica in its group and keeps the table.
                let delete = self.client(self.replica).delete_table().table_name(self.name).send().await;
                delete.map_err(|error| LambdaError::aws(format_args!("deleting table {}", self.name), error))?;
            }
            if began.elapsed() > self.deadline {
                let what = format!("the end of table {} in {}", self.name, self.replica);
                return Err(LambdaError::Deadline { what, waited: self.deadline });
            }
            sleep(PAUSE).await;
        }
    }
}

/// Has a bucket replicated to another, and looks whether it is. Says whether there was anything to do.
pub(super) async fn ensure_bucket(
    services: &Services,
    region: &str,
    source: &str,
    target: &str,
) -> Result<bool, LambdaError> {
    let client = s3(services, region);
    let target_arn = format!("arn:aws:s3:::{target}");
    if replicates(&client, source, &target_arn).await? {
        return Ok(false);
    }
    let set = || -> Result<_, aws_sdk_s3::error::BuildError> {
        let rule = ReplicationRule::builder()
            .id("all")
            .priority(1)
            .status(ReplicationRuleStatus::Enabled)
            .filter(ReplicationRuleFilter::builder().prefix("").build())
            .delete_marker_replication(
                DeleteMarkerReplication::builder().status(DeleteMarkerReplicationStatus::Disabled).build(),
            )
            .destination(Destination::builder().bucket(&target_arn).build()?)
            .build()?;
        let role = format!("arn:aws:iam::{}:role/{}", services.account, replication_role_name(source));
        ReplicationConfiguration::builder().role(role).rules(rule).build()
    };
    let wanted = set().map_err(|error| LambdaError::aws("a bucket's replication", error))?;
    let put = client.put_bucket_replication().bucket(source).replication_configuration(wanted).send().await;
    put.map_err(|error| LambdaError::aws(format_args!("replicating bucket {source}"), error))?;
    if replicates(&client, source, &target_arn).await? {
        Ok(true)
    } else {
        Err(LambdaError::Settings(format!("bucket {source} is not replicated to {target}, though that was accepted")))
    }
}

async fn replicates(client: &aws_sdk_s3::Client, source: &str, target_arn: &str) -> Result<bool, LambdaError> {
    match client.get_bucket_replication().bucket(source).send().await {
        Ok(answer) => Ok(answer.replication_configuration.is_some_and(|found| {
            found.rules.iter().any(|rule| {
                let goes_there = rule.destination.as_ref().is_some_and(|to| to.bucket == target_arn);
                rule.status == ReplicationRuleStatus::Enabled && goes_there
            })
        })),
        Err(error) if error.code() == Some("ReplicationConfigurationNotFoundError") => Ok(false),
        Err(error) => Err(LambdaError::aws(format_args!("looking at the replication of {source}"), error)),
    }
}

/// A client of S3 in a region. An endpoint of one's own has no name per bucket.
pub(crate) fn s3(services: &Services, region: &str) -> aws_sdk_s3::Client {
    let settings = aws_sdk_s3::config::Builder::from(&services.aws_in(region));
    aws_sdk_s3::Client::from_conf(settings.force_path_style(services.is_emulated()).build())
}
