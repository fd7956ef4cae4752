//! Clients of AWS: their common configuration, and what their failures mean.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, StalledStreamProtectionConfig};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder as HttpBuilder, Connector};
use aws_types::SdkConfig;
use matrix_app::StorageError;
use matrix_app::host::ErrorKind;

use crate::config::{ConfigError, Variables};
use crate::failure::{CALL_TIMEOUT, CONNECT_TIMEOUT, failure};

/// Attempts at one call, the first included.
const ATTEMPTS: u32 = 3;

/// Time for one attempt at a call.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(6);

/// The configuration of every client in a function: credentials from `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
/// `AWS_SESSION_TOKEN`, as the Lambda service sets them; the endpoint from `AWS_ENDPOINT_URL`, if it is set.
///
/// # Errors
/// When there are no credentials.
pub fn function_config(variables: &Variables) -> Result<SdkConfig, ConfigError> {
    let text = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
    let required = |name: &str| text(name).ok_or_else(|| ConfigError::Missing(name.to_owned()));
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        text("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    Ok(config(text("AWS_ENDPOINT_URL").as_deref(), SharedCredentialsProvider::new(credentials)))
}

/// A configuration with time-outs and bounded retries on everything, and TLS only where the endpoint needs it: a
/// function that talks to an emulator does not load certificates at its cold start.
#[must_use]
pub fn config(endpoint: Option<&str>, credentials: SharedCredentialsProvider) -> SdkConfig {
    let plain = endpoint.is_some_and(|url| url.starts_with("http://"));
    let http = if plain {
        HttpBuilder::new().build_http()
    } else {
        HttpBuilder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https()
    };
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(credentials)
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        // The time-outs above bound a stalled stream too, and do so without a timer per body.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    builder.set_endpoint_url(endpoint.map(str::to_owned));
    builder.build()
}

/// A connector for a request that no client makes, for the same endpoint as [`config`].
#[must_use]
pub fn connector(endpoint: Option<&str>) -> Connector {
    let plain = endpoint.is_some_and(|url| url.starts_with("http://"));
    let builder = Connector::builder();
    if plain { builder.build_http() } else { builder.tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build() }
}

/// The region of the given AWS name.
pub(crate) fn region(name: &str) -> Region {
    Region::new(name.to_owned())
}

/// Error codes by which services of AWS ask for fewer requests (AWS SDKs reference, "Retry behavior", and the services'
/// own lists).
const THROTTLES: [&str; 12] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Error codes of queues and buckets that are not there (Amazon SQS and S3 API references, "Errors"). A table that is not
/// there may be on its way.
const ABSENCES: [&str; 3] = ["AWS.SimpleQueueService.NonExistentQueue", "NoSuchBucket", "QueueDoesNotExist"];

/// What a failed call means.
pub(crate) fn classify<E>(service: &'static str, error: SdkError<E, HttpResponse>) -> StorageError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    failure(service, kind(&error), brief(&error))
}

/// A failed call in one line: the service's code and message, or what kept the call from it.
pub fn brief<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let SdkError::ServiceError(context) = error else { return causes(error) };
    match (context.err().code(), context.err().message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        // S3 answers some requests without a body.
        _ => match (context.raw().status().as_u16(), context.raw().headers().get("x-amz-bucket-region")) {
            (301 | 307, Some(region)) => format!("the bucket is in region {region}"),
            (403, _) => "forbidden (status 403)".to_owned(),
            (404, _) => "not found (status 404)".to_owned(),
            // It was done, and what the service says of it is no answer that the client knows.
            (status @ 200..=299, _) => {
                format!("the answer cannot be read (status {status}): {}", causes(context.err()))
            }
            (status, _) => format!("status {status}"),
        },
    }
}

/// An error and what caused it, in one line.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // Some errors repeat their cause.
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        next = cause.source();
    }
    line
}

/// What kind of failure a failed call is.
pub fn kind<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> ErrorKind {
    match error {
        SdkError::TimeoutError(_) => ErrorKind::Timeout,
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => ErrorKind::Timeout,
        SdkError::DispatchFailure(_) => ErrorKind::Unreachable,
        SdkError::ResponseError(_) => ErrorKind::Malformed,
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            match context.err().code() {
                Some(code) if THROTTLES.contains(&code) => ErrorKind::Throttled,
                _ if status == 429 => ErrorKind::Throttled,
                Some(code) if ABSENCES.contains(&code) => ErrorKind::Absent,
                _ if status >= 500 => ErrorKind::Unreachable,
                None if (200..300).contains(&status) => ErrorKind::Malformed,
                _ => ErrorKind::Refused,
            }
        }
        // A request that could not be built will not be built the next time.
        _ => ErrorKind::Refused,
    }
}

/// Whether a service answered that the thing asked for does not exist (yet).
pub(crate) fn is_not_found<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|response| response.status().as_u16() == 404)
}
