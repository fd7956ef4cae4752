//! The build phase: creates or updates resources until they match the deployment's specification.

mod code;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_lambda::types::{LastUpdateStatus, State};
use matrix_lambdas::config::{NotificationConfig, PostConfig, Side};
use matrix_lambdas::{Admin as _, AnyNotification, AnyPost};
use tokio::time::sleep;

pub(crate) use code::{CodeLocation, remove as remove_code};

use super::deployment::Deployment;
use super::resources::replication_role_name;
use super::template::{self, Template};
use super::{LambdaError, Services, Settings, Unserved};
use crate::cloud::{GlobalTable, Patience, RUN_TAG, Stacks, Wanted, ensure_replicated, is_versioned, replicates};

/// How long a stack of a function in a network may take: CloudFormation waits until Lambda has removed the function's network
/// interfaces (AWS re:Post speaks of 20 to 40 minutes).
const INTERFACES_WITHIN: Duration = Duration::from_secs(3600);

/// Pause before a function or an event source is looked at again.
const PAUSE: Duration = Duration::from_millis(100);

/// Builds one deployment. Says whether there was anything to do.
pub(crate) async fn build(
    deployment: &Deployment,
    services: &Services,
    settings: &Settings,
) -> Result<bool, LambdaError> {
    let (config, names) = (&deployment.config, &deployment.names);
    let (writer_region, reader_region) = (config.writer_region.as_str(), config.reader_region.as_str());
    let packages = settings.packages.as_ref().ok_or(Unserved::NoPackages)?;
    let upload = async |region: &str, package: &[u8]| {
        let (client, place) = (services.s3_in(region), code::CodeLocation::of(&settings.name, region, services));
        code::upload(&client, &place, region, package).await
    };
    let writer_code = upload(writer_region, &packages.writer).await?;
    let reader_code = upload(reader_region, &packages.reader).await?;

    let writer = async || {
        let wanted = template::writer(deployment, services, settings, &writer_code)?;
        ensure(services, settings, writer_region, &names.writer(), wanted).await
    };
    let reader = async |stream: Option<String>| {
        let wanted = template::reader(deployment, services, settings, &reader_code, stream.as_deref())?;
        ensure(services, settings, reader_region, &names.reader(), wanted).await
    };
    let mut changed = false;
    if let NotificationConfig::Dynamo(dynamo) = &config.notification {
        // The reader's stack asks for the stream of a table that the writer's makes.
        changed |= writer().await?;
        let (stream, made) = table(deployment, services, settings, &dynamo.table).await?;
        let stream = services.given_stream(reader_region).map_or(stream, str::to_owned);
        changed |= made | reader(Some(stream)).await?;
    } else {
        // The writer's stack subscribes a function that the reader's makes.
        changed |= reader(None).await?;
        changed |= writer().await?;
    }
    if let PostConfig::Dynamo(dynamo) = &config.post {
        changed |= table(deployment, services, settings, &dynamo.table).await?.1;
    }
    if let PostConfig::S3(buckets) = &config.post {
        let (source, target) = ((writer_region, buckets.writer.as_str()), (reader_region, buckets.reader.as_str()));
        changed |= replication(services, source, target).await?;
    }
    for (region, name) in [(writer_region, names.writer()), (reader_region, names.reader())] {
        active(services, region, &name, settings.build_deadline).await?;
    }
    // What only functions reach they build when they clean.
    if !deployment.is_reached_by_functions(services) {
        let building = LambdaError::store;
        AnyPost::new(config, &services.aws, Side::Writer)
            .build()
            .await
            .map_err(building("building the post storage"))?;
        let notifications = AnyNotification::new(config, &services.aws, Side::Writer);
        notifications.build().await.map_err(building("building the notification storage"))?;
    }
    Ok(changed)
}

/// The stacks of a region.
pub(crate) fn stacks(services: &Services, settings: &Settings, region: &str) -> Stacks {
    let client = aws_sdk_cloudformation::Client::new(&services.aws_in(region));
    let within = if services.inside.is_empty() { Duration::ZERO } else { INTERFACES_WITHIN };
    Stacks::new(client, Patience::of(settings.build_deadline.max(within)))
        .acting_as(services.given.cloudformation_role_arn.clone())
        .pausing_with(services.pause())
}

/// Makes a stack of the run as its template says. Says whether there was anything to do.
async fn ensure(
    services: &Services,
    settings: &Settings,
    region: &str,
    name: &str,
    template: Template,
) -> Result<bool, LambdaError> {
    let owner = (RUN_TAG, settings.name.clone());
    let Template { body, parameters } = template;
    let wanted = Wanted { name, template: &body, parameters, owner, tags: BTreeMap::new() };
    Ok(stacks(services, settings, region).ensure(&wanted).await?.changed)
}

/// One of a deployment's tables.
pub(crate) fn global_table<'a>(
    deployment: &'a Deployment,
    services: &'a Services,
    settings: &Settings,
    name: &'a str,
) -> GlobalTable<'a> {
    let config = &deployment.config;
    let (home, replica) = (&config.writer_region, &config.reader_region);
    let deadline = settings.build_deadline;
    GlobalTable { aws: &services.aws, name, home, replica, deadline, staleness: Patience::of(deadline).staleness }
}

/// Has a table replicated, and gives the ARN of its stream in the reader's region. One that is given is only looked at. Says
/// too whether there was anything to do.
async fn table(
    deployment: &Deployment,
    services: &Services,
    settings: &Settings,
    name: &str,
) -> Result<(String, bool), LambdaError> {
    let table = global_table(deployment, services, settings, name);
    if services.given.dynamo.is_none() {
        let replicated = table.ensure().await?;
        return Ok((replicated.stream, !replicated.set.is_empty()));
    }
    let stream = table.stream().await?.ok_or_else(|| {
        let (home, replica) = (table.home.to_owned(), table.replica.to_owned());
        Unserved::TableNotReplicated { table: name.to_owned(), home, replica }
    })?;
    Ok((stream, false))
}

/// Has a bucket replicated to another, each with its region. Those that are given are only looked at. Says whether there was
/// anything to do.
async fn replication(
    services: &Services,
    (region, source): (&str, &str),
    (far, target): (&str, &str),
) -> Result<bool, LambdaError> {
    let client = services.s3_in(region);
    if services.given.s3.is_none() {
        let role = format!("arn:aws:iam::{}:role/{}", services.account, replication_role_name(source));
        return Ok(ensure_replicated(&client, source, &[target], &role).await?);
    }
    for (client, bucket) in [(&client, source), (&services.s3_in(far), target)] {
        if !is_versioned(client, bucket).await? {
            return Err(Unserved::NoVersions(bucket.to_owned()).into());
        }
    }
    if replicates(&client, source, target).await? {
        return Ok(false);
    }
    Err(Unserved::BucketNotReplicated { bucket: source.to_owned(), target: target.to_owned() }.into())
}

/// Waits until a function and its event sources are active.
async fn active(services: &Services, region: &str, name: &str, deadline: Duration) -> Result<(), LambdaError> {
    let client = aws_sdk_lambda::Client::new(&services.aws_in(region));
    let began = services.pause().stopwatch();
    loop {
        let looking = format_args!("looking at function {name}");
        let function = client.get_function_configuration().function_name(name).send().await;
        let function = function.map_err(|error| LambdaError::aws(looking, error))?;
        let ready = matches!(function.state, None | Some(State::Active | State::Inactive))
            && matches!(function.last_update_status, None | Some(LastUpdateStatus::Successful));
        let sources = client.list_event_source_mappings().function_name(name).send().await;
        let sources = sources.map_err(|error| LambdaError::aws(looking, error))?;
        let enabled = sources.event_source_mappings().iter().all(|source| source.state() == Some("Enabled"));
        if ready && enabled {
            return Ok(());
        }
        if began.elapsed() > deadline {
            return Err(LambdaError::Deadline { what: format!("function {name}"), waited: deadline });
        }
        sleep(PAUSE).await;
    }
}
