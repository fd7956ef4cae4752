//! Redis: a primary, and replicas that follow it through the links.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;

use super::health::until;
use super::layout::RegionServers;
use super::spec::Spec;
use super::world::World;
use crate::testbed::state::private_dir;
use crate::testbed::{PartName, ReplicaStatus, TestbedError};

pub(super) fn name(place: &RegionServers) -> PartName {
    PartName::Redis(place.region.to_string())
}

pub(super) fn spec(world: &World, place: &RegionServers) -> Result<Spec, TestbedError> {
    let directory = world.state.data().join(name(place).to_string());
    private_dir(&directory)?;
    let mut spec = Spec::new(&world.needs.redis_server, directory)
        .args(["--bind", &place.host.to_string(), "--port", &world.layout.ports.redis.to_string()])
        .args(["--daemonize", "no", "--save", "", "--appendonly", "no", "--databases", "1"])
        // Redis writes its title over its environment, which would hide the mark that the testbed's processes are found by.
        .args(["--set-proc-title", "no"])
        // A replica attaches at once, not after the five seconds in which others could join it.
        .args(["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"])
        // After a cut a replica catches up from the backlog instead of copying everything; and however far behind it
        // is, the primary does not drop it.
        .args(["--repl-backlog-size", "256mb", "--client-output-buffer-limit", "replica 0 0 0"]);
    if place.host != world.layout.writer().host {
        let relay = world.relays(place.region.as_str())?.redis;
        spec = spec.args(["--replicaof", &format!("{} {}", relay.ip(), relay.port())]);
    }
    Ok(spec)
}

pub(super) async fn connect(world: &World, place: &RegionServers) -> redis::RedisResult<MultiplexedConnection> {
    let client = redis::Client::open((place.host.to_string(), world.layout.ports.redis))?;
    client.get_multiplexed_async_connection().await
}

/// Waits until the server serves.
pub(super) async fn serves(world: &Arc<World>, place: &RegionServers) -> Result<(), TestbedError> {
    until(world, &name(place), || async {
        redis::cmd("PING").query_async::<String>(&mut connect(world, place).await?).await.map(drop)
    })
    .await
}

/// Writes at the primary, and waits until every replica shows it.
pub(super) async fn replicates(world: &Arc<World>) -> Result<(), TestbedError> {
    let (writer, key, token) = (world.layout.writer(), "matrix-testbed-health", world.layout.instance.as_str());
    let refused = |part: PartName, error: redis::RedisError| TestbedError::Server {
        part: part.to_string(),
        doing: "checking its replication".into(),
        why: error.to_string(),
    };
    let mut primary = connect(world, writer).await.map_err(|error| refused(name(writer), error))?;
    let set = redis::cmd("SET").arg(key).arg(token).query_async::<()>(&mut primary).await;
    set.map_err(|error| refused(name(writer), error))?;
    for reader in world.layout.readers() {
        until(world, &name(reader), || async {
            let mut replica = connect(world, reader).await.map_err(|error| error.to_string())?;
            let found: Option<String> =
                redis::cmd("GET").arg(key).query_async(&mut replica).await.map_err(|error| error.to_string())?;
            let visible = found.as_deref() == Some(token);
            if visible { Ok(()) } else { Err("a write at the primary is not visible".to_owned()) }
        })
        .await?;
    }
    let deleted = redis::cmd("DEL").arg(key).query_async::<()>(&mut primary).await;
    deleted.map_err(|error| refused(name(writer), error))
}

pub(super) async fn replica_status(world: &World, place: &RegionServers) -> ReplicaStatus {
    let info =
        async { redis::cmd("INFO").arg("replication").query_async::<String>(&mut connect(world, place).await?).await };
    let (attached, detail) = match info.await {
        Ok(info) => {
            let field = |name: &str| {
                let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                line.unwrap_or("unknown").to_owned()
            };
            let link = field("master_link_status");
            (link == "up", format!("link {link}, offset {}", field("slave_repl_offset")))
        }
        Err(error) => (false, error.to_string()),
    };
    ReplicaStatus { name: name(place).to_string(), attached, detail }
}

/// The server's version.
pub(super) async fn version(world: &World) -> Option<String> {
    let mut connection = connect(world, world.layout.writer()).await.ok()?;
    let info = redis::cmd("INFO").arg("server").query_async::<String>(&mut connection).await.ok()?;
    info.lines().find_map(|line| line.strip_prefix("redis_version:")).map(|text| text.trim().to_owned())
}
