//! The functions' packages in S3.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use crate::cloud::empty;
use crate::lambda::names::{code_bucket, code_prefix, hex};
use crate::lambda::template::Code;
use crate::lambda::{LambdaError, Services, Site};

/// The oldest region, whose name is no constraint of a bucket's place.
const NAMELESS_REGION: &str = "us-east-1";

/// Where a run's code is in a region.
#[derive(Debug)]
pub(crate) struct CodeLocation {
    bucket: String,
    /// What the keys begin with.
    prefix: String,
    /// Whether the bucket is there already, and stays.
    is_given: bool,
}

impl CodeLocation {
    pub(crate) fn of(run: &str, region: &str, services: &Services) -> Self {
        match services.given.code_buckets.get(region) {
            Some(bucket) => Self { bucket: bucket.clone(), prefix: code_prefix(run), is_given: true },
            None => Self::made(run, region, &services.site, &services.account),
        }
    }

    /// A bucket that is made for the run.
    pub(crate) fn made(run: &str, region: &str, site: &Site, account: &str) -> Self {
        Self { bucket: code_bucket(run, region, site, account), prefix: String::new(), is_given: false }
    }
}

/// Puts a package into a region's bucket of code, unless it is there: its key is its digest.
pub(super) async fn upload(
    client: &Client,
    place: &CodeLocation,
    region: &str,
    package: &[u8],
) -> Result<Code, LambdaError> {
    let bucket = place.bucket.as_str();
    let code = Code { bucket: bucket.to_owned(), key: format!("{}{}.zip", place.prefix, hex(package)) };
    let found = client.head_object().bucket(bucket).key(&code.key).send().await;
    match found {
        Ok(_) => return Ok(code),
        Err(SdkError::ServiceError(error)) if error.raw().status().as_u16() == 404 => {}
        Err(error) => return Err(LambdaError::aws(format_args!("looking for code in {bucket}"), error)),
    }
    if !place.is_given {
        make_bucket(client, bucket, region).await?;
    }
    let put = client.put_object().bucket(bucket).key(&code.key).body(ByteStream::from(package.to_vec()));
    put.send().await.map_err(|error| LambdaError::aws(format_args!("putting code into {bucket}"), error))?;
    Ok(code)
}

async fn make_bucket(client: &Client, bucket: &str, region: &str) -> Result<(), LambdaError> {
    let place =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build();
    let place = (region != NAMELESS_REGION).then_some(place);
    match client.create_bucket().bucket(bucket).set_create_bucket_configuration(place).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
        Err(error) => Err(LambdaError::aws(format_args!("making bucket {bucket}"), error)),
    }
}

/// Removes a run's code from a region, with its bucket unless that is given. What is not there is removed.
pub(crate) async fn remove(client: &Client, place: &CodeLocation) -> Result<(), LambdaError> {
    let bucket = place.bucket.as_str();
    empty(client, bucket, &place.prefix).await?;
    if place.is_given {
        return Ok(());
    }
    match client.delete_bucket().bucket(bucket).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("NoSuchBucket") => Ok(()),
        Err(error) => Err(LambdaError::aws(format_args!("deleting {bucket}"), error)),
    }
}
