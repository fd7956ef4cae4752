//! The functions' packages in S3.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use crate::lambda::LambdaError;
use crate::lambda::names::hex;
use crate::lambda::template::Code;

/// The oldest region, whose name is no constraint of a bucket's place.
const NAMELESS_REGION: &str = "us-east-1";

/// Puts a package into a region's bucket of code, unless it is there: its key is its digest.
pub(super) async fn upload(client: &Client, bucket: &str, region: &str, package: &[u8]) -> Result<Code, LambdaError> {
    let code = Code { bucket: bucket.to_owned(), key: format!("{}.zip", hex(package)) };
    let found = client.head_object().bucket(bucket).key(&code.key).send().await;
    match found {
        Ok(_) => return Ok(code),
        Err(SdkError::ServiceError(error)) if error.raw().status().as_u16() == 404 => {}
        Err(error) => return Err(LambdaError::aws(format_args!("looking for code in {bucket}"), error)),
    }
    let place =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build();
    let place = (region != NAMELESS_REGION).then_some(place);
    match client.create_bucket().bucket(bucket).set_create_bucket_configuration(place).send().await {
        Ok(_) => {}
        Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => {}
        Err(error) => return Err(LambdaError::aws(format_args!("making bucket {bucket}"), error)),
    }
    let put = client.put_object().bucket(bucket).key(&code.key).body(ByteStream::from(package.to_vec()));
    put.send().await.map_err(|error| LambdaError::aws(format_args!("putting code into {bucket}"), error))?;
    Ok(code)
}

/// Removes a region's bucket of code, if it is there.
pub(crate) async fn remove(client: &Client, bucket: &str) -> Result<(), LambdaError> {
    let objects = match client.list_objects_v2().bucket(bucket).send().await {
        Ok(answer) => answer.contents.unwrap_or_default(),
        Err(error) if error.code() == Some("NoSuchBucket") => return Ok(()),
        Err(error) => return Err(LambdaError::aws(format_args!("listing {bucket}"), error)),
    };
    for key in objects.into_iter().filter_map(|object| object.key) {
        let deleted = client.delete_object().bucket(bucket).key(key).send().await;
        deleted.map_err(|error| LambdaError::aws(format_args!("emptying {bucket}"), error))?;
    }
    match client.delete_bucket().bucket(bucket).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("NoSuchBucket") => Ok(()),
        Err(error) => Err(LambdaError::aws(format_args!("deleting {bucket}"), error)),
    }
}
