//! The build phase: from a deployment as it is to be to one that is.

mod code;
mod replication;
mod stack;

use std::time::{Duration, Instant};

use aws_sdk_lambda::types::{LastUpdateStatus, State};
use aws_types::SdkConfig;
use matrix_lambdas::config::{NotificationConfig, PostConfig, Side};
use matrix_lambdas::{Admin as _, AnyNotification, AnyPost};
use tokio::time::sleep;

pub(crate) use code::remove as remove_code;
pub(crate) use replication::{GlobalTable, s3};
pub(crate) use stack::Stacks;

use super::deployment::Deployment;
use super::names::code_bucket;
use super::{LambdaError, Services, Settings, template};

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
    let packages = settings.packages.as_ref();
    let packages = packages.ok_or_else(|| LambdaError::Settings("building takes the functions' packages".into()))?;
    let upload = async |region: &str, package: &[u8]| {
        let bucket = code_bucket(&settings.name, region, services);
        code::upload(&s3(services, region), &bucket, region, package).await
    };
    let writer_code = upload(writer_region, &packages.writer).await?;
    let reader_code = upload(reader_region, &packages.reader).await?;

    let writer = async || {
        let wanted = template::writer(deployment, services, settings, &writer_code);
        stacks(services, settings, writer_region).ensure(&names.writer(), &wanted).await
    };
    let reader = async |stream: Option<String>| {
        let wanted = template::reader(deployment, services, settings, &reader_code, stream.as_deref());
        stacks(services, settings, reader_region).ensure(&names.reader(), &wanted).await
    };
    let mut changed = false;
    if let NotificationConfig::Dynamo(dynamo) = &config.notification {
        // The reader's stack asks for the stream of a table that the writer's makes.
        changed |= writer().await?;
        let (stream, made) = global_table(deployment, services, settings, &dynamo.table).ensure().await?;
        changed |= made | reader(Some(stream)).await?;
    } else {
        // The writer's stack subscribes a function that the reader's makes.
        changed |= reader(None).await?;
        changed |= writer().await?;
    }
    if let PostConfig::Dynamo(dynamo) = &config.post {
        changed |= global_table(deployment, services, settings, &dynamo.table).ensure().await?.1;
    }
    if let PostConfig::S3(buckets) = &config.post {
        changed |= replication::ensure_bucket(services, writer_region, &buckets.writer, &buckets.reader).await?;
    }
    if !deployment.is_reached_by_functions(services) {
        let building = LambdaError::store;
        AnyPost::new(config, &services.aws, Side::Writer)
            .build()
            .await
            .map_err(building("building the post storage"))?;
        let notifications = AnyNotification::new(config, &services.aws, Side::Writer);
        notifications.build().await.map_err(building("building the notification storage"))?;
    }
    for (region, name) in [(writer_region, names.writer()), (reader_region, names.reader())] {
        active(&services.aws_in(region), &name, settings.build_deadline).await?;
    }
    Ok(changed)
}

/// The stacks of a region.
pub(crate) fn stacks(services: &Services, settings: &Settings, region: &str) -> Stacks {
    Stacks {
        client: aws_sdk_cloudformation::Client::new(&services.aws_in(region)),
        run: settings.name.clone(),
        deadline: settings.build_deadline,
    }
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
    GlobalTable { services, name, home, replica, deadline: settings.build_deadline }
}

/// Waits until a function and its event sources are active.
async fn active(aws: &SdkConfig, name: &str, deadline: Duration) -> Result<(), LambdaError> {
    let client = aws_sdk_lambda::Client::new(aws);
    let began = Instant::now();
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
