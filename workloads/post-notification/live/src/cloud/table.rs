//! Global tables of DynamoDB: what a stack says of replicas is looked at, and set where it was not done.

use std::fmt::Display;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_dynamodb::operation::update_table::{UpdateTableError, UpdateTableOutput};
use aws_sdk_dynamodb::types::{
    CreateReplicationGroupMemberAction, DeleteReplicationGroupMemberAction, ReplicationGroupUpdate,
    StreamSpecification, StreamViewType, TableDescription, TableStatus,
};
use aws_types::SdkConfig;
use tokio::time::sleep;

use super::calls::may_pass;
use super::{CloudError, patiently};

/// Pause before a table is looked at again.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a call that is throttled or not answered is made again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A global table: in the region that it was made in, and in one replica's.
pub(crate) struct GlobalTable<'a> {
    /// Configuration of clients; the region is chosen by each.
    pub(crate) aws: &'a SdkConfig,
    pub(crate) name: &'a str,
    pub(crate) home: &'a str,
    pub(crate) replica: &'a str,
    pub(crate) deadline: Duration,
    /// How long a table that was made may still be said not to be there.
    pub(crate) staleness: Duration,
}

/// A table that is replicated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replicated {
    /// ARN of the replica's stream.
    pub(crate) stream: String,
    /// What had to be set, for a person.
    pub(crate) set: Vec<String>,
}

fn is_active(table: &TableDescription) -> bool {
    table.table_status == Some(TableStatus::Active)
}

fn has_stream(table: &TableDescription) -> bool {
    table.stream_specification.as_ref().is_some_and(|stream| stream.stream_enabled)
}

/// The ARN of a table's stream, if it is on. The ARN of one that was disabled is told for a day.
fn stream(table: TableDescription) -> Option<String> {
    if has_stream(&table) { table.latest_stream_arn } else { None }
}

/// Whether a change was accepted; one that cannot be made now is to be asked for again.
fn asked(
    what: impl Display,
    answer: Result<UpdateTableOutput, SdkError<UpdateTableError, HttpResponse>>,
) -> Result<bool, CloudError> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if may_pass(&error) => Ok(false),
        // Another change of the table, or of another of its replicas, is under way.
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) => Ok(false),
        // What was looked at was older than the stream.
        Err(error) if error.message().is_some_and(|why| why.contains("already has an enabled stream")) => Ok(false),
        Err(error) => Err(CloudError::call(what, &error)),
    }
}

impl GlobalTable<'_> {
    fn client(&self, region: &str) -> Client {
        Client::new(&super::in_region(self.aws, region))
    }

    async fn describe(&self, region: &str) -> Result<Option<TableDescription>, CloudError> {
        let client = self.client(region);
        let call = async || client.describe_table().table_name(self.name).send().await;
        match patiently(PATIENCE, call).await {
            Ok(answer) => Ok(answer.table),
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_resource_not_found_exception() => Ok(None),
                _ => Err(CloudError::call(format_args!("looking at table {} in {region}", self.name), &error)),
            },
        }
    }

    /// Asks for a change of the replicas. Says whether it was accepted: one that cannot be made now is to be asked for
    /// again.
    async fn change(&self, update: ReplicationGroupUpdate) -> Result<bool, CloudError> {
        let change = self.client(self.home).update_table().table_name(self.name).replica_updates(update);
        asked(format_args!("replicating table {}", self.name), change.send().await)
    }

    /// The ARN of the replica's stream if the table is there, its replica too, and both are active.
    pub(crate) async fn stream(&self) -> Result<Option<String>, CloudError> {
        let Some(home) = self.describe(self.home).await?.filter(is_active) else { return Ok(None) };
        if !home.replicas().iter().any(|replica| replica.region_name() == Some(self.replica)) {
            return Ok(None);
        }
        let replica = self.describe(self.replica).await?.filter(is_active);
        Ok(replica.and_then(stream))
    }

    /// Whether the table is there at all, at home.
    pub(crate) async fn is_there(&self) -> Result<bool, CloudError> {
        Ok(self.describe(self.home).await?.is_some())
    }

    /// Makes the replica if it is not there, enables its stream if that is off, and waits until both ends are active. A table
    /// that is not there is not made.
    pub(crate) async fn ensure(&self) -> Result<Replicated, CloudError> {
        let (mut made, mut enabled) = (false, false);
        let began = Instant::now();
        let mut last_seen = began;
        loop {
            match self.describe(self.home).await? {
                None if last_seen.elapsed() > self.staleness => {
                    return Err(CloudError::Gone { what: format!("table {} in {}", self.name, self.home) });
                }
                None => {}
                Some(table) => {
                    last_seen = Instant::now();
                    let is_listed = table.replicas().iter().any(|it| it.region_name() == Some(self.replica));
                    if is_active(&table) && !is_listed {
                        let create = CreateReplicationGroupMemberAction::builder().region_name(self.replica).build();
                        let create = create.map_err(|error| CloudError::unbuildable("a table's replica", error))?;
                        made |= self.change(ReplicationGroupUpdate::builder().create(create).build()).await?;
                    } else if is_active(&table)
                        && let Some(replica) = self.describe(self.replica).await?.filter(is_active)
                    {
                        if !has_stream(&replica) {
                            enabled |= self.enable_stream().await?;
                        } else if let Some(stream) = stream(replica) {
                            return Ok(Replicated { stream, set: self.told(made, enabled) });
                        }
                    }
                }
            }
            if began.elapsed() > self.deadline {
                return Err(CloudError::Deadline {
                    what: format!("the replica of table {} in {}", self.name, self.replica),
                    waited: self.deadline,
                });
            }
            sleep(PAUSE).await;
        }
    }

    fn told(&self, made: bool, enabled: bool) -> Vec<String> {
        let (name, replica) = (self.name, self.replica);
        let made = made.then(|| format!("table {name} had no replica in {replica}: it was made"));
        let enabled = enabled.then(|| format!("the stream of table {name} in {replica} was off: it is on"));
        made.into_iter().chain(enabled).collect()
    }

    /// Asks for the replica's stream. Says whether that was accepted; what cannot be done now is to be asked for again.
    async fn enable_stream(&self) -> Result<bool, CloudError> {
        let stream =
            StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
        let stream = stream.build().map_err(|error| CloudError::unbuildable("a table's stream", error))?;
        let change = self.client(self.replica).update_table().table_name(self.name).stream_specification(stream);
        asked(format_args!("enabling the stream of table {} in {}", self.name, self.replica), change.send().await)
    }

    /// Takes the replica away and waits until it is gone.
    pub(crate) async fn remove_replica(&self) -> Result<(), CloudError> {
        let began = Instant::now();
        let mut asked = false;
        loop {
            let home = self.describe(self.home).await?;
            let listed = home.is_some_and(|table| {
                table.replicas().iter().any(|replica| replica.region_name() == Some(self.replica))
            });
            if listed && !asked {
                let delete = DeleteReplicationGroupMemberAction::builder().region_name(self.replica).build();
                let delete = delete.map_err(|error| CloudError::unbuildable("a table's replica", error))?;
                asked = self.change(ReplicationGroupUpdate::builder().delete(delete).build()).await?;
            } else if self.describe(self.replica).await?.is_none() {
                return Ok(());
            } else if !listed {
                // The emulator forgets the replica in its group and keeps the table.
                self.delete_replica().await?;
            }
            if began.elapsed() > self.deadline {
                let what = format!("the end of table {} in {}", self.name, self.replica);
                return Err(CloudError::Deadline { what, waited: self.deadline });
            }
            sleep(PAUSE).await;
        }
    }

    async fn delete_replica(&self) -> Result<(), CloudError> {
        match self.client(self.replica).delete_table().table_name(self.name).send().await {
            Ok(_) => Ok(()),
            // It is on its way, or was asked for and will be again.
            Err(error) if may_pass(&error) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|error| {
                    error.is_resource_in_use_exception() || error.is_resource_not_found_exception()
                }) =>
            {
                Ok(())
            }
            Err(error) => Err(CloudError::call(format_args!("deleting table {}", self.name), &error)),
        }
    }

    /// The regions that the table has replicas in; empty if there is no table.
    pub(crate) async fn replicas(&self) -> Result<Vec<String>, CloudError> {
        let home = self.home;
        let found = self.describe(home).await?;
        let regions = found.iter().flat_map(|table| table.replicas()).filter_map(|replica| replica.region_name());
        Ok(regions.filter(|region| *region != home).map(str::to_owned).collect())
    }
}
