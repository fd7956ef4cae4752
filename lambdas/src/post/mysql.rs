//! MySQL: posts in tables, on a primary and its replicas.

use matrix_app::host::ErrorKind;
use matrix_app::{LineageId, Post, PostStorage, StorageError, WriteId, Written, sizes};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Opts, OptsBuilder, Params};

use crate::admin::{Admin, Contents};
use crate::config::{MysqlConfig, Side};
use crate::content::content;
use crate::failure::{CALL_TIMEOUT, CONNECT_TIMEOUT, failure, within};
use crate::idle::{Ended, Idle};

const SERVICE: &str = "mysql";

/// One server that holds posts. Nothing depends on how it replicates, so MariaDB will do.
#[derive(Debug)]
pub struct MysqlPosts {
    options: Opts,
    database: String,
    post_table: String,
    antipode_table: String,
    side: Side,
    idle: Idle<Conn>,
}

impl MysqlPosts {
    /// The server of the given side. No connection is made yet.
    #[must_use]
    pub fn new(config: &MysqlConfig, side: Side) -> Self {
        let at = match side {
            Side::Writer => &config.writer,
            Side::Reader => &config.reader,
        };
        let options = OptsBuilder::default()
            .ip_or_hostname(&at.host)
            .tcp_port(at.port)
            .user(Some(&config.user))
            .pass(Some(config.password.reveal()))
            .prefer_socket(false)
            .tcp_nodelay(true)
            // Both would be asked of the server at each connection; the defaults of every server hold a post.
            .max_allowed_packet(Some(MAX_PACKET))
            .wait_timeout(Some(WAIT_TIMEOUT_S));
        Self {
            options: options.into(),
            database: config.database.clone(),
            post_table: quoted(&config.database, &config.post_table),
            antipode_table: quoted(&config.database, &config.antipode_table),
            side,
            idle: Idle::default(),
        }
    }

    /// Runs one statement and returns its first row's columns, if there is a row.
    async fn first<T>(&self, statement: &str, parameters: Params) -> Result<Option<T>, StorageError>
    where
        T: mysql_async::prelude::FromRow + Send + 'static,
    {
        let connect = async || {
            let opening = async { Conn::new(self.options.clone()).await.map_err(classify) };
            within(SERVICE, "connecting", CONNECT_TIMEOUT, opening).await
        };
        let call = async |connection: &mut Conn| {
            let asking = async { Ok(connection.exec_first(statement, parameters.clone()).await) };
            match within(SERVICE, "waiting for an answer", CALL_TIMEOUT, asking).await {
                Ok(Ok(row)) => Ended::InOrder(Ok(row)),
                Ok(Err(error @ Error::Server(_))) => Ended::InOrder(Err(classify(error))),
                Ok(Err(error)) => Ended::Broken(classify(error)),
                Err(timeout) => Ended::Broken(timeout),
            }
        };
        self.idle.with(connect, call).await
    }

    async fn exists(&self, statement: &str, parameters: Params) -> Result<bool, StorageError> {
        Ok(self.first::<u8>(statement, parameters).await?.is_some())
    }

    async fn run(&self, statement: &str) -> Result<(), StorageError> {
        self.first::<mysql_async::Row>(statement, Params::Empty).await.map(drop)
    }
}

/// 16 MiB, the least that a server allows by default (MariaDB; MySQL 8: 64 MiB).
const MAX_PACKET: usize = 16 * 1024 * 1024;

/// Eight hours, the default of both servers, in seconds.
const WAIT_TIMEOUT_S: usize = 28_800;

/// The table's full name. It goes with every statement, so that a connection does not depend on a chosen database.
fn quoted(database: &str, table: &str) -> String {
    format!("{}.{}", identifier(database), identifier(table))
}

fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn classify(error: Error) -> StorageError {
    let kind = match &error {
        Error::Io(_) => ErrorKind::Unreachable,
        Error::Server(server) => match server.code {
            // Too many connections, of this user or at all.
            1040 | 1203 | 1226 => ErrorKind::Throttled,
            // A lock was waited for too long, or would have been for ever.
            1205 | 1213 => ErrorKind::Timeout,
            // The server is going down, or the connection was ended by it.
            1053 | 1077 | 1927 => ErrorKind::Unreachable,
            _ => ErrorKind::Refused,
        },
        Error::Driver(mysql_async::DriverError::ConnectionClosed) => ErrorKind::Unreachable,
        Error::Driver(_) | Error::Other(_) => ErrorKind::Malformed,
        Error::Url(_) => ErrorKind::Refused,
    };
    failure(SERVICE, kind, error)
}

impl PostStorage for MysqlPosts {
    async fn write<'a>(&self, post: Post<'a>) -> Result<Written<'a>, StorageError> {
        let blob = content(post.key, post.bytes);
        // A repeated request finds its own row: writing it again is no error.
        let (statement, parameters) = match post.lineage {
            None => (
                format!(
                    "INSERT INTO {} (`k`, `b`) VALUES (?, ?) ON DUPLICATE KEY UPDATE `b` = VALUES(`b`)",
                    self.post_table
                ),
                (post.key, blob).into(),
            ),
            Some(lineage) => (
                format!(
                    "INSERT INTO {} (`k`, `b`, `c`) VALUES (?, ?, ?) \
                     ON DUPLICATE KEY UPDATE `b` = VALUES(`b`), `c` = VALUES(`c`)",
                    self.antipode_table
                ),
                (post.key, blob, lineage.to_string()).into(),
            ),
        };
        self.first::<mysql_async::Row>(&statement, parameters).await?;
        Ok(Written { id: WriteId { key: post.key.into(), version: None }, bytes: sizes::mysql(&post) })
    }

    async fn read(&self, key: &str) -> Result<bool, StorageError> {
        let statement = format!(
            "SELECT 1 FROM {} WHERE `k` = ? UNION ALL SELECT 1 FROM {} WHERE `k` = ?",
            self.post_table, self.antipode_table
        );
        self.exists(&statement, (key, key).into()).await
    }

    async fn is_visible(&self, write: &WriteId<'_>, lineage: LineageId) -> Result<bool, StorageError> {
        let statement = format!("SELECT 1 FROM {} WHERE `c` = ? AND `k` = ?", self.antipode_table);
        self.exists(&statement, (lineage.to_string(), &*write.key).into()).await
    }
}

impl Admin for MysqlPosts {
    /// Creates the database and its tables. A replica gets them by replication.
    async fn build(&self) -> Result<(), StorageError> {
        if self.side == Side::Reader {
            return Ok(());
        }
        self.run(&format!("CREATE DATABASE IF NOT EXISTS {}", identifier(&self.database))).await?;
        self.run(&format!(
            "CREATE TABLE IF NOT EXISTS {} (`k` VARCHAR(10) NOT NULL PRIMARY KEY, `b` LONGBLOB) ENGINE=InnoDB",
            self.post_table
        ))
        .await?;
        self.run(&format!(
            "CREATE TABLE IF NOT EXISTS {} (`k` VARCHAR(10) NOT NULL PRIMARY KEY, `b` LONGBLOB, `c` VARCHAR(50), \
             INDEX `c` (`c`)) ENGINE=InnoDB",
            self.antipode_table
        ))
        .await
    }

    /// Removes the tables, if they are there; the database stays, which others may use. A replica follows.
    async fn remove(&self) -> Result<(), StorageError> {
        if self.side == Side::Reader {
            return Ok(());
        }
        self.run(&format!("DROP TABLE IF EXISTS {}, {}", self.post_table, self.antipode_table)).await
    }

    /// Truncates the tables: deleting rows would send every blob through the log once more. A replica follows.
    async fn clean(&self) -> Result<(), StorageError> {
        if self.side == Side::Reader {
            return Ok(());
        }
        self.run(&format!("TRUNCATE TABLE {}", self.post_table)).await?;
        self.run(&format!("TRUNCATE TABLE {}", self.antipode_table)).await
    }

    async fn contents(&self) -> Result<Contents, StorageError> {
        let sums = format!(
            "SELECT CAST(COUNT(*) AS UNSIGNED), CAST(COALESCE(SUM(n), 0) AS UNSIGNED) FROM (\
             SELECT LENGTH(`k`) + LENGTH(`b`) AS n FROM {} UNION ALL \
             SELECT LENGTH(`k`) + LENGTH(`b`) + LENGTH(`c`) AS n FROM {}) AS posts",
            self.post_table, self.antipode_table
        );
        let (items, bytes) = self
            .first::<(u64, u64)>(&sums, Params::Empty)
            .await?
            .ok_or_else(|| failure(SERVICE, ErrorKind::Malformed, "a sum without a row"))?;
        Ok(Contents { items, bytes })
    }

    async fn is_empty(&self) -> Result<bool, StorageError> {
        let any = format!("SELECT 1 FROM {} UNION ALL SELECT 1 FROM {} LIMIT 1", self.post_table, self.antipode_table);
        Ok(!self.exists(&any, Params::Empty).await?)
    }
}
