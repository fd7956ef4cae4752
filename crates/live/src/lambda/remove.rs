//! Cleaning deployments by hand, and removing them.

use matrix_lambdas::config::{NotificationConfig, PostConfig, Side};
use matrix_lambdas::post::MysqlPosts;

use super::build::{global_table, remove_code, s3, stacks};
use super::clean::{Functions, clean as clean_stores};
use super::clients::Shared;
use super::deployment::Deployment;
use super::names::code_bucket;
use super::{LambdaError, Services, Settings};

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
        clean_stores(deployment, services, settings, functions).await?;
    }
    if !strong {
        return Ok(());
    }
    if let PostConfig::Mysql(mysql) = &config.post
        && !deployment.is_reached_by_functions(services)
    {
        let removed = MysqlPosts::new(mysql, Side::Writer).remove().await;
        removed.map_err(LambdaError::store("removing the tables of MySQL"))?;
    }
    reader_stacks.delete(&names.reader()).await?;
    if let PostConfig::Dynamo(dynamo) = &config.post {
        global_table(deployment, services, settings, &dynamo.table).remove_replica().await?;
    }
    if let NotificationConfig::Dynamo(dynamo) = &config.notification {
        global_table(deployment, services, settings, &dynamo.table).remove_replica().await?;
    }
    writer_stacks.delete(&names.writer()).await
}

/// Removes the run's code, unless a deployment of the run is left that may need it.
pub(crate) async fn code(services: &Services, settings: &Settings) -> Result<(), LambdaError> {
    for region in services.regions.values() {
        if stacks(services, settings, region).any_of_the_run().await? {
            return Ok(());
        }
    }
    for region in services.regions.values() {
        remove_code(&s3(services, region), &code_bucket(&settings.name, region, services)).await?;
    }
    Ok(())
}
