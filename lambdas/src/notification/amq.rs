//! ActiveMQ: notifications as messages of a queue, over STOMP.

use std::path::PathBuf;
use std::time::Duration;

use matrix_app::host::ErrorKind;
use matrix_app::{Event, NotificationStorage, StorageError};

use crate::admin::{Admin, Contents};
use crate::config::{AmqConfig, BrokerEndpoint, Side};
use crate::failure::{CALL_TIMEOUT, failure, within};
use crate::idle::{Ended, Idle};
use crate::stomp::{Client, Credentials, Mode, StompError};

const SERVICE: &str = "amq";

/// How long a queue that is being emptied may give nothing before it is looked at again: another may have taken what was
/// seen there.
const QUIET: Duration = Duration::from_secs(2);

/// How often a queue is looked at while it is being emptied.
const ROUNDS: u32 = 1000;

/// The queue on one broker.
#[derive(Debug)]
pub struct AmqNotifications {
    broker: BrokerEndpoint,
    credentials: Credentials,
    queue: String,
    ca_file: Option<PathBuf>,
    idle: Idle<Client>,
}

impl AmqNotifications {
    /// The queue on the broker of the given side. No connection is made yet.
    #[must_use]
    pub fn new(config: &AmqConfig, side: Side) -> Self {
        let broker = match side {
            Side::Writer => &config.writer,
            Side::Reader => &config.reader,
        };
        Self {
            broker: broker.clone(),
            credentials: Credentials { user: config.user.clone(), password: config.password.clone() },
            queue: config.queue.clone(),
            ca_file: config.ca_file.as_ref().map(PathBuf::from),
            idle: Idle::default(),
        }
    }

    async fn connect(&self) -> Result<Client, StorageError> {
        Client::connect(&self.broker, &self.credentials, self.ca_file.as_deref()).await.map_err(classify)
    }

    /// A connection of its own that is subscribed to the queue.
    async fn subscribed(&self, mode: Mode) -> Result<Client, StorageError> {
        let mut client = self.connect().await?;
        client.subscribe(&self.queue, mode).await.map_err(classify)?;
        Ok(client)
    }

    /// Looks at the messages of the queue.
    async fn browse(&self) -> Result<Contents, StorageError> {
        let mut client = self.subscribed(Mode::Browse).await?;
        let mut contents = Contents::default();
        let looking = async {
            while let Some(message) = client.message().await.map_err(classify)? {
                contents.items += 1;
                contents.bytes += message.body.len() as u64;
            }
            Ok(contents)
        };
        let contents = within(SERVICE, "browsing the queue", CALL_TIMEOUT, looking).await?;
        client.disconnect().await.map_err(classify)?;
        Ok(contents)
    }

    /// Takes up to `count` messages.
    async fn take(&self, count: u64) -> Result<(), StorageError> {
        let mut client = self.subscribed(Mode::Take).await?;
        for _ in 0..count {
            match tokio::time::timeout(QUIET, client.message()).await {
                Ok(message) => drop(message.map_err(classify)?),
                Err(_) => break,
            }
        }
        client.disconnect().await.map_err(classify)
    }
}

fn classify(error: StompError) -> StorageError {
    failure(SERVICE, error.kind(), error)
}

impl NotificationStorage for AmqNotifications {
    async fn publish(&self, event: &Event<'_>) -> Result<(), StorageError> {
        let text = event.to_json().map_err(|error| failure(SERVICE, ErrorKind::Malformed, error))?;
        let call = async |client: &mut Client| match client.send(&self.queue, &text).await {
            Ok(()) => Ended::InOrder(Ok(())),
            Err(error) => Ended::Broken(classify(error)),
        };
        self.idle.with(async || self.connect().await, call).await
    }
}

impl Admin for AmqNotifications {
    /// A broker makes its queues as they are named.
    async fn build(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Takes messages until none is seen.
    async fn clean(&self) -> Result<(), StorageError> {
        for _ in 0..ROUNDS {
            let seen = self.browse().await?.items;
            if seen == 0 {
                return Ok(());
            }
            self.take(seen).await?;
        }
        Err(failure(SERVICE, ErrorKind::Timeout, "the queue fills as fast as it is emptied"))
    }

    /// What the broker shows: at most a page (400 messages, if not configured).
    async fn contents(&self) -> Result<Contents, StorageError> {
        self.browse().await
    }

    async fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.browse().await?.items == 0)
    }
}
