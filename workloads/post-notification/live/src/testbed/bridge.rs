//! From the broker to the function: on AWS the Lambda service does this.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_lambda::error::ProvideErrorMetadata as _;
use aws_sdk_lambda::primitives::Blob;
use matrix_app::wire::deliver_amq;
use matrix_lambdas::aws::brief;
use matrix_lambdas::config::BrokerEndpoint;
use matrix_lambdas::stomp::{Client, Credentials, Message, Mode, StompError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::aws::is_refusal;

/// What a bridge joins.
#[derive(Clone, Debug)]
pub struct BridgeSettings {
    /// The broker of the reader's region.
    pub broker: BrokerEndpoint,
    /// Access to it.
    pub credentials: Credentials,
    /// File with the certificate of the authority that the broker's certificate is from.
    pub ca_file: Option<PathBuf>,
    /// Queue of notifications.
    pub queue: String,
    /// The reader's function: its name or ARN.
    pub function: String,
    /// Invocations of the function for one message, the first included. A message that fails in all of them is given up,
    /// so that it does not block those behind it.
    pub attempts: u32,
}

/// What a bridge has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BridgeCounts {
    /// Messages that the function took.
    pub delivered: u64,
    /// Invocations that failed and were tried again.
    pub retried: u64,
    /// Messages given up after the last attempt.
    pub given_up: u64,
    /// Times that the broker was connected to anew.
    pub reconnected: u64,
}

/// Why a bridge could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// The broker could not be reached or refused.
    #[error("bridge from queue `{queue}`: {source}")]
    Broker {
        /// The queue.
        queue: String,
        /// What happened.
        source: StompError,
    },
}

/// A running bridge. It hands over one message at a time, in order, and acknowledges each after the function took it; a
/// message under way when the broker goes away comes again. Dropping it ends it at once.
#[derive(Debug)]
pub struct Bridge {
    stop: watch::Sender<bool>,
    tally: Arc<Tally>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Tally {
    delivered: AtomicU64,
    retried: AtomicU64,
    given_up: AtomicU64,
    reconnected: AtomicU64,
}

/// Pause before the broker is asked again, and before the function is.
const PAUSE: Duration = Duration::from_millis(200);

impl Bridge {
    /// Subscribes, and starts handing over on the current runtime.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses.
    pub async fn start(settings: BridgeSettings, functions: aws_sdk_lambda::Client) -> Result<Self, BridgeError> {
        let subscribed = subscribe(&settings).await;
        let client = subscribed.map_err(|source| BridgeError::Broker { queue: settings.queue.clone(), source })?;
        let (stop, stopped) = watch::channel(false);
        let tally = Arc::new(Tally::default());
        let worker = Worker { settings, functions, tally: Arc::clone(&tally), stopped };
        Ok(Self { stop, tally, task: tokio::spawn(worker.work(client)) })
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> BridgeCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BridgeCounts {
            delivered: count(&self.tally.delivered),
            retried: count(&self.tally.retried),
            given_up: count(&self.tally.given_up),
            reconnected: count(&self.tally.reconnected),
        }
    }

    /// Ends it after the message under way, if any, and takes leave of the broker.
    pub async fn stop(mut self) -> BridgeCounts {
        self.stop.send_replace(true);
        // The task ends by itself; it cannot be cancelled here, and does not panic.
        let _ = (&mut self.task).await;
        self.counts()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn subscribe(settings: &BridgeSettings) -> Result<Client, StompError> {
    let mut client = Client::connect(&settings.broker, &settings.credentials, settings.ca_file.as_deref()).await?;
    client.subscribe(&settings.queue, Mode::OneByOne).await?;
    Ok(client)
}

struct Worker {
    settings: BridgeSettings,
    functions: aws_sdk_lambda::Client,
    tally: Arc<Tally>,
    stopped: watch::Receiver<bool>,
}

impl Worker {
    async fn work(mut self, mut client: Client) {
        loop {
            match self.hand_over(&mut client).await {
                Ok(()) => {
                    // What is not acknowledged goes back to the queue, whether the broker hears the farewell or not.
                    let _ = client.disconnect().await;
                    return;
                }
                Err(_) => match self.reconnect().await {
                    Some(new) => client = new,
                    None => return,
                },
            }
        }
    }

    /// Hands over messages until it is stopped.
    async fn hand_over(&mut self, client: &mut Client) -> Result<(), StompError> {
        loop {
            let message = tokio::select! {
                biased;
                _ = self.stopped.wait_for(|stop| *stop) => return Ok(()),
                message = client.message() => message?,
            };
            let Some(message) = message else { continue };
            let counter = if self.deliver(&message).await { &self.tally.delivered } else { &self.tally.given_up };
            client.acknowledge(&message).await?;
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits for the broker; `None` when it is stopped meanwhile.
    async fn reconnect(&mut self) -> Option<Client> {
        loop {
            tokio::select! {
                biased;
                _ = self.stopped.wait_for(|stop| *stop) => return None,
                () = sleep(PAUSE) => {}
            }
            if let Ok(client) = subscribe(&self.settings).await {
                self.tally.reconnected.fetch_add(1, Ordering::Relaxed);
                return Some(client);
            }
        }
    }

    /// Invokes the function until it takes the message; `false` when it never did.
    async fn deliver(&self, message: &Message) -> bool {
        let text = String::from_utf8_lossy(&message.body);
        let Ok(payload) = deliver_amq(&text) else { return false };
        let mut attempt = 1;
        while attempt <= self.settings.attempts {
            let invoked = self
                .functions
                .invoke()
                .function_name(&self.settings.function)
                .payload(Blob::new(payload.clone()))
                .send()
                .await;
            let why = match invoked {
                Ok(answer) => match answer.function_error() {
                    None => return true,
                    Some(error) => error.to_owned(),
                },
                // It was not invoked; the next call waits for new credentials.
                Err(error) if is_refusal(error.code()) => {
                    sleep(PAUSE).await;
                    continue;
                }
                Err(error) => brief(&error),
            };
            eprintln!("bridge to {}: attempt {attempt}: {why}", self.settings.function);
            if attempt < self.settings.attempts {
                self.tally.retried.fetch_add(1, Ordering::Relaxed);
                sleep(PAUSE * attempt).await;
            }
            attempt += 1;
        }
        false
    }
}
