//! Cleaning deployments by hand, and removing them.

use matrix_lambdas::config::{NotificationConfig, PostConfig, Side};
use matrix_lambdas::{Admin as _, AnyPost};

use super::build::{CodeLocation, global_table, remove_code, stacks};
use super::clean::{Functions, clean as clean_stores, remove_by_functions};
use super::clients::Shared;
use super::deployment::Deployment;
use super::{LambdaError, Services, Settings};
use crate::aws::Access;
use crate::cloud::RUN_TAG;

/// Cleans a deployment, if it exists, and removes it if `strong`.
pub(crate) async fn clean(
    deployment: &Deployment,
    services: &Services,
    settings: &Settings,
    shared: &Shared,
    strong: bool,
) -> Result<(), LambdaError> {
    let (config, names) = (&deployment.config, &deployment.names);
    let writer_stacks = stacks(services, settings, &config.writer_region);
    let reader_stacks = stacks(services, settings, &config.reader_region);
    let built = writer_stacks.is_complete(&names.writer()).await? && reader_stacks.is_complete(&names.reader()).await?;
    if built {
        let writer = shared.lambda(services, settings, &config.writer_region);
        let reader = shared.lambda(services, settings, &config.reader_region);
        let functions = Functions { writer: &writer, reader: &reader };
        Box::pin(clean_stores(deployment, services, settings, functions, strong)).await?;
    }
    if !strong {
        return Ok(());
    }
    // Tables of MySQL are made by this driver or its functions, whoever named them.
    if !deployment.is_reached_by_functions(services) {
        let removed = AnyPost::new(config, &services.aws, Side::Writer).remove().await;
        removed.map_err(LambdaError::store("removing the tables of MySQL"))?;
    } else if built {
        remove_by_functions(deployment, shared.lambda(services, settings, &config.writer_region)).await?;
    }
    reader_stacks.delete(&names.reader()).await?;
    // Tables that are given stay.
    if services.given.dynamo.is_none() {
        if let PostConfig::Dynamo(dynamo) = &config.post {
            global_table(deployment, services, settings, &dynamo.table).remove_replica().await?;
        }
        if let NotificationConfig::Dynamo(dynamo) = &config.notification {
            global_table(deployment, services, settings, &dynamo.table).remove_replica().await?;
        }
    }
    writer_stacks.delete(&names.writer()).await?;
    Ok(())
}

/// Removes the run's code, unless a deployment of the run is left that may need it.
pub(crate) async fn code(services: &Services, settings: &Settings) -> Result<(), LambdaError> {
    for region in services.regions.values() {
        if !stacks(services, settings, region).tagged(RUN_TAG, Some(&settings.name)).await?.is_empty() {
            return Ok(());
        }
    }
    for region in services.regions.values() {
        remove_code(&services.s3_in(region), &CodeLocation::of(&settings.name, region, services)).await?;
    }
    Ok(())
}

/// Removes the code of a run that nothing but its name is known of, in one region. What lies in a given bucket goes with it.
pub(crate) async fn code_of(
    run: &str,
    region: &str,
    access: &Access,
    client: &aws_sdk_s3::Client,
) -> Result<(), LambdaError> {
    remove_code(client, &CodeLocation::made(run, region, &access.site, &access.account)).await
}
