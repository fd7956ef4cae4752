//! Buckets of S3: versions and replication, which are looked at and set where that was not done; and emptying them.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{BuildError, ProvideErrorMetadata as _};
use aws_sdk_s3::types::{
    BucketVersioningStatus, Delete, DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination,
    ObjectIdentifier, ReplicationConfiguration, ReplicationRule, ReplicationRuleFilter, ReplicationRuleStatus,
    VersioningConfiguration,
};
use aws_types::SdkConfig;

use super::{Answer, CloudError, patiently};

/// How long a call that is throttled or not answered is made again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of S3 in a region. An endpoint of one's own (`own`) has no name for each bucket.
pub(crate) fn s3(aws: &SdkConfig, region: &str, own: bool) -> Client {
    let settings = aws_sdk_s3::config::Builder::from(&super::in_region(aws, region));
    Client::from_conf(settings.force_path_style(own).build())
}

/// Whether a bucket keeps versions, without which nothing is replicated.
pub(crate) async fn is_versioned(client: &Client, bucket: &str) -> Result<bool, CloudError> {
    let call = async || client.get_bucket_versioning().bucket(bucket).send().await;
    let answer = patiently(PATIENCE, call).await;
    let answer =
        answer.map_err(|error| CloudError::call(format_args!("looking at the versions of {bucket}"), &error))?;
    Ok(answer.status == Some(BucketVersioningStatus::Enabled))
}

/// Has a bucket keep versions, and looks whether it does. Says whether there was anything to do.
pub(crate) async fn ensure_versioned(client: &Client, bucket: &str) -> Result<bool, CloudError> {
    if is_versioned(client, bucket).await? {
        return Ok(false);
    }
    let wanted = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let call =
        async || client.put_bucket_versioning().bucket(bucket).versioning_configuration(wanted.clone()).send().await;
    let put = patiently(PATIENCE, call).await;
    put.map_err(|error| CloudError::call(format_args!("having bucket {bucket} keep versions"), &error))?;
    if is_versioned(client, bucket).await? {
        return Ok(true);
    }
    Err(CloudError::Ignored(format!("bucket {bucket} keeps no versions, though that was accepted")))
}

/// Looks whether a bucket is there, in the client's region, and may be used.
pub(crate) async fn find(client: &Client, bucket: &str) -> Result<(), CloudError> {
    let call = async || client.head_bucket().bucket(bucket).send().await;
    let found = patiently(PATIENCE, call).await;
    found.map(drop).map_err(|error| CloudError::call(format_args!("looking for bucket {bucket}"), &error))
}

/// Has a bucket replicated to others in a role (an ARN), and looks whether it is. Says whether there was anything to do.
pub(crate) async fn ensure_replicated(
    client: &Client,
    source: &str,
    targets: &[&str],
    role: &str,
) -> Result<bool, CloudError> {
    if missing(client, source, targets).await?.is_empty() {
        return Ok(false);
    }
    let wanted =
        configuration(targets, role).map_err(|error| CloudError::unbuildable("a bucket's replication", error))?;
    let call =
        async || client.put_bucket_replication().bucket(source).replication_configuration(wanted.clone()).send().await;
    let put = patiently(PATIENCE, call).await;
    put.map_err(|error| CloudError::call(format_args!("replicating bucket {source}"), &error))?;
    match missing(client, source, targets).await?.first() {
        None => Ok(true),
        Some(target) => {
            Err(CloudError::Ignored(format!("bucket {source} is not replicated to {target}, though that was accepted")))
        }
    }
}

/// A rule for each target. They all apply to every object.
fn configuration(targets: &[&str], role: &str) -> Result<ReplicationConfiguration, BuildError> {
    let mut rules = Vec::new();
    for (priority, target) in (1..).zip(targets) {
        let markers = DeleteMarkerReplication::builder().status(DeleteMarkerReplicationStatus::Disabled).build();
        let rule = ReplicationRule::builder()
            .id(format!("to-{target}"))
            .priority(priority)
            .status(ReplicationRuleStatus::Enabled)
            .filter(ReplicationRuleFilter::builder().prefix("").build())
            .delete_marker_replication(markers)
            .destination(Destination::builder().bucket(arn(target)).build()?)
            .build()?;
        rules.push(rule);
    }
    ReplicationConfiguration::builder().role(role).set_rules(Some(rules)).build()
}

fn arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}

/// Whether a bucket is replicated to another.
pub(crate) async fn replicates(client: &Client, source: &str, target: &str) -> Result<bool, CloudError> {
    Ok(missing(client, source, &[target]).await?.is_empty())
}

/// Those of the targets that the bucket is not replicated to.
async fn missing<'a>(client: &Client, source: &str, targets: &[&'a str]) -> Result<Vec<&'a str>, CloudError> {
    let call = async || client.get_bucket_replication().bucket(source).send().await;
    let rules = match patiently(PATIENCE, call).await {
        Ok(answer) => answer.replication_configuration.map(|found| found.rules).unwrap_or_default(),
        Err(error) if error.code() == Some("ReplicationConfigurationNotFoundError") => Vec::new(),
        Err(error) => return Err(CloudError::call(format_args!("looking at the replication of {source}"), &error)),
    };
    let goes_to = |target: &str| {
        let arn = arn(target);
        rules.iter().any(|rule| {
            let goes_there = rule.destination.as_ref().is_some_and(|to| to.bucket == arn);
            rule.status == ReplicationRuleStatus::Enabled && goes_there
        })
    };
    Ok(targets.iter().copied().filter(|target| !goes_to(target)).collect())
}

/// Deletes every version and every delete marker of what has a prefix in a bucket, a page at a time. A bucket that is not
/// there is empty.
pub(crate) async fn empty(client: &Client, bucket: &str, prefix: &str) -> Result<(), CloudError> {
    loop {
        // What was listed is gone when the next page is asked for: each is the first.
        let call = async || client.list_object_versions().bucket(bucket).prefix(prefix).send().await;
        let page = match patiently(PATIENCE, call).await {
            Ok(page) => page,
            Err(error) if error.code() == Some("NoSuchBucket") => return Ok(()),
            Err(error) => return Err(CloudError::call(format_args!("listing bucket {bucket}"), &error)),
        };
        let versions = page.versions.unwrap_or_default().into_iter().map(|it| (it.key, it.version_id));
        let markers = page.delete_markers.unwrap_or_default().into_iter().map(|it| (it.key, it.version_id));
        let mut objects = Vec::new();
        for (key, version) in versions.chain(markers) {
            let object = ObjectIdentifier::builder().set_key(key).set_version_id(version).build();
            objects.push(object.map_err(|error| CloudError::unbuildable("an object", error))?);
        }
        if objects.is_empty() {
            return Ok(());
        }
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let delete = delete.map_err(|error| CloudError::unbuildable("a deletion", error))?;
        let call = async || client.delete_objects().bucket(bucket).delete(delete.clone()).send().await;
        let answer = patiently(PATIENCE, call).await;
        let answer = answer.map_err(|error| CloudError::call(format_args!("emptying bucket {bucket}"), &error))?;
        if let Some(error) = answer.errors.unwrap_or_default().into_iter().next() {
            let why = format!("{}: {}", error.code.as_deref().unwrap_or_default(), error.message.unwrap_or_default());
            return Err(CloudError::Call { what: format!("emptying bucket {bucket}"), why, answer: Answer::Other });
        }
    }
}
