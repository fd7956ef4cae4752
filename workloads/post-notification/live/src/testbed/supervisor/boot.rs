//! Starting everything, side by side, and checking that it replicates.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::try_join;

use super::layout::RegionServers;
use super::world::{Relays, World};
use super::{activemq, mariadb, ministack, redis};
use crate::testbed::error::Doing as _;
use crate::testbed::state::private_dir;
use crate::testbed::{AmqAccess, Endpoints, MysqlAccess, PartName, RegionEndpoints, StateDir, TestbedError};

/// Room that the state directory must have while servers start, in bytes.
const ROOM: usize = 64 << 10;

/// Starts everything; says whether it went well to all who wait for it, and ends the supervisor if it did not.
pub(super) async fn boot(world: Arc<World>) {
    let started = Instant::now();
    let outcome = tokio::select! {
        outcome = start_all(&world) => outcome,
        error = full(&world) => Err(error),
    };
    match outcome {
        Ok(endpoints) => {
            log!("up after {:.1} s", started.elapsed().as_secs_f64());
            world.set_booted(Ok(endpoints));
        }
        Err(error) => {
            log!("{error}");
            world.set_booted(Err(error.to_string()));
            // Whoever waits for the answer gets it before the socket closes.
            tokio::time::sleep(Duration::from_millis(200)).await;
            world.holding.end();
        }
    }
}

/// Waits until there is no room left in the state directory: servers wait for room there, and do not say so.
async fn full(world: &World) -> TestbedError {
    let probe = world.state.path().join("room");
    loop {
        let written = tokio::fs::write(&probe, [0; ROOM]).await;
        // What is left of it does no harm.
        let _ = tokio::fs::remove_file(&probe).await;
        if let Err(source) = written
            && matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
        {
            let doing = format!("starting the servers in {}", world.state.path().display());
            return TestbedError::Io { doing, source };
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn start_all(world: &Arc<World>) -> Result<Endpoints, TestbedError> {
    private_dir(&world.state.data())?;
    lay_links(world).await?;
    try_join!(
        start_mariadb(world),
        start_redis(world),
        start_activemq(world),
        start_part(world, &PartName::Ministack)
    )?;
    let endpoints = endpoints(world).await;
    StateDir::write_json(&world.state.endpoints(), &endpoints)?;
    Ok(endpoints)
}

async fn lay_links(world: &World) -> Result<(), TestbedError> {
    let (layout, mut relays) = (&world.layout, BTreeMap::new());
    for reader in layout.readers() {
        let pair = layout.link(reader);
        let (_, cable) = world.cable(&pair)?;
        let primary = |port| (layout.writer().host, port).into();
        let lay = async {
            Ok(Relays {
                mysql: cable.carry_to(primary(layout.ports.mysql)).await?,
                redis: cable.carry_to(primary(layout.ports.redis)).await?,
                openwire: cable.carry_to((reader.host, layout.ports.openwire).into()).await?,
            })
        };
        relays.insert(reader.region.to_string(), lay.await.doing(|| format!("laying the link {pair}"))?);
    }
    // It is laid once, before anything asks for it.
    let _ = world.relays.set(relays);
    Ok(())
}

async fn start_mariadb(world: &Arc<World>) -> Result<(), TestbedError> {
    mariadb::make_data(world).await?;
    each(world, mariadb::name).await?;
    mariadb::attach(world).await?;
    mariadb::replicates(world).await
}

async fn start_redis(world: &Arc<World>) -> Result<(), TestbedError> {
    each(world, redis::name).await?;
    redis::replicates(world).await
}

async fn start_activemq(world: &Arc<World>) -> Result<(), TestbedError> {
    activemq::make_certificates(world).await?;
    each(world, activemq::name).await?;
    activemq::replicates(world).await
}

/// Starts one kind of server in every region, then waits for each.
async fn each(world: &Arc<World>, name: fn(&RegionServers) -> PartName) -> Result<(), TestbedError> {
    for place in &world.layout.places {
        launch(world, &name(place)).await?;
    }
    for place in &world.layout.places {
        serves(world, &name(place)).await?;
    }
    Ok(())
}

/// Starts a part and waits until it serves.
pub(super) async fn start_part(world: &Arc<World>, part: &PartName) -> Result<(), TestbedError> {
    launch(world, part).await?;
    serves(world, part).await
}

async fn launch(world: &Arc<World>, part: &PartName) -> Result<(), TestbedError> {
    let spec = match part {
        PartName::Mariadb(region) => mariadb::spec(world, world.place(region)?),
        PartName::Redis(region) => redis::spec(world, world.place(region)?)?,
        PartName::Activemq(region) => activemq::spec(world, world.place(region)?)?,
        PartName::Ministack => ministack::spec(world)?,
    };
    world.parts.start(part, &spec, &world.state, &world.needs).await
}

async fn serves(world: &Arc<World>, part: &PartName) -> Result<(), TestbedError> {
    match part {
        PartName::Mariadb(region) => mariadb::serves(world, world.place(region)?).await,
        PartName::Redis(region) => redis::serves(world, world.place(region)?).await,
        PartName::Activemq(region) => activemq::serves(world, world.place(region)?).await,
        PartName::Ministack => ministack::serves(world).await,
    }
}

async fn endpoints(world: &World) -> Endpoints {
    let (layout, ports) = (&world.layout, world.layout.ports);
    let regions = layout.places.iter().map(|place| {
        let endpoints = RegionEndpoints {
            aws_name: place.aws_name.to_owned(),
            host: place.host.to_string(),
            mysql_port: ports.mysql,
            redis_port: ports.redis,
            stomp_port: ports.stomp,
            stomp_ssl_port: ports.stomp_ssl,
        };
        (place.region.to_string(), endpoints)
    });
    let versions = [
        ("mariadb", mariadb::version(world).await),
        ("redis", redis::version(world).await),
        ("activemq", activemq::version(world)),
        ("ministack", Some(crate::testbed::install::MINISTACK.to_owned())),
    ];
    Endpoints {
        schema: Endpoints::SCHEMA,
        instance: layout.instance.clone(),
        supervisor: std::process::id(),
        config: world.config.clone(),
        writer: layout.writer().region.to_string(),
        regions: regions.collect(),
        aws_endpoint_url: format!("http://{}", layout.ministack()),
        aws_access_key_id: ministack::ACCESS_KEY.to_owned(),
        aws_secret_access_key: ministack::ACCESS_KEY.to_owned(),
        mysql: MysqlAccess {
            db: mariadb::DATABASE.to_owned(),
            user: mariadb::USER.to_owned(),
            password: layout.passwords.mysql.clone(),
        },
        mq: AmqAccess {
            user: activemq::USER.to_owned(),
            password: layout.passwords.mq.clone(),
            ca_file: activemq::ca_file(world),
        },
        visible_log: ministack::visible_log(&world.state),
        versions: versions.into_iter().filter_map(|(name, version)| Some((name.to_owned(), version?))).collect(),
    }
}
