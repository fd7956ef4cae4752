//! Receiving evaluations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::types::DeleteMessageBatchRequestEntry;
use aws_types::SdkConfig;
use matrix_app::host::ErrorKind;
use matrix_lambdas::aws::{brief, kind};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::LambdaError;
use super::clean::ABSENT_FOR;

/// Most messages of one batch (a limit of SQS).
const BATCH: i32 = 10;

/// First pause after a receipt that failed; it doubles.
const PAUSE: Duration = Duration::from_millis(100);

/// Longest pause after a receipt that failed.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Time for a call of the queue, besides its wait for messages.
const CALL_TIMEOUT: Duration = Duration::from_secs(6);

/// A client of queues in one region that waits `wait_s` for messages.
pub(crate) fn client(aws: &SdkConfig, wait_s: u8) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CALL_TIMEOUT)
        .operation_attempt_timeout(CALL_TIMEOUT + Duration::from_secs(wait_s.into()))
        .disable_operation_timeout()
        .build();
    Client::from_conf(aws_sdk_sqs::config::Builder::from(aws).timeout_config(timeouts).build())
}

/// Messages that came together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) bodies: Vec<String>,
    receipts: Vec<String>,
}

/// The queue of a deployment.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    client: Client,
    url: String,
    /// AWS name of its region.
    region: String,
    /// Whether the file of endpoints names it.
    is_given: bool,
    wait_s: u8,
    failures: Arc<AtomicU64>,
}

impl Receiver {
    /// Of the queue with this URL in a region. `is_given` says whether the file of endpoints names it.
    pub(crate) fn new(client: Client, url: String, region: String, is_given: bool, wait_s: u8) -> Self {
        Self { client, url, region, is_given, wait_s: wait_s.clamp(1, 20), failures: Arc::default() }
    }

    /// The queue is not there.
    pub(crate) fn gone(&self, why: String) -> LambdaError {
        LambdaError::NoQueue { region: self.region.clone(), is_given: self.is_given, why }
    }

    /// Calls of the queue that failed, by this and its clones.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Hands over what comes until it is stopped. A request for messages is never given up: a service may go on serving
    /// it, and hand the next message to nobody.
    ///
    /// What is handed over last is the service's answer if the queue is not there.
    pub(crate) async fn receive(self, batches: mpsc::Sender<Result<Batch, String>>, stop: Arc<AtomicBool>) {
        let mut pause = PAUSE;
        let mut absent_since = None;
        while !stop.load(Ordering::Relaxed) {
            let question = self.client.receive_message().queue_url(&self.url).max_number_of_messages(BATCH);
            match question.wait_time_seconds(self.wait_s.into()).send().await {
                Ok(answer) => {
                    (pause, absent_since) = (PAUSE, None);
                    let mut batch = Batch { bodies: Vec::new(), receipts: Vec::new() };
                    for message in answer.messages.unwrap_or_default() {
                        batch.bodies.extend(message.body);
                        batch.receipts.extend(message.receipt_handle);
                    }
                    if !batch.receipts.is_empty() && batches.send(Ok(batch)).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    if kind(&error) != ErrorKind::Absent {
                        absent_since = None;
                    } else if absent_since.get_or_insert_with(Instant::now).elapsed() > ABSENT_FOR {
                        // Whoever listens no more knows enough.
                        let _ = batches.send(Err(brief(&error))).await;
                        return;
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Deletes messages that were taken. What is not deleted comes again, and is then known.
    pub(crate) async fn delete(self, batch: Batch) {
        let entries = batch.receipts.into_iter().enumerate().filter_map(|(n, receipt)| {
            DeleteMessageBatchRequestEntry::builder().id(n.to_string()).receipt_handle(receipt).build().ok()
        });
        let deletion = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries.collect()));
        if deletion.send().await.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }
}
