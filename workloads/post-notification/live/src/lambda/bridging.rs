//! The bridge of an attempt: what hands a broker's messages to the reader, where nobody else does.

use std::time::Duration;

use matrix_lambdas::config::{NotificationConfig, Side};
use matrix_lambdas::stomp::Credentials;
use matrix_lambdas::{Admin as _, AnyNotification};
use tokio::time::{sleep, timeout};

use super::deployment::Deployment;
use super::join::Join;
use super::{LambdaError, Services};
use crate::testbed::{Bridge, BridgeSettings};

/// How long a broker may take to come back when a bridge is to start.
const BROKER_BACK_WITHIN: Duration = Duration::from_secs(30);

/// Invocations of the reader for one message, the first included.
const DELIVERIES: u32 = 3;

/// How long a bridge may take to end with the message under way.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// How often is looked whether all is handed over.
const TICK: Duration = Duration::from_millis(100);

/// Starts a deployment's bridge, if it needs one.
pub(crate) async fn start(
    deployment: &Deployment,
    services: &Services,
    reader: &aws_sdk_lambda::Client,
) -> Result<Option<Bridge>, LambdaError> {
    let NotificationConfig::Amq(amq) = &deployment.config.notification else { return Ok(None) };
    let region = &deployment.spec.regions.reader;
    if services.brokers.as_ref().is_none_or(|brokers| brokers.mapping(region).is_some()) {
        return Ok(None);
    }
    let settings = BridgeSettings {
        broker: amq.reader.clone(),
        credentials: Credentials { user: amq.user.clone(), password: amq.password.clone() },
        ca_file: amq.ca_file.as_ref().map(Into::into),
        queue: amq.queue.clone(),
        function: deployment.names.reader(),
        attempts: DELIVERIES,
    };
    let began = services.pause().stopwatch();
    loop {
        match Bridge::start(settings.clone(), reader.clone()).await {
            Ok(bridge) => return Ok(Some(bridge)),
            Err(error) if began.elapsed() > BROKER_BACK_WITHIN => return Err(error.into()),
            Err(_) => sleep(Duration::from_millis(500)).await,
        }
    }
}

/// Waits until the reader has taken what was published and neither broker has a message left: nobody ends an event source of
/// AWS either when the last request is sent. Where nothing is taken for `patience`, what is left stays in the queue.
pub(crate) async fn handed_over(
    bridge: Option<&Bridge>,
    published: u64,
    deployment: &Deployment,
    services: &Services,
    patience: Duration,
) {
    let Some(bridge) = bridge else { return };
    let brokers =
        [Side::Writer, Side::Reader].map(|side| AnyNotification::new(&deployment.config, &services.aws, side));
    let mut progress = services.pause().stopwatch();
    let mut before = bridge.counts();
    while progress.elapsed() <= patience {
        let now = bridge.counts();
        if now != before {
            progress.restart();
            before = now;
        }
        // A message that is acknowledged has left its broker; one that is under way has not. A broker that is away may
        // come back.
        if now.delivered + now.given_up >= published
            && matches!(tokio::try_join!(brokers[0].is_empty(), brokers[1].is_empty()), Ok((true, true)))
        {
            return;
        }
        sleep(TICK).await;
    }
}

/// Ends a bridge and counts what it went through.
pub(crate) async fn ended(bridge: Option<Bridge>, join: &mut Join) {
    let Some(bridge) = bridge else { return };
    let counts = bridge.counts();
    // A message under way goes back to the queue, which is cleaned.
    let counts = timeout(ENDS_WITHIN, bridge.stop()).await.unwrap_or(counts);
    join.note("bridge_retried", counts.retried);
    join.note("bridge_given_up", counts.given_up);
    join.note("bridge_reconnected", counts.reconnected);
}
