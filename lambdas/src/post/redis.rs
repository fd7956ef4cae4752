//! Redis: posts as strings, on a primary and its replicas.

use matrix_app::host::ErrorKind;
use matrix_app::{LineageId, Post, PostStorage, StorageError, WriteId, Written, sizes};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, FromRedisValue, IntoConnectionInfo, Pipeline, RedisError};

use crate::admin::{Admin, Contents};
use crate::config::{Endpoint, RedisConfig, Side};
use crate::content::content;
use crate::failure::{CALL_TIMEOUT, CONNECT_TIMEOUT, failure, within};
use crate::idle::{Ended, Idle};

const SERVICE: &str = "redis";

/// Keys that one page of a scan asks for.
const PAGE: usize = 500;

/// One server that holds posts.
#[derive(Debug)]
pub struct RedisPosts {
    at: Endpoint,
    side: Side,
    idle: Idle<MultiplexedConnection>,
}

impl RedisPosts {
    /// The server of the given side. No connection is made yet.
    #[must_use]
    pub fn new(config: &RedisConfig, side: Side) -> Self {
        let at = match side {
            Side::Writer => &config.writer,
            Side::Reader => &config.reader,
        };
        Self { at: at.clone(), side, idle: Idle::default() }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, StorageError> {
        let address = ConnectionAddr::Tcp(self.at.host.clone(), self.at.port);
        // Every limit is set by `within`, one for all storages.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let opening = async {
            let client = Client::open(address.into_connection_info().map_err(classify)?).map_err(classify)?;
            client.get_multiplexed_async_connection_with_config(&config).await.map_err(classify)
        };
        within(SERVICE, "connecting", CONNECT_TIMEOUT, opening).await
    }

    async fn query<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, StorageError> {
        let call = async |connection: &mut MultiplexedConnection| {
            let asking = async { Ok(commands.query_async::<T>(connection).await) };
            match within(SERVICE, "waiting for an answer", CALL_TIMEOUT, asking).await {
                Ok(Ok(answer)) => Ended::InOrder(Ok(answer)),
                Ok(Err(error)) if matches!(error.kind(), redis::ErrorKind::Server(_)) => {
                    Ended::InOrder(Err(classify(error)))
                }
                Ok(Err(error)) => Ended::Broken(classify(error)),
                Err(timeout) => Ended::Broken(timeout),
            }
        };
        self.idle.with(async || self.connect().await, call).await
    }
}

fn classify(error: RedisError) -> StorageError {
    use redis::ServerErrorKind as Server;
    let kind = match error.kind() {
        redis::ErrorKind::Io if error.is_timeout() => ErrorKind::Timeout,
        redis::ErrorKind::Io => ErrorKind::Unreachable,
        redis::ErrorKind::Parse | redis::ErrorKind::UnexpectedReturnType => ErrorKind::Malformed,
        redis::ErrorKind::Server(Server::BusyLoading | Server::TryAgain | Server::MasterDown | Server::ClusterDown) => {
            ErrorKind::Unreachable
        }
        _ => ErrorKind::Refused,
    };
    failure(SERVICE, kind, error)
}

impl PostStorage for RedisPosts {
    async fn write<'a>(&self, post: Post<'a>) -> Result<Written<'a>, StorageError> {
        let mut commands = redis::pipe();
        commands.cmd("SET").arg(post.key).arg(content(post.key, post.bytes)).ignore();
        if let Some(lineage) = post.lineage {
            commands.atomic().cmd("SET").arg(lineage.to_string()).arg(post.key).ignore();
        }
        self.query::<()>(&commands).await?;
        Ok(Written { id: WriteId { key: post.key.into(), version: None }, bytes: sizes::redis(&post) })
    }

    async fn read(&self, key: &str) -> Result<bool, StorageError> {
        let mut commands = redis::pipe();
        commands.cmd("EXISTS").arg(key);
        let (found,): (bool,) = self.query(&commands).await?;
        Ok(found)
    }

    async fn is_visible(&self, write: &WriteId<'_>, lineage: LineageId) -> Result<bool, StorageError> {
        let mut commands = redis::pipe();
        commands.cmd("EXISTS").arg(&*write.key).cmd("GET").arg(lineage.to_string());
        let (found, of): (bool, Option<String>) = self.query(&commands).await?;
        Ok(found && of.as_deref() == Some(&*write.key))
    }
}

impl Admin for RedisPosts {
    /// A server needs nothing.
    async fn build(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Empties the database: the server holds nothing but posts. A replica follows.
    async fn clean(&self) -> Result<(), StorageError> {
        if self.side == Side::Reader {
            return Ok(());
        }
        let mut commands = redis::pipe();
        commands.cmd("FLUSHDB").ignore();
        self.query::<()>(&commands).await
    }

    /// Goes over all keys, page by page. A key of digits alone is a lineage's: a post's key has a letter.
    async fn contents(&self) -> Result<Contents, StorageError> {
        let mut contents = Contents::default();
        let mut cursor = 0_u64;
        loop {
            let mut page = redis::pipe();
            page.cmd("SCAN").arg(cursor).arg("COUNT").arg(PAGE);
            let ((next, keys),): ((u64, Vec<String>),) = self.query(&page).await?;
            if !keys.is_empty() {
                let mut lengths = redis::pipe();
                for key in &keys {
                    lengths.cmd("STRLEN").arg(key);
                }
                let lengths: Vec<u64> = self.query(&lengths).await?;
                contents.bytes += lengths.iter().sum::<u64>();
                contents.bytes += keys.iter().map(|key| key.len() as u64).sum::<u64>();
                let is_post = |key: &&String| !key.bytes().all(|byte| byte.is_ascii_digit());
                contents.items += keys.iter().filter(is_post).count() as u64;
            }
            if next == 0 {
                return Ok(contents);
            }
            cursor = next;
        }
    }

    async fn is_empty(&self) -> Result<bool, StorageError> {
        let mut commands = redis::pipe();
        commands.cmd("DBSIZE");
        let (keys,): (u64,) = self.query(&commands).await?;
        Ok(keys == 0)
    }
}
