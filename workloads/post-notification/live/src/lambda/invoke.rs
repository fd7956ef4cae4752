//! Invocations of functions.

use std::time::{Duration, Instant};

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_types::SdkConfig;
use matrix_lambdas::aws::brief;
use tokio::time::sleep;

use crate::aws::is_refusal;

/// Time to open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What an answer may take on its way, beyond the function's own time-out.
const WAY: Duration = Duration::from_secs(10);

/// First pause before a throttled invocation is tried again; it doubles up to the longest, and each is drawn between
/// half of it and all of it, so that those who were throttled together do not come back together.
const PAUSE: Duration = Duration::from_millis(50);

/// Longest pause before a throttled invocation is tried again.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Error codes with which AWS Lambda refuses an invocation before the function runs (AWS Lambda API reference, "Invoke").
const REFUSED_BEFORE: [&str; 3] = ["TooManyRequestsException", "EC2ThrottledException", "ResourceNotReadyException"];

/// A client of functions in one region. It tries nothing again by itself: an invocation whose answer is missing may have
/// been executed. Its only limit is the function's time-out.
pub(crate) fn client(aws: &SdkConfig, function_timeout: Duration) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(function_timeout + WAY)
        .disable_operation_timeout()
        .disable_operation_attempt_timeout()
        .build();
    let settings = aws_sdk_lambda::config::Builder::from(aws);
    Client::from_conf(settings.timeout_config(timeouts).retry_config(RetryConfig::disabled()).build())
}

/// How an invocation ended.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The function answered.
    Reply(Blob),
    /// The service took it and will invoke the function.
    Accepted,
    /// The function failed, or the service refused: nobody will answer.
    Failed(String),
    /// The credentials were refused: nothing was done. Whoever asks again waits for new ones.
    Refused,
    /// No answer came: the function may have been invoked or not.
    Unknown(String),
}

/// An answer, and how often the service asked to come back later.
#[derive(Debug)]
pub(crate) struct Invoked {
    pub(crate) answer: Answer,
    pub(crate) throttled: u64,
}

/// Invokes a function. Only what was refused before the function ran is tried again, as long as `patience` lasts.
pub(crate) async fn invoke(
    client: &Client,
    function: &str,
    payload: Vec<u8>,
    kind: &InvocationType,
    patience: Duration,
) -> Invoked {
    let payload = Blob::new(payload);
    let began = Instant::now();
    let (mut throttled, mut pause) = (0, PAUSE);
    loop {
        let invocation = client.invoke().function_name(function).invocation_type(kind.clone()).payload(payload.clone());
        let answer = match invocation.send().await {
            Ok(output) if output.function_error.is_some() => {
                let said = output.payload.map(Blob::into_inner).unwrap_or_default();
                Answer::Failed(String::from_utf8_lossy(&said).into_owned())
            }
            Ok(_) if *kind == InvocationType::Event => Answer::Accepted,
            Ok(output) => Answer::Reply(output.payload.unwrap_or_else(|| Blob::new(Vec::new()))),
            Err(error) => match &error {
                SdkError::ServiceError(context) => {
                    let code = context.err().code();
                    if is_refusal(code) {
                        return Invoked { answer: Answer::Refused, throttled };
                    }
                    let before = context.raw().status().as_u16() == 429
                        || code.is_some_and(|code| REFUSED_BEFORE.contains(&code));
                    if before {
                        throttled += 1;
                        if began.elapsed() < patience {
                            sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                            pause = (pause * 2).min(PAUSE_MAX);
                            continue;
                        }
                    }
                    Answer::Failed(brief(&error))
                }
                SdkError::ConstructionFailure(_) => Answer::Failed(brief(&error)),
                _ => Answer::Unknown(brief(&error)),
            },
        };
        return Invoked { answer, throttled };
    }
}
