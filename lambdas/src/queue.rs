//! SQS: the queue of evaluations.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};
use aws_types::SdkConfig;
use matrix_app::host::ErrorKind;
use matrix_app::{EvaluationSink, StorageError};

use crate::admin::{Admin, Contents};
use crate::aws::{classify, region};
use crate::config::QueueConfig;
use crate::failure::failure;

const SERVICE: &str = "sqs";

/// Most messages of one batch (a limit of SQS).
const BATCH: i32 = 10;

/// The queue of the reader's region.
#[derive(Debug)]
pub struct EvaluationQueue {
    client: Client,
    url: String,
}

impl EvaluationQueue {
    /// The configured queue.
    #[must_use]
    pub fn new(config: &QueueConfig, aws: &SdkConfig, region_name: &str) -> Self {
        let settings = Builder::from(aws).region(region(region_name)).build();
        Self { client: Client::from_conf(settings), url: config.url.clone() }
    }

    /// Messages by state: waiting, handed out, and delayed. They are approximate while messages move.
    async fn counts(&self) -> Result<u64, StorageError> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let question =
            self.client.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(names.to_vec()));
        let attributes =
            question.send().await.map_err(|error| classify(SERVICE, error))?.attributes.unwrap_or_default();
        names.iter().try_fold(0, |sum, name| {
            let count = attributes.get(name).and_then(|text| text.parse::<u64>().ok());
            let missing = || failure(SERVICE, ErrorKind::Malformed, format_args!("no {}", name.as_str()));
            count.map(|count| sum + count).ok_or_else(missing)
        })
    }
}

impl EvaluationSink for EvaluationQueue {
    async fn send(&self, evaluation: &[u8]) -> Result<(), StorageError> {
        let text = std::str::from_utf8(evaluation).map_err(|error| failure(SERVICE, ErrorKind::Malformed, error))?;
        let sent = self.client.send_message().queue_url(&self.url).message_body(text).send().await;
        sent.map(drop).map_err(|error| classify(SERVICE, error))
    }
}

impl Admin for EvaluationQueue {
    /// The queue comes with the deployment.
    async fn build(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Receives and deletes until nothing comes. It does not purge: a purge is allowed once a minute, and takes with it
    /// what is sent for up to a minute after.
    async fn clean(&self) -> Result<(), StorageError> {
        loop {
            let question =
                self.client.receive_message().queue_url(&self.url).max_number_of_messages(BATCH).wait_time_seconds(0);
            let answer = question.send().await.map_err(|error| classify(SERVICE, error))?;
            let entries = answer
                .messages
                .unwrap_or_default()
                .into_iter()
                .enumerate()
                .map(|(n, message)| {
                    let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string());
                    entry.set_receipt_handle(message.receipt_handle).build()
                })
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| failure(SERVICE, ErrorKind::Malformed, error))?;
            if entries.is_empty() {
                return Ok(());
            }
            let deletion = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries));
            let answer = deletion.send().await.map_err(|error| classify(SERVICE, error))?;
            if let Some(entry) = answer.failed.into_iter().next() {
                return Err(failure(SERVICE, ErrorKind::Refused, format_args!("deleting a message: {}", entry.code)));
            }
        }
    }

    /// Messages in any state; their bytes cannot be seen.
    async fn contents(&self) -> Result<Contents, StorageError> {
        Ok(Contents { items: self.counts().await?, bytes: 0 })
    }

    async fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.counts().await? == 0)
    }
}
