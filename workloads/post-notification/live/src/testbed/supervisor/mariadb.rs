//! MariaDB: a primary, and replicas that follow it through the links, asynchronously, by GTID.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder, Row};

use super::health::until;
use super::layout::RegionServers;
use super::spec::Spec;
use super::world::World;
use crate::testbed::error::Doing as _;
use crate::testbed::state::{private_dir, write_private};
use crate::testbed::{PartName, ReplicaStatus, TestbedError};

/// Database of the application.
pub(super) const DATABASE: &str = "matrix";
/// Its user.
pub(super) const USER: &str = "matrix";

const SUPERVISOR: &str = "supervisor";
const REPLICATION: &str = "replication";

/// The same for making a data directory and for serving it.
const INNODB: [&str; 2] = ["--innodb-log-file-size=16M", "--innodb-buffer-pool-size=64M"];

pub(super) fn name(place: &RegionServers) -> PartName {
    PartName::Mariadb(place.region.to_string())
}

/// MariaDB refuses to run as root unless told to.
fn as_root(spec: Spec) -> Spec {
    if rustix::process::geteuid().is_root() { spec.arg("--user=root") } else { spec }
}

/// Makes one empty data directory and gives each server a copy.
pub(super) async fn make_data(world: &World) -> Result<(), TestbedError> {
    let (data, part) = (world.state.data(), "mariadb-install-db");
    let template = data.join("mariadb-template");
    private_dir(&template)?;
    let spec = Spec::new(&world.needs.mariadb_install_db, template.clone())
        .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"])
        .path_arg("--datadir=", &template)
        .args(INNODB);
    let mut child = as_root(spec).start(&world.state, &world.needs.setpriv, part, Stdio::null())?;
    let status = child.wait().await.doing(|| format!("running {part}"))?;
    if !status.success() {
        return Err(TestbedError::start(&world.state, part, &status.to_string()));
    }
    for place in &world.layout.places {
        let copy = data.join(name(place).to_string());
        copy_tree(&template, &copy).doing(|| format!("copying {} to {}", template.display(), copy.display()))?;
    }
    write_private(&data.join("mariadb-init.sql"), init_sql(world).as_bytes())
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// What each server executes when it starts, a statement a line. Nothing of it is replicated. The accounts that a new
/// data directory has (root, without a password) go.
fn init_sql(world: &World) -> String {
    let passwords = &world.layout.passwords;
    let account = |user: &str, password: &str| format!("CREATE USER '{user}'@'%' IDENTIFIED BY '{password}';\n");
    [
        "SET sql_log_bin = 0;\n".to_owned(),
        "DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys';\n".to_owned(),
        "DELETE FROM mysql.db;\n".to_owned(),
        "DELETE FROM mysql.proxies_priv;\n".to_owned(),
        "FLUSH PRIVILEGES;\n".to_owned(),
        account(SUPERVISOR, &passwords.supervisor),
        format!("GRANT ALL PRIVILEGES ON *.* TO '{SUPERVISOR}'@'%';\n"),
        account(REPLICATION, &passwords.replication),
        format!("GRANT REPLICATION SLAVE ON *.* TO '{REPLICATION}'@'%';\n"),
        account(USER, &passwords.mysql),
        format!("GRANT ALL PRIVILEGES ON {DATABASE}.* TO '{USER}'@'%';\n"),
        format!("CREATE DATABASE IF NOT EXISTS {DATABASE};\n"),
        "CREATE DATABASE IF NOT EXISTS matrix_testbed;\n".to_owned(),
        "CREATE TABLE IF NOT EXISTS matrix_testbed.health (token VARCHAR(32) PRIMARY KEY);\n".to_owned(),
    ]
    .concat()
}

pub(super) fn spec(world: &World, place: &RegionServers) -> Spec {
    let data = world.state.data();
    let directory = data.join(name(place).to_string());
    let spec = Spec::new(&world.needs.mariadbd, directory.clone())
        .arg("--no-defaults")
        .path_arg("--datadir=", &directory)
        .path_arg("--init-file=", &data.join("mariadb-init.sql"))
        // Relative to the data directory: a path of any length works.
        .args(["--socket=mariadb.sock", "--pid-file=mariadb.pid", "--skip-name-resolve"])
        .arg(format!("--bind-address={}", place.host))
        .arg(format!("--port={}", world.layout.ports.mysql))
        .arg(format!("--server-id={}", place.number))
        .args([
            "--log-basename=mariadb",
            "--log-bin",
            "--binlog-format=ROW",
            "--gtid-strict-mode=1",
            "--log-warnings=1",
        ])
        .args(INNODB)
        // Posts of some megabytes, in one statement.
        .args(["--max-allowed-packet=64M", "--max-connections=1200"])
        // What a crash of the machine would lose is thrown away anyway.
        .args(["--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", "--performance-schema=0"]);
    let spec = if place.host == world.layout.writer().host { spec } else { spec.arg("--read-only=1") };
    as_root(spec)
}

async fn connect(world: &World, place: &RegionServers) -> mysql_async::Result<Conn> {
    let options = OptsBuilder::default()
        .ip_or_hostname(place.host.to_string())
        .tcp_port(world.layout.ports.mysql)
        .user(Some(SUPERVISOR))
        .pass(Some(world.layout.passwords.supervisor.clone()))
        .prefer_socket(false);
    Conn::new(options).await
}

async fn execute(world: &World, place: &RegionServers, sql: &str) -> mysql_async::Result<()> {
    let mut conn = connect(world, place).await?;
    conn.query_drop(sql).await?;
    conn.disconnect().await
}

/// Waits until the server serves.
pub(super) async fn serves(world: &Arc<World>, place: &RegionServers) -> Result<(), TestbedError> {
    until(world, &name(place), || execute(world, place, "SELECT 1")).await
}

/// Has the replicas follow the primary through their links. They go on by themselves after a restart.
pub(super) async fn attach(world: &Arc<World>) -> Result<(), TestbedError> {
    for reader in world.layout.readers() {
        let relay = world.relays(reader.region.as_str())?.mysql;
        let sql = format!(
            "CHANGE MASTER TO MASTER_HOST='{}', MASTER_PORT={}, MASTER_USER='{REPLICATION}', MASTER_PASSWORD='{}', \
             MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=2",
            relay.ip(),
            relay.port(),
            world.layout.passwords.replication
        );
        let attached = async {
            execute(world, reader, &sql).await?;
            execute(world, reader, "START SLAVE").await
        };
        attached.await.map_err(|error| refused(reader, "attaching it to the primary", &error))?;
    }
    Ok(())
}

fn refused(place: &RegionServers, doing: &str, error: &mysql_async::Error) -> TestbedError {
    TestbedError::Server { part: name(place).to_string(), doing: doing.to_owned(), why: error.to_string() }
}

/// Writes at the primary, and waits until every replica shows it.
pub(super) async fn replicates(world: &Arc<World>) -> Result<(), TestbedError> {
    let (writer, token) = (world.layout.writer(), &world.layout.instance);
    let doing = "checking its replication";
    let insert = format!("INSERT INTO matrix_testbed.health VALUES ('{token}')");
    execute(world, writer, &insert).await.map_err(|error| refused(writer, doing, &error))?;
    for reader in world.layout.readers() {
        until(world, &name(reader), || async {
            let found = async {
                let mut conn = connect(world, reader).await?;
                let sql = format!("SELECT 1 FROM matrix_testbed.health WHERE token = '{token}'");
                let found: Option<u8> = conn.query_first(sql).await?;
                conn.disconnect().await.map(|()| found)
            };
            match found.await {
                Ok(Some(_)) => Ok(()),
                Ok(None) => Err("a write at the primary is not visible".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await?;
    }
    let delete = format!("DELETE FROM matrix_testbed.health WHERE token = '{token}'");
    execute(world, writer, &delete).await.map_err(|error| refused(writer, doing, &error))
}

pub(super) async fn replica_status(world: &World, place: &RegionServers) -> ReplicaStatus {
    let row = async {
        let mut conn = connect(world, place).await?;
        let row: Option<Row> = conn.query_first("SHOW SLAVE STATUS").await?;
        conn.disconnect().await.map(|()| row)
    };
    let (attached, detail) = match row.await {
        Ok(Some(row)) => {
            let field = |name: &str| row.get::<Option<String>, _>(name).flatten().unwrap_or_default();
            let (io, sql) = (field("Slave_IO_Running"), field("Slave_SQL_Running"));
            let errors = [field("Last_IO_Error"), field("Last_SQL_Error")].join(" ");
            (io == "Yes" && sql == "Yes", format!("receiving {io}, applying {sql} {errors}").trim().to_owned())
        }
        Ok(None) => (false, "it follows nobody".into()),
        Err(error) => (false, error.to_string()),
    };
    ReplicaStatus { name: name(place).to_string(), attached, detail }
}

/// The server's version.
pub(super) async fn version(world: &World) -> Option<String> {
    let mut conn = connect(world, world.layout.writer()).await.ok()?;
    conn.query_first("SELECT VERSION()").await.ok()?
}
