//! The clean phase: until stores and queues are observed empty.

use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::InvocationType;
use matrix_app::StorageError;
use matrix_app::host::ErrorKind;
use matrix_lambdas::config::{PostConfig, S3Config, Side};
use matrix_lambdas::function::{Control, ControlReply};
use matrix_lambdas::post::S3Posts;
use matrix_lambdas::{Admin, AnyNotification, AnyPost, EvaluationQueue};
use matrix_plan::{NotificationStorage, PostStorage};
use tokio::time::sleep;

use super::deployment::Deployment;
use super::invoke::{Answer, invoke};
use super::{LambdaError, Services, Settings};
use crate::aws::Pause;

/// First pause before stores are looked at again; it doubles.
const PAUSE: Duration = Duration::from_millis(10);

/// Longest pause before stores are looked at again.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// How long removals may take to be replicated before the reader's end is cleaned by itself: longer than the emulator's
/// and DynamoDB's usual lags.
const REPLICATED_WITHIN: Duration = Duration::from_secs(6);

/// How long a queue or a bucket is to be said not to be there until that is believed.
pub(super) const ABSENT_FOR: Duration = Duration::from_secs(4);

/// The functions of a deployment, for stores that only they reach.
#[derive(Clone, Copy)]
pub(crate) struct Functions<'a> {
    pub(crate) writer: &'a Client,
    pub(crate) reader: &'a Client,
}

/// Cleans a deployment's stores and its queue. They are empty at some moment after this began; what a function of an
/// attempt that was cut short still writes may come later. If it is the last time, a queue that is not there will do.
pub(crate) async fn clean(
    deployment: &Deployment,
    services: &Services,
    settings: &Settings,
    functions: Functions<'_>,
    is_last: bool,
) -> Result<(), LambdaError> {
    let (config, aws) = (&deployment.config, &services.aws);
    let patience = &Patience { pause: services.pause(), limit: settings.clean_deadline };
    let queue = EvaluationQueue::new(&config.evaluations, aws, &config.reader_region);
    let evaluations = async {
        let emptied = emptied("the queue of evaluations", &queue, None::<&EvaluationQueue>, false, patience).await;
        match emptied {
            Err(LambdaError::Store { source: StorageError { kind: ErrorKind::Absent, message, .. }, .. })
                if !is_last =>
            {
                let is_given = services.given.evaluations.is_some();
                Err(LambdaError::NoQueue { region: config.reader_region.clone(), is_given, why: message })
            }
            Err(LambdaError::Store { source: StorageError { kind: ErrorKind::Absent, .. }, .. }) => Ok(()),
            other => other,
        }
    };
    // What is written to a bucket is replicated to all that it was set up for; no VPC is in the way of any.
    let elsewhere = async {
        let PostConfig::S3(s3) = &config.post else { return Ok(()) };
        for (region, bucket) in services.other_buckets([&s3.writer, &s3.reader]) {
            let here = S3Config { writer: bucket.to_owned(), reader: bucket.to_owned() };
            let bucket = S3Posts::new(&here, aws, region, Side::Reader);
            emptied("a further bucket of posts", &bucket, None::<&S3Posts>, true, patience).await?;
        }
        Ok(())
    };
    if deployment.is_reached_by_functions(services) {
        by_functions(deployment, functions, patience).await?;
        elsewhere.await?;
        return evaluations.await;
    }
    let posts = [Side::Writer, Side::Reader].map(|side| AnyPost::new(config, aws, side));
    // Tables that several deployments share may have gone with another one.
    posts[0].build().await.map_err(LambdaError::store("building the post storage"))?;
    let notifications = [Side::Writer, Side::Reader].map(|side| AnyNotification::new(config, aws, side));
    // Removals of versions do not replicate; a broker holds messages until they are taken from it.
    let each_post = deployment.spec.post_storage == PostStorage::S3;
    let each_notification = deployment.spec.notification_storage == NotificationStorage::Amq;
    // A topic keeps nothing.
    let has_notifications = deployment.spec.notification_storage != NotificationStorage::Sns;
    let notifications = async {
        if has_notifications {
            let [writer, reader] = &notifications;
            emptied("the notification storage", writer, Some(reader), each_notification, patience).await?;
        }
        Ok(())
    };
    tokio::try_join!(
        emptied("the post storage", &posts[0], Some(&posts[1]), each_post, patience),
        notifications,
        evaluations
    )?;
    elsewhere.await
}

/// How long something may take, pauses apart.
struct Patience {
    pause: Pause,
    limit: Duration,
}

/// Empties both ends of a store, and looks until both are seen empty at the same time. `each` says whether the reader's
/// end is to be emptied by itself, because removals are not replicated to it.
async fn emptied<A: Admin>(
    what: &str,
    writer: &A,
    reader: Option<&A>,
    each: bool,
    patience: &Patience,
) -> Result<(), LambdaError> {
    let began = patience.pause.stopwatch();
    let mut pause = PAUSE;
    loop {
        let look = async {
            let far_too = each || began.elapsed() > REPLICATED_WITHIN;
            let near = async { end_is_empty(writer, true).await };
            let far = async {
                match reader {
                    Some(reader) => end_is_empty(reader, far_too).await,
                    None => Ok(true),
                }
            };
            let (near, far) = tokio::try_join!(near, far)?;
            Ok::<_, StorageError>(near && far)
        };
        // A server that is away may come back.
        let failure = match look.await {
            Ok(true) => return Ok(()),
            Ok(false) => None,
            Err(error) => Some(error),
        };
        let is_absent = failure.as_ref().is_some_and(|error| error.kind == ErrorKind::Absent);
        if began.elapsed() > if is_absent { ABSENT_FOR.min(patience.limit) } else { patience.limit } {
            return Err(match failure {
                Some(error) => LambdaError::store(format_args!("cleaning {what}"))(error),
                None => LambdaError::Deadline { what: format!("{what} empty"), waited: patience.limit },
            });
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Whether an end is empty. If not, and it may be, it is cleaned, and looked at next time.
async fn end_is_empty(end: &impl Admin, may_clean: bool) -> Result<bool, StorageError> {
    let empty = end.is_empty().await?;
    if !empty && may_clean {
        end.clean().await?;
    }
    Ok(empty)
}

/// Has the functions clean and count until they count nothing.
async fn by_functions(
    deployment: &Deployment,
    functions: Functions<'_>,
    patience: &Patience,
) -> Result<(), LambdaError> {
    let began = patience.pause.stopwatch();
    let mut pause = PAUSE_MAX;
    let (writer, reader) = (deployment.names.writer(), deployment.names.reader());
    let ends = [(functions.writer, writer.as_str()), (functions.reader, reader.as_str())];
    loop {
        // A server that is away may come back, and tables that the writer's end made arrive at the reader's by replication.
        let counted = cleaned(ends).await;
        if matches!(counted, Ok(0)) {
            return Ok(());
        }
        if began.elapsed() > patience.limit {
            let left = counted?;
            return Err(LambdaError::Deadline { what: format!("{left} stored items gone"), waited: patience.limit });
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX * 8);
    }
}

/// Has the writer's function remove what it has built.
pub(crate) async fn remove_by_functions(deployment: &Deployment, writer: Client) -> Result<(), LambdaError> {
    control(&writer, &deployment.names.writer(), Control::Remove).await.map(drop)
}

/// Has both functions clean, and counts what is left then.
async fn cleaned(ends: [(&Client, &str); 2]) -> Result<u64, LambdaError> {
    for (client, function) in ends {
        control(client, function, Control::Clean).await?;
    }
    let mut items = 0;
    for (client, function) in ends {
        let stats = control(client, function, Control::Stats).await?.body.stats;
        // Whoever does not tell is asked again.
        items += stats.map_or(1, |stats| stats.posts.items + stats.notifications.items);
    }
    Ok(items)
}

async fn control(client: &Client, function: &str, control: Control) -> Result<ControlReply, LambdaError> {
    /// How long a control request is tried when it is throttled.
    const PATIENCE: Duration = Duration::from_secs(30);
    /// Most refusals of credentials.
    const REFUSALS_MAX: u32 = 10;
    let payload = control.to_json().as_bytes().to_vec();
    let failed = |why: String| LambdaError::Aws { what: format!("asking {function}"), why };
    for _ in 0..REFUSALS_MAX {
        let invoked = invoke(client, function, payload.clone(), &InvocationType::RequestResponse, PATIENCE).await;
        return match invoked.answer {
            Answer::Reply(reply) => serde_json::from_slice(reply.as_ref()).map_err(|error| failed(error.to_string())),
            Answer::Accepted => Err(failed("no answer".into())),
            Answer::Failed(why) | Answer::Unknown(why) => Err(failed(why)),
            // The next waits for new credentials.
            Answer::Refused => continue,
        };
    }
    Err(failed("the credentials are refused".into()))
}
