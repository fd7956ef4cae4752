//! Calls that are tried again.

use std::time::{Duration, Instant};

use aws_sdk_cloudformation::config::http::HttpResponse;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_types::SdkConfig;
use aws_types::region::Region;
use matrix_app::host::ErrorKind;
use matrix_lambdas::aws::kind;
use tokio::time::sleep;

/// First pause before a call is tried again; it doubles.
const PAUSE: Duration = Duration::from_millis(200);

/// Longest pause before a call is tried again.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Whether a call may succeed when it is tried again: it was throttled, or there was no answer. Then it may have been done.
pub(crate) fn may_pass<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        // Credentials that could not be had are a failure to send, too, but not one that passes.
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
        _ => !matches!(kind(error), ErrorKind::Refused | ErrorKind::Absent | ErrorKind::Malformed),
    }
}

/// Makes a call that only asks, or that can be done twice, until it succeeds, is refused, or `patience` is over.
pub(crate) async fn patiently<T, E: ProvideErrorMetadata>(
    patience: Duration,
    mut call: impl AsyncFnMut() -> Result<T, SdkError<E, HttpResponse>>,
) -> Result<T, SdkError<E, HttpResponse>> {
    let began = Instant::now();
    let mut pause = PAUSE.min(patience / 10);
    loop {
        match call().await {
            Err(error) if may_pass(&error) && began.elapsed() < patience => {}
            answer => return answer,
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// The clients' configuration for a region, by its AWS name.
pub(crate) fn in_region(aws: &SdkConfig, region: &str) -> SdkConfig {
    aws.to_builder().region(Region::new(region.to_owned())).build()
}
