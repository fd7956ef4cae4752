//! ActiveMQ: a broker in each region, the writer's joined to each reader's by a duplex network connector through the
//! link. Clients come by STOMP, with or without TLS, always with a password.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use matrix_lambdas::config::{BrokerEndpoint, Endpoint, Secret};
use matrix_lambdas::stomp::{Client, Credentials, Mode, StompError};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::health::until;
use super::layout::RegionServers;
use super::spec::Spec;
use super::world::World;
use crate::testbed::error::Doing as _;
use crate::testbed::state::{private_dir, write_private};
use crate::testbed::{PartName, TestbedError};

/// User of the applications.
pub(super) const USER: &str = "matrix";

const NETWORK_USER: &str = "network";

const CERTIFICATES: &str = include_str!("../certificates.py");

/// Debian's ActiveMQ logs by Log4j 1.2.
const LOGGING: &str = "\
log4j.rootLogger=INFO, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d | %-5p | %m | %c | %t%n
";

pub(super) fn name(place: &RegionServers) -> PartName {
    PartName::Activemq(place.region.to_string())
}

/// Makes the authority and the certificate of the brokers.
pub(super) async fn make_certificates(world: &World) -> Result<(), TestbedError> {
    let (directory, part) = (world.state.data().join("tls"), "certificates");
    private_dir(&directory)?;
    let script = directory.join("certificates.py");
    write_private(&script, CERTIFICATES.as_bytes())?;
    let spec = Spec::new(&world.needs.python, directory.clone())
        .args([script.as_os_str(), directory.as_os_str()])
        .args(world.layout.places.iter().map(|place| place.host.to_string()))
        .arg("localhost");
    let mut child = spec.start(&world.state, &world.needs.setpriv, part, Stdio::piped())?;
    if let Some(mut stdin) = child.stdin.take() {
        let password = format!("{}\n", world.layout.passwords.keystore);
        stdin.write_all(password.as_bytes()).await.doing(|| "making certificates".into())?;
    }
    let status = child.wait().await.doing(|| "making certificates".into())?;
    if status.success() { Ok(()) } else { Err(TestbedError::start(&world.state, part, &status.to_string())) }
}

/// File with the authority's certificate.
pub(super) fn ca_file(world: &World) -> PathBuf {
    world.state.data().join("tls/ca.pem")
}

fn xml(world: &World, place: &RegionServers) -> Result<String, TestbedError> {
    let (layout, ports) = (&world.layout, world.layout.ports);
    let directory = world.state.data().join(name(place).to_string());
    let keystore = world.state.data().join("tls/broker.p12");
    let (host, broker) = (place.host, name(place));
    let mut network = String::new();
    if place.host == layout.writer().host {
        for reader in layout.readers() {
            let relay = world.relays(reader.region.as_str())?.openwire;
            // Static: a broker that restarts is found again within half a second.
            network += &format!(
                r#"<networkConnector name="{region}" duplex="true" userName="{NETWORK_USER}" password="{password}"
        uri="static:(tcp://{relay})?initialReconnectDelay=100&amp;maxReconnectDelay=500&amp;useExponentialBackOff=false"/>
      "#,
                region = reader.region,
                password = layout.passwords.mq_network,
            );
        }
    }
    let escaped = |path: &Path| path.display().to_string().replace('&', "&amp;").replace('"', "&quot;");
    Ok(format!(
        r#"<beans xmlns="http://www.springframework.org/schema/beans" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans-2.0.xsd http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="{broker}" useJmx="false" persistent="true"
    useShutdownHook="true" dataDirectory="{directory}">
    <persistenceAdapter>
      <kahaDB directory="{directory}/kahadb" journalMaxFileLength="16mb" enableJournalDiskSyncs="false"/>
    </persistenceAdapter>
    <networkConnectors>
      {network}
    </networkConnectors>
    <plugins>
      <simpleAuthenticationPlugin anonymousAccessAllowed="false">
        <users>
          <authenticationUser username="{USER}" password="{user_password}" groups="users"/>
          <authenticationUser username="{NETWORK_USER}" password="{network_password}" groups="users"/>
        </users>
      </simpleAuthenticationPlugin>
    </plugins>
    <sslContext>
      <sslContext keyStore="file:{keystore}" keyStoreType="PKCS12" keyStorePassword="{keystore_password}"/>
    </sslContext>
    <systemUsage>
      <systemUsage>
        <memoryUsage><memoryUsage limit="64 mb"/></memoryUsage>
        <storeUsage><storeUsage limit="1 gb"/></storeUsage>
        <tempUsage><tempUsage limit="256 mb"/></tempUsage>
      </systemUsage>
    </systemUsage>
    <transportConnectors>
      <transportConnector name="openwire" uri="tcp://{host}:{openwire}"/>
      <transportConnector name="stomp" uri="stomp://{host}:{stomp}"/>
      <transportConnector name="stomp+ssl" uri="stomp+ssl://{host}:{stomp_ssl}"/>
    </transportConnectors>
  </broker>
</beans>
"#,
        directory = escaped(&directory),
        keystore = escaped(&keystore),
        user_password = layout.passwords.mq,
        network_password = layout.passwords.mq_network,
        keystore_password = layout.passwords.keystore,
        openwire = ports.openwire,
        stomp = ports.stomp,
        stomp_ssl = ports.stomp_ssl,
    ))
}

pub(super) fn spec(world: &World, place: &RegionServers) -> Result<Spec, TestbedError> {
    let directory = world.state.data().join(name(place).to_string());
    private_dir(&directory)?;
    let file = |name: &str, text: &str| write_private(&directory.join(name), text.as_bytes());
    file("activemq.xml", &xml(world, place)?)?;
    file("log4j.properties", LOGGING)?;
    let home = &world.needs.activemq_home;
    Ok(Spec::new(&world.needs.java, directory.clone())
        // A small heap, and a start that compiles little: three of them share two cores.
        .args(["-Xms32m", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"])
        .path_arg("-Dlog4j.configuration=file:", &directory.join("log4j.properties"))
        .path_arg("-Dactivemq.home=", home)
        .path_arg("-Dactivemq.base=", &directory)
        .path_arg("-Dactivemq.conf=", &directory)
        .path_arg("-Dactivemq.data=", &directory)
        .path_arg("-Djava.io.tmpdir=", &directory)
        .arg("-jar")
        .arg(home.join("bin/activemq.jar"))
        .arg("start")
        .path_arg("xbean:file:", &directory.join("activemq.xml")))
}

async fn connect(world: &World, place: &RegionServers) -> Result<Client, StompError> {
    let at = Endpoint { host: place.host.to_string(), port: world.layout.ports.stomp_ssl };
    let credentials = Credentials { user: USER.to_owned(), password: Secret::new(world.layout.passwords.mq.clone()) };
    Client::connect(&BrokerEndpoint { at, tls: true }, &credentials, Some(&ca_file(world))).await
}

/// Waits until the broker serves clients by TLS.
pub(super) async fn serves(world: &Arc<World>, place: &RegionServers) -> Result<(), TestbedError> {
    until(world, &name(place), || async { connect(world, place).await?.disconnect().await }).await
}

/// Sends at the writer's broker, and waits until the message arrives at each reader's.
pub(super) async fn replicates(world: &Arc<World>) -> Result<(), TestbedError> {
    let writer = world.layout.writer();
    for reader in world.layout.readers() {
        let queue = format!("matrix-testbed-health-{}", reader.region);
        let arrive = || async {
            let mut consumer = connect(world, reader).await?;
            consumer.subscribe(&queue, Mode::Take).await?;
            let mut producer = connect(world, writer).await?;
            producer.send(&queue, "health").await?;
            producer.disconnect().await?;
            match timeout(Duration::from_secs(3), consumer.message()).await {
                Ok(message) => message.map(drop),
                Err(_) => Err(StompError::Timeout),
            }
        };
        until(world, &name(reader), arrive).await?;
    }
    Ok(())
}

/// The broker's version, as its log names it: `Apache ActiveMQ 5.17.2 (activemq-eu, ...) is starting`.
pub(super) fn version(world: &World) -> Option<String> {
    let log = std::fs::read_to_string(world.state.log_of(&name(world.layout.writer()).to_string())).ok()?;
    let (_, rest) = log.split_once("Apache ActiveMQ ")?;
    Some(rest.split_once(' ')?.0.to_owned())
}
